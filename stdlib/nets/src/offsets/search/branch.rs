//! Where to go on: which block to place, and in which order blocks are tried.

use super::state::State;
use crate::offsets::sections::Block;

/// How a search goes about it. No way suits all problems, so that they take turns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Strategy {
    /// Stay where space is scarce, instead of filling from the bottom everywhere.
    local: bool,
    /// Of several blocks, the lowest first, and only then by worth.
    lowest: bool,
    worth: Worth,
}

/// What makes a block urgent. All count sections by their weight, which grows with each dead end there.
#[derive(Debug, Clone, Copy)]
enum Worth {
    Length,
    /// Length times the need of the fullest section.
    Fullness,
}

/// Nearly always the first finds what is found at all.
const LOCAL: Strategy = Strategy { local: true, lowest: true, worth: Worth::Length };

/// The strategies, in turn.
pub(super) const STRATEGIES: [Strategy; 6] = [
    LOCAL,
    Strategy { local: false, lowest: true, worth: Worth::Length },
    LOCAL,
    Strategy { local: true, lowest: true, worth: Worth::Fullness },
    LOCAL,
    Strategy { local: true, lowest: false, worth: Worth::Length },
];

/// A branch: a block to place on its ground; if that leads nowhere, it lies no lower than `until`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Branch {
    pub(super) block: usize,
    pub(super) until: u64,
}

/// What dead ends have taught so far, and chance.
#[derive(Debug)]
pub(super) struct Chooser {
    pub(super) strategy: Strategy,
    weights: Vec<f64>,
    /// How much the next dead end weighs.
    bump: f64,
    /// A factor for the worth of each block.
    noise: Vec<f64>,
    /// State of a xorshift generator (Marsaglia 2003).
    random: u64,
    /// Whether each strategy goes without chance at first.
    plain: bool,
    rivals: Vec<usize>,
}

/// A dead end without a section to blame counts so much less for each of several.
const SHARED_BLAME: f64 = 0.1;

/// Later dead ends weigh so much more than earlier ones, from restart to restart.
const GROWTH: f64 = 1.02;

/// How far chance moves the worth of a block.
const NOISE: f64 = 0.1;

/// This part of the capacity counts as scarce: below it the weight of a section decides alone.
const SCARCE: f64 = 0.002;

impl Chooser {
    pub(super) fn new(blocks: usize, sections: usize, seed: usize) -> Chooser {
        Chooser {
            strategy: STRATEGIES[0],
            weights: vec![1.0; sections],
            bump: 1.0,
            noise: vec![1.0; blocks],
            random: 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(2 * seed as u64 + 1),
            plain: seed == 0,
            rivals: Vec::new(),
        }
    }

    /// Begins anew by the next strategy.
    pub(super) fn restart(&mut self, restarts: usize) {
        self.strategy = STRATEGIES[restarts % STRATEGIES.len()];
        self.bump = (self.bump * GROWTH).min(1e100);
        if restarts < STRATEGIES.len() && self.plain {
            return;
        }
        for factor in &mut self.noise {
            self.random ^= self.random << 13;
            self.random ^= self.random >> 7;
            self.random ^= self.random << 17;
            // The upper 32 bits as a number below one.
            *factor = 1.0 + NOISE * (f64::from((self.random >> 32) as u32) / 4_294_967_296.0);
        }
    }

    /// A dead end in a section.
    pub(super) fn blame(&mut self, section: usize) {
        self.weights[section] += self.bump;
    }

    /// The next branch. None at a dead end: nothing can lie where something must.
    ///
    /// Only packings in which nothing can sink count. Say that `first` has the least end of all blocks that meet its
    /// rivals, the rivals being itself and what meets it and can begin below that end. In such a packing one of them
    /// does begin below that end, for else `first` could sink to its ground; nothing lies between it and its ground,
    /// for nothing still to place ends below that end. So one of the rivals lies on its ground, and a rival that
    /// does not lies no lower than that end. (Giffler and Thompson 1960, for shops whose jobs need many machines at
    /// once.)
    pub(super) fn choose(&mut self, state: &mut State<'_>) -> Option<Branch> {
        let first = self.seed(state);
        let (first, until) = self.settle(state, first);
        let on_ground = self.rivals.iter().filter(|&&block| state.least[block] == state.ground[block]);
        let mut best: Option<(u64, f64, usize)> = None;
        let mut steps = 0;
        for &block in on_ground {
            steps += state.problem.blocks[block].width() as u64;
            let height = if self.strategy.lowest { state.least[block] } else { 0 };
            let worth = self.worth(state, block);
            if best.is_none_or(|(low, most, _)| height < low || (height == low && worth > most)) {
                best = Some((height, worth, block));
            }
        }
        state.steps += steps;
        if best.is_none() {
            let Block { first, last, .. } = state.problem.blocks[first];
            for weight in &mut self.weights[first..=last] {
                *weight += self.bump * SHARED_BLAME;
            }
        }
        best.map(|(.., block)| Branch { block, until })
    }

    /// A block with the least end: everywhere, or in the section where space is scarcest for its weight.
    fn seed(&self, state: &mut State<'_>) -> usize {
        let blocks = state.problem.blocks.len();
        if !self.strategy.local {
            state.steps += blocks as u64;
            return soonest(state, 0..blocks);
        }
        state.steps += state.problem.sections as u64;
        let scarce = state.capacity as f64 * SCARCE;
        let mut best = (f64::INFINITY, 0);
        for section in (0..state.problem.sections).filter(|&section| state.rest[section] > 0) {
            let slack = state.capacity.saturating_sub(state.floor[section] + state.rest[section]);
            let need = (slack as f64 + scarce) / self.weights[section];
            if need < best.0 {
                best = (need, section);
            }
        }
        soonest(state, state.problem.alive.row(best.1).iter().map(|&block| block as usize))
    }

    /// Goes from a block to others with less ends nearby, until none of those that meet its rivals has a less one.
    /// Leaves the rivals.
    fn settle(&mut self, state: &mut State<'_>, first: usize) -> (usize, u64) {
        let problem = state.problem;
        let mut first = first;
        loop {
            let end = state.least_end(first);
            let meets = problem.meets.row(first).iter().map(|&other| other as usize);
            self.rivals.clear();
            self.rivals.push(first);
            self.rivals.extend(meets.filter(|&other| !state.placed[other] && state.least[other] < end));
            let lives = self.rivals.iter().map(|&block| problem.blocks[block]);
            let whole = lives.fold(problem.blocks[first], |whole, life| Block {
                size: 0,
                first: whole.first.min(life.first),
                last: whole.last.max(life.last),
            });
            state.steps += ((problem.meets.row(first).len() + problem.blocks.len()) / 4) as u64;
            let near = (0..problem.blocks.len()).filter(|&block| problem.blocks[block].meets(&whole));
            let next = soonest(state, near);
            if state.least_end(next) >= end {
                return (first, end);
            }
            first = next;
        }
    }

    fn worth(&self, state: &State<'_>, block: usize) -> f64 {
        let life = state.problem.blocks[block];
        let length: f64 = self.weights[life.first..=life.last].iter().sum();
        let worth = match self.strategy.worth {
            Worth::Length => length,
            Worth::Fullness => {
                let need = |section: usize| state.floor[section] + state.rest[section];
                length * (life.first..=life.last).map(need).max().unwrap_or(0) as f64
            }
        };
        worth * self.noise[block]
    }
}

/// The block still to place with the least end, the first of several.
fn soonest(state: &State<'_>, blocks: impl Iterator<Item = usize>) -> usize {
    let open = blocks.filter(|&block| !state.placed[block]);
    open.min_by_key(|&block| state.least_end(block)).unwrap_or(0)
}
