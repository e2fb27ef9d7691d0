//! Just enough of zip archives to find the entries of a model file: the directory at the end, and the place of each
//! entry's bytes (PKWARE APPNOTE 6.3, with the 64-bit extensions, as archives of more than 4 GiB need them).
//! Entries must be stored as they are: then tensors can be mapped.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};

use crate::{FormatError, ReadError};

/// Most bytes of a directory: names of 2^18 tensors and some.
const MAX_DIRECTORY: u64 = 64 << 20;

/// How far from the end the directory's own record may lie: its size, and a remark of 65,535 bytes.
const TAIL: u64 = 22 + 0xffff;

/// An entry of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Whether its bytes are stored as they are.
    pub(crate) stored: bool,
    /// Bytes of it.
    pub(crate) bytes: u64,
    /// Where its own record begins, before its bytes.
    record: u64,
}

/// The entries of an archive by name.
#[derive(Debug, Default)]
pub(crate) struct Archive {
    pub(crate) entries: BTreeMap<String, Entry>,
    file_bytes: u64,
}

fn bad(reason: impl Into<String>) -> ReadError {
    ReadError::Format(FormatError::BadArchive { reason: reason.into() })
}

/// A little-endian number of two bytes at this place of a record.
fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes)
}

/// So many bytes from this place of the source, which holds `file_bytes`.
pub(crate) fn read_at(
    source: &mut (impl Read + Seek),
    at: u64,
    bytes: u64,
    file_bytes: u64,
) -> Result<Vec<u8>, ReadError> {
    // A length is believed only as far as the file goes, so that a lie costs no memory.
    if at.checked_add(bytes).is_none_or(|end| end > file_bytes) {
        return Err(ReadError::Format(FormatError::Truncated {
            needed: at.saturating_add(bytes),
            found: file_bytes,
        }));
    }
    source.seek(SeekFrom::Start(at))?;
    let mut found = Vec::new();
    source.take(bytes).read_to_end(&mut found)?;
    if found.len() as u64 != bytes {
        return Err(ReadError::Format(FormatError::Truncated {
            needed: at + bytes,
            found: at + found.len() as u64,
        }));
    }
    Ok(found)
}

impl Archive {
    /// Reads the directory of an archive of `file_bytes` bytes.
    ///
    /// # Errors
    /// If there is none, or it is broken or absurdly large.
    pub(crate) fn read(source: &mut (impl Read + Seek), file_bytes: u64) -> Result<Archive, ReadError> {
        let (start, bytes, count) = directory(source, file_bytes)?;
        if bytes > MAX_DIRECTORY {
            return Err(bad(format!("its directory has {bytes} bytes")));
        }
        let directory = read_at(source, start, bytes, file_bytes)?;
        let mut archive = Archive { entries: BTreeMap::new(), file_bytes };
        let mut rest = directory.as_slice();
        for _ in 0..count {
            let (name, entry, after) = entry(rest).ok_or_else(|| bad("its directory is broken"))?;
            if archive.entries.insert(name.clone(), entry).is_some() {
                return Err(bad(format!("entry `{name}` is there twice")));
            }
            rest = after;
        }
        Ok(archive)
    }

    /// Where the bytes of an entry begin in the file.
    ///
    /// # Errors
    /// If they are compressed, or the file does not hold them.
    pub(crate) fn place(&self, source: &mut (impl Read + Seek), name: &str) -> Result<(u64, u64), ReadError> {
        let entry = self.entries.get(name).ok_or_else(|| bad(format!("there is no entry `{name}`")))?;
        if !entry.stored {
            return Err(bad(format!("entry `{name}` is compressed; only stored entries can be mapped")));
        }
        let record = read_at(source, entry.record, 30, self.file_bytes)?;
        if !record.starts_with(b"PK\x03\x04") {
            return Err(bad(format!("entry `{name}` is not where the directory says")));
        }
        let lengths = u16_at(&record, 26).zip(u16_at(&record, 28));
        let (names, extra) = lengths.ok_or_else(|| bad("a record ends early"))?;
        let start = entry.record + 30 + u64::from(names) + u64::from(extra);
        let end = start.checked_add(entry.bytes).ok_or_else(|| bad("an entry lies beyond any file"))?;
        if end > self.file_bytes {
            return Err(ReadError::Format(FormatError::Truncated { needed: end, found: self.file_bytes }));
        }
        Ok((start, entry.bytes))
    }
}

/// Where the directory is: its first byte, its bytes, its entries.
fn directory(source: &mut (impl Read + Seek), file_bytes: u64) -> Result<(u64, u64, u64), ReadError> {
    let from = file_bytes.saturating_sub(TAIL);
    let tail = read_at(source, from, file_bytes - from, file_bytes)?;
    let at = tail.windows(4).rposition(|four| four == b"PK\x05\x06");
    let at = at.ok_or_else(|| bad("its directory is missing: the file is truncated"))?;
    let record = tail.get(at..at + 22).ok_or_else(|| bad("the record of its directory ends early"))?;
    let short = || bad("the record of its directory ends early");
    let count = u16_at(record, 10).ok_or_else(short)?;
    let (bytes, start) = u32_at(record, 12).zip(u32_at(record, 16)).ok_or_else(short)?;
    if count != 0xffff && bytes != u32::MAX && start != u32::MAX {
        return Ok((u64::from(start), u64::from(bytes), u64::from(count)));
    }
    // The numbers do not fit: a locator before this record says where their 64-bit forms are.
    let locator = at.checked_sub(20).and_then(|at| tail.get(at..at + 20));
    let locator = locator.filter(|locator| locator.starts_with(b"PK\x06\x07")).ok_or_else(short)?;
    let place = u64_at(locator, 8).ok_or_else(short)?;
    let record = read_at(source, place, 56, file_bytes)?;
    let numbers = [u64_at(&record, 48), u64_at(&record, 40), u64_at(&record, 32)];
    let [Some(start), Some(bytes), Some(count)] = numbers else { return Err(short()) };
    if record.starts_with(b"PK\x06\x06") { Ok((start, bytes, count)) } else { Err(short()) }
}

/// The first entry of a directory, and the rest of it.
fn entry(directory: &[u8]) -> Option<(String, Entry, &[u8])> {
    if !directory.starts_with(b"PK\x01\x02") {
        return None;
    }
    let (flags, method) = (u16_at(directory, 8)?, u16_at(directory, 10)?);
    let name_len = usize::from(u16_at(directory, 28)?);
    let extra_len = usize::from(u16_at(directory, 30)?);
    let remark_len = usize::from(u16_at(directory, 32)?);
    let name = directory.get(46..46 + name_len)?;
    let extra = directory.get(46 + name_len..46 + name_len + extra_len)?;
    let after = directory.get(46 + name_len + extra_len + remark_len..)?;
    let (bytes, record) = wide(directory, extra)?;
    // The lowest flag says that it is encrypted.
    let entry = Entry { stored: method == 0 && flags & 1 == 0, bytes, record };
    Some((String::from_utf8_lossy(name).into_owned(), entry, after))
}

/// Bytes of an entry and the place of its record, from its 64-bit extension where the fields are too narrow.
fn wide(directory: &[u8], mut extra: &[u8]) -> Option<(u64, u64)> {
    let narrow = [u32_at(directory, 24)?, u32_at(directory, 20)?, u32_at(directory, 42)?];
    let mut values = narrow.map(u64::from);
    while !extra.is_empty() && narrow.contains(&u32::MAX) {
        let (id, len) = (u16_at(extra, 0)?, usize::from(u16_at(extra, 2)?));
        let field = extra.get(4..4 + len)?;
        if id == 1 {
            // Only those that did not fit are there, in this order: bytes, bytes packed, place.
            let mut at = 0;
            for (value, _) in values.iter_mut().zip(narrow).filter(|(_, narrow)| *narrow == u32::MAX) {
                *value = u64_at(field, at)?;
                at += 8;
            }
            break;
        }
        extra = &extra[4 + len..];
    }
    Some((values[0], values[2]))
}
