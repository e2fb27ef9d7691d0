//! One block of memory, and disjoint parts of it.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ops::Range;
use std::ptr::NonNull;
use std::{fmt, slice};

use floe_nets::ir::ALIGNMENT;

use crate::EngineError;

/// A block of f32 memory, 64-byte aligned, zeroed, allocated once.
pub struct Slab {
    start: NonNull<f32>,
    /// Rounded up to the alignment.
    bytes: usize,
}

// SAFETY: a slab owns its memory, as a `Vec` does.
unsafe impl Send for Slab {}
// SAFETY: shared slabs are only read.
unsafe impl Sync for Slab {}

impl Slab {
    /// Allocates at least `bytes` bytes.
    ///
    /// # Errors
    /// If the system does not give that much.
    pub fn new(bytes: usize) -> Result<Slab, EngineError> {
        let error = EngineError::Allocation { bytes };
        let rounded = bytes.checked_next_multiple_of(ALIGNMENT).ok_or_else(|| error.clone())?;
        let layout = Layout::from_size_align(rounded, ALIGNMENT).map_err(|_| error.clone())?;
        if rounded == 0 {
            return Ok(Slab { start: NonNull::dangling(), bytes: 0 });
        }
        // SAFETY: the layout's size is not zero.
        let start = unsafe { alloc_zeroed(layout) };
        let start = NonNull::new(start.cast()).ok_or(error)?;
        Ok(Slab { start, bytes: rounded })
    }

    /// Its bytes, a multiple of 64.
    pub fn len(&self) -> usize {
        self.bytes
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// All of it.
    pub fn as_slice(&self) -> &[f32] {
        // SAFETY: `bytes` initialised bytes start there, aligned (or none, at a dangling aligned pointer).
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.bytes / 4) }
    }

    /// All of it, to write.
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        // SAFETY: as in `as_slice`; the borrow is exclusive.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.bytes / 4) }
    }

    /// Borrows byte ranges: reads may overlap each other, writes overlap nothing.
    ///
    /// # Errors
    /// If a range is not inside, not a whole number of f32, or written and used twice.
    pub fn borrow(
        &mut self,
        reads: &[Range<usize>],
        writes: &[Range<usize>],
    ) -> Result<Borrowed<'_>, EngineError> {
        for range in reads.iter().chain(writes) {
            let fail = |reason| self.fail(range, reason);
            if range.start > range.end || range.end > self.bytes {
                return Err(fail("it lies outside"));
            }
            if range.start % 4 != 0 || range.end % 4 != 0 {
                return Err(fail("it is not made of whole numbers"));
            }
        }
        for (index, write) in writes.iter().enumerate() {
            let others = writes[index + 1..].iter().chain(reads);
            let mut overlaps = others.filter(|other| other.start < write.end && write.start < other.end);
            if !write.is_empty() && overlaps.any(|other| !other.is_empty()) {
                return Err(self.fail(write, "it is written and overlaps another range"));
            }
        }
        // SAFETY: the range is inside and aligned; it is written by nobody while borrowed.
        let read = |range: &Range<usize>| unsafe {
            slice::from_raw_parts(self.start.as_ptr().add(range.start / 4), range.len() / 4)
        };
        // SAFETY: the range is inside and aligned; no other borrowed range overlaps it.
        let write = |range: &Range<usize>| unsafe {
            slice::from_raw_parts_mut(self.start.as_ptr().add(range.start / 4), range.len() / 4)
        };
        Ok(Borrowed { reads: reads.iter().map(read).collect(), writes: writes.iter().map(write).collect() })
    }

    fn fail(&self, range: &Range<usize>, reason: &'static str) -> EngineError {
        EngineError::Borrow { start: range.start, end: range.end, len: self.bytes, reason }
    }
}

impl Drop for Slab {
    fn drop(&mut self) {
        if self.bytes > 0 {
            // SAFETY: allocated in `new` with this very layout, which was valid there.
            unsafe {
                let layout = Layout::from_size_align_unchecked(self.bytes, ALIGNMENT);
                dealloc(self.start.as_ptr().cast(), layout);
            }
        }
    }
}

impl fmt::Debug for Slab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slab").field("bytes", &self.bytes).finish()
    }
}

/// Parts of a [`Slab`].
#[derive(Debug)]
pub struct Borrowed<'a> {
    /// What may be read, in the order asked for.
    pub reads: Vec<&'a [f32]>,
    /// What may be written, in the order asked for.
    pub writes: Vec<&'a mut [f32]>,
}

#[cfg(test)]
#[allow(clippy::reversed_empty_ranges, clippy::single_range_in_vec_init)]
mod tests {
    use super::*;

    #[test]
    fn a_slab_is_aligned_and_zeroed() {
        let slab = Slab::new(100).unwrap();
        assert_eq!((slab.len(), slab.as_slice().as_ptr() as usize % 64), (128, 0));
        assert!(slab.as_slice().iter().all(|&x| x == 0.0));
        assert!(Slab::new(0).unwrap().is_empty());
    }

    #[test]
    fn too_much_is_an_error() {
        let bytes = usize::MAX / 4;
        assert_eq!(Slab::new(bytes).unwrap_err(), EngineError::Allocation { bytes });
        assert!(Slab::new(usize::MAX).is_err());
    }

    #[test]
    fn reads_may_overlap_and_writes_may_not() {
        let mut slab = Slab::new(256).unwrap();
        let mut parts = slab.borrow(&[0..64, 32..64], &[64..128, 128..132]).unwrap();
        assert_eq!((parts.reads[1].len(), parts.writes[1].len()), (8, 1));
        parts.writes[1][0] = 1.0;
        assert_eq!(slab.as_slice()[32], 1.0);
        assert!(slab.borrow(&[0..64], &[60..128]).is_err());
        assert!(slab.borrow(&[], &[0..64, 32..96]).is_err());
        assert!(slab.borrow(&[2..64], &[]).is_err());
        assert!(slab.borrow(&[0..260], &[]).is_err());
        assert!(slab.borrow(&[], &[64..0]).is_err());
    }
}
