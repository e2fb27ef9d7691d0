//! Operators that are wrong.

use super::*;

#[test]
fn an_operand_is_missing() {
    insta::assert_snapshot!(told(&[
        "let x = 1 +",
        "let x = * 3",
        "let x = !",
        "let x = -",
        "let x = a == ",
        "F(a: -, b: 1)",
    ]), @r#"
---- let x = 1 +
expected: expected a value after `+`, found the end of the statement
  at the end: a value belongs here
  help: a value is a number, a string, `true`, `false`, `none`, a list `[…]`, a name, a call `Name(…)`, or an expression of these
---- let x = * 3
expected: expected a value after `=`, found `*`
  at `*`: a value belongs here
  help: a value is a number, a string, `true`, `false`, `none`, a list `[…]`, a name, a call `Name(…)`, or an expression of these
---- let x = !
expected: expected a value after `!`, found the end of the statement
  at the end: a value belongs here
  help: a value is a number, a string, `true`, `false`, `none`, a list `[…]`, a name, a call `Name(…)`, or an expression of these
---- let x = -
expected: expected a value after `-`, found the end of the statement
  at the end: a value belongs here
  help: a value is a number, a string, `true`, `false`, `none`, a list `[…]`, a name, a call `Name(…)`, or an expression of these
---- let x = a ==
expected: expected a value after `==`, found the end of the statement
  at the end: a value belongs here
  help: a value is a number, a string, `true`, `false`, `none`, a list `[…]`, a name, a call `Name(…)`, or an expression of these
---- F(a: -, b: 1)
expected: expected a value after `-`, found `,`
  at `,`: a value belongs here
  help: a value is a number, a string, `true`, `false`, `none`, a list `[…]`, a name, a call `Name(…)`, or an expression of these
"#);
}

#[test]
fn comparisons_that_chain() {
    insta::assert_snapshot!(told(&[
        "let x = a < b < c",
        r#"assert 1 <= a <= 3, "no""#,
        "let x = a == b == c",
        "let x = F(a != b < c)",
    ]), @r#"
---- let x = a < b < c
chained_comparison: comparisons do not chain
  at `<`: this compares two values; and this would compare its result
  help: compare two values at a time: `a < b && b < c`; parentheses say what is compared with a result
---- assert 1 <= a <= 3, "no"
chained_comparison: comparisons do not chain
  at `<=`: this compares two values; and this would compare its result
  help: compare two values at a time: `a < b && b < c`; parentheses say what is compared with a result
---- let x = a == b == c
chained_comparison: comparisons do not chain
  at `==`: this compares two values; and this would compare its result
  help: compare two values at a time: `a < b && b < c`; parentheses say what is compared with a result
---- let x = F(a != b < c)
chained_comparison: comparisons do not chain
  at `<`: this compares two values; and this would compare its result
  help: compare two values at a time: `a < b && b < c`; parentheses say what is compared with a result
"#);
}

#[test]
fn ranges_that_are_no_lists() {
    insta::assert_snapshot!(told(&[
        "let x = 0..4",
        "for i in 0..=4 { F(i) }",
    ]), @r#"
---- let x = 0..4
expected: expected a list such as `range(4)`, found `..`
  at `..`: this is no list
  help: `range(4)` is the list 0, 1, 2, 3; `lo..=hi` stands only after the `in` of a `param` or an input
---- for i in 0..=4 { F(i) }
expected: expected a list such as `range(4)`, found `..=`
  at `..=`: this is no list
  help: `range(4)` is the list 0, 1, 2, 3; `lo..=hi` stands only after the `in` of a `param` or an input
"#);
}

#[test]
fn indices_that_are_wrong() {
    insta::assert_snapshot!(told(&[
        "let x = a[]",
        "let x = a[1, 2]",
        "let x = a[1:2]",
    ]), @r#"
---- let x = a[]
expected: expected a value after `[`, found `]`
  at `]`: a value belongs here
  help: a value is a number, a string, `true`, `false`, `none`, a list `[…]`, a name, a call `Name(…)`, or an expression of these
---- let x = a[1, 2]
expected: expected `]` after the index, found `,`
  at `,`: the index should end before this
  help: an element is taken by its place, from 0: `list[0]`; parts of lists are made with `for`
---- let x = a[1:2]
expected: expected `]` after the index, found `:`
  at `:`: the index should end before this
  help: an element is taken by its place, from 0: `list[0]`; parts of lists are made with `for`
"#);
}

#[test]
fn members_that_are_wrong() {
    insta::assert_snapshot!(told(&[
        "let x = a.",
        "let x = a.0(b)",
        "let x = F(a)(b)",
        "let x = a::b::",
        "let x = ::b",
    ]), @r#"
---- let x = a.
expected: expected the name or the number of an output after `.`, found the end of the statement
  at the end: a name belongs here
  help: write `.name` or `.0` to take one output of a node
---- let x = a.0(b)
expected: expected the end of the value, found `(`
  at `(b)`: the value should end before this
  help: what is called is a name: `Name(…)`, `module::name(…)` or `value.name(…)`
---- let x = F(a)(b)
expected: expected the end of the value, found `(`
  at `(`: the value should end before this
  help: what is called is a name: `Name(…)`, `module::name(…)` or `value.name(…)`
---- let x = a::b::
expected: expected a name, found the end of the statement
  at the end: this is not expected here
  help: the form is `let name = value` or `let (a, _, c) = value`
---- let x = ::b
expected: expected a value after `=`, found `::`
  at `::`: a value belongs here
  help: a value is a number, a string, `true`, `false`, `none`, a list `[…]`, a name, a call `Name(…)`, or an expression of these
"#);
}

#[test]
fn parentheses_that_are_wrong() {
    insta::assert_snapshot!(told(&[
        "let x = ()",
        "let x = (1,)",
        "let x = (1 2)",
        "let x = (1, 2",
    ]), @r#"
---- let x = ()
expected: expected a value after `(`, found `)`
  at `)`: a value belongs here
  help: a value is a number, a string, `true`, `false`, `none`, a list `[…]`, a name, a call `Name(…)`, or an expression of these
---- let x = (1,)
expected: expected a value after `,`, found `)`
  at `)`: a value belongs here
  help: a value is a number, a string, `true`, `false`, `none`, a list `[…]`, a name, a call `Name(…)`, or an expression of these
---- let x = (1 2)
expected: expected `,` or `)`, found `2`
  at `2`: a `,` may be missing before this
  help: separate what stands in `(…)` with commas
---- let x = (1, 2
unclosed_bracket: this `(` is never closed
  at `(`: opened here
  help: add the missing `)`
"#);
}
