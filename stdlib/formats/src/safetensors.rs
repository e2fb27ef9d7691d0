//! The safetensors header: eight bytes of length, then JSON that names every tensor
//! (<https://huggingface.co/docs/safetensors>).

use std::collections::BTreeMap;
use std::fmt;

use safetensors::tensor::Metadata;

use crate::FormatError;

/// A header larger than this is refused, as the reference implementation does.
const MAX_HEADER: u64 = 100_000_000;

/// The number type of a stored tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DType {
    /// IEEE single precision.
    F32,
    /// IEEE half precision.
    F16,
    /// The upper half of a single-precision number.
    Bf16,
    /// 64-bit signed integer (position ids; never a weight).
    I64,
}

impl DType {
    /// Bytes of one element.
    pub fn bytes(self) -> usize {
        match self {
            DType::F32 => 4,
            DType::F16 | DType::Bf16 => 2,
            DType::I64 => 8,
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DType::F32 => "f32",
            DType::F16 => "f16",
            DType::Bf16 => "bf16",
            DType::I64 => "i64",
        })
    }
}

/// Where one tensor lies in its file, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Number type.
    pub dtype: DType,
    /// Shape, outermost dimension first; row-major.
    pub shape: Vec<usize>,
    /// First byte in the file.
    pub start: u64,
    /// Bytes.
    pub bytes: u64,
}

/// All tensors of one file by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The tensors.
    pub tensors: BTreeMap<String, TensorInfo>,
    /// BLAKE3 of the header's bytes, in hexadecimal: names, shapes, types and places, not the weights.
    pub hash: String,
    /// Bytes of the whole file.
    pub file_bytes: u64,
}

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
    /// Reads a header from the first bytes of a file (at least [`header_len`] of them).
    ///
    /// # Errors
    /// If the bytes are no safetensors header, end too early, or the file of `file_bytes` bytes cannot hold the
    /// tensors that the header names.
    pub fn parse(prefix: &[u8], file_bytes: u64) -> Result<Header, FormatError> {
        let len = header_len(prefix)?;
        let bytes = usize::try_from(len)
            .ok()
            .and_then(|len| prefix.get(..len))
            .ok_or(FormatError::TruncatedHeader { needed: len, found: prefix.len() as u64 })?;
        let bad = |reason: String| FormatError::BadHeader { reason };
        let metadata: Metadata =
            serde_json::from_slice(&bytes[8..]).map_err(|error| bad(error.to_string()))?;
        let mut tensors = BTreeMap::new();
        let mut needed = len;
        // By name: which of several defects is reported may not depend on a hash map's order.
        let by_name: BTreeMap<_, _> = metadata.tensors().into_iter().collect();
        for (name, info) in by_name {
            let dtype = match info.dtype {
                safetensors::Dtype::F32 => DType::F32,
                safetensors::Dtype::F16 => DType::F16,
                safetensors::Dtype::BF16 => DType::Bf16,
                safetensors::Dtype::I64 => DType::I64,
                other => {
                    return Err(FormatError::UnknownDType { tensor: name, dtype: format!("{other:?}") });
                }
            };
            let (start, end) = (info.data_offsets.0 as u64, info.data_offsets.1 as u64);
            let elements = info.shape.iter().try_fold(1_u64, |product, &n| product.checked_mul(n as u64));
            let bytes = elements.and_then(|n| n.checked_mul(dtype.bytes() as u64));
            if bytes.is_none() || end.checked_sub(start) != bytes {
                return Err(bad(format!("the bytes of tensor `{name}` do not fit its shape")));
            }
            let (Some(start), Some(end)) = (len.checked_add(start), len.checked_add(end)) else {
                return Err(bad(format!("tensor `{name}` lies beyond any file")));
            };
            needed = needed.max(end);
            let info = TensorInfo { dtype, shape: info.shape.clone(), start, bytes: end - start };
            tensors.insert(name, info);
        }
        if needed > file_bytes {
            return Err(FormatError::Truncated { needed, found: file_bytes });
        }
        Ok(Header { tensors, hash: blake3::hash(bytes).to_hex().to_string(), file_bytes })
    }

    /// Whether a tensor of this name is there.
    pub fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// Whether any tensor's name starts with `prefix`.
    pub fn has_prefix(&self, prefix: &str) -> bool {
        self.tensors.range(prefix.to_owned()..).next().is_some_and(|(name, _)| name.starts_with(prefix))
    }

    /// The shape of a tensor, if it is there.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|info| info.shape.as_slice())
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
    fn half_a_download_says_what_is_missing() {
        let bytes = file(TWO, 5);
        let error = Header::parse(&bytes, bytes.len() as u64).unwrap_err();
        assert_eq!(
            error,
            FormatError::Truncated { needed: bytes.len() as u64 + 7, found: bytes.len() as u64 }
        );
    }

    #[test]
    fn other_files_are_recognised_as_such() {
        assert_eq!(Header::parse(b"PK\x03\x04....zip", 15).unwrap_err(), FormatError::NotSafetensors);
        assert!(matches!(Header::parse(b"abc", 3).unwrap_err(), FormatError::TruncatedHeader { .. }));
        let lies = file(r#"{"a":{"dtype":"F16","shape":[2,2],"data_offsets":[8,4]}}"#, 12);
        assert!(matches!(Header::parse(&lies, 99).unwrap_err(), FormatError::BadHeader { .. }));
        assert!(matches!(Header::parse(&file("{nope", 0), 13).unwrap_err(), FormatError::BadHeader { .. }));
    }
}
