//! Formatting loses nothing and comes to rest at once.

use super::{format, generate, parsed};
use crate::ast::File;
use proptest::prelude::*;

/// A text in the one style, for an AST: it says the same, and formatting it again changes nothing.
fn obeys(mut ast: File) -> Result<(), TestCaseError> {
    let text = format(&ast);
    let again = crate::parse(&crate::SourceFile::new("test.flow", text.clone()));
    prop_assert!(again.errors.is_empty(), "{:?}\n{}", again.errors, text);
    let mut again = again.ast;
    prop_assert_eq!(&format(&again), &text, "a second time");
    prop_assert_eq!(again.strip_layout(), ast.strip_layout(), "remarks of\n{}", text);
    prop_assert_eq!(again, ast, "\n{}", text);
    Ok(())
}

proptest! {
    #[test]
    fn any_program_is_read_back(ast in generate::file()) {
        obeys(ast)?;
    }
}

#[test]
fn nothing_is_nothing() {
    assert_eq!(format(&parsed("")), "");
    assert_eq!(format(&parsed("\n\n  \n")), "");
}
