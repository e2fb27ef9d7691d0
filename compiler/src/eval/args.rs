//! Arguments of nodes: which input each is for, with the inputs of dynamic choices and growing inputs spread out.

use std::collections::HashMap;

use floe_lang::Span;
use floe_lang::ast::{self, Expr, ExprKind};
use floe_lang::decl::{ChoiceValue, DynamicChoice, GrowNames, InputDecl, Text, Type};

use super::Evaluator;
use super::hint::Hint;
use crate::error::CompileError;
use crate::flat::{Arg, Decl, Place, Value};

/// The arguments of a call.
pub(super) struct Given {
    pub(super) args: Vec<Arg>,
    /// Some argument belongs to no input, so inputs may seem missing.
    pub(super) unplaced: bool,
}

/// Where an argument goes.
struct Target<'d> {
    name: Text,
    /// Its declaration; none for an input that nobody declares.
    input: Option<&'d InputDecl>,
    name_place: Place,
}

impl<'a> Evaluator<'a> {
    /// Evaluates the arguments of a node.
    pub(super) fn node_args(&mut self, decl: &Decl, own: &str, call: &'a ast::Call) -> Given {
        let mut given = Given { args: Vec::with_capacity(call.args.len()), unplaced: false };
        let mut positional = false;
        for arg in &call.args {
            let input = match &arg.name {
                Some(name) => decl.input(&name.name),
                None if positional => None,
                None => decl.positional(),
            };
            let name: Text = match (&arg.name, input) {
                (_, Some(input)) => input.name.clone(),
                (Some(name), None) => Text::Owned(name.name.clone()),
                (None, None) => {
                    self.stray(decl, call, arg, &mut given);
                    self.argument(arg, &Hint::Nameless);
                    continue;
                }
            };
            positional |= arg.name.is_none();
            let name_place = self.place(arg.name.as_ref().map_or(arg.span, |name| name.span));
            let target = Target { name, input, name_place };
            self.arg(target, own, arg, &mut given.args);
        }
        self.twice(&mut given.args);
        given
    }

    /// Reports a second positional argument.
    fn stray(&mut self, decl: &Decl, call: &ast::Call, arg: &ast::Arg, given: &mut Given) {
        // One message for all of them.
        if std::mem::replace(&mut given.unplaced, true) {
            return;
        }
        let named = |input: &str| {
            call.args.iter().any(|arg| arg.name.as_ref().is_some_and(|name| name.name == input))
        };
        // `VAEDecode(samples, vae)` almost says which input is meant.
        let meant = match arg.value.as_ref().map(|value| &value.kind) {
            Some(ExprKind::Name(name)) => decl.input(name).filter(|input| !named(&input.name)),
            _ => None,
        };
        let span = self.place(arg.span).into();
        self.error(CompileError::Positional {
            node: decl.name.to_string(),
            socket: decl.positional().map(|input| input.name.to_string()),
            meant: meant.map(|input| input.name.to_string()),
            span,
        });
    }

    /// One argument, which may be for several inputs.
    fn arg(&mut self, target: Target<'_>, own: &str, arg: &'a ast::Arg, args: &mut Vec<Arg>) {
        let place = self.place(value_span(arg));
        match &arg.value {
            Some(expr) => self.spread(target, own, expr, args),
            None => {
                let value = self.argument(arg, &Hint::Nameless);
                self.spread_value(target, value, place, args);
            }
        }
    }

    /// An expression for an input: what is written with its parts in place keeps their places.
    fn spread(&mut self, target: Target<'_>, own: &str, expr: &'a Expr, args: &mut Vec<Arg>) {
        let place = self.place(expr.span);
        let ty = target.input.map(|input| &input.ty);
        match (&expr.kind, ty) {
            (ExprKind::Select { choice, inputs }, _) => self.select(target, own, (choice, inputs), args),
            (ExprKind::List(items), Some(Type::Grow { names, element, .. })) => {
                for (index, item) in items.iter().enumerate() {
                    let Some(target) = self.grown(&target, names, element.first(), index, item) else {
                        break;
                    };
                    // One that is left open has no socket at all.
                    if !matches!(item.kind, ExprKind::None) {
                        self.spread(target, own, item, args);
                    }
                }
            }
            (ExprKind::Record(fields), Some(Type::Grow { element, .. })) => {
                self.nested(&target, own, fields, &|_| element.first(), args);
            }
            (ExprKind::Name(name), Some(ty)) if self.is_unquoted(name, ty) => {
                let value = self.poison(CompileError::UnknownName {
                    name: name.clone(),
                    suggestion: Some(format!("\"{name}\"")),
                    span: place.into(),
                    below: None,
                    outside: None,
                });
                self.spread_value(target, value, place, args);
            }
            _ => {
                let value = self.expr(expr, &Hint::Input(own, &target.name));
                self.spread_value(target, value, place, args);
            }
        }
    }

    /// Whether a name is a choice that lacks its quotes, as in `scheduler: normal`.
    fn is_unquoted(&self, name: &str, ty: &Type) -> bool {
        let chosen = match ty {
            Type::Choice { values, .. } => {
                values.iter().any(|value| matches!(value, ChoiceValue::Str(text) if text == name))
            }
            Type::Dynamic(choices) => choices.iter().any(|choice| choice.key == name),
            _ => false,
        };
        chosen && !self.visible().any(|visible| visible == name)
    }

    /// A choice with its inputs.
    fn select(
        &mut self,
        target: Target<'_>,
        own: &str,
        (choice, inputs): (&'a Expr, &'a [ast::Arg]),
        args: &mut Vec<Arg>,
    ) {
        let place = self.place(choice.span);
        let value = self.expr(choice, &Hint::Nameless);
        let chosen = chosen(target.input, &value);
        let find =
            |name: &str| chosen.and_then(|choice| choice.inputs.iter().find(|input| input.name == name));
        args.push(Arg { name: target.name.clone(), value, place, name_place: target.name_place });
        self.nested(&target, own, inputs, &find, args);
    }

    /// Named inputs below another one.
    fn nested<'d>(
        &mut self,
        outer: &Target<'_>,
        own: &str,
        fields: &'a [ast::Arg],
        find: &dyn Fn(&str) -> Option<&'d InputDecl>,
        args: &mut Vec<Arg>,
    ) {
        for field in fields {
            let Some(name) = &field.name else { continue };
            let target = Target {
                name: format!("{}.{}", outer.name, name.name).into(),
                input: find(&name.name),
                name_place: self.place(name.span),
            };
            self.arg(target, own, field, args);
        }
    }

    /// The socket for an element of a growing input.
    fn grown<'d>(
        &mut self,
        outer: &Target<'_>,
        names: &GrowNames,
        element: Option<&'d InputDecl>,
        index: usize,
        item: &Expr,
    ) -> Option<Target<'d>> {
        let place = self.place(item.span);
        match names.name(index) {
            Some(name) => Some(Target {
                name: format!("{}.{name}", outer.name).into(),
                input: element,
                name_place: place,
            }),
            None => {
                self.too_many(&outer.name, index, place);
                None
            }
        }
    }

    fn too_many(&mut self, input: &str, most: usize, place: Place) {
        self.error(CompileError::TooManyInputs { input: input.to_owned(), most, span: place.into() });
    }

    /// A value for an input.
    fn spread_value(&mut self, target: Target<'_>, value: Value, place: Place, args: &mut Vec<Arg>) {
        let ty = target.input.map(|input| &input.ty);
        match (&value, ty) {
            (Value::List(items), Some(Type::Grow { names, .. })) => {
                for (index, item) in items.iter().enumerate() {
                    let Some(name) = names.name(index) else {
                        return self.too_many(&target.name, index, place);
                    };
                    let name = format!("{}.{name}", target.name).into();
                    push(args, name, item.clone(), place, target.name_place);
                }
            }
            (Value::Record(fields), Some(Type::Grow { .. })) => {
                for (name, field) in fields.iter() {
                    let name = format!("{}.{name}", target.name).into();
                    push(args, name, field.clone(), place, target.name_place);
                }
            }
            _ => args.push(Arg { name: target.name, value, place, name_place: target.name_place }),
        }
    }

    /// Reports inputs that are given twice; the first of them counts.
    fn twice(&mut self, args: &mut Vec<Arg>) {
        let mut seen: HashMap<Text, Place> = HashMap::new();
        let mut again = Vec::new();
        args.retain(|arg| match seen.get(&arg.name) {
            Some(&first) => {
                again.push((arg.name.to_string(), arg.name_place, first));
                false
            }
            None => {
                seen.insert(arg.name.clone(), arg.name_place);
                true
            }
        });
        for (input, span, first) in again {
            self.error(CompileError::DuplicateInput { input, span: span.into(), first: first.into() });
        }
    }
}

/// Where the value of an argument is written; `name:` alone is both.
pub(super) fn value_span(arg: &ast::Arg) -> Span {
    match (&arg.value, &arg.name) {
        (Some(value), _) => value.span,
        (None, Some(name)) => name.span,
        (None, None) => arg.span,
    }
}

/// Adds an element of a growing input; one that is left open has no socket at all.
fn push(args: &mut Vec<Arg>, name: Text, value: Value, place: Place, name_place: Place) {
    if !matches!(value, Value::None) {
        args.push(Arg { name, value, place, name_place });
    }
}

/// The choice that a value makes, where the input has choices with inputs.
pub(crate) fn chosen<'d>(input: Option<&'d InputDecl>, value: &Value) -> Option<&'d DynamicChoice> {
    let Some(Type::Dynamic(choices)) = input.map(|input| &input.ty) else { return None };
    let Value::Str(key) = value else { return None };
    choices.iter().find(|choice| choice.key == **key)
}
