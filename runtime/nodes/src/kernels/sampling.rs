use std::ops::ControlFlow;
use std::sync::Arc;

use floe_nets::sampling::SamplerName;
use floe_tensor::{Executable, Input, Pool};

use super::{Call, KernelError, TensorMut};
use crate::noise::base_noise;
use crate::samplers::{Denoiser, SampleError, Step, Task, sample};
use crate::sampling::{Prediction, guide, is_max_denoise, scale_noise};
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
    let (latent, [batch, ..]) = call.tensor::<4>("latent_image")?;
    let samples = call.only_output()?;
    let Memory { work, input, timesteps, context, prediction, vector, slab } = Memory::take(call)?;
    let latent_scale = match call.numbers("latent_scale")?[..] {
        [scale] => scale as f32,
        _ => return Err(KernelError::Plan("a latent has one scale".to_owned())),
    };

    // The scaled latent waits in the sampler's memory.
    let first = job.sigmas[0];
    let scaled = work.data.get_mut(..latent.data.len()).unwrap_or_default();
    for (scaled, &value) in scaled.iter_mut().zip(latent.data) {
        *scaled = value * latent_scale;
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
    let prompts = if guided { prompts } else { &prompts[..1] };
    let (programs, embedding) = match (&vector, call.programs) {
        (Some(_), [programs @ .., embedding]) => (programs, Some(embedding)),
        (_, programs) => (programs, None),
    };
    let executions = executions(programs, prompts)?;
    let vector = match (vector, embedding) {
        (Some(vector), Some(embedding)) => Some(vector.fill(call, embedding, prompts.len(), slab.data)?),
        _ => None,
    };
    let mut network = Network {
        model,
        predicts: self::prediction(call)?,
        vector,
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
        *value /= latent_scale;
    }
    Ok(())
}

/// All prompts through one program, or each through its own.
fn executions<'a>(
    programs: &'a [Arc<Executable>],
    prompts: &'a [&'a [f32]],
) -> Result<Vec<Execution<'a>>, KernelError> {
    match programs {
        [all] => Ok(vec![Execution { program: all, prompts }]),
        each if each.len() == prompts.len() => {
            let each = each.iter().zip(prompts.chunks(1));
            Ok(each.map(|(program, prompts)| Execution { program, prompts }).collect())
        }
        _ => Err(KernelError::Plan(format!("{} programs for {} prompts", programs.len(), prompts.len()))),
    }
}

/// The pieces of working memory.
struct Memory<'a> {
    work: TensorMut<'a>,
    input: TensorMut<'a>,
    timesteps: TensorMut<'a>,
    context: TensorMut<'a>,
    prediction: TensorMut<'a>,
    vector: Option<Vector<'a>>,
    slab: TensorMut<'a>,
}

impl<'a> Memory<'a> {
    fn take(call: &mut Call<'a>) -> Result<Memory<'a>, KernelError> {
        if call.scratch.len() == 6 {
            let [work, input, timesteps, context, prediction, slab] = call.take_scratch()?;
            return Ok(Memory { work, input, timesteps, context, prediction, vector: None, slab });
        }
        let [work, input, timesteps, context, prediction, pooled, sizes, vector, slab] =
            call.take_scratch()?;
        let vector = Some(Vector { pooled, sizes, vector });
        Ok(Memory { work, input, timesteps, context, prediction, vector, slab })
    }
}

/// The vector that a model of Stable Diffusion XL reads beside each prompt, item by item.
struct Vector<'a> {
    pooled: TensorMut<'a>,
    sizes: TensorMut<'a>,
    vector: TensorMut<'a>,
}

impl<'a> Vector<'a> {
    /// Makes it from the prompts' pooled states and the numbers that the kernel is told: prompt by prompt, the same for
    /// every latent.
    fn fill(
        self,
        call: &Call<'_>,
        embedding: &Arc<Executable>,
        prompts: usize,
        slab: &mut [f32],
    ) -> Result<&'a [f32], KernelError> {
        let numbers: Vec<f32> = call.numbers("sizes")?.iter().map(|&number| number as f32).collect();
        let sentences = [call.tensor_at::<2>("positive", 1)?.0, call.tensor_at::<2>("negative", 1)?.0];
        let misfit = || KernelError::Plan("a vector does not fit its prompts".to_owned());
        let [items, width] = super::dimensions(self.sizes.shape)?;
        let batch = items / prompts;
        for item in 0..items {
            let prompt = item / batch;
            let to = &mut self.sizes.data[item * width..][..width];
            to.copy_from_slice(numbers.get(prompt * width..(prompt + 1) * width).ok_or_else(misfit)?);
            let sentence = sentences.get(prompt).ok_or_else(misfit)?.data;
            let to = self.pooled.data.get_mut(item * sentence.len()..).ok_or_else(misfit)?;
            super::copy(sentence, to.get_mut(..sentence.len()).ok_or_else(misfit)?)?;
        }
        let inputs = [Input::F32(self.pooled.data), Input::F32(self.sizes.data)];
        embedding.run(call.pool, slab, &inputs, &mut [&mut *self.vector.data])?;
        Ok(self.vector.data)
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
    predicts: Prediction,
    /// What it reads beside the prompts, prompt by prompt.
    vector: Option<&'a [f32]>,
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
            self.predicts.scale_input(x, sigma, input);
        }
        let mut rest = &mut self.prediction.data[..];
        let mut vectors = self.vector.unwrap_or_default();
        let all: usize = self.executions.iter().map(|execution| execution.prompts.len()).sum();
        let vector = vectors.len() / all.max(1);
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
            let (own, after) = vectors.split_at(execution.prompts.len() * vector);
            vectors = after;
            let inputs = [
                Input::F32(&self.input.data[..execution.prompts.len() * x.len()]),
                Input::F32(&self.timesteps.data[..items]),
                Input::F32(&self.context.data[..length]),
                Input::F32(own),
            ];
            let inputs = if self.vector.is_some() { &inputs[..] } else { &inputs[..3] };
            execution.program.run(self.pool, self.slab.data, inputs, &mut [&mut *prediction])?;
            for prediction in prediction.chunks_exact_mut(x.len()) {
                self.predicts.to_denoised(self.model, x, sigma, prediction);
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
