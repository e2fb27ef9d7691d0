//! What only people read, and what is switched off.

use super::budget::{Budget, weight};
use super::emit::instance_of;
use super::file::{File, Graph, Kind, Mode, Node, Origin, pair};
use super::log::Log;
use super::scopes::{Scopes, Site};
use super::widgets;
use crate::comfy::json::Value;
use crate::comfy::prompt::{Disabled, Group, Json, Note, Prompt};

/// Adds notes, groups and nodes that are switched off.
pub(super) fn add(scopes: &Scopes<'_, '_>, prompt: &mut Prompt, budget: &mut Budget, log: &mut Log) {
    for graph in &scopes.file.graphs {
        let definition = graph.definition.then(|| graph.id.to_owned());
        let notes = graph.nodes.iter().filter(|node| node.kind == Kind::Note);
        prompt.notes.extend(notes.filter_map(|node| note(node, definition.clone())));
        prompt.groups.extend(groups(graph, definition.as_ref()));
    }
    for scope in 0..scopes.all.len() {
        for (at, node) in scopes.graph(scope).nodes.iter().enumerate() {
            if node.mode != Mode::On && matches!(node.kind, Kind::Plain | Kind::Instance(_)) {
                if budget.is_spent() {
                    return;
                }
                let disabled = disabled(scopes, (scope, at), log);
                let values: usize =
                    disabled.values.iter().map(|(name, value)| name.len() + weight(value)).sum();
                let links: usize = disabled.links.iter().map(|(name, from)| name.len() + from.len()).sum();
                budget.spend(disabled.id.len() + disabled.class.len() + values + links);
                prompt.disabled.push(disabled);
            }
        }
    }
}

fn note(node: &Node<'_>, definition: Option<String>) -> Option<Note> {
    let text = node.stored().and_then(|values| values.at(0).unwrap_or(values).text())?;
    let usual = ["Note", "MarkdownNote", "Markdown Note", ""];
    let title = node.written_title().filter(|title| !usual.contains(title));
    Some(Note {
        title: title.map(str::to_owned),
        text: text.to_owned(),
        place: node.place(),
        size: node.value.get("size").and_then(pair),
        definition,
    })
}

fn groups<'g>(graph: &'g Graph<'_>, definition: Option<&'g String>) -> impl Iterator<Item = Group> + 'g {
    let listed = graph.value.get("groups").map(Value::items).unwrap_or_default();
    listed.iter().filter_map(move |group| {
        let bounds = group.get("bounding")?;
        let number =
            |at: usize| bounds.at(at).or_else(|| bounds.get(&at.to_string())).and_then(Value::number);
        let title = group.get("title").and_then(Value::text).unwrap_or("");
        Some(Group {
            title: title.to_owned(),
            bounds: (number(0)?, number(1)?, number(2)?, number(3)?),
            definition: definition.cloned(),
        })
    })
}

fn disabled(scopes: &Scopes<'_, '_>, site: Site, log: &mut Log) -> Disabled {
    let node = scopes.node(site);
    Disabled {
        id: scopes.id(site),
        class: class(scopes.file, node),
        title: node.title(),
        bypassed: node.mode == Mode::Bypassed,
        links: links(scopes.file, scopes.graph(site.0), node),
        values: values(node, log),
        instance: instance_of(site.0),
    }
}

/// The class of a node; the name of the subgraph where it is an instance.
fn class(file: &File<'_>, node: &Node<'_>) -> String {
    match node.kind {
        Kind::Instance(graph) => file.graphs[graph].name.to_owned(),
        _ => node.class.to_owned(),
    }
}

/// What the sockets of a node are linked to, as people see it.
fn links(file: &File<'_>, graph: &Graph<'_>, node: &Node<'_>) -> Vec<(String, String)> {
    let linked = node.inputs.iter().filter_map(|socket| {
        let from = match behind(graph, socket.link?) {
            Origin::Node { node, .. } => {
                let node = &graph.nodes[node];
                node.title().unwrap_or_else(|| class(file, node))
            }
            Origin::Input(plug) => {
                graph.inputs.get(plug).map(|plug| plug.label.unwrap_or(plug.name).to_owned())?
            }
        };
        Some((socket.name.to_owned(), from))
    });
    linked.collect()
}

/// What is linked to the first of some reroutes, as far as anybody would follow them.
fn behind(graph: &Graph<'_>, mut origin: Origin) -> Origin {
    const STEPS: usize = 32;
    for _ in 0..STEPS {
        let Origin::Node { node, .. } = origin else { break };
        let before = match graph.nodes[node].kind {
            Kind::Reroute | Kind::Set => node,
            Kind::Get(keeper) => keeper,
            _ => break,
        };
        let Some(next) = graph.nodes[before].inputs.first().and_then(|socket| socket.link) else { break };
        origin = next;
    }
    origin
}

fn values(node: &Node<'_>, log: &mut Log) -> Vec<(String, Json)> {
    match node.decl {
        Some(decl) => {
            let widgets = widgets::widgets(node, decl, log).into_iter();
            widgets.filter_map(|widget| Some((widget.name, widget.value?))).collect()
        }
        None => {
            let named = widgets::guess(node, log).named.into_iter();
            named.map(|(name, value, _)| (name, value)).collect()
        }
    }
}
