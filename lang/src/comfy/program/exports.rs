//! What instances of subgraphs give to the outside.

use super::super::prompt::{InputValue, InstanceIndex, NodeIndex, Prompt};
use super::places::Places;
use std::collections::HashMap;

/// Outputs of instances, as outputs of the nodes in them.
pub(super) struct Exports<'a> {
    /// By instance, in the order of the definition, then what its definition does not say.
    pub(super) of: Vec<Vec<Export<'a>>>,
    slots: HashMap<(InstanceIndex, NodeIndex, u32), u32>,
}

/// One of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Export<'a> {
    pub(super) node: NodeIndex,
    pub(super) slot: u32,
    /// Name and ComfyUI's type, as the definition says.
    pub(super) named: Option<(&'a str, &'a str)>,
}

impl<'a> Exports<'a> {
    pub(super) fn new(prompt: &'a Prompt, places: &Places<'a>) -> Self {
        let count = prompt.instances.len();
        let mut exports = Self { of: vec![Vec::new(); count], slots: HashMap::new() };
        exports.declared(prompt, places);
        exports.read(prompt, places);
        exports
    }

    /// What definitions say.
    fn declared(&mut self, prompt: &'a Prompt, places: &Places<'a>) {
        for (index, instance) in prompt.instances.iter().enumerate() {
            for output in &instance.outputs {
                let Some((node, slot)) = output.from else { continue };
                // Through a bypassed node an output may give what came in from outside: that is not the instance's.
                if places.seen_from(Some(index), node).is_some() {
                    self.add(index, Export { node, slot, named: Some((&output.name, &output.ty)) });
                }
            }
        }
    }

    /// What readers outside need besides.
    fn read(&mut self, prompt: &'a Prompt, places: &Places<'a>) {
        let mut needs: Vec<(NodeIndex, u32, Option<InstanceIndex>)> = Vec::new();
        for (index, exports) in self.of.iter().enumerate() {
            needs.extend(exports.iter().map(|export| (export.node, export.slot, Some(index))));
        }
        for reader in &prompt.nodes {
            for input in &reader.inputs {
                if let InputValue::Link { node, slot } = input.value
                    && prompt.nodes[node].instance != reader.instance
                {
                    needs.push((node, slot, reader.instance));
                }
            }
        }
        for (node, slot, reader) in needs {
            for instance in places.way_out(node, reader) {
                if !self.slots.contains_key(&(instance, node, slot)) {
                    self.add(instance, Export { node, slot, named: None });
                }
            }
        }
    }

    fn add(&mut self, instance: InstanceIndex, export: Export<'a>) {
        let place = self.of[instance].len() as u32;
        self.slots.entry((instance, export.node, export.slot)).or_insert(place);
        self.of[instance].push(export);
    }

    /// Which output of an instance gives an output of a node in it.
    pub(super) fn slot(&self, instance: InstanceIndex, node: NodeIndex, slot: u32) -> Option<u32> {
        self.slots.get(&(instance, node, slot)).copied()
    }
}
