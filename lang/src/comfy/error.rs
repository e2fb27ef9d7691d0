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
            Self::TooLarge { .. } => Span::new(0, 0),
        }
    }
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

/// The codes of everything that importing says; each has a page.
pub const CODES: [&str; 31] = [
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
    fn message(self) -> String {
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

    fn label(self) -> &'static str {
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
    let back = nodes.first().filter(|_| more.is_empty()).map(|first| format!(" → {first}"));
    format!("{}{more}{}", shown.join(" → "), back.unwrap_or_default())
}
