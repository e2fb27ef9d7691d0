//! Which declared input an argument of a call is for: those of dynamic choices and growing inputs are named below another.

use std::collections::HashMap;

use floe_lang::decl::{DynamicChoice, InputDecl, Literal, Type};

use crate::flat::{Arg, Call, Value};

/// The arguments of a call by name.
pub(crate) struct Args<'c> {
    call: &'c Call,
    by_name: HashMap<&'c str, &'c Arg>,
}

/// What an argument is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Found<'c> {
    /// This input.
    Input(&'c InputDecl),
    /// An input of a choice that is not known, or wrong itself.
    Undecided,
    /// No input that is declared.
    Nothing,
}

impl<'c> Args<'c> {
    pub(crate) fn of(call: &'c Call) -> Args<'c> {
        Args { call, by_name: call.args.iter().map(|arg| (arg.name.as_ref(), arg)).collect() }
    }

    /// An argument by its whole name.
    pub(crate) fn get(&self, name: &str) -> Option<&'c Arg> {
        self.by_name.get(name).copied()
    }

    /// The input that an argument is for.
    pub(crate) fn input(&self, name: &str) -> Found<'c> {
        self.find(&self.call.decl.inputs, name, name)
    }

    /// Looks for what is left of a name among inputs.
    fn find(&self, inputs: &'c [InputDecl], name: &str, rest: &str) -> Found<'c> {
        let visible = || inputs.iter().filter(|input| !input.hidden);
        if let Some(input) = visible().find(|input| input.name == rest) {
            return Found::Input(input);
        }
        for input in visible() {
            let Some(below) =
                rest.strip_prefix(input.name.as_ref()).and_then(|below| below.strip_prefix('.'))
            else {
                continue;
            };
            match &input.ty {
                Type::Grow { names, element, .. } if names.place(below).is_some() => {
                    return element.first().map_or(Found::Nothing, Found::Input);
                }
                Type::Dynamic(_) => {
                    let outer = &name[..name.len() - below.len() - 1];
                    return match self.choice(input, outer) {
                        Some(choice) => self.find(&choice.inputs, name, below),
                        None => Found::Undecided,
                    };
                }
                _ => {}
            }
        }
        Found::Nothing
    }

    /// The choice that is made, by argument or default; `name` is the whole name of the input.
    pub(crate) fn choice(&self, input: &'c InputDecl, name: &str) -> Option<&'c DynamicChoice> {
        let Type::Dynamic(choices) = &input.ty else { return None };
        let key = match (self.get(name).map(|arg| &arg.value), &input.default) {
            (Some(Value::Str(key)), _) => key.as_ref(),
            (None, Some(Literal::String(key))) => key.as_ref(),
            _ => return None,
        };
        choices.iter().find(|choice| choice.key == key)
    }

    /// The names of declared inputs that an argument of this name may have meant: those below the same choice.
    pub(crate) fn beside(&self, name: &str) -> Vec<String> {
        let below = |outer: &str, inputs: &[InputDecl]| {
            inputs
                .iter()
                .filter(|input| !input.hidden)
                .map(|input| format!("{outer}{}", input.name))
                .collect()
        };
        let Some((outer, _)) = name.rsplit_once('.') else { return below("", &self.call.decl.inputs) };
        match self.input(outer) {
            Found::Input(input) => match self.choice(input, outer) {
                Some(choice) => below(&format!("{outer}."), &choice.inputs),
                None => Vec::new(),
            },
            _ => below("", &self.call.decl.inputs),
        }
    }

    /// The sockets of a growing input that are given, in the order of the text.
    pub(crate) fn grown(&self, name: &str) -> impl Iterator<Item = &'c Arg> {
        let below = move |arg: &&Arg| arg.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        self.call.args.iter().filter(below)
    }
}
