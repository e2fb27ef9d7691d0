use std::fs;

use floe_driver::{export_api, export_ui};

use crate::args::{ExportArgs, ExportFormat};
use crate::report::{Exit, failed, say, warn};

/// Writes a program as a workflow of ComfyUI.
pub(crate) fn export(args: &ExportArgs) -> Result<(), Exit> {
    let source = args.source.read(&args.file)?;
    let folders = args.folders.folders(&args.file);
    let options = args.bind.options();
    let exported = match args.format {
        ExportFormat::Api => export_api(&source, &folders, &options),
        ExportFormat::Ui => export_ui(&source, &folders, &options),
    };
    let exported = exported.map_err(failed)?;
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
