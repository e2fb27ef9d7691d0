//! What annotations say of calls.

use std::sync::Arc;

use floe_lang::ast::{Annotation, ExprKind, UnaryOp};

use super::Evaluator;
use super::hint::Hint;
use crate::error::{NameError, suggest};
use crate::flat::{Marks, Mode, Value};

/// The annotations of calls.
const KNOWN: [&str; 8] = ["label", "mute", "bypass", "device", "nocache", "id", "pos", "widgets"];

impl<'a> Evaluator<'a> {
    /// Reports annotations that stand before something else than a call.
    pub(super) fn no_annotations(&mut self, annotations: &'a [Annotation]) {
        for annotation in annotations {
            let span = self.place(annotation.span).into();
            self.error(NameError::MisplacedAnnotation { name: annotation.name.name.clone(), span });
        }
    }

    /// What annotations say.
    pub(super) fn marks(&mut self, annotations: impl Iterator<Item = &'a Annotation>) -> (Marks, Mode) {
        let (mut marks, mut mode) = (Marks::default(), Mode::On);
        for annotation in annotations {
            self.mark(annotation, &mut marks, &mut mode);
        }
        (marks, mode)
    }

    fn mark(&mut self, annotation: &'a Annotation, marks: &mut Marks, mode: &mut Mode) {
        match annotation.name.name.as_str() {
            "label" => marks.label = self.text_of(annotation, "@label(\"contact sheet\")"),
            "device" => marks.device = self.text_of(annotation, "@device(\"cuda:1\")"),
            "id" => marks.id = self.text_of(annotation, "@id(\"5:31\")"),
            "nocache" => marks.nocache = self.bare(annotation, "@nocache"),
            "mute" if self.bare(annotation, "@mute") => *mode = Mode::Mute,
            "bypass" if self.bare(annotation, "@bypass") => *mode = Mode::Bypass,
            "mute" | "bypass" => {}
            "pos" => marks.pos = self.position(annotation),
            "widgets" => match self.values_of(annotation).as_slice() {
                [Value::List(values)] => marks.widgets = values.to_vec(),
                [Value::Poison] => {}
                _ => self.bad(annotation, "a list", "@widgets([1, \"a\"])"),
            },
            name => {
                let suggestion = suggest(name, KNOWN).map(|name| format!("@{name}"));
                let span = self.place(annotation.span).into();
                self.error(NameError::UnknownAnnotation { name: name.to_owned(), suggestion, span });
            }
        }
    }

    fn values_of(&mut self, annotation: &'a Annotation) -> Vec<Value> {
        let outer = self.known_only.replace("an annotation");
        let values = annotation.args.iter().map(|arg| self.argument(arg, &Hint::Nameless)).collect();
        self.known_only = outer;
        values
    }

    fn text_of(&mut self, annotation: &'a Annotation, usage: &'static str) -> Option<Arc<str>> {
        match self.values_of(annotation).as_slice() {
            [Value::Str(text)] => Some(text.clone()),
            [Value::Poison | Value::Unknown(_)] => None,
            _ => {
                self.bad(annotation, "a text", usage);
                None
            }
        }
    }

    fn bare(&mut self, annotation: &'a Annotation, usage: &'static str) -> bool {
        if !annotation.args.is_empty() {
            self.bad(annotation, "nothing", usage);
        }
        annotation.args.is_empty()
    }

    /// Places are written as numbers: a minus sign is no calculation.
    fn position(&mut self, annotation: &'a Annotation) -> Option<(f64, f64)> {
        let number = |value: &floe_lang::ast::Expr| match &value.kind {
            ExprKind::Int(value) => Some(*value as f64),
            ExprKind::Float(value) => Some(*value),
            ExprKind::Unary { op: UnaryOp::Neg, operand } => match &operand.kind {
                ExprKind::Int(value) => Some(-(*value as f64)),
                ExprKind::Float(value) => Some(-*value),
                _ => None,
            },
            _ => None,
        };
        let numbers: Vec<Option<f64>> =
            annotation.args.iter().map(|arg| arg.value.as_ref().and_then(number)).collect();
        match numbers.as_slice() {
            [Some(x), Some(y)] => Some((*x, *y)),
            _ => {
                self.bad(annotation, "two numbers", "@pos(120, 80)");
                None
            }
        }
    }

    fn bad(&mut self, annotation: &Annotation, want: &'static str, usage: &'static str) {
        let span = self.place(annotation.span).into();
        self.error(NameError::BadAnnotation { name: annotation.name.name.clone(), want, usage, span });
    }
}
