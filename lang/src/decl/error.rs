//! What can be wrong with a declaration: the facts, and the words for them.

// The derive macros read fields through generated patterns that this lint takes for dead assignments.
#![allow(unused_assignments)]

use miette::Diagnostic;
use std::fmt;
use thiserror::Error;

use crate::Span;

/// A declaration that parses, but says what cannot be. Each code has a page in `docs/errors/decl`.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum DeclError {
    /// An annotation that means nothing in this place.
    #[error("{place} has no annotation `@{name}`")]
    #[diagnostic(code(decl::unknown_annotation), help("{}", place.annotation_help(suggestion.as_deref())))]
    UnknownAnnotation {
        /// Its name.
        name: String,
        /// What it stands at.
        place: Place,
        /// A known one that resembles it.
        suggestion: Option<String>,
        /// The annotation.
        #[label("not known here")]
        span: Span,
    },

    /// An annotation with other arguments than it takes.
    #[error("`@{name}` {wants}")]
    #[diagnostic(code(decl::bad_annotation), help("{help}"))]
    BadAnnotation {
        /// Its name.
        name: String,
        /// What it takes.
        wants: &'static str,
        /// What to do.
        help: String,
        /// The annotation.
        #[label("this annotation")]
        span: Span,
    },

    /// A default that the input itself would refuse.
    #[error("the default of `{input}` {problem}")]
    #[diagnostic(code(decl::bad_default), help("{help}"))]
    BadDefault {
        /// The input.
        input: String,
        /// What is wrong with it.
        problem: String,
        /// What to do.
        help: String,
        /// The default.
        #[label("no value of this input")]
        span: Span,
    },

    /// A range that allows nothing, or of a type that has none.
    #[error("{problem}")]
    #[diagnostic(code(decl::bad_range), help("{help}"))]
    BadRange {
        /// What is wrong with it.
        problem: String,
        /// What to do.
        help: &'static str,
        /// The range.
        #[label("this range")]
        span: Span,
    },

    /// Two inputs of one name.
    #[error("the input `{input}` is declared twice")]
    #[diagnostic(
        code(decl::duplicate_input),
        help("inputs are told apart by their names: rename or remove one")
    )]
    DuplicateInput {
        /// The name.
        input: String,
        /// The second one.
        #[label("declared again here")]
        span: Span,
        /// The first one.
        #[label("declared here first")]
        first: Span,
    },

    /// Two outputs of one name.
    #[error("the output `{output}` is declared twice")]
    #[diagnostic(
        code(decl::duplicate_output),
        help("outputs are told apart by their names: rename or remove one")
    )]
    DuplicateOutput {
        /// The name.
        output: String,
        /// The second one.
        #[label("declared again here")]
        span: Span,
        /// The first one.
        #[label("declared here first")]
        first: Span,
    },

    /// The same choice twice in a set.
    #[error("the choice {choice} is there twice")]
    #[diagnostic(code(decl::duplicate_choice), help("remove one of them"))]
    DuplicateChoice {
        /// The choice as it is written.
        choice: String,
        /// The second one.
        #[label("again here")]
        span: Span,
        /// The first one.
        #[label("here first")]
        first: Span,
    },

    /// A type that cannot stand where it stands.
    #[error("{problem}")]
    #[diagnostic(code(decl::bad_type), help("{help}"))]
    BadType {
        /// What is wrong with it.
        problem: &'static str,
        /// What to do.
        help: &'static str,
        /// The type.
        #[label("this type")]
        span: Span,
    },

    /// A type or a set of choices with the name of a type of the language.
    #[error("`{name}` is a type of the language")]
    #[diagnostic(code(decl::reserved_name), help("give it another name"))]
    ReservedName {
        /// The name.
        name: String,
        /// Where it is given.
        #[label("already means something")]
        span: Span,
    },
}

impl DeclError {
    /// Its code, such as `decl::bad_default`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownAnnotation { .. } => "decl::unknown_annotation",
            Self::BadAnnotation { .. } => "decl::bad_annotation",
            Self::BadDefault { .. } => "decl::bad_default",
            Self::BadRange { .. } => "decl::bad_range",
            Self::DuplicateInput { .. } => "decl::duplicate_input",
            Self::DuplicateOutput { .. } => "decl::duplicate_output",
            Self::DuplicateChoice { .. } => "decl::duplicate_choice",
            Self::BadType { .. } => "decl::bad_type",
            Self::ReservedName { .. } => "decl::reserved_name",
        }
    }

    /// Where the error is.
    pub fn span(&self) -> Span {
        match self {
            Self::UnknownAnnotation { span, .. }
            | Self::BadAnnotation { span, .. }
            | Self::BadDefault { span, .. }
            | Self::BadRange { span, .. }
            | Self::DuplicateInput { span, .. }
            | Self::DuplicateOutput { span, .. }
            | Self::DuplicateChoice { span, .. }
            | Self::BadType { span, .. }
            | Self::ReservedName { span, .. } => *span,
        }
    }
}

/// The codes of all errors of declarations; each has a page.
pub const CODES: [&str; 9] = [
    "decl::bad_annotation",
    "decl::bad_default",
    "decl::bad_range",
    "decl::bad_type",
    "decl::duplicate_choice",
    "decl::duplicate_input",
    "decl::duplicate_output",
    "decl::reserved_name",
    "decl::unknown_annotation",
];

/// What an annotation stands at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Before `node`.
    Node,
    /// After an input.
    Input,
    /// After an output.
    Output,
    /// Before `type`.
    Type,
    /// Before `choices`.
    Choices,
}

impl Place {
    /// The annotations that mean something there.
    pub fn annotations(self) -> &'static [&'static str] {
        match self {
            Place::Node => &super::from_ast::NODE_ANNOTATIONS,
            Place::Input => &super::from_ast::INPUT_ANNOTATIONS,
            Place::Output => &["list"],
            Place::Type => &["widget"],
            Place::Choices => &[],
        }
    }

    fn annotation_help(self, suggestion: Option<&str>) -> String {
        if let Some(suggestion) = suggestion {
            return format!("did you mean `@{suggestion}`?");
        }
        match self.annotations() {
            [] => "remove it".to_owned(),
            known => {
                let known: Vec<String> = known.iter().map(|name| format!("`@{name}`")).collect();
                format!("it may have {}", known.join(", "))
            }
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Place::Node => "a node",
            Place::Input => "an input",
            Place::Output => "an output",
            Place::Type => "a type",
            Place::Choices => "a set of choices",
        })
    }
}
