//! Exponential multistep of second order, and gradient estimation: both remember one step.
//!
//! Sources: Q. Zhang et al., "Improved Order Analysis and Design of Exponential Integrator for Diffusion Models Sampling"
//! (2023); F. Permenter and C. Yuan, "Interpreting and Improving Diffusion Models from an Optimization Perspective"
//! (2023), algorithm 2; H. Chung et al., "CFG++" (2024) for the variants, in which the direction is that of the
//! unconditional prediction.

use super::euler::step;
use super::math::{add_noise, ancestral_step, expm1, lambda, map, map2, map3, sigma};
use super::{Denoiser, Frame, Fresh, Outcome, buffers};

/// Weights of the new and of the old prediction over a step of `h`; the old one lies `c` steps ahead, so `c` is negative.
fn weights(h: f32, c: f32) -> (f32, f32) {
    let phi_1 = expm1(-h) / -h;
    let phi_2 = (phi_1 - 1.0) / -h;
    let known = |value: f32| if value.is_nan() { 0.0 } else { value };
    (known(phi_1 - phi_2 / c), known(phi_2 / c))
}

pub(super) fn multistep<D: Denoiser>(
    frame: &mut Frame<'_, D>,
    x: &mut [f32],
    work: &mut [f32],
    fresh: Fresh,
    cfg_pp: bool,
) -> Outcome<D> {
    // `main` gives the direction and is remembered; with CFG++ it is the unconditional prediction.
    let [noise, mut main, mut old, guided] = buffers(work, x.len());
    let mut down_last = 0.0;
    for index in 0..frame.steps() {
        let (noisy, next) = frame.pair(index);
        let (down, up) = ancestral_step(noisy, next, fresh.eta);
        if cfg_pp {
            frame.predict_both(index, x, guided, main)?;
        } else {
            frame.predict(index, x, main)?;
        }
        if down == 0.0 || index == 0 {
            if cfg_pp {
                map2(x, guided, main, |x, guided, main| guided + (x - main) / noisy * down);
            } else {
                step(x, main, noisy, down);
            }
        } else {
            let (from, to) = (lambda(noisy), lambda(down));
            let h = to - from;
            let c = (lambda(frame.sigmas[index - 1]) - lambda(down_last)) / h;
            let (new_weight, old_weight) = weights(h, c);
            let keep = sigma(h);
            if cfg_pp {
                map2(x, guided, main, |x, guided, main| x + (guided - main));
            }
            map2(x, main, old, |x, main, old| keep * x + h * (new_weight * main + old_weight * old));
        }
        if next > 0.0 && fresh.any() {
            frame.draw(noisy, next, noise);
            add_noise(x, noise, fresh.scale(), up);
        }
        down_last = down;
        std::mem::swap(&mut main, &mut old);
    }
    Ok(())
}

/// Euler's method whose direction is moved on by `gamma - 1` times its change.
pub(super) fn gradient_estimation<D: Denoiser>(
    frame: &mut Frame<'_, D>,
    x: &mut [f32],
    work: &mut [f32],
    gamma: f64,
    cfg_pp: bool,
) -> Outcome<D> {
    let [mut main, mut old, guided] = buffers(work, x.len());
    let extra = (gamma - 1.0) as f32;
    for index in 0..frame.steps() {
        let (sigma, next) = frame.pair(index);
        let dt = next - sigma;
        if cfg_pp {
            frame.predict_both(index, x, guided, main)?;
        } else {
            frame.predict(index, x, main)?;
        }
        if next == 0.0 {
            x.copy_from_slice(if cfg_pp { guided } else { main });
            continue;
        }
        map(main, x, |main, x| (x - main) / sigma);
        let change = if index == 0 { 0.0 } else { extra };
        if cfg_pp {
            map3(x, [main, old, guided], |_, d, old, guided| correct(guided + d * next, d, old, change, dt));
        } else {
            map2(x, main, old, |x, d, old| correct(x + d * dt, d, old, change, dt));
        }
        std::mem::swap(&mut main, &mut old);
    }
    Ok(())
}

/// Without a change, what the old direction holds does not matter: it may be anything.
fn correct(x: f32, d: f32, old: f32, change: f32, dt: f32) -> f32 {
    if change == 0.0 { x } else { x + change * (d - old) * dt }
}
