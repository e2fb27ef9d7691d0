//! The values that nodes store for their own widgets, whatever instances and links say.

use super::file::{File, GraphAt, NodeAt};
use super::log::Log;
use super::{primitives, widgets};
use crate::Span;
use crate::comfy::prompt::Json;
use crate::decl::Type;
use std::collections::HashMap;

/// A value that a node stores.
#[derive(Debug, Clone)]
pub(super) struct Own {
    /// The value; none where neither the file nor the class has one.
    pub(super) value: Option<Json>,
    pub(super) span: Span,
    /// Whether the widget is one for fractions.
    pub(super) fraction: bool,
}

/// Values by node, read once for each.
pub(super) struct OwnValues<'f, 'v> {
    file: &'f File<'v>,
    read: HashMap<(GraphAt, NodeAt), HashMap<String, Own>>,
}

impl<'f, 'v> OwnValues<'f, 'v> {
    pub(super) fn new(file: &'f File<'v>) -> Self {
        OwnValues { file, read: HashMap::new() }
    }

    /// The value of a widget of a node.
    pub(super) fn get(&mut self, graph: GraphAt, node: NodeAt, name: &str, log: &mut Log) -> Option<&Own> {
        let file = self.file;
        self.read.entry((graph, node)).or_insert_with(|| values(file, graph, node, log)).get(name)
    }
}

fn values(file: &File<'_>, graph: GraphAt, at: NodeAt, log: &mut Log) -> HashMap<String, Own> {
    let node = &file.graphs[graph].nodes[at];
    let Some(decl) = node.decl else {
        let named = widgets::guess(node, log).named.into_iter();
        return named
            .map(|(name, value, span)| (name, Own { value: Some(value), span, fraction: false }))
            .collect();
    };
    let mut own = widgets::widgets(node, decl, log);
    primitives::write(&file.graphs[graph], at, &mut own, log);
    let own = own.into_iter().map(|widget| {
        let fraction = widget.decl.is_some_and(|decl| decl.ty == Type::Float);
        (widget.name, Own { value: widget.value, span: widget.span, fraction })
    });
    own.collect()
}
