//! Text to plan, with every message ready to be shown.

use floe_compiler::{Compiled, Files, Options};
use floe_lang::{SourceFile, parse};
use miette::{Diagnostic, Report};

use crate::folders::Folders;

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
pub fn compile(source: &SourceFile, folders: &Folders, options: &Options) -> Result<Compilation, Failure> {
    let parsed = parse(source);
    if !parsed.errors.is_empty() {
        return Err(syntax(source, parsed.errors));
    }
    let checked = floe_compiler::compile(&parsed.ast, options, folders);
    let files = Files::new(source.clone(), checked.files);
    let warnings = reports(&files, checked.warnings);
    match checked.value {
        Some(compiled) => Ok(Compilation { compiled, warnings }),
        None => Err(semantic(&files, checked.errors, warnings)),
    }
}

/// Checks a program without planning it.
///
/// # Errors
/// All errors of the program at once.
pub fn check(source: &SourceFile, folders: &Folders, options: &Options) -> Result<Vec<Report>, Failure> {
    let parsed = parse(source);
    if !parsed.errors.is_empty() {
        return Err(syntax(source, parsed.errors));
    }
    let checked = floe_compiler::check(&parsed.ast, options, folders);
    let files = Files::new(source.clone(), checked.files);
    let warnings = reports(&files, checked.warnings);
    match checked.value {
        Some(_) => Ok(warnings),
        None => Err(semantic(&files, checked.errors, warnings)),
    }
}

/// Names that a damaged statement would have defined are missing: only syntax is worth reporting then.
pub(crate) fn syntax(source: &SourceFile, errors: Vec<floe_lang::SyntaxError>) -> Failure {
    let files = Files::new(source.clone(), []);
    Failure { errors: errors.len(), machine: false, reports: reports(&files, errors) }
}

fn semantic(files: &Files, errors: Vec<floe_compiler::CompileError>, warnings: Vec<Report>) -> Failure {
    use floe_compiler::CompileError::{MissingFile, OutOfMemory};
    let machine = errors.iter().all(|error| matches!(error, MissingFile { .. } | OutOfMemory { .. }));
    let count = errors.len();
    let mut all = reports(files, errors);
    all.extend(warnings);
    Failure { reports: all, errors: count, machine }
}

fn reports<E: Diagnostic + Send + Sync + 'static>(files: &Files, errors: Vec<E>) -> Vec<Report> {
    let files = std::sync::Arc::new(files.clone());
    errors.into_iter().map(|error| Report::new(error).with_source_code(files.clone())).collect()
}
