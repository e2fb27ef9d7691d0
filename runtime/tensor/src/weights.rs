//! Weights, packed and converted once.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use floe_formats::{DType, Header, TensorInfo, element};
use floe_nets::cost::{self, Storage};
use floe_nets::ir::{PANEL, Program, Weight};
use half::prelude::*;
use half::{bf16, f16};

use crate::kernels::Prepared;
use crate::memory::{LANES, Sink};
use crate::{EngineError, MappedFile, Pool, Slab};

/// Elements converted at once.
const CHUNK: usize = 256;

/// Prepared weights of one part of one file.
#[derive(Debug)]
pub struct WeightStore {
    file: Arc<MappedFile>,
    memory: Slab,
    bytes: u64,
    /// By key and panels or not; what lies in the file has no place in memory.
    entries: BTreeMap<(String, Kind), Entry>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    // Panels first: they are read as whole vectors and stay aligned so.
    Panels,
    Plain,
    Mapped,
}

#[derive(Debug)]
struct Entry {
    storage: Storage,
    info: TensorInfo,
    /// Elements of the memory.
    place: Range<usize>,
}

/// A table in the file.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    /// First byte.
    pub(crate) start: usize,
    /// Bytes of a row.
    pub(crate) bytes: usize,
    pub(crate) count: usize,
    pub(crate) channels: usize,
    pub(crate) dtype: DType,
}

impl WeightStore {
    /// Prepares all weights of some programs over one file: each distinct weight once, all in one allocation of
    /// exactly the sum of [`Storage::bytes`], on all threads.
    ///
    /// # Errors
    /// If the header does not fit the file or a program, the file was shortened meanwhile, or memory is short.
    pub fn prepare(
        file: Arc<MappedFile>,
        header: &Header,
        programs: &[&Program],
        pool: &Pool,
    ) -> Result<WeightStore, EngineError> {
        let mut entries = BTreeMap::new();
        for program in programs {
            for ((_, weight), storage) in program.weights.iter().zip(cost::storage(program)) {
                let info = checked(weight, header, &file)?;
                if storage == Storage::Mapped && info.transposed {
                    return Err(misfit(weight, "its rows do not lie in one piece"));
                }
                entries.insert((weight.key.clone(), kind(storage)), Entry { storage, info, place: 0..0 });
            }
        }
        let mut elements = 0;
        for kind in [Kind::Panels, Kind::Plain] {
            for (_, entry) in entries.iter_mut().filter(|((_, of), _)| *of == kind) {
                let len = match entry.storage {
                    Storage::Panels { depth, columns, .. } => depth * columns.next_multiple_of(PANEL),
                    _ => entry.info.shape.iter().product(),
                };
                entry.place = elements..elements + len;
                elements += len;
            }
        }
        let mut memory = Slab::new(elements * 4)?;
        fill(file.whole()?, entries.values(), memory.as_mut_slice(), pool);
        Ok(WeightStore { file, memory, bytes: 4 * elements as u64, entries })
    }

    /// Bytes in memory, the file's pages not counted.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn memory(&self) -> &[f32] {
        self.memory.as_slice()
    }

    pub(crate) fn file_bytes(&self) -> Result<&[u8], EngineError> {
        self.file.whole()
    }

    /// Where a weight is, if it was prepared as the program wants it.
    pub(crate) fn find(&self, weight: &Weight, storage: Storage) -> Result<Prepared, EngineError> {
        let entry = self.entries.get(&(weight.key.clone(), kind(storage)));
        let entry = entry.ok_or_else(|| misfit(weight, "it was not prepared"))?;
        if entry.storage != storage || entry.info.shape != weight.shape || entry.info.dtype != weight.dtype {
            return Err(misfit(weight, "another tensor of this name was prepared"));
        }
        if storage != Storage::Mapped {
            return Ok(Prepared::Memory(entry.place.clone()));
        }
        let count = weight.shape.first().copied().unwrap_or(0);
        let channels = weight.shape.iter().skip(1).product();
        Ok(Prepared::File(Rows {
            start: entry.info.start as usize,
            bytes: channels * weight.dtype.bytes(),
            count,
            channels,
            dtype: weight.dtype,
        }))
    }
}

fn kind(storage: Storage) -> Kind {
    match storage {
        Storage::Panels { .. } => Kind::Panels,
        Storage::Plain => Kind::Plain,
        Storage::Mapped => Kind::Mapped,
    }
}

fn misfit(weight: &Weight, reason: &str) -> EngineError {
    EngineError::Weight { key: weight.key.clone(), reason: reason.to_owned() }
}

/// The tensor of a weight, its bytes inside of the file.
fn checked(weight: &Weight, header: &Header, file: &MappedFile) -> Result<TensorInfo, EngineError> {
    let fail = |reason: &str| Err(misfit(weight, reason));
    let Some(info) = header.tensors.get(&weight.key) else { return fail("the file does not have it") };
    if info.shape != weight.shape || info.dtype != weight.dtype {
        return fail("the file's tensor has another shape or type");
    }
    if !info.dtype.is_float() {
        return fail("it holds indices, not numbers");
    }
    let whole = TensorInfo::new(info.dtype, info.shape.clone(), info.start);
    match whole {
        Some(whole) if whole.bytes == info.bytes && whole.end() <= file.bytes().len() as u64 => {
            Ok(info.clone())
        }
        _ => fail("its bytes lie outside of the file"),
    }
}

/// Reads elements of a tensor, in row-major order from `first` on, whichever way it is stored.
fn read(info: &TensorInfo, bytes: &[u8], first: usize, to: &mut [f32]) {
    let &[rows, columns] = info.shape.as_slice() else { return convert(info.dtype, bytes, first, to) };
    if !info.transposed {
        return convert(info.dtype, bytes, first, to);
    }
    let size = info.dtype.bytes();
    for (index, to) in to.iter_mut().enumerate() {
        let (row, column) = ((first + index) / columns, (first + index) % columns);
        *to = element(info.dtype, &bytes[(column * rows + row) * size..][..size]);
    }
}

/// Reads elements from `first` on.
fn convert(dtype: DType, bytes: &[u8], first: usize, to: &mut [f32]) {
    let size = dtype.bytes();
    let bytes = &bytes[first * size..(first + to.len()) * size];
    if !matches!(dtype, DType::F16 | DType::Bf16) {
        for (to, bytes) in to.iter_mut().zip(bytes.chunks_exact(size)) {
            *to = element(dtype, bytes);
        }
        return;
    }
    let mut bits = [0_u16; CHUNK];
    for (to, bytes) in to.chunks_mut(CHUNK).zip(bytes.chunks(CHUNK * 2)) {
        let bits = &mut bits[..to.len()];
        for (bits, bytes) in bits.iter_mut().zip(bytes.chunks_exact(2)) {
            *bits = u16::from_le_bytes([bytes[0], bytes[1]]);
        }
        // In bulk: `half` converts eight at once where the processor can.
        match dtype {
            DType::F16 => bits.reinterpret_cast::<f16>().convert_to_f32_slice(to),
            _ => bits.reinterpret_cast::<bf16>().convert_to_f32_slice(to),
        }
    }
}

/// Converts and packs everything; one task per panel, or per weight.
fn fill<'a>(file: &[u8], entries: impl Iterator<Item = &'a Entry>, memory: &mut [f32], pool: &Pool) {
    let mut tasks = Vec::new();
    for entry in entries {
        match entry.storage {
            Storage::Panels { columns, .. } => {
                tasks.extend((0..columns.div_ceil(PANEL)).map(|panel| (entry, panel)))
            }
            Storage::Plain => tasks.push((entry, 0)),
            Storage::Mapped => {}
        }
    }
    let memory = Sink::new(memory);
    pool.for_each(tasks.len(), &|task| {
        let (entry, panel) = tasks[task];
        let bytes = &file[entry.info.start as usize..(entry.info.start + entry.info.bytes) as usize];
        let to = memory.part(entry.place.start, entry.place.len());
        match entry.storage {
            Storage::Panels { taps, depth, columns } => {
                let to = to.part(panel * depth * PANEL, depth * PANEL);
                pack(&entry.info, bytes, panel, [taps, depth, columns], to);
            }
            _ => plain(&entry.info, bytes, to),
        }
    });
}

fn plain(info: &TensorInfo, bytes: &[u8], to: Sink<'_>) {
    let mut chunk = [0.0; CHUNK];
    for first in (0..to.len()).step_by(CHUNK) {
        let chunk = &mut chunk[..CHUNK.min(to.len() - first)];
        read(info, bytes, first, chunk);
        for (index, &value) in chunk.iter().enumerate() {
            to.set(first + index, value);
        }
    }
}

/// Packs sixteen rows of `[columns, channels, taps]` to `[taps, channels, 16]`; rows that are not there are zero.
fn pack(info: &TensorInfo, bytes: &[u8], panel: usize, [taps, depth, columns]: [usize; 3], to: Sink<'_>) {
    let channels = depth / taps.max(1);
    let mut rows = [[0.0; CHUNK]; PANEL];
    for first in (0..depth).step_by(CHUNK) {
        let count = CHUNK.min(depth - first);
        for (row, values) in rows.iter_mut().enumerate().take(columns - panel * PANEL) {
            read(info, bytes, (panel * PANEL + row) * depth + first, &mut values[..count]);
        }
        for index in 0..count {
            let mut lanes = [0.0; LANES];
            for (lane, row) in lanes.iter_mut().zip(&rows) {
                *lane = row[index];
            }
            let (channel, tap) = ((first + index) / taps, (first + index) % taps);
            to.store((tap * channels + channel) * PANEL, lanes);
        }
    }
}
