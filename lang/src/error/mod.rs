//! Every syntax error: the facts, and the words for them.

// The derive macros read fields through generated patterns that this lint takes for dead assignments.
#![allow(unused_assignments)]

mod expected;
pub(crate) mod foreign;
mod kinds;

pub use expected::Expected;
pub use kinds::{Bracket, NumberProblem, Quote, StrayDoc};

use crate::Span;
use miette::Diagnostic;
use thiserror::Error;

/// Something in a text that is not Floe. Each code has a page in `docs/errors/parse`.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum SyntaxError {
    /// Something else was expected where this stands.
    #[error("expected {expected}, found {found}")]
    #[diagnostic(code(parse::expected), help("{}", expected.help()))]
    Expected {
        /// What would have been right.
        expected: Expected,
        /// What stands there, in words.
        found: String,
        /// Where it stands; empty where the statement ends too early.
        #[label("{}", expected.label(found))]
        span: Span,
    },

    /// A bracket without its partner.
    #[error("this `{}` is never closed", bracket.opener())]
    #[diagnostic(code(parse::unclosed_bracket), help("{}", bracket.help()))]
    UnclosedBracket {
        /// Which kind of bracket.
        bracket: Bracket,
        /// The bracket that opens.
        #[label("opened here")]
        open: Span,
        /// A bracket that closes another one further out.
        #[label("this closes a bracket around it")]
        closer: Option<Span>,
        /// Where the next statement begins while this one is still open.
        #[label("the next statement begins here")]
        next: Option<Span>,
    },

    /// A closing bracket that closes nothing.
    #[error("this `{}` closes nothing", bracket.closer())]
    #[diagnostic(code(parse::unopened_bracket), help("{}", bracket.unopened_help()))]
    UnopenedBracket {
        /// Which kind of bracket.
        bracket: Bracket,
        /// The bracket that closes.
        #[label("no `{}` is open here", bracket.opener())]
        span: Span,
    },

    /// A string or a name in backticks without its end.
    #[error("this {quote} is never closed")]
    #[diagnostic(code(parse::unclosed_string), help("{}", quote.help(*escaped_quote)))]
    UnclosedString {
        /// What was opened.
        quote: Quote,
        /// Whether an escaped quote follows, which may have been meant as the end.
        escaped_quote: bool,
        /// The opening quote.
        #[label("opened here")]
        open: Span,
    },

    /// A number that cannot be one, or is too large to be represented.
    #[error("`{text}` {}", problem.message())]
    #[diagnostic(code(parse::bad_number), help("{}", problem.help()))]
    BadNumber {
        /// The number as written.
        text: String,
        /// What is wrong with it.
        problem: NumberProblem,
        /// Where it stands.
        #[label("{}", problem.label())]
        span: Span,
    },

    /// `\u{…}` that names no character.
    #[error("`{text}` names no character")]
    #[diagnostic(
        code(parse::bad_escape),
        help(
            "put one to six hexadecimal digits between the braces, at most 10ffff; if no character is meant, double the backslash"
        )
    )]
    BadEscape {
        /// The escape as written.
        text: String,
        /// Where it stands.
        #[label("not a Unicode character")]
        span: Span,
    },

    /// Brackets within brackets, or a chain of members, beyond what any program needs.
    #[error("nested more than {limit} levels deep")]
    #[diagnostic(code(parse::nesting_too_deep), help("name the inner parts with `let` and use the names"))]
    NestingTooDeep {
        /// The limit.
        limit: usize,
        /// Where the limit is passed.
        #[label("this is level {}", limit + 1)]
        span: Span,
    },

    /// A word or a mark of other languages.
    #[error("Floe has no `{text}`")]
    #[diagnostic(code(parse::foreign), help("{}", foreign::instead(text).unwrap_or("leave it out")))]
    Foreign {
        /// The word or mark.
        text: String,
        /// Where it stands.
        #[label("this is of another language")]
        span: Span,
    },

    /// `a < b < c`.
    #[error("comparisons do not chain")]
    #[diagnostic(
        code(parse::chained_comparison),
        help(
            "compare two values at a time: `a < b && b < c`; parentheses say what is compared with a result"
        )
    )]
    ChainedComparison {
        /// The first operator.
        #[label("this compares two values")]
        first: Span,
        /// The second one.
        #[label("and this would compare its result")]
        span: Span,
    },

    /// A statement that only a file can hold, in a block.
    #[error("`{word}` cannot stand in a block")]
    #[diagnostic(
        code(parse::not_in_block),
        help("a block holds `let`, `const`, `assert` and expressions; move this out of the braces")
    )]
    NotInBlock {
        /// The word that the statement begins with.
        word: &'static str,
        /// The word.
        #[label("this belongs to the file as a whole")]
        span: Span,
    },

    /// `edition` after other statements, or a second time.
    #[error("`edition` must be the first statement")]
    #[diagnostic(
        code(parse::misplaced_edition),
        help("one file has one edition, stated once, before everything but `//!` lines")
    )]
    MisplacedEdition {
        /// This statement.
        #[label("this comes too late")]
        span: Span,
        /// The edition stated before, where there is one.
        #[label("the edition is already stated here")]
        previous: Option<Span>,
    },

    /// Documentation that describes nothing.
    #[error("this documentation describes nothing")]
    #[diagnostic(code(parse::stray_doc), help("{}", place.help()))]
    StrayDoc {
        /// Why it describes nothing.
        place: StrayDoc,
        /// The comment.
        #[label("{}", place.label())]
        span: Span,
    },

    /// A positional argument after a named one.
    #[error("a positional argument cannot follow a named one")]
    #[diagnostic(
        code(parse::misplaced_positional),
        help("move it before the named arguments, or name it: `input: {text}`")
    )]
    MisplacedPositional {
        /// The argument as written, shortened.
        text: String,
        /// The positional argument.
        #[label("this has no name")]
        span: Span,
        /// The named argument before it.
        #[label("the first named argument is here")]
        named: Span,
    },
}

impl SyntaxError {
    /// Where the error is.
    pub fn span(&self) -> Span {
        match self {
            Self::Expected { span, .. }
            | Self::UnopenedBracket { span, .. }
            | Self::BadNumber { span, .. }
            | Self::BadEscape { span, .. }
            | Self::NestingTooDeep { span, .. }
            | Self::Foreign { span, .. }
            | Self::ChainedComparison { span, .. }
            | Self::NotInBlock { span, .. }
            | Self::MisplacedEdition { span, .. }
            | Self::StrayDoc { span, .. }
            | Self::MisplacedPositional { span, .. } => *span,
            Self::UnclosedBracket { open, .. } | Self::UnclosedString { open, .. } => *open,
        }
    }

    /// Its code, such as `parse::expected`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Expected { .. } => "parse::expected",
            Self::UnclosedBracket { .. } => "parse::unclosed_bracket",
            Self::UnopenedBracket { .. } => "parse::unopened_bracket",
            Self::UnclosedString { .. } => "parse::unclosed_string",
            Self::BadNumber { .. } => "parse::bad_number",
            Self::BadEscape { .. } => "parse::bad_escape",
            Self::NestingTooDeep { .. } => "parse::nesting_too_deep",
            Self::Foreign { .. } => "parse::foreign",
            Self::ChainedComparison { .. } => "parse::chained_comparison",
            Self::NotInBlock { .. } => "parse::not_in_block",
            Self::MisplacedEdition { .. } => "parse::misplaced_edition",
            Self::StrayDoc { .. } => "parse::stray_doc",
            Self::MisplacedPositional { .. } => "parse::misplaced_positional",
        }
    }
}

/// The codes of all syntax errors; each has a page.
pub const CODES: [&str; 13] = [
    "parse::bad_escape",
    "parse::bad_number",
    "parse::chained_comparison",
    "parse::expected",
    "parse::foreign",
    "parse::misplaced_edition",
    "parse::misplaced_positional",
    "parse::nesting_too_deep",
    "parse::not_in_block",
    "parse::stray_doc",
    "parse::unclosed_bracket",
    "parse::unclosed_string",
    "parse::unopened_bracket",
];
