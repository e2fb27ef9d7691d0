//! Subgraphs expanded: each use of a definition is a scope of its own.

use super::budget::Budget;
use super::file::{File, Graph, GraphAt, Kind, Mode, Node, NodeAt};
use super::log::Log;
use crate::Span;
use crate::comfy::error::ImportError;
use crate::comfy::prompt::NodeIndex;
use crate::comfy::{Limits, MAX_DEPTH};
use std::collections::HashMap;

/// Place of a scope in [`Scopes::all`]; the first is the root.
pub(super) type ScopeAt = usize;

/// A node in a scope.
pub(super) type Site = (ScopeAt, NodeAt);

/// The root, or one use of a definition.
pub(super) struct Scope {
    pub(super) graph: GraphAt,
    /// The node that uses the definition; none for the root.
    pub(super) host: Option<Site>,
    /// The ids of the instances around it, each with a colon.
    pub(super) prefix: String,
    /// The scopes of the instances in it.
    pub(super) children: HashMap<NodeAt, ScopeAt>,
    /// Where its nodes are in the prompt, by their place in the graph.
    pub(super) indices: Vec<Option<NodeIndex>>,
}

/// All scopes of a file.
pub(super) struct Scopes<'f, 'v> {
    pub(super) file: &'f File<'v>,
    pub(super) all: Vec<Scope>,
    /// Nodes that run, in the order of the prompt.
    pub(super) order: Vec<Site>,
}

impl<'f, 'v> Scopes<'f, 'v> {
    /// Expands what is switched on.
    ///
    /// # Errors
    /// Definitions that use themselves, nesting or more nodes beyond the limits.
    pub(super) fn expand(
        file: &'f File<'v>,
        limits: Limits,
        budget: &mut Budget,
        log: &mut Log,
    ) -> Option<Scopes<'f, 'v>> {
        let scopes = Scopes { file, all: Vec::new(), order: Vec::new() };
        let mut expansion = Expansion { scopes, limits, budget, count: 0, open: Vec::new() };
        match expansion.scope(0, None, String::new(), Span::new(0, 0)) {
            Ok(_) => Some(expansion.scopes),
            Err(error) => {
                log.error(error);
                None
            }
        }
    }

    /// The graph of a scope.
    pub(super) fn graph(&self, scope: ScopeAt) -> &'f Graph<'v> {
        &self.file.graphs[self.all[scope].graph]
    }

    /// A node in a scope.
    pub(super) fn node(&self, (scope, node): Site) -> &'f Node<'v> {
        &self.graph(scope).nodes[node]
    }

    /// The scope of an instance that is switched on.
    pub(super) fn child(&self, (scope, node): Site) -> Option<ScopeAt> {
        self.all[scope].children.get(&node).copied()
    }

    /// Where a node is in the prompt.
    pub(super) fn index(&self, (scope, node): Site) -> Option<NodeIndex> {
        self.all[scope].indices[node]
    }

    /// Its id, with those of the instances around it.
    pub(super) fn id(&self, site: Site) -> String {
        format!("{}{}", self.all[site.0].prefix, self.node(site).id)
    }
}

struct Expansion<'b, 'f, 'v> {
    scopes: Scopes<'f, 'v>,
    limits: Limits,
    budget: &'b mut Budget,
    count: usize,
    /// The definitions around the place that is expanded.
    open: Vec<GraphAt>,
}

impl Expansion<'_, '_, '_> {
    /// Recursion is as deep as subgraphs are nested, which is limited.
    fn scope(
        &mut self,
        graph: GraphAt,
        host: Option<Site>,
        prefix: String,
        span: Span,
    ) -> Result<ScopeAt, ImportError> {
        let file = self.scopes.file;
        self.guard(graph, span)?;
        self.open.push(graph);
        let scope = self.scopes.all.len();
        let nodes = &file.graphs[graph].nodes;
        let indices = vec![None; nodes.len()];
        self.scopes.all.push(Scope { graph, host, prefix, children: HashMap::new(), indices });
        for (at, node) in nodes.iter().enumerate() {
            match node.kind {
                Kind::Plain if node.mode == Mode::On => {
                    self.scopes.all[scope].indices[at] = Some(self.scopes.order.len());
                    self.scopes.order.push((scope, at));
                }
                Kind::Instance(inner) if node.mode == Mode::On => {
                    let prefix = format!("{}:", self.scopes.id((scope, at)));
                    if !self.budget.spend(prefix.len()) {
                        return Err(ImportError::ExpandsTooFar { limit: self.limits.expanded });
                    }
                    let child = self.scope(inner, Some((scope, at)), prefix, node.span)?;
                    self.scopes.all[scope].children.insert(at, child);
                }
                _ => {}
            }
        }
        self.open.pop();
        Ok(scope)
    }

    fn guard(&mut self, graph: GraphAt, span: Span) -> Result<(), ImportError> {
        let file = self.scopes.file;
        if self.open.contains(&graph) {
            let name = file.graphs[graph].name.to_owned();
            return Err(ImportError::SubgraphInItself { name, span });
        }
        let depth = self.limits.depth.min(MAX_DEPTH);
        if self.open.len() > depth {
            return Err(ImportError::SubgraphsTooDeep { limit: depth, span });
        }
        // Few bytes may say very many nodes; an instance counts itself, too, and its inputs and outputs.
        let graph = &file.graphs[graph];
        self.count += 1 + graph.nodes.len() + graph.inputs.len() + graph.outputs.len();
        if self.count > self.limits.nodes {
            return Err(ImportError::TooManyNodes { limit: self.limits.nodes, span });
        }
        Ok(())
    }
}
