//! Lists of sigmas by choosing timesteps of a model, or prepared levels.
//!
//! Sources: S. Lee et al., "Beta Sampling is All You Need" (2024); A. Sauer et al., "Adversarial Diffusion Distillation"
//! (2023) for turbo models; A. Sabour et al., "Align Your Steps" (2024), whose levels are published as numbers.

use super::beta::quantile;
use super::curves::checked;
use super::{ModelSampling, ScheduleError, linspace};

/// Even in timesteps from the highest to the lowest; ends with 0.
pub(super) fn normal(model: &ModelSampling, steps: usize) -> Vec<f32> {
    let (start, end) = ends(model);
    linspace(start, end, steps).map(|t| model.sigma(t)).chain([0.0]).collect()
}

/// As [`normal`] with one step more, of which the lowest is left out.
pub(super) fn sgm_uniform(model: &ModelSampling, steps: usize) -> Vec<f32> {
    let (start, end) = ends(model);
    linspace(start, end, steps + 1).take(steps).map(|t| model.sigma(t)).chain([0.0]).collect()
}

fn ends(model: &ModelSampling) -> (f32, f32) {
    (model.timestep(model.sigma_max()), model.timestep(model.sigma_min()))
}

/// Every n-th entry of the table from the top.
pub(super) fn simple(model: &ModelSampling, steps: usize) -> Vec<f32> {
    let table = model.sigmas();
    let stride = table.len() as f64 / steps as f64;
    let level = |i: usize| table[table.len() - 1 - (i as f64 * stride) as usize];
    (0..steps).map(level).chain([0.0]).collect()
}

/// Every n-th entry of the table from its second, down; more than `steps` where the stride leaves a rest.
pub(super) fn ddim_uniform(model: &ModelSampling, steps: usize) -> Vec<f32> {
    let table = model.sigmas();
    let stride = (table.len() / steps).max(1);
    let mut sigmas: Vec<f32> = table.iter().skip(1).step_by(stride).copied().collect();
    sigmas.reverse();
    sigmas.push(0.0);
    sigmas
}

/// Timesteps at quantiles of a beta distribution; such as meet are taken once. Ends with 0.
///
/// # Errors
/// [`ScheduleError::Steps`]; [`ScheduleError::Settings`] when `alpha` or `beta` is not above 0.
pub fn beta(model: &ModelSampling, steps: usize, alpha: f64, beta: f64) -> Result<Vec<f32>, ScheduleError> {
    if !(alpha > 0.0 && beta > 0.0) {
        return Err(ScheduleError::Settings("a beta distribution needs alpha and beta above 0"));
    }
    let table = model.sigmas();
    let width = 1.0 / checked(steps)? as f64;
    let mut timesteps: Vec<usize> = (0..steps)
        .map(|i| quantile(1.0 - i as f64 * width, alpha, beta) * (table.len() - 1) as f64)
        .map(|t| (t.round_ties_even() as usize).min(table.len() - 1))
        .collect();
    timesteps.dedup();
    Ok(timesteps.into_iter().map(|t| table[t]).chain([0.0]).collect())
}

/// The levels that turbo models were distilled for: `steps` of ten, beginning at `denoise` of them. Ends with 0.
///
/// # Errors
/// [`ScheduleError::Steps`] unless `steps` is 1 to 10; [`ScheduleError::Denoise`] unless `denoise` is 0 to 1.
pub fn sd_turbo(model: &ModelSampling, steps: usize, denoise: f64) -> Result<Vec<f32>, ScheduleError> {
    if steps == 0 || steps > 10 {
        return Err(ScheduleError::Steps { steps });
    }
    if !(0.0..=1.0).contains(&denoise) {
        return Err(ScheduleError::Denoise);
    }
    let start = 10 - (10.0 * denoise) as usize;
    let level = |i: usize| model.sigma((100 * (10 - i) - 1) as f32);
    Ok((start..10).take(steps).map(level).chain([0.0]).collect())
}

/// Models that prepared levels exist for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreparedFor {
    /// Stable Diffusion 1.
    Sd1,
    /// Stable Diffusion XL.
    Sdxl,
    /// Stable Video Diffusion.
    Svd,
}

impl PreparedFor {
    /// Eleven levels for ten steps, as published.
    fn levels(self) -> [f64; 11] {
        match self {
            PreparedFor::Sd1 => [
                14.6146412293,
                6.4745760956,
                3.8636745985,
                2.6946151520,
                1.8841921177,
                1.3943805092,
                0.9642583904,
                0.6523686016,
                0.3977456272,
                0.1515232662,
                0.0291671582,
            ],
            PreparedFor::Sdxl => [
                14.6146412293,
                6.3184485287,
                3.7681790315,
                2.1811480769,
                1.3405244945,
                0.8620721141,
                0.5550693289,
                0.3798540708,
                0.2332364134,
                0.1114188177,
                0.0291671582,
            ],
            PreparedFor::Svd => {
                [700.00, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0.002]
            }
        }
    }
}

/// Align Your Steps: prepared levels, interpolated by logarithm for other numbers of steps. Of `denoise` below 1 the last
/// steps are left; none for 0 or less. The last level is 0.
///
/// # Errors
/// [`ScheduleError::Steps`]; [`ScheduleError::Denoise`] for NaN.
pub fn align_your_steps(levels: PreparedFor, steps: usize, denoise: f64) -> Result<Vec<f32>, ScheduleError> {
    checked(steps)?;
    let kept = match denoise {
        denoise if denoise.is_nan() => return Err(ScheduleError::Denoise),
        denoise if denoise <= 0.0 => return Ok(Vec::new()),
        denoise if denoise < 1.0 => (steps as f64 * denoise).round_ties_even() as usize,
        _ => steps,
    };
    let levels = levels.levels();
    let mut sigmas: Vec<f32> = if steps + 1 == levels.len() {
        levels.iter().map(|&level| level as f32).collect()
    } else {
        (0..=steps).map(|i| interpolated(&levels, i as f64 / steps as f64) as f32).collect()
    };
    sigmas.drain(..steps - kept);
    if let Some(last) = sigmas.last_mut() {
        *last = 0.0;
    }
    Ok(sigmas)
}

/// The level at a share of the list, by logarithm.
fn interpolated(levels: &[f64], share: f64) -> f64 {
    let at = share * (levels.len() - 1) as f64;
    let low = (at as usize).min(levels.len() - 2);
    let (from, to) = (libm::log(levels[low]), libm::log(levels[low + 1]));
    libm::exp(from + (to - from) * (at - low as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prepared_levels_are_cut_from_the_top() {
        let whole = align_your_steps(PreparedFor::Sd1, 10, 1.0).expect("a list");
        let half = align_your_steps(PreparedFor::Sd1, 10, 0.5).expect("a list");
        assert_eq!(whole.len(), 11);
        assert_eq!(half, whole[5..]);
        assert_eq!(align_your_steps(PreparedFor::Sdxl, 10, 0.0), Ok(vec![]));
        assert_eq!(align_your_steps(PreparedFor::Svd, 3, 0.01).map(|list| list.len()), Ok(1));
        assert!(align_your_steps(PreparedFor::Svd, 0, 1.0).is_err());
    }

    #[test]
    fn settings_are_judged() {
        let model = ModelSampling::scaled_linear();
        assert!(beta(&model, 5, 0.0, 0.6).is_err());
        assert!(sd_turbo(&model, 11, 1.0).is_err());
        assert!(sd_turbo(&model, 1, f64::NAN).is_err());
        assert_eq!(sd_turbo(&model, 1, 0.0), Ok(vec![0.0]));
        assert_eq!(sd_turbo(&model, 1, 1.0), Ok(vec![model.sigma(999.0), 0.0]));
    }

    #[test]
    fn many_beta_steps_meet() {
        let list = beta(&ModelSampling::scaled_linear(), 999, 0.6, 0.6).expect("a list");
        assert!(list.len() < 1000 && list.windows(2).all(|pair| pair[0] > pair[1]));
    }
}
