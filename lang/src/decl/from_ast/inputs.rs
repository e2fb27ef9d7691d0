//! Inputs of declarations: their types, values, marks, and how they grow.

use std::collections::BTreeMap;

use super::super::{
    DeclError, GrowNames, InputDecl, InputMarks, Items, Literal, NamedTypes, Place, Text, Type,
};
use super::annotations::{Marks, text, wrong};
use super::{Scope, values};
use crate::Span;
use crate::ast::{Annotation, Constraint, ConstraintKind, Expr, ExprKind, Input, TypeKind};

/// The hidden inputs of every class that calls a paid service: whose account it is, and what asks.
const ACCOUNT: [(&str, &str); 4] = [
    ("auth_token_comfy_org", "AUTH_TOKEN_COMFY_ORG"),
    ("api_key_comfy_org", "API_KEY_COMFY_ORG"),
    ("unique_id", "UNIQUE_ID"),
    ("comfy_usage_source", "COMFY_USAGE_SOURCE"),
];

/// The inputs that `@partner` stands for; retired classes are from a time without the last one.
pub(super) fn account(retired: bool, types: &dyn NamedTypes) -> Vec<InputDecl> {
    let count = if retired { 3 } else { 4 };
    ACCOUNT[..count]
        .iter()
        .map(|&(name, comfy)| InputDecl {
            name: name.into(),
            docs: Text::Borrowed(""),
            ty: types.comfy_type(comfy).unwrap_or(Type::Data {
                name: comfy.into(),
                comfy: comfy.into(),
                widget: false,
            }),
            optional: false,
            hidden: true,
            default: None,
            range: None,
            marks: InputMarks::default(),
        })
        .collect()
}

/// Whether it is one of the inputs that `@partner` stands for.
pub(in crate::decl) fn is_account(input: &InputDecl) -> bool {
    input.hidden && ACCOUNT.iter().any(|&(name, _)| input.name == name)
}

impl Scope<'_> {
    /// The inputs of a node or a choice. A hidden one may be called as one that is not: nobody gives it.
    pub(super) fn inputs(&self, inputs: &[Input], errors: &mut Vec<DeclError>) -> Vec<InputDecl> {
        let mut seen: BTreeMap<(bool, &str), Span> = BTreeMap::new();
        let mut found = Vec::new();
        for input in inputs {
            let name = (input.hidden, input.name.name.as_str());
            if let Some(&first) = seen.get(&name) {
                let (input, span) = (input.name.name.clone(), input.name.span);
                errors.push(DeclError::DuplicateInput { input, span, first });
                continue;
            }
            seen.insert(name, input.name.span);
            found.push(self.input(input, errors));
        }
        found
    }

    fn input(&self, input: &Input, errors: &mut Vec<DeclError>) -> InputDecl {
        let marks = Marks::new(&input.annotations, Place::Input, errors);
        let (written, optional) = match &input.ty.kind {
            TypeKind::Optional(inner) => (inner.as_ref(), true),
            _ => (&input.ty, false),
        };
        let mut decl = InputDecl {
            name: input.name.name.clone().into(),
            docs: input.docs.as_ref().map(|docs| docs.text.clone()).unwrap_or_default().into(),
            ty: self.ty(written, errors),
            optional,
            hidden: input.hidden,
            default: None,
            range: None,
            marks: input_marks(&marks, errors),
        };
        if let Some(grow) = marks.get("grow") {
            return growing(decl, grow, input, errors);
        }
        values_of(&mut decl, input, errors);
        decl
    }
}

/// Range and default, which belong to the element where an input grows.
fn values_of(decl: &mut InputDecl, input: &Input, errors: &mut Vec<DeclError>) {
    if let Some(constraint) = &input.constraint {
        decl.range = range(decl, constraint, errors);
    }
    if let Some(default) = &input.default {
        decl.default = default_of(decl, default, errors);
        // A default that is wrong still says that calls need not give the input: they are not told off as well.
        decl.optional |= decl.default.is_none();
    }
}

fn range(
    decl: &InputDecl,
    constraint: &Constraint,
    errors: &mut Vec<DeclError>,
) -> Option<(Literal, Literal)> {
    let mut bad = |problem: String, help: &'static str| {
        errors.push(DeclError::BadRange { problem, help, span: constraint.span });
    };
    let ConstraintKind::Range { lo, hi } = &constraint.kind else {
        let help = "an input's choices are its type: `crop: \"disabled\" | \"center\"`";
        bad(format!("`{}` has its choices in the wrong place", decl.name), help);
        return None;
    };
    let (lo, hi) = (values::literal(lo)?, values::literal(hi)?);
    let whole = matches!((&lo, &hi), (Literal::Int(_), Literal::Int(_)));
    match &decl.ty {
        Type::Int if !whole => {
            bad(format!("`{}` is whole, its range is not", decl.name), "write both ends without a point");
            return None;
        }
        Type::Int | Type::Float => {}
        _ => {
            bad(format!("`{}` is no number", decl.name), "only `Int` and `Float` have ranges");
            return None;
        }
    }
    if values::number(&lo)? > values::number(&hi)? {
        bad(format!("no number is in {lo}..={hi}"), "the smaller end comes first");
        return None;
    }
    Some((lo, hi))
}

fn default_of(decl: &InputDecl, default: &Expr, errors: &mut Vec<DeclError>) -> Option<Literal> {
    let input = decl.name.to_string();
    let Some(value) = values::literal(default) else {
        errors.push(DeclError::BadDefault {
            input,
            problem: "is not written out".to_owned(),
            help: "a default is a number, a text, `true` or `false`, or a list or record of these".to_owned(),
            span: default.span,
        });
        return None;
    };
    if let Some(problem) = values::refusal(decl, &value) {
        let help = "change the default, or what the input takes".to_owned();
        errors.push(DeclError::BadDefault { input, problem, help, span: default.span });
        return None;
    }
    Some(value)
}

fn input_marks(marks: &Marks<'_>, errors: &mut Vec<DeclError>) -> InputMarks {
    let mut denied: Vec<Text> = Vec::new();
    let mut switch = |name: &'static str, errors: &mut Vec<DeclError>| {
        let said = marks.switch(name, errors);
        if said == Some(false) {
            denied.push(name.into());
        }
        said == Some(true)
    };
    let control = control(marks, errors);
    let (multiline, socketless) = (switch("multiline", errors), switch("socketless", errors));
    if control == Some(Control::Denied) {
        denied.push("control_after_generate".into());
    }
    InputMarks {
        step: marks.number("step", errors),
        round: marks.number("round", errors),
        multiline,
        dynamic_prompts: marks.flag("dynamic_prompts", errors),
        force_input: marks.flag("force_input", errors),
        control_after_generate: matches!(control, Some(Control::Plain | Control::Starts(_))),
        control_start: match control {
            Some(Control::Starts(start)) => Some(start),
            _ => None,
        },
        upload: marks.flag("upload", errors),
        advanced: marks.flag("advanced", errors),
        lazy: marks.flag("lazy", errors),
        socketless,
        invisible: marks.flag("invisible", errors),
        label: marks.text("label", errors),
        display: marks.text("display", errors),
        widget_type: marks.text("widget_type", errors),
        component: marks.text("component", errors),
        min: marks.number("min", errors),
        denied: denied.into(),
    }
}

#[derive(PartialEq)]
enum Control {
    Plain,
    Starts(Text),
    Denied,
}

/// `@control_after_generate`, with what its widget says at first, or with `false`.
fn control(marks: &Marks<'_>, errors: &mut Vec<DeclError>) -> Option<Control> {
    let annotation = marks.get("control_after_generate")?;
    match annotation.args.as_slice() {
        [] => return Some(Control::Plain),
        [only] if only.name.is_none() => match only.value.as_ref().map(|value| &value.kind) {
            Some(ExprKind::Str(start)) => return Some(Control::Starts(start.clone().into())),
            Some(ExprKind::Bool(false)) => return Some(Control::Denied),
            _ => {}
        },
        _ => {}
    }
    let help = "write `@control_after_generate` or `@control_after_generate(\"fixed\")`".to_owned();
    errors.push(wrong(annotation, "takes nothing, or what its widget says at first", help));
    None
}

const GROW_HELP: &str = "write it like `@grow(\"image\", min: 1, max: 50)`, `@grow(\"image_\", from: 1, to: 9)` or `@grow(names: [\"a\", \"b\"])`";

/// An input that is a group of sockets. All but its name, its docs and whether it is optional are the sockets'.
fn growing(mut group: InputDecl, grow: &Annotation, input: &Input, errors: &mut Vec<DeclError>) -> InputDecl {
    let Type::List(element) = &group.ty else {
        errors.push(DeclError::BadType {
            problem: "an input that grows is a list",
            help: "write its type as `[T]`",
            span: input.ty.span,
        });
        return group;
    };
    let Some(Growth { names, min, element: name }) = growth(grow) else {
        let wants = "takes how sockets are called, and how many there are";
        errors.push(wrong(grow, wants, GROW_HELP.to_owned()));
        return group;
    };
    let name = name.unwrap_or_else(|| singular(&group.name));
    let mut element = InputDecl {
        name,
        docs: Text::Borrowed(""),
        ty: element.first().cloned().unwrap_or(Type::Any),
        optional: false,
        hidden: false,
        default: None,
        range: None,
        marks: std::mem::take(&mut group.marks),
    };
    values_of(&mut element, input, errors);
    group.ty = Type::Grow { names, min, element: vec![element].into() };
    group
}

/// `images` grows by an `image`.
pub(in crate::decl) fn singular(name: &str) -> Text {
    name.strip_suffix('s').unwrap_or(name).to_owned().into()
}

struct Growth {
    names: GrowNames,
    min: u32,
    element: Option<Text>,
}

/// Most sockets that an input grows to, as a bound of what is made from a declaration.
const MAX_SOCKETS: u32 = 10_000;

fn growth(annotation: &Annotation) -> Option<Growth> {
    let (mut prefix, mut listed, mut element) = (None, None, None);
    let (mut min, mut max, mut from, mut to) = (None, None, None, None);
    for arg in &annotation.args {
        let value = arg.value.as_ref()?;
        match arg.name.as_ref().map(|name| name.name.as_str()) {
            None => prefix = Some(text(value)?),
            Some("names") => listed = Some(texts(value)?),
            Some("element") => element = Some(text(value)?),
            Some("min") => min = Some(count(value)?),
            Some("max") => max = Some(count(value)?),
            Some("from") => from = Some(count(value)?),
            Some("to") => to = Some(count(value)?),
            Some(_) => return None,
        }
    }
    let names = match (prefix, listed, max, from, to) {
        (Some(prefix), None, Some(max), None, None) => GrowNames::Prefix(prefix, max),
        (Some(prefix), None, None, Some(from), Some(to)) if from <= to => {
            GrowNames::Listed((from..=to).map(|number| Text::Owned(format!("{prefix}{number}"))).collect())
        }
        (None, Some(names), None, None, None) => GrowNames::Listed(names),
        _ => return None,
    };
    Some(Growth { names, min: min.unwrap_or(0), element })
}

fn texts(expr: &Expr) -> Option<Items<Text>> {
    match &expr.kind {
        ExprKind::List(items) => items.iter().map(text).collect(),
        _ => None,
    }
}

fn count(expr: &Expr) -> Option<u32> {
    match expr.kind {
        ExprKind::Int(number) => u32::try_from(number).ok().filter(|&number| number <= MAX_SOCKETS),
        _ => None,
    }
}
