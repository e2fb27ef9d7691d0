use super::*;
use crate::ast::*;
use crate::error::CODES;
use crate::{Span, names};
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};
use proptest::prelude::*;

fn read(source: &str) -> Parsed {
    parse(&SourceFile::new("main.flow", source))
}

/// The source above, the verdict below.
#[track_caller]
fn rejected(source: &str) -> String {
    let file = SourceFile::new("main.flow", source);
    let errors = parse(&file).errors;
    assert!(!errors.is_empty(), "this should have been rejected:\n{source}");
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::none()).with_width(80);
    let mut out = format!("---- source\n{}\n---- errors\n", source.trim_end());
    for error in errors {
        let report = miette::Report::new(error).with_source_code(file.clone());
        handler.render_report(&mut out, report.as_ref()).unwrap();
    }
    out.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn accepted(source: &str) -> File {
    let Parsed { ast, errors } = read(source);
    assert_eq!(errors, [], "{source}");
    ast
}

#[track_caller]
fn codes(source: &str) -> Vec<&'static str> {
    read(source).errors.iter().map(SyntaxError::code).collect()
}

#[track_caller]
fn value(source: &str) -> ExprKind {
    match accepted(&format!("let x = {source}")).statements.remove(0).kind {
        StatementKind::Let(Let { value, .. }) => value.kind,
        other => panic!("{other:?}"),
    }
}

/// The first program of the design.
const LAKE: &str = r#"//! A picture from a sentence.
edition 1

/// What to paint.
param prompt: String = "snowy mountains, a calm lake, blue sky with clouds"
param seed: Int = 42
param steps: Int in 1..=150 = 20
param width: Int = 192
param height: Int = 128

let (model, clip, vae) = CheckpointLoaderSimple(ckpt_name: "demo-sd1.safetensors")

let samples = KSampler(
    model, seed:, steps:, cfg: 5.0, sampler_name: "euler", scheduler: "normal",
    positive: CLIPTextEncode(clip, text: prompt),
    negative: CLIPTextEncode(clip, text: ""),
    latent_image: EmptyLatentImage(width:, height:, batch_size: 1),
    denoise: 1.0,
)

SaveImage(VAEDecode(samples, vae:), filename_prefix: f"lake-{seed}")
"#;

/// The second: what the full language adds.
const RENDER: &str = r#"//! Reuse, loops and choices: evaluated away, what remains is a static graph.
edition 1
use std::sampling::{sample_simple}
use "./styles.flow" as styles

/// Renders one prompt.
fn render(model: Model, clip: Clip, vae: Vae, prompt: String, seed: Int, hires: Bool = false) -> Image {
    let first = sample_simple(model, clip:, prompt:, seed:, width: 512, height: 512)
    let latent = if hires { refine(model, clip:, prompt:, first:) } else { first }
    VAEDecode(latent, vae:)
}

const SEEDS = [1, 2, 3, 4]
let (model, clip, vae) = CheckpointLoaderSimple(ckpt_name: "sd15.safetensors")
let pictures = for s in SEEDS { render(model, clip:, vae:, prompt: styles::oil("a lighthouse"), seed: s) }
assert SEEDS.len() <= 16, "more than 16 pictures do not fit one contact sheet"
@label("contact sheet") SaveImage(std::batch(pictures), filename_prefix: "sheet")
"#;

const DECLARATIONS: &str = r#"/// Samplers of k-diffusion and ComfyUI.
choices SamplerName = "euler" | "euler_cfg_pp"
choices Factor =
    | 1 // as it is
    // twice
    | 2

/// Denoises a latent with classifier-free guidance.
@category("model/sampling") @display("KSampler")
node KSampler(
    /// What predicts the noise.
    /// Any family.
    model: Model,
    seed: Int in 0..=18446744073709551615 = 0 @control_after_generate,
    cfg: Float in 0.0..=100.0 = 8.0 @step(0.1) @round(0.01),
    sampler_name: SamplerName,
    ckpt_name: File<"checkpoints">,
    text: String @multiline @dynamic_prompts,
    crop: "disabled" | "center" = "center",
    mask: Mask?, // optional socket
    either: (Image | Mask)?,
    lists: [Image | [Mask]],
    shift: Int in -9223372036854775808..=-1 = - 1,
    size: Int in [1, 2, 4],
    `t_embedder.`: Float = 1.0,
    hidden prompt: Prompt,
    hidden: Int,
) -> (
    /// The result.
    LATENT: Latent,
    `model task_id`: String @list,
)

@output node SaveImage(images: Image)
@output
node PreviewImage(
    images: Image,
) -> ()
"#;

// ---- wrong programs

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
        a name, a call `Name(…)`, or made of these
parse::expected

  x expected a value after `{`, found `}`
   ,-[main.flow:3:12]
 2 | KSampler(steps: , cfg: = 5)
 3 | let y = f"{}"
   :            |
   :            `-- a value belongs here
   `----
  help: a value is a number, a string, `true`, `false`, `none`, a list `[…]`,
        a name, a call `Name(…)`, or made of these
"#);
}

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

// ---- right programs

#[test]
fn the_first_program_of_the_design_parses() {
    let file = accepted(LAKE);
    assert_eq!(file.docs.unwrap().text, "A picture from a sentence.");
    assert_eq!(file.edition.unwrap().number, 1);
    assert_eq!(file.statements.len(), 8);
    assert_eq!(file.statements[0].docs.as_ref().unwrap().text, "What to paint.");
    let bound: Vec<_> = file.statements.iter().flat_map(|statement| statement.kind.names()).collect();
    let bound: Vec<_> = bound.iter().map(|ident| ident.name.as_str()).collect();
    assert_eq!(bound, ["prompt", "seed", "steps", "width", "height", "model", "clip", "vae", "samples"]);
}

#[test]
fn the_second_program_of_the_design_parses() {
    assert_eq!(accepted(RENDER).statements.len(), 8);
}

#[test]
fn arguments_keep_their_form() {
    let file = accepted("@label(\"a\") @mute\nF(x.0.b, seed:, `a b`: @nocache std::batch(none), t: true,)");
    let [statement] = file.statements.as_slice() else { panic!("{file:?}") };
    assert_eq!(statement.annotations.len(), 2);
    assert_eq!(statement.annotations[0].args.len(), 1);
    assert_eq!(statement.span, Span::new(0, 77));
    let StatementKind::Expr(Expr { kind: ExprKind::Call(call), .. }) = &statement.kind else { panic!() };
    assert_eq!(call.callee.as_name().unwrap().name, "F");
    let [chain, seed, batch, truth] = call.args.as_slice() else { panic!("{call:?}") };
    assert!(chain.name.is_none());
    let Some(Expr { kind: ExprKind::Member { base, member: Member::Name(last) }, span }) = &chain.value
    else {
        panic!("{chain:?}")
    };
    assert_eq!((last.name.as_str(), span.len()), ("b", 5));
    assert!(matches!(base.kind, ExprKind::Member { member: Member::Index { index: 0, .. }, .. }));
    assert_eq!((seed.name.as_ref().unwrap().name.as_str(), &seed.value), ("seed", &None));
    let name = batch.name.as_ref().unwrap();
    assert_eq!((name.name.as_str(), name.span.len()), ("a b", 5));
    let Some(Expr { kind: ExprKind::Call(inner), .. }) = &batch.value else { panic!("{batch:?}") };
    assert_eq!((inner.callee.to_string().as_str(), inner.annotations.len()), ("std::batch", 1));
    assert_eq!(truth.value.as_ref().unwrap().kind, ExprKind::Bool(true));
}

#[test]
fn literals_mean_what_they_say() {
    assert_eq!(value("1_000"), ExprKind::Int(1000));
    assert_eq!(value("-9223372036854775808"), ExprKind::Int(i64::MIN.into()));
    assert_eq!(value("18446744073709551615"), ExprKind::Int(u64::MAX.into()));
    assert_eq!(value("-1.5e-3"), ExprKind::Float(-1.5e-3));
    assert_eq!(value("none"), ExprKind::None);
    assert_eq!(value(r#""(a:1.2) \( {b|c} \"d\"""#), ExprKind::Str(r#"(a:1.2) \( {b|c} "d""#.into()));
    assert_eq!(
        value("\"\"\"\n    a \"b\" \\n\n      c\n    \"\"\""),
        ExprKind::Str("a \"b\" \\n\n  c".into())
    );
    assert_eq!(value("[]"), ExprKind::List(Vec::new()));
    assert_eq!(value("`true`"), ExprKind::Name("true".into()));
    let ExprKind::FString(parts) = value(r#"f"{{a}} \u{41}{ f("x}").y }\(""#) else { panic!() };
    let [FPart::Text(before), FPart::Expr(inner), FPart::Text(after)] = parts.as_slice() else {
        panic!("{parts:?}")
    };
    assert_eq!((before.as_str(), after.as_str()), ("{a} A", "\\("));
    assert!(matches!(inner.kind, ExprKind::Member { .. }));
}

#[test]
fn declarations_parse() {
    let file = accepted(DECLARATIONS);
    let kinds: Vec<_> = file.statements.iter().map(|statement| &statement.kind).collect();
    let [StatementKind::Choices(names), StatementKind::Choices(factor), StatementKind::Node(node), ..] =
        kinds.as_slice()
    else {
        panic!("{kinds:?}")
    };
    assert_eq!(names.values[1].value, ChoiceValue::Str("euler_cfg_pp".into()));
    assert_eq!(factor.values[1].value, ChoiceValue::Int(2));
    assert_eq!(file.statements[2].annotations.len(), 2);
    let inputs: Vec<_> = node
        .inputs
        .iter()
        .map(|input| {
            let hidden = if input.hidden { "hidden " } else { "" };
            let of = if input.constraint.is_some() { " in …" } else { "" };
            let default = if input.default.is_some() { " = …" } else { "" };
            let annotations: Vec<_> =
                input.annotations.iter().map(|found| found.name.name.as_str()).collect();
            format!("{hidden}{}: {}{of}{default} {annotations:?}", names::label(&input.name.name), input.ty)
        })
        .collect();
    insta::assert_snapshot!(inputs.join("\n"), @r#"
model: Model []
seed: Int in … = … ["control_after_generate"]
cfg: Float in … = … ["step", "round"]
sampler_name: SamplerName []
ckpt_name: File<"checkpoints"> []
text: String ["multiline", "dynamic_prompts"]
crop: "disabled" | "center" = … []
mask: Mask? []
either: (Image | Mask)? []
lists: [Image | [Mask]] []
shift: Int in … = … []
size: Int in … []
`t_embedder.`: Float = … []
hidden prompt: Prompt []
hidden: Int []
"#);
    assert_eq!(node.inputs[0].docs.as_ref().unwrap().text, "What predicts the noise.\nAny family.");
    let outputs: Vec<_> =
        node.outputs.iter().map(|output| format!("{}: {}", output.name.name, output.ty)).collect();
    assert_eq!(outputs, ["LATENT: Latent", "model task_id: String"]);
    assert_eq!(node.outputs[1].annotations[0].name.name, "list");
}

#[test]
fn declarations_of_other_inputs_parse() {
    let file = accepted(
        r#"type ClipVision = "CLIP_VISION"
type `A,B` = "A,B"

@category("image") @takes_lists @deprecated
node Resize(
    input: Match<"input_type", Image | Mask>,
    /// How.
    resize_type: "scale dimensions" {
        /// Of the result.
        width: Int in 0..=16384 = 512 @step(8),
        crop: "disabled" | "center" = "center",
    } | "scale by" { factor: Float = 2.0 } | "as it is" {},
    images: [Image] @grow("image", min: 1, max: 50),
    masks: [Mask] @grow(names: ["a", "b"], min: 1),
    area: BoundingBox = { x: 0, y: 0, size: { width: 512, height: 512 } } @widgets([1, "a"]),
    colors: [Color] = [],
    vae: File<"vae"> | "pixel_space",
    size: Int in [1, 2, 4] = 2,
    hidden prompt: Prompt,
) -> (IMAGES: [Image], first: Match<"input_type">)
"#,
    );
    assert_eq!(file.statements.len(), 3);
    let StatementKind::Type(declared) = &file.statements[1].kind else { panic!() };
    assert_eq!((declared.name.name.as_str(), declared.comfy.as_str()), ("A,B", "A,B"));
    let StatementKind::Node(node) = &file.statements[2].kind else { panic!() };
    let TypeKind::Choices(choices) = &node.inputs[1].ty.kind else { panic!() };
    let inputs: Vec<_> = choices.iter().map(|choice| choice.inputs.as_deref().map(<[Input]>::len)).collect();
    assert_eq!(inputs, [Some(2), Some(1), Some(0)]);
    let types: Vec<String> = node.inputs.iter().map(|input| input.ty.to_string()).collect();
    assert_eq!(types[0], "Match<\"input_type\", Image | Mask>");
    assert_eq!(types[6], "File<\"vae\"> | \"pixel_space\"");
    assert!(matches!(node.outputs[0].ty.kind, TypeKind::List(_)));
}

#[test]
fn spans_end_with_what_they_cover() {
    let file = SourceFile::new("a", "node N( a: Int  , b: [ Image ] ? // c\n )\nlet x = F( y . z , q: ) ");
    let Parsed { ast, errors } = parse(&file);
    assert_eq!(errors, []);
    let StatementKind::Node(node) = &ast.statements[0].kind else { panic!() };
    assert_eq!(file.slice(node.inputs[0].span), "a: Int");
    assert_eq!(file.slice(node.inputs[1].ty.span), "[ Image ] ?");
    let StatementKind::Let(binding) = &ast.statements[1].kind else { panic!() };
    let ExprKind::Call(call) = &binding.value.kind else { panic!() };
    assert_eq!(file.slice(binding.value.span), "F( y . z , q: )");
    assert_eq!(file.slice(call.args[0].span), "y . z");
    assert_eq!(file.slice(call.args[1].span), "q:");
}

#[test]
fn keywords_are_names_where_a_name_is_expected() {
    accepted(
        "let node = F(in: 1, for:, if: 2, let: 3)\nG(node, edition: node.param)\nparam each_one: Int = 1",
    );
    accepted("node If(hidden: Int, node: Model, in: Float in 0.0..=1.0) -> (for: Int)");
}

#[test]
fn line_ends_and_marks_of_other_systems_mean_nothing() {
    let file = accepted("\u{feff}edition 1\r\n\r\n/// Doc.\r\nlet a = F(\r\n  1,\r\n)\r\n");
    assert_eq!(file.statements[0].docs.as_ref().unwrap().text, "Doc.");
}

#[test]
fn a_missing_bracket_spares_what_follows() {
    for next in ["let b = 2", "/// Doc.\n@a\nnode N()", "param p: Int = 1", "choices C = \"a\""] {
        let Parsed { ast, errors } = read(&format!("let a = F(x,\n  y: [1,\n{next}\n"));
        assert_eq!((ast.statements.len(), errors.len()), (1, 1), "{next}: {errors:?}");
        assert_eq!(errors[0].code(), "parse::unclosed_bracket");
    }
}

#[test]
fn a_lost_quote_spares_what_follows() {
    let Parsed { ast, errors } = read("F(a, b: \"x)\nG(1)\nH(\n  a: \"x,\n  b: 2,\n)\nI(1)\nJ(f\"{a)\nK(1)");
    assert_eq!((ast.statements.len(), errors.len()), (3, 3), "{errors:?}");
}

// ---- limits

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

// ---- pages

/// The fenced blocks of a page.
fn blocks(page: &str) -> Vec<String> {
    page.split("```flow\n").skip(1).map(|rest| rest.split("```").next().unwrap_or("").to_owned()).collect()
}

#[test]
fn every_code_has_a_page_whose_examples_are_what_they_say() {
    for code in CODES {
        let name = code.strip_prefix("parse::").unwrap();
        let path = format!("{}/../docs/errors/parse/{name}.md", env!("CARGO_MANIFEST_DIR"));
        let page = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(page.starts_with(&format!("# {code}\n")), "{path}");
        let [wrong, right] = <[String; 2]>::try_from(blocks(&page)).unwrap();
        assert_eq!(codes(&wrong), [code], "{path}");
        accepted(&right);
    }
}

// ---- any text

/// All spans of an AST, as its debug form shows them: new kinds of nodes cannot be forgotten.
fn spans(parsed: &Parsed) -> Vec<(usize, usize)> {
    let debug = format!("{parsed:?}");
    debug
        .split("Span { start: ")
        .skip(1)
        .filter_map(|rest| {
            let (start, rest) = rest.split_once(", end: ")?;
            let (end, _) = rest.split_once(' ')?;
            Some((start.parse().ok()?, end.parse().ok()?))
        })
        .collect()
}

fn check_total(source: &str) {
    let parsed = read(source);
    for (start, end) in spans(&parsed) {
        assert!(source.get(start..end).is_some(), "{start}..{end} of {source:?}");
    }
    for error in &parsed.errors {
        assert_eq!(Diagnostic::code(error).unwrap().to_string(), error.code());
        assert!(CODES.contains(&error.code()));
        assert!(error.help().is_some_and(|help| !help.to_string().is_empty()));
        assert!(error.labels().is_some_and(|mut labels| labels.next().is_some()));
        if let SyntaxError::Expected { expected: crate::error::Expected::Form { words, .. }, .. } = error {
            assert!(!words.is_empty(), "no words for {source:?}");
        }
        assert!(source.get(error.span().range()).is_some());
    }
}

/// What programs are made of, in any order.
fn fragments() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "let ",
        "param ",
        "node ",
        "choices ",
        "edition ",
        "for ",
        "x",
        "F(",
        ")",
        "(",
        "[",
        "]",
        "{",
        "}",
        "f\"",
        "\"",
        "\"\"\"",
        "`",
        "\\",
        "\\u{",
        ":",
        "::",
        ",",
        "=",
        "..=",
        ".",
        "|",
        "->",
        "?",
        "@a",
        "1",
        "1.5",
        "-",
        "\n",
        " ",
        "//",
        "///",
        "//!",
        "é",
        "\u{a0}",
        "in ",
        "hidden ",
        "File<",
        ">",
        "true",
        "none",
        "\r\n",
        "+",
        "\u{1f335}",
    ]);
    prop::collection::vec(pieces, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_parses(source in any::<String>()) {
        check_total(&source);
    }

    #[test]
    fn any_fragments_parse(source in fragments()) {
        check_total(&source);
    }

    #[test]
    fn mutated_programs_parse(
        program in prop::sample::select(vec![LAKE, RENDER, DECLARATIONS]),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..12, fragments()), 1..4),
    ) {
        let mut source: Vec<char> = program.chars().collect();
        for (at, length, insert) in cuts {
            let at = at.index(source.len() + 1);
            let end = (at + length).min(source.len());
            source.splice(at..end, insert.chars().take(4));
        }
        check_total(&source.into_iter().collect::<String>());
    }

    #[test]
    fn any_name_and_any_text_can_be_written(text in any::<String>()) {
        let source = format!("let {} = F({}: {})", names::reference(&text), names::label(&text), names::string_literal(&text));
        let file = accepted(&source);
        let StatementKind::Let(Let { pattern: Pattern::Name(bound), value }) = &file.statements[0].kind else { panic!() };
        let ExprKind::Call(call) = &value.kind else { panic!() };
        prop_assert_eq!(&bound.name, &text);
        prop_assert_eq!(&call.args[0].name.as_ref().unwrap().name, &text);
        prop_assert_eq!(&call.args[0].value.as_ref().unwrap().kind, &ExprKind::Str(text.clone()));
    }
}
