//! What follows what, and where lists go.

use super::super::prompt::{InputValue, NodeIndex, Prompt};
use super::Cycle;
use super::classes::Classes;

/// Facts of the flattened nodes.
pub(super) struct Graph {
    /// By node: whether it is called once for each element of a list.
    pub(super) each: Vec<bool>,
    /// By node: whether its outputs are lists because of that.
    lists: Vec<Vec<bool>>,
}

impl Graph {
    pub(super) fn new(prompt: &Prompt, classes: &Classes<'_>) -> Result<Self, Cycle> {
        let order = data_flow(prompt.nodes.len(), |node| {
            prompt.nodes[node].inputs.iter().filter_map(|input| match input.value {
                InputValue::Link { node, .. } => Some(node),
                _ => None,
            })
        });
        let order = order.map_err(|nodes| Cycle { nodes })?;
        let nodes = prompt.nodes.len();
        let mut graph = Self { each: vec![false; nodes], lists: vec![Vec::new(); nodes] };
        for node in order {
            graph.spread(prompt, classes, node);
        }
        Ok(graph)
    }

    /// Decides on one node after all that it is given.
    fn spread(&mut self, prompt: &Prompt, classes: &Classes<'_>, node: NodeIndex) {
        let decl = classes.get(&prompt.nodes[node].class);
        let mut given = prompt.nodes[node].inputs.iter();
        let takes_list = given.any(|input| match input.value {
            InputValue::Link { node, slot } => self.is_list(node, slot),
            _ => false,
        });
        self.each[node] = takes_list && !decl.takes_lists;
        self.lists[node] = decl.outputs.iter().map(|output| output.is_list).collect();
    }

    /// Whether an output is a list that a run makes.
    pub(super) fn is_list(&self, node: NodeIndex, slot: u32) -> bool {
        self.each[node] || self.lists[node].get(slot as usize).copied().unwrap_or(false)
    }
}

/// An order in which everything comes after what it needs, else what is on circles or between them.
pub(super) fn data_flow<I>(count: usize, needs: impl Fn(usize) -> I) -> Result<Vec<usize>, Vec<usize>>
where
    I: Iterator<Item = usize>,
{
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut open = vec![0_usize; count];
    for (reader, open) in open.iter_mut().enumerate() {
        for source in needs(reader) {
            readers[source].push(reader);
            *open += 1;
        }
    }
    let mut order: Vec<usize> = (0..count).filter(|&at| open[at] == 0).collect();
    let mut done = 0;
    while let Some(&at) = order.get(done) {
        done += 1;
        for &reader in &readers[at] {
            open[reader] -= 1;
            if open[reader] == 0 {
                order.push(reader);
            }
        }
    }
    if order.len() == count { Ok(order) } else { Err(on_circles(&open, &readers, &needs)) }
}

/// Of what waits for a circle, that which a circle waits for.
fn on_circles<I>(open: &[usize], readers: &[Vec<usize>], needs: &impl Fn(usize) -> I) -> Vec<usize>
where
    I: Iterator<Item = usize>,
{
    let mut left: Vec<bool> = open.iter().map(|&open| open > 0).collect();
    let mut waiting: Vec<usize> =
        readers.iter().map(|readers| readers.iter().filter(|&&reader| left[reader]).count()).collect();
    let mut free: Vec<usize> = (0..open.len()).filter(|&at| left[at] && waiting[at] == 0).collect();
    while let Some(at) = free.pop() {
        left[at] = false;
        for source in needs(at) {
            if left[source] {
                waiting[source] -= 1;
                if waiting[source] == 0 {
                    free.push(source);
                }
            }
        }
    }
    (0..open.len()).filter(|&at| left[at]).collect()
}
