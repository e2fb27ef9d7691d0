mod generate;
mod laws;
mod limits;
mod project;
mod style;

use super::*;
use crate::{SourceFile, parse};

/// The program that a text is, which has to be right.
#[track_caller]
fn parsed(text: &str) -> File {
    let parsed = parse(&SourceFile::new("test.flow", text));
    assert!(parsed.errors.is_empty(), "{:?}\n{text}", parsed.errors);
    parsed.ast
}
