//! Formatting loses nothing and comes to rest at once.

use super::{format, generate, parsed};
use crate::ast::File;
use crate::{SourceFile, parse};
use proptest::prelude::*;
use proptest::sample::Index;

/// A text in the one style, for an AST: it says the same, and formatting it again changes nothing.
fn obeys(mut ast: File) -> Result<(), TestCaseError> {
    let text = format(&ast);
    let again = parse(&SourceFile::new("test.flow", text.clone()));
    prop_assert!(again.errors.is_empty(), "{:?}\n{}", again.errors, text);
    let mut again = again.ast;
    prop_assert_eq!(&format(&again), &text, "a second time");
    prop_assert_eq!(again.strip_layout(), ast.strip_layout(), "remarks of\n{}", text);
    prop_assert_eq!(again, ast, "\n{}", text);
    Ok(())
}

/// A text with remarks at some of the places where a line may end.
fn with_remarks(text: &str, places: &[(Index, bool)]) -> String {
    let ends = |at: usize| {
        let before = text[..at].chars().next_back().unwrap_or('\n');
        let after = text[at..].chars().next().unwrap_or('\n');
        "([{, \n=|+".contains(before) || ")]}, \n.".contains(after)
    };
    let all: Vec<usize> = text.char_indices().map(|(at, _)| at).filter(|at| ends(*at)).collect();
    let mut out = text.to_owned();
    let mut chosen: Vec<_> =
        places.iter().filter(|_| !all.is_empty()).map(|(place, own)| (*place.get(&all), own)).collect();
    chosen.sort();
    for (number, (at, own_line)) in chosen.into_iter().enumerate().rev() {
        out.insert_str(at, &format!("{}// r{number}\n", if *own_line { "\n" } else { " " }));
    }
    out
}

proptest! {
    #[test]
    fn any_program_is_read_back(ast in generate::file()) {
        obeys(ast)?;
    }

    #[test]
    fn remarks_stay_wherever_they_stand(
        ast in generate::statements(1..3),
        places in proptest::collection::vec(any::<(Index, bool)>(), 1..5),
    ) {
        let text = with_remarks(&format(&ast), &places);
        let read = parse(&SourceFile::new("test.flow", text));
        // Some lines must not end there.
        if read.errors.is_empty() {
            obeys(read.ast)?;
        }
    }
}

#[test]
fn nothing_is_nothing() {
    assert_eq!(format(&parsed("")), "");
    assert_eq!(format(&parsed("\n\n  \n")), "");
}
