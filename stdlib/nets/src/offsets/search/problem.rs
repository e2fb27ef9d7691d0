//! A part to search: blocks, and who meets whom.

use crate::offsets::overlaps::Overlaps;
use crate::offsets::sections::Block;

/// A list of numbers for each of many things.
#[derive(Debug)]
pub(super) struct Rows {
    starts: Vec<usize>,
    entries: Vec<u32>,
}

impl Rows {
    fn of(rows: impl Iterator<Item = Vec<u32>>) -> Rows {
        let mut built = Rows { starts: vec![0], entries: Vec::new() };
        for row in rows {
            built.entries.extend(row);
            built.starts.push(built.entries.len());
        }
        built
    }

    pub(super) fn row(&self, index: usize) -> &[u32] {
        &self.entries[self.starts[index]..self.starts[index + 1]]
    }
}

/// Pairs that meet, and sections of lives, up to which a search pays: it costs about as many bytes of memory and steps
/// for each branch.
const LIMIT: usize = 1 << 21;

/// Blocks over sections, with the tables that a search needs.
#[derive(Debug)]
pub(in crate::offsets) struct Problem<'a> {
    pub(super) blocks: &'a [Block],
    pub(super) sections: usize,
    /// Blocks alive in each section.
    pub(super) alive: Rows,
    /// The other blocks that meet each block.
    pub(super) meets: Rows,
}

impl<'a> Problem<'a> {
    /// None if the blocks are too many, or meet too often, for a search.
    pub(in crate::offsets) fn new(blocks: &'a [Block], sections: usize) -> Option<Problem<'a>> {
        if pairs(blocks, sections) > LIMIT || blocks.iter().map(Block::width).sum::<usize>() > LIMIT {
            return None;
        }
        let mut alive = vec![Vec::new(); sections];
        for (index, block) in (0_u32..).zip(blocks) {
            for section in &mut alive[block.first..=block.last] {
                section.push(index);
            }
        }
        let mut overlaps = Overlaps::new(blocks);
        overlaps.fill();
        let mut found = Vec::new();
        let meets = (0..blocks.len()).map(|index| {
            overlaps.meeting(index, &mut found);
            found.retain(|&other| other != index);
            found.sort_unstable();
            found.iter().filter_map(|&other| u32::try_from(other).ok()).collect()
        });
        Some(Problem { blocks, sections, alive: Rows::of(alive.into_iter()), meets: Rows::of(meets) })
    }
}

/// Pairs that meet, each counted twice, and each block with itself.
fn pairs(blocks: &[Block], sections: usize) -> usize {
    let mut begun = vec![0_usize; sections];
    let mut ended = vec![0_usize; sections + 1];
    for block in blocks {
        begun[block.first] += 1;
        ended[block.last + 1] += 1;
    }
    for section in 1..sections {
        begun[section] += begun[section - 1];
        ended[section] += ended[section - 1];
    }
    blocks.iter().map(|block| begun[block.last] - ended[block.first]).sum()
}
