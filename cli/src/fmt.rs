use std::path::Path;

use floe_driver::{SourceFile, format, read_source, read_stdin, replace};

use crate::args::FmtArgs;
use crate::report::{Exit, failed, say, unreadable};

/// Gives programs the one style. A file is written only if that changes it, and never if it has syntax errors.
pub(crate) fn fmt(args: &FmtArgs) -> Result<(), Exit> {
    let mut worst = None;
    for file in &args.files {
        if let Err(exit) = format_file(file, args.check) {
            // A wrong program weighs more than a machine that lacks a file.
            worst = if worst == Some(Exit::Program) { worst } else { Some(exit) };
        }
    }
    worst.map_or(Ok(()), Err)
}

fn format_file(file: &Path, check: bool) -> Result<(), Exit> {
    let piped = file == Path::new("-");
    let source = if piped { read_stdin() } else { read_source(file) }.map_err(unreadable)?;
    let text = format(&source).map_err(failed)?;
    if check {
        return report_change(&source, &text);
    }
    if piped {
        say(&text);
    } else if text != source.text() {
        replace(file, &text).map_err(unreadable)?;
    }
    Ok(())
}

fn report_change(source: &SourceFile, text: &str) -> Result<(), Exit> {
    if text == source.text() {
        return Ok(());
    }
    say(&format!("{}\n", source.name()));
    Err(Exit::Program)
}
