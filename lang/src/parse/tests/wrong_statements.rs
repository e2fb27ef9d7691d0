//! Statements that are wrong.

use super::*;

#[test]
fn a_statement_that_is_none() {
    insta::assert_snapshot!(rejected("x = 3\npram steps: Int = 3\nsteps\n= 4\nlet a = 1; let b = 2\n"), @r#"
---- source
x = 3
pram steps: Int = 3
steps
= 4
let a = 1; let b = 2
---- errors
parse::expected

  x expected `let` before `x = …`, found `=`
   ,-[main.flow:1:3]
 1 | x = 3
   :   |
   :   `-- `let` is missing before the name
 2 | pram steps: Int = 3
   `----
  help: write `let x = …` to give a value the name `x`
parse::expected

  x expected `(` and the arguments of a call after `pram`, found `steps`
   ,-[main.flow:2:6]
 1 | x = 3
 2 | pram steps: Int = 3
   :      ^^|^^
   :        `-- this does not belong here
 3 | steps
   `----
  help: a statement is a call `Name(…)`, or begins with a word such as `let`,
        `param`, `fn` or `use`
parse::expected

  x expected a call, found the value `steps` on its own
   ,-[main.flow:3:1]
 2 | pram steps: Int = 3
 3 | steps
   : ^^|^^
   :   `-- this value is not used
 4 | = 4
   `----
  help: name the value with `let name = …`, or pass it to a call
parse::expected

  x expected a statement, found `=`
   ,-[main.flow:4:1]
 3 | steps
 4 | = 4
   : |
   : `-- this does not belong here
 5 | let a = 1; let b = 2
   `----
  help: a statement is a call `Name(…)`, or begins with a word such as `let`,
        `param`, `fn` or `use`
parse::foreign

  x Floe has no `;`
   ,-[main.flow:5:10]
 4 | = 4
 5 | let a = 1; let b = 2
   :          |
   :          `-- this is of another language
   `----
  help: a statement ends with its line: leave `;` out
"#);
}

#[test]
fn params_in_wrong_forms() {
    insta::assert_snapshot!(rejected(
        "param steps Int = 3\nparam steps: = 3\nparam steps: Int in 1..150 = 3\nparam 3: Int\nparam s: Int @a\n"
    ), @r#"
---- source
param steps Int = 3
param steps: = 3
param steps: Int in 1..150 = 3
param 3: Int
param s: Int @a
---- errors
parse::expected

  x expected `:` and a type after the name `steps`, found `Int`
   ,-[main.flow:1:13]
 1 | param steps Int = 3
   :             ^|^
   :              `-- `:` belongs before this
 2 | param steps: = 3
   `----
  help: write `steps: Type`, for example `steps: Int`
parse::expected

  x expected a type after `:`, found `=`
   ,-[main.flow:2:14]
 1 | param steps Int = 3
 2 | param steps: = 3
   :              |
   :              `-- a type belongs here
 3 | param steps: Int in 1..150 = 3
   `----
  help: a type is a name such as `Image`, choices `"a" | "b"`,
        `File<"loras">`, a list `[T]`, or optional: `T?`
parse::expected

  x expected a range `lo..=hi` or a list after `in`, found `..`
   ,-[main.flow:3:22]
 2 | param steps: = 3
 3 | param steps: Int in 1..150 = 3
   :                      ^|
   :                       `-- this is not expected here
 4 | param 3: Int
   `----
  help: both ends of a range are included and written with `..=`: `in 1..=150`
parse::expected

  x expected a name after `param`, found `3`
   ,-[main.flow:4:7]
 3 | param steps: Int in 1..150 = 3
 4 | param 3: Int
   :       |
   :       `-- a name belongs here
 5 | param s: Int @a
   `----
  help: a name has letters, digits and `_`; any other name, and a keyword,
        goes in backticks
parse::expected

  x expected `=`, `?`, `in`, `|` or the end of the statement, found `@`
   ,-[main.flow:5:14]
 4 | param 3: Int
 5 | param s: Int @a
   :              |
   :              `-- this is not expected here
   `----
  help: the form is `param name: Type in lo..=hi = default`; annotations go
        before `param`
"#);
}

#[test]
fn lets_in_wrong_forms() {
    insta::assert_snapshot!(rejected("let x 3\nlet true = 3\nlet (a, 3) = f()\nlet x: Int = 3\nlet größe = 3\n"), @r#"
---- source
let x 3
let true = 3
let (a, 3) = f()
let x: Int = 3
let größe = 3
---- errors
parse::expected

  x expected `=` and a value after `x`, found `3`
   ,-[main.flow:1:7]
 1 | let x 3
   :       |
   :       `-- `=` belongs here
 2 | let true = 3
   `----
  help: the value follows `=`; types of `let` names are inferred
parse::expected

  x expected a name after `let`, found `true`
   ,-[main.flow:2:5]
 1 | let x 3
 2 | let true = 3
   :     ^^|^
   :       `-- a name belongs here
 3 | let (a, 3) = f()
   `----
  help: a name has letters, digits and `_`; any other name, and a keyword,
        goes in backticks
parse::expected

  x expected a name after `,`, found `3`
   ,-[main.flow:3:9]
 2 | let true = 3
 3 | let (a, 3) = f()
   :         |
   :         `-- a name belongs here
 4 | let x: Int = 3
   `----
  help: a name has letters, digits and `_`; any other name, and a keyword,
        goes in backticks
parse::expected

  x expected `=` and a value after `x`, found `:`
   ,-[main.flow:4:6]
 3 | let (a, 3) = f()
 4 | let x: Int = 3
   :      |
   :      `-- `=` belongs here
 5 | let größe = 3
   `----
  help: the value follows `=`; types of `let` names are inferred
parse::expected

  x expected a name in backticks, found `größe`
   ,-[main.flow:5:5]
 4 | let x: Int = 3
 5 | let größe = 3
   :     ^^|^^
   :       `-- this name needs backticks
   `----
  help: a bare name has ASCII letters, digits and `_`; write `größe`
"#);
}

#[test]
fn an_edition_that_comes_too_late() {
    insta::assert_snapshot!(rejected("edition 1\nlet a = 1\nedition 2\n"), @r#"
---- source
edition 1
let a = 1
edition 2
---- errors
parse::misplaced_edition

  x `edition` must be the first statement
   ,-[main.flow:1:1]
 1 | edition 1
   : ^^^^|^^^^
   :     `-- the edition is already stated here
 2 | let a = 1
 3 | edition 2
   : ^^^^|^^^^
   :     `-- this comes too late
   `----
  help: one file has one edition, stated once, before everything but `//!`
        lines
"#);
}

#[test]
fn docs_that_describe_nothing() {
    insta::assert_snapshot!(rejected(
        "/// An edition.\nedition 1\n//! Late.\nlet a = F(\n    /// Inside.\n    x: 1,\n)\nlet b = 1 /// After.\n/// The end.\n"
    ), @r#"
---- source
/// An edition.
edition 1
//! Late.
let a = F(
    /// Inside.
    x: 1,
)
let b = 1 /// After.
/// The end.
---- errors
parse::stray_doc

  x this documentation describes nothing
   ,-[main.flow:1:1]
 1 | /// An edition.
   : ^^^^^^^|^^^^^^^
   :        `-- an edition has no documentation
 2 | edition 1
   `----
  help: use `//!` to describe the file, `//` for a remark
parse::stray_doc

  x this documentation describes nothing
   ,-[main.flow:3:1]
 2 | edition 1
 3 | //! Late.
   : ^^^^|^^^^
   :     `-- `//!` describes the file and stands at its top
 4 | let a = F(
   `----
  help: move it to the top, or use `///` for the next statement or `//` for a
        remark
parse::stray_doc

  x this documentation describes nothing
   ,-[main.flow:5:5]
 4 | let a = F(
 5 |     /// Inside.
   :     ^^^^^|^^^^^
   :          `-- this stands inside a statement
 6 |     x: 1,
   `----
  help: `///` goes on lines of its own before a statement and its annotations,
        or before an input or output of a `node`; use `//` for a remark
parse::stray_doc

  x this documentation describes nothing
   ,-[main.flow:8:11]
 7 | )
 8 | let b = 1 /// After.
   :           ^^^^^|^^^^
   :                `-- this stands inside a statement
 9 | /// The end.
   `----
  help: `///` goes on lines of its own before a statement and its annotations,
        or before an input or output of a `node`; use `//` for a remark
parse::stray_doc

  x this documentation describes nothing
   ,-[main.flow:9:1]
 8 | let b = 1 /// After.
 9 | /// The end.
   : ^^^^^^|^^^^^
   :       `-- nothing follows this
   `----
  help: `///` describes the statement after it; use `//` for a remark
"#);
}

#[test]
fn uses_in_wrong_forms() {
    insta::assert_snapshot!(told(&[
        r#"use "./x.flow""#,
        r#"use "./x.flow" as"#,
        "use std::sampling::*",
        "use std.sampling",
        "use std::sampling::{a b}",
        "use std::sampling::{a as}",
        r#"use { a } from "x.flow""#,
        "use std::a as b::{c}",
        "use",
    ]), @r#"
---- use "./x.flow"
expected: expected `::` or `as` and a name, found the end of the statement
  at the end: this is not expected here
  help: the form is `use std::module::{a, b as c}`, `use std::module` or `use "./file.flow" as name`
---- use "./x.flow" as
expected: expected a name after `as`, found the end of the statement
  at the end: a name belongs here
  help: a name has letters, digits and `_`; any other name, and a keyword, goes in backticks
---- use std::sampling::*
expected: expected `{` or a name, found `*`
  at `*`: this is not expected here
  help: the form is `use std::module::{a, b as c}`, `use std::module` or `use "./file.flow" as name`
---- use std.sampling
expected: expected `::`, `as` and a name or the end of the statement, found `.`
  at `.`: this is not expected here
  help: the form is `use std::module::{a, b as c}`, `use std::module` or `use "./file.flow" as name`
---- use std::sampling::{a b}
expected: expected `,` or `}`, found `b`
  at `b`: a `,` may be missing before this
  help: separate what stands in `{…}` with commas
---- use std::sampling::{a as}
expected: expected a name after `as`, found `}`
  at `}`: a name belongs here
  help: a name has letters, digits and `_`; any other name, and a keyword, goes in backticks
---- use { a } from "x.flow"
expected: expected a name or a string, found `{`
  at `{`: this is not expected here
  help: the form is `use std::module::{a, b as c}`, `use std::module` or `use "./file.flow" as name`
---- use std::a as b::{c}
expected: expected the end of the statement, found `::`
  at `::`: the statement should end before this
  help: a statement ends with its line; the next one begins on a line of its own
---- use
expected: expected a name or a string, found the end of the statement
  at the end: this is not expected here
  help: the form is `use std::module::{a, b as c}`, `use std::module` or `use "./file.flow" as name`
"#);
}

#[test]
fn names_given_in_wrong_forms() {
    insta::assert_snapshot!(told(&[
        "let x",
        "let = 3",
        "let for = 3",
        "let a, b = F()",
        "let [a, b] = F()",
        "let (a b) = F()",
        "let _ = F()",
        "const x",
        "const x: = 3",
    ]), @r#"
---- let x
expected: expected `=` and a value after `x`, found the end of the statement
  at the end: `=` belongs here
  help: the value follows `=`; types of `let` names are inferred
---- let = 3
expected: expected a name after `let`, found `=`
  at `=`: a name belongs here
  help: a name has letters, digits and `_`; any other name, and a keyword, goes in backticks
---- let for = 3
expected: expected a name after `let`, found `for`
  at `for`: a name belongs here
  help: a name has letters, digits and `_`; any other name, and a keyword, goes in backticks
---- let a, b = F()
expected: expected parentheses around several names, found `,`
  at `,`: several names stand in parentheses
  help: the form is `let (a, b) = value`; `_` stands for what is not needed
---- let [a, b] = F()
expected: expected parentheses around several names, found `[`
  at `[`: several names stand in parentheses
  help: the form is `let (a, b) = value`; `_` stands for what is not needed
---- let (a b) = F()
expected: expected `,` or `)`, found `b`
  at `b`: a `,` may be missing before this
  help: separate what stands in `(…)` with commas
---- let _ = F()
expected: expected a name after `let`, found `_`
  at `_`: a name belongs here
  help: `_` stands only in `(a, _)`; a name that is not needed may be any, such as `_unused`
---- const x
expected: expected `:` or `=`, found the end of the statement
  at the end: this is not expected here
  help: the form is `const NAME = value` or `const NAME: Type = value`
---- const x: = 3
expected: expected a type after `:`, found `=`
  at `=`: a type belongs here
  help: a type is a name such as `Image`, choices `"a" | "b"`, `File<"loras">`, a list `[T]`, or optional: `T?`
"#);
}

#[test]
fn asserts_in_wrong_forms() {
    insta::assert_snapshot!(told(&[
        "assert",
        r#"assert (a > 1, "too small")"#,
        r#"assert a > 1 "too small""#,
        "assert a,",
    ]), @r#"
---- assert
expected: expected a value after `assert`, found the end of the statement
  at the end: a value belongs here
  help: a value is a number, a string, `true`, `false`, `none`, a list `[…]`, a name, a call `Name(…)`, or an expression of these
---- assert (a > 1, "too small")
expected: expected one condition after `assert`, found several values in parentheses
  at `(a > 1, "too small")`: a single condition belongs here
  help: write it without parentheses: `assert condition, "message"`
---- assert a > 1 "too small"
expected: expected `,` before the message, found the string `"too small"`
  at `"too small"`: this is not expected here
  help: the form is `assert condition, "message"`
---- assert a,
expected: expected a value after `,`, found the end of the statement
  at the end: a value belongs here
  help: a value is a number, a string, `true`, `false`, `none`, a list `[…]`, a name, a call `Name(…)`, or an expression of these
"#);
}

#[test]
fn annotations_in_wrong_forms() {
    insta::assert_snapshot!(told(&[
        r#"@label("x")"#,
        "@ F(x)",
        "let x = @y",
        "@a 3",
    ]), @r#"
---- @label("x")
expected: expected `(` and arguments or what the annotation belongs to, found the end of the statement
  at the end: this is not expected here
  help: the form is `@name(arguments)`, followed by a statement or a call
---- @ F(x)
expected: expected `(` and arguments or what the annotation belongs to, found the end of the statement
  at the end: this is not expected here
  help: the form is `@name(arguments)`, followed by a statement or a call
---- let x = @y
expected: expected `(` and arguments or what the annotation belongs to, found the end of the statement
  at the end: this is not expected here
  help: the form is `let name = value` or `let (a, _, c) = value`
---- @a 3
expected: expected a call, found the value `3` on its own
  at `3`: this value is not used
  help: name the value with `let name = …`, or pass it to a call
"#);
}

#[test]
fn words_on_their_own() {
    insta::assert_snapshot!(told(&[
        "edition",
        r#"edition "1""#,
        "param",
        "param x: Int = 3 in 1..=3",
        "param int x = 3",
        "SaveImage images: x",
    ]), @r#"
---- edition
expected: expected the number of the edition, found the end of the statement
  at the end: this is not expected here
  help: write edition as a whole number, such as `edition 1`
---- edition "1"
expected: expected the number of the edition, found the string `"1"`
  at `"1"`: this is not expected here
  help: write edition as a whole number, such as `edition 1`
---- param
expected: expected a name after `param`, found the end of the statement
  at the end: a name belongs here
  help: a name has letters, digits and `_`; any other name, and a keyword, goes in backticks
---- param x: Int = 3 in 1..=3
expected: expected `in` before the default value, found `in`
  at `in`: this comes too late
  help: the form is `name: Type in lo..=hi = default`
---- param int x = 3
expected: expected `:` and a type after the name `int`, found `x`
  at `x`: `:` belongs before this
  help: write `int: Type`, for example `int: Int`
---- SaveImage images: x
expected: expected `(` and the arguments of a call after `SaveImage`, found `images`
  at `images`: this does not belong here
  help: a statement is a call `Name(…)`, or begins with a word such as `let`, `param`, `fn` or `use`
"#);
}
