//! Packings in one go: several orders and ways, the best kept.
//!
//! - *In the lowest gap*, one block after another: largest first (as TensorFlow Lite's planner, Pisarchyk and Lee
//!   2020), most bytes times steps first, earliest first, those of the fullest moments first.
//! - *From the bottom up*: always the block that can lie lowest, of several the longest (the best-fit heuristic for
//!   strip packing, as Sekiyama and others 2018 use it for memory).
//! - *Through time*, as an allocator sees it: the smallest gap that fits, forwards and backwards. This one costs
//!   n log n whatever happens; the others look at every pair that meets, and are given up where that is too many.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use super::overlaps::Overlaps;
use super::sections::{Block, Offsets, divide, live};

/// Steps that one way may take: so many, and so many more for each block.
const WORK: (u64, u64) = (1 << 20, 64);

/// The best of all ways; those after one that reaches the goal are not tried.
pub(super) fn pack(blocks: &[Block], goal: u64) -> Offsets {
    let mut best: Option<Offsets> = None;
    let mirrored = mirrored(blocks);
    let mut greedy = Greedy { overlaps: Overlaps::new(blocks), blocks, work: 0 };
    let ways: [&dyn Fn(&mut Greedy<'_>) -> Option<Offsets>; 9] = [
        &|greedy| greedy.lowest_gap(&sorted(blocks, |block| Reverse(block.size))),
        &|greedy| greedy.lowest_gap(&sorted(blocks, |block| Reverse(area(block)))),
        &|greedy| greedy.lowest_gap(&by_start(blocks)),
        &|greedy| greedy.lowest_gap(&by_fullness(blocks)),
        &|greedy| greedy.lowest_gap(&sorted(blocks, |block| (Reverse(block.width()), Reverse(block.size)))),
        &|greedy| greedy.bottom_up(|block| block.width() as u128),
        &|greedy| greedy.bottom_up(area),
        &|_| Some(through_time(blocks)),
        &|_| Some(through_time(&mirrored)),
    ];
    for way in ways {
        if best.as_ref().is_some_and(|best| best.height <= goal) {
            break;
        }
        greedy.work = WORK.0 + WORK.1 * blocks.len() as u64;
        if let Some(next) = way(&mut greedy)
            && best.as_ref().is_none_or(|best| next.height < best.height)
        {
            best = Some(next);
        }
    }
    best.unwrap_or_else(|| through_time(blocks))
}

fn area(block: &Block) -> u128 {
    u128::from(block.size) * block.width() as u128
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

fn by_start(blocks: &[Block]) -> Vec<usize> {
    sorted(blocks, |block| (block.first, Reverse(block.size)))
}

/// Those alive at the fullest moments first: these leave least choice.
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

/// The same with time running backwards.
fn mirrored(blocks: &[Block]) -> Vec<Block> {
    let end = blocks.iter().map(|block| block.last).max().unwrap_or(0);
    let mirror = |block: &Block| Block { first: end - block.last, last: end - block.first, ..*block };
    blocks.iter().map(mirror).collect()
}

struct Greedy<'a> {
    blocks: &'a [Block],
    overlaps: Overlaps<'a>,
    /// Steps left.
    work: u64,
}

impl Greedy<'_> {
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

    /// Places always the block that can lie lowest, of several that with the largest key. None if that takes too
    /// many steps.
    fn bottom_up(&mut self, key: impl Fn(&Block) -> u128) -> Option<Offsets> {
        self.overlaps.fill();
        let mut offsets = vec![0_u64; self.blocks.len()];
        let mut height = 0;
        let mut meeting = Vec::new();
        let entry = |index: usize, offset: u64| Reverse((offset, Reverse(key(&self.blocks[index])), index));
        let mut open: BinaryHeap<_> = (0..self.blocks.len()).map(|index| entry(index, 0)).collect();
        let mut placed = vec![false; self.blocks.len()];
        while let Some(Reverse((offset, _, index))) = open.pop() {
            if placed[index] || offset < offsets[index] {
                continue;
            }
            placed[index] = true;
            self.overlaps.set(index, false);
            let steps = self.overlaps.meeting(index, &mut meeting);
            self.work = self.work.checked_sub(steps + meeting.len() as u64)?;
            let top = offset.saturating_add(self.blocks[index].size);
            height = height.max(top);
            for &other in &meeting {
                if offsets[other] < top {
                    offsets[other] = top;
                    open.push(entry(other, top));
                }
            }
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
    for index in by_start(blocks) {
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

    fn blocks(spans: &[(u64, usize, usize)]) -> Vec<Block> {
        spans.iter().map(|&(size, first, last)| Block { size, first, last }).collect()
    }

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
    fn fullness_is_the_most_that_is_alive_during_a_life() {
        let spans = blocks(&[(1, 0, 1), (9, 5, 6), (2, 0, 9), (1, 8, 9)]);
        // Both that see the peak first, the larger of them before the other.
        assert_eq!(by_fullness(&spans), [1, 2, 0, 3]);
    }

    #[test]
    fn bottom_up_leaves_no_hole_that_something_fits() {
        let spans = blocks(&[(4, 0, 3), (4, 4, 9), (4, 0, 9), (4, 10, 20), (4, 0, 20)]);
        let mut greedy = Greedy { overlaps: Overlaps::new(&spans), blocks: &spans, work: 1000 };
        assert_eq!(greedy.bottom_up(area).map(|packed| packed.height), Some(12));
    }

    #[test]
    fn a_way_that_would_take_too_long_is_given_up() {
        let spans: Vec<Block> = (0..100).map(|_| Block { size: 1, first: 0, last: 0 }).collect();
        let mut greedy = Greedy { overlaps: Overlaps::new(&spans), blocks: &spans, work: 1000 };
        assert!(greedy.lowest_gap(&by_start(&spans)).is_none());
        assert!(greedy.bottom_up(area).is_none());
        assert_eq!(pack(&spans, 0).height, 100);
    }
}
