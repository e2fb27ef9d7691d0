//! The operations of encoders of pictures, adapters, upscalers and patches on burn's tensors. Values are
//! `[rows, channels]`, as everywhere in this engine.

use burn::tensor::ops::PadMode;
use burn::tensor::{Bool, Int, Tensor, TensorData, activation};
use floe_nets::ir::{Resample, Value};

use crate::kernels::{lowest_phases, resize_matrix};

/// Rows of a table, or of what is given besides it.
pub(super) fn embedding_extra(ids: Tensor<1, Int>, extra: Tensor<2>, table: Tensor<2>) -> Tensor<2> {
    let ([vocabulary, channels], [rows, _], [count]) = (table.dims(), extra.dims(), ids.dims());
    let known = vocabulary as i32;
    let own = table.select(0, ids.clone().clamp(0, known - 1));
    let given = extra.select(0, (ids.clone() - known).clamp(0, rows as i32 - 1));
    let beyond: Tensor<2, Bool> = ids.greater_equal_elem(known).reshape([count, 1]).expand([count, channels]);
    own.mask_where(beyond, given)
}

/// A row in front of those of every item.
pub(super) fn prepend(x: Tensor<2>, first: Tensor<2>, [items, places]: [usize; 2]) -> Tensor<2> {
    let channels = x.dims()[1];
    let first = first.reshape([1, 1, channels]).expand([items, 1, channels]);
    let all = Tensor::cat(vec![first, x.reshape([items, places, channels])], 1);
    all.reshape([items * (places + 1), channels])
}

/// Blocks of pixels to channels.
pub(super) fn pixel_unshuffle(x: Tensor<4>, factor: usize) -> Tensor<2> {
    let [n, height, width, channels] = x.dims();
    let (rows, columns) = (height / factor, width / factor);
    let blocks = x.reshape([n, rows, factor, columns, factor, channels]);
    let deep = blocks.permute([0, 1, 3, 5, 2, 4]);
    deep.reshape([n * rows * columns, channels * factor * factor])
}

/// Means of 2x2 pixels.
pub(super) fn mean_pool(x: Tensor<4>, [rows, columns]: [usize; 2]) -> Tensor<2> {
    let x = x.permute([0, 3, 1, 2]).pad([(rows, rows), (columns, columns)], PadMode::Constant(0.0));
    let [n, channels, height, width] = x.dims();
    let (height, width) = (height / 2, width / 2);
    let x = x.narrow(2, 0, 2 * height).narrow(3, 0, 2 * width);
    let blocks = x.reshape([n * channels, height, 2, width, 2]);
    let means = blocks.mean_dim(4).mean_dim(2).reshape([n, channels, height, width]);
    means.permute([0, 2, 3, 1]).reshape([n * height * width, channels])
}

/// Another size: a product from the left for rows, then one for columns.
pub(super) fn resize(x: Tensor<4>, method: Resample, [height, width]: [usize; 2]) -> Tensor<2> {
    let [n, h, w, channels] = x.dims();
    let device = x.device();
    let matrix = |to: usize, from: usize| {
        let data = TensorData::new(resize_matrix(method, from, to), [1, to, from]);
        Tensor::<3>::from_data(data, &device)
    };
    let tall = matrix(height, h).matmul(x.reshape([n, h, w * channels]));
    let wide = matrix(width, w).matmul(tall.reshape([n * height, w, channels]));
    wide.reshape([n * height * width, channels])
}

/// The first channels by a factor.
pub(super) fn scale_channels(x: Tensor<2>, count: usize, factor: f32) -> Tensor<2> {
    let channels = x.dims()[1];
    let scaled = x.clone().narrow(1, 0, count) * factor;
    join(scaled, x, count, channels)
}

/// The first channels of each pixel by how its mean lies among its item's.
pub(super) fn scale_by_mean(
    x: Tensor<2>,
    count: usize,
    factor: f32,
    [items, places]: [usize; 2],
) -> Tensor<2> {
    let channels = x.dims()[1];
    let means = x.clone().mean_dim(1).reshape([items, places]);
    let (least, most) = (means.clone().min_dim(1), means.clone().max_dim(1));
    let place = (means - least.clone()) / (most - least);
    let factors = (place * (factor - 1.0) + 1.0).reshape([items * places, 1]);
    let scaled = x.clone().narrow(1, 0, count) * factors;
    join(scaled, x, count, channels)
}

/// The scaled channels, and the others as they were.
fn join(scaled: Tensor<2>, x: Tensor<2>, count: usize, channels: usize) -> Tensor<2> {
    if count == channels {
        scaled
    } else {
        Tensor::cat(vec![scaled, x.narrow(1, count, channels - count)], 1)
    }
}

/// The lowest frequencies by a factor: a projection on eight waves, real and imaginary parts of four.
pub(super) fn scale_lowest(x: Tensor<2>, value: &Value, factor: f32) -> Tensor<2> {
    let (height, width, [rows, channels]) = (value.shape[1], value.shape[2], x.dims());
    let pixels = height * width;
    let waves = TensorData::new(lowest_phases(height, width), [1, pixels, 8]);
    let waves = Tensor::<3>::from_data(waves, &x.device());
    let items = x.clone().reshape([rows / pixels, pixels, channels]);
    let coefficients = waves.clone().swap_dims(1, 2).matmul(items);
    let low = waves.matmul(coefficients).reshape([rows, channels]);
    x + low * ((factor - 1.0) / pixels as f32)
}

/// What attention gives to each key.
pub(super) fn attention_received(
    [q, k]: [Tensor<2>; 2],
    items: usize,
    [queries, keys]: [usize; 2],
    heads: usize,
    scale: f32,
) -> Tensor<2> {
    let depth = q.dims()[1] / heads;
    let split = |x: Tensor<2>, tokens: usize| x.reshape([items, tokens, heads, depth]).swap_dims(1, 2);
    let scores = split(q, queries).matmul(split(k, keys).swap_dims(2, 3)) * scale;
    let weights = activation::softmax(scores, 3);
    weights.sum_dim(2).mean_dim(1).reshape([items, keys])
}
