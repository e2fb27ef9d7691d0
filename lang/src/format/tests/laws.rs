//! Formatting loses nothing and comes to rest at once.

use super::{format, generate, parsed};
use crate::ast::File;
use crate::{SourceFile, parse};
use proptest::prelude::*;
use proptest::sample::Index;

/// A text in the one style, for an AST: it says the same, and formatting it again changes nothing.
pub(super) fn obeys(mut ast: File) -> Result<(), TestCaseError> {
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

pub(super) fn read(text: &str) -> Option<File> {
    let read = parse(&SourceFile::new("test.flow", text));
    read.errors.is_empty().then_some(read.ast)
}

/// A text with parentheses around something, and a remark behind the first and before the last, where that parses.
fn with_parentheses(text: &str, open: Index, close: Index) -> Option<File> {
    let places: Vec<usize> = text
        .char_indices()
        .map(|(at, _)| at)
        .filter(|at| *at > 0 && text[..*at].ends_with([' ', '!', '-']))
        .collect();
    let open = *open.get(places.get(..).filter(|places| !places.is_empty())?);
    let ends: Vec<usize> = text[open..]
        .char_indices()
        .map(|(at, _)| open + at)
        .filter(|at| text[*at..].starts_with([' ', ',', ')', '\n', '.', '[']))
        .take(12)
        .collect();
    let put = |end: usize| format!("{}( // r0\n{} // r1\n){}", &text[..open], &text[open..end], &text[end..]);
    let first = close.index(12);
    ends.iter().cycle().skip(first).take(ends.len()).find_map(|end| read(&put(*end)))
}

proptest! {
    #[test]
    fn remarks_in_parentheses_that_go_stay(
        ast in generate::statements(1..3),
        (open, close) in any::<(Index, Index)>(),
    ) {
        if let Some(ast) = with_parentheses(&format(&ast), open, close) {
            obeys(ast)?;
        }
    }

    #[test]
    fn any_program_is_read_back(ast in generate::file()) {
        obeys(ast)?;
    }

    #[test]
    fn remarks_stay_wherever_they_stand(
        ast in generate::statements(1..3),
        places in proptest::collection::vec(any::<(Index, bool)>(), 1..5),
    ) {
        // Some lines must not end there.
        if let Some(ast) = read(&with_remarks(&format(&ast), &places)) {
            obeys(ast)?;
        }
    }
}

#[test]
fn nothing_is_nothing() {
    assert_eq!(format(&parsed("")), "");
    assert_eq!(format(&parsed("\n\n  \n")), "");
}
