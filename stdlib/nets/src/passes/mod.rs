//! Passes over tensor programs. Each keeps every bit of every output: fused operations compute what their parts
//! compute, and the others only move bytes.

mod fuse;
mod in_place;
mod offsets;
#[cfg(test)]
mod sd1;
#[cfg(test)]
mod testing;

pub use fuse::fuse;
pub use in_place::in_place;
pub use offsets::{offsets, spread};

use crate::ir::Program;

/// A pass; returns how many rewrites it made, 0 promises that the program is unchanged.
pub type Pass = fn(&mut Program) -> usize;

/// Runs a pass and proves the program valid after it: a failure is a bug of the pass.
///
/// # Panics
/// If the pass breaks an invariant.
pub fn run(pass: Pass, program: &mut Program) {
    pass(program);
    if let Err(error) = program.verify() {
        panic!("a pass broke its program: {error}");
    }
}
