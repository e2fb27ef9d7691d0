//! Numbers and strings, in the shortest form that reads back as the same value.

use super::Printer;
use crate::ast::{Expr, FPart};
use crate::names;
use crate::parse::{raw_fstring_texts, raw_text};

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
            self.text(line);
        }
        self.doc.hard();
        self.text("\"\"\"");
        self.doc.dedent();
    }

    /// An f-string: on one line, unless it has lines or a value in it needs some.
    pub(super) fn fstring(&mut self, parts: &'a [FPart]) {
        let raw = if self.doc.is_flat() { None } else { Raw::of(parts) };
        if raw.as_ref().is_some_and(|raw| raw.is_for_lines && raw.is_clean && !raw.opening) {
            return self.lines_of_fstring(parts, false, true);
        }
        let from = self.doc.len();
        let one_line = self.flat(|printer| printer.fstring_on_a_line(parts));
        if !one_line && let Some(raw) = raw {
            self.doc.truncate(from);
            self.lines_of_fstring(parts, raw.opening, false);
        }
    }

    fn fstring_on_a_line(&mut self, parts: &'a [FPart]) {
        self.text("f\"");
        for part in parts {
            match part {
                FPart::Text(text) => self.text(fstring_text(text)),
                FPart::Expr(value) => self.interpolation(value),
            }
        }
        self.text("\"");
    }

    /// `f"""…"""` over several lines; `opening` begins the text on the line of the quotes.
    fn lines_of_fstring(&mut self, parts: &'a [FPart], opening: bool, flat: bool) {
        self.text("f\"\"\"");
        self.doc.indent();
        if !opening {
            self.doc.hard();
        }
        for part in parts {
            match part {
                FPart::Text(text) => {
                    for (place, line) in text.split('\n').enumerate() {
                        if place > 0 {
                            self.doc.hard();
                        }
                        self.text(doubled(line));
                    }
                }
                FPart::Expr(value) if flat => drop(self.flat(|printer| printer.interpolation(value))),
                FPart::Expr(value) => self.interpolation(value),
            }
        }
        self.doc.hard();
        self.text("\"\"\"");
        self.doc.dedent();
    }

    fn interpolation(&mut self, value: &'a Expr) {
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

/// A number with a point or an exponent, as few digits as name it.
pub(super) fn float(number: f64) -> String {
    if number.is_finite() { format!("{number:?}") } else { format!("float(\"{number}\")") }
}

/// Whether a text has lines that a person would want to see as such; `", \n"` has not.
pub(super) fn is_for_lines(text: &str) -> bool {
    text.split('\n').filter(|line| !line.trim().is_empty()).nth(1).is_some()
}

/// Whether text between `"""` survives editors that cut blanks at the ends of lines, and shows all it holds.
fn is_clean(text: &str) -> bool {
    let odd = |line: &str| {
        line.ends_with(char::is_whitespace)
            || line.chars().any(|character| character.is_control() && character != '\t')
    };
    !text.split('\n').any(odd)
}

/// Whether a text means itself between `"""` on lines of their own.
fn reads_back(text: &str) -> bool {
    !text.contains("\"\"\"") && is_clean(text) && raw_text(&on_lines(text, false)) == text
}

/// A text as it stands between `"""`: its lines with some indent, the first on the line of the quotes if `opening`.
fn on_lines(text: &str, opening: bool) -> String {
    let mut inner = String::with_capacity(text.len() + 16);
    for (place, line) in text.split('\n').enumerate() {
        if place > 0 || !opening {
            inner.push_str("\n    ");
        }
        inner.push_str(line);
    }
    inner.push_str("\n    ");
    inner
}

/// How an f-string may be written between `"""`.
struct Raw {
    /// The first line stands on the line of the quotes.
    opening: bool,
    is_for_lines: bool,
    is_clean: bool,
}

impl Raw {
    /// Nothing where it cannot.
    fn of(parts: &[FPart]) -> Option<Self> {
        let mut text = String::new();
        let mut texts = vec![String::new()];
        for part in parts {
            match part {
                FPart::Text(piece) => {
                    text.push_str(&doubled(piece));
                    if let Some(last) = texts.last_mut() {
                        last.push_str(piece);
                    }
                }
                FPart::Expr(_) => {
                    text.push_str("{}");
                    texts.push(String::new());
                }
            }
        }
        let faithful = |opening: &bool| raw_fstring_texts(&on_lines(&text, *opening)) == texts;
        let opening = [false, true].into_iter().find(faithful).filter(|_| !text.contains("\"\"\""))?;
        Some(Self { opening, is_for_lines: is_for_lines(&text), is_clean: is_clean(&text) })
    }
}

/// Text of a raw f-string: braces twice.
fn doubled(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}")
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
