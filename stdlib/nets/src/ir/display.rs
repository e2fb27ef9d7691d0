//! The text form: what snapshots show, and what a program's hash is taken of.

use std::fmt::{self, Display, Formatter};

use super::{Activation, Element, Op, OpKind, Padding, Program, Resample, Value};
use crate::arena::Id;

impl Display for Element {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Element::F32 => "f32",
            Element::I32 => "i32",
        })
    }
}

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:?}", self.element, self.shape)
    }
}

impl Display for Activation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Activation::Silu => "silu",
            Activation::QuickGelu => "quick-gelu",
            Activation::Gelu => "gelu",
            Activation::Relu => "relu",
            Activation::LeakyRelu => "leaky-relu",
            Activation::Tanh => "tanh",
        })
    }
}

impl Display for Resample {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Resample::Bilinear => "bilinear",
            Resample::Bicubic => "bicubic",
            Resample::NearestExact => "nearest-exact",
            Resample::Area => "area",
        })
    }
}

impl OpKind {
    /// The name of the operation, as in text forms and kernel tables.
    pub fn name(&self) -> &'static str {
        match self {
            OpKind::Conv2d { .. } => "conv2d",
            OpKind::Linear => "linear",
            OpKind::AddBias => "add-bias",
            OpKind::Add => "add",
            OpKind::AddRow => "add-row",
            OpKind::AddPosition => "add-position",
            OpKind::Activate(_) => "activate",
            OpKind::Geglu => "geglu",
            OpKind::GroupNorm { .. } => "group-norm",
            OpKind::LayerNorm { .. } => "layer-norm",
            OpKind::Attention { .. } => "attention",
            OpKind::Concat => "concat",
            OpKind::UpsampleNearest { .. } => "upsample-nearest",
            OpKind::Embedding => "embedding",
            OpKind::TimestepEmbedding { .. } => "timestep-embedding",
            OpKind::NchwToNhwc => "nchw-to-nhwc",
            OpKind::NhwcToNchw => "nhwc-to-nchw",
            OpKind::Affine { .. } => "affine",
            OpKind::Narrow { .. } => "narrow",
            OpKind::GatherRow => "gather-row",
            OpKind::EmbeddingExtra => "embedding-extra",
            OpKind::TakeToken { .. } => "take-token",
            OpKind::PrependToken => "prepend-token",
            OpKind::PixelUnshuffle { .. } => "pixel-unshuffle",
            OpKind::Reframe { .. } => "reframe",
            OpKind::MeanPool { .. } => "mean-pool",
            OpKind::Resize { .. } => "resize",
            OpKind::ScaleChannels { .. } => "scale-channels",
            OpKind::ScaleByMean { .. } => "scale-by-mean",
            OpKind::ScaleLowest { .. } => "scale-lowest",
            OpKind::AttentionReceived { .. } => "attention-received",
        }
    }
}

impl Display for OpKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            OpKind::Conv2d { stride, padding: Padding { before, after } } => {
                write!(f, " stride={stride} pad={before},{after}")
            }
            OpKind::Activate(activation) => write!(f, " {activation}"),
            OpKind::GroupNorm { groups, epsilon } => write!(f, " groups={groups} eps={epsilon:?}"),
            OpKind::LayerNorm { epsilon } => write!(f, " eps={epsilon:?}"),
            OpKind::Attention { heads, scale, causal } => {
                write!(f, " heads={heads} scale={scale:?}{}", if *causal { " causal" } else { "" })
            }
            OpKind::UpsampleNearest { height, width } | OpKind::Reframe { height, width } => {
                write!(f, " height={height} width={width}")
            }
            OpKind::TimestepEmbedding { channels, max_period } => {
                write!(f, " channels={channels} max-period={max_period:?}")
            }
            OpKind::Affine { add, mul, clamp } => {
                write!(f, " add={add:?} mul={mul:?}")?;
                clamp.map_or(Ok(()), |(low, high)| write!(f, " clamp={low:?},{high:?}"))
            }
            OpKind::Narrow { start, channels } => write!(f, " start={start} channels={channels}"),
            OpKind::TakeToken { index } => write!(f, " index={index}"),
            OpKind::PixelUnshuffle { factor } => write!(f, " factor={factor}"),
            OpKind::MeanPool { padding: [rows, columns] } => write!(f, " pad={rows},{columns}"),
            OpKind::Resize { method, height, width } => {
                write!(f, " {method} height={height} width={width}")
            }
            OpKind::ScaleChannels { channels, factor } | OpKind::ScaleByMean { channels, factor } => {
                write!(f, " channels={channels} factor={factor:?}")
            }
            OpKind::ScaleLowest { factor } => write!(f, " factor={factor:?}"),
            OpKind::AttentionReceived { heads, scale } => write!(f, " heads={heads} scale={scale:?}"),
            _ => Ok(()),
        }
    }
}

impl Display for Op {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.output, self.kind)?;
        for input in &self.inputs {
            write!(f, " {input}")?;
        }
        for weight in &self.weights {
            write!(f, " {weight}")?;
        }
        if let Some(bias) = self.epilogue.bias {
            write!(f, " +bias {bias}")?;
        }
        if let Some(residual) = self.epilogue.residual {
            write!(f, " +residual {residual}")?;
        }
        if let Some(activation) = self.epilogue.activation {
            write!(f, " +{activation}")?;
        }
        if let Some(value) = self.in_place {
            write!(f, " in-place {value}")?;
        }
        Ok(())
    }
}

impl Display for Program {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "program {}", self.name)?;
        for port in &self.inputs {
            writeln!(f, "  in {} = {}: {}", port.value, port.name, self.values[port.value])?;
        }
        for (id, weight) in self.weights.iter() {
            writeln!(f, "  {id} = {} {}{:?}", weight.key, weight.dtype, weight.shape)?;
        }
        for (position, op) in self.ops.iter().enumerate() {
            write!(f, "  {op} : {}", self.values[op.output])?;
            if let Some(placement) = &self.placement {
                if let Some(offset) = placement.values[op.output.index()] {
                    write!(f, " @{offset}")?;
                }
                if let Some(offset) = placement.workspaces[position] {
                    write!(f, " workspace @{offset}")?;
                }
            }
            writeln!(f)?;
        }
        for port in &self.outputs {
            writeln!(f, "  out {} = {}", port.name, port.value)?;
        }
        if let Some(placement) = &self.placement {
            writeln!(f, "  slab {} bytes", placement.slab_bytes)?;
        }
        Ok(())
    }
}
