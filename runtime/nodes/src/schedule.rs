//! Noise levels: what models know, ComfyUI's schedulers, and what its sampling nodes make of their lists.
//!
//! Sigma is the standard deviation of the noise beside an unscaled latent, f32, from about 0.029 to 14.6 for Stable
//! Diffusion; timesteps of these models run from 0 to 999.
//!
//! Arithmetic follows torch's: tables in f64, sums of a list in f32 with one rounding for `start + step
//! * i`. `ln`, `exp` and `pow` are those of the `libm` crate in f64, rounded once to f32, so lists are
//! the same on every machine. torch's own f32 `exp` is not correctly rounded: about one sigma in 200 of
//! `normal` and `sgm_uniform` differs from ComfyUI's in its last bit.

mod beta;
mod curves;
mod edit;
mod model;
mod steps;

use floe_nets::sampling::{SamplerName, SchedulerName};
use thiserror::Error;

pub use curves::{exponential, karras, kl_optimal, laplace, linear_quadratic, polyexponential, vp};
pub use edit::{Spacing, extend, flip, manual, set_first, split, split_denoise};
pub use model::ModelSampling;
pub use steps::{PreparedFor, align_your_steps, beta, sd_turbo};

/// Most steps that a list is made for; ComfyUI's node allows 10,000.
pub const MAX_STEPS: usize = 10_000;
/// Karras et al.'s exponent.
const RHO: f64 = 7.0;
/// Both shapes of `beta` by name alone.
const BETA_SHAPE: f64 = 0.6;

/// A list of sigmas that cannot be made.
#[derive(Debug, Error, Clone, PartialEq)]
pub enum ScheduleError {
    /// A scheduler that nobody has.
    #[error("there is no scheduler `{0}`")]
    Scheduler(String),
    /// A sampler that nobody has.
    #[error("there is no sampler `{0}`")]
    Sampler(String),
    /// No steps, or more than can be made.
    #[error("{steps} steps cannot be scheduled: 1 to {MAX_STEPS} can, counted before denoise cuts them")]
    Steps {
        /// Steps asked for.
        steps: usize,
    },
    /// Denoise is no number, or beyond its range.
    #[error("denoise is not a number from 0 to 1")]
    Denoise,
    /// Settings that give no list.
    #[error("{0}")]
    Settings(&'static str),
}

/// The sampler of a name.
///
/// # Errors
/// [`ScheduleError::Sampler`].
pub fn sampler_name(name: &str) -> Result<SamplerName, ScheduleError> {
    SamplerName::find(name).ok_or_else(|| ScheduleError::Sampler(name.to_owned()))
}

/// The scheduler of a name.
///
/// # Errors
/// [`ScheduleError::Scheduler`].
pub fn scheduler_name(name: &str) -> Result<SchedulerName, ScheduleError> {
    SchedulerName::find(name).ok_or_else(|| ScheduleError::Scheduler(name.to_owned()))
}

/// `torch.linspace` in f32: both halves are counted from their own end.
pub(crate) fn linspace(start: f32, end: f32, count: usize) -> impl Iterator<Item = f32> {
    let step = if count > 1 { (end - start) / (count - 1) as f32 } else { 0.0 };
    (0..count).map(move |i| {
        if count == 1 || i < count / 2 {
            step.mul_add(i as f32, start)
        } else {
            (-step).mul_add((count - 1 - i) as f32, end)
        }
    })
}

/// The sigmas of a scheduler, descending, ending with 0: mostly `steps + 1` values, see [`SchedulerName::steps`].
///
/// # Errors
/// [`ScheduleError::Steps`] for no steps or more than [`MAX_STEPS`].
pub fn scheduler_sigmas(
    model: &ModelSampling,
    scheduler: SchedulerName,
    steps: usize,
) -> Result<Vec<f32>, ScheduleError> {
    let steps = curves::checked(steps)?;
    let (low, high) = (f64::from(model.sigma_min()), f64::from(model.sigma_max()));
    match scheduler {
        SchedulerName::Normal => Ok(steps::normal(model, steps)),
        SchedulerName::SgmUniform => Ok(steps::sgm_uniform(model, steps)),
        SchedulerName::Simple => Ok(steps::simple(model, steps)),
        SchedulerName::DdimUniform => Ok(steps::ddim_uniform(model, steps)),
        SchedulerName::Beta => beta(model, steps, BETA_SHAPE, BETA_SHAPE),
        SchedulerName::Karras => karras(steps, low, high, RHO),
        SchedulerName::Exponential => exponential(steps, low, high),
        SchedulerName::LinearQuadratic => linear_quadratic(steps, model.sigma_max()),
        SchedulerName::KlOptimal => kl_optimal(steps, low, high),
    }
}

/// The sigmas of `BasicScheduler`: the last `steps + 1` of the scheduler's list for `steps / denoise` steps. None when
/// `denoise` is 0 or less.
///
/// # Errors
/// [`ScheduleError::Steps`] when the uncut list is empty or longer than [`MAX_STEPS`]; [`ScheduleError::Denoise`] for NaN.
pub fn basic_sigmas(
    model: &ModelSampling,
    scheduler: SchedulerName,
    steps: usize,
    denoise: f64,
) -> Result<Vec<f32>, ScheduleError> {
    if denoise.is_nan() {
        return Err(ScheduleError::Denoise);
    }
    if denoise <= 0.0 {
        return Ok(Vec::new());
    }
    let mut sigmas = scheduler_sigmas(model, scheduler, uncut(steps, denoise, 1.0))?;
    sigmas.drain(..sigmas.len().saturating_sub(steps.saturating_add(1)));
    Ok(sigmas)
}

/// The sigmas that `KSampler` runs: the last `steps + 1` of the scheduler's list for `steps / denoise` steps; the whole
/// list where `denoise` is above 0.9999. Empty when it is 0 or less: the latent is then returned as it is.
///
/// # Errors
/// [`ScheduleError::Steps`] when the uncut list is empty or longer than [`MAX_STEPS`]; [`ScheduleError::Denoise`] for NaN;
/// [`ScheduleError::Settings`] when the list holds something that is not a number.
pub fn ksampler_sigmas(
    model: &ModelSampling,
    sampler: SamplerName,
    scheduler: SchedulerName,
    steps: usize,
    denoise: f64,
) -> Result<Vec<f32>, ScheduleError> {
    if denoise.is_nan() {
        return Err(ScheduleError::Denoise);
    }
    if denoise <= 0.0 {
        return Ok(Vec::new());
    }
    let uncut = uncut(steps, denoise, 0.9999);
    let mut sigmas = if sampler.discards_penultimate() {
        let mut sigmas = scheduler_sigmas(model, scheduler, uncut.saturating_add(1))?;
        if sigmas.len() > 1 {
            sigmas.remove(sigmas.len() - 2);
        }
        sigmas
    } else {
        scheduler_sigmas(model, scheduler, uncut)?
    };
    if denoise <= 0.9999 {
        sigmas.drain(..sigmas.len().saturating_sub(steps.saturating_add(1)));
    }
    if sigmas.iter().any(|sigma| !sigma.is_finite()) {
        return Err(ScheduleError::Settings(
            "this schedule has no levels for a single step: take two or more",
        ));
    }
    Ok(sigmas)
}

/// Steps of the list that `denoise` is cut from. The cast saturates, so a tiny denoise gives an error instead of a long
/// list.
fn uncut(steps: usize, denoise: f64, whole: f64) -> usize {
    if denoise > whole || denoise == 1.0 { steps } else { (steps as f64 / denoise) as usize }
}

/// The part of a list that `KSamplerAdvanced` runs: from step `start` to before step `end`, the last level set to 0 where
/// no noise is to be left. `None` when nothing is left to do: the latent is then returned as it is.
#[must_use]
pub fn ksampler_range(sigmas: &[f32], start: usize, end: usize, leave_noise: bool) -> Option<Vec<f32>> {
    let steps = sigmas.len().checked_sub(1)?;
    let mut sigmas = sigmas[..=end.min(steps)].to_vec();
    if end < steps
        && !leave_noise
        && let Some(last) = sigmas.last_mut()
    {
        *last = 0.0;
    }
    (start < sigmas.len() - 1).then(|| sigmas.split_off(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_arguments_do_not_panic() {
        let model = ModelSampling::scaled_linear();
        let list =
            |sampler, steps, denoise| ksampler_sigmas(&model, sampler, SchedulerName::Normal, steps, denoise);
        assert_eq!(list(SamplerName::Euler, 20, 0.0), Ok(vec![]));
        assert_eq!(list(SamplerName::Euler, 20, f64::NAN), Err(ScheduleError::Denoise));
        assert!(list(SamplerName::Euler, 20, 1e-300).is_err());
        assert!(list(SamplerName::Dpm2, usize::MAX, 1.0).is_err());
        assert!(list(SamplerName::Euler, 0, 1.0).is_err());
        assert_eq!(sampler_name("eulr").unwrap_err().to_string(), "there is no sampler `eulr`");
        assert!(ksampler_sigmas(&model, SamplerName::Euler, SchedulerName::KlOptimal, 1, 1.0).is_err());
    }

    #[test]
    fn lists_are_as_long_as_they_are_said_to_be() {
        let model = ModelSampling::scaled_linear();
        for scheduler in SchedulerName::ALL {
            for steps in [1, 2, 3, 7, 13, 20, 50, 150, 999, 1000] {
                let len = scheduler_sigmas(&model, scheduler, steps).expect("a list").len();
                let said = scheduler.steps(steps) + 1;
                if scheduler == SchedulerName::Beta && steps > 100 {
                    assert!(len <= said);
                } else {
                    assert_eq!(len, said, "{} {steps}", scheduler.name());
                }
            }
        }
    }

    #[test]
    fn parts_of_a_list_for_the_advanced_node() {
        let sigmas = [9.0, 4.0, 1.0, 0.0];
        let range = |start, end, leave| ksampler_range(&sigmas, start, end, leave);
        assert_eq!(range(0, 10_000, false), Some(sigmas.to_vec()));
        assert_eq!(range(0, 2, true), Some(vec![9.0, 4.0, 1.0]));
        assert_eq!(range(0, 2, false), Some(vec![9.0, 4.0, 0.0]));
        assert_eq!(range(1, 10_000, false), Some(vec![4.0, 1.0, 0.0]));
        assert_eq!(range(3, 10_000, false), None);
        assert_eq!(range(2, 1, false), None);
        assert_eq!(range(0, 0, true), None);
        assert_eq!(ksampler_range(&[], 0, 1, true), None);
    }
}
