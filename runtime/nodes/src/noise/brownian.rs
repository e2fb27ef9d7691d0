//! Noise of stochastic samplers: increments of one Brownian motion over sigma, found by halving.
//!
//! Source: X. Li et al., "Scalable Gradients for Stochastic Differential Equations" (2020), on virtual Brownian trees;
//! grid, seeds and the order of rounding are those of torchsde 0.2.6, which k-diffusion uses.

use floe_nets::sampling::BROWNIAN_BUFFERS;

use super::seed_sequence::SeedSequence;
use super::{NoiseError, NoiseSource, TorchRng};

/// Widest range of sigmas: with it a query ends within [`BROWNIAN_BUFFERS`] levels.
const WIDEST: f64 = 1e5;

/// Increments of a Brownian motion for a whole batch. All 64 bits of the seed matter, and the order of queries
/// does not.
///
/// A value of the motion is not kept but made anew for each query, from a root increment over all sigmas and one
/// tensor of noise per halving. The grid of times is 1e-6 wide.
pub struct BrownianTree<'w> {
    seeds: SeedSequence,
    /// Standard deviation of the root increment.
    deviation: f32,
    root: Interval,
    work: &'w mut [f32],
}

/// A part of the range of sigmas, by its place in the tree.
#[derive(Debug, Clone, Copy, Default)]
struct Interval {
    from: f64,
    to: f64,
    key: u64,
    depth: u64,
}

impl Interval {
    /// Lower and upper half.
    fn halves(self) -> (Interval, Interval) {
        let (middle, depth) = (round6(0.5 * (self.from + self.to)), self.depth + 1);
        let lower = Interval { to: middle, key: 2 * self.key, depth, ..self };
        let upper = Interval { from: middle, key: 2 * self.key + 1, depth, ..self };
        (lower, upper)
    }
}

impl<'w> BrownianTree<'w> {
    /// A tree over the positive sigmas of a list. `work` holds [`BROWNIAN_BUFFERS`] tensors of the batch's size.
    ///
    /// # Errors
    /// [`NoiseError::Sigmas`] when no sigma is positive, one is not finite, or they span more than 100,000.
    pub fn new(seed: u64, sigmas: &[f32], work: &'w mut [f32]) -> Result<BrownianTree<'w>, NoiseError> {
        let positive = sigmas.iter().copied().filter(|&sigma| sigma > 0.0);
        let low = f64::from(positive.clone().fold(f32::INFINITY, f32::min));
        let high = f64::from(positive.fold(0.0, f32::max));
        let width = high - low;
        if !(0.0..=WIDEST).contains(&width) || sigmas.iter().any(|sigma| !sigma.is_finite()) {
            return Err(NoiseError::Sigmas { low, high });
        }
        Ok(BrownianTree {
            seeds: SeedSequence::new(seed),
            deviation: width.sqrt() as f32,
            root: Interval { from: round6(low), to: round6(high), key: 0, depth: 0 },
            work,
        })
    }

    /// The increment between two sigmas, as the sum of the largest parts of the tree from low to high.
    fn increment(&mut self, low: f64, high: f64, out: &mut [f32]) {
        out.fill(0.0);
        let inside = |time: f64| round6(time.clamp(self.root.from, self.root.to));
        let (mut from, mut to) = (inside(low), inside(high));
        if from >= to || out.is_empty() || self.work.len() < BROWNIAN_BUFFERS * out.len() {
            return;
        }
        let mut first = true;
        let mut pending = [(Interval::default(), 0.0); BROWNIAN_BUFFERS];
        let mut top = 0;
        let mut node = self.root;
        self.draw_root(out.len());
        loop {
            if (from, to) == (node.from, node.to) {
                add(out, &self.work[top * out.len()..][..out.len()], first);
                first = false;
                let Some(below) = top.checked_sub(1) else { return };
                top = below;
                (node, to) = pending[top];
                from = node.from;
                continue;
            }
            let (lower, upper) = node.halves();
            let (right, left) = self.split(node, lower.to, top, out.len());
            if to <= lower.to {
                right.copy_from_slice(left);
                node = lower;
            } else if from >= lower.to {
                node = upper;
            } else if top + 2 < BROWNIAN_BUFFERS {
                pending[top] = (upper, to);
                (node, to) = (lower, lower.to);
                top += 1;
            } else {
                // Not reached: the widest range ends three levels earlier.
                return;
            }
        }
    }

    fn draw_root(&mut self, len: usize) {
        let root = &mut self.work[..len];
        TorchRng::new(self.seeds.first_word(&[]).into()).randn(root);
        root.iter_mut().for_each(|value| *value *= self.deviation);
    }

    /// The increment of a node, which lies at `top`, becomes that of its upper half; that of its lower half comes
    /// to lie above it.
    fn split(&mut self, node: Interval, middle: f64, top: usize, len: usize) -> (&mut [f32], &mut [f32]) {
        let (whole, lower) = self.work[top * len..(top + 2) * len].split_at_mut(len);
        TorchRng::new(self.seeds.first_word(&[node.key, node.depth]).into()).randn(lower);
        let (below, above) = (middle - node.from, node.to - middle);
        let inverse = 1.0 / (node.to - node.from);
        let deviation = (below * above * inverse).sqrt() as f32;
        let (below, inverse) = (below as f32, inverse as f32);
        for (whole, lower) in whole.iter_mut().zip(lower.iter_mut()) {
            *lower = below * *whole * inverse + deviation * *lower;
            *whole -= *lower;
        }
        (whole, lower)
    }
}

impl NoiseSource for BrownianTree<'_> {
    /// Descending sigmas give the negated increment.
    fn draw(&mut self, sigma: f32, next: f32, out: &mut [f32]) {
        self.increment(f64::from(sigma.min(next)), f64::from(sigma.max(next)), out);
        let sign = if sigma > next { -1.0 } else { 1.0 };
        let scale = (next - sigma).abs().sqrt();
        if scale > 0.0 {
            out.iter_mut().for_each(|value| *value = *value * sign / scale);
        }
    }
}

fn add(out: &mut [f32], part: &[f32], first: bool) {
    if first {
        out.copy_from_slice(part);
    } else {
        out.iter_mut().zip(part).for_each(|(out, part)| *out += part);
    }
}

/// The nearest number with six decimals, correctly rounded as Python's `round` does it.
fn round6(value: f64) -> f64 {
    format!("{value:.6}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    fn work(len: usize) -> Vec<f32> {
        vec![f32::NAN; BROWNIAN_BUFFERS * len]
    }

    #[test]
    fn neighbouring_increments_add_up() {
        let (mut work, len) = (work(20), 20);
        let mut tree = BrownianTree::new(7, &[10.0, 0.1], &mut work).expect("a tree");
        let mut parts = [vec![0.0; len], vec![0.0; len], vec![0.0; len]];
        tree.increment(1.25, 3.5, &mut parts[0]);
        tree.increment(3.5, 6.125, &mut parts[1]);
        tree.increment(1.25, 6.125, &mut parts[2]);
        for ((a, b), whole) in parts[0].iter().zip(&parts[1]).zip(&parts[2]) {
            assert!((a + b - whole).abs() < 1e-5, "{a} + {b} is not {whole}");
        }
        let again = parts[0].clone();
        tree.increment(1.25, 3.5, &mut parts[0]);
        assert_eq!(again, parts[0]);
    }

    #[test]
    fn the_widest_range_needs_no_more_levels() {
        let (mut work, len) = (work(1), 1);
        let mut tree = BrownianTree::new(1, &[1e5, 0.001], &mut work).expect("a tree");
        let mut out = vec![0.0; len];
        for (low, high) in
            [(0.001_001, 99_999.999_999), (0.001_001, 0.001_002), (31_415.926_535, 31_415.926_536)]
        {
            tree.increment(low, high, &mut out);
            assert!(out[0] != 0.0 && out[0].is_finite());
        }
        assert!(BrownianTree::new(1, &[2e5, 0.001], &mut work).is_err());
        assert!(BrownianTree::new(1, &[f32::NAN, 1.0], &mut work).is_err());
        assert!(BrownianTree::new(1, &[0.0], &mut work).is_err());
        let mut one = BrownianTree::new(1, &[1.0, 0.0], &mut work).expect("a tree");
        one.draw(1.0, 1.0, &mut out);
        assert_eq!(out, [0.0]);
    }
}
