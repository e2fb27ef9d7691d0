//! Known values and choices between inputs.

use super::{Call, SemanticError, Semantics, Work};
use crate::facts::{Fact, Scalar};

pub(super) const ALL: &[Semantics] = &[
    Semantics::folds("PrimitiveBoolean", |call| primitive(call, "value")),
    Semantics::folds("PrimitiveFloat", primitive_float),
    Semantics::folds("PrimitiveInt", |call| primitive(call, "value")),
    Semantics::folds("PrimitiveString", |call| primitive(call, "value")),
    Semantics::folds("PrimitiveStringMultiline", |call| primitive(call, "value")),
    Semantics::folds("SeedNode", |call| primitive(call, "seed")),
    Semantics::folds("ComfyAndNode", |call| Ok(decided(all(call)))),
    Semantics::folds("ComfyNotNode", |call| Ok(decided(truth(call.fact("value")).map(|truth| !truth)))),
    Semantics::folds("ComfyOrNode", |call| Ok(decided(any(call)))),
    Semantics::folds("ComfySwitchNode", switch),
];

fn primitive(call: &Call<'_>, input: &str) -> Result<Work, SemanticError> {
    Ok(Work::hands_on(call, input))
}

/// A whole number becomes a Float here: what reads it may be of any type.
fn primitive_float(call: &Call<'_>) -> Result<Work, SemanticError> {
    Ok(call.float("value").map_or_else(|| Work::unknown("FLOAT"), |value| Work::value(Scalar::Float(value))))
}

/// One of two inputs. The other one is not needed.
fn switch(call: &Call<'_>) -> Result<Work, SemanticError> {
    Ok(match call.bool("switch") {
        Some(true) => Work::hands_on(call, "on_true"),
        Some(false) => Work::hands_on(call, "on_false"),
        None => Work::unknown("*"),
    })
}

fn decided(value: Option<bool>) -> Work {
    value.map_or_else(|| Work::unknown("BOOLEAN"), |value| Work::value(Scalar::Bool(value)))
}

/// Whether Python takes a value for true; `None` where it is not known.
fn truth(fact: &Fact) -> Option<bool> {
    match fact {
        Fact::Scalar(Scalar::Int(value)) => Some(*value != 0),
        Fact::Scalar(Scalar::Float(value)) => Some(*value != 0.0),
        Fact::Scalar(Scalar::Bool(value)) => Some(*value),
        Fact::Scalar(Scalar::String(value)) => Some(!value.is_empty()),
        Fact::Open => Some(false),
        Fact::List(items) => Some(!items.is_empty()),
        _ => None,
    }
}

/// Known where one is false, or all are known.
fn all(call: &Call<'_>) -> Option<bool> {
    fold(call, false).map(|found| !found)
}

/// Known where one is true, or all are known.
fn any(call: &Call<'_>) -> Option<bool> {
    fold(call, true)
}

/// Whether one of the values is `wanted`.
fn fold(call: &Call<'_>, wanted: bool) -> Option<bool> {
    let truths: Vec<Option<bool>> = call.grown("values").iter().map(|(_, fact)| truth(fact)).collect();
    if truths.contains(&Some(wanted)) {
        return Some(true);
    }
    (!truths.contains(&None)).then_some(false)
}
