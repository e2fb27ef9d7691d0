//! Calls, lists and records that are wrong.

use super::*;

#[test]
fn an_argument_without_its_colon() {
    insta::assert_snapshot!(rejected("KSampler(model, steps 20)\nKSampler(model, steps = 20)\n"), @r#"
---- source
KSampler(model, steps 20)
KSampler(model, steps = 20)
---- errors
parse::expected

  x expected `:` and a value after the argument name `steps`, found `20`
   ,-[main.flow:1:23]
 1 | KSampler(model, steps 20)
   :                       ^|
   :                        `-- a `:` is missing before this
 2 | KSampler(model, steps = 20)
   `----
  help: write `steps: value`; `steps:` alone passes the value named `steps`
parse::expected

  x expected `:` and a value after the argument name `steps`, found `=`
   ,-[main.flow:2:23]
 1 | KSampler(model, steps 20)
 2 | KSampler(model, steps = 20)
   :                       |
   :                       `-- `:` belongs here
   `----
  help: write `steps: value`; `steps:` alone passes the value named `steps`
"#);
}

#[test]
fn arguments_without_a_comma() {
    insta::assert_snapshot!(rejected("KSampler(steps: 20 cfg: 5.0)\nlet l = [1 2]\nF(clip text: 1)\n"), @r#"
---- source
KSampler(steps: 20 cfg: 5.0)
let l = [1 2]
F(clip text: 1)
---- errors
parse::expected

  x expected `,` or `)`, found `cfg`
   ,-[main.flow:1:20]
 1 | KSampler(steps: 20 cfg: 5.0)
   :                    ^|^
   :                     `-- a `,` may be missing before this
 2 | let l = [1 2]
   `----
  help: separate what stands in `(…)` with commas
parse::expected

  x expected `,` or `]`, found `2`
   ,-[main.flow:2:12]
 1 | KSampler(steps: 20 cfg: 5.0)
 2 | let l = [1 2]
   :            |
   :            `-- a `,` may be missing before this
 3 | F(clip text: 1)
   `----
  help: separate what stands in `[…]` with commas
parse::expected

  x expected `,` or `)`, found `text`
   ,-[main.flow:3:8]
 2 | let l = [1 2]
 3 | F(clip text: 1)
   :        ^^|^
   :          `-- a `,` may be missing before this
   `----
  help: separate what stands in `(…)` with commas
"#);
}

#[test]
fn a_value_is_missing() {
    insta::assert_snapshot!(rejected("let x =\nKSampler(steps: , cfg: = 5)\nlet y = f\"{}\"\n"), @r#"
---- source
let x =
KSampler(steps: , cfg: = 5)
let y = f"{}"
---- errors
parse::expected

  x expected a value after `:`, found `=`
   ,-[main.flow:2:24]
 1 | let x =
 2 | KSampler(steps: , cfg: = 5)
   :                        |
   :                        `-- a value belongs here
 3 | let y = f"{}"
   `----
  help: a value is a number, a string, `true`, `false`, `none`, a list `[…]`,
        a name, a call `Name(…)`, or an expression of these
parse::expected

  x expected a value after `{`, found `}`
   ,-[main.flow:3:12]
 2 | KSampler(steps: , cfg: = 5)
 3 | let y = f"{}"
   :            |
   :            `-- a value belongs here
   `----
  help: a value is a number, a string, `true`, `false`, `none`, a list `[…]`,
        a name, a call `Name(…)`, or an expression of these
"#);
}

#[test]
fn a_positional_argument_after_a_named_one() {
    insta::assert_snapshot!(rejected("SaveImage(filename_prefix: \"a\", VAEDecode(x, vae:))\n"), @r#"
---- source
SaveImage(filename_prefix: "a", VAEDecode(x, vae:))
---- errors
parse::misplaced_positional

  x a positional argument cannot follow a named one
   ,-[main.flow:1:11]
 1 | SaveImage(filename_prefix: "a", VAEDecode(x, vae:))
   :           ^^^^^^^^^^|^^^^^^^^^  ^^^^^^^^^|^^^^^^^^
   :                     |                    `-- this has no name
   :                     `-- the first named argument is here
   `----
  help: move it before the named arguments, or name it: `input: VAEDecode(x,
        vae:)`
"#);
}

#[test]
fn names_that_are_no_names() {
    insta::assert_snapshot!(told(&[
        r#"F("x": 1)"#,
        r#"let x = { "a": 1 }"#,
        "F(resize_type.width: 512)",
        "F(größe: 1)",
    ]), @r#"
---- F("x": 1)
expected: expected a name without quotes before `:`, found the string `"x"`
  at `"x"`: this belongs to a name
  help: names of arguments stand without quotes: x: …
---- let x = { "a": 1 }
expected: expected a name without quotes before `:`, found the string `"a"`
  at `"a"`: this belongs to a name
  help: names of arguments stand without quotes: a: …
---- F(resize_type.width: 512)
expected: expected `:` and a value after the argument name `resize_type`, found `.`
  at `.`: the name of an input has no point
  help: inputs of a choice stand in braces after it: `resize_type: "choice" { width: value }`
---- F(größe: 1)
expected: expected a name in backticks, found `größe`
  at `größe`: this name needs backticks
  help: a bare name has ASCII letters, digits and `_`; write `größe`
"#);
}

#[test]
fn records_that_are_wrong() {
    insta::assert_snapshot!(told(&[
        "let x = { a: 1, b }",
        "let x = { a = 1 }",
        "let x = { a: 1 b: 2 }",
        r#"F(mode: "a" { b = 1 })"#,
        r#"let x = "a" { b: 1 }"#,
        r#"F(mode: "a" { 1 })"#,
    ]), @r#"
---- let x = { a: 1, b }
expected: expected `:` and a value after the argument name `b`, found `}`
  at `}`: a `:` is missing before this
  help: write `b: value`; `b:` alone passes the value named `b`
---- let x = { a = 1 }
expected: expected `:` and a value after the argument name `a`, found `=`
  at `=`: `:` belongs here
  help: write `a: value`; `a:` alone passes the value named `a`
---- let x = { a: 1 b: 2 }
expected: expected `,` or `}`, found `b`
  at `b`: a `,` may be missing before this
  help: separate what stands in `{…}` with commas
---- F(mode: "a" { b = 1 })
expected: expected `:` and a value after the argument name `b`, found `=`
  at `=`: `:` belongs here
  help: write `b: value`; `b:` alone passes the value named `b`
---- let x = "a" { b: 1 }
expected: expected the end of the value, found `{`
  at `{`: the value should end before this
  help: a block follows `if`, `else`, `for` or `fn`; the inputs of a choice stand in an argument: `mode: "choice" { input: value }`
---- F(mode: "a" { 1 })
expected: expected `}` or a name, found `1`
  at `1`: this is not expected here
  help: the form is `{ name: value }`
"#);
}

#[test]
fn lists_that_are_wrong() {
    insta::assert_snapshot!(told(&[
        "F(x, , y)",
        "F(, x)",
        "let x = [1, , 2]",
        "F(...args)",
        "F(a: b: 1)",
        "let x = [1, 2\nlet y = 3",
    ]), @r#"
---- F(x, , y)
expected: expected a value after `,`, found `,`
  at `,`: a value belongs here
  help: a value is a number, a string, `true`, `false`, `none`, a list `[…]`, a name, a call `Name(…)`, or an expression of these
---- F(, x)
expected: expected a value after `(`, found `,`
  at `,`: a value belongs here
  help: a value is a number, a string, `true`, `false`, `none`, a list `[…]`, a name, a call `Name(…)`, or an expression of these
---- let x = [1, , 2]
expected: expected a value after `,`, found `,`
  at `,`: a value belongs here
  help: a value is a number, a string, `true`, `false`, `none`, a list `[…]`, a name, a call `Name(…)`, or an expression of these
---- F(...args)
expected: expected a value after `(`, found `..`
  at `..`: a value belongs here
  help: a value is a number, a string, `true`, `false`, `none`, a list `[…]`, a name, a call `Name(…)`, or an expression of these
---- F(a: b: 1)
expected: expected `,` or `)`, found `:`
  at `:`: this follows no name
  help: separate what stands in `(…)` with commas
---- let x = [1, 2
     let y = 3
unclosed_bracket: this `[` is never closed
  at `[`: opened here; the next statement begins here
  help: add the missing `]`
"#);
}

#[test]
fn interpolations_that_are_wrong() {
    insta::assert_snapshot!(told(&[
        r#"let x = f"a {b c}""#,
        r#"let x = f"{x:.2f}""#,
        r#"let x = f"a {b} c}""#,
        r#"let x = f"""a {b c}""""#,
        "let x = f\"\"\"\n  a } b\n\"\"\"\nlet y = 2",
        "let x = f\"\"\"a {b\nlet y = 2",
    ]), @r#"
---- let x = f"a {b c}"
expected: expected `}` after the expression, found `c`
  at `c`: the expression should end before this
  help: in an f-string `{…}` holds one expression; braces that are text are doubled: `{{` and `}}`
---- let x = f"{x:.2f}"
expected: expected `}` after the expression, found `:`
  at `:`: the expression should end before this
  help: in an f-string `{…}` holds one expression; braces that are text are doubled: `{{` and `}}`
---- let x = f"a {b} c}"
unopened_bracket: this `}` closes nothing
  at `}`: no `{` is open here
  help: in an f-string, a brace that is text is written `}}`
---- let x = f"""a {b c}"""
expected: expected `}` after the expression, found `c`
  at `c`: the expression should end before this
  help: in an f-string `{…}` holds one expression; braces that are text are doubled: `{{` and `}}`
---- let x = f"""
       a } b
     """
     let y = 2
unopened_bracket: this `}` closes nothing
  at `}`: no `{` is open here
  help: in an f-string, a brace that is text is written `}}`
---- let x = f"""a {b
     let y = 2
unclosed_string: this f-string of many lines is never closed
  at `f"""`: opened here
  help: close it with `"""`
"#);
}
