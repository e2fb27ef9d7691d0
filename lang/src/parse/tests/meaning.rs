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

/// An expression with all its operators in parentheses.
fn grouped(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Name(name) => name.clone(),
        ExprKind::Int(number) => number.to_string(),
        ExprKind::Unary { op, operand } => format!("({}{})", op.symbol(), grouped(operand)),
        ExprKind::Binary { op, left, right, .. } => {
            format!("({} {} {})", grouped(left), op.symbol(), grouped(right))
        }
        ExprKind::Member { base, member: Member::Name(name) } => format!("{}.{}", grouped(base), name.name),
        ExprKind::Member { base, member: Member::Index { index, .. } } => {
            format!("{}.{index}", grouped(base))
        }
        ExprKind::Index { base, index } => format!("{}[{}]", grouped(base), grouped(index)),
        ExprKind::MethodCall { receiver, method, args } => {
            let args: Vec<String> = args.iter().filter_map(|arg| arg.value.as_ref()).map(grouped).collect();
            format!("{}.{}({})", grouped(receiver), method.name, args.join(", "))
        }
        ExprKind::Tuple(values) => format!("<{}>", values.iter().map(grouped).collect::<Vec<_>>().join(", ")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn operators_bind_by_precedence() {
    for (source, expected) in [
        ("a + b * c - d", "((a + (b * c)) - d)"),
        ("a - b - c", "((a - b) - c)"),
        ("a / b % c * d", "(((a / b) % c) * d)"),
        ("a || b && c || d", "((a || (b && c)) || d)"),
        ("a < b && c != d || !e", "(((a < b) && (c != d)) || (!e))"),
        ("(a < b) == c", "((a < b) == c)"),
        ("a + b == c * d", "((a + b) == (c * d))"),
        ("-a.b[0].c(d).1 + -2", "((-a.b[0].c(d).1) + -2)"),
        ("-1.abs()", "(-1.abs())"),
        ("(-1).abs()", "-1.abs()"),
        ("-(1)", "(-1)"),
        ("!!a", "(!(!a))"),
        ("a-b", "(a - b)"),
        ("a - -b", "(a - (-b))"),
        ("(a, b + c)", "<a, (b + c)>"),
        ("((a))", "a"),
    ] {
        let expr = Expr { kind: value(source), span: Span::new(0, 0) };
        assert_eq!(grouped(&expr), expected, "{source}");
    }
}

#[test]
fn statements_end_with_their_lines() {
    for (source, statements) in [
        ("F(a)\nlet d = -b\n  .c()", 2),
        ("let a = 1 +\n  2 *\n  3", 1),
        ("let a = b\n  .c\n  // remark\n\n  .d()\n  + 1\n  || e", 1),
        ("let a =\n  F(b)\nG(a)", 2),
        ("param a: A |\n  B\nF(a)", 2),
        ("param a: File<\"loras\">\nF(a)", 2),
        ("param a: Match<\"b\">\nF(a)", 2),
        ("let a = b >\n  c", 1),
        ("let a = b\n  > c", 1),
        ("if a\n{\n  b\n}\nelse if c\n{\n  d\n}\nelse\n{\n  e\n}", 1),
        ("fn f(a: Int)\n  -> Int\n{\n  a\n}\nF(a)", 2),
        ("assert a,\n  \"b\"", 1),
        ("@a(\n1)\n@b\n// remark\nF(c)", 1),
        ("param a: Int\n  in 1..=2", 1),
    ] {
        assert_eq!(accepted(source).statements.len(), statements, "{source}");
    }
    assert_eq!(codes("let a =\nlet b = 1"), ["parse::expected"]);
}

#[test]
fn f_strings_of_many_lines_lose_their_indent() {
    let ExprKind::FString(parts) = value("f\"\"\"\n    a {b} {{c}}\n\n      {d}\n    \\n {e}\n    \"\"\"")
    else {
        panic!()
    };
    let text: String = parts
        .iter()
        .map(|part| match part {
            FPart::Text(text) => text.clone(),
            FPart::Expr(Expr { kind: ExprKind::Name(name), .. }) => format!("<{name}>"),
            FPart::Expr(other) => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(text, "a <b> {c}\n\n  <d>\n\\n <e>");
    let ExprKind::FString(parts) = value("f\"\"\"{a}\"\"\"") else { panic!() };
    assert_eq!(parts.len(), 1);
}

#[test]
fn braces_are_blocks_records_and_inputs() {
    let file = accepted("F(a: \"b\" { c: 1 }, d: { e: {} }, f: if g { h } else { i } { j: 1 })");
    let StatementKind::Expr(Expr { kind: ExprKind::Call(call), .. }) = &file.statements[0].kind else {
        panic!()
    };
    let kinds: Vec<&ExprKind> =
        call.args.iter().filter_map(|arg| arg.value.as_ref()).map(|arg| &arg.kind).collect();
    let [ExprKind::Select { .. }, ExprKind::Record(fields), ExprKind::Select { choice, .. }] = kinds[..]
    else {
        panic!("{kinds:?}")
    };
    assert!(matches!(choice.kind, ExprKind::If(_)));
    assert!(
        matches!(&fields[0].value, Some(Expr { kind: ExprKind::Record(fields), .. }) if fields.is_empty())
    );
    let ExprKind::If(choice) = value("if a == { b: 1 } { c } else if d { e } else { let f = 1\n f }") else {
        panic!()
    };
    let Some(Else::If(second)) = &choice.otherwise else { panic!() };
    let ExprKind::If(If { otherwise: Some(Else::Block(last)), .. }) = &second.kind else { panic!() };
    assert_eq!(last.statements.len(), 2);
}

#[test]
fn uses_keep_their_form() {
    let file = accepted(
        "use std::a::{b, c as d, for as e}\nuse std::a\nuse std::a as b\nuse \"./c.flow\" as c\nuse \"c.flow\"::{d}",
    );
    let names: Vec<Vec<&str>> = file
        .statements
        .iter()
        .map(|statement| statement.kind.names().into_iter().map(|name| name.name.as_str()).collect())
        .collect();
    assert_eq!(names, [vec!["b", "d", "e"], vec!["a"], vec!["b"], vec!["c"], vec!["d"]]);
}

#[test]
fn spans_of_operators_hold_what_they_combine() {
    let source = "let x = (a + b) * -(c).d";
    let file = accepted(source);
    let StatementKind::Let(Let { value, .. }) = &file.statements[0].kind else { panic!() };
    let ExprKind::Binary { left, right, op_span, .. } = &value.kind else { panic!() };
    let at = |span: Span| &source[span.range()];
    assert_eq!(
        [at(value.span), at(left.span), at(*op_span), at(right.span)],
        ["(a + b) * -(c).d", "a + b", "*", "-(c).d"]
    );
}
