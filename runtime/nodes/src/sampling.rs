//! Samplers and the arithmetic around them: noise scaling, guidance, eps and v to denoised.
//!
//! Source: T. Karras et al., "Elucidating the Design Space of Diffusion-Based Generative Models" (2022);
//! J. Ho and T. Salimans, "Classifier-Free Diffusion Guidance" (2022); T. Salimans and J. Ho,
//! "Progressive Distillation" (2022) for v. Everything works value by value in f32, in the order
//! written here, on buffers of the caller.

use std::ops::ControlFlow;

use thiserror::Error;

/// A network with guidance around it: noisy latents in, latents without noise out.
pub trait Denoiser {
    /// Why a call may fail.
    type Error;

    /// Writes to `out` what is left of `x` when noise of standard deviation `sigma` is taken away.
    /// `x` and `out` have the same length; `out` holds the result of an earlier call or anything else.
    ///
    /// # Errors
    /// Whatever the implementation fails with; the sampler stops and passes it on.
    fn denoise(&mut self, x: &[f32], sigma: f32, out: &mut [f32]) -> Result<(), Self::Error>;
}

/// A sampler that did not reach the end.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SampleError<E> {
    /// The denoiser failed.
    #[error("the model failed: {0}")]
    Denoiser(E),
    /// The callback asked to stop.
    #[error("cancelled at step {step}")]
    Stopped {
        /// Index of the step that was not finished.
        step: usize,
    },
    /// The working memory holds another number of values.
    #[error("the latent has {latent} values, the working memory {workspace}")]
    Workspace {
        /// Values of the latent.
        latent: usize,
        /// Values of the working memory.
        workspace: usize,
    },
}

/// What a step's callback is shown, after the model ran and before `x` moves.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// From 0.
    pub index: usize,
    /// Number of steps of the run.
    pub count: usize,
    /// Noise of `x`.
    pub sigma: f32,
    /// The noisy latents of this step.
    pub x: &'a [f32],
    /// The model's estimate of the latents without noise.
    pub denoised: &'a [f32],
}

/// Euler's method from `sigmas[0]` down to the last sigma (Karras et al., algorithm 2 without churn).
///
/// `x` holds the noisy latents and becomes the result; one model call per pair of neighbours in
/// `sigmas`, which descend and stay above 0 but for the last one. Fewer than two sigmas change nothing.
/// `denoised` is working memory of the length of `x`; nothing is allocated. `on_step` may stop the run with `ControlFlow::Break`.
///
/// # Errors
/// [`SampleError::Denoiser`] and [`SampleError::Stopped`], both with `x` as it was before that step;
/// [`SampleError::Workspace`] before anything ran.
pub fn euler<D: Denoiser>(
    denoiser: &mut D,
    sigmas: &[f32],
    x: &mut [f32],
    denoised: &mut [f32],
    mut on_step: impl FnMut(&Step<'_>) -> ControlFlow<()>,
) -> Result<(), SampleError<D::Error>> {
    if denoised.len() != x.len() {
        return Err(SampleError::Workspace { latent: x.len(), workspace: denoised.len() });
    }
    let count = sigmas.len().saturating_sub(1);
    for (index, pair) in sigmas.windows(2).enumerate() {
        let (sigma, next) = (pair[0], pair[1]);
        denoiser.denoise(x, sigma, denoised).map_err(SampleError::Denoiser)?;
        if on_step(&Step { index, count, sigma, x, denoised }).is_break() {
            return Err(SampleError::Stopped { step: index });
        }
        let dt = next - sigma;
        for (value, &clean) in x.iter_mut().zip(denoised.iter()) {
            *value += (*value - clean) / sigma * dt;
        }
    }
    Ok(())
}

/// Whether the first sigma means full noise: above the model's highest, or within 1e-5 of it.
#[must_use]
pub fn is_max_denoise(first_sigma: f32, sigma_max: f32) -> bool {
    let (first, max) = (f64::from(first_sigma), f64::from(sigma_max));
    first > max || (first - max).abs() <= 1e-5 * first.abs().max(max.abs())
}

/// Turns unit noise into a noisy latent in place: `noise * sqrt(1 + sigma^2) + latent` from full noise
/// (`max_denoise`), `noise * sigma + latent` otherwise; the same for eps and v models. `latent` is
/// already multiplied by the model's scale factor. Of different lengths, the shorter counts.
pub fn scale_noise(noise: &mut [f32], latent: &[f32], sigma: f32, max_denoise: bool) {
    let scale = if max_denoise { (1.0 + sigma * sigma).sqrt() } else { sigma };
    for (value, &latent) in noise.iter_mut().zip(latent) {
        *value = *value * scale + latent;
    }
}

/// Scales noisy latents to unit variance for the network: `x / sqrt(sigma^2 + 1)`, for eps and v.
pub fn scale_input(x: &[f32], sigma: f32, out: &mut [f32]) {
    let divisor = (sigma * sigma + 1.0).sqrt();
    for (out, &x) in out.iter_mut().zip(x) {
        *out = x / divisor;
    }
}

/// The network's eps becomes the denoised latent in place: `x - eps * sigma`.
pub fn eps_to_denoised(x: &[f32], sigma: f32, output: &mut [f32]) {
    for (value, &x) in output.iter_mut().zip(x) {
        *value = x - *value * sigma;
    }
}

/// The network's v becomes the denoised latent in place: `x / (sigma^2 + 1) - v * sigma / sqrt(sigma^2 + 1)`.
pub fn v_to_denoised(x: &[f32], sigma: f32, output: &mut [f32]) {
    let square = sigma * sigma + 1.0;
    let root = square.sqrt();
    for (value, &x) in output.iter_mut().zip(x) {
        *value = x / square - *value * sigma / root;
    }
}

/// Classifier-free guidance in place: `cond` becomes `uncond + (cond - uncond) * cfg`.
pub fn guide(cond: &mut [f32], uncond: &[f32], cfg: f32) {
    for (cond, &uncond) in cond.iter_mut().zip(uncond) {
        *cond = uncond + (*cond - uncond) * cfg;
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use floe_testing::{assert_close, tensors};

    /// The reference's denoiser: exact for data of variance 0.49 around 0.3.
    struct Analytic;

    impl Denoiser for Analytic {
        type Error = Infallible;

        fn denoise(&mut self, x: &[f32], sigma: f32, out: &mut [f32]) -> Result<(), Infallible> {
            let square = sigma * sigma;
            out.iter_mut().zip(x).for_each(|(out, x)| *out = (0.49 * x + 0.3 * square) / (0.49 + square));
            Ok(())
        }
    }

    #[test]
    fn euler_component() {
        let inputs = tensors("parity/dev/components/sampler_analytic_euler/inputs.safetensors");
        let want = tensors("parity/dev/components/sampler_analytic_euler/expected.safetensors");
        for key in ["a", "b"] {
            let mut x = inputs[&format!("{key}.x")].1.clone();
            let (mut xs, mut denoised) = (Vec::new(), Vec::new());
            let mut workspace = vec![0.0; x.len()];
            euler(&mut Analytic, &inputs[&format!("{key}.sigmas")].1, &mut x, &mut workspace, |step| {
                xs.extend_from_slice(step.x);
                denoised.extend_from_slice(step.denoised);
                ControlFlow::Continue(())
            })
            .expect("runs");
            for (name, got) in [("final", &x), ("x_at_callback", &xs), ("denoised_at_callback", &denoised)] {
                let name = format!("{key}.{name}");
                assert_close(&name, got, &want[&name].1, 1e-6, 0.0);
            }
        }
    }

    #[test]
    fn a_stop_leaves_x_before_the_step() {
        let mut x = vec![2.0; 4];
        let mut workspace = vec![0.0; 4];
        let mut at_stop = vec![];
        let result = euler(&mut Analytic, &[4.0, 2.0, 1.0, 0.0], &mut x, &mut workspace, |step| {
            at_stop = step.x.to_vec();
            if step.index == 1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!(result, Err(SampleError::Stopped { step: 1 }));
        assert_eq!(x, at_stop);
        assert!(x[0] != 2.0);
        let result = euler(&mut Analytic, &[1.0, 0.0], &mut x, &mut [0.0; 3], |_| ControlFlow::Continue(()));
        assert_eq!(result, Err(SampleError::Workspace { latent: 4, workspace: 3 }));
    }

    #[test]
    fn a_last_step_to_zero_gives_the_denoised_latent() {
        let mut x = vec![1.5f32, -0.25];
        let mut denoised = vec![];
        euler(&mut Analytic, &[0.5, 0.0], &mut x, &mut [0.0; 2], |step| {
            denoised = step.denoised.to_vec();
            ControlFlow::Continue(())
        })
        .expect("runs");
        assert_close("last step", &x, &denoised, 1e-6, 0.0);
    }

    #[test]
    fn eps_and_v_agree_on_an_exact_prediction() {
        let (clean, noise, sigma) = (0.7f32, -1.3f32, 2.5f32);
        let x = [clean + sigma * noise];
        let mut eps = [noise];
        eps_to_denoised(&x, sigma, &mut eps);
        let root = (sigma * sigma + 1.0).sqrt();
        let mut v = [(noise - sigma * clean) / root];
        v_to_denoised(&x, sigma, &mut v);
        assert!((eps[0] - clean).abs() < 1e-6 && (v[0] - clean).abs() < 1e-6);
        assert!(is_max_denoise(14.614_642, 14.614_641) && is_max_denoise(14.6145, 14.614_641));
        assert!(!is_max_denoise(14.61, 14.614_641));
        let mut noise = [1.0];
        scale_noise(&mut noise, &[0.5], 3.0, false);
        assert_eq!(noise, [3.5]);
        let mut cond = [2.0];
        guide(&mut cond, &[1.0], 7.5);
        assert_eq!(cond, [8.5]);
    }
}
