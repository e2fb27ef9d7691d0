use floe_formats::{Network as Facts, Role};
use floe_nets::{ProgramSpec, Real};

use super::{Call, Gap, ProgramUse, Scratch, SemanticError, Semantics, Work, differs};
use crate::data::Latent;
use crate::facts::{Fact, Size};
use crate::part::Network;

/// Channels of a latent of Stable Diffusion, which `EmptyLatentImage` makes.
const CHANNELS: usize = 4;

/// Pixels per latent pixel of `EmptyLatentImage`.
pub(super) const FACTOR: usize = 8;

pub(super) const ALL: &[Semantics] = &[
    Semantics::pure("EmptyLatentImage", empty_latent_image),
    Semantics::pure("VAEDecode", vae_decode),
    Semantics::pure("VAEEncode", vae_encode),
];

fn empty_latent_image(call: &Call<'_>) -> Result<Work, SemanticError> {
    let pixels = |input| call.int(input).map(|size| size / FACTOR);
    let sizes = [call.int("batch_size"), Some(CHANNELS), pixels("height"), pixels("width")];
    Ok(Work::gives([Fact::Latent(Latent::of(sizes))]))
}

/// Decodes one latent at a time: the same bits as all at once, in a fraction of the memory.
fn vae_decode(call: &Call<'_>) -> Result<Work, SemanticError> {
    let [batch, channels, height, width] = call.latent("samples").sizes();
    let Some(coder) = Coder::of(call, Role::TaesdDecoder)? else {
        let image = Fact::Image { batch, height: None, width: None, channels: Some(3) };
        return Ok(Work::gives([image]).lacking(Gap::Unknown));
    };
    if let Some((channels, wanted)) = differs(channels, Some(coder.channels)) {
        return Err(SemanticError::Facet {
            input: "samples",
            reason: format!(
                "this latent has {channels} channels, but the VAE of `{}` decodes latents of {wanted}",
                coder.network.file.name
            ),
            help: "decode a latent with the VAE of the model that made it".to_owned(),
        });
    }
    let factor = coder.downscale;
    let pixels = |size: Size| size.map(|size| size.saturating_mul(factor));
    let image = Fact::Image { batch, height: pixels(height), width: pixels(width), channels: Some(3) };
    let work = Work::gives([image]);
    let (Some(batch), Some(height), Some(width)) = (batch, height, width) else {
        return Ok(work.lacking(Gap::Unknown));
    };
    let spec = match coder.scale {
        None => ProgramSpec::VaeDecode { batch: 1, height, width },
        Some(scale) => ProgramSpec::TaesdDecode { batch: 1, height, width, scale },
    };
    let programs = vec![ProgramUse { spec, network: coder.network.clone(), executions: batch as u64 }];
    Ok(Work { programs, ..work })
}

fn vae_encode(call: &Call<'_>) -> Result<Work, SemanticError> {
    let Encoding { latent, runs } = encoding(call, 1)?;
    let work = Work::gives([Fact::Latent(latent)]);
    Ok(match runs {
        Some(Runs { cropped, program }) => Work { scratch: vec![cropped], programs: vec![program], ..work },
        None => work.lacking(Gap::Unknown),
    })
}

/// What encoding the pictures of `pixels` with `vae` comes to.
pub(super) struct Encoding {
    /// The latents.
    pub(super) latent: Latent,
    /// What is run; none where something of it is not known.
    pub(super) runs: Option<Runs>,
}

/// What an encoder takes to run.
pub(super) struct Runs {
    /// Room for one picture, cut to whole latent pixels.
    pub(super) cropped: Scratch,
    /// The encoder of one picture.
    pub(super) program: ProgramUse,
}

impl Runs {
    /// Rows and columns of a picture that is cut.
    pub(super) fn size(&self) -> [Size; 2] {
        [self.cropped.shape[1], self.cropped.shape[2]]
    }
}

/// Encodes one picture at a time, each of them `times`.
///
/// # Errors
/// If the file has no encoder, or a picture is smaller than a latent pixel.
pub(super) fn encoding(call: &Call<'_>, times: u64) -> Result<Encoding, SemanticError> {
    let [batch, height, width, _] = call.image("pixels");
    let Some(coder) = Coder::of(call, Role::TaesdEncoder)? else {
        return Ok(Encoding { latent: Latent { batch, ..Latent::default() }, runs: None });
    };
    let factor = coder.downscale.max(1);
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
    let cells = |size: Size| size.map(|size| size / factor);
    let latent = Latent::of([batch, Some(coder.channels), cells(cut_height), cells(cut_width)]);
    let (Some(batch), Some(height), Some(width)) = (batch, cut_height, cut_width) else {
        return Ok(Encoding { latent, runs: None });
    };
    let spec = match coder.scale {
        None => ProgramSpec::VaeEncode { batch: 1, height, width },
        Some(scale) => ProgramSpec::TaesdEncode { batch: 1, height, width, scale },
    };
    let cropped = Scratch { name: "cropped", shape: vec![Some(1), Some(height), Some(width), Some(3)] };
    let executions = (batch as u64).saturating_mul(times);
    let program = ProgramUse { spec, network: coder.network.clone(), executions };
    Ok(Encoding { latent, runs: Some(Runs { cropped, program }) })
}

/// The half of an autoencoder that a call runs.
struct Coder<'a> {
    network: &'a Network,
    /// Channels of a latent.
    channels: usize,
    /// Pixels of a latent pixel, each way.
    downscale: usize,
    /// Of a small autoencoder: the scale of latents.
    scale: Option<Real>,
}

impl<'a> Coder<'a> {
    /// The autoencoder, or the half of a small one that has this role.
    fn of(call: &Call<'a>, small: Role) -> Result<Option<Coder<'a>>, SemanticError> {
        let Some(loaded) = call.loaded("vae")? else { return Ok(None) };
        let network = loaded.network(Role::Vae).or_else(|| loaded.network(small));
        let Some(network) = network else {
            let (file, part) = (loaded.file.name.clone(), loaded.part);
            return Err(SemanticError::NoPart { input: "vae", file, part });
        };
        let scale = loaded.latent_scale.and_then(Real::new);
        Ok(match &network.component().network {
            Facts::Vae(facts) => {
                let (channels, downscale) = (facts.latent_channels, facts.downscale);
                Some(Coder { network, channels, downscale, scale: None })
            }
            Facts::TaesdEncoder(channels) | Facts::TaesdDecoder(channels) => {
                Some(Coder { network, channels: *channels, downscale: FACTOR, scale })
            }
            _ => None,
        })
    }
}
