//! T2I-Adapter (Mou et al. 2023): a small network that turns a hint picture into one feature per level of a U-Net, once
//! for all steps.

use super::unet::AdapterKind;
use crate::builder::{BuildError, Builder};
use crate::ir::{Activation, Element, OpKind, Padding, ValueId};
use crate::weights::Weights;

/// Blocks of one level; light adapters count theirs within levels.
const BLOCKS: usize = 2;

/// Input blocks that the four features belong to, in Stable Diffusion 1 and XL; none is the middle block.
const SD: [Option<usize>; 4] = [Some(2), Some(5), Some(8), Some(11)];
const SDXL: [Option<usize>; 4] = [Some(3), Some(5), Some(8), None];

/// For which U-Nets an adapter is, and how its hint is cut into blocks of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdapterLayout {
    /// Where its features go.
    pub kind: AdapterKind,
    /// Side of a block of pixels that becomes channels: 8, or 16 in adapters for Stable Diffusion XL.
    pub unshuffle: usize,
    /// Channels of the hint picture: 3, or 1 for sketches and edges.
    pub channels: usize,
    /// Whether each level is a narrow bottleneck, instead of two blocks of full width.
    pub light: bool,
}

/// The layout of an adapter, told by the channels that its first convolution reads.
///
/// # Errors
/// If they are those of no known adapter.
pub fn adapter_layout(weights: Weights<'_>) -> Result<AdapterLayout, BuildError> {
    let light = weights.has("body.0.in_conv.weight") && !weights.has("conv_in.weight");
    let deep = weights.dim(if light { "body.0.in_conv.weight" } else { "conv_in.weight" }, 1)?;
    let (kind, unshuffle) = match deep {
        64 | 192 => (AdapterKind::Sd, 8),
        256 | 768 if !light => (AdapterKind::Sdxl, 16),
        _ => {
            let reason = format!("no T2I-Adapter reads blocks of pixels with {deep} numbers");
            return Err(BuildError::Size(reason));
        }
    };
    Ok(AdapterLayout { kind, unshuffle, channels: deep / (unshuffle * unshuffle), light })
}

/// The network for `batch` hints of `height` x `width` pixels, both multiples of the layout's `unshuffle`.
///
/// Input: `hint f32[batch, height, width, c]`, 0 to 1. Outputs, channels last as [`unet`](super::unet()) takes them:
/// `adapter.{i}` for the input blocks that take one, and `adapter.middle`; strength is the caller's.
///
/// # Errors
/// If a tensor is missing or does not fit.
pub fn t2i_adapter(
    mut b: Builder<'_>,
    batch: usize,
    [height, width]: [usize; 2],
) -> Result<Builder<'_>, BuildError> {
    let layout = adapter_layout(b.weights())?;
    let hint = b.input("hint", Element::F32, vec![batch, height, width, layout.channels]);
    let mut h = b.apply(OpKind::PixelUnshuffle { factor: layout.unshuffle }, &[hint])?;
    if !layout.light {
        h = b.conv2d("conv_in", h, 1, Padding::all(1))?;
    }
    let places = match layout.kind {
        AdapterKind::Sd => SD,
        AdapterKind::Sdxl => SDXL,
    };
    for (level, place) in places.into_iter().enumerate() {
        h = if layout.light {
            light_level(&mut b, level, h)?
        } else {
            full_level(&mut b, layout.kind, level, h)?
        };
        let name = place.map_or_else(|| "adapter.middle".to_owned(), |block| format!("adapter.{block}"));
        b.output(&name, h);
    }
    Ok(b)
}

fn full_level(
    b: &mut Builder<'_>,
    kind: AdapterKind,
    level: usize,
    mut h: ValueId,
) -> Result<ValueId, BuildError> {
    for block in level * BLOCKS..(level + 1) * BLOCKS {
        h = residual_block(b, &format!("body.{block}"), h, halves(kind, level, block))?;
    }
    Ok(h)
}

/// Fewer channels, some residual blocks, all channels.
fn light_level(b: &mut Builder<'_>, level: usize, mut h: ValueId) -> Result<ValueId, BuildError> {
    let path = format!("body.{level}");
    if level > 0 {
        h = halved(b, &path, h)?;
    }
    h = same_size(b, &format!("{path}.in_conv"), h)?;
    for block in 0..b.weights().count(&format!("{path}.body.")) {
        h = residual_block(b, &format!("{path}.body.{block}"), h, false)?;
    }
    same_size(b, &format!("{path}.out_conv"), h)
}

/// Whether a block starts by halving the picture: the first of each later level; in adapters for Stable Diffusion XL,
/// whose hint is halved already, only that of the third.
fn halves(kind: AdapterKind, level: usize, block: usize) -> bool {
    let first = block.is_multiple_of(BLOCKS);
    match kind {
        AdapterKind::Sd => first && level > 0,
        AdapterKind::Sdxl => first && level == 2,
    }
}

fn residual_block(
    b: &mut Builder<'_>,
    path: &str,
    mut x: ValueId,
    halve: bool,
) -> Result<ValueId, BuildError> {
    if halve {
        x = halved(b, path, x)?;
    }
    if b.weights().has(&format!("{path}.in_conv.weight")) {
        x = same_size(b, &format!("{path}.in_conv"), x)?;
    }
    let h = same_size(b, &format!("{path}.block1"), x)?;
    let h = b.activate(Activation::Relu, h)?;
    let h = same_size(b, &format!("{path}.block2"), h)?;
    let skip = format!("{path}.skep");
    // Spelt so in published files.
    let x = if b.weights().has(&format!("{skip}.weight")) { same_size(b, &skip, x)? } else { x };
    b.add(h, x)
}

/// Half the picture, by a convolution where the file has one; odd sizes gain a border of zeros.
fn halved(b: &mut Builder<'_>, path: &str, x: ValueId) -> Result<ValueId, BuildError> {
    let down = format!("{path}.down_opt.op");
    if b.weights().has(&format!("{down}.weight")) {
        return b.conv2d(&down, x, 2, Padding::all(1));
    }
    let padding = [b.shape(x)[1] % 2, b.shape(x)[2] % 2];
    b.apply(OpKind::MeanPool { padding }, &[x])
}

/// A convolution that keeps the picture's size, whatever its kernel.
fn same_size(b: &mut Builder<'_>, path: &str, x: ValueId) -> Result<ValueId, BuildError> {
    let kernel = b.weights().dim(&format!("{path}.weight"), 2)?;
    b.conv2d(path, x, 1, Padding::all(kernel / 2))
}
