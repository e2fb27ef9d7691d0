use floe_driver::page;

use crate::args::ExplainArgs;
use crate::report::{Exit, say};

pub(crate) fn explain(args: &ExplainArgs) -> Result<(), Exit> {
    match page(&args.code) {
        Some(text) => {
            say(text);
            Ok(())
        }
        None => {
            eprintln!("there is no error `{}`; codes look like check::unknown_node", args.code);
            Err(Exit::Program)
        }
    }
}
