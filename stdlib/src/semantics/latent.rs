use floe_formats::Part;
use floe_nets::ProgramSpec;

use super::{Call, Gap, ProgramUse, Scratch, SemanticError, Semantics, Work, differs, dim, unable};
use crate::facts::{Fact, ModelFile, Size};

/// Channels of a latent of Stable Diffusion, which `EmptyLatentImage` makes.
const CHANNELS: usize = 4;

/// Pixels per latent pixel of `EmptyLatentImage`.
const FACTOR: usize = 8;

pub(super) const ALL: &[Semantics] = &[
    Semantics::pure("EmptyLatentImage", empty_latent_image),
    Semantics::pure("VAEDecode", vae_decode),
    Semantics::pure("VAEEncode", vae_encode),
];

fn empty_latent_image(call: &Call<'_>) -> Result<Work, SemanticError> {
    let pixels = |input| call.int(input).map(|size| size / FACTOR);
    Ok(Work::gives([Fact::Latent {
        batch: call.int("batch_size"),
        channels: Some(CHANNELS),
        height: pixels("height"),
        width: pixels("width"),
    }]))
}

/// Decodes one latent at a time: the same bits as all at once, in a fraction of the memory.
fn vae_decode(call: &Call<'_>) -> Result<Work, SemanticError> {
    let [batch, channels, height, width] = call.latent("samples");
    let Some(file) = call.network("vae", Part::Vae)? else {
        let image = Fact::Image { batch, height: None, width: None, channels: Some(3) };
        return Ok(Work::gives([image]).lacking(Gap::Unknown));
    };
    let wanted = dim("vae", file, Part::Vae, "post_quant_conv.weight", 1)?;
    if let Some((channels, wanted)) = differs(channels, Some(wanted)) {
        return Err(SemanticError::Facet {
            input: "samples",
            reason: format!(
                "this latent has {channels} channels, but the VAE of `{}` decodes latents of {wanted}",
                file.name
            ),
            help: "decode a latent with the VAE of the model that made it".to_owned(),
        });
    }
    let factor = factor(file);
    let pixels = |size: Size| size.map(|size| size.saturating_mul(factor));
    let image = Fact::Image { batch, height: pixels(height), width: pixels(width), channels: Some(3) };
    let work = Work::gives([image]);
    if let Some(gap) = unable("vae", file) {
        return Ok(work.lacking(gap));
    }
    let (Some(batch), Some(height), Some(width)) = (batch, height, width) else {
        return Ok(work.lacking(Gap::Unknown));
    };
    let spec = ProgramSpec::VaeDecode { batch: 1, height, width };
    let programs = vec![ProgramUse { spec, file: file.clone(), executions: batch as u64 }];
    Ok(Work { programs, ..work })
}

fn vae_encode(call: &Call<'_>) -> Result<Work, SemanticError> {
    let [batch, height, width, _] = call.image("pixels");
    let Some(file) = call.network("vae", Part::Vae)? else {
        let latent = Fact::Latent { batch, channels: None, height: None, width: None };
        return Ok(Work::gives([latent]).lacking(Gap::Unknown));
    };
    let channels = dim("vae", file, Part::Vae, "post_quant_conv.weight", 1)?;
    let factor = factor(file);
    let cut = |size: Size| size.map(|size| size - size % factor);
    let (cut_height, cut_width) = (cut(height), cut(width));
    if cut_height == Some(0) || cut_width == Some(0) {
        let size = |size: Size| size.map_or("?".to_owned(), |size| size.to_string());
        return Err(SemanticError::Facet {
            input: "pixels",
            reason: format!(
                "a picture of {}x{} is smaller than one latent pixel ({factor}x{factor})",
                size(width),
                size(height)
            ),
            help: "use a larger picture, or enlarge it with `ImageScale`".to_owned(),
        });
    }
    let latent = Fact::Latent {
        batch,
        channels: Some(channels),
        height: cut_height.map(|size| size / factor),
        width: cut_width.map(|size| size / factor),
    };
    let work = Work::gives([latent]);
    if let Some(gap) = unable("vae", file) {
        return Ok(work.lacking(gap));
    }
    let (Some(batch), Some(height), Some(width)) = (batch, cut_height, cut_width) else {
        return Ok(work.lacking(Gap::Unknown));
    };
    let spec = ProgramSpec::VaeEncode { batch: 1, height, width };
    let cropped = Scratch { name: "cropped", shape: vec![Some(1), Some(height), Some(width), Some(3)] };
    let programs = vec![ProgramUse { spec, file: file.clone(), executions: batch as u64 }];
    Ok(Work { scratch: vec![cropped], programs, ..work })
}

/// Pixels per latent pixel: two for each level of the decoder that doubles the size.
fn factor(file: &ModelFile) -> usize {
    let prefix = file.layout.prefix(Part::Vae).unwrap_or_default();
    let doubles = file.header.tensors.keys().filter(|key| {
        key.strip_prefix(prefix)
            .is_some_and(|key| key.starts_with("decoder.up.") && key.ends_with(".upsample.conv.weight"))
    });
    1 << doubles.count().min(16)
}
