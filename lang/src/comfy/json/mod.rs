//! JSON with a span for every value, as it is found in workflow files.
//!
//! Workflow files are written by JavaScript and by Python: Python writes `NaN` and `Infinity`, JavaScript rounds whole
//! numbers above 2^53 and may print more than 64 bits of them, and people edit both by hand. So this reader keeps whole
//! numbers exactly, takes the bare words, and lets the last of several equal keys win, as both languages do.

mod number;
mod read;

use crate::Span;
use std::borrow::Cow;

pub use read::{MAX_NESTING, Parsed, parse};

/// A text: a piece of the file where nothing in it is escaped.
pub type Text<'t> = Cow<'t, str>;

/// A value, and where it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Value<'t> {
    /// What it is.
    pub kind: Kind<'t>,
    /// Where it is written.
    pub span: Span,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind<'t> {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A whole number without point and exponent.
    Int(i64),
    /// A whole number beyond those.
    Long(Box<i128>),
    /// Any other number, also NaN and the infinities.
    Float(f64),
    /// Text.
    String(Text<'t>),
    /// A list.
    Array(Vec<Value<'t>>),
    /// Named values in the order of the file; no key is there twice.
    Object(Vec<Member<'t>>),
}

/// A named value of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Member<'t> {
    /// The name.
    pub key: Text<'t>,
    /// Where the name is written.
    pub key_span: Span,
    /// The value.
    pub value: Value<'t>,
}

impl<'t> Value<'t> {
    /// A member of an object: `None` also where this is no object.
    pub fn get(&self, key: &str) -> Option<&Value<'t>> {
        self.members().iter().find(|member| member.key == key).map(|member| &member.value)
    }

    /// A member of an object that is not `null`.
    pub fn some(&self, key: &str) -> Option<&Value<'t>> {
        self.get(key).filter(|value| !value.is_null())
    }

    /// An element of a list.
    pub fn at(&self, place: usize) -> Option<&Value<'t>> {
        self.items().get(place)
    }

    /// The members of an object; none where this is no object.
    pub fn members(&self) -> &[Member<'t>] {
        if let Kind::Object(members) = &self.kind { members } else { &[] }
    }

    /// The elements of a list; none where this is no list.
    pub fn items(&self) -> &[Value<'t>] {
        if let Kind::Array(items) = &self.kind { items } else { &[] }
    }

    /// Whether it is an object.
    pub fn is_object(&self) -> bool {
        matches!(self.kind, Kind::Object(_))
    }

    /// Whether it is a list.
    pub fn is_array(&self) -> bool {
        matches!(self.kind, Kind::Array(_))
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }

    /// Its text, if it is one.
    pub fn text(&self) -> Option<&str> {
        if let Kind::String(text) = &self.kind { Some(text) } else { None }
    }

    /// Its yes or no, if it is one.
    pub fn bool(&self) -> Option<bool> {
        if let Kind::Bool(value) = self.kind { Some(value) } else { None }
    }

    /// Its value, if it is a whole number; `2.0` is one.
    pub fn int(&self) -> Option<i128> {
        match &self.kind {
            Kind::Int(value) => Some(i128::from(*value)),
            Kind::Long(value) => Some(**value),
            // Below 2^63 every whole float is exact as an integer.
            Kind::Float(value) if value.fract() == 0.0 && value.abs() < 9.2e18 => Some(*value as i128),
            _ => None,
        }
    }

    /// Its value, if it is a number.
    pub fn number(&self) -> Option<f64> {
        match &self.kind {
            Kind::Int(value) => Some(*value as f64),
            Kind::Long(value) => Some(**value as f64),
            Kind::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// A text, or a whole number as text: ids are written both ways.
    pub fn id(&self) -> Option<Text<'t>> {
        match &self.kind {
            Kind::String(text) => Some(text.clone()),
            _ => self.int().map(|value| Text::Owned(value.to_string())),
        }
    }

    /// What it is, in words.
    pub fn words(&self) -> &'static str {
        match &self.kind {
            Kind::Null => "null",
            Kind::Bool(_) => "a yes or no",
            Kind::Int(_) | Kind::Long(_) | Kind::Float(_) => "a number",
            Kind::String(_) => "a text",
            Kind::Array(_) => "a list",
            Kind::Object(_) => "an object",
        }
    }
}

#[cfg(test)]
mod tests;
