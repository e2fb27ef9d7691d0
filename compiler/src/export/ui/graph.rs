//! A body as an editor draws it: nodes with ids and places, and the links between them.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use floe_lang::comfy::editor::socket_type;
use floe_lang::comfy::prompt::Json;
use floe_lang::decl::Type;

use super::bodies::{Bodies, Item, Origin, Port, link};
use super::definitions::{Definition, Definitions};
use super::remarks::Remarks;
use super::size::{self, Content};
use super::sockets::{Face, Socket, face};
use super::values::json;
use crate::export::layout;
use crate::flat::{Call, CallId, InstanceId, Marks, Mode, Value};

/// The ids that the borders of a subgraph go by in its links.
pub(super) const INPUT: i64 = -10;
pub(super) const OUTPUT: i64 = -20;

/// A drawn body.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    pub(super) links: Vec<Link>,
    pub(super) frames: Vec<Option<layout::Bounds>>,
    pub(super) notes: Vec<DrawnNote>,
}

/// A drawn note.
#[derive(Debug)]
pub(super) struct DrawnNote {
    pub(super) id: i64,
    pub(super) text: String,
    pub(super) place: (f64, f64),
    pub(super) size: (f64, f64),
}

/// A drawn node.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) id: i64,
    /// Its class, or the id of its definition.
    pub(super) class: String,
    pub(super) title: Option<String>,
    pub(super) is_instance: bool,
    /// The node pack that brings its class.
    pub(super) pack: Option<String>,
    pub(super) inputs: Vec<Input>,
    /// Name and type.
    pub(super) outputs: Vec<(String, String)>,
    pub(super) values: Vec<Json>,
    pub(super) mode: i64,
    pub(super) place: (f64, f64),
    pub(super) size: (f64, f64),
}

/// An input of a drawn node.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) name: String,
    pub(super) ty: String,
    pub(super) widget: bool,
    pub(super) optional: bool,
    pub(super) link: Option<i64>,
}

/// A drawn link.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) id: i64,
    pub(super) from: (i64, usize),
    pub(super) to: (i64, usize),
    pub(super) ty: String,
}

/// An argument that has no place in a workflow file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Lost {
    pub(super) call: CallId,
    pub(super) arg: usize,
}

/// Ids of nodes and links, unique in the file.
#[derive(Debug)]
pub(super) struct Ids {
    used: BTreeSet<i64>,
    next_node: i64,
    next_link: i64,
}

impl Ids {
    /// Ids for the nodes of some bodies: what annotations say, where it is a number that nobody else has.
    pub(super) fn new(bodies: &Bodies<'_>, drawn: &[Option<InstanceId>]) -> Ids {
        let wanted = drawn.iter().flat_map(|body| &bodies.body(*body).items);
        let wanted = wanted.filter_map(|item| wish(marks(bodies, *item)));
        let highest = wanted.max().unwrap_or(0);
        Ids { used: BTreeSet::new(), next_node: highest + 1, next_link: 1 }
    }

    fn node(&mut self, marks: &Marks) -> i64 {
        if let Some(id) = wish(marks).filter(|id| self.used.insert(*id)) {
            return id;
        }
        self.next_node += 1;
        self.next_node - 1
    }

    fn link(&mut self) -> i64 {
        self.next_link += 1;
        self.next_link - 1
    }

    /// The highest ids of nodes and of links.
    pub(super) fn last(&self) -> (i64, i64) {
        let highest = self.used.last().copied().unwrap_or(0);
        (highest.max(self.next_node - 1), self.next_link - 1)
    }
}

/// The id that an annotation asks for.
fn wish(marks: &Marks) -> Option<i64> {
    const HIGHEST: i64 = 1 << 40;
    let id = marks.id.as_deref()?.parse::<i64>().ok()?;
    (1..HIGHEST).contains(&id).then_some(id)
}

fn marks<'f>(bodies: &Bodies<'f>, item: Item) -> &'f Marks {
    match item {
        Item::Call(call) => &bodies.flat.call(call).marks,
        Item::Instance(id) => &bodies.flat.instances[id.index()].marks,
    }
}

/// Draws bodies.
pub(super) struct Drawer<'b, 'f> {
    pub(super) bodies: &'b Bodies<'f>,
    pub(super) definitions: &'b Definitions,
    /// The id of each definition.
    pub(super) uuids: &'b [String],
    /// What the comments of the program say.
    pub(super) remarks: &'b Remarks,
    pub(super) ids: Ids,
    pub(super) lost: BTreeSet<Lost>,
}

impl Drawer<'_, '_> {
    /// Draws a body. Of a definition, the first use is drawn.
    pub(super) fn draw(&mut self, body: Option<InstanceId>, definition: Option<&Definition>) -> Graph {
        let items = &self.bodies.body(body).items;
        let promoted: BTreeSet<(usize, usize)> = definition
            .iter()
            .flat_map(|of| of.promoted.iter().flat_map(|value| value.targets.iter().copied()))
            .collect();
        let mut graph = Graph::default();
        let mut sources: Vec<Vec<Option<Source>>> = Vec::new();
        let mut boxes = Boxes::default();
        if body.is_none() {
            self.remarks.loose.iter().for_each(|&note| boxes.note(self.remarks, note));
        }
        for (place, &item) in items.iter().enumerate() {
            let drawn = match item {
                Item::Call(id) => self.call(body, id, &|arg| promoted.contains(&(place, arg))),
                Item::Instance(id) => self.instance(body, id, &|value| promoted.contains(&(place, value))),
            };
            let Some((node, from)) = drawn else { continue };
            let written = self.bodies.place(item);
            let taken = layout::Node {
                width: node.size.0,
                height: node.size.1,
                fixed: marks(self.bodies, item).pos,
                frame: self.remarks.frame(written),
            };
            boxes.node(taken, self.remarks, self.remarks.notes(written));
            graph.nodes.push(node);
            sources.push(from);
        }
        self.link(&mut graph, &sources, body, definition);
        let notes = boxes.place(&mut graph, &self.remarks.titles);
        graph.notes = notes
            .into_iter()
            .map(|(note, place)| {
                let text = self.remarks.notes[note].text.clone();
                DrawnNote { id: self.ids.node(&Marks::default()), size: size::note(&text), text, place }
            })
            .collect();
        graph
    }

    fn call(
        &mut self,
        body: Option<InstanceId>,
        id: CallId,
        promoted: &dyn Fn(usize) -> bool,
    ) -> Option<Drawn> {
        let call = self.bodies.flat.call(id);
        let Face { inputs, values, lost, content } = face(call, promoted);
        self.lost.extend(lost.into_iter().map(|arg| Lost { call: id, arg }));
        let source = |socket: &Socket| {
            let at = socket.arg?;
            match link(&call.args[at]) {
                Some(port) => self.bodies.origin(body, port).map(|origin| Source::Origin(origin, port)),
                None => promoted(at).then_some(Source::Promoted(at)),
            }
        };
        let sources = inputs.iter().map(source).collect();
        let node = Node {
            id: self.ids.node(&call.marks),
            class: call.decl.name.to_string(),
            title: call.marks.label.as_deref().map(str::to_owned),
            is_instance: false,
            pack: call.decl.marks.pack.as_ref().map(ToString::to_string),
            inputs: inputs.into_iter().map(input).collect(),
            outputs: outputs(call),
            values,
            mode: match call.mode {
                Mode::On => 0,
                Mode::Mute => 2,
                Mode::Bypass => 4,
            },
            place: (0.0, 0.0),
            size: content.size(),
        };
        Some((node, sources))
    }

    fn instance(
        &mut self,
        body: Option<InstanceId>,
        id: InstanceId,
        promoted: &dyn Fn(usize) -> bool,
    ) -> Option<Drawn> {
        let instance = &self.bodies.flat.instances[id.index()];
        let inner = self.bodies.body(Some(id));
        let (definition, values) = self.definitions.of(id)?;
        let names = names(self.bodies, &self.definitions.all[definition]);
        let mut inputs = Vec::new();
        let mut sources = Vec::new();
        // Inputs that lead to widgets are widgets of the instance as well, linked or not, and store a value.
        let stored = &self.definitions.all[definition].widgets;
        for ((&port, name), stored) in inner.inputs.iter().zip(&names.inputs).zip(stored) {
            let ty = self.type_of(port);
            inputs.push(Input {
                name: name.clone(),
                ty,
                widget: stored.is_some(),
                optional: false,
                link: None,
            });
            sources.push(self.bodies.origin(body, port).map(|origin| Source::Origin(origin, port)));
        }
        let promoted_names = names.inputs.iter().skip(inner.inputs.len());
        for (at, (value, name)) in
            self.definitions.all[definition].promoted.iter().zip(promoted_names).enumerate()
        {
            let ty = scalar_type(&value.values[0]).to_owned();
            inputs.push(Input { name: name.clone(), ty, widget: true, optional: false, link: None });
            sources.push(promoted(at).then_some(Source::Promoted(at)));
        }
        let title = instance.marks.label.as_deref().unwrap_or(&instance.flow).to_owned();
        let outputs: Vec<(String, String)> =
            inner.outputs.iter().zip(names.outputs).map(|(&port, name)| (name, self.type_of(port))).collect();
        let content = Content {
            title: title.chars().count(),
            sockets: (
                inputs.iter().filter(|input| !input.widget).map(|input| input.name.chars().count()).collect(),
                outputs.iter().map(|output| output.0.chars().count()).collect(),
            ),
            widgets: inputs
                .iter()
                .filter(|input| input.widget)
                .map(|input| input.name.chars().count() + 20)
                .collect(),
            ..Content::default()
        };
        let node = Node {
            id: self.ids.node(&instance.marks),
            class: self.uuids[definition].clone(),
            title: Some(title),
            is_instance: true,
            pack: None,
            inputs,
            outputs,
            values: stored.iter().flatten().cloned().chain(values.into_iter().filter_map(json)).collect(),
            mode: 0,
            place: (0.0, 0.0),
            size: content.size(),
        };
        Some((node, sources))
    }

    /// Makes the links of a body.
    fn link(
        &mut self,
        graph: &mut Graph,
        sources: &[Vec<Option<Source>>],
        body: Option<InstanceId>,
        definition: Option<&Definition>,
    ) {
        let taken = self.bodies.body(body).inputs.len();
        let mut by_target = std::collections::BTreeMap::new();
        for (plug, value) in definition.iter().flat_map(|of| of.promoted.iter().enumerate()) {
            by_target.extend(value.targets.iter().map(|target| (*target, plug)));
        }
        for (place, sources) in sources.iter().enumerate() {
            for (slot, source) in sources.iter().enumerate() {
                let from = match source {
                    None => continue,
                    Some(Source::Origin(Origin::Item(item, output), _)) => (graph.nodes[*item].id, *output),
                    Some(Source::Origin(Origin::Input(input), _)) => (INPUT, *input),
                    Some(Source::Promoted(input)) => match by_target.get(&(place, *input)) {
                        Some(plug) => (INPUT, taken + plug),
                        None => continue,
                    },
                };
                let ty = match source {
                    Some(Source::Origin(_, port)) => self.type_of(*port),
                    _ => graph.nodes[place].inputs[slot].ty.clone(),
                };
                let id = self.ids.link();
                graph.nodes[place].inputs[slot].link = Some(id);
                graph.links.push(Link { id, from, to: (graph.nodes[place].id, slot), ty });
            }
        }
        for (slot, &port) in self.bodies.body(body).outputs.iter().enumerate() {
            if let Some(Origin::Item(item, output)) = self.bodies.origin(body, port) {
                let (id, from, ty) = (self.ids.link(), (graph.nodes[item].id, output), self.type_of(port));
                graph.links.push(Link { id, from, to: (OUTPUT, slot), ty });
            }
        }
    }

    /// ComfyUI's type of an output.
    pub(super) fn type_of(&self, (call, slot): Port) -> String {
        let call = self.bodies.flat.call(call);
        call.decl.outputs.get(slot as usize).map_or("*".to_owned(), |output| output_type(call, &output.ty))
    }
}

/// Where what an input is given comes from.
#[derive(Debug, Clone, Copy)]
enum Source {
    Origin(Origin, Port),
    /// An input of the definition, by what it is given to.
    Promoted(usize),
}

/// A node, and where its inputs come from.
type Drawn = (Node, Vec<Option<Source>>);

fn input(socket: Socket) -> Input {
    let Socket { name, ty, widget, optional, .. } = socket;
    Input { name, ty, widget, optional, link: None }
}

/// The outputs of a call; those that nobody declares but somebody uses have no name.
fn outputs(call: &Call) -> Vec<(String, String)> {
    call.decl.outputs.iter().map(|output| (output.name.to_string(), output_type(call, &output.ty))).collect()
}

fn output_type(call: &Call, ty: &Type) -> String {
    match ty {
        Type::Match { template, .. } => {
            let matched = call.matched.iter().find(|(name, _)| name == template);
            matched.map_or("*".to_owned(), |(_, ty)| socket_type(ty).into_owned())
        }
        ty => socket_type(ty).into_owned(),
    }
}

/// The type of a value that is an input of a subgraph.
pub(super) fn scalar_type(value: &Value) -> &'static str {
    match value {
        Value::Int(_) => "INT",
        Value::Float(_) => "FLOAT",
        Value::Bool(_) => "BOOLEAN",
        _ => "STRING",
    }
}

/// Notes up to this height stand above their node, larger ones for themselves.
const TALL_NOTE: f64 = 300.0;

/// Free space between a note and the node below, whose title stands in it.
const NOTE_GAP: f64 = 50.0;

/// Everything that takes up space in a body.
#[derive(Debug, Default)]
struct Boxes {
    all: Vec<layout::Node>,
    /// The box of each node, and how far below its upper edge the node stands.
    nodes: Vec<(usize, f64)>,
    /// The same of notes.
    notes: Vec<(usize, usize, f64)>,
    known: BTreeSet<usize>,
}

impl Boxes {
    /// Adds a note for itself, once.
    fn note(&mut self, remarks: &Remarks, note: usize) {
        if self.known.insert(note) {
            let (width, height) = size::note(&remarks.notes[note].text);
            self.notes.push((note, self.all.len(), 0.0));
            let frame = remarks.notes[note].frame;
            self.all.push(layout::Node { width, height, fixed: None, frame });
        }
    }

    /// Adds a node with the notes above its statement, where another node has not taken them already.
    fn node(&mut self, mut node: layout::Node, remarks: &Remarks, notes: Range<usize>) {
        let stands_free =
            |note: usize| node.fixed.is_some() || size::note(&remarks.notes[note].text).1 > TALL_NOTE;
        notes.clone().filter(|&note| stands_free(note)).for_each(|note| self.note(remarks, note));
        let (at, mut below) = (self.all.len(), 0.0);
        for note in notes {
            if self.known.insert(note) {
                let (width, height) = size::note(&remarks.notes[note].text);
                self.notes.push((note, at, below));
                below += height + NOTE_GAP;
                node.width = node.width.max(width);
            }
        }
        node.height += below;
        self.nodes.push((at, below));
        self.all.push(node);
    }

    /// Gives nodes their places; those of notes.
    fn place(self, graph: &mut Graph, titles: &[String]) -> Vec<(usize, (f64, f64))> {
        const ROW: f64 = 20.0;
        let by_id: HashMap<i64, (usize, f64)> =
            graph.nodes.iter().zip(&self.nodes).map(|(node, &at)| (node.id, at)).collect();
        let links: Vec<layout::Link> = graph
            .links
            .iter()
            .filter_map(|link| {
                let ((from, from_below), (to, to_below)) =
                    (*by_id.get(&link.from.0)?, *by_id.get(&link.to.0)?);
                let port = |slot: usize, below: f64| below + slot as f64 * ROW + ROW / 2.0;
                let ports = (port(link.from.1, from_below), port(link.to.1, to_below));
                Some(layout::Link { from, to, ports })
            })
            .collect();
        let widths: Vec<f64> = titles.iter().map(|title| size::frame(title)).collect();
        let layout = layout::layout(&self.all, &links, &widths);
        let place = |at: usize, below: f64| (layout.places[at].0, layout.places[at].1 + below);
        for (node, &(at, below)) in graph.nodes.iter_mut().zip(&self.nodes) {
            node.place = place(at, below);
        }
        let notes = self.notes.into_iter().map(|(note, at, below)| (note, place(at, below))).collect();
        graph.frames = layout.frames;
        notes
    }
}

/// What the inputs and outputs of a definition are called: each has a name of its own.
pub(super) struct Names {
    pub(super) inputs: Vec<String>,
    pub(super) outputs: Vec<String>,
}

/// Names from the parameters and results of the flow, else from what gives or takes them.
pub(super) fn names(bodies: &Bodies<'_>, definition: &Definition) -> Names {
    let id = definition.members[0];
    let instance = &bodies.flat.instances[id.index()];
    let body = bodies.body(Some(id));
    let output_name = |port: &Port| {
        let outputs = &bodies.flat.call(port.0).decl.outputs;
        outputs.get(port.1 as usize).map_or("output".to_owned(), |output| output.name.to_string())
    };
    let is = |value: &Value, port: &Port| super::bodies::port(value).as_ref() == Some(port);
    let input = |port: &Port| {
        let arg = instance.args.iter().find(|(_, value)| is(value, port));
        arg.map_or_else(|| output_name(port), |(name, _)| name.to_string())
    };
    let output = |port: &Port| {
        let result = instance.outputs.iter().find(|(_, value)| is(value, port));
        result.and_then(|(name, _)| name.as_deref().map(str::to_owned)).unwrap_or_else(|| output_name(port))
    };
    let promoted = definition.promoted.iter().map(|value| value.name.clone());
    Names {
        inputs: unique(body.inputs.iter().map(input).chain(promoted)),
        outputs: unique(body.outputs.iter().map(output)),
    }
}

/// Adds numbers where a name is there before.
fn unique(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut numbers: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
    names
        .map(|name| {
            let mut free = name.clone();
            while !seen.insert(free.clone()) {
                let number = numbers.entry(name.clone()).or_insert(1);
                *number += 1;
                free = format!("{name}_{number}");
            }
            free
        })
        .collect()
}
