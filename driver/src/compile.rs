//! Text to plan, with every message ready to be shown.

use floe_compiler::{Compiled, Options};
use floe_lang::SourceFile;
use miette::Report;

use crate::folders::Folders;
use crate::front::{front, reports};
use crate::import::ImportOptions;
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
    let mut warnings = front.warnings;
    let checked = floe_compiler::compile(&front.ast, &with_params(source, options), folders);
    warnings.extend(reports(source.file(), checked.warnings));
    match checked.value {
        Some(compiled) => Ok(Compilation { compiled, warnings }),
        None => Err(semantic(source.file(), checked.errors, warnings)),
    }
}

/// Checks a program without planning it.
///
/// # Errors
/// All errors of the program at once.
pub fn check(source: &Source, folders: &Folders, options: &Options) -> Result<Vec<Report>, Failure> {
    let front = front(source, ImportOptions::default())?;
    let mut warnings = front.warnings;
    let checked = floe_compiler::check(&front.ast, &with_params(source, options), folders);
    warnings.extend(reports(source.file(), checked.warnings));
    match checked.value {
        Some(_) => Ok(warnings),
        None => Err(semantic(source.file(), checked.errors, warnings)),
    }
}

/// Options with the params that the program came with, where the options say nothing else.
fn with_params(source: &Source, options: &Options) -> Options {
    let mut options = options.clone();
    for (name, value) in source.params() {
        options.params.entry(name.clone()).or_insert_with(|| value.clone());
    }
    options
}

fn semantic(source: &SourceFile, errors: Vec<floe_compiler::CompileError>, warnings: Vec<Report>) -> Failure {
    use floe_compiler::CompileError::{MissingFile, OutOfMemory};
    let machine = errors.iter().all(|error| matches!(error, MissingFile { .. } | OutOfMemory { .. }));
    let count = errors.len();
    let mut all = reports(source, errors);
    all.extend(warnings);
    Failure { reports: all, errors: count, machine }
}
