//! Passes over the workflow graph. Each keeps the value of every effect to the bit; the graph is verified after
//! each. The list below is the pipeline.

mod batch_guidance;
mod const_fold;
mod cse;
mod dce;
mod hoist_loads;
#[cfg(test)]
mod testing;

use std::cell::OnceCell;
use std::fmt;
use std::str::FromStr;

use floe_nets::PassSet;

use floe_stdlib::World;

use crate::PassTrace;
use crate::facts::{Works, infer};
use crate::graph::Graph;

/// A rewrite of the graph.
pub(crate) trait Pass {
    /// Kebab-case; the same word in `--passes`, in traces and in snapshots.
    fn name(&self) -> &'static str;

    /// Rewrites; returns how often, and 0 promises that the graph is unchanged.
    /// `facts` are those of the graph as it is given.
    fn run(&self, graph: &mut Graph, facts: &Facts<'_>) -> usize;
}

/// What is known of the nodes of one graph, found when somebody asks.
pub(crate) struct Facts<'a> {
    world: &'a dyn World,
    works: OnceCell<Works>,
}

impl<'a> Facts<'a> {
    /// The facts of a graph that was not asked for before.
    pub(crate) fn new(world: &'a dyn World) -> Facts<'a> {
        Facts { world, works: OnceCell::new() }
    }

    /// What each node comes to. Every call must be with the same graph.
    ///
    /// # Panics
    /// If something is wrong that was not wrong when the graph was checked: a bug of a pass.
    pub(crate) fn of(&self, graph: &Graph) -> &Works {
        self.works.get_or_init(|| {
            infer(graph, self.world).unwrap_or_else(|errors| {
                panic!("facts hold before the passes and not after them: {errors:?}");
            })
        })
    }
}

/// All passes in the order in which they run.
const PIPELINE: [&dyn Pass; 5] = [
    // First: nodes that differ in where a value comes from become equal, and what only a choice not made needs is dead.
    &const_fold::ConstFold,
    // Before hoist-loads, so that two loads of one file are one node before their parts are told apart.
    &cse::Cse,
    &dce::Dce,
    // After dce: a part that nothing needs is not loaded.
    &hoist_loads::HoistLoads,
    &batch_guidance::BatchGuidance,
];

/// The name of the pass that reuses bytes between buffers, done when the plan is written.
pub(crate) const PLAN_MEMORY: &str = "plan-memory";

/// Which passes run, of the workflow graph, of tensor programs and of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassList {
    names: Vec<&'static str>,
}

impl PassList {
    /// All passes.
    pub fn all() -> PassList {
        PassList { names: Self::known().collect() }
    }

    /// No pass: the naive plan, which every other must equal bit for bit.
    pub fn none() -> PassList {
        PassList { names: Vec::new() }
    }

    /// The names of all passes.
    pub fn known() -> impl Iterator<Item = &'static str> {
        PIPELINE.iter().map(|pass| pass.name()).chain(PassSet::NAMES).chain([PLAN_MEMORY])
    }

    /// Whether a pass runs.
    pub fn has(&self, name: &str) -> bool {
        self.names.contains(&name)
    }

    /// The passes of tensor programs.
    pub(crate) fn program_passes(&self) -> PassSet {
        PassSet::select(|name| self.has(name))
    }
}

impl FromStr for PassList {
    type Err = String;

    /// `default`, `none`, or names separated by commas.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "default" => Ok(Self::all()),
            "none" => Ok(Self::none()),
            _ => text.split(',').map(str::trim).try_fold(Self::none(), |mut list, wanted| {
                let name = Self::known().find(|name| *name == wanted).ok_or_else(|| {
                    let known: Vec<&str> = Self::known().collect();
                    format!("there is no pass `{wanted}`; there are default, none, {}", known.join(", "))
                })?;
                list.names.push(name);
                Ok(list)
            }),
        }
    }
}

impl fmt::Display for PassList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.names.is_empty() { "none".to_owned() } else { self.names.join(",") }.as_str())
    }
}

/// Runs the selected passes on a graph of which `works` is known, and verifies after each. Gives what they did, and the
/// facts of the graph as it is then.
///
/// # Panics
/// If a pass breaks an invariant.
pub(crate) fn run_pipeline<'a>(
    list: &PassList,
    graph: &mut Graph,
    world: &'a dyn World,
    works: Works,
) -> (Vec<PassTrace>, Facts<'a>) {
    let mut facts = Facts { world, works: OnceCell::from(works) };
    let mut trace = Vec::new();
    for pass in PIPELINE.iter().filter(|pass| list.has(pass.name())) {
        let rewrites = pass.run(graph, &facts);
        if let Err(error) = graph.verify() {
            panic!("pass {} broke the graph: {error}", pass.name());
        }
        if rewrites > 0 {
            facts = Facts::new(world);
        }
        trace.push(PassTrace { pass: pass.name(), rewrites, graph: graph.to_string() });
    }
    (trace, facts)
}
