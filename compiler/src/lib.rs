//! From AST to a verified execution plan: resolve, check, evaluate, graph, passes, schedule, memory.
//!
//! The compiler does no I/O and knows no device: files are asked for through [`World`], and everything it makes is
//! the same on every machine. A text with errors gives all of them at once.
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used)]

mod bounds;
mod check;
mod emit;
mod error;
mod eval;
mod explain;
pub mod export;
mod facts;
mod files;
pub mod flat;
pub mod graph;
mod inputs;
mod linked;
mod lower;
mod modes;
pub mod passes;
mod types;

use std::collections::BTreeMap;

use floe_lang::{SourceFile, ast};
use floe_plan::{Plan, Target};

pub use error::{CompileError, EvalError, ExportError, InFile, NameError, Warning, codes};
pub use eval::{Binding, Pick};
pub use explain::{PAGES, page};
pub use facts::Works;
pub use files::Files;
pub use floe_stdlib::World;
pub use passes::PassList;

use eval::{Evaluated, Findings, Judge};
use graph::Graph;

/// What a compilation depends on besides its source.
#[derive(Debug, Clone)]
pub struct Options {
    /// Passes to run.
    pub passes: PassList,
    /// The machine to plan for.
    pub target: Target,
    /// Values of params, as text, by name; the others keep their defaults.
    pub params: BTreeMap<String, String>,
    /// Time, chance and the limit of evaluation.
    pub binding: Binding,
    /// Whether it is an error that a plan could not run: else it says which steps could not.
    pub to_run: bool,
}

/// A value with all the errors and warnings found on the way; with errors there is no value.
#[derive(Debug)]
pub struct Checked<T> {
    /// The result.
    pub value: Option<T>,
    /// Every error, in the order of the text.
    pub errors: Vec<CompileError>,
    /// Things that are allowed but probably not meant, in the order of the text.
    pub warnings: Vec<Warning>,
    /// The files besides the program itself that messages may point into: see [`flat::Place`] for how.
    pub files: Vec<SourceFile>,
}

/// What a pass did to a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassTrace {
    /// The pass.
    pub pass: &'static str,
    /// How many rewrites it made.
    pub rewrites: usize,
    /// The graph after it.
    pub graph: String,
}

/// A compiled program.
#[derive(Debug)]
pub struct Compiled {
    /// The plan, verified.
    pub plan: Plan,
    /// The graph as lowered, in text.
    pub graph: String,
    /// What each pass did.
    pub trace: Vec<PassTrace>,
    /// Params that were drawn at random, with their values.
    pub drawn: Vec<(String, String)>,
}

/// Compiles a parsed file into a plan.
///
/// # Panics
/// If a pass or the emission breaks an invariant: a bug of the compiler, never the source's fault.
pub fn compile(ast: &ast::File, options: &Options, world: &dyn World) -> Checked<Compiled> {
    let mut checked = lower_and_check(ast, options, world, options.to_run);
    let Some(Lowered { mut graph, works, params, drawn }) = checked.value.take() else {
        return checked.finish(None);
    };
    let text = graph.to_string();
    let program = blake3::hash(text.as_bytes()).to_hex().to_string();
    let (trace, facts) = passes::run_pipeline(&options.passes, &mut graph, world, works);
    match emit::emit(&graph, facts.of(&graph), params, program, options) {
        Ok(plan) => {
            if let Err(error) = plan.verify() {
                panic!("the compiler made a broken plan: {error}");
            }
            checked.finish(Some(Compiled { plan, graph: text, trace, drawn }))
        }
        Err(error) => {
            checked.errors.push(error);
            checked.finish(None)
        }
    }
}

/// Checks a parsed file as far as can be done without passes and memory. Nodes that cannot run yet are no errors.
pub fn check(ast: &ast::File, options: &Options, world: &dyn World) -> Checked<Graph> {
    let mut checked = lower_and_check(ast, options, world, false);
    let graph = checked.value.take().map(|lowered| lowered.graph);
    checked.finish(graph)
}

/// A checked program as a graph, with the values of its params.
struct Lowered {
    graph: Graph,
    works: facts::Works,
    params: BTreeMap<String, floe_plan::Scalar>,
    drawn: Vec<(String, String)>,
}

fn lower_and_check(ast: &ast::File, options: &Options, world: &dyn World, to_run: bool) -> Checked<Lowered> {
    let mut evaluated = eval::evaluate(ast, options, world, Judge::Types);
    modes::apply(&mut evaluated.flat);
    check::check(&mut evaluated);
    // To a run, they are errors: see `plan::no_kernel`.
    if !to_run {
        check::report_foreign(&mut evaluated);
    }
    let lowered = lower::lower(&evaluated.flat);
    let (works, wrong) = match facts::infer(&lowered.graph, world) {
        Ok(works) => {
            let gaps = if to_run { facts::gaps(&lowered.graph, &works) } else { Vec::new() };
            (Some(works), gaps)
        }
        Err(errors) => (None, errors),
    };
    wrong.into_iter().for_each(|error| evaluated.found.error(error));
    let drawn = evaluated.flat.params.iter().filter(|param| param.drawn);
    let drawn = drawn.map(|param| (param.name.clone(), param.value.to_string())).collect();
    let (graph, params) = (lowered.graph, lowered.params);
    checked(works.map(|works| Lowered { graph, works, params, drawn }), evaluated)
}

/// A value with everything that was found, in the order of the text; with errors there is no value.
fn checked<T>(value: Option<T>, evaluated: Evaluated) -> Checked<T> {
    let Findings { mut errors, mut warnings, .. } = evaluated.found;
    errors.sort_by_key(|error| error.span().map(|span| span.offset()));
    warnings.sort_by_key(|warning| warning.span().map(|span| span.offset()));
    let value = value.filter(|_| errors.is_empty());
    Checked { value, errors, warnings, files: evaluated.files }
}

impl<T> Checked<T> {
    fn finish<U>(self, value: Option<U>) -> Checked<U> {
        Checked { value, errors: self.errors, warnings: self.warnings, files: self.files }
    }
}
