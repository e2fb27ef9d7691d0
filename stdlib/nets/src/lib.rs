//! Tensor programs: what a network computes, as a list of operations with static shapes.
//!
//! A program is built from a checkpoint's header and the sizes of its inputs by one description per architecture
//! ([`arch`]), rewritten by [`passes`], walked for cost and memory without a device ([`cost`]), and executed by the
//! engines of the runtime. Networks are described here and nowhere else. This crate reads no weights and runs
//! nothing.
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used)]

pub mod arch;
mod arena;
mod builder;
pub mod cost;
pub mod guidance;
pub mod ir;
pub mod offsets;
pub mod passes;
mod real;
pub mod sampling;
mod spec;
pub mod text;
mod weights;

pub use arena::{Arena, Id};
pub use builder::{BuildError, Builder};
pub use real::Real;
pub use spec::{PassSet, ProgramSpec, build_program};
pub use weights::Weights;
