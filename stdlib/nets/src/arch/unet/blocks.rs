//! The blocks that U-Nets and ControlNets share: told apart by their key names, sized by their tensors.

use super::super::GROUPS;
use super::options::MiddleAttention;
use crate::builder::{BuildError, Builder};
use crate::ir::{Activation, Element, OpKind, Padding, ValueId};

/// Epsilon of the norms in residual blocks and of the layer norms.
const EPSILON: f32 = 1e-5;

/// Epsilon of the norm before a transformer.
const TRANSFORMER_EPSILON: f32 = 1e-6;

/// Heads of every attention layer of Stable Diffusion 1, whatever the width.
const HEADS: usize = 8;

/// Channels of a head in later families.
const HEAD_CHANNELS: usize = 64;

/// What every block may read.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Shared {
    /// The embedding of the timestep, activated: every residual block starts its own branch so.
    pub(in super::super) emb: ValueId,
    /// The prompt.
    pub(in super::super) context: ValueId,
    /// Self-attention of the block at hand.
    pub(in super::super) attention: MiddleAttention,
}

/// Inputs `timesteps`, `context` and, where the file has a label embedding, `y`; and what they become.
pub(in super::super) fn shared(
    b: &mut Builder<'_>,
    batch: usize,
    tokens: usize,
) -> Result<Shared, BuildError> {
    let weights = b.weights();
    let model_channels = weights.dim("input_blocks.0.0.weight", 0)?;
    let context_width = weights.first_with_suffix(".attn2.to_k.weight")?.get(1).copied().unwrap_or(0);
    let timesteps = b.input("timesteps", Element::F32, vec![batch]);
    let context = b.input("context", Element::F32, vec![batch, tokens, context_width]);

    let sinusoid = OpKind::TimestepEmbedding { channels: model_channels, max_period: 10_000.0 };
    let emb = b.apply(sinusoid, &[timesteps])?;
    let emb = b.linear("time_embed.0", emb)?;
    let emb = b.activate(Activation::Silu, emb)?;
    let mut emb = b.linear("time_embed.2", emb)?;
    b.label("time_embed", emb);
    if weights.has("label_emb.0.0.weight") {
        let width = weights.dim("label_emb.0.0.weight", 1)?;
        let y = b.input("y", Element::F32, vec![batch, width]);
        let label = b.linear("label_emb.0.0", y)?;
        let label = b.activate(Activation::Silu, label)?;
        let label = b.linear("label_emb.0.2", label)?;
        emb = b.add(label, emb)?;
    }
    let emb = b.activate(Activation::Silu, emb)?;
    Ok(Shared { emb, context, attention: MiddleAttention::Plain })
}

/// The modules of one block in order, each told by its key names. `upsampled` is the size of the next skip: an
/// upsampled picture takes that size, so that odd sizes meet again.
pub(in super::super) fn modules(
    b: &mut Builder<'_>,
    path: &str,
    mut h: ValueId,
    shared: Shared,
    upsampled: Option<[usize; 2]>,
) -> Result<ValueId, BuildError> {
    let weights = b.weights();
    for index in 0..weights.count(&format!("{path}.")) {
        let module = format!("{path}.{index}");
        let has = |name: &str| weights.has(&format!("{module}.{name}"));
        h = if has("in_layers.2.weight") {
            residual_block(b, &module, h, shared.emb)?
        } else if has("proj_in.weight") {
            transformer(b, &module, h, shared)?
        } else if has("op.weight") {
            b.conv2d(&format!("{module}.op"), h, 2, Padding::all(1))?
        } else if has("conv.weight") {
            let [height, width] = upsampled
                .unwrap_or_else(|| [b.shape(h)[1].saturating_mul(2), b.shape(h)[2].saturating_mul(2)]);
            let large = b.apply(OpKind::UpsampleNearest { height, width }, &[h])?;
            b.conv2d(&format!("{module}.conv"), large, 1, Padding::all(1))?
        } else {
            return Err(weights.missing(&format!("{module}.….weight")));
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

fn transformer(b: &mut Builder<'_>, path: &str, x: ValueId, shared: Shared) -> Result<ValueId, BuildError> {
    let h = b.group_norm(&format!("{path}.norm"), x, GROUPS, TRANSFORMER_EPSILON)?;
    b.label(&format!("{path}.norm"), h);
    // Channels-last, a 1x1 convolution (SD1) and a linear layer (SD2, SDXL) are the same product; the file's rank
    // tells the families apart.
    let convolution = b.weights().shape(&format!("{path}.proj_in.weight")).is_some_and(|s| s.len() == 4);
    let mut h = b.linear(&format!("{path}.proj_in"), h)?;
    b.label(&format!("{path}.proj_in"), h);
    let heads = if convolution { HEADS } else { (b.shape(h)[3] / HEAD_CHANNELS).max(1) };
    for block in 0..b.weights().count(&format!("{path}.transformer_blocks.")) {
        let path = format!("{path}.transformer_blocks.{block}");
        let normed = b.layer_norm(&format!("{path}.norm1"), h, EPSILON)?;
        b.label(&format!("{path}.norm1"), normed);
        let mixed = match shared.attention {
            MiddleAttention::Recorded if block > 0 => {
                attention(b, &format!("{path}.attn1"), normed, normed, heads, MiddleAttention::Plain)?
            }
            how => attention(b, &format!("{path}.attn1"), normed, normed, heads, how)?,
        };
        h = b.add(mixed, h)?;
        let normed = b.layer_norm(&format!("{path}.norm2"), h, EPSILON)?;
        let (path2, plain) = (format!("{path}.attn2"), MiddleAttention::Plain);
        let mixed = attention(b, &path2, normed, shared.context, heads, plain)?;
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

fn attention(
    b: &mut Builder<'_>,
    path: &str,
    x: ValueId,
    context: ValueId,
    heads: usize,
    how: MiddleAttention,
) -> Result<ValueId, BuildError> {
    let mixed = if how == MiddleAttention::Identity {
        b.linear(&format!("{path}.to_v"), context)?
    } else {
        let q = b.linear(&format!("{path}.to_q"), x)?;
        let k = b.linear(&format!("{path}.to_k"), context)?;
        if how == MiddleAttention::Recorded {
            let received = b.attention_received([q, k], heads)?;
            b.output("attention", received);
        }
        let v = b.linear(&format!("{path}.to_v"), context)?;
        b.attention([q, k, v], heads, false)?
    };
    let out = b.linear(&format!("{path}.to_out.0"), mixed)?;
    Ok(b.label(path, out))
}
