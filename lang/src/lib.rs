//! Text to AST: the grammar of `.flow` files, their spans, and every syntax error with its words.
//!
//! [`parse()`] is total: any text gives the AST of what was understood and all syntax errors. It first
//! splits the text at statement boundaries (brackets, strings and comments are scanned first), then
//! parses each statement on its own, so that one bad statement never hides the next.
//!
//! What this crate never does: read a file, resolve a name, know a node or a type by name, or give a
//! value a meaning. Whether `KSampler` exists and what it wants is for the compiler to say.
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used)]

// For what pest's derive macro generates.
extern crate alloc;

pub mod ast;
pub mod comfy;
pub mod decl;
pub mod error;
mod format;
pub mod names;
mod parse;
mod source;
mod span;
pub mod text;

pub use error::SyntaxError;
pub use format::{format, format_expr, format_statement, format_type};
pub use names::suggest;
pub use parse::{MAX_NESTING, Parsed, parse};
pub use source::SourceFile;
pub use span::Span;
