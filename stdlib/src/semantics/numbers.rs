//! Numbers: converted, computed from a formula, chosen as a size.

use super::math::{self, Number};
use super::{Call, SemanticError, Semantics, Work};
use crate::facts::{Fact, Scalar};

pub(super) const ALL: &[Semantics] = &[
    Semantics::folds("ComfyMathExpression", math_expression),
    Semantics::folds("ComfyNumberConvert", number_convert),
    Semantics::folds("ResolutionSelector", resolution_selector),
];

fn unknown(types: &[&'static str]) -> Work {
    let facts: Vec<Fact> = types.iter().map(|&comfy| Fact::Unknown(comfy.into())).collect();
    Work::gives(facts).lacking(super::Gap::Unknown)
}

/// A number as a Float and as an Int, cut toward zero.
fn both(input: &'static str, value: f64, whole: Option<i128>) -> Result<[Fact; 2], SemanticError> {
    let limit = i128::from(u64::MAX) as f64;
    if whole.is_none() && (!value.is_finite() || value.abs() > limit) {
        return Err(SemanticError::Value {
            input,
            reason: format!("{value} is no number that fits an Int"),
            help: "give it a smaller number".to_owned(),
        });
    }
    let whole = whole.unwrap_or(value.trunc() as i128);
    Ok([Fact::Scalar(Scalar::Float(value)), Fact::Scalar(Scalar::Int(whole))])
}

fn number_convert(call: &Call<'_>) -> Result<Work, SemanticError> {
    let input = "value";
    let Some(value) = call.scalar(input) else { return Ok(unknown(&["FLOAT", "INT"])) };
    let (float, whole) = match value {
        Scalar::Int(value) => (*value as f64, Some(*value)),
        Scalar::Bool(value) => (f64::from(u8::from(*value)), Some(i128::from(*value))),
        Scalar::Float(value) => (*value, None),
        Scalar::String(text) => (read_float(input, text)?, text.trim().parse().ok()),
    };
    Ok(Work::gives(both(input, float, whole)?))
}

fn read_float(input: &'static str, text: &str) -> Result<f64, SemanticError> {
    text.trim().parse().map_err(|_| SemanticError::Value {
        input,
        reason: format!("{text:?} is no number"),
        help: "give it a number, such as \"1.5\"".to_owned(),
    })
}

fn math_expression(call: &Call<'_>) -> Result<Work, SemanticError> {
    let input = "expression";
    let Some(text) = call.string(input) else { return Ok(unknown(&["FLOAT", "INT", "BOOLEAN"])) };
    let mut names = Vec::new();
    for (name, fact) in call.grown("values") {
        match fact {
            Fact::Scalar(Scalar::Int(value)) => names.push((name, Number::Int(*value))),
            Fact::Scalar(Scalar::Float(value)) => names.push((name, Number::Float(*value))),
            Fact::Scalar(Scalar::Bool(value)) => names.push((name, Number::Bool(*value))),
            Fact::Open => {}
            _ => return Ok(unknown(&["FLOAT", "INT", "BOOLEAN"])),
        }
    }
    let wrong = |reason: String| {
        SemanticError::Value {
        input,
        reason,
        help: "numbers, the names of the values, `+ - * / // % **`, comparisons, `a if b else c` and functions such as \
               `min(a, b)` can be used"
            .to_owned(),
    }
    };
    let value = math::evaluate(text, &names).map_err(wrong)?;
    let (float, whole) = match value {
        Number::Int(value) => (value as f64, Some(value)),
        Number::Float(value) => (value, None),
        Number::Bool(value) => return Err(wrong(format!("it gives {value}, not a number"))),
    };
    let [float, whole] = both(input, float, whole)?;
    let truth = Fact::Scalar(Scalar::Bool(value.as_float() != 0.0));
    Ok(Work::gives([float, whole, truth]))
}

/// The size of so many pixels in some proportions: `scale = sqrt(pixels / (w * h))`, sides to the nearest multiple.
fn resolution_selector(call: &Call<'_>) -> Result<Work, SemanticError> {
    let known = (|| {
        let ratio = call.string("aspect_ratio")?.split(' ').next()?.split_once(':')?;
        let (wide, high) = (ratio.0.parse::<f64>().ok()?, ratio.1.parse::<f64>().ok()?);
        Some((wide, high, call.float("megapixels")?, call.int("multiple")?.max(1) as f64))
    })();
    let Some((wide, high, megapixels, multiple)) = known else { return Ok(unknown(&["INT", "INT"])) };
    let scale = libm::sqrt(megapixels * 1024.0 * 1024.0 / (wide * high));
    let side = |share: f64| {
        Fact::Scalar(Scalar::Int(((share * scale / multiple).round_ties_even() * multiple) as i128))
    };
    Ok(Work::gives([side(wide), side(high)]))
}
