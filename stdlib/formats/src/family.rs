//! Families of models.

use std::fmt;

/// A family of models whose parts fit one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Stable Diffusion 1.x: CLIP-L, convolutions around the transformers, eight heads.
    Sd1,
    /// Stable Diffusion 2.x: OpenCLIP-H, linear projections, heads of 64.
    Sd2,
    /// Stable Diffusion XL base.
    Sdxl,
    /// Stable Diffusion XL refiner.
    SdxlRefiner,
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Family::Sd1 => "sd1",
            Family::Sd2 => "sd2",
            Family::Sdxl => "sdxl",
            Family::SdxlRefiner => "sdxl-refiner",
        })
    }
}

impl Family {
    /// What latents are multiplied with before the denoising network sees them, and divided by after, so that they have
    /// about unit variance (Rombach et al. 2022; Podell et al. 2023).
    pub fn latent_scale(self) -> f64 {
        match self {
            Family::Sd1 | Family::Sd2 => 0.18215,
            Family::Sdxl | Family::SdxlRefiner => 0.13025,
        }
    }
}
