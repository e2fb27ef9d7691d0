//! Nodes that need each other's results.

use super::error::{ImportError, ImportWarning};
use super::prompt::{InputValue, NodeIndex, Prompt};
use crate::Span;

/// How many circles are told.
const TOLD: usize = 8;

/// What is said about circles.
#[derive(Debug, Default)]
pub(super) struct Circles {
    pub(super) errors: Vec<ImportError>,
    pub(super) warnings: Vec<ImportWarning>,
}

/// Opens every circle: a link that closes one dangles from then on, with a warning. Within subgraphs, whose nodes have
/// other ids in each instance, nothing can name the node, and a circle is an error.
pub(super) fn open(prompt: &mut Prompt) -> Circles {
    let mut walk = Walk {
        prompt: &*prompt,
        state: vec![State::New; prompt.nodes.len()],
        path: Vec::new(),
        closing: Vec::new(),
        said: Circles::default(),
    };
    for node in 0..walk.prompt.nodes.len() {
        walk.from(node);
    }
    let Walk { closing, said, .. } = walk;
    for (node, input, origin) in closing {
        let id = prompt.nodes[origin].id.clone();
        let value = &mut prompt.nodes[node].inputs[input].value;
        if let InputValue::Link { slot, .. } = *value {
            *value = InputValue::Dangling { id: id.clone(), slot };
            prompt.pinned.insert(id);
        }
    }
    said
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
    /// Links that close a circle: node, input, and the node that is named.
    closing: Vec<(NodeIndex, usize, NodeIndex)>,
    said: Circles,
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
            let place = (*node, *next);
            *next += 1;
            let InputValue::Link { node: origin, .. } = input.value else { continue };
            match self.state[origin] {
                State::New => self.open(origin),
                State::Open => {
                    self.closing.push((place.0, place.1, origin));
                    self.circle(origin, input.span);
                }
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
        if self.said.errors.len() + self.said.warnings.len() == TOLD {
            return;
        }
        let round = self.path.iter().rev().map(|&(node, _)| node);
        let mut nodes: Vec<NodeIndex> = round.take_while(|&node| node != origin).collect();
        nodes.push(origin);
        let ids = nodes.into_iter().map(|node| self.prompt.nodes[node].id.clone()).collect();
        match self.prompt.nodes[origin].instance {
            None => self.said.warnings.push(ImportWarning::Cycle { nodes: ids, span }),
            Some(_) => self.said.errors.push(ImportError::Cycle { nodes: ids, span }),
        }
    }
}
