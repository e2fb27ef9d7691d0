//! Which of some blocks lives within a stretch of time and comes first: a tree over their lives that parts them by
//! begin and by end in turn (Bentley 1975), with the first of the blocks below each node.

use super::sections::Block;

/// What is known of the blocks below a node that are still there.
#[derive(Debug, Clone, Copy)]
struct Node {
    /// The least and the greatest first section.
    first: (usize, usize),
    /// The least and the greatest last section.
    last: (usize, usize),
    /// The least rank.
    rank: usize,
}

impl Node {
    const EMPTY: Node = Node { first: (usize::MAX, 0), last: (usize::MAX, 0), rank: usize::MAX };

    fn of(block: &Block, rank: usize) -> Node {
        Node { first: (block.first, block.first), last: (block.last, block.last), rank }
    }

    fn join(&self, other: &Node) -> Node {
        Node {
            first: (self.first.0.min(other.first.0), self.first.1.max(other.first.1)),
            last: (self.last.0.min(other.last.0), self.last.1.max(other.last.1)),
            rank: self.rank.min(other.rank),
        }
    }

    /// Whether all of its blocks live within a stretch.
    fn within(&self, first: usize, last: usize) -> bool {
        self.first.0 >= first && self.last.1 <= last
    }

    /// Whether some of its blocks may live within a stretch.
    fn reaches(&self, first: usize, last: usize) -> bool {
        self.first.1 >= first && self.last.0 <= last
    }
}

/// Blocks by their lives, each with its place in an order.
pub(super) struct Within {
    /// Node 1 is the root and the children of `i` are `2 i` and `2 i + 1`.
    nodes: Vec<Node>,
    /// The leaf of each block.
    leaf: Vec<usize>,
    /// Subtrees still to look at.
    open: Vec<usize>,
}

impl Within {
    /// All blocks, with no order yet.
    pub(super) fn new(blocks: &[Block]) -> Within {
        let leaves = blocks.len().next_power_of_two();
        let mut parted: Vec<usize> = (0..blocks.len()).collect();
        let mut size = leaves;
        let mut by_first = true;
        while size > 1 {
            let half = size / 2;
            for part in parted.chunks_mut(size).filter(|part| part.len() > half) {
                part.select_nth_unstable_by_key(half, |&block| {
                    let Block { first, last, .. } = blocks[block];
                    if by_first { (first, last, block) } else { (last, first, block) }
                });
            }
            size = half;
            by_first = !by_first;
        }
        let mut leaf = vec![0; blocks.len()];
        for (&block, place) in parted.iter().zip(leaves..) {
            leaf[block] = place;
        }
        Within { nodes: vec![Node::EMPTY; 2 * leaves], leaf, open: Vec::new() }
    }

    /// Puts all blocks back, in a new order: `order[0]` comes first.
    pub(super) fn fill(&mut self, blocks: &[Block], order: &[usize]) {
        for (rank, &block) in order.iter().enumerate() {
            self.nodes[self.leaf[block]] = Node::of(&blocks[block], rank);
        }
        for node in (1..self.nodes.len() / 2).rev() {
            self.nodes[node] = self.nodes[2 * node].join(&self.nodes[2 * node + 1]);
        }
    }

    /// Takes a block out.
    pub(super) fn remove(&mut self, block: usize) {
        let mut node = self.leaf[block];
        self.nodes[node] = Node::EMPTY;
        while node > 1 {
            node /= 2;
            self.nodes[node] = self.nodes[2 * node].join(&self.nodes[2 * node + 1]);
        }
    }

    /// The rank of the block that comes first of those that live within a stretch, and the nodes looked at.
    pub(super) fn first(&mut self, first: usize, last: usize) -> (Option<usize>, u64) {
        let mut best = usize::MAX;
        let mut steps = 0;
        self.open.push(1);
        while let Some(index) = self.open.pop() {
            steps += 1;
            let node = &self.nodes[index];
            if node.rank >= best || !node.reaches(first, last) {
                continue;
            }
            if node.within(first, last) {
                best = node.rank;
                continue;
            }
            // What is looked at first may make the other superfluous.
            let (left, right) = (2 * index, 2 * index + 1);
            let left_first = self.nodes[left].rank < self.nodes[right].rank;
            self.open.extend(if left_first { [right, left] } else { [left, right] });
        }
        ((best < usize::MAX).then_some(best), steps)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_first_within_is_what_a_look_at_all_finds(
            raw in prop::collection::vec((0_usize..20, 0_usize..9), 1..40),
            gone in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
            stretches in prop::collection::vec((0_usize..20, 0_usize..20), 1..20),
        ) {
            let blocks: Vec<Block> =
                raw.iter().map(|&(first, width)| Block { size: 1, first, last: first + width }).collect();
            // An order that is none of the blocks' own.
            let mut order: Vec<usize> = (0..blocks.len()).collect();
            order.sort_by_key(|&block| (block * 7 % 13, block));
            let mut within = Within::new(&blocks);
            within.fill(&blocks, &order);
            let gone: Vec<usize> = gone.iter().map(|index| index.index(blocks.len())).collect();
            for &block in &gone {
                within.remove(block);
            }
            for (first, width) in stretches {
                let last = first + width;
                let wanted = order.iter().position(|&block| {
                    blocks[block].first >= first && blocks[block].last <= last && !gone.contains(&block)
                });
                prop_assert_eq!(within.first(first, last).0, wanted);
            }
        }
    }
}
