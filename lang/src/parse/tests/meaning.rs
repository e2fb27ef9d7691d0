//! What right programs mean.

use super::*;

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
