use insta::assert_snapshot;
use miette::Diagnostic;

use super::*;
use crate::{SourceFile, format_statement, parse};

/// Some types, as a library has them.
struct Library;

impl NamedTypes for Library {
    fn named_type(&self, name: &str) -> Option<Type> {
        (name == "Image").then(|| self.comfy_type("IMAGE")).flatten()
    }

    fn comfy_type(&self, comfy: &str) -> Option<Type> {
        (comfy == "IMAGE").then(|| Type::Data { name: "Image".into(), comfy: "IMAGE".into(), widget: false })
    }
}

#[track_caller]
fn read(source: &str) -> Declared {
    let parsed = parse(&SourceFile::new("test.flow", source));
    assert_eq!(parsed.errors, [], "the test is about what parses");
    declare(&parsed.ast.statements, &Library)
}

/// The only node of a text that is right.
#[track_caller]
fn node(source: &str) -> NodeDecl {
    let declared = read(source);
    assert_eq!(declared.errors, []);
    declared.nodes.into_iter().next().expect("the text declares a node").1
}

/// Every error of a text: what it says, where, and what to do.
#[track_caller]
fn rejected(source: &str) -> String {
    let told = |error: &DeclError| {
        let place = &source[error.span().range()];
        let help = error.help().expect("every error helps");
        assert_eq!(error.code(), Diagnostic::code(error).expect("every error has a code").to_string());
        format!("{}: {error}\n  at `{place}`\n  help: {help}", error.code())
    };
    let errors: Vec<String> = read(source).errors.iter().map(told).collect();
    assert!(!errors.is_empty(), "nothing is wrong with it");
    format!("---- source\n{source}\n---- errors\n{}", errors.join("\n"))
}

#[test]
fn all_that_a_declaration_can_say_comes_back_as_it_was() {
    let source = r##"/// Resizes.
/// In two lines.
@category("image") @display("Resize It") @output @takes_lists @intermediate @deprecated @experimental
@v1 @retired @essential("Basics") @pack("owner/name")
node Resize(
    image: Image,
    size: Int in 1..=100 = 20 @step(5) @control_after_generate("fixed") @label("side"),
    /// How much.
    scale: Float? in 0..=1.5 = 1 @round(false) @advanced @display("slider"),
    tile: Int @min(-1) @control_after_generate(false),
    text: String = "a\\b" @multiline(false) @dynamic_prompts,
    mask: String = "" @socketless @widget_type("PAINTER") @component("X") @upload @invisible,
    mode: "keep" {} | "scale" { factor: Float = 2.0, deep: "a" {} | "b" { n: Int } } = "keep",
    model: File<"vae"> | "pixel_space" | "none",
    choice: 2 | 4 | "auto" = 4,
    either: (Image | SEGS | Int)?,
    any: Match<"t"> @lazy,
    some: Match<"u", Image | SEGS>,
    pictures: [Image] @grow("image", min: 1, max: 5),
    numbers: [Int]? in 0..=9 = 1 @force_input @grow("n_", from: 1, to: 3, element: "one"),
    values: [Any] @grow(names: ["a", "b", "c"]),
    box: BOX = { x: 0, y: [0.5, -1] },
    hidden text: PROMPT,
) -> (images: [Image], same: Match<"t">, `a b`: SEGS @list(none))"##;
    let decl = node(source);
    let written = format_statement(&decl.to_ast());
    assert_eq!(node(&written), decl);
    assert_snapshot!(written);
}

#[test]
fn a_partner_has_hidden_inputs_before_its_own() {
    let hidden = |source| -> Vec<String> {
        node(source).inputs.iter().filter(|input| input.hidden).map(|input| input.name.to_string()).collect()
    };
    assert_eq!(
        hidden("@partner node A(a: Int, hidden prompt: PROMPT)"),
        ["auth_token_comfy_org", "api_key_comfy_org", "unique_id", "comfy_usage_source", "prompt"]
    );
    assert_eq!(
        hidden("@partner @retired node A(a: Int)"),
        ["auth_token_comfy_org", "api_key_comfy_org", "unique_id"]
    );
    assert_eq!(
        format_statement(&node("@category(\"x\") @partner node A(a: Int)").to_ast()),
        "@category(\"x\") @partner\nnode A(a: Int)"
    );
}

#[test]
fn names_that_nobody_declares_are_comfyuis() {
    let decl = node("node A(a: SEGS, b: `A,IMAGE`, c: IMAGE, d: `*`, e: FLOAT) -> (x: Image)");
    let types: Vec<String> = decl.inputs.iter().map(|input| format!("{:?}", input.ty)).collect();
    assert_snapshot!(types.join("\n"), @r#"
    Data { name: "SEGS", comfy: "SEGS", widget: false }
    Union([Data { name: "A", comfy: "A", widget: false }, Data { name: "Image", comfy: "IMAGE", widget: false }])
    Data { name: "Image", comfy: "IMAGE", widget: false }
    Any
    Float
    "#);
}

#[test]
fn declared_names_are_known_wherever_they_stand() {
    let decl = node(
        "node A(s: Segments, m: Mode, w: Way)\nchoices Way = \"a\" { m: Mode } | \"b\" {}\n@widget type Segments = \"SEGS\"\nchoices Mode = \"x\" | \"y\"",
    );
    assert!(matches!(&decl.inputs[0].ty, Type::Data { comfy, widget: true, .. } if comfy == "SEGS"));
    let mode = &decl.inputs[1].ty;
    assert!(matches!(mode, Type::Choice { set: Some(set), .. } if set == "Mode"));
    assert!(matches!(&decl.inputs[2].ty, Type::Dynamic(choices) if choices[0].inputs[0].ty == *mode));
}

#[test]
fn widgets_follow_from_types_and_marks() {
    let decl = node(
        "@widget type Color = \"COLOR\"\nnode A(a: Int, b: Int @force_input, c: Color, d: Image, e: Int | Float, f: String | SEGS @widget_type(\"STRING\"), g: \"x\" {}, h: File<\"loras\">, i: Any, hidden j: Int)",
    );
    let names: Vec<&str> =
        decl.inputs.iter().filter(|input| input.has_widget()).map(|input| input.name.as_ref()).collect();
    assert_eq!(names, ["a", "c", "f", "g", "h"]);
}

#[test]
fn what_is_wrong_is_left_out_and_the_rest_is_there() {
    let declared =
        read("node A(a: Int = \"x\", b: Int in 5..=1 = 3, c: Int @shiny, d: Image) -> (x: Image?)");
    assert_eq!(declared.errors.len(), 4);
    let (_, decl) = &declared.nodes[0];
    assert_eq!(decl.inputs.iter().map(|input| input.name.as_ref()).collect::<Vec<_>>(), ["a", "b", "c", "d"]);
    assert_eq!((&decl.inputs[0].default, &decl.inputs[1].range), (&None, &None));
    assert_eq!((decl.inputs[0].optional, decl.inputs[1].optional), (true, false));
    assert_eq!(decl.outputs[0].ty, Type::Any);
}

#[test]
fn wrong_annotations() {
    assert_snapshot!(rejected(
        "@categry(\"x\") @gloss @output(1) @display(2) @display(\"x\")\nnode A(\n    a: Int @step @socket @category(\"x\"),\n    b: String @multiline(true),\n    c: Int @control_after_generate(3),\n) -> (x: Int @list(true), y: Int @step(1))\n@wide type T = \"T\"\n@flat choices C = \"a\" | \"b\""
    ));
}

#[test]
fn wrong_growth() {
    assert_snapshot!(rejected(
        "node A(\n    a: Image @grow(\"a\", max: 2),\n    b: [Image] @grow(\"b\"),\n    c: [Image] @grow(\"c\", from: 3, to: 1),\n    d: [Image] @grow(names: [1]),\n    e: [Image] @grow(\"e\", max: 99999),\n    f: [Image] @grow(\"f\", max: 3, size: 2),\n    g: [Int] = \"x\" @grow(\"g\", max: 3),\n)"
    ));
}

#[test]
fn wrong_defaults_and_ranges() {
    assert_snapshot!(rejected(
        "node A(\n    a: Int = 0.5,\n    b: Int in 1..=9 = 10,\n    c: Float = -1.0 @min(0),\n    d: \"x\" | \"y\" = \"z\",\n    e: 1 | 2 = \"1\",\n    f: String = f\"{a}\",\n    g: \"x\" {} = \"y\",\n    h: Int in 0.5..=2,\n    i: Image in 0..=1,\n    j: String in [\"a\", \"b\"],\n    k: Float in 2..=1,\n    l: String | Int = true,\n)"
    ));
}

#[test]
fn names_twice() {
    assert_snapshot!(rejected(
        "node A(a: Int, a: Float, hidden a: PROMPT, hidden a: PROMPT, b: \"x\" { c: Int, c: Int }) -> (x: Int, x: Int)\nchoices C = \"a\" | \"b\" | \"a\" | 1 | 1\nnode B(d: \"q\" | \"q\")"
    ));
}

#[test]
fn wrong_types() {
    assert_snapshot!(rejected(
        "type Int = \"INT\"\nchoices File = \"a\" | \"b\"\nnode A(\n    a: [Image?],\n    b: Image | \"x\",\n    c: File<\"a\"> | File<\"b\">,\n    d: File<\"a\"> | 1,\n    e: 1 { x: Int } | \"b\" {},\n    f: [Image] | Mask,\n)"
    ));
}
