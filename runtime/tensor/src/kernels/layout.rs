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

/// One row of every item.
struct TakeToken<'a> {
    x: Source<'a>,
    tokens: usize,
    channels: usize,
    index: usize,
    out: Sink<'a>,
}

impl Move for TakeToken<'_> {
    #[inline(always)]
    fn row(&self, row: usize) {
        let from = (row * self.tokens + self.index) * self.channels;
        self.out.copy(row * self.channels, self.x, from, self.channels);
    }
}

pub(super) fn take_token<A: Arch>(job: &Job<'_>) -> Result<(), EngineError> {
    let OpKind::TakeToken { index } = job.op.kind else { unreachable!("the table says so") };
    let (tokens, channels) = (job.shape(0)[1], job.channels());
    rows::<A, _>(job, channels, TakeToken { x: job.x[0], tokens, channels, index, out: job.output })
}

/// A row in front of those of every item.
struct PrependToken<'a> {
    x: Source<'a>,
    first: Source<'a>,
    /// Tokens of an item of the output.
    tokens: usize,
    channels: usize,
    out: Sink<'a>,
}

impl Move for PrependToken<'_> {
    #[inline(always)]
    fn row(&self, row: usize) {
        let (item, token) = (row / self.tokens, row % self.tokens);
        let to = row * self.channels;
        match token.checked_sub(1) {
            None => self.out.copy(to, self.first, 0, self.channels),
            Some(token) => {
                let from = (item * (self.tokens - 1) + token) * self.channels;
                self.out.copy(to, self.x, from, self.channels);
            }
        }
    }
}

pub(super) fn prepend_token<A: Arch>(job: &Job<'_>) -> Result<(), EngineError> {
    let channels = job.channels();
    let tokens = job.program.values[job.op.output].shape[1];
    let first = job.weight(job.op.weights[0]);
    rows::<A, _>(job, channels, PrependToken { x: job.x[0], first, tokens, channels, out: job.output })
}

/// The upper left part of a picture, mirrored where it goes on.
struct Reframe<'a> {
    x: Source<'a>,
    /// Input height and width.
    from: [usize; 2],
    /// Output height and width.
    to: [usize; 2],
    channels: usize,
    out: Sink<'a>,
}

impl Move for Reframe<'_> {
    #[inline(always)]
    fn row(&self, row: usize) {
        let ([h, w], [height, width]) = (self.from, self.to);
        let (line, x) = (row / width, row % width);
        let (item, y) = (line / height, line % height);
        let mirrored = |place: usize, size: usize| if place < size { place } else { 2 * (size - 1) - place };
        let from = (item * h + mirrored(y, h)) * w + mirrored(x, w);
        self.out.copy(row * self.channels, self.x, from * self.channels, self.channels);
    }
}

pub(super) fn reframe<A: Arch>(job: &Job<'_>) -> Result<(), EngineError> {
    let OpKind::Reframe { height, width } = job.op.kind else { unreachable!("the table says so") };
    let (shape, channels) = (job.shape(0), job.channels());
    let (from, to) = ([shape[1], shape[2]], [height, width]);
    rows::<A, _>(job, channels, Reframe { x: job.x[0], from, to, channels, out: job.output })
}

/// Blocks of pixels to channels.
struct Unshuffle<'a> {
    x: Source<'a>,
    factor: usize,
    /// Output height and width.
    to: [usize; 2],
    /// Channels of the input.
    channels: usize,
    out: Sink<'a>,
}

impl Move for Unshuffle<'_> {
    #[inline(always)]
    fn row(&self, row: usize) {
        let (factor, [_, width]) = (self.factor, self.to);
        let block = factor * factor;
        // Lines of the input follow each other through all items, as lines of the output do.
        let (line, x) = (row / width, row % width);
        for place in 0..block {
            let (dy, dx) = (place / factor, place % factor);
            let from = ((line * factor + dy) * width * factor + x * factor + dx) * self.channels;
            for channel in 0..self.channels {
                let to = (row * self.channels + channel) * block + place;
                self.out.set(to, self.x.get(from + channel));
            }
        }
    }
}

pub(super) fn pixel_unshuffle<A: Arch>(job: &Job<'_>) -> Result<(), EngineError> {
    let OpKind::PixelUnshuffle { factor } = job.op.kind else { unreachable!("the table says so") };
    let shape = &job.program.values[job.op.output].shape;
    let (to, channels) = ([shape[1], shape[2]], job.shape(0)[3]);
    rows::<A, _>(job, job.channels(), Unshuffle { x: job.x[0], factor, to, channels, out: job.output })
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
