//! Sections, directions, borders and compositions of pictures.

use super::pixels::{Picture, PictureMut, Pictures, section};
use super::{Call, Kernel, KernelError};
use crate::resize::{Crop, ScaleMethod, Target};

pub(super) const ALL: &[(&str, Kernel)] = &[
    ("CenterCropImages", center_crop_images),
    ("ImageCompositeMasked", image_composite_masked),
    ("ImageCrop", image_crop),
    ("ImageFlip", image_flip),
    ("ImagePadForOutpaint", image_pad_for_outpaint),
    ("ImageRotate", image_rotate),
    ("ImageStitch", image_stitch),
    ("JoinImageWithAlpha", join_image_with_alpha),
    ("SplitImageWithAlpha", split_image_with_alpha),
];

const BILINEAR: (ScaleMethod, Crop) = (ScaleMethod::Bilinear, Crop::Disabled);

/// Copies the section that begins at a place and has the size of the output.
pub(super) fn cut(picture: &Picture<'_>, to: &mut PictureMut<'_>, left: usize, top: usize) {
    for y in 0..to.height {
        let len = to.width * picture.channels;
        let row = &picture.row(top + y)[left * picture.channels..][..len];
        to.row(y).copy_from_slice(row);
    }
}

fn image_crop(call: &mut Call<'_>) -> Result<(), KernelError> {
    let images = call.pictures("image")?;
    let left = call.int::<usize>("x")?.min(images.width - 1);
    let top = call.int::<usize>("y")?.min(images.height - 1);
    let width = call.int::<usize>("width")?.min(images.width - left);
    let height = call.int::<usize>("height")?.min(images.height - top);
    let mut output = call.picture_output([images.batch, height, width, images.channels])?;
    images.iter().zip(output.iter_mut()).for_each(|(image, mut out)| cut(&image, &mut out, left, top));
    Ok(())
}

fn center_crop_images(call: &mut Call<'_>) -> Result<(), KernelError> {
    let images = call.pictures("images")?;
    let width = call.int::<usize>("width")?.min(images.width);
    let height = call.int::<usize>("height")?.min(images.height);
    let (left, top) = ((images.width - width) / 2, (images.height - height) / 2);
    let mut output = call.picture_output([images.batch, height, width, images.channels])?;
    images.iter().zip(output.iter_mut()).for_each(|(image, mut out)| cut(&image, &mut out, left, top));
    Ok(())
}

/// Fills pictures with pixels of others; `from` gives the place of a pixel in the other picture.
fn rearrange(
    images: Pictures<'_>,
    output: &mut super::pixels::PicturesMut<'_>,
    from: impl Fn(usize, usize) -> (usize, usize),
) {
    for (image, mut out) in images.iter().zip(output.iter_mut()) {
        for y in 0..out.height {
            for x in 0..out.width {
                let (from_x, from_y) = from(x, y);
                out.pixel(x, y).copy_from_slice(image.pixel(from_x, from_y));
            }
        }
    }
}

fn image_flip(call: &mut Call<'_>) -> Result<(), KernelError> {
    let images = call.pictures("image")?;
    let upside_down = call.string("flip_method")?.starts_with('x');
    let mut output = call.picture_output(images.shape())?;
    let (right, bottom) = (images.width - 1, images.height - 1);
    match upside_down {
        true => rearrange(images, &mut output, |x, y| (x, bottom - y)),
        false => rearrange(images, &mut output, |x, y| (right - x, y)),
    }
    Ok(())
}

/// Clockwise.
fn image_rotate(call: &mut Call<'_>) -> Result<(), KernelError> {
    let images = call.pictures("image")?;
    let rotation = call.string("rotation")?;
    let (right, bottom) = (images.width - 1, images.height - 1);
    let quarter = rotation.starts_with("90") || rotation.starts_with("270");
    let [batch, height, width, channels] = images.shape();
    let turned = if quarter { [batch, width, height, channels] } else { images.shape() };
    let mut output = call.picture_output(turned)?;
    match rotation.split(' ').next() {
        Some("90") => rearrange(images, &mut output, |x, y| (y, bottom - x)),
        Some("180") => rearrange(images, &mut output, |x, y| (right - x, bottom - y)),
        Some("270") => rearrange(images, &mut output, |x, y| (right - y, x)),
        _ => rearrange(images, &mut output, |x, y| (x, y)),
    }
    Ok(())
}

/// Pixels added on each side.
struct Border {
    left: usize,
    top: usize,
    right: usize,
    bottom: usize,
}

fn image_pad_for_outpaint(call: &mut Call<'_>) -> Result<(), KernelError> {
    let images = call.pictures("image")?;
    let border = Border {
        left: call.int("left")?,
        top: call.int("top")?,
        right: call.int("right")?,
        bottom: call.int("bottom")?,
    };
    let feathering = call.int("feathering")?;
    let width = images.width.saturating_add(border.left).saturating_add(border.right);
    let height = images.height.saturating_add(border.top).saturating_add(border.bottom);
    if let Some(mut output) = call.wanted(0, [images.batch, height, width, images.channels])? {
        output.data.fill(0.5);
        let padded = images.iter().zip(output.iter_mut());
        padded.for_each(|(image, mut out)| out.put(&image, border.left, border.top));
    }
    if let Some(mut mask) = call.wanted(1, [1, height, width, 1])? {
        mask.data.fill(1.0);
        let inner = (images.width, images.height);
        mask.iter_mut().for_each(|mut mask| feather_inside(&mut mask, inner, &border, feathering));
    }
    Ok(())
}

/// The part of the mask that covers the old picture: 0, and towards sides with a border the square of a ramp to 1. A
/// picture not larger than twice the ramp has none.
fn feather_inside(
    mask: &mut PictureMut<'_>,
    (width, height): (usize, usize),
    border: &Border,
    feathering: usize,
) {
    let ramp = feathering > 0 && feathering.saturating_mul(2) < width.min(height);
    // A side without border is as far as no side can be.
    let distance = |border: usize, distance: usize, far: usize| if border > 0 { distance } else { far };
    for y in 0..height {
        let top = distance(border.top, y, height);
        let vertical = top.min(distance(border.bottom, height - y, height));
        for x in 0..width {
            let left = distance(border.left, x, width);
            let horizontal = left.min(distance(border.right, width - x, width));
            let inside = feathering.saturating_sub(vertical.min(horizontal));
            let value = if ramp { inside as f64 / feathering as f64 } else { 0.0 };
            mask.pixel(border.left + x, border.top + y).fill((value * value) as f32);
        }
    }
}

/// Where pixels of the second picture go, and how large it becomes.
struct Seam {
    beside: bool,
    second_first: bool,
    matched: bool,
    width: usize,
    height: usize,
}

fn image_stitch(call: &mut Call<'_>) -> Result<(), KernelError> {
    let first = call.pictures("image1")?;
    let Some(second) = call.pictures_if_given("image2")? else {
        let output = call.picture_output(first.shape())?;
        return super::copy(first.values(), output.data);
    };
    let (direction, matched) = (call.string("direction")?, call.bool("match_image_size")?);
    let spacing = call.int::<usize>("spacing_width")?;
    let spacing = spacing + spacing % 2;
    let color = call.string("spacing_color")?;
    let beside = matches!(direction, "left" | "right");
    let aspect = second.width as f64 / second.height as f64;
    let (width, height) = match (matched, beside) {
        (true, true) => (((first.height as f64 * aspect) as usize).max(1), first.height),
        (true, false) => (first.width, ((first.width as f64 / aspect) as usize).max(1)),
        (false, _) => (second.width, second.height),
    };
    let seam = Seam { beside, second_first: matches!(direction, "left" | "up"), matched, width, height };
    let (out_width, out_height) = match beside {
        true => (first.width + width + spacing, first.height.max(height)),
        false => (first.width.max(width), first.height + height + spacing),
    };
    let (batch, channels) = (first.batch.max(second.batch), first.channels.max(second.channels));
    let mut output = call.picture_output([batch, out_height, out_width, channels])?;
    let [wide] = call.take_scratch()?;
    for (index, mut out) in output.iter_mut().enumerate() {
        let pictures = [first.one(index.min(first.batch - 1)), second.one(index.min(second.batch - 1))];
        stitch(&mut out, pictures, &seam, spacing, color, wide.data)?;
    }
    Ok(())
}

/// Red, green and blue of a named colour.
fn named(color: &str) -> [f32; 3] {
    match color {
        "black" => [0.0; 3],
        "red" => [1.0, 0.0, 0.0],
        "green" => [0.0, 1.0, 0.0],
        "blue" => [0.0, 0.0, 1.0],
        _ => [1.0; 3],
    }
}

/// Both pictures in the middle of their strips. What a strip does not cover is white or black, the gap has the colour.
fn stitch(
    out: &mut PictureMut<'_>,
    [first, second]: [Picture<'_>; 2],
    seam: &Seam,
    spacing: usize,
    color: &str,
    wide: &mut [f32],
) -> Result<(), KernelError> {
    let margin = if color == "white" { 1.0 } else { 0.0 };
    let channels = out.channels;
    let gap = [named(color).as_slice(), &[1.0]].concat();
    let along = |picture: (usize, usize)| if seam.beside { picture.0 } else { picture.1 };
    let sizes = [(first.width, first.height), (seam.width, seam.height)];
    let order = if seam.second_first { [1, 0] } else { [0, 1] };
    let gap_start = along(sizes[order[0]]);
    for y in 0..out.height {
        for x in 0..out.width {
            let at = along((x, y));
            let in_gap = at >= gap_start && at < gap_start + spacing;
            // A picture without alpha that is put beside one with alpha is opaque, its margin as well.
            let opaque = |which: usize| [first.channels, second.channels][which] < channels;
            let own = if at < gap_start { order[0] } else { order[1] };
            for (c, value) in out.pixel(x, y).iter_mut().enumerate() {
                *value = match (in_gap, c) {
                    (true, _) => gap[c.min(3)],
                    (false, 3) if opaque(own) => 1.0,
                    _ => margin,
                };
            }
        }
    }
    let starts = if seam.second_first { [gap_start + spacing, 0] } else { [0, gap_start + spacing] };
    let place = |which: usize| {
        let (width, height) = sizes[which];
        match seam.beside {
            true => (starts[which], (out.height - height) / 2),
            false => ((out.width - width) / 2, starts[which]),
        }
    };
    let ((left, top), (other_left, other_top)) = (place(0), place(1));
    out.put(&first, left, top);
    if !seam.matched {
        out.put(&second, other_left, other_top);
        return Ok(());
    }
    let whole = Target::whole(out.data, out.width, out.height, channels);
    let target = Target { left: other_left, top: other_top, width: seam.width, height: seam.height, ..whole };
    second.scale_into(target, wide, ScaleMethod::Lanczos)
}

fn image_composite_masked(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (destination, source) = (call.pictures("destination")?, call.pictures("source")?);
    let mask = call.pictures_if_given("mask")?;
    let (left, top) = (call.int("x")?, call.int("y")?);
    let resized = call.bool("resize_source")?;
    let mut output = call.picture_output(destination.shape())?;
    let [wide, source_memory, wide_mask, mask_memory] = call.take_scratch()?;
    for (index, mut out) in output.iter_mut().enumerate() {
        out.data.copy_from_slice(destination.one(index).data);
        let mut pasted = source.one(index);
        if resized {
            let size = (destination.width, destination.height);
            pasted = pasted.scaled(source_memory.data, size, wide.data, BILINEAR)?;
        }
        let mask = match mask {
            Some(mask) => {
                let size = (pasted.width, pasted.height);
                Some(mask.one(index).scaled(mask_memory.data, size, wide_mask.data, BILINEAR)?)
            }
            None => None,
        };
        paste(&mut out, &pasted, mask.as_ref(), left, top);
    }
    Ok(())
}

/// Lays a picture over another, through a mask of its size. One without alpha is opaque.
fn paste(
    out: &mut PictureMut<'_>,
    picture: &Picture<'_>,
    mask: Option<&Picture<'_>>,
    left: usize,
    top: usize,
) {
    for y in 0..picture.height.min(out.height.saturating_sub(top)) {
        for x in 0..picture.width.min(out.width.saturating_sub(left)) {
            let share = mask.map_or(1.0, |mask| mask.pixel(x, y)[0]);
            let from = picture.pixel(x, y);
            for (c, value) in out.pixel(left + x, top + y).iter_mut().enumerate() {
                let pasted = from.get(c).copied().unwrap_or(1.0);
                *value = share * pasted + (1.0 - share) * *value;
            }
        }
    }
}

fn join_image_with_alpha(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (images, alpha) = (call.pictures("image")?, call.pictures("alpha")?);
    let batch = images.batch.max(alpha.batch);
    let mut output = call.picture_output([batch, images.height, images.width, 4])?;
    let [wide, memory] = call.take_scratch()?;
    for (index, mut out) in output.iter_mut().enumerate() {
        let (image, size) = (images.one(index), (images.width, images.height));
        let mask =
            alpha.one(index).scaled(section(memory.data, size.0 * size.1)?, size, wide.data, BILINEAR)?;
        let pixels = image.data.chunks_exact(image.channels).zip(mask.data);
        for (out, (pixel, mask)) in out.pixels().zip(pixels) {
            out.iter_mut().zip(pixel).take(3).for_each(|(out, &value)| *out = value);
            out[3] = 1.0 - mask;
        }
    }
    Ok(())
}

fn split_image_with_alpha(call: &mut Call<'_>) -> Result<(), KernelError> {
    let images = call.pictures("image")?;
    let [batch, height, width, channels] = images.shape();
    let colors = channels.min(3);
    if let Some(output) = call.wanted(0, [batch, height, width, colors])? {
        let pixels = output.data.chunks_exact_mut(colors).zip(images.values().chunks_exact(channels));
        pixels.for_each(|(out, pixel)| out.copy_from_slice(&pixel[..colors]));
    }
    if let Some(output) = call.wanted(1, [batch, height, width, 1])? {
        let pixels = output.data.iter_mut().zip(images.values().chunks_exact(channels));
        pixels.for_each(|(out, pixel)| *out = 1.0 - pixel.get(3).copied().unwrap_or(1.0));
    }
    Ok(())
}
