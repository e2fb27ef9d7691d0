//! The JSON of a workflow file.

use floe_lang::comfy::prompt::Json;

use super::definitions::Definition;
use super::graph::{Drawer, DrawnNote, Graph, INPUT, Input, Link, Node, OUTPUT, names, scalar_type};
use crate::export::layout::Bounds;

/// Width of what stands for the inputs or outputs of a subgraph.
const BORDER: f64 = 120.0;

fn text(text: &str) -> Json {
    Json::String(text.to_owned())
}

fn int(value: impl TryInto<i128>) -> Json {
    Json::Int(value.try_into().unwrap_or(0))
}

/// A number without a point where it needs none.
fn number(value: f64) -> Json {
    if value.fract() == 0.0 && value.abs() < 1e15 { Json::Int(value as i128) } else { Json::Float(value) }
}

fn numbers<const N: usize>(values: [f64; N]) -> Json {
    Json::Array(values.into_iter().map(number).collect())
}

fn object<const N: usize>(members: [(&str, Json); N]) -> Json {
    Json::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// The whole file.
pub(super) fn file(root: &Graph, titles: &[String], subgraphs: Vec<Json>, last: (i64, i64)) -> Json {
    let mut members = vec![
        ("last_node_id", int(last.0)),
        ("last_link_id", int(last.1)),
        ("nodes", nodes(root)),
        ("links", Json::Array(root.links.iter().map(row).collect())),
        ("groups", groups(root, titles)),
        ("config", object([])),
        ("extra", object([])),
        ("version", Json::Float(0.4)),
    ];
    if !subgraphs.is_empty() {
        members.insert(5, ("definitions", object([("subgraphs", Json::Array(subgraphs))])));
    }
    Json::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// A subgraph.
pub(super) fn subgraph(drawer: &Drawer<'_, '_>, definition: &Definition, graph: &Graph, uuid: &str) -> Json {
    let id = definition.members[0];
    let body = drawer.bodies.body(Some(id));
    let names = names(drawer.bodies, definition);
    let promoted = definition.promoted.iter().map(|value| scalar_type(&value.values[0]).to_owned());
    let inputs = body.inputs.iter().map(|port| drawer.type_of(*port)).chain(promoted);
    let outputs = body.outputs.iter().map(|port| drawer.type_of(*port));
    let (left, right, middle) = edges(graph);
    let taken = plugs(graph, uuid, names.inputs.into_iter().zip(inputs), |link| {
        (link.from.0 == INPUT).then_some(link.from.1)
    });
    let given = plugs(graph, uuid, names.outputs.into_iter().zip(outputs), |link| {
        (link.to.0 == OUTPUT).then_some(link.to.1)
    });
    let border = |id: i64, left: f64, plugs: &[Json]| {
        let height = plugs.len() as f64 * 20.0 + 40.0;
        object([("id", int(id)), ("bounding", numbers([left, middle - height / 2.0, BORDER, height]))])
    };
    let (input, output) =
        (border(INPUT, left - 2.0 * BORDER, &taken), border(OUTPUT, right + BORDER, &given));
    let mut ids = graph.nodes.iter().map(|node| node.id).chain(graph.notes.iter().map(|note| note.id));
    let highest = |ids: &mut dyn Iterator<Item = i64>| int(ids.max().unwrap_or(0));
    object([
        ("id", text(uuid)),
        ("version", int(1)),
        (
            "state",
            object([
                ("lastGroupId", int(graph.frames.iter().flatten().count())),
                ("lastNodeId", highest(&mut ids)),
                ("lastLinkId", highest(&mut graph.links.iter().map(|link| link.id))),
                ("lastRerouteId", int(0)),
            ]),
        ),
        ("revision", int(0)),
        ("config", object([])),
        ("name", text(&drawer.bodies.flat.instances[id.index()].flow)),
        ("inputNode", input),
        ("outputNode", output),
        ("inputs", Json::Array(taken)),
        ("outputs", Json::Array(given)),
        ("widgets", Json::Array(Vec::new())),
        ("nodes", nodes(graph)),
        ("groups", groups(graph, &drawer.remarks.titles)),
        ("links", Json::Array(graph.links.iter().map(link).collect())),
        ("extra", object([])),
    ])
}

/// The inputs or outputs of a subgraph; `place` says to which of them a link is fastened.
fn plugs(
    graph: &Graph,
    uuid: &str,
    named: impl Iterator<Item = (String, String)>,
    place: impl Fn(&Link) -> Option<usize>,
) -> Vec<Json> {
    let named: Vec<(String, String)> = named.collect();
    let mut links = vec![Vec::new(); named.len()];
    for link in &graph.links {
        if let Some(links) = place(link).and_then(|place| links.get_mut(place)) {
            links.push(int(link.id));
        }
    }
    let plugs = named.into_iter().zip(links).enumerate().map(|(at, ((name, ty), links))| {
        object([
            ("id", text(&format!("{uuid}-{at}"))),
            ("name", text(&name)),
            ("type", text(&ty)),
            ("linkIds", Json::Array(links)),
        ])
    });
    plugs.collect()
}

/// Left and right edge of a body, and the middle of its height.
fn edges(graph: &Graph) -> (f64, f64, f64) {
    let fold = |values: &mut dyn Iterator<Item = f64>, better: fn(f64, f64) -> f64| {
        values.reduce(better).unwrap_or(0.0)
    };
    let boxes = || {
        let nodes = graph.nodes.iter().map(|node| (node.place, node.size));
        nodes.chain(graph.notes.iter().map(|note| (note.place, note.size)))
    };
    let left = fold(&mut boxes().map(|(place, _)| place.0), f64::min);
    let right = fold(&mut boxes().map(|(place, size)| place.0 + size.0), f64::max);
    let top = fold(&mut boxes().map(|(place, _)| place.1), f64::min);
    let bottom = fold(&mut boxes().map(|(place, size)| place.1 + size.1), f64::max);
    (left, right, ((top + bottom) / 2.0).round())
}

/// A link as a file's own graph has it.
fn row(link: &Link) -> Json {
    Json::Array(vec![
        int(link.id),
        int(link.from.0),
        int(link.from.1),
        int(link.to.0),
        int(link.to.1),
        text(&link.ty),
    ])
}

/// A link as a subgraph has it.
fn link(link: &Link) -> Json {
    object([
        ("id", int(link.id)),
        ("origin_id", int(link.from.0)),
        ("origin_slot", int(link.from.1)),
        ("target_id", int(link.to.0)),
        ("target_slot", int(link.to.1)),
        ("type", text(&link.ty)),
    ])
}

fn groups(graph: &Graph, titles: &[String]) -> Json {
    let drawn = titles.iter().zip(&graph.frames).filter_map(|(title, frame)| Some((title, (*frame)?)));
    let group = |(at, (title, (left, top, width, height))): (usize, (&String, Bounds))| {
        object([
            ("id", int(at + 1)),
            ("title", text(title)),
            ("bounding", numbers([left, top, width, height])),
            ("color", text("#3f789e")),
            ("font_size", int(24)),
            ("flags", object([])),
        ])
    };
    Json::Array(drawn.enumerate().map(group).collect())
}

fn nodes(graph: &Graph) -> Json {
    let mut fastened: std::collections::HashMap<(i64, usize), Vec<Json>> = std::collections::HashMap::new();
    for link in &graph.links {
        fastened.entry(link.from).or_default().push(int(link.id));
    }
    let node = |(order, node): (usize, &Node)| {
        let outputs = node.outputs.iter().enumerate().map(|(slot, (name, ty))| {
            let links = fastened.get(&(node.id, slot)).map_or(Json::Null, |links| Json::Array(links.clone()));
            object([("name", text(name)), ("type", text(ty)), ("slot_index", int(slot)), ("links", links)])
        });
        let mut members = vec![
            ("id", int(node.id)),
            ("type", text(&node.class)),
            ("pos", numbers([node.place.0, node.place.1])),
            ("size", numbers([node.size.0, node.size.1])),
            ("flags", object([])),
            ("order", int(order)),
            ("mode", int(node.mode)),
            ("inputs", Json::Array(node.inputs.iter().map(socket).collect())),
            ("outputs", Json::Array(outputs.collect())),
            ("properties", properties(node)),
            ("widgets_values", Json::Array(node.values.clone())),
        ];
        if let Some(title) = &node.title {
            members.insert(2, ("title", text(title)));
        }
        Json::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    };
    let nodes = graph.nodes.iter().enumerate().map(node);
    let notes = graph.notes.iter().zip(graph.nodes.len()..).map(|(drawn, order)| note(drawn, order));
    Json::Array(nodes.chain(notes).collect())
}

fn note(note: &DrawnNote, order: usize) -> Json {
    object([
        ("id", int(note.id)),
        ("type", text("MarkdownNote")),
        ("pos", numbers([note.place.0, note.place.1])),
        ("size", numbers([note.size.0, note.size.1])),
        ("flags", object([])),
        ("order", int(order)),
        ("mode", int(0)),
        ("inputs", Json::Array(Vec::new())),
        ("outputs", Json::Array(Vec::new())),
        ("properties", object([])),
        ("widgets_values", Json::Array(vec![text(&note.text)])),
        ("color", text("#432")),
        ("bgcolor", text("#000")),
    ])
}

fn properties(node: &Node) -> Json {
    let mut members = Vec::new();
    if !node.is_instance {
        members.push(("Node name for S&R", text(&node.class)));
    }
    if let Some(pack) = &node.pack {
        // Repositories are `owner/name`; the registry's names have no slash.
        members.push((if pack.contains('/') { "aux_id" } else { "cnr_id" }, text(pack)));
    }
    Json::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn socket(input: &Input) -> Json {
    let mut members = vec![("name", text(&input.name)), ("type", text(&input.ty))];
    if input.optional && !input.widget {
        // A hollow circle: it may be left open.
        members.push(("shape", int(7)));
    }
    if input.widget {
        members.push(("widget", object([("name", text(&input.name))])));
    }
    members.push(("link", input.link.map_or(Json::Null, int)));
    Json::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}
