//! Pictures into files, empty ones, their sizes, batches.

use super::pixels::{Pictures, both};
use super::{Call, Gap, Scalar, SemanticError, Semantics, Work};
use crate::facts::{Fact, Size};

/// Channels of pictures without alpha.
pub(super) const RGB: usize = 3;

pub(super) const ALL: &[Semantics] = &[
    Semantics::writes("SaveImage", save_image),
    Semantics::writes("PreviewImage", save_image),
    Semantics::writes("ImageCompare", image_compare),
    Semantics::writes("SaveAnimatedPNG", save_image),
    Semantics::writes("SaveAnimatedWEBP", save_animated_webp),
    Semantics::pure("EmptyImage", empty_image),
    Semantics::folds("GetImageSize", get_image_size),
    Semantics::pure("ImageInvert", image_invert),
    Semantics::pure("ImageBatch", image_batch),
    Semantics::pure("BatchImagesNode", batch_images),
    Semantics::pure("RepeatImageBatch", repeat_image_batch),
    Semantics::pure("ImageFromBatch", image_from_batch),
];

/// The output is the input, handed on.
fn save_image(call: &Call<'_>) -> Result<Work, SemanticError> {
    Ok(Work::gives([call.fact("images").clone()]))
}

fn image_compare(_: &Call<'_>) -> Result<Work, SemanticError> {
    Ok(Work::default())
}

fn save_animated_webp(call: &Call<'_>) -> Result<Work, SemanticError> {
    let work = save_image(call)?;
    match call.bool("lossless") {
        Some(true) => Ok(work),
        None => Ok(work.lacking(Gap::Unknown)),
        Some(false) => Ok(work.lacking(Gap::NoKernel {
            input: Some("lossless"),
            what: "a lossy animation".to_owned(),
            instead: "use `lossless: true`".to_owned(),
        })),
    }
}

fn empty_image(call: &Call<'_>) -> Result<Work, SemanticError> {
    let (height, width) = (call.int("height"), call.int("width"));
    Ok(Work::gives([Fact::Image { batch: call.int("batch_size"), height, width, channels: Some(RGB) }]))
}

/// Sizes are values that a plan knows; what it does not know, nobody can.
fn get_image_size(call: &Call<'_>) -> Result<Work, SemanticError> {
    let Pictures { batch, height, width, .. } = call.pictures("image");
    let size = |size: Size| match size {
        Some(size) => Fact::Scalar(Scalar::Int(size as i128)),
        None => Fact::Unknown("INT".into()),
    };
    let work = Work::gives([size(width), size(height), size(batch)]);
    let known = batch.and(height).and(width).is_some();
    Ok(if known { work } else { work.lacking(Gap::Unknown) })
}

fn image_invert(call: &Call<'_>) -> Result<Work, SemanticError> {
    Ok(Work::gives([call.fact("image").clone()]))
}

/// Pictures of the second batch take the size of the first.
fn image_batch(call: &Call<'_>) -> Result<Work, SemanticError> {
    Ok(joined(&[call.pictures("image1"), call.pictures("image2")]))
}

/// The sockets of `images` in their order; `image10` comes after `image9`.
fn batch_images(call: &Call<'_>) -> Result<Work, SemanticError> {
    let mut names: Vec<&str> =
        call.inputs.keys().copied().filter(|name| name.starts_with("images.")).collect();
    names.sort_by_key(|name| (name.len(), *name));
    Ok(joined(&names.into_iter().map(|name| call.pictures(name)).collect::<Vec<_>>()))
}

/// Batches one after the other, in the size of the first. Where one has alpha, the others become opaque.
fn joined(batches: &[Pictures]) -> Work {
    let Some(&first) = batches.first() else { return Work::gives([Pictures::NONE.image()]) };
    let batch = batches.iter().try_fold(0usize, |sum, one| Some(sum.saturating_add(one.batch?)));
    let channels =
        batches.iter().skip(1).fold(first.channels, |most, one| both(most, one.channels, usize::max));
    // The highest of those that change their size.
    let other = |one: &&Pictures| (one.height, one.width) != (first.height, first.width);
    let height = batches.iter().filter(other).try_fold(0, |most: usize, one| Some(most.max(one.height?)));
    let wide = Pictures { height: height.map(|height| height.max(1)), ..first };
    let scratch = vec![Pictures { channels, ..wide }.scaling(first.width)];
    Work { scratch, ..Work::gives([Pictures { batch, channels, ..first }.image()]) }
}

fn repeat_image_batch(call: &Call<'_>) -> Result<Work, SemanticError> {
    let image = call.pictures("image");
    let batch = both(image.batch, call.int("amount"), usize::saturating_mul);
    Ok(Work::gives([Pictures { batch, ..image }.image()]))
}

/// The section lies inside of the batch, whatever is asked for.
fn image_from_batch(call: &Call<'_>) -> Result<Work, SemanticError> {
    let image = call.pictures("image");
    let batch = (|| {
        let (batch, index, length) = (image.batch?, call.signed("batch_index")?, call.int("length")?);
        let first = if index < 0 { index + batch as i128 } else { index };
        let first = first.clamp(0, batch.saturating_sub(1) as i128) as usize;
        Some(length.min(batch - first))
    })();
    Ok(Work::gives([Pictures { batch, ..image }.image()]))
}
