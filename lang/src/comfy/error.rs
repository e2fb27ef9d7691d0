//! What is wrong with a workflow file: the facts, and the words for them.
//!
//! What has one reasonable reading is read, with an [`ImportWarning`]; what has not is an [`ImportError`].

// The derive macros read fields through generated patterns that this lint takes for dead assignments.
#![allow(unused_assignments)]

use crate::Span;
use miette::Diagnostic;
use thiserror::Error;

/// A file, or a part of it, that has no reasonable reading. Each code has a page in `docs/errors/import`.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum ImportError {
    /// The text is not JSON.
    #[error("this is not JSON: {}", problem.message())]
    #[diagnostic(code(import::not_json), help("{}", problem.help()))]
    NotJson {
        /// What is wrong.
        problem: JsonProblem,
        /// Where reading stopped.
        #[label("{}", problem.label())]
        span: Span,
    },

    /// Lists and objects within each other beyond what any workflow needs.
    #[error("nested more than {limit} levels deep")]
    #[diagnostic(
        code(import::nesting_too_deep),
        help("workflows need about a dozen levels; this file is damaged or is something else")
    )]
    NestingTooDeep {
        /// The limit.
        limit: usize,
        /// Where the limit is passed.
        #[label("this is level {}", limit + 1)]
        span: Span,
    },

    /// More text than is read.
    #[error("this file has {size} bytes, and at most {limit} are read")]
    #[diagnostic(
        code(import::too_large),
        help("workflows have some hundred kilobytes; if this is one, raise the limit")
    )]
    TooLarge {
        /// Its size in bytes.
        size: usize,
        /// The limit.
        limit: usize,
    },

    /// JSON that is no workflow.
    #[error("this JSON is not a ComfyUI workflow")]
    #[diagnostic(
        code(import::not_a_workflow),
        help(
            "a workflow is an object: either `nodes` and `links`, as the editor saves it, or one entry with `class_type` and `inputs` for each node, as its API export writes it"
        )
    )]
    NotAWorkflow {
        /// What it is.
        found: String,
        /// Where it is.
        #[label("this is {found}")]
        span: Span,
    },

    /// A node without a class.
    #[error("node {id} has no class")]
    #[diagnostic(code(import::no_class), help("{help}"))]
    NoClass {
        /// Its id.
        id: String,
        /// What to do.
        help: &'static str,
        /// The node.
        #[label("nothing says what this node does")]
        span: Span,
    },

    /// A link that names no output.
    #[error("the link of `{input}` names no output")]
    #[diagnostic(
        code(import::bad_link),
        help("a link is the id of a node and the number of one of its outputs, from 0: `[\"4\", 0]`")
    )]
    BadLink {
        /// The input that it ends at.
        input: String,
        /// The link.
        #[label("no output has this number")]
        span: Span,
    },

    /// Nodes that wait for each other.
    #[error("these nodes need each other's results: {}", chain(nodes))]
    #[diagnostic(
        code(import::cycle),
        help("remove one of the links between them: none of them could run first")
    )]
    Cycle {
        /// Their ids, each giving something to the next one, the last to the first.
        nodes: Vec<String>,
        /// The input that closes the circle.
        #[label("this is computed from its own node's result")]
        span: Span,
    },
}

/// Something odd in a file that was read nevertheless.
#[derive(Debug, Clone, PartialEq, Error, Diagnostic)]
#[diagnostic(severity(Warning))]
pub enum ImportWarning {
    /// A key that an object has twice.
    #[error("`{key}` is there twice")]
    #[diagnostic(
        code(import::duplicate_key),
        help("the last one counts, as it does in ComfyUI; remove the other")
    )]
    DuplicateKey {
        /// The key.
        key: String,
        /// Where it stands first.
        #[label("this one is ignored")]
        first: Span,
        /// Where it stands again.
        #[label("this one counts")]
        span: Span,
    },

    /// Half of a character that JavaScript writes with two escapes.
    #[error("half of a character")]
    #[diagnostic(
        code(import::half_character),
        help("it is read as `\u{fffd}`; write the whole character, or both escapes")
    )]
    HalfCharacter {
        /// The escape.
        #[label("the other half is missing")]
        span: Span,
    },

    /// A whole number that a program rounded while writing it.
    #[error("{value} needs more than 64 bits")]
    #[diagnostic(
        code(import::rounded_integer),
        help(
            "JavaScript rounded it when the file was saved, and ComfyUI's server would refuse it; it is read as {read}"
        )
    )]
    RoundedInteger {
        /// The number as written.
        value: i128,
        /// What it is read as.
        read: i128,
        /// Where it stands.
        #[label("more than the largest whole number, 18446744073709551615")]
        span: Span,
    },

    /// A number that JSON does not have.
    #[error("`{word}` is not JSON")]
    #[diagnostic(
        code(import::not_finite),
        help("Python wrote this; it is kept, but the input most likely wants a number")
    )]
    NotFinite {
        /// The word.
        word: &'static str,
        /// Where it stands.
        #[label("kept as it is")]
        span: Span,
    },

    /// An entry among the nodes that is none.
    #[error("`{key}` is not a node")]
    #[diagnostic(
        code(import::not_a_node),
        help("it is left out; a node is an object with `class_type` and `inputs`")
    )]
    NotANode {
        /// Its key.
        key: String,
        /// What it is.
        found: &'static str,
        /// Where it is.
        #[label("this is {found}")]
        span: Span,
    },

    /// Inputs that are no object.
    #[error("the inputs of node {id} are {found}")]
    #[diagnostic(
        code(import::bad_inputs),
        help("they are ignored; inputs are an object: `\"inputs\": {{ \"name\": value }}`")
    )]
    BadInputs {
        /// The node.
        id: String,
        /// What they are.
        found: &'static str,
        /// Where they are.
        #[label("this is {found}")]
        span: Span,
    },

    /// A link to a node that is not there.
    #[error("`{input}` is linked to node {id}, which is not in this file")]
    #[diagnostic(
        code(import::dangling_link),
        help("the link is kept as it is; ComfyUI would refuse to run it")
    )]
    DanglingLink {
        /// The input.
        input: String,
        /// The id that it names.
        id: String,
        /// The link.
        #[label("there is no node {id}")]
        span: Span,
    },

    /// A link to an output that a class does not have.
    #[error("{class} has no output {slot}")]
    #[diagnostic(code(import::no_such_output), help("{}", outputs_help(*count)))]
    NoSuchOutput {
        /// The class that gives the output.
        class: String,
        /// The number of the output.
        slot: u32,
        /// How many it has.
        count: usize,
        /// The link.
        #[label("`{input}` is linked to it")]
        span: Span,
        /// The input.
        input: String,
    },

    /// A class name that only differs in space from one that exists.
    #[error("there is no class `{class}`, but there is `{known}`")]
    #[diagnostic(
        code(import::class_spaces),
        help("ComfyUI tells them apart and would not know this node; remove the space in the file")
    )]
    ClassSpaces {
        /// The name as written.
        class: String,
        /// The class that exists.
        known: String,
        /// The node.
        #[label("spaces around the name")]
        span: Span,
    },
}

impl ImportError {
    /// Where it is; nothing where it is the whole file.
    pub fn span(&self) -> Span {
        match self {
            Self::NotJson { span, .. }
            | Self::NestingTooDeep { span, .. }
            | Self::NotAWorkflow { span, .. }
            | Self::NoClass { span, .. }
            | Self::BadLink { span, .. }
            | Self::Cycle { span, .. } => *span,
            Self::TooLarge { .. } => Span::new(0, 0),
        }
    }
}

impl ImportWarning {
    /// Where it is.
    pub fn span(&self) -> Span {
        match self {
            Self::DuplicateKey { span, .. }
            | Self::HalfCharacter { span }
            | Self::RoundedInteger { span, .. }
            | Self::NotFinite { span, .. }
            | Self::NotANode { span, .. }
            | Self::BadInputs { span, .. }
            | Self::DanglingLink { span, .. }
            | Self::NoSuchOutput { span, .. }
            | Self::ClassSpaces { span, .. } => *span,
        }
    }
}

/// The codes of everything that importing says; each has a page.
pub const CODES: [&str; 16] = [
    "import::bad_inputs",
    "import::bad_link",
    "import::class_spaces",
    "import::cycle",
    "import::dangling_link",
    "import::duplicate_key",
    "import::half_character",
    "import::nesting_too_deep",
    "import::no_class",
    "import::no_such_output",
    "import::not_a_node",
    "import::not_a_workflow",
    "import::not_finite",
    "import::not_json",
    "import::rounded_integer",
    "import::too_large",
];

/// What is wrong with a text that should be JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonProblem {
    /// Nothing but space.
    Empty,
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
    fn message(self) -> String {
        match self {
            Self::Empty => "it is empty".into(),
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

    fn label(self) -> &'static str {
        match self {
            Self::Empty => "nothing is here",
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

    fn help(self) -> &'static str {
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
            Self::Escape => "the escapes are `\\\" \\\\ \\/ \\b \\f \\n \\r \\t` and `\\u` with four digits",
            Self::Control => "a line break in a text is written `\\n`, a tabulator `\\t`",
            Self::Unclosed => "close it with `\"`; a quote inside a text is written `\\\"`",
        }
    }
}

fn outputs_help(count: usize) -> String {
    match count {
        0 => "it gives nothing; the link is kept as it is".into(),
        1 => "it has one output, number 0; the link is kept as it is".into(),
        _ => format!("it has {count} outputs, numbers 0 to {}; the link is kept as it is", count - 1),
    }
}

/// At most a few names of a long circle.
fn chain(nodes: &[String]) -> String {
    const SHOWN: usize = 6;
    let more = if nodes.len() > SHOWN { " → …" } else { "" };
    let shown: Vec<&str> = nodes.iter().take(SHOWN).map(String::as_str).collect();
    format!("{}{more}", shown.join(" → "))
}
