//! A body of calls: the file's, or a flow's. Links point to items of the same body, or to its parameters.

use super::super::prompt::{InputValue, Instance, InstanceIndex, PromptNode};
use crate::Span;
use crate::ast;
use crate::decl::{NodeDecl, Type};
use std::borrow::Cow;

/// Which body: none is the file's, else the flow's that this instance is a call of.
pub(super) type ScopeId = Option<InstanceIndex>;

/// Place of an item in [`Scope::items`].
pub(super) type ItemIndex = usize;

/// Place of a flow in [`Folded::flows`].
pub(super) type FlowIndex = usize;

/// The whole program before names and order.
#[derive(Debug)]
pub(super) struct Folded<'a> {
    /// Every flow; those that are called by a flow have smaller places.
    pub(super) flows: Vec<Flow<'a>>,
    /// What the file itself does.
    pub(super) root: Scope<'a>,
}

/// Subgraph instances that are calls of the same text.
#[derive(Debug)]
pub(super) struct Flow<'a> {
    /// Its name in the program.
    pub(super) name: String,
    /// The definition's id and its name, as people gave it.
    pub(super) definition: (&'a str, &'a str),
    /// The instances, the first of which stands for all where titles and places are asked for.
    pub(super) instances: Vec<InstanceIndex>,
    /// What it does.
    pub(super) scope: Scope<'a>,
    /// What it gives.
    pub(super) outputs: Vec<FlowOutput<'a>>,
}

/// One output of a flow.
#[derive(Debug)]
pub(super) struct FlowOutput<'a> {
    /// Its name.
    pub(super) name: String,
    /// ComfyUI's type.
    pub(super) comfy: &'a str,
    /// Whether it is a list that a run makes.
    pub(super) list: bool,
    /// The item of the body that gives it.
    pub(super) item: ItemIndex,
    /// Which of its outputs.
    pub(super) slot: u32,
}

/// A body.
#[derive(Debug, Default)]
pub(super) struct Scope<'a> {
    /// Whose body.
    pub(super) id: ScopeId,
    /// Names that its values may refer to: a flow's parameters, a file's params, values with two readers.
    pub(super) bindings: Vec<Binding<'a>>,
    /// Its calls, in the order of the workflow.
    pub(super) items: Vec<Item<'a>>,
    /// Where each node and call of a flow that somebody refers to is found: by [`super::places::Place`].
    pub(super) found: std::collections::HashMap<super::places::Place, ItemIndex>,
}

/// A name with a value.
#[derive(Debug, Clone)]
pub(super) struct Binding<'a> {
    /// The name.
    pub(super) name: String,
    /// What it is.
    pub(super) kind: BindingKind,
    /// Its type; a `let` has none.
    pub(super) ty: Option<ast::Type>,
    /// ComfyUI's type of what it holds, where that is a result of a node.
    pub(super) comfy: Option<&'a str>,
    /// The type of the input that takes it.
    pub(super) wanted: Option<&'a Type>,
    /// Its value; a parameter of a flow may have none.
    pub(super) default: Option<&'a InputValue>,
    /// Whether it holds a result of a node in some call.
    pub(super) link: bool,
    /// The range of its values, for params of the program.
    pub(super) range: Option<(ast::Expr, ast::Expr)>,
    /// What it is for.
    pub(super) docs: String,
    /// Where its first reader is written.
    pub(super) span: Span,
}

/// What a binding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BindingKind {
    /// A parameter of a flow.
    Parameter,
    /// A param of the program.
    Param,
    /// A `let` with a known value.
    Let,
}

/// One call.
#[derive(Debug, Clone)]
pub(super) struct Item<'a> {
    /// What is called.
    pub(super) what: What<'a>,
    /// Its id within the body.
    pub(super) id: &'a str,
    /// What it is given.
    pub(super) inputs: Vec<ItemInput<'a>>,
}

/// What an item calls.
#[derive(Debug, Clone, Copy)]
pub(super) enum What<'a> {
    /// A node.
    Node {
        /// The node.
        node: &'a PromptNode,
        /// Its interface.
        decl: &'a NodeDecl,
        /// Whether it is called for each element of a list.
        each: bool,
    },
    /// A flow.
    Flow {
        /// Which flow.
        flow: FlowIndex,
        /// Its place in the prompt.
        index: InstanceIndex,
        /// The instance.
        instance: &'a Instance,
    },
}

/// One input of an item.
#[derive(Debug, Clone)]
pub(super) struct ItemInput<'a> {
    /// Its name.
    pub(super) name: Cow<'a, str>,
    /// Its value.
    pub(super) value: Value<'a>,
    /// The inputs that the value came through: of the instance around it, then of those around that.
    pub(super) through: &'a [usize],
    /// Where it is written.
    pub(super) span: Span,
}

/// A value within a body.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    /// An output of an item.
    Output(ItemIndex, u32),
    /// One of [`Scope::bindings`].
    Bound(usize),
    /// A value as it is; a link only while bodies are made, when it comes from outside.
    Given(&'a InputValue),
}

impl<'a> Item<'a> {
    /// The title that somebody gave it.
    pub(super) fn title(&self) -> Option<&'a str> {
        match self.what {
            What::Node { node, .. } => node.title.as_deref(),
            What::Flow { instance, .. } => instance.title.as_deref(),
        }
    }

    /// Its place in the editor.
    pub(super) fn place(&self) -> Option<(f64, f64)> {
        match self.what {
            What::Node { node, .. } => node.place,
            What::Flow { instance, .. } => instance.place,
        }
    }

    /// Where it is written.
    pub(super) fn span(&self) -> Span {
        match self.what {
            What::Node { node, .. } => node.span,
            What::Flow { instance, .. } => instance.span,
        }
    }

    /// Its interface, unless it is a flow.
    pub(super) fn decl(&self) -> Option<&'a NodeDecl> {
        match self.what {
            What::Node { decl, .. } => Some(decl),
            What::Flow { .. } => None,
        }
    }

    /// The outputs of other items that it is given, in the order of its inputs.
    pub(super) fn links(&self) -> impl Iterator<Item = (ItemIndex, u32)> + '_ {
        self.inputs.iter().filter_map(|input| match input.value {
            Value::Output(item, slot) => Some((item, slot)),
            _ => None,
        })
    }
}
