//! Which body a node is in, and through which call it is seen from elsewhere.

use super::super::prompt::{InstanceIndex, NodeIndex, Prompt};
use super::scope::ScopeId;

/// What a body sees: a node of its own, or a call that holds one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Place {
    /// A node.
    Node(NodeIndex),
    /// An instance.
    Instance(InstanceIndex),
}

/// The tree of instances.
pub(super) struct Places<'a> {
    prompt: &'a Prompt,
    /// Instances whose nodes are written in the body around them.
    spliced: Vec<bool>,
    depth: Vec<u32>,
}

impl<'a> Places<'a> {
    pub(super) fn new(prompt: &'a Prompt) -> Self {
        let mut depth: Vec<u32> = Vec::with_capacity(prompt.instances.len());
        for instance in &prompt.instances {
            let around = instance.parent.and_then(|parent| depth.get(parent)).copied();
            depth.push(around.map_or(1, |around| around + 1));
        }
        Self { prompt, spliced: vec![false; prompt.instances.len()], depth }
    }

    /// Writes the nodes of an instance in the body around it.
    pub(super) fn splice(&mut self, instance: InstanceIndex) {
        self.spliced[instance] = true;
    }

    /// The body that an instance's nodes are in, where none is the file.
    pub(super) fn scope(&self, mut instance: Option<InstanceIndex>) -> ScopeId {
        while let Some(index) = instance.filter(|&index| self.spliced[index]) {
            instance = self.prompt.instances[index].parent;
        }
        instance
    }

    /// The body around a call.
    pub(super) fn around(&self, instance: InstanceIndex) -> ScopeId {
        self.scope(self.prompt.instances[instance].parent)
    }

    /// How a body sees a node; not at all, where the node is outside of it.
    pub(super) fn seen_from(&self, scope: ScopeId, node: NodeIndex) -> Option<Place> {
        let mut at = self.scope(self.prompt.nodes[node].instance);
        if at == scope {
            return Some(Place::Node(node));
        }
        let depth = self.depth_of(scope);
        while let Some(instance) = at.filter(|&instance| self.depth[instance] > depth) {
            at = self.around(instance);
            if at == scope {
                return Some(Place::Instance(instance));
            }
        }
        None
    }

    /// The instances that a value passes on its way out from a node to a reader, inner ones first.
    pub(super) fn way_out(&self, node: NodeIndex, reader: Option<InstanceIndex>) -> Vec<InstanceIndex> {
        let mut way = Vec::new();
        let mut at = self.prompt.nodes[node].instance;
        let mut reader = reader;
        while at != reader {
            if self.depth_of(at) >= self.depth_of(reader) {
                let Some(instance) = at else { break };
                way.push(instance);
                at = self.prompt.instances[instance].parent;
            } else {
                reader = reader.and_then(|reader| self.prompt.instances[reader].parent);
            }
        }
        way
    }

    fn depth_of(&self, scope: ScopeId) -> u32 {
        scope.map_or(0, |instance| self.depth[instance])
    }
}
