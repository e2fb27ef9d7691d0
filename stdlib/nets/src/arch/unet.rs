//! The denoising U-Net of latent diffusion (Rombach et al. 2022): residual blocks with a time embedding,
//! transformers that attend to the prompt, skips from each input block to its mirror.

use super::GROUPS;
use crate::builder::{BuildError, Builder};
use crate::ir::{Activation, Element, OpKind, Padding, ValueId};

/// Epsilon of the norms in residual blocks and of the layer norms.
const EPSILON: f32 = 1e-5;

/// Epsilon of the norm before a transformer.
const TRANSFORMER_EPSILON: f32 = 1e-6;

/// Heads of every attention layer of Stable Diffusion 1, whatever the width.
const HEADS: usize = 8;

/// The network for `batch` latents of `height` x `width` and `tokens` tokens of context.
///
/// Inputs: `x f32[batch, c, height, width]` (scaled by the sampler), `timesteps f32[batch]`,
/// `context f32[batch, tokens, d]`. Output: `out f32[batch, c, height, width]`.
///
/// # Errors
/// If a tensor is missing or does not fit.
pub fn unet(
    mut b: Builder<'_>,
    batch: usize,
    [height, width]: [usize; 2],
    tokens: usize,
) -> Result<Builder<'_>, BuildError> {
    let weights = b.weights();
    let channels = weights.dim("input_blocks.0.0.weight", 1)?;
    let model_channels = weights.dim("input_blocks.0.0.weight", 0)?;
    let context_width = context_width(&b)?;

    let x = b.input("x", Element::F32, vec![batch, channels, height, width]);
    let timesteps = b.input("timesteps", Element::F32, vec![batch]);
    let context = b.input("context", Element::F32, vec![batch, tokens, context_width]);

    let sinusoid = OpKind::TimestepEmbedding { channels: model_channels, max_period: 10_000.0 };
    let emb = b.apply(sinusoid, &[timesteps])?;
    let emb = b.linear("time_embed.0", emb)?;
    let emb = b.activate(Activation::Silu, emb)?;
    let emb = b.linear("time_embed.2", emb)?;
    b.label("time_embed", emb);
    // Every residual block starts its own branch with this activation: computed once here.
    let emb = b.activate(Activation::Silu, emb)?;

    let x = b.apply(OpKind::NchwToNhwc, &[x])?;
    let mut h = b.conv2d("input_blocks.0.0", x, 1, Padding::all(1))?;
    let mut skips = vec![h];
    for block in 1..weights.count("input_blocks.") {
        h = modules(&mut b, &format!("input_blocks.{block}"), h, emb, context, None)?;
        skips.push(h);
    }
    h = modules(&mut b, "middle_block", h, emb, context, None)?;
    for block in 0..weights.count("output_blocks.") {
        let skip = skips
            .pop()
            .ok_or_else(|| BuildError::Size("there are more output blocks than input blocks".to_owned()))?;
        h = b.apply(OpKind::Concat, &[h, skip])?;
        let next = skips.last().map(|&skip| [b.shape(skip)[1], b.shape(skip)[2]]);
        h = modules(&mut b, &format!("output_blocks.{block}"), h, emb, context, next)?;
    }
    let normed = b.group_norm("out.0", h, GROUPS, EPSILON)?;
    let normed = b.activate(Activation::Silu, normed)?;
    let out = b.conv2d("out.2", normed, 1, Padding::all(1))?;
    let out = b.apply(OpKind::NhwcToNchw, &[out])?;
    b.output("out", out);
    Ok(b)
}

/// Channels of the context, read off the first cross-attention layer.
fn context_width(b: &Builder<'_>) -> Result<usize, BuildError> {
    let weights = b.weights();
    let tensors = weights.header.tensors.range(weights.prefix.to_owned()..);
    tensors
        .take_while(|(name, _)| name.starts_with(weights.prefix))
        .find(|(name, _)| name.ends_with(".attn2.to_k.weight"))
        .and_then(|(_, info)| info.shape.get(1).copied())
        .ok_or_else(|| BuildError::MissingTensor { key: format!("{}….attn2.to_k.weight", weights.prefix) })
}

/// The modules of one block in order, each told by its key names. `upsampled` is the size of the next skip: an
/// upsampled picture takes that size, so that odd sizes meet again.
fn modules(
    b: &mut Builder<'_>,
    path: &str,
    mut h: ValueId,
    emb: ValueId,
    context: ValueId,
    upsampled: Option<[usize; 2]>,
) -> Result<ValueId, BuildError> {
    let weights = b.weights();
    for index in 0..weights.count(&format!("{path}.")) {
        let module = format!("{path}.{index}");
        let has = |name: &str| weights.has(&format!("{module}.{name}"));
        h = if has("in_layers.2.weight") {
            residual_block(b, &module, h, emb)?
        } else if has("proj_in.weight") {
            transformer(b, &module, h, context)?
        } else if has("op.weight") {
            b.conv2d(&format!("{module}.op"), h, 2, Padding::all(1))?
        } else if has("conv.weight") {
            let [height, width] = upsampled
                .unwrap_or_else(|| [b.shape(h)[1].saturating_mul(2), b.shape(h)[2].saturating_mul(2)]);
            let large = b.apply(OpKind::UpsampleNearest { height, width }, &[h])?;
            b.conv2d(&format!("{module}.conv"), large, 1, Padding::all(1))?
        } else {
            return Err(BuildError::MissingTensor { key: format!("{}{module}.….weight", weights.prefix) });
        };
        b.label(&module, h);
    }
    Ok(h)
}

fn residual_block(b: &mut Builder<'_>, path: &str, x: ValueId, emb: ValueId) -> Result<ValueId, BuildError> {
    let h = b.group_norm(&format!("{path}.in_layers.0"), x, GROUPS, EPSILON)?;
    let h = b.activate(Activation::Silu, h)?;
    let h = b.conv2d(&format!("{path}.in_layers.2"), h, 1, Padding::all(1))?;
    let shift = b.linear(&format!("{path}.emb_layers.1"), emb)?;
    let h = b.apply(OpKind::AddRow, &[h, shift])?;
    let h = b.group_norm(&format!("{path}.out_layers.0"), h, GROUPS, EPSILON)?;
    let h = b.activate(Activation::Silu, h)?;
    let h = b.conv2d(&format!("{path}.out_layers.3"), h, 1, Padding::all(1))?;
    let skip = format!("{path}.skip_connection");
    let x = if b.weights().has(&format!("{skip}.weight")) { b.linear(&skip, x)? } else { x };
    b.add(h, x)
}

fn transformer(b: &mut Builder<'_>, path: &str, x: ValueId, context: ValueId) -> Result<ValueId, BuildError> {
    let h = b.group_norm(&format!("{path}.norm"), x, GROUPS, TRANSFORMER_EPSILON)?;
    b.label(&format!("{path}.norm"), h);
    // Channels-last, a 1x1 convolution (SD1) and a linear layer (SD2, SDXL) are the same product.
    let mut h = b.linear(&format!("{path}.proj_in"), h)?;
    b.label(&format!("{path}.proj_in"), h);
    for block in 0..b.weights().count(&format!("{path}.transformer_blocks.")) {
        let path = format!("{path}.transformer_blocks.{block}");
        let normed = b.layer_norm(&format!("{path}.norm1"), h, EPSILON)?;
        b.label(&format!("{path}.norm1"), normed);
        let mixed = attention(b, &format!("{path}.attn1"), normed, normed)?;
        h = b.add(mixed, h)?;
        let normed = b.layer_norm(&format!("{path}.norm2"), h, EPSILON)?;
        let mixed = attention(b, &format!("{path}.attn2"), normed, context)?;
        h = b.add(mixed, h)?;
        let normed = b.layer_norm(&format!("{path}.norm3"), h, EPSILON)?;
        let wide = b.linear(&format!("{path}.ff.net.0.proj"), normed)?;
        let gated = b.apply(OpKind::Geglu, &[wide])?;
        let narrow = b.linear(&format!("{path}.ff.net.2"), gated)?;
        b.label(&format!("{path}.ff"), narrow);
        h = b.add(narrow, h)?;
        b.label(&path, h);
    }
    let h = b.linear(&format!("{path}.proj_out"), h)?;
    b.add(h, x)
}

fn attention(b: &mut Builder<'_>, path: &str, x: ValueId, context: ValueId) -> Result<ValueId, BuildError> {
    let q = b.linear(&format!("{path}.to_q"), x)?;
    let k = b.linear(&format!("{path}.to_k"), context)?;
    let v = b.linear(&format!("{path}.to_v"), context)?;
    let mixed = b.attention([q, k, v], HEADS, false)?;
    let out = b.linear(&format!("{path}.to_out.0"), mixed)?;
    Ok(b.label(path, out))
}
