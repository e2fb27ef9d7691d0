use std::ops::ControlFlow;
use std::sync::Arc;

use floe_nets::sampling::SamplerName;
use floe_tensor::{Executable, Input, Pool};

use super::{Call, KernelError, TensorMut};
use crate::noise::base_noise;
use crate::samplers::{Denoiser, SampleError, Step, Task, sample};
use crate::sampling::{eps_to_denoised, guide, is_max_denoise, scale_input, scale_noise};
use crate::schedule::{ModelSampling, ksampler_range, ksampler_sigmas, sampler_name, scheduler_name};

/// What latents of Stable Diffusion 1 are multiplied by, so that they have about unit variance (Rombach et al.).
const SCALE_FACTOR: f32 = 0.18215;

pub(super) fn ksampler(call: &mut Call<'_>) -> Result<(), KernelError> {
    let model = ModelSampling::scaled_linear();
    let sigmas = sigmas(call, &model, call.float("denoise")?)?;
    let job = Job { sigmas, seed: call.int("seed")?, add_noise: true };
    if job.sigmas.is_empty() { hand_on(call) } else { denoise(call, &model, &job) }
}

pub(super) fn ksampler_advanced(call: &mut Call<'_>) -> Result<(), KernelError> {
    let model = ModelSampling::scaled_linear();
    let sigmas = sigmas(call, &model, 1.0)?;
    let (start, end) = (call.int("start_at_step")?, call.int("end_at_step")?);
    let leave_noise = call.string("return_with_leftover_noise")? == "enable";
    let Some(sigmas) = ksampler_range(&sigmas, start, end, leave_noise) else { return hand_on(call) };
    let job =
        Job { sigmas, seed: call.int("noise_seed")?, add_noise: call.string("add_noise")? != "disable" };
    denoise(call, &model, &job)
}

/// What a node makes of its settings.
struct Job {
    sigmas: Vec<f32>,
    seed: u64,
    /// Whether fresh noise is added first.
    add_noise: bool,
}

fn sigmas(call: &Call<'_>, model: &ModelSampling, denoise: f64) -> Result<Vec<f32>, KernelError> {
    let scheduler = scheduler_name(call.string("scheduler")?)?;
    Ok(ksampler_sigmas(model, sampler(call)?, scheduler, call.int("steps")?, denoise)?)
}

fn sampler(call: &Call<'_>) -> Result<SamplerName, KernelError> {
    Ok(sampler_name(call.string("sampler_name")?)?)
}

/// Nothing to do: the latent is the result.
fn hand_on(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (latent, _) = call.tensor::<4>("latent_image")?;
    let samples = call.only_output()?;
    super::copy(latent.data, samples.data)
}

fn denoise(call: &mut Call<'_>, model: &ModelSampling, job: &Job) -> Result<(), KernelError> {
    let sampler = sampler(call)?.sampler();
    let (latent, [batch, ..]) = call.tensor::<4>("latent_image")?;
    let samples = call.only_output()?;
    let [work, input, timesteps, context, prediction, slab] = call.take_scratch()?;

    // The scaled latent waits in the sampler's memory.
    let first = job.sigmas[0];
    let scaled = work.data.get_mut(..latent.data.len()).unwrap_or_default();
    for (scaled, &value) in scaled.iter_mut().zip(latent.data) {
        *scaled = value * SCALE_FACTOR;
    }
    if job.add_noise {
        base_noise(job.seed, samples.data);
    } else {
        samples.data.fill(0.0);
    }
    scale_noise(samples.data, scaled, first, is_max_denoise(first, model.sigma_max()));

    let (positive, _) = call.tensor::<3>("positive")?;
    let (negative, _) = call.tensor::<3>("negative")?;
    let cfg = call.float("cfg")? as f32;
    let prompts: &[&[f32]] = &[positive.data, negative.data];
    let guided = cfg != 1.0 || sampler.reads_unconditional();
    let executions = executions(call.programs, prompts, guided)?;
    let mut network = Network {
        model,
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
    let task = Task { sigmas: &job.sigmas, model, seed: job.seed, x: samples.data, work: work.data };
    let host = call.host;
    let mut broken = None;
    let result = sample(&sampler, &mut network, task, &mut |step: &Step<'_>| {
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
        (Err(error), _) => return Err(KernelError::Sampler(error.to_string())),
        (Ok(()), None) => {}
    }
    for value in samples.data.iter_mut() {
        *value /= SCALE_FACTOR;
    }
    Ok(())
}

fn executions<'a>(
    programs: &'a [Arc<Executable>],
    prompts: &'a [&'a [f32]],
    guided: bool,
) -> Result<Vec<Execution<'a>>, KernelError> {
    match (guided, programs) {
        (false, [one]) => Ok(vec![Execution { program: one, prompts: &prompts[..1] }]),
        (true, [both]) => Ok(vec![Execution { program: both, prompts }]),
        (true, [cond, uncond]) => Ok(vec![
            Execution { program: cond, prompts: &prompts[..1] },
            Execution { program: uncond, prompts: &prompts[1..] },
        ]),
        _ => Err(KernelError::Plan(format!("{} programs", programs.len()))),
    }
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

impl Network<'_> {
    /// Predicts with every prompt: latents without noise, prompt by prompt.
    fn predict(&mut self, x: &[f32], sigma: f32) -> Result<(), KernelError> {
        self.timesteps.data.fill(self.model.timestep(sigma));
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
        Ok(())
    }

    /// The last prediction with guidance.
    fn guided(&mut self, len: usize, out: &mut [f32]) -> Result<(), KernelError> {
        let (cond, uncond) = self.prediction.data.split_at_mut(len);
        if let Some(cfg) = self.cfg {
            guide(cond, uncond, cfg);
        }
        super::copy(cond, out)
    }
}

impl Denoiser for Network<'_> {
    type Error = KernelError;

    fn denoise(&mut self, x: &[f32], sigma: f32, out: &mut [f32]) -> Result<(), KernelError> {
        self.predict(x, sigma)?;
        self.guided(x.len(), out)
    }

    fn denoise_both(
        &mut self,
        x: &[f32],
        sigma: f32,
        out: &mut [f32],
        unconditional: &mut [f32],
    ) -> Result<(), KernelError> {
        self.predict(x, sigma)?;
        super::copy(&self.prediction.data[x.len()..], unconditional)?;
        self.guided(x.len(), out)
    }
}
