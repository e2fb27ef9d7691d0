use floe_lang::comfy::picture::PictureError;
use floe_runtime::RunError;
use miette::Diagnostic;
use thiserror::Error;

/// Why a source cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
#[allow(missing_docs, reason = "the fields are the facts that the messages name")]
pub enum DriverError {
    #[error("`{path}` cannot be read: {reason}")]
    #[diagnostic(
        code(source::unreadable),
        help("give the path of a program, a workflow, a picture or a plan; `-` reads standard input")
    )]
    Unreadable { path: String, reason: String },

    #[error("`{path}` has {bytes} bytes; sources of more than {limit} are refused")]
    #[diagnostic(
        code(source::too_large),
        help("programs and workflows are small; if this is one, allow more with `--max-size`")
    )]
    TooLarge { path: String, bytes: u64, limit: u64 },

    #[error("`{path}` is not text")]
    #[diagnostic(
        code(source::not_text),
        help("a program is text in UTF-8, a workflow JSON or a PNG, WebP or JPEG that carries it")
    )]
    NotText { path: String },

    #[error("`{path}` cannot be written: {reason}")]
    #[diagnostic(code(source::unwritable), help("make the file and its folder writable"))]
    Unwritable { path: String, reason: String },

    #[error("`{path}` is there already and would be lost")]
    #[diagnostic(code(source::exists), help("give another path, or `--force` to replace it"))]
    Exists { path: String },

    #[error("`{path}` is no `.flow` file but {found}")]
    #[diagnostic(
        code(source::not_flow),
        help(
            "only the text of programs has a style; make a program of it with `floe import {path} -o OUT.flow`"
        )
    )]
    NotFlow { path: String, found: &'static str },

    #[error("`{path}` is no plan: {reason}")]
    #[diagnostic(code(source::bad_plan), help("make it anew with `floe plan FILE -o {path}`"))]
    BadPlan { path: String, reason: String },

    #[error("`{path}`, line {line}, column {column}: {reason}")]
    #[diagnostic(
        code(source::bad_buffers),
        help(
            "a list of buffers is CSV: a first line `id,lower,upper,size`, then a buffer on each line; it lives from \
             step `lower` until before step `upper`, and has `size` bytes"
        )
    )]
    BadBuffers { path: String, line: u64, column: String, reason: String },

    #[error("the buffers of `{path}` need more bytes than 64 bits count")]
    #[diagnostic(code(source::endless_buffers), help("look for sizes that are wrong; sizes are in bytes"))]
    EndlessBuffers { path: String },

    #[error(transparent)]
    #[diagnostic(transparent)]
    Picture(BadPicture),
}

/// A picture that gives no workflow.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{path}`: {error}")]
pub struct BadPicture {
    /// The picture.
    pub path: String,
    /// Why.
    pub error: PictureError,
}

impl Diagnostic for BadPicture {
    fn code<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.error.code()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.error.help()
    }
}

/// Codes of the errors of reading sources; each has a page.
pub const CODES: [&str; 9] = [
    "source::unreadable",
    "source::too_large",
    "source::not_text",
    "source::unwritable",
    "source::exists",
    "source::not_flow",
    "source::bad_plan",
    "source::bad_buffers",
    "source::endless_buffers",
];

/// A failed run as a diagnostic.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct RunFailure(pub RunError);

impl Diagnostic for RunFailure {
    fn code<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        Some(Box::new(self.0.code()))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        Some(Box::new(self.0.help()))
    }
}
