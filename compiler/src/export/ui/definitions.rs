//! Which uses of flows are the same subgraph.
//!
//! A use of a flow is what evaluation left of it, and conditions may have left different calls. Uses whose calls are the
//! same, linked in the same way, share one definition; known values in which they differ become inputs of it, as do
//! those that have the name and the value of a parameter of the flow.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;

use floe_lang::comfy::editor::default_value;
use floe_lang::comfy::prompt::Json;
use floe_lang::decl::{InputDecl, Type};
use floe_lang::text::dynamic_prompt;

use super::bodies::{Bodies, Item, Origin, Port, link};
use super::written::Passed;
use crate::flat::{Arg, Call, Decl, InstanceId, Value};
use crate::inputs::{Args, Found};

/// A value in a body that could be an input of its definition.
#[derive(Debug, Clone, PartialEq)]
struct Column {
    target: Target,
    /// What the input is called.
    name: String,
    /// Its value in each use, in the order of the members.
    values: Vec<Value>,
    /// Whether the input is a socket: it has a value only if that is an input of the definition, and a widget's too.
    socket: bool,
    /// Whether the editor would resolve something in its value, unless that is an input of the definition.
    resolved: bool,
    /// Whether it is what every use was given for one parameter, by whose name it goes then.
    is_param: bool,
}

impl Column {
    fn call_by_param(&mut self, bodies: &Bodies<'_>, members: &[InstanceId]) {
        if self.is_param {
            return;
        }
        let params =
            members.iter().zip(&self.values).map(|(id, value)| param(bodies, *id, &self.name, value));
        let mut params: Vec<Option<&str>> = params.collect();
        params.dedup();
        if let [Some(name)] = params[..] {
            (self.name, self.is_param) = (name.to_owned(), true);
        }
    }
}

/// An input in a body: the place of the item, and which of its inputs: an argument of a call, or a promoted value of an
/// instance, by place.
pub(super) type Target = (usize, usize);

/// A value that is an input of a definition.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Promoted {
    /// What the input is called.
    pub(super) name: String,
    /// What it is given to.
    pub(super) targets: Vec<Target>,
    /// Its value in each use, in the order of the members.
    pub(super) values: Vec<Value>,
}

/// One subgraph.
#[derive(Debug)]
pub(super) struct Definition {
    /// The uses of a flow that it stands for.
    pub(super) members: Vec<InstanceId>,
    /// The values that are inputs.
    pub(super) promoted: Vec<Promoted>,
    /// By what is taken from outside: what its widget stores, where it leads to one.
    pub(super) widgets: Vec<Option<Json>>,
}

/// All subgraphs, inner ones first.
#[derive(Debug, Default)]
pub(super) struct Definitions {
    pub(super) all: Vec<Definition>,
    /// By instance: its definition, and its place among the members.
    of: HashMap<InstanceId, (usize, usize)>,
}

impl Definitions {
    pub(super) fn new(bodies: &Bodies<'_>, passed: &Passed) -> Definitions {
        let mut definitions = Definitions::default();
        for instances in by_height(bodies) {
            let mut groups: BTreeMap<String, Vec<(InstanceId, Vec<Column>)>> = BTreeMap::new();
            let mut order: Vec<String> = Vec::new();
            for id in instances {
                let (signature, columns) = definitions.shape(bodies, passed, id);
                let group = groups.entry(signature.clone()).or_default();
                if group.is_empty() {
                    order.push(signature);
                }
                group.push((id, columns));
            }
            for signature in order {
                let members = groups.remove(&signature).unwrap_or_default();
                definitions.define(bodies, members);
            }
        }
        definitions
    }

    /// The definition of an instance, and the values of its promoted inputs.
    pub(super) fn of(&self, id: InstanceId) -> Option<(usize, Vec<&Value>)> {
        let &(definition, member) = self.of.get(&id)?;
        let values = self.all[definition].promoted.iter().map(|promoted| &promoted.values[member]);
        Some((definition, values.collect()))
    }

    fn define(&mut self, bodies: &Bodies<'_>, members: Vec<(InstanceId, Vec<Column>)>) {
        let at = self.all.len();
        self.of.extend(members.iter().enumerate().map(|(member, (id, _))| (*id, (at, member))));
        let ids: Vec<InstanceId> = members.iter().map(|(id, _)| *id).collect();
        let mut columns = members.into_iter().map(|(_, columns)| columns);
        let mut all = columns.next().unwrap_or_default();
        for more in columns {
            for (column, other) in all.iter_mut().zip(more) {
                column.values.extend(other.values);
                column.resolved |= other.resolved;
            }
        }
        for column in &mut all {
            column.call_by_param(bodies, &ids);
        }
        let (sockets, widgets): (Vec<Column>, Vec<Column>) =
            all.into_iter().partition(|column| column.socket);
        let needed: HashSet<String> = sockets.iter().map(|column| format!("{:?}", column.values)).collect();
        let is_promoted = |column: &Column| {
            column.resolved
                || column.values.iter().any(|value| *value != column.values[0])
                || column.is_param
                || needed.contains(&format!("{:?}", column.values))
        };
        let mut promoted = merged(widgets.into_iter().filter(is_promoted).collect(), sockets);
        // In the order of the flow's parameters, as its author has them.
        let params = &bodies.flat.instances[ids[0].index()].args;
        let place = |name: &str| params.iter().position(|(param, _)| param.as_ref() == name);
        promoted.sort_by_key(|value| place(&value.name).unwrap_or(usize::MAX));
        let widgets = self.widgets(bodies, ids[0]);
        self.all.push(Definition { members: ids, promoted, widgets });
    }

    /// What the widgets store that the inputs of a body lead to.
    fn widgets(&self, bodies: &Bodies<'_>, id: InstanceId) -> Vec<Option<Json>> {
        let body = bodies.body(Some(id));
        let mut widgets = vec![None; body.inputs.len()];
        let mut lead = |port: Port, stored: Option<Json>| {
            if let (Some(Origin::Input(plug)), Some(stored)) = (bodies.origin(Some(id), port), stored) {
                widgets[plug].get_or_insert(stored);
            }
        };
        for item in &body.items {
            match item {
                Item::Call(call) => {
                    let call = bodies.flat.call(*call);
                    let args = Args::of(call);
                    for arg in &call.args {
                        if let (Some(port), Some(input)) = (link(arg), widget(call, &args, &arg.name)) {
                            lead(port, Some(default_value(input).unwrap_or(Json::Null)));
                        }
                    }
                }
                Item::Instance(inner) => {
                    let Some(&(definition, _)) = self.of.get(inner) else { continue };
                    for (&port, stored) in
                        bodies.body(Some(*inner)).inputs.iter().zip(&self.all[definition].widgets)
                    {
                        lead(port, stored.clone());
                    }
                }
            }
        }
        widgets
    }

    /// What a body is but for its values, and these.
    fn shape(&self, bodies: &Bodies<'_>, passed: &Passed, id: InstanceId) -> (String, Vec<Column>) {
        let instance = &bodies.flat.instances[id.index()];
        let text = format!("{:?} ", instance.definition);
        let mut shape = Shape { passed, text, columns: Vec::new() };
        for (place, item) in bodies.body(Some(id)).items.iter().enumerate() {
            match item {
                Item::Call(call) => shape.call(bodies, id, place, bodies.flat.call(*call)),
                Item::Instance(inner) => {
                    let Some((definition, values)) = self.of(*inner) else { continue };
                    let promoted = &self.all[definition].promoted;
                    let called = bodies.place(*item);
                    for (input, (promoted, value)) in promoted.iter().zip(values).enumerate() {
                        let param = passed.param(called, &promoted.name, false);
                        let kind = Kind::Widget { resolved: false };
                        shape.column((place, input), &promoted.name, param, value, kind);
                    }
                    let _ = write!(shape.text, "definition {definition}");
                    for &port in &bodies.body(Some(*inner)).inputs {
                        shape.origin(bodies.origin(Some(id), port));
                    }
                }
            }
            shape.text.push('\n');
        }
        for &port in &bodies.body(Some(id)).outputs {
            shape.origin(bodies.origin(Some(id), port));
        }
        (shape.text, shape.columns)
    }
}

/// A body in words, as it is gathered.
struct Shape<'p> {
    passed: &'p Passed,
    text: String,
    columns: Vec<Column>,
}

impl Shape<'_> {
    fn call(&mut self, bodies: &Bodies<'_>, id: InstanceId, place: usize, call: &Call) {
        let _ = write!(self.text, "{:?} {:?} {:?}", call.decl.name, call.mode, call.marks.widgets);
        let args = Args::of(call);
        for (input, arg) in call.args.iter().enumerate() {
            let _ = write!(self.text, " {:?}", arg.name);
            if let Some(port) = link(arg) {
                self.origin(bodies.origin(Some(id), port));
                continue;
            }
            match kind(call, &args, arg) {
                Kind::Fixed => {
                    let _ = write!(self.text, "={:?}", arg.value);
                }
                kind => {
                    let param = self.passed.param(call.place, &arg.name, input == 0);
                    self.column((place, input), &arg.name, param, &arg.value, kind);
                }
            }
        }
    }

    fn column(&mut self, target: Target, name: &str, param: Option<&str>, value: &Value, kind: Kind) {
        self.text.push_str(" _");
        let (socket, resolved) =
            (matches!(kind, Kind::Socket), matches!(kind, Kind::Widget { resolved: true }));
        self.columns.push(Column {
            target,
            name: param.unwrap_or(name).to_owned(),
            values: vec![value.clone()],
            socket,
            resolved,
            is_param: param.is_some(),
        });
    }

    fn origin(&mut self, origin: Option<Origin>) {
        let _ = write!(self.text, " {origin:?}");
    }
}

/// Columns of one name that are the same in every use are one input. A socket joins a widget of the same values; without
/// one it has no value.
fn merged(widgets: Vec<Column>, sockets: Vec<Column>) -> Vec<Promoted> {
    let mut all: Vec<Promoted> = Vec::new();
    let mut places: HashMap<(String, String), usize> = HashMap::new();
    let mut by_values: HashMap<String, usize> = HashMap::new();
    for Column { target, name, values, .. } in widgets {
        let text = format!("{values:?}");
        match places.entry((name.clone(), text.clone())) {
            Entry::Occupied(place) => all[*place.get()].targets.push(target),
            Entry::Vacant(place) => {
                place.insert(all.len());
                by_values.entry(text).or_insert(all.len());
                all.push(Promoted { name, targets: vec![target], values });
            }
        }
    }
    for Column { target, values, .. } in sockets {
        if let Some(&place) = by_values.get(&format!("{values:?}")) {
            all[place].targets.push(target);
        }
    }
    all
}

/// What could be made of a known value.
enum Kind {
    /// The editor could show it on the instance.
    Widget {
        /// It should: inside, something in the value would be resolved.
        resolved: bool,
    },
    /// It needs a widget of the instance.
    Socket,
    /// It decides about other inputs, or there is no place for it on an instance.
    Fixed,
}

fn kind(call: &Call, args: &Args<'_>, arg: &Arg) -> Kind {
    let input = match args.input(&arg.name) {
        Found::Input(input) if arg.value.is_scalar() && matches!(call.decl, Decl::Library(_)) => input,
        _ => return Kind::Fixed,
    };
    match &input.ty {
        Type::Dynamic(_) => Kind::Fixed,
        _ if widget(call, args, &arg.name).is_some() => {
            Kind::Widget { resolved: is_resolved(input, &arg.value) }
        }
        _ => Kind::Socket,
    }
}

/// Whether the editor would resolve something in a text when the workflow is submitted.
pub(super) fn is_resolved(input: &InputDecl, value: &Value) -> bool {
    let Value::Str(text) = value else { return false };
    input.marks.dynamic_prompts && dynamic_prompt::first(text) != text.as_ref()
}

/// The declaration of an input that has a widget. Growing inputs are sockets, whatever their type.
fn widget<'c>(call: &'c Call, args: &Args<'c>, name: &str) -> Option<&'c InputDecl> {
    match args.input(name) {
        Found::Input(input) if matches!(call.decl, Decl::Library(_)) => {
            let own = name.rsplit('.').next() == Some(input.name.as_ref());
            (own && input.has_widget()).then_some(input)
        }
        _ => None,
    }
}

/// The parameter of a flow that a value came through, as far as that can be told: one of the same name, or the only one
/// with this text.
fn param<'f>(bodies: &Bodies<'f>, id: InstanceId, name: &str, value: &Value) -> Option<&'f str> {
    let args = &bodies.flat.instances[id.index()].args;
    let mut same = args.iter().filter(|(_, given)| given == value).map(|(param, _)| param.as_ref());
    if let Some(param) = same.clone().find(|param| *param == name) {
        return Some(param);
    }
    let telling = matches!(value, Value::Str(text) if !text.is_empty());
    let first = same.next().filter(|_| telling)?;
    same.next().is_none().then_some(first)
}

/// The instances that have calls, by how many instances are nested in them.
fn by_height(bodies: &Bodies<'_>) -> Vec<Vec<InstanceId>> {
    let count = bodies.flat.instances.len();
    let mut heights = vec![0; count];
    let mut levels: Vec<Vec<InstanceId>> = Vec::new();
    // Outer ones come first, so that going backwards each is complete when it is reached.
    for index in (0..count).rev() {
        if let Some(parent) = bodies.flat.instances[index].parent {
            heights[parent.index()] = heights[parent.index()].max(heights[index] + 1);
        }
    }
    for (id, height) in (0..).map(InstanceId).zip(heights) {
        if bodies.body(Some(id)).items.is_empty() {
            continue;
        }
        if levels.len() <= height {
            levels.resize_with(height + 1, Vec::new);
        }
        levels[height].push(id);
    }
    levels
}
