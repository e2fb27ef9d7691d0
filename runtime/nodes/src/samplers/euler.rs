//! Euler's method and its relatives: one prediction per step, no memory.
//!
//! Sources: T. Karras et al. (2022), algorithm 2; J. Ho et al., "Denoising Diffusion Probabilistic Models" (2020);
//! S. Luo et al., "Latent Consistency Models" (2023); H. Chung et al., "CFG++" (2024).

use super::math::{add_noise, ancestral_step, map, map2};
use super::{Denoiser, Frame, Fresh, Outcome, buffers};

pub(super) fn euler<D: Denoiser>(frame: &mut Frame<'_, D>, x: &mut [f32], work: &mut [f32]) -> Outcome<D> {
    let [denoised] = buffers(work, x.len());
    for index in 0..frame.steps() {
        let (sigma, next) = frame.pair(index);
        frame.predict(index, x, denoised)?;
        step(x, denoised, sigma, next);
    }
    Ok(())
}

/// One step of Euler's method.
pub(super) fn step(x: &mut [f32], denoised: &[f32], sigma: f32, next: f32) {
    let dt = next - sigma;
    map(x, denoised, |x, denoised| x + (x - denoised) / sigma * dt);
}

pub(super) fn euler_ancestral<D: Denoiser>(
    frame: &mut Frame<'_, D>,
    x: &mut [f32],
    work: &mut [f32],
    fresh: Fresh,
) -> Outcome<D> {
    let [denoised, noise] = buffers(work, x.len());
    for index in 0..frame.steps() {
        let (sigma, next) = frame.pair(index);
        let (down, up) = ancestral_step(sigma, next, fresh.eta);
        frame.predict(index, x, denoised)?;
        if down == 0.0 {
            x.copy_from_slice(denoised);
            continue;
        }
        step(x, denoised, sigma, down);
        if fresh.any() {
            frame.draw(sigma, next, noise);
            add_noise(x, noise, fresh.scale(), up);
        }
    }
    Ok(())
}

/// The direction comes from the unconditional prediction, the end from the guided one.
pub(super) fn euler_cfg_pp<D: Denoiser>(
    frame: &mut Frame<'_, D>,
    x: &mut [f32],
    work: &mut [f32],
    fresh: Fresh,
) -> Outcome<D> {
    let [denoised, unconditional, noise] = buffers(work, x.len());
    for index in 0..frame.steps() {
        let (sigma, next) = frame.pair(index);
        frame.predict_both(index, x, denoised, unconditional)?;
        if next == 0.0 {
            x.copy_from_slice(denoised);
            continue;
        }
        let (down, up) = ancestral_step(sigma, next, fresh.eta);
        map2(x, denoised, unconditional, |x, denoised, unconditional| {
            denoised + down * ((x - unconditional) / sigma)
        });
        if fresh.any() {
            frame.draw(sigma, next, noise);
            add_noise(x, noise, fresh.scale(), up);
        }
    }
    Ok(())
}

/// The posterior of the forward process, between latents that are scaled to variance 1.
pub(super) fn ddpm<D: Denoiser>(frame: &mut Frame<'_, D>, x: &mut [f32], work: &mut [f32]) -> Outcome<D> {
    let [denoised, noise] = buffers(work, x.len());
    for index in 0..frame.steps() {
        let (sigma, next) = frame.pair(index);
        frame.predict(index, x, denoised)?;
        let alpha_bar = 1.0 / (sigma * sigma + 1.0);
        let alpha_bar_next = 1.0 / (next * next + 1.0);
        let alpha = alpha_bar / alpha_bar_next;
        let (scale, growth) = ((1.0 + sigma * sigma).sqrt(), (1.0 / alpha).sqrt());
        let (rest, root) = (1.0 - alpha, (1.0 - alpha_bar).sqrt());
        map(x, denoised, |x, denoised| growth * (x / scale - rest * ((x - denoised) / sigma) / root));
        if next > 0.0 {
            frame.draw(sigma, next, noise);
            let deviation = ((1.0 - alpha) * (1.0 - alpha_bar_next) / (1.0 - alpha_bar)).sqrt();
            let scale = (1.0 + next * next).sqrt();
            map(x, noise, |x, noise| (x + deviation * noise) * scale);
        }
    }
    Ok(())
}

/// To the end, then noise up to the next sigma.
pub(super) fn lcm<D: Denoiser>(frame: &mut Frame<'_, D>, x: &mut [f32], work: &mut [f32]) -> Outcome<D> {
    let [denoised, noise] = buffers(work, x.len());
    for index in 0..frame.steps() {
        let (sigma, next) = frame.pair(index);
        frame.predict(index, x, denoised)?;
        x.copy_from_slice(denoised);
        if next > 0.0 {
            frame.draw(sigma, next, noise);
            map(x, noise, |x, noise| noise * next + x);
        }
    }
    Ok(())
}
