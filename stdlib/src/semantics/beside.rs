//! What a model reads in channels behind those of the latent: a mask and a picture to paint into, or a picture to edit.

use floe_formats::UnetFacts;

use super::{Attribute, Scratch, SemanticError, differs};
use crate::data::Entry;
use crate::facts::{Scalar, Size};

/// What a model reads beside latents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beside {
    /// A mask, and the picture outside of it as a latent (inpainting).
    MaskAndPicture,
    /// A picture as a latent (InstructPix2Pix).
    Picture,
}

impl Beside {
    /// By the channels of a U-Net.
    ///
    /// # Errors
    /// The number of further channels, where no known model has so many.
    pub(super) fn of(facts: &UnetFacts) -> Result<Option<Beside>, usize> {
        match facts.in_channels.saturating_sub(facts.out_channels) {
            0 => Ok(None),
            more if more == facts.out_channels => Ok(Some(Beside::Picture)),
            more if more == facts.out_channels + 1 => Ok(Some(Beside::MaskAndPicture)),
            more => Err(more),
        }
    }

    /// What the kernel is told.
    pub(super) fn attribute(self) -> Attribute {
        let text = match self {
            Beside::MaskAndPicture => "mask and picture",
            Beside::Picture => "picture",
        };
        Attribute::One(Scalar::String(text.to_owned()))
    }

    /// Working memory: what each of `prompts` has beside the latents of `[batch, channels, height, width]`, and latents
    /// with it, so many as an execution takes.
    pub(super) fn scratch(
        self,
        prompts: usize,
        items: usize,
        [batch, channels, height, width]: [usize; 4],
    ) -> [Scratch; 2] {
        let more = channels + usize::from(self == Beside::MaskAndPicture);
        let shape = |shape: &[usize]| shape.iter().copied().map(Some).collect::<Vec<Size>>();
        [
            Scratch { name: "beside", shape: shape(&[prompts, batch, more, height, width]) },
            Scratch { name: "joined", shape: shape(&[items, channels + more, height, width]) },
        ]
    }
}

/// A picture that the model reads must be a latent of its kind.
pub(super) fn fits(entry: &Entry, input: &'static str, channels: usize) -> Result<(), SemanticError> {
    let picture = entry.tensors.get("concat_latent_image").and_then(|shape| shape.get(1).copied().flatten());
    match differs(picture, Some(channels)) {
        None => Ok(()),
        Some((picture, channels)) => Err(SemanticError::Facet {
            input,
            reason: format!(
                "a picture of {picture} channels comes with this prompt, the model reads {channels}"
            ),
            help: "prepare the prompt with the VAE of the model that reads it".to_owned(),
        }),
    }
}
