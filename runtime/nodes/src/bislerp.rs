//! Resizing of latents along the arcs between the vectors of neighbouring pixels.
//!
//! Where bilinear resizing mixes two vectors, this turns one into the other (K. Shoemake, "Animating Rotation with
//! Quaternion Curves" (1985), in as many dimensions as there are channels) and mixes their lengths. Columns first,
//! then rows.

use crate::resize::{Crop, ResizeError, margins};

/// Resizes latents `[batch, channels, height, width]` to `[height, width]`.
///
/// # Errors
/// [`ResizeError::Source`] where the data does not fit its shape or is empty, [`ResizeError::TooLarge`] for a size of 0.
pub(crate) fn bislerp(
    data: &[f32],
    [batch, channels, height, width]: [usize; 4],
    [to_height, to_width]: [usize; 2],
    crop: Crop,
) -> Result<Vec<f32>, ResizeError> {
    if data.is_empty() || data.len() != batch * channels * height * width {
        return Err(ResizeError::Source { width, height, channels, len: data.len() });
    }
    if to_height == 0 || to_width == 0 {
        return Err(ResizeError::TooLarge { width: to_width, height: to_height, channels });
    }
    let (left, top) = match crop {
        Crop::Disabled => (0, 0),
        Crop::Center => margins(width, height, to_width, to_height),
    };
    let (inner_height, inner_width) = (height - 2 * top, width - 2 * left);
    let (columns, rows) = (taps(inner_width, to_width), taps(inner_height, to_height));
    let mut result = vec![0.0; batch * channels * to_height * to_width];
    let items = data.chunks_exact(channels * height * width);
    for (item, out) in items.zip(result.chunks_exact_mut(channels * to_height * to_width)) {
        // Pixels as vectors, row by row.
        let mut wide = vec![0.0; inner_height * to_width * channels];
        let mut vectors = [vec![0.0; channels], vec![0.0; channels]];
        for (y, row) in wide.chunks_exact_mut(to_width * channels).enumerate() {
            for (tap, to) in columns.iter().zip(row.chunks_exact_mut(channels)) {
                for (vector, x) in vectors.iter_mut().zip(tap.pixels) {
                    for (channel, value) in vector.iter_mut().enumerate() {
                        *value = item[(channel * height + top + y) * width + left + x];
                    }
                }
                turn([&vectors[0], &vectors[1]], tap.ratio, to);
            }
        }
        let mut turned = vec![0.0; channels];
        for (y, tap) in rows.iter().enumerate() {
            for x in 0..to_width {
                let vector = |row: usize| &wide[(row * to_width + x) * channels..][..channels];
                turn(tap.pixels.map(vector), tap.ratio, &mut turned);
                for (channel, &value) in turned.iter().enumerate() {
                    out[(channel * to_height + y) * to_width + x] = value;
                }
            }
        }
    }
    Ok(result)
}

/// The two pixels that one lies between, and how far it is from the first.
struct Tap {
    pixels: [usize; 2],
    ratio: f32,
}

fn taps(from: usize, to: usize) -> Vec<Tap> {
    let scale = from as f32 / to as f32;
    let tap = |index: usize| {
        let at = (scale * (index as f32 + 0.5) - 0.5).max(0.0);
        let low = (at as usize).min(from - 1);
        let high = (low + 1).min(from - 1);
        let weight = (at - low as f32).clamp(0.0, 1.0);
        // The position and that of the next pixel are themselves mixed, which rounds.
        let mix = |low: usize, high: usize| (1.0 - weight) * low as f32 + weight * high as f32;
        let position = mix(low, high);
        let next = |pixel: usize| (pixel + 1).min(from - 1);
        let first = position.floor();
        let second = mix(next(low), next(high)).floor();
        Tap { pixels: [first as usize, second as usize], ratio: position - first }
    };
    (0..to).map(tap).collect()
}

fn length(vector: &[f32]) -> f32 {
    vector.iter().map(|value| value * value).sum::<f32>().sqrt()
}

/// A vector on the arc from one to another, and of a length between theirs. Vectors of almost one direction give the
/// first, those of opposite ones a straight mixture.
fn turn([from, to]: [&[f32]; 2], ratio: f32, out: &mut [f32]) {
    let (from_length, to_length) = (length(from), length(to));
    let unit = |value: f32, length: f32| if length == 0.0 { 0.0 } else { value / length };
    let pairs = || from.iter().zip(to);
    let cosine: f32 = pairs().map(|(&a, &b)| unit(a, from_length) * unit(b, to_length)).sum();
    let (near, far) = (1.0 - ratio, ratio);
    if cosine > 1.0 - 1e-5 {
        out.copy_from_slice(from);
        return;
    }
    if cosine < 1e-5 - 1.0 {
        out.iter_mut().zip(pairs()).for_each(|(out, (&a, &b))| *out = a * near + b * far);
        return;
    }
    let angle = libm::acosf(cosine);
    let sine = libm::sinf(angle);
    let (first, second) = (libm::sinf(near * angle) / sine, libm::sinf(far * angle) / sine);
    let wanted = from_length * near + to_length * far;
    for (out, (&a, &b)) in out.iter_mut().zip(pairs()) {
        *out = (first * unit(a, from_length) + second * unit(b, to_length)) * wanted;
    }
}

#[cfg(test)]
mod tests {
    use super::{Crop, bislerp};

    #[test]
    fn directions_turn_and_lengths_mix() {
        // Two pixels of two channels: (1, 0) and (0, 3).
        let result = bislerp(&[1.0, 0.0, 0.0, 3.0], [1, 2, 1, 2], [1, 4], Crop::Disabled).expect("resizes");
        let (x, y) = result.split_at(4);
        assert_eq!([x[0], y[0], x[3], y[3]], [1.0, 0.0, 0.0, 3.0]);
        let length = (x[1] * x[1] + y[1] * y[1]).sqrt();
        assert!((length - 1.5).abs() < 1e-6, "{length}");
        assert!((y[1].atan2(x[1]) - std::f32::consts::FRAC_PI_8).abs() < 1e-6);
    }

    #[test]
    fn equal_neighbours_stay() {
        let result = bislerp(&[0.25; 8], [1, 2, 2, 2], [3, 5], Crop::Center).expect("resizes");
        assert_eq!(result, [0.25; 30]);
    }

    #[test]
    fn sizes_of_nothing_are_errors() {
        assert!(bislerp(&[1.0; 4], [1, 1, 2, 2], [0, 4], Crop::Disabled).is_err());
        assert!(bislerp(&[1.0; 3], [1, 1, 2, 2], [4, 4], Crop::Disabled).is_err());
    }
}
