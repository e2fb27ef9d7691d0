//! One operation on burn's tensors.

use burn::tensor::module::{attention, conv2d, layer_norm};
use burn::tensor::ops::{AttentionModuleOptions, ConvOptions, PadMode};
use burn::tensor::{Bool, DType, FloatDType, Int, Tensor, TensorData, activation};
use floe_nets::ir::{Activation, Op, OpKind, Padding, Value};

use super::weights::Stored;
use super::{BurnExecutable, Held, variants};

/// Flash attention wants heads of a multiple of this many channels (the depth of a tensor core's tile); other
/// heads are padded with zeros, since it would fall back to writing out all scores.
const HEAD_TILE: usize = 16;

/// The result of an operation; `reads` are its inputs and, last, its residual.
pub(super) fn run(exe: &BurnExecutable, op: &Op, weights: &[Stored], reads: Vec<Held>) -> Tensor<2> {
    let shapes: Vec<&Value> = op.inputs.iter().map(|&id| &exe.program.values[id]).collect();
    let output = &exe.program.values[op.output];
    let mut context = Context { exe, shapes, weights: weights.iter(), reads: reads.into_iter() };
    let result = context.body(op, output);
    let result = context.epilogue(op, result);
    // Norms and the timestep's embedding end in f32.
    result.cast(exe.precision)
}

/// An operation's operands, taken in order.
struct Context<'a> {
    exe: &'a BurnExecutable,
    shapes: Vec<&'a Value>,
    weights: std::slice::Iter<'a, Stored>,
    reads: std::vec::IntoIter<Held>,
}

impl Context<'_> {
    fn body(&mut self, op: &Op, output: &Value) -> Tensor<2> {
        let x = self.shapes[0];
        match op.kind {
            OpKind::Conv2d { stride, padding } => {
                let (x, kernel) = (self.picture(), self.kernel());
                let bias = op.epilogue.bias.map(|_| self.matrix());
                convolve(x, kernel, bias, stride, padding)
            }
            OpKind::Linear => {
                let (x, weight) = (self.float(), self.matrix());
                x.matmul(weight)
            }
            OpKind::AddBias => {
                let (x, bias) = (self.float(), self.matrix());
                x + bias
            }
            OpKind::Add => {
                let (x, y) = (self.float(), self.float());
                x + y
            }
            OpKind::AddRow => {
                let [items, places] = items(x);
                let (x, row) = (self.float(), self.float());
                let channels = row.dims()[1];
                let sum = x.reshape([items, places, channels]) + row.reshape([items, 1, channels]);
                sum.reshape([items * places, channels])
            }
            OpKind::AddPosition => {
                let [items, tokens] = items(x);
                let (x, table) = (self.float(), self.matrix());
                let channels = table.dims()[1];
                let table = table.narrow(0, 0, tokens).reshape([1, tokens, channels]);
                (x.reshape([items, tokens, channels]) + table).reshape([items * tokens, channels])
            }
            OpKind::Activate(kind) => activate(kind, wide(self.float())),
            OpKind::Geglu => {
                let x = self.float();
                let half = x.dims()[1] / 2;
                let (a, b) = (x.clone().narrow(1, 0, half), x.narrow(1, half, half));
                // burn's GELU is the exact one, with the error function.
                wide(a) * activation::gelu(wide(b))
            }
            OpKind::GroupNorm { groups, epsilon } => {
                let (value, scale, shift) = (self.float(), self.matrix(), self.matrix());
                group_norm(wide(value), items(x), groups, epsilon, scale, shift)
            }
            OpKind::LayerNorm { epsilon } => {
                let (value, scale, shift) = (self.float(), self.vector(), self.vector());
                layer_norm(wide(value), scale, Some(shift), f64::from(epsilon))
            }
            OpKind::Attention { heads, scale, causal } => {
                let [q, k, v] = [self.float(), self.float(), self.float()];
                let tokens = [items(x)[1], items(self.shapes[1])[1]];
                attend([q, k, v], items(x)[0], tokens, heads, scale, causal)
            }
            OpKind::Concat => {
                let (x, y) = (self.float(), self.float());
                Tensor::cat(vec![x, y], 1)
            }
            OpKind::UpsampleNearest { height, width } => {
                let x = self.picture();
                let [_, rows, columns, channels] = x.dims();
                let (y, x_of) = (self.nearest(rows, height), self.nearest(columns, width));
                x.select(1, y).select(2, x_of).reshape([output.rows(), channels])
            }
            OpKind::Embedding => {
                let (ids, table) = (self.indices(), self.matrix());
                table.select(0, ids)
            }
            OpKind::TimestepEmbedding { channels, max_period } => {
                let timesteps = self.read_back();
                let table = sinusoids(&timesteps, channels, max_period);
                let data = TensorData::new(table, [output.rows(), output.channels()]);
                Tensor::from_data(data, (&self.exe.device.device, DType::F32))
            }
            OpKind::NchwToNhwc => {
                self.picture().permute([0, 2, 3, 1]).reshape([output.rows(), output.channels()])
            }
            OpKind::NhwcToNchw => {
                self.picture().permute([0, 3, 1, 2]).reshape([output.rows(), output.channels()])
            }
            OpKind::Affine { add, mul, clamp } => {
                let result = (self.float() + add) * mul;
                match clamp {
                    Some((low, high)) => result.clamp(low, high),
                    None => result,
                }
            }
            OpKind::Narrow { start, channels } => self.float().narrow(1, start, channels),
            OpKind::GatherRow => {
                let [items, tokens] = items(x);
                let (x, index) = (self.float(), self.indices());
                let first = (0..items).map(|item| (item * tokens) as i32).collect();
                x.select(0, index + self.index_tensor(first))
            }
            _ => self.variant(op, output),
        }
    }

    /// The operations of encoders of pictures, adapters, upscalers and patches.
    fn variant(&mut self, op: &Op, output: &Value) -> Tensor<2> {
        let x = self.shapes[0];
        match op.kind {
            OpKind::EmbeddingExtra => {
                let (ids, extra, table) = (self.indices(), self.float(), self.matrix());
                variants::embedding_extra(ids, extra, table)
            }
            OpKind::TakeToken { index } => {
                let [items, tokens] = items(x);
                let (x, channels) = (self.float(), output.channels());
                x.reshape([items, tokens, channels]).narrow(1, index, 1).reshape([items, channels])
            }
            OpKind::PrependToken => {
                let (value, first) = (self.float(), self.matrix());
                variants::prepend(value, first, items(x))
            }
            OpKind::PixelUnshuffle { factor } => variants::pixel_unshuffle(self.picture(), factor),
            OpKind::Reframe { height, width } => {
                let x = self.picture();
                let [_, rows, columns, channels] = x.dims();
                let (y, x_of) = (self.mirrored(rows, height), self.mirrored(columns, width));
                x.select(1, y).select(2, x_of).reshape([output.rows(), channels])
            }
            OpKind::MeanPool { padding } => variants::mean_pool(self.picture(), padding),
            OpKind::Resize { method, height, width } => {
                let picture = self.picture().cast(FloatDType::F32);
                variants::resize(picture, method, [height, width])
            }
            OpKind::ScaleChannels { channels, factor } => {
                variants::scale_channels(self.float(), channels, factor)
            }
            OpKind::ScaleByMean { channels, factor } => {
                variants::scale_by_mean(wide(self.float()), channels, factor, items(x))
            }
            OpKind::ScaleLowest { factor } => variants::scale_lowest(wide(self.float()), x, factor),
            OpKind::AttentionReceived { heads, scale } => {
                let pair = [wide(self.float()), wide(self.float())];
                let tokens = [items(x)[1], items(self.shapes[1])[1]];
                variants::attention_received(pair, items(x)[0], tokens, heads, scale)
            }
            _ => unreachable!("`body` has all others"),
        }
    }

    /// What is left of the epilogue: a convolution has added its bias itself.
    fn epilogue(&mut self, op: &Op, mut x: Tensor<2>) -> Tensor<2> {
        if op.epilogue.bias.is_some() && !matches!(op.kind, OpKind::Conv2d { .. }) {
            x = x + self.matrix();
        }
        if op.epilogue.residual.is_some() {
            x = x + self.float();
        }
        match op.epilogue.activation {
            Some(kind) => activate(kind, wide(x)),
            None => x,
        }
    }

    /// The next value, in the precision of the run.
    fn float(&mut self) -> Tensor<2> {
        match self.reads.next() {
            Some(Held::Float(x)) => x.cast(self.exe.precision),
            _ => unreachable!("the value is no number, or there is none"),
        }
    }

    /// The first value, as the four dimensions that it has.
    fn picture(&mut self) -> Tensor<4> {
        let shape: [usize; 4] = self.shapes[0].shape.as_slice().try_into().expect("the value has rank 4");
        self.float().reshape(shape)
    }

    /// The next value's numbers on the host, in full precision.
    fn read_back(&mut self) -> Vec<f32> {
        match self.reads.next() {
            Some(Held::Float(x)) => wide(x).try_into_vec_as().expect("f32 numbers can be read"),
            _ => unreachable!("the value is no number, or there is none"),
        }
    }

    fn indices(&mut self) -> Tensor<1, Int> {
        match self.reads.next() {
            Some(Held::Index(indices)) => indices,
            _ => unreachable!("the value is no index, or there is none"),
        }
    }

    fn matrix(&mut self) -> Tensor<2> {
        match self.weights.next() {
            Some(Stored::Matrix(weight)) => weight.clone(),
            _ => unreachable!("the weight is no matrix, or there is none"),
        }
    }

    fn vector(&mut self) -> Tensor<1> {
        let weight = self.matrix();
        let channels = weight.dims()[1];
        weight.reshape([channels])
    }

    fn kernel(&mut self) -> Tensor<4> {
        match self.weights.next() {
            Some(Stored::Kernel(weight)) => weight.clone(),
            _ => unreachable!("the weight is no kernel, or there is none"),
        }
    }

    fn index_tensor(&self, indices: Vec<i32>) -> Tensor<1, Int> {
        let len = indices.len();
        Tensor::from_data(TensorData::new(indices, [len]), (&self.exe.device.device, DType::I32))
    }

    /// For each output pixel of a direction, the input pixel that it is, mirrored behind the last.
    fn mirrored(&self, from: usize, to: usize) -> Tensor<1, Int> {
        let place = |pixel: usize| if pixel < from { pixel } else { 2 * (from - 1) - pixel };
        self.index_tensor((0..to).map(|pixel| place(pixel) as i32).collect())
    }

    /// For each output pixel of a direction, the input pixel that it repeats.
    fn nearest(&self, from: usize, to: usize) -> Tensor<1, Int> {
        self.index_tensor((0..to).map(|pixel| (pixel * from / to) as i32).collect())
    }
}

/// Items of a batch, and places (tokens or pixels) of each.
fn items(value: &Value) -> [usize; 2] {
    let items = value.shape.first().copied().unwrap_or(1);
    [items, value.rows() / items.max(1)]
}

/// A value in f32, whatever the precision of the run.
fn wide(x: Tensor<2>) -> Tensor<2> {
    x.cast(FloatDType::F32)
}

fn activate(kind: Activation, x: Tensor<2>) -> Tensor<2> {
    match kind {
        Activation::Silu => activation::silu(x),
        Activation::QuickGelu => x.clone() * activation::sigmoid(x * 1.702_f32),
        Activation::Gelu => activation::gelu(x),
        Activation::Relu => activation::relu(x),
        Activation::LeakyRelu => activation::leaky_relu(x, 0.2),
        Activation::Tanh => activation::tanh(x),
    }
}

/// burn convolves `[n, c, h, w]`; on GPUs its kernels see through the permutations to channels-last bytes.
fn convolve(
    x: Tensor<4>,
    kernel: Tensor<4>,
    bias: Option<Tensor<2>>,
    stride: usize,
    Padding { before, after }: Padding,
) -> Tensor<2> {
    let [out, ..] = kernel.dims();
    let options = ConvOptions::new_with_padding([stride; 2], [(before, after); 2], [1; 2], 1);
    let bias = bias.map(|bias| bias.reshape([out]));
    let y = conv2d(x.permute([0, 3, 1, 2]), kernel, bias, options).permute([0, 2, 3, 1]);
    let [n, height, width, _] = y.dims();
    y.reshape([n * height * width, out])
}

/// Statistics per item and group: means per channel first, over contiguous rows, then over the group's channels.
fn group_norm(
    x: Tensor<2>,
    [items, places]: [usize; 2],
    groups: usize,
    epsilon: f32,
    scale: Tensor<2>,
    shift: Tensor<2>,
) -> Tensor<2> {
    let [rows, channels] = x.dims();
    let group_mean = |x: Tensor<3>| {
        let means = x.mean_dim(1).reshape([items, groups, channels / groups]).mean_dim(2);
        means.expand([items, groups, channels / groups]).reshape([items, 1, channels])
    };
    let x = x.reshape([items, places, channels]);
    let centered = x.clone() - group_mean(x);
    let variance = group_mean(centered.clone() * centered.clone());
    let scale = scale.reshape([1, 1, channels]) / (variance + epsilon).sqrt();
    (centered * scale + shift.reshape([1, 1, channels])).reshape([rows, channels])
}

/// `softmax(scale q kᵀ) v`. burn's fast kernels know only the scale `1 / sqrt(channels)`, so Q takes the rest.
fn attend(
    [q, k, v]: [Tensor<2>; 3],
    items: usize,
    [queries, keys]: [usize; 2],
    heads: usize,
    scale: f32,
    causal: bool,
) -> Tensor<2> {
    let [rows, channels] = q.dims();
    let depth = channels / heads;
    let padded = depth.next_multiple_of(HEAD_TILE);
    let split = |x: Tensor<2>, tokens: usize| {
        let x = x.reshape([items, tokens, heads, depth]);
        let x = if padded > depth { x.pad([(0, padded - depth)], PadMode::Constant(0.0)) } else { x };
        x.swap_dims(1, 2)
    };
    let device = q.device();
    let factor = f64::from(scale) * (padded as f64).sqrt();
    let q = if (factor - 1.0).abs() > 1e-6 { q * factor } else { q };
    // For unequal token counts, burn would align the last query with the last key, not the first with the first.
    let mask = (causal && queries != keys).then(|| {
        let hidden = (0..queries).flat_map(|query| (0..keys).map(move |key| key > query)).collect();
        let hidden = Tensor::<2, Bool>::from_data(TensorData::new(hidden, [queries, keys]), &device);
        hidden.reshape([1, 1, queries, keys]).expand([items, heads, queries, keys])
    });
    let options = AttentionModuleOptions { is_causal: causal && queries == keys, ..Default::default() };
    let mixed = attention(split(q, queries), split(k, keys), split(v, keys), mask, None, options);
    mixed.narrow(3, 0, depth).swap_dims(1, 2).reshape([rows, channels])
}

/// `[cos, sin]` of each timestep at falling frequencies. On the host, from few numbers: a GPU's fast cosine is
/// inaccurate at the arguments of up to 1000 that timesteps are.
fn sinusoids(timesteps: &[f32], channels: usize, max_period: f32) -> Vec<f32> {
    let half = channels / 2;
    let frequency = |index: usize| (-max_period.ln() * index as f32 / half as f32).exp();
    let mut table = Vec::with_capacity(timesteps.len() * channels);
    for &timestep in timesteps {
        table.extend((0..half).map(|index| (timestep * frequency(index)).cos()));
        table.extend((0..half).map(|index| (timestep * frequency(index)).sin()));
    }
    table
}
