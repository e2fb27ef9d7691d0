//! Packings that learn from their mistakes: what ends up too high comes earlier the next time (squeaky wheel
//! optimisation, Joslin and Clements 1999). It helps where there is too much for a search, and costs n log n a time.

use std::cmp::Reverse;

use super::order::Order;
use super::sections::{Block, Offsets};
use super::skyline::Skyline;

/// Orders to begin with, each with the same part of the work.
const ORDERS: [Order; 4] = [Order::Start, Order::Width, Order::Area, Order::Size];

/// Packs from the bottom up again and again until the goal is reached or the work is done. Returns the best found,
/// `best` if none is better; takes its steps from `work`.
pub(super) fn repair(blocks: &[Block], best: Offsets, goal: u64, work: &mut u64) -> Offsets {
    let mut best = best;
    let mut skyline = Skyline::new(blocks);
    for (tried, order) in ORDERS.into_iter().enumerate() {
        let share = *work / (ORDERS.len() - tried) as u64;
        let mut wheel = Wheel::new(order.of(blocks));
        skyline.work = share;
        while best.height > goal
            && let Some(next) = skyline.pack(&wheel.order)
        {
            wheel.squeak(blocks, &next, goal);
            if next.height < best.height {
                best = next;
            }
        }
        *work -= share - skyline.work;
    }
    best
}

/// An order of blocks, and how urgent each is.
struct Wheel {
    order: Vec<usize>,
    urgency: Vec<u64>,
}

impl Wheel {
    /// At first a block is more urgent by one than the next.
    fn new(order: Vec<usize>) -> Wheel {
        let mut urgency = vec![0; order.len()];
        for (&block, place) in order.iter().rev().zip(0..) {
            urgency[block] = place;
        }
        Wheel { order, urgency }
    }

    /// What ends above the goal becomes more urgent: it overtakes from a twentieth to a quarter of all blocks, by how
    /// far it lies above.
    fn squeak(&mut self, blocks: &[Block], packed: &Offsets, goal: u64) {
        let most = u128::from(packed.height.saturating_sub(goal).max(1));
        let (least, gain) = (blocks.len().div_ceil(20) as u64, blocks.len().div_ceil(5) as u64);
        for (index, block) in blocks.iter().enumerate() {
            let above = packed.offsets[index].saturating_add(block.size).saturating_sub(goal);
            if above > 0 {
                let part = u128::from(gain) * u128::from(above) / most;
                self.urgency[index] += least + u64::try_from(part).unwrap_or(gain);
            }
        }
        let urgency = &self.urgency;
        self.order.sort_by_key(|&block| Reverse(urgency[block]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(spans: &[(u64, usize, usize)]) -> Vec<Block> {
        spans.iter().map(|&(size, first, last)| Block { size, first, last }).collect()
    }

    #[test]
    fn what_ends_too_high_overtakes_the_others() {
        let spans = blocks(&[(1, 0, 0), (1, 0, 0), (1, 0, 0), (1, 0, 0)]);
        let mut wheel = Wheel::new(vec![0, 1, 2, 3]);
        let packed = Offsets { offsets: vec![0, 1, 2, 3], height: 4 };
        wheel.squeak(&spans, &packed, 3);
        // One step for lying too high, and one more for lying highest; the earlier of two equals stays first.
        assert_eq!(wheel.order, [0, 1, 3, 2]);
        wheel.squeak(&spans, &packed, 3);
        assert_eq!(wheel.order, [3, 0, 1, 2]);
    }

    #[test]
    fn a_packing_gets_better_and_never_worse() {
        // Stairs of sizes without a pattern: no order of one kind packs them well.
        let size = |step: u64| 1 + step * step * 7919 % 1000;
        let spans: Vec<Block> = (0..300_usize)
            .map(|step| Block { size: size(step as u64), first: step, last: step + 20 })
            .collect();
        let (mut few, mut many) = (1 << 16, 1 << 22);
        let before = Offsets { offsets: Vec::new(), height: u64::MAX };
        let first = repair(&spans, before, 0, &mut few);
        let better = repair(&spans, first.clone(), 0, &mut many);
        assert!(better.height < first.height, "{} {}", better.height, first.height);
        assert!(few < 1 << 16 && many < 1 << 22);
    }
}
