//! CLIP's text transformer (Radford et al. 2021), as Stable Diffusion 1 uses it.

use crate::builder::{BuildError, Builder};
use crate::ir::{Activation, Element, OpKind};

/// `layer_norm_eps` of every published CLIP.
const EPSILON: f32 = 1e-5;

/// Channels of a head; CLIP widens by adding heads.
const HEAD_CHANNELS: usize = 64;

/// The text encoder for `rows` chunks of 77 tokens.
///
/// Inputs: `tokens i32[rows, 77]`, `end i32[rows]` (position of the first end-of-text token). Outputs:
/// `hidden f32[rows, 77, c]`, the last layer's states after the final norm; `pooled f32[rows, c]`, the state at
/// `end`, not projected.
///
/// # Errors
/// If a tensor is missing or does not fit.
pub fn clip_text(mut b: Builder<'_>, rows: usize) -> Result<Builder<'_>, BuildError> {
    let weights = b.weights();
    let positions = weights.dim("embeddings.position_embedding.weight", 0)?;
    let width = weights.dim("embeddings.token_embedding.weight", 1)?;
    let heads = (width / HEAD_CHANNELS).max(1);

    let tokens = b.input("tokens", Element::I32, vec![rows, positions]);
    let end = b.input("end", Element::I32, vec![rows]);
    let embedded = b.embedding("embeddings.token_embedding.weight", tokens)?;
    let mut x = b.add_position("embeddings.position_embedding.weight", embedded)?;
    for layer in 0..weights.count("encoder.layers.") {
        let path = format!("encoder.layers.{layer}");
        let normed = b.layer_norm(&format!("{path}.layer_norm1"), x, EPSILON)?;
        let q = b.linear(&format!("{path}.self_attn.q_proj"), normed)?;
        let k = b.linear(&format!("{path}.self_attn.k_proj"), normed)?;
        let v = b.linear(&format!("{path}.self_attn.v_proj"), normed)?;
        let mixed = b.attention([q, k, v], heads, true)?;
        let mixed = b.linear(&format!("{path}.self_attn.out_proj"), mixed)?;
        x = b.add(mixed, x)?;

        let normed = b.layer_norm(&format!("{path}.layer_norm2"), x, EPSILON)?;
        let wide = b.linear(&format!("{path}.mlp.fc1"), normed)?;
        let wide = b.activate(Activation::QuickGelu, wide)?;
        let narrow = b.linear(&format!("{path}.mlp.fc2"), wide)?;
        x = b.add(narrow, x)?;
        b.label(&path, x);
    }
    let hidden = b.layer_norm("final_layer_norm", x, EPSILON)?;
    let pooled = b.apply(OpKind::GatherRow, &[hidden, end])?;
    b.output("hidden", hidden);
    b.output("pooled", pooled);
    Ok(b)
}
