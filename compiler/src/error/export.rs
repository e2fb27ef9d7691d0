//! What cannot be written in ComfyUI's formats.

use miette::{Diagnostic, SourceSpan};
use thiserror::Error;

/// An error of an export.
#[derive(Debug, Clone, PartialEq, Error, Diagnostic)]
#[allow(missing_docs, reason = "the fields are the facts that the messages name")]
pub enum ExportError {
    #[error("`{input}` is given {got}, and ComfyUI has no such value")]
    #[diagnostic(code(export::no_value), help("{help}"))]
    NoValue {
        input: String,
        got: String,
        help: &'static str,
        #[label("this is {got}")]
        span: SourceSpan,
    },

    #[error("`each {node}` goes over a list that is known, which ComfyUI cannot express")]
    #[diagnostic(
        code(export::known_list),
        help("`for` calls the node once for each element, and exports as that many nodes")
    )]
    KnownList {
        node: String,
        #[label("known before any run")]
        span: SourceSpan,
    },
}

/// Codes of these errors, and of the warning of what a file has no place for.
pub(super) const CODES: [&str; 3] = ["export::no_value", "export::known_list", "export::not_in_file"];
