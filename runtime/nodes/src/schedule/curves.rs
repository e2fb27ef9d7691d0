//! Lists of sigmas by a formula between two ends.
//!
//! Sources: T. Karras et al. (2022), equation 5 and table 1 (VP); K. Crowson's k-diffusion for the exponential ones;
//! A. Sabour et al., "Align Your Steps" (2024), theorem 3.1, for `kl_optimal`; T. Hang et al., "Improved Noise Schedule for
//! Diffusion Training" (2024) for Laplace; A. Polyak et al., "Movie Gen" (2024), for linear and quadratic.

use super::{MAX_STEPS, ScheduleError, linspace};

pub(super) fn checked(steps: usize) -> Result<usize, ScheduleError> {
    if steps == 0 || steps > MAX_STEPS { Err(ScheduleError::Steps { steps }) } else { Ok(steps) }
}

fn with_zero(sigmas: impl Iterator<Item = f32>) -> Vec<f32> {
    sigmas.chain([0.0]).collect()
}

fn exp(x: f32) -> f32 {
    libm::exp(f64::from(x)) as f32
}

/// Karras et al.: even in the `rho`-th root of sigma. Ends with 0.
///
/// # Errors
/// [`ScheduleError::Steps`].
pub fn karras(steps: usize, sigma_min: f64, sigma_max: f64, rho: f64) -> Result<Vec<f32>, ScheduleError> {
    let root = |sigma: f64| libm::pow(sigma, 1.0 / rho);
    let (low, high) = (root(sigma_min), root(sigma_max));
    let mix = move |ramp: f32| high as f32 + ramp * (low - high) as f32;
    Ok(with_zero(linspace(0.0, 1.0, checked(steps)?).map(|ramp| libm::pow(f64::from(mix(ramp)), rho) as f32)))
}

/// Even in the logarithm of sigma. Ends with 0.
///
/// # Errors
/// [`ScheduleError::Steps`].
pub fn exponential(steps: usize, sigma_min: f64, sigma_max: f64) -> Result<Vec<f32>, ScheduleError> {
    let (low, high) = (libm::log(sigma_min) as f32, libm::log(sigma_max) as f32);
    Ok(with_zero(linspace(high, low, checked(steps)?).map(exp)))
}

/// A power `rho` of an even ramp in the logarithm of sigma. Ends with 0.
///
/// # Errors
/// [`ScheduleError::Steps`].
pub fn polyexponential(
    steps: usize,
    sigma_min: f64,
    sigma_max: f64,
    rho: f64,
) -> Result<Vec<f32>, ScheduleError> {
    let (low, high) = (libm::log(sigma_min), libm::log(sigma_max));
    let (low, width) = (low as f32, (high - low) as f32);
    let ramp = |ramp: f32| libm::pow(f64::from(ramp), rho) as f32;
    Ok(with_zero(linspace(1.0, 0.0, checked(steps)?).map(|at| exp(ramp(at) * width + low))))
}

/// Quantiles of a Laplace distribution of the logarithm of sigma, with centre `mu` and width `beta`, cut to the ends. Does
/// not end with 0.
///
/// # Errors
/// [`ScheduleError::Steps`].
pub fn laplace(
    steps: usize,
    sigma_min: f64,
    sigma_max: f64,
    mu: f64,
    beta: f64,
) -> Result<Vec<f32>, ScheduleError> {
    let (low, high) = (sigma_min as f32, sigma_max as f32);
    let (mu, beta) = (mu as f32, beta as f32);
    let level = |x: f32| {
        let away = 0.5 - x;
        let sign = if away == 0.0 { 0.0 } else { away.signum() };
        let log = libm::log(f64::from(1.0 - 2.0 * away.abs() + 1e-5)) as f32;
        // The larger end first, as torch clamps: crossed ends give the upper one.
        exp(mu - beta * sign * log).max(low).min(high)
    };
    Ok(linspace(0.0, 1.0, checked(steps)?).map(level).collect())
}

/// The variance-preserving process with a noise rate that grows from `beta_min` by `beta_d`, at even times from 1 to
/// `eps_s`. Ends with 0.
///
/// # Errors
/// [`ScheduleError::Steps`].
pub fn vp(steps: usize, beta_d: f64, beta_min: f64, eps_s: f64) -> Result<Vec<f32>, ScheduleError> {
    let (beta_d, beta_min) = (beta_d as f32, beta_min as f32);
    let level = |t: f32| (libm::expm1(f64::from(beta_d * (t * t) / 2.0 + beta_min * t)) as f32).sqrt();
    Ok(with_zero(linspace(1.0, eps_s as f32, checked(steps)?).map(level)))
}

/// Even in the arc tangent of sigma. Ends with 0. With a single step the first level is not a number, as in the reference.
///
/// # Errors
/// [`ScheduleError::Steps`].
pub fn kl_optimal(steps: usize, sigma_min: f64, sigma_max: f64) -> Result<Vec<f32>, ScheduleError> {
    let (low, high) = (libm::atan(sigma_min) as f32, libm::atan(sigma_max) as f32);
    let last = (checked(steps)? - 1) as f32;
    Ok(with_zero((0..steps).map(|i| {
        let share = i as f32 / last;
        libm::tan(f64::from(share * low + (1.0 - share) * high)) as f32
    })))
}

/// Half of the steps fall evenly by `threshold` in all, the rest quadratically to 0; times `sigma_max`.
///
/// # Errors
/// [`ScheduleError::Steps`].
pub fn linear_quadratic(steps: usize, sigma_max: f32) -> Result<Vec<f32>, ScheduleError> {
    const THRESHOLD: f64 = 0.025;
    if checked(steps)? == 1 {
        return Ok(vec![sigma_max, 0.0]);
    }
    let linear = (steps / 2) as f64;
    let quadratic = steps as f64 - linear;
    let rest = linear - THRESHOLD * steps as f64;
    let curve = rest / (linear * quadratic * quadratic);
    let slope = THRESHOLD / linear - 2.0 * rest / (quadratic * quadratic);
    let level = |i: usize| {
        let at = i as f64;
        if i < steps / 2 {
            at * THRESHOLD / linear
        } else {
            curve * at * at + slope * at + curve * linear * linear
        }
    };
    Ok(with_zero((0..steps).map(|i| (1.0 - level(i)) as f32 * sigma_max)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_fall_from_end_to_end() {
        let (low, high) = (0.03, 14.5);
        let lists = [
            karras(9, low, high, 7.0),
            exponential(9, low, high),
            polyexponential(9, low, high, 1.5),
            kl_optimal(9, low, high),
        ];
        for list in lists {
            let list = list.expect("a list");
            assert_eq!(list.len(), 10);
            assert!(list.windows(2).all(|pair| pair[0] > pair[1]), "{list:?}");
            assert!((list[0] - 14.5).abs() < 1e-4 && (list[8] - 0.03).abs() < 1e-6, "{list:?}");
        }
        let list = linear_quadratic(7, 14.5).expect("a list");
        assert!(list.len() == 8 && list.windows(2).all(|pair| pair[0] > pair[1]), "{list:?}");
        let list = vp(5, 19.9, 0.1, 1e-3).expect("a list");
        assert!(list.len() == 6 && list.windows(2).all(|pair| pair[0] > pair[1]), "{list:?}");
        let list = laplace(5, low, high, 0.0, 0.5).expect("a list");
        assert!(list.len() == 5 && list.windows(2).all(|pair| pair[0] > pair[1]), "{list:?}");
    }

    #[test]
    fn no_steps_and_too_many_are_refused() {
        assert!(karras(0, 0.1, 1.0, 7.0).is_err());
        assert!(exponential(MAX_STEPS + 1, 0.1, 1.0).is_err());
        assert!(kl_optimal(1, 0.1, 1.0).expect("a list")[0].is_nan());
    }
}
