//! Numbers and strings, in the shortest form that reads back as the same value.

use super::Printer;
use crate::ast::FPart;
use crate::names;
use crate::parse::raw_text;

impl<'a> Printer<'a> {
    pub(super) fn string(&mut self, text: &'a str) {
        let plain = || names::string_literal(text);
        if self.doc.is_flat() {
            return self.text(plain());
        }
        if is_for_lines(text) && reads_back(text) {
            return self.lines_of_string(text);
        }
        // Every escape costs a column, the other quotes cost four.
        let raw = !text.contains(['\n', '\r', '\t']) && !text.contains(char::is_control);
        let plain = plain();
        if raw && text.len() + 6 < plain.len() && fits_raw_quotes(text) {
            self.text(format!("\"\"\"{text}\"\"\""));
        } else {
            self.text(plain);
        }
    }

    /// `"""…"""` over several lines.
    fn lines_of_string(&mut self, text: &'a str) {
        self.text("\"\"\"");
        self.doc.indent();
        for line in text.split('\n') {
            self.doc.hard();
            if !line.is_empty() {
                self.text(line);
            }
        }
        self.doc.hard();
        self.text("\"\"\"");
        self.doc.dedent();
    }

    pub(super) fn fstring(&mut self, parts: &'a [FPart]) {
        self.text("f\"");
        self.doc.begin_flat();
        for part in parts {
            match part {
                FPart::Text(text) => self.text(fstring_text(text)),
                FPart::Expr(value) => {
                    self.text("{");
                    let from = self.doc.len();
                    self.expr(value);
                    // `{{` would be a brace.
                    if let Some(first) = self.doc.first_text_mut(from)
                        && first.starts_with('{')
                    {
                        first.to_mut().insert(0, ' ');
                    }
                    self.text("}");
                }
            }
        }
        self.doc.end_flat();
        self.text("\"");
    }
}

/// A number with a point or an exponent, as few digits as name it.
pub(super) fn float(number: f64) -> String {
    if number.is_finite() { format!("{number:?}") } else { format!("float(\"{number}\")") }
}

/// Whether a text has lines that a person would want to see as such; `", \n"` has not.
fn is_for_lines(text: &str) -> bool {
    text.contains('\n') && text.split('\n').filter(|line| !line.trim().is_empty()).nth(1).is_some()
}

/// Whether a text means itself between `"""` on lines of their own, and survives editors that cut blanks at
/// the ends of lines.
fn reads_back(text: &str) -> bool {
    let odd =
        |line: &str| line.ends_with(char::is_whitespace) || line.chars().any(|c| c.is_control() && c != '\t');
    if text.contains("\"\"\"") || text.split('\n').any(odd) {
        return false;
    }
    let mut inner = String::with_capacity(text.len() + 16);
    for line in text.split('\n') {
        inner.push_str("\n    ");
        inner.push_str(line);
    }
    inner.push_str("\n    ");
    raw_text(&inner) == text
}

/// Whether a text without line ends may stand between `"""`.
fn fits_raw_quotes(text: &str) -> bool {
    !text.contains("\"\"\"") && !text.ends_with('"')
}

/// Text of an f-string: escapes, and braces twice.
fn fstring_text(text: &str) -> String {
    let quoted = names::string_literal(text);
    let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(&quoted);
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find(['{', '}', '\\']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        // The braces of an escape are its own; any other escape has one character.
        let taken = match from.strip_prefix('\\') {
            Some(escape) if escape.starts_with("u{") => escape.find('}').map_or(from.len(), |end| end + 2),
            Some(escape) => {
                1 + escape.chars().next().filter(|c| matches!(c, '\\' | '"')).map_or(0, char::len_utf8)
            }
            None => {
                out.push_str(&from[..1]);
                1
            }
        };
        out.push_str(&from[..taken]);
        rest = &from[taken..];
    }
    out.push_str(rest);
    out
}
