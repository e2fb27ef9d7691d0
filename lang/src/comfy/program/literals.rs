//! Known values as expressions.

use super::super::prompt::Json;
use crate::Span;
use crate::ast::{Arg, Call, Expr, ExprKind, Ident, Path};
use crate::decl::{Literal, Type};

/// Whole numbers up to here are the same in a `Float`.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A value as it is written where an input of the type takes it.
pub(super) fn expr(json: &Json, ty: Option<&Type>, span: Span) -> Expr {
    let kind = match json {
        Json::Null => ExprKind::None,
        Json::Bool(value) => ExprKind::Bool(*value),
        Json::Int(value) if is_float(ty) && value.unsigned_abs() <= EXACT as u128 => {
            ExprKind::Float(*value as f64)
        }
        Json::Int(value) => int(*value),
        Json::Float(value) => return float(*value, ty, span),
        Json::String(text) => ExprKind::Str(text.clone()),
        Json::Array(items) => ExprKind::List(items.iter().map(|item| expr(item, None, span)).collect()),
        Json::Object(members) => ExprKind::Record(
            members.iter().map(|(name, value)| named(name, expr(value, None, span), span)).collect(),
        ),
    };
    Expr { kind, span }
}

fn is_float(ty: Option<&Type>) -> bool {
    matches!(ty, Some(Type::Float))
}

/// Beyond 64 bits the nearest number with a point.
fn int(value: i128) -> ExprKind {
    if (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&value) {
        ExprKind::Int(value)
    } else {
        ExprKind::Float(value as f64)
    }
}

fn float(value: f64, ty: Option<&Type>, span: Span) -> Expr {
    if !value.is_finite() {
        let word = match value {
            value if value.is_nan() => "nan",
            value if value > 0.0 => "inf",
            _ => "-inf",
        };
        return function("float", vec![string(word, span)], span);
    }
    let whole = value.fract() == 0.0 && value.abs() <= EXACT;
    let kind = match ty {
        Some(Type::Int) if whole => ExprKind::Int(value as i128),
        _ => ExprKind::Float(value),
    };
    Expr { kind, span }
}

/// A call of one of the language's functions, or of anything that takes arguments by place.
pub(super) fn function(name: &str, args: Vec<Expr>, span: Span) -> Expr {
    let args = args.into_iter().map(|value| Arg { name: None, value: Some(value), span });
    let call = Call { annotations: Vec::new(), callee: path(name, span), args: args.collect() };
    Expr { kind: ExprKind::Call(call), span }
}

pub(super) fn path(name: &str, span: Span) -> Path {
    Path { segments: vec![ident(name, span)], span }
}

pub(super) fn ident(name: &str, span: Span) -> Ident {
    Ident { name: name.to_owned(), span }
}

pub(super) fn name(name: &str, span: Span) -> Expr {
    Expr { kind: ExprKind::Name(name.to_owned()), span }
}

pub(super) fn string(text: &str, span: Span) -> Expr {
    Expr { kind: ExprKind::Str(text.to_owned()), span }
}

/// `name: value`, in its short form where the value is the name.
pub(super) fn named(name: &str, value: Expr, span: Span) -> Arg {
    let short = matches!(&value.kind, ExprKind::Name(of) if of == name);
    Arg { name: Some(ident(name, span)), value: if short { None } else { Some(value) }, span }
}

/// Whether a value is what an input has anyway.
pub(super) fn is_default(json: &Json, default: &Literal) -> bool {
    match (json, default) {
        (Json::Bool(value), Literal::Bool(default)) => value == default,
        (Json::Int(value), Literal::Int(default)) => value == default,
        (Json::Int(value), Literal::Float(default)) => {
            default.fract() == 0.0 && default.abs() <= EXACT && *default as i128 == *value
        }
        (Json::Float(value), Literal::Float(default)) => value == default,
        (Json::Float(value), Literal::Int(default)) => {
            value.fract() == 0.0 && value.abs() <= EXACT && *value as i128 == *default
        }
        (Json::String(value), Literal::String(default)) => value == default,
        (Json::Array(values), Literal::List(defaults)) => {
            values.len() == defaults.len()
                && values.iter().zip(defaults.iter()).all(|(value, default)| is_default(value, default))
        }
        (Json::Object(values), Literal::Record(defaults)) => {
            values.len() == defaults.len()
                && values
                    .iter()
                    .zip(defaults.iter())
                    .all(|((name, value), (of, default))| name == of && is_default(value, default))
        }
        _ => false,
    }
}

/// A declared value as an expression.
pub(super) fn literal(value: &Literal, span: Span) -> Option<Expr> {
    let kind = match value {
        Literal::Int(value) => int(*value),
        Literal::Float(value) if value.is_finite() => ExprKind::Float(*value),
        Literal::Bool(value) => ExprKind::Bool(*value),
        Literal::String(text) => ExprKind::Str(text.to_string()),
        Literal::Float(_) | Literal::List(_) | Literal::Record(_) => return None,
    };
    Some(Expr { kind, span })
}
