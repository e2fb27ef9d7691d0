//! UniPC: a predictor of order 3 whose corrector uses the next prediction, so that it costs no call.
//!
//! Source: W. Zhao et al., "UniPC: A Unified Predictor-Corrector Framework for Fast Sampling of Diffusion Models" (2023),
//! algorithms 1 and 2 with B(h) = h (bh1) or e^h - 1 (bh2), in the prediction without noise. A last sigma of zero is
//! taken as 0.001.

use super::adams::history;
use super::math::{exp, expm1, ln, solve};
use super::{Denoiser, Frame, Outcome, SampleError, Step};

/// Highest order.
const ORDER: usize = 3;
/// What a last sigma of zero is taken as.
const LAST_SIGMA: f32 = 0.001;

/// A noise level of the variance-preserving process.
#[derive(Debug, Clone, Copy)]
struct Level {
    sigma: f32,
    lambda: f32,
    /// Noise over signal; sigma but for rounding, which small sigmas show.
    ratio: f32,
}

impl Level {
    fn new(sigma: f32) -> Level {
        let log_alpha = 0.5 * ln(1.0 / (sigma * sigma + 1.0));
        let variance = 1.0 - exp(2.0 * log_alpha);
        Level { sigma, lambda: log_alpha - 0.5 * ln(variance), ratio: variance.sqrt() / exp(log_alpha) }
    }
}

/// A step: weights of the newest prediction and of the differences to older ones.
struct Leap {
    /// What `x` is multiplied by.
    keep: f32,
    /// `e^-h - 1`.
    phi_1: f32,
    /// B(h).
    b: f32,
    /// Distances of older predictions in units of the step, negative; 1 for the one to come.
    distances: [f64; ORDER],
    moments: [f64; ORDER],
    order: usize,
}

impl Leap {
    /// From the newest of `before`, the newest first, to `to`.
    fn new(before: &[Level], to: Level, order: usize, bh2: bool) -> Leap {
        let h = to.lambda - before[0].lambda;
        let mut distances = [1.0; ORDER];
        for (distance, older) in distances[..order - 1].iter_mut().zip(&before[1..]) {
            *distance = f64::from((older.lambda - before[0].lambda) / h);
        }
        let hh = f64::from(-h);
        let phi_1 = libm::expm1(hh);
        let b = if bh2 { phi_1 } else { hh };
        // phi_k for k = 2, 3, …, times its factorial, over B(h).
        let (mut phi, mut factorial) = (phi_1 / hh - 1.0, 1.0);
        let moments = std::array::from_fn(|i| {
            let moment = phi * factorial / b;
            factorial *= (i + 2) as f64;
            phi = phi / hh - 1.0 / factorial;
            moment
        });
        Leap { keep: to.ratio / before[0].ratio, phi_1: expm1(-h), b: b as f32, distances, moments, order }
    }

    /// Weights of the differences over their distances, from the first `count` distances and moments.
    fn solved(&self, distances: &[f64]) -> [f32; ORDER] {
        let count = distances.len();
        let mut matrix = [[0.0; ORDER]; ORDER];
        for (power, row) in matrix[..count].iter_mut().enumerate() {
            for (value, &distance) in row.iter_mut().zip(distances) {
                *value = libm::pow(distance, power as f64);
            }
        }
        let mut weights = self.moments;
        solve(&mut matrix, &mut weights, count);
        weights.map(|weight| weight as f32)
    }

    /// Weights of the predictor: of older predictions only.
    fn predictor(&self) -> [f32; ORDER] {
        match self.order {
            1 => [0.0; ORDER],
            2 => [0.5, 0.0, 0.0],
            order => self.solved(&self.distances[..order - 1]),
        }
    }

    /// Weights of the corrector; that of the prediction to come is the last of the order's.
    fn corrector(&self) -> [f32; ORDER] {
        if self.order == 1 {
            return [0.5, 0.0, 0.0];
        }
        let mut all = [1.0; ORDER];
        all[..self.order - 1].copy_from_slice(&self.distances[..self.order - 1]);
        self.solved(&all[..self.order])
    }

    /// The step without differences, less the weighted differences of older predictions to the newest.
    fn advance(&self, x: &mut [f32], predictions: &[&mut [f32]], weights: [f32; ORDER]) {
        let newest = &predictions[0];
        for (i, x) in x.iter_mut().enumerate() {
            let mut sum = 0.0;
            for (k, older) in predictions[1..self.order].iter().enumerate() {
                sum += weights[k] * ((older[i] - newest[i]) / self.distances[k] as f32);
            }
            *x = self.keep * *x - self.phi_1 * newest[i] - self.b * sum;
        }
    }
}

pub(super) fn uni_pc<D: Denoiser>(
    frame: &mut Frame<'_, D>,
    x: &mut [f32],
    work: &mut [f32],
    bh2: bool,
) -> Outcome<D> {
    let steps = frame.steps();
    let mut levels: Vec<Level> = frame.sigmas.iter().map(|&sigma| Level::new(sigma)).collect();
    if frame.sigmas[steps] == 0.0 {
        levels[steps] = Level::new(LAST_SIGMA);
    }
    if levels.iter().any(|level| !level.lambda.is_finite()) {
        return Err(SampleError::Sigmas("UniPC needs sigmas above zero"));
    }
    let mut buffers = history(work, x.len(), ORDER + 2);
    let Some(ahead) = buffers.pop() else { return Ok(()) };
    // The newest first; the last one is free for the next.
    let predictions = &mut buffers;
    frame.predict(0, x, predictions[0])?;
    if steps == 1 {
        return only_step(x, &levels);
    }
    let top = ORDER.min(steps - 1);
    for index in 1..=steps {
        let known = index.min(top);
        let order = if index < top { known } else { known.min(steps + 1 - index) };
        let before: Vec<Level> = levels[index - known..index].iter().rev().copied().collect();
        let leap = Leap::new(&before, levels[index], order, bh2);
        ahead.copy_from_slice(x);
        leap.advance(ahead, predictions, leap.predictor());
        if index == steps {
            x.copy_from_slice(ahead);
            break;
        }
        predictions.rotate_right(1);
        let sigma = levels[index].sigma;
        frame.denoise(ahead, sigma, predictions[0])?;
        frame.report(Step { index, count: steps, sigma, x: ahead, denoised: predictions[0] })?;
        let weights = leap.corrector();
        leap.advance(x, &predictions[1..], weights);
        let weight = leap.b * weights[order - 1];
        for ((x, new), newest) in x.iter_mut().zip(&*predictions[0]).zip(&*predictions[1]) {
            *x -= weight * (new - newest);
        }
    }
    Ok(())
}

/// With a single step the method has order 0: the reference gives the noisy latents, scaled to the process.
fn only_step<E>(x: &mut [f32], levels: &[Level]) -> Result<(), SampleError<E>> {
    let scale = |level: Level| (level.sigma * level.sigma + 1.0).sqrt();
    let scale = scale(levels[1]) / scale(levels[0]);
    x.iter_mut().for_each(|x| *x *= scale);
    Ok(())
}
