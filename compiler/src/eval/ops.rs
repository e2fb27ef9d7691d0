//! Operators on known values, and on values of which only the type is known.

use std::cmp::Ordering;

use floe_lang::ast::{BinaryOp, UnaryOp};
use floe_lang::decl::Type;

use crate::flat::Value;

/// Why an operator gives no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OpError {
    /// The result is no value of this type.
    Overflow(&'static str),
    /// The divisor is zero.
    DivisionByZero,
    /// It is not defined on these.
    Operands,
}

type Result = std::result::Result<Value, OpError>;

/// A whole number, if it is one that Floe has.
pub(super) fn int(value: Option<i128>) -> Result {
    let range = i128::from(i64::MIN)..=i128::from(u64::MAX);
    match value {
        Some(value) if range.contains(&value) => Ok(Value::Int(value)),
        _ => Err(OpError::Overflow("Int")),
    }
}

/// Applies an operator to a known value.
pub(super) fn unary(op: UnaryOp, operand: &Value) -> Result {
    match (op, operand) {
        (UnaryOp::Neg, Value::Int(value)) => int(value.checked_neg()),
        (UnaryOp::Neg, Value::Float(value)) => Ok(Value::Float(-value)),
        (UnaryOp::Not, Value::Bool(value)) => Ok(Value::Bool(!value)),
        _ => Err(OpError::Operands),
    }
}

/// Applies an operator to known values. `&&` and `||` have been decided by their left side, or are decided by both.
pub(super) fn binary(op: BinaryOp, left: &Value, right: &Value) -> Result {
    match op {
        BinaryOp::And | BinaryOp::Or => logic(op, left, right),
        BinaryOp::Eq => Ok(Value::Bool(equal(left, right))),
        BinaryOp::Ne => Ok(Value::Bool(!equal(left, right))),
        BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => compare(op, left, right),
        BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div | BinaryOp::Rem => {
            arithmetic(op, left, right)
        }
    }
}

fn logic(op: BinaryOp, left: &Value, right: &Value) -> Result {
    match (op, left, right) {
        (BinaryOp::And, Value::Bool(left), Value::Bool(right)) => Ok(Value::Bool(*left && *right)),
        (BinaryOp::Or, Value::Bool(left), Value::Bool(right)) => Ok(Value::Bool(*left || *right)),
        _ => Err(OpError::Operands),
    }
}

/// Whether two known values are the same; numbers by what they mean.
pub(super) fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => {
            order(left, right) == Some(Ordering::Equal)
        }
        (Value::List(left), Value::List(right)) | (Value::Tuple(left), Value::Tuple(right)) => {
            left.len() == right.len() && left.iter().zip(right.iter()).all(|(left, right)| equal(left, right))
        }
        (Value::Record(left), Value::Record(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right.iter())
                    .all(|(left, right)| left.0 == right.0 && equal(&left.1, &right.1))
        }
        _ => left == right,
    }
}

/// How two numbers or two texts are ordered; none for NaN and for anything else.
pub(super) fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        (Value::Float(left), Value::Float(right)) => left.partial_cmp(right),
        (Value::Int(left), Value::Float(right)) => int_to_float(*left, *right),
        (Value::Float(left), Value::Int(right)) => int_to_float(*right, *left).map(Ordering::reverse),
        (Value::Str(left), Value::Str(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

/// Compares without rounding: Ints have more digits than Floats.
fn int_to_float(int: i128, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    // Beyond these no Int lies; between them the whole part is exact as an Int.
    if float.abs() >= 1e30 {
        return Some(if float > 0.0 { Ordering::Less } else { Ordering::Greater });
    }
    let whole = float.trunc();
    let part = 0.0_f64.partial_cmp(&(float - whole))?;
    Some(int.cmp(&(whole as i128)).then(part))
}

fn compare(op: BinaryOp, left: &Value, right: &Value) -> Result {
    let numbers = is_number(left) && is_number(right);
    if !numbers && !matches!((left, right), (Value::Str(_), Value::Str(_))) {
        return Err(OpError::Operands);
    }
    let holds = order(left, right).is_some_and(|order| match op {
        BinaryOp::Lt => order.is_lt(),
        BinaryOp::Le => order.is_le(),
        BinaryOp::Gt => order.is_gt(),
        _ => order.is_ge(),
    });
    Ok(Value::Bool(holds))
}

fn is_number(value: &Value) -> bool {
    matches!(value, Value::Int(_) | Value::Float(_))
}

/// A number as a Float.
pub(super) fn as_float(value: &Value) -> Option<f64> {
    match value {
        Value::Int(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        _ => None,
    }
}

fn arithmetic(op: BinaryOp, left: &Value, right: &Value) -> Result {
    match (op, left, right) {
        (_, Value::Int(left), Value::Int(right)) => ints(op, *left, *right),
        (BinaryOp::Add, Value::Str(left), Value::Str(right)) => Ok(Value::text(format!("{left}{right}"))),
        (BinaryOp::Add, Value::List(left), Value::List(right)) => {
            Ok(Value::list(left.iter().chain(right.iter()).cloned().collect()))
        }
        _ => match (as_float(left), as_float(right)) {
            (Some(left), Some(right)) => floats(op, left, right),
            _ => Err(OpError::Operands),
        },
    }
}

/// `/` truncates toward zero, and `%` follows it.
fn ints(op: BinaryOp, left: i128, right: i128) -> Result {
    match op {
        BinaryOp::Add => int(left.checked_add(right)),
        BinaryOp::Sub => int(left.checked_sub(right)),
        BinaryOp::Mul => int(left.checked_mul(right)),
        _ if right == 0 => Err(OpError::DivisionByZero),
        BinaryOp::Div => int(left.checked_div(right)),
        _ => int(left.checked_rem(right)),
    }
}

fn floats(op: BinaryOp, left: f64, right: f64) -> Result {
    let value = match op {
        BinaryOp::Add => left + right,
        BinaryOp::Sub => left - right,
        BinaryOp::Mul => left * right,
        _ if right == 0.0 => return Err(OpError::DivisionByZero),
        BinaryOp::Div => left / right,
        _ => left % right,
    };
    // What is infinite already may stay so; a finite sum does not become it silently.
    if value.is_infinite() && left.is_finite() && right.is_finite() {
        return Err(OpError::Overflow("Float"));
    }
    Ok(Value::Float(value))
}

/// The type that an operator gives on values of which only types are known.
pub(super) fn unary_type(op: UnaryOp, operand: &Type) -> Option<Type> {
    match (op, operand) {
        (UnaryOp::Neg, Type::Int | Type::Float | Type::Any) => Some(operand.clone()),
        (UnaryOp::Not, Type::Bool | Type::Any) => Some(Type::Bool),
        _ => None,
    }
}

/// The type that an operator gives on values of which only types are known.
pub(super) fn binary_type(op: BinaryOp, left: &Type, right: &Type) -> Option<Type> {
    let known = |ty: &Type| if is_text(ty) { Type::String } else { ty.clone() };
    let (left, right) = (known(left), known(right));
    let number = |ty: &Type| matches!(ty, Type::Int | Type::Float | Type::Any);
    match op {
        BinaryOp::And | BinaryOp::Or => {
            let bool = |ty: &Type| matches!(ty, Type::Bool | Type::Any);
            (bool(&left) && bool(&right)).then_some(Type::Bool)
        }
        BinaryOp::Eq | BinaryOp::Ne => Some(Type::Bool),
        BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => {
            let text = |ty: &Type| matches!(ty, Type::String | Type::Any);
            ((number(&left) && number(&right)) || (text(&left) && text(&right))).then_some(Type::Bool)
        }
        _ => match (&left, &right) {
            (Type::Int, Type::Int) => Some(Type::Int),
            (Type::Any, _) | (_, Type::Any) => Some(Type::Any),
            (Type::String, Type::String) if op == BinaryOp::Add => Some(Type::String),
            (Type::List(items), Type::List(others)) if op == BinaryOp::Add => {
                Some(if items == others { left.clone() } else { Type::List(vec![Type::Any].into()) })
            }
            _ => (number(&left) && number(&right)).then_some(Type::Float),
        },
    }
}

/// Whether values of a type are texts.
pub(super) fn is_text(ty: &Type) -> bool {
    matches!(ty, Type::String | Type::Choice { .. } | Type::File { .. } | Type::Dynamic(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn shows(op: BinaryOp, left: Value, right: Value, shown: &str) {
        let result = binary(op, &left, &right);
        let text = result.map_or_else(|error| format!("{error:?}"), |value| value.to_string());
        assert_eq!(text, shown, "{left} {} {right}", op.symbol());
    }

    #[test]
    fn division_truncates_toward_zero_and_the_rest_follows() {
        for (left, right) in [(7, 2), (-7, 2), (7, -2), (-7, -2), (6, 3)] {
            shows(BinaryOp::Div, Value::Int(left), Value::Int(right), &(left / right).to_string());
            let rest = left - (left / right) * right;
            shows(BinaryOp::Rem, Value::Int(left), Value::Int(right), &rest.to_string());
        }
    }

    #[test]
    fn ints_end_where_64_bits_end() {
        let (least, most) = (i128::from(i64::MIN), i128::from(u64::MAX));
        shows(BinaryOp::Add, Value::Int(most - 1), Value::Int(1), &most.to_string());
        shows(BinaryOp::Add, Value::Int(most), Value::Int(1), "Overflow(\"Int\")");
        shows(BinaryOp::Sub, Value::Int(least), Value::Int(1), "Overflow(\"Int\")");
        shows(BinaryOp::Mul, Value::Int(most), Value::Int(most), "Overflow(\"Int\")");
        assert_eq!(unary(UnaryOp::Neg, &Value::Int(most)), Err(OpError::Overflow("Int")));
    }

    #[test]
    fn zero_divides_nothing() {
        for op in [BinaryOp::Div, BinaryOp::Rem] {
            shows(op, Value::Int(1), Value::Int(0), "DivisionByZero");
            shows(op, Value::Float(1.0), Value::Int(0), "DivisionByZero");
        }
    }

    #[test]
    fn ints_and_floats_compare_without_rounding() {
        let large = (1_i128 << 60) + 1;
        assert!(!equal(&Value::Int(large), &Value::Float(large as f64)));
        assert!(equal(&Value::Int(2), &Value::Float(2.0)));
        shows(BinaryOp::Lt, Value::Int(-3), Value::Float(-2.5), "true");
        shows(BinaryOp::Lt, Value::Int(-2), Value::Float(-2.5), "false");
        shows(BinaryOp::Lt, Value::Int(1), Value::Float(f64::INFINITY), "true");
        shows(BinaryOp::Ge, Value::Int(1), Value::Float(f64::NAN), "false");
    }

    #[test]
    fn a_finite_sum_does_not_become_infinite() {
        shows(BinaryOp::Mul, Value::Float(1e300), Value::Float(1e300), "Overflow(\"Float\")");
        shows(BinaryOp::Add, Value::Float(f64::INFINITY), Value::Float(1.0), "inf");
    }

    #[test]
    fn texts_and_lists_are_joined_but_not_with_numbers() {
        shows(BinaryOp::Add, Value::text("a"), Value::text("b"), "\"ab\"");
        shows(BinaryOp::Add, Value::list(vec![Value::Int(1)]), Value::list(vec![Value::None]), "[1, none]");
        shows(BinaryOp::Add, Value::text("a"), Value::Int(1), "Operands");
        shows(BinaryOp::Lt, Value::text("a"), Value::Int(1), "Operands");
    }
}
