//! Nodes that are switched off: `@mute` and `@bypass` act as in ComfyUI.
//!
//! What a muted node would give is missing: its consumers lose the input. A bypassed node passes on what it is given, chosen
//! by the types of the output and of the input at the end: the input of the same number, else the first of exactly the
//! wanted type, else the first that fits. If nothing is linked to the chosen one, the consumer loses its input.

use std::collections::HashMap;

use floe_lang::decl::{InputDecl, Type};

use crate::flat::{Arg, Call, CallId, Flat, Mode, Value};
use crate::inputs::{Args, Found};
use crate::types::accepts;

/// Takes what is switched off out of the links and effects of a program. The calls themselves stay where they are.
pub(crate) fn apply(flat: &mut Flat) {
    if flat.calls.iter().all(|call| call.mode == Mode::On) {
        return;
    }
    let mut bypass = Bypass { flat, known: HashMap::new() };
    let mut changed = Vec::new();
    for (index, call) in flat.calls.iter().enumerate() {
        if call.mode == Mode::On && call.args.iter().any(|arg| touches(flat, &arg.value)) {
            changed.push((index, bypass.args(call)));
        }
    }
    for (index, args) in changed {
        let given = std::mem::take(&mut flat.calls[index].args);
        let (mut kept, mut cut) = (Vec::with_capacity(given.len()), Vec::new());
        for (arg, value) in given.into_iter().zip(args) {
            match (value, &arg.value) {
                (Some(value), _) => kept.push(Arg { value, ..arg }),
                (None, Value::Link { call, .. } | Value::Outputs(call)) => {
                    cut.push((arg.name, flat.call(*call).place));
                }
                (None, _) => {}
            }
        }
        let call = &mut flat.calls[index];
        (call.args, call.cut) = (kept, cut);
    }
    let calls = &flat.calls;
    flat.effects.retain(|effect| calls[effect.index()].mode == Mode::On);
}

/// Whether a value holds a link to something that is switched off.
fn touches(flat: &Flat, value: &Value) -> bool {
    match value {
        Value::Link { call, .. } | Value::Outputs(call) => flat.call(*call).mode != Mode::On,
        Value::List(items) | Value::Tuple(items) => items.iter().any(|item| touches(flat, item)),
        _ => false,
    }
}

struct Bypass<'f> {
    flat: &'f Flat,
    /// What outputs came to for consumers of a type.
    known: HashMap<(CallId, u32, String), Option<Value>>,
}

impl Bypass<'_> {
    /// The values of a call's arguments; none where one is lost.
    fn args(&mut self, call: &Call) -> Vec<Option<Value>> {
        let args = Args::of(call);
        let values = call.args.iter().map(|arg| {
            let any = Type::Any;
            let ty = match args.input(&arg.name) {
                Found::Input(input) => &input.ty,
                _ => &any,
            };
            self.value(&arg.value, ty)
        });
        values.collect()
    }

    fn value(&mut self, value: &Value, ty: &Type) -> Option<Value> {
        match value {
            Value::Link { call, slot } => self.link(*call, *slot, ty),
            Value::Outputs(call) if self.flat.call(*call).mode != Mode::On => None,
            Value::List(items) if touches(self.flat, value) => {
                let items = items.iter().map(|item| self.value(item, ty).unwrap_or(Value::None));
                Some(Value::list(items.collect()))
            }
            value => Some(value.clone()),
        }
    }

    /// Where a link really comes from, followed through everything that is bypassed.
    fn link(&mut self, call: CallId, slot: u32, ty: &Type) -> Option<Value> {
        let wanted = ty.to_string();
        let mut walked = Vec::new();
        let (mut call, mut slot) = (call, slot);
        let found = loop {
            let node = self.flat.call(call);
            if node.mode == Mode::On {
                break Some(Value::Link { call, slot });
            }
            let key = (call, slot, wanted.clone());
            if let Some(known) = self.known.get(&key) {
                break known.clone();
            }
            walked.push(key);
            if node.mode == Mode::Mute {
                break None;
            }
            match passed(node, slot, ty) {
                Some(&Value::Link { call: next, slot: of }) => (call, slot) = (next, of),
                _ => break None,
            }
        };
        for key in walked {
            self.known.insert(key, found.clone());
        }
        found
    }
}

/// What a bypassed node passes on in place of an output, for a consumer of a type.
fn passed<'c>(node: &'c Call, slot: u32, wanted: &Type) -> Option<&'c Value> {
    let output = &node.decl.outputs.get(slot as usize)?.ty;
    let inputs: Vec<&InputDecl> = node.decl.visible_inputs().collect();
    let fits = |input: &InputDecl| accepts(output, &input.ty) && accepts(wanted, &input.ty);
    let same = inputs.get(slot as usize);
    let chosen = if matches!(wanted, Type::Any) {
        same.or(inputs.first())
    } else {
        let exact = || inputs.iter().find(|input| input.ty == *wanted);
        let fitting = || inputs.iter().find(|input| accepts(wanted, &input.ty));
        same.filter(|input| fits(input)).or_else(exact).or_else(fitting)
    };
    let name = &chosen?.name;
    node.args.iter().find(|arg| arg.name == *name).map(|arg| &arg.value)
}
