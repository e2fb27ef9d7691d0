use floe_driver::check as check_source;

use crate::args::CheckArgs;
use crate::report::{Exit, failed, needs, warn};

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
        let folders = args.unseen.apply(args.folders.folders(file));
        let examined = check_source(&source, &folders, &options);
        match examined.verdict {
            Ok(warnings) => warn(warnings),
            // A wrong program weighs more than a machine that lacks a file.
            Err(failure) => {
                let exit = failed(failure);
                worst = if worst == Some(Exit::Program) { worst } else { Some(exit) };
            }
        }
        needs(&examined.packs);
    }
    worst.map_or(Ok(()), Err)
}
