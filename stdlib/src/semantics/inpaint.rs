//! Pictures that are changed in part, or edited: latents with masks, and what models read beside the latent.

use super::latent::{Encoding, Runs, encoding};
use super::{Call, Gap, Scratch, SemanticError, Semantics, Work};
use crate::data::{Entry, Latent};
use crate::facts::{Fact, Size};

pub(super) const ALL: &[Semantics] = &[
    Semantics::pure("VAEEncodeForInpaint", vae_encode_for_inpaint),
    Semantics::pure("InpaintModelConditioning", inpaint_model_conditioning),
    Semantics::pure("InstructPixToPixConditioning", instruct_pix_to_pix_conditioning),
];

/// Inputs and outputs that are conditionings, in the order of the outputs.
const SIDES: [&str; 2] = ["positive", "negative"];

/// Masks are resized to the pictures: one for all of them, or one for each.
fn masks(call: &Call<'_>) -> Result<Size, SemanticError> {
    let ([count, ..], [pictures, ..]) = (call.mask("mask"), call.image("pixels"));
    match (count, pictures) {
        (Some(count), Some(pictures)) if count != 1 && count != pictures => Err(SemanticError::Facet {
            input: "mask",
            reason: format!("{count} masks do not go with {pictures} pictures"),
            help: "use one mask for all pictures, or one for each".to_owned(),
        }),
        _ => Ok(count),
    }
}

/// The masks at the size to which pictures are cut.
fn cut_masks(count: Size, runs: Option<&Runs>) -> [Size; 3] {
    let [height, width] = runs.map_or([None, None], Runs::size);
    [count, height, width]
}

/// The pictures, grey where they are masked, and the mask grown, so that seams are made anew.
fn vae_encode_for_inpaint(call: &Call<'_>) -> Result<Work, SemanticError> {
    let count = masks(call)?;
    let Encoding { latent, runs } = encoding(call, 1)?;
    let mask = cut_masks(count, runs.as_ref());
    let work = Work::gives([Fact::Latent(Latent { noise_mask: Some(mask), ..latent })]);
    let (Some(Runs { cropped, program }), Some(_)) = (runs, count) else {
        return Ok(work.lacking(Gap::Unknown));
    };
    let columns = Scratch { name: "columns", shape: mask[1..].to_vec() };
    let scratch = vec![cropped, Scratch { name: "mask", shape: mask.to_vec() }, columns];
    Ok(Work { scratch, programs: vec![program], ..work })
}

/// The pictures as they are as latents to begin with; grey where they are masked as what the model reads beside them.
fn inpaint_model_conditioning(call: &Call<'_>) -> Result<Work, SemanticError> {
    let count = masks(call)?;
    let Encoding { latent, runs } = encoding(call, 2)?;
    let mask = cut_masks(count, runs.as_ref());
    let beside = [
        ("concat_latent_image", latent.sizes().to_vec()),
        ("concat_mask", vec![mask[0], Some(1), mask[1], mask[2]]),
    ];
    let encoded = Scratch { name: "encoded", shape: latent.sizes().to_vec() };
    let limited = call.bool("noise_mask");
    let noise_mask = Some(mask).filter(|_| limited != Some(false));
    let work = conditioned(call, &beside, Latent { noise_mask, ..latent });
    let (Some(Runs { cropped, program }), Some(_), Some(_)) = (runs, count, limited) else {
        return Ok(work.lacking(Gap::Unknown));
    };
    let mask = Scratch { name: "mask", shape: mask.to_vec() };
    Ok(Work { scratch: vec![cropped, mask, encoded], programs: vec![program], ..work })
}

/// The pictures as what the model reads beside latents of zeros.
fn instruct_pix_to_pix_conditioning(call: &Call<'_>) -> Result<Work, SemanticError> {
    let Encoding { latent, runs } = encoding(call, 1)?;
    let encoded = Scratch { name: "encoded", shape: latent.sizes().to_vec() };
    let work = conditioned(call, &[("concat_latent_image", latent.sizes().to_vec())], latent);
    let Some(Runs { cropped, program }) = runs else { return Ok(work.lacking(Gap::Unknown)) };
    Ok(Work { scratch: vec![cropped, encoded], programs: vec![program], ..work })
}

/// Both conditionings, each entry with these tensors, and a latent.
fn conditioned(call: &Call<'_>, tensors: &[(&'static str, Vec<Size>)], latent: Latent) -> Work {
    let side = |input| match call.conditioning(input) {
        Some(entries) => {
            let with = |entry: &Entry| {
                let mut entry = entry.clone();
                entry.tensors.extend(tensors.iter().cloned());
                entry
            };
            Fact::Conditioning(entries.iter().map(with).collect())
        }
        None => Fact::Unknown("CONDITIONING".into()),
    };
    let [positive, negative] = SIDES.map(side);
    let known = !matches!((&positive, &negative), (Fact::Unknown(_), _) | (_, Fact::Unknown(_)));
    let work = Work::gives([positive, negative, Fact::Latent(latent)]);
    if known { work } else { work.lacking(Gap::Unknown) }
}
