//! Memory as kernels see it: values in one slab, read and written by several tasks at once.
#![allow(unsafe_code)]

use std::marker::PhantomData;

/// Lanes of every vector of every kernel, whatever the processor's registers hold.
pub(crate) const LANES: usize = 16;

/// A vector.
pub(crate) type Lanes = [f32; LANES];

/// Memory that an operation reads.
///
/// It may be the memory that the same operation writes (a result in place), so it is never a slice.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    start: *const f32,
    len: usize,
    memory: PhantomData<&'a [f32]>,
}

/// Memory that an operation writes.
///
/// The tasks of an operation share it. **Each element is written by one task, and read by no other one while that
/// may happen**: every kernel splits its output by rows, columns or groups, and so keeps this rule by construction.
#[derive(Clone, Copy)]
pub(crate) struct Sink<'a> {
    start: *mut f32,
    len: usize,
    memory: PhantomData<&'a mut [f32]>,
}

// SAFETY: reads of memory that outlives 'a; the rule of `Sink` excludes races.
unsafe impl Send for Source<'_> {}
// SAFETY: as above.
unsafe impl Sync for Source<'_> {}
// SAFETY: the rule of `Sink` excludes races.
unsafe impl Send for Sink<'_> {}
// SAFETY: as above.
unsafe impl Sync for Sink<'_> {}

impl<'a> Source<'a> {
    pub(crate) fn new(slice: &'a [f32]) -> Self {
        Source { start: slice.as_ptr(), len: slice.len(), memory: PhantomData }
    }

    pub(crate) fn len(self) -> usize {
        self.len
    }

    pub(crate) fn part(self, at: usize, len: usize) -> Source<'a> {
        check(at, len, self.len);
        // SAFETY: the part is inside.
        Source { start: unsafe { self.start.add(at) }, len, memory: PhantomData }
    }

    /// For the matrix kernel: `count` elements can be read there.
    #[inline(always)]
    pub(crate) fn pointer(self, at: usize, count: usize) -> *const f32 {
        check(at, count, self.len);
        // SAFETY: inside.
        unsafe { self.start.add(at) }
    }

    #[inline(always)]
    pub(crate) fn get(self, at: usize) -> f32 {
        check(at, 1, self.len);
        // SAFETY: inside.
        unsafe { self.start.add(at).read() }
    }

    #[inline(always)]
    pub(crate) fn load(self, at: usize) -> Lanes {
        check(at, LANES, self.len);
        // SAFETY: inside; a vector of f32 has the alignment of f32.
        unsafe { self.start.add(at).cast::<Lanes>().read() }
    }

    /// The first `count` lanes, zeros behind them.
    #[inline(always)]
    pub(crate) fn load_part(self, at: usize, count: usize) -> Lanes {
        if count == LANES {
            return self.load(at);
        }
        check(at, count, self.len);
        let mut lanes = [0.0; LANES];
        // SAFETY: `count` elements are inside, and fewer than a vector has.
        unsafe { copy_part(self.start.add(at), lanes.as_mut_ptr(), count) };
        lanes
    }
}

impl<'a> Sink<'a> {
    pub(crate) fn new(slice: &'a mut [f32]) -> Self {
        Sink { start: slice.as_mut_ptr(), len: slice.len(), memory: PhantomData }
    }

    pub(crate) fn len(self) -> usize {
        self.len
    }

    pub(crate) fn part(self, at: usize, len: usize) -> Sink<'a> {
        check(at, len, self.len);
        // SAFETY: the part is inside.
        Sink { start: unsafe { self.start.add(at) }, len, memory: PhantomData }
    }

    /// The same memory, to read.
    #[inline(always)]
    pub(crate) fn source(self) -> Source<'a> {
        Source { start: self.start, len: self.len, memory: PhantomData }
    }

    #[inline(always)]
    pub(crate) fn set(self, at: usize, value: f32) {
        check(at, 1, self.len);
        // SAFETY: inside.
        unsafe { self.start.add(at).write(value) };
    }

    #[inline(always)]
    pub(crate) fn store(self, at: usize, lanes: Lanes) {
        check(at, LANES, self.len);
        // SAFETY: inside; a vector of f32 has the alignment of f32.
        unsafe { self.start.add(at).cast::<Lanes>().write(lanes) };
    }

    /// Stores the first `count` lanes.
    #[inline(always)]
    pub(crate) fn store_part(self, at: usize, lanes: Lanes, count: usize) {
        if count == LANES {
            return self.store(at, lanes);
        }
        check(at, count, self.len);
        // SAFETY: `count` elements are inside, and fewer than a vector has.
        unsafe { copy_part(lanes.as_ptr(), self.start.add(at), count) };
    }

    /// Copies `count` elements of `source` here; they may not overlap.
    #[inline(always)]
    pub(crate) fn copy(self, at: usize, source: Source<'_>, from: usize, count: usize) {
        check(at, count, self.len);
        check(from, count, source.len);
        // SAFETY: both inside; `copy` is defined for overlaps, too.
        unsafe { source.start.add(from).copy_to(self.start.add(at), count) };
    }
}

/// The caller's outputs during a run: several sinks and sources of one exist where operations read it.
#[derive(Clone, Copy)]
pub(crate) struct Outputs<'a> {
    start: *const *mut [f32],
    len: usize,
    memory: PhantomData<&'a mut [f32]>,
}

impl<'a> Outputs<'a> {
    pub(crate) fn new(outputs: &'a mut [&mut [f32]]) -> Self {
        Outputs { start: outputs.as_mut_ptr().cast(), len: outputs.len(), memory: PhantomData }
    }

    pub(crate) fn sink(self, index: usize) -> Sink<'a> {
        check(index, 1, self.len);
        // SAFETY: inside; a reference has the layout of a pointer. It is copied, not borrowed again: what was made
        // of it before stays valid.
        let slice = unsafe { self.start.add(index).read() };
        Sink { start: slice.cast(), len: slice.len(), memory: PhantomData }
    }
}

/// # Panics
/// If a kernel reaches outside of its memory: a bug, stopped before it does harm.
#[inline(always)]
fn check(at: usize, count: usize, len: usize) {
    assert!(count <= len && at <= len - count, "a kernel reaches outside of its memory");
}

/// Copies fewer elements than a vector has, by powers of two: short copies of unknown length are slow calls.
///
/// # Safety
/// `count` < 16 elements are valid at both ends.
#[inline(always)]
unsafe fn copy_part(from: *const f32, to: *mut f32, count: usize) {
    let mut at = 0;
    // SAFETY: the powers of two add up to `count`.
    unsafe {
        if count & 8 != 0 {
            from.cast::<[f32; 8]>().copy_to_nonoverlapping(to.cast(), 1);
            at = 8;
        }
        if count & 4 != 0 {
            from.add(at).cast::<[f32; 4]>().copy_to_nonoverlapping(to.add(at).cast(), 1);
            at += 4;
        }
        if count & 2 != 0 {
            from.add(at).cast::<[f32; 2]>().copy_to_nonoverlapping(to.add(at).cast(), 1);
            at += 2;
        }
        if count & 1 != 0 {
            to.add(at).write(from.add(at).read());
        }
    }
}
