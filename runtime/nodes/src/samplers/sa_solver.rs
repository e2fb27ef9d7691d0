//! SA-Solver: a stochastic Adams predictor with a corrector.
//!
//! Source: S. Xue et al., "SA-Solver: Stochastic Adams Solver for Fast Sampling of Diffusion Models" (2023), algorithms 1
//! and 2, in the prediction without noise. Noise is added between two sigmas only.

use floe_nets::sampling::SaSolver;

use super::adams::history;
use super::math::{deviation, exp, lambda, map, solve};
use super::{Denoiser, Frame, Outcome};

/// Highest order of predictor and corrector.
const MAX_ORDER: usize = 6;

/// A step between two lambdas, with noise of rate `tau`.
#[derive(Clone, Copy)]
struct Leap {
    from: f32,
    to: f32,
    tau: f32,
}

impl Leap {
    fn h(self) -> f32 {
        self.to - self.from
    }

    /// What `x` is multiplied by, beside the ratio of sigmas.
    fn keep(self) -> f32 {
        exp(-(self.tau * self.tau) * self.h())
    }

    /// The integrals over the step of `rate e^(-rate (to - s)) s^p`, for p from 0; `s` counts from the end, which leaves
    /// the polynomials what they are and keeps digits.
    fn moments(self, order: usize) -> [f64; MAX_ORDER] {
        let rate = 1.0 + f64::from(self.tau) * f64::from(self.tau);
        let h = f64::from(self.h());
        let decay = libm::exp(-rate * h);
        let mut moments = [0.0; MAX_ORDER];
        // By parts: the boundary terms, less p / rate times the moment before.
        for p in 0..order {
            let boundary = if p == 0 { 1.0 } else { 0.0 } - libm::pow(-h, p as f64) * decay;
            let before = if p == 0 { 0.0 } else { moments[p - 1] };
            moments[p] = boundary - p as f64 / rate * before;
        }
        moments
    }

    /// Weights of predictions at `lambdas`: their polynomial is integrated exactly. At most [`MAX_ORDER`] of them.
    fn weights(self, lambdas: &[f32]) -> [f64; MAX_ORDER] {
        let count = lambdas.len().min(MAX_ORDER);
        let mut weights = self.moments(count);
        let mut matrix = [[0.0; MAX_ORDER]; MAX_ORDER];
        for (p, row) in matrix[..count].iter_mut().enumerate() {
            for (value, &at) in row.iter_mut().zip(lambdas) {
                *value = libm::pow(f64::from(at) - f64::from(self.to), p as f64);
            }
        }
        solve(&mut matrix, &mut weights, count);
        weights
    }

    /// The paper's simplified weights of order 2: the predictor's are exact for the slope to first order in the step, the
    /// corrector's take the mean.
    fn simple(self, lambdas: &[f32], corrector: bool) -> [f64; MAX_ORDER] {
        let rate = 1.0 + f64::from(self.tau) * f64::from(self.tau);
        let h = f64::from(self.h());
        let whole = -libm::expm1(-rate * h);
        let distance = f64::from(lambdas[1]) - f64::from(lambdas[0]);
        let share = if corrector { 0.5 * rate * h } else { 0.5 * rate * h * h / distance };
        let slope = if corrector { [whole - share, share] } else { [-share, whole + share] };
        let mut weights = [0.0; MAX_ORDER];
        weights[..2].copy_from_slice(&slope);
        weights
    }
}

/// Lambdas of the whole list, and the state of a run.
struct Run<'w, 'a> {
    settings: &'a SaSolver,
    lambdas: Vec<f32>,
    /// Predictions, the newest first.
    predictions: Vec<&'w mut [f32]>,
    /// How many of them are known.
    known: usize,
}

impl Run<'_, '_> {
    /// Adds the weighted predictions of a step that ends at `next` to `x`.
    fn add(&self, x: &mut [f32], leap: Leap, index: usize, order: usize, corrector: bool) {
        let lambdas = &self.lambdas[index + 1 - order..=index];
        let weights = if self.settings.simple_order_2 && order == 2 {
            leap.simple(lambdas, corrector)
        } else {
            leap.weights(lambdas)
        };
        for (weight, prediction) in weights[..order].iter().rev().zip(&self.predictions) {
            let weight = *weight as f32;
            map(x, prediction, |x, prediction| x + weight * prediction);
        }
    }

    /// Orders of predictor and corrector at a step; towards a zero sigma they fall.
    fn orders(&self, sigmas: &[f32], index: usize) -> (usize, usize) {
        let settings = self.settings;
        let mut predictor = settings.predictor_order.clamp(1, MAX_ORDER).min(self.known);
        let mut corrector = settings.corrector_order.min(MAX_ORDER).min(self.known);
        if index == 0 || (sigmas[index + 1] == 0.0 && !settings.pece) {
            corrector = 0;
        }
        if sigmas.last() == Some(&0.0) {
            let left = sigmas.len() - 1 - index;
            predictor = predictor.min(left - 1);
            corrector = corrector.min(left);
        }
        (predictor, corrector)
    }
}

/// A list that does not end with zero gives the corrected latents of the sigma before its last, as the reference does: its
/// last prediction stays unused.
pub(super) fn sa_solver<D: Denoiser>(
    frame: &mut Frame<'_, D>,
    x: &mut [f32],
    work: &mut [f32],
    settings: &SaSolver,
) -> Outcome<D> {
    let len = x.len();
    let (predicted, work) = work.split_at_mut(len);
    let (noise, work) = work.split_at_mut(len);
    let most = settings.predictor_order.max(settings.corrector_order).max(1);
    let sigmas = frame.sigmas;
    let mut run = Run {
        settings,
        lambdas: sigmas.iter().map(|&sigma| lambda(sigma)).collect(),
        predictions: history(work, len, most),
        known: 0,
    };
    let high = frame.model.percent_to_sigma(settings.start_percent);
    let low = frame.model.percent_to_sigma(settings.end_percent);
    let tau = |sigma: f32| {
        let inside = (low..=high).contains(&f64::from(sigma));
        if inside { settings.eta.max(0.0) as f32 } else { 0.0 }
    };
    let mut leap = Leap { from: 0.0, to: 0.0, tau: 0.0 };
    predicted.copy_from_slice(x);
    for index in 0..frame.steps() {
        let (sigma, next) = frame.pair(index);
        run.predictions.rotate_right(1);
        frame.predict(index, predicted, run.predictions[0])?;
        run.known = (run.known + 1).min(most);
        let (predictor, corrector) = run.orders(sigmas, index);
        let noisy = |leap: Leap| leap.tau > 0.0 && settings.s_noise > 0.0;
        if corrector == 0 {
            x.copy_from_slice(predicted);
        } else {
            let keep = sigma / sigmas[index - 1] * leap.keep();
            x.iter_mut().for_each(|x| *x *= keep);
            run.add(x, leap, index, corrector, true);
            if noisy(leap) {
                map(x, noise, |x, noise| x + noise);
            }
            if settings.pece {
                frame.denoise(x, sigma, run.predictions[0])?;
            }
        }
        if next == 0.0 {
            x.copy_from_slice(run.predictions[0]);
            predicted.copy_from_slice(x);
            continue;
        }
        leap = Leap { from: run.lambdas[index], to: run.lambdas[index + 1], tau: tau(next) };
        let keep = next / sigma * leap.keep();
        map(predicted, x, |_, x| keep * x);
        run.add(predicted, leap, index, predictor, false);
        if noisy(leap) {
            frame.draw(sigma, next, noise);
            let scale = next * deviation(leap.tau * leap.tau * leap.h());
            let s_noise = settings.s_noise as f32;
            noise.iter_mut().for_each(|noise| *noise = *noise * scale * s_noise);
            map(predicted, noise, |predicted, noise| predicted + noise);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_integrate_polynomials() {
        let leap = Leap { from: 0.5, to: 1.25, tau: 0.5 };
        let lambdas = [-1.0, 0.0, 0.5];
        let weights = leap.weights(&lambdas);
        let rate = 1.25f64;
        for p in 0..3 {
            let got: f64 =
                weights[..3].iter().zip(lambdas).map(|(weight, at)| weight * f64::from(at).powi(p)).sum();
            let steps = 100_000;
            let width = 0.75 / f64::from(steps);
            let want: f64 = (0..steps)
                .map(|i| 0.5 + width * (f64::from(i) + 0.5))
                .map(|s| rate * (-rate * (1.25 - s)).exp() * s.powi(p) * width)
                .sum();
            assert!((got - want).abs() < 1e-8, "p = {p}: {got} {want}");
        }
    }
}
