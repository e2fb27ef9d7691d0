//! DPM-Solver++: exponential integrators in the prediction without noise.
//!
//! Sources: C. Lu et al., "DPM-Solver++" (2022), algorithms 1 (2S) and 2 (2M); H. Chung et al., "CFG++" (2024).

use super::euler::step;
use super::math::{add_noise, ancestral_step, exp, expm1, lambda, map, map2, map3, sigma};
use super::{Denoiser, Frame, Fresh, Outcome, buffers};

/// Where in a step of 2S the model is asked again.
const R: f32 = 0.5;

/// A step in lambda: the ratio of its sigmas and `e^-h - 1`.
fn step_factors(from: f32, to: f32) -> (f32, f32) {
    (sigma(to) / sigma(from), expm1(-(to - from)))
}

pub(super) fn two_s<D: Denoiser>(
    frame: &mut Frame<'_, D>,
    x: &mut [f32],
    work: &mut [f32],
    fresh: Fresh,
) -> Outcome<D> {
    let [denoised, ahead] = buffers(work, x.len());
    for index in 0..frame.steps() {
        let (noisy, next) = frame.pair(index);
        let (down, up) = ancestral_step(noisy, next, fresh.eta);
        frame.predict(index, x, denoised)?;
        if down == 0.0 {
            step(x, denoised, noisy, down);
            continue;
        }
        let (from, to) = (lambda(noisy), lambda(down));
        let middle = from + R * (to - from);
        let (ratio, factor) = step_factors(from, middle);
        map2(ahead, x, denoised, |_, x, denoised| ratio * x - factor * denoised);
        frame.denoise(ahead, sigma(middle), denoised)?;
        let (ratio, factor) = step_factors(from, to);
        map(x, denoised, |x, denoised| ratio * x - factor * denoised);
        if next > 0.0 && fresh.any() {
            frame.draw(noisy, next, ahead);
            add_noise(x, ahead, fresh.scale(), up);
        }
    }
    Ok(())
}

/// As [`two_s`], from latents that are moved by the difference of the guided and the unconditional prediction.
pub(super) fn two_s_cfg_pp<D: Denoiser>(
    frame: &mut Frame<'_, D>,
    x: &mut [f32],
    work: &mut [f32],
    fresh: Fresh,
) -> Outcome<D> {
    let [denoised, unconditional, ahead, second] = buffers(work, x.len());
    for index in 0..frame.steps() {
        let (noisy, next) = frame.pair(index);
        let (down, up) = ancestral_step(noisy, next, fresh.eta);
        frame.predict_both(index, x, denoised, unconditional)?;
        if down == 0.0 {
            map2(x, denoised, unconditional, |x, denoised, unconditional| {
                denoised + (x - unconditional) / noisy * down
            });
            continue;
        }
        let (from, to) = (lambda(noisy), lambda(down));
        let middle = from + R * (to - from);
        let (ratio, factor) = step_factors(from, middle);
        map3(ahead, [x, denoised, unconditional], |_, x, denoised, unconditional| {
            ratio * (x + (denoised - unconditional)) - factor * denoised
        });
        // The second unconditional prediction replaces the first also in the difference, as the reference has it.
        frame.denoise_both(ahead, sigma(middle), second, unconditional)?;
        let (ratio, factor) = step_factors(from, to);
        map3(x, [denoised, unconditional, second], |x, denoised, unconditional, second| {
            ratio * (x + (denoised - unconditional)) - factor * second
        });
        if next > 0.0 && fresh.any() {
            frame.draw(noisy, next, ahead);
            add_noise(x, ahead, fresh.scale(), up);
        }
    }
    Ok(())
}

pub(super) fn two_m<D: Denoiser>(frame: &mut Frame<'_, D>, x: &mut [f32], work: &mut [f32]) -> Outcome<D> {
    let [mut denoised, mut old] = buffers(work, x.len());
    for index in 0..frame.steps() {
        let (noisy, next) = frame.pair(index);
        frame.predict(index, x, denoised)?;
        let (from, to) = (lambda(noisy), lambda(next));
        let (ratio, factor) = step_factors(from, to);
        if index == 0 || next == 0.0 {
            map(x, denoised, |x, denoised| ratio * x - factor * denoised);
        } else {
            let r = (from - lambda(frame.sigmas[index - 1])) / (to - from);
            let (new_weight, old_weight) = (1.0 + 1.0 / (2.0 * r), 1.0 / (2.0 * r));
            map2(x, denoised, old, |x, denoised, old| {
                ratio * x - factor * (new_weight * denoised - old_weight * old)
            });
        }
        std::mem::swap(&mut denoised, &mut old);
    }
    Ok(())
}

pub(super) fn two_m_cfg_pp<D: Denoiser>(
    frame: &mut Frame<'_, D>,
    x: &mut [f32],
    work: &mut [f32],
) -> Outcome<D> {
    let [denoised, mut unconditional, mut old] = buffers(work, x.len());
    for index in 0..frame.steps() {
        let (noisy, next) = frame.pair(index);
        frame.predict_both(index, x, denoised, unconditional)?;
        let (from, to) = (lambda(noisy), lambda(next));
        let h = to - from;
        let ratio = exp(-h);
        if index == 0 || next == 0.0 {
            map2(x, denoised, unconditional, |x, denoised, unconditional| {
                denoised + -ratio * unconditional + ratio * x
            });
        } else {
            let r = (from - lambda(frame.sigmas[index - 1])) / h;
            let change = expm1(-h) * (1.0 / (2.0 * r));
            map3(x, [denoised, unconditional, old], |x, denoised, unconditional, old| {
                denoised + (-ratio * unconditional - change * (denoised - old)) + ratio * x
            });
        }
        std::mem::swap(&mut unconditional, &mut old);
    }
    Ok(())
}
