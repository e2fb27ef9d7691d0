//! Programs and all that is said about them in one text: the source above, the verdict below.

use crate::world::TestWorld;
use crate::{Outcome, check, compile, export, options, options_of};

/// A program and all that is said about it; there is an error.
///
/// # Panics
/// If the program is accepted.
#[track_caller]
pub fn rejected(source: &str) -> String {
    let outcome = compile(source, &options(), &TestWorld::new());
    assert!(outcome.compiled.is_none() && !outcome.errors.is_empty(), "this program is accepted");
    verdict(source, None, &outcome)
}

/// The same under a command with options: `floe check` and `floe export` do what they say, others compile.
///
/// # Panics
/// If the program is accepted.
#[track_caller]
pub fn rejected_by(command: &str, source: &str) -> String {
    let (options, world) = (options_of(command), TestWorld::new());
    let outcome = match command.split_whitespace().nth(1) {
        Some("check") => check(source, &options, &world),
        Some("export") => export(source, &options, &world).1,
        _ => compile(source, &options, &world),
    };
    assert!(outcome.compiled.is_none() && !outcome.errors.is_empty(), "this program is accepted");
    verdict(source, Some(command), &outcome)
}

/// A program that is accepted with warnings.
///
/// # Panics
/// If the program is not accepted, or without any.
#[track_caller]
pub fn warned(source: &str) -> String {
    let outcome = compile(source, &options(), &TestWorld::new());
    assert!(outcome.compiled.is_some() && !outcome.warnings.is_empty(), "{}", outcome.report);
    verdict(source, None, &outcome)
}

/// A program and what was said about it.
pub fn verdict(source: &str, command: Option<&str>, outcome: &Outcome) -> String {
    let command = command.map(|command| format!("---- command\n{command}\n")).unwrap_or_default();
    let (errors, warnings) = (outcome.errors.len(), outcome.warnings.len());
    let counts = format!("errors: {errors}, warnings: {warnings}");
    format!("{command}---- source\n{source}---- {counts}\n{}", outcome.report)
}
