//! What a tensor program means.
//!
//! A [`Program`] is a list of operations in execution order. Each reads values and weights and defines one new
//! value; a value is defined once, before its first use, and never changes. Shapes are numbers. Activations are
//! channels-last: pictures and latents `[batch, height, width, channels]`, token sequences
//! `[batch, tokens, channels]`, so that every matrix product reads rows of channels; latents enter and leave as
//! `[batch, channels, height, width]` through explicit layout operations.
//!
//! **Arithmetic is part of the meaning**: all values are f32; each output element of a convolution, linear layer
//! or attention product is `fma` over its inputs in ascending order of (kernel row, kernel column, channel),
//! starting from zero; then, in this order, `+ bias`, `+ residual`, activation. So it does not matter for the bits
//! how work is tiled, batched, fused or threaded, nor how wide the processor's registers are.
//!
//! Inputs and outputs live in memory of the caller; every other value lives in the program's slab, at the offset
//! that its [`Placement`] gives.

mod display;
mod infer;
mod verify;

pub use infer::infer;
pub use verify::VerifyError;

use floe_formats::DType;

use crate::arena::{Arena, Id, entity};

entity!(
    /// A value of a program.
    ValueId, "%"
);
entity!(
    /// A weight that a program reads.
    WeightId, "w"
);

/// Columns of a packed matrix panel; a fixed number, so that plans do not depend on a processor's features.
pub const PANEL: usize = 16;

/// Every value starts at a multiple of this many bytes (a cache line).
pub const ALIGNMENT: usize = 64;

/// The type of a value's elements; both take four bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// A number.
    F32,
    /// An index: token ids, positions.
    I32,
}

/// A tensor that an operation defines, or an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// Outermost dimension first, row-major.
    pub shape: Vec<usize>,
    /// Element type.
    pub element: Element,
}

impl Value {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of storage.
    pub fn bytes(&self) -> usize {
        self.len() * 4
    }

    /// Size of the last dimension.
    pub fn channels(&self) -> usize {
        self.shape.last().copied().unwrap_or(1)
    }

    /// Product of all dimensions but the last.
    pub fn rows(&self) -> usize {
        self.shape.iter().rev().skip(1).product()
    }
}

/// A tensor of a model file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weight {
    /// Its name in the file.
    pub key: String,
    /// Stored number type.
    pub dtype: DType,
    /// Shape as stored.
    pub shape: Vec<usize>,
}

/// A function of one number, applied to each element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// `x * sigmoid(x)` (Elfwing et al. 2017).
    Silu,
    /// `x * sigmoid(1.702 x)`, as OpenAI's CLIP has it.
    QuickGelu,
    /// `x (1 + erf(x / √2)) / 2` (Hendrycks and Gimpel 2016).
    Gelu,
    /// `x`, or 0 where it is negative.
    Relu,
    /// `x`, or `0.2 x` where it is negative, as in ESRGAN.
    LeakyRelu,
    /// The hyperbolic tangent.
    Tanh,
}

/// How a picture gets another size; pixel centres lie at halves, borders repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resample {
    /// Linear in both directions.
    Bilinear,
    /// Cubic convolution over four pixels (Keys 1981) with `a = -0.75`.
    Bicubic,
    /// The pixel whose centre is nearest.
    NearestExact,
    /// The mean of all pixels that an output pixel touches.
    Area,
}

/// Zero padding of a convolution, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Padding {
    /// Above and on the left.
    pub before: usize,
    /// Below and on the right.
    pub after: usize,
}

impl Padding {
    /// The same on all sides.
    pub fn all(pixels: usize) -> Padding {
        Padding { before: pixels, after: pixels }
    }
}

/// What an operation does. `x` is its first input, `w` its first weight.
#[derive(Debug, Clone, PartialEq)]
pub enum OpKind {
    /// Two-dimensional convolution: `x [n, h, w, i]`, weight `[o, i, kh, kw]`.
    Conv2d {
        /// Step in both directions.
        stride: usize,
        /// Zeros around the picture.
        padding: Padding,
    },
    /// Matrix product over the last dimension: weight `[o, i]`, or `[o, …]` with `i` elements behind each `o`.
    Linear,
    /// `x + b` along the last dimension: weight `[c]`.
    AddBias,
    /// Sum of two values of one shape.
    Add,
    /// Adds `e [n, c]` to every position of `x [n, …, c]`.
    AddRow,
    /// Adds weight `[t, c]` to every item of `x [n, t, c]`.
    AddPosition,
    /// An activation, elementwise.
    Activate(Activation),
    /// `a * gelu(b)` where `x = [a, b]` along the last dimension; exact GELU (Shazeer 2020, GEGLU).
    Geglu,
    /// Group normalisation (Wu and He 2018): weights scale and shift, each `[c]`.
    GroupNorm {
        /// Number of groups of channels.
        groups: usize,
        /// Added to the variance.
        epsilon: f32,
    },
    /// Layer normalisation over the last dimension: weights scale and shift, each `[c]`.
    LayerNorm {
        /// Added to the variance.
        epsilon: f32,
    },
    /// `softmax(scale q kᵀ) v` per head; `q [n, …, c]`, `k` and `v` `[n, …, c]` with one token count of their own.
    Attention {
        /// Heads that split the channels evenly.
        heads: usize,
        /// Factor of the scores.
        scale: f32,
        /// Whether a token sees only itself and earlier ones.
        causal: bool,
    },
    /// Joins two values along the last dimension.
    Concat,
    /// Repeats pixels: output pixel `y` is input pixel `y * h / height`, rounded down.
    UpsampleNearest {
        /// Rows of the output.
        height: usize,
        /// Columns of the output.
        width: usize,
    },
    /// Rows of a table `[v, c]` by index.
    Embedding,
    /// Rows of a table `[v, c]` by index; the index `v + i` names row `i` of the second input, `extra [k, c]`.
    EmbeddingExtra,
    /// Sinusoidal embedding of numbers `[n]` or `[n, k]`, cosines first (Vaswani et al. 2017, as in DDPM). Those of one
    /// item follow each other: `[n, k]` gives `[n, k * channels]`.
    TimestepEmbedding {
        /// Channels of the output.
        channels: usize,
        /// Longest wavelength over 2π.
        max_period: f32,
    },
    /// `[n, c, h, w]` to `[n, h, w, c]`.
    NchwToNhwc,
    /// `[n, h, w, c]` to `[n, c, h, w]`.
    NhwcToNchw,
    /// `clamp((x + add) * mul)`.
    Affine {
        /// Added first.
        add: f32,
        /// Multiplied then.
        mul: f32,
        /// Bounds of the result, if any.
        clamp: Option<(f32, f32)>,
    },
    /// The channels `start .. start + channels`.
    Narrow {
        /// First channel kept.
        start: usize,
        /// How many are kept.
        channels: usize,
    },
    /// Row `index[n]` of every item of `x [n, t, c]`.
    GatherRow,
    /// Row `index` of every item of `x [n, t, c]`, giving `[n, c]`.
    TakeToken {
        /// The row, the same for all items.
        index: usize,
    },
    /// `x [n, …, c]` as `[n, 1 + t, c]`, weight `[c]` being the first token of every item.
    PrependToken,
    /// `[n, h, w, c]` to `[n, h / factor, w / factor, c * factor²]`: a block's pixels become channels, those of one
    /// input channel next to each other, row by row (Shi et al. 2016, in reverse).
    PixelUnshuffle {
        /// Side of a block in pixels; divides height and width.
        factor: usize,
    },
    /// The picture's upper left part of that size; where it is larger than the picture, it goes on mirrored at its last
    /// row and column, which are not repeated.
    Reframe {
        /// Rows of the output, fewer than twice those of the input.
        height: usize,
        /// Columns of the output, fewer than twice those of the input.
        width: usize,
    },
    /// The mean of each block of 2x2 pixels; zeros around the picture count.
    MeanPool {
        /// Rows of zeros above and below, columns on the left and right.
        padding: [usize; 2],
    },
    /// A picture at another size.
    Resize {
        /// How.
        method: Resample,
        /// Rows of the output.
        height: usize,
        /// Columns of the output.
        width: usize,
    },
    /// Multiplies the first channels, the others stay.
    ScaleChannels {
        /// How many.
        channels: usize,
        /// By what.
        factor: f32,
    },
    /// Multiplies the first channels of each pixel by `1 + (factor - 1) m`, where `m` is the mean of the pixel's
    /// channels, brought to 0 to 1 over the item (FreeU's second form, Si et al. 2023).
    ScaleByMean {
        /// How many.
        channels: usize,
        /// The largest factor.
        factor: f32,
    },
    /// Multiplies the lowest frequencies of each channel of `x [n, h, w, c]`: of its discrete Fourier transform, those
    /// of index 0 and -1 in both directions; then the real part (FreeU, Si et al. 2023).
    ScaleLowest {
        /// By what.
        factor: f32,
    },
    /// How much attention each key gets: `softmax(scale q kᵀ)` summed over queries, its mean over heads. `q` and `k`
    /// as in attention; gives `[n, keys]`.
    AttentionReceived {
        /// Heads that split the channels evenly.
        heads: usize,
        /// Factor of the scores.
        scale: f32,
    },
}

/// What happens to each result of a matrix product or norm before it is stored, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Epilogue {
    /// Adds a weight `[c]` along the last dimension.
    pub bias: Option<WeightId>,
    /// Adds a value of the output's shape.
    pub residual: Option<ValueId>,
    /// Applies an activation.
    pub activation: Option<Activation>,
}

/// One operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Op {
    /// What it does.
    pub kind: OpKind,
    /// Values read.
    pub inputs: Vec<ValueId>,
    /// Weights read.
    pub weights: Vec<WeightId>,
    /// Done to each element before it is stored; only set by `fuse`.
    pub epilogue: Epilogue,
    /// The value defined.
    pub output: ValueId,
    /// The value read here for the last time whose bytes the output takes; only set by `in-place`.
    pub in_place: Option<ValueId>,
}

impl Op {
    /// Every value that it reads, the residual included.
    pub fn reads(&self) -> impl Iterator<Item = ValueId> + '_ {
        self.inputs.iter().copied().chain(self.epilogue.residual)
    }

    /// Every weight that it reads, the bias included.
    pub fn reads_weights(&self) -> impl Iterator<Item = WeightId> + '_ {
        self.weights.iter().copied().chain(self.epilogue.bias)
    }
}

/// An input or output of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: ValueId,
}

/// Where values and workspaces lie in the slab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// Byte offset of each value, by id; `None` for inputs and outputs, which the caller keeps.
    pub values: Vec<Option<usize>>,
    /// Byte offset of each operation's workspace, by position; `None` where it needs none.
    pub workspaces: Vec<Option<usize>>,
    /// Bytes of the slab.
    pub slab_bytes: usize,
}

/// A tensor program.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    /// What it is, such as `unet batch=2 height=16 width=24 tokens=77`.
    pub name: String,
    /// All values.
    pub values: Arena<ValueId, Value>,
    /// All weights, each tensor once.
    pub weights: Arena<WeightId, Weight>,
    /// Read by the program, written by the caller.
    pub inputs: Vec<Port>,
    /// Written by the program, read by the caller.
    pub outputs: Vec<Port>,
    /// Operations in execution order.
    pub ops: Vec<Op>,
    /// Memory, once planned.
    pub placement: Option<Placement>,
    /// Values by the module path of the reference implementation, for tests and dumps.
    pub labels: Vec<Port>,
}

impl Program {
    /// Makes the value of a module path an output of the same name, before passes run; `false` if there is none.
    pub fn expose(&mut self, label: &str) -> bool {
        let Some(port) = self.labels.iter().find(|port| port.name == label).cloned() else { return false };
        self.outputs.push(port);
        true
    }

    /// Whether the caller keeps the memory of a value.
    pub fn is_external(&self, value: ValueId) -> bool {
        self.inputs.iter().chain(&self.outputs).any(|port| port.value == value)
    }

    /// BLAKE3 of the text form, in hexadecimal.
    pub fn hash(&self) -> String {
        blake3::hash(self.to_string().as_bytes()).to_hex().to_string()
    }

    /// For each value, the position of the last operation that reads it; outputs of the program live on.
    pub fn last_uses(&self) -> Vec<Option<usize>> {
        let mut last = vec![None; self.values.len()];
        for (position, op) in self.ops.iter().enumerate() {
            for value in op.reads() {
                last[value.index()] = Some(position);
            }
        }
        last
    }
}
