//! What a model file says of its tensors, whatever its container.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::DType;

/// Where one tensor lies in its file, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Number type.
    pub dtype: DType,
    /// Shape, outermost dimension first.
    pub shape: Vec<usize>,
    /// First byte in the file.
    pub start: u64,
    /// Bytes.
    pub bytes: u64,
    /// Elements lie row-major, the last dimension closest, unless this is set: then the tensor has two dimensions and
    /// its *columns* lie one behind another. `shape` is the meaning in both cases.
    pub transposed: bool,
}

impl TensorInfo {
    /// A row-major tensor at this place; none if it has more bytes than can be counted.
    pub fn new(dtype: DType, shape: Vec<usize>, start: u64) -> Option<TensorInfo> {
        let elements = shape.iter().try_fold(1_u64, |product, &n| product.checked_mul(n as u64))?;
        let bytes = elements.checked_mul(dtype.bytes() as u64)?;
        start.checked_add(bytes)?;
        Some(TensorInfo { dtype, shape, start, bytes, transposed: false })
    }

    /// The byte after the last.
    pub fn end(&self) -> u64 {
        self.start.saturating_add(self.bytes)
    }

    /// Some of its rows, as a tensor of its own; none if they are not there or lie scattered.
    pub fn rows(&self, rows: Range<usize>) -> Option<TensorInfo> {
        let (&all, rest) = self.shape.split_first()?;
        if self.transposed || rows.start > rows.end || rows.end > all {
            return None;
        }
        let row = self.bytes.checked_div(all as u64).unwrap_or(0);
        let shape = [rows.len()].iter().chain(rest).copied().collect();
        let start = self.start + row * rows.start as u64;
        Some(TensorInfo { shape, start, bytes: row * rows.len() as u64, ..self.clone() })
    }

    /// A matrix read the other way round, `[a, b]` as `[b, a]`: nothing moves. None if it is no matrix.
    pub fn transpose(&self) -> Option<TensorInfo> {
        let &[rows, columns] = self.shape.as_slice() else { return None };
        Some(TensorInfo { shape: vec![columns, rows], transposed: !self.transposed, ..self.clone() })
    }
}

/// All tensors of one file by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// The tensors.
    pub tensors: BTreeMap<String, TensorInfo>,
    /// BLAKE3 in hexadecimal of names, shapes, types and places, not of the weights. Of a safetensors file it is that
    /// of the header's bytes.
    pub hash: String,
    /// Bytes of the whole file.
    pub file_bytes: u64,
    /// What the writer of the file noted: short texts by name, 1 MiB in all; longer ones are left out.
    pub metadata: BTreeMap<String, String>,
}

impl Header {
    /// Whether a tensor of this name is there.
    pub fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// Whether any tensor's name starts with `prefix`.
    pub fn has_prefix(&self, prefix: &str) -> bool {
        self.tensors.range(prefix.to_owned()..).next().is_some_and(|(name, _)| name.starts_with(prefix))
    }

    /// The tensors whose names start with `prefix`, in order, with what follows it.
    pub fn below<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a TensorInfo)> {
        self.tensors
            .range(prefix.to_owned()..)
            .map_while(move |(name, info)| name.strip_prefix(prefix).map(|rest| (rest, info)))
    }

    /// The shape of a tensor, if it is there.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|info| info.shape.as_slice())
    }

    /// One dimension of a tensor, if it is there.
    pub fn dim(&self, name: &str, dimension: usize) -> Option<usize> {
        self.shape(name)?.get(dimension).copied()
    }

    /// How many of `{prefix}0.`, `{prefix}1.`, … there are in a row.
    pub fn count(&self, prefix: &str) -> usize {
        (0..).take_while(|index| self.has_prefix(&format!("{prefix}{index}."))).count()
    }
}
