//! Messages on stderr, and what they mean for the exit code.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use floe_driver::{DriverError, Failure, Pack, RunFailure};
use miette::{MietteHandlerOpts, Report};

/// Why the command ends early, by the exit code that it gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The program or plan is wrong.
    Program,
    /// The machine cannot: a missing file, too little memory.
    Machine,
    /// The user asked to stop.
    Cancelled,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Program => 1,
            Exit::Machine => 3,
            Exit::Cancelled => 130,
        })
    }
}

/// Sets up how reports look: 100 columns at most, plain where nobody watches or `NO_COLOR` asks for it.
pub(crate) fn install() {
    let plain = !std::io::stderr().is_terminal() || std::env::var_os("NO_COLOR").is_some();
    let hook = move |_: &_| {
        let mut options = MietteHandlerOpts::new().width(100).context_lines(1).color(!plain);
        if plain {
            options = options.unicode(true).terminal_links(false);
        }
        Box::new(options.build()) as Box<dyn miette::ReportHandler>
    };
    // It fails only where a hook is installed already, which is as good.
    let _ = miette::set_hook(Box::new(hook));
}

/// Writes a result to stdout. A reader that stops listening, as `head` does, is no error.
pub(crate) fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Shows the params that were drawn at random, so that the run can be repeated.
pub(crate) fn drawn(params: &[(String, String)]) {
    for (name, value) in params {
        eprintln!("{name} = {value}");
    }
}

/// Shows warnings.
pub(crate) fn warn(reports: Vec<Report>) {
    for report in reports {
        eprintln!("{report:?}");
    }
}

/// Shows which node packs a program needs, a line for each.
pub(crate) fn needs(packs: &[Pack]) {
    if !packs.is_empty() {
        eprintln!("node packs that this needs, for classes known by their declarations only:");
    }
    for pack in packs {
        eprintln!("  {}: {}", pack.title(), pack.classes.join(", "));
    }
}

/// Shows why a program does not compile.
pub(crate) fn failed(failure: Failure) -> Exit {
    let exit = of_program(&failure);
    let Failure { reports, errors, .. } = failure;
    warn(reports);
    if errors > 1 {
        eprintln!("{errors} errors");
    }
    exit
}

/// The exit of a program that does not compile.
pub(crate) fn of_program(failure: &Failure) -> Exit {
    if failure.machine { Exit::Machine } else { Exit::Program }
}

/// Shows why a file cannot be read or written.
pub(crate) fn unreadable(error: DriverError) -> Exit {
    let exit = of_source(&error);
    eprintln!("{:?}", Report::new(error));
    exit
}

/// The exit of a file that cannot be read or written.
pub(crate) fn of_source(error: &DriverError) -> Exit {
    match error {
        DriverError::Unreadable { .. } | DriverError::Unwritable { .. } => Exit::Machine,
        _ => Exit::Program,
    }
}

/// Shows why a run failed.
pub(crate) fn run_failed(failure: RunFailure) -> Exit {
    let exit = match &failure.0 {
        error if error.code() == "run::cancelled" => Exit::Cancelled,
        error if error.is_machine() => Exit::Machine,
        _ => Exit::Program,
    };
    eprintln!("{:?}", Report::new(failure));
    exit
}
