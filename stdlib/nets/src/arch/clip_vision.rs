//! CLIP's vision transformer (Dosovitskiy et al. 2020; Radford et al. 2021): a picture to one vector, and to one
//! vector per patch.

use super::clip::{EPSILON, Style, layer};
use crate::builder::{BuildError, Builder};
use crate::ir::{Activation, Element, OpKind};
use crate::weights::Weights;

/// Layers beyond which a model is OpenCLIP's H or G: 16 heads and GELU; L has 24 layers, H 32, G 48.
const LARGE: usize = 30;

/// The vision encoder for `batch` pictures, told by its layers which one it is.
///
/// Input: `image f32[batch, s, s, 3]`, normalised; `s` is the side that the positions of the file are for
/// ([`clip_vision_side`]). Outputs: `image_embeds f32[batch, d]`, the first token after the last norm, projected
/// where the file has a projection; `last_hidden_state` and `penultimate_hidden_states`
/// `f32[batch, 1 + patches, c]`, the states after the last layer and after the one before it.
///
/// # Errors
/// If a tensor is missing or does not fit.
pub fn clip_vision(mut b: Builder<'_>, batch: usize) -> Result<Builder<'_>, BuildError> {
    let weights = b.weights();
    let side = clip_vision_side(weights)?;
    let width = weights.dim("embeddings.class_embedding", 0)?;
    let layers = weights.count("encoder.layers.");
    let large = layers > LARGE;
    let style = Style {
        heads: if large { 16 } else { (width / 64).max(1) },
        causal: false,
        activation: if large { Activation::Gelu } else { Activation::QuickGelu },
    };
    let image = b.input("image", Element::F32, vec![batch, side, side, 3]);
    let patches = b.patches("embeddings.patch_embedding", image)?;
    let tokens = b.prepend_token("embeddings.class_embedding", patches)?;
    let x = b.add_position("embeddings.position_embedding.weight", tokens)?;
    // Spelt so in every published file.
    let mut x = b.layer_norm("pre_layrnorm", x, EPSILON)?;
    let mut penultimate = x;
    for index in 0..layers {
        penultimate = x;
        x = layer(&mut b, index, x, style)?;
    }
    let first = b.apply(OpKind::TakeToken { index: 0 }, &[x])?;
    let mut embeds = b.layer_norm("post_layernorm", first, EPSILON)?;
    if weights.has("visual_projection.weight") {
        embeds = b.linear("visual_projection", embeds)?;
    }
    b.output("image_embeds", embeds);
    b.output("last_hidden_state", x);
    b.output("penultimate_hidden_states", penultimate);
    Ok(b)
}

/// The side in pixels of the square pictures that a vision encoder takes.
///
/// # Errors
/// If a tensor is missing or the positions are those of no square.
pub fn clip_vision_side(weights: Weights<'_>) -> Result<usize, BuildError> {
    let patch = weights.dim("embeddings.patch_embedding.weight", 2)?;
    let positions = weights.dim("embeddings.position_embedding.weight", 0)?;
    let grid = positions.saturating_sub(1).isqrt();
    if grid == 0 || grid * grid + 1 != positions {
        return Err(BuildError::Size(format!("{positions} positions are not one and a square of patches")));
    }
    Ok(grid.saturating_mul(patch))
}
