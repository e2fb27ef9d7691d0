//! Replays a plan on an empty machine:
//!
//! - every id names an entry of its table
//! - a step reads only buffers that an earlier step wrote, and loads that are loaded and not yet released
//! - a buffer is written by one step; scratch and slabs belong to one step
//! - buffers that are alive at the same step do not overlap, are aligned and lie in the slab
//! - attributes are known values
//! - patches of weights have finite numbers, and networks are not nested too deeply in them
//! - live ranges start at the first write and end at the last use
//! - buffers of unknown size have no place
//! - the totals are those of the tables, say that they are lower bounds where something is not known, and fit the target

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use crate::{Buffer, BufferId, Load, LoadId, Operand, Patch, Plan, Role, Step, StepId};

/// Buffers start at multiples of this many bytes.
const ALIGNMENT: u64 = 64;

/// Networks within networks of a load's patches.
const NESTED: usize = 16;

/// A plan that cannot run as it says.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{place}: {reason}")]
pub struct VerifyError {
    /// The entry: `step s3 (VAEDecode)`, `buffer b2 (LATENT)`.
    pub place: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Most bytes of prepared weights in memory at one step, as far as they are known.
pub fn resident_peak(plan: &Plan) -> u64 {
    let bytes = |load: &Load| load.resident_bytes.known().unwrap_or(0) as u64;
    peak(plan, plan.loads.iter().map(|load| (bytes(load), load.live)))
}

/// Most bytes alive at one step; ranges that no step has are left out.
fn peak(plan: &Plan, things: impl Iterator<Item = (u64, (StepId, StepId))>) -> u64 {
    let mut change = vec![0_i128; plan.steps.len() + 1];
    for (bytes, (first, last)) in things.filter(|(_, (_, last))| last.index() < plan.steps.len()) {
        change[first.index()] += i128::from(bytes);
        change[last.index() + 1] -= i128::from(bytes);
    }
    let running = change.iter().scan(0, |live, delta| {
        *live += delta;
        Some(*live)
    });
    u64::try_from(running.max().unwrap_or(0)).unwrap_or(u64::MAX)
}

impl Plan {
    /// Checks every invariant of this module's list.
    ///
    /// # Errors
    /// The first violation.
    pub fn verify(&self) -> Result<(), VerifyError> {
        self.verify_tables()?;
        let mut replay = Replay {
            plan: self,
            written: vec![None; self.buffers.len()],
            used: vec![None; self.buffers.len()],
            loaded: vec![None; self.loads.len()],
            load_used: vec![None; self.loads.len()],
        };
        for (index, step) in self.steps.iter().enumerate() {
            let place = || format!("step {} ({})", StepId::new(index), step.kernel);
            replay.step(index, step).map_err(|reason| VerifyError { place: place(), reason })?;
        }
        replay.finish()?;
        self.verify_overlap()?;
        self.verify_totals()
    }

    /// Whether everything is known that a run needs.
    pub fn is_complete(&self) -> bool {
        self.steps.iter().all(|step| step.gap.is_none())
            && self.buffers.iter().all(Buffer::is_known)
            && self.loads.iter().all(|load| load.resident_bytes.known().is_some())
    }

    fn buffer_error(&self, id: usize, reason: impl Into<String>) -> VerifyError {
        VerifyError {
            place: format!("buffer {} ({})", BufferId::new(id), self.buffers[id].name),
            reason: reason.into(),
        }
    }

    fn verify_tables(&self) -> Result<(), VerifyError> {
        for (id, buffer) in self.buffers.iter().enumerate() {
            if !buffer.is_known() {
                if buffer.offset != 0 {
                    return Err(self.buffer_error(id, "has a place but no size"));
                }
            } else if self.end(buffer).is_none_or(|end| end > self.memory.slab) {
                return Err(self.buffer_error(id, "ends outside of the slab"));
            }
            if !buffer.offset.is_multiple_of(ALIGNMENT) {
                return Err(self.buffer_error(id, format!("is not aligned to {ALIGNMENT} bytes")));
            }
            if buffer.live.0 > buffer.live.1 || buffer.live.1.index() >= self.steps.len() {
                return Err(self.buffer_error(id, "has a live range that no step has"));
            }
        }
        for (index, load) in self.loads.iter().enumerate() {
            if !fit(&load.patches, 0) {
                let place = format!("load {} ({})", LoadId::new(index), load.part);
                return Err(VerifyError { place, reason: "has patches that cannot be applied".to_owned() });
            }
        }
        for (index, program) in self.programs.iter().enumerate() {
            if program.load.index() >= self.loads.len() {
                let place = format!("program {}", crate::ProgramId::new(index));
                return Err(VerifyError { place, reason: format!("there is no load {}", program.load) });
            }
        }
        for output in &self.outputs {
            if output.step.index() >= self.steps.len() {
                let place = format!("output of {}", output.origin);
                return Err(VerifyError { place, reason: format!("there is no step {}", output.step) });
            }
        }
        Ok(())
    }

    /// The first byte behind a buffer of known size.
    fn end(&self, buffer: &Buffer) -> Option<u64> {
        buffer.offset.checked_add(buffer.bytes()?)
    }

    /// Walks the buffers by their first step. What is alive is kept by offset and never overlaps, so a new buffer
    /// need only be compared with its neighbours: plans come from files, and may be long.
    fn verify_overlap(&self) -> Result<(), VerifyError> {
        let mut order: Vec<usize> = (0..self.buffers.len()).collect();
        order.sort_by_key(|&id| (self.buffers[id].live.0, id));
        let mut alive: BTreeMap<u64, (u64, usize)> = BTreeMap::new();
        let mut ends: BTreeSet<(StepId, u64)> = BTreeSet::new();
        for id in order {
            let buffer = &self.buffers[id];
            let (start, bytes) = (buffer.offset, buffer.bytes().unwrap_or(0));
            while let Some(&(last, offset)) = ends.first().filter(|(last, _)| *last < buffer.live.0) {
                ends.remove(&(last, offset));
                alive.remove(&offset);
            }
            if bytes == 0 {
                continue;
            }
            let below = alive.range(..=start).next_back().filter(|(_, (end, _))| *end > start);
            let above = || alive.range(start..).next().filter(|(offset, _)| **offset < start + bytes);
            if let Some((_, &(_, other))) = below.or_else(above) {
                let (first, second) = (id.min(other), id.max(other));
                let name = &self.buffers[second].name;
                let second = BufferId::new(second);
                let step = buffer.live.0;
                return Err(self.buffer_error(first, format!("overlaps {second} ({name}) at step {step}")));
            }
            alive.insert(start, (start + bytes, id));
            ends.insert((buffer.live.1, start));
        }
        Ok(())
    }

    fn verify_totals(&self) -> Result<(), VerifyError> {
        let fail = |reason: String| Err(VerifyError { place: "memory".to_owned(), reason });
        let weights = resident_peak(self);
        if self.memory.weights != weights {
            return fail(format!(
                "says {} bytes of weights, the loads add up to {weights}",
                self.memory.weights
            ));
        }
        let rounded = |buffer: &Buffer| buffer.bytes().unwrap_or(0).next_multiple_of(ALIGNMENT);
        let bound = peak(self, self.buffers.iter().map(|buffer| (rounded(buffer), buffer.live)));
        if self.memory.slab_lower_bound != bound {
            return fail(format!(
                "says that {} bytes of buffers live at once, the buffers add up to {bound}",
                self.memory.slab_lower_bound
            ));
        }
        // One slab for the whole run: the peak is where most weights are in memory.
        if self.memory.slab.checked_add(weights) != Some(self.memory.peak) {
            return fail(format!("says a peak of {}, which is not slab and weights", self.memory.peak));
        }
        if self.memory.at_least == self.is_complete() {
            let word = if self.memory.at_least { "" } else { "not " };
            return fail(format!("does {word}say that its numbers are lower bounds"));
        }
        match self.target.memory {
            Some(limit) if self.memory.peak > limit => {
                fail(format!("the peak of {} bytes is above the target's {limit}", self.memory.peak))
            }
            _ => Ok(()),
        }
    }
}

/// Whether patches, so deep in others, are finite and end.
fn fit(patches: &[Patch], depth: usize) -> bool {
    depth <= NESTED
        && patches.iter().all(|patch| match patch {
            Patch::Adapter { strength, .. } => strength.is_finite() && *strength != 0.0,
            Patch::Merge { patches, shares, .. } => {
                let finite = |(_, keep, add): &(String, f64, f64)| keep.is_finite() && add.is_finite();
                shares.iter().all(finite) && fit(patches, depth + 1)
            }
        })
}

struct Replay<'a> {
    plan: &'a Plan,
    /// The step that writes each buffer.
    written: Vec<Option<usize>>,
    /// The last step that uses each buffer.
    used: Vec<Option<usize>>,
    /// The step that loads each part.
    loaded: Vec<Option<usize>>,
    /// The last step that uses each part.
    load_used: Vec<Option<usize>>,
}

impl Replay<'_> {
    fn step(&mut self, index: usize, step: &Step) -> Result<(), String> {
        for &load in &step.loads {
            let loaded =
                self.loaded.get_mut(load.index()).ok_or_else(|| format!("there is no load {load}"))?;
            if loaded.replace(index).is_some() {
                return Err(format!("loads {load} a second time"));
            }
            self.load_used[load.index()] = Some(index);
        }
        for (name, operand) in &step.inputs {
            for operand in operand.leaves() {
                self.input(index, operand).map_err(|reason| format!("input `{name}`: {reason}"))?;
            }
        }
        for (name, operand) in &step.attributes {
            if !operand.leaves().all(|leaf| matches!(leaf, Operand::Scalar(_))) {
                return Err(format!("attribute `{name}` is no known value"));
            }
        }
        for &program in &step.programs {
            let entry = self.plan.programs.get(program.index());
            let entry = entry.ok_or_else(|| format!("there is no program {program}"))?;
            self.use_load(index, entry.load)?;
            let room = step.scratch.iter().filter_map(|id| self.plan.buffers.get(id.index()));
            let room = room.filter(|buffer| buffer.role == Role::Slab).filter_map(Buffer::bytes).max();
            if room.unwrap_or(0) < entry.slab_bytes {
                return Err(format!("has no room for the slab of {program}"));
            }
        }
        for &buffer in step.outputs.iter().flatten() {
            self.write(index, buffer, |role| role == Role::Value)?;
        }
        for &buffer in &step.scratch {
            self.write(index, buffer, |role| role != Role::Value)?;
        }
        Ok(())
    }

    fn input(&mut self, index: usize, operand: &Operand) -> Result<(), String> {
        match operand {
            Operand::Buffers(buffers) => buffers.iter().try_for_each(|&buffer| self.read(index, buffer)),
            Operand::Load(load) => self.use_load(index, *load),
            Operand::Scalar(_) | Operand::Open | Operand::List(_) | Operand::Record(_) => Ok(()),
        }
    }

    fn read(&mut self, index: usize, buffer: BufferId) -> Result<(), String> {
        match self.written.get(buffer.index()) {
            None => Err(format!("there is no buffer {buffer}")),
            Some(None) => Err(format!("{buffer} is read before it is written")),
            Some(Some(_)) if self.plan.buffers[buffer.index()].role != Role::Value => {
                Err(format!("{buffer} is working memory of another step"))
            }
            Some(Some(_)) => {
                self.used[buffer.index()] = Some(index);
                Ok(())
            }
        }
    }

    fn write(&mut self, index: usize, buffer: BufferId, fits: fn(Role) -> bool) -> Result<(), String> {
        let Some(entry) = self.plan.buffers.get(buffer.index()) else {
            return Err(format!("there is no buffer {buffer}"));
        };
        if !fits(entry.role) {
            return Err(format!("{buffer} is used against its role"));
        }
        if self.written[buffer.index()].replace(index).is_some() {
            return Err(format!("{buffer} is written a second time"));
        }
        self.used[buffer.index()] = Some(index);
        Ok(())
    }

    fn use_load(&mut self, index: usize, load: LoadId) -> Result<(), String> {
        match self.loaded.get(load.index()) {
            None => Err(format!("there is no load {load}")),
            Some(None) => Err(format!("{load} is used before it is loaded")),
            Some(Some(_)) => {
                self.load_used[load.index()] = Some(index);
                Ok(())
            }
        }
    }

    fn finish(&self) -> Result<(), VerifyError> {
        for (id, buffer) in self.plan.buffers.iter().enumerate() {
            let actual = self.written[id].zip(self.used[id]);
            if actual != Some((buffer.live.0.index(), buffer.live.1.index())) {
                return Err(self.plan.buffer_error(id, "does not live from its first write to its last use"));
            }
        }
        for (id, load) in self.plan.loads.iter().enumerate() {
            if self.loaded[id].zip(self.load_used[id]) != Some((load.live.0.index(), load.live.1.index())) {
                let place = format!("load {} ({})", LoadId::new(id), load.part);
                let reason = "does not live from its loading to its last use".to_owned();
                return Err(VerifyError { place, reason });
            }
        }
        Ok(())
    }
}
