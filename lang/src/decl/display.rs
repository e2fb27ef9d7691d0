//! How types and known values are written.

use std::fmt;

use super::{ChoiceValue, Literal, Type};

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let alternatives = |f: &mut fmt::Formatter<'_>, texts: &mut dyn Iterator<Item = String>| {
            for (index, text) in texts.enumerate() {
                write!(f, "{}{text}", if index == 0 { "" } else { " | " })?;
            }
            Ok(())
        };
        match self {
            Type::Int => f.write_str("Int"),
            Type::Float => f.write_str("Float"),
            Type::Bool => f.write_str("Bool"),
            Type::String => f.write_str("String"),
            Type::Any => f.write_str("Any"),
            Type::Choice { set: Some(name), .. } => f.write_str(name),
            Type::Data { name, .. } => f.write_str(name),
            Type::Choice { set: None, values } => {
                alternatives(f, &mut values.iter().map(ToString::to_string))
            }
            Type::Dynamic(choices) => {
                alternatives(f, &mut choices.iter().map(|choice| format!("{:?} {{ … }}", choice.key)))
            }
            Type::File { folder, builtin } => {
                write!(f, "File<{folder:?}>")?;
                builtin.iter().try_for_each(|name| write!(f, " | {name:?}"))
            }
            Type::Union(types) => alternatives(f, &mut types.iter().map(ToString::to_string)),
            Type::List(inner) => {
                f.write_str("[")?;
                inner.iter().try_for_each(|ty| ty.fmt(f))?;
                f.write_str("]")
            }
            Type::Grow { element, .. } => {
                f.write_str("[")?;
                element.iter().take(1).try_for_each(|input| input.ty.fmt(f))?;
                f.write_str("]")
            }
            Type::Match { allowed, .. } if allowed.is_empty() => f.write_str("Any"),
            Type::Match { allowed, .. } => alternatives(f, &mut allowed.iter().map(ToString::to_string)),
        }
    }
}

impl fmt::Display for ChoiceValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChoiceValue::Str(text) => write!(f, "{text:?}"),
            ChoiceValue::Int(number) => number.fmt(f),
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Literal::Int(value) => write!(f, "{value}"),
            Literal::Float(value) => write!(f, "{value:?}"),
            Literal::Bool(value) => write!(f, "{value}"),
            Literal::String(value) => write!(f, "{value:?}"),
            Literal::List(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Literal::Record(fields) => {
                f.write_str("{")?;
                for (index, (name, value)) in fields.iter().enumerate() {
                    write!(f, "{} {name}: {value}", if index == 0 { "" } else { "," })?;
                }
                f.write_str(" }")
            }
        }
    }
}
