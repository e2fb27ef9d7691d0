//! Pictures at other sizes. Each output pixel is a weighted sum of input pixels, in the order of their rows and columns.

use floe_nets::ir::{OpKind, Resample};

use super::Job;
use super::arch::{Arch, Task};
use crate::EngineError;
use crate::memory::{LANES, Sink, Source};

/// Elements of one task.
const CHUNK: usize = 16_384;

/// Pixels that cubic convolution reads in each direction.
const CUBIC: usize = 4;

/// Input pixels of one output pixel in one direction: their positions from the first on, and their weights.
#[derive(Clone, Copy)]
enum Taps {
    /// At most four pixels of their own weights; positions may repeat at borders.
    Few([(usize, f32); CUBIC]),
    /// Pixels `first..end`, each with the same weight.
    Mean(usize, usize),
}

impl Taps {
    fn new(method: Resample, to: usize, from_size: usize, to_size: usize) -> Taps {
        let last = from_size - 1;
        match method {
            Resample::NearestExact => {
                let from = ((2 * to + 1) * from_size / (2 * to_size)).min(last);
                Taps::Mean(from, from + 1)
            }
            Resample::Area => Taps::Mean(to * from_size / to_size, ((to + 1) * from_size).div_ceil(to_size)),
            Resample::Bilinear => {
                let centre = centre(to, from_size, to_size).max(0.0);
                let first = (centre as usize).min(last);
                let weight = centre - first as f32;
                let second = (first + 1).min(last);
                Taps::Few([(first, 1.0 - weight), (second, weight), (last, 0.0), (last, 0.0)])
            }
            Resample::Bicubic => {
                let centre = centre(to, from_size, to_size);
                let floor = centre.floor();
                let weights = cubic(centre - floor);
                let mut taps = [(0, 0.0); CUBIC];
                for (index, (tap, weight)) in taps.iter_mut().zip(weights).enumerate() {
                    let position = (floor as isize + index as isize - 1).clamp(0, last as isize);
                    *tap = (position as usize, weight);
                }
                Taps::Few(taps)
            }
        }
    }

    /// Calls `each` with every position and weight; means have the weight one.
    #[inline(always)]
    fn each(self, mut each: impl FnMut(usize, f32)) {
        match self {
            Taps::Few(taps) => {
                for (position, weight) in taps {
                    if weight != 0.0 {
                        each(position, weight);
                    }
                }
            }
            Taps::Mean(first, end) => (first..end).for_each(|position| each(position, 1.0)),
        }
    }

    /// What a sum over these pixels is divided by.
    fn divisor(self) -> f32 {
        match self {
            Taps::Few(_) => 1.0,
            Taps::Mean(first, end) => (end - first) as f32,
        }
    }
}

/// Where the centre of an output pixel lies among the input's.
fn centre(to: usize, from_size: usize, to_size: usize) -> f32 {
    let scale = from_size as f32 / to_size as f32;
    scale * (to as f32 + 0.5) - 0.5
}

/// Weights of four pixels for a centre `t` behind the second (Keys 1981).
fn cubic(t: f32) -> [f32; CUBIC] {
    const A: f32 = -0.75;
    let near = |x: f32| ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0;
    let far = |x: f32| ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A;
    [far(t + 1.0), near(t), near(1.0 - t), far(2.0 - t)]
}

/// Weights of all input pixels of one direction, by output pixel: `[to_size, from_size]`.
#[cfg(feature = "burn")]
pub(crate) fn resize_matrix(method: Resample, from_size: usize, to_size: usize) -> Vec<f32> {
    let mut matrix = vec![0.0; to_size * from_size];
    for (to, row) in matrix.chunks_mut(from_size).enumerate() {
        let taps = Taps::new(method, to, from_size, to_size);
        taps.each(|position, weight| row[position] += weight / taps.divisor());
    }
    matrix
}

struct Resize<'a> {
    x: Source<'a>,
    out: Sink<'a>,
    method: Resample,
    /// Input height and width.
    from: [usize; 2],
    /// Output height and width.
    to: [usize; 2],
    channels: usize,
    pixels: usize,
    pixels_per_task: usize,
}

impl Task for Resize<'_> {
    #[inline(always)]
    fn run<A: Arch>(&self, index: usize) {
        let ([h, w], [height, width]) = (self.from, self.to);
        for pixel in index * self.pixels_per_task..self.pixels.min((index + 1) * self.pixels_per_task) {
            let (line, x) = (pixel / width, pixel % width);
            let (item, y) = (line / height, line % height);
            let rows = Taps::new(self.method, y, h, height);
            let columns = Taps::new(self.method, x, w, width);
            let divisor = rows.divisor() * columns.divisor();
            for at in (0..self.channels).step_by(LANES) {
                let count = LANES.min(self.channels - at);
                let mut sum = [0.0; LANES];
                rows.each(|y, row_weight| {
                    let mut row = [0.0; LANES];
                    columns.each(|x, weight| {
                        let from = ((item * h + y) * w + x) * self.channels + at;
                        let x = self.x.load_part(from, count);
                        for lane in 0..LANES {
                            row[lane] = x[lane].mul_add(weight, row[lane]);
                        }
                    });
                    for lane in 0..LANES {
                        sum[lane] = row[lane].mul_add(row_weight, sum[lane]);
                    }
                });
                self.out.store_part(pixel * self.channels + at, sum.map(|sum| sum / divisor), count);
            }
        }
    }
}

pub(super) fn resize<A: Arch>(job: &Job<'_>) -> Result<(), EngineError> {
    let OpKind::Resize { method, height, width } = job.op.kind else { unreachable!("the table says so") };
    let (shape, channels) = (job.shape(0), job.channels());
    let pixels = job.output.len() / channels.max(1);
    let pixels_per_task = (CHUNK / channels.max(1)).max(1);
    let task = Resize {
        x: job.x[0],
        out: job.output,
        method,
        from: [shape[1], shape[2]],
        to: [height, width],
        channels,
        pixels,
        pixels_per_task,
    };
    job.for_each::<A, _>(&task, pixels.div_ceil(pixels_per_task), 4 * job.output.len());
    Ok(())
}

struct MeanPool<'a> {
    x: Source<'a>,
    out: Sink<'a>,
    padding: [usize; 2],
    /// Input height and width.
    from: [usize; 2],
    /// Output height and width.
    to: [usize; 2],
    channels: usize,
    pixels: usize,
    pixels_per_task: usize,
}

impl Task for MeanPool<'_> {
    #[inline(always)]
    fn run<A: Arch>(&self, index: usize) {
        let ([h, w], [height, width], [above, left]) = (self.from, self.to, self.padding);
        for pixel in index * self.pixels_per_task..self.pixels.min((index + 1) * self.pixels_per_task) {
            let (line, x) = (pixel / width, pixel % width);
            let (item, y) = (line / height, line % height);
            for at in (0..self.channels).step_by(LANES) {
                let count = LANES.min(self.channels - at);
                let mut sum = [0.0; LANES];
                for place in 0..4 {
                    // Outside above or on the left wraps around to something larger than any picture.
                    let from_y = (2 * y + place / 2).wrapping_sub(above);
                    let from_x = (2 * x + place % 2).wrapping_sub(left);
                    if from_y < h && from_x < w {
                        let from = ((item * h + from_y) * w + from_x) * self.channels + at;
                        let x = self.x.load_part(from, count);
                        for lane in 0..LANES {
                            sum[lane] += x[lane];
                        }
                    }
                }
                self.out.store_part(pixel * self.channels + at, sum.map(|sum| sum * 0.25), count);
            }
        }
    }
}

pub(super) fn mean_pool<A: Arch>(job: &Job<'_>) -> Result<(), EngineError> {
    let OpKind::MeanPool { padding } = job.op.kind else { unreachable!("the table says so") };
    let (shape, channels) = (job.shape(0), job.channels());
    let to = &job.program.values[job.op.output].shape;
    let pixels = job.output.len() / channels.max(1);
    let pixels_per_task = (CHUNK / channels.max(1)).max(1);
    let task = MeanPool {
        x: job.x[0],
        out: job.output,
        padding,
        from: [shape[1], shape[2]],
        to: [to[1], to[2]],
        channels,
        pixels,
        pixels_per_task,
    };
    job.for_each::<A, _>(&task, pixels.div_ceil(pixels_per_task), job.output.len());
    Ok(())
}
