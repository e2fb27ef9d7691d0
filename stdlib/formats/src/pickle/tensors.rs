//! From the values of a pickle to the tensors of a file.

use std::collections::BTreeMap;

use super::machine::Values;
use super::value::{Id, Node, Tensor};
use crate::safetensors::MAX_TENSORS;
use crate::{FormatError, Header, ReadError, TensorInfo};

/// Collections inside of one another, from the state inwards.
const MAX_DEPTH: usize = 6;

/// Longest name of a tensor.
const MAX_NAME: usize = 256;

/// Most values that are looked at; a pickle may name one value many times.
const MAX_VISITS: usize = 1 << 19;

/// Under which key trainers put the weights, the best first: averaged ones are what is meant for use.
const STATES: [&str; 5] = ["state_dict", "params_ema", "params-ema", "params", "model_state_dict"];

/// Where a storage lies in its file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) start: u64,
    pub(super) bytes: u64,
}

/// The tensors below a value, by the keys on the way to them with dots between, as the header of a file of `file_bytes`
/// bytes. `place` finds storages.
///
/// # Errors
/// If a tensor does not lie in its storage or not in one piece, a storage not in the file, or there are too many.
pub(super) fn header(
    values: &Values,
    top: Id,
    file_bytes: u64,
    mut place: impl FnMut(&str) -> Result<Place, ReadError>,
) -> Result<Header, ReadError> {
    let found = collect(values, state(values, top))?;
    let mut places: BTreeMap<&str, Place> = BTreeMap::new();
    let mut tensors = BTreeMap::new();
    for (name, tensor) in found {
        let Node::Storage(storage) = values.get(tensor.storage) else { continue };
        let at = match places.get(storage.key.as_str()) {
            Some(&at) => at,
            None => {
                let at = place(&storage.key)?;
                places.insert(&storage.key, at);
                at
            }
        };
        let size = storage.dtype.map_or(1, crate::DType::bytes) as u64;
        let info = info(&name, tensor, at, storage.elements.saturating_mul(size))?;
        if info.end() > file_bytes {
            return Err(FormatError::Truncated { needed: info.end(), found: file_bytes }.into());
        }
        tensors.insert(name, info);
    }
    let mut hash = blake3::Hasher::new();
    for (name, info) in &tensors {
        let turned = if info.transposed { "T" } else { "" };
        let line = format!("{name:?} {}{:?}{turned} {}\n", info.dtype, info.shape, info.start);
        hash.update(line.as_bytes());
    }
    let hash = hash.finalize().to_hex().to_string();
    Ok(Header { tensors, hash, file_bytes, metadata: BTreeMap::new() })
}

/// The dictionary of weights inside of what a trainer saved.
fn state(values: &Values, mut top: Id) -> Id {
    for _ in 0..MAX_DEPTH {
        let Node::Dict(entries) = values.get(top) else { return top };
        let inner = |wanted: &str| {
            let found = entries.iter().rev().find(|(key, _)| values.text(*key) == Some(wanted));
            found.map(|&(_, value)| value).filter(|&value| matches!(values.get(value), Node::Dict(_)))
        };
        let only = match entries.as_slice() {
            &[(_, value)] if matches!(values.get(value), Node::Dict(_)) => Some(value),
            _ => None,
        };
        match STATES.iter().find_map(|state| inner(state)).or(only) {
            Some(next) => top = next,
            None => return top,
        }
    }
    top
}

/// All tensors below a value, by name.
fn collect(values: &Values, top: Id) -> Result<BTreeMap<String, &Tensor>, ReadError> {
    let bad = |reason: String| ReadError::Format(FormatError::BadPickle { at: 0, reason });
    let (mut found, mut visits) = (BTreeMap::new(), 0);
    let mut open = vec![(top, String::new(), 0)];
    while let Some((id, name, depth)) = open.pop() {
        visits += 1;
        if visits > MAX_VISITS {
            return Err(bad(format!("its collections hold more than {MAX_VISITS} values")));
        }
        if let Node::Tensor(tensor) = values.get(id) {
            if found.len() == MAX_TENSORS {
                return Err(bad(format!("it has more than {MAX_TENSORS} tensors")));
            }
            let name = if name.is_empty() { "tensor".to_owned() } else { name };
            // Of two entries with one key the later counts; it was opened, and so is found, first.
            found.entry(name).or_insert(&**tensor);
            continue;
        }
        if depth < MAX_DEPTH {
            children(values, id, &name, &mut |child, name| open.push((child, name, depth + 1)));
        }
        if open.len() > MAX_VISITS {
            return Err(bad(format!("its collections hold more than {MAX_VISITS} values")));
        }
    }
    Ok(found)
}

/// What may hold tensors inside of a collection, with its name.
fn children(values: &Values, id: Id, name: &str, open: &mut impl FnMut(Id, String)) {
    let worth =
        |id: Id| matches!(values.get(id), Node::Tensor(_) | Node::Dict(_) | Node::List(_) | Node::Tuple(_));
    let mut add = |child: Id, key: &str| {
        let joined = if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
        if worth(child) && joined.len() <= MAX_NAME {
            open(child, joined);
        }
    };
    match values.get(id) {
        Node::Dict(entries) => {
            for &(key, value) in entries {
                match values.get(key) {
                    Node::Text(key) if key.len() <= MAX_NAME => add(value, key),
                    Node::Int(key) => add(value, &key.to_string()),
                    _ => {}
                }
            }
        }
        Node::List(items) | Node::Tuple(items) => {
            for (index, &item) in items.iter().enumerate() {
                add(item, &index.to_string());
            }
        }
        _ => {}
    }
}

/// A tensor as bytes of the file: whole rows one behind another, or whole columns.
fn info(name: &str, tensor: &Tensor, at: Place, stored: u64) -> Result<TensorInfo, ReadError> {
    let misfit = |reason: &str| {
        ReadError::Format(FormatError::Misfit { tensor: name.to_owned(), reason: reason.to_owned() })
    };
    let outside = || misfit("it lies outside of its storage");
    let skipped = tensor.offset.checked_mul(tensor.dtype.bytes() as u64).ok_or_else(outside)?;
    let start = at.start.checked_add(skipped).ok_or_else(outside)?;
    let info = TensorInfo::new(tensor.dtype, tensor.shape.clone(), start).ok_or_else(outside)?;
    if skipped.checked_add(info.bytes).is_none_or(|end| end > stored) {
        return Err(outside());
    }
    if stored > at.bytes {
        return Err(misfit("its storage is larger than the file says"));
    }
    if in_order(&tensor.shape, &tensor.strides) {
        return Ok(info);
    }
    if let (&[rows, columns], &[a, b]) = (tensor.shape.as_slice(), tensor.strides.as_slice())
        && in_order(&[columns, rows], &[b, a])
    {
        return Ok(TensorInfo { transposed: true, ..info });
    }
    let (shape, strides) = (tensor.shape.clone(), tensor.strides.clone());
    Err(FormatError::Strided { tensor: name.to_owned(), shape, strides }.into())
}

/// Whether elements lie one behind another, the last dimension closest.
fn in_order(shape: &[usize], strides: &[usize]) -> bool {
    let mut next = 1_usize;
    for (&size, &stride) in shape.iter().zip(strides).rev() {
        // Of a dimension of one element there is no neighbour.
        if size != 1 && stride != next {
            return shape.contains(&0);
        }
        next = next.saturating_mul(size);
    }
    true
}
