//! RRDBNet, the network of ESRGAN (Wang et al. 2018) and Real-ESRGAN (Wang et al. 2021): pictures become larger.

use crate::builder::{BuildError, Builder};
use crate::ir::{Activation, Element, OpKind, Padding, ValueId};
use crate::weights::Weights;

/// How much of each residual is added.
const RESIDUAL: f32 = 0.2;

/// Sizes that networks take whose pixels become channels.
const MULTIPLE: usize = 4;

/// Convolutions of a dense block, each of which reads the results of all before it.
const CONVOLUTIONS: usize = 5;

/// By how much an upscaler enlarges, and how it reads pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpscalerLayout {
    /// Output pixels per input pixel, in each direction.
    pub scale: usize,
    /// Side of the blocks of pixels that become channels (Real-ESRGAN's 2x model).
    pub unshuffle: usize,
    /// Channels of a picture.
    pub colours: usize,
}

/// The layout of an upscaler, told by its tensors.
///
/// # Errors
/// If a tensor is missing or they are those of no known upscaler.
pub fn upscaler_layout(weights: Weights<'_>) -> Result<UpscalerLayout, BuildError> {
    let channels = weights.dim("conv_first.weight", 1)?;
    let colours = weights.dim("conv_last.weight", 0)?;
    let unshuffle = channels.checked_div(colours).unwrap_or(0).isqrt();
    let doublings = (1..).take_while(|&index| weights.has(&format!("conv_up{index}.weight"))).count();
    let scale = 1_usize.checked_shl(u32::try_from(doublings).unwrap_or(u32::MAX)).unwrap_or(0);
    let fits =
        unshuffle > 0 && channels == colours * unshuffle * unshuffle && scale.is_multiple_of(unshuffle);
    let fits = fits && MULTIPLE.is_multiple_of(unshuffle);
    if !fits || scale == 0 {
        return Err(BuildError::Size(format!(
            "an upscaler that reads {channels} channels and doubles {doublings} times is not known"
        )));
    }
    Ok(UpscalerLayout { scale: scale / unshuffle, unshuffle, colours })
}

/// The network for `batch` pictures of `height` x `width`. Where pixels become channels, sizes that are no multiples of
/// four go on mirrored, and what comes of that is cut off.
///
/// Input: `image f32[batch, height, width, 3]`. Output: `image f32[batch, s height, s width, 3]`; both 0 to 1.
///
/// # Errors
/// If a tensor is missing or does not fit.
pub fn rrdb_net(
    mut b: Builder<'_>,
    batch: usize,
    [height, width]: [usize; 2],
) -> Result<Builder<'_>, BuildError> {
    let layout = upscaler_layout(b.weights())?;
    let mut x = b.input("image", Element::F32, vec![batch, height, width, layout.colours]);
    if layout.unshuffle > 1 {
        x = reframed(&mut b, x, [height, width].map(|size| size.next_multiple_of(MULTIPLE)))?;
        x = b.apply(OpKind::PixelUnshuffle { factor: layout.unshuffle }, &[x])?;
    }
    let first = conv(&mut b, "conv_first", x)?;
    let mut h = first;
    for block in 0..b.weights().count("body.") {
        h = rrdb(&mut b, &format!("body.{block}"), h)?;
    }
    let body = conv(&mut b, "conv_body", h)?;
    let mut h = b.add(body, first)?;
    for doubling in 1..=(layout.scale * layout.unshuffle).ilog2() {
        let [height, width] = [1, 2].map(|dimension| b.shape(h)[dimension].saturating_mul(2));
        let large = b.apply(OpKind::UpsampleNearest { height, width }, &[h])?;
        let large = conv(&mut b, &format!("conv_up{doubling}"), large)?;
        h = b.activate(Activation::LeakyRelu, large)?;
    }
    let h = conv(&mut b, "conv_hr", h)?;
    let h = b.activate(Activation::LeakyRelu, h)?;
    let mut image = conv(&mut b, "conv_last", h)?;
    if layout.unshuffle > 1 {
        image = reframed(&mut b, image, [height, width].map(|size| size.saturating_mul(layout.scale)))?;
    }
    let image = b.apply(OpKind::Affine { add: 0.0, mul: 1.0, clamp: Some((0.0, 1.0)) }, &[image])?;
    b.output("image", image);
    Ok(b)
}

/// A picture at this size, if it has another one.
fn reframed(b: &mut Builder<'_>, x: ValueId, [height, width]: [usize; 2]) -> Result<ValueId, BuildError> {
    if b.shape(x)[1..3] == [height, width] {
        return Ok(x);
    }
    b.apply(OpKind::Reframe { height, width }, &[x])
}

/// Three dense blocks, and a residual around them.
fn rrdb(b: &mut Builder<'_>, path: &str, x: ValueId) -> Result<ValueId, BuildError> {
    let mut h = x;
    for block in 1..=3 {
        h = dense_block(b, &format!("{path}.rdb{block}"), h)?;
    }
    weak_residual(b, h, x)
}

fn dense_block(b: &mut Builder<'_>, path: &str, x: ValueId) -> Result<ValueId, BuildError> {
    let mut all = x;
    for index in 1..CONVOLUTIONS {
        let h = conv(b, &format!("{path}.conv{index}"), all)?;
        let h = b.activate(Activation::LeakyRelu, h)?;
        all = b.apply(OpKind::Concat, &[all, h])?;
    }
    let h = conv(b, &format!("{path}.conv{CONVOLUTIONS}"), all)?;
    weak_residual(b, h, x)
}

fn weak_residual(b: &mut Builder<'_>, h: ValueId, x: ValueId) -> Result<ValueId, BuildError> {
    let h = b.apply(OpKind::Affine { add: 0.0, mul: RESIDUAL, clamp: None }, &[h])?;
    b.add(h, x)
}

fn conv(b: &mut Builder<'_>, path: &str, x: ValueId) -> Result<ValueId, BuildError> {
    b.conv2d(path, x, 1, Padding::all(1))
}
