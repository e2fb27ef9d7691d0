use std::ops::ControlFlow;
use std::sync::Arc;

use floe_tensor::{Executable, Input, Pool};

use super::{Call, KernelError, TensorMut};
use crate::noise::base_noise;
use crate::sampling::{
    Denoiser, SampleError, eps_to_denoised, euler, guide, is_max_denoise, scale_input, scale_noise,
};
use crate::schedule::{ModelSampling, SamplerName, SchedulerName, ksampler_sigmas};

/// What latents of Stable Diffusion 1 are multiplied by, so that they have about unit variance (Rombach et al.).
const SCALE_FACTOR: f32 = 0.18215;

pub(super) fn ksampler(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (latent, [batch, ..]) = call.tensor::<4>("latent_image")?;
    let samples = call.only_output()?;
    let sampler = call.string("sampler_name")?;
    let SamplerName::Euler = sampler.parse::<SamplerName>()?;
    let scheduler: SchedulerName = call.string("scheduler")?.parse()?;
    let (steps, denoise) = (call.int::<usize>("steps")?, call.float("denoise")?);
    let model = ModelSampling::scaled_linear();
    let sigmas = ksampler_sigmas(&model, sampler, scheduler, steps, denoise)?;
    let Some(&first) = sigmas.first() else {
        return super::copy(latent.data, samples.data);
    };
    let [denoised, input, timesteps, context, prediction, slab] = call.take_scratch()?;

    // The scaled latent waits in the memory of the first prediction.
    for (scaled, &value) in denoised.data.iter_mut().zip(latent.data) {
        *scaled = value * SCALE_FACTOR;
    }
    base_noise(call.int("seed")?, samples.data);
    scale_noise(samples.data, denoised.data, first, is_max_denoise(first, model.sigma_max()));

    let (positive, _) = call.tensor::<3>("positive")?;
    let (negative, _) = call.tensor::<3>("negative")?;
    let cfg = call.float("cfg")? as f32;
    let prompts: &[&[f32]] = &[positive.data, negative.data];
    let guided = cfg != 1.0;
    let executions = match (guided, call.programs) {
        (false, [one]) => vec![Execution { program: one, prompts: &prompts[..1] }],
        (true, [both]) => vec![Execution { program: both, prompts }],
        (true, [cond, uncond]) => vec![
            Execution { program: cond, prompts: &prompts[..1] },
            Execution { program: uncond, prompts: &prompts[1..] },
        ],
        _ => return Err(KernelError::Plan(format!("{} programs", call.programs.len()))),
    };
    let mut network = Network {
        model: &model,
        executions,
        batch,
        cfg: guided.then_some(cfg),
        pool: call.pool,
        input,
        timesteps,
        context,
        prediction,
        slab,
    };
    let host = call.host;
    let mut broken = None;
    let result = euler(&mut network, &sigmas, samples.data, denoised.data, |step| {
        if step.denoised.iter().any(|value| !value.is_finite()) {
            broken = Some(step.index + 1);
            return ControlFlow::Break(());
        }
        host.progress(step.index + 1, step.count)
    });
    match (result, broken) {
        (_, Some(step)) => return Err(KernelError::NotANumber { step }),
        (Err(SampleError::Denoiser(error)), _) => return Err(error),
        (Err(SampleError::Stopped { .. }), _) => return Err(KernelError::Cancelled),
        (Err(error @ SampleError::Workspace { .. }), _) => return Err(KernelError::Plan(error.to_string())),
        (Ok(()), None) => {}
    }
    for value in samples.data.iter_mut() {
        *value /= SCALE_FACTOR;
    }
    Ok(())
}

/// A program and the prompts that go through it together.
struct Execution<'a> {
    program: &'a Arc<Executable>,
    prompts: &'a [&'a [f32]],
}

/// The denoising network with guidance around it.
struct Network<'a> {
    model: &'a ModelSampling,
    executions: Vec<Execution<'a>>,
    /// Latents.
    batch: usize,
    /// Guidance; `None` where only the positive prompt counts.
    cfg: Option<f32>,
    pool: &'a Pool,
    input: TensorMut<'a>,
    timesteps: TensorMut<'a>,
    context: TensorMut<'a>,
    prediction: TensorMut<'a>,
    slab: TensorMut<'a>,
}

impl Denoiser for Network<'_> {
    type Error = KernelError;

    fn denoise(&mut self, x: &[f32], sigma: f32, out: &mut [f32]) -> Result<(), KernelError> {
        self.timesteps.data.fill(self.model.timestep(sigma) as f32);
        for input in self.input.data.chunks_exact_mut(x.len()) {
            scale_input(x, sigma, input);
        }
        let mut rest = &mut self.prediction.data[..];
        for execution in &self.executions {
            let items = execution.prompts.len() * self.batch;
            let mut context = &mut self.context.data[..];
            let mut length = 0;
            for prompt in execution.prompts {
                for _ in 0..self.batch {
                    let (place, after) = context.split_at_mut(prompt.len());
                    place.copy_from_slice(prompt);
                    context = after;
                    length += prompt.len();
                }
            }
            let (prediction, after) = rest.split_at_mut(execution.prompts.len() * x.len());
            rest = after;
            let inputs = [
                Input::F32(&self.input.data[..execution.prompts.len() * x.len()]),
                Input::F32(&self.timesteps.data[..items]),
                Input::F32(&self.context.data[..length]),
            ];
            execution.program.run(self.pool, self.slab.data, &inputs, &mut [&mut *prediction])?;
            for prediction in prediction.chunks_exact_mut(x.len()) {
                eps_to_denoised(x, sigma, prediction);
            }
        }
        let (cond, uncond) = self.prediction.data.split_at_mut(x.len());
        if let Some(cfg) = self.cfg {
            guide(cond, uncond, cfg);
        }
        super::copy(cond, out)
    }
}
