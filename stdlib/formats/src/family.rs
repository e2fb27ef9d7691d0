//! Which family of models a file belongs to, told by structure (key names, presence, ranks), never by widths:
//! a miniature with the layout of a Stable Diffusion 1 checkpoint *is* one.

use std::fmt;

use crate::{FormatError, Header};

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

const UNET: &str = "model.diffusion_model.";
const VAE: &str = "first_stage_model.";
const CLIP_L: &str = "cond_stage_model.transformer.text_model.";
const OPEN_CLIP_H: &str = "cond_stage_model.model.";
const SDXL_G: &str = "conditioner.embedders.1.model.";
const REFINER_G: &str = "conditioner.embedders.0.model.";

/// Tells the family and layout of a checkpoint from its tensors' names and ranks.
///
/// # Errors
/// If the tensors fit no family that Floe knows.
pub fn detect(header: &Header) -> Result<Layout, FormatError> {
    let unknown = || FormatError::UnknownFamily {
        tensors: header.tensors.len(),
        first: header.tensors.keys().next().cloned().unwrap_or_default(),
    };
    if !header.has("model.diffusion_model.input_blocks.0.0.weight") {
        return Err(unknown());
    }
    let (family, clip) = if header.has("model.diffusion_model.label_emb.0.0.weight") {
        if header.has_prefix(SDXL_G) { (Family::Sdxl, SDXL_G) } else { (Family::SdxlRefiner, REFINER_G) }
    } else {
        // SD1 projects into its transformers by 1x1 convolutions (rank 4), SD2 by linear layers (rank 2).
        let proj_in = header
            .tensors
            .iter()
            .find(|(name, _)| name.starts_with(UNET) && name.ends_with(".proj_in.weight"));
        match proj_in.map(|(_, info)| info.shape.len()) {
            Some(4) => (Family::Sd1, CLIP_L),
            Some(2) => (Family::Sd2, OPEN_CLIP_H),
            _ => return Err(unknown()),
        }
    };
    let present = |prefix: &'static str| header.has_prefix(prefix).then_some(prefix);
    Ok(Layout { family, model: UNET, clip: present(clip), vae: present(VAE) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DType, TensorInfo};

    fn header(tensors: &[(&str, usize)]) -> Header {
        let info = |rank| TensorInfo { dtype: DType::F16, shape: vec![8; rank], start: 0, bytes: 0 };
        Header {
            tensors: tensors.iter().map(|&(name, rank)| (name.to_owned(), info(rank))).collect(),
            hash: String::new(),
            file_bytes: 0,
        }
    }

    const CONV_IN: (&str, usize) = ("model.diffusion_model.input_blocks.0.0.weight", 4);

    #[test]
    fn families_differ_by_structure_not_by_width() {
        let proj_in = "model.diffusion_model.middle_block.1.proj_in.weight";
        let clip = "cond_stage_model.transformer.text_model.final_layer_norm.weight";
        let sd1 = detect(&header(&[CONV_IN, (proj_in, 4), (clip, 1)])).unwrap();
        assert_eq!((sd1.family, sd1.prefix(Part::Clip), sd1.vae), (Family::Sd1, Some(CLIP_L), None));
        assert_eq!(detect(&header(&[CONV_IN, (proj_in, 2)])).unwrap().family, Family::Sd2);
        let label = ("model.diffusion_model.label_emb.0.0.weight", 2);
        assert_eq!(detect(&header(&[CONV_IN, label])).unwrap().family, Family::SdxlRefiner);
        let text = ("conditioner.embedders.1.model.ln_final.weight", 1);
        assert_eq!(detect(&header(&[CONV_IN, label, text])).unwrap().family, Family::Sdxl);
    }

    #[test]
    fn a_lora_is_not_a_checkpoint() {
        let error = detect(&header(&[("lora_te_text_model.alpha", 0)])).unwrap_err();
        assert_eq!(
            error,
            FormatError::UnknownFamily { tensors: 1, first: "lora_te_text_model.alpha".to_owned() }
        );
    }
}
