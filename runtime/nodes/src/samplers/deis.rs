//! DEIS: the polynomial through the last directions is integrated over the time of the variance-preserving process.
//!
//! Source: Q. Zhang and Y. Chen, "Fast Sampling of Diffusion Models with Exponential Integrator" (2022), tAB-DEIS. The
//! process is the linear one that has sigma 0.002 at time 0.001 and sigma 80 at time 1, and the integrals are sums over
//! 10,000 points, ends included, as in the authors' code; times and integrands are f32 there, which small sigmas show.

use super::adams::{MAX_ORDER, history};
use super::math::{exp, ln, to_direction};
use super::{Denoiser, Frame, Outcome};
use crate::schedule::linspace;

/// Points of each integral.
const POINTS: usize = 10_000;
/// The least time of the process.
const LEAST_TIME: f64 = 1e-3;
const SIGMA_LOW: f64 = 0.002;
const SIGMA_HIGH: f64 = 80.0;

/// The linear variance-preserving process: its noise rate at time 0 and at time 1.
struct Process {
    rate: f32,
    growth: f32,
}

impl Process {
    fn new() -> Process {
        let log = |sigma: f64| libm::log(sigma * sigma + 1.0);
        let growth = 2.0 * (log(SIGMA_LOW) / LEAST_TIME - log(SIGMA_HIGH)) / (LEAST_TIME - 1.0);
        Process { rate: (log(SIGMA_HIGH) - 0.5 * growth) as f32, growth: growth as f32 }
    }

    /// The time at which the noise is `sigma`.
    fn time(&self, sigma: f32) -> f32 {
        let square = self.rate * self.rate + 2.0 * self.growth * ln(sigma * sigma + 1.0);
        (square.sqrt() - self.rate) / self.growth
    }

    /// What a direction counts at a time: the growth of sigma with it.
    fn integrand(&self, time: f32) -> f32 {
        let alpha = exp(-0.5 * (time * time) * self.growth - time * self.rate);
        let slope = -time * self.growth - self.rate;
        -0.5 * slope / (alpha * (1.0 - alpha)).sqrt()
    }

    /// Weights of the last directions, the newest first, for the step of an index.
    fn weights(&self, times: &[f32], index: usize, order: usize) -> [f32; MAX_ORDER] {
        let (from, to) = (times[index], times[index + 1]);
        let mut sums = [0.0f64; MAX_ORDER];
        for time in linspace(from, to, POINTS) {
            let whole = self.integrand(time);
            for (back, sum) in sums[..order].iter_mut().enumerate() {
                let at = |k: usize| times[index - k];
                let others = (0..order).filter(|&k| k != back);
                let value: f32 = others.map(|k| (time - at(k)) / (at(back) - at(k))).product();
                *sum += f64::from(whole * value);
            }
        }
        let width = (to - from) / POINTS as f32;
        sums.map(|sum| sum as f32 * width)
    }
}

pub(super) fn deis<D: Denoiser>(
    frame: &mut Frame<'_, D>,
    x: &mut [f32],
    work: &mut [f32],
    order: usize,
) -> Outcome<D> {
    let mut history = history(work, x.len(), order.clamp(1, MAX_ORDER));
    let process = Process::new();
    let times: Vec<f32> = frame.sigmas.iter().map(|&sigma| process.time(sigma)).collect();
    for index in 0..frame.steps() {
        let (sigma, next) = frame.pair(index);
        history.rotate_right(1);
        frame.predict(index, x, history[0])?;
        to_direction(history[0], x, sigma);
        let known = history.len().min(index + 1);
        let weights = if known == 1 || next <= 0.0 {
            [next - sigma, 0.0, 0.0, 0.0]
        } else {
            process.weights(&times, index, known)
        };
        for (i, x) in x.iter_mut().enumerate() {
            for (weight, direction) in weights[..known].iter().zip(&history) {
                *x += weight * direction[i];
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_has_its_ends() {
        let process = Process::new();
        assert!((process.time(80.0) - 1.0).abs() < 1e-5);
        assert!((process.time(0.002) - 1e-3).abs() < 1e-4);
    }

    #[test]
    fn the_first_weight_is_about_the_step() {
        let process = Process::new();
        let times: Vec<f32> = [3.0f32, 2.0, 1.0].iter().map(|&sigma| process.time(sigma)).collect();
        let [a, b, ..] = process.weights(&times, 1, 2);
        // Both together integrate a constant direction: the change of x by it.
        assert!((a + b + 1.0).abs() < 0.2, "{a} {b}");
    }
}
