//! Model files, and the parts of them that go over links.

use std::fmt;
use std::sync::Arc;

use floe_formats::{Component, Contents, Family, Header, Kind, Role};

use crate::patch::{Patch, PatchKey};

/// A model file whose header was read.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelFile {
    /// Its folder, such as `checkpoints`.
    pub folder: String,
    /// Its name in that folder.
    pub name: String,
    /// Its tensors.
    pub header: Header,
    /// What it is, and which networks are in it.
    pub contents: Contents,
}

impl ModelFile {
    /// What it is, with its article: `a LoRA for sd1`.
    pub fn what(&self) -> String {
        let (what, word) = match self.contents.kind {
            Kind::Checkpoint => ("a checkpoint", "of"),
            Kind::DiffusionModel => ("a diffusion model", "of"),
            Kind::Vae => ("a VAE", "of"),
            Kind::Taesd => ("a TAESD", "of"),
            Kind::TextEncoder => ("a text encoder", "of"),
            Kind::ClipVision => ("a CLIP vision encoder", "of"),
            Kind::ControlNet => ("a ControlNet", "for"),
            Kind::T2iAdapter => ("a T2I-Adapter", "for"),
            Kind::Lora => ("a LoRA", "for"),
            Kind::Embedding => ("an embedding", "for"),
            Kind::Upscaler => ("an upscaler", "of"),
        };
        let families = match (self.contents.family(), &self.contents.lora) {
            (Some(family), _) => vec![family],
            (None, Some(lora)) => lora.families.clone(),
            (None, None) => Vec::new(),
        };
        let families: Vec<String> = families.iter().map(Family::to_string).collect();
        if families.is_empty() { what.to_owned() } else { format!("{what} {word} {}", families.join(" or ")) }
    }
}

/// What a part of a model is for: one for each type of link that carries models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The denoising network.
    Model,
    /// The text encoder, or all of them.
    Clip,
    /// The image autoencoder.
    Vae,
}

impl Part {
    /// The networks that it may consist of, in the order in which they are used.
    fn roles(self) -> &'static [Role] {
        match self {
            Part::Model => &[Role::Unet],
            Part::Clip => &[Role::ClipL, Role::ClipH, Role::ClipG],
            Part::Vae => &[Role::Vae, Role::TaesdEncoder, Role::TaesdDecoder],
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Model => "model",
            Part::Clip => "clip",
            Part::Vae => "vae",
        })
    }
}

/// One network of a file: what is loaded, kept and released by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// The file.
    pub file: Arc<ModelFile>,
    /// Which of its networks.
    pub role: Role,
    /// What changes its weights, in order.
    pub patches: Vec<Patch>,
}

impl Network {
    /// Its tensors and what is known of it.
    ///
    /// # Panics
    /// If the file does not have it; there are no networks without their files.
    pub fn component(&self) -> &Component {
        self.file.contents.component(self.role).expect("a network is one of its file's")
    }

    /// Whether its tables of words, which otherwise stay in the file, are changed: then they are kept in memory.
    pub fn changes_tables(&self) -> bool {
        self.patches.iter().any(|patch| matches!(patch, Patch::Merge { .. }))
    }

    /// What tells it from every other network that may be loaded.
    pub fn key(&self) -> NetworkKey {
        NetworkKey {
            folder: self.file.folder.clone(),
            file: self.file.name.clone(),
            role: self.role,
            patches: self.patches.iter().map(Patch::key).collect(),
        }
    }
}

/// What tells networks apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NetworkKey {
    folder: String,
    file: String,
    role: Role,
    patches: Vec<PatchKey>,
}

/// What a link of type `MODEL`, `CLIP` or `VAE` carries.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// What it is for.
    pub part: Part,
    /// The file that it is from; the first, where there are several.
    pub file: Arc<ModelFile>,
    /// Its networks; none where the file lacks the part.
    pub networks: Vec<Network>,
    /// Of text encoders: whose states are given, 1 the last layer's, 2 those of the one before it, …. None is what the
    /// family was trained with.
    pub layer: Option<usize>,
    /// Of a small autoencoder: the family's scale of latents, which its networks read.
    pub latent_scale: Option<f64>,
}

impl Loaded {
    /// A part of a file.
    pub fn of(part: Part, file: &Arc<ModelFile>) -> Loaded {
        let there = part.roles().iter().filter(|&&role| file.contents.component(role).is_some());
        let networks = there.map(|&role| Network { file: file.clone(), role, patches: Vec::new() }).collect();
        Loaded { part, file: file.clone(), networks, layer: None, latent_scale: None }
    }

    /// Its network of this role.
    pub fn network(&self, role: Role) -> Option<&Network> {
        self.networks.iter().find(|network| network.role == role)
    }
}
