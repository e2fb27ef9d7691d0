//! Pieces and batches of latents: values are moved, none is computed.

use super::latent_ops::fitted;
use super::{Call, KernelError, Latent, Tensor, TensorMut, copy, dimensions};
use crate::resize::{Crop, ScaleMethod};

/// The samples to write, and the noise mask where the latent carries one.
pub(super) struct Written<'a> {
    pub(super) samples: TensorMut<'a>,
    pub(super) noise_mask: Option<TensorMut<'a>>,
}

/// Takes the output of a class that gives one latent.
pub(super) fn take_latent<'a>(call: &mut Call<'a>) -> Result<Written<'a>, KernelError> {
    let mut tensors = call.take_output(0).unwrap_or_default().into_iter();
    let samples = tensors.next().ok_or_else(|| KernelError::Plan("nothing reads the output".to_owned()))?;
    Ok(Written { samples, noise_mask: tensors.next() })
}

/// Writes the noise mask that a latent hands on.
pub(super) fn hand_mask_on(latent: &Latent<'_>, written: Option<TensorMut<'_>>) -> Result<(), KernelError> {
    match (latent.noise_mask, written) {
        (_, None) => Ok(()),
        (Some(mask), Some(written)) => copy(mask.data, written.data),
        (None, Some(_)) => Err(KernelError::Plan("a noise mask that no latent has".to_owned())),
    }
}

/// The latent as it is.
pub(super) fn hand_on(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (latent, _) = call.latent("samples")?;
    let written = take_latent(call)?;
    copy(latent.samples.data, written.samples.data)?;
    hand_mask_on(&latent, written.noise_mask)
}

pub(super) fn set_noise_mask(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (latent, _) = call.latent("samples")?;
    let (mask, _) = call.tensor::<3>("mask")?;
    let written = take_latent(call)?;
    copy(latent.samples.data, written.samples.data)?;
    match written.noise_mask {
        Some(written) => copy(mask.data, written.data),
        None => Err(KernelError::Plan("no room for the noise mask".to_owned())),
    }
}

/// Writes each element from the place that `from` names for its row and column.
fn moved(
    latent: Tensor<'_>,
    out: &mut TensorMut<'_>,
    from: impl Fn(usize, usize) -> (usize, usize),
) -> Result<(), KernelError> {
    let [_, _, height, width] = dimensions(latent.shape)?;
    let [_, _, new_height, new_width] = dimensions(out.shape)?;
    let planes = latent.data.chunks_exact(height * width);
    for (plane, out) in planes.zip(out.data.chunks_exact_mut(new_height * new_width)) {
        for (y, row) in out.chunks_exact_mut(new_width).enumerate() {
            for (x, value) in row.iter_mut().enumerate() {
                let (y, x) = from(y, x);
                let place = y.checked_mul(width).map(|start| start + x).filter(|_| x < width);
                *value = *place
                    .and_then(|place| plane.get(place))
                    .ok_or_else(|| KernelError::Plan("a piece that lies outside of its latent".to_owned()))?;
            }
        }
    }
    Ok(())
}

/// The same of the samples of `samples`, whose mask is handed on.
fn moved_samples(
    call: &mut Call<'_>,
    latent: &Latent<'_>,
    from: impl Fn(usize, usize) -> (usize, usize),
) -> Result<(), KernelError> {
    let mut written = take_latent(call)?;
    moved(latent.samples, &mut written.samples, from)?;
    hand_mask_on(latent, written.noise_mask)
}

pub(super) fn flip(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (latent, [_, _, height, width]) = call.latent("samples")?;
    let method = call.string("flip_method")?;
    let (rows, columns) = (method.starts_with('x'), method.starts_with('y'));
    moved_samples(call, &latent, |y, x| {
        (if rows { height - 1 - y } else { y }, if columns { width - 1 - x } else { x })
    })
}

/// Turns clockwise.
pub(super) fn rotate(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (latent, [_, _, height, width]) = call.latent("samples")?;
    let rotation = call.string("rotation")?;
    moved_samples(call, &latent, |y, x| match rotation {
        "90 degrees" => (height - 1 - x, y),
        "180 degrees" => (height - 1 - y, width - 1 - x),
        "270 degrees" => (x, width - 1 - y),
        _ => (y, x),
    })
}

/// Pixels per latent pixel.
pub(super) const FACTOR: usize = 8;

/// The first row or column of a crop: one that begins less than 8 before the end is moved there, and where there are
/// not so many, counts from the end.
fn crop_start(length: usize, pixels: usize) -> usize {
    let start = pixels / FACTOR;
    if length >= 8 { start.min(length - 8) } else { length.saturating_sub(8 - length) }
}

pub(super) fn crop(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (latent, [_, _, height, width]) = call.latent("samples")?;
    let (top, left) = (crop_start(height, call.int("y")?), crop_start(width, call.int("x")?));
    moved_samples(call, &latent, |y, x| (top + y, left + x))
}

pub(super) fn cut(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (latent, [_, _, height, width]) = call.latent("samples")?;
    let index: i128 = call.int("index")?;
    let start = |length: usize| {
        let index = if index < 0 { index + length as i128 } else { index };
        usize::try_from(index.max(0)).unwrap_or(usize::MAX).min(length - 1)
    };
    let (top, left) = if call.string("dim")? == "x" { (0, start(width)) } else { (start(height), 0) };
    moved_samples(call, &latent, |y, x| (top + y, left + x))
}

/// Both side by side, or below one another; with `-` the second one first.
pub(super) fn concat(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (first, [batch, channels, ..]) = call.latent("samples1")?;
    let (second, [others, ..]) = call.latent("samples2")?;
    let direction = call.string("dim")?;
    let written = take_latent(call)?;
    let pair = if direction.starts_with('-') { [&second, &first] } else { [&first, &second] };
    let [heights, widths] = [2, 3].map(|axis| pair.map(|latent| latent.samples.shape[axis]));
    let [_, _, height, width] = dimensions(written.samples.shape)?;
    let mut offset = (0, 0);
    for ((latent, rows), columns) in pair.into_iter().zip(heights).zip(widths) {
        let own = if std::ptr::eq(latent, &first) { batch } else { others };
        for plane in 0..batch * channels {
            let from = (plane / channels % own) * channels + plane % channels;
            for row in 0..rows {
                let source = &latent.samples.data[(from * rows + row) * columns..][..columns];
                let start = (plane * height + offset.0 + row) * width + offset.1;
                written.samples.data[start..start + columns].copy_from_slice(source);
            }
        }
        if direction.ends_with('x') { offset.1 += columns } else { offset.0 += rows }
    }
    hand_mask_on(&first, written.noise_mask)
}

/// Items of a tensor, from one on.
fn items<'a>(tensor: Tensor<'a>, start: usize, count: usize) -> Result<&'a [f32], KernelError> {
    let item: usize = tensor.shape.iter().skip(1).product();
    let range = start * item..(start + count) * item;
    tensor.data.get(range).ok_or_else(|| KernelError::Plan("items that its batch does not have".to_owned()))
}

pub(super) fn from_batch(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (latent, [batch, ..]) = call.latent("samples")?;
    let index: i128 = call.int("batch_index")?;
    let index = if index < 0 { index + batch as i128 } else { index };
    let start = usize::try_from(index.max(0)).unwrap_or(usize::MAX).min(batch.saturating_sub(1));
    let written = take_latent(call)?;
    let [length, ..] = dimensions::<4>(written.samples.shape)?;
    copy(items(latent.samples, start, length)?, written.samples.data)?;
    let (Some(mask), Some(written)) = (latent.noise_mask, written.noise_mask) else { return Ok(()) };
    match mask.shape[0] {
        1 => copy(mask.data, written.data),
        count => cycled(mask, written, (0..length).map(|position| (start + position) % count)),
    }
}

/// Writes items of a tensor one after the other.
fn cycled(
    from: Tensor<'_>,
    to: TensorMut<'_>,
    order: impl Iterator<Item = usize>,
) -> Result<(), KernelError> {
    let item: usize = from.shape.iter().skip(1).product();
    for (position, place) in order.zip(to.data.chunks_exact_mut(item)) {
        copy(items(from, position, 1)?, place)?;
    }
    Ok(())
}

pub(super) fn repeat(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (latent, [batch, ..]) = call.latent("samples")?;
    let written = take_latent(call)?;
    cycled(latent.samples, written.samples, (0..batch).cycle())?;
    let (Some(mask), Some(written)) = (latent.noise_mask, written.noise_mask) else { return Ok(()) };
    let count = mask.shape[0];
    // Fewer masks than latents are first repeated for one round of the batch.
    let round = if count > 1 { count.max(batch) } else { 1 };
    cycled(mask, written, (0..round).map(|position| position % count).cycle())
}

/// One batch of both; the second is resized to the first.
pub(super) fn batch(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (first, dimensions) = call.latent("samples1")?;
    let (second, _) = call.latent("samples2")?;
    let written = take_latent(call)?;
    let fitted = fitted(second.samples, dimensions, ScaleMethod::Bilinear, Crop::Center)?;
    let (one, other) = written
        .samples
        .data
        .split_at_mut_checked(first.samples.data.len())
        .ok_or_else(|| KernelError::Plan("no room for both batches".to_owned()))?;
    copy(first.samples.data, one)?;
    copy(&fitted, other)?;
    hand_mask_on(&first, written.noise_mask)
}
