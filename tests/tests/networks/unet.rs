//! U-Nets of all families, and what their options do.

use std::collections::BTreeMap;

use floe_formats::Role;
use floe_nets::arch::{AdapterKind, Downscale, FreeU, MiddleAttention, UnetOptions};
use floe_nets::ir::{Program, Resample};
use floe_nets::{PassSet, ProgramSpec, Real};
use floe_testing::{assert_close, different_bits, distance, tolerance};

use crate::run::{Case, Given, Network, Tensors, case, network, numbers_for};

fn spec(case: &Case, options: UnetOptions) -> ProgramSpec {
    let [batch, _, height, width] = case.shape("x");
    ProgramSpec::Unet { batch, height, width, tokens: case.given["context"].0[1], options }
}

/// Runs the network on a case's inputs and compares all that the case expects.
fn forward(name: &'static str, recipe: &str) {
    let case = case(name);
    let network = network(recipe, Role::Unet);
    let mut program = network.program(spec(&case, UnetOptions::default()));
    for label in case.expected.keys().filter(|label| *label != "out") {
        assert!(program.expose(label), "{label} is no module");
    }
    let got = network.run(program, &case.inputs());
    for label in case.expected.keys() {
        case.check(label, &got[label]);
    }
}

#[test]
fn stable_diffusion_2_is_the_references() {
    forward("unet_forward_sd21v-tiny", "sd21v-tiny");
    forward("unet_forward_odd_sd21v-tiny", "sd21v-tiny");
}

#[test]
fn the_refiner_is_the_references() {
    forward("unet_forward_odd_sdxl-refiner-tiny", "sdxl-refiner-tiny");
}

#[test]
fn inpainting_is_the_references() {
    forward("unet_forward_sd15-inpaint-tiny", "sd15-inpaint-tiny");
}

/// The schedule's noise levels (Ho et al. 2020, with scaled-linear betas).
pub(crate) fn sigmas() -> Vec<f64> {
    let (first, last) = (0.00085_f64.sqrt(), 0.012_f64.sqrt());
    let mut product = 1.0;
    let sigma = |step: usize| {
        let beta = first + (last - first) * step as f64 / 999.0;
        product *= 1.0 - beta * beta;
        ((1.0 - product) / product).sqrt()
    };
    (0..1000).map(sigma).collect()
}

/// A network with the scalings around it: noise scaled away, prediction to picture.
fn denoise(name: &'static str, recipe: &str, velocity: bool) {
    let case = case(name);
    let network = network(recipe, Role::Unet);
    let (levels, sigma) = (sigmas(), &case.given["sigma"].1);
    let times = sigma.iter().map(|&sigma| {
        let far = |level: &f64| (level.ln() - f64::from(sigma).ln()).abs();
        let nearest = levels.iter().enumerate().min_by(|(_, a), (_, b)| far(a).total_cmp(&far(b)));
        nearest.unwrap().0 as f32
    });
    let x = &case.given["x"].1;
    let item = x.len() / sigma.len();
    let level = |index: usize| f64::from(sigma[index / item]);
    let scaled = x.iter().enumerate().map(|(i, &x)| (f64::from(x) / (level(i).powi(2) + 1.0).sqrt()) as f32);
    let mut inputs = case.inputs();
    inputs.insert("timesteps", Given::F32(times.collect()));
    inputs.insert("x", Given::F32(scaled.collect()));
    let got = network.run(network.program(spec(&case, UnetOptions::default())), &inputs);
    let picture = |(i, &out): (usize, &f32)| {
        let (x, out, s) = (f64::from(x[i]), f64::from(out), level(i));
        let value = if velocity { x / (s * s + 1.0) - out * s / (s * s + 1.0).sqrt() } else { x - out * s };
        value as f32
    };
    let pictures: Vec<f32> = got["out"].1.iter().enumerate().map(picture).collect();
    let (rel, abs) = (tolerance(name, "rel"), tolerance(name, "abs"));
    assert_close(name, &pictures, &case.expected["denoised"].1, rel, abs);
}

#[test]
fn stable_diffusion_xl_denoises_as_the_reference_does() {
    denoise("apply_model_sdxl-tiny", "sdxl-tiny", false);
}

#[test]
fn stable_diffusion_2_denoises_as_the_reference_does() {
    denoise("apply_model_sd21v-tiny", "sd21v-tiny", true);
}

/// A plain U-Net's program at a small size, and numbers for it.
fn small(options: UnetOptions) -> (Network, Program) {
    let network = network("sd15-tiny", Role::Unet);
    let spec = ProgramSpec::Unet { batch: 1, height: 16, width: 24, tokens: 77, options };
    let program = network.program(spec);
    (network, program)
}

fn run(options: UnetOptions) -> Tensors {
    let (network, program) = small(options);
    let inputs = numbers_for(&program);
    network.run(program.clone(), &inputs)
}

/// As [`run`], with zeros for what the options add.
fn run_with_nothing_added(options: UnetOptions) -> Tensors {
    let (network, program) = small(options);
    let mut inputs = numbers_for(&program);
    for (name, given) in &mut inputs {
        if let Given::F32(values) = given
            && name.contains('.')
        {
            values.fill(0.0);
        }
    }
    network.run(program.clone(), &inputs)
}

#[test]
fn residuals_of_zero_change_nothing() {
    let plain = run(UnetOptions::default());
    let added = UnetOptions { control: true, adapter: Some(AdapterKind::Sd), ..UnetOptions::default() };
    let got = run_with_nothing_added(added);
    assert_eq!(different_bits(&got["out"].1, &plain["out"].1), 0);
    let (_, program) = small(added);
    let names: Vec<&str> = program.inputs.iter().skip(3).map(|port| port.name.as_str()).collect();
    assert_eq!(
        names.join(" "),
        "adapter.2 adapter.5 adapter.8 adapter.11 control.middle control.11 control.10 \
        control.9 control.8 control.7 control.6 control.5 control.4 control.3 control.2 control.1 control.0"
    );
    assert!(distance(&run(added)["out"].1, &plain["out"].1).0 > 0.01);
}

fn real(value: f64) -> Real {
    Real::new(value).unwrap()
}

#[test]
fn factors_of_one_change_nothing() {
    let plain = run(UnetOptions::default());
    for by_mean in [false, true] {
        let freeu = |factor: f64| FreeU { by_mean, backbone: [real(factor); 2], skip: [real(factor); 2] };
        let options = |factor: f64| UnetOptions { freeu: Some(freeu(factor)), ..UnetOptions::default() };
        assert_eq!(different_bits(&run(options(1.0))["out"].1, &plain["out"].1), 0);
        assert!(distance(&run(options(1.2))["out"].1, &plain["out"].1).0 > 1e-3);
    }
}

#[test]
fn a_smaller_picture_in_the_middle_comes_back_to_its_size() {
    let plain = run(UnetOptions::default());
    for after_skip in [false, true] {
        let downscale = |factor: f64| Downscale {
            block: 4,
            factor: real(factor),
            after_skip,
            down: Resample::NearestExact,
            up: Resample::NearestExact,
        };
        let options =
            |factor: f64| UnetOptions { downscale: Some(downscale(factor)), ..UnetOptions::default() };
        // A factor of one picks every pixel.
        assert_eq!(different_bits(&run(options(1.0))["out"].1, &plain["out"].1), 0);
        let got = run(options(1.5));
        assert_eq!(got["out"].0, plain["out"].0);
        assert!(distance(&got["out"].1, &plain["out"].1).0 > 1e-3);
    }
}

/// What attention gives to all keys together is one per query.
#[test]
fn recorded_attention_is_shared_out() {
    let plain = run(UnetOptions::default());
    let got = run(UnetOptions { middle: MiddleAttention::Recorded, ..UnetOptions::default() });
    assert_eq!(different_bits(&got["out"].1, &plain["out"].1), 0);
    let (shape, attention) = &got["attention"];
    assert_eq!(shape, &[1, 6]);
    let total: f32 = attention.iter().sum();
    assert!((total - 6.0).abs() < 1e-4, "{total}");
    let identity = run(UnetOptions { middle: MiddleAttention::Identity, ..UnetOptions::default() });
    assert!(distance(&identity["out"].1, &plain["out"].1).0 > 1e-4);
}

#[test]
fn options_that_do_not_fit_are_errors() {
    let network = network("sd15-tiny", Role::Unet);
    let fails = |block: usize, factor: f64| {
        let (down, up) = (Resample::Area, Resample::Bicubic);
        let downscale = Downscale { block, factor: real(factor), after_skip: false, down, up };
        let options = UnetOptions { downscale: Some(downscale), ..UnetOptions::default() };
        let spec = ProgramSpec::Unet { batch: 1, height: 8, width: 8, tokens: 77, options };
        network.error(spec)
    };
    assert_eq!(fails(12, 2.0), "input block 12 is not there, 12 are");
    assert_eq!(fails(3, 0.0), "a picture cannot shrink by the factor 0.0");
}

/// Every option in every schedule: the same bits.
#[test]
fn options_keep_their_bits_in_every_schedule() {
    let options = UnetOptions {
        control: true,
        adapter: Some(AdapterKind::Sdxl),
        freeu: Some(FreeU { by_mean: true, backbone: [real(1.1), real(1.2)], skip: [real(0.9), real(0.2)] }),
        downscale: Some(Downscale {
            block: 3,
            factor: real(2.0),
            after_skip: true,
            down: Resample::Bicubic,
            up: Resample::Bilinear,
        }),
        middle: MiddleAttention::Recorded,
    };
    let network = network("sdxl-tiny", Role::Unet);
    let spec = ProgramSpec::Unet { batch: 2, height: 10, width: 14, tokens: 77, options };
    let program = network.program(spec);
    let inputs: BTreeMap<&str, Given> = numbers_for(&program);
    let want = network.run_with(program.clone(), PassSet::NAIVE, &inputs);
    let got = network.run_with(program.clone(), PassSet::DEFAULT, &inputs);
    for (name, (_, values)) in &want {
        assert_eq!(different_bits(&got[name].1, values), 0, "{name}");
    }
}
