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
use crate::{EngineError, MappedFile, Patched, Pool, Slab};

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
    /// Tables that are not those of the file, in f32.
    tables: BTreeMap<String, Arc<Vec<u8>>>,
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
    /// Its bytes, where they are not those of the file.
    pub(crate) changed: Option<Arc<Vec<u8>>>,
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
        WeightStore::new(file, header, None, programs, pool)
    }

    /// The same of a network whose weights are changed first, one after another.
    ///
    /// # Errors
    /// Those of [`WeightStore::prepare`], and if a patch does not fit its weight.
    pub fn prepare_patched(
        patched: &Patched,
        programs: &[&Program],
        pool: &Pool,
    ) -> Result<WeightStore, EngineError> {
        WeightStore::new(patched.file.clone(), &patched.header, Some(patched), programs, pool)
    }

    fn new(
        file: Arc<MappedFile>,
        header: &Header,
        patched: Option<&Patched>,
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
        let changed = |key: &str| patched.is_some_and(|patched| patched.changes(key));
        let plain = entries.iter().filter(|((key, _), _)| !changed(key)).map(|(_, entry)| entry);
        fill(file.whole()?, plain, memory.as_mut_slice(), pool);
        let mut tables = BTreeMap::new();
        let mut bytes = 4 * elements as u64;
        let Some(patched) = patched else { return Ok(WeightStore { file, memory, bytes, entries, tables }) };
        for ((key, kind), entry) in entries.iter().filter(|((key, _), _)| changed(key)) {
            if *kind == Kind::Mapped && !patched.changes_tables() {
                continue;
            }
            let Some((_, values)) = patched.read(key, pool)? else { continue };
            if *kind == Kind::Mapped {
                bytes += 4 * values.len() as u64;
                tables.insert(
                    key.clone(),
                    Arc::new(values.iter().flat_map(|value| value.to_le_bytes()).collect()),
                );
                continue;
            }
            fill_one(entry, &values, memory.as_mut_slice(), pool);
        }
        Ok(WeightStore { file, memory, bytes, entries, tables })
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
        let changed = self.tables.get(&weight.key).cloned();
        let (start, dtype) = match changed {
            Some(_) => (0, DType::F32),
            None => (entry.info.start as usize, weight.dtype),
        };
        Ok(Prepared::File(Rows { start, bytes: channels * dtype.bytes(), count, channels, dtype, changed }))
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

/// All numbers of a tensor, row-major.
pub(crate) fn numbers(file: &MappedFile, info: &TensorInfo) -> Result<Vec<f32>, String> {
    let bytes = file.whole().map_err(|error| error.to_string())?;
    let whole = TensorInfo::new(info.dtype, info.shape.clone(), info.start);
    let fits = whole.is_some_and(|whole| whole.bytes == info.bytes && whole.end() <= bytes.len() as u64);
    if !fits || !info.dtype.is_float() {
        return Err("its bytes are no numbers of the file".to_owned());
    }
    let bytes = &bytes[info.start as usize..(info.start + info.bytes) as usize];
    let mut values = vec![0.0; info.shape.iter().product()];
    read(info, bytes, 0, &mut values);
    Ok(values)
}

/// Packs one weight whose numbers are at hand.
fn fill_one(entry: &Entry, values: &[f32], memory: &mut [f32], pool: &Pool) {
    let to = Sink::new(memory).part(entry.place.start, entry.place.len());
    match entry.storage {
        Storage::Panels { taps, depth, columns } => pool.for_each(columns.div_ceil(PANEL), &|panel| {
            let to = to.part(panel * depth * PANEL, depth * PANEL);
            pack(
                &|first, out| out.copy_from_slice(&values[first..][..out.len()]),
                panel,
                [taps, depth, columns],
                to,
            );
        }),
        _ => values.iter().enumerate().for_each(|(index, &value)| to.set(index, value)),
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
                pack(&|first, out| read(&entry.info, bytes, first, out), panel, [taps, depth, columns], to);
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
///
/// `read` gives elements in row-major order, from the first that is wanted.
fn pack(read: &dyn Fn(usize, &mut [f32]), panel: usize, [taps, depth, columns]: [usize; 3], to: Sink<'_>) {
    let channels = depth / taps.max(1);
    let mut rows = [[0.0; CHUNK]; PANEL];
    for first in (0..depth).step_by(CHUNK) {
        let count = CHUNK.min(depth - first);
        for (row, values) in rows.iter_mut().enumerate().take(columns - panel * PANEL) {
            read((panel * PANEL + row) * depth + first, &mut values[..count]);
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
