use std::ops::ControlFlow;

use floe_nets::guidance::{Prompt, evaluations, is_plain};
use floe_nets::sampling::SamplerName;

use super::beside::{Beside, Latents};
use super::guidance::{Entry, Mixture, entries};
use super::latent_shape::{hand_mask_on, take_latent};
use super::network::{Inpaint, Network, Vector};
use super::{Call, KernelError, TensorMut};
use crate::noise::{base_noise, base_noise_items};
use crate::samplers::{SampleError, Step, Task, sample};
use crate::sampling::{Prediction, is_max_denoise, scale_noise};
use crate::schedule::{ModelSampling, ksampler_range, ksampler_sigmas, sampler_name, scheduler_name};

pub(super) fn ksampler(call: &mut Call<'_>) -> Result<(), KernelError> {
    let model = levels(call)?;
    let sigmas = sigmas(call, &model, call.float("denoise")?)?;
    let job = Job { sigmas, seed: call.int("seed")?, add_noise: true };
    if job.sigmas.is_empty() { hand_on(call) } else { denoise(call, &model, &job) }
}

pub(super) fn ksampler_advanced(call: &mut Call<'_>) -> Result<(), KernelError> {
    let model = levels(call)?;
    let sigmas = sigmas(call, &model, 1.0)?;
    let (start, end) = (call.int("start_at_step")?, call.int("end_at_step")?);
    let leave_noise = call.string("return_with_leftover_noise")? == "enable";
    let Some(sigmas) = ksampler_range(&sigmas, start, end, leave_noise) else { return hand_on(call) };
    let job =
        Job { sigmas, seed: call.int("noise_seed")?, add_noise: call.string("add_noise")? != "disable" };
    denoise(call, &model, &job)
}

/// The noise levels of the model.
fn levels(call: &Call<'_>) -> Result<ModelSampling, KernelError> {
    match call.told("levels")? {
        "scaled-linear" => Ok(ModelSampling::scaled_linear()),
        "zero-terminal" => Ok(ModelSampling::zero_terminal_snr()),
        other => Err(KernelError::Plan(format!("there are no noise levels `{other}`"))),
    }
}

/// What the model predicts.
fn prediction(call: &Call<'_>) -> Result<Prediction, KernelError> {
    match call.told("prediction")? {
        "epsilon" => Ok(Prediction::Eps),
        "velocity" => Ok(Prediction::V),
        other => Err(KernelError::Plan(format!("no model predicts `{other}`"))),
    }
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
    let (latent, sizes @ [_, _, height, width]) = call.latent("latent_image")?;
    let written = take_latent(call)?;
    let samples = written.samples;
    hand_mask_on(&latent, written.noise_mask)?;
    let latent_scale = match call.numbers("latent_scale")?[..] {
        [scale] => scale as f32,
        _ => return Err(KernelError::Plan("a latent has one scale".to_owned())),
    };
    let cfg = call.float("cfg")? as f32;
    let guided = cfg != 1.0 || sampler.reads_unconditional();
    let inputs = if guided { &SIDES[..] } else { &SIDES[..1] };
    let sides = inputs.iter().map(|input| entries(call, input, [height, width], model));
    let sides: Vec<Vec<Entry<'_>>> = sides.collect::<Result<_, _>>()?;
    let mut memory = Memory::take(call)?;
    let work = memory.next()?;
    let [input, timesteps, context, prediction] =
        [memory.next()?, memory.next()?, memory.next()?, memory.next()?];
    let prompts: Vec<Vec<Prompt>> =
        sides.iter().map(|side| side.iter().map(|entry| entry.prompt).collect()).collect();
    let prompts: Vec<&[Prompt]> = prompts.iter().map(Vec::as_slice).collect();
    let mixture = match is_plain(&prompts) {
        true => None,
        false => {
            let pieces = [memory.next()?, memory.next()?, memory.next()?, memory.next()?];
            Some(Mixture::new(pieces, &sides, sizes)?)
        }
    };

    // The scaled latent waits in the sampler's memory.
    let first = job.sigmas[0];
    let scaled = work.data.get_mut(..latent.samples.data.len()).unwrap_or_default();
    for (scaled, &value) in scaled.iter_mut().zip(latent.samples.data) {
        *scaled = value * latent_scale;
    }
    match (&latent.batch_index, job.add_noise) {
        (_, false) => samples.data.fill(0.0),
        (None, true) => base_noise(job.seed, samples.data),
        (Some(places), true) => {
            let item = sizes[1..].iter().product();
            base_noise_items(job.seed, places, item, samples.data).map_err(unsampled)?;
        }
    }
    let mut inpaint = match latent.noise_mask {
        Some(mask) => {
            let pieces = [memory.next()?, memory.next()?, memory.next()?, memory.next()?];
            Some(Inpaint::new(pieces, mask, sizes, scaled, samples.data)?)
        }
        None => None,
    };
    if let (Some(inpaint), "ddim") = (&mut inpaint, call.string("sampler_name")?) {
        inpaint.redraw(job.seed)?;
    }
    let beside = match call.attributes.contains_key("beside") {
        true => {
            let mask = inpaint.as_ref().map(Inpaint::mask);
            let latents = Latents { sizes, scale: latent_scale, scaled, mask };
            Some(Beside::new(call.told("beside")?, [memory.next()?, memory.next()?], &sides, &latents)?)
        }
        false => None,
    };
    scale_noise(samples.data, scaled, first, is_max_denoise(first, model.sigma_max()));

    let vector = memory.vector()?;
    let slab = memory.slab;
    let (programs, embedding) = match (&vector, call.programs) {
        (Some(_), [programs @ .., embedding]) => (programs, Some(embedding)),
        (_, programs) => (programs, None),
    };
    // Predictions share batches where there are programs for that.
    let evaluations = [true, false]
        .into_iter()
        .filter_map(|together| evaluations(&prompts, [height, width], together))
        .find(|evaluations| evaluations.len() == programs.len())
        .ok_or_else(|| KernelError::Plan(format!("{} programs for the prompts", programs.len())))?;
    let vector = match (vector, embedding) {
        (Some(vector), Some(embedding)) => Some(vector.fill(call, embedding, &sides, slab.data)?),
        _ => None,
    };
    let mut network = Network {
        model,
        predicts: self::prediction(call)?,
        vector,
        programs,
        evaluations,
        sides: &sides,
        sizes,
        mixture,
        inpaint,
        beside,
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
        (Err(error), _) => return Err(unsampled(error)),
        (Ok(()), None) => {}
    }
    for value in samples.data.iter_mut() {
        *value /= latent_scale;
    }
    Ok(())
}

/// The inputs of both sides of guidance.
const SIDES: [&str; 2] = ["positive", "negative"];

/// The pieces of working memory, in their order; the slab is the last.
struct Memory<'a> {
    pieces: std::vec::IntoIter<TensorMut<'a>>,
    slab: TensorMut<'a>,
}

impl<'a> Memory<'a> {
    fn take(call: &mut Call<'a>) -> Result<Memory<'a>, KernelError> {
        let mut pieces = std::mem::take(&mut call.scratch);
        let slab = pieces.pop().ok_or_else(missing)?;
        Ok(Memory { pieces: pieces.into_iter(), slab })
    }

    fn next(&mut self) -> Result<TensorMut<'a>, KernelError> {
        self.pieces.next().ok_or_else(missing)
    }

    /// What is left, where the model reads a vector.
    fn vector(&mut self) -> Result<Option<Vector<'a>>, KernelError> {
        let Some(pooled) = self.pieces.next() else { return Ok(None) };
        Ok(Some(Vector { pooled, sizes: self.next()?, vectors: self.next()?, vector: self.next()? }))
    }
}

fn unsampled(error: impl std::fmt::Display) -> KernelError {
    KernelError::Sampler(error.to_string())
}

fn missing() -> KernelError {
    KernelError::Plan("working memory is missing".to_owned())
}
