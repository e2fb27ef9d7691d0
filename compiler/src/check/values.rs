//! Whether values fit their inputs.

use floe_lang::decl::{ChoiceValue, InputDecl, Text, Type};

use super::inputs::literal;
use super::{Checker, Said};
use crate::bounds::{not_a_choice, out_of_range};
use crate::error::CompileError;
use crate::eval::coerce;
use crate::flat::{Arg, Call, Value};
use crate::inputs::{Args, Found};
use crate::types::{accepts, describe, describe_for, fits, fits_input, mismatch_help, type_of};

impl<'a> Checker<'a> {
    /// A value against its input.
    pub(super) fn value(&mut self, call: &'a Call, input: &'a InputDecl, arg: &'a Arg, said: &mut Said) {
        if arg.value.is_poisoned() {
            said.wrong = true;
            return;
        }
        if self.whole_list(call, input, arg, said) {
            return;
        }
        if fits_input(self.flat, input, &arg.value) {
            self.allowed(input, arg, said);
        } else {
            self.mismatch(input, arg, said);
        }
    }

    /// Whether a value is a list that is taken whole, or element by element, or wrongly; all is said about it then.
    fn whole_list(&mut self, call: &'a Call, input: &'a InputDecl, arg: &'a Arg, said: &mut Said) -> bool {
        let Some(Type::List(inner)) = type_of(self.flat, &arg.value) else { return false };
        if matches!(input.ty, Type::List(_) | Type::Grow { .. }) && !call.each {
            return false;
        }
        let known = matches!(arg.value, Value::List(_));
        if known && !call.each && !call.decl.takes_lists {
            return false;
        }
        let element = if call.each || call.decl.takes_lists {
            self.element_fits(input, &arg.value, &inner)
        } else {
            false
        };
        if !element && !call.each && !call.decl.takes_lists {
            let error = CompileError::NeedsEach {
                node: floe_lang::names::reference(&call.decl.name).into_owned(),
                input: input.name.to_string(),
                want: input.ty.to_string(),
                span: arg.place.into(),
                got: describe(self.flat, &arg.value),
            };
            self.error(error, said);
        } else if !element {
            self.mismatch(input, arg, said);
        }
        true
    }

    fn element_fits(&self, input: &InputDecl, value: &Value, inner: &[Type]) -> bool {
        match value {
            Value::List(items) => items.iter().all(|item| fits_input(self.flat, input, item)),
            _ => inner.iter().all(|inner| accepts(&input.ty, inner)),
        }
    }

    fn mismatch(&mut self, input: &'a InputDecl, arg: &'a Arg, said: &mut Said) {
        let want = match &input.ty {
            Type::Dynamic(_) => "one of its choices".to_owned(),
            Type::Choice { set: None, values } if values.len() > 4 => "one of its choices".to_owned(),
            ty => ty.to_string(),
        };
        let got = describe_for(self.flat, &input.ty, &arg.value);
        let help = self.help(input, &arg.value, &want, &got);
        let (input, span) = (arg.name.to_string(), arg.place.into());
        self.error(CompileError::TypeMismatch { input, want, got, help, span }, said);
    }

    fn help(&self, input: &InputDecl, value: &Value, want: &str, got: &str) -> String {
        match (&input.ty, value) {
            (_, Value::Outputs(call)) => {
                let outputs = &self.flat.call(*call).decl.outputs;
                let fitting: Vec<&Text> = outputs
                    .iter()
                    .filter(|output| output.ty == input.ty)
                    .map(|output| &output.name)
                    .collect();
                let names: Vec<&str> = outputs.iter().map(|output| output.name.as_ref()).collect();
                match (fitting.as_slice(), names.as_slice()) {
                    (_, []) => "it only has an effect: nothing can be linked to it".to_owned(),
                    ([one], _) => format!("take one of its outputs: `….{one}`"),
                    (_, names) => format!("take one of its outputs: {}", names.join(", ")),
                }
            }
            (Type::Choice { values, .. }, value) if !matches!(value, Value::None) => match values.first() {
                Some(ChoiceValue::Str(first)) => {
                    format!("write one of its choices, in quotes, such as \"{first}\"")
                }
                Some(ChoiceValue::Int(first)) => format!("write one of its choices, such as {first}"),
                None => mismatch_help(want, got),
            },
            (Type::Dynamic(choices), _) => match choices.first() {
                Some(first) => format!("write one of its choices, in quotes, such as \"{}\"", first.key),
                None => mismatch_help(want, got),
            },
            _ => mismatch_help(want, got),
        }
    }

    /// Whether a value of the right type is one of the choices, and in range.
    fn allowed(&mut self, input: &'a InputDecl, arg: &'a Arg, said: &mut Said) {
        let choices: Vec<Value> = match (&input.ty, &arg.value) {
            (Type::Choice { values, .. }, Value::Str(_) | Value::Int(_)) => {
                values.iter().map(choice).collect()
            }
            (Type::Dynamic(choices), Value::Str(_)) => {
                choices.iter().map(|choice| Value::text(choice.key.as_ref())).collect()
            }
            _ => return self.in_range(input, arg, said),
        };
        if !choices.contains(&arg.value) {
            self.error(not_a_choice(&arg.name, &arg.value, &choices, arg.place), said);
        }
    }

    fn in_range(&mut self, input: &'a InputDecl, arg: &'a Arg, said: &mut Said) {
        let (lo, hi) = input.bounds();
        let bound = |bound| literal(bound).map(|value| coerce(&input.ty, value));
        let value = coerce(&input.ty, arg.value.clone());
        let (lo, hi) = (bound(lo), bound(hi));
        if let Some(error) = out_of_range(&arg.name, &value, lo.as_ref(), hi.as_ref(), arg.place) {
            self.error(error, said);
        }
    }

    /// Whether all that is given to the sockets of one template has one type.
    pub(super) fn templates(&mut self, call: &'a Call, args: &Args<'a>, said: &mut Said) {
        for (template, want) in &call.matched {
            let mut first: Option<&Arg> = None;
            for arg in &call.args {
                let Found::Input(input) = args.input(&arg.name) else { continue };
                if !matches!(&input.ty, Type::Match { template: own, .. } if own == template) {
                    continue;
                }
                if fits(self.flat, want, &arg.value) || type_of(self.flat, &arg.value).is_none() {
                    first = first.or(Some(arg));
                    continue;
                }
                let Some(other) = first else { continue };
                let error = CompileError::UnmatchedTypes {
                    node: call.decl.name.to_string(),
                    input: arg.name.to_string(),
                    other: other.name.to_string(),
                    want: want.to_string(),
                    got: describe(self.flat, &arg.value),
                    span: arg.place.into(),
                    first: other.place.into(),
                };
                self.error(error, said);
            }
        }
    }

    /// Whether a call that is lifted has a list to be lifted over.
    pub(super) fn each(&mut self, call: &'a Call, said: &mut Said) {
        let list = |arg: &Arg| {
            matches!(type_of(self.flat, &arg.value), Some(Type::List(_) | Type::Any))
                || arg.value.is_poisoned()
        };
        if call.each && !call.args.iter().any(list) {
            let node = call.decl.name.to_string();
            self.error(CompileError::EachWithoutLists { node, span: call.place.into() }, said);
        }
    }
}

fn choice(value: &ChoiceValue) -> Value {
    match value {
        ChoiceValue::Str(text) => Value::text(text.as_ref()),
        ChoiceValue::Int(number) => Value::Int(*number),
    }
}
