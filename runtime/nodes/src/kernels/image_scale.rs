//! Pictures in other sizes; the plan says which.

use super::pixels::PicturesMut;
use super::{Call, Kernel, KernelError};
use crate::resize::{Crop, ScaleMethod, Target};

pub(super) const ALL: &[(&str, Kernel)] = &[
    ("FluxKontextImageScale", flux_kontext_image_scale),
    ("ImageScale", image_scale),
    ("ImageScaleBy", image_scale_freely),
    ("ImageScaleToMaxDimension", image_scale_freely),
    ("ImageScaleToTotalPixels", image_scale_freely),
    ("ResizeAndPadImage", resize_and_pad_image),
    ("ResizeImageMaskNode", resize_image_mask),
];

/// Working memory, for the methods that need it.
fn wide<'a>(call: &mut Call<'a>) -> &'a mut [f32] {
    call.scratch.pop().map(|wide| wide.data).unwrap_or_default()
}

fn scale_all(call: &mut Call<'_>, input: &str, method: ScaleMethod, crop: Crop) -> Result<(), KernelError> {
    let images = call.pictures(input)?;
    let (_, mut output) = call.planned_output()?;
    let wide = wide(call);
    for (picture, mut scaled) in images.iter().zip(output.iter_mut()) {
        picture.scale(&mut scaled, wide, method, crop)?;
    }
    Ok(())
}

fn image_scale(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (method, crop) = (call.string("upscale_method")?.parse()?, call.string("crop")?.parse()?);
    scale_all(call, "image", method, crop)
}

/// The whole picture, whatever its proportions become.
fn image_scale_freely(call: &mut Call<'_>) -> Result<(), KernelError> {
    let method = call.string("upscale_method")?.parse()?;
    scale_all(call, "image", method, Crop::Disabled)
}

fn flux_kontext_image_scale(call: &mut Call<'_>) -> Result<(), KernelError> {
    scale_all(call, "image", ScaleMethod::Lanczos, Crop::Center)
}

fn resize_image_mask(call: &mut Call<'_>) -> Result<(), KernelError> {
    let method = call.string("scale_method")?.parse()?;
    let crop = match call.inputs.contains_key("resize_type.crop") {
        true => call.string("resize_type.crop")?.parse()?,
        false => Crop::Disabled,
    };
    scale_all(call, "input", method, crop)
}

/// The largest size of the same proportions, in the middle of the target; sides are cut off to whole pixels.
fn resize_and_pad_image(call: &mut Call<'_>) -> Result<(), KernelError> {
    let images = call.pictures("image")?;
    let method = call.string("interpolation")?.parse()?;
    let padding = if call.string("padding_color")? == "black" { 0.0 } else { 1.0 };
    let (_, mut output) = call.planned_output()?;
    let wide = wide(call);
    let PicturesMut { width: target_width, height: target_height, .. } = output;
    let (wide_scale, high_scale) =
        (target_width as f64 / images.width as f64, target_height as f64 / images.height as f64);
    let scale = wide_scale.min(high_scale);
    let side = |side: usize, most: usize| ((side as f64 * scale) as usize).clamp(1, most.max(1));
    let (width, height) = (side(images.width, target_width), side(images.height, target_height));
    let (left, top) = ((target_width - width) / 2, (target_height - height) / 2);
    output.data.fill(padding);
    for (picture, padded) in images.iter().zip(output.iter_mut()) {
        let whole = Target::whole(padded.data, target_width, target_height, padded.channels);
        picture.scale_into(Target { left, top, width, height, ..whole }, wide, method)?;
    }
    Ok(())
}
