//! How deep and how long programs may be.

use super::*;

/// What nests, as text before and after what is nested, and how many levels of it are allowed. Where one level takes
/// two brackets, half as many.
const NESTED: [(&str, &str, usize); 23] = [
    ("(", ")", 256),
    ("[", "]", 256),
    ("{ a: ", " }", 256),
    ("F(", ")", 256),
    ("F(a: ", ")", 256),
    ("F(b: \"c\" { a: ", " })", 128),
    ("f\"{", "}\"", 128),
    ("f\"\"\"{", "}\"\"\"", 128),
    ("@a(", ") F()", 256),
    ("b.m(", ")", 256),
    ("b[", "]", 256),
    ("if true { ", " }", 256),
    ("if true { 1 } else { ", " }", 256),
    ("for y in z { ", " }", 256),
    ("if (", ") { 1 }", 128),
    ("each F(", ")", 128),
    ("-(", ")", 128),
    ("!", "", 256),
    ("1 + (", ")", 128),
    ("(1 < ", ")", 128),
    ("if true { let a = ", " }", 256),
    ("if true {\nlet a = 1\n", "\n}", 256),
    ("(F([{ a: ", " }]))", 64),
];

/// What goes on and on without brackets, and how often it may.
const CHAINS: [(&str, &str, &str, usize); 8] = [
    ("let x = a", ".b", "", 256),
    ("let x = a", "[0]", "", 256),
    ("let x = a", ".b()", "", 256),
    ("let x = a", " + 1", "", 256),
    ("let x = a", " + b * c", "", 255),
    ("let x = a", " || b && c == d", "", 254),
    ("let x = ", "-", "a", 256),
    ("let x = if a { 1 }", " else if b { 2 }", "", 255),
];

fn nested(open: &str, close: &str, levels: usize) -> String {
    format!("let x = {}y{}\nlet z = 2", open.repeat(levels), close.repeat(levels))
}

/// How deep values stand in values, as the debug form shows it.
fn height(file: &File) -> usize {
    let text = format!("{file:?}");
    let mut open: Vec<bool> = Vec::new();
    let (mut depth, mut deepest) = (0, 0);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => {
                let is_expr = text[..at].ends_with("Expr ");
                open.push(is_expr);
                depth += usize::from(is_expr);
                deepest = deepest.max(depth);
            }
            b'}' => depth -= usize::from(open.pop().unwrap_or(false)),
            _ => {}
        }
    }
    deepest
}

#[track_caller]
fn is_too_deep(source: &str) {
    let shown = &source[..source.len().min(80)];
    assert_eq!(codes(source), ["parse::nesting_too_deep"], "{shown}");
}

#[test]
fn nesting_has_a_limit() {
    for (open, close, limit) in NESTED {
        let file = accepted(&nested(open, close, limit));
        assert!(height(&file) <= MAX_NESTING + 1, "{open}: {}", height(&file));
        // What is as deep as it may be can be worked with where the stack is no larger than that of a thread.
        assert_eq!(file.clone(), file);
        for levels in [limit + 1, 10_000] {
            let source = nested(open, close, levels);
            is_too_deep(&source);
            assert!(!read(&source).ast.statements.is_empty(), "{open}");
        }
    }
    is_too_deep(&format!("let x = {}", "[".repeat(10_000)));
}

#[test]
fn chains_have_a_limit() {
    for (start, link, end, limit) in CHAINS {
        let chain = |links: usize| format!("{start}{}{end}", link.repeat(links));
        let file = accepted(&chain(limit));
        assert!(height(&file) <= MAX_NESTING + 1, "{link}: {}", height(&file));
        assert_eq!(file.clone(), file);
        for links in [limit + 1, 10_000] {
            is_too_deep(&chain(links));
        }
    }
    is_too_deep(&format!("let x = {}a{}", "F(".repeat(200), ".b)".repeat(200)));
}

#[test]
fn types_and_blocks_of_flows_have_a_limit() {
    for (open, close, limit) in
        [("[", "]", 255), ("(", ")", 255), ("Match<\"a\", [", "]>", 127), ("\"a\" { b: ", " }", 255)]
    {
        let node = |levels: usize| format!("node N(a: {}T{})", open.repeat(levels), close.repeat(levels));
        let file = accepted(&node(limit));
        assert_eq!(file.clone(), file);
        is_too_deep(&node(limit + 1));
        is_too_deep(&node(10_000));
    }
    let flow = |levels: usize| format!("fn f() {{ {}1{} }}", "if a {\n".repeat(levels), "\n}".repeat(levels));
    accepted(&flow(255));
    is_too_deep(&flow(256));
}

#[test]
fn words_that_begin_something_may_be_repeated() {
    for word in ["if ", "for x in ", "each ", "else ", "let ", "fn ", "not ", "@a ", "in ", "edition "] {
        assert_eq!(codes(&word.repeat(10_000)).len(), 1, "{word}");
        assert_eq!(codes(&format!("let x = {}", word.repeat(10_000))).len(), 1, "{word}");
    }
}

#[test]
fn little_stack_is_enough() {
    let parse_all = || {
        for (open, close, limit) in NESTED {
            // The tree is larger than this stack when it is dropped or compared, and not what is tested here.
            std::mem::forget(read(&nested(open, close, limit)));
        }
    };
    std::thread::Builder::new().stack_size(256 << 10).spawn(parse_all).unwrap().join().unwrap();
}

#[test]
fn long_files_take_time_by_their_length() {
    let source: String = (0..20_000)
        .map(|n| format!("let x{n} = KSampler(model, seed: {n}, text: f\"a {{x{n}}}\")\n"))
        .collect();
    assert_eq!(accepted(&source).statements.len(), 20_000);
    let many = 100_000;
    for (start, part, end) in [
        ("", "let x = 1\n", ""),
        ("fn f() {", "let x = 1\n", "}"),
        ("F(", "a: 1, ", ")"),
        ("let x = [", "1, ", "]"),
        ("let x = {", "a: 1, ", "}"),
        ("choices C = 1", " | 1", ""),
        ("let x = f\"", "{a}b", "\""),
        ("", "// a\n\n", ""),
    ] {
        accepted(&format!("{start}{}{end}", part.repeat(many)));
    }
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
