//! Neither long nor deep programs are a problem. Threads of tests have small stacks.

use super::{format, parsed};
use crate::MAX_NESTING;
use crate::ast::{Const, Expr, ExprKind, StatementKind};

/// What is formatted is read back, and formatting it again changes nothing.
#[track_caller]
fn comes_to_rest(source: &str) -> String {
    let text = format(&parsed(source));
    assert_eq!(format(&parsed(&text)), text);
    text
}

/// The deepest program of its kind that the parser takes.
#[track_caller]
fn deepest(program: impl Fn(usize) -> String) {
    let deep = (1..=MAX_NESTING).rev().find(|depth| super::laws::read(&program(*depth)).is_some());
    let deep = deep.unwrap_or(0);
    assert!(deep > MAX_NESTING / 6, "{deep}: {}", program(1));
    comes_to_rest(&program(deep));
}

#[test]
fn everything_nests_as_deep_as_the_parser_allows() {
    for (open, middle, close) in [
        ("f(", "x", ")"),
        ("f(a, b: ", "x", ")"),
        ("@a(", "x", ") f()"),
        ("[", "1", "]"),
        ("{ a: ", "1", "}"),
        ("(x, ", "1", ")"),
        ("-(1 + ", "x", ")"),
        ("!", "x", ""),
        ("xs[", "0", "]"),
        ("a", "", ".b(1)"),
        ("f(\"c\" { a: ", "1", " })"),
        ("f\"{", "1", "}\""),
        ("if a { ", "1", " } else { 2 }"),
        ("if a { 1 } else ", "if a { 1 }", ""),
        ("for a in b { let x = 1\n ", "1", "\n}"),
    ] {
        // `a.b(1).b(1)` has one base.
        let opened = |depth: usize| if open == "a" { open.to_owned() } else { open.repeat(depth) };
        deepest(|depth| format!("let x = {}{middle}{}\n", opened(depth), close.repeat(depth)));
    }
    deepest(|depth| format!("let x = a{}\n", " + b * c".repeat(depth)));
    deepest(|depth| format!("param x: {}Int{}\n", "[".repeat(depth), "]".repeat(depth)));
    deepest(|depth| format!("choices A = {}1{}\n", "\"a\" { b: ".repeat(depth), " }".repeat(depth)));
}

#[test]
fn long_programs_are_formatted() {
    let mut file = parsed("let x = f(a, b: 1)\n");
    let statement = file.statements[0].clone();
    file.statements = vec![statement; 100_000];
    assert_eq!(format(&file), "let x = f(a, b: 1)\n".repeat(100_000));

    let mut file = parsed("const X = [1]\n");
    if let StatementKind::Const(Const { value: Expr { kind: ExprKind::List(elements), .. }, .. }) =
        &mut file.statements[0].kind
    {
        *elements = vec![elements[0].clone(); 100_000];
    }
    let list = format(&file);
    assert_eq!(list.matches('1').count(), 100_000);
    assert!(list.lines().all(|line| line.len() <= 100));
}

#[test]
fn long_programs_come_to_rest() {
    comes_to_rest(&format!("f({})\n", "x: g(y), ".repeat(5_000)));
    comes_to_rest(&format!("fn f() {{\n{}}}\n", "    let x = 1 // a\n".repeat(5_000)));
    comes_to_rest(&format!("choices X = \"a\"{}\n", " | \"b\"".repeat(20_000)));
}
