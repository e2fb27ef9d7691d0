//! Offsets in one block of memory for things that live for a while: the solver of both levels, values in a
//! program's slab and buffers in a plan's.
//!
//! Three stages, each only where the one before left something to gain:
//!
//! 1. **Greedy** (`greedy`): a handful of ways and orders, the best kept. About n log n, for any number of items.
//! 2. **Decomposition** (`leaves`): stretches of time that share nothing are problems of their own, and what lives
//!    through a whole stretch lies below everything else there, which may part the rest again.
//! 3. **Search** (`search`): each part is asked to fit the goal, by branching over solutions in which nothing can
//!    sink, with inference at each step, restarts, and orders that learn from dead ends. Before it, or instead of it
//!    where a part is too large, greedy packings are repeated in orders that learn as well (`repair`).
//!
//! All work is counted in steps and bounded by them, never by a clock, and chance comes from fixed seeds: the result
//! depends on nothing but the items and the goal. Not even on their order, except that items which are alike may
//! swap their offsets; nor on how long a step is, because time counts only as far as it tells who meets whom. [`check()`] verifies a result without using any of this.

mod check;
mod greedy;
mod leaves;
mod order;
mod overlaps;
mod repair;
mod search;
mod sections;
mod skyline;
mod within;

pub use check::{Fault, check};

use sections::Timeline;

/// A thing to place: `bytes` from the start of step `first` to the end of step `last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// Its size.
    pub bytes: usize,
    /// First step at which it exists.
    pub first: usize,
    /// Last step at which it exists; where that is before `first`, `first` is meant.
    pub last: usize,
}

impl Item {
    /// The last step at which it exists.
    fn end(&self) -> usize {
        self.last.max(self.first)
    }
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

/// Steps of search that a plan is worth: some, more for each item, and at most. Some hundredths of a second for a
/// thousand items, where greedy ways do not suffice.
const PLAN_WORK: (u64, u64, u64) = (1 << 18, 1 << 11, 1 << 23);

/// A plan's packing is good enough when it needs at most one part in so many more than the lower bound.
const PLAN_SLACK: u64 = 200;

/// Packs items at multiples of `alignment`, as plans are packed: greedily, and with a short search where that needs
/// more than half a percent over the lower bound.
///
/// Where no `usize` counts the bytes that are needed, the height is `usize::MAX` and the offsets mean nothing.
pub fn pack(items: &[Item], alignment: usize) -> Packing {
    let enough = |bound: u64| (bound, bound.saturating_add(bound / PLAN_SLACK));
    let (some, each, most) = PLAN_WORK;
    let work = each.saturating_mul(items.len() as u64).saturating_add(some).min(most);
    solve(items, alignment, enough, work)
}

/// Packs items at multiples of `alignment` until the goal is reached or the work is done; the best found.
///
/// Where no `usize` counts the bytes that are needed, the height is `usize::MAX` and the offsets mean nothing.
pub fn pack_within(items: &[Item], alignment: usize, goal: Goal) -> Packing {
    let enough = |bound: u64| (bound.max(goal.height as u64), bound.max(goal.height as u64));
    solve(items, alignment, enough, goal.work)
}

/// The three stages. The caller says, given the lower bound, up to which height greedy ways are tried, and above
/// which a search follows.
fn solve(items: &[Item], alignment: usize, enough: impl Fn(u64) -> (u64, u64), work: u64) -> Packing {
    let timeline = Timeline::new(items, alignment.max(1));
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
