//! Branch and bound for one part: does it fit a capacity?
//!
//! After MiniMalloc (Moffitt 2023): only packings in which nothing can sink are looked at, built from the bottom up,
//! and each moment bounds what is still possible. The branching and the inference are those of scheduling, see
//! `branch` and `rules`. Searches of this kind get lost in one half of the tree or find an answer at once, so that
//! they are restarted after a growing number of dead ends (Gomes, Selman and Kautz 1998), each time with the sections
//! that gave dead ends counting more (Boussemart and others 2004).

mod branch;
mod problem;
mod rules;
mod state;

use branch::{Branch, Chooser, STRATEGIES};
use problem::Problem;
use rules::Rules;
use state::{Mark, State};

use super::sections::{Block, Offsets};

/// Looks for packings below `best` until one reaches the goal or the work is done; takes its steps from `work`.
///
/// The goal itself is asked for first, with most of the work. Then heights between it and the best known are halved
/// in turn: what is not found counts as impossible.
pub(super) fn minimise(
    blocks: &[Block],
    sections: usize,
    best: Offsets,
    goal: u64,
    work: &mut u64,
) -> Offsets {
    let Some(problem) = Problem::new(blocks, sections) else { return best };
    let mut best = best;
    let mut least = goal;
    let mut capacity = goal;
    let mut share = *work / 4 * 3;
    while least < best.height && *work > 0 {
        let mut search = Search::new(&problem, capacity);
        let outcome = search.run(share);
        *work = work.saturating_sub(search.state.steps);
        match outcome {
            Outcome::Fits(offsets) => best = measured(blocks, offsets),
            Outcome::Never | Outcome::OutOfWork => least = capacity + 1,
        }
        if least < best.height {
            capacity = least + (best.height - least) / 2;
        }
        share = *work / 4;
    }
    best
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

/// Dead ends before the first restart.
const PATIENCE: u64 = 200;

struct Search<'a> {
    state: State<'a>,
    rules: Rules,
    chooser: Chooser,
    /// The branches taken, to be left the other way at a dead end.
    taken: Vec<(Mark, Branch)>,
}

impl<'a> Search<'a> {
    fn new(problem: &'a Problem<'a>, capacity: u64) -> Search<'a> {
        Search {
            state: State::new(problem, capacity),
            rules: Rules::default(),
            chooser: Chooser::new(problem.blocks.len(), problem.sections),
            taken: Vec::new(),
        }
    }

    /// Searches for so many steps, with restarts.
    fn run(&mut self, work: u64) -> Outcome {
        if self.rules.apply(&mut self.state).is_err() {
            return Outcome::Never;
        }
        let root = self.state.mark();
        let mut patience = PATIENCE;
        for restarts in 0.. {
            self.chooser.restart(restarts);
            if let Some(outcome) = self.descend(patience, work) {
                return outcome;
            }
            self.state.undo(root);
            self.taken.clear();
            if restarts % STRATEGIES.len() == STRATEGIES.len() - 1 {
                patience += patience / 2;
            }
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
