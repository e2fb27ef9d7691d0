//! Masks.

use super::image::RGB;
use super::pixels::Pictures;
use super::{Call, SemanticError, Semantics, Work};
use crate::facts::Size;

pub(super) const ALL: &[Semantics] = &[
    Semantics::pure("SolidMask", solid_mask),
    Semantics::pure("InvertMask", same),
    Semantics::pure("ThresholdMask", same),
    Semantics::pure("FeatherMask", same),
    Semantics::pure("GrowMask", grow_mask),
    Semantics::pure("CropMask", crop_mask),
    Semantics::pure("MaskComposite", mask_composite),
    Semantics::pure("MaskToImage", mask_to_image),
    Semantics::pure("ImageToMask", image_to_mask),
    Semantics::pure("ImageColorToMask", image_color_to_mask),
    Semantics::writes("MaskPreview", same),
];

fn solid_mask(call: &Call<'_>) -> Result<Work, SemanticError> {
    let (height, width) = (call.int("height"), call.int("width"));
    Ok(Work::gives([Pictures { batch: Some(1), height, width, channels: Some(1) }.mask()]))
}

fn same(call: &Call<'_>) -> Result<Work, SemanticError> {
    Ok(Work::gives([call.masks("mask").mask()]))
}

fn grow_mask(call: &Call<'_>) -> Result<Work, SemanticError> {
    let mask = call.masks("mask");
    Ok(Work { scratch: vec![mask.scratch("other")], ..Work::gives([mask.mask()]) })
}

/// A section ends with the mask.
fn crop_mask(call: &Call<'_>) -> Result<Work, SemanticError> {
    let mask = call.masks("mask");
    let height = section("y", mask.height, call.int("y"), call.int("height"))?;
    let width = section("x", mask.width, call.int("x"), call.int("width"))?;
    Ok(Work::gives([Pictures { height, width, ..mask }.mask()]))
}

/// How much of a section lies inside; one that begins outside has no pixels.
fn section(input: &'static str, size: Size, start: Size, wanted: Size) -> Result<Size, SemanticError> {
    let (Some(size), Some(start)) = (size, start) else { return Ok(None) };
    if start >= size {
        return Err(SemanticError::Facet {
            input,
            reason: format!("the section begins at {start}, but the mask ends at {size}"),
            help: format!("begin at {} at most", size.saturating_sub(1)),
        });
    }
    Ok(wanted.map(|wanted| wanted.min(size - start)))
}

fn mask_composite(call: &Call<'_>) -> Result<Work, SemanticError> {
    Ok(Work::gives([call.masks("destination").mask()]))
}

fn mask_to_image(call: &Call<'_>) -> Result<Work, SemanticError> {
    Ok(Work::gives([Pictures { channels: Some(RGB), ..call.masks("mask") }.image()]))
}

fn image_to_mask(call: &Call<'_>) -> Result<Work, SemanticError> {
    let image = call.pictures("image");
    if call.string("channel") == Some("alpha") && image.channels.is_some_and(|channels| channels <= RGB) {
        return Err(SemanticError::Facet {
            input: "channel",
            reason: "this picture has no alpha channel".to_owned(),
            help: "take the mask of the node that opened the picture: `LoadImage(image: …).MASK`".to_owned(),
        });
    }
    Ok(Work::gives([image.mask()]))
}

fn image_color_to_mask(call: &Call<'_>) -> Result<Work, SemanticError> {
    Ok(Work::gives([call.pictures("image").mask()]))
}
