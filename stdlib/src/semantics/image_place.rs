//! Sections, directions, borders and compositions of pictures.

use super::pixels::{Pictures, both};
use super::{Call, Gap, Scratch, SemanticError, Semantics, Work};
use crate::facts::Size;

pub(super) const ALL: &[Semantics] = &[
    Semantics::pure("ImageCrop", image_crop),
    Semantics::pure("CenterCropImages", center_crop_images),
    Semantics::pure("ImageFlip", image_flip),
    Semantics::pure("ImageRotate", image_rotate),
    Semantics::pure("ImagePadForOutpaint", image_pad_for_outpaint),
    Semantics::pure("ImageStitch", image_stitch),
    Semantics::pure("ImageCompositeMasked", image_composite_masked),
    Semantics::pure("JoinImageWithAlpha", join_image_with_alpha),
    Semantics::pure("SplitImageWithAlpha", split_image_with_alpha),
];

/// A section begins inside of the picture, and ends with it.
fn image_crop(call: &Call<'_>) -> Result<Work, SemanticError> {
    let image = call.pictures("image");
    let section = |size: Size, start: Size, wanted: Size| {
        let size = size?;
        Some(wanted?.min(size - start?.min(size.saturating_sub(1))))
    };
    let height = section(image.height, call.int("y"), call.int("height"));
    let width = section(image.width, call.int("x"), call.int("width"));
    Ok(Work::gives([Pictures { height, width, ..image }.image()]))
}

fn center_crop_images(call: &Call<'_>) -> Result<Work, SemanticError> {
    let image = call.pictures("images");
    let height = both(image.height, call.int("height"), usize::min);
    let width = both(image.width, call.int("width"), usize::min);
    Ok(Work::gives([Pictures { height, width, ..image }.image()]))
}

fn image_flip(call: &Call<'_>) -> Result<Work, SemanticError> {
    Ok(Work::gives([call.pictures("image").image()]))
}

fn image_rotate(call: &Call<'_>) -> Result<Work, SemanticError> {
    let image = call.pictures("image");
    let turned = match call.string("rotation") {
        Some(name) if name.starts_with("90") || name.starts_with("270") => {
            Pictures { height: image.width, width: image.height, ..image }
        }
        Some(_) => image,
        // A square keeps its size.
        None if image.height.is_some() && image.height == image.width => image,
        None => Pictures { height: None, width: None, ..image },
    };
    Ok(Work::gives([turned.image()]))
}

/// One mask goes with all pictures.
fn image_pad_for_outpaint(call: &Call<'_>) -> Result<Work, SemanticError> {
    let image = call.pictures("image");
    let padded = |size: Size, before: &str, after: &str| {
        Some(size?.saturating_add(call.int(before)?).saturating_add(call.int(after)?))
    };
    let height = padded(image.height, "top", "bottom");
    let width = padded(image.width, "left", "right");
    let padded = Pictures { height, width, ..image };
    Ok(Work::gives([padded.image(), Pictures { batch: Some(1), ..padded }.mask()]))
}

/// The size of the second picture where it is matched, and the memory for scaling it.
fn image_stitch(call: &Call<'_>) -> Result<Work, SemanticError> {
    let first = call.pictures("image1");
    if call.is_open("image2") {
        return Ok(Work { scratch: vec![nothing("wide")], ..Work::gives([first.image()]) });
    }
    let second = call.pictures("image2");
    let unknown = Pictures { height: None, width: None, ..first };
    let batch = both(first.batch, second.batch, usize::max);
    let channels = both(first.channels, second.channels, usize::max);
    let (Some(direction), Some(matched)) = (call.string("direction"), call.bool("match_image_size")) else {
        let image = Pictures { batch, channels, ..unknown }.image();
        return Ok(Work::gives([image]).lacking(Gap::Unknown));
    };
    let beside = matches!(direction, "left" | "right");
    let other = if matched { fit_edge(first, second, beside) } else { second };
    let spacing = call.int("spacing_width").map(|width| width + width % 2);
    let along = |a: Size, b: Size| Some(a?.saturating_add(b?).saturating_add(spacing?));
    let across = |a: Size, b: Size| both(a, b, usize::max);
    let (height, width) = match beside {
        true => (across(first.height, other.height), along(first.width, other.width)),
        false => (along(first.height, other.height), across(first.width, other.width)),
    };
    let work = Work::gives([Pictures { batch, height, width, channels }.image()]);
    let wide = if matched { second.scaling(other.width) } else { nothing("wide") };
    Ok(Work { scratch: vec![wide], ..work })
}

/// The second picture with its edge along the first as long as that one's.
fn fit_edge(first: Pictures, second: Pictures, beside: bool) -> Pictures {
    let aspect = both(second.width.map(|w| w as f64), second.height.map(|h| h.max(1) as f64), |w, h| w / h);
    let follow = |side: Size, of: fn(f64, f64) -> f64| Some((of(side? as f64, aspect?) as usize).max(1));
    match beside {
        true => {
            Pictures { height: first.height, width: follow(first.height, |h, aspect| h * aspect), ..second }
        }
        false => {
            Pictures { width: first.width, height: follow(first.width, |w, aspect| w / aspect), ..second }
        }
    }
}

/// Working memory that is not used with these inputs.
fn nothing(name: &'static str) -> Scratch {
    Scratch { name, shape: vec![Some(1)] }
}

fn image_composite_masked(call: &Call<'_>) -> Result<Work, SemanticError> {
    let (destination, source) = (call.pictures("destination"), call.pictures("source"));
    let work = Work::gives([destination.image()]);
    let Some(resized) = call.bool("resize_source") else { return Ok(work.lacking(Gap::Unknown)) };
    let pasted = match resized {
        true => Pictures { height: destination.height, width: destination.width, ..source },
        false => source,
    };
    let mut scratch = match resized {
        true => vec![source.scaling(destination.width), pasted.scratch("source")],
        false => vec![nothing("wide"), nothing("source")],
    };
    if call.is_open("mask") {
        scratch.extend([nothing("wide mask"), nothing("mask")]);
    } else {
        let mask = call.masks("mask");
        let scaled = Pictures { height: pasted.height, width: pasted.width, ..mask };
        scratch.extend([Scratch { name: "wide mask", ..mask.scaling(pasted.width) }, scaled.scratch("mask")]);
    }
    Ok(Work { scratch, ..work })
}

/// As many pictures as the longer batch has; the shorter one begins anew.
fn join_image_with_alpha(call: &Call<'_>) -> Result<Work, SemanticError> {
    let (image, alpha) = (call.pictures("image"), call.masks("alpha"));
    let batch = both(image.batch, alpha.batch, usize::max);
    let joined = Pictures { batch, channels: Some(4), ..image };
    let scaled = Pictures { height: image.height, width: image.width, ..alpha };
    let scratch = vec![alpha.scaling(image.width), scaled.scratch("alpha")];
    Ok(Work { scratch, ..Work::gives([joined.image()]) })
}

fn split_image_with_alpha(call: &Call<'_>) -> Result<Work, SemanticError> {
    let image = call.pictures("image");
    let channels = image.channels.map(|channels| channels.min(super::image::RGB));
    Ok(Work::gives([Pictures { channels, ..image }.image(), image.mask()]))
}
