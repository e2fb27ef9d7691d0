use floe_driver::{ImportOptions, create, import as import_source, replace};

use crate::args::ImportArgs;
use crate::report::{Exit, failed, needs, say, unreadable, warn};

/// Makes a program of a workflow.
pub(crate) fn import(args: &ImportArgs) -> Result<(), Exit> {
    let source = args.source.read(&args.file)?;
    let options = ImportOptions { ids: args.ids, layout: args.layout, params: args.params };
    let imported = import_source(&source, options).map_err(failed)?;
    warn(imported.warnings);
    match &args.output {
        None => say(&imported.text),
        Some(path) if args.force && path.exists() => replace(path, &imported.text).map_err(unreadable)?,
        Some(path) => create(path, &imported.text).map_err(unreadable)?,
    }
    needs(&imported.packs);
    Ok(())
}
