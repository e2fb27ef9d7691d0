//! Brackets, strings, numbers and comments that are wrong.

use super::*;

#[test]
fn a_call_that_is_never_closed() {
    insta::assert_snapshot!(rejected(
        "let a = CLIPTextEncode(clip, text: \"a cat\"\nlet b = 2\nSaveImage(b c)\n"
    ), @r#"
---- source
let a = CLIPTextEncode(clip, text: "a cat"
let b = 2
SaveImage(b c)
---- errors
parse::unclosed_bracket

  x this `(` is never closed
   ,-[main.flow:1:23]
 1 | let a = CLIPTextEncode(clip, text: "a cat"
   :                       |
   :                       `-- opened here
 2 | let b = 2
   : ^|^
   :  `-- the next statement begins here
 3 | SaveImage(b c)
   `----
  help: add the missing `)`
parse::expected

  x expected `,` or `)`, found `c`
   ,-[main.flow:3:13]
 2 | let b = 2
 3 | SaveImage(b c)
   :             |
   :             `-- a `,` may be missing before this
   `----
  help: separate what stands in `(…)` with commas
"#);
}

#[test]
fn a_bracket_closed_by_another() {
    insta::assert_snapshot!(rejected("let sizes = Batch([1, 2, 3)\n"), @r#"
---- source
let sizes = Batch([1, 2, 3)
---- errors
parse::unclosed_bracket

  x this `[` is never closed
   ,-[main.flow:1:19]
 1 | let sizes = Batch([1, 2, 3)
   :                   |       |
   :                   |       `-- this closes a bracket around it
   :                   `-- opened here
   `----
  help: add the missing `]`
"#);
}

#[test]
fn a_bracket_that_closes_nothing() {
    insta::assert_snapshot!(rejected("SaveImage(a))\nlet a = f\"x}\"\n"), @r#"
---- source
SaveImage(a))
let a = f"x}"
---- errors
parse::unopened_bracket

  x this `)` closes nothing
   ,-[main.flow:1:13]
 1 | SaveImage(a))
   :             |
   :             `-- no `(` is open here
 2 | let a = f"x}"
   `----
  help: remove it, or add the missing `(`
parse::unopened_bracket

  x this `}` closes nothing
   ,-[main.flow:2:12]
 1 | SaveImage(a))
 2 | let a = f"x}"
   :            |
   :            `-- no `{` is open here
   `----
  help: in an f-string, a brace that is text is written `}}`
"#);
}

#[test]
fn a_string_that_is_never_closed() {
    insta::assert_snapshot!(rejected("SaveImage(a, filename_prefix: \"lake)\nSaveImage(\"C:\\\")\nlet x = f\"a {b\"\n"), @r#"
---- source
SaveImage(a, filename_prefix: "lake)
SaveImage("C:\")
let x = f"a {b"
---- errors
parse::unclosed_string

  x this string is never closed
   ,-[main.flow:1:31]
 1 | SaveImage(a, filename_prefix: "lake)
   :                               |
   :                               `-- opened here
 2 | SaveImage("C:\")
   `----
  help: close it with `"` on the same line; text of many lines goes between
        `"""` and `"""`
parse::unclosed_string

  x this string is never closed
   ,-[main.flow:2:11]
 1 | SaveImage(a, filename_prefix: "lake)
 2 | SaveImage("C:\")
   :           |
   :           `-- opened here
 3 | let x = f"a {b"
   `----
  help: `\"` is a quote inside the string; a backslash before the end is
        written `\\`
parse::unclosed_bracket

  x this `{` is never closed
   ,-[main.flow:3:13]
 2 | SaveImage("C:\")
 3 | let x = f"a {b"
   :             |
   :             `-- opened here
   `----
  help: close the expression with `}` before the string ends; a brace that is
        text is written `{{`
"#);
}

#[test]
fn a_raw_string_that_is_never_closed() {
    insta::assert_snapshot!(rejected("let a = Text(\"\"\"\n  a cat\n)\n\nlet b = 1 2\n"), @r#"
---- source
let a = Text("""
  a cat
)

let b = 1 2
---- errors
parse::unclosed_string

  x this raw string is never closed
   ,-[main.flow:1:14]
 1 | let a = Text("""
   :              ^|^
   :               `-- opened here
 2 |   a cat
   `----
  help: close it with `"""`
parse::expected

  x expected the end of the statement, found `2`
   ,-[main.flow:5:11]
 4 |
 5 | let b = 1 2
   :           |
   :           `-- the statement should end before this
   `----
  help: a statement ends with its line; the next one begins on a line of its
        own
"#);
}

#[test]
fn numbers_that_are_none() {
    insta::assert_snapshot!(rejected(
        "let a = 18446744073709551616\nlet b = 12px\nlet c = .5\nlet d = 5.\nlet e = 1e999\nedition 1.5\nlet f = - 9_223_372_036_854_775_809\n"
    ), @r#"
---- source
let a = 18446744073709551616
let b = 12px
let c = .5
let d = 5.
let e = 1e999
edition 1.5
let f = - 9_223_372_036_854_775_809
---- errors
parse::bad_number

  x `18446744073709551616` does not fit an Int
   ,-[main.flow:1:9]
 1 | let a = 18446744073709551616
   :         ^^^^^^^^^^|^^^^^^^^^
   :                   `-- needs more than 64 bits
 2 | let b = 12px
   `----
  help: an Int lies between -9223372036854775808 and 18446744073709551615; a
        Float has a point or an exponent
parse::bad_number

  x `12px` is not a number
   ,-[main.flow:2:9]
 1 | let a = 18446744073709551616
 2 | let b = 12px
   :         ^^|^
   :           `-- not a number
 3 | let c = .5
   `----
  help: numbers are decimal: `20`, `1_000_000`, `0.5`, `1e-3`; a name does not
        begin with a digit
parse::bad_number

  x `.5` is not a number
   ,-[main.flow:3:9]
 2 | let b = 12px
 3 | let c = .5
   :         ^|
   :          `-- a digit is missing beside the point
 4 | let d = 5.
   `----
  help: write a digit on both sides of the point: `0.5`, `5.0`
parse::bad_number

  x `5.` is not a number
   ,-[main.flow:4:9]
 3 | let c = .5
 4 | let d = 5.
   :         ^|
   :          `-- a digit is missing beside the point
 5 | let e = 1e999
   `----
  help: write a digit on both sides of the point: `0.5`, `5.0`
parse::bad_number

  x `1e999` does not fit a Float
   ,-[main.flow:5:9]
 4 | let d = 5.
 5 | let e = 1e999
   :         ^^|^^
   :           `-- beyond the largest Float
 6 | edition 1.5
   `----
  help: a Float lies between -1.79e308 and 1.79e308
parse::bad_number

  x `1.5` is not a whole number
   ,-[main.flow:6:9]
 5 | let e = 1e999
 6 | edition 1.5
   :         ^|^
   :          `-- not a whole number
 7 | let f = - 9_223_372_036_854_775_809
   `----
  help: write a whole number, without point and exponent
parse::bad_number

  x `-9_223_372_036_854_775_809` does not fit an Int
   ,-[main.flow:7:9]
 6 | edition 1.5
 7 | let f = - 9_223_372_036_854_775_809
   :         ^^^^^^^^^^^^^|^^^^^^^^^^^^^
   :                      `-- needs more than 64 bits
   `----
  help: an Int lies between -9223372036854775808 and 18446744073709551615; a
        Float has a point or an exponent
"#);
}

#[test]
fn escapes_that_name_nothing() {
    insta::assert_snapshot!(rejected("let a = \"a \\u{110000} b\"\nlet b = f\"\\u{\"\n"), @r#"
---- source
let a = "a \u{110000} b"
let b = f"\u{"
---- errors
parse::bad_escape

  x `\u{110000}` names no character
   ,-[main.flow:1:12]
 1 | let a = "a \u{110000} b"
   :            ^^^^^|^^^^
   :                 `-- not a Unicode character
 2 | let b = f"\u{"
   `----
  help: put one to six hexadecimal digits between the braces, at most 10ffff;
        if no character is meant, double the backslash
parse::bad_escape

  x `\u{` names no character
   ,-[main.flow:2:11]
 1 | let a = "a \u{110000} b"
 2 | let b = f"\u{"
   :           ^|^
   :            `-- not a Unicode character
   `----
  help: put one to six hexadecimal digits between the braces, at most 10ffff;
        if no character is meant, double the backslash
"#);
}
