//! Conditionings combined and mixed. What is only set on them is in the plan.

use std::collections::BTreeMap;

use super::{Call, Fields, KernelError, Operand, Tensor, copy, field};

/// Tensors of an entry in the order in which outputs hold them.
fn tensors<'a>(entry: &Fields<'a>) -> impl Iterator<Item = (&'a str, Tensor<'a>)> {
    entry.iter().filter_map(|(&name, operand)| match operand {
        Operand::Tensors(tensors) => Some((name, *tensors.first()?)),
        _ => None,
    })
}

/// Copies tensors into the output, which has as many.
fn write<'a>(call: &mut Call<'_>, tensors: impl Iterator<Item = Tensor<'a>>) -> Result<(), KernelError> {
    write_slot(call, 0, tensors)
}

fn write_slot<'a>(
    call: &mut Call<'_>,
    slot: usize,
    tensors: impl Iterator<Item = Tensor<'a>>,
) -> Result<(), KernelError> {
    let Some(outputs) = call.take_output(slot) else { return Ok(()) };
    let mut outputs = outputs.into_iter();
    for tensor in tensors {
        let output = outputs.next().ok_or_else(|| wrong("fewer tensors"))?;
        copy(tensor.data, output.data)?;
    }
    if outputs.next().is_some() { Err(wrong("more tensors")) } else { Ok(()) }
}

/// Writes the entries of an input, each with some more tensors, which take the place of others of their names.
pub(super) fn write_with<'a>(
    call: &mut Call<'a>,
    input: &str,
    slot: usize,
    more: &[(&'static str, Tensor<'_>)],
) -> Result<(), KernelError> {
    let mut copied: Vec<Tensor<'_>> = Vec::new();
    for entry in call.entries(input)? {
        let mut named: BTreeMap<&str, Tensor<'_>> = tensors(entry).collect();
        named.extend(more.iter().copied());
        copied.extend(named.into_values());
    }
    write_slot(call, slot, copied.into_iter())
}

fn wrong(what: &str) -> KernelError {
    KernelError::Plan(format!("{what} of a conditioning than planned"))
}

/// Entries with other settings: those are in the plan.
pub(super) fn hand_on(call: &mut Call<'_>) -> Result<(), KernelError> {
    joined(call, &["conditioning"])
}

pub(super) fn combine(call: &mut Call<'_>) -> Result<(), KernelError> {
    joined(call, &["conditioning_1", "conditioning_2"])
}

pub(super) fn set_default_combine(call: &mut Call<'_>) -> Result<(), KernelError> {
    joined(call, &["cond", "cond_DEFAULT"])
}

/// The entries of some inputs after one another.
fn joined(call: &mut Call<'_>, inputs: &[&str]) -> Result<(), KernelError> {
    let mut copied: Vec<Tensor<'_>> = Vec::new();
    for input in inputs {
        for entry in call.entries(input)? {
            copied.extend(tensors(entry).map(|(_, tensor)| tensor));
        }
    }
    write(call, copied.into_iter())
}

pub(super) fn set_mask(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (mask, _) = call.tensor::<3>("mask")?;
    write_with(call, "conditioning", 0, &[("mask", mask)])
}

/// Encoded prompts become zeros; masks stay.
pub(super) fn zero_out(call: &mut Call<'_>) -> Result<(), KernelError> {
    changed(call, "conditioning", |name, tensor, out| {
        if matches!(name, COND | POOLED) {
            out.fill(0.0);
            return Ok(());
        }
        copy(tensor.data, out)
    })
}

/// Writes each tensor of each entry of an input, changed.
fn changed(
    call: &mut Call<'_>,
    input: &str,
    mut change: impl FnMut(&str, Tensor<'_>, &mut [f32]) -> Result<(), KernelError>,
) -> Result<(), KernelError> {
    let named: Vec<(&str, Tensor<'_>)> = call.entries(input)?.into_iter().flat_map(tensors).collect();
    let Some(outputs) = call.take_output(0) else { return Ok(()) };
    if outputs.len() != named.len() {
        return Err(wrong("other tensors"));
    }
    named.into_iter().zip(outputs).try_for_each(|((name, tensor), output)| change(name, tensor, output.data))
}

const COND: &str = "cond";
const POOLED: &str = "pooled_output";

/// A tensor of the first entry of an input.
fn of_first<'a>(call: &Call<'a>, input: &str, name: &str) -> Result<Option<Tensor<'a>>, KernelError> {
    Ok(call.entries(input)?.first().and_then(|entry| field(entry, name)))
}

/// The tokens of one prompt behind those of each entry.
pub(super) fn concat(call: &mut Call<'_>) -> Result<(), KernelError> {
    let from = of_first(call, "conditioning_from", COND)?.ok_or_else(|| wrong("fewer tensors"))?;
    changed(call, "conditioning_to", |name, tensor, out| {
        if name != COND {
            return copy(tensor.data, out);
        }
        let (to, rest) = out.split_at_mut_checked(tensor.data.len()).ok_or_else(|| wrong("fewer tokens"))?;
        copy(tensor.data, to)?;
        copy(from.data, rest)
    })
}

/// Each entry mixed with one prompt, which is cut or filled with zeros to its length.
pub(super) fn average(call: &mut Call<'_>) -> Result<(), KernelError> {
    let input = "conditioning_from";
    let from = of_first(call, input, COND)?.ok_or_else(|| wrong("fewer tensors"))?;
    let from_pooled = of_first(call, input, POOLED)?;
    let share = call.float("conditioning_to_strength")?;
    let (near, far) = (share as f32, (1.0 - share) as f32);
    let mut mixed: Vec<(Tensor<'_>, Option<Tensor<'_>>)> = Vec::new();
    for entry in call.entries("conditioning_to")? {
        let mut named: BTreeMap<&str, Tensor<'_>> = tensors(entry).collect();
        // An entry without a pooled output takes that of the other prompt.
        if let Some(pooled) = from_pooled {
            named.entry(POOLED).or_insert(pooled);
        }
        mixed.extend(named.into_iter().map(|(name, tensor)| match name {
            COND => (tensor, Some(from)),
            POOLED => (tensor, from_pooled),
            _ => (tensor, None),
        }));
    }
    let Some(outputs) = call.take_output(0) else { return Ok(()) };
    if outputs.len() != mixed.len() {
        return Err(wrong("other tensors"));
    }
    for ((to, from), out) in mixed.into_iter().zip(outputs) {
        let Some(from) = from else {
            copy(to.data, out.data)?;
            continue;
        };
        let padded = from.data.iter().copied().chain(std::iter::repeat(0.0));
        for ((out, &to), from) in out.data.iter_mut().zip(to.data).zip(padded) {
            *out = to * near + from * far;
        }
    }
    Ok(())
}
