//! From AST to a verified execution plan: resolve, check, evaluate, graph, passes, schedule, memory.
//!
//! The compiler does no I/O and knows no device: files are asked for through [`World`], and everything it makes is
//! the same on every machine. A text with errors gives all of them at once.
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used)]

mod check;
mod emit;
mod error;
mod explain;
mod facts;
pub mod graph;
mod hir;
mod lower;
pub mod passes;

use std::collections::BTreeMap;

use floe_lang::ast;
use floe_plan::{Plan, Target};

pub use error::{CODES, CompileError, Warning};
pub use explain::{PAGES, page};
pub use facts::Works;
pub use floe_stdlib::World;
pub use passes::PassList;

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
}

/// Compiles a parsed file into a plan.
///
/// # Panics
/// If a pass or the emission breaks an invariant: a bug of the compiler, never the source's fault.
pub fn compile(ast: &ast::File, options: &Options, world: &dyn World) -> Checked<Compiled> {
    let mut checked = lower_and_check(ast, options, world);
    let Some((mut graph, params)) = checked.value.take() else {
        return Checked { value: None, errors: checked.errors, warnings: checked.warnings };
    };
    let text = graph.to_string();
    let program = blake3::hash(text.as_bytes()).to_hex().to_string();
    let trace = passes::run_pipeline(&options.passes, &mut graph);
    let works = facts::infer(&graph, world).unwrap_or_else(|errors| {
        panic!("facts hold before the passes and not after them: {errors:?}");
    });
    match emit::emit(&graph, &works, params, program, options) {
        Ok(plan) => {
            if let Err(error) = plan.verify() {
                panic!("the compiler made a broken plan: {error}");
            }
            checked.finish(Some(Compiled { plan, graph: text, trace }))
        }
        Err(error) => {
            checked.errors.push(error);
            checked.finish(None)
        }
    }
}

/// Checks a parsed file as far as can be done without passes and memory.
pub fn check(ast: &ast::File, options: &Options, world: &dyn World) -> Checked<Graph> {
    let mut checked = lower_and_check(ast, options, world);
    let graph = checked.value.take().map(|(graph, _)| graph);
    checked.finish(graph)
}

type Lowered = (Graph, BTreeMap<String, floe_plan::Scalar>);

fn lower_and_check(ast: &ast::File, options: &Options, world: &dyn World) -> Checked<Lowered> {
    let (hir, mut errors, mut warnings) = check::check(ast);
    let lowered = lower::lower(&hir, &options.params, &mut errors);
    let value = match facts::infer(&lowered.graph, world) {
        Ok(_) => Some((lowered.graph, lowered.params)),
        Err(found) => {
            errors.extend(found);
            None
        }
    };
    errors.sort_by_key(|error| error.span().map(|span| span.offset()));
    warnings.sort_by_key(|warning| warning.span().map(|span| span.offset()));
    let value = value.filter(|_| errors.is_empty());
    Checked { value, errors, warnings }
}

impl<T> Checked<T> {
    fn finish<U>(self, value: Option<U>) -> Checked<U> {
        Checked { value, errors: self.errors, warnings: self.warnings }
    }
}
