//! Legacy pickle: `.ckpt`, `.pt`, `.pth`, `.bin` as `torch.save` writes them.
//!
//! Today's form is a zip archive: `data.pkl` says how tensors are made of storages, and each storage is an entry of its
//! own. The form before torch 1.6 is five pickles in a row (a magic number, a version, facts of the machine, the object,
//! the names of its storages) and then each storage, after eight bytes with its length. A reader of both knows only what
//! tensors need; nothing is executed.

mod machine;
mod opcode;
mod tensors;
#[cfg(test)]
mod tests;
mod value;

use std::collections::BTreeMap;
use std::io::{BufReader, Read, Seek, SeekFrom};

use self::machine::{MAX_BYTES, Machine, Values};
use self::tensors::Place;
use self::value::{Id, Node};
use crate::zip::{Archive, read_at};
use crate::{FormatError, Header, ReadError};

/// How a file of the old form begins, after the protocol's two bytes: its magic number.
const MAGIC: [u8; 12] = [0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

fn bad(reason: impl Into<String>) -> ReadError {
    ReadError::Format(FormatError::BadPickle { at: 0, reason: reason.into() })
}

/// Whether a file that begins so is of the old form.
pub(crate) fn is_legacy(first: &[u8]) -> bool {
    first.first() == Some(&0x80) && first.get(2..14) == Some(MAGIC.as_slice())
}

/// The header of a zip archive of `file_bytes` bytes.
///
/// # Errors
/// If it is no archive of tensors, is broken, truncated or compressed, or its pickle is refused.
pub(crate) fn read_archive(source: &mut (impl Read + Seek), file_bytes: u64) -> Result<Header, ReadError> {
    let archive = Archive::read(source, file_bytes)?;
    let root = archive.entries.keys().find_map(|name| name.strip_suffix("data.pkl"));
    let root = root.filter(|root| root.is_empty() || root.ends_with('/')).ok_or_else(|| {
        ReadError::Format(FormatError::NotTensors { what: "a zip archive without `data.pkl`".to_owned() })
    })?;
    let order = format!("{root}byteorder");
    if archive.entries.contains_key(&order) {
        let (at, bytes) = archive.place(source, &order)?;
        if bytes > 16 || read_at(source, at, bytes, file_bytes)?.trim_ascii() != b"little" {
            return Err(ReadError::Format(FormatError::BadArchive {
                reason: "its numbers are not little-endian".to_owned(),
            }));
        }
    }
    let (at, bytes) = archive.place(source, &format!("{root}data.pkl"))?;
    if bytes > MAX_BYTES {
        return Err(bad(format!("it is larger than {MAX_BYTES} bytes")));
    }
    let pickle = read_at(source, at, bytes, file_bytes)?;
    let mut machine = Machine::new(pickle.as_slice());
    let top = machine.run()?;
    tensors::header(&machine.into_values(), top, file_bytes, |key| {
        let (start, bytes) = archive.place(source, &format!("{root}data/{key}"))?;
        Ok(Place { start, bytes })
    })
}

/// The header of a file of the old form, of `file_bytes` bytes.
///
/// # Errors
/// If it is broken or truncated, or its pickle is refused.
pub(crate) fn read_legacy(source: &mut (impl Read + Seek), file_bytes: u64) -> Result<Header, ReadError> {
    source.seek(SeekFrom::Start(0))?;
    let mut machine = Machine::new(BufReader::new(&mut *source));
    let magic = machine.run()?;
    let version = machine.run()?;
    let values = machine.values();
    if !matches!(values.get(magic), Node::Other) || !matches!(values.get(version), Node::Int(1001)) {
        return Err(bad("its version is not 1001"));
    }
    let machine_facts = machine.run()?;
    if !little_endian(machine.values(), machine_facts) {
        return Err(bad("its numbers are not little-endian"));
    }
    let top = machine.run()?;
    let keys = machine.run()?;
    let data = machine.position();
    let values = machine.into_values();
    let places = storages(source, &values, keys, data, file_bytes)?;
    tensors::header(&values, top, file_bytes, |key| {
        places.get(key).copied().ok_or_else(|| bad(format!("storage `{key}` is missing")))
    })
}

fn little_endian(values: &Values, facts: Id) -> bool {
    let Node::Dict(entries) = values.get(facts) else { return false };
    let found = entries.iter().find(|(key, _)| values.text(*key) == Some("little_endian"));
    found.is_some_and(|(_, value)| matches!(values.get(*value), Node::Bool(true)))
}

/// Where the storages lie: one behind another, each after its length.
fn storages(
    source: &mut (impl Read + Seek),
    values: &Values,
    keys: Id,
    data: u64,
    file_bytes: u64,
) -> Result<BTreeMap<String, Place>, ReadError> {
    let sizes = values.storages();
    let Node::List(keys) = values.get(keys) else { return Err(bad("the names of its storages are no list")) };
    let (mut places, mut at) = (BTreeMap::new(), data);
    for &key in keys {
        let key = values.text(key).ok_or_else(|| bad("the name of a storage is no text"))?;
        let size = sizes.get(key).ok_or_else(|| bad("a storage is listed that no tensor has"))?;
        let elements = read_at(source, at, 8, file_bytes)?;
        let elements = elements.try_into().map_or(u64::MAX, u64::from_le_bytes);
        let bytes = elements.checked_mul(*size).ok_or_else(|| bad("a storage is larger than any file"))?;
        let start = at + 8;
        at = start.checked_add(bytes).ok_or_else(|| bad("a storage is larger than any file"))?;
        if places.insert(key.to_owned(), Place { start, bytes }).is_some() {
            return Err(bad(format!("storage `{key}` is listed twice")));
        }
    }
    Ok(places)
}
