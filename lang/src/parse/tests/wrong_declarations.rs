//! Declarations that are wrong.

use super::*;

#[test]
fn declarations_in_wrong_forms() {
    insta::assert_snapshot!(rejected(
        "choices A = \"a\" | b\nnode N(a: Image | Mask?)\nnode N(a Image)\nnode N(a: Image) -> Image\nnode N(a: File<x>)\nnode N(a: List<Int>)\nchoices B \"a\"\n"
    ), @r#"
---- source
choices A = "a" | b
node N(a: Image | Mask?)
node N(a Image)
node N(a: Image) -> Image
node N(a: File<x>)
node N(a: List<Int>)
choices B "a"
---- errors
parse::expected

  x expected a choice such as `"euler"`, found `b`
   ,-[main.flow:1:19]
 1 | choices A = "a" | b
   :                   |
   :                   `-- this is not expected here
 2 | node N(a: Image | Mask?)
   `----
  help: the form is `choices Name = "a" | "b"`
parse::expected

  x expected `?` after the whole type, in parentheses, found `Mask?` in a
  | union
   ,-[main.flow:2:19]
 1 | choices A = "a" | b
 2 | node N(a: Image | Mask?)
   :                   ^^|^^
   :                     `-- this is not expected here
 3 | node N(a Image)
   `----
  help: `?` makes the whole type optional: write `(A | B)?`
parse::expected

  x expected `:` and a type after the name `a`, found `Image`
   ,-[main.flow:3:10]
 2 | node N(a: Image | Mask?)
 3 | node N(a Image)
   :          ^^|^^
   :            `-- `:` belongs before this
 4 | node N(a: Image) -> Image
   `----
  help: write `a: Type`, for example `a: Int`
parse::expected

  x expected `(`, found `Image`
   ,-[main.flow:4:21]
 3 | node N(a Image)
 4 | node N(a: Image) -> Image
   :                     ^^|^^
   :                       `-- this is not expected here
 5 | node N(a: File<x>)
   `----
  help: the form is `node Name(input: Type = default @annotation) -> (OUTPUT:
        Type)`
parse::expected

  x expected a string, found `x`
   ,-[main.flow:5:16]
 4 | node N(a: Image) -> Image
 5 | node N(a: File<x>)
   :                |
   :                `-- this is not expected here
 6 | node N(a: List<Int>)
   `----
  help: the forms are `File<"folder">` and `Match<"id", Image | Mask>`
parse::expected

  x expected the end of the type, found `<`
   ,-[main.flow:6:15]
 5 | node N(a: File<x>)
 6 | node N(a: List<Int>)
   :               |
   :               `-- the type should end before this
 7 | choices B "a"
   `----
  help: only `File<"folder">` and `Match<"id">` have parameters; a list is
        written `[T]`
parse::expected

  x expected `=`, found the string `"a"`
   ,-[main.flow:7:11]
 6 | node N(a: List<Int>)
 7 | choices B "a"
   :           ^|^
   :            `-- this is not expected here
   `----
  help: the form is `choices Name = "a" | "b"`
"#);
}

#[test]
fn types_in_wrong_forms() {
    insta::assert_snapshot!(told(&[
        "type X = FOO",
        r#"type X "FOO""#,
        "type X",
        "node N(a: List[Int])",
        "node N(a: Int[])",
        "node N(a: Match<Image>)",
        r#"node N(a: Match<"x", >)"#,
        r#"node N(a: File<"x")"#,
    ]), @r#"
---- type X = FOO
expected: expected a string, found `FOO`
  at `FOO`: this is not expected here
  help: the form is `type Name = "COMFY_NAME"`
---- type X "FOO"
expected: expected `=`, found the string `"FOO"`
  at `"FOO"`: this is not expected here
  help: the form is `type Name = "COMFY_NAME"`
---- type X
expected: expected `=`, found the end of the statement
  at the end: this is not expected here
  help: the form is `type Name = "COMFY_NAME"`
---- node N(a: List[Int])
expected: expected the end of the type, found `[`
  at `[`: the type should end before this
  help: only `File<"folder">` and `Match<"id">` have parameters; a list is written `[T]`
---- node N(a: Int[])
expected: expected the end of the type, found `[`
  at `[`: the type should end before this
  help: only `File<"folder">` and `Match<"id">` have parameters; a list is written `[T]`
---- node N(a: Match<Image>)
expected: expected a string, found `Image`
  at `Image`: this is not expected here
  help: the forms are `File<"folder">` and `Match<"id", Image | Mask>`
---- node N(a: Match<"x", >)
expected: expected a type after `,`, found `>`
  at `>`: a type belongs here
  help: a type is a name such as `Image`, choices `"a" | "b"`, `File<"loras">`, a list `[T]`, or optional: `T?`
---- node N(a: File<"x")
expected: expected `>`, found `)`
  at `)`: this is not expected here
  help: the forms are `File<"folder">` and `Match<"id", Image | Mask>`
"#);
}

#[test]
fn choices_in_wrong_forms() {
    insta::assert_snapshot!(told(&[
        r#"choices X = ["a", "b"]"#,
        r#"choices X = "a", "b""#,
        "choices X =",
        r#"node N(a: "x" { b Int })"#,
        r#"node N(a: "x" { b: Int, c })"#,
    ]), @r#"
---- choices X = ["a", "b"]
expected: expected `|` or a choice such as `"euler"`, found `[`
  at `[`: this is not expected here
  help: the form is `choices Name = "a" | "b"`
---- choices X = "a", "b"
expected: expected `|` or the end of the statement, found `,`
  at `,`: this is not expected here
  help: the form is `choices Name = "a" | "b"`
---- choices X =
expected: expected `|` or a choice such as `"euler"`, found the end of the statement
  at the end: this is not expected here
  help: the form is `choices Name = "a" | "b"`
---- node N(a: "x" { b Int })
expected: expected `:` and a type after the name `b`, found `Int`
  at `Int`: `:` belongs before this
  help: write `b: Type`, for example `b: Int`
---- node N(a: "x" { b: Int, c })
expected: expected `:` and a type after the name `c`, found `}`
  at `}`: `:` belongs before this
  help: write `c: Type`, for example `c: Int`
"#);
}

#[test]
fn inputs_in_wrong_forms() {
    insta::assert_snapshot!(told(&[
        "node N(a: Int = 1 in 0..=3)",
        "node N(a: Int @min 3)",
        "node N(a)",
        "node N a: Int",
        "node N(a: Int) -> (b)",
    ]), @r#"
---- node N(a: Int = 1 in 0..=3)
expected: expected `in` before the default value, found `in`
  at `in`: this comes too late
  help: the form is `name: Type in lo..=hi = default`
---- node N(a: Int @min 3)
expected: expected `(` and arguments or what the annotation belongs to, found `3`
  at `3`: this is not expected here
  help: the form is `node Name(input: Type = default @annotation) -> (OUTPUT: Type)`
---- node N(a)
expected: expected `:` and a type after the name `a`, found `)`
  at `)`: `:` belongs before this
  help: write `a: Type`, for example `a: Int`
---- node N a: Int
expected: expected `(`, found `a`
  at `a`: this is not expected here
  help: the form is `node Name(input: Type = default @annotation) -> (OUTPUT: Type)`
---- node N(a: Int) -> (b)
expected: expected `:` and a type after the name `b`, found `)`
  at `)`: `:` belongs before this
  help: write `b: Type`, for example `b: Int`
"#);
}
