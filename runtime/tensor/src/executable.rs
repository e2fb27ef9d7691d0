//! A program bound to its weights and to kernels.

use std::sync::Arc;

use floe_nets::cost::Storage;
use floe_nets::ir::{Element, Op, OpKind, Placement, Program, ValueId};
use floe_nets::{Id, cost};

use crate::kernels::{self, Job, Kernel, Prepared};
use crate::memory::{Outputs, Sink, Source};
use crate::{EngineError, Isa, Pool, WeightStore};

/// An input of a run.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// Numbers.
    F32(&'a [f32]),
    /// Indices.
    I32(&'a [i32]),
}

/// A program ready to run.
#[derive(Debug)]
pub struct Executable {
    program: Arc<Program>,
    store: Arc<WeightStore>,
    weights: Vec<Prepared>,
    /// Where each value is, by id.
    places: Vec<Place>,
    /// By operation.
    steps: Vec<Step>,
    /// Outputs that are copies: of values that are inputs, or outputs already.
    copies: Vec<(usize, ValueId)>,
    slab_bytes: usize,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    /// First element in the slab.
    Slab(usize),
    Input(usize),
    Output(usize),
    /// Merged away by a pass.
    Nowhere,
}

#[derive(Debug)]
struct Step {
    kernel: Kernel,
    /// First element of the workspace and its length.
    workspace: (usize, usize),
}

impl Executable {
    /// Binds a placed program.
    ///
    /// # Errors
    /// If the program is broken or not placed, a weight was not prepared for it, or the machine lacks `isa`.
    pub fn new(
        program: Arc<Program>,
        weights: Arc<WeightStore>,
        isa: Isa,
    ) -> Result<Executable, EngineError> {
        if !Isa::available().contains(&isa) {
            return Err(EngineError::Isa(isa));
        }
        program.verify()?;
        let Some(placement) = &program.placement else {
            return Err(EngineError::NotPlaced(program.name.clone()));
        };
        let storages = cost::storage(&program);
        let prepared = program.weights.iter().zip(storages.iter().copied());
        let prepared = prepared.map(|((_, weight), storage)| weights.find(weight, storage));
        let prepared = prepared.collect::<Result<Vec<_>, _>>()?;
        let (places, copies) = places(&program, placement);
        let mut steps = Vec::with_capacity(program.ops.len());
        for (position, op) in program.ops.iter().enumerate() {
            check(&program, op, &storages).map_err(|reason| EngineError::Unsupported {
                program: program.name.clone(),
                position,
                reason,
            })?;
            let workspace = match placement.workspaces[position] {
                Some(offset) => (offset / 4, cost::workspace_bytes(&program, op) / 4),
                None => (0, 0),
            };
            steps.push(Step { kernel: kernels::kernel(isa, &op.kind), workspace });
        }
        let slab_bytes = placement.slab_bytes;
        Ok(Executable { program, store: weights, weights: prepared, places, steps, copies, slab_bytes })
    }

    /// The program.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Runs it. `slab` has at least `slab_bytes` of the placement, best 64-byte aligned; inputs and outputs are in
    /// the order of the program's ports. Allocates nothing.
    ///
    /// # Errors
    /// If memory does not fit the program, or an index lies outside of its table. Outputs are not defined then.
    pub fn run(
        &self,
        pool: &Pool,
        slab: &mut [f32],
        inputs: &[Input<'_>],
        outputs: &mut [&mut [f32]],
    ) -> Result<(), EngineError> {
        self.check_run(slab, inputs, outputs)?;
        let (slab, outputs) = (Sink::new(slab), Outputs::new(outputs));
        for (op, step) in self.program.ops.iter().zip(&self.steps) {
            let mut x = [Source::new(&[]); 3];
            let mut indices: &[i32] = &[];
            for (x, &value) in x.iter_mut().zip(&op.inputs) {
                *x = self.source(value, slab, inputs, outputs);
                if let Place::Input(index) = self.places[value.index()]
                    && let Input::I32(values) = inputs[index]
                {
                    indices = values;
                }
            }
            let residual = op.epilogue.residual.map(|value| self.source(value, slab, inputs, outputs));
            let job = Job {
                program: &self.program,
                op,
                x,
                indices,
                residual,
                output: self.memory(op.output, slab, outputs),
                workspace: slab.part(step.workspace.0, step.workspace.1),
                weights: &self.weights,
                store: &self.store,
                pool,
            };
            (step.kernel)(&job)?;
        }
        for &(index, value) in &self.copies {
            let from = self.source(value, slab, inputs, outputs);
            outputs.sink(index).copy(0, from, 0, from.len());
        }
        Ok(())
    }

    /// A value to read; nothing where it is an input of indices.
    fn source<'a>(
        &self,
        value: ValueId,
        slab: Sink<'a>,
        inputs: &[Input<'a>],
        outputs: Outputs<'a>,
    ) -> Source<'a> {
        match self.places[value.index()] {
            Place::Input(index) => match inputs[index] {
                Input::F32(values) => Source::new(values),
                Input::I32(_) => Source::new(&[]),
            },
            _ => self.memory(value, slab, outputs).source(),
        }
    }

    /// A value that is not an input. Nothing that lives at the same time overlaps it: the program is verified.
    fn memory<'a>(&self, value: ValueId, slab: Sink<'a>, outputs: Outputs<'a>) -> Sink<'a> {
        match self.places[value.index()] {
            Place::Slab(start) => slab.part(start, self.program.values[value].len()),
            Place::Output(index) => outputs.sink(index),
            Place::Input(_) | Place::Nowhere => slab.part(0, 0),
        }
    }

    fn check_run(
        &self,
        slab: &[f32],
        inputs: &[Input<'_>],
        outputs: &[&mut [f32]],
    ) -> Result<(), EngineError> {
        let program = &*self.program;
        let count = |what, expected: usize, found: usize| {
            if expected == found {
                return Ok(());
            }
            Err(EngineError::Count { program: program.name.clone(), what, expected, found })
        };
        count("inputs", program.inputs.len(), inputs.len())?;
        count("outputs", program.outputs.len(), outputs.len())?;
        let fail = |port: &str, expected: (usize, Element), found: (usize, Element)| EngineError::Port {
            port: port.to_owned(),
            expected: format!("{}[{}]", expected.1, expected.0),
            found: format!("{}[{}]", found.1, found.0),
        };
        for (port, input) in program.inputs.iter().zip(inputs) {
            let value = &program.values[port.value];
            let expected = (value.len(), value.element);
            let found = match input {
                Input::F32(values) => (values.len(), Element::F32),
                Input::I32(values) => (values.len(), Element::I32),
            };
            if expected != found {
                return Err(fail(&port.name, expected, found));
            }
        }
        for (port, output) in program.outputs.iter().zip(outputs) {
            let expected = program.values[port.value].len();
            if expected != output.len() {
                return Err(fail(&port.name, (expected, Element::F32), (output.len(), Element::F32)));
            }
        }
        let found = slab.len() * 4;
        if found < self.slab_bytes {
            return Err(EngineError::Slab { needed: self.slab_bytes, found });
        }
        Ok(())
    }
}

fn places(program: &Program, placement: &Placement) -> (Vec<Place>, Vec<(usize, ValueId)>) {
    let offsets = placement.values.iter();
    let mut places: Vec<Place> =
        offsets.map(|offset| offset.map_or(Place::Nowhere, |offset| Place::Slab(offset / 4))).collect();
    for (index, port) in program.inputs.iter().enumerate() {
        places[port.value.index()] = Place::Input(index);
    }
    let mut copies = Vec::new();
    for (index, port) in program.outputs.iter().enumerate() {
        match places[port.value.index()] {
            Place::Input(_) | Place::Output(_) => copies.push((index, port.value)),
            _ => places[port.value.index()] = Place::Output(index),
        }
    }
    (places, copies)
}

/// What `verify` does not say: types of elements, sizes that kernels take, weights where kernels look for them.
fn check(program: &Program, op: &Op, storages: &[Storage]) -> Result<(), String> {
    let indices = match op.kind {
        OpKind::Embedding | OpKind::EmbeddingExtra => Some(0),
        OpKind::GatherRow => Some(1),
        _ => None,
    };
    for (position, &value) in op.inputs.iter().enumerate() {
        let is_input = program.inputs.iter().any(|port| port.value == value);
        let wanted = if indices == Some(position) { Element::I32 } else { Element::F32 };
        if program.values[value].element != wanted || (wanted == Element::I32 && !is_input) {
            return Err(format!("{value} has the wrong type"));
        }
    }
    if op.epilogue.residual.is_some_and(|value| program.values[value].element != Element::F32) {
        return Err("the residual has the wrong type".to_owned());
    }
    let inputs = op.inputs.iter().chain(&op.epilogue.residual);
    if inputs.chain([&op.output]).any(|&value| program.values[value].is_empty()) {
        return Err("a value has no elements".to_owned());
    }
    for (position, weight) in op.reads_weights().enumerate() {
        let fits = match storages[weight.index()] {
            // A product that reads its weight place by place is not one that reads it in the file's order.
            Storage::Panels { taps, .. } => {
                let kernel = program.weights[weight].shape.iter().skip(2).product::<usize>();
                let wanted = match op.kind {
                    OpKind::Conv2d { .. } => Some(kernel),
                    OpKind::Linear => Some(1),
                    _ => None,
                };
                position == 0 && wanted == Some(taps)
            }
            Storage::Mapped => matches!(op.kind, OpKind::Embedding | OpKind::EmbeddingExtra),
            Storage::Plain => position > 0 || !matches!(op.kind, OpKind::Conv2d { .. } | OpKind::Linear),
        };
        if !fits {
            return Err(format!("{weight} is used in two ways"));
        }
    }
    match op.kind {
        OpKind::Conv2d { stride: 0, .. } => Err("a stride of 0".to_owned()),
        OpKind::Conv2d { .. } => {
            let shape = &program.weights[op.weights[0]].shape;
            kernels::check_product([shape[2], shape[3]])
        }
        _ => Ok(()),
    }
}
