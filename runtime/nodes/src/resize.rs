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
    /// The result has no pixels, or does not fit its place.
    #[error("there is no room for a picture of {width}x{height} with {channels} channels")]
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

/// A picture to scale: rows of pixels of interleaved channels (`H, W, C`).
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// All values.
    pub data: &'a [f32],
    /// Pixels.
    pub width: usize,
    /// Pixels.
    pub height: usize,
    /// Values per pixel.
    pub channels: usize,
}

/// Where a scaled picture goes: a section of a larger one, perhaps with more channels.
#[derive(Debug)]
pub struct Target<'a> {
    /// The larger picture.
    pub data: &'a mut [f32],
    /// Pixels of a row of the larger picture.
    pub stride: usize,
    /// Values per pixel of the larger picture.
    pub channels: usize,
    /// Column of the section's left edge.
    pub left: usize,
    /// Row of the section's upper edge.
    pub top: usize,
    /// Pixels of the section.
    pub width: usize,
    /// Pixels of the section.
    pub height: usize,
}

impl<'a> Target<'a> {
    /// A whole picture.
    pub fn whole(data: &'a mut [f32], width: usize, height: usize, channels: usize) -> Target<'a> {
        Target { data, stride: width, channels, left: 0, top: 0, width, height }
    }

    fn fits(&self) -> bool {
        let rows = self.top.checked_add(self.height).and_then(|rows| rows.checked_mul(self.stride));
        let len = rows.and_then(|pixels| pixels.checked_mul(self.channels));
        let inside = self.left.checked_add(self.width).is_some_and(|right| right <= self.stride);
        inside && len.is_some_and(|len| len <= self.data.len()) && self.width > 0 && self.height > 0
    }

    /// Pixels of a row of the section.
    fn row(&mut self, y: usize) -> impl Iterator<Item = &mut [f32]> {
        let begin = ((self.top + y) * self.stride + self.left) * self.channels;
        self.data[begin..begin + self.width * self.channels].chunks_exact_mut(self.channels)
    }
}

/// Scales one picture. Channels that only one of the two has are left alone.
///
/// Values may have any range for all methods but `lanczos`, which clips to 0..1. `wide` is working memory for the
/// target's width times the source's height, in the smaller number of channels; `area` and `nearest-exact` need none.
///
/// # Errors
/// [`ResizeError::Source`] when `source` does not fit its size; [`ResizeError::TooLarge`] when the target or the working
/// memory is smaller than it should be, or has no pixels.
pub fn resize(
    source: Source<'_>,
    target: &mut Target<'_>,
    wide: &mut [f32],
    method: ScaleMethod,
    crop: Crop,
) -> Result<(), ResizeError> {
    let Source { data, width, height, channels: pixel } = source;
    let len = width.checked_mul(height).and_then(|pixels| pixels.checked_mul(pixel));
    if len != Some(data.len()) || data.is_empty() {
        return Err(ResizeError::Source { width, height, channels: pixel, len: data.len() });
    }
    let channels = pixel.min(target.channels);
    let needed = match method {
        ScaleMethod::NearestExact | ScaleMethod::Area => Some(0),
        _ => target.width.checked_mul(height).and_then(|pixels| pixels.checked_mul(channels)),
    };
    let Some(wide) = needed.filter(|_| target.fits()).and_then(|needed| wide.get_mut(..needed)) else {
        return Err(ResizeError::TooLarge { width: target.width, height: target.height, channels });
    };
    let (left, top) = match crop {
        Crop::Disabled => (0, 0),
        Crop::Center => margins(width, height, target.width, target.height),
    };
    let (width, height) = (width - 2 * left, height - 2 * top);
    let view = View { data, stride: source.width * pixel, left, top, width, height, pixel, channels };
    match method {
        ScaleMethod::NearestExact => nearest(&view, target),
        ScaleMethod::Bilinear => {
            separable(&view, &bilinear(width, target.width), &bilinear(height, target.height), target, wide);
        }
        ScaleMethod::Bicubic => {
            separable(&view, &bicubic(width, target.width), &bicubic(height, target.height), target, wide);
        }
        ScaleMethod::Area => area(&view, target),
        ScaleMethod::Lanczos => lanczos(&view, target, wide),
    }
    Ok(())
}

/// One plane scaled, in memory of its own: for latents and masks, which are small beside pictures.
///
/// # Errors
/// As [`resize`]'s; a target without pixels is too large as well.
pub(crate) fn resized_plane(
    data: &[f32],
    [height, width]: [usize; 2],
    [to_height, to_width]: [usize; 2],
    method: ScaleMethod,
    crop: Crop,
) -> Result<Vec<f32>, ResizeError> {
    let mut scaled = vec![0.0; to_width * to_height];
    let mut wide = vec![0.0; to_width * height];
    let source = Source { data, width, height, channels: 1 };
    resize(source, &mut Target::whole(&mut scaled, to_width, to_height, 1), &mut wide, method, crop)?;
    Ok(scaled)
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
    /// Values per pixel.
    pixel: usize,
    /// Those that are scaled.
    channels: usize,
}

impl View<'_> {
    fn row(&self, y: usize) -> &[f32] {
        let begin = (self.top + y) * self.stride + self.left * self.pixel;
        &self.data[begin..begin + self.width * self.pixel]
    }
}

fn nearest(view: &View<'_>, target: &mut Target<'_>) {
    let index = |from: usize, to: usize| -> Vec<usize> {
        let scale = from as f32 / to as f32;
        (0..to)
            .map(|i| (((i as f64 + 0.5) * f64::from(scale)) as f32).floor() as usize)
            .map(|i| i.min(from - 1))
            .collect()
    };
    let columns = index(view.width, target.width);
    for (to, from) in index(view.height, target.height).into_iter().enumerate() {
        let row = view.row(from);
        for (out, &x) in target.row(to).zip(&columns) {
            out[..view.channels].copy_from_slice(&row[x * view.pixel..][..view.channels]);
        }
    }
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
fn separable<const N: usize>(
    view: &View<'_>,
    columns: &Taps<N>,
    rows: &Taps<N>,
    target: &mut Target<'_>,
    wide: &mut [f32],
) {
    let channels = view.channels;
    let width = columns.len() * channels;
    for (y, out) in wide.chunks_exact_mut(width).take(view.height).enumerate() {
        let row = view.row(y);
        for (out, taps) in out.chunks_exact_mut(channels).zip(columns) {
            for (c, out) in out.iter_mut().enumerate() {
                *out = taps.iter().map(|&(x, weight)| row[x * view.pixel + c] * weight).sum();
            }
        }
    }
    for (y, taps) in rows.iter().enumerate() {
        let taps = taps.map(|(from, weight)| (&wide[from * width..(from + 1) * width], weight));
        for (x, out) in target.row(y).enumerate() {
            for (c, out) in out[..channels].iter_mut().enumerate() {
                *out = taps.iter().fold(0.0, |sum, (row, weight)| sum + row[x * channels + c] * weight);
            }
        }
    }
}

fn area(view: &View<'_>, target: &mut Target<'_>) {
    // Sizes are below 2^30, so the products fit u64.
    let range = |i: usize, from: usize, to: usize| {
        let (i, from, to) = (i as u64, from as u64, to as u64);
        (i * from / to) as usize..((i + 1) * from).div_ceil(to) as usize
    };
    let (width, height) = (target.width, target.height);
    for y in 0..height {
        let rows = range(y, view.height, height);
        for (x, out) in target.row(y).enumerate() {
            let columns = range(x, view.width, width);
            let count = (rows.len() * columns.len()) as f32;
            for (c, out) in out[..view.channels].iter_mut().enumerate() {
                let mut sum = 0.0f32;
                for y in rows.clone() {
                    let row = view.row(y);
                    columns.clone().for_each(|x| sum += row[x * view.pixel + c]);
                }
                *out = sum / count;
            }
        }
    }
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

/// The weighted sum of bytes, rounded to 8 bits.
fn lanczos_sum(bytes: impl Iterator<Item = u8>, weights: &[i32]) -> u8 {
    let sum = bytes
        .zip(weights)
        .fold(1i32 << (PRECISION - 1), |sum, (v, &w)| sum.wrapping_add(i32::from(v).wrapping_mul(w)));
    (sum >> PRECISION).clamp(0, 255) as u8
}

/// Bytes of the wide picture are kept as numbers, which hold them exactly.
fn lanczos(view: &View<'_>, target: &mut Target<'_>, wide: &mut [f32]) {
    let channels = view.channels;
    let width = target.width * channels;
    // A side that keeps its length keeps its values.
    let same =
        |from: usize, to: usize| (from == to).then(|| (0..to).map(|i| (i, vec![1 << PRECISION])).collect());
    let columns = same(view.width, target.width).unwrap_or_else(|| lanczos_weights(view.width, target.width));
    let rows =
        same(view.height, target.height).unwrap_or_else(|| lanczos_weights(view.height, target.height));
    for (y, out) in wide.chunks_exact_mut(width).take(view.height).enumerate() {
        let row = view.row(y);
        for (out, (first, weights)) in out.chunks_exact_mut(channels).zip(&columns) {
            for (c, out) in out.iter_mut().enumerate() {
                let values = row[first * view.pixel + c..].iter().step_by(view.pixel);
                *out = f32::from(lanczos_sum(values.map(|&value| crate::image_io::to_byte(value)), weights));
            }
        }
    }
    for (y, (first, weights)) in rows.iter().enumerate() {
        for (x, out) in target.row(y).enumerate() {
            for (c, out) in out[..channels].iter_mut().enumerate() {
                let values = wide[first * width + x * channels + c..].iter().step_by(width);
                *out = f32::from(lanczos_sum(values.map(|&value| value as u8), weights)) / 255.0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image_io::{Limits, load_image};
    use floe_testing::{assert_close, different_bits, json, shared, tensors};

    fn scale(
        source: &[f32],
        (width, height): (usize, usize),
        (to_width, to_height): (usize, usize),
        method: ScaleMethod,
        crop: Crop,
    ) -> Result<Vec<f32>, ResizeError> {
        let mut out = vec![7.0; to_width * to_height * 3];
        let mut wide = vec![7.0; to_width * height * 3];
        let source = Source { data: source, width, height, channels: 3 };
        resize(source, &mut Target::whole(&mut out, to_width, to_height, 3), &mut wide, method, crop)?;
        Ok(out)
    }

    /// Scales the input of a case with the arguments of its workflow.
    fn check(case: &str) {
        let workflow = json(&format!("parity/dev/cases/{case}/workflow.json"));
        let name = workflow["1"]["inputs"]["image"].as_str().expect("an input").to_string();
        let bytes = std::fs::read(shared("parity/inputs").join(name)).expect("input is readable");
        let image = load_image(&bytes, Limits::default()).expect("input decodes");
        let inputs = &workflow["2"]["inputs"];
        let method = inputs["upscale_method"].as_str().expect("a method").parse().expect("a known one");
        let (width, height, crop) = if let Some(by) = inputs["scale_by"].as_f64() {
            let scaled = |side: usize| (side as f64 * by).round_ties_even() as usize;
            (scaled(image.width), scaled(image.height), Crop::Disabled)
        } else {
            let side = |name: &str| inputs[name].as_u64().expect("a size") as usize;
            let crop = inputs["crop"].as_str().expect("a crop").parse().expect("a known one");
            (side("width"), side("height"), crop)
        };
        let got =
            scale(&image.pixels, (image.width, image.height), (width, height), method, crop).expect("scales");
        let (shape, want) = &tensors(&format!("parity/dev/cases/{case}/image.safetensors"))["value"];
        assert_eq!(*shape, [1, height, width, 3], "{case}");
        println!("{case}: {} of {} values differ in bits", different_bits(&got, want), want.len());
        assert_close(case, &got, want, 1e-6, 0.0);
    }

    #[test]
    fn a_section_of_a_picture_with_alpha_is_all_that_changes() {
        let mut canvas = vec![0.5f32; 4 * 3 * 4];
        let mut wide = vec![0.0; 2 * 3];
        let source = Source { data: &[1.0, 0.0, 0.25], width: 1, height: 1, channels: 3 };
        for method in ["nearest-exact", "bilinear", "area", "bicubic"] {
            let mut target =
                Target { left: 1, top: 2, width: 2, height: 1, ..Target::whole(&mut canvas, 4, 3, 4) };
            resize(source, &mut target, &mut wide, method.parse().expect("known"), Crop::Center)
                .expect("scales");
            let changed: Vec<usize> = (0..48).filter(|&i| canvas[i] != 0.5).collect();
            assert_eq!(changed, [36, 37, 38, 40, 41, 42], "{method}");
            let mut outside = Target { left: 3, width: 2, ..Target::whole(&mut canvas, 4, 3, 4) };
            let error = resize(source, &mut outside, &mut wide, ScaleMethod::Area, Crop::Disabled);
            assert!(matches!(error, Err(ResizeError::TooLarge { .. })), "{error:?}");
            canvas.fill(0.5);
        }
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
            let source = vec![0.2; w * h * 3];
            for (to_w, to_h) in [(1, 1), (2, 9), (40, 1), (w, h)] {
                for crop in [Crop::Disabled, Crop::Center] {
                    let out = scale(&source, (w, h), (to_w, to_h), method, crop).expect("scales");
                    assert_eq!(out.len(), to_w * to_h * 3);
                    assert!(
                        out.iter().all(|v| (v - 0.2).abs() < 1e-6),
                        "{name} {w}x{h} to {to_w}x{to_h}: {out:?}"
                    );
                }
            }
            assert!(scale(&source, (w, h), (0, 5), method, Crop::Disabled).is_err());
            assert!(scale(&source[1..], (w, h), (2, 2), method, Crop::Disabled).is_err());
        }
        assert!("linear".parse::<ScaleMethod>().is_err() && "middle".parse::<Crop>().is_err());
    }
}
