//! The samplers: from noisy latents along a list of sigmas to the latents without noise.
//!
//! Each works value by value in f32, in the order written here, in buffers of the caller; a prediction of the model
//! is asked for with its sigma. How many buffers and calls a sampler needs is said by `floe_nets::sampling`. Names:
//! `lambda` is the negative logarithm of sigma (half of the logarithm of the ratio of signal to noise), `h` a step in
//! lambda. Scalars are f32 where the reference has tensors of one value.

mod adams;
mod deis;
mod dpm_solver;
mod dpmpp;
mod dpmpp_sde;
mod er_sde;
mod euler;
mod heun;
mod math;
mod res;
mod sa_solver;
mod seeds;
mod uni_pc;

#[cfg(test)]
mod tests;

use std::ops::ControlFlow;

use floe_nets::sampling::{NoiseKind, Sampler};
use thiserror::Error;

use crate::noise::{BrownianTree, NoNoise, NoiseError, NoiseSource, TorchRng};
use crate::schedule::ModelSampling;

/// A network with guidance around it: noisy latents in, latents without noise out.
pub trait Denoiser {
    /// Why a call may fail.
    type Error;

    /// Writes to `out` what is left of `x` when noise of standard deviation `sigma` is taken away.
    /// `x` and `out` have the same length; `out` holds the result of an earlier call or anything else.
    ///
    /// # Errors
    /// Whatever the implementation fails with; the sampler stops and passes it on.
    fn denoise(&mut self, x: &[f32], sigma: f32, out: &mut [f32]) -> Result<(), Self::Error>;

    /// The same, and to `unconditional` the prediction without the prompt. Only called for samplers that
    /// [read it](Sampler::reads_unconditional).
    ///
    /// # Errors
    /// As [`Denoiser::denoise`].
    fn denoise_both(
        &mut self,
        x: &[f32],
        sigma: f32,
        out: &mut [f32],
        unconditional: &mut [f32],
    ) -> Result<(), Self::Error>;
}

/// A sampler that did not reach the end.
#[derive(Debug, Error, PartialEq)]
pub enum SampleError<E> {
    /// The denoiser failed.
    #[error("the model failed: {0}")]
    Denoiser(E),
    /// The callback asked to stop.
    #[error("cancelled at step {step}")]
    Stopped {
        /// Index of the step that was not finished.
        step: usize,
    },
    /// The working memory holds too few values.
    #[error("the sampler works on {needed} values, the working memory has {given}")]
    Workspace {
        /// Values needed.
        needed: usize,
        /// Values of the working memory.
        given: usize,
    },
    /// No noise can be drawn between these sigmas.
    #[error(transparent)]
    Noise(#[from] NoiseError),
    /// The sigmas are not what this sampler can go along.
    #[error("{0}")]
    Sigmas(&'static str),
}

/// What a step's callback is shown, after the model ran and before `x` moves.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// From 0.
    pub index: usize,
    /// Number of steps of the run; an estimate where the sampler chooses its steps.
    pub count: usize,
    /// Noise of `x`.
    pub sigma: f32,
    /// The noisy latents of this step; after it for the adaptive sampler.
    pub x: &'a [f32],
    /// The model's estimate of the latents without noise.
    pub denoised: &'a [f32],
}

/// Called once per step; `Break` stops the sampler at once.
pub type OnStep<'a> = dyn FnMut(&Step<'_>) -> ControlFlow<()> + 'a;

/// What a sampler goes along, and in which memory.
pub struct Task<'a> {
    /// Noise levels, the first that of `x`; mostly descending to 0. Fewer than two change nothing.
    pub sigmas: &'a [f32],
    /// Noise levels that the model knows.
    pub model: &'a ModelSampling,
    /// Seed of the noise that the sampler adds.
    pub seed: u64,
    /// The noisy latents; become the result.
    pub x: &'a mut [f32],
    /// [`Sampler::buffers`] times the length of `x`.
    pub work: &'a mut [f32],
}

/// Runs a sampler.
///
/// Of the noise sources, ancestral ones give the first tensor of the seed's stream at the first step: the same as the
/// base noise of that seed.
///
/// # Errors
/// [`SampleError::Denoiser`] and [`SampleError::Stopped`] with `x` somewhere between the sigmas; the others before
/// anything ran.
pub fn sample<D: Denoiser>(
    sampler: &Sampler,
    denoiser: &mut D,
    task: Task<'_>,
    on_step: &mut OnStep<'_>,
) -> Result<(), SampleError<D::Error>> {
    let Task { sigmas, model, seed, x, work } = task;
    let needed = sampler.buffers().saturating_mul(x.len());
    if work.len() < needed {
        return Err(SampleError::Workspace { needed, given: work.len() });
    }
    if sigmas.len() < 2 || x.is_empty() {
        return Ok(());
    }
    let (work, rest) = work.split_at_mut(sampler.own_buffers() * x.len());
    let mut frame = |noise: &mut dyn NoiseSource| {
        run(sampler, &mut Frame { denoiser, noise, sigmas, model, on_step }, x, work)
    };
    match sampler.noise() {
        NoiseKind::None => frame(&mut NoNoise),
        NoiseKind::Stream => frame(&mut TorchRng::new(seed)),
        NoiseKind::Brownian => frame(&mut BrownianTree::new(seed, sigmas, rest)?),
    }
}

fn run<D: Denoiser>(
    sampler: &Sampler,
    frame: &mut Frame<'_, D>,
    x: &mut [f32],
    work: &mut [f32],
) -> Outcome<D> {
    match *sampler {
        Sampler::Euler => euler::euler(frame, x, work),
        Sampler::EulerAncestral { eta, s_noise } => {
            euler::euler_ancestral(frame, x, work, Fresh { eta, s_noise })
        }
        Sampler::EulerCfgPp { eta, s_noise } => euler::euler_cfg_pp(frame, x, work, Fresh { eta, s_noise }),
        Sampler::Heun => heun::heun(frame, x, work),
        Sampler::HeunPp2 => heun::heunpp2(frame, x, work),
        Sampler::Dpm2 => heun::dpm_2(frame, x, work, Fresh::NONE),
        Sampler::Dpm2Ancestral { eta, s_noise } => heun::dpm_2(frame, x, work, Fresh { eta, s_noise }),
        Sampler::Lms { order } => adams::lms(frame, x, work, order),
        Sampler::DpmFast { eta, s_noise } => dpm_solver::fast(frame, x, work, Fresh { eta, s_noise }),
        Sampler::DpmAdaptive(steps) => dpm_solver::adaptive(frame, x, work, &steps),
        Sampler::Dpmpp2sAncestral { eta, s_noise } => dpmpp::two_s(frame, x, work, Fresh { eta, s_noise }),
        Sampler::Dpmpp2sAncestralCfgPp { eta, s_noise } => {
            dpmpp::two_s_cfg_pp(frame, x, work, Fresh { eta, s_noise })
        }
        Sampler::DpmppSde { eta, s_noise, r } => dpmpp_sde::sde(frame, x, work, Fresh { eta, s_noise }, r),
        Sampler::Dpmpp2m => dpmpp::two_m(frame, x, work),
        Sampler::Dpmpp2mCfgPp => dpmpp::two_m_cfg_pp(frame, x, work),
        Sampler::Dpmpp2mSde { eta, s_noise, solver } => {
            dpmpp_sde::two_m(frame, x, work, Fresh { eta, s_noise }, solver)
        }
        Sampler::Dpmpp3mSde { eta, s_noise } => dpmpp_sde::three_m(frame, x, work, Fresh { eta, s_noise }),
        Sampler::Ddpm => euler::ddpm(frame, x, work),
        Sampler::Lcm => euler::lcm(frame, x, work),
        Sampler::Ipndm { order } => adams::ipndm(frame, x, work, order, adams::even),
        Sampler::IpndmV { order } => adams::ipndm(frame, x, work, order, adams::uneven),
        Sampler::Deis { order } => deis::deis(frame, x, work, order),
        Sampler::ResMultistep { eta, s_noise, cfg_pp } => {
            res::multistep(frame, x, work, Fresh { eta, s_noise }, cfg_pp)
        }
        Sampler::GradientEstimation { gamma, cfg_pp } => {
            res::gradient_estimation(frame, x, work, gamma, cfg_pp)
        }
        Sampler::ErSde { scaler, s_noise, max_stage } => {
            er_sde::er_sde(frame, x, work, er_sde::Noise { scaler, s_noise }, max_stage)
        }
        Sampler::Seeds2 { eta, s_noise, r, solver } => {
            seeds::two(frame, x, work, Fresh { eta, s_noise }, r, solver)
        }
        Sampler::Seeds3 { eta, s_noise, r_1, r_2 } => {
            seeds::three(frame, x, work, Fresh { eta, s_noise }, (r_1, r_2))
        }
        Sampler::SaSolver(settings) => sa_solver::sa_solver(frame, x, work, &settings),
        Sampler::UniPc { bh2 } => uni_pc::uni_pc(frame, x, work, bh2),
    }
}

/// What a sampler gives.
type Outcome<D> = Result<(), SampleError<<D as Denoiser>::Error>>;

/// How much fresh noise a step adds; see [`Sampler`].
#[derive(Debug, Clone, Copy)]
struct Fresh {
    eta: f64,
    s_noise: f64,
}

impl Fresh {
    const NONE: Fresh = Fresh { eta: 0.0, s_noise: 0.0 };

    fn any(self) -> bool {
        self.eta > 0.0 && self.s_noise > 0.0
    }

    fn scale(self) -> f32 {
        self.s_noise as f32
    }
}

/// What every sampler works with, beside the latents.
struct Frame<'a, D: Denoiser> {
    denoiser: &'a mut D,
    noise: &'a mut dyn NoiseSource,
    sigmas: &'a [f32],
    model: &'a ModelSampling,
    on_step: &'a mut OnStep<'a>,
}

impl<D: Denoiser> Frame<'_, D> {
    fn steps(&self) -> usize {
        self.sigmas.len() - 1
    }

    /// Noise before and after a step.
    fn pair(&self, index: usize) -> (f32, f32) {
        (self.sigmas[index], self.sigmas[index + 1])
    }

    fn denoise(&mut self, x: &[f32], sigma: f32, out: &mut [f32]) -> Outcome<D> {
        self.denoiser.denoise(x, sigma, out).map_err(SampleError::Denoiser)
    }

    fn denoise_both(
        &mut self,
        x: &[f32],
        sigma: f32,
        out: &mut [f32],
        unconditional: &mut [f32],
    ) -> Outcome<D> {
        self.denoiser.denoise_both(x, sigma, out, unconditional).map_err(SampleError::Denoiser)
    }

    /// The prediction at the beginning of a step, shown to the callback.
    fn predict(&mut self, index: usize, x: &[f32], denoised: &mut [f32]) -> Outcome<D> {
        let sigma = self.sigmas[index];
        self.denoise(x, sigma, denoised)?;
        self.report(Step { index, count: self.steps(), sigma, x, denoised })
    }

    /// The same; where the step ends without noise the prediction is the result, and `true` says so.
    fn predict_or_end(
        &mut self,
        index: usize,
        x: &mut [f32],
        denoised: &mut [f32],
    ) -> Result<bool, SampleError<D::Error>> {
        self.predict(index, x, denoised)?;
        let ended = self.sigmas[index + 1] == 0.0;
        if ended {
            x.copy_from_slice(denoised);
        }
        Ok(ended)
    }

    fn predict_both(
        &mut self,
        index: usize,
        x: &[f32],
        denoised: &mut [f32],
        unconditional: &mut [f32],
    ) -> Outcome<D> {
        let sigma = self.sigmas[index];
        self.denoise_both(x, sigma, denoised, unconditional)?;
        self.report(Step { index, count: self.steps(), sigma, x, denoised })
    }

    fn report(&mut self, step: Step<'_>) -> Outcome<D> {
        match (self.on_step)(&step) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(SampleError::Stopped { step: step.index }),
        }
    }

    fn draw(&mut self, sigma: f32, next: f32, out: &mut [f32]) {
        self.noise.draw(sigma, next, out);
    }
}

/// Cuts the working memory into buffers of the latent's size; [`sample`] made sure that there are enough.
fn buffers<const N: usize>(work: &mut [f32], len: usize) -> [&mut [f32]; N] {
    let mut chunks = work.chunks_exact_mut(len);
    std::array::from_fn(|_| chunks.next().unwrap_or_default())
}
