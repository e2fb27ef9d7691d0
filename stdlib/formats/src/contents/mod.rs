//! What a file is, told by structure: which names of tensors are there, how many levels, blocks and layers, how deep the
//! transformers are. Never by the file's name, and never by widths: a miniature with the layout of a Stable Diffusion 1
//! checkpoint *is* one.
//!
//! [`Contents::of`] answers with the networks in the file, each a [`Component`] with its facts and its tensors under
//! canonical names (see [`KeyMap`]). Files that patch networks (LoRA) or add words (embeddings) have none.

mod coders;
mod foreign;
mod small;
#[cfg(test)]
mod tests;
mod unet;
mod words;

use std::fmt;

pub use words::Words;

use crate::{Family, FormatError, Header, KeyMap, Lora, TensorInfo};

/// What kind of file it is: what a loader wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A U-Net with text encoders, an autoencoder, or both.
    Checkpoint,
    /// A U-Net alone.
    DiffusionModel,
    /// An autoencoder alone.
    Vae,
    /// A small autoencoder (TAESD), or one half of it.
    Taesd,
    /// Text encoders alone.
    TextEncoder,
    /// CLIP's vision encoder.
    ClipVision,
    /// A ControlNet.
    ControlNet,
    /// A T2I-Adapter.
    T2iAdapter,
    /// A patch of a U-Net's or a text encoder's weights: LoRA and its kin.
    Lora,
    /// Learned words (textual inversion).
    Embedding,
    /// A network that enlarges pictures.
    Upscaler,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Checkpoint => "checkpoint",
            Kind::DiffusionModel => "diffusion model",
            Kind::Vae => "vae",
            Kind::Taesd => "taesd",
            Kind::TextEncoder => "text encoder",
            Kind::ClipVision => "clip vision",
            Kind::ControlNet => "controlnet",
            Kind::T2iAdapter => "t2i-adapter",
            Kind::Lora => "lora",
            Kind::Embedding => "embedding",
            Kind::Upscaler => "upscaler",
        })
    }
}

/// What a network is for. A file has each at most once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The denoising network.
    Unet,
    /// OpenAI's ViT-L/14 text encoder.
    ClipL,
    /// OpenCLIP's ViT-H/14 text encoder.
    ClipH,
    /// OpenCLIP's ViT-bigG/14 text encoder.
    ClipG,
    /// The image autoencoder.
    Vae,
    /// The encoder of TAESD.
    TaesdEncoder,
    /// The decoder of TAESD.
    TaesdDecoder,
    /// CLIP's vision encoder.
    ClipVision,
    /// A ControlNet.
    ControlNet,
    /// A T2I-Adapter.
    T2iAdapter,
    /// A network that enlarges pictures.
    Upscaler,
}

impl Role {
    /// All roles.
    pub const ALL: [Role; 11] = [
        Role::Unet,
        Role::ClipL,
        Role::ClipH,
        Role::ClipG,
        Role::Vae,
        Role::TaesdEncoder,
        Role::TaesdDecoder,
        Role::ClipVision,
        Role::ControlNet,
        Role::T2iAdapter,
        Role::Upscaler,
    ];

    /// The role with this [`Display`](fmt::Display) name.
    pub fn from_name(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.to_string() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Role::Unet => "unet",
            Role::ClipL => "clip-l",
            Role::ClipH => "clip-h",
            Role::ClipG => "clip-g",
            Role::Vae => "vae",
            Role::TaesdEncoder => "taesd encoder",
            Role::TaesdDecoder => "taesd decoder",
            Role::ClipVision => "clip vision",
            Role::ControlNet => "controlnet",
            Role::T2iAdapter => "t2i-adapter",
            Role::Upscaler => "upscaler",
        })
    }
}

/// Whose names a network has in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Naming {
    /// Those of its authors, which are the canonical ones; for U-Nets and autoencoders those of latent diffusion.
    Original,
    /// Those of the diffusers library.
    Diffusers,
    /// Those of Hugging Face's transformers.
    HuggingFace,
    /// Those of OpenCLIP.
    OpenClip,
    /// Those of RRDBNet before BasicSR's, which are the canonical ones.
    OldRrdb,
}

impl fmt::Display for Naming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Naming::Original => "original",
            Naming::Diffusers => "diffusers",
            Naming::HuggingFace => "hugging face",
            Naming::OpenClip => "openclip",
            Naming::OldRrdb => "old rrdb",
        })
    }
}

/// What a U-Net predicts, as far as its file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prediction {
    /// The noise.
    Epsilon,
    /// The velocity (Salimans and Ho 2022).
    Velocity {
        /// The schedule ends in pure noise (Lin et al. 2023): the file says so with the key `ztsnr`.
        zero_terminal: bool,
    },
    /// It shows in the values of one small tensor: ask for them, then [`Prediction::measured`].
    InValues,
}

impl Prediction {
    /// The canonical name of the tensor of a Stable Diffusion 2 U-Net whose values show what it predicts.
    pub const TENSOR: &'static str = "output_blocks.11.1.transformer_blocks.0.norm1.bias";

    /// What a U-Net predicts whose tensor [`Prediction::TENSOR`] has these values: the velocity, if their (unbiased)
    /// standard deviation is above 0.09, as in all published models of either kind; else the noise.
    pub fn measured(values: &[f32]) -> Prediction {
        let count = values.len() as f64;
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / count;
        let squares = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>();
        let deviation = (squares / (count - 1.0)).sqrt();
        if deviation > 0.09 { Prediction::Velocity { zero_terminal: false } } else { Prediction::Epsilon }
    }
}

impl fmt::Display for Prediction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Prediction::Epsilon => "epsilon",
            Prediction::Velocity { zero_terminal: false } => "velocity",
            Prediction::Velocity { zero_terminal: true } => "velocity, zero terminal SNR",
            Prediction::InValues => "epsilon or velocity",
        })
    }
}

/// How attention is divided into heads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heads {
    /// So many, whatever the width.
    Count(usize),
    /// As many as fit, of so many channels each.
    Width(usize),
}

/// What is known of a U-Net, or of the half of it that a ControlNet is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnetFacts {
    /// The family.
    pub family: Family,
    /// Channels that go in: 4 for latents alone, 8 with a picture to edit (InstructPix2Pix), 9 with a mask and the
    /// picture around it (inpainting).
    pub in_channels: usize,
    /// Channels that come out; of a ControlNet, those that go in.
    pub out_channels: usize,
    /// Channels of a token of context.
    pub context_width: usize,
    /// Channels of the vector (pooled prompt, sizes) that is added to the time, if there is one.
    pub adm_width: Option<usize>,
    /// Heads of every attention layer.
    pub heads: Heads,
    /// What it predicts.
    pub prediction: Prediction,
}

/// What is known of a text encoder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextFacts {
    /// Channels of a token.
    pub width: usize,
    /// Transformer layers.
    pub layers: usize,
    /// Channels of the projected sentence, if the file has the projection.
    pub projection: Option<usize>,
}

/// What is known of an autoencoder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaeFacts {
    /// Channels of a latent.
    pub latent_channels: usize,
    /// Pixels of a picture per latent pixel, each way.
    pub downscale: usize,
    /// Whether the encoder is there.
    pub encoder: bool,
    /// Whether the decoder is there.
    pub decoder: bool,
}

/// What is known of a vision encoder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisionFacts {
    /// Channels of a token.
    pub width: usize,
    /// Transformer layers.
    pub layers: usize,
    /// Pixels of a patch, each way.
    pub patch: usize,
    /// Pixels of the picture that it takes, each way.
    pub picture: usize,
    /// Channels of the projected picture, if the file has the projection.
    pub projection: Option<usize>,
}

/// What is known of a ControlNet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlFacts {
    /// Of the half U-Net.
    pub unet: UnetFacts,
    /// Channels of the hint picture.
    pub hint_channels: usize,
}

/// What is known of a T2I-Adapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdapterFacts {
    /// Stable Diffusion 1 or XL.
    pub family: Family,
    /// Channels of the hint picture.
    pub hint_channels: usize,
    /// Pixels of the hint, each way, that become one (pixel unshuffle).
    pub unshuffle: usize,
    /// The small variant without residual blocks of full width.
    pub light: bool,
}

/// What is known of a network that enlarges pictures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpscalerFacts {
    /// How much larger pictures become, each way.
    pub scale: usize,
    /// Pixels, each way, that become one before the network (pixel unshuffle).
    pub unshuffle: usize,
    /// Residual-in-residual blocks.
    pub blocks: usize,
}

/// A network and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Network {
    /// The denoising network.
    Unet(UnetFacts),
    /// A text encoder: [`Role::ClipL`], [`Role::ClipH`] or [`Role::ClipG`].
    Text(Role, TextFacts),
    /// The image autoencoder.
    Vae(VaeFacts),
    /// The encoder of TAESD, with its latent channels.
    TaesdEncoder(usize),
    /// The decoder of TAESD, with its latent channels.
    TaesdDecoder(usize),
    /// CLIP's vision encoder.
    Vision(VisionFacts),
    /// A ControlNet.
    Control(ControlFacts),
    /// A T2I-Adapter.
    Adapter(AdapterFacts),
    /// RRDBNet (Wang et al. 2018, ESRGAN).
    Upscaler(UpscalerFacts),
}

impl Network {
    /// What it is for.
    pub fn role(&self) -> Role {
        match self {
            Network::Unet(_) => Role::Unet,
            Network::Text(role, _) => *role,
            Network::Vae(_) => Role::Vae,
            Network::TaesdEncoder(_) => Role::TaesdEncoder,
            Network::TaesdDecoder(_) => Role::TaesdDecoder,
            Network::Vision(_) => Role::ClipVision,
            Network::Control(_) => Role::ControlNet,
            Network::Adapter(_) => Role::T2iAdapter,
            Network::Upscaler(_) => Role::Upscaler,
        }
    }
}

/// One network of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// What it is.
    pub network: Network,
    /// Whose names it has in the file.
    pub naming: Naming,
    /// From canonical names to those of the file.
    pub map: KeyMap,
    /// Its tensors under canonical names, below an empty prefix: `map` applied to the header of the file. What
    /// networks are built against and weights are read through.
    pub tensors: Header,
}

/// What a file is, and what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// What kind of file it is.
    pub kind: Kind,
    /// Its networks, by role.
    pub components: Vec<Component>,
    /// Its patches, if it is a [`Kind::Lora`].
    pub lora: Option<Lora>,
    /// Its words, if it is a [`Kind::Embedding`]: for each text encoder those that it has.
    pub words: Vec<Words>,
}

impl Contents {
    /// Tells what a file is from its header.
    ///
    /// # Errors
    /// If it is a model of another family, known by name or not, or a network is incomplete.
    pub fn of(header: &Header) -> Result<Contents, FormatError> {
        // Patches first: names of the patched layers are in theirs.
        if let Some(lora) = Lora::of(header)? {
            return Ok(Contents { lora: Some(lora), ..Contents::new(Kind::Lora) });
        }
        if let Some(what) = foreign::recognise(header) {
            return Err(FormatError::Unsupported { what });
        }
        let mut components: Vec<Component> = unet::unet(header)?.into_iter().collect();
        if components.is_empty() {
            let found = unet::control(header)?.map(|component| (Kind::ControlNet, component));
            let found = match found {
                None => small::upscaler(header)?.map(|component| (Kind::Upscaler, component)),
                found => found,
            };
            let found = match found {
                None => small::adapter(header)?.map(|component| (Kind::T2iAdapter, component)),
                found => found,
            };
            if let Some((kind, component)) = found {
                return Ok(Contents { components: vec![component], ..Contents::new(kind) });
            }
        }
        // Trainers save a ControlNet with the model that it was trained on.
        if header.has("control_model.input_hint_block.0.weight") {
            components.extend(unet::control(header)?);
        }
        components.extend(coders::texts(header)?);
        components.extend(coders::vae(header)?);
        components.extend(coders::vision(header)?);
        if components.is_empty() {
            components = small::taesd(header)?;
        }
        let words = if components.is_empty() { words::words(header) } else { Vec::new() };
        if !words.is_empty() {
            return Ok(Contents { words, ..Contents::new(Kind::Embedding) });
        }
        let roles: Vec<Role> = components.iter().map(|component| component.network.role()).collect();
        let kind = kind(&roles).ok_or_else(|| foreign::unknown(header))?;
        Ok(Contents { components, ..Contents::new(kind) })
    }

    fn new(kind: Kind) -> Contents {
        Contents { kind, components: Vec::new(), lora: None, words: Vec::new() }
    }

    /// The network of this role, if it is in the file.
    pub fn component(&self, role: Role) -> Option<&Component> {
        self.components.iter().find(|component| component.network.role() == role)
    }

    /// What is known of the U-Net, if there is one.
    pub fn unet(&self) -> Option<&UnetFacts> {
        match &self.component(Role::Unet)?.network {
            Network::Unet(facts) => Some(facts),
            _ => None,
        }
    }

    /// What is known of the autoencoder, if there is one.
    pub fn vae(&self) -> Option<&VaeFacts> {
        match &self.component(Role::Vae)?.network {
            Network::Vae(facts) => Some(facts),
            _ => None,
        }
    }

    /// Settles what a U-Net predicts of which only values tell it ([`Prediction::InValues`]); `read` gives those of a
    /// small tensor. Whatever else is left as it is, and nothing is read for it.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn measure<E>(&mut self, read: impl FnOnce(&TensorInfo) -> Result<Vec<f32>, E>) -> Result<(), E> {
        for component in &mut self.components {
            let Network::Unet(facts) = &mut component.network else { continue };
            let told = component.tensors.tensors.get(Prediction::TENSOR);
            if let (Prediction::InValues, Some(tensor)) = (facts.prediction, told) {
                facts.prediction = Prediction::measured(&read(tensor)?);
                break;
            }
        }
        Ok(())
    }

    /// The family of models that the file belongs to, where its structure says it.
    pub fn family(&self) -> Option<Family> {
        let of_network = |component: &Component| match &component.network {
            Network::Unet(facts) => Some(facts.family),
            Network::Control(facts) => Some(facts.unet.family),
            Network::Adapter(facts) => Some(facts.family),
            _ => None,
        };
        let of_patches = || match self.lora.as_ref()?.families.as_slice() {
            &[family] => Some(family),
            _ => None,
        };
        self.components.iter().find_map(of_network).or_else(of_patches)
    }
}

impl fmt::Display for Contents {
    /// In a few words: `checkpoint, sd1, inpaints`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        let families = match (self.family(), &self.lora) {
            (Some(family), _) => vec![family],
            (None, Some(lora)) => lora.families.clone(),
            (None, None) => Vec::new(),
        };
        for (index, family) in families.iter().enumerate() {
            write!(f, "{}{family}", if index == 0 { ", " } else { " or " })?;
        }
        match self.unet().map(|facts| facts.in_channels) {
            Some(8) => f.write_str(", edits pictures"),
            Some(9) => f.write_str(", inpaints"),
            _ => Ok(()),
        }
    }
}

/// What a file with these networks is.
fn kind(roles: &[Role]) -> Option<Kind> {
    match roles {
        [] => None,
        [Role::Unet] => Some(Kind::DiffusionModel),
        [Role::Unet, ..] => Some(Kind::Checkpoint),
        [Role::Vae] => Some(Kind::Vae),
        [Role::ClipVision] => Some(Kind::ClipVision),
        [Role::TaesdEncoder | Role::TaesdDecoder, ..] => Some(Kind::Taesd),
        // CLIP whole, with its vision encoder, is taken for its text encoder.
        [..] => Some(Kind::TextEncoder),
    }
}
