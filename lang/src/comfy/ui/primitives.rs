//! PrimitiveNode: no node of the server; it writes its value into the widgets that it is linked to.

use super::file::{Graph, Kind, NodeAt, Origin};
use super::log::Log;
use super::widgets::{Widget, multiline};
use crate::comfy::json::Value;
use crate::comfy::prompt::Json;
use crate::comfy::values;
use crate::decl::Type;
use std::collections::HashMap;

/// Writes values of PrimitiveNodes into the widgets of a node, muted and bypassed ones too. It reaches no widget behind
/// a reroute or the edge of a subgraph. Those with a text to be filled in are told by place.
pub(super) fn write(graph: &Graph<'_>, at: NodeAt, widgets: &mut [Widget<'_>], log: &mut Log) -> Vec<usize> {
    let linked: Vec<(&str, NodeAt)> = linked(graph, at).collect();
    if linked.is_empty() {
        return Vec::new();
    }
    let places: HashMap<String, usize> =
        widgets.iter().enumerate().map(|(place, widget)| (widget.name.clone(), place)).collect();
    let mut replaced = Vec::new();
    for (name, primitive) in linked {
        let primitive = &graph.nodes[primitive];
        let value = primitive.stored().and_then(|values| values.at(0));
        let (Some(value), Some(&place)) = (value, places.get(name)) else { continue };
        let widget = &mut widgets[place];
        let read = values::json(value, &mut log.warnings);
        let area = widget.decl.is_some_and(|decl| decl.ty == Type::String && decl.marks.multiline);
        widget.value = Some(if area { Json::String(multiline(&read)) } else { read });
        widget.span = value.span;
        if primitive.property("Run widget replace on values").and_then(Value::bool) == Some(true) {
            replaced.push(place);
        }
    }
    replaced
}

/// The widgets of a node that are linked to PrimitiveNodes, with these.
fn linked<'g>(graph: &'g Graph<'_>, at: NodeAt) -> impl Iterator<Item = (&'g str, NodeAt)> {
    graph.nodes[at].inputs.iter().filter_map(|socket| match socket.link {
        Some(Origin::Node { node, .. }) if graph.nodes[node].kind == Kind::Primitive => {
            Some((socket.widget.unwrap_or(socket.name), node))
        }
        _ => None,
    })
}
