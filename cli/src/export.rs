use std::fs;

use floe_driver::{export_api, read_source};

use crate::args::{ExportArgs, ExportFormat};
use crate::report::{Exit, failed, say, unreadable, warn};

/// Writes a program as a workflow of ComfyUI.
pub(crate) fn export(args: &ExportArgs) -> Result<(), Exit> {
    let source = read_source(&args.file).map_err(unreadable)?;
    let folders = args.folders.folders(&args.file);
    let options = args.bind.options();
    let exported = match args.format {
        ExportFormat::Api => export_api(&source, &folders, &options).map_err(failed)?,
    };
    warn(exported.warnings);
    match &args.output {
        None => say(&exported.text),
        Some(path) => fs::write(path, exported.text).map_err(|error| {
            eprintln!("`{}` cannot be written: {error}", path.display());
            Exit::Machine
        })?,
    }
    Ok(())
}
