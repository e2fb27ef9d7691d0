//! Attention with a running softmax (Milakov and Gimelshein 2018; Dao et al. 2022): scores of a few queries and a
//! block of keys at a time, never the whole matrix. Blocks have fixed sizes and start at the first key, so a query's
//! result depends on its own numbers only.
#![allow(unsafe_code)]

use floe_nets::ir::{OpKind, PANEL};

use super::arch::{Arch, Task, Tile};
use super::{Job, math};
use crate::EngineError;
use crate::memory::{LANES, Lanes, Sink, Source};

/// Queries of one task: whole tiles of every instruction set.
const QUERIES: usize = 24;

/// Keys of one block.
const KEYS: usize = 256;

/// Tokens of one packing task.
const PACKED: usize = 64;

struct Attention<'a> {
    q: Source<'a>,
    k: Source<'a>,
    v: Source<'a>,
    out: Sink<'a>,
    packed: Sink<'a>,
    heads: usize,
    /// Channels of a head.
    depth: usize,
    /// Queries of an item.
    queries: usize,
    /// Keys of an item.
    tokens: usize,
    scale: f32,
    causal: bool,
}

impl<'a> Attention<'a> {
    /// Channels of all heads: elements from one token to the next.
    #[inline(always)]
    fn channels(&self) -> usize {
        self.heads * self.depth
    }

    /// The packed keys and values of a head: panels of 16 keys, then panels of 16 channels of values.
    #[inline(always)]
    fn panels(&self, head: usize) -> [Sink<'a>; 2] {
        let keys = self.tokens.next_multiple_of(PANEL) * self.depth;
        let values = self.depth.next_multiple_of(PANEL) * self.tokens;
        let start = head * (keys + values);
        [self.packed.part(start, keys), self.packed.part(start + keys, values)]
    }
}

/// The first half: keys and values into panels. A task is (item and head, tokens).
struct Pack<'a>(Attention<'a>);

impl Task for Pack<'_> {
    #[inline(always)]
    fn run<A: Arch>(&self, index: usize) {
        let Attention { heads, depth, tokens, .. } = self.0;
        let blocks = tokens.div_ceil(PACKED);
        let (head, block) = (index / blocks, index % blocks);
        let [keys, values] = self.0.panels(head);
        let channels = self.0.channels();
        let base = head / heads * tokens * channels + head % heads * depth;
        let (first, end) = (block * PACKED, tokens.min((block + 1) * PACKED));
        for token in (first..end).step_by(PANEL) {
            let count = PANEL.min(end - token);
            let mut channel = 0;
            while channel < depth {
                let width = LANES.min(depth - channel);
                let mut rows = [[0.0; LANES]; PANEL];
                for (key, row) in rows[..count].iter_mut().enumerate() {
                    *row = self.0.k.load_part(base + (token + key) * channels + channel, width);
                }
                for lane in 0..width {
                    let column = rows.map(|row| row[lane]);
                    keys.store((token / PANEL * depth + channel + lane) * PANEL, column);
                }
                channel += LANES;
            }
        }
        for token in first..end {
            let mut channel = 0;
            while channel < depth {
                let width = LANES.min(depth - channel);
                let row = self.0.v.load_part(base + token * channels + channel, width);
                values.store((channel / PANEL * tokens + token) * PANEL, row);
                channel += LANES;
            }
        }
    }
}

/// The second half. A task is (item and head, queries).
struct Mix<'a>(Attention<'a>);

type Scores = [[f32; KEYS]; QUERIES];

impl Mix<'_> {
    /// Products of the queries and a block of keys.
    #[inline(always)]
    fn score<A: Arch>(
        &self,
        rows: &[*const f32; QUERIES],
        keys: Source<'_>,
        first: usize,
        count: usize,
        scores: &mut Scores,
    ) {
        let depth = self.0.depth;
        for panel in 0..count.div_ceil(PANEL) {
            let panel_start = keys.pointer((first + panel * PANEL) * depth, depth * PANEL);
            for tile in (0..QUERIES).step_by(A::ROWS) {
                // SAFETY: every row points to `depth` elements; the scores have whole panels of columns.
                unsafe {
                    A::tile(Tile {
                        rows: rows.as_ptr().add(tile),
                        taps: 1,
                        first: 0,
                        depth,
                        panel: panel_start,
                        sums: scores.as_mut_ptr().add(tile).cast::<f32>().add(panel * PANEL),
                        stride: KEYS,
                    });
                }
            }
        }
    }

    /// Turns one query's scores into weights relative to the largest so far; returns by what the sums so far
    /// shrink. `visible` keys of the block exist and may be seen.
    #[inline(always)]
    fn weigh(&self, scores: &mut [f32; KEYS], visible: usize, largest: &mut f32, total: &mut f32) -> f32 {
        let (vectors, _) = scores.as_chunks_mut::<LANES>();
        let mut most = [f32::NEG_INFINITY; LANES];
        for (index, vector) in vectors.iter_mut().enumerate() {
            let count = visible.saturating_sub(index * LANES).min(LANES);
            for lane in vector.iter_mut() {
                *lane *= self.0.scale;
            }
            if count < LANES {
                for lane in &mut vector[count..] {
                    *lane = f32::NEG_INFINITY;
                }
            }
            for lane in 0..LANES {
                most[lane] = math::larger(vector[lane], most[lane]);
            }
        }
        let new = math::larger(math::max(most), *largest);
        let shrink = math::exp(*largest - new);
        let mut sums = [0.0; LANES];
        for vector in vectors.iter_mut() {
            for lane in 0..LANES {
                vector[lane] = math::exp(vector[lane] - new);
                sums[lane] += vector[lane];
            }
        }
        *largest = new;
        *total = total.mul_add(shrink, math::sum(sums));
        shrink
    }

    /// Adds weighted values to the output.
    #[inline(always)]
    fn mix<A: Arch>(&self, block: Block, values: Source<'_>, scores: &Scores, shrink: &[f32; QUERIES]) {
        let (depth, channels, tokens) = (self.0.depth, self.0.channels(), self.0.tokens);
        let rows: [*const f32; QUERIES] = std::array::from_fn(|row| scores[row].as_ptr());
        for column in (0..depth).step_by(PANEL) {
            let width = PANEL.min(depth - column);
            let panel = values.pointer((column / PANEL * tokens + block.key) * PANEL, block.keys * PANEL);
            for tile in (0..block.queries).step_by(A::ROWS) {
                let count = A::ROWS.min(block.queries - tile);
                let mut sums: [Lanes; QUERIES] = [[0.0; LANES]; QUERIES];
                if block.key > 0 {
                    for row in 0..count {
                        let at = block.out + (tile + row) * channels + column;
                        sums[row] = self.0.out.source().load_part(at, width);
                        for lane in &mut sums[row] {
                            *lane *= shrink[tile + row];
                        }
                    }
                }
                // SAFETY: every row has KEYS >= block.keys scores; there are at least A::ROWS rows of sums.
                unsafe {
                    A::tile(Tile {
                        rows: rows.as_ptr().add(tile),
                        taps: 1,
                        first: 0,
                        depth: block.keys,
                        panel,
                        sums: sums.as_mut_ptr().cast(),
                        stride: LANES,
                    });
                }
                for (row, &sum) in sums[..count].iter().enumerate() {
                    self.0.out.store_part(block.out + (tile + row) * channels + column, sum, width);
                }
            }
        }
    }
}

/// Some queries and some keys.
#[derive(Clone, Copy)]
struct Block {
    /// First element of the output.
    out: usize,
    queries: usize,
    /// First key.
    key: usize,
    keys: usize,
}

impl Task for Mix<'_> {
    #[inline(always)]
    fn run<A: Arch>(&self, index: usize) {
        let Attention { heads, depth, tokens, queries, .. } = self.0;
        let blocks = queries.div_ceil(QUERIES);
        let (head, block) = (index / blocks, index % blocks);
        let first = block * QUERIES;
        let count = QUERIES.min(queries - first);
        let [keys, values] = self.0.panels(head).map(Sink::source);
        let channels = self.0.channels();
        let base = (head / heads * queries + first) * channels + head % heads * depth;
        let rows: [*const f32; QUERIES] = std::array::from_fn(|row| {
            let row = if row < count { row } else { 0 };
            self.0.q.pointer(base + row * channels, depth)
        });
        let mut largest = [f32::NEG_INFINITY; QUERIES];
        let mut total = [0.0; QUERIES];
        for key in (0..tokens).step_by(KEYS) {
            let block = Block { out: base, queries: count, key, keys: KEYS.min(tokens - key) };
            let mut scores: Scores = [[0.0; KEYS]; QUERIES];
            self.score::<A>(&rows, keys, key, block.keys, &mut scores);
            let mut shrink = [0.0; QUERIES];
            for row in 0..count {
                let seen = if self.0.causal { (first + row + 1).saturating_sub(key) } else { block.keys };
                let visible = seen.min(block.keys);
                shrink[row] = self.weigh(&mut scores[row], visible, &mut largest[row], &mut total[row]);
            }
            self.mix::<A>(block, values, &scores, &shrink);
        }
        for (row, &total) in total[..count].iter().enumerate() {
            for column in (0..depth).step_by(LANES) {
                let (at, width) = (base + row * channels + column, LANES.min(depth - column));
                let mut sum = self.0.out.source().load_part(at, width);
                for lane in &mut sum {
                    *lane /= total;
                }
                self.0.out.store_part(at, sum, width);
            }
        }
    }
}

/// How much attention keys get: two passes over the scores, the first for the largest and the total of each query.
struct Received<'a> {
    q: Source<'a>,
    k: Source<'a>,
    out: Sink<'a>,
    /// Per item, head and query: the largest score, then the total relative to it.
    totals: Sink<'a>,
    heads: usize,
    /// Channels of a head.
    depth: usize,
    queries: usize,
    keys: usize,
    scale: f32,
}

impl Received<'_> {
    #[inline(always)]
    fn score(&self, item: usize, head: usize, query: usize, key: usize) -> f32 {
        let channels = self.heads * self.depth;
        let q = (item * self.queries + query) * channels + head * self.depth;
        let k = (item * self.keys + key) * channels + head * self.depth;
        let mut sums = [0.0; LANES];
        for at in (0..self.depth).step_by(LANES) {
            let count = LANES.min(self.depth - at);
            let (q, k) = (self.q.load_part(q + at, count), self.k.load_part(k + at, count));
            for lane in 0..LANES {
                sums[lane] = q[lane].mul_add(k[lane], sums[lane]);
            }
        }
        math::sum(sums) * self.scale
    }
}

/// The first pass. A task is an item, a head and a query.
struct Totals<'a>(Received<'a>);

impl Task for Totals<'_> {
    #[inline(always)]
    fn run<A: Arch>(&self, index: usize) {
        let Received { heads, queries, keys, .. } = self.0;
        let (item, head, query) = (index / (heads * queries), index / queries % heads, index % queries);
        let (mut largest, mut total) = (f32::NEG_INFINITY, 0.0_f32);
        for key in 0..keys {
            let score = self.0.score(item, head, query, key);
            let new = math::larger(score, largest);
            total = total.mul_add(math::exp(largest - new), math::exp(score - new));
            largest = new;
        }
        self.0.totals.set(2 * index, largest);
        self.0.totals.set(2 * index + 1, total);
    }
}

/// The second pass. A task is an item and a key.
struct Sums<'a>(Received<'a>);

impl Task for Sums<'_> {
    #[inline(always)]
    fn run<A: Arch>(&self, index: usize) {
        let Received { heads, queries, keys, totals, .. } = self.0;
        let (item, key) = (index / keys, index % keys);
        let mut sum = 0.0;
        for query in 0..queries {
            let mut of_heads = 0.0;
            for head in 0..heads {
                let at = 2 * ((item * heads + head) * queries + query);
                let score = self.0.score(item, head, query, key);
                of_heads += math::exp(score - totals.source().get(at)) / totals.source().get(at + 1);
            }
            sum += of_heads / heads as f32;
        }
        self.0.out.set(index, sum);
    }
}

pub(super) fn attention_received<A: Arch>(job: &Job<'_>) -> Result<(), EngineError> {
    let OpKind::AttentionReceived { heads, scale } = job.op.kind else { unreachable!("the table says so") };
    let (channels, items) = (job.shape(0).last().copied().unwrap_or(1), job.shape(0)[0]);
    let (queries, keys) = (job.x[0].len() / (items * channels), job.x[1].len() / (items * channels));
    let body = || Received {
        q: job.x[0],
        k: job.x[1],
        out: job.output,
        totals: job.workspace,
        heads,
        depth: channels / heads,
        queries,
        keys,
        scale,
    };
    let nanoseconds = items * queries * keys * (channels / 8 + 20 * heads);
    job.for_each::<A, _>(&Totals(body()), items * heads * queries, nanoseconds);
    job.for_each::<A, _>(&Sums(body()), items * keys, nanoseconds);
    Ok(())
}

pub(super) fn attention<A: Arch>(job: &Job<'_>) -> Result<(), EngineError> {
    let OpKind::Attention { heads, scale, causal } = job.op.kind else { unreachable!("the table says so") };
    let (channels, items) = (job.channels(), job.shape(0)[0]);
    if job.output.len() == 0 || job.x[1].len() == 0 {
        return Err(job.unsupported("attention without tokens"));
    }
    let (queries, tokens) = (job.x[0].len() / (items * channels), job.x[1].len() / (items * channels));
    let body = || Attention {
        q: job.x[0],
        k: job.x[1],
        v: job.x[2],
        out: job.output,
        packed: job.workspace,
        heads,
        depth: channels / heads,
        queries,
        tokens,
        scale,
        causal,
    };
    let all = items * heads;
    job.for_each::<A, _>(&Pack(body()), all * tokens.div_ceil(PACKED), items * tokens * channels);
    let nanoseconds = all * queries * tokens * (2 * channels / heads + 20) / 40;
    job.for_each::<A, _>(&Mix(body()), all * queries.div_ceil(QUERIES), nanoseconds);
    Ok(())
}
