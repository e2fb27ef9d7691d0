//! What nodes mean to the compiler, beside their declarations: one file per category, one function per class.

mod conditioning;
mod image;
mod latent;
mod loaders;
mod sampling;

use std::collections::BTreeMap;
use std::sync::Arc;

use floe_formats::Part;
use floe_nets::{BuildError, ProgramSpec};
use thiserror::Error;

use crate::facts::{Fact, FileError, ModelFile, Scalar, World};

/// What a node does besides computing its outputs from its inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purity {
    /// Nothing: the same inputs give the same outputs.
    Pure,
    /// Draws noise from a seed among its inputs: the same inputs give the same outputs.
    Seeded,
    /// Reads files, which do not change during a run.
    ReadsFiles,
    /// Writes files: each call counts.
    WritesFiles,
}

/// How a node opens a model file.
#[derive(Debug, PartialEq, Eq)]
pub struct Loader {
    /// The input that names the file.
    pub file: &'static str,
    /// The folder of models.
    pub folder: &'static str,
    /// The part that each output slot gives.
    pub parts: &'static [Part],
}

/// What the compiler knows of a node class.
#[derive(Debug)]
pub struct Semantics {
    /// Its class.
    pub name: &'static str,
    /// Its effects.
    pub purity: Purity,
    /// Set for nodes that open model files.
    pub loader: Option<Loader>,
    /// Whether it runs one network on several inputs that may share a batch.
    pub batchable: bool,
    /// Outputs, programs and working memory of a call.
    pub infer: fn(&Call<'_>) -> Result<Work, SemanticError>,
}

/// A call whose inputs are known as far as they can be.
pub struct Call<'a> {
    /// What is known of each input, by name.
    pub inputs: BTreeMap<&'static str, &'a Fact>,
    /// Whether executions of one network share a batch.
    pub batched: bool,
    /// Where files are asked for.
    pub world: &'a dyn World,
}

/// A tensor program that a step runs.
#[derive(Debug, Clone, PartialEq)]
pub struct ProgramUse {
    /// Which network at which sizes.
    pub spec: ProgramSpec,
    /// The file of its weights.
    pub file: Arc<ModelFile>,
    /// How often it is executed.
    pub executions: u64,
}

/// Working memory of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scratch {
    /// What it is for.
    pub name: &'static str,
    /// Outermost dimension first.
    pub shape: Vec<usize>,
}

/// What a call comes to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Work {
    /// Outputs by slot.
    pub outputs: Vec<Fact>,
    /// Working memory, in the order in which the kernel takes it.
    pub scratch: Vec<Scratch>,
    /// Tensor programs, in the order in which the kernel takes them.
    pub programs: Vec<ProgramUse>,
}

/// Why a call cannot be planned; `input` is the one to look at.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum SemanticError {
    /// A file that an input names gives no facts.
    #[error("{error}")]
    File {
        /// The input.
        input: &'static str,
        /// Why.
        error: FileError,
    },
    /// Two inputs do not fit one another.
    #[error("{reason}")]
    Facet {
        /// The input.
        input: &'static str,
        /// Which two facts differ.
        reason: String,
        /// What to do.
        help: String,
    },
    /// The network cannot be built from the file.
    #[error("{error}")]
    Network {
        /// The input.
        input: &'static str,
        /// The file.
        file: String,
        /// Why.
        error: BuildError,
    },
    /// A part is used that is not in its file.
    #[error("`{file}` holds no {part}")]
    NoPart {
        /// The input.
        input: &'static str,
        /// The file.
        file: String,
        /// The part.
        part: Part,
    },
    /// Declared, but not something that Floe can run yet.
    #[error("{what} cannot run yet")]
    NoKernel {
        /// The input.
        input: &'static str,
        /// What is missing.
        what: String,
        /// What there is instead.
        instead: String,
    },
    /// The prompt cannot be read.
    #[error("{reason}")]
    Prompt {
        /// The input.
        input: &'static str,
        /// Why.
        reason: String,
    },
}

impl SemanticError {
    /// The input to look at.
    pub fn input(&self) -> &'static str {
        match self {
            SemanticError::File { input, .. }
            | SemanticError::Facet { input, .. }
            | SemanticError::Network { input, .. }
            | SemanticError::NoPart { input, .. }
            | SemanticError::NoKernel { input, .. }
            | SemanticError::Prompt { input, .. } => input,
        }
    }
}

/// The semantics of a class; `None` for one that is declared only.
pub fn semantics(name: &str) -> Option<&'static Semantics> {
    ALL.iter().find(|semantics| semantics.name == name)
}

/// Every class that can be planned.
static ALL: [Semantics; 11] = [
    loaders::CHECKPOINT_LOADER_SIMPLE,
    loaders::LOAD_IMAGE,
    conditioning::CLIP_TEXT_ENCODE,
    latent::EMPTY_LATENT_IMAGE,
    latent::VAE_DECODE,
    latent::VAE_ENCODE,
    sampling::KSAMPLER,
    sampling::KSAMPLER_ADVANCED,
    image::SAVE_IMAGE,
    image::IMAGE_INVERT,
    image::IMAGE_SCALE,
];

/// Inputs of a checked call have their declared types; these take them apart.
///
/// # Panics
/// If the check let something else through: a bug.
impl<'a> Call<'a> {
    fn fact(&self, input: &str) -> &'a Fact {
        self.inputs.get(input).unwrap_or_else(|| panic!("a checked call has its input `{input}`"))
    }

    fn int(&self, input: &str) -> usize {
        match self.fact(input) {
            Fact::Scalar(Scalar::Int(value)) => usize::try_from(*value).unwrap_or(0),
            other => panic!("`{input}` is an Int, not {other:?}"),
        }
    }

    fn float(&self, input: &str) -> f64 {
        match self.fact(input) {
            Fact::Scalar(Scalar::Float(value)) => *value,
            other => panic!("`{input}` is a Float, not {other:?}"),
        }
    }

    fn string(&self, input: &str) -> &'a str {
        match self.fact(input) {
            Fact::Scalar(Scalar::String(value)) => value,
            other => panic!("`{input}` is a String, not {other:?}"),
        }
    }

    fn part(&self, input: &str) -> &'a Arc<ModelFile> {
        match self.fact(input) {
            Fact::Part(_, file) => file,
            other => panic!("`{input}` is a part of a model, not {other:?}"),
        }
    }

    /// A part that must be in its file, and of a family whose networks can be run.
    fn network(&self, input: &'static str, part: Part) -> Result<&'a Arc<ModelFile>, SemanticError> {
        let file = self.part(input);
        if file.layout.prefix(part).is_none() {
            return Err(SemanticError::NoPart { input, file: file.name.clone(), part });
        }
        runnable(input, file)?;
        Ok(file)
    }
}

/// Whether the networks of a file can be run: asked where it is opened, so that it is said once.
fn runnable(input: &'static str, file: &ModelFile) -> Result<(), SemanticError> {
    match file.layout.family {
        floe_formats::Family::Sd1 => Ok(()),
        other => {
            let error = BuildError::Family(other.to_string());
            Err(SemanticError::Network { input, file: file.name.clone(), error })
        }
    }
}

/// A dimension of a tensor of a part, by its key below the part's prefix.
fn dim(
    input: &'static str,
    file: &ModelFile,
    part: Part,
    key: &str,
    dimension: usize,
) -> Result<usize, SemanticError> {
    let prefix = file.layout.prefix(part).unwrap_or_default();
    let weights = floe_nets::Weights { header: &file.header, prefix };
    weights.dim(key, dimension).map_err(|error| SemanticError::Network {
        input,
        file: file.name.clone(),
        error,
    })
}
