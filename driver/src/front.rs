//! From a source to its AST, with what there is to say on the way.

use std::sync::Arc;

use floe_compiler::Files;
use floe_lang::ast;
use floe_lang::comfy::{self, Format, Limits, program};
use floe_stdlib::Library;
use miette::{Diagnostic, Report};

use crate::compile::Failure;
use crate::source::{Form, Source};

/// A program that was understood.
#[derive(Debug)]
pub(crate) struct Front {
    pub(crate) ast: ast::File,
    pub(crate) format: Option<Format>,
    pub(crate) warnings: Vec<Report>,
}

/// Parses a program, or imports a workflow; spans are of the source's text.
///
/// Names that a damaged statement would have defined are missing: only syntax is worth reporting then.
pub(crate) fn front(source: &Source, options: program::Options) -> Result<Front, Failure> {
    match source.form() {
        Form::Flow => parse(source),
        Form::Json => import(source, options),
    }
}

pub(crate) fn parse(source: &Source) -> Result<Front, Failure> {
    let parsed = floe_lang::parse(source.file());
    match parsed.errors.is_empty() {
        true => Ok(Front { ast: parsed.ast, format: None, warnings: Vec::new() }),
        false => Err(failure(reports(&files(source), parsed.errors), Vec::new())),
    }
}

fn import(source: &Source, options: program::Options) -> Result<Front, Failure> {
    // What was read is within the limit that the user set.
    let limits = Limits { bytes: usize::MAX, ..Limits::default() };
    let read = comfy::read(source.file().text(), &Library, limits);
    let files = files(source);
    let warnings = reports(&files, read.warnings);
    let Some(prompt) = read.prompt.filter(|_| read.errors.is_empty()) else {
        return Err(failure(reports(&files, read.errors), warnings));
    };
    match program::program(&prompt, &Library, options) {
        Ok(ast) => Ok(Front { ast, format: read.format, warnings }),
        Err(cycle) => Err(failure(vec![Report::msg(cycle.to_string())], warnings)),
    }
}

fn files(source: &Source) -> Files {
    Files::new(source.file().clone(), [])
}

/// Why a source is no program.
pub(crate) fn failure(errors: Vec<Report>, warnings: Vec<Report>) -> Failure {
    let count = errors.len();
    Failure { reports: errors.into_iter().chain(warnings).collect(), errors: count, machine: false }
}

/// Messages with the texts that they point into.
pub(crate) fn reports<E: Diagnostic + Send + Sync + 'static>(files: &Files, errors: Vec<E>) -> Vec<Report> {
    if errors.is_empty() {
        return Vec::new();
    }
    // Shared: there may be many messages about a large text.
    let files = Arc::new(files.clone());
    errors.into_iter().map(|error| Report::new(error).with_source_code(files.clone())).collect()
}
