//! Normalisations: mean, then variance around it, then the result, each in its own pass.

use floe_nets::ir::{Activation, OpKind};

use super::arch::{Arch, Task};
use super::{Job, math};
use crate::EngineError;
use crate::memory::{LANES, Lanes, Sink, Source};

/// Channels that a pass of group normalisation sums at once: two vectors, a pair of cache lines per pixel.
const WIDTH: usize = 32;

/// Pixels summed in f32 before they are added to the f64 sums.
const PIXELS: usize = 64;

struct GroupNorm<'a> {
    x: Source<'a>,
    out: Sink<'a>,
    scale: Source<'a>,
    shift: Source<'a>,
    activation: Option<Activation>,
    epsilon: f32,
    /// Pixels of an item.
    pixels: usize,
    channels: usize,
    /// Channels of a group.
    group: usize,
    /// Groups of one task: as many as reach [`WIDTH`] channels.
    groups_per_task: usize,
    tasks_per_item: usize,
}

/// A mean for every group of a task.
type PerGroup = [f64; WIDTH];

impl GroupNorm<'_> {
    /// Sums over pixels, per group of the task: of `x`, or of squared distances from `means`.
    #[inline(always)]
    fn sums<const SQUARES: bool>(&self, base: usize, first: usize, end: usize, means: &PerGroup) -> PerGroup {
        let mut sums = [0.0; WIDTH];
        let mut at = first;
        while at < end {
            let count = WIDTH.min(end - at);
            let (low, high) = (count.min(LANES), count.saturating_sub(LANES));
            let mut mean = [[0.0_f32; LANES]; 2];
            if SQUARES {
                for channel in 0..count {
                    mean[channel / LANES][channel % LANES] =
                        means[(at + channel - first) / self.group] as f32;
                }
            }
            let mut wide = [[0.0_f64; LANES]; 2];
            let mut pixel = 0;
            while pixel < self.pixels {
                let stop = self.pixels.min(pixel + PIXELS);
                let mut sum = [[0.0_f32; LANES]; 2];
                while pixel < stop {
                    let row = base + pixel * self.channels + at;
                    accumulate::<SQUARES>(&mut sum[0], self.x.load_part(row, low), mean[0]);
                    if high > 0 {
                        accumulate::<SQUARES>(&mut sum[1], self.x.load_part(row + LANES, high), mean[1]);
                    }
                    pixel += 1;
                }
                for (wide, sum) in wide.iter_mut().flatten().zip(sum.iter().flatten()) {
                    *wide += f64::from(*sum);
                }
            }
            for channel in 0..count {
                sums[(at + channel - first) / self.group] += wide[channel / LANES][channel % LANES];
            }
            at += WIDTH;
        }
        sums
    }
}

/// Adds `x`, or the square of its distance from the mean. Lanes past the end of a row are not used.
#[inline(always)]
fn accumulate<const SQUARES: bool>(sum: &mut Lanes, x: Lanes, mean: Lanes) {
    for lane in 0..LANES {
        if SQUARES {
            let distance = x[lane] - mean[lane];
            sum[lane] = distance.mul_add(distance, sum[lane]);
        } else {
            sum[lane] += x[lane];
        }
    }
}

impl Task for GroupNorm<'_> {
    #[inline(always)]
    fn run<A: Arch>(&self, index: usize) {
        let base = index / self.tasks_per_item * self.pixels * self.channels;
        let first = index % self.tasks_per_item * self.groups_per_task * self.group;
        let end = self.channels.min(first + self.groups_per_task * self.group);
        let elements = (self.pixels * self.group) as f64;
        let means = self.sums::<false>(base, first, end, &[0.0; WIDTH]).map(|sum| sum / elements);
        let squares = self.sums::<true>(base, first, end, &means);
        let factors = squares.map(|sum| 1.0 / (sum / elements + f64::from(self.epsilon)).sqrt());
        let mut at = first;
        while at < end {
            let count = LANES.min(end - at);
            let (mut mean, mut factor) = ([0.0; LANES], self.scale.load_part(at, count));
            for lane in 0..count {
                let group = (at + lane - first) / self.group;
                mean[lane] = means[group] as f32;
                factor[lane] *= factors[group] as f32;
            }
            let shift = self.shift.load_part(at, count);
            for pixel in 0..self.pixels {
                let row = base + pixel * self.channels + at;
                let y = normalise(self.x.load_part(row, count), mean, factor, shift, self.activation);
                self.out.store_part(row, y, count);
            }
            at += LANES;
        }
    }
}

#[inline(always)]
fn normalise(
    mut x: Lanes,
    mean: Lanes,
    factor: Lanes,
    shift: Lanes,
    activation: Option<Activation>,
) -> Lanes {
    for lane in 0..LANES {
        x[lane] = (x[lane] - mean[lane]).mul_add(factor[lane], shift[lane]);
    }
    match activation {
        Some(activation) => math::activate(activation, x),
        None => x,
    }
}

pub(super) fn group_norm<A: Arch>(job: &Job<'_>) -> Result<(), EngineError> {
    let OpKind::GroupNorm { groups, epsilon } = job.op.kind else { unreachable!("the table says so") };
    let channels = job.channels();
    let items = job.shape(0)[0];
    if job.output.len() == 0 {
        return Ok(());
    }
    let group = channels / groups;
    let groups_per_task = WIDTH.div_ceil(group).min(groups);
    let tasks_per_item = groups.div_ceil(groups_per_task);
    let task = GroupNorm {
        x: job.x[0],
        out: job.output,
        scale: job.weight(job.op.weights[0]),
        shift: job.weight(job.op.weights[1]),
        activation: job.op.epilogue.activation,
        epsilon,
        pixels: job.output.len() / (items * channels),
        channels,
        group,
        groups_per_task,
        tasks_per_item,
    };
    job.for_each::<A, _>(&task, items * tasks_per_item, job.output.len());
    Ok(())
}

struct LayerNorm<'a> {
    x: Source<'a>,
    out: Sink<'a>,
    scale: Source<'a>,
    shift: Source<'a>,
    activation: Option<Activation>,
    epsilon: f32,
    channels: usize,
    rows_per_task: usize,
}

impl LayerNorm<'_> {
    #[inline(always)]
    fn row(&self, start: usize) {
        let channels = self.channels;
        let mut sums = [0.0; LANES];
        let mut at = 0;
        while at < channels {
            accumulate::<false>(
                &mut sums,
                self.x.load_part(start + at, LANES.min(channels - at)),
                [0.0; LANES],
            );
            at += LANES;
        }
        let mean = math::sum(sums) / channels as f32;
        let mut squares = [0.0; LANES];
        let mut at = 0;
        while at < channels {
            let count = LANES.min(channels - at);
            let mut x = self.x.load_part(start + at, count);
            // Lanes that are not there are no distance from the mean.
            for lane in x.iter_mut().skip(count) {
                *lane = mean;
            }
            accumulate::<true>(&mut squares, x, [mean; LANES]);
            at += LANES;
        }
        let factor = 1.0 / (math::sum(squares) / channels as f32 + self.epsilon).sqrt();
        let mut at = 0;
        while at < channels {
            let count = LANES.min(channels - at);
            let scale = self.scale.load_part(at, count).map(|scale| scale * factor);
            let shift = self.shift.load_part(at, count);
            let x = self.x.load_part(start + at, count);
            self.out.store_part(
                start + at,
                normalise(x, [mean; LANES], scale, shift, self.activation),
                count,
            );
            at += LANES;
        }
    }
}

impl Task for LayerNorm<'_> {
    #[inline(always)]
    fn run<A: Arch>(&self, index: usize) {
        let rows = self.out.len() / self.channels;
        for row in index * self.rows_per_task..rows.min((index + 1) * self.rows_per_task) {
            self.row(row * self.channels);
        }
    }
}

pub(super) fn layer_norm<A: Arch>(job: &Job<'_>) -> Result<(), EngineError> {
    let OpKind::LayerNorm { epsilon } = job.op.kind else { unreachable!("the table says so") };
    let channels = job.channels();
    let len = job.output.len();
    if len == 0 {
        return Ok(());
    }
    let rows_per_task = (8192 / channels).max(1);
    let task = LayerNorm {
        x: job.x[0],
        out: job.output,
        scale: job.weight(job.op.weights[0]),
        shift: job.weight(job.op.weights[1]),
        activation: job.op.epilogue.activation,
        epsilon,
        channels,
        rows_per_task,
    };
    job.for_each::<A, _>(&task, len.div_ceil(rows_per_task * channels), len / 2);
    Ok(())
}
