//! Where a link really comes from: through reroutes, bypassed nodes and the edges of subgraphs.
//!
//! From an output there is exactly one way back, so it is walked in a loop, and every output on the way remembers the
//! result: long chains cost their length once, however many nodes hang on them.

use super::file::{Graph, Kind, Mode, Node, Origin};
use super::log::Log;
use super::scopes::{ScopeAt, Scopes, Site};
use super::types::fits;
use crate::comfy::error::ImportError;
use crate::comfy::prompt::NodeIndex;
use std::collections::HashMap;
use std::rc::Rc;

/// What an input gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// An output of a node of the prompt.
    Output(NodeIndex, u32),
    /// The value of a promoted widget: that of the instance around the scope, at an input of the definition.
    Promoted(ScopeAt, usize),
    /// Nothing: a muted node, a bypassed one without a way through, an open end.
    Nothing,
}

/// A source, and the inputs of the definitions that the way to it leads through.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) source: Source,
    exits: Option<Rc<Exit>>,
}

impl Found {
    /// Nothing.
    pub(super) const NOTHING: Found = Found { source: Source::Nothing, exits: None };

    /// The inputs of definitions by which the way leaves the scope that it begins in, and those around that.
    pub(super) fn through(&self) -> Vec<usize> {
        let exits = std::iter::successors(self.exits.as_deref(), |exit| exit.outer.as_deref());
        exits.map(|exit| exit.input).collect()
    }
}

/// The way leaves a scope through an input of its definition; then those around it, inner ones first.
#[derive(Debug)]
struct Exit {
    scope: ScopeAt,
    input: usize,
    outer: Option<Rc<Exit>>,
}

/// An output that somebody wants something of: where, which, and the type that is wanted.
type Key = (ScopeAt, usize, u32, u32);

/// What is at a place on the way.
enum Step {
    /// On to the output of another node; by these inputs of definitions, if it leaves scopes.
    On { site: Site, slot: u32, exits: Vec<(ScopeAt, usize)> },
    /// The end.
    End { source: Source, exits: Vec<(ScopeAt, usize)> },
}

/// Finds sources, and remembers them.
pub(super) struct Resolver<'s, 'f, 'v> {
    scopes: &'s Scopes<'f, 'v>,
    /// `None` while the way from there is being walked.
    known: HashMap<Key, Option<Found>>,
    types: HashMap<String, u32>,
    /// How many steps may still be taken. An output is passed once for each type that is wanted of it; files in which
    /// that is very often were made to take long.
    budget: usize,
    /// Whether it was told that there are none left.
    given_up: bool,
    /// Which inputs of each definition have a widget.
    promoted: &'s [Vec<bool>],
}

impl<'s, 'f, 'v> Resolver<'s, 'f, 'v> {
    pub(super) fn new(scopes: &'s Scopes<'f, 'v>, promoted: &'s [Vec<bool>], steps: usize) -> Self {
        let links: Vec<usize> = scopes.file.graphs.iter().map(links).collect();
        let size: usize = scopes.all.iter().map(|scope| scope.indices.len() + links[scope.graph]).sum();
        let budget = steps.saturating_mul(size);
        Resolver { scopes, known: HashMap::new(), types: HashMap::new(), budget, given_up: false, promoted }
    }

    /// What a socket of a node gets, where it wants a type.
    pub(super) fn input(&mut self, site: Site, input: usize, wanted: &str, log: &mut Log) -> Found {
        let step = self.before(site, input);
        self.walk(step, wanted, log)
    }

    /// What an output of the definition of an instance gives.
    pub(super) fn output(&mut self, child: ScopeAt, slot: usize, wanted: &str, log: &mut Log) -> Found {
        match self.scopes.graph(child).given.get(slot).copied().flatten() {
            Some(Origin::Node { node, slot }) => {
                self.walk(Step::On { site: (child, node), slot, exits: Vec::new() }, wanted, log)
            }
            _ => Found::NOTHING,
        }
    }

    fn walk(&mut self, first: Step, wanted: &str, log: &mut Log) -> Found {
        let count = u32::try_from(self.types.len()).unwrap_or(u32::MAX);
        let ty = *self.types.entry(wanted.to_owned()).or_insert(count);
        let mut way: Vec<(Key, Vec<(ScopeAt, usize)>)> = Vec::new();
        let mut step = first;
        let mut before = Vec::new();
        let mut found = loop {
            match step {
                Step::End { source, exits } => {
                    break leave(Found { source, exits: None }, exits);
                }
                Step::On { site, slot, exits } => {
                    let key = (site.0, site.1, slot, ty);
                    match way.last_mut() {
                        None => before = exits,
                        Some((_, after)) => *after = exits,
                    }
                    match self.known.get(&key) {
                        Some(Some(found)) => break found.clone(),
                        Some(None) => {
                            log.error(self.endless(site));
                            break Found::NOTHING;
                        }
                        None if self.budget == 0 => {
                            self.give_up(site, log);
                            break Found::NOTHING;
                        }
                        None => self.budget -= 1,
                    }
                    self.known.insert(key, None);
                    way.push((key, Vec::new()));
                    step = self.behind(site, slot, wanted, log);
                }
            }
        };
        for (key, exits) in way.into_iter().rev() {
            found = self.seen_from(key.0, leave(found, exits));
            self.known.insert(key, Some(found.clone()));
        }
        leave(found, before)
    }

    /// A way that went into an instance has left it again: what it left by is not of the scopes around.
    fn seen_from(&self, scope: ScopeAt, mut found: Found) -> Found {
        while let Some(exit) = found.exits.clone() {
            let inside =
                exit.scope != scope && self.scopes.all[exit.scope].host.is_some_and(|host| host.0 == scope);
            if !inside {
                break;
            }
            found.exits.clone_from(&exit.outer);
        }
        found
    }

    fn give_up(&mut self, site: Site, log: &mut Log) {
        if !self.given_up {
            self.given_up = true;
            log.error(ImportError::Tangled { span: self.scopes.node(site).span });
        }
    }

    fn endless(&self, site: Site) -> ImportError {
        let node = self.scopes.node(site);
        ImportError::EndlessLink { id: self.scopes.id(site), class: node.class.to_owned(), span: node.span }
    }

    /// What is behind a socket.
    fn before(&self, site: Site, input: usize) -> Step {
        let end = |source| Step::End { source, exits: Vec::new() };
        let (scope, _) = site;
        match self.scopes.node(site).inputs.get(input).and_then(|socket| socket.link) {
            None => end(Source::Nothing),
            Some(Origin::Node { node, slot }) => Step::On { site: (scope, node), slot, exits: Vec::new() },
            Some(Origin::Input(plug)) => self.outside(scope, plug),
        }
    }

    /// What is behind an input of the definition of a scope: what the instance is linked to, else the value of its
    /// widget.
    fn outside(&self, mut scope: ScopeAt, mut plug: usize) -> Step {
        let mut exits = vec![(scope, plug)];
        // Scopes are at most as deep as subgraphs may be nested.
        while let Some(host) = self.scopes.all[scope].host {
            match self.scopes.node(host).inputs.get(plug).and_then(|socket| socket.link) {
                Some(Origin::Node { node, slot }) => {
                    return Step::On { site: (host.0, node), slot, exits };
                }
                Some(Origin::Input(outer)) => {
                    (scope, plug) = (host.0, outer);
                    exits.push((scope, plug));
                }
                None => break,
            }
        }
        let graph = self.scopes.all[scope].graph;
        let promoted = self.promoted[graph].get(plug).copied().unwrap_or(false);
        let source = if promoted { Source::Promoted(scope, plug) } else { Source::Nothing };
        Step::End { source, exits }
    }

    /// What an output of a node gives.
    fn behind(&self, site: Site, slot: u32, wanted: &str, log: &mut Log) -> Step {
        let node = self.scopes.node(site);
        let end = |source| Step::End { source, exits: Vec::new() };
        match (node.mode, node.kind) {
            (Mode::Muted, _) => end(Source::Nothing),
            (Mode::Bypassed, _) => match passage(node, slot, wanted) {
                Some(input) => self.before(site, input),
                None => end(Source::Nothing),
            },
            (Mode::On, Kind::Reroute | Kind::Set) => self.before(site, 0),
            // Whether the node that keeps it is switched off makes no difference.
            (Mode::On, Kind::Get(keeper)) => self.before((site.0, keeper), 0),
            (Mode::On, Kind::Primitive | Kind::Note) => end(Source::Nothing),
            (Mode::On, Kind::Plain) => {
                end(self.scopes.index(site).map_or(Source::Nothing, |index| Source::Output(index, slot)))
            }
            (Mode::On, Kind::Instance(_)) => self.inside(site, slot, log),
        }
    }

    fn inside(&self, site: Site, slot: u32, log: &mut Log) -> Step {
        let nothing = Step::End { source: Source::Nothing, exits: Vec::new() };
        let Some(child) = self.scopes.child(site) else { return nothing };
        let graph = self.scopes.graph(child);
        match graph.given.get(slot as usize).copied().flatten() {
            None => nothing,
            Some(Origin::Node { node, slot }) => Step::On { site: (child, node), slot, exits: Vec::new() },
            Some(Origin::Input(plug)) => {
                let name = |plug: Option<&super::file::Plug<'_>>| {
                    plug.map(|plug| plug.label.unwrap_or(plug.name).to_owned()).unwrap_or_default()
                };
                log.error(ImportError::Passthrough {
                    input: name(graph.inputs.get(plug)),
                    output: name(graph.outputs.get(slot as usize)),
                    subgraph: graph.name.to_owned(),
                    span: graph
                        .outputs
                        .get(slot as usize)
                        .map_or(self.scopes.node(site).span, |plug| plug.span),
                });
                nothing
            }
        }
    }
}

/// How many sockets of a graph are linked.
fn links(graph: &Graph<'_>) -> usize {
    graph.nodes.iter().flat_map(|node| &node.inputs).filter(|socket| socket.link.is_some()).count()
}

/// Ways out of scopes, inner ones first, put before the rest of the way.
fn leave(found: Found, exits: Vec<(ScopeAt, usize)>) -> Found {
    let outer = exits
        .into_iter()
        .rev()
        .fold(found.exits, |outer, (scope, input)| Some(Rc::new(Exit { scope, input, outer })));
    Found { source: found.source, exits: outer }
}

/// The input of a bypassed node that its output is taken from: the one of the same number if its type fits, else the
/// first of exactly the type that is wanted, else the first that fits. Where anything is wanted, only numbers count.
fn passage(node: &Node<'_>, slot: u32, wanted: &str) -> Option<usize> {
    let inputs = &node.inputs;
    let same = slot as usize;
    if wanted == "*" {
        return if same < inputs.len() { Some(same) } else { (!inputs.is_empty()).then_some(0) };
    }
    let gives = node.output_type(slot);
    let straight = inputs.get(same).is_some_and(|input| fits(&input.ty, &gives) && fits(&input.ty, wanted));
    if straight {
        return Some(same);
    }
    let exact = inputs.iter().position(|input| input.ty == wanted);
    exact.or_else(|| inputs.iter().position(|input| fits(&input.ty, wanted)))
}
