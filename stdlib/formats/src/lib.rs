//! File headers to facts: which tensors a model file holds, which family of models it belongs to, how large a
//! picture is. Reads headers only: no weights, no pixels, and no file by itself; callers hand in bytes.
#![forbid(unsafe_code)]

mod error;
mod family;
mod picture;
mod safetensors;

pub use error::FormatError;
pub use family::{Family, Layout, Part, detect};
pub use picture::{PICTURE_BYTES, PICTURE_SIDE, PictureSize, picture_size};
pub use safetensors::{DType, Header, TensorInfo, header_len};
