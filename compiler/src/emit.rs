//! Graph to plan: schedules nodes, builds their tensor programs, gives buffers their places and writes it down.

use std::collections::{BTreeMap, BTreeSet};

use bytesize::ByteSize;
use floe_nets::cost::{Cost, Storage, cost, storage};
use floe_nets::ir::{ALIGNMENT, Program};
use floe_nets::offsets::{Item, pack};
use floe_nets::{Id, PassSet, ProgramSpec, build_program};
use floe_plan::{
    Buffer, BufferId, FORMAT, FileRef, Load, LoadId, Memory, Operand as PlanOperand, Output, Plan, ProgramId,
    Role, Scalar, Size, Step, StepId, resident_peak,
};
use floe_stdlib::{
    Attribute, Fact, Form, Gap, ModelFile, Network, NetworkKey, Part, Patch, ProgramUse, Work,
};

use crate::Options;
use crate::error::CompileError;
use crate::facts::{Aliases, Works};
use crate::graph::{Graph, Node, NodeId, NodeKind, Operand};
use crate::lower::plan_scalar;
use crate::passes::PLAN_MEMORY;

/// How many of the largest consumers an error names.
const LARGEST: usize = 3;

/// Writes the plan of a graph. Nodes run in their order; those that no effect needs do not run.
pub(crate) fn emit(
    graph: &Graph,
    works: &Works,
    params: BTreeMap<String, Scalar>,
    program: String,
    options: &Options,
) -> Result<Plan, CompileError> {
    let aliases = Aliases::of(graph, works);
    let needed = aliases.needed(graph);
    let nodes: Vec<(NodeId, &Node)> = graph.nodes.iter().filter(|(id, _)| needed[id.index()]).collect();
    let mut emitter = Emitter {
        works,
        aliases: &aliases,
        passes: options.passes.program_passes(),
        read: nodes.iter().flat_map(|(_, node)| aliases.reads(node)).collect(),
        steps: Vec::new(),
        buffers: Vec::new(),
        outputs: BTreeMap::new(),
        loads: Vec::new(),
        needed: needed_loads(&nodes, works, &aliases),
        load_ids: BTreeMap::new(),
        programs: Vec::new(),
        built: BTreeMap::new(),
    };
    for &(id, node) in &nodes {
        emitter.node(id, node)?;
    }
    let effects = emitter.steps.iter().enumerate().filter_map(|(index, emitted)| {
        let node = &graph.nodes[emitted.node];
        let origin = node.origins.first()?.clone();
        (!node.kind.is_value()).then(|| Output { step: StepId::new(index), origin })
    });
    let outputs = effects.collect();
    let mut plan = Plan {
        format: FORMAT,
        program,
        target: options.target,
        params,
        memory: Memory::default(),
        loads: emitter.loads,
        programs: emitter.programs,
        buffers: emitter.buffers,
        steps: emitter.steps.into_iter().map(|emitted| emitted.step).collect(),
        outputs,
        approximate: Vec::new(),
    };
    live_ranges(&mut plan);
    place(&mut plan, options.passes.has(PLAN_MEMORY));
    match plan.target.memory {
        Some(limit) if plan.memory.peak > limit => Err(out_of_memory(&plan, limit)),
        _ => Ok(plan),
    }
}

struct Emitted {
    node: NodeId,
    step: Step,
}

struct Emitter<'a> {
    works: &'a Works,
    aliases: &'a Aliases,
    passes: PassSet,
    /// The outputs that any step reads.
    read: BTreeSet<(NodeId, usize)>,
    steps: Vec<Emitted>,
    buffers: Vec<Buffer>,
    /// Buffers of each output so far.
    outputs: BTreeMap<(NodeId, usize), Vec<BufferId>>,
    loads: Vec<Load>,
    /// What any step runs or reads.
    needed: BTreeSet<LoadKey>,
    /// Loads so far.
    load_ids: BTreeMap<LoadKey, LoadId>,
    programs: Vec<floe_plan::Program>,
    /// Programs by what they are, with what one execution costs.
    built: BTreeMap<(ProgramSpec, LoadId), (ProgramId, Cost, Program)>,
}

impl Emitter<'_> {
    fn node(&mut self, id: NodeId, node: &Node) -> Result<(), CompileError> {
        let work = &self.works[id.index()];
        let kernel = match &node.kind {
            NodeKind::Call(decl) if !gives_parts(work) => decl.name.as_ref(),
            NodeKind::Call(_) | NodeKind::Load { .. } => LOAD,
        };
        let inputs =
            node.inputs.iter().map(|(name, operand)| (name.to_string(), self.operand(operand))).collect();
        let loads = if kernel == LOAD { self.loads_of(work) } else { Vec::new() };
        // What changes a part, and does not load it anew, is no step.
        if kernel == LOAD && loads.is_empty() && work.gap.is_none() {
            return Ok(());
        }
        let mut flops = 0;
        let mut slab = 0;
        let mut programs = Vec::new();
        for used in &work.programs {
            let (program, cost) = self.program(node, used)?;
            programs.push(program);
            flops = cost.flops.saturating_mul(used.executions).saturating_add(flops);
            slab = slab.max(cost.slab_bytes);
        }
        let outputs = (0..work.outputs.len()).map(|slot| self.output(id, slot, work)).collect();
        let mut scratch: Vec<BufferId> = Vec::new();
        for piece in &work.scratch {
            scratch.push(self.buffer(piece.name.to_owned(), Role::Scratch, piece.shape.clone()));
        }
        if slab > 0 {
            let floats = usize::try_from(slab / 4).unwrap_or(usize::MAX);
            scratch.push(self.buffer("slab".to_owned(), Role::Slab, vec![Some(floats)]));
        }
        let step = Step {
            kernel: kernel.to_owned(),
            origins: node.origins.clone(),
            inputs,
            outputs,
            scratch,
            programs,
            loads,
            attributes: work
                .attributes
                .iter()
                .map(|(name, value)| ((*name).to_owned(), attribute(value)))
                .collect(),
            flops,
            gap: work.gap.as_ref().map(plan_gap),
        };
        self.steps.push(Emitted { node: id, step });
        Ok(())
    }

    fn operand(&self, operand: &Operand) -> PlanOperand {
        match self.aliases.resolve(operand) {
            Operand::Scalar(scalar) => PlanOperand::Scalar(plan_scalar(scalar)),
            Operand::Open => PlanOperand::Open,
            Operand::List(items) => PlanOperand::List(items.iter().map(|item| self.operand(item)).collect()),
            Operand::Record(fields) => PlanOperand::Record(
                fields.iter().map(|(name, field)| (name.to_string(), self.operand(field))).collect(),
            ),
            Operand::Output(from, slot) => match &self.works[from.index()].outputs[*slot] {
                fact @ (Fact::Part(_) | Fact::Unseen { .. }) => {
                    let keys = keys(fact);
                    let loads = keys.iter().filter_map(|key| self.load_ids.get(key));
                    let mut loads: Vec<PlanOperand> = loads.copied().map(PlanOperand::Load).collect();
                    match loads.len() {
                        0 => PlanOperand::Open,
                        1 => loads.remove(0),
                        _ => PlanOperand::List(loads),
                    }
                }
                Fact::Open => PlanOperand::Open,
                fact => {
                    let buffers = self.outputs.get(&(*from, *slot)).map_or(&[][..], Vec::as_slice);
                    placed(&fact.form(), &mut buffers.iter().copied())
                }
            },
        }
    }

    /// The buffers of an output; none where nothing reads it.
    fn output(&mut self, id: NodeId, slot: usize, work: &Work) -> Vec<BufferId> {
        if !self.read.contains(&(id, slot)) {
            return Vec::new();
        }
        let tensors = work.outputs[slot].tensors();
        let buffers: Vec<BufferId> = tensors
            .into_iter()
            .map(|tensor| self.buffer(tensor.name.into_owned(), Role::Value, tensor.shape))
            .collect();
        self.outputs.insert((id, slot), buffers.clone());
        buffers
    }

    fn buffer(&mut self, name: String, role: Role, shape: Vec<Option<usize>>) -> BufferId {
        let id = BufferId::new(self.buffers.len());
        let shape = shape.into_iter().map(Size::from).collect();
        self.buffers.push(Buffer { name, role, shape, offset: 0, live: (StepId(0), StepId(0)) });
        id
    }

    /// The networks that a node loads: those of its parts that any step needs and no earlier one loads.
    fn loads_of(&mut self, work: &Work) -> Vec<LoadId> {
        let mut loads = Vec::new();
        for fact in &work.outputs {
            for (at, key) in keys(fact).into_iter().enumerate() {
                if !self.needed.contains(&key) || self.load_ids.contains_key(&key) {
                    continue;
                }
                let load = match fact {
                    Fact::Part(loaded) => seen(&loaded.networks[at]),
                    Fact::Unseen { part, folder, file } => unseen(*part, folder, file),
                    _ => continue,
                };
                let id = LoadId::new(self.loads.len());
                self.loads.push(load);
                self.load_ids.insert(key, id);
                loads.push(id);
            }
        }
        loads
    }

    /// The program of a step, built once for each network and size.
    fn program(&mut self, node: &Node, used: &ProgramUse) -> Result<(ProgramId, Cost), CompileError> {
        let load = self.load_ids.get(&LoadKey::Network(used.network.key()));
        let load = *load.expect("a network that runs is loaded by the node that gives it");
        if let Some((id, cost, _)) = self.built.get(&(used.spec, load)) {
            return Ok((*id, *cost));
        }
        let file = &used.network.file;
        let mut program =
            build_program(used.spec, &file.contents).map_err(|error| CompileError::BadFile {
                reason: format!("`{}`: {error}", file.name),
                help: "the file is not whole, or none of its family".to_owned(),
                label: "this node runs it",
                span: node.source.span,
            })?;
        self.passes.run(&mut program);
        let total = cost(&program);
        let id = ProgramId::new(self.programs.len());
        self.programs.push(floe_plan::Program {
            spec: used.spec.to_string(),
            load,
            passes: self.passes.to_string(),
            hash: program.hash(),
            flops: total.flops,
            slab_bytes: total.slab_bytes,
        });
        // A weight that several programs read is prepared once.
        let others: BTreeSet<&str> = self
            .built
            .iter()
            .filter(|((_, other), _)| *other == load)
            .flat_map(|(_, (_, _, program))| program.weights.iter().map(|(_, weight)| weight.key.as_str()))
            .collect();
        let weights = program.weights.iter().zip(storage(&program));
        let new: u64 = weights
            .filter(|((_, weight), _)| !others.contains(weight.key.as_str()))
            .map(|((_, weight), storage)| match storage {
                Storage::Mapped if used.network.changes_tables() => {
                    4 * weight.shape.iter().product::<usize>() as u64
                }
                storage => storage.bytes(weight),
            })
            .sum();
        let resident = &mut self.loads[load.index()].resident_bytes;
        let new = usize::try_from(new).unwrap_or(usize::MAX);
        *resident = resident.known().map(|bytes| bytes.saturating_add(new)).into();
        self.built.insert((used.spec, load), (id, total, program));
        Ok((id, total))
    }
}

/// A value with its tensors in their buffers.
fn placed(form: &Form, buffers: &mut dyn Iterator<Item = BufferId>) -> PlanOperand {
    match form {
        Form::Scalar(scalar) => PlanOperand::Scalar(plan_scalar(scalar)),
        Form::Tensors(count) => PlanOperand::Buffers(buffers.take(*count).collect()),
        Form::Items(items) => PlanOperand::List(items.iter().map(|item| placed(item, buffers)).collect()),
        Form::Fields(fields) => PlanOperand::Record(
            fields.iter().map(|(name, field)| ((*name).to_owned(), placed(field, buffers))).collect(),
        ),
    }
}

/// The kernel name of steps that load model parts.
const LOAD: &str = "load";

/// What is written where a file was not looked at.
const UNKNOWN: &str = "unknown";

/// What tells loads apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum LoadKey {
    /// A network.
    Network(NetworkKey),
    /// A part of a file that was not looked at: part, folder, name.
    Unseen(Part, String, String),
}

/// Whether a node gives parts of models, and nothing else.
fn gives_parts(work: &Work) -> bool {
    let is_part = |fact: &Fact| matches!(fact, Fact::Part(_) | Fact::Unseen { .. });
    !work.outputs.is_empty() && work.outputs.iter().all(is_part)
}

/// The networks of a value.
fn keys(fact: &Fact) -> Vec<LoadKey> {
    match fact {
        Fact::Part(loaded) => loaded.networks.iter().map(|network| LoadKey::Network(network.key())).collect(),
        Fact::Unseen { part, folder, file } => {
            vec![LoadKey::Unseen(*part, folder.to_string(), file.clone())]
        }
        _ => Vec::new(),
    }
}

/// What steps run, or read without that it is known which programs they run.
fn needed_loads(nodes: &[(NodeId, &Node)], works: &Works, aliases: &Aliases) -> BTreeSet<LoadKey> {
    let steps = nodes.iter().map(|(id, node)| (node, &works[id.index()]));
    let steps = steps.filter(|(_, work)| !gives_parts(work));
    let mut found = BTreeSet::new();
    for (node, work) in steps {
        found.extend(work.programs.iter().map(|used| LoadKey::Network(used.network.key())));
        for (from, slot) in aliases.reads(node) {
            found.extend(keys(&works[from.index()].outputs[slot]));
        }
    }
    found
}

fn attribute(value: &Attribute) -> PlanOperand {
    let scalar = |scalar: &floe_stdlib::Scalar| PlanOperand::Scalar(plan_scalar(scalar));
    match value {
        Attribute::One(value) => scalar(value),
        Attribute::Many(values) => PlanOperand::List(values.iter().map(scalar).collect()),
    }
}

/// A network of a file whose header is known. Its weights are counted as programs that read them are built.
fn seen(network: &Network) -> Load {
    let file = &network.file;
    let family = file.contents.family().map_or(UNKNOWN.to_owned(), |family| family.to_string());
    Load {
        folder: file.folder.clone(),
        file: file.name.clone(),
        part: network.role.to_string(),
        family,
        header: file.header.hash.clone(),
        file_bytes: usize::try_from(file.header.file_bytes).ok().into(),
        resident_bytes: Size::Known(0),
        live: (StepId(0), StepId(0)),
        patches: network.patches.iter().map(patch).collect(),
    }
}

fn file_ref(file: &ModelFile) -> FileRef {
    FileRef {
        folder: file.folder.clone(),
        file: file.name.clone(),
        header: file.header.hash.clone(),
        file_bytes: usize::try_from(file.header.file_bytes).ok().into(),
    }
}

/// A patch in the plan's words; the library limits how deeply they are nested.
fn patch(patch: &Patch) -> floe_plan::Patch {
    match patch {
        Patch::Adapter { file, strength, second } => {
            floe_plan::Patch::Adapter { file: file_ref(file), strength: *strength, second: *second }
        }
        Patch::Merge { with, shares } => floe_plan::Patch::Merge {
            file: file_ref(&with.file),
            patches: with.patches.iter().map(self::patch).collect(),
            shares: shares.iter().map(|share| (share.below.clone(), share.keep, share.add)).collect(),
        },
    }
}

fn unseen(part: Part, folder: &str, file: &str) -> Load {
    Load {
        folder: folder.to_owned(),
        file: file.to_owned(),
        part: part.to_string(),
        family: UNKNOWN.to_owned(),
        header: UNKNOWN.to_owned(),
        file_bytes: Size::Unknown,
        resident_bytes: Size::Unknown,
        live: (StepId(0), StepId(0)),
        patches: Vec::new(),
    }
}

fn plan_gap(gap: &Gap) -> floe_plan::Gap {
    match gap {
        Gap::NoKernel { .. } => floe_plan::Gap::NoKernel,
        Gap::File => floe_plan::Gap::File,
        Gap::Unknown => floe_plan::Gap::Unknown,
    }
}

/// Live ranges from first write or loading to last use.
fn live_ranges(plan: &mut Plan) {
    let mut buffers: Vec<Option<(StepId, StepId)>> = vec![None; plan.buffers.len()];
    let mut loads: Vec<Option<(StepId, StepId)>> = vec![None; plan.loads.len()];
    let touch = |range: &mut Option<(StepId, StepId)>, step: StepId| {
        *range = Some(range.map_or((step, step), |(first, _)| (first, step)));
    };
    for (index, step) in plan.steps.iter().enumerate() {
        let id = StepId::new(index);
        for load in &step.loads {
            touch(&mut loads[load.index()], id);
        }
        for program in &step.programs {
            touch(&mut loads[plan.programs[program.index()].load.index()], id);
        }
        for operand in step.inputs.values().flat_map(PlanOperand::leaves) {
            match operand {
                PlanOperand::Buffers(read) => {
                    for buffer in read {
                        touch(&mut buffers[buffer.index()], id);
                    }
                }
                PlanOperand::Load(load) => touch(&mut loads[load.index()], id),
                _ => {}
            }
        }
        for buffer in step.outputs.iter().flatten().chain(&step.scratch) {
            touch(&mut buffers[buffer.index()], id);
        }
    }
    for (buffer, range) in plan.buffers.iter_mut().zip(buffers) {
        buffer.live = range.unwrap_or_default();
    }
    for (load, range) in plan.loads.iter_mut().zip(loads) {
        load.live = range.unwrap_or_default();
    }
}

/// Offsets of all buffers and the totals. Without `plan-memory` no byte is used twice.
fn place(plan: &mut Plan, reuse: bool) {
    let known: Vec<usize> = (0..plan.buffers.len()).filter(|&id| plan.buffers[id].is_known()).collect();
    let items: Vec<Item> = known
        .iter()
        .map(|&id| &plan.buffers[id])
        .map(|buffer| Item {
            bytes: buffer.bytes().and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(usize::MAX / 4),
            first: buffer.live.0.index(),
            last: buffer.live.1.index(),
        })
        .collect();
    let packing = pack(&items, ALIGNMENT);
    let mut height = 0;
    for ((&id, item), &packed) in known.iter().zip(&items).zip(&packing.offsets) {
        let offset = if reuse { packed } else { height };
        height = height.max(offset.saturating_add(item.bytes.next_multiple_of(ALIGNMENT)));
        plan.buffers[id].offset = offset as u64;
    }
    let weights = resident_peak(plan);
    plan.memory = Memory {
        peak: (height as u64).saturating_add(weights),
        slab: height as u64,
        slab_lower_bound: packing.lower_bound as u64,
        weights,
        at_least: !plan.is_complete(),
    };
}

fn out_of_memory(plan: &Plan, limit: u64) -> CompileError {
    let buffers = plan.buffers.iter().map(|buffer| {
        let step = &plan.steps[buffer.live.0.index()];
        let what = if buffer.role == Role::Value { buffer.name.as_str() } else { "working memory" };
        let name = format!("{what} of {} ({})", step.kernel, step.origins.join(", "));
        (buffer.bytes().unwrap_or(if buffer.is_known() { u64::MAX } else { 0 }), name)
    });
    let loads = plan.loads.iter().map(|load| {
        (
            load.resident_bytes.known().unwrap_or(0) as u64,
            format!("weights of the {} in {}", load.part, load.file),
        )
    });
    let mut largest: Vec<(u64, String)> = buffers.chain(loads).collect();
    largest.sort_by(|a, b| b.cmp(a));
    CompileError::OutOfMemory {
        needed: at_least(plan.memory.peak).to_string(),
        limit: ByteSize(limit).to_string(),
        largest: largest
            .into_iter()
            .take(LARGEST)
            .map(|(size, name)| format!("{name}: {}", ByteSize(size)))
            .collect(),
    }
}

/// A size rounded up to what its text shows, a tenth of a unit: what is said to be enough is enough.
fn at_least(size: u64) -> ByteSize {
    let unit = 1_u64 << (size.max(1).ilog2() / 10 * 10);
    let tenths = (u128::from(size) * 10).div_ceil(u128::from(unit));
    let rounded = (tenths * u128::from(unit)).div_ceil(10);
    ByteSize(u64::try_from(rounded).unwrap_or(size))
}
