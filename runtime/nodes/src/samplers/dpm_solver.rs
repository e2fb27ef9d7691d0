//! DPM-Solver with a budget of model calls, and with step sizes by the error.
//!
//! Source: C. Lu et al., "DPM-Solver: A Fast ODE Solver for Diffusion Probabilistic Model Sampling" (2022), algorithms 1
//! and 2 and appendix C; the controller is that of G. Soderlind, "Digital filters in adaptive time-stepping" (2003).

use floe_nets::sampling::AdaptiveSteps;

use super::math::{add_noise, ancestral_step, expm1, lambda, map2, map3, sigma, to_direction};
use super::{Denoiser, Frame, Fresh, Outcome, SampleError, Step, buffers};
use crate::schedule::linspace;

/// The ends in lambda: from the first sigma to the last above zero.
fn ends<D: Denoiser>(frame: &Frame<'_, D>) -> Result<(f32, f32), SampleError<D::Error>> {
    let last = frame.sigmas.len() - 1;
    let low = if frame.sigmas[last] == 0.0 { frame.sigmas[last - 1] } else { frame.sigmas[last] };
    let (start, end) = (lambda(frame.sigmas[0]), lambda(low));
    if start.is_finite() && end.is_finite() {
        Ok((start, end))
    } else {
        Err(SampleError::Sigmas("DPM-Solver needs sigmas above zero"))
    }
}

/// Noise of an ancestral step in lambda: where it goes down to, and the deviation of what is added.
fn split(from: f32, to: f32, end: f32, eta: f64) -> (f32, f32) {
    if eta == 0.0 {
        return (to, 0.0);
    }
    let down = end.min(lambda(ancestral_step(sigma(from), sigma(to), eta).0));
    let (to, low) = (sigma(to), sigma(down));
    (down, (to * to - low * low).max(0.0).sqrt())
}

/// The direction at `x`, that is the noise in it, at a lambda.
fn direction<D: Denoiser>(frame: &mut Frame<'_, D>, x: &[f32], at: f32, out: &mut [f32]) -> Outcome<D> {
    frame.denoise(x, sigma(at), out)?;
    to_direction(out, x, sigma(at));
    Ok(())
}

/// A step from one lambda over `h` to another, with the direction at its beginning in hand. `h` is kept beside its end:
/// the error that chooses the next step is a small difference, in which the rounding of sums would show.
#[derive(Clone, Copy)]
struct Leap {
    from: f32,
    h: f32,
    to: f32,
}

impl Leap {
    fn between(from: f32, to: f32) -> Leap {
        Leap { from, h: to - from, to }
    }

    /// Share `r` of the way.
    fn part(self, r: f32) -> Leap {
        let h = r * self.h;
        Leap { from: self.from, h, to: self.from + h }
    }

    /// What the direction counts: `sigma(to) (e^h - 1)`.
    fn weight(self) -> f32 {
        sigma(self.to) * expm1(self.h)
    }

    /// First order.
    fn one(self) -> impl Fn(f32, f32) -> f32 {
        let weight = self.weight();
        move |x, eps| x - weight * eps
    }

    /// Second order, from the direction at share `r`.
    fn two(self, r: f32) -> impl Fn(f32, f32, f32) -> f32 {
        let (weight, change) = (self.weight(), sigma(self.to) / (2.0 * r) * expm1(self.h));
        move |x, eps, eps_r| x - weight * eps - change * (eps_r - eps)
    }

    /// Third order, from the direction at share `r` of the step, or at share `r` of a longer one of which this is a part.
    fn three(self, r: f32) -> impl Fn(f32, f32, f32) -> f32 {
        let (weight, change) = (self.weight(), sigma(self.to) / r * (expm1(self.h) / self.h - 1.0));
        move |x, eps, eps_r| x - weight * eps - change * (eps_r - eps)
    }
}

/// `steps` model calls in all, in steps of order 3 with a rest of lower order.
pub(super) fn fast<D: Denoiser>(
    frame: &mut Frame<'_, D>,
    x: &mut [f32],
    work: &mut [f32],
    fresh: Fresh,
) -> Outcome<D> {
    let (start, end) = ends(frame)?;
    let calls = frame.steps();
    let count = calls / 3 + 1;
    let times: Vec<f32> = linspace(start, end, count + 1).collect();
    for index in 0..count {
        let order = match (calls % 3, count - index) {
            (0, 1) => 1,
            (0, 2) => 2,
            (rest, 1) => rest,
            _ => 3,
        };
        let (from, to) = (times[index], times[index + 1]);
        let (down, up) = split(from, to, end, fresh.eta);
        fast_step(frame, x, work, Leap::between(from, down), (order, index, count))?;
        if fresh.any() {
            let [noise] = buffers(work, x.len());
            frame.draw(sigma(from), sigma(to), noise);
            add_noise(x, noise, fresh.scale(), up);
        }
    }
    Ok(())
}

fn fast_step<D: Denoiser>(
    frame: &mut Frame<'_, D>,
    x: &mut [f32],
    work: &mut [f32],
    leap: Leap,
    (order, index, count): (usize, usize, usize),
) -> Outcome<D> {
    let [eps, ahead, eps_1, other] = buffers(work, x.len());
    let sigma = sigma(leap.from);
    frame.denoise(x, sigma, other)?;
    frame.report(Step { index, count, sigma, x, denoised: other })?;
    map2(eps, x, other, |_, x, denoised| (x - denoised) / sigma);
    if order == 1 {
        let f = leap.one();
        super::math::map(x, eps, f);
        return Ok(());
    }
    let r_1 = if order == 2 { 0.5 } else { 1.0 / 3.0 };
    let part = leap.part(r_1);
    let f = part.one();
    map2(ahead, x, eps, |_, x, eps| f(x, eps));
    direction(frame, ahead, part.to, eps_1)?;
    if order == 2 {
        map2(x, eps, eps_1, leap.two(r_1));
        return Ok(());
    }
    third_direction(frame, x, leap, [eps, ahead, eps_1, other])?;
    map2(x, eps, other, leap.three(R_2));
    Ok(())
}

/// Where the third direction of a step is taken.
const R_2: f32 = 2.0 / 3.0;

/// The direction at two thirds of a step, to the last buffer; the second is overwritten.
fn third_direction<D: Denoiser>(
    frame: &mut Frame<'_, D>,
    x: &[f32],
    leap: Leap,
    [eps, ahead, eps_1, out]: [&mut [f32]; 4],
) -> Outcome<D> {
    let part = leap.part(R_2);
    // The first direction was taken at half of this part.
    let f = part.three(0.5);
    map3(ahead, [x, eps, eps_1], |_, x, eps, eps_1| f(x, eps, eps_1));
    direction(frame, ahead, part.to, out)
}

/// Chooses step sizes: two solutions of neighbouring order are compared.
pub(super) fn adaptive<D: Denoiser>(
    frame: &mut Frame<'_, D>,
    x: &mut [f32],
    work: &mut [f32],
    settings: &AdaptiveSteps,
) -> Outcome<D> {
    let (start, end) = ends(frame)?;
    let fresh = Fresh { eta: settings.eta, s_noise: settings.s_noise };
    let (rest, before) = work.split_at_mut(4 * x.len());
    let before = &mut before[..x.len()];
    before.copy_from_slice(x);
    let mut control = Controller::new(settings);
    let mut at = start;
    let mut index = 0;
    while at < end - 1e-5 {
        let to = end.min(at + control.h as f32);
        if to <= at || index == MOST_STEPS {
            return Err(SampleError::Sigmas("the adaptive sampler makes no way: allow a larger error"));
        }
        let (down, up) = split(at, to, end, fresh.eta);
        let leap = Leap::between(at, down);
        let error = try_step(frame, x, before, rest, leap, settings)?;
        let kept = control.judge(error);
        let [eps, denoised, eps_1, eps_2] = buffers(rest, x.len());
        let noise = sigma(at);
        map2(denoised, x, eps, |_, x, eps| x - noise * eps);
        if kept {
            keep(x, before, [eps, eps_1, eps_2], leap, settings.order);
            if fresh.any() {
                frame.draw(noise, sigma(to), eps);
                add_noise(x, eps, fresh.scale(), up);
            }
            at = to;
        }
        let share = ((at - start) / (end - start)).max(f32::MIN_POSITIVE);
        let count = (((index + 1) as f32 / share).round() as usize).clamp(index + 1, MOST_STEPS);
        frame.report(Step { index, count, sigma: sigma(at), x, denoised })?;
        index += 1;
    }
    Ok(())
}

/// Steps after which the adaptive sampler gives up.
const MOST_STEPS: usize = 100_000;

/// Asks the model for the directions of a step and gives the relative error of the lower order.
fn try_step<D: Denoiser>(
    frame: &mut Frame<'_, D>,
    x: &[f32],
    before: &[f32],
    rest: &mut [f32],
    leap: Leap,
    settings: &AdaptiveSteps,
) -> Result<f64, SampleError<D::Error>> {
    let [eps, ahead, eps_1, eps_2] = buffers(rest, x.len());
    direction(frame, x, leap.from, eps)?;
    let part = leap.part(first_share(settings.order));
    let f = part.one();
    map2(ahead, x, eps, |_, x, eps| f(x, eps));
    direction(frame, ahead, part.to, eps_1)?;
    let three = settings.order == 3;
    if three {
        third_direction(frame, x, leap, [&mut *eps, &mut *ahead, &mut *eps_1, &mut *eps_2])?;
    }
    let (low, high) = (lower(leap, settings.order), higher(leap, settings.order));
    let (atol, rtol) = (settings.atol as f32, settings.rtol as f32);
    let mut sum = 0.0f64;
    for i in 0..x.len() {
        let eps_2 = if three { eps_2[i] } else { 0.0 };
        let (low, high) = (low(x[i], eps[i], eps_1[i]), high(x[i], eps[i], eps_1[i], eps_2));
        let allowed = atol.max(rtol * low.abs().max(before[i].abs()));
        let error = f64::from((low - high) / allowed);
        sum += error * error;
    }
    Ok((sum / x.len() as f64).sqrt())
}

fn first_share(order: usize) -> f32 {
    if order == 3 { 1.0 / 3.0 } else { 0.5 }
}

/// The solution of lower order, from the directions of a step.
fn lower(leap: Leap, order: usize) -> impl Fn(f32, f32, f32) -> f32 {
    let (one, two) = (leap.one(), leap.two(first_share(order)));
    move |x, eps, eps_1| if order == 3 { two(x, eps, eps_1) } else { one(x, eps) }
}

/// The solution of higher order.
fn higher(leap: Leap, order: usize) -> impl Fn(f32, f32, f32, f32) -> f32 {
    let (two, three) = (leap.two(first_share(order)), leap.three(R_2));
    move |x, eps, eps_1, eps_2| if order == 3 { three(x, eps, eps_2) } else { two(x, eps, eps_1) }
}

/// Takes a step: `before` becomes the lower order, which the next error is measured against, `x` the higher.
fn keep(x: &mut [f32], before: &mut [f32], [eps, eps_1, eps_2]: [&mut [f32]; 3], leap: Leap, order: usize) {
    let (low, high) = (lower(leap, order), higher(leap, order));
    for i in 0..x.len() {
        let eps_2 = if order == 3 { eps_2[i] } else { 0.0 };
        before[i] = low(x[i], eps[i], eps_1[i]);
        x[i] = high(x[i], eps[i], eps_1[i], eps_2);
    }
}

/// A proportional-integral-derivative controller of the step size.
struct Controller {
    h: f64,
    weights: [f64; 3],
    /// Inverse errors, the newest first; none before the first step.
    inverse: Option<[f64; 3]>,
    accept_safety: f64,
}

impl Controller {
    fn new(settings: &AdaptiveSteps) -> Controller {
        let AdaptiveSteps { pcoeff, icoeff, dcoeff, .. } = *settings;
        let order = if settings.eta > 0.0 { 1.5 } else { settings.order as f64 };
        Controller {
            h: settings.h_init.abs(),
            weights: [(pcoeff + icoeff + dcoeff) / order, -(pcoeff + 2.0 * dcoeff) / order, dcoeff / order],
            inverse: None,
            accept_safety: settings.accept_safety,
        }
    }

    /// Changes the step size by an error; whether the step is kept.
    fn judge(&mut self, error: f64) -> bool {
        let newest = 1.0 / (error + 1e-8);
        let inverse = self.inverse.get_or_insert([newest; 3]);
        inverse[0] = newest;
        let factor: f64 =
            inverse.iter().zip(self.weights).map(|(inverse, weight)| libm::pow(*inverse, weight)).product();
        let factor = 1.0 + libm::atan(factor - 1.0);
        let kept = factor >= self.accept_safety;
        if kept {
            *inverse = [inverse[0], inverse[0], inverse[1]];
        }
        self.h *= factor;
        kept
    }
}
