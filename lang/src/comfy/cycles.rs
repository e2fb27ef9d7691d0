//! Nodes that need each other's results.

use super::error::ImportError;
use super::prompt::{InputValue, NodeIndex, Prompt};
use crate::Span;

/// How many circles are told.
const TOLD: usize = 8;

/// One error for each link that closes a circle, found by a walk in depth without recursion.
pub(super) fn cycles(prompt: &Prompt) -> Vec<ImportError> {
    let mut walk =
        Walk { prompt, state: vec![State::New; prompt.nodes.len()], path: Vec::new(), errors: Vec::new() };
    for node in 0..prompt.nodes.len() {
        walk.from(node);
    }
    walk.errors
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Open,
    Done,
}

struct Walk<'p> {
    prompt: &'p Prompt,
    state: Vec<State>,
    /// The nodes that are open, each with the number of its inputs that were followed.
    path: Vec<(NodeIndex, usize)>,
    errors: Vec<ImportError>,
}

impl Walk<'_> {
    fn from(&mut self, root: NodeIndex) {
        if self.state[root] != State::New {
            return;
        }
        self.open(root);
        while let Some((node, next)) = self.path.last_mut() {
            let Some(input) = self.prompt.nodes[*node].inputs.get(*next) else {
                self.state[*node] = State::Done;
                self.path.pop();
                continue;
            };
            *next += 1;
            let InputValue::Link { node: origin, .. } = input.value else { continue };
            match self.state[origin] {
                State::New => self.open(origin),
                State::Open => self.circle(origin, input.span),
                State::Done => {}
            }
        }
    }

    fn open(&mut self, node: NodeIndex) {
        self.state[node] = State::Open;
        self.path.push((node, 0));
    }

    /// The path goes from consumers to what they need, so it is told backwards.
    fn circle(&mut self, origin: NodeIndex, span: Span) {
        if self.errors.len() == TOLD {
            return;
        }
        let round = self.path.iter().rev().map(|&(node, _)| node);
        let mut nodes: Vec<NodeIndex> = round.take_while(|&node| node != origin).collect();
        nodes.push(origin);
        let nodes = nodes.into_iter().map(|node| self.prompt.nodes[node].id.clone()).collect();
        self.errors.push(ImportError::Cycle { nodes, span });
    }
}
