use floe_driver::{ImportOptions, create, import as import_source, replace};

use crate::args::ImportArgs;
use crate::report::{Exit, failed, say, unreadable, warn};

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
    if let Some(text) = unknown(&imported.unknown) {
        eprintln!("{text}");
    }
    Ok(())
}

/// What to say of classes that Floe does not know.
fn unknown(classes: &[String]) -> Option<String> {
    let names = classes.iter().map(|class| format!("`{class}`")).collect::<Vec<_>>().join(", ");
    match classes.len() {
        0 => None,
        1 => Some(format!("{names} is not known here: its declaration says what the workflow shows of it")),
        _ => Some(format!(
            "{names} are not known here: their declarations say what the workflow shows of them"
        )),
    }
}
