//! Programs and plans as files: `.flow` text, ComfyUI's JSON, and pictures that carry either.

mod bytes;
mod sniff;

use std::collections::BTreeMap;
use std::path::Path;

use floe_lang::SourceFile;
use floe_plan::Plan;

use crate::error::DriverError;
pub use bytes::DEFAULT_LIMIT;
pub(crate) use bytes::name as shown_name;

/// The path that stands for standard input.
pub const STDIN: &str = "-";

/// A program as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    file: SourceFile,
    form: Form,
    params: BTreeMap<String, String>,
    picture: Option<String>,
}

/// How a program is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As a `.flow` file.
    Flow,
    /// As JSON of ComfyUI.
    Json,
}

impl Source {
    /// A program in the language.
    pub fn flow(name: impl Into<String>, text: impl Into<String>) -> Source {
        Source::new(name, text, Form::Flow)
    }

    /// A workflow of ComfyUI.
    pub fn json(name: impl Into<String>, text: impl Into<String>) -> Source {
        Source::new(name, text, Form::Json)
    }

    fn new(name: impl Into<String>, text: impl Into<String>, form: Form) -> Source {
        Source { file: SourceFile::new(name, text), form, params: BTreeMap::new(), picture: None }
    }

    /// A program from the bytes of a file: a picture by its signature, JSON by its first character, else what the
    /// extension says.
    ///
    /// # Errors
    /// For pictures without a workflow, and bytes that are no text. `limit` is the size that a picture's text may have.
    pub fn of_bytes(name: &str, bytes: Vec<u8>, limit: u64) -> Result<Source, DriverError> {
        sniff::source(name, bytes, limit)
    }

    /// The text that messages point into, with its name.
    pub fn file(&self) -> &SourceFile {
        &self.file
    }

    /// How the program is written.
    pub fn form(&self) -> Form {
        self.form
    }

    /// The picture that carries the program, if one does.
    pub fn picture(&self) -> Option<&str> {
        self.picture.as_deref()
    }

    /// Values of params that the program came with, as `--set` would give them: a picture knows those that it was
    /// made with.
    pub fn params(&self) -> &BTreeMap<String, String> {
        &self.params
    }
}

/// Whether a path names a plan rather than a program.
pub fn is_plan(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "ron")
}

/// Reads a program of any form, `-` for standard input.
///
/// # Errors
/// If the file cannot be read, is larger than `limit` bytes, is a picture without a workflow, or no text.
pub fn read_source(path: &Path, limit: u64) -> Result<Source, DriverError> {
    Source::of_bytes(&shown_name(path), bytes::read_given(path, limit)?, limit)
}

/// Reads a text that a program uses.
///
/// # Errors
/// If the file cannot be read, is larger than 64 MiB, or no text.
pub(crate) fn read_text(path: &Path) -> Result<String, DriverError> {
    String::from_utf8(bytes::read(path, DEFAULT_LIMIT)?)
        .map_err(|_| DriverError::NotText { path: shown_name(path) })
}

/// Reads a table that a command is given, `-` for standard input.
///
/// # Errors
/// If the file cannot be read, is larger than `limit` bytes, or no text.
pub(crate) fn read_table(path: &Path, limit: u64) -> Result<String, DriverError> {
    String::from_utf8(bytes::read_given(path, limit)?)
        .map_err(|_| DriverError::NotText { path: shown_name(path) })
}

/// Reads a plan.
///
/// # Errors
/// If the file cannot be read or holds no plan; the plan may still be broken.
pub fn read_plan(path: &Path) -> Result<Plan, DriverError> {
    let bad = |error: &dyn std::fmt::Display| DriverError::BadPlan {
        path: shown_name(path),
        reason: error.to_string(),
    };
    Plan::from_ron(&read_text(path)?).map_err(|error| bad(&error))
}
