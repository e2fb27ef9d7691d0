//! Convolutions and linear layers: one indirect matrix product.
//!
//! Rows of the left side are given by pointers, one per output pixel and kernel tap, into the channels-last input;
//! a tap outside of the picture points to a row of zeros. So there is no im2col, and a linear layer is the case of
//! one tap. The right side is packed once into panels of 16 columns. Blocks of depth are as long as a panel's part
//! of them stays in the first-level cache; partial sums wait as f32, so blocks do not show in the bits.
#![allow(unsafe_code)]

use floe_nets::ir::{Activation, OpKind, PANEL};

use super::arch::{Arch, Task, Tile};
use super::{Job, elementwise, math};
use crate::EngineError;
use crate::memory::{LANES, Lanes, Sink, Source};

/// Rows that share one pass over the panels.
const ROWS: usize = 96;

/// Pointers kept for them: nine taps fit with all rows.
const POINTERS: usize = ROWS * 16;

/// Most taps of a kernel: a tile of the widest instruction set must fit.
const TAPS: usize = POINTERS / 12;

/// Depth of a block, about: 256 times 16 columns are 16 KiB.
const DEPTH: usize = 256;

/// Tasks wanted of one product, so that threads end at about the same time.
const TASKS: usize = 32;

/// What the kernel does not take.
pub(crate) fn check(kernel: [usize; 2]) -> Result<(), String> {
    let [height, width] = kernel;
    if height * width <= TAPS {
        Ok(())
    } else {
        Err(format!("a kernel of {height}x{width} pixels is too large"))
    }
}

/// Where the rows of the left side are.
struct Pixels<'a> {
    x: Source<'a>,
    zeros: Source<'a>,
    /// Input height and width.
    from: [usize; 2],
    /// Output height and width.
    to: [usize; 2],
    kernel: [usize; 2],
    stride: usize,
    before: usize,
    /// Channels of the input.
    depth: usize,
}

struct Product<'a> {
    pixels: Pixels<'a>,
    panels: Source<'a>,
    bias: Option<Source<'a>>,
    residual: Option<Source<'a>>,
    activation: Option<Activation>,
    out: Sink<'a>,
    rows: usize,
    columns: usize,
    /// Rows of one task.
    chunk: usize,
    /// Panels of one task.
    panels_per_task: usize,
}

impl Pixels<'_> {
    /// Pointers to the rows of `count` pixels from `first` on, tile by tile, tap by tap; rows missing in the last
    /// tile are those of the first pixel.
    #[inline(always)]
    fn point(&self, tile_rows: usize, first: usize, count: usize, pointers: &mut [*const f32; POINTERS]) {
        let ([h, w], [height, width], [kernel_h, kernel_w]) = (self.from, self.to, self.kernel);
        let taps = kernel_h * kernel_w;
        for slot in 0..count.next_multiple_of(tile_rows) {
            let pixel = if slot < count { first + slot } else { first };
            let (line, x) = (pixel / width, pixel % width);
            let (item, y) = (line / height, line % height);
            let base = (slot / tile_rows) * taps * tile_rows + slot % tile_rows;
            for kernel_y in 0..kernel_h {
                for kernel_x in 0..kernel_w {
                    // Outside on the left or above wraps around to something larger than any picture.
                    let from_y = (y * self.stride + kernel_y).wrapping_sub(self.before);
                    let from_x = (x * self.stride + kernel_x).wrapping_sub(self.before);
                    let row = if from_y < h && from_x < w {
                        self.x.pointer(((item * h + from_y) * w + from_x) * self.depth, self.depth)
                    } else {
                        self.zeros.pointer(0, self.depth)
                    };
                    pointers[base + (kernel_y * kernel_w + kernel_x) * tile_rows] = row;
                }
            }
        }
    }
}

impl Product<'_> {
    /// Adds one panel's products to the sums of a chunk.
    #[inline(always)]
    fn accumulate<A: Arch>(
        &self,
        pointers: &[*const f32; POINTERS],
        tiles: usize,
        panel: usize,
        sums: &mut [Lanes; ROWS],
    ) {
        let depth = self.pixels.depth;
        let taps = self.pixels.kernel[0] * self.pixels.kernel[1];
        let taps_per_block = (DEPTH / depth).clamp(1, taps);
        let block = depth.div_ceil(depth.div_ceil(DEPTH * 3 / 2));
        let panel = self.panels.part(panel * taps * depth * PANEL, taps * depth * PANEL);
        assert!(tiles * A::ROWS <= ROWS && tiles * A::ROWS * taps <= POINTERS, "the chunk fits its tables");
        for tap in (0..taps).step_by(taps_per_block) {
            let block_taps = taps_per_block.min(taps - tap);
            for first in (0..depth).step_by(block) {
                let block_depth = block.min(depth - first);
                let part = panel.pointer((tap * depth + first) * PANEL, block_taps * block_depth * PANEL);
                for tile in 0..tiles {
                    // SAFETY: the table holds taps x A::ROWS pointers per tile, each to `depth` elements. A block
                    // has several taps only where it has their full depth, so its part of the panel is contiguous.
                    unsafe {
                        A::tile(Tile {
                            rows: pointers.as_ptr().add((tile * taps + tap) * A::ROWS),
                            taps: block_taps,
                            first,
                            depth: block_depth,
                            panel: part,
                            sums: sums.as_mut_ptr().add(tile * A::ROWS).cast(),
                            stride: LANES,
                        });
                    }
                }
            }
        }
    }

    /// Bias, residual, activation, store.
    #[inline(always)]
    fn finish(&self, row: usize, column: usize, count: usize, bias: Lanes, mut sum: Lanes) {
        let at = row * self.columns + column;
        if self.bias.is_some() {
            sum = elementwise::add_lanes(sum, bias);
        }
        if let Some(residual) = self.residual {
            sum = elementwise::add_lanes(sum, residual.load_part(at, count));
        }
        if let Some(activation) = self.activation {
            sum = math::activate(activation, sum);
        }
        self.out.store_part(at, sum, count);
    }
}

impl Task for Product<'_> {
    #[inline(always)]
    fn run<A: Arch>(&self, index: usize) {
        let panels = self.columns.div_ceil(PANEL);
        let groups = panels.div_ceil(self.panels_per_task);
        let (chunk, group) = (index / groups, index % groups);
        let first = chunk * self.chunk;
        let count = self.chunk.min(self.rows - first);
        let mut pointers = [std::ptr::null(); POINTERS];
        self.pixels.point(A::ROWS, first, count, &mut pointers);
        for panel in group * self.panels_per_task..panels.min((group + 1) * self.panels_per_task) {
            let mut sums = [[0.0; LANES]; ROWS];
            self.accumulate::<A>(&pointers, count.div_ceil(A::ROWS), panel, &mut sums);
            let column = panel * PANEL;
            let width = PANEL.min(self.columns - column);
            let bias = self.bias.map_or([0.0; LANES], |bias| bias.load_part(column, width));
            for (row, &sum) in sums[..count].iter().enumerate() {
                self.finish(first + row, column, width, bias, sum);
            }
        }
    }
}

pub(super) fn conv2d<A: Arch>(job: &Job<'_>) -> Result<(), EngineError> {
    let OpKind::Conv2d { stride, padding } = job.op.kind else { unreachable!("the table says so") };
    let weight = &job.program.weights[job.op.weights[0]].shape;
    let (from, to) = (job.shape(0), &job.program.values[job.op.output].shape);
    for at in 0..job.workspace.len() {
        job.workspace.set(at, 0.0);
    }
    product::<A>(
        job,
        Pixels {
            x: job.x[0],
            zeros: job.workspace.source(),
            from: [from[1], from[2]],
            to: [to[1], to[2]],
            kernel: [weight[2], weight[3]],
            stride,
            before: padding.before,
            depth: from[3],
        },
    )
}

pub(super) fn linear<A: Arch>(job: &Job<'_>) -> Result<(), EngineError> {
    let rows = job.output.len() / job.channels().max(1);
    let depth = job.shape(0).last().copied().unwrap_or(1);
    // A picture of one line of pixels.
    product::<A>(
        job,
        Pixels {
            x: job.x[0],
            zeros: job.x[0],
            from: [1, rows],
            to: [1, rows],
            kernel: [1, 1],
            stride: 1,
            before: 0,
            depth,
        },
    )
}

fn product<A: Arch>(job: &Job<'_>, pixels: Pixels<'_>) -> Result<(), EngineError> {
    let columns = job.channels();
    let rows = job.output.len() / columns.max(1);
    let taps = pixels.kernel[0] * pixels.kernel[1];
    let depth = taps * pixels.depth;
    if rows == 0 || columns == 0 || depth == 0 {
        return Err(job.unsupported("a product without elements"));
    }
    // Twelve rows are whole tiles of every instruction set, so the tasks are the same for all.
    let chunk = (POINTERS / taps).min(ROWS) / 12 * 12;
    let chunks = rows.div_ceil(chunk);
    let panels = columns.div_ceil(PANEL);
    let panels_per_task = panels.div_ceil(TASKS.div_ceil(chunks).min(panels));
    let epilogue = &job.op.epilogue;
    let task = Product {
        pixels,
        panels: job.weight(job.op.weights[0]),
        bias: epilogue.bias.map(|bias| job.weight(bias)),
        residual: job.residual,
        activation: epilogue.activation,
        out: job.output,
        rows,
        columns,
        chunk,
        panels_per_task,
    };
    job.for_each::<A, _>(
        &task,
        chunks * panels.div_ceil(panels_per_task),
        rows * depth * panels * PANEL / 30,
    );
    Ok(())
}
