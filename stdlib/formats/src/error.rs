use thiserror::Error;

/// What can be wrong with the bytes of a file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FormatError {
    /// The file ends before its header does.
    #[error("the file ends after {found} bytes, but its header needs {needed}")]
    TruncatedHeader {
        /// Bytes that the header needs.
        needed: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// The header announces an absurd length: not a safetensors file.
    #[error("this is not a safetensors file: it does not start with the length of a header")]
    NotSafetensors,
    /// The header is there but cannot be read.
    #[error("the safetensors header cannot be read: {reason}")]
    BadHeader {
        /// What the reader of the header says.
        reason: String,
    },
    /// The header is whole, the tensors behind it are not: a download that stopped.
    #[error("the file holds {found} bytes, but its tensors need {needed}: it is truncated")]
    Truncated {
        /// Bytes that header and tensors need together.
        needed: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// A tensor has a number type that Floe cannot read.
    #[error("tensor `{tensor}` is stored as {dtype}, which Floe cannot read")]
    UnknownDType {
        /// Its name.
        tensor: String,
        /// The type as the file spells it.
        dtype: String,
    },
    /// The tensors are not those of any model that Floe knows.
    #[error("no model family is known that has these {tensors} tensors (the first is `{first}`)")]
    UnknownFamily {
        /// How many tensors there are.
        tensors: usize,
        /// The name of the first one.
        first: String,
    },
    /// The picture is larger than any that is decoded.
    #[error(
        "the picture has {width}x{height} pixels; more than {} a side, or 1 GiB in all, are not decoded",
        crate::PICTURE_SIDE
    )]
    LargePicture {
        /// Pixels from left to right.
        width: usize,
        /// Pixels from top to bottom.
        height: usize,
    },
    /// The picture's header cannot be read.
    #[error("this is not a picture that Floe can read: {reason}")]
    BadPicture {
        /// What the decoder says.
        reason: String,
    },
}
