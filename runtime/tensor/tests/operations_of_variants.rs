//! The operations of encoders of pictures, adapters, upscalers and patches, like those of `operations.rs`.
#![allow(clippy::unwrap_used)]

mod support;

use floe_formats::DType;
use floe_nets::Builder;
use floe_nets::ir::{Element, OpKind, Resample, ValueId};
use support::Given;
use support::check::{Body, compare, run, stored};

#[test]
fn tokens_are_taken_and_put_in_front() {
    for [n, tokens, channels] in [[1, 1, 1], [3, 5, 19], [2, 70, 64]] {
        let stored = stored(&[("first", DType::F16, &[channels])]);
        let shape = [vec![n, tokens, channels]];
        let index = tokens / 2;
        let take = |b: &mut Builder<'_>, x: &[ValueId]| b.apply(OpKind::TakeToken { index }, x);
        compare(&stored, &shape, true, &take, |x| {
            x[0].chunks(tokens * channels)
                .flat_map(|item| item[index * channels..][..channels].to_vec())
                .collect()
        });
        compare(&stored, &shape, true, &|b, x| b.prepend_token("first", x[0]), |x| {
            let items = x[0].chunks(tokens * channels);
            items.flat_map(|item| [&stored.values["first"], item].concat()).collect()
        });
    }
}

#[test]
fn blocks_of_pixels_become_channels() {
    let stored = stored(&[]);
    for [n, h, w, c, factor] in [[1, 1, 1, 1, 1], [2, 3, 2, 3, 2], [1, 2, 3, 5, 8], [3, 10, 7, 1, 4]] {
        let kind = OpKind::PixelUnshuffle { factor };
        let shape = [vec![n, h * factor, w * factor, c]];
        compare(&stored, &shape, true, &|b, x| b.apply(kind.clone(), x), |x| {
            let deep = c * factor * factor;
            let at = |i: usize| {
                let (channel, pixel) = (i % deep, i / deep);
                let (from, dy, dx) =
                    (channel / (factor * factor), channel / factor % factor, channel % factor);
                let (line, column) = (pixel / w * factor + dy, pixel % w * factor + dx);
                x[0][(line * w * factor + column) * c + from]
            };
            (0..n * h * w * deep).map(at).collect()
        });
    }
}

#[test]
fn pictures_are_cut_and_mirrored() {
    let stored = stored(&[]);
    for ([n, h, w, c], [height, width]) in
        [([1, 1, 1, 1], [1, 1]), ([2, 3, 4, 5], [5, 2]), ([1, 7, 5, 20], [8, 9])]
    {
        let kind = OpKind::Reframe { height, width };
        compare(&stored, &[vec![n, h, w, c]], true, &|b, x| b.apply(kind.clone(), x), |x| {
            let at = |i: usize| {
                let (channel, pixel) = (i % c, i / c);
                let (to_x, to_y, item) = (pixel % width, pixel / width % height, pixel / (width * height));
                let mirror = |place: usize, size: usize| place.min((2 * size - 2).wrapping_sub(place));
                x[0][((item * h + mirror(to_y, h)) * w + mirror(to_x, w)) * c + channel]
            };
            (0..n * height * width * c).map(at).collect()
        });
    }
}

/// A convolution whose stride is its kernel is one of blocks of pixels.
#[test]
fn patches_are_convolutions() {
    let stored = stored(&[("p.weight", DType::F16, &[20, 3, 14, 14]), ("p.bias", DType::F32, &[20])]);
    compare(&stored, &[vec![2, 28, 42, 3]], true, &|b, x| b.patches("p", x[0]), |x| {
        let (weight, bias) = (&stored.values["p.weight"], &stored.values["p.bias"]);
        let at = |i: usize| {
            let (out, column, line) = (i % 20, i / 20 % 3, i / 60);
            let mut sum = bias[out];
            for place in 0..3 * 14 * 14 {
                let (channel, dy, dx) = (place / 196, place / 14 % 14, place % 14);
                let from = ((line * 14 + dy) * 42 + column * 14 + dx) * 3 + channel;
                sum += x[0][from] * weight[out * 588 + place];
            }
            sum
        };
        (0..2 * 2 * 3 * 20).map(at).collect()
    });
}

#[test]
fn means_of_blocks() {
    let stored = stored(&[]);
    for ([n, h, w, c], padding) in [([1, 2, 2, 1], [0, 0]), ([2, 3, 4, 20], [1, 0]), ([1, 7, 5, 33], [1, 1])]
    {
        let kind = OpKind::MeanPool { padding };
        let [height, width] = [(h + 2 * padding[0]) / 2, (w + 2 * padding[1]) / 2];
        compare(&stored, &[vec![n, h, w, c]], true, &|b, x| b.apply(kind.clone(), x), |x| {
            let at = |i: usize| {
                let (channel, pixel) = (i % c, i / c);
                let (to_x, to_y, item) = (pixel % width, pixel / width % height, pixel / (width * height));
                let mut sum = 0.0;
                for (dy, dx) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                    let (y, from_x) = (2 * to_y + dy, 2 * to_x + dx);
                    let (y, from_x) = (y.wrapping_sub(padding[0]), from_x.wrapping_sub(padding[1]));
                    if y < h && from_x < w {
                        sum += x[0][((item * h + y) * w + from_x) * c + channel] / 4.0;
                    }
                }
                sum
            };
            (0..n * height * width * c).map(at).collect()
        });
    }
}

/// Pixels and weights of one output pixel in one direction, in double precision.
fn weights(method: Resample, to: usize, from_size: usize, to_size: usize) -> Vec<(usize, f64)> {
    let scale = from_size as f64 / to_size as f64;
    let clamp = |position: f64| position.clamp(0.0, (from_size - 1) as f64) as usize;
    let centre = (to as f64 + 0.5) * scale - 0.5;
    match method {
        Resample::NearestExact => vec![(((to as f64 + 0.5) * scale) as usize, 1.0)],
        Resample::Area => {
            let (first, end) = ((to as f64 * scale).floor(), ((to + 1) as f64 * scale).ceil());
            let count = end - first;
            (first as usize..end as usize).map(|position| (position, 1.0 / count)).collect()
        }
        Resample::Bilinear => {
            let centre = centre.max(0.0);
            let t = centre - centre.floor();
            vec![(clamp(centre.floor()), 1.0 - t), (clamp(centre.floor() + 1.0), t)]
        }
        Resample::Bicubic => {
            let kernel = |x: f64| {
                let (a, x) = (-0.75, x.abs());
                if x <= 1.0 {
                    (a + 2.0) * x.powi(3) - (a + 3.0) * x.powi(2) + 1.0
                } else {
                    a * (x.powi(3) - 5.0 * x.powi(2) + 8.0 * x - 4.0)
                }
            };
            let near = (-1..=2).map(|offset| centre.floor() + f64::from(offset));
            near.map(|position| (clamp(position), kernel(centre - position))).collect()
        }
    }
}

#[test]
fn other_sizes() {
    let stored = stored(&[]);
    let methods = [Resample::Bilinear, Resample::Bicubic, Resample::NearestExact, Resample::Area];
    let sizes =
        [([1, 1, 1, 1], [1, 1]), ([2, 4, 6, 20], [8, 9]), ([1, 9, 7, 3], [4, 5]), ([1, 5, 8, 33], [5, 3])];
    for (([n, h, w, c], [height, width]), method) in
        sizes.into_iter().flat_map(|sizes| methods.map(|method| (sizes, method)))
    {
        let kind = OpKind::Resize { method, height, width };
        compare(&stored, &[vec![n, h, w, c]], true, &|b, x| b.apply(kind.clone(), x), |x| {
            let at = |i: usize| {
                let (channel, pixel) = (i % c, i / c);
                let (to_x, to_y, item) = (pixel % width, pixel / width % height, pixel / (width * height));
                let mut sum = 0.0;
                for (y, row) in weights(method, to_y, h, height) {
                    for (from_x, weight) in weights(method, to_x, w, width) {
                        sum += row * weight * x[0][((item * h + y) * w + from_x) * c + channel];
                    }
                }
                sum
            };
            (0..n * height * width * c).map(at).collect()
        });
    }
}

#[test]
fn first_channels_are_scaled() {
    let stored = stored(&[]);
    for [n, pixels, channels, scaled] in [[1, 1, 2, 1], [2, 5, 64, 32], [1, 9, 33, 20]] {
        let shape = [vec![n, pixels, 1, channels]];
        let kind = OpKind::ScaleChannels { channels: scaled, factor: 1.25 };
        compare(&stored, &shape, true, &|b, x| b.apply(kind.clone(), x), |x| {
            let factor = |at: usize| if at % channels < scaled { 1.25 } else { 1.0 };
            x[0].iter().enumerate().map(|(at, x)| x * factor(at)).collect()
        });
        if pixels == 1 {
            continue;
        }
        let kind = OpKind::ScaleByMean { channels: scaled, factor: 1.25 };
        // Something before it, so that it may work in place.
        let body: Body<'_> = &|b, x| {
            let x = b.apply(OpKind::Affine { add: 3.0, mul: 1.0, clamp: None }, x)?;
            b.apply(kind.clone(), &[x])
        };
        compare(&stored, &shape, true, body, |x| {
            let x: Vec<f64> = x[0].iter().map(|x| x + 3.0).collect();
            let means: Vec<f64> =
                x.chunks(channels).map(|pixel| pixel.iter().sum::<f64>() / channels as f64).collect();
            let factor = |at: usize| {
                let (pixel, of_item) = (at / channels, at / (channels * pixels) * pixels);
                let item = &means[of_item..of_item + pixels];
                let least = item.iter().copied().fold(f64::INFINITY, f64::min);
                let most = item.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let place = (means[pixel] - least) / (most - least);
                if at % channels < scaled { 1.0 + 0.25 * place } else { 1.0 }
            };
            x.iter().enumerate().map(|(at, x)| x * factor(at)).collect()
        });
    }
}

#[test]
fn lowest_frequencies_are_scaled() {
    use std::f64::consts::TAU;
    let stored = stored(&[]);
    for [n, h, w, c] in [[1, 1, 1, 1], [2, 4, 6, 20], [1, 5, 1, 3], [1, 2, 7, 33]] {
        let kind = OpKind::ScaleLowest { factor: 0.2 };
        compare(&stored, &[vec![n, h, w, c]], true, &|b, x| b.apply(kind.clone(), x), |x| {
            let mut out = x[0].clone();
            let frequencies = |size: usize| if size > 1 { vec![0.0, -1.0] } else { vec![0.0] };
            for (item, channel) in (0..n * c).map(|i| (i / c, i % c)) {
                for ky in frequencies(h) {
                    for kx in frequencies(w) {
                        let at = |pixel: usize| (item * h * w + pixel) * c + channel;
                        let angle = |pixel: usize| {
                            TAU * (ky * (pixel / w) as f64 / h as f64 + kx * (pixel % w) as f64 / w as f64)
                        };
                        let (mut re, mut im) = (0.0, 0.0);
                        for pixel in 0..h * w {
                            re += x[0][at(pixel)] * angle(pixel).cos();
                            im -= x[0][at(pixel)] * angle(pixel).sin();
                        }
                        for pixel in 0..h * w {
                            let real = re * angle(pixel).cos() - im * angle(pixel).sin();
                            out[at(pixel)] += (f64::from(0.2_f32) - 1.0) * real / (h * w) as f64;
                        }
                    }
                }
            }
            out
        });
    }
}

#[test]
fn attention_that_keys_get() {
    let stored = stored(&[]);
    for [n, queries, keys, heads, depth] in [[1, 1, 1, 1, 1], [2, 5, 7, 2, 40], [1, 20, 20, 3, 17]] {
        let channels = heads * depth;
        let shapes = [vec![n, queries, channels], vec![n, keys, channels]];
        compare(&stored, &shapes, true, &|b, x| b.attention_received([x[0], x[1]], heads), |x| {
            let scale = f64::from(1.0 / (depth as f32).sqrt());
            let mut out = vec![0.0; n * keys];
            for (item, head, query) in
                (0..n * heads * queries).map(|i| (i / (heads * queries), i / queries % heads, i % queries))
            {
                let score = |key: usize| {
                    let q = &x[0][(item * queries + query) * channels + head * depth..][..depth];
                    let k = &x[1][(item * keys + key) * channels + head * depth..][..depth];
                    f64::exp(scale * q.iter().zip(k).map(|(q, k)| q * k).sum::<f64>())
                };
                let total: f64 = (0..keys).map(score).sum();
                for key in 0..keys {
                    out[item * keys + key] += score(key) / total / heads as f64;
                }
            }
            out
        });
    }
}

/// Several numbers of an item are embedded one after another.
#[test]
fn numbers_of_an_item_are_embedded_in_a_row() {
    let stored = stored(&[]);
    let kind = OpKind::TimestepEmbedding { channels: 8, max_period: 10_000.0 };
    let numbers = vec![1024.0, 768.0, 0.0, 5.0, 6.0, 7.0];
    let embed = |shape: Vec<usize>| {
        let given = [Given::F32(numbers.clone())];
        run(&stored, &[(Element::F32, shape)], &given, &|b, x| b.apply(kind.clone(), x))
    };
    assert_eq!(embed(vec![2, 3]), embed(vec![6]));
}
