//! From declarations as data back to declarations as written, for people to read: the inverse of `from_ast`.

use super::from_ast::{is_account, singular};
use super::{
    ChoiceValue, DynamicChoice, GrowNames, InputDecl, InputMarks, Items, Literal, NodeDecl, OutputDecl, Text,
    Type,
};
use crate::Span;
use crate::ast;
use crate::ast::{Annotation, Arg, Expr, ExprKind, Ident, StatementKind, TypeKind};

/// Nothing of it is written anywhere.
const NOWHERE: Span = Span { start: 0, end: 0 };

/// The declaration of a data type or a set of choices as a statement.
pub fn type_to_ast(name: &str, about: &str, ty: &Type) -> ast::Statement {
    let (widget, kind) = match ty {
        Type::Data { comfy, widget, .. } => {
            let comfy = comfy.to_string();
            (*widget, StatementKind::Type(ast::TypeDecl { name: ident(name), comfy, comfy_span: NOWHERE }))
        }
        Type::Choice { values, .. } => (false, set(name, values.iter().map(choice))),
        Type::Dynamic(choices) => (false, set(name, choices.iter().map(dynamic))),
        _ => (false, set(name, std::iter::empty())),
    };
    ast::Statement {
        comments: Vec::new(),
        blank_before: false,
        docs: docs(about),
        annotations: widget.then(|| with("widget", Vec::new())).into_iter().collect(),
        kind,
        span: NOWHERE,
    }
}

fn set(name: &str, values: impl Iterator<Item = ast::Choice>) -> StatementKind {
    StatementKind::Choices(ast::Choices { name: ident(name), values: values.collect() })
}

impl NodeDecl {
    /// The declaration as a statement: what the library or a program says of it, with sets of choices by their names.
    /// Spans are empty.
    pub fn to_ast(&self) -> ast::Statement {
        let shown = self.inputs.iter().filter(|input| !(self.marks.partner_api && is_account(input)));
        ast::Statement {
            comments: Vec::new(),
            blank_before: false,
            docs: docs(&self.docs),
            annotations: self.annotations(),
            kind: StatementKind::Node(ast::Node {
                name: ident(&self.name),
                inputs: shown.map(input).collect(),
                outputs: self.outputs.iter().map(output).collect(),
            }),
            span: NOWHERE,
        }
    }

    fn annotations(&self) -> Vec<Annotation> {
        let marks = &self.marks;
        let flags = [
            ("output", self.output_node),
            ("takes_lists", self.takes_lists),
            ("intermediate", marks.intermediate_output),
            ("deprecated", marks.deprecated),
            ("experimental", marks.experimental),
            ("partner", marks.partner_api),
            ("v1", marks.v1),
            ("retired", marks.retired),
        ];
        let mut all = vec![with("category", vec![text(&self.category)])];
        all.extend(self.display.as_ref().map(|title| with("display", vec![text(title)])));
        all.extend(flags.into_iter().filter(|(_, holds)| *holds).map(|(name, _)| with(name, Vec::new())));
        all.extend(marks.essential.as_ref().map(|group| with("essential", vec![text(group)])));
        all.extend(marks.pack.as_ref().map(|pack| with("pack", vec![text(pack)])));
        all
    }
}

fn docs(text: &str) -> Option<ast::Doc> {
    (!text.is_empty()).then(|| ast::Doc { text: text.to_owned(), span: NOWHERE })
}

fn ident(name: &str) -> Ident {
    Ident { name: name.to_owned(), span: NOWHERE }
}

fn expr(kind: ExprKind) -> Expr {
    Expr { kind, span: NOWHERE }
}

fn text(text: &str) -> Expr {
    expr(ExprKind::Str(text.to_owned()))
}

fn argument(name: Option<&str>, value: Expr) -> Arg {
    Arg { name: name.map(ident), value: Some(value), span: NOWHERE }
}

fn with(name: &str, values: Vec<Expr>) -> Annotation {
    let args = values.into_iter().map(|value| argument(None, value)).collect();
    Annotation { name: ident(name), args, span: NOWHERE }
}

fn input(decl: &InputDecl) -> ast::Input {
    // What a growing input says besides its names is said of its sockets.
    let (element, growth) = match &decl.ty {
        Type::Grow { names, min, element } => match element.first() {
            Some(element) => (element, Some(grow(&decl.name, names, *min, element))),
            None => (decl, None),
        },
        _ => (decl, None),
    };
    let ty = match growth {
        Some(_) => ast_type(TypeKind::List(Box::new(written(&element.ty)))),
        None => written(&decl.ty),
    };
    let mut annotations = marks(&element.marks);
    annotations.extend(growth);
    ast::Input {
        docs: docs(&decl.docs),
        hidden: decl.hidden,
        name: ident(&decl.name),
        ty: if decl.optional { ast_type(TypeKind::Optional(Box::new(ty))) } else { ty },
        constraint: element.range.as_ref().map(|(lo, hi)| ast::Constraint {
            kind: ast::ConstraintKind::Range { lo: Box::new(value(lo)), hi: Box::new(value(hi)) },
            span: NOWHERE,
        }),
        default: element.default.as_ref().map(value),
        annotations,
        span: NOWHERE,
    }
}

fn output(decl: &OutputDecl) -> ast::Output {
    let ty = written(&decl.ty);
    let unsaid = decl.list_unsaid.then(|| with("list", vec![expr(ExprKind::None)]));
    ast::Output {
        docs: docs(&decl.docs),
        name: ident(&decl.name),
        ty: if decl.is_list { ast_type(TypeKind::List(Box::new(ty))) } else { ty },
        annotations: unsaid.into_iter().collect(),
        span: NOWHERE,
    }
}

fn marks(marks: &InputMarks) -> Vec<Annotation> {
    let number = |name: &str, literal: &Option<Literal>| {
        literal.as_ref().map(|literal| with(name, vec![value(literal)]))
    };
    let flag = |name: &str, holds: bool| {
        let denied = marks.denied.iter().any(|denied| denied == name);
        match (holds, denied) {
            (true, _) => Some(with(name, Vec::new())),
            (false, true) => Some(with(name, vec![expr(ExprKind::Bool(false))])),
            (false, false) => None,
        }
    };
    let said = |name: &str, said: &Option<Text>| said.as_ref().map(|said| with(name, vec![text(said)]));
    let control = match &marks.control_start {
        Some(start) => Some(with("control_after_generate", vec![text(start)])),
        None => flag("control_after_generate", marks.control_after_generate),
    };
    [
        number("min", &marks.min),
        number("step", &marks.step),
        number("round", &marks.round),
        flag("multiline", marks.multiline),
        flag("dynamic_prompts", marks.dynamic_prompts),
        control,
        flag("force_input", marks.force_input),
        flag("upload", marks.upload),
        flag("lazy", marks.lazy),
        flag("socketless", marks.socketless),
        flag("invisible", marks.invisible),
        flag("advanced", marks.advanced),
        said("label", &marks.label),
        said("display", &marks.display),
        said("widget_type", &marks.widget_type),
        said("component", &marks.component),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// `@grow(…)` as it is written for these sockets.
fn grow(group: &str, names: &GrowNames, min: u32, element: &InputDecl) -> Annotation {
    let count = |count: u32| expr(ExprKind::Int(count.into()));
    let mut args = Vec::new();
    match names {
        GrowNames::Prefix(prefix, _) => args.push(argument(None, text(prefix))),
        GrowNames::Listed(names) => match numbered(names) {
            Some((prefix, from, to)) => {
                args.push(argument(None, text(prefix)));
                args.push(argument(Some("from"), count(from)));
                args.push(argument(Some("to"), count(to)));
            }
            None => {
                let names = names.iter().map(|name| text(name)).collect();
                args.push(argument(Some("names"), expr(ExprKind::List(names))));
            }
        },
    }
    if min > 0 {
        args.push(argument(Some("min"), count(min)));
    }
    if let GrowNames::Prefix(_, max) = names {
        args.push(argument(Some("max"), count(*max)));
    }
    if element.name != singular(group) {
        args.push(argument(Some("element"), text(&element.name)));
    }
    Annotation { name: ident("grow"), args, span: NOWHERE }
}

/// Names that differ only in the number at their end, which counts up by one.
fn numbered(names: &[Text]) -> Option<(&str, u32, u32)> {
    let first = names.first()?;
    let prefix = first.trim_end_matches(|last: char| last.is_ascii_digit());
    let from: u32 = first[prefix.len()..].parse().ok()?;
    let mut numbers = from..;
    let counts =
        names.iter().all(|name| numbers.next().is_some_and(|number| **name == *format!("{prefix}{number}")));
    counts.then(|| (prefix, from, from + u32::try_from(names.len()).unwrap_or(u32::MAX) - 1))
}

fn ast_type(kind: TypeKind) -> ast::Type {
    ast::Type { kind, span: NOWHERE }
}

fn written(ty: &Type) -> ast::Type {
    let name = |name: &str| TypeKind::Name(name.to_owned());
    ast_type(match ty {
        Type::Int | Type::Float | Type::Bool | Type::String | Type::Any => name(&ty.to_string()),
        Type::Choice { set: Some(set), .. } => name(set),
        Type::Choice { set: None, values } => TypeKind::Choices(values.iter().map(choice).collect()),
        Type::Dynamic(choices) => TypeKind::Choices(choices.iter().map(dynamic).collect()),
        Type::File { folder, builtin } => return file(folder, builtin),
        Type::Data { name: data, .. } => name(data),
        Type::Union(types) => TypeKind::Union(types.iter().map(written).collect()),
        Type::List(element) => {
            TypeKind::List(Box::new(element.first().map_or_else(|| ast_type(name("Any")), written)))
        }
        // Inputs that grow are written by `input`.
        Type::Grow { element, .. } => {
            let element = element.first().map_or_else(|| ast_type(name("Any")), |input| written(&input.ty));
            TypeKind::List(Box::new(element))
        }
        Type::Match { template, allowed } => TypeKind::Match {
            template: template.to_string(),
            allowed: match allowed.as_ref() {
                [] => None,
                [only] => Some(Box::new(written(only))),
                several => Some(Box::new(ast_type(TypeKind::Union(several.iter().map(written).collect())))),
            },
        },
    })
}

fn file(folder: &str, builtin: &Items<Text>) -> ast::Type {
    let folder = ast_type(TypeKind::File { folder: folder.to_owned(), folder_span: NOWHERE });
    if builtin.is_empty() {
        return folder;
    }
    let name = |name: &Text| choice(&ChoiceValue::Str(name.clone()));
    let builtin = builtin.iter().map(|one| ast_type(TypeKind::Choices(vec![name(one)])));
    ast_type(TypeKind::Union([folder].into_iter().chain(builtin).collect()))
}

fn choice(value: &ChoiceValue) -> ast::Choice {
    let value = match value {
        ChoiceValue::Str(text) => ast::ChoiceValue::Str(text.to_string()),
        ChoiceValue::Int(number) => ast::ChoiceValue::Int(*number),
    };
    ast::Choice { value, inputs: None, span: NOWHERE }
}

fn dynamic(choice: &DynamicChoice) -> ast::Choice {
    let inputs = choice.inputs.iter().map(input).collect();
    ast::Choice { value: ast::ChoiceValue::Str(choice.key.to_string()), inputs: Some(inputs), span: NOWHERE }
}

fn value(literal: &Literal) -> Expr {
    expr(match literal {
        Literal::Int(value) => ExprKind::Int(*value),
        Literal::Float(value) => ExprKind::Float(*value),
        Literal::Bool(value) => ExprKind::Bool(*value),
        Literal::String(value) => ExprKind::Str(value.to_string()),
        Literal::List(items) => ExprKind::List(items.iter().map(value).collect()),
        Literal::Record(fields) => {
            ExprKind::Record(fields.iter().map(|(name, field)| argument(Some(name), value(field))).collect())
        }
    })
}
