//! Flat calls against their declarations: inputs, types, choices and ranges. All errors, the first cause of each only.

mod inputs;
mod values;

use std::collections::BTreeSet;

use crate::error::{CompileError, Warning};
use crate::eval::{Evaluated, Findings};
use crate::flat::{Call, CallId, Decl, Flat, Mode};
use crate::inputs::Args;

/// Checks every call that is not switched off, those among them that are only looked at.
pub(crate) fn check(evaluated: &mut Evaluated) {
    let mut checker = Checker { flat: &evaluated.flat, found: &mut evaluated.found, broken: Vec::new() };
    for (index, call) in evaluated.flat.calls.iter().enumerate() {
        if call.mode == Mode::On {
            checker.call(CallId(u32::try_from(index).unwrap_or(u32::MAX)), call);
        }
    }
    for id in checker.broken {
        evaluated.flat.calls[id.index()].broken = true;
    }
    // What an error leaves unresolved would seem unused, and nothing at all is used by a program without effects.
    if evaluated.found.errors.is_empty() {
        if evaluated.flat.effects.is_empty() {
            evaluated.found.error(CompileError::NoEffect);
        } else {
            report_unused(evaluated);
        }
    }
}

/// Says of every class that only the program declares that nothing more is known of it: once, where it is first called.
pub(crate) fn report_foreign(evaluated: &mut Evaluated) {
    let mut seen = BTreeSet::new();
    for call in evaluated.flat.calls.iter().filter(|call| call.mode == Mode::On && !call.shadow) {
        if let Decl::Program(decl) = &call.decl
            && seen.insert(decl.name.clone())
        {
            let pack = decl.marks.pack.as_ref().map(ToString::to_string);
            let (node, span) = (decl.name.to_string(), call.place.into());
            evaluated.found.warning(Warning::ForeignNode { node, pack, span });
        }
    }
}

fn report_unused(evaluated: &mut Evaluated) {
    for (name, place) in &evaluated.unused {
        evaluated.found.warning(Warning::Unused { name: name.clone(), span: (*place).into() });
    }
    for &call in &evaluated.loose {
        let call = evaluated.flat.call(call);
        let warning = Warning::NoUse { node: call.decl.name.to_string(), span: call.place.into() };
        evaluated.found.warning(warning);
    }
}

struct Checker<'a> {
    flat: &'a Flat,
    found: &'a mut Findings,
    broken: Vec<CallId>,
}

/// What has been said of a call so far, so that one mistake is one message.
#[derive(Default)]
struct Said {
    /// Inputs that were meant by arguments that are none: they are not missing as well.
    meant: Vec<String>,
    /// Something is wrong with the call.
    wrong: bool,
}

impl<'a> Checker<'a> {
    fn call(&mut self, id: CallId, call: &'a Call) {
        let args = Args::of(call);
        let mut said = Said { meant: Vec::new(), wrong: call.broken };
        for arg in &call.args {
            self.arg(call, &args, arg, &mut said);
        }
        self.templates(call, &args, &mut said);
        // An argument that belongs nowhere may have meant any input.
        if !call.broken {
            self.missing(call, &args, &mut said);
        }
        self.each(call, &mut said);
        if said.wrong && !call.broken {
            self.broken.push(id);
        }
    }

    fn error(&mut self, error: CompileError, said: &mut Said) {
        said.wrong = true;
        self.found.error(error);
    }
}
