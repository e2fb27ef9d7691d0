//! The execution plan: the boundary between compiler and runtime, and what people review.
//!
//! A plan is data: which parts of which files are loaded, which buffers exist when and where, which steps run in
//! which order. It holds no path, line number, clock or host, so the same program, files and target give the same
//! text on every machine. [`Plan::verify`] replays it. This crate knows serde and nothing else.
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used)]

mod ids;
mod plan;
mod size;
mod text;
mod verify;

pub use ids::{BufferId, LoadId, ProgramId, StepId};
pub use plan::{
    Buffer, Device, FORMAT, FileRef, Gap, Load, Memory, Operand, Output, Patch, Plan, Precision, Program,
    Role, Scalar, Step, Target,
};
pub use size::Size;
pub use text::TextError;
pub use verify::{VerifyError, resident_peak};
