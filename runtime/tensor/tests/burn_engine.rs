//! The burn engine against a direct reading of what each operation means, in f64.
#![cfg(feature = "burn")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use floe_formats::{Contents, DType, Header, TensorInfo, header_len};
use floe_nets::arch::UnetOptions;
use floe_nets::ir::{Activation, Element, Op, OpKind, Padding, Program, ValueId, WeightId};
use floe_nets::{BuildError, Builder, PassSet, ProgramSpec, Weights, build_program};
use floe_tensor::Input;
use floe_tensor::burn_engine::{BurnDevice, BurnError, BurnExecutable, BurnWeights};

/// A reproducible source of numbers (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A whole number from `low` to `high`.
    fn whole(&mut self, low: usize, high: usize) -> usize {
        low + (self.next() % (high - low + 1) as u64) as usize
    }

    /// A number between -1 and 1.
    fn number(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }

    fn numbers(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.number()).collect()
    }
}

/// A file of random tensors, in memory.
struct File {
    bytes: Vec<u8>,
    header: Header,
}

fn file(random: &mut Random, tensors: &[(&str, &[usize])]) -> File {
    let mut bytes = b"header!".to_vec();
    let mut infos = BTreeMap::new();
    for &(key, shape) in tensors {
        let start = bytes.len() as u64;
        // Products of unit variance, so that a tolerance means the same everywhere.
        let scale = (3.0 / shape[1..].iter().product::<usize>() as f32).sqrt();
        for number in random.numbers(shape.iter().product()) {
            bytes.extend((scale * number).to_le_bytes());
        }
        let info =
            TensorInfo::new(DType::F32, shape.to_vec(), start).expect("no tensor of a test is that large");
        infos.insert(key.to_owned(), info);
    }
    let file_bytes = bytes.len() as u64;
    File { bytes, header: Header { tensors: infos, file_bytes, ..Header::default() } }
}

/// What inputs a program is given.
enum Given {
    Numbers(Vec<f32>),
    Indices(Vec<i32>),
}

fn inputs(given: &[Given]) -> Vec<Input<'_>> {
    fn input(given: &Given) -> Input<'_> {
        match given {
            Given::Numbers(numbers) => Input::F32(numbers),
            Given::Indices(indices) => Input::I32(indices),
        }
    }
    given.iter().map(input).collect()
}

fn run(executable: &BurnExecutable, given: &[Given]) -> Vec<Vec<f32>> {
    let program = executable.program();
    let room = |port: &floe_nets::ir::Port| vec![f32::NAN; program.values[port.value].len()];
    let mut outputs: Vec<Vec<f32>> = program.outputs.iter().map(room).collect();
    let mut slices: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
    executable.run(&inputs(given), &mut slices).expect("the program runs");
    outputs
}

/// The largest difference, relative to numbers above 1.
#[track_caller]
fn assert_close(got: &[f32], want: &[f64], tolerance: f64, what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (index, (&got, &want)) in got.iter().zip(want).enumerate() {
        let error = (f64::from(got) - want).abs() / want.abs().max(1.0);
        assert!(error <= tolerance, "{what}: element {index} is {got}, not {want} (error {error:.2e})");
    }
}

// ---- what operations mean ----

/// Computes a program in f64, one loop per operation, straight from the IR's documentation.
struct Meaning<'a> {
    program: &'a Program,
    file: &'a File,
    values: BTreeMap<ValueId, Vec<f64>>,
}

impl Meaning<'_> {
    fn outputs(program: &Program, file: &File, given: &[Given]) -> Vec<Vec<f64>> {
        let mut meaning = Meaning { program, file, values: BTreeMap::new() };
        for (port, given) in program.inputs.iter().zip(given) {
            let numbers = match given {
                Given::Numbers(numbers) => numbers.iter().map(|&number| f64::from(number)).collect(),
                Given::Indices(indices) => indices.iter().map(|&index| f64::from(index)).collect(),
            };
            meaning.values.insert(port.value, numbers);
        }
        for op in &program.ops {
            let mut result = meaning.body(op);
            let channels = program.values[op.output].channels();
            if let Some(bias) = op.epilogue.bias.map(|id| meaning.weight(id)) {
                result.iter_mut().enumerate().for_each(|(i, y)| *y += bias[i % channels]);
            }
            if let Some(residual) = op.epilogue.residual {
                result.iter_mut().zip(&meaning.values[&residual]).for_each(|(y, r)| *y += r);
            }
            if let Some(kind) = op.epilogue.activation {
                result.iter_mut().for_each(|y| *y = activate(kind, *y));
            }
            meaning.values.insert(op.output, result);
        }
        program.outputs.iter().map(|port| meaning.values[&port.value].clone()).collect()
    }

    fn weight(&self, id: WeightId) -> Vec<f64> {
        let info = &self.file.header.tensors[&self.program.weights[id].key];
        let bytes = &self.file.bytes[info.start as usize..][..info.bytes as usize];
        bytes.as_chunks::<4>().0.iter().map(|&word| f64::from(f32::from_le_bytes(word))).collect()
    }

    fn body(&self, op: &Op) -> Vec<f64> {
        let x = &self.values[&op.inputs[0]];
        let shape = &self.program.values[op.inputs[0]].shape;
        // The second value, where there is one.
        let second = *op.inputs.get(1).unwrap_or(&op.inputs[0]);
        let (y, y_channels) = (&self.values[&second], self.program.values[second].channels());
        let w: Vec<Vec<f64>> = op.weights.iter().map(|&id| self.weight(id)).collect();
        let c = *shape.last().expect("values have a shape");
        let places = x.len() / c / shape[0];
        let out = &self.program.values[op.output];
        let numbers = 0..out.len();
        match op.kind {
            OpKind::Conv2d { stride, padding } => {
                let kernel = &self.program.weights[op.weights[0]].shape;
                convolve(x, shape, &w[0], kernel, &out.shape, stride, padding)
            }
            OpKind::Linear => {
                let o = out.channels();
                let dot = |i: usize| (0..c).map(|k| x[i / o * c + k] * w[0][i % o * c + k]).sum();
                numbers.map(dot).collect()
            }
            OpKind::AddBias => numbers.map(|i| x[i] + w[0][i % c]).collect(),
            OpKind::Add => numbers.map(|i| x[i] + y[i]).collect(),
            OpKind::AddRow => numbers.map(|i| x[i] + y[i / (c * places) * c + i % c]).collect(),
            OpKind::AddPosition => numbers.map(|i| x[i] + w[0][i % (c * places)]).collect(),
            OpKind::Activate(kind) => x.iter().map(|&x| activate(kind, x)).collect(),
            OpKind::Geglu => {
                let half = c / 2;
                let gelu = |x: f64| 0.5 * x * (1.0 + erf(x / 2.0_f64.sqrt()));
                let place = |i: usize| i / half * c + i % half;
                numbers.map(|i| x[place(i)] * gelu(x[place(i) + half])).collect()
            }
            OpKind::GroupNorm { groups, epsilon } => {
                let group = |i: usize| (i / (c * places), i % c / (c / groups));
                norm(x, group, f64::from(epsilon), &w[0], &w[1])
            }
            OpKind::LayerNorm { epsilon } => norm(x, |i| (i / c, 0), f64::from(epsilon), &w[0], &w[1]),
            OpKind::Attention { heads, scale, causal } => {
                let keys = y.len() / c / shape[0];
                let v = &self.values[&op.inputs[2]];
                let d = c / heads;
                let mut result = vec![0.0; x.len()];
                for (n, head) in (0..shape[0]).flat_map(|n| (0..heads).map(move |head| (n, head))) {
                    let at = |n_tokens: usize, token: usize| (n * n_tokens + token) * c + head * d;
                    for query in 0..places {
                        let seen = 0..if causal { keys.min(query + 1) } else { keys };
                        let score = |key: usize| {
                            let dot: f64 =
                                (0..d).map(|i| x[at(places, query) + i] * y[at(keys, key) + i]).sum();
                            (f64::from(scale) * dot).exp()
                        };
                        let scores: Vec<f64> = seen.map(score).collect();
                        let sum: f64 = scores.iter().sum();
                        for i in 0..d {
                            let mix = scores.iter().enumerate().map(|(key, s)| s * v[at(keys, key) + i]);
                            result[at(places, query) + i] = mix.sum::<f64>() / sum;
                        }
                    }
                }
                result
            }
            OpKind::Concat => {
                let d = y_channels;
                let pick = |i: usize| {
                    let (row, k) = (i / (c + d), i % (c + d));
                    if k < c { x[row * c + k] } else { y[row * d + k - c] }
                };
                numbers.map(pick).collect()
            }
            OpKind::UpsampleNearest { height, width } => {
                let pick = |i: usize| {
                    let (n, row, column, k) =
                        (i / c / width / height, i / c / width % height, i / c % width, i % c);
                    let (row, column) = (row * shape[1] / height, column * shape[2] / width);
                    x[((n * shape[1] + row) * shape[2] + column) * c + k]
                };
                numbers.map(pick).collect()
            }
            OpKind::Embedding => {
                let d = out.channels();
                numbers.map(|i| w[0][x[i / d] as usize * d + i % d]).collect()
            }
            OpKind::TimestepEmbedding { channels, max_period } => {
                let half = channels / 2;
                let wave = |i: usize| {
                    let k = i % channels;
                    let frequency = f64::from(max_period).powf(-((k % half) as f64) / half as f64);
                    let angle = x[i / channels] * frequency;
                    if k < half { angle.cos() } else { angle.sin() }
                };
                numbers.map(wave).collect()
            }
            OpKind::NchwToNhwc => permute(x, shape, [0, 2, 3, 1]),
            OpKind::NhwcToNchw => permute(x, shape, [0, 3, 1, 2]),
            OpKind::Affine { add, mul, clamp } => {
                let (low, high) = clamp.unwrap_or((f32::NEG_INFINITY, f32::INFINITY));
                let affine = |x: &f64| (x + f64::from(add)) * f64::from(mul);
                x.iter().map(|x| affine(x).clamp(low.into(), high.into())).collect()
            }
            OpKind::Narrow { start, channels } => {
                numbers.map(|i| x[i / channels * c + start + i % channels]).collect()
            }
            OpKind::GatherRow => {
                numbers.map(|i| x[(i / c * places + y[i / c] as usize) * c + i % c]).collect()
            }
            _ => panic!("`{}` is compared with the CPU engine, in burn_variants.rs", op.kind),
        }
    }
}

fn convolve(
    x: &[f64],
    shape: &[usize],
    w: &[f64],
    kernel: &[usize],
    out: &[usize],
    stride: usize,
    padding: Padding,
) -> Vec<f64> {
    let mut result = Vec::new();
    for i in 0..out.iter().product() {
        let (o, column, row) = (i % out[3], i / out[3] % out[2], i / out[3] / out[2] % out[1]);
        let n = i / out[3] / out[2] / out[1];
        let mut sum = 0.0;
        for (ky, kx) in (0..kernel[2]).flat_map(|ky| (0..kernel[3]).map(move |kx| (ky, kx))) {
            // Padding wraps to huge numbers, which are outside of the picture as well.
            let from_y = (row * stride + ky).wrapping_sub(padding.before);
            let from_x = (column * stride + kx).wrapping_sub(padding.before);
            if from_y < shape[1] && from_x < shape[2] {
                for k in 0..shape[3] {
                    sum += x[((n * shape[1] + from_y) * shape[2] + from_x) * shape[3] + k]
                        * w[((o * kernel[1] + k) * kernel[2] + ky) * kernel[3] + kx];
                }
            }
        }
        result.push(sum);
    }
    result
}

fn norm(
    x: &[f64],
    group: impl Fn(usize) -> (usize, usize),
    epsilon: f64,
    scale: &[f64],
    shift: &[f64],
) -> Vec<f64> {
    let mut members: BTreeMap<(usize, usize), Vec<f64>> = BTreeMap::new();
    for (i, &x) in x.iter().enumerate() {
        members.entry(group(i)).or_default().push(x);
    }
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let facts = |x: &Vec<f64>| {
        let centre = mean(x);
        (centre, mean(&x.iter().map(|x| (x - centre).powi(2)).collect::<Vec<_>>()))
    };
    let facts: BTreeMap<_, _> = members.iter().map(|(&key, x)| (key, facts(x))).collect();
    let normed = |(i, x): (usize, &f64)| {
        let (mean, variance) = facts[&group(i)];
        (x - mean) / (variance + epsilon).sqrt() * scale[i % scale.len()] + shift[i % shift.len()]
    };
    x.iter().enumerate().map(normed).collect()
}

fn permute(x: &[f64], shape: &[usize], order: [usize; 4]) -> Vec<f64> {
    let out: Vec<usize> = order.iter().map(|&from| shape[from]).collect();
    let place = |i: usize| {
        let at =
            [i / out[3] / out[2] / out[1], i / out[3] / out[2] % out[1], i / out[3] % out[2], i % out[3]];
        let mut from = [0; 4];
        order.iter().zip(at).for_each(|(&dimension, at)| from[dimension] = at);
        ((from[0] * shape[1] + from[1]) * shape[2] + from[2]) * shape[3] + from[3]
    };
    (0..x.len()).map(|i| x[place(i)]).collect()
}

fn activate(kind: Activation, x: f64) -> f64 {
    let steepness = match kind {
        Activation::Silu => 1.0,
        Activation::QuickGelu => f64::from(1.702_f32),
        _ => panic!("{kind} is compared with the CPU engine, in burn_variants.rs"),
    };
    x / (1.0 + (-steepness * x).exp())
}

/// The error function: its power series near zero, a continued fraction elsewhere (Abramowitz and Stegun 7.1.5, 7.1.14).
fn erf(x: f64) -> f64 {
    if x.abs() < 2.5 {
        let (mut power, mut sum) = (x, x);
        for n in 1..60 {
            power *= -x * x / f64::from(n);
            sum += power / f64::from(2 * n + 1);
        }
        sum * std::f64::consts::FRAC_2_SQRT_PI
    } else {
        let tail = (1..60).rev().fold(0.0, |tail, k| f64::from(k) / 2.0 / (x.abs() + tail));
        let complement = (-x * x).exp() / std::f64::consts::PI.sqrt() / (x.abs() + tail);
        (1.0 - complement).copysign(x)
    }
}

// ---- programs ----

/// A program, its file and what it is given.
struct Case {
    program: Program,
    file: File,
    given: Vec<Given>,
}

/// Latents in and out: everything that works on pictures.
fn pictures(random: &mut Random) -> Case {
    let (n, height, width) = (random.whole(1, 3), random.whole(3, 7), random.whole(3, 7));
    let (groups, stride) = (random.whole(1, 3), random.whole(1, 2));
    let (c, wide, narrow) = (random.whole(1, 5), 2 * groups * random.whole(1, 3), random.whole(1, 4));
    let kernel = 2 * random.whole(0, 1) + 1;
    let file = file(
        random,
        &[
            ("in.weight", &[wide, c, 3, 3]),
            ("in.bias", &[wide]),
            ("norm.weight", &[wide]),
            ("norm.bias", &[wide]),
            ("time.weight", &[wide, 6]),
            ("time.bias", &[wide]),
            ("down.weight", &[wide, wide, 3, 3]),
            ("point.weight", &[wide, wide, 1, 1]),
            ("odd.weight", &[wide, wide, kernel, 3]),
            ("odd.bias", &[wide]),
            ("out.weight", &[narrow + 1, 2 * wide, 3, 3]),
        ],
    );
    let size = [random.whole(4, 11), random.whole(4, 11)];
    let build = |b: &mut Builder<'_>| {
        let x = b.input("x", Element::F32, vec![n, c, height, width]);
        let timesteps = b.input("timesteps", Element::F32, vec![n]);
        let time = b.apply(OpKind::TimestepEmbedding { channels: 6, max_period: 100.0 }, &[timesteps])?;
        let time = b.linear("time", time)?;
        let x = b.apply(OpKind::NchwToNhwc, &[x])?;
        let first = b.conv2d("in", x, 1, Padding::all(1))?;
        let h = b.group_norm("norm", first, groups, 1e-5)?;
        let h = b.activate(Activation::Silu, h)?;
        let h = b.apply(OpKind::AddRow, &[h, time])?;
        let h = b.linear("point", h)?;
        let h = b.add(h, first)?;
        let h = b.conv2d("down", h, stride, Padding { before: 0, after: 1 })?;
        let h = b.apply(OpKind::UpsampleNearest { height: size[0], width: size[1] }, &[h])?;
        let odd = b.conv2d("odd", h, 1, Padding::all(1))?;
        let odd = b.activate(Activation::QuickGelu, odd)?;
        // A kernel of one row makes the picture taller: back to one size for both.
        let odd = b.apply(OpKind::UpsampleNearest { height: size[0], width: size[1] }, &[odd])?;
        let h = b.apply(OpKind::Concat, &[odd, h])?;
        let h = b.conv2d("out", h, 1, Padding::all(1))?;
        let h = b.apply(OpKind::Narrow { start: 1, channels: narrow }, &[h])?;
        let h = b.apply(OpKind::Affine { add: 1.0, mul: 0.5, clamp: Some((0.0, 1.0)) }, &[h])?;
        let h = b.apply(OpKind::Affine { add: -0.25, mul: 3.0, clamp: None }, &[h])?;
        let h = b.apply(OpKind::NhwcToNchw, &[h])?;
        b.output("time", time);
        b.output("out", h);
        Ok(())
    };
    let program = program(&file, build);
    let timesteps = random.numbers(n).iter().map(|t| 10.0 * t.abs()).collect();
    let given = vec![Given::Numbers(random.numbers(n * c * height * width)), Given::Numbers(timesteps)];
    Case { program, file, given }
}

/// Token ids in, a row out: everything that works on text.
fn tokens(random: &mut Random) -> Case {
    let (n, t, context) = (random.whole(1, 3), random.whole(1, 9), random.whole(1, 9));
    let (heads, causal) = (random.whole(1, 4), random.whole(0, 1) == 1);
    let (c, vocabulary) = (heads * random.whole(1, 20), 11);
    let file = file(
        random,
        &[
            ("tokens", &[vocabulary, c]),
            ("positions", &[t + 2, c]),
            ("norm.weight", &[c]),
            ("norm.bias", &[c]),
            ("q.weight", &[c, c]),
            ("q.bias", &[c]),
            ("k.weight", &[c, c]),
            ("v.weight", &[c, c]),
            ("out.weight", &[c, c]),
            ("out.bias", &[c]),
            ("wide.weight", &[4 * c, c]),
            ("wide.bias", &[4 * c]),
            ("narrow.weight", &[c, 2 * c]),
        ],
    );
    let build = |b: &mut Builder<'_>| {
        let ids = b.input("ids", Element::I32, vec![n, t]);
        let end = b.input("end", Element::I32, vec![n]);
        let other = b.input("context", Element::F32, vec![n, context, c]);
        let x = b.embedding("tokens", ids)?;
        let mut x = b.add_position("positions", x)?;
        for (memory, causal) in [(None, causal), (Some(other), false), (Some(other), true)] {
            let normed = b.layer_norm("norm", x, 1e-5)?;
            let memory = memory.unwrap_or(normed);
            let (q, k, v) = (b.linear("q", normed)?, b.linear("k", memory)?, b.linear("v", memory)?);
            let mixed = if causal {
                b.attention([q, k, v], heads, causal)?
            } else {
                b.apply(OpKind::Attention { heads, scale: 0.3, causal }, &[q, k, v])?
            };
            let mixed = b.linear("out", mixed)?;
            x = b.add(mixed, x)?;
        }
        let wide = b.linear("wide", x)?;
        let gated = b.apply(OpKind::Geglu, &[wide])?;
        let x = b.linear("narrow", gated)?;
        let x = b.activate(Activation::QuickGelu, x)?;
        let row = b.apply(OpKind::GatherRow, &[x, end])?;
        b.output("hidden", x);
        b.output("row", row);
        Ok(())
    };
    let program = program(&file, build);
    let ids = (0..n * t).map(|_| random.whole(0, vocabulary - 1) as i32).collect();
    let end = (0..n).map(|_| random.whole(0, t - 1) as i32).collect();
    let numbers = random.numbers(n * context * c);
    Case { program, file, given: vec![Given::Indices(ids), Given::Indices(end), Given::Numbers(numbers)] }
}

fn program(file: &File, build: impl Fn(&mut Builder<'_>) -> Result<(), BuildError>) -> Program {
    let mut b = Builder::new("test".to_owned(), Weights { header: &file.header, prefix: "" });
    build(&mut b).expect("the program fits its file");
    b.finish()
}

fn with(passes: PassSet, program: &Program) -> Arc<Program> {
    let mut program = program.clone();
    passes.run(&mut program);
    Arc::new(program)
}

const BOTH: [PassSet; 2] = [PassSet::DEFAULT, PassSet::NAIVE];

/// Every operation there is; a new one is missing from the tests until it is in here.
const OPERATIONS: [&str; 20] = [
    "activate",
    "add",
    "add-bias",
    "add-position",
    "add-row",
    "affine",
    "attention",
    "concat",
    "conv2d",
    "embedding",
    "gather-row",
    "geglu",
    "group-norm",
    "layer-norm",
    "linear",
    "narrow",
    "nchw-to-nhwc",
    "nhwc-to-nchw",
    "timestep-embedding",
    "upsample-nearest",
];

#[test]
fn every_operation_computes_what_it_means() {
    let device = BurnDevice::cpu();
    let mut covered = BTreeSet::new();
    let mut epilogues = [0; 3];
    for seed in 0..40 {
        let random = &mut Random(seed);
        let case = if seed % 2 == 0 { pictures(random) } else { tokens(random) };
        for passes in BOTH {
            let program = with(passes, &case.program);
            for op in &program.ops {
                covered.insert(op.kind.name());
                epilogues[0] += usize::from(op.epilogue.bias.is_some());
                epilogues[1] += usize::from(op.epilogue.residual.is_some());
                epilogues[2] += usize::from(op.epilogue.activation.is_some());
            }
            let want = Meaning::outputs(&program, &case.file, &case.given);
            let File { bytes, header } = &case.file;
            let executable = BurnExecutable::new(program.clone(), bytes, header, &device, DType::F32)
                .expect("the program loads");
            let got = run(&executable, &case.given);
            for ((got, want), port) in got.iter().zip(&want).zip(&program.outputs) {
                assert_close(got, want, 1e-5, &format!("seed {seed}, {passes}, {}", port.name));
            }
        }
    }
    assert_eq!(covered.into_iter().collect::<Vec<_>>(), OPERATIONS);
    assert!(epilogues.iter().all(|&count| count > 0), "epilogues: {epilogues:?}");
}

/// f16 has eleven bits of mantissa, bf16 eight, and some twenty roundings follow one another.
#[test]
fn half_precisions_lose_digits_and_nothing_else() {
    let device = BurnDevice::cpu();
    let square = |numbers: &mut dyn Iterator<Item = f64>| numbers.map(|number| number * number).sum::<f64>();
    for (precision, tolerance) in [(DType::F16, 4e-3), (DType::Bf16, 3e-2)] {
        let (mut error, mut size) = (0.0, 0.0);
        for seed in 0..12 {
            let random = &mut Random(seed);
            let case = if seed % 2 == 0 { pictures(random) } else { tokens(random) };
            let program = with(PassSet::DEFAULT, &case.program);
            let want = Meaning::outputs(&program, &case.file, &case.given);
            let File { bytes, header } = &case.file;
            let executable = BurnExecutable::new(program.clone(), bytes, header, &device, precision)
                .expect("the program loads");
            for (got, want) in run(&executable, &case.given).iter().zip(&want) {
                error += square(&mut got.iter().zip(want).map(|(&got, want)| f64::from(got) - want));
                size += square(&mut want.iter().copied());
            }
        }
        let relative = (error / size).sqrt();
        assert!(relative <= tolerance, "{precision}: relative error {relative:.2e}");
    }
}

#[test]
fn programs_of_one_file_share_its_weights_and_run_again_to_the_same_bits() {
    let random = &mut Random(7);
    let case = tokens(random);
    let programs = BOTH.map(|passes| with(passes, &case.program));
    let each: Vec<&Program> = programs.iter().map(Arc::as_ref).collect();
    let File { bytes, header } = &case.file;
    let weights = BurnWeights::upload(bytes, header, &each, &BurnDevice::cpu(), DType::F32).unwrap();
    for program in programs {
        let executable = BurnExecutable::with_weights(program, &weights).unwrap();
        assert_eq!(run(&executable, &case.given), run(&executable, &case.given));
    }
    // A program that was not among them reads a weight that is not there.
    let other = with(PassSet::DEFAULT, &pictures(random).program);
    let error = BurnExecutable::with_weights(other, &weights).unwrap_err();
    assert!(matches!(error, BurnError::Weight { .. }), "{error}");
}

#[test]
fn executables_go_between_threads() {
    fn check<T: Send + Sync>() {}
    check::<BurnExecutable>();
    check::<BurnWeights>();
    check::<BurnDevice>();
}

#[test]
fn what_does_not_fit_is_an_error_and_no_panic() {
    let random = &mut Random(3);
    let mut case = tokens(random);
    let File { bytes, header } = &case.file;
    let (device, program) = (BurnDevice::cpu(), with(PassSet::DEFAULT, &case.program));
    let load = |bytes: &[u8], header: &Header, precision| {
        BurnExecutable::new(program.clone(), bytes, header, &device, precision)
    };

    assert!(matches!(load(bytes, header, DType::I64).unwrap_err(), BurnError::Precision { .. }));
    let error = load(&bytes[..bytes.len() - 1], header, DType::F32).unwrap_err();
    assert_eq!(error.to_string(), "weight `narrow.weight`: the file ends before it");
    let mut other = header.clone();
    other.tensors.remove("wide.bias");
    let error = load(bytes, &other, DType::F32).unwrap_err();
    assert_eq!(error.to_string(), "weight `wide.bias`: it is not in the file");

    let executable = load(bytes, header, DType::F32).unwrap();
    let mut outputs: Vec<Vec<f32>> =
        program.outputs.iter().map(|port| vec![0.0; program.values[port.value].len()]).collect();
    let try_run = |given: &[Given], outputs: usize, room: &mut [Vec<f32>]| {
        let mut slices: Vec<&mut [f32]> = room.iter_mut().take(outputs).map(Vec::as_mut_slice).collect();
        executable.run(&inputs(given), &mut slices)
    };
    assert!(try_run(&case.given, 2, &mut outputs).is_ok());
    let error = try_run(&case.given, 1, &mut outputs).unwrap_err();
    assert_eq!(error.to_string(), "program `test`, outputs: 1 are given, the program has 2");
    let error = try_run(&case.given[..2], 2, &mut outputs).unwrap_err();
    assert_eq!(error.to_string(), "program `test`, inputs: 2 are given, the program has 3");
    for wrong in [11, -1] {
        if let Given::Indices(ids) = &mut case.given[0] {
            ids[0] = wrong;
        }
        let error = try_run(&case.given, 2, &mut outputs).unwrap_err();
        assert_eq!(error.to_string(), format!("program `test`, `ids`: the index {wrong} is not below 11"));
    }
    case.given[0] = Given::Indices(vec![0]);
    assert!(matches!(try_run(&case.given, 2, &mut outputs).unwrap_err(), BurnError::Port { .. }));
    case.given[0] = Given::Numbers(vec![0.0]);
    assert!(matches!(try_run(&case.given, 2, &mut outputs).unwrap_err(), BurnError::Port { .. }));
}

#[cfg(feature = "cuda")]
#[test]
fn a_machine_without_a_gpu_says_so() {
    match BurnDevice::cuda(0) {
        Ok(device) => assert_eq!(device.name(), "cuda:0"),
        Err(error) => assert!(matches!(error, BurnError::NoGpu | BurnError::NoHeaders { .. }), "{error}"),
    }
    assert!(BurnDevice::cuda(99).is_err());
}

fn demo_model() -> Vec<u8> {
    std::fs::read(floe_testing::shared("demo-model/demo-sd1.safetensors"))
        .expect("the demo model is readable")
}

/// Fusing changes where an addition happens, not what is computed.
#[test]
fn the_optimised_unet_computes_what_the_naive_one_does() {
    let bytes = demo_model();
    let len = header_len(&bytes).unwrap() as usize;
    let header = Header::parse(&bytes[..len], bytes.len() as u64).unwrap();
    let contents = Contents::of(&header).unwrap();
    let spec =
        ProgramSpec::Unet { batch: 2, height: 16, width: 24, tokens: 77, options: UnetOptions::default() };
    let program = build_program(spec, &contents).unwrap();
    let header = &contents.component(spec.role()).unwrap().tensors;
    let random = &mut Random(1);
    let mut given: Vec<Given> = program
        .inputs
        .iter()
        .map(|port| Given::Numbers(random.numbers(program.values[port.value].len())))
        .collect();
    given[1] = Given::Numbers(vec![981.0, 21.0]);

    let programs = BOTH.map(|passes| with(passes, &program));
    let each: Vec<&Program> = programs.iter().map(Arc::as_ref).collect();
    let weights = BurnWeights::upload(&bytes, header, &each, &BurnDevice::cpu(), DType::F32).unwrap();
    let results = programs.map(|program| {
        let executable = BurnExecutable::with_weights(program, &weights).unwrap();
        run(&executable, &given).remove(0)
    });
    let want: Vec<f64> = results[1].iter().map(|&number| f64::from(number)).collect();
    assert!(want.iter().any(|number| number.abs() > 1e-2), "the network says something");
    assert_close(&results[0], &want, 1e-4, "default against naive");
}
