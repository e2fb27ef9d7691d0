//! JSON as text: two blanks for each level, as ComfyUI's editor writes it. NaN and infinities are bare words, as Python
//! reads and writes them.

use std::fmt::Write as _;

use floe_lang::comfy::prompt::Json;

/// Writes a value, with a newline at its end.
pub(crate) fn write(json: &Json) -> String {
    let mut out = String::new();
    value(&mut out, json, 0);
    out.push('\n');
    out
}

/// Values nest no deeper than evaluation lets them.
fn value(out: &mut String, json: &Json, level: usize) {
    match json {
        Json::Null => out.push_str("null"),
        Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Json::Int(value) => {
            let _ = write!(out, "{value}");
        }
        Json::Float(value) => float(out, *value),
        Json::String(text) => string(out, text),
        Json::Array(items) => {
            sequence(out, ('[', ']'), items, level, |out, item| value(out, item, level + 1))
        }
        Json::Object(fields) => sequence(out, ('{', '}'), fields, level, |out, (name, field)| {
            string(out, name);
            out.push_str(": ");
            value(out, field, level + 1);
        }),
    }
}

fn sequence<T>(
    out: &mut String,
    (open, close): (char, char),
    items: &[T],
    level: usize,
    mut each: impl FnMut(&mut String, &T),
) {
    out.push(open);
    for (index, item) in items.iter().enumerate() {
        out.push_str(if index == 0 { "\n" } else { ",\n" });
        indent(out, level + 1);
        each(out, item);
    }
    if !items.is_empty() {
        out.push('\n');
        indent(out, level);
    }
    out.push(close);
}

fn indent(out: &mut String, level: usize) {
    for _ in 0..level {
        out.push_str("  ");
    }
}

fn float(out: &mut String, value: f64) {
    if value.is_nan() {
        out.push_str("NaN");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "Infinity" } else { "-Infinity" });
    } else {
        // The fewest digits that read back as the same number, and always a point or an exponent.
        let _ = write!(out, "{value:?}");
    }
}

fn string(out: &mut String, text: &str) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if u32::from(control) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_what_they_mean() {
        let numbers = [
            (Json::Int(18_446_744_073_709_551_615), "18446744073709551615"),
            (Json::Float(1.0), "1.0"),
            (Json::Float(1e-7), "1e-7"),
            (Json::Float(f64::NAN), "NaN"),
            (Json::Float(f64::NEG_INFINITY), "-Infinity"),
        ];
        for (number, text) in numbers {
            assert_eq!(write(&number), format!("{text}\n"));
        }
    }

    #[test]
    fn texts_are_escaped_and_nothing_else_is() {
        assert_eq!(write(&Json::String("a\"\\\n\u{1} ä🌵".to_owned())), "\"a\\\"\\\\\\n\\u0001 ä🌵\"\n");
    }

    #[test]
    fn levels_are_indented() {
        let json = Json::Object(vec![
            ("a".to_owned(), Json::Array(vec![Json::Null, Json::Bool(true)])),
            ("b".to_owned(), Json::Object(Vec::new())),
        ]);
        insta::assert_snapshot!(write(&json), @r#"
        {
          "a": [
            null,
            true
          ],
          "b": {}
        }
        "#);
    }
}
