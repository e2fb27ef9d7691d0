//! From a flattened workflow to a program that a person would like to have written.
//!
//! The nodes of a [`Prompt`] become statements in several steps, each a module:
//!
//! 1. `classes` gives every node its interface; classes that nobody declared get one that says what is known.
//! 2. `graph` finds an order of all nodes, and which are called once for each element of a list (`each`).
//! 3. `fold` turns the instances of subgraphs back into flows. A body (`scope`) is the file's or a flow's; the steps
//!    after this one treat both alike.
//! 4. `params` makes what a person edits a param of the program, where that is asked for.
//! 5. `args` says how the inputs of a node are written: what is left out, what is nested.
//! 6. `inline` decides which calls are written inside of others, `order` in which order the rest stands, `names` how
//!    results are called, `remarks` where notes and headings go.
//! 7. `write` makes the AST.
//!
//! Exactness comes before looks: whatever is done to a workflow, evaluating the program gives its nodes again, with the
//! same inputs. All steps are linear in the size of the workflow, but for sorting, and none recurses on links.

mod args;
mod classes;
mod declare;
mod exports;
mod fold;
mod graph;
mod hoist;
mod inline;
mod literals;
mod names;
mod order;
mod parameters;
mod params;
mod places;
mod remarks;
mod roles;
mod scope;
mod types;
mod words;
mod write;

#[cfg(test)]
mod tests;

use super::prompt::{NodeIndex, Prompt};
use crate::ast::File;
use crate::decl::Declarations;
use thiserror::Error;

/// What a program says beyond its meaning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Every call says its node's id, so that an export has the same ids.
    pub ids: bool,
    /// Every call says its node's place and title.
    pub layout: bool,
    /// What a person edits (prompts, seeds, sizes, input files) is a param of the program.
    pub params: bool,
}

/// Nodes that need each other's results: no program says that. Readers of workflows refuse them before.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{} nodes need each other's results", nodes.len())]
pub struct Cycle {
    /// The nodes on circles, and between them.
    pub nodes: Vec<NodeIndex>,
}

/// The program that says what a workflow says. Its spans are those of the workflow's text.
pub fn program(prompt: &Prompt, declarations: &dyn Declarations, options: Options) -> Result<File, Cycle> {
    let classes = classes::Classes::new(prompt, declarations);
    let graph = graph::Graph::new(prompt, &classes)?;
    let mut folded = fold::fold(prompt, &classes, &graph, options.ids || options.layout);
    let mut names = names::flows(&mut folded, &classes);
    hoist::hoist(&mut folded, &mut names);
    if options.params {
        params::add(&mut folded, &mut names);
    }
    Ok(write::file(prompt, &classes, &folded, names, options))
}
