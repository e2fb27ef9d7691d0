//! Masks.

use super::image::{PREVIEWS, channel, hand_on, save};
use super::image_place::cut;
use super::pixels::{Picture, PictureMut};
use super::{Call, Kernel, KernelError};
use crate::morphology::{Extremum, diamond, square};

pub(super) const ALL: &[(&str, Kernel)] = &[
    ("CropMask", crop_mask),
    ("FeatherMask", feather_mask),
    ("GrowMask", grow_mask),
    ("ImageColorToMask", image_color_to_mask),
    ("ImageToMask", image_to_mask),
    ("InvertMask", invert_mask),
    ("MaskComposite", mask_composite),
    ("MaskPreview", mask_preview),
    ("MaskToImage", mask_to_image),
    ("SolidMask", solid_mask),
    ("ThresholdMask", threshold_mask),
];

fn solid_mask(call: &mut Call<'_>) -> Result<(), KernelError> {
    let value = call.float("value")? as f32;
    call.planned_output()?.1.data.fill(value);
    Ok(())
}

/// A mask of which each value follows from the one before.
fn each_value(call: &mut Call<'_>, of: impl Fn(f32) -> f32) -> Result<(), KernelError> {
    let mask = call.pictures("mask")?;
    let output = call.picture_output(mask.shape())?;
    output.data.iter_mut().zip(mask.values()).for_each(|(out, &value)| *out = of(value));
    Ok(())
}

fn invert_mask(call: &mut Call<'_>) -> Result<(), KernelError> {
    each_value(call, |value| 1.0 - value)
}

fn threshold_mask(call: &mut Call<'_>) -> Result<(), KernelError> {
    let least = call.float("value")? as f32;
    each_value(call, |value| if value > least { 1.0 } else { 0.0 })
}

fn crop_mask(call: &mut Call<'_>) -> Result<(), KernelError> {
    let mask = call.pictures("mask")?;
    let (left, top): (usize, usize) = (call.int("x")?, call.int("y")?);
    let width = call.int::<usize>("width")?.min(mask.width.saturating_sub(left));
    let height = call.int::<usize>("height")?.min(mask.height.saturating_sub(top));
    let mut output = call.picture_output([mask.batch, height, width, 1])?;
    mask.iter().zip(output.iter_mut()).for_each(|(mask, mut out)| cut(&mask, &mut out, left, top));
    Ok(())
}

/// Each side fades by itself; where ramps cross they are multiplied. As in ComfyUI, the ramps of the right and lower
/// side end one pixel before the edge, and their weakest factor falls on the first column and row.
fn feather_mask(call: &mut Call<'_>) -> Result<(), KernelError> {
    let mask = call.pictures("mask")?;
    let side = |input: &str, most: usize| call.int::<usize>(input).map(|side| side.min(most));
    let (left, right) = (side("left", mask.width)?, side("right", mask.width)?);
    let (top, bottom) = (side("top", mask.height)?, side("bottom", mask.height)?);
    let mut output = call.picture_output(mask.shape())?;
    for (mask, mut out) in mask.iter().zip(output.iter_mut()) {
        out.data.copy_from_slice(mask.data);
        for y in 0..out.height {
            let row = out.row(y);
            ramp(row.len(), left, right, |x, rate| row[x] *= rate);
        }
        ramp(out.height, top, bottom, |y, rate| out.row(y).iter_mut().for_each(|value| *value *= rate));
    }
    Ok(())
}

/// Calls back for each place of a ramp from the front and one from the back.
fn ramp(len: usize, front: usize, back: usize, mut scale: impl FnMut(usize, f32)) {
    (0..front).for_each(|at| scale(at, ((at as f64 + 1.0) / front as f64) as f32));
    (0..back).for_each(|at| scale((len - at) % len, ((at as f64 + 1.0) / back as f64) as f32));
}

/// Grows or shrinks pixel by pixel: in eight directions a square, in four a diamond.
fn grow_mask(call: &mut Call<'_>) -> Result<(), KernelError> {
    let mask = call.pictures("mask")?;
    let expand: i64 = call.int("expand")?;
    let tapered = call.bool("tapered_corners")?;
    let mut output = call.picture_output(mask.shape())?;
    let [other] = call.take_scratch()?;
    let other = super::pixels::section(other.data, mask.width * mask.height)?;
    let which = if expand < 0 { Extremum::Least } else { Extremum::Most };
    let steps = usize::try_from(expand.unsigned_abs()).unwrap_or(usize::MAX);
    for (mask, out) in mask.iter().zip(output.iter_mut()) {
        let size = [mask.width, mask.height, 1];
        match tapered {
            true => diamond(mask.data, out.data, other, size, steps, which),
            false => square(mask.data, out.data, other, size, [steps, steps], which),
        }
    }
    Ok(())
}

/// What becomes of a value and one laid over it.
fn combine(operation: &str) -> Result<fn(f32, f32) -> f32, KernelError> {
    // Halves are rounded to the even number, as everywhere.
    fn set(value: f32) -> bool {
        value.round_ties_even() != 0.0
    }
    Ok(match operation {
        "multiply" => |a, b| a * b,
        "add" => |a, b| a + b,
        "subtract" => |a, b| a - b,
        "and" => |a, b| f32::from(set(a) && set(b)),
        "or" => |a, b| f32::from(set(a) || set(b)),
        "xor" => |a, b| f32::from(set(a) != set(b)),
        other => return Err(KernelError::Plan(format!("`{other}` combines no masks"))),
    })
}

fn mask_composite(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (destination, source) = (call.pictures("destination")?, call.pictures("source")?);
    let (left, top) = (call.int("x")?, call.int("y")?);
    let operation = combine(call.string("operation")?)?;
    let mut output = call.picture_output(destination.shape())?;
    for (index, mut out) in output.iter_mut().enumerate() {
        out.data.copy_from_slice(destination.one(index).data);
        lay(&mut out, &source.one(index), left, top, operation);
        out.data.iter_mut().for_each(|value| *value = value.clamp(0.0, 1.0));
    }
    Ok(())
}

fn lay(out: &mut PictureMut<'_>, over: &Picture<'_>, left: usize, top: usize, of: fn(f32, f32) -> f32) {
    for y in 0..over.height.min(out.height.saturating_sub(top)) {
        let row = out.row(top + y).iter_mut().skip(left).zip(over.row(y));
        row.for_each(|(value, &over)| *value = of(*value, over));
    }
}

fn mask_preview(call: &mut Call<'_>) -> Result<(), KernelError> {
    let mask = call.pictures("mask")?;
    save(call, PREVIEWS, mask)?;
    hand_on(call, mask)
}

fn mask_to_image(call: &mut Call<'_>) -> Result<(), KernelError> {
    let mask = call.pictures("mask")?;
    let output = call.picture_output([mask.batch, mask.height, mask.width, 3])?;
    let pixels = output.data.chunks_exact_mut(3).zip(mask.values());
    pixels.for_each(|(pixel, &value)| pixel.fill(value));
    Ok(())
}

fn image_to_mask(call: &mut Call<'_>) -> Result<(), KernelError> {
    let images = call.pictures("image")?;
    let channel = channel(call)?;
    if channel >= images.channels {
        return Err(KernelError::Plan("the picture has no such channel".to_owned()));
    }
    let output = call.picture_output([images.batch, images.height, images.width, 1])?;
    let pixels = output.data.iter_mut().zip(images.values().chunks_exact(images.channels));
    pixels.for_each(|(out, pixel)| *out = pixel[channel]);
    Ok(())
}

/// Colours are compared as bytes, to the nearest; halves go to the even number.
fn image_color_to_mask(call: &mut Call<'_>) -> Result<(), KernelError> {
    let images = call.pictures("image")?;
    let color: u32 = call.int("color")?;
    let output = call.picture_output([images.batch, images.height, images.width, 1])?;
    let byte = |value: f32| (value.clamp(0.0, 1.0) * 255.0).round_ties_even() as u32;
    let pixels = output.data.iter_mut().zip(images.values().chunks_exact(images.channels));
    for (out, pixel) in pixels {
        let own = pixel.iter().take(3).fold(0, |sum, &value| sum << 8 | byte(value));
        *out = if own == color { 1.0 } else { 0.0 };
    }
    Ok(())
}
