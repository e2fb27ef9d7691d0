//! Scaling of pictures as ComfyUI's `ImageScale` does it.
//!
//! `nearest-exact`, `bilinear`, `area` and `bicubic` are torch's `interpolate` in f32 without
//! anti-aliasing: pixel centres at half coordinates, edges repeated, `area` an average over the pixels
//! that a target pixel touches, `bicubic` with R. Keys' kernel (1981), a = -0.75. `lanczos` goes through
//! 8 bits per channel, as ComfyUI's goes through Pillow: C. Duchon's window (1979) of three lobes,
//! widened when a picture shrinks, weights in fixed point with 22 bits, rows first, rounded to 8 bits in
//! between. The `fast_image_resize` crate has another fixed point and is not bit-equal.

use std::f64::consts::PI;
use std::str::FromStr;

use thiserror::Error;

/// Most values (pixels times channels) of a result: 4 GiB of f32.
pub const MAX_VALUES: usize = 1 << 30;

/// A picture that cannot be scaled.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum ResizeError {
    /// The name of the method is none of ComfyUI's.
    #[error("`{0}` is no scaling method; known: `nearest-exact`, `bilinear`, `area`, `bicubic`, `lanczos`")]
    Method(String),
    /// The kind of crop is none of ComfyUI's.
    #[error("`{0}` is no crop; known: `disabled`, `center`")]
    Crop(String),
    /// The picture has no pixels, or its data another length than its size says.
    #[error("a picture of {width}x{height} with {channels} channels cannot have {len} values")]
    Source {
        /// Pixels.
        width: usize,
        /// Pixels.
        height: usize,
        /// Values per pixel.
        channels: usize,
        /// Values given.
        len: usize,
    },
    /// The result would be larger than [`MAX_VALUES`].
    #[error("a picture of {width}x{height} with {channels} channels is too large")]
    TooLarge {
        /// Pixels.
        width: usize,
        /// Pixels.
        height: usize,
        /// Values per pixel.
        channels: usize,
    },
}

/// How values between pixels are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScaleMethod {
    /// The nearest pixel.
    NearestExact,
    /// Linear between the two nearest.
    Bilinear,
    /// Average of the pixels touched.
    Area,
    /// Cubic through the four nearest.
    Bicubic,
    /// Windowed sinc, 8 bits.
    Lanczos,
}

impl FromStr for ScaleMethod {
    type Err = ResizeError;

    /// Reads ComfyUI's name of a method.
    fn from_str(name: &str) -> Result<ScaleMethod, ResizeError> {
        match name {
            "nearest-exact" => Ok(ScaleMethod::NearestExact),
            "bilinear" => Ok(ScaleMethod::Bilinear),
            "area" => Ok(ScaleMethod::Area),
            "bicubic" => Ok(ScaleMethod::Bicubic),
            "lanczos" => Ok(ScaleMethod::Lanczos),
            _ => Err(ResizeError::Method(name.to_string())),
        }
    }
}

/// What happens to another aspect ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Crop {
    /// The picture is distorted.
    Disabled,
    /// The sides, or top and bottom, are cut off evenly first.
    Center,
}

impl FromStr for Crop {
    type Err = ResizeError;

    /// Reads ComfyUI's name of a crop.
    fn from_str(name: &str) -> Result<Crop, ResizeError> {
        match name {
            "disabled" => Ok(Crop::Disabled),
            "center" => Ok(Crop::Center),
            _ => Err(ResizeError::Crop(name.to_string())),
        }
    }
}

/// Size of a picture and its values per pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Size {
    /// Pixels.
    pub width: usize,
    /// Pixels.
    pub height: usize,
    /// Values per pixel.
    pub channels: usize,
}

/// Scales one picture, rows of pixels of interleaved channels (`H, W, C`), to `width` x `height` pixels.
///
/// Values may have any range for all methods but `lanczos`, which clips to 0..1. Takes memory for one
/// picture of the target's width and the source's height besides the result.
///
/// # Errors
/// [`ResizeError::Source`] when `source` does not fit its size; [`ResizeError::TooLarge`] beyond
/// [`MAX_VALUES`] or for a width or height of 0.
pub fn resize(
    source: &[f32],
    size: Size,
    width: usize,
    height: usize,
    method: ScaleMethod,
    crop: Crop,
) -> Result<Vec<f32>, ResizeError> {
    let Size { width: from_width, height: from_height, channels } = size;
    let len = from_width.checked_mul(from_height).and_then(|pixels| pixels.checked_mul(channels));
    if len != Some(source.len()) || source.is_empty() {
        return Err(ResizeError::Source {
            width: from_width,
            height: from_height,
            channels,
            len: source.len(),
        });
    }
    let fits = |width: usize, height: usize| {
        let len = width.checked_mul(height).and_then(|pixels| pixels.checked_mul(channels));
        len.is_some_and(|len| len > 0 && len <= MAX_VALUES)
    };
    if !fits(width, height) || !fits(width, from_height) {
        return Err(ResizeError::TooLarge { width, height, channels });
    }
    let (left, top) = match crop {
        Crop::Disabled => (0, 0),
        Crop::Center => margins(from_width, from_height, width, height),
    };
    let view = View {
        data: source,
        stride: from_width * channels,
        left,
        top,
        width: from_width - 2 * left,
        height: from_height - 2 * top,
        channels,
    };
    Ok(match method {
        ScaleMethod::NearestExact => nearest(&view, width, height),
        ScaleMethod::Bilinear => {
            separable(&view, &bilinear(view.width, width), &bilinear(view.height, height))
        }
        ScaleMethod::Bicubic => separable(&view, &bicubic(view.width, width), &bicubic(view.height, height)),
        ScaleMethod::Area => area(&view, width, height),
        ScaleMethod::Lanczos => lanczos(&view, width, height),
    })
}

/// Columns and rows cut off on each side so that the rest has the target's aspect ratio.
pub(crate) fn margins(width: usize, height: usize, to_width: usize, to_height: usize) -> (usize, usize) {
    let (w, h) = (width as f64, height as f64);
    let (old, new) = (w / h, to_width as f64 / to_height as f64);
    // At least one pixel stays.
    let cut = |all: usize, exact: f64| (exact.round_ties_even() as usize).min((all - 1) / 2);
    if old > new {
        (cut(width, (w - w * (new / old)) / 2.0), 0)
    } else if old < new {
        (0, cut(height, (h - h * (old / new)) / 2.0))
    } else {
        (0, 0)
    }
}

/// A part of a picture.
struct View<'a> {
    data: &'a [f32],
    /// Values from one row of the picture to the next.
    stride: usize,
    left: usize,
    top: usize,
    width: usize,
    height: usize,
    channels: usize,
}

impl View<'_> {
    fn row(&self, y: usize) -> &[f32] {
        let begin = (self.top + y) * self.stride + self.left * self.channels;
        &self.data[begin..begin + self.width * self.channels]
    }
}

fn nearest(view: &View<'_>, width: usize, height: usize) -> Vec<f32> {
    let index = |from: usize, to: usize| -> Vec<usize> {
        let scale = from as f32 / to as f32;
        (0..to)
            .map(|i| (((i as f64 + 0.5) * f64::from(scale)) as f32).floor() as usize)
            .map(|i| i.min(from - 1))
            .collect()
    };
    let columns = index(view.width, width);
    let mut out = Vec::with_capacity(width * height * view.channels);
    for y in index(view.height, height) {
        let row = view.row(y);
        for &x in &columns {
            out.extend_from_slice(&row[x * view.channels..(x + 1) * view.channels]);
        }
    }
    out
}

/// For each target pixel the source pixels it is made of and their weights.
type Taps<const N: usize> = Vec<[(usize, f32); N]>;

fn bilinear(from: usize, to: usize) -> Taps<2> {
    let scale = from as f32 / to as f32;
    let tap = |i: usize| {
        let at = (scale * (i as f32 + 0.5) - 0.5).max(0.0);
        let low = (at as usize).min(from - 1);
        let weight = (at - low as f32).clamp(0.0, 1.0);
        [(low, 1.0 - weight), ((low + 1).min(from - 1), weight)]
    };
    (0..to).map(tap).collect()
}

fn bicubic(from: usize, to: usize) -> Taps<4> {
    const A: f32 = -0.75;
    let near = |x: f32| ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0;
    let far = |x: f32| ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A;
    let scale = from as f32 / to as f32;
    let tap = |i: usize| {
        let at = scale * (i as f32 + 0.5) - 0.5;
        let base = at.floor();
        let t = at - base;
        let pixel = |offset: i64| (base as i64 + offset).clamp(0, from as i64 - 1) as usize;
        [(pixel(-1), far(t + 1.0)), (pixel(0), near(t)), (pixel(1), near(1.0 - t)), (pixel(2), far(2.0 - t))]
    };
    (0..to).map(tap).collect()
}

/// Rows first, then columns.
fn separable<const N: usize>(view: &View<'_>, columns: &Taps<N>, rows: &Taps<N>) -> Vec<f32> {
    let channels = view.channels;
    let width = columns.len() * channels;
    let mut wide = vec![0.0f32; width * view.height];
    for (y, out) in wide.chunks_exact_mut(width).enumerate() {
        let row = view.row(y);
        for (out, taps) in out.chunks_exact_mut(channels).zip(columns) {
            for (c, out) in out.iter_mut().enumerate() {
                *out = taps.iter().map(|&(x, weight)| row[x * channels + c] * weight).sum();
            }
        }
    }
    let mut result = vec![0.0f32; width * rows.len()];
    for (out, taps) in result.chunks_exact_mut(width).zip(rows) {
        for &(y, weight) in taps {
            let row = &wide[y * width..(y + 1) * width];
            out.iter_mut().zip(row).for_each(|(out, value)| *out += value * weight);
        }
    }
    result
}

fn area(view: &View<'_>, width: usize, height: usize) -> Vec<f32> {
    let channels = view.channels;
    // Sizes are below 2^30, so the products fit u64.
    let range = |i: usize, from: usize, to: usize| {
        let (i, from, to) = (i as u64, from as u64, to as u64);
        (i * from / to) as usize..((i + 1) * from).div_ceil(to) as usize
    };
    let mut out = Vec::with_capacity(width * height * channels);
    for y in 0..height {
        let rows = range(y, view.height, height);
        for x in 0..width {
            let columns = range(x, view.width, width);
            let count = (rows.len() * columns.len()) as f32;
            for c in 0..channels {
                let mut sum = 0.0f32;
                for y in rows.clone() {
                    let row = view.row(y);
                    columns.clone().for_each(|x| sum += row[x * channels + c]);
                }
                out.push(sum / count);
            }
        }
    }
    out
}

/// Bits of a fixed-point weight after the point.
const PRECISION: u32 = 32 - 8 - 2;

/// First source pixel and fixed-point weights of each target pixel.
fn lanczos_weights(from: usize, to: usize) -> Vec<(usize, Vec<i32>)> {
    const LOBES: f64 = 3.0;
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { libm::sin(x * PI) / (x * PI) };
    let kernel = |x: f64| if (-LOBES..LOBES).contains(&x) { sinc(x) * sinc(x / LOBES) } else { 0.0 };
    let scale = from as f64 / to as f64;
    let widen = scale.max(1.0);
    let support = LOBES * widen;
    let weights = |i: usize| {
        let center = (i as f64 + 0.5) * scale;
        let first = (center - support + 0.5).max(0.0) as usize;
        let end = ((center + support + 0.5) as usize).min(from);
        let exact: Vec<f64> =
            (first..end).map(|x| kernel((x as f64 - center + 0.5) * (1.0 / widen))).collect();
        let sum: f64 = exact.iter().sum();
        let fixed = |weight: &f64| {
            let weight = if sum == 0.0 { *weight } else { weight / sum };
            (weight * f64::from(1u32 << PRECISION)).round() as i32
        };
        (first, exact.iter().map(fixed).collect())
    };
    (0..to).map(weights).collect()
}

/// The weighted sum of `step`-spaced values from `begin` on, rounded to 8 bits.
fn lanczos_sum(values: &[u8], begin: usize, step: usize, weights: &[i32]) -> u8 {
    let sum = values[begin..]
        .iter()
        .step_by(step)
        .zip(weights)
        .fold(1i32 << (PRECISION - 1), |sum, (&v, &w)| sum.wrapping_add(i32::from(v).wrapping_mul(w)));
    (sum >> PRECISION).clamp(0, 255) as u8
}

fn lanczos(view: &View<'_>, width: usize, height: usize) -> Vec<f32> {
    let channels = view.channels;
    let mut bytes: Vec<u8> = Vec::with_capacity(view.width * view.height * channels);
    (0..view.height)
        .for_each(|y| bytes.extend(view.row(y).iter().map(|&value| crate::image_io::to_byte(value))));
    if width != view.width {
        let mut wide = Vec::with_capacity(width * view.height * channels);
        let columns = lanczos_weights(view.width, width);
        for row in bytes.chunks_exact(view.width * channels) {
            for (first, weights) in &columns {
                wide.extend((0..channels).map(|c| lanczos_sum(row, first * channels + c, channels, weights)));
            }
        }
        bytes = wide;
    }
    if height != view.height {
        let row = width * channels;
        let mut high = Vec::with_capacity(row * height);
        for (first, weights) in lanczos_weights(view.height, height) {
            high.extend((0..row).map(|x| lanczos_sum(&bytes, first * row + x, row, &weights)));
        }
        bytes = high;
    }
    bytes.into_iter().map(|byte| f32::from(byte) / 255.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image_io::{Limits, load_image};
    use floe_testing::{assert_close, different_bits, json, shared, tensors};

    /// Scales the input of a case with the arguments of its workflow.
    fn check(case: &str) {
        let workflow = json(&format!("parity/dev/cases/{case}/workflow.json"));
        let name = workflow["1"]["inputs"]["image"].as_str().expect("an input").to_string();
        let bytes = std::fs::read(shared("parity/inputs").join(name)).expect("input is readable");
        let image = load_image(&bytes, Limits::default()).expect("input decodes");
        let size = Size { width: image.width, height: image.height, channels: 3 };
        let inputs = &workflow["2"]["inputs"];
        let method = inputs["upscale_method"].as_str().expect("a method").parse().expect("a known one");
        let (width, height, crop) = if let Some(by) = inputs["scale_by"].as_f64() {
            let scaled = |side: usize| (side as f64 * by).round_ties_even() as usize;
            (scaled(size.width), scaled(size.height), Crop::Disabled)
        } else {
            let side = |name: &str| inputs[name].as_u64().expect("a size") as usize;
            let crop = inputs["crop"].as_str().expect("a crop").parse().expect("a known one");
            (side("width"), side("height"), crop)
        };
        let got = resize(&image.pixels, size, width, height, method, crop).expect("scales");
        let (shape, want) = &tensors(&format!("parity/dev/cases/{case}/image.safetensors"))["value"];
        assert_eq!(*shape, [1, height, width, 3], "{case}");
        println!("{case}: {} of {} values differ in bits", different_bits(&got, want), want.len());
        assert_close(case, &got, want, 1e-6, 0.0);
    }

    #[test]
    fn nearest_exact_case() {
        check("imageop_scale_nearest-exact_down");
    }

    #[test]
    fn bilinear_cases() {
        check("imageop_scale_bilinear_down");
        check("imageop_scale_bilinear_up");
    }

    #[test]
    fn area_cases() {
        check("imageop_scale_area_down");
        check("imageop_scale_area_up");
    }

    #[test]
    fn bicubic_cases() {
        check("imageop_scale_bicubic_down");
        check("imageop_scaleby");
    }

    #[test]
    fn lanczos_cases() {
        check("imageop_scale_lanczos_down");
        check("imageop_scale_lanczos_up");
    }

    #[test]
    fn all_methods_take_odd_sizes() {
        let methods = ["nearest-exact", "bilinear", "area", "bicubic", "lanczos"];
        for (name, (w, h)) in methods.iter().flat_map(|m| [(1, 1), (1, 7), (5, 1), (3, 2)].map(|s| (m, s))) {
            let method: ScaleMethod = name.parse().expect("known");
            let size = Size { width: w, height: h, channels: 3 };
            let source = vec![0.2; w * h * 3];
            for (to_w, to_h) in [(1, 1), (2, 9), (40, 1), (w, h)] {
                for crop in [Crop::Disabled, Crop::Center] {
                    let out = resize(&source, size, to_w, to_h, method, crop).expect("scales");
                    assert_eq!(out.len(), to_w * to_h * 3);
                    assert!(
                        out.iter().all(|v| (v - 0.2).abs() < 1e-6),
                        "{name} {w}x{h} to {to_w}x{to_h}: {out:?}"
                    );
                }
            }
            assert!(resize(&source, size, 0, 5, method, Crop::Disabled).is_err());
            assert!(resize(&source, size, usize::MAX, 5, method, Crop::Disabled).is_err());
            assert!(resize(&source[1..], size, 2, 2, method, Crop::Disabled).is_err());
        }
        assert!("linear".parse::<ScaleMethod>().is_err() && "middle".parse::<Crop>().is_err());
    }
}
