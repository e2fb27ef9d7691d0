//! What the compiler knows of a value before a run: scalars whole, data by their facets.

use std::fmt;
use std::sync::Arc;

use floe_formats::{FormatError, Header, Layout, Part, PictureSize};
use thiserror::Error;

/// A value known when a plan is made.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// A whole number of 64 bits, signed or unsigned.
    Int(i128),
    /// A number.
    Float(f64),
    /// Yes or no.
    Bool(bool),
    /// Text.
    String(String),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scalar::Int(value) => write!(f, "{value}"),
            Scalar::Float(value) => write!(f, "{value:?}"),
            Scalar::Bool(value) => write!(f, "{value}"),
            Scalar::String(value) => write!(f, "{value:?}"),
        }
    }
}

/// A model file whose header was read.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelFile {
    /// Its folder, such as `checkpoints`.
    pub folder: String,
    /// Its name in that folder.
    pub name: String,
    /// Its tensors.
    pub header: Header,
    /// What it is.
    pub layout: Layout,
}

/// What a prompt became.
#[derive(Debug, Clone, PartialEq)]
pub struct Conditioning {
    /// Tokens, a multiple of 77.
    pub tokens: usize,
    /// Channels of a token.
    pub channels: usize,
    /// The file whose text encoder made it.
    pub encoder: Arc<ModelFile>,
}

/// What is known of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// The value itself.
    Scalar(Scalar),
    /// A part of a model file.
    Part(Part, Arc<ModelFile>),
    /// A prompt.
    Conditioning(Conditioning),
    /// Latents `[batch, channels, height, width]`.
    Latent {
        /// How many.
        batch: usize,
        /// Channels.
        channels: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// RGB pictures `[batch, height, width, 3]`.
    Image {
        /// How many.
        batch: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// Masks `[batch, height, width]`.
    Mask {
        /// How many.
        batch: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// An optional socket left open.
    Open,
}

/// One tensor of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    /// What it is called in dumps and plans.
    pub name: &'static str,
    /// Outermost dimension first.
    pub shape: Vec<usize>,
}

impl Fact {
    /// The tensors that a value consists of while a plan runs; scalars and model parts have none.
    pub fn tensors(&self) -> Vec<Tensor> {
        let tensor = |name, shape: &[usize]| Tensor { name, shape: shape.to_vec() };
        match *self {
            Fact::Scalar(_) | Fact::Part(..) | Fact::Open => Vec::new(),
            Fact::Conditioning(Conditioning { tokens, channels, .. }) => {
                vec![tensor("cond", &[1, tokens, channels]), tensor("pooled_output", &[1, channels])]
            }
            Fact::Latent { batch, channels, height, width } => {
                vec![tensor("samples", &[batch, channels, height, width])]
            }
            Fact::Image { batch, height, width } => vec![tensor("image", &[batch, height, width, 3])],
            Fact::Mask { batch, height, width } => vec![tensor("mask", &[batch, height, width])],
        }
    }
}

/// Why a file gives no facts.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FileError {
    /// No folder has a file of this name.
    #[error("there is no file `{name}` in `{folder}`")]
    Missing {
        /// The folder, such as `checkpoints`.
        folder: String,
        /// The name asked for.
        name: String,
        /// The names that are there.
        available: Vec<String>,
        /// The places that were looked at, for the reader of the message.
        searched: Vec<String>,
    },
    /// The name leads out of its folder.
    #[error("`{name}` is not a name of a file below `{folder}`")]
    Outside {
        /// The folder.
        folder: String,
        /// The name asked for.
        name: String,
    },
    /// The file is there, but the system does not let it be read.
    #[error("`{name}` cannot be read: {reason}")]
    Unreadable {
        /// Its name.
        name: String,
        /// What the system says.
        reason: String,
    },
    /// The file is not what it should be.
    #[error("`{name}`: {error}")]
    Format {
        /// Its name.
        name: String,
        /// What is wrong with its bytes.
        error: FormatError,
    },
}

/// All that the compiler asks of the world; the driver answers. The compiler itself reads no file. Within one
/// compilation the same question has the same answer.
pub trait World {
    /// The header of a model file.
    ///
    /// # Errors
    /// If the file is missing, unreadable or no model.
    fn model(&self, folder: &str, name: &str) -> Result<Arc<ModelFile>, FileError>;

    /// The size of a picture in the `input` folder.
    ///
    /// # Errors
    /// If the file is missing, unreadable or no picture.
    fn picture(&self, name: &str) -> Result<PictureSize, FileError>;

    /// The text of a file that a program uses. `path` is relative to the folder of the program and does not leave it; `/`
    /// stands between its parts. A world without such a folder has no files.
    ///
    /// # Errors
    /// If the file is missing, unreadable or no text.
    fn source(&self, path: &str) -> Result<String, FileError> {
        Err(FileError::Missing {
            folder: ".".to_owned(),
            name: path.to_owned(),
            available: Vec::new(),
            searched: Vec::new(),
        })
    }
}
