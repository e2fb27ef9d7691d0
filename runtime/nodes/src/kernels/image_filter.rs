//! Filters, colours and blending of pictures.

use super::pixels::{Picture, PictureMut, Pictures, section};
use super::{Call, Kernel, KernelError};
use crate::blur::{blur, gaussian};
use crate::canny::{Planes, edges};
use crate::image_io::to_byte;
use crate::morphology::{Extremum, square};
use crate::porter_duff::{Pixel, rule};
use crate::quantize::{Lookup, Rgb, bayer, floyd_steinberg, palette, replace};
use crate::resize::{Crop, ScaleMethod};

pub(super) const ALL: &[(&str, Kernel)] = &[
    ("AdjustBrightness", adjust_brightness),
    ("AdjustContrast", adjust_contrast),
    ("Canny", canny),
    ("ImageBlend", image_blend),
    ("ImageBlur", image_blur),
    ("ImageQuantize", image_quantize),
    ("ImageSharpen", image_sharpen),
    ("Morphology", morphology),
    ("PorterDuffImageComposite", porter_duff),
];

const BICUBIC: (ScaleMethod, Crop) = (ScaleMethod::Bicubic, Crop::Center);

/// How ComfyUI sharpens: the blurred picture is taken away ten times as strongly as the input says.
const SHARPEN: f64 = 10.0;

/// What two values become.
type Blend = fn(f32, f32) -> f32;

fn blend(mode: &str) -> Result<Blend, KernelError> {
    Ok(match mode {
        "normal" => |_, b| b,
        "multiply" => |a, b| a * b,
        "screen" => |a, b| 1.0 - (1.0 - a) * (1.0 - b),
        "overlay" => |a, b| if a <= 0.5 { 2.0 * a * b } else { 1.0 - 2.0 * (1.0 - a) * (1.0 - b) },
        "soft_light" => soft_light,
        "difference" => |a, b| a - b,
        other => return Err(KernelError::Plan(format!("`{other}` is no blend mode"))),
    })
}

/// The rule of the W3C's compositing module.
fn soft_light(a: f32, b: f32) -> f32 {
    if b <= 0.5 {
        return a - (1.0 - 2.0 * b) * a * (1.0 - a);
    }
    let lighter = if a <= 0.25 { ((16.0 * a - 12.0) * a + 4.0) * a } else { a.sqrt() };
    a + (2.0 * b - 1.0) * (lighter - a)
}

fn image_blend(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (first, second) = (call.pictures("image1")?, call.pictures("image2")?);
    let factor = call.float("blend_factor")?;
    let (keep, share) = ((1.0 - factor) as f32, factor as f32);
    let mode = blend(call.string("blend_mode")?)?;
    let batch = first.batch.max(second.batch);
    let mut output = call.picture_output([batch, first.height, first.width, first.channels])?;
    let [wide] = call.take_scratch()?;
    for (index, mut out) in output.iter_mut().enumerate() {
        // A picture without alpha is opaque.
        out.data.fill(1.0);
        second.one(index).scale(&mut out, wide.data, BICUBIC.0, BICUBIC.1)?;
        for (out, &value) in out.data.iter_mut().zip(first.one(index).data) {
            *out = (value * keep + mode(value, *out) * share).clamp(0.0, 1.0);
        }
    }
    Ok(())
}

/// Blurs all pictures; `deviation` is a part of the radius.
fn blurred(
    call: &mut Call<'_>,
    radius: usize,
    deviation: f64,
    of: impl Fn(f32, f32) -> f32,
) -> Result<(), KernelError> {
    let images = call.pictures("image")?;
    let mut output = call.picture_output(images.shape())?;
    let [columns] = call.take_scratch()?;
    let columns = section(columns.data, images.width * images.height * images.channels)?;
    let weights = gaussian(radius, deviation * radius as f64);
    for (image, out) in images.iter().zip(output.iter_mut()) {
        let size = [image.width, image.height, image.channels];
        blur(image.data, out.data, columns, size, &weights);
        out.data.iter_mut().zip(image.data).for_each(|(out, &value)| *out = of(value, *out));
    }
    Ok(())
}

fn image_blur(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (radius, sigma) = (call.int("blur_radius")?, call.float("sigma")?);
    blurred(call, radius, sigma, |_, blurred| blurred)
}

fn image_sharpen(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (radius, sigma) = (call.int("sharpen_radius")?, call.float("sigma")?);
    let alpha = (call.float("alpha")? * SHARPEN) as f32;
    blurred(call, radius, sigma, |value, blurred| (value * (1.0 + alpha) - blurred * alpha).clamp(0.0, 1.0))
}

fn image_quantize(call: &mut Call<'_>) -> Result<(), KernelError> {
    let images = call.pictures("image")?;
    let colors: usize = call.int("colors")?;
    let dither = call.string("dither")?;
    let mut output = call.picture_output([images.batch, images.height, images.width, 3])?;
    for (image, mut out) in images.iter().zip(output.iter_mut()) {
        let mut pixels = bytes(&image);
        let palette = palette(&pixels, colors.clamp(1, 256));
        let mut lookup = Lookup::new(&palette);
        match dither {
            "none" => replace(&mut pixels, &mut lookup),
            "floyd-steinberg" => floyd_steinberg(&mut pixels, image.width, &mut lookup),
            "bayer-2" => bayer(&mut pixels, image.width, 2, &mut lookup),
            "bayer-4" => bayer(&mut pixels, image.width, 4, &mut lookup),
            "bayer-8" => bayer(&mut pixels, image.width, 8, &mut lookup),
            "bayer-16" => bayer(&mut pixels, image.width, 16, &mut lookup),
            other => return Err(KernelError::Plan(format!("`{other}` is no dithering"))),
        }
        for (out, pixel) in out.pixels().zip(&pixels) {
            out.copy_from_slice(&pixel.map(|value| f32::from(value) / 255.0));
        }
    }
    Ok(())
}

/// Red, green and blue of each pixel; of a grey picture the same three times.
fn bytes(image: &Picture<'_>) -> Vec<Rgb> {
    let pixels = image.data.chunks_exact(image.channels);
    pixels.map(|pixel| [0, 1, 2].map(|c| to_byte(pixel[c.min(pixel.len() - 1)]))).collect()
}

/// What a morphological operation is made of.
struct Steps {
    /// Erosion and dilation in their order.
    steps: &'static [Extremum],
    /// What becomes of the picture and the result.
    of: Blend,
}

fn steps(operation: &str) -> Result<Steps, KernelError> {
    use Extremum::{Least, Most};
    let plain: Blend = |_, result| result;
    let (steps, of): (&[Extremum], Blend) = match operation {
        "erode" => (&[Least], plain),
        "dilate" => (&[Most], plain),
        "open" => (&[Least, Most], plain),
        "close" => (&[Most, Least], plain),
        "top_hat" => (&[Least, Most], |value, opened| value - opened),
        "bottom_hat" => (&[Most, Least], |value, closed| closed - value),
        other => return Err(KernelError::Plan(format!("`{other}` is no morphological operation"))),
    };
    Ok(Steps { steps, of })
}

fn morphology(call: &mut Call<'_>) -> Result<(), KernelError> {
    let images = call.pictures("image")?;
    let operation = call.string("operation")?;
    let size: usize = call.int("kernel_size")?;
    // An even neighbourhood reaches further up and to the left.
    let reach = [size / 2, size.saturating_sub(size / 2 + 1)];
    let mut output = call.picture_output(images.shape())?;
    let [half, columns] = call.take_scratch()?;
    let len = images.width * images.height * images.channels;
    let (half, columns) = (section(half.data, len)?, section(columns.data, len)?);
    for (image, out) in images.iter().zip(output.iter_mut()) {
        let size = [image.width, image.height, image.channels];
        if operation == "gradient" {
            square(image.data, half, columns, size, reach, Extremum::Least);
            square(image.data, out.data, columns, size, reach, Extremum::Most);
            out.data.iter_mut().zip(half.iter()).for_each(|(most, least)| *most -= least);
            continue;
        }
        let Steps { steps, of } = steps(operation)?;
        for (index, &which) in steps.iter().enumerate() {
            let from = if index == 0 { image.data } else { &*half };
            square(from, out.data, columns, size, reach, which);
            half.copy_from_slice(out.data);
        }
        out.data.iter_mut().zip(image.data).for_each(|(out, &value)| *out = of(value, *out));
    }
    Ok(())
}

/// Weights of red, green and blue in brightness.
const GREY: [f32; 3] = [0.299, 0.587, 0.114];

fn canny(call: &mut Call<'_>) -> Result<(), KernelError> {
    let images = call.pictures("image")?;
    let (low, high) = (call.float("low_threshold")? as f32, call.float("high_threshold")? as f32);
    let mut output = call.picture_output([images.batch, images.height, images.width, 3])?;
    let [grey, blurred, strength, direction] = call.take_scratch()?;
    let len = images.width * images.height;
    let grey = section(grey.data, len)?;
    let (blurred, strength) = (section(blurred.data, len)?, section(strength.data, len)?);
    let direction = section(direction.data, len)?;
    for (image, mut out) in images.iter().zip(output.iter_mut()) {
        for (grey, pixel) in grey.iter_mut().zip(image.data.chunks_exact(image.channels)) {
            *grey = match pixel {
                [r, g, b, ..] => GREY[0] * r + GREY[1] * g + GREY[2] * b,
                other => other.first().copied().unwrap_or_default(),
            };
        }
        let planes = Planes { grey, blurred, strength, direction };
        edges(planes, image.width, image.height, low, high);
        out.pixels().zip(grey.iter()).for_each(|(pixel, &edge)| pixel.fill(edge));
    }
    Ok(())
}

/// Pixels and their transparencies, all of one size, of one picture of a batch.
struct Layers<'a> {
    source: Picture<'a>,
    source_mask: Picture<'a>,
    destination: Picture<'a>,
    destination_mask: Picture<'a>,
}

fn porter_duff(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (source, destination) = (call.pictures("source")?, call.pictures("destination")?);
    let (source_mask, destination_mask) =
        (call.pictures("source_alpha")?, call.pictures("destination_alpha")?);
    let mode = rule(call.string("mode")?).map_err(KernelError::Plan)?;
    let batches = [source, destination, source_mask, destination_mask].map(|pictures| pictures.batch);
    let batch = batches.into_iter().min().unwrap_or_default();
    let Pictures { height, width, channels, .. } = destination;
    if source.channels != channels {
        return Err(KernelError::Plan(format!("{} channels over {channels}", source.channels)));
    }
    let mut image = call.wanted(0, [batch, height, width, channels])?;
    let mut mask = call.wanted(1, [batch, height, width, 1])?;
    let mut images = image.as_mut().map(|image| image.iter_mut());
    let mut masks = mask.as_mut().map(|mask| mask.iter_mut());
    let [a, b, c, d, e, f] = call.take_scratch()?;
    for index in 0..batch {
        let size = (width, height);
        let layers = Layers {
            source: source.one(index).scaled(b.data, size, a.data, BICUBIC)?,
            source_mask: source_mask.one(index).scaled(d.data, size, c.data, BICUBIC)?,
            destination: destination.one(index),
            destination_mask: destination_mask.one(index).scaled(f.data, size, e.data, BICUBIC)?,
        };
        let image = images.as_mut().and_then(|images| images.next());
        compose(&layers, mode, image, masks.as_mut().and_then(|masks| masks.next()));
    }
    Ok(())
}

/// Composes premultiplied colours, and takes the result apart again.
fn compose(
    layers: &Layers<'_>,
    rule: crate::porter_duff::Rule,
    mut image: Option<PictureMut<'_>>,
    mut mask: Option<PictureMut<'_>>,
) {
    let (width, height) = (layers.destination.width, layers.destination.height);
    for (x, y) in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
        let source_alpha = 1.0 - layers.source_mask.pixel(x, y)[0];
        let destination_alpha = 1.0 - layers.destination_mask.pixel(x, y)[0];
        let result = |color: f32, under: f32| {
            rule(
                Pixel { color: color * source_alpha, alpha: source_alpha },
                Pixel { color: under * destination_alpha, alpha: destination_alpha },
            )
        };
        if let Some(image) = &mut image {
            let colors = layers.source.pixel(x, y).iter().zip(layers.destination.pixel(x, y));
            for (out, (&color, &under)) in image.pixel(x, y).iter_mut().zip(colors) {
                let Pixel { color, alpha } = result(color, under);
                *out = if alpha > 1e-5 { (color / alpha).clamp(0.0, 1.0) } else { 0.0 };
            }
        }
        if let Some(mask) = &mut mask {
            mask.pixel(x, y)[0] = 1.0 - result(0.0, 0.0).alpha;
        }
    }
}

fn adjust_brightness(call: &mut Call<'_>) -> Result<(), KernelError> {
    adjust(call, |value, factor| value * factor)
}

/// Around the middle between black and white.
fn adjust_contrast(call: &mut Call<'_>) -> Result<(), KernelError> {
    adjust(call, |value, factor| (value - 0.5) * factor + 0.5)
}

fn adjust(call: &mut Call<'_>, of: fn(f32, f32) -> f32) -> Result<(), KernelError> {
    let images = call.pictures("images")?;
    let factor = call.float("factor")? as f32;
    let output = call.picture_output(images.shape())?;
    let values = output.data.iter_mut().zip(images.values());
    values.for_each(|(out, &value)| *out = of(value, factor).clamp(0.0, 1.0));
    Ok(())
}
