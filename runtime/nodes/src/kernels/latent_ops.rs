//! Arithmetic and sizes of latents, value by value in f32.

use std::borrow::Cow;

use super::latent_shape::{FACTOR, hand_mask_on, take_latent};
use super::{Call, KernelError, Tensor, copy, dimensions};
use crate::bislerp::bislerp;
use crate::resize::{Crop, ScaleMethod, resized_plane};

/// The method that only latents know.
const BISLERP: &str = "bislerp";

/// A latent at the rows and columns of another one, plane by plane.
pub(super) fn fitted<'a>(
    latent: Tensor<'a>,
    [_, _, to_height, to_width]: [usize; 4],
    method: ScaleMethod,
    crop: Crop,
) -> Result<Cow<'a, [f32]>, KernelError> {
    let [.., height, width] = dimensions::<4>(latent.shape)?;
    if (height, width) == (to_height, to_width) {
        return Ok(Cow::Borrowed(latent.data));
    }
    let mut result = Vec::with_capacity(latent.data.len() / (height * width).max(1) * to_height * to_width);
    for plane in latent.data.chunks_exact(height * width) {
        result.extend_from_slice(&resized_plane(
            plane,
            [height, width],
            [to_height, to_width],
            method,
            crop,
        )?);
    }
    Ok(Cow::Owned(result))
}

/// Combines two latents value by value. The second is resized to the first, its items repeated or cut off.
fn two(
    call: &mut Call<'_>,
    method: ScaleMethod,
    combine: impl Fn(f32, f32) -> f32,
) -> Result<(), KernelError> {
    let (first, dimensions) = call.latent("samples1")?;
    let (second, _) = call.latent("samples2")?;
    let second = fitted(second.samples, dimensions, method, Crop::Center)?;
    let written = take_latent(call)?;
    let values = first.samples.data.iter().zip(second.iter().cycle());
    for (out, (&first, &second)) in written.samples.data.iter_mut().zip(values) {
        *out = combine(first, second);
    }
    hand_mask_on(&first, written.noise_mask)
}

pub(super) fn add(call: &mut Call<'_>) -> Result<(), KernelError> {
    two(call, ScaleMethod::Bilinear, |first, second| first + second)
}

pub(super) fn subtract(call: &mut Call<'_>) -> Result<(), KernelError> {
    two(call, ScaleMethod::Bilinear, |first, second| first - second)
}

pub(super) fn blend(call: &mut Call<'_>) -> Result<(), KernelError> {
    let share = call.float("blend_factor")?;
    let (first, second) = (share as f32, (1.0 - share) as f32);
    two(call, ScaleMethod::Bicubic, |a, b| a * first + b * second)
}

pub(super) fn multiply(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (latent, _) = call.latent("samples")?;
    let factor = call.float("multiplier")? as f32;
    let written = take_latent(call)?;
    for (out, &value) in written.samples.data.iter_mut().zip(latent.samples.data) {
        *out = value * factor;
    }
    hand_mask_on(&latent, written.noise_mask)
}

/// Directions and lengths of the channels of each pixel, mixed apart.
pub(super) fn interpolate(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (first, sizes) = call.latent("samples1")?;
    let (second, _) = call.latent("samples2")?;
    let second = fitted(second.samples, sizes, ScaleMethod::Bilinear, Crop::Center)?;
    let ratio = call.float("ratio")?;
    let (near, far) = (ratio as f32, (1.0 - ratio) as f32);
    let written = take_latent(call)?;
    let [_, channels, height, width] = sizes;
    let plane = height * width;
    let item = channels * plane;
    let items = first.samples.data.chunks_exact(item).zip(second.chunks_exact(item).cycle());
    for (out, (first, second)) in written.samples.data.chunks_exact_mut(item).zip(items) {
        for pixel in 0..plane {
            let norm = |of: &dyn Fn(usize) -> f32| {
                (0..channels).map(|channel| of(channel) * of(channel)).sum::<f32>().sqrt()
            };
            let over = |value: f32, length: f32| if length == 0.0 { 0.0 } else { value / length };
            let at = |channel: usize| channel * plane + pixel;
            let (a, b) = (norm(&|channel| first[at(channel)]), norm(&|channel| second[at(channel)]));
            let mixed =
                |channel: usize| over(first[at(channel)], a) * near + over(second[at(channel)], b) * far;
            let (length, wanted) = (norm(&mixed), a * near + b * far);
            for channel in 0..channels {
                out[at(channel)] = over(mixed(channel), length) * wanted;
            }
        }
    }
    hand_mask_on(&first, written.noise_mask)
}

/// To the size that the output has.
pub(super) fn upscale(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (latent, sizes) = call.latent("samples")?;
    let method = call.string("upscale_method")?;
    let crop = if call.inputs.contains_key("crop") { call.string("crop")?.parse()? } else { Crop::Disabled };
    let written = take_latent(call)?;
    let target = dimensions(written.samples.shape)?;
    if method == BISLERP {
        let resized = bislerp(latent.samples.data, sizes, [target[2], target[3]], crop)?;
        copy(&resized, written.samples.data)?;
    } else {
        copy(&fitted(latent.samples, target, method.parse()?, crop)?, written.samples.data)?;
    }
    hand_mask_on(&latent, written.noise_mask)
}

/// Which rows and columns of a latent lie where in another one.
struct Paste {
    top: usize,
    left: usize,
    /// Rows and columns of the pasted latent that lie inside.
    height: usize,
    width: usize,
}

impl Paste {
    fn new(
        [.., height, width]: [usize; 4],
        [.., rows, columns]: [usize; 4],
        top: usize,
        left: usize,
    ) -> Paste {
        let inside = |all: usize, start: usize, size: usize| all.saturating_sub(start).min(size);
        Paste { top, left, height: inside(height, top, rows), width: inside(width, left, columns) }
    }
}

/// One latent on another, weighted pixel by pixel.
fn paste(
    out: &mut [f32],
    [batch, channels, height, width]: [usize; 4],
    source: &[f32],
    [others, _, rows, columns]: [usize; 4],
    paste: &Paste,
    weight: impl Fn(usize, usize, usize) -> f32,
) {
    if paste.width == 0 {
        return;
    }
    for plane in 0..batch * channels {
        let item = plane / channels;
        let from = (item % others) * channels + plane % channels;
        for y in 0..paste.height {
            let source = &source[(from * rows + y) * columns..][..paste.width];
            let start = (plane * height + paste.top + y) * width + paste.left;
            for (x, (out, &value)) in out[start..start + paste.width].iter_mut().zip(source).enumerate() {
                let weight = weight(item, y, x);
                *out = value * weight + *out * (1.0 - weight);
            }
        }
    }
}

/// Edges that do not lie at the border fade over `feather` latent pixels.
pub(super) fn composite(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (to, sizes) = call.latent("samples_to")?;
    let (from, from_sizes) = call.latent("samples_from")?;
    let (top, left) = (call.int::<usize>("y")? / FACTOR, call.int::<usize>("x")? / FACTOR);
    let feather = call.int::<usize>("feather")? / FACTOR;
    let written = take_latent(call)?;
    copy(to.samples.data, written.samples.data)?;
    let place = Paste::new(sizes, from_sizes, top, left);
    let [.., height, width] = sizes;
    let rows = fade(place.height, feather, top != 0, top + place.height < height);
    let columns = fade(place.width, feather, left != 0, left + place.width < width);
    paste(written.samples.data, sizes, from.samples.data, from_sizes, &place, |_, y, x| rows[y] * columns[x]);
    hand_mask_on(&to, written.noise_mask)
}

/// Weights along one side: they rise over the first `feather` places and fall over the last. Where there are fewer
/// places, those that the reference counts from the other end are weighted again.
fn fade(length: usize, feather: usize, first: bool, last: bool) -> Vec<f32> {
    let mut weights = vec![1.0_f32; length];
    for step in 0..feather {
        let factor = (1.0 / feather as f64 * (step + 1) as f64) as f32;
        if first && step < length {
            weights[step] *= factor;
        }
        let place = if step < length { Some(length - 1 - step) } else { (2 * length).checked_sub(step + 1) };
        if let Some(weight) =
            place.filter(|_| last && step != length).and_then(|place| weights.get_mut(place))
        {
            *weight *= factor;
        }
    }
    weights
}

/// Through a mask, which is resized to the pasted latent.
pub(super) fn composite_masked(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (to, sizes) = call.latent("destination")?;
    let (from, mut from_sizes) = call.latent("source")?;
    let (top, left) = (call.int::<usize>("y")? / FACTOR, call.int::<usize>("x")? / FACTOR);
    let resize_source = call.bool("resize_source")?;
    let mask = if call.is_open("mask") { None } else { Some(call.tensor::<3>("mask")?) };
    let written = take_latent(call)?;
    copy(to.samples.data, written.samples.data)?;
    let source = if resize_source {
        [from_sizes[2], from_sizes[3]] = [sizes[2], sizes[3]];
        fitted(from.samples, sizes, ScaleMethod::Bilinear, Crop::Disabled)?
    } else {
        Cow::Borrowed(from.samples.data)
    };
    let place = Paste::new(sizes, from_sizes, top, left);
    let [.., rows, columns] = from_sizes;
    let Some((mask, [count, mask_height, mask_width])) = mask else {
        paste(written.samples.data, sizes, &source, from_sizes, &place, |_, _, _| 1.0);
        return hand_mask_on(&to, written.noise_mask);
    };
    let shape = [count, 1, mask_height, mask_width];
    let mask = Tensor { shape: &shape, data: mask.data };
    let mask = fitted(mask, from_sizes, ScaleMethod::Bilinear, Crop::Disabled)?;
    let weight = |item: usize, y: usize, x: usize| mask[((item % count) * rows + y) * columns + x];
    paste(written.samples.data, sizes, &source, from_sizes, &place, weight);
    hand_mask_on(&to, written.noise_mask)
}

#[cfg(test)]
mod tests {
    use super::fade;

    #[test]
    fn edges_fade_where_they_are_not_the_border() {
        assert_eq!(fade(4, 2, true, false), [0.5, 1.0, 1.0, 1.0]);
        assert_eq!(fade(4, 2, true, true), [0.5, 1.0, 1.0, 0.5]);
        assert_eq!(fade(3, 0, true, true), [1.0; 3]);
        // Wider than the latent: places counted from the other end are weighted twice.
        assert_eq!(fade(2, 4, false, true), [0.5, 0.25]);
    }
}
