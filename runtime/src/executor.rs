//! Runs the steps of a plan in order.

use std::any::Any;
use std::collections::BTreeMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use floe_nets::ir::Program;
use floe_nodes::{Call, Host, Kernel, Operand, Tensor, TensorMut, kernel};
use floe_plan::{Buffer, BufferId, Device, LoadId, Operand as PlanOperand, Plan, Step};
use floe_tensor::{Borrowed, EngineError, Executable, Isa, Patched, Pool, Slab, WeightStore};

use crate::error::RunError;
use crate::models::{Models, OpenFile, Opened, open_all, programs};

/// The kernel name of steps that load model parts; the executor does that itself.
const LOAD: &str = "load";

/// What a run computes with.
#[derive(Debug)]
pub struct Machine {
    /// Threads.
    pub pool: Pool,
    /// Instructions that kernels use; results do not depend on them.
    pub isa: Isa,
}

/// Something that happens during a run.
#[derive(Debug)]
pub enum Event<'a> {
    /// A step begins.
    Started {
        /// Its position in the plan.
        step: usize,
        /// What it is.
        entry: &'a Step,
    },
    /// A step has ended.
    Finished {
        /// Its position in the plan.
        step: usize,
        /// What it was.
        entry: &'a Step,
        /// How long it took.
        time: Duration,
        /// What it wrote, output by output; nothing for outputs that nobody reads.
        values: Vec<Value<'a>>,
    },
}

/// A tensor that a step wrote.
#[derive(Debug, Clone, Copy)]
pub struct Value<'a> {
    /// Output slot.
    pub slot: usize,
    /// The tensor's name, such as `samples`.
    pub name: &'a str,
    /// Outermost dimension first.
    pub shape: &'a [usize],
    /// Its elements, row-major.
    pub data: &'a [f32],
}

/// Is told what happens.
pub type Observer<'a> = dyn FnMut(Event<'_>) + 'a;

/// What a run took.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Most bytes of slab and prepared weights that were allocated at once.
    pub peak_bytes: u64,
    /// Wall time of each step.
    pub times: Vec<Duration>,
    /// Wall time of everything.
    pub total: Duration,
}

/// Runs a plan.
///
/// Everything that can be known beforehand is checked before the first step: the plan's own rules, kernels, model
/// files, programs, memory.
///
/// # Errors
/// See [`RunError`]. Outputs of earlier steps are whole, nothing is half-written.
pub fn run(
    plan: &Plan,
    machine: &Machine,
    models: &dyn Models,
    host: &dyn Host,
    observe: &mut Observer<'_>,
) -> Result<Summary, RunError> {
    let start = Instant::now();
    plan.verify()?;
    if plan.target.device != Device::Cpu {
        return Err(RunError::Version { what: "an engine for CUDA".to_owned() });
    }
    let shapes = shapes(plan)?;
    let kernels = kernels(plan)?;
    let Opened { files, patched } = open_all(plan, models)?;
    let programs = programs(plan, &files)?;
    if let Some(available) = host.available_memory().filter(|&available| available < plan.memory.peak) {
        return Err(RunError::Memory { needed: plan.memory.peak, available });
    }
    let slab_bytes = usize::try_from(plan.memory.slab)
        .map_err(|_| RunError::Machine(EngineError::Allocation { bytes: usize::MAX }))?;
    let mut slab = Slab::new(slab_bytes).map_err(RunError::Machine)?;
    let mut weights = Weights {
        plan,
        machine,
        files: &files,
        patched: &patched,
        programs: &programs,
        stores: BTreeMap::new(),
        slab: slab_bytes as u64,
        peak: 0,
    };
    let mut times = Vec::with_capacity(plan.steps.len());
    for (index, (step, kernel)) in plan.steps.iter().zip(kernels).enumerate() {
        observe(Event::Started { step: index, entry: step });
        let begun = Instant::now();
        weights.load(&step.loads)?;
        if let Some(kernel) = kernel {
            let executables = weights.executables(step)?;
            let planned = Planned { plan, shapes: &shapes, index };
            call(&planned, kernel, &mut slab, &executables, machine, host)?;
        }
        weights.release(index);
        let time = begun.elapsed();
        times.push(time);
        let values = values(plan, &shapes, step, &slab);
        observe(Event::Finished { step: index, entry: step, time, values });
    }
    Ok(Summary { peak_bytes: weights.peak, times, total: start.elapsed() })
}

/// The shape of each buffer of a plan in which nothing is missing.
fn shapes(plan: &Plan) -> Result<Vec<Vec<usize>>, RunError> {
    let incomplete = |index: usize| {
        let step = &plan.steps[index];
        let (kernel, origins) = (step.kernel.clone(), step.origins.clone());
        RunError::Incomplete { step: index + 1, kernel, origins, gap: step.gap }
    };
    match plan.steps.iter().position(|step| step.gap.is_some()) {
        Some(index) => Err(incomplete(index)),
        None => {
            let shape =
                |buffer: &Buffer| buffer.dimensions().ok_or_else(|| incomplete(buffer.live.0.index()));
            plan.buffers.iter().map(shape).collect()
        }
    }
}

/// The kernel of each step; `None` for loads.
fn kernels(plan: &Plan) -> Result<Vec<Option<Kernel>>, RunError> {
    let find = |step: &Step| match kernel(&step.kernel) {
        found @ Some(_) => Ok(found),
        None if step.kernel == LOAD => Ok(None),
        None => Err(RunError::Version { what: format!("kernel `{}`", step.kernel) }),
    };
    plan.steps.iter().map(find).collect()
}

/// Prepared weights of the loads that are in memory.
struct Weights<'a> {
    plan: &'a Plan,
    machine: &'a Machine,
    files: &'a [Arc<OpenFile>],
    patched: &'a [Option<Patched>],
    programs: &'a [Arc<Program>],
    stores: BTreeMap<LoadId, Arc<WeightStore>>,
    slab: u64,
    peak: u64,
}

impl Weights<'_> {
    fn load(&mut self, loads: &[LoadId]) -> Result<(), RunError> {
        for &load in loads {
            let entries = self.plan.programs.iter().zip(self.programs);
            let used: Vec<&Program> =
                entries.filter(|(entry, _)| entry.load == load).map(|(_, program)| &**program).collect();
            let file = &self.files[load.index()];
            let network = file.network(&self.plan.loads[load.index()])?;
            let pool = &self.machine.pool;
            let store = match &self.patched[load.index()] {
                Some(patched) => WeightStore::prepare_patched(patched, &used, pool),
                None => WeightStore::prepare(file.map.clone(), &network.tensors, &used, pool),
            };
            let store = store.map_err(RunError::Machine)?;
            self.stores.insert(load, Arc::new(store));
        }
        let resident: u64 = self.stores.values().map(|store| store.bytes()).sum();
        self.peak = self.peak.max(self.slab + resident);
        Ok(())
    }

    fn executables(&self, step: &Step) -> Result<Vec<Arc<Executable>>, RunError> {
        let build = |index: usize| {
            let load = self.plan.programs[index].load;
            let store = self.stores.get(&load).cloned().expect("a verified plan loads before it uses");
            let program = self.programs[index].clone();
            Executable::new(program, store, self.machine.isa).map(Arc::new).map_err(RunError::Machine)
        };
        step.programs.iter().map(|program| build(program.index())).collect()
    }

    /// Lets go of what no later step needs.
    fn release(&mut self, step: usize) {
        self.stores.retain(|load, _| self.plan.loads[load.index()].live.1.index() > step);
    }
}

/// A step of a plan.
struct Planned<'a> {
    plan: &'a Plan,
    shapes: &'a [Vec<usize>],
    index: usize,
}

fn call(
    planned: &Planned<'_>,
    kernel: Kernel,
    slab: &mut Slab,
    programs: &[Arc<Executable>],
    machine: &Machine,
    host: &dyn Host,
) -> Result<(), RunError> {
    let &Planned { plan, shapes, index } = planned;
    let step = &plan.steps[index];
    let leaves = step.inputs.values().flat_map(PlanOperand::leaves);
    let read_ids: Vec<BufferId> = leaves.flat_map(buffers).copied().collect();
    let written: Vec<BufferId> = step.outputs.iter().flatten().chain(&step.scratch).copied().collect();
    let ranges = |ids: &[BufferId]| ids.iter().map(|&id| range(plan, id)).collect::<Vec<_>>();
    let Borrowed { reads, writes } =
        slab.borrow(&ranges(&read_ids), &ranges(&written)).map_err(RunError::Machine)?;

    let shape = |id: BufferId| shapes[id.index()].as_slice();
    let mut tensors = read_ids.iter().zip(reads).map(|(&id, data)| Tensor { shape: shape(id), data });
    let inputs =
        step.inputs.iter().map(|(name, operand)| (name.as_str(), given(operand, &mut tensors))).collect();
    let mut places = written.iter().zip(writes).map(|(&id, data)| TensorMut { shape: shape(id), data });
    let outputs = step.outputs.iter().map(|ids| places.by_ref().take(ids.len()).collect()).collect();
    let scratch = places.collect();

    // A verified plan's attributes have no tensors.
    let known = |operand| given(operand, &mut std::iter::empty());
    let attributes = step.attributes.iter().map(|(name, operand)| (name.as_str(), known(operand))).collect();

    let mut call = Call { inputs, attributes, outputs, scratch, programs, pool: &machine.pool, host };
    let (number, name, origins) = (index + 1, step.kernel.clone(), step.origins.clone());
    // A kernel that panics must not take down others; what it was writing is dropped with the run.
    match catch_unwind(AssertUnwindSafe(|| kernel(&mut call))) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(RunError::Step { step: number, kernel: name, origins, error: Box::new(error) }),
        Err(panic) => Err(RunError::Panic { step: number, kernel: name, origins, message: message(&*panic) }),
    }
}

/// What a kernel is given for an operand, with the tensors of its buffers in the order of its leaves.
fn given<'a>(operand: &'a PlanOperand, tensors: &mut dyn Iterator<Item = Tensor<'a>>) -> Operand<'a> {
    match operand {
        PlanOperand::Scalar(scalar) => Operand::Scalar(scalar),
        PlanOperand::Buffers(ids) => Operand::Tensors(tensors.take(ids.len()).collect()),
        PlanOperand::Load(_) => Operand::Part,
        PlanOperand::Open => Operand::Open,
        PlanOperand::List(items) => Operand::List(items.iter().map(|item| given(item, tensors)).collect()),
        PlanOperand::Record(fields) => Operand::Record(
            fields.iter().map(|(name, field)| (name.as_str(), given(field, tensors))).collect(),
        ),
    }
}

fn buffers(operand: &PlanOperand) -> &[BufferId] {
    match operand {
        PlanOperand::Buffers(ids) => ids,
        _ => &[],
    }
}

/// Bytes of a buffer in the slab; a verified plan's fit.
fn range(plan: &Plan, id: BufferId) -> Range<usize> {
    let buffer = &plan.buffers[id.index()];
    let bytes = usize::try_from(buffer.bytes().unwrap_or(0)).unwrap_or(0);
    let start = usize::try_from(buffer.offset).unwrap_or(usize::MAX - bytes);
    start..start + bytes
}

fn values<'a>(plan: &'a Plan, shapes: &'a [Vec<usize>], step: &Step, slab: &'a Slab) -> Vec<Value<'a>> {
    let outputs = step.outputs.iter().enumerate();
    outputs
        .flat_map(|(slot, ids)| ids.iter().map(move |&id| (slot, id)))
        .map(|(slot, id)| {
            let buffer = &plan.buffers[id.index()];
            let bytes = range(plan, id);
            let data = &slab.as_slice()[bytes.start / 4..bytes.end / 4];
            Value { slot, name: &buffer.name, shape: &shapes[id.index()], data }
        })
        .collect()
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
