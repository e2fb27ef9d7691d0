//! Numbers of JSON: whole ones exactly, others as the nearest float.

use super::Kind;

/// What the digits at the start of a text say, and how many bytes they take; the error is the place in the text where
/// a digit is missing.
pub(super) fn number(text: &str) -> Result<(Kind<'static>, usize), usize> {
    let bytes = text.as_bytes();
    let sign = usize::from(bytes.first() == Some(&b'-'));
    let whole = digits(bytes, sign)?;
    // JSON knows no `007`.
    if bytes[sign] == b'0' && whole > sign + 1 {
        return Err(sign + 1);
    }
    let mut end = whole;
    if bytes.get(end) == Some(&b'.') {
        end = digits(bytes, end + 1)?;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let signed = matches!(bytes.get(end + 1), Some(b'+' | b'-'));
        end = digits(bytes, end + 1 + usize::from(signed))?;
    }
    let written = &text[..end];
    let kind = if end == whole { int(written) } else { float(written) };
    Ok((kind, end))
}

/// The end of the digits that begin at a place; there is at least one.
fn digits(bytes: &[u8], from: usize) -> Result<usize, usize> {
    let count = bytes.get(from..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 { Err(from) } else { Ok(from + count) }
}

fn int(text: &str) -> Kind<'static> {
    match (text, text.parse::<i64>()) {
        // JavaScript's negative zero, which no integer is.
        ("-0", _) => Kind::Float(-0.0),
        (_, Ok(value)) => Kind::Int(value),
        (_, Err(_)) => text.parse().map_or_else(|_| float(text), |value| Kind::Long(Box::new(value))),
    }
}

/// Too large numbers become infinite, as they do in JavaScript and Python.
fn float(text: &str) -> Kind<'static> {
    Kind::Float(text.parse().unwrap_or(f64::NAN))
}
