//! Methods of second order that ask the model within a step.
//!
//! Sources: T. Karras et al. (2022), algorithm 2; C. Lu et al., "DPM-Solver" (2022); the weights of Heun++ are those of
//! R. Li's scheduler.

use super::euler::step;
use super::math::{add_noise, ancestral_step, exp, ln, map, map2, map3, to_direction};
use super::{Denoiser, Frame, Fresh, Outcome, buffers};

pub(super) fn heun<D: Denoiser>(frame: &mut Frame<'_, D>, x: &mut [f32], work: &mut [f32]) -> Outcome<D> {
    let [first, ahead, second] = buffers(work, x.len());
    for index in 0..frame.steps() {
        let (sigma, next) = frame.pair(index);
        frame.predict(index, x, first)?;
        if next == 0.0 {
            step(x, first, sigma, next);
            continue;
        }
        let dt = next - sigma;
        to_direction(first, x, sigma);
        map2(ahead, x, first, |_, x, d| x + d * dt);
        frame.denoise(ahead, next, second)?;
        to_direction(second, ahead, next);
        map2(x, first, second, |x, d, d_2| x + (d + d_2) / 2.0 * dt);
    }
    Ok(())
}

/// Looks one or two steps ahead; directions count by their sigmas.
pub(super) fn heunpp2<D: Denoiser>(frame: &mut Frame<'_, D>, x: &mut [f32], work: &mut [f32]) -> Outcome<D> {
    let [first, ahead, second, third] = buffers(work, x.len());
    let (top, end) = (frame.sigmas[0], frame.sigmas[frame.steps()]);
    for index in 0..frame.steps() {
        let (sigma, next) = frame.pair(index);
        let dt = next - sigma;
        frame.predict(index, x, first)?;
        if next == end {
            step(x, first, sigma, next);
            continue;
        }
        to_direction(first, x, sigma);
        map2(ahead, x, first, |_, x, d| x + d * dt);
        frame.denoise(ahead, next, second)?;
        to_direction(second, ahead, next);
        let after = frame.sigmas[index + 2];
        if after == end {
            let w_2 = next / (2.0 * top);
            let w_1 = 1.0 - w_2;
            map2(x, first, second, |x, d, d_2| x + (d * w_1 + d_2 * w_2) * dt);
            continue;
        }
        let dt_2 = after - next;
        map(ahead, second, |ahead, d| ahead + d * dt_2);
        frame.denoise(ahead, after, third)?;
        to_direction(third, ahead, after);
        let sum = 3.0 * top;
        let (w_2, w_3) = (next / sum, after / sum);
        let w_1 = 1.0 - w_2 - w_3;
        map3(x, [first, second, third], |x, d, d_2, d_3| x + (w_1 * d + w_2 * d_2 + w_3 * d_3) * dt);
    }
    Ok(())
}

/// Halfway in the logarithm of sigma the model is asked again. Ancestral with fresh noise.
pub(super) fn dpm_2<D: Denoiser>(
    frame: &mut Frame<'_, D>,
    x: &mut [f32],
    work: &mut [f32],
    fresh: Fresh,
) -> Outcome<D> {
    let [denoised, ahead] = buffers(work, x.len());
    for index in 0..frame.steps() {
        let (sigma, next) = frame.pair(index);
        let (down, up) = ancestral_step(sigma, next, fresh.eta);
        frame.predict(index, x, denoised)?;
        if down == 0.0 {
            step(x, denoised, sigma, down);
            continue;
        }
        let middle = exp((ln(sigma) + ln(down)) / 2.0);
        let (dt_1, dt_2) = (middle - sigma, down - sigma);
        map2(ahead, x, denoised, |_, x, denoised| x + (x - denoised) / sigma * dt_1);
        frame.denoise(ahead, middle, denoised)?;
        map2(x, ahead, denoised, |x, ahead, denoised| x + (ahead - denoised) / middle * dt_2);
        if fresh.any() {
            frame.draw(sigma, next, ahead);
            add_noise(x, ahead, fresh.scale(), up);
        }
    }
    Ok(())
}
