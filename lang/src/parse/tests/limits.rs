//! How deep and how long programs may be.

use super::*;

#[test]
fn nesting_has_a_limit() {
    for (open, close) in [("(", ")"), ("[", "]"), ("F(", ")"), ("{", "}"), ("f\"{", "}\""), ("@a(", ")F()")] {
        for depth in [257, 10_000] {
            let source = format!("let x = {}1{}\nlet y = 2", open.repeat(depth), close.repeat(depth));
            let Parsed { ast, errors } = read(&source);
            assert_eq!(
                errors.iter().map(SyntaxError::code).collect::<Vec<_>>(),
                ["parse::nesting_too_deep"],
                "{open}"
            );
            assert_eq!(ast.statements.len(), 1);
        }
    }
    assert_eq!(codes(&format!("let x = {}", "[".repeat(10_000))), ["parse::nesting_too_deep"]);
    assert_eq!(codes(&format!("let x = a{}", ".b".repeat(10_000))), ["parse::nesting_too_deep"]);
    assert_eq!(
        codes(&format!("node N(a: {}T{})", "[".repeat(300), "]".repeat(300))),
        ["parse::nesting_too_deep"]
    );
    assert_eq!(
        codes(&format!("let x = {}a{}", "F(".repeat(200), ")".repeat(200).replace(')', ".b)"))),
        ["parse::nesting_too_deep"]
    );
}

#[test]
fn what_is_within_the_limit_parses() {
    for (open, close, levels) in
        [("[", "]", 256), ("F(a: ", ")", 256), ("f\"{", "}\"", 128), ("F(x: @a F(", "))", 128)]
    {
        accepted(
            &format!("let x = {}1{}", open.repeat(levels), close.repeat(levels)).replace("(1)", "(a: 1)"),
        );
    }
    accepted(&format!("node N(a: {}T{})", "[".repeat(255), "]".repeat(255)));
    accepted(&format!("node N(a: {}T{})", "(".repeat(255), ")".repeat(255)));
}

#[test]
fn long_files_take_time_by_their_length() {
    let source: String = (0..20_000)
        .map(|n| format!("let x{n} = KSampler(model, seed: {n}, text: f\"a {{x{n}}}\")\n"))
        .collect();
    assert_eq!(accepted(&source).statements.len(), 20_000);
    for hostile in [
        "(",
        ")",
        "[)",
        "f\"{",
        "\"",
        "`",
        "\n///",
        "\n@a",
        "\n|",
        "\n//",
        "a|\n",
        "(\n",
        "{\nlet a\n",
        "\"\"\"",
    ] {
        let _ = read(&format!("let a = {}", hostile.repeat(20_000)));
    }
}
