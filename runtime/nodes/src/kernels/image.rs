//! Pictures from and into files, empty ones, batches.

use super::pixels::Pictures;
use super::{Call, Kernel, KernelError, copy, dimensions};
use crate::animation::{encode_animated_png, encode_animated_webp};
use crate::image_io::{Limits, LoadError, encode_png, load_channel, load_image as decode};
use crate::resize::{Crop, ScaleMethod};

pub(super) const ALL: &[(&str, Kernel)] = &[
    ("BatchImagesNode", batch_images),
    ("EmptyImage", empty_image),
    ("ImageBatch", image_batch),
    ("ImageCompare", image_compare),
    ("ImageFromBatch", image_from_batch),
    ("ImageInvert", image_invert),
    ("LoadImage", load_image),
    ("LoadImageMask", load_image_mask),
    ("PreviewImage", preview_image),
    ("RepeatImageBatch", repeat_image_batch),
    ("SaveAnimatedPNG", save_animated_png),
    ("SaveAnimatedWEBP", save_animated_webp),
    ("SaveImage", save_image),
];

/// Where previews go, below the output folder.
pub(super) const PREVIEWS: &str = "preview/ComfyUI";

fn changed(name: &str, now: [usize; 2], planned: [usize; 2]) -> KernelError {
    KernelError::Changed {
        name: name.to_owned(),
        now: format!("{}x{} pixels", now[1], now[0]),
        planned: format!("{}x{}", planned[1], planned[0]),
    }
}

/// The name of the file that `image` names, and what is in it.
fn opened<'a, T>(
    call: &Call<'a>,
    decode: impl Fn(&[u8]) -> Result<T, LoadError>,
) -> Result<(&'a str, T), KernelError> {
    let name = call.string("image")?;
    let bytes =
        call.host.read_picture(name).map_err(|error| KernelError::Read { name: name.to_owned(), error })?;
    let loaded = decode(&bytes).map_err(|error| KernelError::Decode { name: name.to_owned(), error })?;
    Ok((name, loaded))
}

/// The place of the channel that `channel` names.
pub(super) fn channel(call: &Call<'_>) -> Result<usize, KernelError> {
    let name = call.string("channel")?;
    let place = ["red", "green", "blue", "alpha"].iter().position(|channel| *channel == name);
    place.ok_or_else(|| KernelError::Plan(format!("`{name}` is no channel")))
}

fn load_image(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (name, loaded) = opened(call, |bytes| decode(bytes, Limits::default()))?;
    for image in call.take_output(0).unwrap_or_default() {
        let [_, height, width, _] = dimensions(image.shape)?;
        if (height, width) != (loaded.height, loaded.width) {
            return Err(changed(name, [loaded.height, loaded.width], [height, width]));
        }
        copy(&loaded.pixels, image.data)?;
    }
    for mask in call.take_output(1).unwrap_or_default() {
        let [_, height, width] = dimensions(mask.shape)?;
        if (height, width) != (loaded.mask.height, loaded.mask.width) {
            return Err(changed(name, [loaded.mask.height, loaded.mask.width], [height, width]));
        }
        copy(&loaded.mask.values, mask.data)?;
    }
    Ok(())
}

fn load_image_mask(call: &mut Call<'_>) -> Result<(), KernelError> {
    let channel = channel(call)?;
    let (name, loaded) = opened(call, |bytes| load_channel(bytes, channel, Limits::default()))?;
    let mask = call.only_output()?;
    let [_, height, width] = dimensions(mask.shape)?;
    if (height, width) != (loaded.height, loaded.width) {
        return Err(changed(name, [loaded.height, loaded.width], [height, width]));
    }
    copy(&loaded.values, mask.data)
}

/// Writes each picture under a number of its own.
pub(super) fn save(call: &Call<'_>, prefix: &str, images: Pictures<'_>) -> Result<(), KernelError> {
    for (number, picture) in images.iter().enumerate() {
        let size = [picture.width, picture.height, picture.channels];
        let png = encode_png(picture.data, size, call.host.texts())?;
        let prefix = filled(prefix, picture.width, picture.height);
        call.host.save_picture(&prefix.replace("%batch_num%", &number.to_string()), "png", &png)?;
    }
    Ok(())
}

/// A prefix with the picture's size in the places for it. Other places stay: the clock is none of a plan's inputs.
fn filled(prefix: &str, width: usize, height: usize) -> String {
    prefix.replace("%width%", &width.to_string()).replace("%height%", &height.to_string())
}

/// The output is the input.
pub(super) fn hand_on(call: &mut Call<'_>, images: Pictures<'_>) -> Result<(), KernelError> {
    match call.wanted(0, images.shape())? {
        Some(output) => copy(images.values(), output.data),
        None => Ok(()),
    }
}

fn save_image(call: &mut Call<'_>) -> Result<(), KernelError> {
    let images = call.pictures("images")?;
    save(call, call.string("filename_prefix")?, images)?;
    hand_on(call, images)
}

fn preview_image(call: &mut Call<'_>) -> Result<(), KernelError> {
    let images = call.pictures("images")?;
    save(call, PREVIEWS, images)?;
    hand_on(call, images)
}

fn image_compare(call: &mut Call<'_>) -> Result<(), KernelError> {
    for input in ["image_a", "image_b"] {
        if let Some(images) = call.pictures_if_given(input)? {
            save(call, PREVIEWS, images)?;
        }
    }
    Ok(())
}

/// Milliseconds that each picture is shown.
fn frame_time(call: &Call<'_>) -> Result<u32, KernelError> {
    Ok((1000.0 / call.float("fps")?).clamp(0.0, f64::from(u32::MAX)) as u32)
}

fn save_animated_png(call: &mut Call<'_>) -> Result<(), KernelError> {
    let images = call.pictures("images")?;
    let level = call.int("compress_level")?;
    let [_, height, width, channels] = images.shape();
    let file = encode_animated_png(
        images.values(),
        [width, height, channels],
        frame_time(call)?,
        level,
        call.host.texts(),
    )?;
    call.host.save_picture(&filled(call.string("filename_prefix")?, width, height), "png", &file)?;
    hand_on(call, images)
}

fn save_animated_webp(call: &mut Call<'_>) -> Result<(), KernelError> {
    let images = call.pictures("images")?;
    if !call.bool("lossless")? {
        return Err(KernelError::Plan("a lossy animation".to_owned()));
    }
    let [_, height, width, channels] = images.shape();
    let file = encode_animated_webp(images.values(), [width, height, channels], frame_time(call)?)?;
    call.host.save_picture(&filled(call.string("filename_prefix")?, width, height), "webp", &file)?;
    hand_on(call, images)
}

/// One colour, from a number of three bytes: red, green, blue.
fn empty_image(call: &mut Call<'_>) -> Result<(), KernelError> {
    let color: u32 = call.int("color")?;
    let color = [16, 8, 0].map(|shift| f32::from((color >> shift) as u8) / 255.0);
    let (_, output) = call.planned_output()?;
    output.data.chunks_exact_mut(3).for_each(|pixel| pixel.copy_from_slice(&color));
    Ok(())
}

fn image_invert(call: &mut Call<'_>) -> Result<(), KernelError> {
    let image = call.pictures("image")?;
    let output = call.picture_output(image.shape())?;
    for (out, &value) in output.data.iter_mut().zip(image.values()) {
        *out = 1.0 - value;
    }
    Ok(())
}

fn image_batch(call: &mut Call<'_>) -> Result<(), KernelError> {
    let batches = [call.pictures("image1")?, call.pictures("image2")?];
    join(call, &batches)
}

/// The sockets of `images` in their order; `image10` comes after `image9`.
fn batch_images(call: &mut Call<'_>) -> Result<(), KernelError> {
    let mut names: Vec<&str> =
        call.inputs.keys().copied().filter(|name| name.starts_with("images.")).collect();
    names.sort_by_key(|name| (name.len(), *name));
    let batches = names.into_iter().map(|name| call.pictures(name)).collect::<Result<Vec<_>, _>>()?;
    join(call, &batches)
}

/// Batches one after the other, in the size of the first, opaque where there was no alpha.
fn join(call: &mut Call<'_>, batches: &[Pictures<'_>]) -> Result<(), KernelError> {
    let Some(first) = batches.first() else {
        return Err(KernelError::Plan("no pictures to join".to_owned()));
    };
    let count = batches.iter().map(|batch| batch.batch).sum();
    let channels = batches.iter().map(|batch| batch.channels).max().unwrap_or(first.channels);
    let mut output = call.picture_output([count, first.height, first.width, channels])?;
    let [wide] = call.take_scratch()?;
    let pictures = batches.iter().flat_map(Pictures::iter);
    for (picture, mut joined) in pictures.zip(output.iter_mut()) {
        if picture.channels < channels {
            joined.data.fill(1.0);
        }
        if (picture.height, picture.width) == (first.height, first.width) {
            joined.put(&picture, 0, 0);
        } else {
            picture.scale(&mut joined, wide.data, ScaleMethod::Bilinear, Crop::Center)?;
        }
    }
    Ok(())
}

fn repeat_image_batch(call: &mut Call<'_>) -> Result<(), KernelError> {
    let image = call.pictures("image")?;
    let output = call.picture_output(repeated(image, call.int("amount")?))?;
    for copied in output.data.chunks_exact_mut(image.values().len()) {
        copied.copy_from_slice(image.values());
    }
    Ok(())
}

fn repeated(image: Pictures<'_>, amount: usize) -> [usize; 4] {
    let [batch, height, width, channels] = image.shape();
    [batch.saturating_mul(amount), height, width, channels]
}

fn image_from_batch(call: &mut Call<'_>) -> Result<(), KernelError> {
    let image = call.pictures("image")?;
    let [batch, height, width, channels] = image.shape();
    let (index, length): (i64, usize) = (call.int("batch_index")?, call.int("length")?);
    let last = batch as i64 - 1;
    let first = (if index < 0 { index + batch as i64 } else { index }).clamp(0, last) as usize;
    let count = length.min(batch - first);
    let output = call.picture_output([count, height, width, channels])?;
    let item = height * width * channels;
    copy(&image.values()[first * item..(first + count) * item], output.data)
}
