//! What is wrong with a workflow file: the facts, and the words for them.
//!
//! What has one reasonable reading is read, with an [`ImportWarning`]; what has not is an [`ImportError`].

// The derive macros read fields through generated patterns that this lint takes for dead assignments.
#![allow(unused_assignments)]

mod json;
mod warning;

use crate::Span;
use miette::Diagnostic;
use thiserror::Error;

pub use json::JsonProblem;
pub use warning::{ImportWarning, Lost};

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

    /// A link that goes round through nodes that compute nothing.
    #[error("the links through node {id} go round in a circle")]
    #[diagnostic(
        code(import::endless_link),
        help(
            "reroutes and bypassed nodes hand on what they are given, and here nothing ever comes in; remove a link"
        )
    )]
    EndlessLink {
        /// A node on the circle.
        id: String,
        /// Its class.
        class: String,
        /// Where it is.
        #[label("this {class} hands on its own output")]
        span: Span,
    },

    /// Links that take too long to follow.
    #[error("following the links through bypassed nodes takes too long")]
    #[diagnostic(
        code(import::tangled),
        help(
            "very many inputs of very many types hang on a long chain of bypassed nodes; remove these nodes"
        )
    )]
    Tangled {
        /// Where following stopped.
        #[label("following stopped here")]
        span: Span,
    },

    /// An output of a subgraph that is linked to an input of it.
    #[error("output `{output}` of the subgraph `{subgraph}` is its input `{input}`")]
    #[diagnostic(
        code(import::passthrough),
        help(
            "ComfyUI's editor cannot run this either; link what is linked to the input directly, or put a Reroute between"
        )
    )]
    Passthrough {
        /// The input.
        input: String,
        /// The output.
        output: String,
        /// The name of the subgraph.
        subgraph: String,
        /// The output in the definition.
        #[label("nothing in the subgraph gives this")]
        span: Span,
    },

    /// A subgraph that uses itself.
    #[error("the subgraph `{name}` uses itself")]
    #[diagnostic(code(import::subgraph_in_itself), help("remove this node, or let it use another subgraph"))]
    SubgraphInItself {
        /// Its name.
        name: String,
        /// The node that uses it.
        #[label("this is inside of `{name}`")]
        span: Span,
    },

    /// Subgraphs in subgraphs beyond what anybody needs.
    #[error("subgraphs are nested more than {limit} levels deep")]
    #[diagnostic(code(import::subgraphs_too_deep), help("unpack some of them in ComfyUI's editor"))]
    SubgraphsTooDeep {
        /// The limit.
        limit: usize,
        /// Where the limit is passed.
        #[label("this is level {}", limit + 1)]
        span: Span,
    },

    /// More text than is written.
    #[error("this workflow has more than {limit} bytes of text when its subgraphs are expanded")]
    #[diagnostic(
        code(import::expands_too_far),
        help(
            "workflows have some hundred kilobytes; a long text in a subgraph that is used very often was made to fill memory"
        )
    )]
    ExpandsTooFar {
        /// The limit.
        limit: usize,
    },

    /// More nodes than are read.
    #[error("this workflow has more than {limit} nodes when its subgraphs are expanded")]
    #[diagnostic(
        code(import::too_many_nodes),
        help("workflows have some hundreds; if this is one, raise the limit")
    )]
    TooManyNodes {
        /// The limit.
        limit: usize,
        /// The node where the limit is passed.
        #[label("the limit is passed here")]
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
            | Self::Cycle { span, .. }
            | Self::EndlessLink { span, .. }
            | Self::Tangled { span }
            | Self::Passthrough { span, .. }
            | Self::SubgraphInItself { span, .. }
            | Self::SubgraphsTooDeep { span, .. }
            | Self::TooManyNodes { span, .. } => *span,
            Self::TooLarge { .. } | Self::ExpandsTooFar { .. } => Span::new(0, 0),
        }
    }
}

/// The codes of everything that importing says; each has a page.
pub const CODES: [&str; 32] = [
    "import::bad_inputs",
    "import::bad_link",
    "import::bad_row",
    "import::class_spaces",
    "import::competing_links",
    "import::cycle",
    "import::dangling_link",
    "import::duplicate_id",
    "import::duplicate_key",
    "import::endless_link",
    "import::expands_too_far",
    "import::group_node",
    "import::half_character",
    "import::lost_link",
    "import::named_values",
    "import::nesting_too_deep",
    "import::no_class",
    "import::no_id",
    "import::no_such_output",
    "import::not_a_node",
    "import::not_a_workflow",
    "import::not_finite",
    "import::not_json",
    "import::null_value",
    "import::passthrough",
    "import::rounded_integer",
    "import::subgraph_in_itself",
    "import::subgraphs_too_deep",
    "import::tangled",
    "import::too_large",
    "import::too_many_nodes",
    "import::unknown_version",
];

/// At most a few names of a long circle.
fn chain(nodes: &[String]) -> String {
    const SHOWN: usize = 6;
    let more = if nodes.len() > SHOWN { " → …" } else { "" };
    let shown: Vec<&str> = nodes.iter().take(SHOWN).map(String::as_str).collect();
    let back = nodes.first().filter(|_| more.is_empty()).map(|first| format!(" → {first}"));
    format!("{}{more}{}", shown.join(" → "), back.unwrap_or_default())
}
