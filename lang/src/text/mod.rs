//! Texts that ComfyUI's editor resolves when a workflow is submitted, as pure functions.

pub mod date_format;
pub mod dynamic_prompt;
pub mod js;

pub use date_format::CivilTime;
