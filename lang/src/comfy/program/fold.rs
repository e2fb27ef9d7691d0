//! Instances of subgraphs, back into flows.
//!
//! From inner ones to outer ones, each instance becomes a draft of a body, in which values from outside stand open. All
//! instances with the same draft and name become one flow, also those of copies that an editor made of a definition: open values that differ, come from nodes outside,
//! or were promoted by the author become its parameters, the others are constants in its body. Instances of one
//! definition may differ in structure, through nodes that are switched off and sockets that are left open; those
//! become flows of their own. So each call gives exactly the nodes of its instance.
//!
//! A call is one step of the body around it, so an instance cannot both give something to a node and need something
//! that follows from it. Where an instance does (its parts do not depend on each other), its nodes are written in place.

use super::super::prompt::{InputValue, InstanceIndex, NamePiece, NodeIndex, Prompt};
use super::classes::Classes;
use super::exports::Exports;
use super::graph::{Graph, data_flow};
use super::places::{Place, Places};
use super::scope::{Flow, FlowIndex, FlowOutput, Folded, Item, ItemInput, Scope, ScopeId, Value, What};
use super::{names, parameters};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

/// The bodies of a program.
pub(super) fn fold<'a>(
    prompt: &'a Prompt,
    classes: &'a Classes<'a>,
    graph: &'a Graph,
    ids: bool,
) -> Folded<'a> {
    let mut folder = Folder::new(prompt, classes, graph);
    folder.ids = ids;
    for level in folder.levels() {
        folder.level(&level);
    }
    let root = folder.draft(None);
    Folded { flows: folder.flows, root }
}

/// What an instance calls, and what it is given.
#[derive(Debug, Clone)]
struct Call<'a> {
    flow: FlowIndex,
    /// Values, and the inputs of instances around this one that they came through.
    args: Vec<(&'a InputValue, &'a [usize])>,
}

/// An instance with the draft of its body.
pub(super) type Draft<'a> = (InstanceIndex, Scope<'a>);

pub(super) struct Folder<'a> {
    pub(super) prompt: &'a Prompt,
    pub(super) classes: &'a Classes<'a>,
    pub(super) graph: &'a Graph,
    pub(super) flows: Vec<Flow<'a>>,
    /// Whether flows say the ids in them: then they differ where these do.
    ids: bool,
    /// Instances with nodes in them whose ids have to be kept.
    pinned: BTreeSet<&'a str>,
    /// By definition: its notes and frames, which flows say as well.
    remarks: HashMap<&'a str, String>,
    places: Places<'a>,
    exports: Exports<'a>,
    calls: Vec<Option<Call<'a>>>,
    /// By instance: its own nodes, the instances in it, the first node in it at any depth.
    nodes: Vec<Vec<NodeIndex>>,
    inside: Vec<Vec<InstanceIndex>>,
    first: Vec<Option<NodeIndex>>,
}

impl<'a> Folder<'a> {
    fn new(prompt: &'a Prompt, classes: &'a Classes<'a>, graph: &'a Graph) -> Self {
        let places = Places::new(prompt);
        let exports = Exports::new(prompt, &places);
        let count = prompt.instances.len();
        let mut nodes = vec![Vec::new(); count];
        let mut inside = vec![Vec::new(); count];
        let mut first: Vec<Option<NodeIndex>> = vec![None; count];
        for (index, node) in prompt.nodes.iter().enumerate() {
            if let Some(instance) = node.instance {
                nodes[instance].push(index);
                first[instance].get_or_insert(index);
            }
        }
        for (index, instance) in prompt.instances.iter().enumerate().rev() {
            if let Some(parent) = instance.parent {
                inside[parent].push(index);
                first[parent] = first[parent].into_iter().chain(first[index]).min();
            }
        }
        Self {
            prompt,
            classes,
            graph,
            flows: Vec::new(),
            ids: false,
            pinned: prompt.pinned_instances(),
            remarks: remarks(prompt),
            places,
            exports,
            calls: vec![None; count],
            nodes,
            inside,
            first,
        }
    }

    /// Instances with nodes in them, by how many levels of instances are in them.
    fn levels(&self) -> Vec<Vec<InstanceIndex>> {
        let mut heights = vec![0_usize; self.prompt.instances.len()];
        let mut levels: Vec<Vec<InstanceIndex>> = Vec::new();
        for (index, instance) in self.prompt.instances.iter().enumerate().rev() {
            if let Some(parent) = instance.parent {
                heights[parent] = heights[parent].max(heights[index] + 1);
            }
        }
        for (index, &height) in heights.iter().enumerate() {
            if self.first[index].is_some() {
                if levels.len() <= height {
                    levels.resize(height + 1, Vec::new());
                }
                levels[height].push(index);
            }
        }
        levels
    }

    /// Makes flows of instances whose inner instances are calls already.
    fn level(&mut self, instances: &[InstanceIndex]) {
        let mut groups: Vec<Vec<Draft<'a>>> = Vec::new();
        let mut by_key: HashMap<String, usize> = HashMap::new();
        for &instance in instances {
            let draft = self.draft(Some(instance));
            let group = *by_key.entry(self.key(instance, &draft)).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            groups[group].push((instance, draft));
        }
        for group in groups {
            self.flow(group);
        }
    }

    /// The body of a file or an instance, with links from outside still open.
    fn draft(&mut self, id: ScopeId) -> Scope<'a> {
        loop {
            let scope = self.items(id);
            let Err(stuck) = data_flow(scope.items.len(), |item| needs(&scope.items[item])) else {
                return scope;
            };
            let calls: Vec<InstanceIndex> = stuck
                .into_iter()
                .filter_map(|item| match scope.items[item].what {
                    What::Flow { index, .. } => Some(index),
                    What::Node { .. } => None,
                })
                .collect();
            if calls.is_empty() {
                return scope;
            }
            calls.into_iter().for_each(|call| self.places.splice(call));
        }
    }

    /// What is in a body, in the order of the workflow.
    fn contents(&self, id: ScopeId) -> Vec<Place> {
        let (mut nodes, mut open) = match id {
            Some(instance) => (self.nodes[instance].clone(), self.inside[instance].clone()),
            None => (
                (0..self.prompt.nodes.len())
                    .filter(|&node| self.prompt.nodes[node].instance.is_none())
                    .collect(),
                (0..self.prompt.instances.len())
                    .filter(|&index| self.prompt.instances[index].parent.is_none())
                    .collect(),
            ),
        };
        let mut contents: Vec<(NodeIndex, Place)> = Vec::new();
        while let Some(instance) = open.pop() {
            let Some(first) = self.first[instance] else { continue };
            if self.places.scope(Some(instance)) == Some(instance) {
                contents.push((first, Place::Instance(instance)));
            } else {
                nodes.extend(&self.nodes[instance]);
                open.extend(&self.inside[instance]);
            }
        }
        contents.extend(nodes.into_iter().map(|node| (node, Place::Node(node))));
        contents.sort_unstable();
        contents.into_iter().map(|(_, place)| place).collect()
    }

    fn items(&self, id: ScopeId) -> Scope<'a> {
        let contents = self.contents(id);
        let found: HashMap<Place, usize> =
            contents.iter().enumerate().map(|(item, &place)| (place, item)).collect();
        let mut scope = Scope { id, found, ..Scope::default() };
        for place in contents {
            let item = match place {
                Place::Node(node) => self.node_item(&scope, node),
                Place::Instance(instance) => self.call_item(&scope, instance),
            };
            scope.items.extend(item);
        }
        scope
    }

    fn node_item(&self, scope: &Scope<'a>, index: NodeIndex) -> Option<Item<'a>> {
        let node = &self.prompt.nodes[index];
        let levels = self.left_behind(node.instance, scope.id);
        let inputs = node.inputs.iter().map(|input| ItemInput {
            name: Cow::Borrowed(input.name.as_str()),
            value: self.value(scope, &input.value),
            through: input.through.get(levels..).unwrap_or_default(),
            span: input.span,
        });
        let what = What::Node { node, decl: self.classes.get(&node.class), each: self.graph.each[index] };
        Some(Item { what, id: self.local_id(scope.id, &node.id), inputs: inputs.collect() })
    }

    fn call_item(&self, scope: &Scope<'a>, index: InstanceIndex) -> Option<Item<'a>> {
        let call = self.calls[index].as_ref()?;
        let instance = &self.prompt.instances[index];
        let parameters = &self.flows[call.flow].scope.bindings;
        let levels = self.left_behind(instance.parent, scope.id);
        let inputs = parameters.iter().zip(&call.args).map(|(parameter, &(arg, through))| ItemInput {
            name: Cow::Owned(parameter.name.clone()),
            value: self.value(scope, arg),
            through: through.get(levels..).unwrap_or_default(),
            span: parameter.span,
        });
        let what = What::Flow { flow: call.flow, index, instance };
        Some(Item { what, id: self.local_id(scope.id, &instance.id), inputs: inputs.collect() })
    }

    /// How many instances are left on the way from the inside of one to a body around it: those that are written in
    /// place.
    fn left_behind(&self, from: ScopeId, to: ScopeId) -> usize {
        let around = std::iter::successors(from, |&instance| self.prompt.instances[instance].parent);
        around.take_while(|&instance| Some(instance) != to).count()
    }

    /// An id without those of the instances around it.
    fn local_id(&self, scope: ScopeId, id: &'a str) -> &'a str {
        let Some(instance) = scope else { return id };
        let local = id.strip_prefix(self.prompt.instances[instance].id.as_str());
        local.and_then(|rest| rest.strip_prefix(':')).unwrap_or(id)
    }

    fn value(&self, scope: &Scope<'a>, value: &'a InputValue) -> Value<'a> {
        let InputValue::Link { node, slot } = *value else { return Value::Given(value) };
        self.output(scope, node, slot).map_or(Value::Given(value), |(item, slot)| Value::Output(item, slot))
    }

    /// How a body names an output of a node, if it can.
    fn output(&self, scope: &Scope<'a>, node: NodeIndex, slot: u32) -> Option<(usize, u32)> {
        let place = self.places.seen_from(scope.id, node)?;
        let slot = match place {
            Place::Node(_) => slot,
            Place::Instance(instance) => self.exports.slot(instance, node, slot)?,
        };
        Some((*scope.found.get(&place)?, slot))
    }

    /// Two instances with the same key are calls of the same flow.
    fn key(&self, instance: InstanceIndex, draft: &Scope<'a>) -> String {
        let of = &self.prompt.instances[instance];
        let inputs: Vec<(&str, &str)> =
            of.inputs.iter().map(|input| (input.name.as_str(), input.ty.as_str())).collect();
        let remarks = self.remarks.get(of.definition.as_str());
        let mut key = format!("{:?} {inputs:?} {remarks:?}", of.name);
        let pinned = self.pinned.contains(of.id.as_str());
        for item in &draft.items {
            key.push('\n');
            if self.ids || pinned {
                push(&mut key, format_args!("{:?} ", item.id));
            }
            match item.what {
                What::Node { node, each, .. } => {
                    push(&mut key, format_args!("{:?} {each} {:?}", node.class, node.unnamed));
                }
                What::Flow { flow, .. } => push(&mut key, format_args!("{flow}")),
            }
            for input in &item.inputs {
                push(&mut key, format_args!(" {:?}:{:?}:", input.name, input.through.first()));
                match input.value {
                    Value::Output(item, slot) => push(&mut key, format_args!("{item}.{slot}")),
                    Value::Given(InputValue::Link { node, slot }) if self.graph.is_list(*node, *slot) => {
                        key.push_str("[?]");
                    }
                    _ => key.push('?'),
                }
            }
        }
        for (_, item, slot) in self.outputs(instance, draft) {
            push(&mut key, format_args!("\n-> {item}.{slot}"));
        }
        key
    }

    /// The outputs of an instance: which of its exports, and the output of which item.
    fn outputs(&self, instance: InstanceIndex, draft: &Scope<'a>) -> Vec<(usize, usize, u32)> {
        let exports = self.exports.of[instance].iter().enumerate();
        exports
            .filter_map(|(export, at)| {
                let (item, slot) = self.output(draft, at.node, at.slot)?;
                Some((export, item, slot))
            })
            .collect()
    }

    /// Makes one flow of instances with the same key.
    fn flow(&mut self, group: Vec<Draft<'a>>) {
        let Some((instance, draft)) = group.first() else { return };
        let first = &self.prompt.instances[*instance];
        let outputs = self.flow_outputs(*instance, draft);
        let parameters = parameters::choose(self, &group);
        let flow = self.flows.len();
        let instances: Vec<InstanceIndex> = group.iter().map(|(instance, _)| *instance).collect();
        for (instance, draft) in &group {
            let args = parameters.args(draft);
            self.calls[*instance] = Some(Call { flow, args });
        }
        let mut scopes = group.into_iter();
        let Some((_, mut scope)) = scopes.next() else { return };
        parameters.bind(&mut scope);
        self.flows.push(Flow {
            name: String::new(),
            definition: (&first.definition, &first.name),
            instances,
            scope,
            outputs,
        });
    }

    fn flow_outputs(&self, instance: InstanceIndex, draft: &Scope<'a>) -> Vec<FlowOutput<'a>> {
        let mut names = names::Names::default();
        let outputs = self.outputs(instance, draft).into_iter().map(|(export, item, slot)| {
            let export = &self.exports.of[instance][export];
            let node = &self.prompt.nodes[export.node];
            let listed = node.outputs.get(export.slot as usize);
            let (name, ty) = match (export.named, listed) {
                (Some(named), _) => named,
                (None, Some((name, ty))) => (name.as_str(), ty.as_str()),
                (None, None) => ("output", "*"),
            };
            FlowOutput {
                name: names.take(&names::output_name(name, ty)),
                comfy: ty,
                list: self.graph.is_list(export.node, export.slot),
                item,
                slot,
            }
        });
        outputs.collect()
    }

    /// What tells apart the values that an input has in several instances.
    pub(super) fn value_key(&self, scope: &Scope<'a>, value: &InputValue) -> String {
        match value {
            InputValue::Link { node, slot } => format!("{node}.{slot}"),
            InputValue::FileName(pieces) => {
                let pieces = pieces.iter().map(|piece| match piece {
                    NamePiece::Widget(node, input) => match scope.found.get(&Place::Node(*node)) {
                        Some(item) => format!("own {item} {input:?}"),
                        None => format!("outer {node} {input:?}"),
                    },
                    piece => format!("{piece:?}"),
                });
                format!("{:?}", pieces.collect::<Vec<_>>())
            }
            value => format!("{value:?}"),
        }
    }
}

/// Whether a value names what only the outside knows.
pub(super) fn is_open(scope: &Scope<'_>, value: &InputValue) -> bool {
    match value {
        InputValue::Link { .. } => true,
        InputValue::FileName(pieces) => pieces.iter().any(|piece| match piece {
            NamePiece::Widget(node, _) => !scope.found.contains_key(&Place::Node(*node)),
            _ => false,
        }),
        _ => false,
    }
}

fn remarks(prompt: &Prompt) -> HashMap<&str, String> {
    let mut remarks: HashMap<&str, String> = HashMap::new();
    let notes =
        prompt.notes.iter().map(|note| (&note.definition, format!("{:?}", (&note.title, &note.text))));
    let frames = prompt.groups.iter().map(|group| (&group.definition, group.title.clone()));
    for (definition, text) in notes.chain(frames) {
        if let Some(definition) = definition {
            remarks.entry(definition).or_default().push_str(&text);
        }
    }
    remarks
}

fn needs<'i>(item: &'i Item<'_>) -> impl Iterator<Item = usize> + 'i {
    item.links().map(|(source, _)| source)
}

fn push(key: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = key.write_fmt(text);
}
