//! Orders in which blocks are packed.

use std::cmp::Reverse;

use super::sections::{Block, divide, live};

/// What comes first; of several blocks the largest, then the earliest.
#[derive(Debug, Clone, Copy)]
pub(super) enum Order {
    Size,
    /// Size times width.
    Area,
    Start,
    /// The fullest moment of a life: who lives then has least choice.
    Fullness,
    Width,
}

impl Order {
    /// Blocks in this order.
    pub(super) fn of(self, blocks: &[Block]) -> Vec<usize> {
        match self {
            Order::Size => sorted(blocks, |block| Reverse(block.size)),
            Order::Area => sorted(blocks, |block| Reverse(u128::from(block.size) * block.width() as u128)),
            Order::Start => sorted(blocks, |block| block.first),
            Order::Fullness => by_fullness(blocks),
            Order::Width => sorted(blocks, |block| Reverse(block.width())),
        }
    }
}

/// Blocks by a key; those with the same key largest first, then earliest.
fn sorted<K: Ord>(blocks: &[Block], key: impl Fn(&Block) -> K) -> Vec<usize> {
    let mut order: Vec<usize> = (0..blocks.len()).collect();
    order.sort_by_cached_key(|&index| {
        let block = &blocks[index];
        (key(block), Reverse(block.size), block.first, index)
    });
    order
}

fn by_fullness(blocks: &[Block]) -> Vec<usize> {
    let (divided, sections) = divide(blocks);
    let live = live(&divided, sections);
    // The most of each stretch is found by a table of maxima over powers of two.
    let mut maxima = vec![live];
    while let Some(below) = maxima.last()
        && below.len() > 1 << (maxima.len() - 1)
    {
        let half = 1 << (maxima.len() - 1);
        let next = below.iter().zip(&below[half..]).map(|(a, b)| *a.max(b)).collect();
        maxima.push(next);
    }
    let fullness = |index: usize| {
        let block = &divided[index];
        let level = &maxima[block.width().ilog2() as usize];
        level[block.first].max(level[block.last + 1 - (1 << block.width().ilog2())])
    };
    let mut order: Vec<usize> = (0..blocks.len()).collect();
    order.sort_by_cached_key(|&index| (Reverse(fullness(index)), Reverse(blocks[index].size), index));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fullness_is_the_most_that_is_alive_during_a_life() {
        let spans = [(1, 0, 1), (9, 5, 6), (2, 0, 9), (1, 8, 9)];
        let spans = spans.map(|(size, first, last)| Block { size, first, last });
        // Both that see the peak first, the larger of them before the other.
        assert_eq!(Order::Fullness.of(&spans), [1, 2, 0, 3]);
    }
}
