//! Operations that compute each element from the elements in its place.

use floe_nets::ir::{Activation, OpKind};

use super::arch::{Arch, Task};
use super::{Job, math};
use crate::EngineError;
use crate::memory::{LANES, Lanes, Sink, Source};

/// Elements of one task.
const CHUNK: usize = 8192;

/// What happens to a vector of `x`.
trait Map: Sync {
    /// `x` is `count` elements at `column` of `row`.
    fn map(&self, row: usize, column: usize, count: usize, x: Lanes) -> Lanes;
}

/// A map over rows; the last row may be short.
struct Rows<'a, M> {
    x: Source<'a>,
    out: Sink<'a>,
    channels: usize,
    rows_per_task: usize,
    map: M,
}

impl<M: Map> Task for Rows<'_, M> {
    #[inline(always)]
    fn run<A: Arch>(&self, index: usize) {
        for row in index * self.rows_per_task..(index + 1) * self.rows_per_task {
            let start = row * self.channels;
            let end = (start + self.channels).min(self.out.len());
            let mut at = start;
            while at < end {
                let count = LANES.min(end - at);
                let y = self.map.map(row, at - start, count, self.x.load_part(at, count));
                self.out.store_part(at, y, count);
                at += LANES;
            }
        }
    }
}

/// Maps rows of `channels` elements; `cost` is nanoseconds for sixteen.
fn rows<A: Arch, M: Map>(job: &Job<'_>, channels: usize, cost: usize, map: M) -> Result<(), EngineError> {
    let len = job.output.len();
    let rows_per_task = (CHUNK / channels.max(1)).max(1);
    let task = Rows { x: job.x[0], out: job.output, channels, rows_per_task, map };
    job.for_each::<A, _>(&task, len.div_ceil((rows_per_task * channels).max(1)), len / 16 * cost);
    Ok(())
}

/// Maps elements wherever they are.
fn flat<A: Arch, M: Map>(job: &Job<'_>, cost: usize, map: M) -> Result<(), EngineError> {
    rows::<A, M>(job, 1024, cost, map)
}

struct AddBias<'a>(Source<'a>);

impl Map for AddBias<'_> {
    #[inline(always)]
    fn map(&self, _: usize, column: usize, count: usize, x: Lanes) -> Lanes {
        add_lanes(x, self.0.load_part(column, count))
    }
}

#[inline(always)]
pub(super) fn add_lanes(mut x: Lanes, y: Lanes) -> Lanes {
    for (x, y) in x.iter_mut().zip(y) {
        *x += y;
    }
    x
}

pub(super) fn add_bias<A: Arch>(job: &Job<'_>) -> Result<(), EngineError> {
    rows::<A, _>(job, job.channels(), 2, AddBias(job.weight(job.op.weights[0])))
}

struct Add<'a> {
    y: Source<'a>,
    channels: usize,
}

impl Map for Add<'_> {
    #[inline(always)]
    fn map(&self, row: usize, column: usize, count: usize, x: Lanes) -> Lanes {
        add_lanes(x, self.y.load_part(row * self.channels + column, count))
    }
}

pub(super) fn add<A: Arch>(job: &Job<'_>) -> Result<(), EngineError> {
    flat::<A, _>(job, 2, Add { y: job.x[1], channels: 1024 })
}

/// Adds row `row / repeat % rows` of a table.
struct AddTable<'a> {
    table: Source<'a>,
    channels: usize,
    repeat: usize,
    rows: usize,
}

impl Map for AddTable<'_> {
    #[inline(always)]
    fn map(&self, row: usize, column: usize, count: usize, x: Lanes) -> Lanes {
        let row = row / self.repeat % self.rows;
        add_lanes(x, self.table.load_part(row * self.channels + column, count))
    }
}

pub(super) fn add_row<A: Arch>(job: &Job<'_>) -> Result<(), EngineError> {
    let (channels, rows_of_e) = (job.channels(), job.shape(1)[0].max(1));
    let repeat = (job.output.len() / (channels * rows_of_e).max(1)).max(1);
    rows::<A, _>(job, channels, 2, AddTable { table: job.x[1], channels, repeat, rows: rows_of_e })
}

pub(super) fn add_position<A: Arch>(job: &Job<'_>) -> Result<(), EngineError> {
    let (channels, tokens) = (job.channels(), job.shape(0)[1].max(1));
    let table = job.weight(job.op.weights[0]);
    rows::<A, _>(job, channels, 2, AddTable { table, channels, repeat: 1, rows: tokens })
}

struct Activate(Activation);

impl Map for Activate {
    #[inline(always)]
    fn map(&self, _: usize, _: usize, _: usize, x: Lanes) -> Lanes {
        math::activate(self.0, x)
    }
}

pub(super) fn activate<A: Arch>(job: &Job<'_>) -> Result<(), EngineError> {
    let OpKind::Activate(activation) = job.op.kind else { unreachable!("the table says so") };
    flat::<A, _>(job, 12, Activate(activation))
}

struct Affine {
    add: f32,
    mul: f32,
    low: f32,
    high: f32,
}

impl Map for Affine {
    #[inline(always)]
    fn map(&self, _: usize, _: usize, _: usize, mut x: Lanes) -> Lanes {
        for lane in &mut x {
            let y = (*lane + self.add) * self.mul;
            let y = if y < self.low { self.low } else { y };
            *lane = if y > self.high { self.high } else { y };
        }
        x
    }
}

pub(super) fn affine<A: Arch>(job: &Job<'_>) -> Result<(), EngineError> {
    let OpKind::Affine { add, mul, clamp } = job.op.kind else { unreachable!("the table says so") };
    let (low, high) = clamp.unwrap_or((f32::NEG_INFINITY, f32::INFINITY));
    flat::<A, _>(job, 2, Affine { add, mul, low, high })
}

/// Multiplies lanes of the first channels.
struct ScaleChannels {
    channels: usize,
    factor: f32,
}

impl Map for ScaleChannels {
    #[inline(always)]
    fn map(&self, _: usize, column: usize, _: usize, x: Lanes) -> Lanes {
        scale_first(x, self.channels.saturating_sub(column), self.factor)
    }
}

/// Multiplies the first `count` lanes.
#[inline(always)]
fn scale_first(mut x: Lanes, count: usize, factor: f32) -> Lanes {
    for (lane, x) in x.iter_mut().enumerate() {
        *x *= if lane < count { factor } else { 1.0 };
    }
    x
}

pub(super) fn scale_channels<A: Arch>(job: &Job<'_>) -> Result<(), EngineError> {
    let OpKind::ScaleChannels { channels, factor } = job.op.kind else { unreachable!("the table says so") };
    rows::<A, _>(job, job.channels(), 2, ScaleChannels { channels, factor })
}

struct Geglu<'a> {
    x: Source<'a>,
    out: Sink<'a>,
    channels: usize,
    rows_per_task: usize,
}

impl Task for Geglu<'_> {
    #[inline(always)]
    fn run<A: Arch>(&self, index: usize) {
        let rows = self.out.len() / self.channels;
        for row in index * self.rows_per_task..rows.min((index + 1) * self.rows_per_task) {
            let mut at = 0;
            while at < self.channels {
                let count = LANES.min(self.channels - at);
                let mut a = self.x.load_part(2 * row * self.channels + at, count);
                let b = self.x.load_part((2 * row + 1) * self.channels + at, count);
                for (a, b) in a.iter_mut().zip(b) {
                    *a *= math::gelu(b);
                }
                self.out.store_part(row * self.channels + at, a, count);
                at += LANES;
            }
        }
    }
}

pub(super) fn geglu<A: Arch>(job: &Job<'_>) -> Result<(), EngineError> {
    let (channels, len) = (job.channels(), job.output.len());
    if len == 0 {
        return Ok(());
    }
    let rows_per_task = (CHUNK / channels).max(1);
    let task = Geglu { x: job.x[0], out: job.output, channels, rows_per_task };
    job.for_each::<A, _>(&task, len.div_ceil(rows_per_task * channels), len / 16 * 20);
    Ok(())
}
