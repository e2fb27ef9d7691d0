//! SEEDS: exponential integrators for the stochastic equation with several predictions per step.
//!
//! Source: M. Gonzalez et al., "SEEDS: Exponential SDE Solvers for Fast High-Quality Sampling from Diffusion Models"
//! (2023), algorithms of order 2 and 3. Noise of a part of a step decays over the rest of it.

use floe_nets::sampling::SeedsSolver;

use super::math::{deviation, exp, expm1, lambda, map, map2, map3, sigma};
use super::{Denoiser, Frame, Fresh, Outcome, buffers};

/// A step in lambda.
struct Leap {
    from: f32,
    h: f32,
    eta: f32,
    h_eta: f32,
    sigma: f32,
}

impl Leap {
    fn new(sigma: f32, next: f32, eta: f64) -> Leap {
        let (from, to) = (lambda(sigma), lambda(next));
        let h = to - from;
        Leap { from, h, eta: eta as f32, h_eta: h * (eta + 1.0) as f32, sigma }
    }

    /// The sigma at a share of the step.
    fn at(&self, r: f32) -> f32 {
        sigma(self.from + r * self.h)
    }

    /// What `x` is multiplied by over a share of the step that ends at `sigma`.
    fn keep(&self, r: f32, sigma: f32) -> f32 {
        sigma / self.sigma * exp(-r * self.h * self.eta)
    }

    /// `e^-(r h) - 1`.
    fn factor(&self, r: f32) -> f32 {
        expm1(-r * self.h_eta)
    }

    /// What noise made between two shares of the step is multiplied by at a later one.
    fn noise(&self, from: f32, to: f32, at: f32) -> f32 {
        deviation((to - from) * self.h * self.eta) * exp(-(at - to) * self.h * self.eta)
    }
}

pub(super) fn two<D: Denoiser>(
    frame: &mut Frame<'_, D>,
    x: &mut [f32],
    work: &mut [f32],
    fresh: Fresh,
    r: f64,
    solver: SeedsSolver,
) -> Outcome<D> {
    let [denoised, ahead, second, noise] = buffers(work, x.len());
    let (r, mean) = (r as f32, (1.0 / (2.0 * r)) as f32);
    for index in 0..frame.steps() {
        let (sigma, next) = frame.pair(index);
        if frame.predict_or_end(index, x, denoised)? {
            continue;
        }
        let leap = Leap::new(sigma, next, fresh.eta);
        let middle = leap.at(r);
        let (keep, factor) = (leap.keep(r, middle), leap.factor(r));
        map2(ahead, x, denoised, |_, x, denoised| keep * x - factor * denoised);
        if fresh.any() {
            frame.draw(sigma, middle, noise);
            let deviation = middle * leap.noise(0.0, r, r) * fresh.scale();
            map(ahead, noise, |x, noise| x + deviation * noise);
        }
        frame.denoise(ahead, middle, second)?;
        let (keep, whole) = (leap.keep(1.0, next), leap.factor(1.0));
        let (first_weight, second_weight) = match solver {
            SeedsSolver::Phi1 => (whole * (1.0 - mean), whole * mean),
            SeedsSolver::Phi2 => {
                let late = -(whole / leap.h_eta + 1.0) / r;
                (whole - late, late)
            }
        };
        map2(x, denoised, second, |x, denoised, second| {
            keep * x - (first_weight * denoised + second_weight * second)
        });
        if fresh.any() {
            frame.draw(middle, next, ahead);
            let early = next * leap.noise(0.0, r, 1.0) * fresh.scale();
            let late = next * leap.noise(r, 1.0, 1.0) * fresh.scale();
            map2(x, noise, ahead, |x, noise, last| x + (early * noise + late * last));
        }
    }
    Ok(())
}

pub(super) fn three<D: Denoiser>(
    frame: &mut Frame<'_, D>,
    x: &mut [f32],
    work: &mut [f32],
    fresh: Fresh,
    (r_1, r_2): (f64, f64),
) -> Outcome<D> {
    let [denoised, ahead, second, noise, noise_2] = buffers(work, x.len());
    let (ratio, over) = ((r_2 / r_1) as f32, (1.0 / r_2) as f32);
    let (r_1, r_2) = (r_1 as f32, r_2 as f32);
    for index in 0..frame.steps() {
        let (sigma, next) = frame.pair(index);
        if frame.predict_or_end(index, x, denoised)? {
            continue;
        }
        let leap = Leap::new(sigma, next, fresh.eta);
        let (at_1, at_2) = (leap.at(r_1), leap.at(r_2));
        let (keep, factor) = (leap.keep(r_1, at_1), leap.factor(r_1));
        map2(ahead, x, denoised, |_, x, denoised| keep * x - factor * denoised);
        if fresh.any() {
            frame.draw(sigma, at_1, noise);
            let deviation = at_1 * leap.noise(0.0, r_1, r_1) * fresh.scale();
            map(ahead, noise, |x, noise| x + deviation * noise);
        }
        frame.denoise(ahead, at_1, second)?;
        let (keep, factor) = (leap.keep(r_2, at_2), leap.factor(r_2));
        let change = ratio * (factor / (r_2 * leap.h_eta) + 1.0);
        map3(ahead, [x, denoised, second], |_, x, denoised, second| {
            keep * x - factor * denoised + change * (second - denoised)
        });
        if fresh.any() {
            frame.draw(at_1, at_2, noise_2);
            let early = at_2 * leap.noise(0.0, r_1, r_2) * fresh.scale();
            let late = at_2 * leap.noise(r_1, r_2, r_2) * fresh.scale();
            map2(ahead, noise, noise_2, |x, noise, noise_2| x + (early * noise + late * noise_2));
        }
        frame.denoise(ahead, at_2, second)?;
        let (keep, factor) = (leap.keep(1.0, next), leap.factor(1.0));
        let change = over * (factor / leap.h_eta + 1.0);
        map2(x, denoised, second, |x, denoised, third| {
            keep * x - factor * denoised + change * (third - denoised)
        });
        if fresh.any() {
            frame.draw(at_2, next, ahead);
            let parts = [leap.noise(0.0, r_1, 1.0), leap.noise(r_1, r_2, 1.0), leap.noise(r_2, 1.0, 1.0)];
            let [a, b, c] = parts.map(|part| next * part * fresh.scale());
            map3(x, [noise, noise_2, ahead], |x, n_1, n_2, n_3| x + (a * n_1 + b * n_2 + c * n_3));
        }
    }
    Ok(())
}
