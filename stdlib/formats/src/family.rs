//! Families of models, and the parts of checkpoints.

use std::fmt;

use crate::{Contents, FormatError, Header};

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

/// A part of a checkpoint that is loaded, kept and released by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The denoising network.
    Model,
    /// The text encoder.
    Clip,
    /// The image autoencoder.
    Vae,
}

impl Part {
    /// All parts of a checkpoint, in the order of the loader's outputs.
    pub const ALL: [Part; 3] = [Part::Model, Part::Clip, Part::Vae];

    /// The part with this [`Display`](fmt::Display) name.
    pub fn from_name(name: &str) -> Option<Part> {
        Part::ALL.into_iter().find(|part| part.to_string() == name)
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Model => "model",
            Part::Clip => "clip",
            Part::Vae => "vae",
        })
    }
}

/// What a single-file checkpoint holds, and under which key prefixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// The family.
    pub family: Family,
    /// Prefix of the denoising network's keys.
    pub model: &'static str,
    /// Prefix of the text encoder's keys, if it is in the file.
    pub clip: Option<&'static str>,
    /// Prefix of the autoencoder's keys, if it is in the file.
    pub vae: Option<&'static str>,
}

impl Layout {
    /// The key prefix of a part, if the file has it.
    pub fn prefix(&self, part: Part) -> Option<&'static str> {
        match part {
            Part::Model => Some(self.model),
            Part::Clip => self.clip,
            Part::Vae => self.vae,
        }
    }
}

/// The layout of a checkpoint whose networks have the names of latent diffusion.
///
/// # Errors
/// If the file is no such checkpoint; see [`Contents::of`].
pub fn detect(header: &Header) -> Result<Layout, FormatError> {
    const UNET: &str = "model.diffusion_model.";
    let contents = Contents::of(header)?;
    let family = contents.family().filter(|_| header.has_prefix(UNET));
    let family = family.ok_or_else(|| FormatError::UnknownFamily {
        tensors: header.tensors.len(),
        first: header.tensors.keys().next().cloned().unwrap_or_default(),
    })?;
    let clip = match family {
        Family::Sd1 => "cond_stage_model.transformer.text_model.",
        Family::Sd2 => "cond_stage_model.model.",
        Family::Sdxl => "conditioner.embedders.1.model.",
        Family::SdxlRefiner => "conditioner.embedders.0.model.",
    };
    let present = |prefix: &'static str| header.has_prefix(prefix).then_some(prefix);
    Ok(Layout { family, model: UNET, clip: present(clip), vae: present("first_stage_model.") })
}
