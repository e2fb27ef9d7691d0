//! ControlNet (Zhang et al. 2023): the input half of a U-Net that also sees a hint picture, and gives a residual for
//! every skip.

use super::unet::blocks::{modules, shared};
use crate::builder::{BuildError, Builder};
use crate::ir::{Activation, Element, OpKind, Padding, ValueId};

/// Pixels of the hint for one pixel of the latent.
pub const HINT_SCALE: usize = 8;

/// Convolutions of the hint's network that halve the picture, by their position.
const HALVING: [usize; 3] = [4, 8, 12];

/// The network for `batch` latents of `height` x `width` and `tokens` tokens of context.
///
/// Inputs: `x f32[batch, c, height, width]` (scaled by the sampler), `timesteps f32[batch]`,
/// `context f32[batch, tokens, d]`, `y f32[batch, e]` (only if the file has a label embedding),
/// `hint f32[batch, 8 height, 8 width, 3]`, 0 to 1. Outputs, channels last as [`unet`](super::unet()) takes them:
/// `control.{i}` for input block `i` in order, and `control.middle`; strength is the caller's.
///
/// # Errors
/// If a tensor is missing or does not fit.
pub fn controlnet(
    mut b: Builder<'_>,
    batch: usize,
    [height, width]: [usize; 2],
    tokens: usize,
) -> Result<Builder<'_>, BuildError> {
    let weights = b.weights();
    let channels = weights.dim("input_blocks.0.0.weight", 1)?;
    let x = b.input("x", Element::F32, vec![batch, channels, height, width]);
    let shared = shared(&mut b, batch, tokens)?;
    let hint_channels = weights.dim("input_hint_block.0.weight", 1)?;
    let [rows, columns] = [height, width].map(|size| size.saturating_mul(HINT_SCALE));
    let hint = b.input("hint", Element::F32, vec![batch, rows, columns, hint_channels]);
    let guide = hint_block(&mut b, hint)?;

    let x = b.apply(OpKind::NchwToNhwc, &[x])?;
    let first = b.conv2d("input_blocks.0.0", x, 1, Padding::all(1))?;
    let mut h = b.add(first, guide)?;
    residual(&mut b, "zero_convs.0.0", "control.0", h)?;
    for block in 1..weights.count("input_blocks.") {
        h = modules(&mut b, &format!("input_blocks.{block}"), h, shared, None)?;
        residual(&mut b, &format!("zero_convs.{block}.0"), &format!("control.{block}"), h)?;
    }
    let h = modules(&mut b, "middle_block", h, shared, None)?;
    residual(&mut b, "middle_block_out.0", "control.middle", h)?;
    Ok(b)
}

/// Eight convolutions, activated but for the last, that bring the hint to the size of the latent.
fn hint_block(b: &mut Builder<'_>, mut h: ValueId) -> Result<ValueId, BuildError> {
    let has = |position: usize| b.weights().has(&format!("input_hint_block.{position}.weight"));
    let positions: Vec<usize> = (0..).step_by(2).take_while(|&position| has(position)).collect();
    for (index, position) in positions.iter().enumerate() {
        let stride = if HALVING.contains(position) { 2 } else { 1 };
        h = b.conv2d(&format!("input_hint_block.{position}"), h, stride, Padding::all(1))?;
        if index + 1 < positions.len() {
            h = b.activate(Activation::Silu, h)?;
        }
    }
    Ok(h)
}

fn residual(b: &mut Builder<'_>, path: &str, name: &str, h: ValueId) -> Result<(), BuildError> {
    let residual = b.linear(path, h)?;
    b.output(name, residual);
    Ok(())
}
