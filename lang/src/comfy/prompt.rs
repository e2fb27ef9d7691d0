//! A workflow as ComfyUI's server is asked to run it, with what an editor knew besides.
//!
//! Both importers end here: subgraphs are expanded, muted and bypassed nodes are gone, links name the nodes that really
//! compute. What gives a readable program is kept beside it: titles, notes, groups, places, and which nodes are one
//! instance of which subgraph.

use crate::Span;
use std::collections::BTreeSet;

/// A flattened workflow. Spans are of the JSON text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Prompt {
    /// The nodes that run, in the order of the file; those of a subgraph stand where its instance stands.
    pub nodes: Vec<PromptNode>,
    /// Instances of subgraphs, outer ones before those inside them.
    pub instances: Vec<Instance>,
    /// Remarks of people.
    pub notes: Vec<Note>,
    /// Frames around nodes.
    pub groups: Vec<Group>,
    /// Nodes that are switched off, as they were.
    pub disabled: Vec<Disabled>,
    /// The ids of nodes that a dangling link names: they have to be kept.
    pub pinned: BTreeSet<String>,
}

impl Prompt {
    /// The ids of instances around pinned nodes: they are part of these nodes' ids.
    pub fn pinned_instances(&self) -> BTreeSet<&str> {
        let around = |id: &str| id.match_indices(':').map(|(at, _)| at).collect::<Vec<_>>();
        self.pinned.iter().flat_map(|id| around(id).into_iter().map(|at| &id[..at])).collect()
    }
}

/// Place of a node in [`Prompt::nodes`].
pub type NodeIndex = usize;

/// Place of an instance in [`Prompt::instances`].
pub type InstanceIndex = usize;

/// One node.
#[derive(Debug, Clone, PartialEq)]
pub struct PromptNode {
    /// Its id; inside of subgraphs with those of the instances before it: `5:31`.
    pub id: String,
    /// Its class, exactly as written.
    pub class: String,
    /// The title that somebody gave it.
    pub title: Option<String>,
    /// The node pack that brings its class, where the file says so and nobody declared the class.
    pub pack: Option<String>,
    /// Its inputs: widgets in the order of the class, then links.
    pub inputs: Vec<PromptInput>,
    /// Its outputs as the file lists them, name and type; empty where the file does not.
    pub outputs: Vec<(String, String)>,
    /// Values of widgets whose names nobody knows: those of classes without a declaration.
    pub unnamed: Vec<Json>,
    /// The innermost subgraph instance that it belongs to.
    pub instance: Option<InstanceIndex>,
    /// Left and upper edge in the editor, in its pixels.
    pub place: Option<(f64, f64)>,
    /// Where it is written.
    pub span: Span,
}

/// One input of a node.
#[derive(Debug, Clone, PartialEq)]
pub struct PromptInput {
    /// Its name; `group.name` for inputs of dynamic choices and growing inputs.
    pub name: String,
    /// What it is given.
    pub value: InputValue,
    /// ComfyUI's type of the socket, where the file says it.
    pub ty: Option<String>,
    /// The inputs of the instances around the node that the value came through, the innermost instance first: places
    /// in [`Instance::inputs`].
    pub through: Vec<usize>,
    /// Where it is written.
    pub span: Span,
}

/// What an input is given.
#[derive(Debug, Clone, PartialEq)]
pub enum InputValue {
    /// An output of a node.
    Link {
        /// Which node.
        node: NodeIndex,
        /// Which of its outputs.
        slot: u32,
    },
    /// An output of a node that is not in the file, or that needs this one's result itself; kept as it is written.
    Dangling {
        /// The id that is named.
        id: String,
        /// The output that is named.
        slot: u32,
    },
    /// A value as it is sent.
    Json(Json),
    /// A text in which `{a|b}`, comments and escaped braces are resolved when the workflow is submitted.
    DynamicPrompt(String),
    /// A file name with `%date:…%` or `%node.widget%`, resolved when the workflow is submitted.
    FileName(Vec<NamePiece>),
}

/// A piece of a file name.
#[derive(Debug, Clone, PartialEq)]
pub enum NamePiece {
    /// Text as it is.
    Text(String),
    /// The time of submission in this format.
    Date(String),
    /// The value of another input: node and name.
    Widget(NodeIndex, String),
}

/// A JSON value. Objects keep their order; numbers keep what they mean.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A whole number without point and exponent.
    Int(i128),
    /// Any other number; may be NaN or infinite where a file says so.
    Float(f64),
    /// Text.
    String(String),
    /// A list.
    Array(Vec<Json>),
    /// Named values.
    Object(Vec<(String, Json)>),
}

/// One use of a subgraph.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// Its id, with those of the instances around it: `5`, `5:12`.
    pub id: String,
    /// The id of its definition.
    pub definition: String,
    /// The name of its definition.
    pub name: String,
    /// The title of this instance, where somebody gave it one.
    pub title: Option<String>,
    /// The instance around it.
    pub parent: Option<InstanceIndex>,
    /// Inputs in the order of the definition.
    pub inputs: Vec<InstanceInput>,
    /// Outputs in the order of the definition, each with the node and slot that give it.
    pub outputs: Vec<InstanceOutput>,
    /// Left and upper edge in the editor, in its pixels.
    pub place: Option<(f64, f64)>,
    /// Where it is written.
    pub span: Span,
}

/// An input of a subgraph instance.
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceInput {
    /// Its name: the label that people see, else the name.
    pub name: String,
    /// ComfyUI's type.
    pub ty: String,
}

/// An output of a subgraph instance.
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceOutput {
    /// Its name: the label that people see, else the name.
    pub name: String,
    /// ComfyUI's type.
    pub ty: String,
    /// What gives it, if anything does.
    pub from: Option<(NodeIndex, u32)>,
}

/// A remark that somebody wrote in an editor.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// The title, where somebody gave it one.
    pub title: Option<String>,
    /// The text, in several lines.
    pub text: String,
    /// Left and upper edge.
    pub place: Option<(f64, f64)>,
    /// Width and height.
    pub size: Option<(f64, f64)>,
    /// The definition of the subgraph that it stands in.
    pub definition: Option<String>,
}

/// A frame that somebody drew around nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Its title.
    pub title: String,
    /// Left, upper edge, width, height.
    pub bounds: (f64, f64, f64, f64),
    /// The definition of the subgraph that it stands in.
    pub definition: Option<String>,
}

/// A node that is switched off and therefore not part of what runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Disabled {
    /// Its id.
    pub id: String,
    /// Its class.
    pub class: String,
    /// The title that somebody gave it.
    pub title: Option<String>,
    /// Whether what it was given passes through it.
    pub bypassed: bool,
    /// What its sockets are linked to, by name: the title or class of the node that gives it, or the input of the
    /// subgraph around it.
    pub links: Vec<(String, String)>,
    /// The values of its widgets by name, as far as names are known.
    pub values: Vec<(String, Json)>,
    /// The instance that it stands in.
    pub instance: Option<InstanceIndex>,
}
