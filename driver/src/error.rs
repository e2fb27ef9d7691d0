use floe_runtime::RunError;
use miette::Diagnostic;
use thiserror::Error;

/// Why a source cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
#[allow(missing_docs, reason = "the fields are the facts that the messages name")]
pub enum DriverError {
    #[error("`{path}` cannot be read: {reason}")]
    #[diagnostic(code(source::unreadable), help("give the path of a `.flow` program or of a plan"))]
    Unreadable { path: String, reason: String },

    #[error("`{path}` has {bytes} bytes; sources of more than {limit} are refused")]
    #[diagnostic(code(source::too_large), help("give the path of a `.flow` program or of a plan"))]
    TooLarge { path: String, bytes: u64, limit: u64 },

    #[error("`{path}` is not text")]
    #[diagnostic(code(source::not_text), help("a program is a text file in UTF-8"))]
    NotText { path: String },

    #[error("`{path}` cannot be written: {reason}")]
    #[diagnostic(code(source::unwritable), help("make the file and its folder writable"))]
    Unwritable { path: String, reason: String },

    #[error("`{path}` is no plan: {reason}")]
    #[diagnostic(code(source::bad_plan), help("make it anew with `floe plan FILE -o {path}`"))]
    BadPlan { path: String, reason: String },
}

/// Codes of the errors of reading sources; each has a page.
pub const CODES: [&str; 5] =
    ["source::unreadable", "source::too_large", "source::not_text", "source::unwritable", "source::bad_plan"];

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
