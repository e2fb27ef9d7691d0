//! Branch and bound for one part: does it fit a capacity?
//!
//! After MiniMalloc (Moffitt 2023): only packings in which nothing can sink are looked at, built from the bottom up,
//! and each moment bounds what is still possible. The branching and the inference are those of scheduling, see
//! `branch` and `rules`. Searches of this kind get lost in one half of the tree or find an answer at once, so that
//! they are restarted after some dead ends (Gomes, Selman and Kautz 1998), each time with the sections
//! that gave dead ends counting more (Boussemart and others 2004).

mod branch;
mod problem;
mod rules;
mod state;

use branch::{Branch, Chooser, STRATEGIES};
pub(super) use problem::Problem;
use rules::Rules;
use state::{Mark, State};

use super::sections::{Block, Offsets};

/// Looks for packings below `best` until one reaches the goal or the work is done; takes its steps from `work`.
///
/// The goal itself is asked for first, with most of the work. Then heights between it and the best known are halved
/// in turn: what is not found counts as impossible.
pub(super) fn minimise(problem: &Problem<'_>, best: Offsets, goal: u64, work: &mut u64) -> Offsets {
    let mut best = best;
    let mut least = goal;
    let mut capacity = goal;
    let mut share = *work / 4 * 3;
    while least < best.height && *work > 0 {
        let rest = *work - share;
        match fit(problem, capacity, &mut share) {
            Some(found) => best = found,
            None => least = capacity + 1,
        }
        *work = rest + share;
        if least < best.height {
            capacity = least + (best.height - least) / 2;
        }
        share = work.div_ceil(4);
    }
    best
}

/// Looks for a packing within a capacity until the work is done; takes its steps from `work`.
///
/// What a search has learnt of the wrong half of the tree keeps it there, restarts or not: after some steps another one
/// begins from nothing, with chances of its own.
pub(super) fn fit(problem: &Problem<'_>, capacity: u64, work: &mut u64) -> Option<Offsets> {
    for seed in 0.. {
        let mut search = Search::new(problem, capacity, seed);
        let outcome = search.run((SLICE * luby(seed)).min(*work));
        *work = work.saturating_sub(search.state.steps);
        match outcome {
            Outcome::Fits(offsets) => return Some(measured(problem.blocks, offsets)),
            Outcome::OutOfWork if *work > 0 => {}
            Outcome::OutOfWork | Outcome::Never => break,
        }
    }
    None
}

fn measured(blocks: &[Block], offsets: Vec<u64>) -> Offsets {
    let height = blocks.iter().zip(&offsets).map(|(block, offset)| block.size + offset).max().unwrap_or(0);
    Offsets { offsets, height }
}

/// What became of a search.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// Offsets within the capacity.
    Fits(Vec<u64>),
    /// Every packing was ruled out.
    Never,
    OutOfWork,
}

/// Steps of the first search; later ones have a multiple of it.
const SLICE: u64 = 1 << 21;

/// Dead ends before the first restart; later ones wait a multiple of it.
const PATIENCE: u64 = 100;

/// The sequence 1, 1, 2, 1, 1, 2, 4, … from index 0: whatever the best number of dead ends between restarts is, waiting
/// as long as it says is nearly as good (Luby, Sinclair and Zuckerman 1993).
fn luby(index: usize) -> u64 {
    let mut place = index as u64 + 1;
    // The sequence up to a power of two less one ends in half that power, after twice the sequence before.
    while !(place + 1).is_power_of_two() {
        place -= (place + 1).next_power_of_two() / 2 - 1;
    }
    place.div_ceil(2)
}

struct Search<'a> {
    state: State<'a>,
    rules: Rules,
    chooser: Chooser,
    /// The branches taken, to be left the other way at a dead end.
    taken: Vec<(Mark, Branch)>,
}

impl<'a> Search<'a> {
    fn new(problem: &'a Problem<'a>, capacity: u64, seed: usize) -> Search<'a> {
        Search {
            state: State::new(problem, capacity),
            rules: Rules::default(),
            chooser: Chooser::new(problem.blocks.len(), problem.sections, seed),
            taken: Vec::new(),
        }
    }

    /// Searches for so many steps, with restarts.
    fn run(&mut self, work: u64) -> Outcome {
        if self.rules.apply(&mut self.state).is_err() {
            return Outcome::Never;
        }
        let root = self.state.mark();
        for restarts in 0.. {
            let patience = PATIENCE * luby(restarts / STRATEGIES.len());
            self.chooser.restart(restarts);
            if let Some(outcome) = self.descend(patience, work) {
                return outcome;
            }
            self.state.undo(root);
            self.taken.clear();
        }
        Outcome::OutOfWork
    }

    /// One search from the root. None if it lost its patience.
    fn descend(&mut self, patience: u64, work: u64) -> Option<Outcome> {
        let mut dead_ends = 0;
        while self.state.left > 0 {
            if self.state.steps >= work {
                return Some(Outcome::OutOfWork);
            }
            let mut alive = self.advance();
            while !alive {
                dead_ends += 1;
                let Some((mark, branch)) = self.taken.pop() else { return Some(Outcome::Never) };
                self.state.undo(mark);
                alive = self.turn(branch);
            }
            if dead_ends > patience {
                return None;
            }
        }
        Some(Outcome::Fits(self.state.offsets.clone()))
    }

    /// Places one more block. False at a dead end.
    fn advance(&mut self) -> bool {
        let Some(branch) = self.chooser.choose(&mut self.state) else { return false };
        self.taken.push((self.state.mark(), branch));
        self.state.place(branch.block);
        self.infer()
    }

    /// Goes the other way: the block lies higher, and so do blocks just like it, which could take its place.
    fn turn(&mut self, branch: Branch) -> bool {
        let problem = self.state.problem;
        let least = self.state.least[branch.block];
        let life = problem.blocks[branch.block];
        let meets = problem.meets.row(branch.block);
        self.state.steps += meets.len() as u64;
        self.state.raise(branch.block, branch.until);
        for &other in meets {
            let other = other as usize;
            let twin = problem.blocks[other] == life && self.state.least[other] == least;
            if twin && !self.state.placed[other] {
                self.state.raise(other, branch.until);
            }
        }
        self.infer()
    }

    fn infer(&mut self) -> bool {
        match self.rules.apply(&mut self.state) {
            Ok(()) => true,
            Err(section) => {
                self.chooser.blame(section);
                false
            }
        }
    }
}

#[cfg(test)]
mod tests;
