//! The workflow graph.
//!
//! A [`Graph`] is a list of nodes; each reads known scalars and outputs of earlier nodes, so the order of the
//! list is an order in which it can be executed. A node stands for one call of a class, or for the loading of one
//! part of a model ([`NodeKind::Load`], which only `hoist-loads` makes). Nothing is computed that no effect
//! needs; effects happen in their order. Two nodes with the same kind and inputs have the same outputs unless
//! their class writes files.

mod display;
mod verify;

use std::collections::BTreeMap;

use floe_lang::decl::Text;
use floe_nets::{Arena, Id};
use floe_stdlib::{NodeDecl, Part, Purity, Scalar, semantics};
use miette::SourceSpan;

use crate::flat::Decl;

pub use verify::VerifyError;

/// A node of a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

impl Id for NodeId {
    fn from_index(index: usize) -> Self {
        NodeId(u32::try_from(index).expect("a graph has fewer than 2^32 nodes"))
    }
    fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a node does.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeKind {
    /// A call of a class.
    Call(Decl),
    /// The loading of one part that a loader gives; the inputs are the loader's, all known.
    Load {
        /// The loader's class.
        class: &'static str,
        /// Which of its outputs, the one output of this node.
        slot: usize,
        /// What that is.
        part: Part,
    },
}

impl NodeKind {
    /// Whether two nodes of this kind with the same inputs are the same value.
    pub fn is_value(&self) -> bool {
        match (self.semantics(), self.decl()) {
            (Some(semantics), _) => semantics.purity != Purity::WritesFiles,
            (None, Some(decl)) => !decl.output_node,
            (None, None) => true,
        }
    }

    /// The semantics of a call's class, where there are some.
    pub fn semantics(&self) -> Option<&'static floe_stdlib::Semantics> {
        match self {
            NodeKind::Call(Decl::Library(decl)) => semantics(&decl.name),
            NodeKind::Call(Decl::Program(_)) | NodeKind::Load { .. } => None,
        }
    }

    /// The declaration of a call's class.
    pub fn decl(&self) -> Option<&NodeDecl> {
        match self {
            NodeKind::Call(decl) => Some(decl),
            NodeKind::Load { .. } => None,
        }
    }
}

/// An input of a node.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// A known value.
    Scalar(Scalar),
    /// An output of an earlier node.
    Output(NodeId, usize),
    /// An optional socket that is left open.
    Open,
    /// Several values in order.
    List(Vec<Operand>),
    /// Several values by name.
    Record(Vec<(Text, Operand)>),
}

impl Operand {
    /// Calls `see` for itself, or, for several values, for each of them and of those in them.
    fn leaves<'a>(&'a self, see: &mut dyn FnMut(&'a Operand)) {
        match self {
            Operand::List(items) => items.iter().for_each(|item| item.leaves(see)),
            Operand::Record(fields) => fields.iter().for_each(|(_, field)| field.leaves(see)),
            leaf => see(leaf),
        }
    }

    /// The same, to change them.
    fn leaves_mut(&mut self, see: &mut dyn FnMut(&mut Operand)) {
        match self {
            Operand::List(items) => items.iter_mut().for_each(|item| item.leaves_mut(see)),
            Operand::Record(fields) => fields.iter_mut().for_each(|(_, field)| field.leaves_mut(see)),
            leaf => see(leaf),
        }
    }
}

/// Where a node was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// The callee's name.
    pub span: SourceSpan,
    /// The values of inputs that were given.
    pub inputs: BTreeMap<Text, SourceSpan>,
}

impl Source {
    /// Where to point for an input: its value, or the call that leaves it out.
    pub fn input(&self, name: &str) -> SourceSpan {
        self.inputs.get(name).copied().unwrap_or(self.span)
    }
}

/// One node.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it does.
    pub kind: NodeKind,
    /// Its inputs by name, defaults filled in. Inputs of dynamic choices and growing inputs are called `name.input`.
    pub inputs: BTreeMap<Text, Operand>,
    /// Whether it is lifted over its list inputs.
    pub each: bool,
    /// Names of all source nodes that it stands for.
    pub origins: Vec<String>,
    /// Whether executions of one network share a batch; only set by `batch-guidance`.
    pub batched: bool,
    /// Where it was written.
    pub source: Source,
}

impl Node {
    /// The outputs of other nodes that it reads, in the order of its inputs.
    pub fn reads(&self) -> Vec<(NodeId, usize)> {
        let mut reads = Vec::new();
        for operand in self.inputs.values() {
            operand.leaves(&mut |leaf| {
                if let Operand::Output(node, slot) = leaf {
                    reads.push((*node, *slot));
                }
            });
        }
        reads
    }

    /// What is known of its class; nothing where it is lifted over lists.
    pub fn semantics(&self) -> Option<&'static floe_stdlib::Semantics> {
        if self.each { None } else { self.kind.semantics() }
    }

    /// How many outputs it has.
    pub fn outputs(&self) -> usize {
        match &self.kind {
            NodeKind::Call(decl) => decl.outputs.len(),
            NodeKind::Load { .. } => 1,
        }
    }
}

/// What a node becomes when a graph is built anew.
pub(crate) enum Became {
    /// This node, whose outputs are its own.
    Node(NodeId),
    /// These outputs, by slot. Not for nodes that are effects.
    Outputs(Vec<(NodeId, usize)>),
    /// Nothing: it is removed.
    Nothing,
}

/// A workflow graph.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Graph {
    /// Nodes, inputs first.
    pub nodes: Arena<NodeId, Node>,
    /// Nodes that write files, in order.
    pub effects: Vec<NodeId>,
}

impl Graph {
    /// Whether each node is needed by an effect, by index.
    pub fn needed(&self) -> Vec<bool> {
        let mut needed = vec![false; self.nodes.len()];
        for &effect in &self.effects {
            needed[effect.index()] = true;
        }
        // Inputs come first, so one walk from the end finds everything.
        for index in (0..self.nodes.len()).rev() {
            if needed[index] {
                for (node, _) in self.nodes[NodeId::from_index(index)].reads() {
                    needed[node.index()] = true;
                }
            }
        }
        needed
    }

    /// Builds the graph anew: `emit` turns each old node, its inputs already renamed, into what it becomes.
    pub(crate) fn rebuild(&mut self, mut emit: impl FnMut(&mut Arena<NodeId, Node>, NodeId, Node) -> Became) {
        let old = std::mem::take(self);
        let mut renamed: Vec<Vec<(NodeId, usize)>> = Vec::with_capacity(old.nodes.len());
        let mut nodes: Vec<Option<NodeId>> = Vec::with_capacity(old.nodes.len());
        for (id, node) in old.nodes.iter() {
            let mut node = node.clone();
            for operand in node.inputs.values_mut() {
                operand.leaves_mut(&mut |leaf| {
                    // Only a node that is about to be removed reads a removed one: it may keep the old name.
                    if let Operand::Output(from, slot) = leaf
                        && let Some(&new) = renamed[from.index()].get(*slot)
                    {
                        (*from, *slot) = new;
                    }
                });
            }
            let outputs = node.outputs();
            let (node, outputs) = match emit(&mut self.nodes, id, node) {
                Became::Node(new) => (Some(new), (0..outputs).map(|slot| (new, slot)).collect()),
                Became::Outputs(outputs) => (None, outputs),
                Became::Nothing => (None, Vec::new()),
            };
            nodes.push(node);
            renamed.push(outputs);
        }
        self.effects = old.effects.iter().filter_map(|effect| nodes[effect.index()]).collect();
        self.effects.dedup();
    }
}
