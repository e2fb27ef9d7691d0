//! What would have been right.

use super::Bracket;
use crate::names;
use std::fmt;

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
    /// `==` instead of `=`.
    Comparison,
    /// The block after a condition or a loop's list.
    Block {
        /// What stands before it.
        after: String,
    },
    /// The condition of an `assert`, which takes no parentheses.
    Condition,
    /// An `if` that an `else` belongs to.
    If,
    /// `in` and a list after the name of a `for`.
    In,
    /// `]` after one index.
    OneIndex,
    /// A list of numbers, which is no range.
    Numbers,
    /// `in` before the default value.
    ConstraintFirst,
    /// The end of a parameter of a flow, which has no constraint.
    NoConstraint,
    /// Parentheses around results with names.
    NamedResults,
    /// The end of a value: braces follow only what has a block, and choices that are arguments.
    EndBeforeBraces,
    /// The end of a value: only names are called.
    EndBeforeCall,
    /// Parentheses around several names.
    Pattern,
    /// A name that can be used, and not `_`.
    NotDiscard {
        /// The token before the gap.
        after: String,
    },
    /// A name without quotes.
    Unquoted {
        /// The string as written.
        text: String,
    },
    /// Braces around the inputs of a choice.
    NestedInput {
        /// The input that is a choice.
        choice: String,
        /// The input that comes with it.
        input: String,
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
    pub(super) fn label(&self, found: &str) -> &'static str {
        match self {
            Self::Separator { .. } if found == "`:`" => "this follows no name",
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
            Self::Comparison => "`==` belongs here",
            Self::Block { .. } => "`{` belongs before this",
            Self::If => "this `else` belongs to no `if`",
            Self::In => "`in` belongs before this",
            Self::OneIndex => "the index should end before this",
            Self::Numbers => "this is no list",
            Self::ConstraintFirst => "this comes too late",
            Self::NoConstraint => "a flow has no constraints",
            Self::NamedResults => "this names a result",
            Self::EndBeforeBraces | Self::EndBeforeCall => "the value should end before this",
            Self::Pattern => "several names stand in parentheses",
            Self::NotDiscard { .. } => "a name belongs here",
            Self::Unquoted { .. } => "this belongs to a name",
            Self::NestedInput { .. } => "the name of an input has no point",
            Self::Condition => "a single condition belongs here",
            _ => "this is not expected here",
        }
    }

    pub(super) fn help(&self) -> String {
        match self {
            Self::Statement | Self::CallOf { .. } => {
                "a statement is a call `Name(…)`, or begins with a word such as `let`, `param`, `fn` or `use`".into()
            }
            Self::Effect => "name the value with `let name = …`, or pass it to a call".into(),
            Self::LetBefore { name } => format!("write `let {name} = …` to give a value the name `{name}`"),
            Self::Value { .. } => {
                "a value is a number, a string, `true`, `false`, `none`, a list `[…]`, a name, a call `Name(…)`, or an expression of these"
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
            Self::Comparison => "`==` compares; `=` gives a name its value, in `let` and `param`".into(),
            Self::Block { after } => match after.as_str() {
                "`else`" => "the form is `else { … }`; another condition follows `else if`",
                _ => "the forms are `if a { … } else { … }`, `for x in list { … }`, `fn name(a: Type) -> Type { … }`",
            }
            .into(),
            Self::Condition => "write it without parentheses: `assert condition, \"message\"`".into(),
            Self::OneIndex => "an element is taken by its place, from 0: `list[0]`; parts of lists are made with `for`".into(),
            Self::Numbers => "`range(4)` is the list 0, 1, 2, 3; `lo..=hi` stands only after the `in` of a `param` or an input".into(),
            Self::ConstraintFirst => "the form is `name: Type in lo..=hi = default`".into(),
            Self::NoConstraint => "check it in the body: `assert a >= 1, \"too small\"`; only a `param` and an input of a node have constraints".into(),
            Self::NamedResults => "the form is `-> Image` or `-> (image: Image, mask: Mask)`".into(),
            Self::EndBeforeCall => "what is called is a name: `Name(…)`, `module::name(…)` or `value.name(…)`".into(),
            Self::EndBeforeBraces => {
                "a block follows `if`, `else`, `for` or `fn`; the inputs of a choice stand in an argument: `mode: \"choice\" { input: value }`".into()
            }
            Self::Pattern => "the form is `let (a, b) = value`; `_` stands for what is not needed".into(),
            Self::NotDiscard { .. } => "`_` stands only in `(a, _)`; a name that is not needed may be any, such as `_unused`".into(),
            Self::Unquoted { text } => {
                let name = names::label(text.trim_matches('"'));
                format!("names of arguments stand without quotes: {name}: …")
            }
            Self::NestedInput { choice, input } => {
                format!("inputs of a choice stand in braces after it: `{choice}: \"choice\" {{ {input}: value }}`")
            }
            Self::If => "the form is `if condition { … } else { … }`; `else` follows the `}` of its `if`".into(),
            Self::In => "the form is `for name in list { … }`".into(),
            Self::EndOfType => "only `File<\"folder\">` and `Match<\"id\">` have parameters; a list is written `[T]`".into(),
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
            Self::Comparison => f.write_str("`==`"),
            Self::Block { after } => write!(f, "a block `{{ … }}` after {after}"),
            Self::OneIndex => f.write_str("`]` after the index"),
            Self::Numbers => f.write_str("a list such as `range(4)`"),
            Self::ConstraintFirst => f.write_str("`in` before the default value"),
            Self::NoConstraint => f.write_str("`,` or `)`"),
            Self::NamedResults => f.write_str("parentheses around results with names"),
            Self::EndBeforeBraces | Self::EndBeforeCall => f.write_str("the end of the value"),
            Self::Pattern => f.write_str("parentheses around several names"),
            Self::NotDiscard { after } => write!(f, "a name after {after}"),
            Self::Unquoted { .. } => f.write_str("a name without quotes before `:`"),
            Self::NestedInput { choice, .. } => {
                write!(f, "`:` and a value after the argument name `{choice}`")
            }
            Self::Condition => f.write_str("one condition after `assert`"),
            Self::If => f.write_str("an `if` and its block before `else`"),
            Self::In => f.write_str("`in` and a list after the name"),
            Self::Form { words, .. } => match words.as_slice() {
                [] => f.write_str("the end of the statement"),
                [only] => f.write_str(only),
                [init @ .., last] => write!(f, "{} or {last}", init.join(", ")),
            },
        }
    }
}
