//! What follows from a partial packing: the rules of scheduling on one machine, with a section for the machine, blocks
//! for the jobs and offsets for time (Carlier and Pinson 1989 and their successors).

use super::state::State;

/// Finds what follows, section by section, until nothing more does.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// The blocks still to place in a section, as (a key, block).
    open: Vec<(u64, usize)>,
}

impl Rules {
    /// Raises least offsets as far as the rules go.
    ///
    /// # Errors
    /// The section in which no solution is left.
    pub(super) fn apply(&mut self, state: &mut State<'_>) -> Result<(), usize> {
        let mut at = 0;
        while let Some(section) = state.next_queued(at) {
            at += 1;
            if state.rest[section] > 0 && !self.section(state, section) {
                state.clear_queue();
                return Err(section);
            }
        }
        state.clear_queue();
        Ok(())
    }

    fn section(&mut self, state: &mut State<'_>, section: usize) -> bool {
        let alive = state.problem.alive.row(section);
        state.steps += alive.len() as u64;
        self.open.clear();
        let open = alive.iter().map(|&block| block as usize).filter(|&block| !state.placed[block]);
        self.open.extend(open.map(|block| (state.least[block], block)));
        let highest = self.open.iter().map(|&(least, _)| least).max().unwrap_or(0);
        if highest + state.rest[section] <= state.capacity {
            return true;
        }
        self.fits(state) && self.not_first(state, section)
    }

    /// Whether all that cannot lie below some offset fits above it, for each offset.
    fn fits(&mut self, state: &mut State<'_>) -> bool {
        state.steps += 2 * self.open.len() as u64;
        self.open.sort_unstable_by(|a, b| b.cmp(a));
        let mut sum = 0;
        self.open.iter().all(|&(least, block)| {
            sum += state.problem.blocks[block].size;
            least + sum <= state.capacity
        })
    }

    /// A block that cannot have all of some others above it lies above at least one of these, and so no lower than
    /// the least end among them. Taken are the others with the highest least ends, as many as it takes.
    fn not_first(&mut self, state: &mut State<'_>, section: usize) -> bool {
        for entry in &mut self.open {
            entry.0 = state.least_end(entry.1);
        }
        state.steps += 2 * self.open.len() as u64;
        self.open.sort_unstable_by(|a, b| b.cmp(a));
        let rest = state.rest[section];
        for &(end, block) in &self.open {
            let least = state.least[block];
            if least + rest <= state.capacity {
                continue;
            }
            let mut sum = end;
            for &(other_end, other) in self.open.iter().filter(|&&(_, other)| other != block) {
                if other_end <= least {
                    break;
                }
                state.steps += 1;
                sum += state.problem.blocks[other].size;
                if sum > state.capacity {
                    state.raise(block, other_end);
                    break;
                }
            }
            if state.least_end(block) > state.capacity {
                return false;
            }
        }
        true
    }
}
