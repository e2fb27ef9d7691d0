//! Conditionings combined, limited and mixed: where, when and how strongly encoded prompts act.

use std::collections::BTreeMap;

use super::latent::FACTOR;
use super::{Attribute, Call, Gap, SemanticError, Semantics, Work, differs};
use crate::data::Entry;
use crate::facts::{Fact, Scalar, Size};

pub(super) const ALL: &[Semantics] = &[
    Semantics::pure("ConditioningAverage", average),
    Semantics::pure("ConditioningCombine", combine),
    Semantics::pure("ConditioningConcat", concat),
    Semantics::pure("ConditioningSetArea", |call| changed(call, set_area)),
    Semantics::pure("ConditioningSetAreaPercentage", |call| changed(call, set_area_percentage)),
    Semantics::pure("ConditioningSetAreaStrength", |call| changed(call, set_strength)),
    Semantics::pure("ConditioningSetDefaultCombine", set_default_combine),
    Semantics::pure("ConditioningSetMask", |call| changed(call, set_mask)),
    Semantics::pure("ConditioningSetTimestepRange", |call| changed(call, set_timestep_range)),
    Semantics::pure("ConditioningZeroOut", |call| changed(call, |_, _| Some(()))),
];

/// ComfyUI's name of the type.
const CONDITIONING: &str = "CONDITIONING";

/// A conditioning whose entries are each changed; nothing is known of it where a setting is not known.
fn changed(call: &Call<'_>, change: fn(&Call<'_>, &mut Entry) -> Option<()>) -> Result<Work, SemanticError> {
    let Some(entries) = call.conditioning("conditioning") else { return Ok(Work::unknown(CONDITIONING)) };
    let mut entries = entries.to_vec();
    let known = entries.iter_mut().try_for_each(|entry| change(call, entry));
    Ok(match known {
        Some(()) => Work::gives([Fact::Conditioning(entries)]),
        None => Work::unknown(CONDITIONING),
    })
}

fn set(entry: &mut Entry, name: &'static str, value: Scalar) {
    entry.settings.insert(name, Attribute::One(value));
}

fn set_number(call: &Call<'_>, entry: &mut Entry, name: &'static str, input: &str) -> Option<()> {
    set(entry, name, Scalar::Float(call.float(input)?));
    Some(())
}

/// An area in whole latent pixels: what exceeds them is cut off.
fn set_area(call: &Call<'_>, entry: &mut Entry) -> Option<()> {
    let cells = |input| Some(Scalar::Int((call.int(input)? / FACTOR) as i128));
    let area = ["height", "width", "y", "x"].into_iter().map(cells).collect::<Option<_>>()?;
    put_area(call, entry, area)
}

/// An area in fractions of the latent.
fn set_area_percentage(call: &Call<'_>, entry: &mut Entry) -> Option<()> {
    let share = |input| Some(Scalar::Float(call.float(input)?));
    let area = ["height", "width", "y", "x"].into_iter().map(share).collect::<Option<_>>()?;
    put_area(call, entry, area)
}

fn put_area(call: &Call<'_>, entry: &mut Entry, area: Vec<Scalar>) -> Option<()> {
    entry.settings.insert("area", Attribute::Many(area));
    set(entry, "set_area_to_bounds", Scalar::Bool(false));
    set_strength(call, entry)
}

fn set_strength(call: &Call<'_>, entry: &mut Entry) -> Option<()> {
    set_number(call, entry, "strength", "strength")
}

fn set_mask(call: &Call<'_>, entry: &mut Entry) -> Option<()> {
    entry.tensors.insert("mask", call.mask("mask").to_vec());
    let bounds = call.string("set_cond_area")? != "default";
    set(entry, "set_area_to_bounds", Scalar::Bool(bounds));
    set_number(call, entry, "mask_strength", "strength")
}

fn set_timestep_range(call: &Call<'_>, entry: &mut Entry) -> Option<()> {
    set_number(call, entry, "start_percent", "start")?;
    set_number(call, entry, "end_percent", "end")
}

/// The entries of two conditionings after one another.
fn combine(call: &Call<'_>) -> Result<Work, SemanticError> {
    let (first, second) = (call.conditioning("conditioning_1"), call.conditioning("conditioning_2"));
    Ok(joined(first, second.map(<[Entry]>::to_vec)))
}

/// The same, where the second acts only where the first does not.
fn set_default_combine(call: &Call<'_>) -> Result<Work, SemanticError> {
    let mut defaults = call.conditioning("cond_DEFAULT").map(<[Entry]>::to_vec);
    for entry in defaults.iter_mut().flatten() {
        set(entry, "default", Scalar::Bool(true));
    }
    let work = joined(call.conditioning("cond"), defaults);
    let hooks = Gap::NoKernel {
        input: Some("hooks"),
        what: "hooks of a conditioning".to_owned(),
        instead: "leave `hooks` out".to_owned(),
    };
    Ok(if call.is_given("hooks") { work.lacking(hooks) } else { work })
}

fn joined(first: Option<&[Entry]>, second: Option<Vec<Entry>>) -> Work {
    match first.zip(second) {
        Some((first, second)) => Work::gives([Fact::Conditioning([first, &second].concat())]),
        None => Work::unknown(CONDITIONING),
    }
}

/// The prompt that is mixed or appended to others: the first entry. ComfyUI ignores further ones.
fn single<'a>(call: &Call<'a>, input: &'static str) -> Result<Option<&'a Entry>, SemanticError> {
    let Some(entries) = call.conditioning(input) else { return Ok(None) };
    entries.first().map(Some).ok_or_else(|| SemanticError::Facet {
        input,
        reason: "this conditioning has no entries".to_owned(),
        help: "give it an encoded prompt".to_owned(),
    })
}

/// Prompts of text encoders of different widths cannot be mixed.
fn one_width(input: &'static str, to: &[Entry], from: &Entry) -> Result<(), SemanticError> {
    let other = to.iter().find_map(|entry| differs(entry.channels(), from.channels()));
    other.map_or(Ok(()), |(to, from)| {
        Err(SemanticError::Facet {
            input,
            reason: format!("this prompt has {from} channels, but the one it is joined to has {to}"),
            help: "encode both prompts with the same text encoder".to_owned(),
        })
    })
}

/// Tokens of one prompt appended to each entry of another.
fn concat(call: &Call<'_>) -> Result<Work, SemanticError> {
    let input = "conditioning_from";
    let (to, from) = (call.conditioning("conditioning_to"), single(call, input)?);
    let Some((to, from)) = to.zip(from) else { return Ok(Work::unknown(CONDITIONING)) };
    one_width(input, to, from)?;
    let mut entries = to.to_vec();
    for entry in &mut entries {
        let tokens: Size = entry.tokens().zip(from.tokens()).map(|(to, from)| to + from);
        entry.tensors.insert("cond", vec![Some(1), tokens, entry.channels()]);
    }
    Ok(Work::gives([Fact::Conditioning(entries)]))
}

/// Each entry mixed with one prompt; lengths stay, pooled outputs are mixed too.
fn average(call: &Call<'_>) -> Result<Work, SemanticError> {
    let input = "conditioning_from";
    let (to, from) = (call.conditioning("conditioning_to"), single(call, input)?);
    let Some((to, from)) = to.zip(from) else { return Ok(Work::unknown(CONDITIONING)) };
    one_width(input, to, from)?;
    let pooled: BTreeMap<_, _> =
        from.tensors.get("pooled_output").map(|shape| ("pooled_output", shape.clone())).into_iter().collect();
    let entries = to.iter().map(|entry| {
        let mut tensors = pooled.clone();
        tensors.extend(entry.tensors.clone());
        Entry { tensors, ..entry.clone() }
    });
    Ok(Work::gives([Fact::Conditioning(entries.collect())]))
}
