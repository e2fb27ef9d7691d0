//! Offsets in one block of memory for things that live for a while: the solver of both levels, values in a
//! program's slab and buffers in a plan's.
//!
//! Three stages, each only where the one before left something to gain:
//!
//! 1. **Greedy** (`greedy`): a handful of orders and two sweeps, the best kept. About n log n, for any number of items.
//! 2. **Decomposition** (`leaves`): stretches of time that share nothing are problems of their own, and what lives
//!    through a whole stretch lies below everything else there, which may part the rest again.
//! 3. **Search** (`search`): each part is asked to fit the goal, by branching over solutions in which nothing can
//!    sink, with inference at each step, restarts, and orders that learn from dead ends.
//!
//! All work is counted in steps and bounded by them, never by a clock, and chance comes from fixed seeds: the result
//! depends on nothing but the list and the goal. [`check()`] verifies a result without using any of this.

mod check;
mod greedy;
mod leaves;
mod overlaps;
mod search;
mod sections;

pub use check::{Fault, check};

use sections::Timeline;

/// A thing to place: `bytes` from the start of step `first` to the end of step `last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// Its size.
    pub bytes: usize,
    /// First step at which it exists.
    pub first: usize,
    /// Last step at which it exists; not before `first`.
    pub last: usize,
}

/// Where everything goes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Packing {
    /// Offset of each item, in the order given.
    pub offsets: Vec<usize>,
    /// Bytes needed.
    pub height: usize,
    /// Most bytes alive at one step: no packing can need less.
    pub lower_bound: usize,
}

/// What is good enough, and how much work a better packing is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Goal {
    /// A height that suffices; the lower bound suffices always.
    pub height: usize,
    /// Steps that the search may take: one looks at one item or one moment. A processor makes some hundred million
    /// of them in a second.
    pub work: u64,
}

/// Steps of search that a plan is worth: some hundredths of a second.
const PLAN_WORK: u64 = 20_000_000;

/// A plan's packing is good enough when it needs at most one part in so many more than the lower bound.
const PLAN_SLACK: u64 = 200;

/// Packs items at multiples of `alignment`, as plans are packed: greedily, and with a short search where that needs
/// more than half a percent over the lower bound.
///
/// Offsets and sizes saturate where their sum is no `usize`; such a packing fits no machine.
pub fn pack(items: &[Item], alignment: usize) -> Packing {
    let enough = |bound: u64| (bound, bound.saturating_add(bound / PLAN_SLACK));
    solve(items, alignment, enough, PLAN_WORK)
}

/// Packs items at multiples of `alignment` until the goal is reached or the work is done; the best found.
pub fn pack_within(items: &[Item], alignment: usize, goal: Goal) -> Packing {
    let enough = |bound: u64| (bound.max(goal.height as u64), bound.max(goal.height as u64));
    solve(items, alignment, enough, goal.work)
}

/// The three stages. The caller says, given the lower bound, up to which height greedy ways are tried, and above
/// which a search follows.
fn solve(items: &[Item], alignment: usize, enough: impl Fn(u64) -> (u64, u64), work: u64) -> Packing {
    let alignment = alignment.max(1);
    let most = usize::MAX / alignment * alignment;
    let aligned = |item: &Item| item.bytes.checked_next_multiple_of(alignment).unwrap_or(most) as u64;
    let timeline = Timeline::new(items, &items.iter().map(aligned).collect::<Vec<_>>());
    let (greedy_goal, goal) = enough(timeline.most_live);
    let mut best = greedy::pack(&timeline.blocks, greedy_goal);
    if best.height > goal {
        best = leaves::improve(&timeline.blocks, best, goal, work);
    }
    let offsets = timeline.by_item(items.len(), &best.offsets).into_iter().map(to_usize).collect();
    Packing { offsets, height: to_usize(best.height), lower_bound: to_usize(timeline.most_live) }
}

fn to_usize(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
