use floe_formats::Part;
use floe_nets::ProgramSpec;

use super::image::image;
use super::{Call, ProgramUse, Purity, Scratch, SemanticError, Semantics, Work, dim};
use crate::facts::{Fact, ModelFile};

/// Channels of a latent of Stable Diffusion, which `EmptyLatentImage` makes.
const CHANNELS: usize = 4;

/// Pixels per latent pixel of `EmptyLatentImage`.
const FACTOR: usize = 8;

pub(super) const EMPTY_LATENT_IMAGE: Semantics = Semantics {
    name: "EmptyLatentImage",
    purity: Purity::Pure,
    loader: None,
    batchable: false,
    infer: empty_latent_image,
};

fn empty_latent_image(call: &Call<'_>) -> Result<Work, SemanticError> {
    let latent = Fact::Latent {
        batch: call.int("batch_size"),
        channels: CHANNELS,
        height: call.int("height") / FACTOR,
        width: call.int("width") / FACTOR,
    };
    Ok(Work { outputs: vec![latent], ..Work::default() })
}

pub(super) const VAE_DECODE: Semantics =
    Semantics { name: "VAEDecode", purity: Purity::Pure, loader: None, batchable: false, infer: vae_decode };

/// Decodes one latent at a time: the same bits as all at once, in a fraction of the memory.
fn vae_decode(call: &Call<'_>) -> Result<Work, SemanticError> {
    let file = call.network("vae", Part::Vae)?;
    let (batch, channels, height, width) = latent(call, "samples");
    let wanted = dim("vae", file, Part::Vae, "post_quant_conv.weight", 1)?;
    if channels != wanted {
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
    let spec = ProgramSpec::VaeDecode { batch: 1, height, width };
    Ok(Work {
        outputs: vec![Fact::Image { batch, height: height * factor, width: width * factor }],
        scratch: Vec::new(),
        programs: vec![ProgramUse { spec, file: file.clone(), executions: batch as u64 }],
    })
}

pub(super) const VAE_ENCODE: Semantics =
    Semantics { name: "VAEEncode", purity: Purity::Pure, loader: None, batchable: false, infer: vae_encode };

fn vae_encode(call: &Call<'_>) -> Result<Work, SemanticError> {
    let file = call.network("vae", Part::Vae)?;
    let (batch, height, width) = image(call, "pixels");
    let channels = dim("vae", file, Part::Vae, "post_quant_conv.weight", 1)?;
    let factor = factor(file);
    let (cut_height, cut_width) = (height - height % factor, width - width % factor);
    if cut_height == 0 || cut_width == 0 {
        return Err(SemanticError::Facet {
            input: "pixels",
            reason: format!(
                "a picture of {width}x{height} is smaller than one latent pixel ({factor}x{factor})"
            ),
            help: "use a larger picture, or enlarge it with `ImageScale`".to_owned(),
        });
    }
    let spec = ProgramSpec::VaeEncode { batch: 1, height: cut_height, width: cut_width };
    let cropped = Scratch { name: "cropped", shape: vec![1, cut_height, cut_width, 3] };
    let latent = Fact::Latent { batch, channels, height: cut_height / factor, width: cut_width / factor };
    Ok(Work {
        outputs: vec![latent],
        scratch: vec![cropped],
        programs: vec![ProgramUse { spec, file: file.clone(), executions: batch as u64 }],
    })
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

/// Batch, channels, height and width of a latent.
pub(super) fn latent(call: &Call<'_>, input: &str) -> (usize, usize, usize, usize) {
    match *call.fact(input) {
        Fact::Latent { batch, channels, height, width } => (batch, channels, height, width),
        ref other => panic!("`{input}` is a Latent, not {other:?}"),
    }
}
