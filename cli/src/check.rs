use floe_driver::check as check_source;

use crate::args::CheckArgs;
use crate::report::{Exit, failed, warn};

pub(crate) fn check(args: &CheckArgs) -> Result<(), Exit> {
    let options = args.bind.options();
    let mut worst = None;
    for file in &args.files {
        let source = match args.source.read(file) {
            Ok(source) => source,
            Err(exit) => {
                worst = Some(exit);
                continue;
            }
        };
        match check_source(&source, &args.unseen.apply(args.folders.folders(file)), &options) {
            Ok(warnings) => warn(warnings),
            // A wrong program weighs more than a machine that lacks a file.
            Err(failure) => {
                let exit = failed(failure);
                worst = if worst == Some(Exit::Program) { worst } else { Some(exit) };
            }
        }
    }
    worst.map_or(Ok(()), Err)
}
