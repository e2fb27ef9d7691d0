//! Arithmetic, pieces, sizes and batches of latents. What a latent carries besides its samples stays with the first one.

use super::latent::FACTOR;
use super::text::slice;
use super::{Call, Gap, SemanticError, Semantics, Work, differs};
use crate::data::Latent;
use crate::facts::{Fact, Size};

pub(super) const ALL: &[Semantics] = &[
    Semantics::pure("LatentAdd", |call| two(call, "samples1", "samples2")),
    Semantics::pure("LatentBatch", latent_batch),
    Semantics::pure("LatentBatchSeedBehavior", seed_behavior),
    Semantics::pure("LatentBlend", |call| two(call, "samples1", "samples2")),
    Semantics::pure("LatentComposite", |call| two(call, "samples_to", "samples_from")),
    Semantics::pure("LatentCompositeMasked", |call| two(call, "destination", "source")),
    Semantics::pure("LatentConcat", latent_concat),
    Semantics::pure("LatentCrop", latent_crop),
    Semantics::pure("LatentCut", latent_cut),
    Semantics::pure("LatentFlip", |call| Ok(gives(call.latent("samples")))),
    Semantics::pure("LatentFromBatch", latent_from_batch),
    Semantics::pure("LatentInterpolate", |call| two(call, "samples1", "samples2")),
    Semantics::pure("LatentMultiply", |call| Ok(gives(call.latent("samples")))),
    Semantics::pure("LatentRotate", latent_rotate),
    Semantics::pure("LatentSubtract", |call| two(call, "samples1", "samples2")),
    Semantics::pure("LatentUpscale", latent_upscale),
    Semantics::pure("LatentUpscaleBy", latent_upscale_by),
    Semantics::pure("RepeatLatentBatch", repeat_latent_batch),
    Semantics::writes("SaveLatent", |call| Ok(gives(call.latent("samples")))),
    Semantics::pure("SetLatentNoiseMask", set_latent_noise_mask),
];

fn gives(latent: Latent) -> Work {
    Work::gives([Fact::Latent(latent)])
}

/// The first latent, changed by a second one that must have as many channels.
fn two(call: &Call<'_>, first: &'static str, second: &'static str) -> Result<Work, SemanticError> {
    Ok(gives(alike(call, first, second)?.0))
}

fn alike(
    call: &Call<'_>,
    first: &'static str,
    second: &'static str,
) -> Result<(Latent, Latent), SemanticError> {
    let latents = (call.latent(first), call.latent(second));
    match differs(latents.0.channels, latents.1.channels) {
        None => Ok(latents),
        Some((one, other)) => Err(SemanticError::Facet {
            input: second,
            reason: format!("this latent has {other} channels, but `{first}` has {one}"),
            help: "join latents of models of one family".to_owned(),
        }),
    }
}

/// An area of a latent must not be empty.
fn not_empty(latent: Latent, what: &str) -> Result<Work, SemanticError> {
    if latent.height == Some(0) || latent.width == Some(0) {
        return Err(SemanticError::Facet {
            input: "samples",
            reason: format!("nothing is left of this latent after it is {what}"),
            help: "choose an area that lies inside of it".to_owned(),
        });
    }
    Ok(gives(latent))
}

/// The place in the noise of each latent of a batch.
fn places(latent: &Latent) -> Option<Vec<usize>> {
    latent.batch_index.clone().or_else(|| latent.batch.map(|batch| (0..batch).collect()))
}

/// A batch of both, the second resized to the first where it has another size.
fn latent_batch(call: &Call<'_>) -> Result<Work, SemanticError> {
    let (first, second) = alike(call, "samples1", "samples2")?;
    let batch = add(first.batch, second.batch);
    let batch_index = places(&first).zip(places(&second)).map(|(one, other)| [one, other].concat());
    Ok(gives(Latent { batch, batch_index, ..first }))
}

fn add(a: Size, b: Size) -> Size {
    a?.checked_add(b?)
}

/// `fixed` gives all latents the noise of the first one, `random` each that of its place.
fn seed_behavior(call: &Call<'_>) -> Result<Work, SemanticError> {
    let latent = call.latent("samples");
    let batch_index = match (call.string("seed_behavior"), latent.batch) {
        (Some("fixed"), Some(batch)) => {
            let first = latent.batch_index.as_ref().and_then(|index| index.first()).copied();
            Some(vec![first.unwrap_or(0); batch])
        }
        (Some(_), Some(_)) => None,
        _ => return Ok(gives(latent).lacking(Gap::Unknown)),
    };
    Ok(gives(Latent { batch_index, ..latent }))
}

fn latent_concat(call: &Call<'_>) -> Result<Work, SemanticError> {
    let (first, second) = alike(call, "samples1", "samples2")?;
    let (size, other, what) = match call.string("dim") {
        Some("x" | "-x") => (first.height, second.height, "rows"),
        Some("y" | "-y") => (first.width, second.width, "columns"),
        Some(_) => return Ok(gives(Latent { height: None, width: None, ..first }).lacking(no_time("dim"))),
        None => return Ok(gives(Latent { height: None, width: None, ..first }).lacking(Gap::Unknown)),
    };
    if let Some((one, other)) = differs(size, other) {
        return Err(SemanticError::Facet {
            input: "samples2",
            reason: format!("this latent has {other} {what}, but `samples1` has {one}"),
            help: "join latents of one size in the other direction".to_owned(),
        });
    }
    Ok(gives(match call.string("dim") {
        Some("x" | "-x") => Latent { width: add(first.width, second.width), ..first },
        _ => Latent { height: add(first.height, second.height), ..first },
    }))
}

fn no_time(input: &'static str) -> Gap {
    Gap::NoKernel {
        input: Some(input),
        what: "the time of video latents".to_owned(),
        instead: "use `x` or `y`".to_owned(),
    }
}

/// A rectangle in latent pixels. One that begins less than 8 of them before the end is moved there.
fn latent_crop(call: &Call<'_>) -> Result<Work, SemanticError> {
    let latent = call.latent("samples");
    let piece = |length: Size, start, size| {
        let (start, size) = (call.int(start)? / FACTOR, call.int(size)? / FACTOR);
        let (start, end) = cropped(length?, start, size);
        Some(end.saturating_sub(start))
    };
    let (height, width) = (piece(latent.height, "y", "height"), piece(latent.width, "x", "width"));
    not_empty(Latent { height, width, ..latent }, "cropped")
}

/// First and last row (or column, the last not included) of a crop, as the reference's slice has it.
fn cropped(length: usize, start: usize, size: usize) -> (usize, usize) {
    let start = (start as i128).min(length as i128 - 8);
    slice(length, start, start + size as i128)
}

fn latent_cut(call: &Call<'_>) -> Result<Work, SemanticError> {
    let latent = call.latent("samples");
    let piece = |length: Size| {
        let (index, amount) = (call.signed("index")?, call.int("amount")?);
        let length = length?;
        let left = if index < 0 {
            usize::try_from(-index).unwrap_or(usize::MAX).min(length)
        } else {
            length - usize::try_from(index).unwrap_or(usize::MAX).min(length - 1)
        };
        Some(left.min(amount))
    };
    Ok(match call.string("dim") {
        Some("x") => gives(Latent { width: piece(latent.width), ..latent }),
        Some("y") => gives(Latent { height: piece(latent.height), ..latent }),
        Some(_) => gives(latent).lacking(no_time("dim")),
        None => gives(Latent { height: None, width: None, ..latent }).lacking(Gap::Unknown),
    })
}

/// One or more latents of a batch, from an index on; what exceeds the batch is left out.
fn latent_from_batch(call: &Call<'_>) -> Result<Work, SemanticError> {
    let latent = call.latent("samples");
    let known = (|| {
        let (batch, index) = (latent.batch?, call.signed("batch_index")?);
        let index = if index < 0 { index + batch as i128 } else { index };
        let start = usize::try_from(index.max(0)).ok()?.min(batch.saturating_sub(1));
        Some((start, call.int("length")?.min(batch - start)))
    })();
    let Some((start, length)) = known else {
        let latent = Latent { batch: None, batch_index: None, ..latent };
        return Ok(gives(latent).lacking(Gap::Unknown));
    };
    let places = places(&latent).unwrap_or_default();
    let batch_index = places.into_iter().skip(start).take(length).collect();
    // One mask for all stays one; several are taken like the latents.
    let noise_mask = latent.noise_mask.map(|[count, height, width]| {
        [count.map(|count| if count == 1 { 1 } else { length }), height, width]
    });
    Ok(gives(Latent { batch: Some(length), batch_index: Some(batch_index), noise_mask, ..latent }))
}

/// The batch several times. Repeated latents take places in the noise behind those of the ones before.
fn repeat_latent_batch(call: &Call<'_>) -> Result<Work, SemanticError> {
    let latent = call.latent("samples");
    let Some((amount, batch)) = call.int("amount").zip(latent.batch) else {
        return Ok(gives(Latent { batch: None, batch_index: None, ..latent }).lacking(Gap::Unknown));
    };
    let batch_index = latent.batch_index.as_ref().map(|index| {
        let (low, high) = (index.iter().min(), index.iter().max());
        let span = high.zip(low).map_or(1, |(high, low)| high - low + 1);
        (0..amount).flat_map(|round| index.iter().map(move |place| place + round * span)).collect()
    });
    let noise_mask = latent.noise_mask.map(|[count, height, width]| {
        let count = count.map(|count| if count > 1 { count.max(batch) * amount } else { count });
        [count, height, width]
    });
    Ok(gives(Latent { batch: Some(batch * amount), batch_index, noise_mask, ..latent }))
}

fn latent_rotate(call: &Call<'_>) -> Result<Work, SemanticError> {
    let latent = call.latent("samples");
    Ok(gives(match call.string("rotation") {
        Some("90 degrees" | "270 degrees") => Latent { height: latent.width, width: latent.height, ..latent },
        Some(_) => latent,
        None => Latent { height: None, width: None, ..latent },
    }))
}

/// A size in pixels, of which one of 0 follows from the other; both 0 leave the latent as it is. At least 64 pixels.
fn latent_upscale(call: &Call<'_>) -> Result<Work, SemanticError> {
    let latent = call.latent("samples");
    let sizes = (|| {
        let (height, width) = (call.int("height")?, call.int("width")?);
        if (height, width) == (0, 0) {
            return Some((latent.height?, latent.width?));
        }
        let follow = |to: usize, own: Size, other: Size| {
            Some((own? as f64 * to as f64 / (other?.max(1)) as f64).round_ties_even() as usize)
        };
        let (height, width) = match (height, width) {
            (0, width) => (follow(width.max(64), latent.height, latent.width)?, width),
            (height, 0) => (height, follow(height.max(64), latent.width, latent.height)?),
            given => given,
        };
        Some((height.max(64) / FACTOR, width.max(64) / FACTOR))
    })();
    Ok(gives(resized(latent, sizes)))
}

fn resized(latent: Latent, sizes: Option<(usize, usize)>) -> Latent {
    Latent { height: sizes.map(|sizes| sizes.0), width: sizes.map(|sizes| sizes.1), ..latent }
}

fn latent_upscale_by(call: &Call<'_>) -> Result<Work, SemanticError> {
    let latent = call.latent("samples");
    let scaled = |size: Size| Some((size? as f64 * call.float("scale_by")?).round_ties_even() as usize);
    let sizes = scaled(latent.height).zip(scaled(latent.width));
    not_empty(resized(latent, sizes), "made smaller")
}

fn set_latent_noise_mask(call: &Call<'_>) -> Result<Work, SemanticError> {
    Ok(gives(Latent { noise_mask: Some(call.mask("mask")), ..call.latent("samples") }))
}

#[cfg(test)]
mod tests {
    use super::cropped;

    #[test]
    fn a_crop_near_the_end_is_moved_back() {
        assert_eq!(cropped(16, 2, 8), (2, 10));
        assert_eq!(cropped(16, 12, 8), (8, 16));
        assert_eq!(cropped(16, 4, 64), (4, 16));
        // Shorter than 8: the start counts from the end, as in Python.
        assert_eq!(cropped(6, 0, 8), (4, 6));
    }
}
