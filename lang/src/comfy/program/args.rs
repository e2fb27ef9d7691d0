//! How the inputs of an item are written: in which order, what is left out, what is nested.

use super::super::prompt::{InputValue, Json};
use super::literals::is_default;
use super::scope::{Binding, Flow, Item, ItemInput, Scope, Value, What};
use crate::decl::{GrowNames, InputDecl, NodeDecl, Type};
use std::collections::HashMap;

/// An argument.
#[derive(Debug)]
pub(super) struct Arg<'s> {
    /// Its name; none for the one that is known by its place.
    pub(super) name: Option<&'s str>,
    /// Its value.
    pub(super) value: ArgValue<'s>,
}

/// The value of an argument, and of what is nested in one.
#[derive(Debug)]
pub(super) enum ArgValue<'s> {
    /// A value for an input of this type.
    Value(Value<'s>, Option<&'s Type>),
    /// Growing inputs by order; gaps are left open.
    List(Vec<Option<Value<'s>>>),
    /// Growing inputs by name.
    Record(Vec<(&'s str, ArgValue<'s>)>),
    /// A choice with its inputs.
    Select(Value<'s>, Vec<(&'s str, ArgValue<'s>)>),
}

impl<'s> ArgValue<'s> {
    /// Calls back with every value in it, in the order in which they are written.
    pub(super) fn each_value(&self, seen: &mut impl FnMut(Value<'s>)) {
        match self {
            ArgValue::Value(value, _) => seen(*value),
            ArgValue::List(values) => values.iter().flatten().for_each(|value| seen(*value)),
            ArgValue::Record(fields) => fields.iter().for_each(|(_, value)| value.each_value(seen)),
            ArgValue::Select(choice, fields) => {
                seen(*choice);
                fields.iter().for_each(|(_, value)| value.each_value(seen));
            }
        }
    }
}

/// The arguments of an item.
pub(super) fn args<'s>(scope: &'s Scope<'_>, item: &'s Item<'_>, flows: &'s [Flow<'_>]) -> Vec<Arg<'s>> {
    match item.what {
        What::Node { decl, .. } => of_node(scope, item, decl),
        What::Flow { flow, .. } => of_flow(scope, item, &flows[flow].scope.bindings),
    }
}

fn of_node<'s>(scope: &'s Scope<'_>, item: &'s Item<'_>, decl: &'s NodeDecl) -> Vec<Arg<'s>> {
    let given: Vec<Given<'s>> = item.inputs.iter().map(Given::new).collect();
    let inputs: Vec<&InputDecl> = decl.visible_inputs().collect();
    let mut args: Vec<Arg<'s>> =
        arrange(&given, &inputs).into_iter().map(|(name, value)| Arg { name: Some(name), value }).collect();
    // What nobody declared has no first socket that a reader would know.
    let first = decl.positional().filter(|input| input.ty != Type::Any).map(|input| input.name.as_ref());
    if let Some(at) = args.iter().position(|arg| arg.name == first && is_link(scope, &arg.value)) {
        let mut arg = args.remove(at);
        arg.name = None;
        args.insert(0, arg);
    }
    args
}

fn of_flow<'s>(scope: &'s Scope<'_>, item: &'s Item<'_>, parameters: &'s [Binding<'_>]) -> Vec<Arg<'s>> {
    let inputs = item.inputs.iter().zip(parameters).enumerate();
    inputs
        .filter(|(_, (input, parameter))| !is_left_out(input.value, parameter.default))
        .map(|(place, (input, _))| {
            let value = ArgValue::Value(input.value, None);
            let by_place = place == 0 && is_link(scope, &value);
            Arg { name: if by_place { None } else { Some(&*input.name) }, value }
        })
        .collect()
}

fn is_left_out(value: Value<'_>, default: Option<&InputValue>) -> bool {
    matches!((value, default), (Value::Given(value), Some(default)) if value == default)
}

/// Whether a value is a result of a node.
pub(super) fn is_link(scope: &Scope<'_>, value: &ArgValue<'_>) -> bool {
    match value {
        ArgValue::Value(Value::Output(..), _) => true,
        ArgValue::Value(Value::Bound(binding), _) => scope.bindings[*binding].link,
        _ => false,
    }
}

/// An input as a level of nesting sees it.
#[derive(Clone, Copy)]
struct Given<'s> {
    /// Its name on this level.
    name: &'s str,
    /// Its name on the level above.
    full: &'s str,
    value: Value<'s>,
}

impl<'s> Given<'s> {
    fn new(input: &'s ItemInput<'_>) -> Self {
        Self { name: &input.name, full: &input.name, value: input.value }
    }
}

/// What is given to one declared input: itself, and what is called `name.…`.
#[derive(Default)]
struct Slot<'s> {
    value: Option<Value<'s>>,
    members: Vec<Given<'s>>,
}

/// Declared inputs in their order, then the others in the order in which they are given.
fn arrange<'s>(given: &[Given<'s>], inputs: &[&'s InputDecl]) -> Vec<(&'s str, ArgValue<'s>)> {
    let places: HashMap<&str, usize> =
        inputs.iter().enumerate().map(|(place, input)| (input.name.as_ref(), place)).collect();
    let mut slots: Vec<Slot<'s>> = inputs.iter().map(|_| Slot::default()).collect();
    let mut others = Vec::new();
    for &given in given {
        let group = || {
            let (group, rest) = given.name.split_once('.')?;
            let place = *places.get(group)?;
            let grows = matches!(inputs[place].ty, Type::Dynamic(_) | Type::Grow { .. });
            grows.then_some((place, Given { name: rest, full: given.name, ..given }))
        };
        if let Some(&place) = places.get(given.name) {
            slots[place].value = Some(given.value);
        } else if let Some((place, member)) = group() {
            slots[place].members.push(member);
        } else {
            others.push((given.name, ArgValue::Value(given.value, None)));
        }
    }
    let mut arranged = Vec::new();
    for (input, slot) in inputs.iter().zip(slots) {
        slot.arrange(input, &mut arranged);
    }
    arranged.extend(others);
    arranged
}

impl<'s> Slot<'s> {
    fn arrange(self, input: &'s InputDecl, arranged: &mut Vec<(&'s str, ArgValue<'s>)>) {
        let name = input.name.as_ref();
        let whole = |value| (name, ArgValue::Value(value, Some(&input.ty)));
        match (self.value, &input.ty) {
            (None, Type::Grow { names, .. }) if !self.members.is_empty() => {
                arranged.push((name, grown(&self.members, names)));
            }
            (Some(choice), Type::Dynamic(choices)) if !self.members.is_empty() => {
                let chosen = choices.iter().find(|known| is_text(choice, &known.key));
                let inputs: Vec<&InputDecl> =
                    chosen.map_or_else(Vec::new, |chosen| chosen.inputs.iter().collect());
                let nested = arrange(&self.members, &inputs);
                if !nested.is_empty() {
                    arranged.push((name, ArgValue::Select(choice, nested)));
                } else if !is_declared_default(choice, input) {
                    arranged.push(whole(choice));
                }
            }
            (value, _) => {
                arranged.extend(value.filter(|value| !is_declared_default(*value, input)).map(whole));
                // Members of a group that is not there, or is a whole: as the workflow calls them.
                let members = self.members.iter();
                arranged.extend(members.map(|member| (member.full, ArgValue::Value(member.value, None))));
            }
        }
    }
}

fn is_text(value: Value<'_>, text: &str) -> bool {
    matches!(value, Value::Given(InputValue::Json(Json::String(of))) if of == text)
}

fn is_declared_default(value: Value<'_>, input: &InputDecl) -> bool {
    match (value, &input.default) {
        (Value::Given(InputValue::Json(json)), Some(default)) => is_default(json, default),
        _ => false,
    }
}

/// Sockets that were added as they were linked: by order, where that says where each is.
fn grown<'s>(members: &[Given<'s>], names: &GrowNames) -> ArgValue<'s> {
    by_order(members, names).unwrap_or_else(|| {
        let fields = members.iter().map(|member| (member.name, ArgValue::Value(member.value, None)));
        ArgValue::Record(fields.collect())
    })
}

fn by_order<'s>(members: &[Given<'s>], names: &GrowNames) -> Option<ArgValue<'s>> {
    let numbered = |name: &str| name.ends_with(|last: char| last.is_ascii_digit());
    let mut places: Vec<Option<Value<'s>>> = Vec::new();
    for member in members {
        let place = names.place(member.name)?;
        let null = matches!(member.value, Value::Given(InputValue::Json(Json::Null)));
        // Few gaps can be seen at a glance; names such as `a` and `b` mean something.
        if null || place > 2 * members.len() || !numbered(member.name) {
            return None;
        }
        if places.len() <= place {
            places.resize(place + 1, None);
        }
        places[place] = Some(member.value);
    }
    Some(ArgValue::List(places))
}
