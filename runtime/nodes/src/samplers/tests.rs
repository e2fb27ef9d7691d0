//! Laws of all samplers on a model that is known exactly.

use std::convert::Infallible;
use std::ops::ControlFlow;

use floe_nets::sampling::{
    AdaptiveSteps, NoiseKind, SaSolver, Sampler, SamplerName, Scaler, SdeSolver, SeedsSolver,
};

use super::*;
use crate::schedule::{ModelSampling, karras};

/// The best denoiser of data of one deviation around one value.
struct Gauss {
    mean: f32,
    deviation: f32,
    calls: u64,
}

impl Gauss {
    fn new() -> Gauss {
        Gauss { mean: 0.3, deviation: 0.7, calls: 0 }
    }

    /// Where the exact solution of the equation without noise leads.
    fn exact(&self, x: f32, sigma: f32) -> f32 {
        let variance = self.deviation * self.deviation;
        self.mean + (x - self.mean) * (variance / (variance + sigma * sigma)).sqrt()
    }
}

impl Denoiser for Gauss {
    type Error = Infallible;

    fn denoise(&mut self, x: &[f32], sigma: f32, out: &mut [f32]) -> Result<(), Infallible> {
        self.calls += 1;
        let (variance, square) = (self.deviation * self.deviation, sigma * sigma);
        math::map(out, x, |_, x| (variance * x + self.mean * square) / (variance + square));
        Ok(())
    }

    fn denoise_both(
        &mut self,
        x: &[f32],
        sigma: f32,
        out: &mut [f32],
        unconditional: &mut [f32],
    ) -> Result<(), Infallible> {
        self.denoise(x, sigma, out)?;
        unconditional.copy_from_slice(out);
        Ok(())
    }
}

const START: [f32; 20] = [
    9.0, -11.0, 3.5, 20.0, -0.5, 14.0, -16.0, 1.0, 7.0, -7.0, 12.0, -2.5, 0.25, 5.0, -30.0, 2.0, 10.0, -4.0,
    -9.0, 15.0,
];

fn sigmas(steps: usize) -> Vec<f32> {
    karras(steps, 0.029, 14.6, 7.0).expect("a schedule")
}

fn everything() -> Vec<(String, Sampler)> {
    let mut all: Vec<(String, Sampler)> =
        SamplerName::ALL.into_iter().map(|name| (name.name().to_owned(), name.sampler())).collect();
    let (eta, s_noise) = (0.6, 1.1);
    for sampler in [
        Sampler::DpmFast { eta, s_noise },
        Sampler::DpmAdaptive(AdaptiveSteps { order: 2, ..AdaptiveSteps::default() }),
        Sampler::DpmAdaptive(AdaptiveSteps { eta, s_noise, ..AdaptiveSteps::default() }),
        Sampler::Lms { order: 1 },
        Sampler::Lms { order: 9 },
        Sampler::Ipndm { order: 1 },
        Sampler::IpndmV { order: 2 },
        Sampler::Deis { order: 4 },
        Sampler::DpmppSde { eta, s_noise, r: 0.4 },
        Sampler::Dpmpp2mSde { eta, s_noise, solver: SdeSolver::Heun },
        Sampler::Dpmpp3mSde { eta: 0.0, s_noise },
        Sampler::ErSde { scaler: Scaler::ReverseTime { eta: 0.0 }, s_noise: 0.0, max_stage: 2 },
        Sampler::Seeds2 { eta, s_noise, r: 0.3, solver: SeedsSolver::Phi2 },
        Sampler::SaSolver(SaSolver {
            simple_order_2: true,
            predictor_order: 2,
            corrector_order: 2,
            ..SaSolver::default()
        }),
        Sampler::SaSolver(SaSolver {
            predictor_order: 6,
            corrector_order: 0,
            pece: true,
            ..SaSolver::default()
        }),
    ] {
        all.push((format!("{sampler:?}"), sampler));
    }
    all
}

fn run(
    sampler: &Sampler,
    sigmas: &[f32],
    seed: u64,
    on_step: &mut OnStep<'_>,
) -> (Vec<f32>, u64, Result<(), SampleError<Infallible>>) {
    let mut x = START.to_vec();
    let mut work = vec![f32::NAN; sampler.buffers() * x.len()];
    let mut model = Gauss::new();
    let task = Task { sigmas, model: &ModelSampling::scaled_linear(), seed, x: &mut x, work: &mut work };
    let result = sample(sampler, &mut model, task, on_step);
    (x, model.calls, result)
}

fn finished(sampler: &Sampler, sigmas: &[f32], seed: u64) -> (Vec<f32>, u64) {
    let (x, calls, result) = run(sampler, sigmas, seed, &mut |_| ControlFlow::Continue(()));
    result.expect("runs");
    (x, calls)
}

#[test]
fn calls_are_as_many_as_said() {
    for (name, sampler) in everything() {
        for steps in [1, 2, 3, 5, 12] {
            let whole = sigmas(steps);
            for (list, to_zero) in [(&whole[..], true), (&whole[..steps], false)] {
                let count = list.len() as u64 - 1;
                let said = sampler.evaluations(count, to_zero);
                let (_, calls) = finished(&sampler, list, 3);
                if said.exact {
                    assert_eq!(calls, said.calls, "{name}, {count} steps, to zero: {to_zero}");
                }
            }
        }
    }
}

/// Working memory is full of values that are not numbers: nothing may depend on what it held.
#[test]
fn results_are_numbers_and_the_same_each_time() {
    for (name, sampler) in everything() {
        let list = sigmas(9);
        let (first, _) = finished(&sampler, &list, 1 << 40);
        let (second, _) = finished(&sampler, &list, 1 << 40);
        assert!(first.iter().all(|value| value.is_finite()), "{name}: {first:?}");
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&first), bits(&second), "{name}");
        let (other, _) = finished(&sampler, &list, 1 << 41);
        match sampler.noise() {
            NoiseKind::None => assert_eq!(first, other, "{name}: no noise, no seed"),
            // Streams read the low half of a seed only.
            NoiseKind::Stream => assert_eq!(first, other, "{name}"),
            NoiseKind::Brownian => assert_ne!(first, other, "{name}"),
        }
        if sampler.noise() == NoiseKind::Stream {
            assert_ne!(first, finished(&sampler, &list, 5).0, "{name}: another seed, other noise");
        }
    }
}

/// Twice as many steps come closer to the exact solution, and many steps close.
#[test]
fn samplers_without_noise_converge() {
    for (name, sampler) in everything() {
        // The direction is not that of the equation, or weights are not those of uneven steps.
        let steered = matches!(sampler, Sampler::GradientEstimation { .. } | Sampler::IpndmV { order: 3.. });
        if sampler.noise() != NoiseKind::None || steered {
            continue;
        }
        let error = |steps: usize| {
            let (x, _) = finished(&sampler, &sigmas(steps), 0);
            let model = Gauss::new();
            let errors = x.iter().zip(START).map(|(x, start)| (x - model.exact(start, 14.6)).abs());
            errors.fold(0.0, f32::max)
        };
        let (few, many) = (error(20), error(160));
        println!("{name}: {few:.4} after 20 steps, {many:.4} after 160");
        if matches!(sampler, Sampler::DpmAdaptive(_)) {
            // It chooses its steps by a relative error of 0.05 each, whatever the list; errors add up.
            assert!(many < 0.15, "{name}: {many}");
            continue;
        }
        assert!(many < 0.03, "{name}: {many}");
        assert!(many < few || few < 2e-3, "{name}: {few}, then {many}");
    }
}

/// Noise in, noise out: what is sampled from pure noise has the deviation of the data.
#[test]
fn samplers_with_noise_keep_the_distribution() {
    for (name, sampler) in everything() {
        let keeps = !matches!(sampler, Sampler::Lcm | Sampler::Seeds2 { .. });
        if sampler.noise() == NoiseKind::None || !keeps {
            continue;
        }
        let mut x = vec![0.0; 4096];
        crate::noise::base_noise(11, &mut x);
        x.iter_mut().for_each(|value| *value *= 14.6);
        let mut work = vec![0.0; sampler.buffers() * x.len()];
        let model = ModelSampling::scaled_linear();
        let list = sigmas(40);
        let task = Task { sigmas: &list, model: &model, seed: 5, x: &mut x, work: &mut work };
        sample(&sampler, &mut Gauss::new(), task, &mut |_| ControlFlow::Continue(())).expect("runs");
        let mean = x.iter().sum::<f32>() / x.len() as f32;
        let variance = x.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / x.len() as f32;
        println!("{name}: mean {mean:.3}, deviation {:.3}", variance.sqrt());
        assert!((mean - 0.3).abs() < 0.1, "{name}: mean {mean}");
        assert!((variance.sqrt() - 0.7).abs() < 0.15, "{name}: deviation {}", variance.sqrt());
    }
}

#[test]
fn a_stop_is_at_once() {
    for (name, sampler) in everything() {
        let mut seen = 0;
        let (_, calls, result) = run(&sampler, &sigmas(9), 3, &mut |step| {
            seen += 1;
            assert!(step.count > step.index, "{name}");
            if step.index == 1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!(result, Err(SampleError::Stopped { step: 1 }), "{name}");
        assert_eq!(seen, 2, "{name}");
        assert!(calls <= 6, "{name}: {calls} calls");
    }
}

#[test]
fn nothing_to_do_changes_nothing() {
    for (name, sampler) in everything() {
        for list in [&[][..], &[3.0][..]] {
            assert_eq!(finished(&sampler, list, 1), (START.to_vec(), 0), "{name}");
        }
        let mut x = START.to_vec();
        let mut work = vec![0.0; sampler.buffers() * x.len() - 1];
        let model = ModelSampling::scaled_linear();
        let task = Task { sigmas: &[3.0, 0.0], model: &model, seed: 1, x: &mut x, work: &mut work };
        let result = sample(&sampler, &mut Gauss::new(), task, &mut |_| ControlFlow::Continue(()));
        assert!(matches!(result, Err(SampleError::Workspace { .. })), "{name}");
    }
}

#[test]
fn sigmas_that_lead_nowhere_are_errors() {
    let result =
        |sampler: &Sampler, list: &[f32]| run(sampler, list, 1, &mut |_| ControlFlow::Continue(())).2;
    assert!(matches!(result(&SamplerName::DpmFast.sampler(), &[0.0, 0.0]), Err(SampleError::Sigmas(_))));
    assert!(matches!(result(&SamplerName::UniPc.sampler(), &[1.0, 0.0, 0.0]), Err(SampleError::Sigmas(_))));
    assert!(matches!(
        result(&SamplerName::DpmppSde.sampler(), &[f32::INFINITY, 1.0, 0.0]),
        Err(SampleError::Noise(_))
    ));
    let impatient = Sampler::DpmAdaptive(AdaptiveSteps { accept_safety: 100.0, ..AdaptiveSteps::default() });
    assert!(matches!(result(&impatient, &sigmas(3)), Err(SampleError::Sigmas(_))));
}
