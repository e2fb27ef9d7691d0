//! Sizes of pictures that are scaled.

use super::pixels::Pictures;
use super::{Call, Gap, SemanticError, Semantics, Work};
use crate::facts::{Fact, Size};

pub(super) const ALL: &[Semantics] = &[
    Semantics::pure("ImageScale", image_scale),
    Semantics::pure("ImageScaleBy", image_scale_by),
    Semantics::pure("ImageScaleToTotalPixels", image_scale_to_total_pixels),
    Semantics::pure("ImageScaleToMaxDimension", image_scale_to_max_dimension),
    Semantics::pure("FluxKontextImageScale", flux_kontext_image_scale),
    Semantics::pure("ResizeAndPadImage", resize_and_pad_image),
    Semantics::pure("ResizeImageMaskNode", resize_image_mask),
];

/// Height and width.
type Sides = (Size, Size);

/// Pixels of a megapixel.
const MEGAPIXEL: f64 = 1024.0 * 1024.0;

/// Width and height of the pictures that Flux Kontext was trained on.
const KONTEXT: [(usize, usize); 17] = [
    (672, 1568),
    (688, 1504),
    (720, 1456),
    (752, 1392),
    (800, 1328),
    (832, 1248),
    (880, 1184),
    (944, 1104),
    (1024, 1024),
    (1104, 944),
    (1184, 880),
    (1248, 832),
    (1328, 800),
    (1392, 752),
    (1456, 720),
    (1504, 688),
    (1568, 672),
];

/// Pictures in another size, and the memory for that: two of the methods need none.
fn gives(image: Pictures, (height, width): Sides, method: Option<&str>) -> Work {
    let scratch = match method {
        Some("area" | "nearest-exact") => Vec::new(),
        _ => vec![image.scaling(width)],
    };
    Work { scratch, ..Work::gives([Pictures { height, width, ..image }.image()]) }
}

fn image_scale(call: &Call<'_>) -> Result<Work, SemanticError> {
    let image = call.pictures("image");
    let sides = scaled((image.height, image.width), call.int("height"), call.int("width"));
    Ok(gives(image, sides, call.string("upscale_method")))
}

fn image_scale_by(call: &Call<'_>) -> Result<Work, SemanticError> {
    let image = call.pictures("image");
    let sides = by((image.height, image.width), call.float("scale_by"));
    Ok(gives(image, sides, call.string("upscale_method")))
}

fn image_scale_to_total_pixels(call: &Call<'_>) -> Result<Work, SemanticError> {
    let image = call.pictures("image");
    let (megapixels, steps) = (call.float("megapixels"), call.int("resolution_steps"));
    let sides = to_total((image.height, image.width), megapixels, steps);
    Ok(gives(image, sides, call.string("upscale_method")))
}

fn image_scale_to_max_dimension(call: &Call<'_>) -> Result<Work, SemanticError> {
    let image = call.pictures("image");
    let sides = to_side((image.height, image.width), call.int("largest_size"), usize::max);
    Ok(gives(image, sides, call.string("upscale_method")))
}

/// The size whose proportions are nearest; of two as near the narrower.
fn flux_kontext_image_scale(call: &Call<'_>) -> Result<Work, SemanticError> {
    let image = call.pictures("image");
    let sides = (|| {
        let aspect = image.width? as f64 / image.height?.max(1) as f64;
        let distance = |&(width, height): &(usize, usize)| (aspect - width as f64 / height as f64).abs();
        KONTEXT.into_iter().min_by(|a, b| distance(a).total_cmp(&distance(b)))
    })();
    Ok(gives(image, (sides.map(|(_, height)| height), sides.map(|(width, _)| width)), Some("lanczos")))
}

/// Scaled into the middle of a picture of another size; the kernel works out where.
fn resize_and_pad_image(call: &Call<'_>) -> Result<Work, SemanticError> {
    let image = call.pictures("image");
    // What is scaled is no wider than the target.
    let sides = (call.int("target_height"), call.int("target_width"));
    Ok(gives(image, sides, call.string("interpolation")))
}

/// Pictures or masks; how the size is said is the choice of `resize_type`.
fn resize_image_mask(call: &Call<'_>) -> Result<Work, SemanticError> {
    let (image, is_mask) = match call.fact("input") {
        Fact::Mask { .. } => (call.masks("input"), true),
        Fact::Image { .. } => (call.pictures("input"), false),
        other => return Ok(Work::gives([other.clone()]).lacking(Gap::Unknown)),
    };
    let give = |sides: Sides| {
        let work = gives(image, sides, call.string("scale_method"));
        let (height, width) = sides;
        let output = Pictures { height, width, ..image };
        if is_mask { Work { outputs: vec![output.mask()], ..work } } else { work }
    };
    let Some(choice) = call.string("resize_type") else {
        return Ok(give((None, None)).lacking(Gap::Unknown));
    };
    let sides = (image.height, image.width);
    Ok(give(match choice {
        "scale dimensions" => scaled(sides, call.int("resize_type.height"), call.int("resize_type.width")),
        "scale by multiplier" => by(sides, call.float("resize_type.multiplier")),
        "scale longer dimension" => to_side(sides, call.int("resize_type.longer_size"), usize::max),
        "scale shorter dimension" => to_side(sides, call.int("resize_type.shorter_size"), usize::min),
        "scale width" => scaled(sides, Some(0), call.int("resize_type.width")),
        "scale height" => scaled(sides, call.int("resize_type.height"), Some(0)),
        "scale total pixels" => to_total(sides, call.float("resize_type.megapixels"), Some(1)),
        "match size" => match call.fact("resize_type.match") {
            Fact::Image { height, width, .. } | Fact::Mask { height, width, .. } => (*height, *width),
            _ => (None, None),
        },
        other => {
            return Ok(give((None, None)).lacking(Gap::NoKernel {
                input: Some("resize_type"),
                what: format!("`{other}`"),
                instead: "use \"scale dimensions\"".to_owned(),
            }));
        }
    }))
}

/// Sides times a factor, to the nearest pixel.
fn by((height, width): Sides, factor: Option<f64>) -> Sides {
    let side = |side: Size| Some(nearest(side? as f64 * factor?));
    (side(height), side(width))
}

/// The size of a number of megapixels, in multiples of some pixels.
fn to_total((height, width): Sides, megapixels: Option<f64>, steps: Size) -> Sides {
    let factor = (|| {
        let total = (megapixels? * MEGAPIXEL).trunc();
        Some((total / (width? as f64 * height? as f64).max(1.0)).sqrt())
    })();
    let side = |side: Size| {
        let steps = steps?.max(1);
        Some(nearest(side? as f64 * factor? / steps as f64).saturating_mul(steps))
    };
    (side(height), side(width))
}

/// The size in which one side, the longer or the shorter, has a length.
fn to_side((height, width): Sides, length: Size, which: fn(usize, usize) -> usize) -> Sides {
    let sides = (|| {
        let (high, wide, length) = (height?.max(1), width?.max(1), length?.max(1));
        let follow = |side: usize, from: usize| nearest(side as f64 / from as f64 * length as f64);
        Some(match (high == wide, which(high, wide) == high) {
            (true, _) => (length, length),
            (false, true) => (length, follow(wide, high)),
            (false, false) => (follow(high, wide), length),
        })
    })();
    (sides.map(|(height, _)| height), sides.map(|(_, width)| width))
}

/// The nearest number of pixels, at least one; halves go to the even number.
fn nearest(exact: f64) -> usize {
    (exact.round_ties_even() as usize).max(1)
}

/// Height and width of a scaled picture: a size of 0 follows from the other one, to the nearest pixel; two of them
/// leave the picture as it is.
fn scaled((height, width): (Size, Size), wanted_height: Size, wanted_width: Size) -> (Size, Size) {
    let follow = |size: Size, from: Size, to: usize| {
        let size = size? as f64 * to as f64 / from?.max(1) as f64;
        Some((size.round_ties_even() as usize).max(1))
    };
    match (wanted_height, wanted_width) {
        (Some(0), Some(0)) => (height, width),
        (Some(0), Some(wide)) => (follow(height, width, wide), Some(wide)),
        (Some(high), Some(0)) => (Some(high), follow(width, height, high)),
        // A size that is not known may be 0.
        (high, wide) => (high.filter(|&high| high > 0), wide.filter(|&wide| wide > 0)),
    }
}

#[cfg(test)]
mod tests {
    use super::{by, scaled, to_side, to_total};

    #[test]
    fn a_size_of_zero_keeps_the_proportions() {
        let scaled =
            |(height, width), high, wide| scaled((Some(height), Some(width)), Some(high), Some(wide));
        let size = |height, width| (Some(height), Some(width));
        assert_eq!(scaled((48, 64), 0, 0), size(48, 64));
        assert_eq!(scaled((48, 64), 0, 32), size(24, 32));
        assert_eq!(scaled((48, 64), 96, 0), size(96, 128));
        assert_eq!(scaled((1, 1000), 0, 10), size(1, 10));
        // Halves go to the even number.
        assert_eq!(scaled((2, 5), 1, 0), size(1, 2));
    }

    #[test]
    fn what_is_not_known_is_not_invented() {
        assert_eq!(scaled((None, Some(64)), Some(0), Some(32)), (None, Some(32)));
        assert_eq!(scaled((Some(48), Some(64)), None, Some(0)), (None, None));
        assert_eq!(scaled((None, None), Some(32), Some(16)), (Some(32), Some(16)));
    }

    #[test]
    fn sizes_follow_from_a_factor_a_total_or_a_side() {
        let photo = (Some(48), Some(64));
        assert_eq!(by(photo, Some(0.73)), (Some(35), Some(47)));
        assert_eq!(by((Some(1), Some(1)), Some(0.01)), (Some(1), Some(1)));
        assert_eq!(to_total(photo, Some(0.01), Some(1)), (Some(89), Some(118)));
        assert_eq!(to_total(photo, Some(1.0), Some(64)), (Some(896), Some(1152)));
        assert_eq!(to_side(photo, Some(100), usize::max), (Some(75), Some(100)));
        assert_eq!(to_side(photo, Some(24), usize::min), (Some(24), Some(32)));
        assert_eq!(to_side((Some(5), Some(5)), Some(0), usize::max), (Some(1), Some(1)));
        assert_eq!(to_side((None, Some(5)), Some(9), usize::max), (None, None));
        assert_eq!(by(photo, None), (None, None));
    }
}
