//! Packings in one go: several orders and ways, the best kept.
//!
//! - *From the bottom up*: always the block that can lie lowest (`skyline`). Nearly always the best.
//! - *Through time*, as an allocator sees it: the smallest gap that fits, forwards and backwards.
//! - *In the lowest gap*, one block after another: largest first (as TensorFlow Lite's planner, Pisarchyk and Lee
//!   2020), most bytes times steps first, earliest first, those of the fullest moments first. This one looks at every
//!   pair that meets, and is given up where that is too many; the others cost about n log n.

use std::collections::{BTreeMap, BTreeSet};

use super::order::Order;
use super::overlaps::Overlaps;
use super::sections::{Block, Offsets};
use super::skyline::Skyline;

/// Steps that one way may take: so many, and so many more for each block.
const WORK: (u64, u64) = (1 << 17, 64);

/// The same from the bottom up, which never looks at pairs: a limit for lives made to mislead its tree.
const BOTTOM_UP_WORK: (u64, u64) = (1 << 20, 1 << 10);

/// A way to pack.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// From the bottom up, of several blocks that which comes first in this order.
    BottomUp(Order),
    /// Through time.
    Forwards,
    /// Through time, from its end.
    Backwards,
    /// In the lowest gap, in this order.
    LowestGap(Order),
}

/// All ways, those first that are quick and often reach the lower bound.
const WAYS: [Way; 10] = [
    Way::BottomUp(Order::Start),
    Way::BottomUp(Order::Width),
    Way::BottomUp(Order::Area),
    Way::BottomUp(Order::Size),
    Way::Forwards,
    Way::Backwards,
    Way::LowestGap(Order::Size),
    Way::LowestGap(Order::Area),
    Way::LowestGap(Order::Start),
    Way::LowestGap(Order::Fullness),
];

/// The best of all ways; those after one that reaches the goal are not tried.
pub(super) fn pack(blocks: &[Block], goal: u64) -> Offsets {
    let mut greedy = Greedy::new(blocks);
    let mut best: Option<Offsets> = None;
    for way in WAYS {
        if best.as_ref().is_some_and(|best| best.height <= goal) {
            break;
        }
        if let Some(next) = greedy.go(way)
            && best.as_ref().is_none_or(|best| next.height < best.height)
        {
            best = Some(next);
        }
    }
    best.unwrap_or_else(|| through_time(blocks))
}

/// The same with time running backwards.
fn mirrored(blocks: &[Block]) -> Vec<Block> {
    let end = blocks.iter().map(|block| block.last).max().unwrap_or(0);
    let mirror = |block: &Block| Block { first: end - block.last, last: end - block.first, ..*block };
    blocks.iter().map(mirror).collect()
}

pub(super) struct Greedy<'a> {
    blocks: &'a [Block],
    skyline: Skyline<'a>,
    overlaps: Overlaps<'a>,
    /// Steps left for the lowest gaps.
    work: u64,
}

impl<'a> Greedy<'a> {
    fn new(blocks: &'a [Block]) -> Greedy<'a> {
        Greedy { blocks, skyline: Skyline::new(blocks), overlaps: Overlaps::new(blocks), work: 0 }
    }

    /// None if a way takes too many steps.
    fn go(&mut self, way: Way) -> Option<Offsets> {
        let steps = |(once, each): (u64, u64)| once + each * self.blocks.len() as u64;
        match way {
            Way::BottomUp(order) => {
                self.skyline.work = steps(BOTTOM_UP_WORK);
                self.skyline.pack(&order.of(self.blocks))
            }
            Way::Forwards => Some(through_time(self.blocks)),
            Way::Backwards => Some(through_time(&mirrored(self.blocks))),
            Way::LowestGap(order) => {
                self.work = steps(WORK);
                self.lowest_gap(&order.of(self.blocks))
            }
        }
    }

    /// Places blocks in an order, each in the lowest gap that holds it. None if that takes too many steps.
    fn lowest_gap(&mut self, order: &[usize]) -> Option<Offsets> {
        self.overlaps.clear();
        let mut offsets = vec![0_u64; self.blocks.len()];
        let mut height = 0;
        let mut meeting = Vec::new();
        for &index in order {
            let steps = self.overlaps.meeting(index, &mut meeting);
            self.work = self.work.checked_sub(steps + meeting.len() as u64)?;
            meeting.sort_unstable_by_key(|&other| offsets[other]);
            let size = self.blocks[index].size;
            let mut offset = 0_u64;
            for &other in &meeting {
                if offsets[other] >= offset.saturating_add(size) {
                    break;
                }
                offset = offset.max(offsets[other].saturating_add(self.blocks[other].size));
            }
            offsets[index] = offset;
            height = height.max(offset.saturating_add(size));
            self.overlaps.set(index, true);
        }
        Some(Offsets { offsets, height })
    }
}

/// Places blocks as they begin, each in the smallest gap that fits.
fn through_time(blocks: &[Block]) -> Offsets {
    let mut ends: Vec<usize> = (0..blocks.len()).collect();
    ends.sort_by_key(|&block| blocks[block].last);
    let mut ends = ends.into_iter().peekable();
    let mut offsets = vec![0; blocks.len()];
    let mut gaps = Gaps::default();
    for index in Order::Start.of(blocks) {
        while let Some(gone) = ends.next_if(|&end| blocks[end].last < blocks[index].first) {
            gaps.give(offsets[gone], blocks[gone].size);
        }
        offsets[index] = gaps.take(blocks[index].size);
    }
    Offsets { offsets, height: gaps.height }
}

/// Free memory below the highest place ever used.
#[derive(Default)]
struct Gaps {
    by_offset: BTreeMap<u64, u64>,
    by_size: BTreeSet<(u64, u64)>,
    height: u64,
}

impl Gaps {
    /// A place of some size: in the smallest gap that fits, else at the end.
    fn take(&mut self, size: u64) -> u64 {
        let fitting = self.by_size.range((size, 0)..).next().copied();
        let last = self.by_offset.last_key_value().map(|(&offset, &size)| (size, offset));
        let (free, offset) = fitting
            .or_else(|| last.filter(|&(free, offset)| offset.saturating_add(free) == self.height))
            .unwrap_or((0, self.height));
        self.remove(offset, free);
        self.height = self.height.max(offset.saturating_add(size));
        if free > size {
            self.insert(offset + size, free - size);
        }
        offset
    }

    /// Frees a place and joins it with the gaps around it.
    fn give(&mut self, offset: u64, size: u64) {
        let (mut from, mut to) = (offset, offset.saturating_add(size));
        if let Some((&below, &free)) = self.by_offset.range(..offset).next_back()
            && below.saturating_add(free) == from
        {
            self.remove(below, free);
            from = below;
        }
        if let Some(&free) = self.by_offset.get(&to) {
            self.remove(to, free);
            to = to.saturating_add(free);
        }
        self.insert(from, to - from);
    }

    fn insert(&mut self, offset: u64, size: u64) {
        self.by_offset.insert(offset, size);
        self.by_size.insert((size, offset));
    }

    fn remove(&mut self, offset: u64, size: u64) {
        self.by_offset.remove(&offset);
        self.by_size.remove(&(size, offset));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_that_touch_become_one() {
        let mut gaps = Gaps::default();
        let places: Vec<u64> = (0..3).map(|_| gaps.take(10)).collect();
        assert_eq!(places, [0, 10, 20]);
        gaps.give(0, 10);
        gaps.give(20, 10);
        gaps.give(10, 10);
        assert_eq!(gaps.take(30), 0);
        assert_eq!(gaps.height, 30);
    }

    #[test]
    fn a_gap_at_the_end_grows_instead_of_being_left() {
        let mut gaps = Gaps::default();
        gaps.take(10);
        gaps.give(0, 10);
        assert_eq!((gaps.take(25), gaps.height), (0, 25));
    }

    #[test]
    fn a_way_that_would_take_too_long_is_given_up() {
        let spans: Vec<Block> = (0..100).map(|_| Block { size: 1, first: 0, last: 0 }).collect();
        let mut greedy = Greedy { work: 1000, ..Greedy::new(&spans) };
        assert!(greedy.lowest_gap(&Order::Start.of(&spans)).is_none());
        assert_eq!(pack(&spans, 0).height, 100);
    }
}
