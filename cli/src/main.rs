//! The `floe` command: parses arguments, dispatches, renders errors.
#![forbid(unsafe_code)]

mod args;
mod bench;
mod check;
mod explain;
mod export;
mod fmt;
mod import;
mod messages;
mod models;
mod nodes;
mod plan;
mod report;
mod run;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};

/// Programs of many thousand nodes are many small pieces of memory: the allocator of the system takes up to twice as long.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    report::install();
    let done = match args.command {
        Command::Bench(args) => bench::bench(&args),
        Command::Check(args) => check::check(&args),
        Command::Explain(args) => explain::explain(&args),
        Command::Export(args) => export::export(&args),
        Command::Fmt(args) => fmt::fmt(&args),
        Command::Import(args) => import::import(&args),
        Command::Models(args) => models::models(&args),
        Command::Nodes(args) => nodes::nodes(&args),
        Command::Plan(args) => plan::plan(&args),
        Command::Run(args) => run::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(exit) => exit.into(),
    }
}
