//! The kinds of things that errors are about.

use std::fmt;

/// A kind of bracket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bracket {
    /// `(…)`.
    Paren,
    /// `[…]`.
    Square,
    /// `{…}`.
    Brace,
    /// `{…}` in an f-string.
    Interpolation,
}

impl Bracket {
    /// The bracket that opens.
    pub fn opener(self) -> char {
        match self {
            Self::Paren => '(',
            Self::Square => '[',
            Self::Brace | Self::Interpolation => '{',
        }
    }

    /// The bracket that closes.
    pub fn closer(self) -> char {
        match self {
            Self::Paren => ')',
            Self::Square => ']',
            Self::Brace | Self::Interpolation => '}',
        }
    }

    pub(super) fn help(self) -> String {
        match self {
            Self::Interpolation => {
                "close the expression with `}` before the string ends; a brace that is text is written `{{`"
                    .into()
            }
            other => format!("add the missing `{}`", other.closer()),
        }
    }

    pub(super) fn unopened_help(self) -> String {
        match self {
            Self::Interpolation => "in an f-string, a brace that is text is written `}}`".into(),
            other => format!("remove it, or add the missing `{}`", other.opener()),
        }
    }
}

/// What a quote opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quote {
    /// `"…"`.
    Plain,
    /// `f"…"`.
    Interpolated,
    /// `"""…"""`.
    Raw,
    /// `f"""…"""`.
    RawInterpolated,
    /// A name in backticks.
    Name,
}

impl Quote {
    pub(super) fn help(self, escaped_quote: bool) -> &'static str {
        match self {
            Self::Raw | Self::RawInterpolated => "close it with `\"\"\"`",
            Self::Name if escaped_quote => {
                "a backslash makes the backtick after it part of the name; a backslash itself is written `\\\\`"
            }
            Self::Name => "close it with a backtick on the same line",
            _ if escaped_quote => {
                "`\\\"` is a quote inside the string; a backslash before the end is written `\\\\`"
            }
            Self::Plain => {
                "close it with `\"` on the same line; text of many lines goes between `\"\"\"` and `\"\"\"`"
            }
            Self::Interpolated => "close it with `\"` on the same line; `\\n` begins a new line",
        }
    }
}

impl fmt::Display for Quote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "string",
            Self::Interpolated => "f-string",
            Self::Raw => "raw string",
            Self::RawInterpolated => "f-string of many lines",
            Self::Name => "name in backticks",
        })
    }
}

/// What is wrong with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberProblem {
    /// Not digits, or underscores in odd places.
    Malformed,
    /// A whole number outside `i64::MIN ..= u64::MAX`.
    IntRange,
    /// Too large for a 64-bit float.
    FloatRange,
    /// `5.` or `.5`.
    BarePoint,
    /// A fraction where a whole number is wanted.
    NotWhole,
    /// A whole number beyond what is counted here.
    TooLarge,
}

impl NumberProblem {
    pub(super) fn message(self) -> &'static str {
        match self {
            Self::Malformed | Self::BarePoint => "is not a number",
            Self::IntRange => "does not fit an Int",
            Self::FloatRange => "does not fit a Float",
            Self::NotWhole => "is not a whole number",
            Self::TooLarge => "is too large here",
        }
    }

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Malformed => "not a number",
            Self::IntRange => "needs more than 64 bits",
            Self::FloatRange => "beyond the largest Float",
            Self::BarePoint => "a digit is missing beside the point",
            Self::NotWhole => "not a whole number",
            Self::TooLarge => "too large",
        }
    }

    pub(super) fn help(self) -> &'static str {
        match self {
            Self::Malformed => {
                "numbers are decimal: `20`, `1_000_000`, `0.5`, `1e-3`; a name does not begin with a digit"
            }
            Self::IntRange => {
                "an Int lies between -9223372036854775808 and 18446744073709551615; a Float has a point or an exponent"
            }
            Self::FloatRange => "a Float lies between -1.79e308 and 1.79e308",
            Self::BarePoint => "write a digit on both sides of the point: `0.5`, `5.0`",
            Self::NotWhole => "write a whole number, without point and exponent",
            Self::TooLarge => "a number in this place is below 4294967296",
        }
    }
}

/// Why a doc comment describes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StrayDoc {
    /// Nothing follows it.
    AtEnd,
    /// It precedes `edition`.
    BeforeEdition,
    /// It stands inside or after a statement.
    Inside,
    /// `//!` after the top of the file.
    LateFileDoc,
}

impl StrayDoc {
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::AtEnd => "nothing follows this",
            Self::BeforeEdition => "an edition has no documentation",
            Self::Inside => "this stands inside a statement",
            Self::LateFileDoc => "`//!` describes the file and stands at its top",
        }
    }

    pub(super) fn help(self) -> &'static str {
        match self {
            Self::AtEnd => "`///` describes the statement after it; use `//` for a remark",
            Self::BeforeEdition => "use `//!` to describe the file, `//` for a remark",
            Self::Inside => {
                "`///` goes on lines of its own before a statement and its annotations, or before an input or output of a `node`; use `//` for a remark"
            }
            Self::LateFileDoc => {
                "move it to the top, or use `///` for the next statement or `//` for a remark"
            }
        }
    }
}
