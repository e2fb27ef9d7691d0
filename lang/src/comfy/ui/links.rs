//! The table of links: which output leads to which socket.

use super::file::{Graph, NodeAt, Origin};
use super::log::Log;
use crate::Span;
use crate::comfy::error::{ImportWarning, Lost};
use crate::comfy::json::{Text, Value};
use std::collections::HashMap;

/// Where a link ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Target {
    /// A socket of a node, counted as the file lists them.
    Input(NodeAt, usize),
    /// An output of the definition.
    Output(usize),
}

/// A link that counts.
pub(super) struct Link {
    pub(super) id: Option<i128>,
    pub(super) target: Target,
    pub(super) origin: Origin,
}

/// A row of the table.
struct Row<'v> {
    id: Option<i128>,
    from: Text<'v>,
    from_slot: u32,
    to: Text<'v>,
    to_slot: u32,
    span: Span,
}

/// What each socket is linked to. Where several rows name one socket, the one survives whose number the socket holds,
/// else the first.
pub(super) fn read<'v>(graph: &Graph<'v>, log: &mut Log) -> Vec<Link> {
    let rows = rows(graph, log);
    let ends = Ends::of(graph);
    let mut chosen: HashMap<Target, usize> = HashMap::new();
    let mut order = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let Some(target) = ends.target(row, graph, log) else { continue };
        match chosen.get(&target).copied() {
            None => {
                chosen.insert(target, at);
                order.push(target);
            }
            Some(before) => {
                let claimed = claim(graph, target);
                let wins = claimed.is_some() && rows[at].id == claimed && rows[before].id != claimed;
                let (kept, dropped) = if wins { (at, before) } else { (before, at) };
                chosen.insert(target, kept);
                log.warn(ImportWarning::CompetingLinks { kept: rows[kept].span, span: rows[dropped].span });
            }
        }
    }
    claims(graph, &rows, log);
    let link = |target: Target| {
        let row = &rows[*chosen.get(&target)?];
        Some(Link { id: row.id, target, origin: ends.origin(row, graph, log)? })
    };
    order.into_iter().filter_map(link).collect()
}

/// Sorts the targets of an input of a definition as its list of links does.
pub(super) fn order(targets: &mut [(NodeAt, usize)], plug: &Value<'_>, graph: &Graph<'_>) {
    let listed = plug.get("linkIds").map(Value::items).unwrap_or_default();
    let places: HashMap<i128, usize> =
        listed.iter().enumerate().filter_map(|(at, id)| Some((id.int()?, at))).collect();
    targets.sort_by_key(|&(node, input)| {
        let claim = graph.nodes[node].inputs[input].claim;
        claim.and_then(|id| places.get(&id).copied()).unwrap_or(usize::MAX)
    });
}

fn rows<'v>(graph: &Graph<'v>, log: &mut Log) -> Vec<Row<'v>> {
    let listed = graph.value.get("links").map(Value::items).unwrap_or_default();
    let mut rows = Vec::with_capacity(listed.len());
    for value in listed.iter().filter(|value| !value.is_null()) {
        match row(value) {
            Some(row) => rows.push(row),
            None => log.warn(ImportWarning::BadRow { span: value.span }),
        }
    }
    rows
}

/// `[id, origin, slot, target, slot, type]`, or an object with these under their names.
fn row<'v>(value: &'v Value<'v>) -> Option<Row<'v>> {
    let part = |at: usize, key: &str| if value.is_array() { value.at(at) } else { value.get(key) };
    let slot = |value: &Value<'_>| value.int().and_then(|slot| u32::try_from(slot).ok());
    Some(Row {
        id: part(0, "id").and_then(Value::int),
        from: part(1, "origin_id")?.id()?,
        from_slot: slot(part(2, "origin_slot")?)?,
        to: part(3, "target_id")?.id()?,
        to_slot: slot(part(4, "target_slot")?)?,
        span: value.span,
    })
}

fn claim(graph: &Graph<'_>, target: Target) -> Option<i128> {
    match target {
        Target::Input(node, at) => graph.nodes[node].inputs.get(at).and_then(|socket| socket.claim),
        Target::Output(_) => None,
    }
}

/// Tells of sockets that hold the number of a link that is not in the table.
fn claims(graph: &Graph<'_>, rows: &[Row<'_>], log: &mut Log) {
    let known: std::collections::HashSet<i128> = rows.iter().filter_map(|row| row.id).collect();
    for socket in graph.nodes.iter().flat_map(|node| &node.inputs) {
        if let Some(link) = socket.claim.filter(|link| !known.contains(link)) {
            let lost = Lost::Row { input: socket.name.to_owned(), link };
            log.warn(ImportWarning::LostLink { lost, span: socket.span });
        }
    }
}

/// Who the ids in the table are.
struct Ends<'v> {
    nodes: HashMap<Text<'v>, NodeAt>,
    inputs: Text<'v>,
    outputs: Text<'v>,
    definition: bool,
}

impl<'v> Ends<'v> {
    fn of(graph: &Graph<'v>) -> Ends<'v> {
        let mut nodes: HashMap<Text<'v>, NodeAt> = HashMap::with_capacity(graph.nodes.len());
        for (at, node) in graph.nodes.iter().enumerate() {
            if !node.written.is_empty() {
                nodes.entry(node.written.clone()).or_insert(at);
            }
        }
        let frame = |key: &str, usual: &'static str| {
            let id = graph.value.get(key).and_then(|node| node.get("id")).and_then(Value::id);
            id.unwrap_or(Text::Borrowed(usual))
        };
        Ends {
            nodes,
            inputs: frame("inputNode", "-10"),
            outputs: frame("outputNode", "-20"),
            definition: graph.definition,
        }
    }

    fn target(&self, row: &Row<'v>, graph: &Graph<'v>, log: &mut Log) -> Option<Target> {
        let slot = row.to_slot as usize;
        if let Some(&node) = self.nodes.get(&row.to) {
            if slot < socket_count(graph, node) {
                return Some(Target::Input(node, slot));
            }
            let class = graph.nodes[node].class.to_owned();
            log.warn(ImportWarning::LostLink {
                lost: Lost::Socket { class, slot: row.to_slot },
                span: row.span,
            });
            return None;
        }
        if self.definition && row.to == self.outputs {
            return (slot < graph.outputs.len()).then_some(Target::Output(slot));
        }
        if graph.refused.contains(&row.to) {
            return None;
        }
        log.warn(ImportWarning::LostLink { lost: Lost::Target { id: row.to.to_string() }, span: row.span });
        None
    }

    fn origin(&self, row: &Row<'v>, graph: &Graph<'v>, log: &mut Log) -> Option<Origin> {
        if let Some(&node) = self.nodes.get(&row.from) {
            return Some(Origin::Node { node, slot: row.from_slot });
        }
        if self.definition && row.from == self.inputs {
            let slot = row.from_slot as usize;
            return (slot < graph.inputs.len()).then_some(Origin::Input(slot));
        }
        if graph.refused.contains(&row.from) {
            return None;
        }
        log.warn(ImportWarning::LostLink { lost: Lost::Origin { id: row.from.to_string() }, span: row.span });
        None
    }
}

/// How many sockets links may name: those that are listed, else those of the class.
fn socket_count(graph: &Graph<'_>, node: NodeAt) -> usize {
    let node = &graph.nodes[node];
    let declared = node.decl.map_or(0, |decl| decl.visible_inputs().count());
    if node.inputs.is_empty() { declared } else { node.inputs.len() }
}
