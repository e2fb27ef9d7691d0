//! Samplers, schedules and noise against the reference implementation, part by part.

#![allow(clippy::unwrap_used, reason = "a failure is the test's verdict")]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ops::ControlFlow;

use floe_nets::sampling::{BROWNIAN_BUFFERS, Sampler, SamplerName, SchedulerName};
use floe_nodes::noise::{BrownianTree, NoiseSource, TorchRng, base_noise, base_noise_items};
use floe_nodes::samplers::{Denoiser, Task, sample};
use floe_nodes::schedule::{
    ModelSampling, PreparedFor, Spacing, align_your_steps, basic_sigmas, beta, exponential, extend, flip,
    karras, ksampler_sigmas, laplace, sampler_name, scheduler_name, scheduler_sigmas, sd_turbo, split,
    split_denoise, vp,
};
use floe_testing::{assert_close, different_bits, distance, json, tensors, tolerance};

type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

fn component(name: &str, file: &str) -> Tensors {
    tensors(&format!("parity/dev/components/{name}/{file}.safetensors"))
}

/// Names of the components that begin with a word.
fn components(prefix: &str) -> Vec<String> {
    let manifest = json("parity/dev/manifest.json");
    let names =
        manifest["cases"].as_array().unwrap().iter().map(|case| case["name"].as_str().unwrap().to_owned());
    names.filter(|name| name.starts_with(prefix)).collect()
}

/// The reference's denoiser: exact for data of variance 0.49 around 0.3, around -0.2 without prompt. The order of its
/// products shows in the step sizes of the adaptive sampler, which follow from differences of a few units in the last
/// place.
struct Analytic;

fn analytic(x: &[f32], sigma: f32, mean: f32, out: &mut [f32]) {
    let (square, pull) = (sigma * sigma, mean * sigma * sigma);
    out.iter_mut().zip(x).for_each(|(out, x)| *out = (0.49 * x + pull) / (0.49 + square));
}

impl Denoiser for Analytic {
    type Error = Infallible;

    fn denoise(&mut self, x: &[f32], sigma: f32, out: &mut [f32]) -> Result<(), Infallible> {
        analytic(x, sigma, 0.3, out);
        Ok(())
    }

    fn denoise_both(
        &mut self,
        x: &[f32],
        sigma: f32,
        out: &mut [f32],
        unconditional: &mut [f32],
    ) -> Result<(), Infallible> {
        analytic(x, sigma, -0.2, unconditional);
        self.denoise(x, sigma, out)
    }
}

/// Every component at the strict tolerance: Brownian samplers as well, which the manifest allows more.
#[test]
fn samplers_are_the_references_step_by_step() {
    let mut failed = Vec::new();
    let names = components("sampler_analytic_");
    for name in &names {
        let case = json(&format!("parity/dev/components/{name}/case.json"));
        let (given, want) = (component(name, "inputs"), component(name, "expected"));
        let sampler = sampler_name(case["params"]["sampler"].as_str().unwrap()).unwrap().sampler();
        for key in ["a", "b"] {
            let mut x = given[&format!("{key}.x")].1.clone();
            let sigmas = &given[&format!("{key}.sigmas")].1;
            let seed = case["params"]["seeds"][key].as_u64().unwrap();
            let mut work = vec![f32::NAN; sampler.buffers() * x.len()];
            let model = ModelSampling::scaled_linear();
            let (mut xs, mut denoised) = (Vec::new(), Vec::new());
            let task = Task { sigmas, model: &model, seed, x: &mut x, work: &mut work };
            sample(&sampler, &mut Analytic, task, &mut |step| {
                xs.extend_from_slice(step.x);
                denoised.extend_from_slice(step.denoised);
                ControlFlow::Continue(())
            })
            .unwrap();
            if matches!(sampler, Sampler::IpndmV { .. } | Sampler::Deis { .. }) {
                // The reference shows these samplers' callbacks the first latents at every step.
                let first = &given[&format!("{key}.x")].1;
                let shown = &want[&format!("{key}.x_at_callback")].1;
                assert!(shown.chunks(first.len()).all(|shown| shown == first), "{name}");
                xs = shown.clone();
            }
            for (part, got) in [("final", &x), ("x_at_callback", &xs), ("denoised_at_callback", &denoised)] {
                let part = format!("{key}.{part}");
                if got.len() != want[&part].1.len() {
                    failed.push(format!("{name} {part}: {} values, not {}", got.len(), want[&part].1.len()));
                    continue;
                }
                let (relative, largest) = distance(got, &want[&part].1);
                println!("{name} {part}: relative {relative:.1e}, largest {largest:.1e}");
                if !(relative <= 2e-5 || largest <= 1e-5) {
                    failed.push(format!("{name} {part}: relative {relative:.1e}, largest {largest:.1e}"));
                }
            }
        }
    }
    assert!(names.len() >= 29, "{}", names.len());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

fn model(key: &str) -> ModelSampling {
    if key == "zsnr" { ModelSampling::zero_terminal_snr() } else { ModelSampling::scaled_linear() }
}

/// NaN equals itself: the reference gives one for a single step of `kl_optimal`.
fn assert_levels(name: &str, got: &[f32], want: &[f32], rel: f64, abs: f64) {
    assert_eq!(got.len(), want.len(), "{name}: number of levels");
    let numbers = |values: &[f32]| values.iter().copied().filter(|value| !value.is_nan()).collect::<Vec<_>>();
    let nans = |values: &[f32]| values.iter().map(|value| value.is_nan()).collect::<Vec<_>>();
    assert_eq!(nans(got), nans(want), "{name}");
    assert_close(name, &numbers(got), &numbers(want), rel, abs);
}

#[test]
fn schedules_are_the_references() {
    let names = components("scheduler_");
    for name in &names {
        let scheduler = scheduler_name(name.strip_prefix("scheduler_").unwrap()).unwrap();
        let (rel, abs) = (tolerance(name, "rel"), tolerance(name, "abs"));
        let mut different = (0, 0);
        for (list, (_, want)) in component(name, "expected") {
            let (key, steps) = list.split_once('.').unwrap();
            let got = scheduler_sigmas(&model(key), scheduler, steps.parse().unwrap()).unwrap();
            assert_levels(&format!("{name} {list}"), &got, &want, rel, abs);
            let last_bit = got.iter().zip(&want).all(|(g, w)| g.to_bits().abs_diff(w.to_bits()) <= 2);
            assert!(last_bit || want[0].is_nan(), "{name} {list}");
            different = (different.0 + different_bits(&got, &want), different.1 + want.len());
        }
        println!("{name}: {} of {} levels differ in the last bits", different.0, different.1);
        assert!(different.0 * 25 <= different.1, "{name}: {different:?}");
    }
    assert!(names.len() >= 7, "{names:?}");
}

#[test]
fn lists_of_the_sampling_node_are_the_references() {
    let model = ModelSampling::scaled_linear();
    let mut checked = 0;
    for (name, (_, want)) in component("ksampler_sigmas", "expected") {
        let mut parts = name.splitn(4, '.');
        let mut next = || parts.next().unwrap();
        let (sampler, scheduler, steps, denoise) = (next(), next(), next(), next());
        let (sampler, scheduler) = (sampler_name(sampler).unwrap(), scheduler_name(scheduler).unwrap());
        let steps = steps.parse().unwrap();
        let denoise = denoise.parse().unwrap();
        let got = ksampler_sigmas(&model, sampler, scheduler, steps, denoise).unwrap();
        assert_eq!(different_bits(&got, &want), 0, "{name}");
        let said = floe_nets::sampling::ksampler_steps(sampler, scheduler, steps, denoise);
        assert_eq!(said + 1, got.len(), "{name}");
        checked += 1;
    }
    assert!(checked >= 105, "{checked}");
}

/// What the compiler plans is what the runtime goes.
#[test]
fn steps_are_planned_as_they_are_gone() {
    let model = ModelSampling::scaled_linear();
    for sampler in SamplerName::ALL {
        for scheduler in SchedulerName::ALL {
            for (steps, denoise) in
                [(1, 1.0), (2, 1.0), (7, 1.0), (20, 1.0), (7, 0.3), (20, 0.55), (3, 0.9999)]
            {
                let Ok(list) = ksampler_sigmas(&model, sampler, scheduler, steps, denoise) else {
                    assert_eq!((scheduler, steps), (SchedulerName::KlOptimal, 1));
                    continue;
                };
                let said = floe_nets::sampling::ksampler_steps(sampler, scheduler, steps, denoise);
                let (sampler, scheduler) = (sampler.name(), scheduler.name());
                assert_eq!(said, list.len() - 1, "{sampler} {scheduler} {steps} {denoise}");
            }
        }
    }
    assert_eq!(floe_nets::sampling::ksampler_steps(SamplerName::Euler, SchedulerName::Karras, 20, 0.0), 0);
}

#[test]
fn models_know_the_references_levels() {
    let names = components("model_sampling_");
    for name in &names {
        let model = model(if name.ends_with("zsnr") { "zsnr" } else { "" });
        let (given, want) = (component(name, "inputs"), component(name, "expected"));
        assert_eq!(different_bits(model.sigmas(), &want["sigmas"].1), 0, "{name}");
        let steps: Vec<f32> = given["sigma"].1.iter().map(|&sigma| model.timestep(sigma)).collect();
        assert_eq!(steps, want["timestep_of_sigma"].1, "{name}");
        let sigmas: Vec<f32> = given["timestep"].1.iter().map(|&time| model.sigma(time)).collect();
        assert_eq!(different_bits(&sigmas, &want["sigma_of_timestep"].1), 0, "{name}");
        let percent = [0.0, 0.001, 0.1, 0.25, 0.5, 0.75, 0.999, 1.0];
        let sigmas = percent.map(|percent| model.percent_to_sigma(percent) as f32);
        // One of the zero-SNR table differs in its last bit.
        let different = different_bits(&sigmas, &want["percent_to_sigma"].1);
        assert!(different <= usize::from(name.ends_with("zsnr")), "{name}: {different}");
    }
    assert!(names.len() >= 3, "{names:?}");
}

/// Lists of the nodes that make or change one, as cases tapped them.
#[test]
fn nodes_of_levels_give_the_references_lists() {
    let model = ModelSampling::scaled_linear();
    let basic =
        |name, steps, denoise| basic_sigmas(&model, scheduler_name(name).unwrap(), steps, denoise).unwrap();
    let check = |case: &str, tap: &str, got: &[f32]| {
        let manifest = json("parity/dev/manifest.json");
        let cases = manifest["cases"].as_array().unwrap();
        let entry = cases.iter().find(|entry| entry["name"] == case).unwrap();
        let taps = entry["expected"].as_array().unwrap();
        let file =
            taps.iter().find(|expected| expected["tap"]["name"] == tap).unwrap()["file"].as_str().unwrap();
        let want = &tensors(&format!("parity/dev/cases/{case}/{file}"))["value"].1;
        assert_levels(&format!("{case} {tap}"), got, want, 1e-6, 0.0);
    };
    check("custom_karras", "sigmas", &karras(5, 0.03, 14.0, 6.0).unwrap());
    check("custom_exponential", "sigmas", &exponential(5, 0.029_167_5, 14.614_642).unwrap());
    check("custom_beta", "sigmas", &beta(&model, 6, 0.7, 0.5).unwrap());
    check("custom_sdturbo_d05", "sigmas", &sd_turbo(&model, 2, 0.5).unwrap());
    check("custom_vp", "sigmas", &vp(5, 19.9, 0.1, 0.001).unwrap());
    check("custom_laplace", "sigmas", &laplace(5, 0.029_167_5, 14.614_642, 0.0, 0.5).unwrap());
    check("custom_ays", "sigmas", &align_your_steps(PreparedFor::Sd1, 7, 1.0).unwrap());
    check("custom_sdxl_ays", "sigmas", &align_your_steps(PreparedFor::Sdxl, 5, 1.0).unwrap());
    check("custom_flip_unsample", "sigmas", &flip(&basic("normal", 5, 0.7)));
    check("custom_basic_denoise06", "sigmas", &basic("simple", 5, 0.6));
    let spaced = extend(&basic("karras", 4, 1.0), 2, (12.0, -1.0), Spacing::Cosine).unwrap();
    check("custom_extend_sigmas", "sigmas", &spaced);
    let (high, low) = split(&basic("normal", 6, 1.0), 3);
    check("custom_split_sigmas", "hi", &high);
    check("custom_split_sigmas", "lo", &low);
    let (high, low) = split_denoise(&basic("karras", 7, 1.0), 0.6);
    check("custom_split_denoise", "hi", &high);
    check("custom_split_denoise", "lo", &low);
}

#[test]
fn noise_is_the_references_to_the_bit() {
    let mut checked = 0;
    for (name, (shape, want)) in component("noise_a", "expected") {
        let parts: Vec<&str> = name.split('.').collect();
        let seed: u64 = parts[1].parse().unwrap();
        let item_len: usize = shape[1..].iter().product();
        let mut got = vec![0.0; want.len()];
        match parts[0] {
            "prepare" | "small_n5" => base_noise(seed, &mut got),
            "prepare_inds_0_0_3" => base_noise_items(seed, &[0, 0, 3], item_len, &mut got).unwrap(),
            "prepare_inds_2_3" => base_noise_items(seed, &[2, 3], item_len, &mut got).unwrap(),
            "default_noise_sampler" => {
                let mut rng = TorchRng::new(seed);
                got.chunks_mut(item_len).for_each(|call| rng.draw(1.0, 0.5, call));
            }
            "small_then_17" => {
                let mut rng = TorchRng::new(seed);
                rng.randn(&mut [0.0; 5]);
                rng.randn(&mut got);
            }
            "brownian" => {
                let mut sigmas = karras(5, 0.029_167_5, 14.614_642, 7.0).unwrap();
                sigmas.pop();
                let different = brownian(seed, &sigmas, &mut got, &want);
                assert!(different * 50 <= want.len(), "{name}: {different} differ");
                continue;
            }
            other => panic!("unknown entry {other}"),
        }
        assert_eq!(different_bits(&got, &want), 0, "{name}");
        checked += 1;
    }
    assert_eq!(checked, 40);
}

/// Increments between neighbours of a list; how many differ, all by the last bit of the last division.
fn brownian(seed: u64, sigmas: &[f32], got: &mut [f32], want: &[f32]) -> usize {
    let len = got.len() / (sigmas.len() - 1);
    let mut work = vec![f32::NAN; BROWNIAN_BUFFERS * len];
    let mut tree = BrownianTree::new(seed, sigmas, &mut work).unwrap();
    for (pair, out) in sigmas.windows(2).zip(got.chunks_mut(len)) {
        tree.draw(pair[0], pair[1], out);
    }
    assert!(got.iter().zip(want).all(|(g, w)| g.to_bits().abs_diff(w.to_bits()) <= 1), "seed {seed}");
    different_bits(got, want)
}

#[test]
fn examples_of_noise_are_the_references_to_the_bit() {
    let examples = json("parity/noise_examples.json");
    let bits = |example: &serde_json::Value| -> Vec<u32> {
        let hex = |bits: &serde_json::Value| u32::from_str_radix(bits.as_str().unwrap(), 16).unwrap();
        example["bits"].as_array().unwrap().iter().map(hex).collect()
    };
    let (mut plain, mut trees) = (0, 0);
    for (name, example) in examples.as_object().unwrap() {
        if let Some(rest) = name.strip_prefix("randn seed=") {
            let (seed, shape) = rest.split_once(" shape=").unwrap();
            let mut got = vec![0.0; shape.split('x').map(|d| d.parse::<usize>().unwrap()).product()];
            base_noise(seed.parse().unwrap(), &mut got);
            for (value, bits) in got.iter().zip(bits(example)) {
                assert_eq!(value.to_bits(), bits, "{name}");
            }
            let sum: f64 = got.iter().map(|&value| f64::from(value)).sum();
            assert!((sum - example["sum"].as_f64().unwrap()).abs() < 1e-9, "{name}");
            plain += 1;
        }
        if let Some(rest) = name.strip_prefix("brownian seed=") {
            let calls = example.as_array().unwrap();
            let level = |value: &serde_json::Value| value.as_f64().unwrap() as f32;
            let mut sigmas: Vec<f32> = calls.iter().map(|call| level(&call["sigma"])).collect();
            sigmas.push(level(&calls[calls.len() - 1]["sigma_next"]));
            let len = calls[0]["noise"]["n"].as_u64().unwrap() as usize;
            let mut work = vec![f32::NAN; BROWNIAN_BUFFERS * len];
            let seed = rest.split(' ').next().unwrap().parse().unwrap();
            let mut tree = BrownianTree::new(seed, &sigmas, &mut work).unwrap();
            let mut out = vec![0.0; len];
            for (pair, call) in sigmas.windows(2).zip(calls) {
                tree.draw(pair[0], pair[1], &mut out);
                for (value, bits) in out.iter().zip(bits(&call["noise"])) {
                    assert!(value.to_bits().abs_diff(bits) <= 1, "{name}");
                }
            }
            trees += 1;
        }
    }
    assert!(plain >= 150 && trees >= 12, "{plain} {trees}");
}

/// Whatever a node offers can be sampled with.
#[test]
fn every_declared_sampler_and_schedule_has_a_home() {
    let choices = |name: &str| match &floe_stdlib::named_type(name).unwrap().ty {
        floe_stdlib::Type::Choice { values, .. } => format!("{values:?}"),
        other => panic!("{other:?}"),
    };
    let (samplers, schedulers) = (choices("SamplerName"), choices("SchedulerName"));
    let count = |text: &str| text.matches('"').count() / 2;
    for name in SamplerName::NAMES {
        assert!(samplers.contains(&format!("\"{name}\"")), "{name}");
    }
    for name in SchedulerName::NAMES {
        assert!(schedulers.contains(&format!("\"{name}\"")), "{name}");
    }
    assert_eq!(
        (count(&samplers), count(&schedulers)),
        (SamplerName::NAMES.len(), SchedulerName::NAMES.len())
    );
}
