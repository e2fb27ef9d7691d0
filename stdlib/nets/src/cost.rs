//! What a program costs, walked without a device.

use std::collections::BTreeSet;

use crate::arena::Id;
use crate::ir::{Activation, Op, OpKind, PANEL, Program, Resample, Weight, WeightId};

/// Cost of one execution of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// Floating-point operations; a fused multiply-add counts two.
    pub flops: u64,
    /// Bytes of its weights as stored in the file.
    pub weight_bytes: u64,
    /// Most bytes of values and workspaces alive at once: no placement can need less.
    pub live_bytes: u64,
    /// Bytes of the slab, once placed: the planned peak.
    pub slab_bytes: u64,
    /// The largest workspace of an operation.
    pub workspace_bytes: u64,
}

/// Walks a program.
pub fn cost(program: &Program) -> Cost {
    let last = program.last_uses();
    let mut total = Cost {
        weight_bytes: program.weights.iter().map(|(_, weight)| stored_bytes(weight)).sum(),
        slab_bytes: program.placement.as_ref().map_or(0, |placement| placement.slab_bytes as u64),
        ..Cost::default()
    };
    let mut live = BTreeSet::new();
    let bytes = |id| program.values[id].bytes() as u64;
    for (position, op) in program.ops.iter().enumerate() {
        total.flops = total.flops.saturating_add(flops(program, op));
        let workspace = workspace_bytes(program, op) as u64;
        total.workspace_bytes = total.workspace_bytes.max(workspace);
        if !program.is_external(op.output) {
            if let Some(value) = op.in_place {
                live.remove(&value);
            }
            live.insert(op.output);
        }
        let now = live.iter().map(|&id| bytes(id)).sum::<u64>() + workspace;
        total.live_bytes = total.live_bytes.max(now);
        live.retain(|id| last[id.index()].is_some_and(|at| at > position));
    }
    total
}

/// Bytes of a weight in its file.
pub fn stored_bytes(weight: &Weight) -> u64 {
    (weight.shape.iter().product::<usize>() * weight.dtype.bytes()) as u64
}

/// How an engine on the CPU keeps a weight once it is prepared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// As panels of [`PANEL`] output channels, f32: the right-hand side of matrix products.
    Panels {
        /// Places of the kernel, whose channels are summed one place after the other; 1 for a matrix.
        taps: usize,
        /// Length of the sums.
        depth: usize,
        /// Output channels.
        columns: usize,
    },
    /// As f32, in the order of the file: biases, norms.
    Plain,
    /// Not copied: rows are read from the file where they are needed.
    Mapped,
}

impl Storage {
    /// Bytes in memory, the file's pages not counted.
    pub fn bytes(self, weight: &Weight) -> u64 {
        let elements = match self {
            Storage::Panels { depth, columns, .. } => depth * columns.next_multiple_of(PANEL),
            Storage::Plain => weight.shape.iter().product(),
            Storage::Mapped => 0,
        };
        4 * elements as u64
    }
}

/// How each weight of a program is kept, by id.
pub fn storage(program: &Program) -> Vec<Storage> {
    let mut result = vec![Storage::Plain; program.weights.len()];
    for op in &program.ops {
        let Some(&id) = op.weights.first() else { continue };
        let shape = |id: WeightId| program.weights[id].shape.as_slice();
        match op.kind {
            OpKind::Conv2d { .. } | OpKind::Linear => {
                let (columns, rest) = shape(id).split_first().unwrap_or((&0, &[]));
                let is_conv = matches!(op.kind, OpKind::Conv2d { .. });
                let taps = if is_conv { rest.iter().skip(1).product() } else { 1 };
                result[id.index()] =
                    Storage::Panels { taps, depth: rest.iter().product(), columns: *columns };
            }
            OpKind::Embedding | OpKind::EmbeddingExtra => result[id.index()] = Storage::Mapped,
            _ => {}
        }
    }
    result
}

/// Bytes that an operation needs besides inputs and output.
pub fn workspace_bytes(program: &Program, op: &Op) -> usize {
    let value = |index: usize| &program.values[op.inputs[index]];
    let floats = match op.kind {
        // Keys and values of all heads, packed into panels.
        OpKind::Attention { heads, .. } => {
            let (k, items) = (value(1), value(1).shape.first().copied().unwrap_or(1));
            let (tokens, channels) = (k.rows() / items.max(1), k.channels() / heads);
            let keys = tokens.next_multiple_of(PANEL) * channels;
            let values = channels.next_multiple_of(PANEL) * tokens;
            items * heads * (keys + values)
        }
        // A row of zeros that stands for every pixel outside of the picture.
        OpKind::Conv2d { padding, .. } if padding.before + padding.after > 0 => value(0).channels(),
        // A phase, cosine and sine, per row and column.
        OpKind::ScaleLowest { .. } => value(0).shape.iter().skip(1).take(2).map(|size| 2 * size).sum(),
        // A mean per pixel.
        OpKind::ScaleByMean { .. } => value(0).rows(),
        // The largest score and the total of every query.
        OpKind::AttentionReceived { heads, .. } => 2 * heads * value(0).rows(),
        _ => 0,
    };
    floats * 4
}

/// Floating-point operations of one operation; transcendental functions count as ten. What exceeds 64 bits counts
/// as their maximum.
pub fn flops(program: &Program, op: &Op) -> u64 {
    const TRANSCENDENTAL: u128 = 10;
    let value = |index: usize| &program.values[op.inputs[index]];
    let output = &program.values[op.output];
    let elements = output.len() as u128;
    let body = match op.kind {
        OpKind::Conv2d { .. } | OpKind::Linear => {
            let shape = &program.weights[op.weights[0]].shape;
            2 * elements * shape.iter().skip(1).product::<usize>() as u128
        }
        OpKind::Attention { heads, .. } => {
            let items = value(0).shape.first().copied().unwrap_or(1).max(1);
            let pairs = value(0).rows() as u128 * (value(1).rows() / items) as u128;
            4 * pairs * value(0).channels() as u128 + (2 + TRANSCENDENTAL) * pairs * heads as u128
        }
        OpKind::GroupNorm { .. } | OpKind::LayerNorm { .. } => 7 * elements,
        OpKind::Geglu => (3 + TRANSCENDENTAL) * elements,
        OpKind::Activate(activation) => activation_flops(activation) * elements,
        OpKind::TimestepEmbedding { .. } => TRANSCENDENTAL * elements,
        OpKind::AttentionReceived { heads, .. } => {
            let pairs = value(0).rows() as u128 * output.channels() as u128;
            // Scores are computed twice: for the totals, and for the sums.
            4 * pairs * value(0).channels() as u128 + (3 + 2 * TRANSCENDENTAL) * pairs * heads as u128
        }
        // Three complex sums and a real one, there and back.
        OpKind::ScaleLowest { .. } => 27 * elements,
        OpKind::Affine { .. } | OpKind::ScaleByMean { .. } => 2 * elements,
        OpKind::ScaleChannels { .. } => elements,
        OpKind::MeanPool { .. } => 4 * elements,
        OpKind::Resize { method, .. } => elements * resize_flops(method, value(0).len(), output.len()),
        OpKind::AddBias | OpKind::Add | OpKind::AddRow | OpKind::AddPosition => elements,
        OpKind::Concat
        | OpKind::UpsampleNearest { .. }
        | OpKind::Embedding
        | OpKind::EmbeddingExtra
        | OpKind::NchwToNhwc
        | OpKind::NhwcToNchw
        | OpKind::Narrow { .. }
        | OpKind::TakeToken { .. }
        | OpKind::PrependToken
        | OpKind::PixelUnshuffle { .. }
        | OpKind::Reframe { .. }
        | OpKind::GatherRow => 0,
    };
    let epilogue = u128::from(op.epilogue.bias.is_some())
        + u128::from(op.epilogue.residual.is_some())
        + op.epilogue.activation.map_or(0, activation_flops);
    u64::try_from(body + epilogue * elements).unwrap_or(u64::MAX)
}

/// Operations per element; an area's pixels are those of the input, and at least one.
fn resize_flops(method: Resample, from: usize, to: usize) -> u128 {
    match method {
        Resample::Bilinear => 6,
        Resample::Bicubic => 40,
        Resample::NearestExact => 0,
        Resample::Area => 1 + from.div_ceil(to.max(1)) as u128,
    }
}

fn activation_flops(activation: Activation) -> u128 {
    match activation {
        Activation::Silu => 12,
        Activation::QuickGelu | Activation::Gelu => 13,
        Activation::Relu => 1,
        Activation::LeakyRelu => 2,
        Activation::Tanh => 10,
    }
}
