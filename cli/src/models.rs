use std::path::Path;

use floe_driver::{InspectError, inspect_model, list_models};

use crate::args::{InspectArgs, ModelsArgs, ModelsCommand};
use crate::report::{Exit, say};

/// Lists the files in the folders of models, or shows what is in one.
pub(crate) fn models(args: &ModelsArgs) -> Result<(), Exit> {
    if let Some(ModelsCommand::Inspect(args)) = &args.command {
        return inspect(args);
    }
    let listing = list_models(&args.folders.folders(Path::new("")));
    if listing.is_empty() {
        eprintln!("there are no models in `models` here; `--models DIR` names another folder");
        return Err(Exit::Machine);
    }
    say(&listing);
    Ok(())
}

fn inspect(args: &InspectArgs) -> Result<(), Exit> {
    let path = args.folders.folders(Path::new("")).model_named(&args.file);
    let text = inspect_model(&path, args.tensors).map_err(|error| {
        eprintln!("{error}");
        match error {
            InspectError::Unreadable { .. } => Exit::Machine,
            InspectError::Format { .. } => Exit::Program,
        }
    })?;
    say(&text);
    Ok(())
}
