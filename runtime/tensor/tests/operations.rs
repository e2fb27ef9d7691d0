//! Every operation against a plain f64 version of its definition, and against itself on other instruction sets,
//! numbers of threads and batches.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use floe_formats::{DType, Header, TensorInfo};
use floe_nets::ir::{Activation, Element, OpKind, Padding, ValueId};
use floe_nets::{Builder, PassSet};
use floe_tensor::{EngineError, Executable, Input, Isa, MappedFile, Pool, Slab, WeightStore};
use floe_testing::numbers;
use support::check::{Body, compare, program, run, stored};
use support::{Given, ready};

const ACTIVATIONS: [Activation; 6] = [
    Activation::Silu,
    Activation::QuickGelu,
    Activation::Gelu,
    Activation::Relu,
    Activation::LeakyRelu,
    Activation::Tanh,
];

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn apply(activation: Option<Activation>, x: f64) -> f64 {
    match activation {
        None => x,
        Some(Activation::Silu) => x * sigmoid(x),
        Some(Activation::QuickGelu) => x * sigmoid(f64::from(1.702_f32) * x),
        Some(Activation::Gelu) => 0.5 * x * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2),
        Some(Activation::Relu) => x.max(0.0),
        Some(Activation::LeakyRelu) => {
            if x < 0.0 {
                x * f64::from(0.2_f32)
            } else {
                x
            }
        }
        Some(Activation::Tanh) => x.tanh(),
    }
}

#[test]
fn convolutions() {
    // batch, height, width, channels, outputs, kernel, stride, before, after
    let cases = [
        [1, 1, 1, 1, 1, 1, 1, 0, 0],
        [1, 1, 1, 3, 5, 3, 1, 1, 1],
        [2, 7, 5, 4, 17, 3, 1, 1, 1],
        [3, 9, 11, 19, 33, 3, 2, 1, 1],
        [1, 8, 6, 32, 16, 3, 2, 0, 1],
        [2, 6, 9, 5, 40, 5, 1, 2, 2],
        [1, 13, 10, 300, 24, 3, 1, 1, 1],
        [1, 12, 12, 2, 3, 7, 3, 0, 2],
        [2, 17, 23, 70, 20, 1, 1, 0, 0],
    ];
    for (index, [n, h, w, c, o, k, stride, before, after]) in cases.into_iter().enumerate() {
        let dtype = [DType::F32, DType::F16, DType::Bf16][index % 3];
        let stored = stored(&[("conv.weight", dtype, &[o, c, k, k]), ("conv.bias", DType::F32, &[o])]);
        let activation = [None, Some(Activation::Silu), Some(Activation::QuickGelu)][index / 3];
        let padding = Padding { before, after };
        let [height, width] = [h, w].map(|size| (size + before + after - k) / stride + 1);
        let shapes = [vec![n, h, w, c], vec![n, height, width, o]];
        let body: Body<'_> = &|b, x| {
            let y = b.conv2d("conv", x[0], stride, padding)?;
            let y = b.add(y, x[1])?;
            activation.map_or(Ok(y), |activation| b.activate(activation, y))
        };
        compare(&stored, &shapes, true, body, |x| {
            let (weight, bias) = (&stored.values["conv.weight"], &stored.values["conv.bias"]);
            let mut out = Vec::new();
            for at in 0..n * height * width * o {
                let (channel, pixel) = (at % o, at / o);
                let (ox, oy, item) = (pixel % width, pixel / width % height, pixel / (width * height));
                let mut sum = 0.0;
                for ky in 0..k {
                    for kx in 0..k {
                        let (y, x_) = (oy * stride + ky, ox * stride + kx);
                        if y < before || x_ < before || y - before >= h || x_ - before >= w {
                            continue;
                        }
                        let from = ((item * h + y - before) * w + x_ - before) * c;
                        for i in 0..c {
                            sum += x[0][from + i] * weight[((channel * c + i) * k + ky) * k + kx];
                        }
                    }
                }
                out.push(apply(activation, sum + bias[channel] + x[1][at]));
            }
            out
        });
    }
}

/// All types that weights may have.
const FLOATS: [DType; 6] = [DType::F64, DType::F32, DType::F16, DType::Bf16, DType::F8E4M3, DType::F8E5M2];

#[test]
fn stored_numbers_of_every_type_are_exact() {
    for dtype in FLOATS {
        // More rows than a panel, more columns than are converted at once.
        let stored = stored(&[("p.weight", dtype, &[21, 300]), ("p.bias", dtype, &[21])]);
        // The identity, so that a product is the weight itself.
        let one = |at: usize| if at / 300 == at % 300 { 1.0 } else { 0.0 };
        let x: Vec<f32> = (0..300 * 300).map(one).collect();
        let inputs = [(Element::F32, vec![1, 300, 300])];
        let got = run(&stored, &inputs, &[Given::F32(x)], &|b, x| b.linear("p", x[0]));
        for (row, values) in got.chunks(21).enumerate() {
            for (column, &value) in values.iter().enumerate() {
                let weight = stored.values["p.weight"][column * 300 + row] as f32;
                assert_eq!(value, weight + stored.values["p.bias"][column] as f32, "{dtype} {column} {row}");
            }
        }
    }
}

#[test]
fn a_matrix_may_be_stored_by_columns() {
    for (dtype, [o, i]) in FLOATS.into_iter().flat_map(|dtype| [(dtype, [21, 300]), (dtype, [3, 2])]) {
        let mut stored = stored(&[("p.weight", dtype, &[i, o])]);
        let info = stored.header.tensors["p.weight"].transpose().unwrap();
        stored.header.tensors.insert("p.weight".to_owned(), info);
        let x = numbers(5, i);
        let inputs = [(Element::F32, vec![1, 1, i])];
        let got = run(&stored, &inputs, &[Given::F32(x.clone())], &|b, x| b.linear("p", x[0]));
        for (column, &value) in got.iter().enumerate() {
            let sum: f64 =
                (0..i).map(|at| f64::from(x[at]) * stored.values["p.weight"][at * o + column]).sum();
            let size: f64 =
                (0..i).map(|at| (f64::from(x[at]) * stored.values["p.weight"][at * o + column]).abs()).sum();
            assert!((f64::from(value) - sum).abs() <= 1e-5 * size, "{dtype} {column}: {value} {sum}");
        }
    }
}

#[test]
fn a_file_that_is_shortened_is_an_error() {
    let path = std::env::temp_dir().join(format!("floe-test-short-{}", std::process::id()));
    let info = TensorInfo::new(DType::F32, vec![64, 64], 0).unwrap();
    std::fs::write(&path, vec![0; info.bytes as usize]).unwrap();
    let file = MappedFile::open(&path).unwrap();
    let header =
        Header { tensors: [("p.weight".to_owned(), info)].into(), file_bytes: 16384, ..Header::default() };
    let body: Body<'_> = &|b, x| b.linear("p", x[0]);
    let mut program = program(&header, &[(Element::F32, vec![1, 1, 64])], body);
    PassSet::DEFAULT.run(&mut program);
    let pool = Pool::new(1).unwrap();
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(4096).unwrap();
    let error = WeightStore::prepare(file, &header, &[&program], &pool).unwrap_err();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(error, EngineError::Shrunk { mapped: 16384, found: 4096 });
}

#[test]
fn linear_layers() {
    for (index, [n, rows, depth, o]) in
        [[1, 1, 1, 1], [2, 1, 64, 70], [3, 5, 17, 31], [1, 97, 500, 48], [2, 130, 40, 16], [1, 2, 3000, 9]]
            .into_iter()
            .enumerate()
    {
        let dtype = [DType::F32, DType::F16, DType::Bf16][index % 3];
        let shape = [o, depth, 1, 1];
        let shape = if index % 2 == 0 { &shape[..2] } else { &shape[..] };
        let stored = stored(&[("w.weight", dtype, shape), ("w.bias", dtype, &[o])]);
        compare(&stored, &[vec![n, rows, depth]], true, &|b, x| b.linear("w", x[0]), |x| {
            let (weight, bias) = (&stored.values["w.weight"], &stored.values["w.bias"]);
            let element = |at: usize| {
                let (row, column) = (at / o, at % o);
                let dot = (0..depth).map(|k| x[0][row * depth + k] * weight[column * depth + k]);
                dot.sum::<f64>() + bias[column]
            };
            (0..n * rows * o).map(element).collect()
        });
    }
}

#[test]
fn attention() {
    // batch, queries, keys, heads, channels of a head, causal
    let cases = [
        ([1, 1, 1, 1, 1], false),
        ([2, 7, 5, 2, 5], false),
        ([1, 77, 77, 2, 64], true),
        ([2, 50, 300, 2, 40], false),
        ([1, 30, 530, 1, 20], false),
        ([1, 25, 33, 1, 512], false),
        ([1, 3, 17, 1, 1024], false),
        ([1, 300, 300, 1, 16], true),
    ];
    for ([n, queries, keys, heads, depth], causal) in cases {
        let stored = stored(&[]);
        let channels = heads * depth;
        let shapes = [vec![n, queries, channels], vec![n, keys, channels], vec![n, keys, channels]];
        compare(&stored, &shapes, true, &|b, x| b.attention([x[0], x[1], x[2]], heads, causal), |x| {
            let scale = f64::from(1.0 / (depth as f32).sqrt());
            let mut out = vec![0.0; n * queries * channels];
            for (item, head, query) in
                (0..n * heads * queries).map(|i| (i / (heads * queries), i / queries % heads, i % queries))
            {
                let q = &x[0][(item * queries + query) * channels + head * depth..][..depth];
                let row = |values: &[f64], key: usize| {
                    values[(item * keys + key) * channels + head * depth..][..depth].to_vec()
                };
                let visible = if causal { keys.min(query + 1) } else { keys };
                let dot = |key| q.iter().zip(row(&x[1], key)).map(|(q, k)| q * k).sum::<f64>() * scale;
                let weights: Vec<f64> = (0..visible).map(|key| f64::exp(dot(key))).collect();
                let total: f64 = weights.iter().sum();
                for (key, weight) in weights.iter().enumerate() {
                    for (channel, value) in row(&x[2], key).into_iter().enumerate() {
                        out[(item * queries + query) * channels + head * depth + channel] +=
                            weight / total * value;
                    }
                }
            }
            out
        });
    }
}

/// Scores far apart, and all of them far from zero.
#[test]
fn attention_with_large_scores() {
    let stored = stored(&[]);
    let shape = vec![1, 400, 16];
    let x: Vec<f32> = numbers(1, 6400).into_iter().map(|x| 40.0 * x).collect();
    let got = run(&stored, &[(Element::F32, shape)], &[Given::F32(x)], &|b, x| {
        b.attention([x[0], x[0], x[0]], 1, false)
    });
    assert!(got.iter().all(|value| value.abs() <= 40.0), "a mean lies between its values");
}

#[test]
fn norms() {
    for (index, [n, pixels, channels, groups]) in [
        [1, 1, 8, 8],
        [2, 7, 32, 32],
        [3, 65, 64, 32],
        [1, 200, 40, 4],
        [2, 9, 320, 32],
        [1, 30, 100, 1],
        [2, 3, 96, 3],
    ]
    .into_iter()
    .enumerate()
    {
        let stored =
            stored(&[("norm.weight", DType::F16, &[channels]), ("norm.bias", DType::F32, &[channels])]);
        let activation = [None, Some(Activation::Silu)][index % 2];
        let finish =
            |b: &mut Builder<'_>, y| activation.map_or(Ok(y), |activation| b.activate(activation, y));
        let normed = |x: &[f64], members: &dyn Fn(usize) -> usize, count: usize, epsilon: f32| {
            let mut out = vec![0.0; x.len()];
            let mut sums = BTreeMap::<usize, (f64, f64)>::new();
            for (at, value) in x.iter().enumerate() {
                sums.entry(members(at)).or_default().0 += value / count as f64;
            }
            for (at, value) in x.iter().enumerate() {
                let sums = sums.get_mut(&members(at)).unwrap();
                sums.1 += (value - sums.0).powi(2) / count as f64;
            }
            for (at, value) in x.iter().enumerate() {
                let (mean, variance) = sums[&members(at)];
                let y = (value - mean) / (variance + f64::from(epsilon)).sqrt();
                let channel = at % channels;
                let y = y * stored.values["norm.weight"][channel] + stored.values["norm.bias"][channel];
                out[at] = apply(activation, y);
            }
            out
        };
        let (size, epsilon) = (channels / groups, 1e-5);
        let shape = vec![n, pixels, 1, channels];
        let group = |b: &mut Builder<'_>, x: &[ValueId]| {
            // Something before it, so that it may work in place.
            let x = b.apply(OpKind::Affine { add: 3.0, mul: 2.0, clamp: None }, &[x[0]])?;
            let y = b.group_norm("norm", x, groups, epsilon)?;
            finish(b, y)
        };
        compare(&stored, &[shape], true, &group, |x| {
            let x: Vec<f64> = x[0].iter().map(|x| (x + 3.0) * 2.0).collect();
            let members = |at: usize| at / (pixels * channels) * groups + at % channels / size;
            normed(&x, &members, pixels * size, epsilon)
        });
        let layer = |b: &mut Builder<'_>, x: &[ValueId]| {
            let y = b.layer_norm("norm", x[0], epsilon)?;
            finish(b, y)
        };
        compare(&stored, &[vec![n, pixels, channels]], true, &layer, |x| {
            normed(&x[0], &|at| at / channels, channels, epsilon)
        });
    }
}

#[test]
fn elementwise_operations() {
    for [n, tokens, channels] in [[1, 1, 1], [2, 7, 13], [3, 77, 64], [1, 900, 50]] {
        let stored =
            stored(&[("b", DType::F16, &[channels]), ("p.table", DType::Bf16, &[tokens + 2, channels])]);
        let shape = vec![n, tokens, channels];
        let one = std::slice::from_ref(&shape);
        for activation in ACTIVATIONS {
            compare(&stored, one, true, &|b, x| b.activate(activation, x[0]), |x| {
                x[0].iter().map(|&x| apply(Some(activation), x)).collect()
            });
        }
        let affine = OpKind::Affine { add: 0.5, mul: -2.0, clamp: Some((-1.0, 0.25)) };
        compare(&stored, one, true, &|b, x| b.apply(affine.clone(), &[x[0]]), |x| {
            x[0].iter().map(|x| ((x + 0.5) * -2.0).clamp(-1.0, 0.25)).collect()
        });
        compare(&stored, &[shape.clone(), shape.clone()], true, &|b, x| b.add(x[0], x[1]), |x| {
            x[0].iter().zip(&x[1]).map(|(x, y)| x + y).collect()
        });
        let row = |b: &mut Builder<'_>, x: &[ValueId]| b.apply(OpKind::AddRow, &[x[0], x[1]]);
        compare(&stored, &[shape.clone(), vec![n, channels]], true, &row, |x| {
            let e = |at: usize| x[1][at / (tokens * channels) * channels + at % channels];
            x[0].iter().enumerate().map(|(at, x)| x + e(at)).collect()
        });
        compare(&stored, one, true, &|b, x| b.add_position("p.table", x[0]), |x| {
            let table = &stored.values["p.table"];
            x[0].iter().enumerate().map(|(at, x)| x + table[at % (tokens * channels)]).collect()
        });
        let geglu = |b: &mut Builder<'_>, x: &[ValueId]| b.apply(OpKind::Geglu, &[x[0]]);
        compare(&stored, &[vec![n, tokens, 2 * channels]], true, &geglu, |x| {
            let gelu = |x: f64| 0.5 * x * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2);
            let at = |at: usize| (at / channels * 2 * channels + at % channels, channels);
            let all = (0..n * tokens * channels).map(at);
            all.map(|(at, half)| x[0][at] * gelu(x[0][at + half])).collect()
        });
    }
}

#[test]
fn moves() {
    let stored = stored(&[]);
    for [n, h, w, c, d] in [[1, 1, 1, 1, 1], [2, 3, 5, 4, 7], [3, 8, 6, 40, 16], [1, 40, 30, 20, 3]] {
        let shape = vec![n, h, w, c];
        let other = vec![n, h, w, d];
        let concat = |b: &mut Builder<'_>, x: &[ValueId]| b.apply(OpKind::Concat, &[x[0], x[1]]);
        compare(&stored, &[shape.clone(), other], true, &concat, |x| {
            let rows = x[0].chunks(c).zip(x[1].chunks(d));
            rows.flat_map(|(x, y)| [x, y].concat()).collect()
        });
        let start = c / 3;
        let narrow = OpKind::Narrow { start, channels: c - start };
        compare(&stored, std::slice::from_ref(&shape), true, &|b, x| b.apply(narrow.clone(), &[x[0]]), |x| {
            x[0].chunks(c).flat_map(|row| row[start..].to_vec()).collect()
        });
        let (height, width) = (2 * h + 1, 2 * w);
        let up = OpKind::UpsampleNearest { height, width };
        compare(&stored, std::slice::from_ref(&shape), true, &|b, x| b.apply(up.clone(), &[x[0]]), |x| {
            let pixel = |at: usize| {
                let (item, y, x_) = (at / (height * width), at / width % height, at % width);
                let from = ((item * h + y * h / height) * w + x_ * w / width) * c;
                x[0][from..from + c].to_vec()
            };
            (0..n * height * width).flat_map(pixel).collect()
        });
        let there = |b: &mut Builder<'_>, x: &[ValueId]| b.apply(OpKind::NhwcToNchw, &[x[0]]);
        compare(&stored, std::slice::from_ref(&shape), true, &there, |x| {
            let at = |at: usize| (at / (h * w * c) * h * w + at % (h * w)) * c + at / (h * w) % c;
            (0..n * h * w * c).map(|i| x[0][at(i)]).collect()
        });
        let back = |b: &mut Builder<'_>, x: &[ValueId]| {
            let x = b.apply(OpKind::NhwcToNchw, &[x[0]])?;
            b.apply(OpKind::NchwToNhwc, &[x])
        };
        compare(&stored, &[shape], true, &back, |x| x[0].clone());
    }
}

#[test]
fn tables() {
    for dtype in FLOATS {
        let stored = stored(&[("table", dtype, &[10, 7])]);
        let ids = vec![9, 0, 3, 3];
        let inputs = [(Element::I32, vec![2, 2])];
        let got = run(&stored, &inputs, &[Given::I32(ids.clone())], &|b, x| b.embedding("table", x[0]));
        let rows = ids.iter().flat_map(|&id| stored.values["table"][id as usize * 7..][..7].to_vec());
        assert_eq!(got, rows.map(|value| value as f32).collect::<Vec<_>>());
    }
    let with_extra = stored(&[("table", DType::F16, &[4, 3])]);
    let extra = numbers(7, 6);
    let inputs = [(Element::I32, vec![1, 4]), (Element::F32, vec![2, 3])];
    let given = [Given::I32(vec![5, 0, 4, 3]), Given::F32(extra.clone())];
    let got = run(&with_extra, &inputs, &given, &|b, x| b.embedding_extra("table", x[0], x[1]));
    let row =
        |row: usize| with_extra.values["table"][row * 3..][..3].iter().map(|&x| x as f32).collect::<Vec<_>>();
    assert_eq!(got, [extra[3..].to_vec(), row(0), extra[..3].to_vec(), row(3)].concat());

    let stored = stored(&[]);
    let x = numbers(1, 30);
    let inputs = [(Element::F32, vec![2, 5, 3]), (Element::I32, vec![2])];
    let given = [Given::F32(x.clone()), Given::I32(vec![4, 1])];
    let got = run(&stored, &inputs, &given, &|b, x| b.apply(OpKind::GatherRow, &[x[0], x[1]]));
    assert_eq!(got, [&x[12..15], &x[18..21]].concat());
}

#[test]
fn the_embedding_of_time() {
    let stored = stored(&[]);
    let times = vec![0.0, 1.0, 999.0, 17.25];
    let kind = OpKind::TimestepEmbedding { channels: 320, max_period: 10_000.0 };
    let inputs = [(Element::F32, vec![4])];
    let got = run(&stored, &inputs, &[Given::F32(times.clone())], &|b, x| b.apply(kind.clone(), &[x[0]]));
    for (item, time) in times.into_iter().enumerate() {
        for index in 0..160 {
            let angle = f64::from(time) * (-(10_000_f64.ln()) * index as f64 / 160.0).exp();
            let [cos, sin] = [got[item * 320 + index], got[item * 320 + 160 + index]].map(f64::from);
            // Angles are rounded to f32 on the way.
            let error = (cos - angle.cos()).abs().max((sin - angle.sin()).abs());
            assert!(error < 3e-7 * f64::from(time).max(1.0), "{time} {index}: {error:.1e}");
        }
    }
}

#[test]
fn values_may_leave_under_two_names() {
    let stored = stored(&[]);
    let mut program = program(&stored.header, &[(Element::F32, vec![1, 3])], &|b, x| {
        let y = b.add(x[0], x[0])?;
        b.output("first", y);
        b.output("input", x[0]);
        Ok(y)
    });
    PassSet::DEFAULT.run(&mut program);
    let pool = Pool::new(1).unwrap();
    let mut ready = ready(program, &stored.file, &stored.header, &pool, Isa::detect());
    let got = ready.run(&pool, &[Given::F32(vec![1.0, 2.0, 3.0])]);
    assert_eq!(got, [vec![2.0, 4.0, 6.0], vec![1.0, 2.0, 3.0], vec![2.0, 4.0, 6.0]]);
}

#[test]
fn what_does_not_fit_is_an_error() {
    let stored = stored(&[("table", DType::F32, &[4, 2])]);
    let pool = Pool::new(2).unwrap();
    let build = || program(&stored.header, &[(Element::I32, vec![3])], &|b, x| b.embedding("table", x[0]));
    let store =
        Arc::new(WeightStore::prepare(stored.file.clone(), &stored.header, &[&build()], &pool).unwrap());
    assert_eq!(store.bytes(), 0);
    let unplaced = Executable::new(Arc::new(build()), store.clone(), Isa::Portable);
    assert!(matches!(unplaced, Err(EngineError::NotPlaced(_))));
    let mut placed = build();
    PassSet::DEFAULT.run(&mut placed);
    let executable = Executable::new(Arc::new(placed), store, Isa::detect()).unwrap();
    let mut out = [0.0; 6];
    let mut run = |inputs: &[Input<'_>], len: usize| {
        executable.run(&pool, &mut [], inputs, &mut [&mut out[..len]]).map_err(|error| error.to_string())
    };
    assert_eq!(run(&[Input::I32(&[0, 3, 1])], 6), Ok(()));
    for bad in [4, -1, i32::MAX, i32::MIN] {
        let error = run(&[Input::I32(&[0, bad, 1])], 6).unwrap_err();
        assert_eq!(error, format!("index {bad} is outside of a table of 4 rows"));
    }
    assert_eq!(run(&[Input::I32(&[0])], 6).unwrap_err(), "`x` is i32[3], i32[1] is given");
    assert_eq!(run(&[Input::F32(&[0.0; 3])], 6).unwrap_err(), "`x` is i32[3], f32[3] is given");
    assert_eq!(run(&[], 6).unwrap_err(), "program `test` has 1 inputs, 0 are given");
    assert_eq!(run(&[Input::I32(&[0; 3])], 5).unwrap_err(), "`y` is f32[6], f32[5] is given");

    let mut lies = stored.header.clone();
    lies.tensors.get_mut("table").unwrap().start += 1;
    let error = WeightStore::prepare(stored.file.clone(), &lies, &[&build()], &pool).unwrap_err();
    assert_eq!(error.to_string(), "weight `table`: its bytes lie outside of the file");
}

#[test]
fn a_small_slab_is_an_error() {
    let stored = stored(&[]);
    let mut program = program(&stored.header, &[(Element::F32, vec![1, 16])], &|b, x| {
        let y = b.add(x[0], x[0])?;
        b.add(y, y)
    });
    PassSet::DEFAULT.run(&mut program);
    let pool = Pool::new(1).unwrap();
    let store = WeightStore::prepare(stored.file.clone(), &stored.header, &[&program], &pool).unwrap();
    let executable = Executable::new(Arc::new(program), Arc::new(store), Isa::detect()).unwrap();
    let mut slab = Slab::new(64).unwrap();
    let mut out = [0.0; 16];
    let inputs = [Input::F32(&[1.0; 16])];
    let error = executable.run(&pool, &mut slab.as_mut_slice()[..8], &inputs, &mut [&mut out]).unwrap_err();
    assert_eq!(error, EngineError::Slab { needed: 64, found: 32 });
    executable.run(&pool, slab.as_mut_slice(), &inputs, &mut [&mut out]).unwrap();
    assert_eq!(out, [4.0; 16]);
}
