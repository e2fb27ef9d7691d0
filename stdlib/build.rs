//! Compiles the declarations in `nodes/*.flow` into a table of constants, so that start-up does not parse them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use floe_lang::ast::{
    Annotation, ChoiceValue, Constraint, ConstraintKind, Doc, Expr, ExprKind, Input, Node, Statement,
    StatementKind, Type, TypeKind,
};
use floe_lang::{SourceFile, parse};

fn main() {
    println!("cargo:rerun-if-changed=nodes");
    let mut paths: Vec<PathBuf> = fs::read_dir("nodes")
        .expect("the declarations lie in nodes/")
        .map(|entry| entry.expect("nodes/ can be listed").path())
        .collect();
    paths.sort();
    let mut statements = Vec::new();
    for path in &paths {
        statements.extend(read(path));
    }
    let mut sets = BTreeMap::new();
    for statement in &statements {
        if let StatementKind::Choices(choices) = &statement.kind {
            let values = choices.values.iter().map(|choice| choice_text(&choice.value)).collect();
            sets.insert(choices.name.name.clone(), values);
        }
    }
    let mut nodes = BTreeMap::new();
    for statement in &statements {
        if let StatementKind::Node(node) = &statement.kind {
            let text = node_table(statement, node, &sets);
            let earlier = nodes.insert(node.name.name.clone(), text);
            assert!(earlier.is_none(), "node {} is declared twice", node.name.name);
        }
    }
    let mut table =
        String::from("/// Every declared node, by name.\npub(crate) static NODES: &[NodeDecl] = &[\n");
    for text in nodes.values() {
        table.push_str(text);
    }
    table.push_str("];\n");
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&out).join("nodes.rs"), table).expect("OUT_DIR can be written");
}

fn read(path: &Path) -> Vec<Statement> {
    let text = fs::read_to_string(path).expect("a declaration file can be read");
    let parsed = parse(&SourceFile::new(path.display().to_string(), text));
    if let Some(error) = parsed.errors.first() {
        panic!("{} at byte {}: {error}", path.display(), error.span().start);
    }
    parsed.ast.statements
}

type Sets = BTreeMap<String, Vec<String>>;

fn node_table(statement: &Statement, node: &Node, sets: &Sets) -> String {
    let text_of = |name: &str| annotation(&statement.annotations, name).map(text_argument);
    let has = |name: &str| annotation(&statement.annotations, name).is_some();
    let mut table = String::new();
    let name = &node.name.name;
    let display = text_of("display").unwrap_or_else(|| name.clone());
    let category = text_of("category").unwrap_or_else(|| panic!("node {name} has no @category"));
    let docs = docs(statement.docs.as_ref());
    assert!(!docs.is_empty(), "node {name} has no docs");
    let inputs: String = node.inputs.iter().map(|input| input_table(input, sets)).collect();
    let outputs: String = node
        .outputs
        .iter()
        .map(|output| {
            let ty = type_table(&output.ty, sets);
            format!("OutputDecl {{ name: {:?}, ty: {ty} }}, ", output.name.name)
        })
        .collect();
    let _ = writeln!(
        table,
        "NodeDecl {{ name: {name:?}, display: {display:?}, category: {category:?}, docs: {docs:?}, \
         output_node: {}, inputs: &[{inputs}], outputs: &[{outputs}] }},",
        has("output")
    );
    table
}

fn input_table(input: &Input, sets: &Sets) -> String {
    let (ty, optional) = match &input.ty.kind {
        TypeKind::Optional(inner) => (inner.as_ref(), true),
        _ => (&input.ty, false),
    };
    let range = input.constraint.as_ref().map(range_table).unwrap_or_else(|| "None".to_owned());
    let default =
        input.default.as_ref().map_or_else(|| "None".to_owned(), |value| format!("Some({})", literal(value)));
    let step = annotation(&input.annotations, "step")
        .map_or_else(|| "None".to_owned(), |step| format!("Some({})", literal(argument(step))));
    format!(
        "InputDecl {{ name: {:?}, docs: {:?}, ty: {}, optional: {optional}, hidden: {}, default: {default}, \
         range: {range}, step: {step} }}, ",
        input.name.name,
        docs(input.docs.as_ref()),
        type_table(ty, sets),
        input.hidden,
    )
}

fn range_table(constraint: &Constraint) -> String {
    match &constraint.kind {
        ConstraintKind::Range { lo, hi } => format!("Some(({}, {}))", literal(lo), literal(hi)),
        ConstraintKind::OneOf(_) => panic!("inputs of nodes have choices as their type"),
    }
}

fn type_table(ty: &Type, sets: &Sets) -> String {
    match &ty.kind {
        TypeKind::Name(name) => match name.as_str() {
            "Int" | "Float" | "Bool" | "String" | "Any" => format!("Type::{name}"),
            _ => match sets.get(name) {
                Some(values) => format!("Type::Choice {{ set: Some({name:?}), values: &{values:?} }}"),
                None => format!("Type::Data({name:?})"),
            },
        },
        TypeKind::Choices(choices) => {
            let values: Vec<String> = choices.iter().map(|choice| choice_text(&choice.value)).collect();
            format!("Type::Choice {{ set: None, values: &{values:?} }}")
        }
        TypeKind::File { folder, .. } => format!("Type::File({folder:?})"),
        TypeKind::List(inner) => format!("Type::List(&{})", type_table(inner, sets)),
        TypeKind::Union(types) => {
            let types: String = types.iter().map(|ty| format!("{}, ", type_table(ty, sets))).collect();
            format!("Type::Union(&[{types}])")
        }
        TypeKind::Optional(_) => panic!("only the type of an input is optional, as a whole"),
    }
}

fn choice_text(value: &ChoiceValue) -> String {
    match value {
        ChoiceValue::Str(text) => text.clone(),
        ChoiceValue::Int(number) => number.to_string(),
    }
}

fn literal(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Int(value) => format!("Literal::Int({value})"),
        ExprKind::Float(value) => format!("Literal::Float({value:?})"),
        ExprKind::Bool(value) => format!("Literal::Bool({value})"),
        ExprKind::Str(value) => format!("Literal::String({value:?})"),
        other => panic!("a default is a literal, not {other:?}"),
    }
}

fn docs(docs: Option<&Doc>) -> &str {
    docs.map_or("", |docs| docs.text.as_str())
}

fn annotation<'a>(annotations: &'a [Annotation], name: &str) -> Option<&'a Annotation> {
    annotations.iter().find(|annotation| annotation.name.name == name)
}

fn argument(annotation: &Annotation) -> &Expr {
    let value = annotation.args.first().and_then(|arg| arg.value.as_ref());
    value.unwrap_or_else(|| panic!("@{} takes a value", annotation.name.name))
}

fn text_argument(annotation: &Annotation) -> String {
    match &argument(annotation).kind {
        ExprKind::Str(text) => text.clone(),
        other => panic!("@{} takes a text, not {other:?}", annotation.name.name),
    }
}
