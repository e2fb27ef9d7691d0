//! The transformer that both halves of CLIP are made of (Radford et al. 2021).

use crate::builder::{BuildError, Builder};
use crate::ir::{Activation, ValueId};

/// `layer_norm_eps` of every published CLIP.
pub(super) const EPSILON: f32 = 1e-5;

/// How the layers of a file compute; nothing in the file says it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    pub(super) heads: usize,
    pub(super) causal: bool,
    pub(super) activation: Activation,
}

/// The layer `encoder.layers.{layer}`.
pub(super) fn layer(
    b: &mut Builder<'_>,
    layer: usize,
    x: ValueId,
    style: Style,
) -> Result<ValueId, BuildError> {
    let path = format!("encoder.layers.{layer}");
    let normed = b.layer_norm(&format!("{path}.layer_norm1"), x, EPSILON)?;
    let q = b.linear(&format!("{path}.self_attn.q_proj"), normed)?;
    let k = b.linear(&format!("{path}.self_attn.k_proj"), normed)?;
    let v = b.linear(&format!("{path}.self_attn.v_proj"), normed)?;
    let mixed = b.attention([q, k, v], style.heads, style.causal)?;
    let mixed = b.linear(&format!("{path}.self_attn.out_proj"), mixed)?;
    let x = b.add(mixed, x)?;

    let normed = b.layer_norm(&format!("{path}.layer_norm2"), x, EPSILON)?;
    let wide = b.linear(&format!("{path}.mlp.fc1"), normed)?;
    let wide = b.activate(style.activation, wide)?;
    let narrow = b.linear(&format!("{path}.mlp.fc2"), wide)?;
    let x = b.add(narrow, x)?;
    Ok(b.label(&path, x))
}
