//! AST to flat program: names are resolved, params bound, flows expanded, loops and known conditions evaluated.
//!
//! What is evaluated is a program's own text from top to bottom. All errors are reported, the first cause of each only:
//! what is wrong is poison, and poison is never reported again. Besides, what no evaluation comes to is looked at for its
//! errors: flows that nobody calls, and branches that are not taken. There values are known by their types only, and calls
//! become *shadows*, which are checked but are no part of the program.
//!
//! Everything is counted: evaluation ends after so many steps, whatever the program says.

mod annotations;
mod args;
mod block;
mod calls;
mod expr;
mod findings;
mod flows;
mod functions;
mod hint;
mod modules;
mod moment;
mod ops;
mod params;
mod scope;
mod sources;
mod statements;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use floe_lang::{SourceFile, Span, ast};
use floe_stdlib::World;

use crate::Options;
use crate::error::{CompileError, EvalError};
use crate::flat::{CallId, Flat, InstanceId, Place, Value};

use modules::Module;
use moment::Chance;
use scope::{Flow, Frame};
use sources::Sources;

pub(crate) use findings::Findings;
pub use moment::{Binding, Pick};
pub(crate) use params::coerce;

/// How deep calls of flows and expressions may nest in all. Far beyond real programs, and a stack holds it.
const DEPTH: u32 = 400;

/// How many parts a value may have: a text of 32 MB, a list of two million numbers.
const VALUE_WEIGHT: u64 = 2_000_000;

/// How many values may be nested in one another.
const VALUE_DEPTH: u32 = 64;

/// Whether types are judged on the way. An exporter wants values as they are, right or wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judge {
    /// Ill-typed arguments of flows are errors, and what is never evaluated is looked at too.
    Types,
    /// Only what cannot be evaluated is an error.
    Values,
}

/// An evaluated program with everything that was found on the way.
pub(crate) struct Evaluated {
    pub(crate) flat: Flat,
    pub(crate) found: Findings,
    /// Calls at statement level whose result goes nowhere.
    pub(crate) loose: Vec<CallId>,
    /// Names that nothing uses, with the place of their definition.
    pub(crate) unused: Vec<(String, Place)>,
    /// The files besides the program itself, by their number less one.
    pub(crate) files: Vec<SourceFile>,
}

/// Evaluates a program.
pub(crate) fn evaluate(program: &ast::File, options: &Options, world: &dyn World, judge: Judge) -> Evaluated {
    let mut found = Findings::default();
    let sources = sources::load(program, world, &mut found);
    let mut evaluator = Evaluator::new(&sources, options, judge, found);
    evaluator.program();
    evaluator.finish()
}

struct Evaluator<'a> {
    sources: &'a Sources<'a>,
    options: &'a Options,
    judge: Judge,
    flat: Flat,
    found: Findings,
    /// Files that were looked at so far, by their number.
    modules: Vec<Option<Module<'a>>>,
    flows: Vec<Flow<'a>>,
    /// The flows that are being evaluated, outermost first; the first frame is the program itself.
    frames: Vec<Frame<'a>>,
    /// Whether what is evaluated is not part of the program.
    shadow: bool,
    /// What is being computed where only known values may stand.
    known_only: Option<&'static str>,
    steps: u64,
    /// No step is left, which has been said.
    halted: bool,
    depth: u32,
    /// How often each name was given to a call of an instance.
    names: HashMap<(Option<InstanceId>, Arc<str>), u32>,
    /// Blocks that were looked at in shadow.
    seen: HashSet<Place>,
    defined: BTreeMap<Place, String>,
    used: HashSet<Place>,
    loose: BTreeSet<CallId>,
    chance: Chance,
    /// Params of the program by name, whether or not they have a value.
    param_names: Vec<String>,
}

impl<'a> Evaluator<'a> {
    fn new(sources: &'a Sources<'a>, options: &'a Options, judge: Judge, found: Findings) -> Self {
        let mut modules = Vec::new();
        modules.resize_with(sources.files.len() + modules::std_files().len(), || None);
        Evaluator {
            sources,
            options,
            judge,
            flat: Flat::default(),
            found,
            modules,
            flows: Vec::new(),
            frames: Vec::new(),
            shadow: false,
            known_only: None,
            steps: 0,
            halted: false,
            depth: 0,
            names: HashMap::new(),
            seen: HashSet::new(),
            defined: BTreeMap::new(),
            used: HashSet::new(),
            loose: BTreeSet::new(),
            chance: Chance::new(&options.binding),
            param_names: Vec::new(),
        }
    }

    fn finish(self) -> Evaluated {
        let Evaluator { flat, found, loose, defined, used, sources, .. } = self;
        let files = sources.files.iter().filter_map(|file| file.source.clone());
        let files = files.chain(modules::std_files().iter().map(|file| file.source.clone())).collect();
        let unused = defined.into_iter().filter(|(place, _)| !used.contains(place));
        Evaluated {
            flat,
            found,
            loose: loose.into_iter().collect(),
            unused: unused.map(|(place, name)| (name, place)).collect(),
            files,
        }
    }

    /// The frame that is being evaluated.
    fn frame(&self) -> &Frame<'a> {
        self.frames.last().expect("the program's own frame stays")
    }

    fn frame_mut(&mut self) -> &mut Frame<'a> {
        self.frames.last_mut().expect("the program's own frame stays")
    }

    /// A span of the file that is being evaluated.
    fn place(&self, span: Span) -> Place {
        Place { file: self.frame().file, span }
    }

    fn error(&mut self, error: impl Into<CompileError>) {
        self.found.error(error);
    }

    /// Reports an error in place of a value.
    fn poison(&mut self, error: impl Into<CompileError>) -> Value {
        self.found.error(error);
        Value::Poison
    }

    /// Reports that something is of another type than it should be.
    fn mismatch(&mut self, input: &str, want: &str, value: &Value, place: Place) -> Value {
        let got = crate::types::describe(&self.flat, value);
        self.poison(CompileError::TypeMismatch {
            input: input.to_owned(),
            want: want.to_owned(),
            help: crate::types::mismatch_help(want, &got),
            got,
            span: place.into(),
        })
    }

    /// Reports what cannot be evaluated to its end, and ends everything.
    fn halt(&mut self, error: EvalError) -> Value {
        if !std::mem::replace(&mut self.halted, true) {
            self.error(error);
        }
        Value::Poison
    }

    /// Counts work; whether it may go on.
    fn spend(&mut self, steps: u64, place: Place) -> bool {
        self.steps = self.steps.saturating_add(steps);
        let limit = self.options.binding.steps;
        if self.steps > limit {
            self.halt(EvalError::StepLimit { limit, span: place.into() });
        }
        !self.halted
    }

    /// How much a new value may come to.
    fn left(&self) -> u64 {
        VALUE_WEIGHT.min(self.options.binding.steps.saturating_sub(self.steps))
    }

    /// Counts what a new value comes to, and refuses one that is too large or nested too deep.
    fn built(&mut self, value: Value, place: Place) -> Value {
        if value.depth() > VALUE_DEPTH {
            let reason = format!("its parts are nested more than {VALUE_DEPTH} deep");
            return self.poison(EvalError::TooLarge { reason, span: place.into() });
        }
        if value.weight() > VALUE_WEIGHT {
            let reason = match &value {
                Value::Str(text) => format!("it is a text of {} bytes", text.len()),
                value => format!("it comes to {} parts", value.weight()),
            };
            return self.poison(EvalError::TooLarge { reason, span: place.into() });
        }
        let fresh = match &value {
            Value::List(items) | Value::Tuple(items) => items.len() as u64,
            Value::Record(fields) => fields.len() as u64,
            Value::Str(_) => value.weight(),
            _ => 0,
        };
        if self.spend(fresh, place) { value } else { Value::Poison }
    }
}

#[cfg(test)]
mod tests;
