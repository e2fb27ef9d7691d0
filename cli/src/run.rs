use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::available_parallelism;

use bytesize::ByteSize;
use floe_driver::{
    Device, Event, Isa, Machine, Plan, Pool, RunOptions, Source, compile, is_plan, read_plan, run as run_plan,
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::args::RunArgs;
use crate::report::{Exit, drawn, failed, run_failed, say, unreadable, warn};

pub(crate) fn run(args: &RunArgs) -> Result<(), Exit> {
    let mut folders = args.folders.folders(&args.file);
    folders.output.clone_from(&args.output);
    let (plan, source): (Plan, Option<Source>) = if is_plan(&args.file) {
        (read_plan(&args.file).map_err(unreadable)?, None)
    } else {
        let source = args.source.read(&args.file)?;
        let compilation =
            compile(&source, &folders, &args.compile.options(true, Device::Cpu)).map_err(failed)?;
        warn(compilation.warnings);
        drawn(&compilation.compiled.drawn);
        (compilation.compiled.plan, Some(source))
    };
    let threads = args.threads.map_or_else(|| available_parallelism().map_or(1, usize::from), usize::from);
    let pool = Pool::new(threads).map_err(|error| {
        eprintln!("{error}");
        Exit::Machine
    })?;
    let machine = Machine { pool, isa: Isa::detect() };

    let cancelled = Arc::new(AtomicBool::new(false));
    let flag = cancelled.clone();
    // Where no handler can be set the default one ends the process: pictures are still written whole or not at all.
    let _ = ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed));

    let bar = bar();
    let options = RunOptions {
        source: source.as_ref(),
        file: args.file_out.as_deref(),
        progress: &|done, total| {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
            if cancelled.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        },
    };
    let outputs = run_plan(&plan, &machine, &folders, &options, &mut |event| {
        if let Event::Started { entry, .. } = event {
            bar.reset();
            bar.set_length(0);
            bar.set_message(format!("{} ({})", entry.origins.join(", "), entry.kernel));
        }
    });
    bar.finish_and_clear();
    let outputs = outputs.map_err(run_failed)?;
    for file in &outputs.files {
        say(&format!("{}\n", file.display()));
    }
    let summary = outputs.summary;
    eprintln!(
        "{:.2} s, {threads} threads, memory {} planned, {} used",
        summary.total.as_secs_f64(),
        ByteSize(plan.memory.peak),
        ByteSize(summary.peak_bytes),
    );
    Ok(())
}

/// A bar on terminals, nothing elsewhere.
fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let template = "{msg} {wide_bar} {pos}/{len} {per_sec} {eta}";
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
