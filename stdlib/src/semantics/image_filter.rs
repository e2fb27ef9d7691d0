//! Filters, colours and blending of pictures.

use super::image::RGB;
use super::pixels::{Pictures, both, together};
use super::{Call, Scratch, SemanticError, Semantics, Work};
use crate::facts::Size;

pub(super) const ALL: &[Semantics] = &[
    Semantics::pure("ImageBlend", image_blend),
    Semantics::pure("ImageBlur", image_blur),
    Semantics::pure("ImageSharpen", image_blur),
    Semantics::pure("ImageQuantize", image_quantize),
    Semantics::pure("Morphology", morphology),
    Semantics::pure("Canny", canny),
    Semantics::pure("PorterDuffImageComposite", porter_duff),
    Semantics::pure("AdjustBrightness", adjust),
    Semantics::pure("AdjustContrast", adjust),
];

/// The second picture takes the size and channels of the first.
fn image_blend(call: &Call<'_>) -> Result<Work, SemanticError> {
    let (first, second) = (call.pictures("image1"), call.pictures("image2"));
    let batch = together("image2", first.batch, second.batch)?;
    let scratch = vec![second.scaling(first.width)];
    Ok(Work { scratch, ..Work::gives([Pictures { batch, ..first }.image()]) })
}

/// Columns first, then rows.
fn image_blur(call: &Call<'_>) -> Result<Work, SemanticError> {
    let image = call.pictures("image");
    Ok(Work { scratch: vec![image.scratch("columns")], ..Work::gives([image.image()]) })
}

/// The kernel keeps colours and their errors in memory of its own, which grows with a picture's colours, not its
/// pixels.
fn image_quantize(call: &Call<'_>) -> Result<Work, SemanticError> {
    let image = call.pictures("image");
    Ok(Work::gives([Pictures { channels: Some(RGB), ..image }.image()]))
}

/// One picture between erosion and dilation, one between columns and rows.
fn morphology(call: &Call<'_>) -> Result<Work, SemanticError> {
    let image = call.pictures("image");
    let scratch = vec![image.scratch("half"), image.scratch("columns")];
    Ok(Work { scratch, ..Work::gives([image.image()]) })
}

fn canny(call: &Call<'_>) -> Result<Work, SemanticError> {
    let image = call.pictures("image");
    let plane = |name| Pictures { channels: Some(1), ..image }.scratch(name);
    let scratch = ["grey", "blurred", "strength", "direction"].map(plane).to_vec();
    Ok(Work { scratch, ..Work::gives([Pictures { channels: Some(RGB), ..image }.image()]) })
}

/// As many pictures as the shortest batch has. The source and both masks take the size of the destination.
fn porter_duff(call: &Call<'_>) -> Result<Work, SemanticError> {
    let (source, destination) = (call.pictures("source"), call.pictures("destination"));
    if let Some((source, destination)) = super::differs(source.channels, destination.channels) {
        return Err(SemanticError::Facet {
            input: "source",
            reason: format!("the source has {source} channels, but the destination has {destination}"),
            help: "take the colours of a picture with alpha by `SplitImageWithAlpha`".to_owned(),
        });
    }
    let masks = [call.masks("source_alpha"), call.masks("destination_alpha")];
    let batches = [destination.batch, masks[0].batch, masks[1].batch];
    let batch = batches.into_iter().fold(source.batch, |least: Size, batch| both(least, batch, usize::min));
    let output = Pictures { batch, ..destination };
    let plane = |of: Pictures| Pictures { height: output.height, width: output.width, ..of };
    let wide = |of: Pictures, name| Scratch { name, ..of.scaling(output.width) };
    let scratch = vec![
        wide(source, "wide source"),
        plane(source).scratch("source"),
        wide(masks[0], "wide source alpha"),
        plane(masks[0]).scratch("source alpha"),
        wide(masks[1], "wide destination alpha"),
        plane(masks[1]).scratch("destination alpha"),
    ];
    Ok(Work { scratch, ..Work::gives([output.image(), output.mask()]) })
}

fn adjust(call: &Call<'_>) -> Result<Work, SemanticError> {
    Ok(Work::gives([call.pictures("images").image()]))
}
