//! The vector that Stable Diffusion XL reads beside the prompt (Podell et al. 2023): the pooled prompt, followed by
//! embeddings of sizes, crop, and aesthetic score. A program without weights.

use crate::builder::{BuildError, Builder};
use crate::ir::{Element, OpKind};

/// Channels of each number's embedding.
pub const SIZE_CHANNELS: usize = 256;

/// The vectors for `batch` items of `width` pooled channels and `numbers` numbers each.
///
/// Inputs: `pooled f32[batch, width]`; `numbers f32[batch, numbers]`: height, width, top and left of the crop, then
/// height and width of the target (base model) or the aesthetic score (refiner). Output:
/// `y f32[batch, width + 256 numbers]`.
///
/// # Errors
/// If there are no numbers.
pub fn size_embedding(
    mut b: Builder<'_>,
    batch: usize,
    width: usize,
    numbers: usize,
) -> Result<Builder<'_>, BuildError> {
    let pooled = b.input("pooled", Element::F32, vec![batch, width]);
    let sizes = b.input("numbers", Element::F32, vec![batch, numbers]);
    let kind = OpKind::TimestepEmbedding { channels: SIZE_CHANNELS, max_period: 10_000.0 };
    let embedded = b.apply(kind, &[sizes])?;
    let y = b.apply(OpKind::Concat, &[pooled, embedded])?;
    b.output("y", y);
    Ok(b)
}
