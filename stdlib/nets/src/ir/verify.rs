//! The invariants of a program, checked after every pass:
//!
//! - order: a value is defined once, by an input or one operation, before any operation reads it
//! - shapes: every operation's result has the shape that [`infer`](super::infer()) gives
//! - epilogues: only on operations that have one; bias and residual fit the output
//! - in-place: the overwritten value is read here, for the last time, has the output's size and is not external
//! - placement: values that live at the same time do not overlap, and all lie in the slab, aligned

use thiserror::Error;

use super::{ALIGNMENT, Op, OpKind, Placement, Program, ValueId, infer};
use crate::arena::Id;
use crate::cost;

/// A broken program: a bug of the pass or description that made it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("program `{program}`, operation {position} (`{op}`): {reason}")]
pub struct VerifyError {
    /// The program's name.
    pub program: String,
    /// Position of the operation; the number of operations for a defect of the whole.
    pub position: usize,
    /// The operation's text.
    pub op: String,
    /// What is wrong.
    pub reason: String,
}

impl Program {
    /// Checks every invariant of this module's list.
    ///
    /// # Errors
    /// The first violation.
    pub fn verify(&self) -> Result<(), VerifyError> {
        let fail = |position: usize, reason: String| VerifyError {
            program: self.name.clone(),
            position,
            op: self.ops.get(position).map_or_else(|| "end".to_owned(), Op::to_string),
            reason,
        };
        let last = self.last_uses();
        let mut defined = vec![false; self.values.len()];
        for port in &self.inputs {
            defined[port.value.index()] = true;
        }
        for (position, op) in self.ops.iter().enumerate() {
            self.verify_op(op, position, &last, &mut defined).map_err(|reason| fail(position, reason))?;
        }
        let end = self.ops.len();
        for port in &self.outputs {
            if !defined[port.value.index()] {
                return Err(fail(end, format!("output {} is never defined", port.name)));
            }
        }
        match &self.placement {
            Some(placement) => self.verify_placement(placement, &last).map_err(|reason| fail(end, reason)),
            None => Ok(()),
        }
    }

    fn verify_op(
        &self,
        op: &Op,
        position: usize,
        last: &[Option<usize>],
        defined: &mut [bool],
    ) -> Result<(), String> {
        if let Some(value) = op.reads().find(|value| !defined.get(value.index()).copied().unwrap_or(false)) {
            return Err(format!("{value} is read before it is defined"));
        }
        if defined[op.output.index()] {
            return Err(format!("{} is defined twice", op.output));
        }
        defined[op.output.index()] = true;

        let inputs: Vec<_> = op.inputs.iter().map(|&id| &self.values[id]).collect();
        let weights: Vec<_> = op.weights.iter().map(|&id| &self.weights[id]).collect();
        let output = &self.values[op.output];
        let shape = infer(&op.kind, &inputs, &weights)?;
        if shape != output.shape {
            return Err(format!("the result has shape {shape:?}, {} has {:?}", op.output, output.shape));
        }
        let epilogue = op.epilogue;
        let product = matches!(op.kind, OpKind::Conv2d { .. } | OpKind::Linear);
        let norm = matches!(op.kind, OpKind::GroupNorm { .. } | OpKind::LayerNorm { .. });
        if (epilogue.bias.is_some() || epilogue.residual.is_some()) && !product
            || epilogue.activation.is_some() && !(product || norm)
        {
            return Err("an epilogue that this operation does not have".to_owned());
        }
        if epilogue.bias.is_some_and(|id| self.weights[id].shape != [output.channels()]) {
            return Err("the bias does not fit the output".to_owned());
        }
        if epilogue.residual.is_some_and(|id| self.values[id].shape != output.shape) {
            return Err("the residual does not fit the output".to_owned());
        }
        if let Some(value) = op.in_place {
            if !op.may_overwrite(value) {
                return Err(format!("{value} is still read while the output is written"));
            }
            if last[value.index()] != Some(position) {
                return Err(format!("{value} is overwritten, but read later"));
            }
            if self.is_external(value) || self.is_external(op.output) {
                return Err("memory of the caller cannot be shared".to_owned());
            }
            if self.values[value].bytes() != output.bytes() {
                return Err(format!("{value} and {} differ in size", op.output));
            }
        }
        Ok(())
    }

    fn verify_placement(&self, placement: &Placement, last: &[Option<usize>]) -> Result<(), String> {
        if placement.values.len() != self.values.len() || placement.workspaces.len() != self.ops.len() {
            return Err("the placement is of another program".to_owned());
        }
        // Replays the operations: what is live at each may not overlap.
        let mut live: Vec<(usize, usize, ValueId)> = Vec::new();
        for (position, op) in self.ops.iter().enumerate() {
            live.retain(|&(_, _, value)| last[value.index()].is_some_and(|at| at >= position));
            let block = |offset: usize, bytes: usize, name: String| {
                if !offset.is_multiple_of(ALIGNMENT) {
                    return Err(format!("{name} is not aligned"));
                }
                if offset + bytes > placement.slab_bytes {
                    return Err(format!("{name} ends outside of the slab"));
                }
                let overlaps = |&&(start, end, value): &&(usize, usize, ValueId)| {
                    start < offset + bytes && offset < end && op.in_place != Some(value)
                };
                match live.iter().find(overlaps) {
                    Some((_, _, value)) => Err(format!("{name} overlaps {value}, which is still live")),
                    None => Ok((offset, offset + bytes)),
                }
            };
            let workspace = cost::workspace_bytes(self, op);
            let scratch = match placement.workspaces[position] {
                Some(offset) => Some(block(offset, workspace, format!("the workspace of {}", op.output))?),
                None if workspace > 0 => return Err(format!("{} has no workspace", op.output)),
                None => None,
            };
            match placement.values[op.output.index()] {
                None if self.is_external(op.output) => {}
                None => return Err(format!("{} has no place", op.output)),
                Some(offset) => {
                    let (start, end) = block(offset, self.values[op.output].bytes(), op.output.to_string())?;
                    if scratch.is_some_and(|(from, to)| from < end && start < to) {
                        return Err(format!("{} overlaps its own workspace", op.output));
                    }
                    if let Some(value) = op.in_place
                        && placement.values[value.index()] != Some(offset)
                    {
                        return Err(format!("{} is in place of {value}, but lies elsewhere", op.output));
                    }
                    live.push((start, end, op.output));
                }
            }
        }
        Ok(())
    }
}

impl Op {
    /// Whether the output may take the bytes of `value`: each element of it is read before, and only for, the
    /// output's element of the same place (or, in norms, before any element of its group is written).
    pub fn may_overwrite(&self, value: ValueId) -> bool {
        let is_first = self.inputs.first() == Some(&value);
        let alone = self.reads().filter(|&read| read == value).count() == 1;
        match self.kind {
            OpKind::AddBias
            | OpKind::Activate(_)
            | OpKind::Affine { .. }
            | OpKind::AddPosition
            | OpKind::ScaleChannels { .. }
            | OpKind::ScaleByMean { .. }
            | OpKind::ScaleLowest { .. }
            | OpKind::GroupNorm { .. }
            | OpKind::LayerNorm { .. } => is_first,
            OpKind::AddRow => is_first && alone,
            OpKind::Add => self.inputs.contains(&value),
            OpKind::Conv2d { .. } | OpKind::Linear => alone && self.epilogue.residual == Some(value),
            _ => false,
        }
    }
}
