//! Decomposition: parts that can be packed without looking at the rest.
//!
//! What lives through a whole stretch of time parts the memory of that stretch in two, and the halves may be swapped:
//! it may as well lie at the bottom. Without it the stretch may fall apart into stretches that nothing connects, and
//! so on.

use std::collections::BinaryHeap;

use super::greedy;
use super::repair::repair;
use super::search;
use super::sections::{Block, Offsets, divide};

/// Looks for a packing that needs at most `goal`, part by part. Returns the best found, `best` if none is better.
///
/// The highest part decides: work goes to it until another is the highest.
pub(super) fn improve(blocks: &[Block], best: Offsets, goal: u64, work: u64) -> Offsets {
    // Sums of sizes must be numbers: what does not fit those fits no machine either.
    if blocks.iter().try_fold(0_u64, |sum, block| sum.checked_add(block.size)).is_none() {
        return best;
    }
    let Parts { leaves, mut offsets } = decompose(blocks);
    let mut work = work;
    let mut packed: Vec<Offsets> =
        leaves.iter().map(|leaf| greedy::pack(&leaf.divided, leaf.enough(goal))).collect();
    let top = |index: usize, packed: &[Offsets]| leaves[index].base + packed[index].height;
    let mut open: BinaryHeap<(u64, usize)> =
        (0..leaves.len()).map(|index| (top(index, &packed), index)).filter(|&(top, _)| top > goal).collect();
    let mut tried = vec![false; leaves.len()];
    // Those that are still to be tried share the work; what then is the highest gets the rest.
    let mut untried = open.len() as u64;
    while let Some((height, index)) = open.pop()
        && work > 0
    {
        let mut share = if tried[index] { work } else { work / untried };
        work -= share;
        packed[index] = leaves[index].pack(packed[index].clone(), goal, &mut share);
        work += share;
        let better = top(index, &packed);
        if tried[index] && better == height {
            break;
        }
        untried -= u64::from(!tried[index]);
        tried[index] = true;
        if better > goal {
            open.push((better, index));
        }
    }
    for (leaf, packed) in leaves.iter().zip(packed) {
        for (&block, offset) in leaf.blocks.iter().zip(packed.offsets) {
            offsets[block] = leaf.base + offset;
        }
    }
    let height = blocks.iter().zip(&offsets).map(|(block, offset)| block.size + offset).max().unwrap_or(0);
    if height < best.height { Offsets { offsets, height } } else { best }
}

/// Steps of repair that a part is worth which can be searched.
const MOST_REPAIRS: u64 = 1 << 27;

/// A part: blocks that lie above `base` and share time with no others there.
struct Leaf {
    blocks: Vec<usize>,
    /// The blocks themselves, over sections of their own.
    divided: Vec<Block>,
    sections: usize,
    base: u64,
}

impl Leaf {
    /// The height that suffices for this part.
    fn enough(&self, goal: u64) -> u64 {
        goal.saturating_sub(self.base)
    }

    /// Looks for a packing below `best`, until all of it is below the goal or the work is done. Repairs find most
    /// where a search gets lost, and a search finds most of what it finds at once: they take turns.
    fn pack(&self, best: Offsets, goal: u64, work: &mut u64) -> Offsets {
        let goal = self.enough(goal);
        let Some(problem) = search::Problem::new(&self.divided, self.sections) else {
            return repair(&self.divided, best, goal, work);
        };
        let whole = *work;
        let mut share = whole / 8;
        *work -= share;
        let found = search::fit(&problem, goal, &mut share);
        *work += share;
        if let Some(found) = found {
            return found;
        }
        let mut share = (whole / 4).min(MOST_REPAIRS);
        *work -= share;
        let best = repair(&self.divided, best, goal, &mut share);
        *work += share;
        search::minimise(&problem, best, goal, work)
    }
}

/// What a decomposition gives: parts still to pack, and the offsets of what has its place. Offsets of the others
/// are 0.
struct Parts {
    leaves: Vec<Leaf>,
    offsets: Vec<u64>,
}

/// Looks at blocks are limited to so many for each block, in case of lives that lie in one another like onion skins.
const ROUNDS: usize = 64;

fn decompose(blocks: &[Block]) -> Parts {
    let mut leaves = Vec::new();
    let mut offsets = vec![0; blocks.len()];
    let mut looks = blocks.len() * ROUNDS;
    let mut open = vec![((0..blocks.len()).collect::<Vec<_>>(), 0)];
    while let Some((group, base)) = open.pop() {
        for stretch in stretches(blocks, group) {
            let members: Vec<Block> = stretch.iter().map(|&block| blocks[block]).collect();
            let (divided, sections) = divide(&members);
            let through = |place: usize| divided[place].width() == sections;
            let more = looks >= stretch.len();
            looks = looks.saturating_sub(stretch.len());
            if !more || !(0..divided.len()).any(through) {
                leaves.push(Leaf { blocks: stretch, divided, sections, base });
                continue;
            }
            let mut rest = Vec::new();
            let mut top = base;
            for (place, &block) in stretch.iter().enumerate() {
                if through(place) {
                    offsets[block] = top;
                    top += blocks[block].size;
                } else {
                    rest.push(block);
                }
            }
            open.push((rest, top));
        }
    }
    Parts { leaves, offsets }
}

/// Groups of blocks that are connected in time.
fn stretches(blocks: &[Block], mut group: Vec<usize>) -> Vec<Vec<usize>> {
    group.sort_by_key(|&block| blocks[block].first);
    let mut stretches: Vec<Vec<usize>> = Vec::new();
    let mut end = None;
    for block in group {
        let Block { first, last, .. } = blocks[block];
        match stretches.last_mut().filter(|_| end >= Some(first)) {
            Some(stretch) => stretch.push(block),
            None => stretches.push(vec![block]),
        }
        end = end.max(Some(last));
    }
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(spans: &[(u64, usize, usize)]) -> String {
        let blocks: Vec<Block> =
            spans.iter().map(|&(size, first, last)| Block { size, first, last }).collect();
        let parts = decompose(&blocks);
        let leaves: Vec<String> =
            parts.leaves.iter().map(|leaf| format!("{:?} above {}", leaf.blocks, leaf.base)).collect();
        format!("offsets {:?}, leaves {}", parts.offsets, leaves.join(", "))
    }

    #[test]
    fn what_lives_throughout_lies_below_and_the_rest_falls_apart() {
        let text = parts(&[(5, 0, 9), (1, 0, 4), (2, 5, 9)]);
        assert_eq!(text, "offsets [0, 5, 5], leaves ");
    }

    #[test]
    fn stairs_are_one_part() {
        let text = parts(&[(5, 0, 9), (1, 0, 3), (2, 2, 6), (3, 5, 9)]);
        // The middle step meets both others, and these do not meet.
        assert_eq!(text, "offsets [0, 7, 5, 7], leaves ");
        let text = parts(&[(1, 0, 3), (2, 2, 6), (3, 5, 9), (4, 8, 12)]);
        assert_eq!(text, "offsets [0, 0, 0, 0], leaves [0, 1, 2, 3] above 0");
    }
}
