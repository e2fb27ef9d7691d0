//! Operations that only move elements.

use floe_nets::ir::OpKind;

use super::Job;
use super::arch::{Arch, Task};
use crate::EngineError;
use crate::memory::{Sink, Source};

/// Elements of one task.
const CHUNK: usize = 16_384;

/// Moves one row; `row` counts rows of the output.
trait Move: Sync {
    fn row(&self, row: usize);
}

struct Rows<M> {
    rows: usize,
    rows_per_task: usize,
    mover: M,
}

impl<M: Move> Task for Rows<M> {
    #[inline(always)]
    fn run<A: Arch>(&self, index: usize) {
        for row in index * self.rows_per_task..self.rows.min((index + 1) * self.rows_per_task) {
            self.mover.row(row);
        }
    }
}

/// Moves rows of `channels` elements.
fn rows<A: Arch, M: Move>(job: &Job<'_>, channels: usize, mover: M) -> Result<(), EngineError> {
    let rows = job.output.len() / channels.max(1);
    let rows_per_task = (CHUNK / channels.max(1)).max(1);
    let tasks = rows.div_ceil(rows_per_task);
    job.for_each::<A, _>(&Rows { rows, rows_per_task, mover }, tasks, job.output.len() / 8);
    Ok(())
}

struct Concat<'a> {
    x: [Source<'a>; 2],
    channels: [usize; 2],
    out: Sink<'a>,
}

impl Move for Concat<'_> {
    #[inline(always)]
    fn row(&self, row: usize) {
        let [first, second] = self.channels;
        let at = row * (first + second);
        self.out.copy(at, self.x[0], row * first, first);
        self.out.copy(at + first, self.x[1], row * second, second);
    }
}

pub(super) fn concat<A: Arch>(job: &Job<'_>) -> Result<(), EngineError> {
    let channels = [0, 1].map(|input| job.shape(input).last().copied().unwrap_or(1));
    let mover = Concat { x: [job.x[0], job.x[1]], channels, out: job.output };
    rows::<A, _>(job, job.channels(), mover)
}

struct Narrow<'a> {
    x: Source<'a>,
    channels: usize,
    start: usize,
    out: Sink<'a>,
    kept: usize,
}

impl Move for Narrow<'_> {
    #[inline(always)]
    fn row(&self, row: usize) {
        self.out.copy(row * self.kept, self.x, row * self.channels + self.start, self.kept);
    }
}

pub(super) fn narrow<A: Arch>(job: &Job<'_>) -> Result<(), EngineError> {
    let OpKind::Narrow { start, channels: kept } = job.op.kind else { unreachable!("the table says so") };
    let channels = job.shape(0).last().copied().unwrap_or(1);
    rows::<A, _>(job, kept, Narrow { x: job.x[0], channels, start, out: job.output, kept })
}

struct Upsample<'a> {
    x: Source<'a>,
    /// Input height and width.
    from: [usize; 2],
    /// Output height and width.
    to: [usize; 2],
    channels: usize,
    out: Sink<'a>,
}

impl Move for Upsample<'_> {
    #[inline(always)]
    fn row(&self, row: usize) {
        let ([h, w], [height, width]) = (self.from, self.to);
        let (line, x) = (row / width, row % width);
        let (item, y) = (line / height, line % height);
        let from = (item * h + y * h / height) * w + x * w / width;
        self.out.copy(row * self.channels, self.x, from * self.channels, self.channels);
    }
}

pub(super) fn upsample_nearest<A: Arch>(job: &Job<'_>) -> Result<(), EngineError> {
    let OpKind::UpsampleNearest { height, width } = job.op.kind else { unreachable!("the table says so") };
    let (shape, channels) = (job.shape(0), job.channels());
    let from = [shape[1], shape[2]];
    rows::<A, _>(
        job,
        channels,
        Upsample { x: job.x[0], from, to: [height, width], channels, out: job.output },
    )
}

/// Per item, `[rows, columns]` to `[columns, rows]`.
struct Transpose<'a> {
    x: Source<'a>,
    out: Sink<'a>,
    rows: usize,
    columns: usize,
    /// Input rows of one task, whose tasks are (item, rows).
    rows_per_task: usize,
}

impl Task for Transpose<'_> {
    #[inline(always)]
    fn run<A: Arch>(&self, index: usize) {
        let blocks = self.rows.div_ceil(self.rows_per_task);
        let (item, block) = (index / blocks, index % blocks);
        let base = item * self.rows * self.columns;
        for row in block * self.rows_per_task..self.rows.min((block + 1) * self.rows_per_task) {
            for column in 0..self.columns {
                self.out.set(base + column * self.rows + row, self.x.get(base + row * self.columns + column));
            }
        }
    }
}

fn transpose<A: Arch>(job: &Job<'_>, rows: usize, columns: usize) -> Result<(), EngineError> {
    let len = job.output.len();
    if len == 0 {
        return Ok(());
    }
    let rows_per_task = (CHUNK / columns).max(1);
    let task = Transpose { x: job.x[0], out: job.output, rows, columns, rows_per_task };
    let tasks = len / (rows * columns) * rows.div_ceil(rows_per_task);
    job.for_each::<A, _>(&task, tasks, len);
    Ok(())
}

pub(super) fn nchw_to_nhwc<A: Arch>(job: &Job<'_>) -> Result<(), EngineError> {
    let shape = job.shape(0);
    transpose::<A>(job, shape[1], shape[2] * shape[3])
}

pub(super) fn nhwc_to_nchw<A: Arch>(job: &Job<'_>) -> Result<(), EngineError> {
    let shape = job.shape(0);
    transpose::<A>(job, shape[1] * shape[2], shape[3])
}
