//! File headers to facts: which tensors a model file holds, which networks they are, which family of models it belongs
//! to, how large a picture is. Reads headers only: no weights, no pixels, and no file by itself; callers hand in bytes,
//! or something to read from. A model file is data: nothing in it is ever executed.
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used)]

mod contents;
mod dtype;
mod error;
mod family;
mod header;
mod keys;
mod patch;
mod pickle;
mod picture;
mod read;
mod safetensors;
mod values;
mod zip;

pub use contents::{
    AdapterFacts, Component, Contents, ControlFacts, Heads, Kind, Naming, Network, Prediction, Role,
    TextFacts, UnetFacts, UpscalerFacts, VaeFacts, VisionFacts, Words,
};
pub use dtype::DType;
pub use error::FormatError;
pub use family::Family;
pub use header::{Header, TensorInfo};
pub use keys::{KeyMap, Source};
pub use patch::{Lora, Method, Module, Piece, Target, Targets};
pub use picture::{PICTURE_BYTES, PICTURE_SIDE, PictureSize, picture_size};
pub use read::ReadError;
pub use safetensors::header_len;
pub use values::element;
