//! What people bring along from other languages.

use super::*;

#[test]
fn values_of_other_languages() {
    insta::assert_snapshot!(told(&[
        "SaveImage(a, flag: True)",
        "let x = F(a, b: False)",
        "KSampler(model, mask: None)",
        "KSampler(model, mask: null)",
        "let None = 3",
    ]), @r#"
---- SaveImage(a, flag: True)
foreign: Floe has no `True`
  at `True`: this is of another language
  help: write `true`
---- let x = F(a, b: False)
foreign: Floe has no `False`
  at `False`: this is of another language
  help: write `false`
---- KSampler(model, mask: None)
foreign: Floe has no `None`
  at `None`: this is of another language
  help: write `none` for an optional socket that is left open
---- KSampler(model, mask: null)
foreign: Floe has no `null`
  at `null`: this is of another language
  help: write `none` for an optional socket that is left open
---- let None = 3
foreign: Floe has no `None`
  at `None`: this is of another language
  help: write `none` for an optional socket that is left open
"#);
}

#[test]
fn words_for_operators() {
    insta::assert_snapshot!(told(&[
        "let x = a and b",
        "let x = a or not b",
        "let x = not a",
        "let x = a is none",
        "let x = a in b",
        "let x = a if b else c",
    ]), @r#"
---- let x = a and b
foreign: Floe has no `and`
  at `and`: this is of another language
  help: write `&&`: `a && b`
---- let x = a or not b
foreign: Floe has no `or`
  at `or`: this is of another language
  help: write `||`: `a || b`
---- let x = not a
foreign: Floe has no `not`
  at `not`: this is of another language
  help: write `!` before what is negated: `!a`, or compare with `!=`
---- let x = a is none
foreign: Floe has no `is`
  at `is`: this is of another language
  help: write `==`
---- let x = a in b
foreign: Floe has no `in`
  at `in`: this is of another language
  help: compare with each value: `a == 1 || a == 2`
---- let x = a if b else c
foreign: Floe has no `a if b else c`
  at `if`: this is of another language
  help: write `if b { a } else { c }`
"#);
}

#[test]
fn marks_for_operators() {
    insta::assert_snapshot!(told(&[
        "let x = a === b",
        "let x = if a !== 1 { 2 } else { 3 }",
        "let x = a <> b",
        "let x = 2 ** 3",
        "let x = 2 ^ 3",
        "let x = a & b",
        "let x = a | b",
        "let x = a ? b : c",
        "let x = a ?? b",
        "let x = a << 2",
        "let x = a => b",
    ]), @r#"
---- let x = a === b
foreign: Floe has no `===`
  at `===`: this is of another language
  help: write `==`
---- let x = if a !== 1 { 2 } else { 3 }
foreign: Floe has no `!==`
  at `!==`: this is of another language
  help: write `!=`
---- let x = a <> b
foreign: Floe has no `<>`
  at `<>`: this is of another language
  help: write `!=`
---- let x = 2 ** 3
foreign: Floe has no `**`
  at `**`: this is of another language
  help: write the product: `a * a`
---- let x = 2 ^ 3
foreign: Floe has no `^`
  at `^`: this is of another language
  help: write the product: `a * a`
---- let x = a & b
foreign: Floe has no `&`
  at `&`: this is of another language
  help: write `&&`: `a && b`
---- let x = a | b
foreign: Floe has no `|`
  at `|`: this is of another language
  help: write `||`: `a || b`; a single `|` stands between types and between choices
---- let x = a ? b : c
foreign: Floe has no `?`
  at `?`: this is of another language
  help: write `if condition { a } else { b }`
---- let x = a ?? b
foreign: Floe has no `??`
  at `??`: this is of another language
  help: write `if condition { a } else { b }`
---- let x = a << 2
foreign: Floe has no `<<`
  at `<<`: this is of another language
  help: multiply or divide by a power of two
---- let x = a => b
foreign: Floe has no `=>`
  at `=>`: this is of another language
  help: an arrow is written `->`, at least is written `>=`
"#);
}

#[test]
fn names_that_change() {
    insta::assert_snapshot!(told(&[
        "x += 3",
        "let x += 3",
        "x++",
        "let mut x = 3",
        "let x := 3",
        "var x = 3",
    ]), @r#"
---- x += 3
foreign: Floe has no `+=`
  at `+=`: this is of another language
  help: a name keeps its value; give each new value a name of its own with `let`
---- let x += 3
foreign: Floe has no `+=`
  at `+=`: this is of another language
  help: a name keeps its value; give each new value a name of its own with `let`
---- x++
foreign: Floe has no `++`
  at `++`: this is of another language
  help: a name keeps its value; give each new value a name of its own with `let`
---- let mut x = 3
foreign: Floe has no `mut`
  at `mut`: this is of another language
  help: a name keeps its value; give each new value a name of its own with `let`
---- let x := 3
foreign: Floe has no `:=`
  at `:=`: this is of another language
  help: a value is named with `let name = value`; an argument is given with `name: value`
---- var x = 3
foreign: Floe has no `var`
  at `var`: this is of another language
  help: a value is named with `let name = value`
"#);
}

#[test]
fn ends_of_lines() {
    insta::assert_snapshot!(told(&[
        "let a = F(x);\nlet b = G(a);",
        "F(x); // done",
        "let a = 1; let b = 2",
    ]), @r#"
---- let a = F(x);
     let b = G(a);
foreign: Floe has no `;`
  at `;`: this is of another language
  help: a statement ends with its line: leave `;` out
foreign: Floe has no `;`
  at `;`: this is of another language
  help: a statement ends with its line: leave `;` out
---- F(x); // done
foreign: Floe has no `;`
  at `;`: this is of another language
  help: a statement ends with its line: leave `;` out
---- let a = 1; let b = 2
foreign: Floe has no `;`
  at `;`: this is of another language
  help: a statement ends with its line: leave `;` out
"#);
}

#[test]
fn comments_of_other_languages() {
    insta::assert_snapshot!(told(&[
        "# a (comment\nlet a = 1",
        r#"let a = F(x) # "the" comment"#,
        "/* several\nlines */\nlet x = 3",
        "let x = 3 /* c */",
    ]), @r#"
---- # a (comment
     let a = 1
foreign: Floe has no `#`
  at `#`: this is of another language
  help: a remark begins with `//`
---- let a = F(x) # "the" comment
foreign: Floe has no `#`
  at `#`: this is of another language
  help: a remark begins with `//`
---- /* several
     lines */
     let x = 3
foreign: Floe has no `/* … */`
  at `/*`: this is of another language
  help: a remark begins with `//` on each of its lines
---- let x = 3 /* c */
foreign: Floe has no `/* … */`
  at `/*`: this is of another language
  help: a remark begins with `//` on each of its lines
"#);
}

#[test]
fn quotes_of_other_languages() {
    insta::assert_snapshot!(told(&[
        "SaveImage(a, filename_prefix: 'lake (1)')",
        "let x = f'abc'",
        r#"let x = r"abc""#,
        "let x = $y",
    ]), @r#"
---- SaveImage(a, filename_prefix: 'lake (1)')
foreign: Floe has no `'…'`
  at `'lake (1)'`: this is of another language
  help: text stands in double quotes: `"…"`
---- let x = f'abc'
foreign: Floe has no `'…'`
  at `'abc'`: this is of another language
  help: text stands in double quotes: `"…"`
---- let x = r"abc"
foreign: Floe has no `r"…"`
  at `r"`: this is of another language
  help: text stands in `"…"`, or raw in `"""…"""`; `f"…"` takes in values
---- let x = $y
foreign: Floe has no `$`
  at `$`: this is of another language
  help: a name has no mark before it; text takes in values as `f"…{name}…"`
"#);
}

#[test]
fn flows_of_other_languages() {
    insta::assert_snapshot!(told(&[
        "def render(model):\n    return 1",
        "function render(model) { return 1 }",
        "fn f() {\n    return 3\n}",
        "let x = lambda a: a",
    ]), @r#"
---- def render(model):
         return 1
foreign: Floe has no `def`
  at `def`: this is of another language
  help: a flow is written `fn name(a: Type) -> Type { … }`
foreign: Floe has no `return`
  at `return`: this is of another language
  help: the last expression of a block is its value: write it without `return`
---- function render(model) { return 1 }
foreign: Floe has no `function`
  at `function`: this is of another language
  help: a flow is written `fn name(a: Type) -> Type { … }`
---- fn f() {
         return 3
     }
foreign: Floe has no `return`
  at `return`: this is of another language
  help: the last expression of a block is its value: write it without `return`
---- let x = lambda a: a
foreign: Floe has no `lambda`
  at `lambda`: this is of another language
  help: a flow is written `fn name(a: Type) -> Type { … }`
"#);
}

#[test]
fn statements_of_other_languages() {
    insta::assert_snapshot!(told(&[
        "import std::sampling",
        "from std import sampling",
        "while x < 3 { F(x) }",
        "switch x { case 1: F() }",
        "enum X { A, B }",
        "new F(a)",
        "let x = await F(a)",
    ]), @r#"
---- import std::sampling
foreign: Floe has no `import`
  at `import`: this is of another language
  help: names are taken from elsewhere with `use std::module::{name}` or `use "./file.flow" as name`
---- from std import sampling
foreign: Floe has no `from`
  at `from`: this is of another language
  help: names are taken from elsewhere with `use std::module::{name}` or `use "./file.flow" as name`
---- while x < 3 { F(x) }
foreign: Floe has no `while`
  at `while`: this is of another language
  help: what repeats is known beforehand: `for x in list { … }`, `for i in range(4) { … }`
---- switch x { case 1: F() }
foreign: Floe has no `switch`
  at `switch`: this is of another language
  help: write `if a { … } else if b { … } else { … }`
---- enum X { A, B }
foreign: Floe has no `enum`
  at `enum`: this is of another language
  help: a set of choices is written `choices Name = "a" | "b"`
---- new F(a)
foreign: Floe has no `new`
  at `new`: this is of another language
  help: write the call alone: `Name(…)`
---- let x = await F(a)
foreign: Floe has no `await`
  at `await`: this is of another language
  help: write the call alone: `Name(…)`
"#);
}

#[test]
fn branches_of_other_languages() {
    insta::assert_snapshot!(told(&[
        "if a == 1 { F(x) } elif b { G(x) }",
        "if a == 1 { F(x) }\nelseif b { G(x) }",
        "let x = if a then 1 else 2",
    ]), @r#"
---- if a == 1 { F(x) } elif b { G(x) }
foreign: Floe has no `elif`
  at `elif`: this is of another language
  help: write `else if`
---- if a == 1 { F(x) }
     elseif b { G(x) }
foreign: Floe has no `elseif`
  at `elseif`: this is of another language
  help: write `else if`
---- let x = if a then 1 else 2
foreign: Floe has no `then`
  at `then`: this is of another language
  help: what belongs together stands in braces: `if a { … } else { … }`
"#);
}
