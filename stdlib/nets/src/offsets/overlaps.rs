//! Which of some chosen blocks meet a block: a balanced tree over all blocks by their start, with the latest end of
//! the chosen ones below each node.

use super::sections::Block;

/// Blocks, some of them chosen.
pub(super) struct Overlaps<'a> {
    blocks: &'a [Block],
    /// Blocks by their first section.
    order: Vec<usize>,
    /// Where each block stands in `order`.
    places: Vec<usize>,
    /// One more than the latest last section of the chosen blocks below each node, 0 for none; node 1 is the root
    /// and the children of `i` are `2 i` and `2 i + 1`.
    ends: Vec<usize>,
    /// Number of leaves, a power of two.
    leaves: usize,
}

impl<'a> Overlaps<'a> {
    /// The blocks, with none of them chosen.
    pub(super) fn new(blocks: &'a [Block]) -> Overlaps<'a> {
        let mut order: Vec<usize> = (0..blocks.len()).collect();
        order.sort_by_key(|&block| blocks[block].first);
        let mut places = vec![0; blocks.len()];
        for (place, &block) in order.iter().enumerate() {
            places[block] = place;
        }
        let leaves = blocks.len().next_power_of_two();
        Overlaps { blocks, order, places, ends: vec![0; 2 * leaves], leaves }
    }

    /// Chooses none.
    pub(super) fn clear(&mut self) {
        self.ends.fill(0);
    }

    /// Chooses all.
    pub(super) fn fill(&mut self) {
        for (place, &block) in self.order.iter().enumerate() {
            self.ends[self.leaves + place] = self.blocks[block].last + 1;
        }
        for node in (1..self.leaves).rev() {
            self.ends[node] = self.ends[2 * node].max(self.ends[2 * node + 1]);
        }
    }

    /// Chooses a block, or no longer.
    pub(super) fn set(&mut self, block: usize, chosen: bool) {
        let mut node = self.leaves + self.places[block];
        self.ends[node] = if chosen { self.blocks[block].last + 1 } else { 0 };
        while node > 1 {
            node /= 2;
            self.ends[node] = self.ends[2 * node].max(self.ends[2 * node + 1]);
        }
    }

    /// The chosen blocks that meet `block`, itself included if it is chosen. Returns the nodes that were looked at.
    pub(super) fn meeting(&self, block: usize, found: &mut Vec<usize>) -> u64 {
        found.clear();
        let Block { first, last, .. } = self.blocks[block];
        // Only blocks that begin in time are below `end`.
        let end = self.order.partition_point(|&other| self.blocks[other].first <= last);
        let mut steps = 0;
        // Subtrees to look at, as a node and the leaf at which it begins; at most two for each level.
        let mut open = vec![(1, 0, self.leaves)];
        while let Some((node, from, leaves)) = open.pop() {
            steps += 1;
            if from >= end || self.ends[node] <= first {
                continue;
            }
            if leaves == 1 {
                found.push(self.order[from]);
                continue;
            }
            let half = leaves / 2;
            open.push((2 * node + 1, from + half, half));
            open.push((2 * node, from, half));
        }
        steps
    }
}
