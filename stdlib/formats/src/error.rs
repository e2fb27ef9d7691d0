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
    /// It is no container of tensors at all.
    #[error("this is {what}, not a file of tensors that Floe can read")]
    NotTensors {
        /// What its first bytes look like.
        what: String,
    },
    /// The zip archive around a pickle is broken, or uses what checkpoints do not.
    #[error("the zip archive cannot be read: {reason}")]
    BadArchive {
        /// What is wrong with it.
        reason: String,
    },
    /// The pickle is broken, or beyond its limits.
    #[error("the pickle cannot be read: {reason} (at byte {at})")]
    BadPickle {
        /// Byte in the pickle.
        at: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The pickle does something that tensors do not need: it is not executed.
    #[error("the pickle uses {what}, which no tensor needs: a model file is data, and is not executed")]
    RefusedPickle {
        /// The opcode, or the global name.
        what: String,
    },
    /// A tensor of a pickle does not lie in one piece.
    #[error("tensor `{tensor}` does not lie in one piece: shape {shape:?}, strides {strides:?}")]
    Strided {
        /// Its name.
        tensor: String,
        /// Its shape.
        shape: Vec<usize>,
        /// Elements between neighbours in each dimension.
        strides: Vec<usize>,
    },
    /// A tensor is there, but is not what its name says.
    #[error("tensor `{tensor}` does not fit: {reason}")]
    Misfit {
        /// Its name.
        tensor: String,
        /// Why.
        reason: String,
    },
    /// The tensors are those of a model that is known by name only.
    #[error("this is {what}, which Floe cannot run")]
    Unsupported {
        /// What it is, with its article.
        what: &'static str,
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
