use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{BufferId, LoadId, ProgramId, Size, StepId};

/// Version of the format; a reader refuses others.
pub const FORMAT: u32 = 2;

/// What runs, in which order, where in memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// [`FORMAT`].
    pub format: u32,
    /// BLAKE3 of the program's meaning: its graph with params bound, not its text.
    pub program: String,
    /// The machine that it is for.
    pub target: Target,
    /// Values that params were bound to.
    pub params: BTreeMap<String, Scalar>,
    /// Totals, first of all what memory it takes.
    pub memory: Memory,
    /// Model parts, in the order in which they are loaded.
    pub loads: Vec<Load>,
    /// Tensor programs that steps run.
    pub programs: Vec<Program>,
    /// Everything that lives in the slab.
    pub buffers: Vec<Buffer>,
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// Files that the run writes.
    pub outputs: Vec<Output>,
    /// Moves that change numbers to fit memory, in words; an exact plan has none.
    pub approximate: Vec<String>,
}

/// A machine, as far as a plan depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Kind of device.
    pub device: Device,
    /// Bytes of memory that the plan may take; `None` is without limit.
    pub memory: Option<u64>,
    /// Number type that networks compute in.
    pub precision: Precision,
}

/// A kind of device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Device {
    /// The processor.
    #[serde(rename = "cpu")]
    Cpu,
    /// A graphics processor with CUDA.
    #[serde(rename = "cuda")]
    Cuda,
}

/// A number type to compute in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Precision {
    /// IEEE single precision.
    #[serde(rename = "f32")]
    F32,
}

/// What memory a plan takes, in bytes. Pages of model files that the system maps are not counted: it may drop
/// them at any time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// Most that is taken at any step: slab and prepared weights.
    pub peak: u64,
    /// The slab, allocated once.
    pub slab: u64,
    /// Most bytes of buffers alive at one step: no slab can be smaller.
    pub slab_lower_bound: u64,
    /// Most bytes of prepared weights alive at one step.
    pub weights: u64,
    /// Set where steps have gaps or buffers no known size: the numbers are lower bounds then.
    #[serde(default, skip_serializing_if = "is_false")]
    pub at_least: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// One network of one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// The models folder, such as `checkpoints`.
    pub folder: String,
    /// Name of the file in that folder.
    pub file: String,
    /// Which network, such as `unet`, `clip-l`, `vae`; of a file that was not looked at, which part: `model`, `clip`.
    pub part: String,
    /// The family, such as `sd1`; `unknown` where the file does not tell it, or was not looked at, as for the two below.
    pub family: String,
    /// BLAKE3 of the file's header: the run refuses a file whose header differs.
    pub header: String,
    /// Bytes of the whole file.
    pub file_bytes: Size,
    /// Bytes of prepared weights, packed for the kernels of the programs that use the part.
    pub resident_bytes: Size,
    /// First and last step at which the weights are in memory.
    pub live: (StepId, StepId),
    /// What changes the weights before they are prepared, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patches: Vec<Patch>,
}

/// One change of a network's weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Patch {
    /// Differences of weights, multiplied by a number.
    #[serde(rename = "adapter")]
    Adapter {
        /// The file that holds them.
        file: FileRef,
        /// What they are multiplied with.
        strength: f64,
        /// Whether the network is the second of two text encoders.
        #[serde(default, skip_serializing_if = "is_false")]
        second: bool,
    },
    /// Shares of the network and of another one.
    #[serde(rename = "merge")]
    Merge {
        /// The file of the other network, which has the same part.
        file: FileRef,
        /// What changes the other network before.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        patches: Vec<Patch>,
        /// Beginning of the names of weights, share of the network, share of the other. The longest beginning counts.
        shares: Vec<(String, f64, f64)>,
    },
}

/// A file besides that of a load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRef {
    /// The models folder.
    pub folder: String,
    /// Name of the file in that folder.
    pub file: String,
    /// BLAKE3 of the file's header.
    pub header: String,
    /// Bytes of the whole file.
    pub file_bytes: Size,
}

/// A tensor program, rebuilt by the runtime from its name and checked by its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// Network and sizes, such as `unet batch=2 height=16 width=24 tokens=77`.
    pub spec: String,
    /// The part whose weights it reads.
    pub load: LoadId,
    /// Passes that it went through, comma-separated, or `none`.
    pub passes: String,
    /// BLAKE3 of its text form.
    pub hash: String,
    /// Floating-point operations of one execution.
    pub flops: u64,
    /// Bytes of its slab.
    pub slab_bytes: u64,
}

/// What a buffer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// A value that one step writes and others read.
    #[serde(rename = "value")]
    Value,
    /// Working memory of one step.
    #[serde(rename = "scratch")]
    Scratch,
    /// The slab of the tensor programs of one step.
    #[serde(rename = "slab")]
    Slab,
}

/// A piece of the slab for some steps. Elements are f32.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Buffer {
    /// What it holds, such as `LATENT`.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// Outermost dimension first, row-major.
    pub shape: Vec<Size>,
    /// First byte in the slab; 0 where the size is not known.
    pub offset: u64,
    /// First and last step at which it exists.
    pub live: (StepId, StepId),
}

impl Buffer {
    /// The shape, where all of it is known.
    pub fn dimensions(&self) -> Option<Vec<usize>> {
        self.shape.iter().map(|size| size.known()).collect()
    }

    /// Whether its size is known.
    pub fn is_known(&self) -> bool {
        !self.shape.contains(&Size::Unknown)
    }

    /// Number of elements; `None` if that is not known, or more than a machine can count.
    pub fn elements(&self) -> Option<u64> {
        self.shape.iter().try_fold(1_u64, |product, size| product.checked_mul(size.known()? as u64))
    }

    /// Bytes; `None` if that is not known, or more than a machine can count.
    pub fn bytes(&self) -> Option<u64> {
        self.elements()?.checked_mul(4)
    }
}

/// A value known when the plan is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Scalar {
    /// A whole number, signed or unsigned 64 bits.
    Int(i128),
    /// A number.
    Float(f64),
    /// Yes or no.
    Bool(bool),
    /// Text.
    String(String),
}

/// An input of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Operand {
    /// A known value.
    Scalar(Scalar),
    /// Tensors that earlier steps wrote.
    Buffers(Vec<BufferId>),
    /// A loaded model part.
    Load(LoadId),
    /// An optional socket that is left open.
    Open,
    /// Several values in order.
    List(Vec<Operand>),
    /// Several values by name.
    Record(BTreeMap<String, Operand>),
}

impl Operand {
    /// Itself, or, for several values, each of them and of those in them.
    pub fn leaves(&self) -> Box<dyn Iterator<Item = &Operand> + '_> {
        match self {
            Operand::List(items) => Box::new(items.iter().flat_map(Operand::leaves)),
            Operand::Record(fields) => Box::new(fields.values().flat_map(Operand::leaves)),
            leaf => Box::new(std::iter::once(leaf)),
        }
    }
}

/// Why a step can be planned and not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Gap {
    /// Floe has no kernel for it, or for what it is given.
    #[serde(rename = "no-kernel")]
    NoKernel,
    /// It depends on a file that was not looked at.
    #[serde(rename = "file")]
    File,
    /// It depends on what is not known before a run.
    #[serde(rename = "unknown")]
    Unknown,
}

/// One thing done by a kernel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The kernel's name: the node's class, or `load`.
    pub kernel: String,
    /// All source nodes that it stands for.
    pub origins: Vec<String>,
    /// Inputs by name.
    pub inputs: BTreeMap<String, Operand>,
    /// Buffers of each output socket.
    pub outputs: Vec<Vec<BufferId>>,
    /// Working memory, in the order that the kernel expects.
    pub scratch: Vec<BufferId>,
    /// Tensor programs that it runs, in the order that the kernel expects.
    pub programs: Vec<ProgramId>,
    /// Model parts that it loads.
    pub loads: Vec<LoadId>,
    /// What the kernel is told besides its inputs, by name: known values, and lists of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Operand>,
    /// Floating-point operations of its tensor programs, all executions.
    pub flops: u64,
    /// Why it cannot run, if it cannot: its working memory and programs are not known then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<Gap>,
}

/// Files that a step writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// The step.
    pub step: StepId,
    /// Which source node it is.
    pub origin: String,
}
