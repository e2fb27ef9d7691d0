//! Packing from the bottom up: always the block that can lie lowest, of several the one that comes first in an order.
//!
//! The best-fit heuristic of strip packing (Burke, Kendall and Whitwell 2004; Sekiyama and others 2018 use it for
//! memory). What is placed has a skyline, with stretches of time at one height. A block lies as low as any if it lives
//! within the lowest of them; where none does, that stretch is lost up to the lower of its neighbours.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::sections::{Block, Offsets};
use super::within::Within;

/// What one block costs, beside the nodes that are looked at for it.
const STEP: u64 = 16;

/// Blocks to pack in one order after another.
pub(super) struct Skyline<'a> {
    blocks: &'a [Block],
    open: Within,
    stretches: Stretches,
    /// Steps left.
    pub(super) work: u64,
}

impl<'a> Skyline<'a> {
    /// For blocks over sections that are numbered from 0.
    pub(super) fn new(blocks: &'a [Block]) -> Skyline<'a> {
        let sections = blocks.iter().map(|block| block.last + 1).max().unwrap_or(0);
        Skyline { blocks, open: Within::new(blocks), stretches: Stretches::new(sections), work: 0 }
    }

    /// Packs them. None if that takes too many steps.
    pub(super) fn pack(&mut self, order: &[usize]) -> Option<Offsets> {
        self.open.fill(self.blocks, order);
        self.stretches.clear();
        let mut offsets = vec![0; self.blocks.len()];
        let mut height = 0;
        let mut left = order.len();
        while left > 0 {
            let (first, Stretch { last, floor }) = self.stretches.lowest()?;
            let (rank, steps) = self.open.first(first, last);
            self.work = self.work.checked_sub(steps + STEP)?;
            let Some(rank) = rank else {
                self.stretches.lose(first);
                continue;
            };
            let index = order[rank];
            let block = &self.blocks[index];
            let top = floor.saturating_add(block.size);
            self.stretches.raise(first, block, top);
            self.open.remove(index);
            offsets[index] = floor;
            height = height.max(top);
            left -= 1;
        }
        Some(Offsets { offsets, height })
    }
}

/// Sections in a row that are filled up to the same height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch {
    last: usize,
    floor: u64,
}

/// The skyline: neighbours have different heights.
#[derive(Debug)]
struct Stretches {
    /// By their first section, none where no stretch begins.
    at: Vec<Option<Stretch>>,
    /// The first section of each stretch, by its last one.
    begins: Vec<usize>,
    /// Stretches by height; some are no more.
    heap: BinaryHeap<Reverse<(u64, usize)>>,
}

impl Stretches {
    fn new(sections: usize) -> Stretches {
        Stretches { at: vec![None; sections], begins: vec![0; sections], heap: BinaryHeap::new() }
    }

    /// One stretch at height 0.
    fn clear(&mut self) {
        self.at.fill(None);
        self.heap.clear();
        if let Some(last) = self.at.len().checked_sub(1) {
            self.set(0, Stretch { last, floor: 0 });
        }
    }

    /// The lowest stretch, the earliest of several.
    fn lowest(&mut self) -> Option<(usize, Stretch)> {
        while let Some(&Reverse((floor, first))) = self.heap.peek() {
            match self.at[first] {
                Some(stretch) if stretch.floor == floor => return Some((first, stretch)),
                _ => self.heap.pop(),
            };
        }
        None
    }

    /// Lifts the stretch at `first` to the lower of its neighbours.
    fn lose(&mut self, first: usize) {
        let Some(stretch) = self.at[first] else { return };
        let before = first.checked_sub(1).and_then(|last| self.at[self.begins[last]]);
        let after = self.at.get(stretch.last + 1).copied().flatten();
        let lower = before.into_iter().chain(after).map(|stretch| stretch.floor).min();
        self.set(first, Stretch { floor: lower.unwrap_or(u64::MAX), ..stretch });
    }

    /// Lifts the life of a block, which lies within the stretch at `first`.
    fn raise(&mut self, first: usize, block: &Block, top: u64) {
        let Some(Stretch { last, floor }) = self.at[first].take() else { return };
        if block.first > first {
            self.put(first, Stretch { last: block.first - 1, floor });
        }
        if block.last < last {
            self.put(block.last + 1, Stretch { last, floor });
        }
        self.set(block.first, Stretch { last: block.last, floor: top });
    }

    /// Puts a stretch there and joins it with neighbours of its height.
    fn set(&mut self, first: usize, stretch: Stretch) {
        let Stretch { mut last, floor } = stretch;
        let mut first = first;
        if let Some(after) = self.at.get(last + 1).copied().flatten()
            && after.floor == floor
        {
            self.at[last + 1] = None;
            last = after.last;
        }
        if let Some(end) = first.checked_sub(1)
            && self.at[self.begins[end]].is_some_and(|before| before.floor == floor && before.last == end)
        {
            self.at[first] = None;
            first = self.begins[end];
        }
        self.put(first, Stretch { last, floor });
    }

    fn put(&mut self, first: usize, stretch: Stretch) {
        self.at[first] = Some(stretch);
        self.begins[stretch.last] = first;
        self.heap.push(Reverse((stretch.floor, first)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(spans: &[(u64, usize, usize)]) -> Vec<Block> {
        spans.iter().map(|&(size, first, last)| Block { size, first, last }).collect()
    }

    fn pack(spans: &[(u64, usize, usize)], work: u64) -> Option<(Vec<u64>, u64)> {
        let blocks = blocks(spans);
        let order: Vec<usize> = (0..blocks.len()).collect();
        let mut skyline = Skyline { work, ..Skyline::new(&blocks) };
        skyline.pack(&order).map(|packed| (packed.offsets, packed.height))
    }

    #[test]
    fn the_first_that_fits_lies_lowest_and_the_next_beside_it() {
        assert_eq!(pack(&[(4, 0, 3), (4, 4, 9), (4, 0, 9)], 1000), Some((vec![0, 0, 4], 8)));
    }

    #[test]
    fn what_does_not_fit_the_lowest_stretch_waits_for_the_next() {
        // Beside the first no place is wide enough for the others.
        assert_eq!(pack(&[(4, 0, 3), (2, 3, 9), (1, 2, 9)], 1000), Some((vec![0, 4, 6], 7)));
    }

    #[test]
    fn stretches_of_one_height_are_one() {
        assert_eq!(
            pack(&[(4, 0, 3), (4, 4, 5), (2, 2, 5), (2, 0, 1), (1, 0, 5)], 1000).map(|packed| packed.1),
            Some(7)
        );
    }

    #[test]
    fn work_is_the_limit() {
        assert_eq!(pack(&[(4, 0, 3), (4, 4, 9), (4, 0, 9)], 20), None);
        assert_eq!(pack(&[], 0), Some((vec![], 0)));
    }
}
