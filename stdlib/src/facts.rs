//! What the compiler knows of a value before a run: scalars whole, data by their facets.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use floe_lang::comfy::editor::socket_type;
use floe_lang::decl::Type;

use floe_formats::{FormatError, PictureSize};
use thiserror::Error;

use crate::part::{Loaded, ModelFile, Part};

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

/// A size in elements; `None` where it depends on a file that was not looked at, or on what only a run knows.
pub type Size = Option<usize>;

/// What a prompt became.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Conditioning {
    /// Tokens.
    pub tokens: Size,
    /// Channels of a token.
    pub channels: Size,
    /// Channels of the pooled prompt.
    pub pooled: Size,
    /// Numbers beside the prompt, by ComfyUI's names: `width`, `height`, `crop_w`, `crop_h`, `target_width` and
    /// `target_height` in pixels, `aesthetic_score`.
    pub settings: BTreeMap<&'static str, f64>,
    /// The file whose text encoder made it, where that is known.
    pub encoder: Option<Arc<ModelFile>>,
}

/// What is known of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// The value itself.
    Scalar(Scalar),
    /// A part of a model.
    Part(Arc<Loaded>),
    /// A part of a model file that was not looked at.
    Unseen {
        /// The part.
        part: Part,
        /// The folder, such as `checkpoints`.
        folder: Cow<'static, str>,
        /// The file's name in it.
        file: String,
    },
    /// A prompt.
    Conditioning(Conditioning),
    /// Latents `[batch, channels, height, width]`.
    Latent {
        /// How many.
        batch: Size,
        /// Channels.
        channels: Size,
        /// Rows.
        height: Size,
        /// Columns.
        width: Size,
    },
    /// Pictures `[batch, height, width, channels]`.
    Image {
        /// How many.
        batch: Size,
        /// Rows.
        height: Size,
        /// Columns.
        width: Size,
        /// 3 for RGB, 4 with alpha.
        channels: Size,
    },
    /// Masks `[batch, height, width]`.
    Mask {
        /// How many.
        batch: Size,
        /// Rows.
        height: Size,
        /// Columns.
        width: Size,
    },
    /// Several values, as they were given.
    List(Vec<Fact>),
    /// Something of which only the type is known, by ComfyUI's name for it.
    Unknown(Cow<'static, str>),
    /// An optional socket left open.
    Open,
}

/// One tensor of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    /// What it is called in dumps and plans.
    pub name: Cow<'static, str>,
    /// Outermost dimension first. What nothing is known of counts as one dimension of unknown size.
    pub shape: Vec<Size>,
}

impl Fact {
    /// What is known of a value by its type alone.
    pub fn of_type(ty: &Type) -> Fact {
        match socket_type(ty).as_ref() {
            "IMAGE" => Fact::Image { batch: None, height: None, width: None, channels: None },
            "MASK" => Fact::Mask { batch: None, height: None, width: None },
            "LATENT" => Fact::Latent { batch: None, channels: None, height: None, width: None },
            "CONDITIONING" => Fact::Conditioning(Conditioning::default()),
            other => Fact::Unknown(other.to_owned().into()),
        }
    }

    /// The tensors that a value consists of while a plan runs; scalars and model parts have none.
    pub fn tensors(&self) -> Vec<Tensor> {
        let tensor = |name: &'static str, shape: &[Size]| Tensor { name: name.into(), shape: shape.to_vec() };
        match self {
            Fact::Scalar(_) | Fact::Part(..) | Fact::Unseen { .. } | Fact::Open => Vec::new(),
            Fact::Conditioning(Conditioning { tokens, channels, pooled, .. }) => {
                vec![
                    tensor("cond", &[Some(1), *tokens, *channels]),
                    tensor("pooled_output", &[Some(1), *pooled]),
                ]
            }
            Fact::Latent { batch, channels, height, width } => {
                vec![tensor("samples", &[*batch, *channels, *height, *width])]
            }
            Fact::Image { batch, height, width, channels } => {
                vec![tensor("image", &[*batch, *height, *width, *channels])]
            }
            Fact::Mask { batch, height, width } => vec![tensor("mask", &[*batch, *height, *width])],
            Fact::List(items) => items.iter().flat_map(Fact::tensors).collect(),
            Fact::Unknown(name) => vec![Tensor { name: name.clone(), shape: vec![None] }],
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
    /// Nobody looked: the plan is to be made without files.
    #[error("`{name}` in `{folder}` was not looked at")]
    NotAsked {
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
    /// The header of a model file, and what it is. What only the values of a small tensor tell is settled
    /// ([`Contents::measure`](floe_formats::Contents::measure)) by whoever has the file.
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
