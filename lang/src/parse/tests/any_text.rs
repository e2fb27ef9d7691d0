//! Any text at all.

use super::*;

/// All spans of an AST, as its debug form shows them: new kinds of nodes cannot be forgotten.
fn spans(parsed: &Parsed) -> Vec<(usize, usize)> {
    let debug = format!("{parsed:?}");
    debug
        .split("Span { start: ")
        .skip(1)
        .filter_map(|rest| {
            let (start, rest) = rest.split_once(", end: ")?;
            let (end, _) = rest.split_once(' ')?;
            Some((start.parse().ok()?, end.parse().ok()?))
        })
        .collect()
}

/// Statements follow each other, those of blocks too, and lie within what they belong to.
fn check_order(statements: &[Statement], within: Span) {
    let mut end = within.start;
    for statement in statements {
        assert!(statement.span.start >= end && statement.span.end <= within.end, "{statement:?}");
        end = statement.span.end;
        if let StatementKind::Fn(function) = &statement.kind {
            check_order(&function.body.statements, function.body.span);
        }
    }
}

fn check_total(source: &str) {
    let parsed = read(source);
    check_order(&parsed.ast.statements, Span::new(0, source.len()));
    let remarks: Vec<Span> = parsed.ast.inner_comments.iter().map(|comment| comment.span).collect();
    assert!(remarks.is_sorted(), "{remarks:?}");
    assert!(parsed.errors.is_sorted_by_key(|error| error.span()), "{:?}", parsed.errors);
    for (start, end) in spans(&parsed) {
        assert!(source.get(start..end).is_some(), "{start}..{end} of {source:?}");
    }
    for error in &parsed.errors {
        assert_eq!(Diagnostic::code(error).unwrap().to_string(), error.code());
        assert!(CODES.contains(&error.code()));
        assert!(error.help().is_some_and(|help| !help.to_string().is_empty()));
        assert!(error.labels().is_some_and(|mut labels| labels.next().is_some()));
        if let SyntaxError::Expected { expected: crate::error::Expected::Form { words, .. }, .. } = error {
            assert!(!words.is_empty(), "no words for {source:?}");
        }
        assert!(source.get(error.span().range()).is_some());
    }
}

/// What programs are made of, in any order.
fn fragments() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "let ",
        "param ",
        "node ",
        "choices ",
        "edition ",
        "for ",
        "if ",
        "else ",
        "fn ",
        "use ",
        "const ",
        "assert ",
        "type ",
        "each ",
        "and ",
        "not ",
        "None",
        "let x = ",
        "f\"\"\"",
        "f(x) ",
        ";",
        "'",
        "#",
        "/*",
        "==",
        "&&",
        "!",
        "<",
        "%",
        "*",
        "Match<",
        "x",
        "F(",
        ")",
        "(",
        "[",
        "]",
        "{",
        "}",
        "f\"",
        "\"",
        "\"\"\"",
        "`",
        "\\",
        "\\u{",
        ":",
        "::",
        ",",
        "=",
        "..=",
        ".",
        "|",
        "->",
        "?",
        "@a",
        "1",
        "1.5",
        "-",
        "\n",
        " ",
        "//",
        "///",
        "//!",
        "é",
        "\u{a0}",
        "in ",
        "hidden ",
        "File<",
        ">",
        "true",
        "none",
        "\r\n",
        "+",
        "\u{1f335}",
    ]);
    prop::collection::vec(pieces, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_parses(source in any::<String>()) {
        check_total(&source);
    }

    #[test]
    fn any_fragments_parse(source in fragments()) {
        check_total(&source);
    }

    #[test]
    fn mutated_programs_parse(
        program in prop::sample::select(vec![LAKE, RENDER, DECLARATIONS, EVERYTHING]),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..12, fragments()), 1..4),
    ) {
        let mut source: Vec<char> = program.chars().collect();
        for (at, length, insert) in cuts {
            let at = at.index(source.len() + 1);
            let end = (at + length).min(source.len());
            source.splice(at..end, insert.chars().take(4));
        }
        check_total(&source.into_iter().collect::<String>());
    }

    #[test]
    fn any_name_and_any_text_can_be_written(text in any::<String>()) {
        let source = format!("let {} = F({}: {})", names::reference(&text), names::label(&text), names::string_literal(&text));
        let file = accepted(&source);
        let StatementKind::Let(Let { pattern: Pattern::Name(bound), value }) = &file.statements[0].kind else { panic!() };
        let ExprKind::Call(call) = &value.kind else { panic!() };
        prop_assert_eq!(&bound.name, &text);
        prop_assert_eq!(&call.args[0].name.as_ref().unwrap().name, &text);
        prop_assert_eq!(&call.args[0].value.as_ref().unwrap().kind, &ExprKind::Str(text.clone()));
    }
}
