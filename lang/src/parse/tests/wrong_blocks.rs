//! `if`, `for`, `fn` and blocks that are wrong.

use super::*;

#[test]
fn an_equals_sign_that_compares() {
    insta::assert_snapshot!(told(&[
        "let x = if a = 1 { 2 } else { 3 }",
        "let x = if (a = 1) { 2 } else { 3 }",
        "assert a = 1",
        "fn f() {\n    x = 3\n    F(x)\n}",
    ]), @r#"
---- let x = if a = 1 { 2 } else { 3 }
expected: expected `==`, found `=`
  at `=`: `==` belongs here
  help: `==` compares; `=` gives a name its value, in `let` and `param`
---- let x = if (a = 1) { 2 } else { 3 }
expected: expected `==`, found `=`
  at `=`: `==` belongs here
  help: `==` compares; `=` gives a name its value, in `let` and `param`
---- assert a = 1
expected: expected `==`, found `=`
  at `=`: `==` belongs here
  help: `==` compares; `=` gives a name its value, in `let` and `param`
---- fn f() {
         x = 3
         F(x)
     }
expected: expected `let` before `x = …`, found `=`
  at `=`: `let` is missing before the name
  help: write `let x = …` to give a value the name `x`
"#);
}

#[test]
fn an_if_without_its_parts() {
    insta::assert_snapshot!(told(&[
        "let x = if",
        "let x = if a",
        "let x = if { 1 }",
        "if a { 1 } else if { 2 }",
        "let x = if a 1 else 2",
        "if a:\n    F(x)",
        "if a { 1 } else b { 2 }",
        "if a { 1 } else",
        "if a { 1 } { 2 }",
    ]), @r#"
---- let x = if
expected: expected a value after `if`, found the end of the statement
  at the end: a value belongs here
  help: a value is a number, a string, `true`, `false`, `none`, a list `[…]`, a name, a call `Name(…)`, or an expression of these
---- let x = if a
expected: expected a block `{ … }` after the condition of `if`, found the end of the statement
  at the end: `{` belongs before this
  help: the forms are `if a { … } else { … }`, `for x in list { … }`, `fn name(a: Type) -> Type { … }`
---- let x = if { 1 }
expected: expected a value after `if`, found `{`
  at `{`: a value belongs here
  help: a value is a number, a string, `true`, `false`, `none`, a list `[…]`, a name, a call `Name(…)`, or an expression of these
---- if a { 1 } else if { 2 }
expected: expected a value after `if`, found `{`
  at `{`: a value belongs here
  help: a value is a number, a string, `true`, `false`, `none`, a list `[…]`, a name, a call `Name(…)`, or an expression of these
---- let x = if a 1 else 2
expected: expected a block `{ … }` after the condition of `if`, found `1`
  at `1`: `{` belongs before this
  help: the forms are `if a { … } else { … }`, `for x in list { … }`, `fn name(a: Type) -> Type { … }`
---- if a:
         F(x)
expected: expected a block `{ … }` after the condition of `if`, found `:`
  at `:`: `{` belongs before this
  help: the forms are `if a { … } else { … }`, `for x in list { … }`, `fn name(a: Type) -> Type { … }`
---- if a { 1 } else b { 2 }
expected: expected a block `{ … }` after `else`, found `b`
  at `b`: `{` belongs before this
  help: the form is `else { … }`; another condition follows `else if`
---- if a { 1 } else
expected: expected a block `{ … }` after `else`, found the end of the statement
  at the end: `{` belongs before this
  help: the form is `else { … }`; another condition follows `else if`
---- if a { 1 } { 2 }
expected: expected the end of the value, found `{`
  at `{`: the value should end before this
  help: a block follows `if`, `else`, `for` or `fn`; the inputs of a choice stand in an argument: `mode: "choice" { input: value }`
"#);
}

#[test]
fn an_else_without_its_if() {
    insta::assert_snapshot!(told(&[
        "else { F(x) }",
        "let x = 1\nelse { 2 }",
        "let x = if a { 1 } else { 2 } else { 3 }",
        "F(if: 2, x: else)",
    ]), @r#"
---- else { F(x) }
expected: expected an `if` and its block before `else`, found `else`
  at `else`: this `else` belongs to no `if`
  help: the form is `if condition { … } else { … }`; `else` follows the `}` of its `if`
---- let x = 1
     else { 2 }
expected: expected an `if` and its block before `else`, found `else`
  at `else`: this `else` belongs to no `if`
  help: the form is `if condition { … } else { … }`; `else` follows the `}` of its `if`
---- let x = if a { 1 } else { 2 } else { 3 }
expected: expected an `if` and its block before `else`, found `else`
  at `else`: this `else` belongs to no `if`
  help: the form is `if condition { … } else { … }`; `else` follows the `}` of its `if`
---- F(if: 2, x: else)
expected: expected an `if` and its block before `else`, found `else`
  at `else`: this `else` belongs to no `if`
  help: the form is `if condition { … } else { … }`; `else` follows the `}` of its `if`
"#);
}

#[test]
fn a_for_without_its_parts() {
    insta::assert_snapshot!(told(&[
        "let x = for",
        "for x xs { F(x) }",
        "for x in { F(x) }",
        "for x in xs:\n    F(x)",
        "for (let i = 0; i < 3; i++) { F(i) }",
        "for _ in range(3) { F() }",
        "for x in xs F(x)",
    ]), @r#"
---- let x = for
expected: expected a name after `for`, found the end of the statement
  at the end: a name belongs here
  help: a name has letters, digits and `_`; any other name, and a keyword, goes in backticks
---- for x xs { F(x) }
expected: expected `in` and a list after the name, found `xs`
  at `xs`: `in` belongs before this
  help: the form is `for name in list { … }`
---- for x in { F(x) }
expected: expected a value after `in`, found `{`
  at `{`: a value belongs here
  help: a value is a number, a string, `true`, `false`, `none`, a list `[…]`, a name, a call `Name(…)`, or an expression of these
---- for x in xs:
         F(x)
expected: expected a block `{ … }` after the list of `for`, found `:`
  at `:`: `{` belongs before this
  help: the forms are `if a { … } else { … }`, `for x in list { … }`, `fn name(a: Type) -> Type { … }`
---- for (let i = 0; i < 3; i++) { F(i) }
expected: expected `in` and a list after the name, found `{`
  at `{`: `in` belongs before this
  help: the form is `for name in list { … }`
---- for _ in range(3) { F() }
expected: expected a name after `for`, found `_`
  at `_`: a name belongs here
  help: `_` stands only in `(a, _)`; a name that is not needed may be any, such as `_unused`
---- for x in xs F(x)
expected: expected a block `{ … }` after the list of `for`, found `F`
  at `F`: `{` belongs before this
  help: the forms are `if a { … } else { … }`, `for x in list { … }`, `fn name(a: Type) -> Type { … }`
"#);
}

#[test]
fn an_each_without_its_call() {
    insta::assert_snapshot!(told(&[
        "let x = each xs",
        "let x = each F",
        "let x = each",
        "let x = each (F(a))",
    ]), @r#"
---- let x = each xs
expected: expected `(` or `::`, found the end of the statement
  at the end: this is not expected here
  help: the form is `each Name(arguments)`: one call for each element of its lists
---- let x = each F
expected: expected `(` or `::`, found the end of the statement
  at the end: this is not expected here
  help: the form is `each Name(arguments)`: one call for each element of its lists
---- let x = each
expected: expected a call, found the end of the statement
  at the end: this is not expected here
  help: the form is `each Name(arguments)`: one call for each element of its lists
---- let x = each (F(a))
expected: expected a call, found `(`
  at `(`: this is not expected here
  help: the form is `each Name(arguments)`: one call for each element of its lists
"#);
}

#[test]
fn a_flow_without_its_parts() {
    insta::assert_snapshot!(told(&[
        "fn (a: Image) { a }",
        "fn f a: Image { a }",
        "fn f(a, b) -> Image { a }",
        "fn f(a: Image) Image { a }",
        "fn f(a: Image) -> { a }",
        "fn f(a: Image) -> Image",
        "fn f(a: Image) -> Image = a",
        "fn f(a: Int = ) { a }",
        "fn f(a: Int in 1..=3) { a }",
        "fn f() -> image: Image { a }",
    ]), @r#"
---- fn (a: Image) { a }
expected: expected a name after `fn`, found `(`
  at `(`: a name belongs here
  help: a name has letters, digits and `_`; any other name, and a keyword, goes in backticks
---- fn f a: Image { a }
expected: expected `(`, found `a`
  at `a`: this is not expected here
  help: the form is `fn name(a: Type, b: Type = default) -> Type { … }`
---- fn f(a, b) -> Image { a }
expected: expected `:` and a type after the name `a`, found `,`
  at `,`: `:` belongs before this
  help: write `a: Type`, for example `a: Int`
---- fn f(a: Image) Image { a }
expected: expected `->` or `{`, found `Image`
  at `Image`: this is not expected here
  help: the form is `fn name(a: Type, b: Type = default) -> Type { … }`
---- fn f(a: Image) -> { a }
expected: expected a type after `->`, found `{`
  at `{`: a type belongs here
  help: a type is a name such as `Image`, choices `"a" | "b"`, `File<"loras">`, a list `[T]`, or optional: `T?`
---- fn f(a: Image) -> Image
expected: expected a block `{ … }` after what a flow takes and gives, found the end of the statement
  at the end: `{` belongs before this
  help: the forms are `if a { … } else { … }`, `for x in list { … }`, `fn name(a: Type) -> Type { … }`
---- fn f(a: Image) -> Image = a
expected: expected a block `{ … }` after what a flow takes and gives, found `=`
  at `=`: `{` belongs before this
  help: the forms are `if a { … } else { … }`, `for x in list { … }`, `fn name(a: Type) -> Type { … }`
---- fn f(a: Int = ) { a }
expected: expected a value after `=`, found `)`
  at `)`: a value belongs here
  help: a value is a number, a string, `true`, `false`, `none`, a list `[…]`, a name, a call `Name(…)`, or an expression of these
---- fn f(a: Int in 1..=3) { a }
expected: expected `,` or `)`, found `in`
  at `in`: a flow has no constraints
  help: check it in the body: `assert a >= 1, "too small"`; only a `param` and an input of a node have constraints
---- fn f() -> image: Image { a }
expected: expected parentheses around results with names, found `:`
  at `:`: this names a result
  help: the form is `-> Image` or `-> (image: Image, mask: Mask)`
"#);
}

#[test]
fn what_belongs_to_the_file() {
    insta::assert_snapshot!(told(&[
        "fn f() {\n    param x: Int = 1\n    fn g() { 1 }\n    use std::a\n    y\n}",
        "if a {\n    node N()\n    edition 1\n    choices C = \"a\"\n    type T = \"A\"\n}",
    ]), @r#"
---- fn f() {
         param x: Int = 1
         fn g() { 1 }
         use std::a
         y
     }
not_in_block: `param` cannot stand in a block
  at `param`: this belongs to the file as a whole
  help: a block holds `let`, `const`, `assert` and expressions; move this out of the braces
not_in_block: `fn` cannot stand in a block
  at `fn`: this belongs to the file as a whole
  help: a block holds `let`, `const`, `assert` and expressions; move this out of the braces
not_in_block: `use` cannot stand in a block
  at `use`: this belongs to the file as a whole
  help: a block holds `let`, `const`, `assert` and expressions; move this out of the braces
---- if a {
         node N()
         edition 1
         choices C = "a"
         type T = "A"
     }
not_in_block: `node` cannot stand in a block
  at `node`: this belongs to the file as a whole
  help: a block holds `let`, `const`, `assert` and expressions; move this out of the braces
not_in_block: `edition` cannot stand in a block
  at `edition`: this belongs to the file as a whole
  help: a block holds `let`, `const`, `assert` and expressions; move this out of the braces
not_in_block: `choices` cannot stand in a block
  at `choices`: this belongs to the file as a whole
  help: a block holds `let`, `const`, `assert` and expressions; move this out of the braces
not_in_block: `type` cannot stand in a block
  at `type`: this belongs to the file as a whole
  help: a block holds `let`, `const`, `assert` and expressions; move this out of the braces
"#);
}

#[test]
fn statements_in_blocks_fail_alone() {
    insta::assert_snapshot!(told(&[
        "fn f() {\n    let x 3\n    let y = G(a b)\n    y\n    y\n}\nlet z = 1 2",
        "fn f(a) {\n    let x 3\n}",
        "let x = if a { F(b c) } else { G(d e) }",
    ]), @r#"
---- fn f() {
         let x 3
         let y = G(a b)
         y
         y
     }
     let z = 1 2
expected: expected `=` and a value after `x`, found `3`
  at `3`: `=` belongs here
  help: the value follows `=`; types of `let` names are inferred
expected: expected `,` or `)`, found `b`
  at `b`: a `,` may be missing before this
  help: separate what stands in `(…)` with commas
expected: expected a call, found the value `y` on its own
  at `y`: this value is not used
  help: name the value with `let name = …`, or pass it to a call
expected: expected the end of the statement, found `2`
  at `2`: the statement should end before this
  help: a statement ends with its line; the next one begins on a line of its own
---- fn f(a) {
         let x 3
     }
expected: expected `:` and a type after the name `a`, found `)`
  at `)`: `:` belongs before this
  help: write `a: Type`, for example `a: Int`
expected: expected `=` and a value after `x`, found `3`
  at `3`: `=` belongs here
  help: the value follows `=`; types of `let` names are inferred
---- let x = if a { F(b c) } else { G(d e) }
expected: expected `,` or `)`, found `c`
  at `c`: a `,` may be missing before this
  help: separate what stands in `(…)` with commas
expected: expected `,` or `)`, found `e`
  at `e`: a `,` may be missing before this
  help: separate what stands in `(…)` with commas
"#);
}

#[test]
fn brackets_in_blocks_that_stay_open() {
    insta::assert_snapshot!(told(&[
        "fn f() {\n    let s = F(a,\n        b\n    let t = G(s)\n    t\n}\nlet q = 3 4",
        "fn f() {\n    F(a, text: \"x)\n    let y = 1 2\n}",
        "fn f() {\n    let a = 1\n\nparam q: Int = 3 4",
    ]), @r#"
---- fn f() {
         let s = F(a,
             b
         let t = G(s)
         t
     }
     let q = 3 4
unclosed_bracket: this `(` is never closed
  at `(`: opened here; the next statement begins here
  help: add the missing `)`
expected: expected the end of the statement, found `4`
  at `4`: the statement should end before this
  help: a statement ends with its line; the next one begins on a line of its own
---- fn f() {
         F(a, text: "x)
         let y = 1 2
     }
unclosed_string: this string is never closed
  at `"`: opened here
  help: close it with `"` on the same line; text of many lines goes between `"""` and `"""`
expected: expected the end of the statement, found `2`
  at `2`: the statement should end before this
  help: a statement ends with its line; the next one begins on a line of its own
---- fn f() {
         let a = 1
     
     param q: Int = 3 4
unclosed_bracket: this `{` is never closed
  at `{`: opened here; the next statement begins here
  help: add the missing `}`
expected: expected the end of the statement, found `4`
  at `4`: the statement should end before this
  help: a statement ends with its line; the next one begins on a line of its own
"#);
}
