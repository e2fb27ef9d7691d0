//! Tensor programs on burn's tensors: the engine of GPUs.
//!
//! A [`BurnDevice`] is opened once, [`BurnWeights`] hold a file's weights on it, a [`BurnExecutable`] runs one
//! program over them. Operations are submitted in the program's order; a value is dropped after its last use, so
//! that burn reuses its memory. Results differ from the CPU engine's within rounding: burn decides how sums are
//! split, and picks kernels by measuring them.
//!
//! burn panics where it fails. No panic leaves this module: it becomes an error that names the operation.

mod device;
mod error;
mod ops;
mod variants;
mod weights;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use burn::tensor::{DType as BurnType, FloatDType, Int, Tensor, TensorData};
use floe_formats::{DType, Header};
use floe_nets::ir::{Element, Op, OpKind, Port, Program, Value, ValueId};

pub use device::BurnDevice;
pub use error::BurnError;
pub use weights::BurnWeights;

use crate::Input;
use device::caught;
use weights::{Stored, roles};

/// A program with its weights on a device.
#[derive(Debug)]
pub struct BurnExecutable {
    program: Arc<Program>,
    device: BurnDevice,
    precision: FloatDType,
    /// By operation.
    steps: Vec<Step>,
    /// By input: what indices must be smaller than.
    bounds: Vec<usize>,
}

/// What an operation needs besides the values it reads.
#[derive(Debug)]
struct Step {
    /// Its weights, its bias last.
    weights: Vec<Stored>,
    /// Values that nothing reads after it.
    released: Vec<ValueId>,
}

/// A value of a run: floats as `[rows, channels]`, whatever the rank; indices in one row.
#[derive(Debug, Clone)]
enum Held {
    Float(Tensor<2>),
    Index(Tensor<1, Int>),
}

impl BurnExecutable {
    /// Loads a program and its weights from the file `bytes`; [`BurnWeights::upload`] says what `precision` means.
    ///
    /// # Errors
    /// If the program is broken, a weight is not in the file as the program says, or the device cannot take it.
    pub fn new(
        program: Arc<Program>,
        bytes: &[u8],
        header: &Header,
        device: &BurnDevice,
        precision: DType,
    ) -> Result<BurnExecutable, BurnError> {
        let weights = BurnWeights::upload(bytes, header, &[&program], device, precision)?;
        BurnExecutable::with_weights(program, &weights)
    }

    /// A program over weights that are on the device already.
    ///
    /// # Errors
    /// If the program is broken, or was not among those that the weights were uploaded for.
    pub fn with_weights(program: Arc<Program>, weights: &BurnWeights) -> Result<BurnExecutable, BurnError> {
        program.verify()?;
        let last: BTreeMap<ValueId, Option<usize>> =
            program.values.iter().map(|(id, _)| id).zip(program.last_uses()).collect();
        let is_output = |id: ValueId| program.outputs.iter().any(|port| port.value == id);
        let mut steps = Vec::with_capacity(program.ops.len());
        for (position, op) in program.ops.iter().enumerate() {
            let found = roles(&program, op).map(|(weight, role)| {
                let missing = || BurnError::Weight {
                    key: weight.key.clone(),
                    reason: "it was not uploaded for this program".to_owned(),
                };
                weights.get(weight, role).ok_or_else(missing)
            });
            let weights = found.collect::<Result<Vec<_>, _>>()?;
            // A result that nothing reads goes at once.
            let ends = |&id: &ValueId| last[&id].unwrap_or(position) == position && !is_output(id);
            let mut released: Vec<ValueId> = op.reads().chain([op.output]).filter(ends).collect();
            released.sort_unstable();
            released.dedup();
            steps.push(Step { weights, released });
        }
        let bounds = program.inputs.iter().map(|port| bound(&program, port)).collect();
        let (device, precision) = (weights.device.clone(), weights.precision);
        Ok(BurnExecutable { program, device, precision, steps, bounds })
    }

    /// The program that it runs.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Runs the program: inputs and outputs in the order of the program's ports.
    ///
    /// # Errors
    /// If inputs or outputs do not fit the program, or the device fails.
    pub fn run(&self, inputs: &[Input<'_>], outputs: &mut [&mut [f32]]) -> Result<(), BurnError> {
        self.check(inputs, outputs)?;
        let position = Cell::new(0);
        caught(|| self.walk(inputs, outputs, &position))
            .unwrap_or_else(|reason| Err(self.failed(position.get(), reason)))
    }

    fn walk(
        &self,
        inputs: &[Input<'_>],
        outputs: &mut [&mut [f32]],
        position: &Cell<usize>,
    ) -> Result<(), BurnError> {
        let mut values: BTreeMap<ValueId, Held> = BTreeMap::new();
        for (port, input) in self.program.inputs.iter().zip(inputs) {
            values.insert(port.value, self.send(*input, &self.program.values[port.value]));
        }
        for (index, (op, step)) in self.program.ops.iter().zip(&self.steps).enumerate() {
            position.set(index);
            let reads = self.take(op, step, &mut values);
            let result = ops::run(self, op, &step.weights, reads);
            if !step.released.contains(&op.output) {
                values.insert(op.output, Held::Float(result));
            }
        }
        position.set(self.program.ops.len());
        for (port, output) in self.program.outputs.iter().zip(outputs) {
            let value = values.get(&port.value).cloned();
            let Some(Held::Float(tensor)) = value else {
                return Err(self.misfit(port, "it is no number".to_owned()));
            };
            self.receive(tensor, output)?;
        }
        Ok(())
    }

    /// The values that an operation reads. The last reader of a value owns it, so that burn may overwrite it.
    fn take(&self, op: &Op, step: &Step, values: &mut BTreeMap<ValueId, Held>) -> Vec<Held> {
        let ids: Vec<ValueId> = op.reads().collect();
        let read = |(index, id): (usize, &ValueId)| {
            let last = step.released.contains(id) && !ids[index + 1..].contains(id);
            let value = if last { values.remove(id) } else { values.get(id).cloned() };
            value.expect("a verified program defines values before their use")
        };
        ids.iter().enumerate().map(read).collect()
    }

    fn send(&self, input: Input<'_>, value: &Value) -> Held {
        let device = &self.device.device;
        match input {
            Input::F32(numbers) => {
                let data = TensorData::new(numbers.to_vec(), [value.rows(), value.channels()]);
                // Kept f32: a timestep would lose digits in a shorter type. Operations convert what they read.
                Held::Float(Tensor::from_data(data, (device, BurnType::F32)))
            }
            Input::I32(indices) => {
                let data = TensorData::new(indices.to_vec(), [indices.len()]);
                Held::Index(Tensor::from_data(data, (device, BurnType::I32)))
            }
        }
    }

    fn receive(&self, tensor: Tensor<2>, output: &mut [f32]) -> Result<(), BurnError> {
        let end = self.program.ops.len();
        let data = tensor.cast(FloatDType::F32).try_into_data().map_err(|error| {
            self.device.lost(&error).unwrap_or_else(|| self.failed(end, error.to_string()))
        })?;
        let numbers = data.as_slice::<f32>().map_err(|error| self.failed(end, error.to_string()))?;
        output.copy_from_slice(numbers);
        Ok(())
    }

    fn check(&self, inputs: &[Input<'_>], outputs: &[&mut [f32]]) -> Result<(), BurnError> {
        let program = &self.program;
        let count = |what: &str, got: usize, want: usize| BurnError::Port {
            program: program.name.clone(),
            port: what.to_owned(),
            reason: format!("{got} are given, the program has {want}"),
        };
        if inputs.len() != program.inputs.len() {
            return Err(count("inputs", inputs.len(), program.inputs.len()));
        }
        if outputs.len() != program.outputs.len() {
            return Err(count("outputs", outputs.len(), program.outputs.len()));
        }
        for ((port, input), &bound) in program.inputs.iter().zip(inputs).zip(&self.bounds) {
            let value = &program.values[port.value];
            let (len, element) = match input {
                Input::F32(numbers) => (numbers.len(), Element::F32),
                Input::I32(indices) => (indices.len(), Element::I32),
            };
            if len != value.len() || element != value.element {
                return Err(self.misfit(port, format!("{len} numbers of type {element}, not {value}")));
            }
            // GPUs read out of bounds without a word.
            let fits = |index: i32| usize::try_from(index).is_ok_and(|index| index < bound);
            if let Input::I32(indices) = input
                && let Some(index) = indices.iter().find(|&&index| !fits(index))
            {
                return Err(self.misfit(port, format!("the index {index} is not below {bound}")));
            }
        }
        for (port, output) in program.outputs.iter().zip(outputs) {
            let value = &program.values[port.value];
            if output.len() != value.len() {
                return Err(self.misfit(port, format!("room for {} numbers, not {value}", output.len())));
            }
        }
        Ok(())
    }

    fn misfit(&self, port: &Port, reason: String) -> BurnError {
        BurnError::Port { program: self.program.name.clone(), port: format!("`{}`", port.name), reason }
    }

    fn failed(&self, position: usize, reason: String) -> BurnError {
        let op = self.program.ops.get(position).map_or_else(|| "end".to_owned(), Op::to_string);
        BurnError::Failed { program: self.program.name.clone(), position, op, reason }
    }
}

/// What the indices of an input must be smaller than, by the tables that they are looked up in.
fn bound(program: &Program, port: &Port) -> usize {
    let tables = program.ops.iter().filter_map(|op| match op.kind {
        OpKind::Embedding if op.inputs[0] == port.value => {
            program.weights[op.weights[0]].shape.first().copied()
        }
        OpKind::EmbeddingExtra if op.inputs[0] == port.value => {
            let table = program.weights[op.weights[0]].shape.first().copied();
            table.map(|rows| rows.saturating_add(program.values[op.inputs[1]].rows()))
        }
        OpKind::GatherRow if op.inputs[1] == port.value => program.values[op.inputs[0]].shape.get(1).copied(),
        _ => None,
    });
    tables.min().unwrap_or(usize::MAX)
}
