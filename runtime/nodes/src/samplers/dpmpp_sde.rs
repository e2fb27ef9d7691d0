//! DPM-Solver++ for the stochastic equation; noise is the increment of Brownian motion over sigma.
//!
//! Sources: C. Lu et al., "DPM-Solver++" (2022), section 5 and appendix; K. Crowson's variants of second and third order.

use floe_nets::sampling::SdeSolver;

use super::math::{add_noise, ancestral_step, deviation, exp, expm1, lambda, ln, map, map2, map3, sigma};
use super::{Denoiser, Frame, Fresh, Outcome, buffers};

/// Asks the model once more at share `r` of each step.
pub(super) fn sde<D: Denoiser>(
    frame: &mut Frame<'_, D>,
    x: &mut [f32],
    work: &mut [f32],
    fresh: Fresh,
    r: f64,
) -> Outcome<D> {
    let [denoised, ahead, second] = buffers(work, x.len());
    let weight = (1.0 / (2.0 * r)) as f32;
    let r = r as f32;
    for index in 0..frame.steps() {
        let (noisy, next) = frame.pair(index);
        if frame.predict_or_end(index, x, denoised)? {
            continue;
        }
        let (from, to) = (lambda(noisy), lambda(next));
        let middle = from + r * (to - from);
        let (ratio, factor, up) = noisy_step(from, middle, fresh.eta);
        map2(ahead, x, denoised, |_, x, denoised| ratio * x - factor * denoised);
        if fresh.any() {
            frame.draw(noisy, sigma(middle), second);
            add_noise(ahead, second, fresh.scale(), up);
        }
        frame.denoise(ahead, sigma(middle), second)?;
        let (ratio, factor, up) = noisy_step(from, to, fresh.eta);
        map2(x, denoised, second, |x, denoised, second| {
            ratio * x - factor * ((1.0 - weight) * denoised + weight * second)
        });
        if fresh.any() {
            frame.draw(noisy, next, ahead);
            add_noise(x, ahead, fresh.scale(), up);
        }
    }
    Ok(())
}

/// A step in lambda without its noise: what `x` and the prediction are multiplied by, and the deviation of the noise.
fn noisy_step(from: f32, to: f32, eta: f64) -> (f32, f32, f32) {
    let (down, up) = ancestral_step(exp(-from), exp(-to), eta);
    let h = -ln(down) - from;
    (exp(-h), expm1(-h), up)
}

/// What a step of a multistep method does to `x`, the prediction and the noise.
struct Parts {
    h: f32,
    /// Step in lambda with noise counted in.
    h_eta: f32,
    /// What `x` is multiplied by.
    keep: f32,
    /// What the prediction is multiplied by.
    take: f32,
    /// Deviation of the noise.
    noise: f32,
}

impl Parts {
    fn new(sigma: f32, next: f32, eta: f64) -> Parts {
        let h = lambda(next) - lambda(sigma);
        let h_eta = h * (eta + 1.0) as f32;
        let eta = eta as f32;
        Parts {
            h,
            h_eta,
            keep: next / sigma * exp(-h * eta),
            take: -expm1(-h_eta),
            noise: next * deviation(h * eta),
        }
    }

    /// `(e^-h - 1) / h + 1`: the weight of a first derivative.
    fn first(&self) -> f32 {
        expm1(-self.h_eta) / self.h_eta + 1.0
    }
}

fn add_fresh<D: Denoiser>(
    frame: &mut Frame<'_, D>,
    index: usize,
    x: &mut [f32],
    noise: &mut [f32],
    fresh: Fresh,
    deviation: f32,
) {
    if fresh.any() {
        let (sigma, next) = frame.pair(index);
        frame.draw(sigma, next, noise);
        map(x, noise, |x, noise| x + noise * deviation * fresh.scale());
    }
}

pub(super) fn two_m<D: Denoiser>(
    frame: &mut Frame<'_, D>,
    x: &mut [f32],
    work: &mut [f32],
    fresh: Fresh,
    solver: SdeSolver,
) -> Outcome<D> {
    let [mut denoised, mut old, noise] = buffers(work, x.len());
    let mut h_last = None;
    for index in 0..frame.steps() {
        let (sigma, next) = frame.pair(index);
        if frame.predict_or_end(index, x, denoised)? {
            continue;
        }
        let parts = Parts::new(sigma, next, fresh.eta);
        map(x, denoised, |x, denoised| parts.keep * x + parts.take * denoised);
        if let Some(h_last) = h_last {
            let r: f32 = h_last / parts.h;
            let weight = match solver {
                SdeSolver::Heun => parts.first(),
                SdeSolver::Midpoint => 0.5 * parts.take,
            } * (1.0 / r);
            map2(x, denoised, old, |x, denoised, old| x + weight * (denoised - old));
        }
        add_fresh(frame, index, x, noise, fresh, parts.noise);
        h_last = Some(parts.h);
        std::mem::swap(&mut denoised, &mut old);
    }
    Ok(())
}

pub(super) fn three_m<D: Denoiser>(
    frame: &mut Frame<'_, D>,
    x: &mut [f32],
    work: &mut [f32],
    fresh: Fresh,
) -> Outcome<D> {
    let [mut denoised, mut old, mut older, noise] = buffers(work, x.len());
    let (mut h_1, mut h_2) = (None, None);
    for index in 0..frame.steps() {
        let (sigma, next) = frame.pair(index);
        if frame.predict_or_end(index, x, denoised)? {
            continue;
        }
        let parts = Parts::new(sigma, next, fresh.eta);
        map(x, denoised, |x, denoised| parts.keep * x + parts.take * denoised);
        let phi_2 = parts.first();
        match (h_1, h_2) {
            (Some(h_1), Some(h_2)) => {
                let (r_0, r_1): (f32, f32) = (h_1 / parts.h, h_2 / parts.h);
                let phi_3 = phi_2 / parts.h_eta - 0.5;
                map3(x, [denoised, old, older], |x, denoised, old, older| {
                    let (near, far) = ((denoised - old) / r_0, (old - older) / r_1);
                    let first = near + (near - far) * r_0 / (r_0 + r_1);
                    let second = (near - far) / (r_0 + r_1);
                    x + phi_2 * first - phi_3 * second
                });
            }
            (Some(h_1), None) => {
                let r: f32 = h_1 / parts.h;
                map2(x, denoised, old, |x, denoised, old| x + phi_2 * ((denoised - old) / r));
            }
            _ => {}
        }
        add_fresh(frame, index, x, noise, fresh, parts.noise);
        (h_1, h_2) = (Some(parts.h), h_1);
        // The oldest prediction gives its memory to the next one.
        std::mem::swap(&mut old, &mut older);
        std::mem::swap(&mut denoised, &mut old);
    }
    Ok(())
}
