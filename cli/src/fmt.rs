use std::path::Path;

use floe_driver::{STDIN, SourceFile, format, replace};

use crate::args::FmtArgs;
use crate::report::{Exit, failed, say, unreadable};

/// Gives programs the one style. A file is written only if that changes it, and never if it has syntax errors.
pub(crate) fn fmt(args: &FmtArgs) -> Result<(), Exit> {
    let mut worst = None;
    for file in &args.files {
        if let Err(exit) = format_file(file, args) {
            // A wrong program weighs more than a machine that lacks a file.
            worst = if worst == Some(Exit::Program) { worst } else { Some(exit) };
        }
    }
    worst.map_or(Ok(()), Err)
}

fn format_file(file: &Path, args: &FmtArgs) -> Result<(), Exit> {
    let source = args.source.read(file)?;
    let text = format(&source).map_err(failed)?;
    if args.check {
        return report_change(source.file(), &text);
    }
    if file == Path::new(STDIN) {
        say(&text);
    } else if text != source.file().text() {
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
