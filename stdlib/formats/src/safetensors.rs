//! The safetensors header: eight bytes of length, then JSON that names every tensor
//! (<https://huggingface.co/docs/safetensors>).
//!
//! Read here and not by the `safetensors` crate, which cannot say which tensor has a type it does not know, and takes
//! the last of two tensors of one name without a word.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use crate::{DType, FormatError, Header, TensorInfo};

/// A header larger than this is refused, as the reference implementation does.
const MAX_HEADER: u64 = 100_000_000;

/// Most tensors of one file; the largest published models have some ten thousand.
pub(crate) const MAX_TENSORS: usize = 1 << 18;

/// Most dimensions of a tensor.
pub(crate) const MAX_RANK: usize = 8;

/// Most bytes of notes that are kept, names and texts together.
const MAX_METADATA: usize = 1 << 20;

/// How many bytes from the start of a file hold its header, said by its first eight bytes.
///
/// # Errors
/// If `prefix` is shorter than eight bytes or announces more than 100 MB.
pub fn header_len(prefix: &[u8]) -> Result<u64, FormatError> {
    let Some(first) = prefix.first_chunk::<8>() else {
        return Err(FormatError::TruncatedHeader { needed: 8, found: prefix.len() as u64 });
    };
    let json = u64::from_le_bytes(*first);
    if json > MAX_HEADER { Err(FormatError::NotSafetensors) } else { Ok(8 + json) }
}

impl Header {
    /// Reads a safetensors header from the first bytes of a file (at least [`header_len`] of them).
    ///
    /// # Errors
    /// If the bytes are no safetensors header, end too early, or the file of `file_bytes` bytes is not exactly the
    /// header and the tensors that it names, one behind another.
    pub fn parse(prefix: &[u8], file_bytes: u64) -> Result<Header, FormatError> {
        let len = header_len(prefix)?;
        let bytes = usize::try_from(len)
            .ok()
            .and_then(|len| prefix.get(..len))
            .ok_or(FormatError::TruncatedHeader { needed: len, found: prefix.len() as u64 })?;
        let Entries { tensors: raw, metadata } = serde_json::from_slice(&bytes[8..])
            .map_err(|error| FormatError::BadHeader { reason: error.to_string() })?;
        let mut tensors = BTreeMap::new();
        for (name, tensor) in raw {
            let info = tensor.place(&name, len)?;
            tensors.insert(name, info);
        }
        packed(&tensors, len, file_bytes)?;
        Ok(Header { tensors, hash: blake3::hash(bytes).to_hex().to_string(), file_bytes, metadata })
    }
}

/// Tensors must lie one behind another and fill the file, as the format demands.
fn packed(tensors: &BTreeMap<String, TensorInfo>, data: u64, file_bytes: u64) -> Result<(), FormatError> {
    let bad = |reason: String| Err(FormatError::BadHeader { reason });
    let mut in_order: Vec<(&String, &TensorInfo)> = tensors.iter().collect();
    in_order.sort_by_key(|(_, info)| (info.start, info.bytes));
    let mut end = data;
    for (name, info) in &in_order {
        if info.start < end {
            return bad(format!("tensor `{name}` lies on bytes of another one"));
        }
        if info.start > end {
            return bad(format!("{} bytes before tensor `{name}` belong to none", info.start - end));
        }
        end = info.end();
    }
    if end > file_bytes {
        return Err(FormatError::Truncated { needed: end, found: file_bytes });
    }
    if end < file_bytes {
        return bad(format!("{} bytes behind the last tensor belong to none", file_bytes - end));
    }
    Ok(())
}

/// A header as its JSON has it.
struct Entries {
    tensors: BTreeMap<String, Raw>,
    metadata: BTreeMap<String, String>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    dtype: String,
    shape: Shape,
    data_offsets: [u64; 2],
}

impl Raw {
    /// Where it lies in the file, whose data begin at byte `data`.
    fn place(&self, name: &str, data: u64) -> Result<TensorInfo, FormatError> {
        let bad = |reason: String| FormatError::BadHeader { reason };
        let dtype = DType::from_safetensors(&self.dtype).ok_or_else(|| FormatError::UnknownDType {
            tensor: name.to_owned(),
            dtype: self.dtype.clone(),
        })?;
        let [start, end] = self.data_offsets;
        let beyond = || bad(format!("tensor `{name}` lies beyond any file"));
        let shape = self.shape.0.iter().map(|&n| usize::try_from(n)).collect::<Result<Vec<_>, _>>();
        let start_in_file = data.checked_add(start).ok_or_else(beyond)?;
        let info = TensorInfo::new(dtype, shape.map_err(|_| beyond())?, start_in_file).ok_or_else(beyond)?;
        if end.checked_sub(start) != Some(info.bytes) {
            return Err(bad(format!("the bytes of tensor `{name}` do not fit its shape")));
        }
        Ok(info)
    }
}

/// Sizes, not more than tensors have dimensions: a header may hold millions.
struct Shape(Vec<u64>);

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ShapeVisitor)
    }
}

struct ShapeVisitor;

impl<'de> Visitor<'de> for ShapeVisitor {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of sizes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Shape, A::Error> {
        let mut sizes = Vec::new();
        while let Some(size) = seq.next_element()? {
            if sizes.len() == MAX_RANK {
                return Err(A::Error::custom(format!("a tensor has more than {MAX_RANK} dimensions")));
            }
            sizes.push(size);
        }
        Ok(Shape(sizes))
    }
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of tensors by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
        let mut entries = Entries { tensors: BTreeMap::new(), metadata: BTreeMap::new() };
        let mut notes = false;
        while let Some(name) = map.next_key::<String>()? {
            if name == "__metadata__" {
                if notes {
                    return Err(A::Error::custom("`__metadata__` is there twice"));
                }
                notes = true;
                // Some writers put a null here.
                entries.metadata =
                    map.next_value::<Option<Notes>>()?.map(|notes| notes.0).unwrap_or_default();
                continue;
            }
            if entries.tensors.len() == MAX_TENSORS {
                return Err(A::Error::custom(format!("there are more than {MAX_TENSORS} tensors")));
            }
            if entries.tensors.contains_key(&name) {
                return Err(A::Error::custom(format!("tensor `{name}` is there twice")));
            }
            let tensor = map.next_value::<Raw>()?;
            entries.tensors.insert(name, tensor);
        }
        Ok(entries)
    }
}

/// The notes of a file, as many as fit.
struct Notes(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Notes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(NotesVisitor)
    }
}

struct NotesVisitor;

impl<'de> Visitor<'de> for NotesVisitor {
    type Value = Notes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Notes, A::Error> {
        let (mut notes, mut bytes) = (BTreeMap::new(), 0);
        while let Some(name) = map.next_key::<String>()? {
            let text = map.next_value::<String>()?;
            if notes.contains_key(&name) {
                return Err(A::Error::custom(format!("note `{name}` is there twice")));
            }
            if bytes + name.len() + text.len() <= MAX_METADATA {
                bytes += name.len() + text.len();
                notes.insert(name, text);
            }
        }
        Ok(Notes(notes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(json: &str, data: usize) -> Vec<u8> {
        let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(json.as_bytes());
        bytes.extend(std::iter::repeat_n(0, data));
        bytes
    }

    fn read(json: &str, data: usize) -> Result<Header, FormatError> {
        let bytes = file(json, data);
        Header::parse(&bytes, bytes.len() as u64)
    }

    /// Why a header is refused.
    #[track_caller]
    fn refused(json: &str, data: usize) -> String {
        read(json, data).unwrap_err().to_string()
    }

    fn tensor(name: &str, dtype: &str, shape: &str, start: u64, end: u64) -> String {
        format!("\"{name}\":{{\"dtype\":\"{dtype}\",\"shape\":{shape},\"data_offsets\":[{start},{end}]}}")
    }

    const TWO: &str = r#"{"a":{"dtype":"F16","shape":[2,2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"#;

    #[test]
    fn tensors_are_found_with_their_place_in_the_file() {
        let bytes = file(TWO, 12);
        let header = Header::parse(&bytes, bytes.len() as u64).unwrap();
        let b = &header.tensors["b"];
        assert_eq!((b.dtype, b.start, b.bytes), (DType::F32, bytes.len() as u64 - 4, 4));
        assert!(header.has_prefix("a") && !header.has_prefix("c"));
    }

    #[test]
    fn every_number_type_has_its_size() {
        for dtype in DType::ALL {
            let end = 3 * dtype.bytes() as u64;
            let json = format!("{{{}}}", tensor("t", dtype.safetensors(), "[3]", 0, end));
            let header = read(&json, end as usize).unwrap();
            assert_eq!((header.tensors["t"].dtype, header.tensors["t"].bytes), (dtype, end));
        }
        assert_eq!(
            read(&format!("{{{}}}", tensor("t", "F4", "[2]", 0, 1)), 1).unwrap_err(),
            FormatError::UnknownDType { tensor: "t".to_owned(), dtype: "F4".to_owned() }
        );
    }

    #[test]
    fn half_a_download_says_what_is_missing() {
        let bytes = file(TWO, 5);
        let error = Header::parse(&bytes, bytes.len() as u64).unwrap_err();
        assert_eq!(
            error,
            FormatError::Truncated { needed: bytes.len() as u64 + 7, found: bytes.len() as u64 }
        );
        let error = Header::parse(&bytes[..20], bytes.len() as u64).unwrap_err();
        assert_eq!(error, FormatError::TruncatedHeader { needed: 8 + TWO.len() as u64, found: 20 });
    }

    #[test]
    fn other_files_are_recognised_as_such() {
        assert_eq!(Header::parse(b"PK\x03\x04....zip", 15).unwrap_err(), FormatError::NotSafetensors);
        assert!(matches!(Header::parse(b"abc", 3).unwrap_err(), FormatError::TruncatedHeader { .. }));
        assert!(refused("{nope", 0).contains("line 1 column 2"));
        assert!(refused("[]", 0).contains("expected an object of tensors by name"));
        let deep = "[".repeat(100_000);
        assert!(refused(&deep, 0).contains("safetensors header"));
    }

    #[test]
    fn tensors_fill_the_file_and_share_nothing() {
        let two =
            |second: String, data| refused(&format!("{{{},{second}}}", tensor("a", "U8", "[4]", 0, 4)), data);
        assert!(two(tensor("b", "U8", "[4]", 2, 6), 6).ends_with("`b` lies on bytes of another one"));
        assert!(
            two(tensor("b", "U8", "[4]", 6, 10), 10).ends_with("2 bytes before tensor `b` belong to none")
        );
        assert!(
            two(tensor("b", "U8", "[4]", 4, 8), 11)
                .ends_with("3 bytes behind the last tensor belong to none")
        );
        assert!(two(tensor("b", "U8", "[4]", 8, 4), 8).ends_with("of tensor `b` do not fit its shape"));
        assert!(two(tensor("b", "U8", "[5]", 4, 8), 8).ends_with("of tensor `b` do not fit its shape"));
        // Empty tensors lie between others.
        let empty = format!("{{{},{}}}", tensor("a", "U8", "[4]", 0, 4), tensor("b", "U8", "[0,7]", 4, 4));
        assert!(read(&empty, 4).is_ok());
    }

    #[test]
    fn sizes_beyond_all_files_are_refused() {
        let huge = "[4294967296,4294967296]";
        assert!(refused(&format!("{{{}}}", tensor("a", "U8", huge, 0, 0)), 0).contains("beyond any file"));
        let far = tensor("a", "U8", "[1]", u64::MAX, u64::MAX);
        assert!(refused(&format!("{{{far}}}"), 0).contains("beyond any file"));
        let many = tensor("a", "U8", "[1,1,1,1,1,1,1,1,1]", 0, 1);
        assert!(refused(&format!("{{{many}}}"), 1).contains("a tensor has more than 8 dimensions"));
    }

    #[test]
    fn names_stand_once() {
        let twice = format!("{{{},{}}}", tensor("a", "U8", "[1]", 0, 1), tensor("a", "U8", "[1]", 0, 1));
        assert!(refused(&twice, 1).contains("tensor `a` is there twice"));
        assert!(refused(r#"{"__metadata__":{},"__metadata__":{}}"#, 0).contains("twice"));
        assert!(refused(r#"{"__metadata__":{"x":"1","x":"2"}}"#, 0).contains("note `x` is there twice"));
        let odd = r#"{"a":{"dtype":"U8","shape":[],"data_offsets":[0,1],"strides":[]}}"#;
        assert!(refused(odd, 1).contains("unknown field `strides`"));
    }

    #[test]
    fn notes_are_kept_as_far_as_they_are_short() {
        let long = "x".repeat(MAX_METADATA);
        let json = format!(r#"{{"__metadata__":{{"big":"{long}","format":"pt"}}}}"#);
        let header = read(&json, 0).unwrap();
        assert_eq!(header.metadata.into_iter().collect::<Vec<_>>(), [("format".into(), "pt".into())]);
        assert!(read(r#"{"__metadata__":null}"#, 0).unwrap().metadata.is_empty());
        assert!(refused(r#"{"__metadata__":{"n":[1]}}"#, 0).contains("expected a string"));
    }
}
