//! Kernels: one file per kind of operation, behind one table from instruction set and operation to function.

mod arch;
mod attention;
mod elementwise;
mod frequency;
mod layout;
mod math;
mod norm;
mod product;
mod resample;
mod table;

use floe_nets::Id;
use floe_nets::ir::{Op, OpKind, Program, WeightId};

use arch::{Arch, Portable, Task};
#[cfg(target_arch = "x86_64")]
use arch::{Avx2, Avx512};

use crate::memory::{Sink, Source};
use crate::weights::{Rows, WeightStore};
use crate::{EngineError, Isa, Pool};

#[cfg(feature = "burn")]
pub(crate) use frequency::lowest_phases;
pub(crate) use product::check as check_product;
#[cfg(feature = "burn")]
pub(crate) use resample::resize_matrix;

/// One operation with its memory, for one run.
pub(crate) struct Job<'a> {
    pub(crate) program: &'a Program,
    pub(crate) op: &'a Op,
    /// Numbers read, in the order of the operation's inputs; empty where an input is indices.
    pub(crate) x: [Source<'a>; 3],
    /// Indices read, if the operation takes any.
    pub(crate) indices: &'a [i32],
    pub(crate) residual: Option<Source<'a>>,
    pub(crate) output: Sink<'a>,
    pub(crate) workspace: Sink<'a>,
    /// Prepared weights, by [`WeightId`].
    pub(crate) weights: &'a [Prepared],
    pub(crate) store: &'a WeightStore,
    pub(crate) pool: &'a Pool,
}

/// Where a weight of a program lies in its store.
#[derive(Debug, Clone)]
pub(crate) enum Prepared {
    /// Elements of the store's memory.
    Memory(std::ops::Range<usize>),
    /// In the file.
    File(Rows),
}

/// Runs one operation.
pub(crate) type Kernel = fn(&Job<'_>) -> Result<(), EngineError>;

/// The kernel of an operation on an instruction set that this machine has.
pub(crate) fn kernel(isa: Isa, kind: &OpKind) -> Kernel {
    match isa {
        Isa::Portable => entry::<Portable>(kind),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => entry::<Avx2>(kind),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => entry::<Avx512>(kind),
        #[cfg(not(target_arch = "x86_64"))]
        _ => entry::<Portable>(kind),
    }
}

fn entry<A: Arch>(kind: &OpKind) -> Kernel {
    match kind {
        OpKind::Conv2d { .. } => product::conv2d::<A>,
        OpKind::Linear => product::linear::<A>,
        OpKind::AddBias => elementwise::add_bias::<A>,
        OpKind::Add => elementwise::add::<A>,
        OpKind::AddRow => elementwise::add_row::<A>,
        OpKind::AddPosition => elementwise::add_position::<A>,
        OpKind::Activate(_) => elementwise::activate::<A>,
        OpKind::Affine { .. } => elementwise::affine::<A>,
        OpKind::Geglu => elementwise::geglu::<A>,
        OpKind::GroupNorm { .. } => norm::group_norm::<A>,
        OpKind::LayerNorm { .. } => norm::layer_norm::<A>,
        OpKind::Attention { .. } => attention::attention::<A>,
        OpKind::Concat => layout::concat::<A>,
        OpKind::UpsampleNearest { .. } => layout::upsample_nearest::<A>,
        OpKind::NchwToNhwc => layout::nchw_to_nhwc::<A>,
        OpKind::NhwcToNchw => layout::nhwc_to_nchw::<A>,
        OpKind::Narrow { .. } => layout::narrow::<A>,
        OpKind::GatherRow => table::gather_row,
        OpKind::Embedding | OpKind::EmbeddingExtra => table::embedding,
        OpKind::TakeToken { .. } => layout::take_token::<A>,
        OpKind::PrependToken => layout::prepend_token::<A>,
        OpKind::PixelUnshuffle { .. } => layout::pixel_unshuffle::<A>,
        OpKind::Reframe { .. } => layout::reframe::<A>,
        OpKind::MeanPool { .. } => resample::mean_pool::<A>,
        OpKind::Resize { .. } => resample::resize::<A>,
        OpKind::ScaleChannels { .. } => elementwise::scale_channels::<A>,
        OpKind::ScaleByMean { .. } => frequency::scale_by_mean::<A>,
        OpKind::ScaleLowest { .. } => frequency::scale_lowest::<A>,
        OpKind::AttentionReceived { .. } => attention::attention_received::<A>,
        OpKind::TimestepEmbedding { .. } => table::timestep_embedding,
    }
}

/// Work below this, in nanoseconds of one core, is not worth waking another one for.
const INLINE_NANOSECONDS: usize = 15_000;

impl<'a> Job<'a> {
    /// The shape of an input.
    fn shape(&self, input: usize) -> &'a [usize] {
        &self.program.values[self.op.inputs[input]].shape
    }

    /// Channels of the output.
    fn channels(&self) -> usize {
        self.program.values[self.op.output].channels()
    }

    fn unsupported(&self, reason: &str) -> EngineError {
        let position = self.program.ops.iter().position(|op| std::ptr::eq(op, self.op)).unwrap_or(0);
        EngineError::Unsupported { program: self.program.name.clone(), position, reason: reason.to_owned() }
    }

    fn weight(&self, id: WeightId) -> Source<'a> {
        let range = match &self.weights[id.index()] {
            Prepared::Memory(range) => range.clone(),
            Prepared::File(_) => 0..0,
        };
        Source::new(&self.store.memory()[range])
    }

    /// Runs `tasks` tasks, estimated at `nanoseconds` of one core together, on all threads if that pays.
    fn for_each<A: Arch, T: Task>(&self, task: &T, tasks: usize, nanoseconds: usize) {
        if nanoseconds < INLINE_NANOSECONDS {
            for index in 0..tasks {
                A::call(task, index);
            }
        } else {
            self.pool.for_each(tasks, &|index| A::call(task, index));
        }
    }
}
