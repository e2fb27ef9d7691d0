//! What is odd in a file that is read nevertheless.

// The derive macros read fields through generated patterns that this lint takes for dead assignments.
#![allow(unused_assignments)]

use super::chain;
use crate::Span;
use miette::Diagnostic;
use thiserror::Error;

/// Something odd in a file that was read nevertheless.
#[derive(Debug, Clone, PartialEq, Error, Diagnostic)]
#[diagnostic(severity(Warning))]
pub enum ImportWarning {
    /// Nodes that wait for each other.
    #[error("these nodes need each other's results: {}", chain(nodes))]
    #[diagnostic(
        code(import::cycle),
        help("the link is kept as `dangling(…)`, and nothing of this can run until it leads elsewhere")
    )]
    Cycle {
        /// Their ids, each giving something to the next one, the last to the first.
        nodes: Vec<String>,
        /// The input that closes the circle.
        #[label("this is computed from its own node's result")]
        span: Span,
    },

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

    /// Two nodes with one id.
    #[error("two nodes have the id {id}")]
    #[diagnostic(
        code(import::duplicate_id),
        help(
            "links of {id} are those of the first one; this one is read as {given}, as ComfyUI's editor does"
        )
    )]
    DuplicateId {
        /// The id.
        id: String,
        /// The id that this one is given.
        given: String,
        /// The second one.
        #[label("the second one")]
        span: Span,
    },

    /// A node without an id.
    #[error("a node has no id")]
    #[diagnostic(code(import::no_id), help("it is read as {given}, and nothing can be linked to it"))]
    NoId {
        /// The id that it is given.
        given: String,
        /// The node.
        #[label("no `id` beside this")]
        span: Span,
    },

    /// Two rows of the table of links that end at one input.
    #[error("two links end at one input")]
    #[diagnostic(
        code(import::competing_links),
        help("an input takes one link; the other one counts, as it does in ComfyUI's editor")
    )]
    CompetingLinks {
        /// The one that counts.
        #[label("this one counts")]
        kept: Span,
        /// The other one.
        #[label("this one is ignored")]
        span: Span,
    },

    /// A link one end of which is missing.
    #[error("{}", lost.message())]
    #[diagnostic(code(import::lost_link), help("the link is left out, as ComfyUI's editor does; {}", lost.help()))]
    LostLink {
        /// What is missing.
        lost: Lost,
        /// The link, or the input.
        #[label("{}", lost.label())]
        span: Span,
    },

    /// A row of the table of links that is none.
    #[error("this is not a link")]
    #[diagnostic(
        code(import::bad_row),
        help(
            "it is ignored; a link is `[id, origin, slot, target, slot, type]`, or an object with `origin_id`, `origin_slot`, `target_id` and `target_slot`"
        )
    )]
    BadRow {
        /// The row.
        #[label("ids or slots are missing")]
        span: Span,
    },

    /// Values of widgets that are no list.
    #[error("the widget values of this {class} are {found}")]
    #[diagnostic(
        code(import::named_values),
        help(
            "ComfyUI's editor ignores them, so the defaults count; values are a list in the order of the widgets"
        )
    )]
    NamedValues {
        /// The class.
        class: String,
        /// What they are.
        found: &'static str,
        /// Where they are.
        #[label("{found}, not a list")]
        span: Span,
    },

    /// A widget without a value.
    #[error("`{name}` is null")]
    #[diagnostic(
        code(import::null_value),
        help("it is kept; ComfyUI's server would refuse it, so give it a value before it runs")
    )]
    NullValue {
        /// The widget.
        name: String,
        /// Where it is written.
        #[label("no value")]
        span: Span,
    },

    /// A version of the format that nobody knows.
    #[error("this version of the workflow format is unknown")]
    #[diagnostic(
        code(import::unknown_version),
        help("versions 0.4 and 1 are known; it is read as one of these")
    )]
    UnknownVersion {
        /// The version.
        #[label("neither 0.4 nor 1")]
        span: Span,
    },

    /// A group node, which newer versions of ComfyUI do not have.
    #[error("`{class}` is a group node")]
    #[diagnostic(
        code(import::group_node),
        help(
            "subgraphs replaced these; open the workflow in ComfyUI's editor, convert the group node to a subgraph, and save it"
        )
    )]
    GroupNode {
        /// Its class.
        class: String,
        /// Where it is.
        #[label("kept as it is, though nothing can run it")]
        span: Span,
    },
}

impl ImportWarning {
    /// Where it is.
    pub fn span(&self) -> Span {
        match self {
            Self::Cycle { span, .. }
            | Self::DuplicateKey { span, .. }
            | Self::HalfCharacter { span }
            | Self::RoundedInteger { span, .. }
            | Self::NotFinite { span, .. }
            | Self::NotANode { span, .. }
            | Self::BadInputs { span, .. }
            | Self::DanglingLink { span, .. }
            | Self::NoSuchOutput { span, .. }
            | Self::ClassSpaces { span, .. }
            | Self::DuplicateId { span, .. }
            | Self::NoId { span, .. }
            | Self::CompetingLinks { span, .. }
            | Self::LostLink { span, .. }
            | Self::BadRow { span }
            | Self::NamedValues { span, .. }
            | Self::NullValue { span, .. }
            | Self::UnknownVersion { span }
            | Self::GroupNode { span, .. } => *span,
        }
    }
}

/// The end of a link that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lost {
    /// The node that it comes from.
    Origin {
        /// The id that is named.
        id: String,
    },
    /// The node that it leads to.
    Target {
        /// The id that is named.
        id: String,
    },
    /// The input that it leads to.
    Socket {
        /// The class of the node.
        class: String,
        /// The number that is named.
        slot: u32,
    },
    /// The row in the table of links.
    Row {
        /// The input.
        input: String,
        /// The number of the row.
        link: i128,
    },
}

impl Lost {
    fn message(&self) -> String {
        match self {
            Self::Origin { id } => format!("a link comes from node {id}, which is not in this file"),
            Self::Target { id } => format!("a link leads to node {id}, which is not in this file"),
            Self::Socket { class, slot } => {
                format!("a link leads to input {slot} of a {class}, which has fewer")
            }
            Self::Row { input, link } => {
                format!("`{input}` has link {link}, which is not in the table of links")
            }
        }
    }

    fn label(&self) -> String {
        match self {
            Self::Origin { id } | Self::Target { id } => format!("there is no node {id}"),
            Self::Socket { .. } => "there is no such input".into(),
            Self::Row { link, .. } => format!("there is no link {link}"),
        }
    }

    fn help(&self) -> &'static str {
        match self {
            Self::Origin { .. } | Self::Row { .. } => "the input has no link then",
            Self::Target { .. } | Self::Socket { .. } => "nothing reads it",
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
