//! Extended reverse-time stochastic equations.
//!
//! Source: Q. Cui et al., "Elucidating the Solution Space of Extended Reverse-Time SDE for Diffusion Models" (2023),
//! algorithms 1 to 3; integrals are sums over 200 points.

use floe_nets::sampling::Scaler;

use super::math::{add_noise, exp, map, map2};
use super::{Denoiser, Frame, Outcome, buffers};

/// Points of each integral.
const POINTS: usize = 200;

/// How noise is scaled, and by how much it is multiplied.
#[derive(Clone, Copy)]
pub(super) struct Noise {
    pub(super) scaler: Scaler,
    pub(super) s_noise: f64,
}

impl Noise {
    fn scale(self, sigma: f32) -> f32 {
        let power = |exponent: f64| libm::pow(f64::from(sigma), exponent) as f32;
        match self.scaler {
            Scaler::ErSde => sigma * (exp(power(0.3)) + 10.0),
            Scaler::ReverseTime { eta } => power(eta + 1.0),
        }
    }

    /// The integrals of `1 / scale` and of `(s - sigma) / scale` from `next` to `sigma`.
    fn integrals(self, sigma: f32, next: f32) -> (f32, f32) {
        let width = (sigma - next) / POINTS as f32;
        let (mut first, mut second) = (0.0, 0.0);
        for point in 0..POINTS {
            let at = next + point as f32 * width;
            let scale = self.scale(at);
            first += 1.0 / scale;
            second += (at - sigma) / scale;
        }
        (first * width, second * width)
    }
}

pub(super) fn er_sde<D: Denoiser>(
    frame: &mut Frame<'_, D>,
    x: &mut [f32],
    work: &mut [f32],
    kind: Noise,
    max_stage: usize,
) -> Outcome<D> {
    let [mut denoised, mut old, slope, noise] = buffers(work, x.len());
    for index in 0..frame.steps() {
        let (sigma, next) = frame.pair(index);
        if frame.predict_or_end(index, x, denoised)? {
            continue;
        }
        let stage = max_stage.min(index + 1);
        let scale_next = kind.scale(next);
        let r = scale_next / kind.scale(sigma);
        map(x, denoised, |x, denoised| r * x + (1.0 - r) * denoised);
        if stage >= 2 {
            let dt = next - sigma;
            let (first, second) = kind.integrals(sigma, next);
            let first = dt + first * scale_next;
            let second = if stage >= 3 { dt * dt / 2.0 + second * scale_next } else { 0.0 };
            let near = sigma - frame.sigmas[index - 1];
            let far = if stage >= 3 { (sigma - frame.sigmas[index - 2]) / 2.0 } else { 1.0 };
            // The old prediction becomes the new slope, then the memory of the next prediction.
            map(old, denoised, |old, denoised| (denoised - old) / near);
            map2(x, old, slope, |x, new, slope| {
                let x = x + first * new;
                if stage >= 3 { x + second * ((new - slope) / far) } else { x }
            });
            slope.copy_from_slice(old);
        }
        if kind.s_noise > 0.0 {
            frame.draw(sigma, next, noise);
            let variance = next * next - sigma * sigma * (r * r);
            add_noise(x, noise, kind.s_noise as f32, if variance > 0.0 { variance.sqrt() } else { 0.0 });
        }
        std::mem::swap(&mut denoised, &mut old);
    }
    Ok(())
}
