//! Whether values are among choices and in ranges, in the words of messages.

use crate::error::{CompileError, suggest};
use crate::flat::{Place, Value};

/// The error of a value that is none of the choices.
pub(crate) fn not_a_choice(input: &str, value: &Value, choices: &[Value], place: Place) -> CompileError {
    let names: Vec<&str> = choices
        .iter()
        .filter_map(|choice| match choice {
            Value::Str(text) => Some(text.as_ref()),
            _ => None,
        })
        .collect();
    let suggestion = match value {
        Value::Str(text) => suggest(text, names).map(|name| Value::text(name).to_string()),
        _ => None,
    };
    CompileError::NotAChoice {
        input: input.to_owned(),
        value: value.to_string(),
        suggestion,
        choices: choices.iter().map(Value::to_string).collect(),
        span: place.into(),
    }
}

/// The error of a number that is out of range.
pub(crate) fn out_of_range(
    input: &str,
    value: &Value,
    lo: Option<&Value>,
    hi: Option<&Value>,
    place: Place,
) -> Option<CompileError> {
    let below = lo.is_some_and(|lo| less(value, lo));
    let above = hi.is_some_and(|hi| less(hi, value));
    let shown = |bound: Option<&Value>| bound.map(Value::to_string);
    (below || above).then(|| CompileError::OutOfRange {
        input: input.to_owned(),
        value: value.to_string(),
        above,
        lo: shown(lo),
        hi: shown(hi),
        span: place.into(),
    })
}

fn less(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => left < right,
        (Value::Float(left), Value::Float(right)) => left < right,
        (Value::Int(left), Value::Float(right)) => (*left as f64) < *right,
        (Value::Float(left), Value::Int(right)) => *left < *right as f64,
        _ => false,
    }
}
