//! What literals mean: escapes, raw strings, numbers.

use crate::Span;
use crate::ast::ExprKind;
use crate::error::{NumberProblem, SyntaxError};

/// Resolves the escapes of `raw`, which stands at byte `at` of the text between two `quote`s.
///
/// A backslash before any other character stays: prompts are full of `\(`.
pub(super) fn unescape(raw: &str, at: usize, quote: char) -> Result<String, SyntaxError> {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(slash) = rest.find('\\') {
        out.push_str(&rest[..slash]);
        let tail = &rest[slash + 1..];
        let resolved = match tail.chars().next() {
            Some(next) if next == quote || next == '\\' => Some(next),
            Some('n') => Some('\n'),
            Some('t') => Some('\t'),
            _ => None,
        };
        if let Some(resolved) = resolved {
            out.push(resolved);
            rest = &tail[1..];
        } else if let Some(digits) = tail.strip_prefix("u{") {
            let end = digits.find('}').unwrap_or(digits.len());
            let after = digits.get(end + 1..).unwrap_or("");
            let character = hexadecimal(&digits[..end]).and_then(char::from_u32);
            let (Some(character), true) = (character, end < digits.len()) else {
                // `\u{` without its brace shows only itself, not the rest of the string.
                let length = if end < digits.len() { rest.len() - slash - after.len() } else { 3 };
                let start = raw.len() - rest.len() + slash;
                return Err(SyntaxError::BadEscape {
                    text: raw[start..start + length].chars().take(24).collect(),
                    span: Span::new(at + start, at + start + length),
                });
            };
            out.push(character);
            rest = after;
        } else {
            out.push('\\');
            rest = tail;
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn hexadecimal(digits: &str) -> Option<u32> {
    // `from_str_radix` alone would accept a sign.
    let all_digits = (1..=6).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    all_digits.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
}

/// The text between `{{` and `}}` doubling and escapes of one piece of an f-string.
pub(super) fn fstring_text(raw: &str, at: usize) -> Result<String, SyntaxError> {
    // The braces of `\u{…}` are not doubled, so pieces between doubled braces are resolved one by one.
    let mut out = String::new();
    let mut start = 0;
    let bytes = raw.as_bytes();
    let mut here = 0;
    while here < bytes.len() {
        match (bytes[here], bytes.get(here + 1)) {
            (b'\\', Some(b'u')) if bytes.get(here + 2) == Some(&b'{') => {
                here += raw[here..].find('}').map_or(raw.len() - here, |end| end + 1);
            }
            (b'\\', Some(b'"' | b'\\')) => here += 2,
            (brace @ (b'{' | b'}'), Some(second)) if brace == *second => {
                out.push_str(&unescape(&raw[start..here], at + start, '"')?);
                out.push(char::from(brace));
                here += 2;
                start = here;
            }
            _ => here += 1,
        }
    }
    out.push_str(&unescape(&raw[start..], at + start, '"')?);
    Ok(out)
}

/// The text of `"""…"""`: no escapes, the indent that all lines share stripped.
///
/// A first and a last line that hold nothing but the quotes do not belong to the text. Line ends become
/// `\n`, so that a checkout with other line ends means the same program.
pub(crate) fn raw_text(inner: &str) -> String {
    let mut lines: Vec<&str> =
        inner.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect();
    let blank = |line: &str| line.trim().is_empty();
    let opening = match lines.first() {
        Some(first) if lines.len() > 1 && blank(first) => {
            lines.remove(0);
            None
        }
        // Text on the line of the quotes has no indent of its own.
        first => first.copied(),
    };
    if opening.is_some() {
        lines.remove(0);
    }
    let closed_alone = lines.last().is_some_and(|last| blank(last));
    let indent = lines.iter().filter(|line| !blank(line)).map(|line| indent_of(line)).reduce(common_prefix);
    if closed_alone {
        lines.pop();
    }
    let indent = indent.map_or(0, str::len);
    let body = lines.iter().map(|line| if blank(line) { "" } else { line.get(indent..).unwrap_or("") });
    opening.into_iter().chain(body).collect::<Vec<_>>().join("\n")
}

/// The texts before, between and after the interpolations of `f"""…"""`, which stand in `inner` as `{}`.
pub(crate) fn raw_fstring_texts(inner: &str) -> Vec<String> {
    let text = raw_text(inner);
    let mut texts = vec![String::new()];
    let mut rest = text.as_str();
    while let Some(at) = rest.find(['{', '}']) {
        let (before, braces) = rest.split_at(at);
        let (brace, after) = braces.split_at(1);
        if let Some(last) = texts.last_mut() {
            last.push_str(before);
            if after.starts_with(brace) {
                last.push_str(brace);
            }
        }
        if !after.starts_with(brace) {
            texts.push(String::new());
        }
        rest = after.get(1..).unwrap_or("");
    }
    if let Some(last) = texts.last_mut() {
        last.push_str(rest);
    }
    texts
}

fn indent_of(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

fn common_prefix<'a>(one: &'a str, other: &'a str) -> &'a str {
    let same = one.chars().zip(other.chars()).take_while(|(left, right)| left == right);
    &one[..same.map(|(character, _)| character.len_utf8()).sum()]
}

/// A number literal; `negative` where a minus precedes `text`.
pub(super) fn number(text: &str, negative: bool, span: Span) -> Result<ExprKind, SyntaxError> {
    let fail = |problem| {
        let sign = if negative { "-" } else { "" };
        SyntaxError::BadNumber { text: format!("{sign}{text}"), problem, span }
    };
    let bytes = text.as_bytes();
    let separates = |at: usize| {
        let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
        digit(at.checked_sub(1).and_then(|before| bytes.get(before))) && digit(bytes.get(at + 1))
    };
    if (0..bytes.len()).any(|at| bytes[at] == b'_' && !separates(at)) {
        return Err(fail(NumberProblem::Malformed));
    }
    let digits = text.replace('_', "");
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let value = digits.parse::<i128>().map_err(|_| fail(NumberProblem::IntRange))?;
        let value = if negative { -value } else { value };
        if !(i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&value) {
            return Err(fail(NumberProblem::IntRange));
        }
        return Ok(ExprKind::Int(value));
    }
    let value = digits.parse::<f64>().map_err(|_| fail(NumberProblem::Malformed))?;
    if !value.is_finite() {
        return Err(fail(NumberProblem::FloatRange));
    }
    Ok(ExprKind::Float(if negative { -value } else { value }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompt_syntax_is_never_touched() {
        let prompt = r"(word:1.2) {a|b} \( \[ embedding:x \d";
        assert_eq!(unescape(prompt, 0, '"').unwrap(), prompt);
    }

    #[test]
    fn escapes_become_characters() {
        assert_eq!(unescape(r#"\"\\\n\t\u{1f335}\\("#, 0, '"').unwrap(), "\"\\\n\t\u{1f335}\\(");
        assert_eq!(unescape(r"\u0041", 0, '"').unwrap(), r"\u0041");
    }

    #[test]
    fn an_escape_that_names_nothing_is_found_where_it_stands() {
        for (raw, start, end) in [
            (r"a\u{110000}b", 1, 11),
            (r"é\u{}", 2, 6),
            (r"\u{+41}", 0, 7),
            (r"\u{d800}", 0, 8),
            (r"\u{41", 0, 3),
        ] {
            let error = unescape(raw, 100, '"').unwrap_err();
            assert_eq!(error.span(), Span::new(100 + start, 100 + end), "{raw}");
        }
    }

    #[test]
    fn doubled_braces_are_text() {
        assert_eq!(fstring_text(r"a{{b}}\u{41}}}\n", 0).unwrap(), "a{b}A}\n");
    }

    #[test]
    fn raw_strings_lose_the_indent_their_lines_share() {
        assert_eq!(raw_text("one line"), "one line");
        assert_eq!(raw_text(""), "");
        assert_eq!(raw_text("\n    a\n      b\n\n    c \\n\n    "), "a\n  b\n\nc \\n");
        assert_eq!(raw_text("\r\n  a\r\n  b\r\n"), "a\nb");
        assert_eq!(raw_text("first\n    second\n"), "first\nsecond");
        assert_eq!(raw_text("\n\ta\n  b\n"), "\ta\n  b");
    }

    #[test]
    fn numbers_keep_their_whole_range() {
        let read = |text, negative| number(text, negative, Span::new(0, 0));
        assert_eq!(read("18446744073709551615", false), Ok(ExprKind::Int(i128::from(u64::MAX))));
        assert_eq!(read("9223372036854775808", true), Ok(ExprKind::Int(i128::from(i64::MIN))));
        assert_eq!(read("1_000", false), Ok(ExprKind::Int(1000)));
        assert_eq!(read("1.5e-3", true), Ok(ExprKind::Float(-1.5e-3)));
        assert_eq!(read("2e3", false), Ok(ExprKind::Float(2000.0)));
        for bad in ["18446744073709551616", "1e999", "12px", "0xff", "1__0", "1_", "1_.5", "9e", "1e5e5"] {
            assert!(read(bad, false).is_err(), "{bad}");
        }
        assert!(read("9223372036854775809", true).is_err());
    }
}
