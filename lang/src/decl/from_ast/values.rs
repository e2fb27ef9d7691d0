//! Known values of declarations: literals, and whether an input takes them.

use super::super::{ChoiceValue, InputDecl, Literal, Text, Type};
use crate::ast::{Expr, ExprKind, UnaryOp};

/// A value that is written out.
pub(super) fn literal(expr: &Expr) -> Option<Literal> {
    Some(match &expr.kind {
        ExprKind::Int(value) => Literal::Int(*value),
        ExprKind::Float(value) => Literal::Float(*value),
        ExprKind::Bool(value) => Literal::Bool(*value),
        ExprKind::Str(value) => Literal::String(value.clone().into()),
        ExprKind::List(items) => {
            let items: Option<Vec<Literal>> = items.iter().map(literal).collect();
            Literal::List(items?.into())
        }
        ExprKind::Record(fields) => {
            let field = |arg: &crate::ast::Arg| {
                Some((Text::Owned(arg.name.as_ref()?.name.clone()), literal(arg.value.as_ref()?)?))
            };
            let fields: Option<Vec<(Text, Literal)>> = fields.iter().map(field).collect();
            Literal::Record(fields?.into())
        }
        ExprKind::Unary { op: UnaryOp::Neg, operand } => match literal(operand)? {
            Literal::Int(value) => Literal::Int(value.checked_neg()?),
            Literal::Float(value) => Literal::Float(-value),
            _ => return None,
        },
        _ => return None,
    })
}

/// A number as a float, for comparing.
pub(super) fn number(value: &Literal) -> Option<f64> {
    match value {
        Literal::Int(value) => Some(*value as f64),
        Literal::Float(value) => Some(*value),
        _ => None,
    }
}

/// Why an input does not take a value, if it does not.
pub(super) fn refusal(input: &InputDecl, value: &Literal) -> Option<String> {
    if !takes(&input.ty, value) {
        return Some(format!("is {value}, but its type is {}", short(&input.ty)));
    }
    let (lo, hi) = input.bounds();
    let value_number = number(value)?;
    let below = lo.and_then(number).is_some_and(|lo| value_number < lo);
    let above = hi.and_then(number).is_some_and(|hi| value_number > hi);
    match (below, above) {
        (true, _) => Some(format!("is {value}, below the smallest value {}", lo?)),
        (_, true) => Some(format!("is {value}, above the largest value {}", hi?)),
        _ => None,
    }
}

fn takes(ty: &Type, value: &Literal) -> bool {
    match (ty, value) {
        (Type::Int, Literal::Int(_))
        | (Type::Float, Literal::Int(_) | Literal::Float(_))
        | (Type::Bool, Literal::Bool(_))
        | (Type::String | Type::File { .. }, Literal::String(_))
        | (Type::Data { .. } | Type::Any | Type::Match { .. }, _) => true,
        (Type::Choice { values, .. }, Literal::String(text)) => {
            values.iter().any(|choice| matches!(choice, ChoiceValue::Str(one) if one == text))
        }
        (Type::Choice { values, .. }, Literal::Int(number)) => values.contains(&ChoiceValue::Int(*number)),
        (Type::Dynamic(choices), Literal::String(text)) => choices.iter().any(|choice| choice.key == *text),
        (Type::Union(types), _) => types.iter().any(|ty| takes(ty, value)),
        _ => false,
    }
}

/// A type in a message: long sets are not listed.
fn short(ty: &Type) -> String {
    match ty {
        Type::Choice { set: None, values } if values.len() > 6 => format!("one of {} choices", values.len()),
        Type::Dynamic(choices) if choices.len() > 6 => format!("one of {} choices", choices.len()),
        _ => format!("`{ty}`"),
    }
}
