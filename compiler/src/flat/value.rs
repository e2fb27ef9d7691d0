//! Values that evaluation computes.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use floe_lang::decl::{Literal, Type};
use floe_lang::names;

use super::CallId;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A whole number between -2^63 and 2^64-1.
    Int(i128),
    /// A number.
    Float(f64),
    /// Yes or no.
    Bool(bool),
    /// Text.
    Str(Arc<str>),
    /// `none`: an optional socket that is left open.
    None,
    /// Several values.
    List(Arc<Compound<Value>>),
    /// Several values, each in its place. Without any: what a block without a value gives.
    Tuple(Arc<Compound<Value>>),
    /// Named values.
    Record(Arc<Compound<Field>>),
    /// The results of a flow that has several.
    Bundle(Arc<Bundle>),
    /// A choice with its inputs, where the class is not known to have a choice there.
    Select(Arc<Select>),
    /// An output of a call.
    Link {
        /// Which call.
        call: CallId,
        /// Which of its outputs.
        slot: u32,
    },
    /// An output of a node that the program does not have, or that could never come before its reader: kept from a
    /// workflow that is broken there.
    Dangling {
        /// The id that the workflow names.
        id: Arc<str>,
        /// Which of its outputs.
        slot: u32,
    },
    /// All outputs of a call that has none or several.
    Outputs(CallId),
    /// Of this type; more is not known where a flow is checked that nobody calls.
    Unknown(Arc<Type>),
    /// Wrong, which has been said.
    Poison,
}

/// A value with its name.
pub type Field = (Arc<str>, Value);

/// Several values as one. Parts may be shared, so what it comes to when it is written out is counted as it is made:
/// a few lines can say more than any memory holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Compound<T> {
    items: Vec<T>,
    weight: u64,
    depth: u32,
}

impl Compound<Value> {
    /// Values in this order.
    pub fn new(items: Vec<Value>) -> Compound<Value> {
        let (weight, depth) = measure(items.iter());
        Compound { items, weight, depth }
    }
}

impl Compound<Field> {
    /// Values with names, in this order.
    pub fn new(items: Vec<Field>) -> Compound<Field> {
        let (weight, depth) = measure(items.iter().map(|(_, value)| value));
        Compound { items, weight, depth }
    }
}

impl<T> Deref for Compound<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items
    }
}

/// What a text of so many bytes counts: as much as single values that take its memory.
pub(crate) fn text_weight(bytes: usize) -> u64 {
    1 + bytes as u64 / 16
}

fn measure<'a>(items: impl Iterator<Item = &'a Value>) -> (u64, u32) {
    items.fold((1, 1), |(weight, depth), item| {
        (item.weight().saturating_add(weight), depth.max(item.depth().saturating_add(1)))
    })
}

/// The results of a flow.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    /// The flow.
    pub flow: Arc<str>,
    /// Names, where they have some, and values.
    pub items: Vec<(Option<Arc<str>>, Value)>,
}

/// A choice with its inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Select {
    /// The choice.
    pub choice: Value,
    /// Its inputs.
    pub inputs: Vec<(Arc<str>, Value)>,
}

impl Value {
    /// What a block without a value gives.
    pub fn nothing() -> Value {
        Value::tuple(Vec::new())
    }

    /// A list.
    pub fn list(items: Vec<Value>) -> Value {
        Value::List(Arc::new(Compound::<Value>::new(items)))
    }

    /// A tuple.
    pub fn tuple(items: Vec<Value>) -> Value {
        Value::Tuple(Arc::new(Compound::<Value>::new(items)))
    }

    /// A record.
    pub fn record(fields: Vec<Field>) -> Value {
        Value::Record(Arc::new(Compound::<Field>::new(fields)))
    }

    /// How many single values it consists of when it is written out; a long text counts as several.
    pub fn weight(&self) -> u64 {
        match self {
            Value::List(items) | Value::Tuple(items) => items.weight,
            Value::Record(fields) => fields.weight,
            Value::Str(text) => text_weight(text.len()),
            Value::Bundle(bundle) => measure(bundle.items.iter().map(|(_, item)| item)).0,
            Value::Select(select) => measure(select.inputs.iter().map(|(_, input)| input)).0,
            _ => 1,
        }
    }

    /// How many values are nested in one another.
    pub fn depth(&self) -> u32 {
        match self {
            Value::List(items) | Value::Tuple(items) => items.depth,
            Value::Record(fields) => fields.depth,
            Value::Bundle(bundle) => measure(bundle.items.iter().map(|(_, item)| item)).1,
            Value::Select(select) => measure(select.inputs.iter().map(|(_, input)| input)).1,
            _ => 0,
        }
    }

    /// A text.
    pub fn text(text: impl Into<Arc<str>>) -> Value {
        Value::Str(text.into())
    }

    /// A value known by type only.
    pub fn unknown(ty: Type) -> Value {
        Value::Unknown(Arc::new(ty))
    }

    /// Whether it, or anything in it, is wrong.
    pub fn is_poisoned(&self) -> bool {
        self.any(&|value| matches!(value, Value::Poison))
    }

    /// Whether it is computed before a run: no part of it is an output of a node.
    pub fn is_known(&self) -> bool {
        !self.any(&|value| matches!(value, Value::Link { .. } | Value::Outputs(_)))
    }

    /// Whether it is a single value known now.
    pub fn is_scalar(&self) -> bool {
        matches!(self, Value::Int(_) | Value::Float(_) | Value::Bool(_) | Value::Str(_))
    }

    /// Whether some part of it is what is asked for. Evaluation limits how deep and how large values are.
    fn any(&self, found: &dyn Fn(&Value) -> bool) -> bool {
        found(self)
            || match self {
                Value::List(items) | Value::Tuple(items) => items.iter().any(|item| item.any(found)),
                Value::Record(fields) => fields.iter().any(|(_, field)| field.any(found)),
                Value::Bundle(bundle) => bundle.items.iter().any(|(_, item)| item.any(found)),
                Value::Select(select) => {
                    select.choice.any(found) || select.inputs.iter().any(|(_, input)| input.any(found))
                }
                _ => false,
            }
    }
}

impl From<&Literal> for Value {
    fn from(literal: &Literal) -> Value {
        match literal {
            Literal::Int(value) => Value::Int(*value),
            Literal::Float(value) => Value::Float(*value),
            Literal::Bool(value) => Value::Bool(*value),
            Literal::String(value) => Value::text(value.as_ref()),
            Literal::List(items) => Value::list(items.iter().map(Value::from).collect()),
            Literal::Record(fields) => Value::record(
                fields.iter().map(|(name, value)| (Arc::from(name.as_ref()), Value::from(value))).collect(),
            ),
        }
    }
}

impl fmt::Display for Value {
    /// As it is written in a program, as far as it can be.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Int(value) => value.fmt(f),
            Value::Float(value) => write!(f, "{value:?}"),
            Value::Bool(value) => value.fmt(f),
            Value::Str(value) => f.write_str(&names::string_literal(value)),
            Value::None => f.write_str("none"),
            Value::List(items) => sequence(f, "[", items, "]"),
            Value::Tuple(items) => sequence(f, "(", items, ")"),
            Value::Record(fields) => {
                f.write_str("{")?;
                for (index, (name, value)) in fields.iter().enumerate() {
                    write!(f, "{} {}: {value}", if index == 0 { "" } else { "," }, names::label(name))?;
                }
                f.write_str(" }")
            }
            Value::Bundle(bundle) => write!(f, "the results of `{}`", bundle.flow),
            Value::Select(select) => write!(f, "{} {{ … }}", select.choice),
            Value::Link { call, slot } => write!(f, "%{}.{slot}", call.0),
            Value::Dangling { id, slot } => write!(f, "dangling({}, {slot})", names::string_literal(id)),
            Value::Outputs(call) => write!(f, "%{}", call.0),
            Value::Unknown(ty) => write!(f, "some {ty}"),
            Value::Poison => f.write_str("an error"),
        }
    }
}

fn sequence(f: &mut fmt::Formatter<'_>, open: &str, items: &[Value], close: &str) -> fmt::Result {
    f.write_str(open)?;
    for (index, item) in items.iter().enumerate() {
        write!(f, "{}{item}", if index == 0 { "" } else { ", " })?;
    }
    f.write_str(close)
}
