//! Time, as far as it matters: the moments at which a largest set of things is alive.

use std::cmp::Reverse;

use super::Item;

/// A thing as the solver sees it: its size, and the sections of time through which it lives, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) size: u64,
    pub(super) first: usize,
    pub(super) last: usize,
}

impl Block {
    /// Whether both live at some time.
    pub(super) fn meets(&self, other: &Block) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// Sections through which it lives.
    pub(super) fn width(&self) -> usize {
        self.last - self.first + 1
    }
}

/// The items that take bytes.
#[derive(Debug)]
pub(super) struct Timeline {
    /// What takes bytes, by when it begins, ends and how large it is: the order of the items decides nothing.
    pub(super) blocks: Vec<Block>,
    /// The item of each block.
    items: Vec<usize>,
    /// Most bytes alive at once.
    pub(super) most_live: u64,
}

/// Offsets of all blocks, and the bytes that they need.
#[derive(Debug, Clone)]
pub(super) struct Offsets {
    pub(super) offsets: Vec<u64>,
    pub(super) height: u64,
}

impl Timeline {
    /// Items with their sizes rounded up to multiples of `alignment`; those without bytes take no part.
    pub(super) fn new(items: &[Item], alignment: usize) -> Timeline {
        let block = |item: &Item| Block {
            size: item.bytes.checked_next_multiple_of(alignment).map_or(u64::MAX, |size| size as u64),
            first: item.first,
            last: item.end(),
        };
        let mut kept: Vec<(Block, usize)> =
            items.iter().map(block).zip(0..).filter(|(block, _)| block.size > 0).collect();
        kept.sort_unstable_by_key(|&(block, item)| (block.first, block.last, Reverse(block.size), item));
        let (blocks, items): (Vec<Block>, Vec<usize>) = kept.into_iter().unzip();
        let (blocks, sections) = divide(&blocks);
        let most_live = live(&blocks, sections).into_iter().max().unwrap_or(0);
        Timeline { blocks, items, most_live }
    }

    /// Offsets of all items from those of the blocks; 0 for what takes no bytes.
    pub(super) fn by_item(&self, items: usize, offsets: &[u64]) -> Vec<u64> {
        let mut all = vec![0; items];
        for (&item, &offset) in self.items.iter().zip(offsets) {
            all[item] = offset;
        }
        all
    }
}

/// The same blocks over as few sections as tell which of them meet, and the number of these.
///
/// A section stands for a largest set of blocks alive at once: between two sections something ends and then something
/// begins. Two blocks meet exactly if they share a section, and there are no more sections than blocks.
pub(super) fn divide(blocks: &[Block]) -> (Vec<Block>, usize) {
    let mut starts: Vec<usize> = (0..blocks.len()).collect();
    let mut ends = starts.clone();
    starts.sort_by_key(|&block| blocks[block].first);
    ends.sort_by_key(|&block| blocks[block].last);
    let mut divided = blocks.to_vec();
    let mut starts = starts.into_iter().peekable();
    let mut sections = 0;
    // A section closes at the first end after a start.
    let mut open = false;
    for end in ends {
        while let Some(start) = starts.next_if(|&start| blocks[start].first <= blocks[end].last) {
            divided[start].first = sections;
            open = true;
        }
        if open {
            sections += 1;
            open = false;
        }
        divided[end].last = sections - 1;
    }
    (divided, sections)
}

/// Bytes alive in each section.
pub(super) fn live(blocks: &[Block], sections: usize) -> Vec<u64> {
    let mut change = vec![0_i128; sections + 1];
    for block in blocks {
        change[block.first] += i128::from(block.size);
        change[block.last + 1] -= i128::from(block.size);
    }
    change.pop();
    let mut sum = 0;
    let clamp = |delta| {
        sum += delta;
        u64::try_from(sum).unwrap_or(u64::MAX)
    };
    change.into_iter().map(clamp).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(blocks: &[Block]) -> Vec<(usize, usize)> {
        blocks.iter().map(|block| (block.first, block.last)).collect()
    }

    fn block(first: usize, last: usize) -> Block {
        Block { size: 1, first, last }
    }

    #[test]
    fn a_chain_has_a_section_per_pair_that_meets() {
        let (divided, sections) = divide(&[block(0, 10), block(10, 20), block(20, 30)]);
        assert_eq!((spans(&divided), sections), (vec![(0, 0), (0, 1), (1, 1)], 2));
    }

    #[test]
    fn moments_with_fewer_things_are_left_out() {
        // Alone from 0 to 3 and from 6 to 9, with another in between: one moment matters.
        let (divided, sections) = divide(&[block(0, 9), block(4, 5)]);
        assert_eq!((spans(&divided), sections), (vec![(0, 0), (0, 0)], 1));
    }
}
