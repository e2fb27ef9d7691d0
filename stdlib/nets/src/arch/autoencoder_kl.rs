//! The image autoencoder of latent diffusion (Rombach et al. 2022): pictures to latents, smaller by the factor of its
//! levels (8 in all of Stable Diffusion), and back.

use super::GROUPS;
use crate::builder::{BuildError, Builder};
use crate::ir::{Activation, Element, OpKind, Padding, ValueId};
use crate::weights::Weights;

/// Epsilon of every norm.
const EPSILON: f32 = 1e-6;

/// The decoder for `batch` latents of `height` x `width`.
///
/// Input: `latent f32[batch, c, height, width]`, unscaled. Output: `image f32[batch, 8 height, 8 width, 3]`, 0 to 1
/// (8 where there are four levels).
///
/// # Errors
/// If a tensor is missing or does not fit.
pub fn vae_decoder(
    mut b: Builder<'_>,
    batch: usize,
    [height, width]: [usize; 2],
) -> Result<Builder<'_>, BuildError> {
    let weights = b.weights();
    let channels = latent_channels(weights)?;
    let latent = b.input("latent", Element::F32, vec![batch, channels, height, width]);
    let mut z = b.apply(OpKind::NchwToNhwc, &[latent])?;
    if weights.has("post_quant_conv.weight") {
        z = b.linear("post_quant_conv", z)?;
        b.label("post_quant_conv", z);
    }
    let h = b.conv2d("decoder.conv_in", z, 1, Padding::all(1))?;
    let mut h = middle(&mut b, "decoder.mid", h)?;
    for level in (0..weights.count("decoder.up.")).rev() {
        let path = format!("decoder.up.{level}");
        h = residual_blocks(&mut b, &path, h)?;
        if weights.has(&format!("{path}.upsample.conv.weight")) {
            let [height, width] = [b.shape(h)[1].saturating_mul(2), b.shape(h)[2].saturating_mul(2)];
            let large = b.apply(OpKind::UpsampleNearest { height, width }, &[h])?;
            h = b.conv2d(&format!("{path}.upsample.conv"), large, 1, Padding::all(1))?;
        }
    }
    let h = b.group_norm("decoder.norm_out", h, GROUPS, EPSILON)?;
    let h = b.activate(Activation::Silu, h)?;
    let h = b.conv2d("decoder.conv_out", h, 1, Padding::all(1))?;
    b.label("decoder.conv_out", h);
    let image = b.apply(OpKind::Affine { add: 1.0, mul: 0.5, clamp: Some((0.0, 1.0)) }, &[h])?;
    b.output("image", image);
    Ok(b)
}

/// The encoder for `batch` pictures of `height` x `width`, both multiples of 8 (of what the levels shrink by).
///
/// Input: `image f32[batch, height, width, 3]`, 0 to 1. Output: `latent f32[batch, c, height / 8, width / 8]`, the
/// mean of the posterior, unscaled.
///
/// # Errors
/// If a tensor is missing or does not fit.
pub fn vae_encoder(
    mut b: Builder<'_>,
    batch: usize,
    [height, width]: [usize; 2],
) -> Result<Builder<'_>, BuildError> {
    let weights = b.weights();
    let image_channels = weights.dim("encoder.conv_in.weight", 1)?;
    let image = b.input("image", Element::F32, vec![batch, height, width, image_channels]);
    // 2x - 1, written as (x - 1/2) * 2: exact in both forms.
    let x = b.apply(OpKind::Affine { add: -0.5, mul: 2.0, clamp: None }, &[image])?;
    let mut h = b.conv2d("encoder.conv_in", x, 1, Padding::all(1))?;
    for level in 0..weights.count("encoder.down.") {
        let path = format!("encoder.down.{level}");
        h = residual_blocks(&mut b, &path, h)?;
        if weights.has(&format!("{path}.downsample.conv.weight")) {
            // Padded below and on the right only.
            let padding = Padding { before: 0, after: 1 };
            h = b.conv2d(&format!("{path}.downsample.conv"), h, 2, padding)?;
        }
    }
    let h = middle(&mut b, "encoder.mid", h)?;
    let h = b.group_norm("encoder.norm_out", h, GROUPS, EPSILON)?;
    let h = b.activate(Activation::Silu, h)?;
    let h = b.conv2d("encoder.conv_out", h, 1, Padding::all(1))?;
    b.label("encoder.conv_out", h);
    let mut moments = h;
    if weights.has("quant_conv.weight") {
        moments = b.linear("quant_conv", h)?;
        b.label("quant_conv", moments);
    }
    // Means first, then logarithms of variances.
    let channels = b.shape(moments)[3] / 2;
    let mean = b.apply(OpKind::Narrow { start: 0, channels }, &[moments])?;
    let latent = b.apply(OpKind::NhwcToNchw, &[mean])?;
    b.output("latent", latent);
    Ok(b)
}

/// Channels of a latent.
fn latent_channels(weights: Weights<'_>) -> Result<usize, BuildError> {
    let key = "post_quant_conv.weight";
    weights.dim(if weights.has(key) { key } else { "decoder.conv_in.weight" }, 1)
}

fn middle(b: &mut Builder<'_>, path: &str, x: ValueId) -> Result<ValueId, BuildError> {
    let h = residual_block(b, &format!("{path}.block_1"), x)?;
    let attn = format!("{path}.attn_1");
    let h = if b.weights().has(&format!("{attn}.q.weight")) { attention(b, &attn, h)? } else { h };
    residual_block(b, &format!("{path}.block_2"), h)
}

/// The residual blocks of one level, each followed by its attention where the file has one.
fn residual_blocks(b: &mut Builder<'_>, path: &str, mut h: ValueId) -> Result<ValueId, BuildError> {
    for block in 0..b.weights().count(&format!("{path}.block.")) {
        h = residual_block(b, &format!("{path}.block.{block}"), h)?;
        let attn = format!("{path}.attn.{block}");
        if b.weights().has(&format!("{attn}.q.weight")) {
            h = attention(b, &attn, h)?;
        }
    }
    Ok(b.label(path, h))
}

fn residual_block(b: &mut Builder<'_>, path: &str, x: ValueId) -> Result<ValueId, BuildError> {
    let h = b.group_norm(&format!("{path}.norm1"), x, GROUPS, EPSILON)?;
    let h = b.activate(Activation::Silu, h)?;
    let h = b.conv2d(&format!("{path}.conv1"), h, 1, Padding::all(1))?;
    let h = b.group_norm(&format!("{path}.norm2"), h, GROUPS, EPSILON)?;
    let h = b.activate(Activation::Silu, h)?;
    let h = b.conv2d(&format!("{path}.conv2"), h, 1, Padding::all(1))?;
    let shortcut = format!("{path}.nin_shortcut");
    let x = if b.weights().has(&format!("{shortcut}.weight")) { b.linear(&shortcut, x)? } else { x };
    b.add(h, x)
}

/// Attention of all pixels to all pixels, one head.
fn attention(b: &mut Builder<'_>, path: &str, x: ValueId) -> Result<ValueId, BuildError> {
    let h = b.group_norm(&format!("{path}.norm"), x, GROUPS, EPSILON)?;
    let q = b.linear(&format!("{path}.q"), h)?;
    let k = b.linear(&format!("{path}.k"), h)?;
    let v = b.linear(&format!("{path}.v"), h)?;
    let mixed = b.attention([q, k, v], 1, false)?;
    let out = b.linear(&format!("{path}.proj_out"), mixed)?;
    let sum = b.add(out, x)?;
    Ok(b.label(path, sum))
}
