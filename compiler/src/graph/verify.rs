//! The invariants of a graph, checked after every pass:
//!
//! - a node reads outputs of earlier nodes only, and only outputs that these have
//! - a call has each visible input of its declaration, and no other but those below growing inputs and choices
//! - effects are nodes of the graph, each once, and write files
//! - every node stands for at least one source node

use floe_nets::Id;
use floe_stdlib::{NodeDecl, Type};
use thiserror::Error;

use super::{Graph, Node, NodeId};

/// A broken graph: a bug of the pass that made it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("node {node} ({text}): {reason}")]
pub struct VerifyError {
    /// The node.
    pub node: NodeId,
    /// Its text.
    pub text: String,
    /// What is wrong.
    pub reason: String,
}

impl Graph {
    /// Checks every invariant of this module's list.
    ///
    /// # Errors
    /// The first violation.
    pub fn verify(&self) -> Result<(), VerifyError> {
        for (id, node) in self.nodes.iter() {
            self.verify_node(id, node).map_err(|reason| VerifyError {
                node: id,
                text: node.to_string(),
                reason,
            })?;
        }
        for (position, &effect) in self.effects.iter().enumerate() {
            let fail = |reason: &str| {
                let text = self.nodes.get(effect).map(Node::to_string).unwrap_or_default();
                Err(VerifyError { node: effect, text, reason: reason.to_owned() })
            };
            match self.nodes.get(effect) {
                None => return fail("an effect that is no node"),
                Some(node) if node.kind.is_value() => return fail("an effect that writes nothing"),
                Some(_) if self.effects[..position].contains(&effect) => {
                    return fail("an effect that happens twice");
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    fn verify_node(&self, id: NodeId, node: &Node) -> Result<(), String> {
        for (from, slot) in node.reads() {
            if from.index() >= id.index() {
                return Err(format!("reads {from}, which does not come before it"));
            }
            if slot >= self.nodes[from].outputs() {
                return Err(format!(
                    "reads output {slot} of {from}, which has {}",
                    self.nodes[from].outputs()
                ));
            }
        }
        match node.kind.decl() {
            Some(decl) => verify_inputs(decl, node)?,
            None if !node.reads().is_empty() => return Err("loads what is not known".to_owned()),
            None => {}
        }
        if node.origins.is_empty() { Err("stands for no source node".to_owned()) } else { Ok(()) }
    }
}

/// What stands below a growing input or a choice is called `name.input`.
fn verify_inputs(decl: &NodeDecl, node: &Node) -> Result<(), String> {
    for input in decl.visible_inputs().filter(|input| !matches!(input.ty, Type::Grow { .. })) {
        if !node.inputs.contains_key(&input.name) {
            return Err(format!("has no input {}", input.name));
        }
    }
    for name in node.inputs.keys() {
        let outer = name.split('.').next().unwrap_or_default();
        if !decl.visible_inputs().any(|input| input.name == *name || input.name == outer) {
            return Err(format!("has an input {name}, which its class has not"));
        }
    }
    Ok(())
}
