//! Patches, ControlNets and adapters in four steps of Euler's method with guidance, against the reference's latents: what
//! single runs of the networks have no reference for.

use std::collections::BTreeMap;

use floe_formats::Role;
use floe_nets::arch::{AdapterKind, Downscale, FreeU, MiddleAttention, TextOptions, UnetOptions};
use floe_nets::ir::Resample;
use floe_nets::text::{CHUNK, END, Tokenizer};
use floe_nets::{ProgramSpec, Real};
use floe_nodes::noise::base_noise;
use floe_testing::{assert_close, shared, tensors, tolerance};

use crate::run::{Given, Network, Tensors, network};
use crate::unet::sigmas;

const POSITIVE: &str = "a photo of a red fox, (sharp:1.2) focus";
const NEGATIVE: &str = "blurry, low quality";
const SEED: u64 = 42;
const GUIDANCE: f32 = 6.0;

/// Steps of the schedule `normal` when there are four.
const TIMES: [usize; 4] = [999, 666, 333, 0];

/// Multiplies latents of Stable Diffusion 1.
const SCALE: f32 = 0.18215;

/// A prompt as samplers get it: weighted tokens move away from what the empty prompt gives.
fn encode(text: &str) -> Vec<f32> {
    let network = network("sd15-tiny", Role::ClipL);
    let tokenizer = Tokenizer::clip();
    let chunks = [text, ""].map(|text| tokenizer.encode_prompt(text, END).unwrap().remove(0));
    let tokens: Vec<i32> = chunks.iter().flat_map(|chunk| chunk.ids.map(u32::cast_signed)).collect();
    let end = chunks.iter().map(|chunk| chunk.ids.iter().position(|&id| id == END).unwrap() as i32).collect();
    let program = network.program(ProgramSpec::ClipText { rows: 2, options: TextOptions::default() });
    let inputs = BTreeMap::from([("tokens", Given::I32(tokens)), ("end", Given::I32(end))]);
    let (shape, hidden) = &network.run(program, &inputs)["hidden"];
    let width = shape[2];
    let (prompt, empty) = hidden.split_at(CHUNK * width);
    let weight = |at: usize| chunks[0].weights[at / width];
    prompt.iter().zip(empty).enumerate().map(|(at, (z, e))| (z - e) * weight(at) + e).collect()
}

/// The network, its prompts, and the size of the latent.
struct Sampler {
    unet: Network,
    prompts: [Vec<f32>; 2],
    size: [usize; 2],
}

/// What one step's denoisers see.
struct At<'a> {
    x: &'a [f32],
    sigma: f32,
    time: usize,
}

impl Sampler {
    fn new(height: usize, width: usize) -> Sampler {
        let prompts = [POSITIVE, NEGATIVE].map(encode);
        Sampler { unet: network("sd15-tiny", Role::Unet), prompts, size: [height, width] }
    }

    /// Noise taken away with one prompt; the network's outputs come along.
    fn denoised(
        &self,
        at: &At<'_>,
        prompt: usize,
        options: UnetOptions,
        added: &BTreeMap<String, Vec<f32>>,
    ) -> (Vec<f32>, Tensors) {
        let [height, width] = self.size;
        let spec = ProgramSpec::Unet { batch: 1, height, width, tokens: CHUNK, options };
        let program = self.unet.program(spec);
        let mut inputs: BTreeMap<&str, Given> =
            added.iter().map(|(name, values)| (name.as_str(), Given::F32(values.clone()))).collect();
        let scale = (at.sigma * at.sigma + 1.0).sqrt();
        inputs.insert("x", Given::F32(at.x.iter().map(|x| x / scale).collect()));
        inputs.insert("timesteps", Given::F32(vec![at.time as f32]));
        inputs.insert("context", Given::F32(self.prompts[prompt].clone()));
        let got = self.unet.run(program, &inputs);
        let picture = at.x.iter().zip(&got["out"].1).map(|(x, noise)| x - noise * at.sigma).collect();
        (picture, got)
    }

    /// Four steps; `step` gives what the guided network makes of a noisy latent. Compares with the case.
    fn check(&self, case: &str, mut step: impl FnMut(&At<'_>) -> Vec<f32>) {
        let levels: Vec<f32> = sigmas().into_iter().map(|sigma| sigma as f32).collect();
        let mut x = vec![0.0; 4 * self.size[0] * self.size[1]];
        base_noise(SEED, &mut x);
        let first = levels[TIMES[0]];
        x.iter_mut().for_each(|x| *x *= (1.0 + first * first).sqrt());
        for (index, time) in TIMES.into_iter().enumerate() {
            let sigma = levels[time];
            let next = TIMES.get(index + 1).map_or(0.0, |&time| levels[time]);
            let picture = step(&At { x: &x, sigma, time });
            for (x, picture) in x.iter_mut().zip(picture) {
                *x += (*x - picture) / sigma * (next - sigma);
            }
        }
        let got: Vec<f32> = x.iter().map(|x| x / SCALE).collect();
        let want = &tensors(&format!("parity/dev/cases/{case}/latent.safetensors"))["samples"].1;
        assert_close(case, &got, want, tolerance(case, "rel"), tolerance(case, "abs"));
    }
}

/// Classifier-free guidance.
fn guided(positive: &[f32], negative: &[f32]) -> Vec<f32> {
    positive.iter().zip(negative).map(|(p, n)| n + (p - n) * GUIDANCE).collect()
}

fn real(value: f64) -> Real {
    Real::new(value).unwrap()
}

/// A case that is only options of the network.
fn patched(case: &str, size: [usize; 2], options: UnetOptions) {
    let sampler = Sampler::new(size[0], size[1]);
    let nothing = BTreeMap::new();
    sampler.check(case, |at| {
        let [positive, negative] = [0, 1].map(|prompt| sampler.denoised(at, prompt, options, &nothing).0);
        guided(&positive, &negative)
    });
}

#[test]
fn freeu_is_the_references() {
    let freeu = FreeU { by_mean: false, backbone: [real(1.1), real(1.2)], skip: [real(0.9), real(0.2)] };
    patched("patch_freeu", [6, 8], UnetOptions { freeu: Some(freeu), ..UnetOptions::default() });
}

#[test]
fn a_smaller_picture_inside_is_the_references() {
    let downscale = Downscale {
        block: 4,
        factor: real(1.5),
        after_skip: false,
        down: Resample::Bilinear,
        up: Resample::NearestExact,
    };
    let options = UnetOptions { downscale: Some(downscale), ..UnetOptions::default() };
    patched("patch_downscale_before_skip", [12, 12], options);
}

/// Away from what the network gives without attention in the middle.
#[test]
fn perturbed_attention_guidance_is_the_references() {
    let sampler = Sampler::new(12, 16);
    let nothing = BTreeMap::new();
    sampler.check("patch_pag", |at| {
        let plain = UnetOptions::default();
        let [positive, negative] = [0, 1].map(|prompt| sampler.denoised(at, prompt, plain, &nothing).0);
        let perturbed = UnetOptions { middle: MiddleAttention::Identity, ..plain };
        let (worse, _) = sampler.denoised(at, 0, perturbed, &nothing);
        let mut picture = guided(&positive, &negative);
        for ((picture, positive), worse) in picture.iter_mut().zip(positive).zip(worse) {
            *picture += (positive - worse) * 2.0;
        }
        picture
    });
}

/// Away from what the network makes of a picture that is blurred where it paid attention.
#[test]
fn self_attention_guidance_is_the_references() {
    let size = 16;
    let sampler = Sampler::new(size, size);
    let nothing = BTreeMap::new();
    sampler.check("patch_sag", |at| {
        let plain = UnetOptions::default();
        let (positive, _) = sampler.denoised(at, 0, plain, &nothing);
        let recorded = UnetOptions { middle: MiddleAttention::Recorded, ..plain };
        let (negative, got) = sampler.denoised(at, 1, recorded, &nothing);
        let attention = &got["attention"].1;
        let side = attention.len().isqrt();
        let blurred = blur(&negative, size, 2.0);
        let marked = |i: usize| {
            let (y, x) = (i / size % size * side / size, i % size * side / size);
            attention[y * side + x] > 1.0
        };
        let degraded: Vec<f32> =
            (0..negative.len()).map(|i| if marked(i) { blurred[i] } else { negative[i] }).collect();
        let noisy: Vec<f32> = (0..negative.len()).map(|i| degraded[i] + at.x[i] - negative[i]).collect();
        let (worse, _) = sampler.denoised(&At { x: &noisy, ..*at }, 1, plain, &nothing);
        let mut picture = guided(&positive, &negative);
        for ((picture, degraded), worse) in picture.iter_mut().zip(degraded).zip(worse) {
            *picture += (degraded - worse) * 0.6;
        }
        picture
    });
}

/// A Gaussian of nine pixels each way; borders are mirrored.
fn blur(x: &[f32], size: usize, deviation: f32) -> Vec<f32> {
    let weights: Vec<f32> = (-4_i32..=4).map(|d| (-0.5 * (d as f32 / deviation).powi(2)).exp()).collect();
    let total: f32 = weights.iter().sum();
    let mirrored = |place: usize, tap: usize| {
        let place = (place + tap).abs_diff(4);
        if place < size { place } else { 2 * (size - 1) - place }
    };
    let at = |i: usize| {
        let (plane, y, x_) = (i / (size * size) * size * size, i / size % size, i % size);
        let mut sum = 0.0;
        for (dy, row) in weights.iter().enumerate() {
            for (dx, column) in weights.iter().enumerate() {
                let from = plane + mirrored(y, dy) * size + mirrored(x_, dx);
                sum += x[from] * row * column / (total * total);
            }
        }
        sum
    };
    (0..x.len()).map(at).collect()
}

/// The hint picture, 0 to 1, channels last.
fn hint() -> Vec<f32> {
    let picture = image::open(shared("parity/inputs/hint_64x48.png")).unwrap().into_rgb8();
    picture.as_raw().iter().map(|&byte| f32::from(byte) / 255.0).collect()
}

#[test]
fn a_controlnet_guides_as_in_the_reference() {
    let sampler = Sampler::new(6, 8);
    let control = network("control-sd15-tiny", Role::ControlNet);
    let options = UnetOptions { control: true, ..UnetOptions::default() };
    sampler.check("control_adv_full", |at| {
        let spec = ProgramSpec::ControlNet { batch: 1, height: 6, width: 8, tokens: CHUNK };
        let scale = (at.sigma * at.sigma + 1.0).sqrt();
        let [positive, negative] = [0, 1].map(|prompt| {
            let inputs = BTreeMap::from([
                ("x", Given::F32(at.x.iter().map(|x| x / scale).collect())),
                ("timesteps", Given::F32(vec![at.time as f32])),
                ("context", Given::F32(sampler.prompts[prompt].clone())),
                ("hint", Given::F32(hint())),
            ]);
            let residuals = control.run(control.program(spec), &inputs);
            let residuals = residuals.into_iter().map(|(name, (_, values))| (name, values)).collect();
            sampler.denoised(at, prompt, options, &residuals).0
        });
        guided(&positive, &negative)
    });
}

#[test]
fn an_adapter_guides_as_in_the_reference() {
    let sampler = Sampler::new(6, 8);
    let adapter = network("t2iadapter-sd15-tiny", Role::T2iAdapter);
    let program = adapter.program(ProgramSpec::T2iAdapter { batch: 1, height: 48, width: 64 });
    let features = adapter.run(program, &BTreeMap::from([("hint", Given::F32(hint()))]));
    let strength = |values: Vec<f32>| values.into_iter().map(|value| value * 0.8).collect();
    let features = features.into_iter().map(|(name, (_, values))| (name, strength(values))).collect();
    let options = UnetOptions { adapter: Some(AdapterKind::Sd), ..UnetOptions::default() };
    sampler.check("control_t2iadapter", |at| {
        let [positive, negative] = [0, 1].map(|prompt| sampler.denoised(at, prompt, options, &features).0);
        guided(&positive, &negative)
    });
}
