//! ComfyUI's workflows, in: JSON text and pictures to the same AST that the parser makes of a `.flow` file.

pub mod program;
pub mod prompt;
