//! The annotations of declarations and what they take.

use super::super::{DeclError, Literal, Place, Text};
use super::values;
use crate::ast::{Annotation, Arg, Expr, ExprKind};
use crate::suggest;

/// What stands before `node`.
pub(in crate::decl) const NODE_ANNOTATIONS: [&str; 12] = [
    "category",
    "display",
    "output",
    "takes_lists",
    "deprecated",
    "experimental",
    "partner",
    "v1",
    "retired",
    "intermediate",
    "essential",
    "pack",
];

/// What stands after an input.
pub(in crate::decl) const INPUT_ANNOTATIONS: [&str; 17] = [
    "step",
    "round",
    "min",
    "multiline",
    "dynamic_prompts",
    "force_input",
    "control_after_generate",
    "upload",
    "advanced",
    "lazy",
    "socketless",
    "invisible",
    "label",
    "display",
    "widget_type",
    "component",
    "grow",
];

/// The annotations of one thing, all of them known.
pub(super) struct Marks<'a>(Vec<&'a Annotation>);

impl<'a> Marks<'a> {
    /// Those that mean something at a place; the others are errors.
    pub(super) fn new(annotations: &'a [Annotation], place: Place, errors: &mut Vec<DeclError>) -> Self {
        let (known, unknown): (Vec<_>, Vec<_>) = annotations
            .iter()
            .partition(|annotation| place.annotations().contains(&annotation.name.name.as_str()));
        errors.extend(unknown.into_iter().map(|annotation| DeclError::UnknownAnnotation {
            name: annotation.name.name.clone(),
            place,
            suggestion: suggest(&annotation.name.name, place.annotations().iter().copied()),
            span: annotation.span,
        }));
        for (position, annotation) in known.iter().enumerate() {
            if known[..position].iter().any(|earlier| earlier.name.name == annotation.name.name) {
                errors.push(wrong(annotation, "stands there twice", "remove one of them".to_owned()));
            }
        }
        Marks(known)
    }

    /// An annotation by name.
    pub(super) fn get(&self, name: &str) -> Option<&'a Annotation> {
        self.0.iter().copied().find(|annotation| annotation.name.name == name)
    }

    /// Whether an annotation without arguments is there.
    pub(super) fn flag(&self, name: &str, errors: &mut Vec<DeclError>) -> bool {
        let Some(annotation) = self.get(name) else { return false };
        if !annotation.args.is_empty() {
            once(errors, wrong(annotation, "takes nothing", format!("write `@{name}`")));
        }
        true
    }

    /// `@name`, or `@name(false)`, which says explicitly that it is not so.
    pub(super) fn switch(&self, name: &str, errors: &mut Vec<DeclError>) -> Option<bool> {
        let annotation = self.get(name)?;
        match annotation.args.as_slice() {
            [] => Some(true),
            [Arg { name: None, value: Some(Expr { kind: ExprKind::Bool(false), .. }), .. }] => Some(false),
            _ => {
                let help = format!("write `@{name}` or `@{name}(false)`");
                errors.push(wrong(annotation, "takes nothing or `false`", help));
                None
            }
        }
    }

    /// The text in `@name("text")`.
    pub(super) fn text(&self, name: &str, errors: &mut Vec<DeclError>) -> Option<Text> {
        let annotation = self.get(name)?;
        let text = only_argument(annotation).and_then(text);
        if text.is_none() {
            errors.push(wrong(annotation, "takes one text", format!("write `@{name}(\"…\")`")));
        }
        text
    }

    /// The value in `@name(0.5)`: a number, or `false`.
    pub(super) fn number(&self, name: &str, errors: &mut Vec<DeclError>) -> Option<Literal> {
        let annotation = self.get(name)?;
        let number = only_argument(annotation).and_then(values::literal);
        match number {
            Some(Literal::Int(_) | Literal::Float(_) | Literal::Bool(false)) => number,
            _ => {
                errors.push(wrong(annotation, "takes one number", format!("write it like `@{name}(0.01)`")));
                None
            }
        }
    }

    /// Whether `@name(none)` is there.
    pub(super) fn none(&self, name: &str, errors: &mut Vec<DeclError>) -> bool {
        let Some(annotation) = self.get(name) else { return false };
        let none = matches!(only_argument(annotation), Some(Expr { kind: ExprKind::None, .. }));
        if !none {
            let help = format!("write `@{name}(none)`; an output that is a list has the type `[T]`");
            errors.push(wrong(annotation, "takes `none`", help));
        }
        none
    }
}

/// The error that an annotation is used in another way than it can be.
pub(super) fn wrong(annotation: &Annotation, wants: &'static str, help: String) -> DeclError {
    DeclError::BadAnnotation { name: annotation.name.name.clone(), wants, help, span: annotation.span }
}

/// The argument without a name, where there is no other.
pub(super) fn only_argument(annotation: &Annotation) -> Option<&Expr> {
    match annotation.args.as_slice() {
        [Arg { name: None, value: Some(value), .. }] => Some(value),
        _ => None,
    }
}

/// A text as it is written.
pub(super) fn text(expr: &Expr) -> Option<Text> {
    match &expr.kind {
        ExprKind::Str(text) => Some(text.clone().into()),
        _ => None,
    }
}

fn once(errors: &mut Vec<DeclError>, error: DeclError) {
    if !errors.contains(&error) {
        errors.push(error);
    }
}
