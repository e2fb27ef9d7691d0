//! What is JSON, where each value stands, and where a mistake is told.

use super::*;
use crate::comfy::error::{ImportError, ImportWarning, JsonProblem};

fn value(text: &str) -> Value<'_> {
    parse(text).unwrap().value
}

/// The problem, and the text that is underlined.
fn problem(text: &str) -> (JsonProblem, &str) {
    match parse(text) {
        Err(ImportError::NotJson { problem, span }) => (problem, &text[span.range()]),
        other => panic!("{other:?}"),
    }
}

#[test]
fn values_know_where_they_stand() {
    let text = "\u{feff} {\"a\": [1, \"é\\u00e9\"], \"b\": {}} ";
    let value = value(text);
    let written = |value: &Value<'_>| text[value.span.range()].to_owned();
    assert_eq!(written(value.get("a").unwrap()), "[1, \"é\\u00e9\"]");
    assert_eq!(written(value.get("a").unwrap().at(1).unwrap()), "\"é\\u00e9\"");
    assert_eq!(value.get("a").unwrap().at(1).unwrap().text(), Some("éé"));
    assert_eq!(&text[value.members()[1].key_span.range()], "\"b\"");
}

#[test]
fn whole_numbers_are_exact_and_others_are_floats() {
    let text = "[0, -0, 1.0, 9223372036854775808, 1e3, 99999999999999999999999999999999999999999999]";
    let value = value(text);
    let kinds: Vec<&Kind<'_>> = value.items().iter().map(|item| &item.kind).collect();
    assert_eq!(*kinds[0], Kind::Int(0));
    assert!(matches!(kinds[1], Kind::Float(zero) if zero.is_sign_negative()));
    assert_eq!(*kinds[2], Kind::Float(1.0));
    assert_eq!(*kinds[3], Kind::Long(Box::new(1 << 63)));
    assert_eq!(*kinds[4], Kind::Float(1000.0));
    assert_eq!(*kinds[5], Kind::Float(1e44));
    assert_eq!(value.at(4).unwrap().int(), Some(1000));
}

#[test]
fn characters_of_two_escapes_are_whole_and_halves_are_told() {
    assert_eq!(value(r#""\ud83d\ude00""#).text(), Some("😀"));
    let parsed = parse(r#"["\ud83d", "\ude00x", "\ud83d\ud83d\ude00"]"#).unwrap();
    assert_eq!(parsed.value.at(2).unwrap().text(), Some("\u{fffd}😀"));
    assert_eq!(parsed.warnings.len(), 3);
}

#[test]
fn the_last_of_equal_keys_counts() {
    for more in ["", &(0..40).map(|n| format!(", \"{n}\": 0")).collect::<String>()] {
        let text = format!(r#"{{"a": 1, "b": 2, "a": 3{more}}}"#);
        let parsed = parse(&text).unwrap();
        assert_eq!(parsed.value.get("a").unwrap().int(), Some(3));
        assert_eq!(parsed.value.members()[1].key, "b");
        assert!(matches!(&parsed.warnings[..], [ImportWarning::DuplicateKey { key, .. }] if key == "a"));
    }
}

#[test]
fn mistakes_are_told_where_they_are() {
    use JsonProblem::*;
    assert_eq!(problem(""), (Empty, ""));
    assert_eq!(problem("\u{feff} "), (Empty, ""));
    assert_eq!(problem("{} {}"), (Trailing, "{"));
    assert_eq!(problem("[1, ]"), (TrailingComma, ","));
    assert_eq!(problem("{'a': 1}"), (SingleQuote, "'"));
    assert_eq!(problem("[None]"), (Python, "None"));
    assert_eq!(problem("[1 // one\n]"), (Comment, "/"));
    assert_eq!(problem("[1 2]"), (Expected { wanted: "`,` or `]`" }, "2"));
    assert_eq!(problem("{\"a\" 1}"), (Expected { wanted: "`:`" }, "1"));
    assert_eq!(problem("{a: 1}"), (Expected { wanted: "a name in double quotes" }, "a"));
    assert_eq!(problem("[1 "), (Cut { wanted: "`,` or `]`" }, "1"));
    assert_eq!(problem("[-]"), (Number, "-"));
    assert_eq!(problem("[007]"), (Number, "007"));
    assert_eq!(problem("[1.]"), (Number, "1"));
    assert_eq!(problem("\"a\nb\""), (Control, "\n"));
    assert_eq!(problem("\"a\\xb\""), (Escape, "\\x"));
    assert_eq!(problem("\"\\u12\""), (Escape, "\\u"));
    assert_eq!(problem("[\"abc]"), (Unclosed, "\""));
    assert_eq!(problem("[maybe]"), (Expected { wanted: "a value" }, "maybe"));
    assert_eq!(problem("\u{feff} edition 1"), (Foreign, "edition"));
}

#[test]
fn nesting_has_a_limit() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(parse(&nested(MAX_NESTING)).is_ok());
    let error = parse(&nested(1_000_000)).unwrap_err();
    assert!(matches!(error, ImportError::NestingTooDeep { span, .. } if span.start as usize == MAX_NESTING));
}
