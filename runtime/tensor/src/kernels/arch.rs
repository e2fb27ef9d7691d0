//! Instruction sets: the same kernel, compiled for each.
//!
//! A [`Task`] is written once, generic over its [`Arch`], all of it `#[inline(always)]`; `Arch::call` is a function
//! with the set's target features that it is inlined into. Only the matrix tile has code of its own per set. Fused
//! multiply-adds are explicit and vectors have a fixed number of lanes, so that every set computes the same bits.
#![allow(unsafe_code)]

use std::slice;

use crate::memory::{LANES, Lanes};

/// The parallel body of an operation.
pub(super) trait Task: Sync {
    /// Runs one of its tasks; must be `#[inline(always)]`.
    fn run<A: Arch>(&self, index: usize);
}

/// One matrix tile's operands: rows given by a pointer per tap, columns as a packed panel.
#[derive(Clone, Copy)]
pub(super) struct Tile {
    /// `taps` times [`Arch::ROWS`] pointers; `first + depth` elements can be read at each.
    pub(super) rows: *const *const f32,
    pub(super) taps: usize,
    /// First element of every row.
    pub(super) first: usize,
    /// Elements of every row.
    pub(super) depth: usize,
    /// `taps * depth * 16` elements.
    pub(super) panel: *const f32,
    /// Sums so far, [`Arch::ROWS`] rows of 16, `stride` elements apart.
    pub(super) sums: *mut f32,
    pub(super) stride: usize,
}

/// An instruction set. Values of these types do not exist; [`kernel`](super::kernel) picks one that the machine has.
pub(super) trait Arch: 'static {
    /// Rows of a matrix tile; divides 24.
    const ROWS: usize;

    /// Runs a task with the set's features.
    fn call<T: Task>(task: &T, index: usize);

    /// `sums[r][j] = fma(rows[tap][r][first + k], panel[tap][k][j], sums[r][j])`, taps and `k` ascending.
    ///
    /// # Safety
    /// The pointers of `tile` are valid as its fields say.
    unsafe fn tile(tile: Tile);
}

pub(super) struct Portable;

impl Arch for Portable {
    const ROWS: usize = 4;

    fn call<T: Task>(task: &T, index: usize) {
        task.run::<Self>(index);
    }

    #[inline(always)]
    unsafe fn tile(tile: Tile) {
        // SAFETY: the caller's promise.
        unsafe {
            let mut panel = tile.panel.cast::<Lanes>();
            let mut sums: [Lanes; 4] =
                std::array::from_fn(|row| tile.sums.add(row * tile.stride).cast::<Lanes>().read());
            for tap in 0..tile.taps {
                let rows = slice::from_raw_parts(tile.rows.add(tap * 4), 4);
                for k in tile.first..tile.first + tile.depth {
                    let columns = panel.read();
                    panel = panel.add(1);
                    for (sum, &row) in sums.iter_mut().zip(rows) {
                        let a = row.add(k).read();
                        for j in 0..LANES {
                            sum[j] = a.mul_add(columns[j], sum[j]);
                        }
                    }
                }
            }
            for (row, sum) in sums.into_iter().enumerate() {
                tile.sums.add(row * tile.stride).cast::<Lanes>().write(sum);
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{Arch, Task, Tile};

    pub(in super::super) struct Avx2;

    impl Arch for Avx2 {
        /// Twelve accumulators, two registers of columns and one broadcast: 15 of 16 registers.
        const ROWS: usize = 6;

        fn call<T: Task>(task: &T, index: usize) {
            // SAFETY: `kernel` hands out this set only where the machine has it.
            unsafe { call_avx2(task, index) }
        }

        #[inline(always)]
        unsafe fn tile(tile: Tile) {
            // SAFETY: the caller's promise, and as in `call`.
            unsafe { tile_avx2(tile) }
        }
    }

    #[target_feature(enable = "avx2,fma")]
    fn call_avx2<T: Task>(task: &T, index: usize) {
        task.run::<Avx2>(index);
    }

    /// # Safety
    /// As [`Arch::tile`].
    #[target_feature(enable = "avx2,fma")]
    unsafe fn tile_avx2(tile: Tile) {
        // SAFETY: the caller's promise.
        unsafe {
            let mut sums = [[_mm256_setzero_ps(); 2]; 6];
            for (row, sum) in sums.iter_mut().enumerate() {
                let from = tile.sums.add(row * tile.stride);
                *sum = [_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8))];
            }
            let mut panel = tile.panel;
            for tap in 0..tile.taps {
                let rows = tile.rows.add(tap * 6).cast::<[*const f32; 6]>().read();
                let rows = rows.map(|row| row.add(tile.first));
                for k in 0..tile.depth {
                    let (low, high) = (_mm256_loadu_ps(panel), _mm256_loadu_ps(panel.add(8)));
                    panel = panel.add(16);
                    for row in 0..6 {
                        let a = _mm256_broadcast_ss(&*rows[row].add(k));
                        sums[row][0] = _mm256_fmadd_ps(a, low, sums[row][0]);
                        sums[row][1] = _mm256_fmadd_ps(a, high, sums[row][1]);
                    }
                }
            }
            for (row, sum) in sums.into_iter().enumerate() {
                let to = tile.sums.add(row * tile.stride);
                _mm256_storeu_ps(to, sum[0]);
                _mm256_storeu_ps(to.add(8), sum[1]);
            }
        }
    }

    pub(in super::super) struct Avx512;

    impl Arch for Avx512 {
        /// Twelve accumulators hide the latency of two FMA units.
        const ROWS: usize = 12;

        fn call<T: Task>(task: &T, index: usize) {
            // SAFETY: `kernel` hands out this set only where the machine has it.
            unsafe { call_avx512(task, index) }
        }

        #[inline(always)]
        unsafe fn tile(tile: Tile) {
            // SAFETY: the caller's promise, and as in `call`.
            unsafe { tile_avx512(tile) }
        }
    }

    #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
    fn call_avx512<T: Task>(task: &T, index: usize) {
        task.run::<Avx512>(index);
    }

    /// # Safety
    /// As [`Arch::tile`].
    #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
    unsafe fn tile_avx512(tile: Tile) {
        // SAFETY: the caller's promise.
        unsafe {
            let mut sums = [_mm512_setzero_ps(); 12];
            for (row, sum) in sums.iter_mut().enumerate() {
                *sum = _mm512_loadu_ps(tile.sums.add(row * tile.stride));
            }
            let mut panel = tile.panel;
            for tap in 0..tile.taps {
                let rows = tile.rows.add(tap * 12).cast::<[*const f32; 12]>().read();
                let rows = rows.map(|row| row.add(tile.first));
                for k in 0..tile.depth {
                    let columns = _mm512_loadu_ps(panel);
                    panel = panel.add(16);
                    for row in 0..12 {
                        sums[row] = _mm512_fmadd_ps(_mm512_set1_ps(*rows[row].add(k)), columns, sums[row]);
                    }
                }
            }
            for (row, sum) in sums.into_iter().enumerate() {
                _mm512_storeu_ps(tile.sums.add(row * tile.stride), sum);
            }
        }
    }
}
