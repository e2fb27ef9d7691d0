//! Widgets that a subgraph shows on its instances: which there are, and their values.
//!
//! An input of a definition that leads to a widget is a widget of every instance. Instances store its value by position
//! among all such inputs. Older files list the widgets instead, in `proxyWidgets`: pairs of an inner node's id and the
//! name of its widget, values by position in that list; these widgets need not be linked to an input.

use super::file::{File, Graph, GraphAt, Kind, NodeAt, declared};
use super::log::Log;
use super::own::OwnValues;
use super::scopes::{ScopeAt, Scopes, Site};
use crate::Span;
use crate::comfy::MAX_DEPTH;
use crate::comfy::json::{Text, Value};
use crate::comfy::prompt::Json;
use crate::comfy::values;
use crate::decl::InputDecl;
use std::collections::HashMap;

/// Which inputs of each definition are widgets of its instances.
pub(super) fn promoted(file: &File<'_>) -> Vec<Vec<bool>> {
    let mut known: Vec<Option<Vec<bool>>> = file.graphs.iter().map(|_| None).collect();
    for graph in 0..file.graphs.len() {
        promoted_in(file, graph, 0, &mut known);
    }
    known.into_iter().map(Option::unwrap_or_default).collect()
}

/// Recursion is as deep as subgraphs may be nested; beyond, nothing is expanded anyway.
fn promoted_in(file: &File<'_>, graph: GraphAt, depth: usize, known: &mut Vec<Option<Vec<bool>>>) {
    if known[graph].is_some() || depth > MAX_DEPTH {
        return;
    }
    // A definition that uses itself finds no widgets here.
    known[graph] = Some(vec![false; file.graphs[graph].inputs.len()]);
    let mut result = vec![false; file.graphs[graph].inputs.len()];
    for (plug, targets) in file.graphs[graph].taken.iter().enumerate() {
        for &(node, input) in targets {
            if let Kind::Instance(inner) = file.graphs[graph].nodes[node].kind {
                promoted_in(file, inner, depth + 1, known);
            }
            result[plug] |= has_widget(file, graph, node, input, known);
        }
    }
    known[graph] = Some(result);
}

/// Whether a socket of a node stands for a widget.
fn has_widget(
    file: &File<'_>,
    graph: GraphAt,
    node: NodeAt,
    input: usize,
    known: &[Option<Vec<bool>>],
) -> bool {
    let node = &file.graphs[graph].nodes[node];
    let Some(socket) = node.inputs.get(input) else { return false };
    match (node.kind, node.decl) {
        (Kind::Instance(inner), _) => {
            known[inner].as_ref().and_then(|known| known.get(input)).copied().unwrap_or(false)
        }
        (Kind::Plain, Some(decl)) => declared_widget(declared(decl, socket.name), socket.name),
        (Kind::Plain, None) => socket.widget.is_some(),
        _ => false,
    }
}

/// Growing inputs are sockets, whatever their type.
fn declared_widget(input: Option<&InputDecl>, name: &str) -> bool {
    input.is_some_and(|input| input.has_widget() && name.rsplit('.').next() == Some(input.name.as_ref()))
}

/// Which widget of a definition a pair of `proxyWidgets` means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proxy<'v> {
    /// That of an input of the definition.
    Input(usize),
    /// A widget of a node inside that is not linked to any.
    Inner(NodeAt, &'v str),
}

/// A widget inside of a definition: node, name.
type InnerWidget<'v> = (NodeAt, &'v str);

/// Values that instances give to widgets inside, for all scopes.
pub(super) struct Promotions<'s, 'f, 'v> {
    scopes: &'s Scopes<'f, 'v>,
    promoted: &'s [Vec<bool>],
    /// Values of inputs by scope, as far as the instance stores them.
    stored: HashMap<(ScopeAt, usize), &'v Value<'v>>,
    /// Values of widgets that are linked to no input.
    inner: HashMap<(Site, &'v str), &'v Value<'v>>,
    /// Widgets that some instance of a definition shows although they are linked to no input, in order.
    shown: Vec<Vec<InnerWidget<'v>>>,
    /// Their places.
    shown_at: HashMap<(GraphAt, InnerWidget<'v>), usize>,
    own: OwnValues<'f, 'v>,
    /// Values that were looked up.
    found: HashMap<(ScopeAt, usize), (Option<Json>, Span)>,
}

impl<'s, 'f, 'v> Promotions<'s, 'f, 'v> {
    pub(super) fn new(scopes: &'s Scopes<'f, 'v>, promoted: &'s [Vec<bool>]) -> Self {
        let mut promotions = Promotions {
            scopes,
            promoted,
            stored: HashMap::new(),
            inner: HashMap::new(),
            shown: scopes.file.graphs.iter().map(|_| Vec::new()).collect(),
            shown_at: HashMap::new(),
            own: OwnValues::new(scopes.file),
            found: HashMap::new(),
        };
        let names: Vec<Names<'v>> = scopes.file.graphs.iter().map(Names::of).collect();
        for scope in 1..scopes.all.len() {
            promotions.read(scope, &names);
        }
        promotions
    }

    fn read(&mut self, scope: ScopeAt, names: &[Names<'v>]) {
        let Some(host) = self.scopes.all[scope].host else { return };
        let graph = self.scopes.all[scope].graph;
        let node = self.scopes.node(host);
        let values = node.stored().map(Value::items).unwrap_or_default();
        match node.property("proxyWidgets").map(Value::items).filter(|pairs| !pairs.is_empty()) {
            None => {
                let inputs = self.promoted[graph].iter().enumerate().filter(|(_, promoted)| **promoted);
                for ((plug, _), value) in inputs.zip(values) {
                    self.stored.insert((scope, plug), value);
                }
            }
            Some(pairs) => {
                for (at, pair) in pairs.iter().enumerate() {
                    if let Some(proxy) = names[graph].proxy(pair) {
                        self.give(scope, graph, proxy, values.get(at));
                    }
                }
            }
        }
    }

    fn give(&mut self, scope: ScopeAt, graph: GraphAt, proxy: Proxy<'v>, value: Option<&'v Value<'v>>) {
        match proxy {
            Proxy::Input(plug) => {
                if let Some(value) = value {
                    self.stored.insert((scope, plug), value);
                }
            }
            Proxy::Inner(node, name) => {
                let shown = &mut self.shown[graph];
                self.shown_at.entry((graph, (node, name))).or_insert_with(|| {
                    shown.push((node, name));
                    shown.len() - 1
                });
                if let Some(value) = value {
                    self.inner.insert(((scope, node), name), value);
                }
            }
        }
    }

    /// The widgets that some instance of a definition shows although no input leads to them.
    pub(super) fn shown(&self, graph: GraphAt) -> &[InnerWidget<'v>] {
        &self.shown[graph]
    }

    /// The place among [`Self::shown`] of a widget.
    pub(super) fn shown_at(&self, (scope, node): Site, name: &str) -> Option<usize> {
        self.shown_at.get(&(self.scopes.all[scope].graph, (node, name))).copied()
    }

    /// The value that an instance gives to a widget that is linked to no input of its definition.
    pub(super) fn inner(&self, site: Site, name: &str, log: &mut Log) -> Option<(Json, Span)> {
        let value = self.inner.get(&(site, name))?;
        Some((values::json(value, &mut log.warnings), value.span))
    }

    /// The value of the widget that an instance has for an input of its definition: what the instance stores, else
    /// that of the first widget inside.
    pub(super) fn value(&mut self, scope: ScopeAt, plug: usize, log: &mut Log) -> (Option<Json>, Span) {
        if let Some(found) = self.found.get(&(scope, plug)) {
            return found.clone();
        }
        let found = self.look_up(scope, plug, 0, log);
        self.found.insert((scope, plug), found.clone());
        found
    }

    /// Recursion is as deep as subgraphs may be nested.
    fn look_up(&mut self, scope: ScopeAt, plug: usize, depth: usize, log: &mut Log) -> (Option<Json>, Span) {
        if let Some(value) = self.stored.get(&(scope, plug)) {
            return (Some(values::json(value, &mut log.warnings)), value.span);
        }
        let at = self.scopes.all[scope].graph;
        let graph = self.scopes.graph(scope);
        for &(node, input) in graph.taken.get(plug).into_iter().flatten() {
            let inside = &graph.nodes[node];
            if let Kind::Instance(inner) = inside.kind {
                let promoted = self.promoted[inner].get(input).copied().unwrap_or(false);
                // A muted or bypassed instance has no scope, and then no value that anybody sees.
                match self.scopes.child((scope, node)).filter(|_| promoted && depth <= MAX_DEPTH) {
                    Some(child) => return self.look_up(child, input, depth + 1, log),
                    None => continue,
                }
            }
            let Some(socket) = inside.inputs.get(input) else { continue };
            if let Some(own) = self.own.get(at, node, socket.widget.unwrap_or(socket.name), log) {
                return (own.value.clone(), own.span);
            }
        }
        (None, graph.inputs.get(plug).map_or(Span::new(0, 0), |plug| plug.span))
    }
}

/// What pairs of `proxyWidgets` may name in a definition.
struct Names<'v> {
    nodes: HashMap<Text<'v>, NodeAt>,
    inputs: HashMap<&'v str, usize>,
    /// Inputs of the definition by the widgets that they lead to.
    linked: HashMap<InnerWidget<'v>, usize>,
}

impl<'v> Names<'v> {
    fn of(graph: &Graph<'v>) -> Names<'v> {
        let mut names = Names { nodes: HashMap::new(), inputs: HashMap::new(), linked: HashMap::new() };
        if !graph.definition {
            return names;
        }
        for (at, node) in graph.nodes.iter().enumerate() {
            names.nodes.entry(node.written.clone()).or_insert(at);
        }
        for (plug, targets) in graph.taken.iter().enumerate() {
            names.inputs.entry(graph.inputs[plug].name).or_insert(plug);
            for &(node, input) in targets {
                let socket = &graph.nodes[node].inputs[input];
                names.linked.insert((node, socket.widget.unwrap_or(socket.name)), plug);
            }
        }
        names
    }

    fn proxy(&self, pair: &'v Value<'v>) -> Option<Proxy<'v>> {
        let (id, name) = (pair.at(0)?.id()?, pair.at(1)?.text()?);
        if id == "-1" {
            return self.inputs.get(name).copied().map(Proxy::Input);
        }
        let node = *self.nodes.get(&id)?;
        Some(self.linked.get(&(node, name)).map_or(Proxy::Inner(node, name), |&plug| Proxy::Input(plug)))
    }
}
