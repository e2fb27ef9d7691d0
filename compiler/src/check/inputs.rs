//! Which inputs a call gives, and which it lacks.

use floe_lang::decl::{InputDecl, Literal, Type};

use super::{Checker, Said};
use crate::error::{CompileError, Warning, suggest};
use crate::flat::{Arg, Call, Place};
use crate::inputs::{Args, Found};

impl<'a> Checker<'a> {
    /// One argument: is it an input, and does its value fit?
    pub(super) fn arg(&mut self, call: &'a Call, args: &Args<'a>, arg: &'a Arg, said: &mut Said) {
        match args.input(&arg.name) {
            Found::Input(input) => self.value(call, input, arg, said),
            Found::Undecided => {}
            Found::Nothing => self.stray(call, args, arg, said),
        }
    }

    /// Reports an argument that is no input.
    fn stray(&mut self, call: &'a Call, args: &Args<'a>, arg: &'a Arg, said: &mut Said) {
        let inputs = args.beside(&arg.name);
        let free = inputs.iter().map(String::as_str).filter(|input| args.get(input).is_none());
        let (node, input, span) = (call.decl.name.to_string(), arg.name.to_string(), arg.name_place.into());
        match suggest(&arg.name, free) {
            Some(suggestion) => {
                said.meant.push(suggestion.clone());
                self.error(CompileError::UnknownInput { node, input, suggestion, span }, said);
            }
            // Nodes gain and lose inputs between versions: what resembles nothing is kept.
            None => self.found.warning(Warning::ExtraInput { node, input, span }),
        }
    }

    /// Reports inputs that must be given and are not, in one message.
    pub(super) fn missing(&mut self, call: &'a Call, args: &Args<'a>, said: &mut Said) {
        let mut missing = Vec::new();
        self.missing_of(call, args, &call.decl.inputs, "", &mut missing, said);
        missing.retain(|(name, _)| !said.meant.contains(name));
        for (input, off) in &call.cut {
            let Some(place) = missing.iter().position(|(name, _)| name == input) else { continue };
            let (node, input) = (call.decl.name.to_string(), missing.remove(place).0);
            let (span, off) = (call.place.into(), (*off).into());
            self.error(CompileError::SwitchedOff { node, input, span, off }, said);
        }
        if !missing.is_empty() {
            let (node, span) = (call.decl.name.to_string(), call.place.into());
            self.error(CompileError::MissingInput { node, missing, span }, said);
        }
    }

    /// The same for inputs below another one; choices nest no deeper than declarations.
    fn missing_of(
        &mut self,
        call: &'a Call,
        args: &Args<'a>,
        inputs: &'a [InputDecl],
        outer: &str,
        missing: &mut Vec<(String, String)>,
        said: &mut Said,
    ) {
        for input in inputs.iter().filter(|input| !input.hidden) {
            let name = format!("{outer}{}", input.name);
            if let Type::Grow { min, .. } = &input.ty {
                self.grown(call, args, input, &name, *min, said);
                continue;
            }
            if args.get(&name).is_none() && input.default.is_none() && !input.optional {
                missing.push((name, input.ty.to_string()));
                continue;
            }
            if let Some(choice) = args.choice(input, &name) {
                self.missing_of(call, args, &choice.inputs, &format!("{name}."), missing, said);
            }
        }
    }

    /// Whether a growing input is given often enough.
    fn grown(
        &mut self,
        call: &'a Call,
        args: &Args<'a>,
        input: &InputDecl,
        name: &str,
        least: u32,
        said: &mut Said,
    ) {
        let whole = args.get(name).is_some();
        let given = args.grown(name).count();
        if whole || given >= least as usize || input.optional && given == 0 {
            return;
        }
        let place: Place = args.grown(name).last().map_or(call.place, |arg| arg.place);
        let error = CompileError::TooFewInputs {
            node: call.decl.name.to_string(),
            input: name.to_owned(),
            least,
            given,
            span: place.into(),
        };
        self.error(error, said);
    }
}

/// A bound or default as a value.
pub(super) fn literal(literal: Option<&Literal>) -> Option<crate::flat::Value> {
    literal.map(crate::flat::Value::from)
}
