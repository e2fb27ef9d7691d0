//! What people bring along from other languages.

use super::{Failure, operator, word};
use crate::Span;
use crate::error::foreign::instead;

/// Words that begin something in other languages: Floe takes them for names, and fails at what follows.
const OPENERS: [&str; 33] = [
    "not", "elif", "elseif", "elsif", "def", "function", "func", "fun", "lambda", "var", "val", "auto",
    "mut", "import", "from", "include", "require", "return", "while", "loop", "switch", "match", "case",
    "enum", "new", "await", "async", "then", "do", "begin", "is", "and", "or",
];

impl Failure<'_> {
    /// A word or mark of another language that stands here or just before, and where it is.
    pub(super) fn foreign(&self) -> Option<(String, Span)> {
        self.foreign_here().or_else(|| self.foreign_before())
    }

    fn foreign_here(&self) -> Option<(String, Span)> {
        let rest = self.rest();
        let first = rest.chars().next()?;
        let found = |name: &str, length: usize| {
            instead(name).map(|_| (name.to_owned(), Span::new(self.at, self.at + length)))
        };
        let word = word(rest);
        if word == "if" && self.follows_expression() {
            let has_else = rest.split_whitespace().any(|word| word == "else");
            return if has_else { found("a if b else c", word.len()) } else { None };
        }
        if word == "in" && (!self.follows_expression() || self.may_be_constrained()) {
            return None;
        }
        if !word.is_empty() {
            let names_something = rest[word.len()..].trim_start().starts_with(':');
            return if names_something { None } else { found(word, word.len()) };
        }
        match first {
            '\'' => found("'…'", rest[1..].find(['\'', '\n']).map_or(1, |length| length + 2)),
            '"' if self.has_prefix() => {
                let start = self.at - self.token(1).len();
                Some((format!("{}\"…\"", self.token(1)), Span::new(start, self.at + 1)))
            }
            '#' => found("#", 1),
            '/' if rest.starts_with("/*") => found("/* … */", 2),
            '/' if rest.starts_with("//") => None,
            ';' | '$' | '&' | '^' | '~' if !rest.starts_with("&&") => found(&rest[..1], 1),
            '|' if self.follows_expression() && !rest.starts_with("||") => found("|", 1),
            _ => operator(rest)
                .filter(|found| self.means_nothing(found))
                .and_then(|text| found(text, text.len())),
        }
    }

    /// Whether letters touch the string that stands here.
    fn has_prefix(&self) -> bool {
        let touches = self.before.last().is_some_and(|last| last.span.end as usize == self.at);
        touches && matches!(self.token(1), "r" | "R" | "b" | "B" | "u" | "F" | "fr" | "rf")
    }

    /// Whether an operator of another language is what stands here, and not one of Floe in a wrong place.
    fn means_nothing(&self, operator: &str) -> bool {
        match operator {
            "?" => self.follows_expression(),
            "=>" | "=<" => self.follows_expression() || self.tried.len() > 1,
            _ => true,
        }
    }

    fn foreign_before(&self) -> Option<(String, Span)> {
        let last = self.before.last()?;
        let word = self.text_of(Some(last));
        // A mark glued to a member or an argument is another matter, and so is a name that is given here.
        let goes_on =
            self.rest().starts_with(|next: char| next.is_ascii_alphanumeric() || "_\"'`({[-!".contains(next));
        let is_name = matches!(self.token(2), "." | "let" | "param" | "const" | "::");
        if !OPENERS.contains(&word) || !goes_on || is_name && word != "mut" {
            return None;
        }
        instead(word).map(|_| (word.to_owned(), last.span))
    }
}
