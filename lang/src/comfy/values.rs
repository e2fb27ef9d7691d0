//! JSON values of a file as values of a prompt, and links.

use super::error::ImportWarning;
use super::json::{Kind, Value};
use super::prompt::Json;
use crate::Span;
use crate::decl::Declarations;

/// The largest whole number of ComfyUI.
const MAX: i128 = u64::MAX as i128;

/// A value as it is sent; numbers that no program can hold are read with a warning.
pub(super) fn json(value: &Value<'_>, warnings: &mut Vec<ImportWarning>) -> Json {
    match &value.kind {
        Kind::Null => Json::Null,
        Kind::Bool(yes) => Json::Bool(*yes),
        Kind::Int(number) => Json::Int(i128::from(*number)),
        Kind::Long(number) => Json::Int(long(**number, value, warnings)),
        Kind::Float(number) => {
            if !number.is_finite() {
                warnings.push(ImportWarning::NotFinite { word: word(*number), span: value.span });
            }
            Json::Float(*number)
        }
        Kind::String(text) => Json::String(text.to_string()),
        Kind::Array(items) => Json::Array(items.iter().map(|item| json(item, warnings)).collect()),
        Kind::Object(members) => Json::Object(
            members.iter().map(|member| (member.key.to_string(), json(&member.value, warnings))).collect(),
        ),
    }
}

fn word(number: f64) -> &'static str {
    match number {
        number if number.is_nan() => "NaN",
        number if number > 0.0 => "Infinity",
        _ => "-Infinity",
    }
}

/// JavaScript prints the largest 64-bit number, rounded to a float, as 18446744073709552000.
fn long(number: i128, value: &Value<'_>, warnings: &mut Vec<ImportWarning>) -> i128 {
    if number <= MAX && number >= i128::from(i64::MIN) {
        return number;
    }
    let read = if number as f64 == MAX as f64 { MAX } else { number };
    warnings.push(ImportWarning::RoundedInteger { value: number, read, span: value.span });
    read
}

/// A value that the server takes as it is, although it looks like a link: `{"__value__": […]}`.
pub(super) fn wrapped<'v, 't>(value: &'v Value<'t>) -> Option<&'v Value<'t>> {
    let members = value.members();
    let known = members.iter().all(|member| member.key == "__value__" || member.key == "__type__");
    if known { value.get("__value__") } else { None }
}

/// What to say of a class that exists only without the spaces around its name.
pub(super) fn class_spaces(
    class: &str,
    declarations: &dyn Declarations,
    span: Span,
) -> Option<ImportWarning> {
    let known = class.trim();
    let meant =
        known.len() < class.len() && declarations.node(class).is_none() && declarations.node(known).is_some();
    meant.then(|| ImportWarning::ClassSpaces { class: class.to_owned(), known: known.to_owned(), span })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comfy::json::parse;

    fn read(text: &str) -> (Json, Vec<ImportWarning>) {
        let mut warnings = Vec::new();
        let parsed = parse(text).unwrap();
        (json(&parsed.value, &mut warnings), warnings)
    }

    #[test]
    fn seeds_of_64_bits_are_exact() {
        assert_eq!(read("18446744073709551615"), (Json::Int(MAX), Vec::new()));
        assert_eq!(read("-9223372036854775808"), (Json::Int(i64::MIN.into()), Vec::new()));
    }

    #[test]
    fn what_javascript_makes_of_the_largest_seed_is_the_largest_seed() {
        let (value, warnings) = read("18446744073709552000");
        assert_eq!(value, Json::Int(MAX));
        assert!(matches!(warnings[..], [ImportWarning::RoundedInteger { read: MAX, .. }]));
    }

    #[test]
    fn words_of_python_are_numbers_with_a_warning() {
        let (value, warnings) = read("[NaN, -Infinity, 1e999]");
        let Json::Array(items) = value else { panic!("a list") };
        assert!(matches!(items[0], Json::Float(number) if number.is_nan()));
        assert_eq!(items[1..], [Json::Float(f64::NEG_INFINITY), Json::Float(f64::INFINITY)]);
        assert_eq!(warnings.len(), 3);
    }

    #[test]
    fn only_value_and_type_make_a_wrapped_value() {
        let parsed =
            parse(r#"[{"__value__": [1, 2], "__type__": "X"}, {"__value__": 1, "other": 2}]"#).unwrap();
        assert_eq!(wrapped(parsed.value.at(0).unwrap()).map(|value| value.items().len()), Some(2));
        assert_eq!(wrapped(parsed.value.at(1).unwrap()), None);
    }
}
