//! Every syntax error: the facts, and the words for them.

// The derive macros read fields through generated patterns that this lint takes for dead assignments.
#![allow(unused_assignments)]

use crate::{Span, names};
use miette::Diagnostic;
use std::fmt;
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

    /// Part of the full language that this version does not have yet.
    #[error("{feature} {} not supported yet", feature.verb())]
    #[diagnostic(code(parse::unsupported), help("{}", feature.help()))]
    Unsupported {
        /// Which part.
        feature: Feature,
        /// The word or operator.
        #[label("this version of Floe cannot do this")]
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
            | Self::Unsupported { span, .. }
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
            Self::Unsupported { .. } => "parse::unsupported",
            Self::MisplacedEdition { .. } => "parse::misplaced_edition",
            Self::StrayDoc { .. } => "parse::stray_doc",
            Self::MisplacedPositional { .. } => "parse::misplaced_positional",
        }
    }
}

/// The codes of all syntax errors; each has a page.
pub const CODES: [&str; 11] = [
    "parse::bad_escape",
    "parse::bad_number",
    "parse::expected",
    "parse::misplaced_edition",
    "parse::misplaced_positional",
    "parse::nesting_too_deep",
    "parse::stray_doc",
    "parse::unclosed_bracket",
    "parse::unclosed_string",
    "parse::unopened_bracket",
    "parse::unsupported",
];

/// What would have been right, as far as the text around it tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// A statement.
    Statement,
    /// A call or a keyword: a statement cannot begin with this name and go on like that.
    CallOf {
        /// The name the statement begins with.
        name: String,
    },
    /// A statement with an effect: a value on its own does nothing.
    Effect,
    /// `let` before `name = …`.
    LetBefore {
        /// The name that is given.
        name: String,
    },
    /// A value.
    Value {
        /// The token before the gap.
        after: String,
    },
    /// A type.
    Type {
        /// The token before the gap.
        after: String,
    },
    /// `?` after the whole union instead of one alternative.
    OptionalUnion,
    /// A new name.
    Name {
        /// The token before the gap.
        after: String,
    },
    /// The name of a member or its number.
    Member,
    /// `:` between the name of an argument and its value.
    ArgumentColon {
        /// The argument's name.
        name: String,
    },
    /// `:` and a type after the name of a param, an input or an output.
    TypeOf {
        /// The name.
        name: String,
    },
    /// `=` and the value of a `let`.
    Equals {
        /// The token before the gap.
        after: String,
    },
    /// Backticks around a name of other letters.
    Backticks {
        /// The name.
        name: String,
    },
    /// A type that has no parameters.
    EndOfType,
    /// The next argument or element, or the end of the list.
    Separator {
        /// The bracket around the list.
        bracket: Bracket,
    },
    /// The end of an interpolation.
    InterpolationEnd,
    /// A range with both ends, or a list of choices.
    Range,
    /// The end of the statement.
    End,
    /// A whole number of the named thing.
    Number {
        /// What is counted.
        of: &'static str,
    },
    /// One of these, in words.
    Form {
        /// What may stand here.
        words: Vec<&'static str>,
        /// The form of the statement.
        form: &'static str,
    },
}

impl Expected {
    fn label(&self, found: &str) -> &'static str {
        match self {
            Self::Separator { .. } => "a `,` may be missing before this",
            Self::ArgumentColon { .. } if found == "`=`" => "`:` belongs here",
            Self::ArgumentColon { .. } => "a `:` is missing before this",
            Self::Value { .. } => "a value belongs here",
            Self::Type { .. } => "a type belongs here",
            Self::Name { .. } | Self::Member => "a name belongs here",
            Self::TypeOf { .. } => "`:` belongs before this",
            Self::Equals { .. } => "`=` belongs here",
            Self::Backticks { .. } => "this name needs backticks",
            Self::InterpolationEnd => "the expression should end before this",
            Self::EndOfType => "the type should end before this",
            Self::Statement | Self::CallOf { .. } => "this does not belong here",
            Self::Effect => "this value is not used",
            Self::LetBefore { .. } => "`let` is missing before the name",
            Self::End => "the statement should end before this",
            _ => "this is not expected here",
        }
    }

    fn help(&self) -> String {
        match self {
            Self::Statement | Self::CallOf { .. } => {
                "a statement is a call `Name(…)`, or begins with `let`, `param`, `choices` or `node`".into()
            }
            Self::Effect => "name the value with `let name = …`, or pass it to a call".into(),
            Self::LetBefore { name } => format!("write `let {name} = …` to give a value the name `{name}`"),
            Self::Value { .. } => {
                "a value is a number, a string, `true`, `false`, `none`, a list `[…]`, a name or a call `Name(…)`"
                    .into()
            }
            Self::Type { .. } => {
                "a type is a name such as `Image`, choices `\"a\" | \"b\"`, `File<\"loras\">`, a list `[T]`, or optional: `T?`"
                    .into()
            }
            Self::OptionalUnion => "`?` makes the whole type optional: write `(A | B)?`".into(),
            Self::Name { .. } => {
                "a name has letters, digits and `_`; any other name, and a keyword, goes in backticks".into()
            }
            Self::Member => "write `.name` or `.0` to take one output of a node".into(),
            Self::ArgumentColon { name } => {
                format!("write `{name}: value`; `{name}:` alone passes the value named `{name}`")
            }
            Self::TypeOf { name } => format!("write `{name}: Type`, for example `{name}: Int`"),
            Self::Equals { .. } => "the value follows `=`; types of `let` names are inferred".into(),
            Self::Separator { bracket } => {
                format!("separate what stands in `{}…{}` with commas", bracket.opener(), bracket.closer())
            }
            Self::InterpolationEnd => {
                "in an f-string `{…}` holds one expression; braces that are text are doubled: `{{` and `}}`".into()
            }
            Self::Range => "both ends of a range are included and written with `..=`: `in 1..=150`".into(),
            Self::End => "a statement ends with its line; the next one begins on a line of its own".into(),
            Self::Number { of } => format!("write {of} as a whole number, such as `{of} 1`"),
            Self::Form { form, .. } => (*form).into(),
            Self::Backticks { name } => {
                format!("a bare name has ASCII letters, digits and `_`; write {}", names::label(name))
            }
            Self::EndOfType => "only `File<\"folder\">` has a parameter; a list is written `[T]`".into(),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Statement => f.write_str("a statement"),
            Self::CallOf { name } => write!(f, "`(` and the arguments of a call after `{name}`"),
            Self::Effect => f.write_str("a call"),
            Self::LetBefore { name } => write!(f, "`let` before `{name} = …`"),
            Self::Value { after } => write!(f, "a value after {after}"),
            Self::Type { after } => write!(f, "a type after {after}"),
            Self::OptionalUnion => f.write_str("`?` after the whole type, in parentheses"),
            Self::Name { after } => write!(f, "a name after {after}"),
            Self::Member => f.write_str("the name or the number of an output after `.`"),
            Self::ArgumentColon { name } => {
                write!(f, "`:` and a value after the argument name `{name}`")
            }
            Self::TypeOf { name } => write!(f, "`:` and a type after the name `{name}`"),
            Self::Equals { after } => write!(f, "`=` and a value after {after}"),
            Self::Separator { bracket } => write!(f, "`,` or `{}`", bracket.closer()),
            Self::InterpolationEnd => f.write_str("`}` after the expression"),
            Self::Range => f.write_str("a range `lo..=hi` or a list after `in`"),
            Self::End => f.write_str("the end of the statement"),
            Self::Number { of } => write!(f, "the number of the {of}"),
            Self::Backticks { .. } => f.write_str("a name in backticks"),
            Self::EndOfType => f.write_str("the end of the type"),
            Self::Form { words, .. } => match words.as_slice() {
                [] => f.write_str("the end of the statement"),
                [only] => f.write_str(only),
                [init @ .., last] => write!(f, "{} or {last}", init.join(", ")),
            },
        }
    }
}

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

    fn help(self) -> String {
        match self {
            Self::Interpolation => {
                "close the expression with `}` before the string ends; a brace that is text is written `{{`"
                    .into()
            }
            other => format!("add the missing `{}`", other.closer()),
        }
    }

    fn unopened_help(self) -> String {
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
    /// A name in backticks.
    Name,
}

impl Quote {
    fn help(self, escaped_quote: bool) -> &'static str {
        match self {
            Self::Raw => "close it with `\"\"\"`",
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
    fn message(self) -> &'static str {
        match self {
            Self::Malformed | Self::BarePoint => "is not a number",
            Self::IntRange => "does not fit an Int",
            Self::FloatRange => "does not fit a Float",
            Self::NotWhole => "is not a whole number",
            Self::TooLarge => "is too large here",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Malformed => "not a number",
            Self::IntRange => "needs more than 64 bits",
            Self::FloatRange => "beyond the largest Float",
            Self::BarePoint => "a digit is missing beside the point",
            Self::NotWhole => "not a whole number",
            Self::TooLarge => "too large",
        }
    }

    fn help(self) -> &'static str {
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

/// Part of the full language that is still to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Feature {
    /// A keyword, as written.
    Word(String),
    /// An operator, as written.
    Operator(String),
    /// `-` before anything but a number, or `!`.
    Unary(char),
    /// `"choice" { … }`.
    NestedInputs,
    /// `(a + b)`, `(a, b)`.
    Parentheses,
    /// `{ … }` as a value.
    Block,
    /// `value.method(…)`.
    MethodCall,
    /// `value[…]`.
    Indexing,
    /// `f"""…"""`.
    RawFString,
}

impl Feature {
    fn verb(&self) -> &'static str {
        match self {
            Self::NestedInputs | Self::Parentheses | Self::MethodCall => "are",
            _ => "is",
        }
    }

    fn help(&self) -> String {
        match self {
            Self::Word(word) => match word.as_str() {
                "fn" => "write the calls out where they are needed",
                "use" => "write what you need into this file",
                "const" => "use `let` or `param` instead",
                "assert" => "give the `param` a range with `in` instead, or leave this out",
                "for" | "each" => "write one call for each element",
                _ => "choose one branch and write it out",
            }
            .into(),
            Self::Operator(_) | Self::Unary(_) | Self::Parentheses => {
                "write the resulting value instead".into()
            }
            Self::NestedInputs => "a choice that brings inputs of its own cannot be written yet".into(),
            Self::Block => "write the value itself".into(),
            Self::MethodCall => "call nodes by their name: `Name(…)`".into(),
            Self::Indexing => "take an output of a node with `.0`, or name it with `let (a, b) = …`".into(),
            Self::RawFString => "use an f-string `f\"…\"` of one line, with `\\n` for new lines".into(),
        }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => write!(f, "`{word}`"),
            Self::Operator(operator) => write!(f, "the operator `{operator}`"),
            Self::Unary('-') => f.write_str("`-` before anything but a number"),
            Self::Unary(operator) => write!(f, "the operator `{operator}`"),
            Self::NestedInputs => f.write_str("inputs nested in a choice (`\"…\" { … }`)"),
            Self::Parentheses => f.write_str("parentheses around values"),
            Self::Block => f.write_str("a block `{ … }`"),
            Self::MethodCall => f.write_str("calls of a member (`value.name(…)`)"),
            Self::Indexing => f.write_str("indexing with `[…]`"),
            Self::RawFString => f.write_str("an f-string of many lines"),
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
    fn label(self) -> &'static str {
        match self {
            Self::AtEnd => "nothing follows this",
            Self::BeforeEdition => "an edition has no documentation",
            Self::Inside => "this stands inside a statement",
            Self::LateFileDoc => "`//!` describes the file and stands at its top",
        }
    }

    fn help(self) -> &'static str {
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
