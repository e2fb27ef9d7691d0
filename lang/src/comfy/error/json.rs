//! Why a text is no JSON.

/// What is wrong with a text that should be JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonProblem {
    /// Nothing but space.
    Empty,
    /// The first letters already are no JSON.
    Foreign,
    /// Something else was wanted.
    Expected {
        /// What.
        wanted: &'static str,
    },
    /// The text ends too early.
    Cut {
        /// What is missing.
        wanted: &'static str,
    },
    /// More text after the value.
    Trailing,
    /// A comma before a closing bracket.
    TrailingComma,
    /// Text in single quotes.
    SingleQuote,
    /// A comment.
    Comment,
    /// `None`, `True`, `False`.
    Python,
    /// A number without its digits.
    Number,
    /// A backslash that means nothing.
    Escape,
    /// A line break or another control character in a text.
    Control,
    /// A text without its end.
    Unclosed,
}

impl JsonProblem {
    pub(super) fn message(self) -> String {
        match self {
            Self::Empty => "it is empty".into(),
            Self::Foreign => "it begins like something else".into(),
            Self::Expected { wanted } => format!("expected {wanted}"),
            Self::Cut { wanted } => format!("it ends where {wanted} is expected"),
            Self::Trailing => "more text follows the value".into(),
            Self::TrailingComma => "a comma stands before a closing bracket".into(),
            Self::SingleQuote => "it has single quotes".into(),
            Self::Comment => "it has a comment".into(),
            Self::Python => "it has a word of Python".into(),
            Self::Number => "a number is malformed".into(),
            Self::Escape => "a backslash is followed by something unknown".into(),
            Self::Control => "a text has a control character or a line break".into(),
            Self::Unclosed => "a text is never closed".into(),
        }
    }

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Empty => "nothing is here",
            Self::Foreign => "no JSON begins like this",
            Self::Expected { .. } => "not expected here",
            Self::Cut { .. } => "the file ends here",
            Self::Trailing => "the value ended before this",
            Self::TrailingComma => "nothing follows this comma",
            Self::SingleQuote => "a single quote",
            Self::Comment => "a comment",
            Self::Python => "Python, not JSON",
            Self::Number => "this is no number",
            Self::Escape => "this means nothing",
            Self::Control => "must be written as an escape",
            Self::Unclosed => "opened here",
        }
    }

    pub(super) fn help(self) -> &'static str {
        match self {
            Self::Empty => "the file was not written to its end; save the workflow again",
            Self::Cut { .. } => "the file was cut off; save or download it again",
            Self::Expected { .. } => "correct it by hand, or save the workflow again",
            Self::Trailing => "a file holds one workflow; remove what follows it",
            Self::TrailingComma => "remove the comma",
            Self::SingleQuote => "JSON has double quotes: `\"text\"`",
            Self::Comment => "JSON has no comments; remove it",
            Self::Python => "write `null`, `true` or `false`; in Python, `json.dump` does",
            Self::Number => "numbers are written `20`, `-1.5` or `1e-3`",
            Self::Escape => {
                "a backslash itself is written `\\\\`; the escapes are `\\\" \\/ \\b \\f \\n \\r \\t` and `\\u` with four digits"
            }
            Self::Foreign => {
                "workflows are JSON, or pictures that carry them; a program of Floe ends in `.flow`"
            }
            Self::Control => "a line break in a text is written `\\n`, a tabulator `\\t`",
            Self::Unclosed => "close it with `\"`; a quote inside a text is written `\\\"`",
        }
    }
}
