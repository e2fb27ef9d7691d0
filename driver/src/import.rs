//! Workflows of ComfyUI as programs.

use floe_lang::comfy::Format;
use miette::Report;

use crate::compile::Failure;
use crate::front::front;
use crate::packs::{self, Pack};
use crate::source::{Form, Source};

pub use floe_lang::comfy::program::Options as ImportOptions;

/// A workflow as a program.
#[derive(Debug)]
pub struct Imported {
    /// The text of the program, in the one style.
    pub text: String,
    /// In which of ComfyUI's formats the workflow was; none for what was a program before.
    pub format: Option<Format>,
    /// What was odd, ready to be shown.
    pub warnings: Vec<Report>,
    /// The node packs of classes that Floe does not know, each with a declaration in the text.
    pub packs: Vec<Pack>,
}

/// Makes a program of a workflow. What is a program already stays as it is.
///
/// # Errors
/// All errors of the workflow at once.
pub fn import(source: &Source, options: ImportOptions) -> Result<Imported, Failure> {
    let front = front(source, options)?;
    let text = match source.form() {
        Form::Flow => source.file().text().to_owned(),
        Form::Json => floe_lang::format(&front.ast),
    };
    let packs = packs::of_declarations(&front.ast);
    Ok(Imported { text, format: front.format, packs, warnings: front.warnings })
}
