//! FreeU's scalings (Si et al. 2023): of a skip's lowest frequencies, and of channels by their mean.

use floe_nets::ir::OpKind;

use super::arch::{Arch, Task};
use super::{Job, math};
use crate::EngineError;
use crate::memory::{LANES, Lanes, Sink, Source};

/// Scales the lowest frequencies of sixteen channels of an item: `x + (factor - 1) low(x)`, where `low` keeps the
/// frequencies 0 and -1 in both directions, and of what they give the real part.
struct ScaleLowest<'a> {
    x: Source<'a>,
    out: Sink<'a>,
    /// A phase for each row, then for each column.
    table: Source<'a>,
    height: usize,
    width: usize,
    channels: usize,
    factor: f32,
}

/// The phase of frequency -1 at a row, or at column `place - height`, as cosine and sine; nothing in a direction of one
/// pixel, which has no such frequency.
fn phase(height: usize, width: usize, place: usize) -> [f32; 2] {
    let (place, size) = if place < height { (place, height) } else { (place - height, width) };
    let angle = 2.0 * std::f64::consts::PI * place as f64 / size as f64;
    let (sin, cos) = math::sin_cos(angle as f32);
    if size > 1 { [cos, sin] } else { [0.0, 0.0] }
}

/// Phases of all four frequencies at a pixel of a row's and a column's phase.
#[inline(always)]
fn phases([a, b]: [f32; 2], [c, d]: [f32; 2]) -> [[f32; 2]; 4] {
    [[1.0, 0.0], [a, b], [c, d], [a.mul_add(c, -(b * d)), a.mul_add(d, b * c)]]
}

/// The same for every pixel: `[height * width, 8]`.
#[cfg(feature = "burn")]
pub(crate) fn lowest_phases(height: usize, width: usize) -> Vec<f32> {
    let at = |place: usize| phase(height, width, place);
    let pixels = (0..height * width).map(|pixel| phases(at(pixel / width), at(height + pixel % width)));
    pixels.flatten().flatten().collect()
}

impl ScaleLowest<'_> {
    #[inline(always)]
    fn phases(&self, pixel: usize) -> [[f32; 2]; 4] {
        let at = |place: usize| [self.table.get(2 * place), self.table.get(2 * place + 1)];
        phases(at(pixel / self.width), at(self.height + pixel % self.width))
    }
}

impl Task for ScaleLowest<'_> {
    #[inline(always)]
    fn run<A: Arch>(&self, index: usize) {
        let blocks = self.channels.div_ceil(LANES);
        let (item, block) = (index / blocks, index % blocks);
        let (first, pixels) = (block * LANES, self.height * self.width);
        let count = LANES.min(self.channels - first);
        let at = |pixel: usize| (item * pixels + pixel) * self.channels + first;
        // Real and imaginary parts of the coefficients.
        let mut sums: [[Lanes; 2]; 4] = [[[0.0; LANES]; 2]; 4];
        for pixel in 0..pixels {
            let x = self.x.load_part(at(pixel), count);
            for (sum, phase) in sums.iter_mut().zip(self.phases(pixel)) {
                for (sum, phase) in sum.iter_mut().zip(phase) {
                    for lane in 0..LANES {
                        sum[lane] = x[lane].mul_add(phase, sum[lane]);
                    }
                }
            }
        }
        let weight = (self.factor - 1.0) / pixels as f32;
        for pixel in 0..pixels {
            let mut low: Lanes = [0.0; LANES];
            for (sum, [cos, sin]) in sums.iter().zip(self.phases(pixel)) {
                for lane in 0..LANES {
                    low[lane] = sum[0][lane].mul_add(cos, sum[1][lane].mul_add(sin, low[lane]));
                }
            }
            let mut x = self.x.load_part(at(pixel), count);
            for lane in 0..LANES {
                x[lane] = low[lane].mul_add(weight, x[lane]);
            }
            self.out.store_part(at(pixel), x, count);
        }
    }
}

pub(super) fn scale_lowest<A: Arch>(job: &Job<'_>) -> Result<(), EngineError> {
    let OpKind::ScaleLowest { factor } = job.op.kind else { unreachable!("the table says so") };
    let &[items, height, width, channels] = job.shape(0) else { unreachable!("the program is verified") };
    for place in 0..height + width {
        let [cos, sin] = phase(height, width, place);
        job.workspace.set(2 * place, cos);
        job.workspace.set(2 * place + 1, sin);
    }
    let (x, out, table) = (job.x[0], job.output, job.workspace.source());
    let task = ScaleLowest { x, out, table, height, width, channels, factor };
    job.for_each::<A, _>(&task, items * channels.div_ceil(LANES), 4 * job.output.len());
    Ok(())
}

/// Scales the first channels of each pixel by how its mean lies among those of its item. A task is an item.
struct ScaleByMean<'a> {
    x: Source<'a>,
    out: Sink<'a>,
    means: Sink<'a>,
    pixels: usize,
    channels: usize,
    scaled: usize,
    factor: f32,
}

impl ScaleByMean<'_> {
    #[inline(always)]
    fn mean(&self, start: usize) -> f32 {
        let mut sums = [0.0; LANES];
        for at in (0..self.channels).step_by(LANES) {
            let x = self.x.load_part(start + at, LANES.min(self.channels - at));
            for lane in 0..LANES {
                sums[lane] += x[lane];
            }
        }
        math::sum(sums) / self.channels as f32
    }
}

impl Task for ScaleByMean<'_> {
    #[inline(always)]
    fn run<A: Arch>(&self, item: usize) {
        let rows = item * self.pixels..(item + 1) * self.pixels;
        let (mut least, mut most) = (f32::INFINITY, f32::NEG_INFINITY);
        for row in rows.clone() {
            let mean = self.mean(row * self.channels);
            self.means.set(row, mean);
            least = -math::larger(-mean, -least);
            most = math::larger(mean, most);
        }
        for row in rows {
            let place = (self.means.source().get(row) - least) / (most - least);
            let factor = place.mul_add(self.factor - 1.0, 1.0);
            for at in (0..self.channels).step_by(LANES) {
                let (start, count) = (row * self.channels + at, LANES.min(self.channels - at));
                let mut x = self.x.load_part(start, count);
                for (lane, x) in x.iter_mut().enumerate() {
                    *x *= if at + lane < self.scaled { factor } else { 1.0 };
                }
                self.out.store_part(start, x, count);
            }
        }
    }
}

pub(super) fn scale_by_mean<A: Arch>(job: &Job<'_>) -> Result<(), EngineError> {
    let OpKind::ScaleByMean { channels: scaled, factor } = job.op.kind else {
        unreachable!("the table says so")
    };
    let (channels, items) = (job.channels(), job.shape(0)[0]);
    let pixels = job.output.len() / (items * channels);
    let (x, out, means) = (job.x[0], job.output, job.workspace);
    let task = ScaleByMean { x, out, means, pixels, channels, scaled, factor };
    job.for_each::<A, _>(&task, items, job.output.len() / 4);
    Ok(())
}
