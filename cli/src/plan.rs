use std::fs;

use floe_driver::compile;

use crate::args::PlanArgs;
use crate::report::{Exit, drawn, failed, say, warn};

pub(crate) fn plan(args: &PlanArgs) -> Result<(), Exit> {
    let source = args.source.read(&args.file)?;
    let folders = args.unseen.apply(args.folders.folders(&args.file));
    let compilation = compile(&source, &folders, &args.options()).map_err(failed)?;
    warn(compilation.warnings);
    let compiled = compilation.compiled;
    drawn(&compiled.drawn);
    if args.explain {
        say(&format!("graph\n{}\n", compiled.graph));
        let mut before = compiled.graph;
        for trace in compiled.trace {
            if trace.graph == before {
                say(&format!("after {}: unchanged\n\n", trace.pass));
            } else {
                say(&format!("after {}: {} rewrites\n{}\n", trace.pass, trace.rewrites, trace.graph));
            }
            before = trace.graph;
        }
        return Ok(());
    }
    let text = compiled.plan.to_ron();
    match &args.output {
        None => say(&text),
        Some(path) => fs::write(path, text).map_err(|error| {
            eprintln!("`{}` cannot be written: {error}", path.display());
            Exit::Machine
        })?,
    }
    Ok(())
}
