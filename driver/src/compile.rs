//! Text to plan, with every message ready to be shown.

use floe_compiler::{Checked, Compiled, Files, Options};
use miette::Report;

use crate::folders::Folders;
use crate::front::{front, reports};
use crate::import::ImportOptions;
use crate::packs::{self, Pack};
use crate::source::Source;

/// A compiled program and what there was to say about it.
#[derive(Debug)]
pub struct Compilation {
    /// The program.
    pub compiled: Compiled,
    /// Warnings, ready to be shown.
    pub warnings: Vec<Report>,
}

/// A program that does not compile.
#[derive(Debug)]
pub struct Failure {
    /// Errors, then warnings, ready to be shown.
    pub reports: Vec<Report>,
    /// How many of them are errors.
    pub errors: usize,
    /// Whether only the machine is the reason: missing files, too little memory.
    pub machine: bool,
}

/// Compiles a program.
///
/// # Errors
/// All errors of the program at once.
pub fn compile(source: &Source, folders: &Folders, options: &Options) -> Result<Compilation, Failure> {
    let front = front(source, ImportOptions::default())?;
    let checked = floe_compiler::compile(&front.ast, &with_params(source, options), folders);
    let (compiled, warnings) = judged(source, front.warnings, checked)?;
    Ok(Compilation { compiled, warnings })
}

/// What a check found.
#[derive(Debug)]
pub struct Examined {
    /// Warnings, ready to be shown; or all errors of the program at once.
    pub verdict: Result<Vec<Report>, Failure>,
    /// The node packs whose classes the program uses without the library knowing them.
    pub packs: Vec<Pack>,
}

/// Checks a program without planning it.
pub fn check(source: &Source, folders: &Folders, options: &Options) -> Examined {
    let front = match front(source, ImportOptions::default()) {
        Ok(front) => front,
        Err(failure) => return Examined { verdict: Err(failure), packs: Vec::new() },
    };
    let checked = floe_compiler::check(&front.ast, &with_params(source, options), folders);
    let packs = packs::of_warnings(&checked.warnings);
    Examined { verdict: judged(source, front.warnings, checked).map(|(_, warnings)| warnings), packs }
}

/// A program in another format.
#[derive(Debug)]
pub struct Exported {
    /// The text.
    pub text: String,
    /// Warnings, ready to be shown.
    pub warnings: Vec<Report>,
}

/// Evaluates a program and writes it in the format of ComfyUI's server.
///
/// # Errors
/// All errors of the program that keep it from being evaluated or written.
pub fn export_api(source: &Source, folders: &Folders, options: &Options) -> Result<Exported, Failure> {
    let front = front(source, ImportOptions::default())?;
    let checked = floe_compiler::export::export_api(&front.ast, &with_params(source, options), folders);
    let (text, warnings) = judged(source, front.warnings, checked)?;
    Ok(Exported { text, warnings })
}

/// Evaluates a program and writes it as a file that ComfyUI's editor opens.
///
/// # Errors
/// All errors of the program that keep it from being evaluated or written.
pub fn export_ui(source: &Source, folders: &Folders, options: &Options) -> Result<Exported, Failure> {
    let front = front(source, ImportOptions::default())?;
    let checked = floe_compiler::export::export_ui(&front.ast, &with_params(source, options), folders);
    let (text, warnings) = judged(source, front.warnings, checked)?;
    Ok(Exported { text, warnings })
}

/// Options with the params that the program came with, where the options say nothing else.
fn with_params(source: &Source, options: &Options) -> Options {
    let mut options = options.clone();
    for (name, value) in source.params() {
        options.params.entry(name.clone()).or_insert_with(|| value.clone());
    }
    options
}

/// What the compiler made, with all warnings; or all errors.
fn judged<T>(
    source: &Source,
    mut warnings: Vec<Report>,
    checked: Checked<T>,
) -> Result<(T, Vec<Report>), Failure> {
    use floe_compiler::CompileError::{MissingFile, OutOfMemory};
    let files = Files::new(source.file().clone(), checked.files);
    warnings.extend(reports(&files, checked.warnings));
    if let Some(value) = checked.value {
        return Ok((value, warnings));
    }
    let machine = checked.errors.iter().all(|error| matches!(error, MissingFile { .. } | OutOfMemory { .. }));
    let errors = checked.errors.len();
    let mut all = reports(&files, checked.errors);
    all.extend(warnings);
    Err(Failure { reports: all, errors, machine })
}
