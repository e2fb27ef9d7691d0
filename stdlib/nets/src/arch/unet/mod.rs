//! The denoising U-Net of latent diffusion (Rombach et al. 2022): residual blocks with a time embedding,
//! transformers that attend to the prompt, skips from each input block to its mirror.

pub(super) mod blocks;
mod options;

pub use options::{AdapterKind, Downscale, FreeU, MiddleAttention, UnetOptions};

use super::GROUPS;
use crate::builder::{BuildError, Builder};
use crate::ir::{Activation, Element, OpKind, Padding, ValueId};
use blocks::{Shared, modules, shared};

/// Epsilon of the last norm.
const EPSILON: f32 = 1e-5;

/// The network for `batch` latents of `height` x `width` and `tokens` tokens of context.
///
/// Inputs: `x f32[batch, c, height, width]` (scaled by the sampler; what the model sees besides the latent, such as a
/// masked picture, follows it in channels), `timesteps f32[batch]`, `context f32[batch, tokens, d]`,
/// `y f32[batch, e]` (only if the file has a label embedding), and those of [`UnetOptions`], found by their names.
/// Outputs: `out f32[batch, c, height, width]`, and those of the options.
///
/// # Errors
/// If a tensor is missing or does not fit, or an option names a block that is not there.
pub fn unet(
    mut b: Builder<'_>,
    batch: usize,
    [height, width]: [usize; 2],
    tokens: usize,
    options: UnetOptions,
) -> Result<Builder<'_>, BuildError> {
    let channels = b.weights().dim("input_blocks.0.0.weight", 1)?;
    let x = b.input("x", Element::F32, vec![batch, channels, height, width]);
    let shared = shared(&mut b, batch, tokens)?;
    let x = b.apply(OpKind::NchwToNhwc, &[x])?;
    let (h, mut skips) = input_blocks(&mut b, x, shared, options)?;
    let middle = Shared { attention: options.middle, ..shared };
    let mut h = modules(&mut b, "middle_block", h, middle, None)?;
    if options.control {
        h = add_input(&mut b, "control.middle", h)?;
    }
    if options.adapter == Some(AdapterKind::Sdxl) {
        h = add_input(&mut b, "adapter.middle", h)?;
    }
    for block in 0..b.weights().count("output_blocks.") {
        let mut skip = skips
            .pop()
            .ok_or_else(|| BuildError::Size("there are more output blocks than input blocks".to_owned()))?;
        if options.control {
            skip = add_input(&mut b, &format!("control.{}", skips.len()), skip)?;
        }
        (h, skip) = patched(&mut b, h, skip, options)?;
        h = b.apply(OpKind::Concat, &[h, skip])?;
        let next = skips.last().map(|&skip| size(&b, skip));
        h = modules(&mut b, &format!("output_blocks.{block}"), h, shared, next)?;
    }
    let normed = b.group_norm("out.0", h, GROUPS, EPSILON)?;
    let normed = b.activate(Activation::Silu, normed)?;
    let out = b.conv2d("out.2", normed, 1, Padding::all(1))?;
    let out = b.apply(OpKind::NhwcToNchw, &[out])?;
    b.output("out", out);
    Ok(b)
}

/// The input blocks: the last one's result, and a skip from each.
fn input_blocks(
    b: &mut Builder<'_>,
    x: ValueId,
    shared: Shared,
    options: UnetOptions,
) -> Result<(ValueId, Vec<ValueId>), BuildError> {
    let weights = b.weights();
    let count = weights.count("input_blocks.");
    if let Some(downscale) = options.downscale {
        downscale.check(count)?;
    }
    let mut h = x;
    let mut skips = Vec::with_capacity(count);
    for block in 0..count {
        h = if block == 0 {
            b.conv2d("input_blocks.0.0", h, 1, Padding::all(1))?
        } else {
            modules(b, &format!("input_blocks.{block}"), h, shared, None)?
        };
        let closes = block + 1 == count || weights.has(&format!("input_blocks.{}.0.op.weight", block + 1));
        if options.adapter.is_some_and(|kind| kind.takes(block, closes)) {
            h = add_input(b, &format!("adapter.{block}"), h)?;
        }
        let downscale = options.downscale.filter(|downscale| downscale.block == block);
        let smaller = match downscale {
            Some(downscale) => {
                let [height, width] = size(b, h).map(|size| downscale.shrink(size));
                b.apply(OpKind::Resize { method: downscale.down, height, width }, &[h])?
            }
            None => h,
        };
        skips.push(if downscale.is_some_and(|downscale| downscale.after_skip) { h } else { smaller });
        h = smaller;
    }
    Ok((h, skips))
}

/// What the options make of an output block's inputs: the backbone's and the skip's.
fn patched(
    b: &mut Builder<'_>,
    mut h: ValueId,
    mut skip: ValueId,
    options: UnetOptions,
) -> Result<(ValueId, ValueId), BuildError> {
    let [height, width] = size(b, skip);
    if let Some(downscale) = options.downscale
        && size(b, h)[0] != height
    {
        h = b.apply(OpKind::Resize { method: downscale.up, height, width }, &[h])?;
    }
    let (channels, model_channels) = (b.shape(h)[3], b.weights().dim("input_blocks.0.0.weight", 0)?);
    let place = [4, 2].iter().position(|&times| model_channels.checked_mul(times) == Some(channels));
    if let Some(freeu) = options.freeu
        && let Some(place) = place
    {
        let (half, factor) = (channels / 2, freeu.backbone[place].get() as f32);
        let backbone = if freeu.by_mean {
            OpKind::ScaleByMean { channels: half, factor }
        } else {
            OpKind::ScaleChannels { channels: half, factor }
        };
        h = b.apply(backbone, &[h])?;
        skip = b.apply(OpKind::ScaleLowest { factor: freeu.skip[place].get() as f32 }, &[skip])?;
    }
    Ok((h, skip))
}

/// Adds an input of the same shape.
fn add_input(b: &mut Builder<'_>, name: &str, h: ValueId) -> Result<ValueId, BuildError> {
    let residual = b.input(name, Element::F32, b.shape(h).to_vec());
    b.add(h, residual)
}

/// Height and width.
fn size(b: &Builder<'_>, x: ValueId) -> [usize; 2] {
    [b.shape(x)[1], b.shape(x)[2]]
}
