//! What is placed and what follows from it, and how to take it back.

use super::problem::Problem;

/// What a change replaced.
#[derive(Debug, Clone, Copy)]
enum Undo {
    Floor(usize, u64),
    Peak(usize, u64),
    Ground(usize, u64),
    Least(usize, u64),
    Placed(usize),
}

/// A partial packing, built from the bottom up: whatever is placed later lies above all that it meets and that is
/// placed already.
#[derive(Debug)]
pub(super) struct State<'a> {
    pub(super) problem: &'a Problem<'a>,
    /// What must not be exceeded.
    pub(super) capacity: u64,
    /// Top of what is placed in each section.
    pub(super) floor: Vec<u64>,
    /// Bytes still to place in each section.
    pub(super) rest: Vec<u64>,
    /// At least the largest `least` of the blocks still to place in each section.
    peak: Vec<u64>,
    /// Where each block would lie if it were placed now: the highest floor of its sections.
    pub(super) ground: Vec<u64>,
    /// The least offset that each block has in any solution that is still open.
    pub(super) least: Vec<u64>,
    pub(super) placed: Vec<bool>,
    /// Offsets of what is placed.
    pub(super) offsets: Vec<u64>,
    /// Number of blocks still to place.
    pub(super) left: usize,
    /// Steps taken so far.
    pub(super) steps: u64,
    trail: Vec<Undo>,
    /// Sections where something may follow from the last changes, and which sections these are.
    queue: Vec<usize>,
    queued: Vec<bool>,
}

/// A point to which changes can be taken back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark(usize);

impl<'a> State<'a> {
    pub(super) fn new(problem: &'a Problem<'a>, capacity: u64) -> State<'a> {
        let (blocks, sections) = (problem.blocks.len(), problem.sections);
        let load = |section| {
            problem.alive.row(section).iter().map(|&block| problem.blocks[block as usize].size).sum()
        };
        State {
            problem,
            capacity,
            floor: vec![0; sections],
            rest: (0..sections).map(load).collect(),
            peak: vec![0; sections],
            ground: vec![0; blocks],
            least: vec![0; blocks],
            placed: vec![false; blocks],
            offsets: vec![0; blocks],
            left: blocks,
            steps: 0,
            trail: Vec::new(),
            queue: (0..sections).collect(),
            queued: vec![true; sections],
        }
    }

    /// The least offset at which a block can end.
    pub(super) fn least_end(&self, block: usize) -> u64 {
        self.least[block] + self.problem.blocks[block].size
    }

    pub(super) fn mark(&self) -> Mark {
        Mark(self.trail.len())
    }

    /// Places a block on its ground.
    pub(super) fn place(&mut self, block: usize) {
        let problem = self.problem;
        let life = problem.blocks[block];
        let top = self.ground[block] + life.size;
        self.offsets[block] = self.ground[block];
        self.placed[block] = true;
        self.left -= 1;
        self.trail.push(Undo::Placed(block));
        for section in life.first..=life.last {
            self.trail.push(Undo::Floor(section, self.floor[section]));
            self.floor[section] = top;
            self.rest[section] -= life.size;
            self.raise_peak(section, top);
        }
        let meets = problem.meets.row(block);
        self.steps += (meets.len() + life.width()) as u64;
        for &other in meets {
            let other = other as usize;
            if !self.placed[other] && self.ground[other] < top {
                self.trail.push(Undo::Ground(other, self.ground[other]));
                self.ground[other] = top;
                self.raise(other, top);
            }
        }
    }

    /// Notes that a block lies nowhere below `to`.
    pub(super) fn raise(&mut self, block: usize, to: u64) {
        if self.least[block] >= to {
            return;
        }
        self.trail.push(Undo::Least(block, self.least[block]));
        self.least[block] = to;
        let life = self.problem.blocks[block];
        self.steps += life.width() as u64;
        for section in life.first..=life.last {
            self.raise_peak(section, to);
        }
    }

    /// As long as everything would fit above the peak, nothing follows in a section.
    fn raise_peak(&mut self, section: usize, to: u64) {
        if self.peak[section] < to {
            self.trail.push(Undo::Peak(section, self.peak[section]));
            self.peak[section] = to;
        }
        let tight = self.rest[section] > 0 && self.peak[section] + self.rest[section] > self.capacity;
        if tight && !self.queued[section] {
            self.queued[section] = true;
            self.queue.push(section);
        }
    }

    /// Takes back everything since a mark.
    pub(super) fn undo(&mut self, mark: Mark) {
        while self.trail.len() > mark.0
            && let Some(change) = self.trail.pop()
        {
            match change {
                Undo::Floor(section, value) => self.floor[section] = value,
                Undo::Peak(section, value) => self.peak[section] = value,
                Undo::Ground(block, value) => self.ground[block] = value,
                Undo::Least(block, value) => self.least[block] = value,
                Undo::Placed(block) => {
                    self.placed[block] = false;
                    self.left += 1;
                    let life = self.problem.blocks[block];
                    for section in life.first..=life.last {
                        self.rest[section] += life.size;
                    }
                }
            }
        }
    }

    /// The sections to look at, oldest first; `at` counts how many were taken.
    pub(super) fn next_queued(&mut self, at: usize) -> Option<usize> {
        let section = *self.queue.get(at)?;
        self.queued[section] = false;
        Some(section)
    }

    pub(super) fn clear_queue(&mut self) {
        for section in self.queue.drain(..) {
            self.queued[section] = false;
        }
    }
}
