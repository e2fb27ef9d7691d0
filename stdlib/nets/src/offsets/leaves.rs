//! Decomposition: parts that can be packed without looking at the rest.
//!
//! What lives through a whole stretch of time parts the memory of that stretch in two, and the halves may be swapped:
//! it may as well lie at the bottom. Without it the stretch may fall apart into stretches that nothing connects, and
//! so on.

use super::greedy;
use super::search;
use super::sections::{Block, Offsets, divide};

/// Looks for a packing that needs at most `goal`, part by part. Returns the best found, `best` if none is better.
pub(super) fn improve(blocks: &[Block], best: Offsets, goal: u64, work: u64) -> Offsets {
    // Sums of sizes must be numbers: what does not fit those fits no machine either.
    if blocks.iter().try_fold(0_u64, |sum, block| sum.checked_add(block.size)).is_none() {
        return best;
    }
    let Parts { leaves, mut offsets } = decompose(blocks);
    let mut height =
        blocks.iter().zip(&offsets).map(|(block, offset)| block.size + offset).max().unwrap_or(0);
    let mut work = work;
    for (index, leaf) in leaves.iter().enumerate() {
        // Less than another part needs anyway is no gain.
        let enough = goal.max(height).saturating_sub(leaf.base);
        let mut share = work / (leaves.len() - index) as u64;
        work -= share;
        let packed = leaf.pack(enough, &mut share);
        work += share;
        height = height.max(leaf.base + packed.height);
        for (&block, offset) in leaf.blocks.iter().zip(packed.offsets) {
            offsets[block] = leaf.base + offset;
        }
        if height >= best.height {
            return best;
        }
    }
    Offsets { offsets, height }
}

/// A part: blocks that lie above `base` and share time with no others there.
struct Leaf {
    blocks: Vec<usize>,
    /// The blocks themselves, over sections of their own.
    divided: Vec<Block>,
    sections: usize,
    base: u64,
}

impl Leaf {
    fn pack(&self, goal: u64, work: &mut u64) -> Offsets {
        let packed = greedy::pack(&self.divided, goal);
        if packed.height <= goal {
            return packed;
        }
        search::minimise(&self.divided, self.sections, packed, goal, work)
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
    // The fullest parts first would need their loads; the largest first is as good: they decide the height.
    leaves.sort_by_key(|leaf| std::cmp::Reverse(leaf.blocks.len()));
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
