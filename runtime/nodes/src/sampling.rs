//! The arithmetic around samplers: noise scaling, guidance, and what a network predicts.
//!
//! Sources: T. Karras et al., "Elucidating the Design Space of Diffusion-Based Generative Models" (2022);
//! J. Ho and T. Salimans, "Classifier-Free Diffusion Guidance" (2022); T. Salimans and J. Ho,
//! "Progressive Distillation" (2022) for v; S. Luo et al., "Latent Consistency Models" (2023). Everything works value by
//! value in f32, in the order written here, on buffers of the caller.

use crate::schedule::ModelSampling;

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

/// What a network predicts, and so how its input is scaled and its output read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Prediction {
    /// The noise.
    Eps,
    /// A mixture of noise and latent (Salimans and Ho).
    V,
    /// The latent without noise.
    X0,
    /// The noise, read as a latent consistency model's: mixed with the input near the end.
    Consistency,
    /// A mixture of noise and latent of a standard deviation other than 1 (Karras et al., table 1).
    Edm {
        /// Standard deviation of the latents; 0.5 for the models there are.
        sigma_data: f32,
    },
}

impl Prediction {
    /// Scales noisy latents for the network.
    pub fn scale_input(self, x: &[f32], sigma: f32, out: &mut [f32]) {
        let Prediction::Edm { sigma_data } = self else { return scale_input(x, sigma, out) };
        let divisor = (sigma * sigma + sigma_data * sigma_data).sqrt();
        for (out, &x) in out.iter_mut().zip(x) {
            *out = x / divisor;
        }
    }

    /// The network's output becomes the denoised latent in place.
    pub fn to_denoised(self, model: &ModelSampling, x: &[f32], sigma: f32, output: &mut [f32]) {
        match self {
            Prediction::Eps => eps_to_denoised(x, sigma, output),
            Prediction::V => v_to_denoised(x, sigma, output),
            Prediction::X0 => {}
            Prediction::Consistency => consistency_to_denoised(x, sigma, model.timestep(sigma), output),
            Prediction::Edm { sigma_data } => edm_to_denoised(x, sigma, sigma_data, output),
        }
    }
}

fn consistency_to_denoised(x: &[f32], sigma: f32, timestep: f32, output: &mut [f32]) {
    const SIGMA_DATA: f32 = 0.5;
    const TIMESTEP_SCALE: f32 = 10.0;
    let time = timestep * TIMESTEP_SCALE;
    let square = time * time + SIGMA_DATA * SIGMA_DATA;
    let (skip, out) = (SIGMA_DATA * SIGMA_DATA / square, time / square.sqrt());
    for (value, &x) in output.iter_mut().zip(x) {
        *value = out * (x - *value * sigma) + skip * x;
    }
}

fn edm_to_denoised(x: &[f32], sigma: f32, sigma_data: f32, output: &mut [f32]) {
    let square = sigma * sigma + sigma_data * sigma_data;
    let (skip, out) = (sigma_data * sigma_data / square, sigma * sigma_data / square.sqrt());
    for (value, &x) in output.iter_mut().zip(x) {
        *value = x * skip + *value * out;
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
    use super::*;

    #[test]
    fn every_prediction_of_the_truth_gives_the_truth() {
        let (clean, noise, sigma) = (0.7f32, -1.3f32, 2.5f32);
        let model = ModelSampling::scaled_linear();
        let x = [clean + sigma * noise];
        let root = (sigma * sigma + 1.0).sqrt();
        let half = (sigma * sigma + 0.25).sqrt();
        for (prediction, value) in [
            (Prediction::Eps, noise),
            (Prediction::V, (noise - sigma * clean) / root),
            (Prediction::X0, clean),
            // Far from the end, the share of the input is below what f32 resolves.
            (Prediction::Consistency, noise),
            (
                Prediction::Edm { sigma_data: 0.5 },
                (clean - x[0] * 0.25 / (half * half)) * half / (sigma * 0.5),
            ),
        ] {
            let mut output = [value];
            prediction.to_denoised(&model, &x, sigma, &mut output);
            assert!((output[0] - clean).abs() < 1e-5, "{prediction:?} {output:?}");
        }
        let mut scaled = [0.0; 2];
        Prediction::Eps.scale_input(&[root], sigma, &mut scaled[..1]);
        Prediction::Edm { sigma_data: 0.5 }.scale_input(&[half], sigma, &mut scaled[1..]);
        assert_eq!(scaled, [1.0, 1.0]);
    }

    #[test]
    fn noise_and_guidance_are_scaled() {
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
