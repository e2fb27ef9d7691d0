//! How JavaScript writes values into texts: what the editor stores and sends went through that.

use crate::comfy::prompt::Json;

/// A number as JavaScript writes it: the fewest digits that name the same float, `1` for `1.0`, an exponent from 1e21
/// and below 1e-6.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return if value.is_nan() {
            "NaN"
        } else if value > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let sign = if value < 0.0 { "-" } else { "" };
    let scientific = format!("{:e}", value.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    let point = exponent.parse::<i32>().unwrap_or(0) + 1;
    format!("{sign}{}", place_point(&digits, point))
}

/// Digits with the decimal point after the `point`-th.
fn place_point(digits: &str, point: i32) -> String {
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    match point {
        22.. | ..=-6 => {
            let (first, rest) = digits.split_at(1);
            let dot = if rest.is_empty() { "" } else { "." };
            format!("{first}{dot}{rest}e{:+}", point - 1)
        }
        _ if point <= 0 => format!("0.{}{digits}", "0".repeat(point.unsigned_abs() as usize)),
        _ if point >= count => format!("{digits}{}", "0".repeat((point - count).unsigned_abs() as usize)),
        _ => {
            let (whole, fraction) = digits.split_at(point.unsigned_abs() as usize);
            format!("{whole}.{fraction}")
        }
    }
}

/// A whole number as JavaScript writes it: above 2^53 as the nearest float.
pub fn integer(value: i128) -> String {
    if value.unsigned_abs() <= 1 << 53 { value.to_string() } else { number(value as f64) }
}

/// A value as text: lists without brackets, objects as `[object Object]`.
pub fn text(value: &Json) -> String {
    match value {
        Json::Null => "null".to_owned(),
        Json::Bool(value) => value.to_string(),
        Json::Int(value) => integer(*value),
        Json::Float(value) => number(*value),
        Json::String(value) => value.clone(),
        Json::Array(items) => {
            let element = |item: &Json| if *item == Json::Null { String::new() } else { text(item) };
            items.iter().map(element).collect::<Vec<_>>().join(",")
        }
        Json::Object(_) => "[object Object]".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_javascript() {
        let cases = [
            (1.0, "1"),
            (-7.5, "-7.5"),
            (0.1, "0.1"),
            (100.0, "100"),
            (1e-6, "0.000001"),
            (1e-7, "1e-7"),
            (1.5e-7, "1.5e-7"),
            (123_456_789.125, "123456789.125"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.25e21, "1.25e+21"),
            (18_446_744_073_709_551_615.0, "18446744073709552000"),
            (-0.0, "0"),
            (f64::NAN, "NaN"),
        ];
        for (value, written) in cases {
            assert_eq!(number(value), written);
        }
        assert_eq!(integer(9_007_199_254_740_992), "9007199254740992");
        assert_eq!(integer(i128::from(u64::MAX)), "18446744073709552000");
    }

    #[test]
    fn lists_lose_their_brackets() {
        let list =
            Json::Array(vec![Json::Int(1), Json::Null, Json::Array(vec![Json::Bool(true), Json::Int(2)])]);
        assert_eq!(text(&list), "1,,true,2");
        assert_eq!(text(&Json::Object(Vec::new())), "[object Object]");
    }
}
