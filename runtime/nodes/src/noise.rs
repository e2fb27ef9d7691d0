//! ComfyUI's noise on the CPU, to the bit: torch's MT19937 generator and its normal distribution.
//!
//! Sources: M. Matsumoto and T. Nishimura, "Mersenne Twister" (1998); G. Box and M. Muller (1958); the
//! single-precision `log`, `sin` and `cos` are Cephes' polynomials (S. Moshier) with the contractions
//! to fused multiply-adds that torch's x86-64 build has. Nothing here depends on the machine:
//! `f32::mul_add` rounds once on every CPU.

mod brownian;
mod seed_sequence;

use std::f64::consts::PI;

use thiserror::Error;

pub use brownian::BrownianTree;

/// Words of state of MT19937.
const WORDS: usize = 624;
/// Normals are made in blocks of 16: element `j` and `j + 8` of a block are one pair.
const BLOCK: usize = 16;

/// Noise that cannot be drawn.
#[derive(Debug, Error, Clone, Copy, PartialEq)]
pub enum NoiseError {
    /// The output does not hold one item per index.
    #[error("noise for {items} items of {item_len} values was asked for, but the output holds {out_len}")]
    Length {
        /// Number of items asked for.
        items: usize,
        /// Values in one item.
        item_len: usize,
        /// Values in the output.
        out_len: usize,
    },
    /// Sigmas that no Brownian motion is made over.
    #[error("noise cannot be made between the sigmas {low} and {high}")]
    Sigmas {
        /// The lowest above zero.
        low: f64,
        /// The highest.
        high: f64,
    },
}

/// Where a sampler gets its noise.
pub trait NoiseSource {
    /// Writes noise of unit variance for a step from `sigma` to `next`.
    fn draw(&mut self, sigma: f32, next: f32, out: &mut [f32]);
}

/// No noise: zeros, for samplers that draw none.
#[derive(Debug, Clone, Copy)]
pub struct NoNoise;

impl NoiseSource for NoNoise {
    fn draw(&mut self, _sigma: f32, _next: f32, out: &mut [f32]) {
        out.fill(0.0);
    }
}

/// The noise of ancestral samplers: one draw after the other for the whole batch, whatever the sigmas. Seeded like
/// the base noise, so that its first tensor equals it.
impl NoiseSource for TorchRng {
    fn draw(&mut self, _sigma: f32, _next: f32, out: &mut [f32]) {
        self.randn(out);
    }
}

/// torch's CPU generator: MT19937 seeded with the low 32 bits of the seed.
#[derive(Clone)]
pub struct TorchRng {
    state: [u32; WORDS],
    next: usize,
    /// The second normal of the last pair of a draw of fewer than 16 values; later short draws use it.
    spare: Option<f64>,
}

impl TorchRng {
    /// A generator seeded as by `manual_seed(seed)`; seeds that agree modulo 2^32 give the same stream.
    #[must_use]
    pub fn new(seed: u64) -> TorchRng {
        let mut state = [0u32; WORDS];
        let mut word = seed as u32;
        state[0] = word;
        for (i, slot) in (1u32..).zip(&mut state[1..]) {
            word = 1_812_433_253u32.wrapping_mul(word ^ (word >> 30)).wrapping_add(i);
            *slot = word;
        }
        TorchRng { state, next: WORDS, spare: None }
    }

    fn refill(&mut self) {
        let state = &mut self.state;
        for i in 0..WORDS {
            let y = (state[i] & 0x8000_0000) | (state[(i + 1) % WORDS] & 0x7fff_ffff);
            let twist = if y & 1 == 1 { 0x9908_b0df } else { 0 };
            state[i] = state[(i + 397) % WORDS] ^ (y >> 1) ^ twist;
        }
        self.next = 0;
    }

    /// The next 32-bit word.
    pub fn next_u32(&mut self) -> u32 {
        if self.next == WORDS {
            self.refill();
        }
        let mut y = self.state[self.next];
        self.next += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    /// Skips `count` words.
    fn skip(&mut self, count: usize) {
        let mut left = count;
        while left > 0 {
            if self.next == WORDS {
                self.refill();
            }
            let here = left.min(WORDS - self.next);
            self.next += here;
            left -= here;
        }
    }

    /// A uniform number in [0, 1) with 24 bits.
    pub fn uniform_f32(&mut self) -> f32 {
        (self.next_u32() & 0x00ff_ffff) as f32 * (1.0 / 16_777_216.0)
    }

    /// A uniform number in [0, 1) with 53 bits: the first word is the high one.
    pub fn uniform_f64(&mut self) -> f64 {
        let high = u64::from(self.next_u32());
        let bits = (high << 32 | u64::from(self.next_u32())) & ((1 << 53) - 1);
        bits as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// A number in `0..n` as torch's `randint` draws it (a remainder, slightly uneven); 0 for `n` = 0.
    pub fn below(&mut self, n: u32) -> u32 {
        self.next_u32().checked_rem(n).unwrap_or(0)
    }

    /// Fills `out` with standard normals as one contiguous `torch.randn` of that many f32 values.
    ///
    /// From 16 values on, blocks of 16 uniforms become normals by Box and Muller in f32; when the length
    /// is no multiple of 16, the *last* 16 values are drawn anew. Shorter draws go value by value in f64.
    pub fn randn(&mut self, out: &mut [f32]) {
        if out.len() < BLOCK {
            out.iter_mut().for_each(|value| *value = self.normal_f64() as f32);
            return;
        }
        out.iter_mut().for_each(|value| *value = self.uniform_f32());
        let (blocks, rest) = out.as_chunks_mut::<BLOCK>();
        blocks.iter_mut().for_each(box_muller);
        if !rest.is_empty()
            && let Some(tail) = out.last_chunk_mut::<BLOCK>()
        {
            tail.iter_mut().for_each(|value| *value = self.uniform_f32());
            box_muller(tail);
        }
    }

    /// Leaves the generator as `randn` of `len` values would.
    fn skip_randn(&mut self, len: usize) {
        if len < BLOCK {
            (0..len).for_each(|_| _ = self.normal_f64());
        } else {
            self.skip(len + if len.is_multiple_of(BLOCK) { 0 } else { BLOCK });
        }
    }

    fn normal_f64(&mut self) -> f64 {
        if let Some(value) = self.spare.take() {
            return value;
        }
        let (u1, u2) = (self.uniform_f64(), self.uniform_f64());
        let radius = libm::sqrt(-2.0 * libm::log1p(-u2));
        let angle = 2.0 * PI * u1;
        self.spare = Some(radius * libm::sin(angle));
        radius * libm::cos(angle)
    }
}

/// The noise of a sampling node: one draw for the whole batch `[B, C, H, W]`, row-major.
///
/// Only the low 32 bits of `seed` matter. A batch item's noise does not depend on the batch size when
/// `C * H * W` is a multiple of 16.
pub fn base_noise(seed: u64, out: &mut [f32]) {
    TorchRng::new(seed).randn(out);
}

/// The noise of a batch that carries `batch_index`: items are drawn one by one up to the highest index,
/// and `out` receives those at `indices`, in that order, repeats allowed.
///
/// `out` is `[indices.len(), C, H, W]` and `item_len` is `C * H * W`. Costs time in proportion to the
/// highest index (4 bytes of generator output per skipped value).
///
/// # Errors
/// [`NoiseError::Length`] when `out` is not `indices.len() * item_len` long.
pub fn base_noise_items(
    seed: u64,
    indices: &[usize],
    item_len: usize,
    out: &mut [f32],
) -> Result<(), NoiseError> {
    if indices.len().checked_mul(item_len) != Some(out.len()) {
        return Err(NoiseError::Length { items: indices.len(), item_len, out_len: out.len() });
    }
    if item_len == 0 {
        return Ok(());
    }
    let mut order: Vec<usize> = (0..indices.len()).collect();
    order.sort_by_key(|&position| indices[position]);
    let mut rng = TorchRng::new(seed);
    let mut drawn = 0;
    let mut last: Option<(usize, usize)> = None;
    for position in order {
        let index = indices[position];
        let start = position * item_len;
        match last {
            Some((same, from)) if same == index => out.copy_within(from..from + item_len, start),
            _ => {
                while drawn < index {
                    rng.skip_randn(item_len);
                    drawn += 1;
                }
                rng.randn(&mut out[start..start + item_len]);
                drawn += 1;
                last = Some((index, start));
            }
        }
    }
    Ok(())
}

/// Turns 16 uniforms into 16 normals in place.
fn box_muller(block: &mut [f32; BLOCK]) {
    let (first, second) = block.split_at_mut(BLOCK / 2);
    for (a, b) in first.iter_mut().zip(second) {
        let radius = (-2.0 * ln(1.0 - *a)).sqrt();
        let (sin, cos) = sin_cos(std::f32::consts::TAU * *b);
        // Adding zero turns -0 into +0, as torch's `* std + mean` does.
        *a = radius * cos + 0.0;
        *b = radius * sin + 0.0;
    }
}

/// Natural logarithm of x in (0, 1].
#[allow(clippy::excessive_precision)]
fn ln(x: f32) -> f32 {
    const P: [f32; 8] = [
        -1.1514610310E-1,
        1.1676998740E-1,
        -1.2420140846E-1,
        1.4249322787E-1,
        -1.6668057665E-1,
        2.0000714765E-1,
        -2.4999993993E-1,
        3.3333331174E-1,
    ];
    let bits = x.max(f32::MIN_POSITIVE).to_bits();
    let mut exponent = (bits >> 23) as f32 - 126.0;
    let mantissa = f32::from_bits((bits & 0x807f_ffff) | 0x3f00_0000);
    let x = if mantissa < std::f32::consts::FRAC_1_SQRT_2 {
        exponent -= 1.0;
        (mantissa - 1.0) + mantissa
    } else {
        mantissa - 1.0
    };
    let z = x * x;
    let y = P.iter().fold(7.0376836292E-2f32, |y, &p| y.mul_add(x, p)) * x;
    let y = y.mul_add(z, exponent * -2.12194440e-4);
    let y = (-z).mul_add(0.5, y);
    exponent.mul_add(0.693359375, x + y)
}

/// Sine and cosine of t in [0, 2 pi).
#[allow(clippy::excessive_precision)]
fn sin_cos(t: f32) -> (f32, f32) {
    let octant = ((t * 1.27323954473516) as i32 + 1) & !1;
    let y = octant as f32;
    let x = y.mul_add(-0.78515625, t);
    let x = y.mul_add(-2.4187564849853515625e-4, x);
    let x = y.mul_add(-3.77489497744594108e-8, x);
    let z = x * x;
    let c = 2.443315711809948E-5f32.mul_add(z, -1.388731625493765E-3).mul_add(z, 4.166664568298827E-2) * z;
    let c = c.mul_add(z, -(z * 0.5)) + 1.0;
    let s = (-1.9515295891E-4f32).mul_add(z, 8.3321608736E-3).mul_add(z, -1.6666654611E-1) * z;
    let s = s.mul_add(x, x);
    let (sin, cos) = if octant & 2 == 0 { (s, c) } else { (c, s) };
    let sin = if octant & 4 == 0 { sin } else { -sin };
    let cos = if (octant - 2) & 4 == 0 { -cos } else { cos };
    (sin, cos)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(seed: u64, n: usize) -> Vec<f32> {
        let mut out = vec![0.0; n];
        base_noise(seed, &mut out);
        out
    }

    #[test]
    fn words_and_uniforms_of_seed_42() {
        let mut rng = TorchRng::new(42);
        let words: Vec<u32> = (0..4).map(|_| rng.next_u32()).collect();
        assert_eq!(words, [1608637542, 3421126067, 4083286876, 787846414]);
        assert_eq!(TorchRng::new(42).uniform_f32(), 0.88226926);
        assert_eq!(draw(42, 64), draw((1 << 32) + 42, 64));
        let (mut a, mut b) = (TorchRng::new(3), TorchRng::new(3));
        a.skip(1500);
        (0..1500).for_each(|_| _ = b.next_u32());
        assert_eq!(a.next_u32(), b.next_u32());
    }

    #[test]
    fn first_values_and_the_tail_rule() {
        assert_eq!(draw(0, 64)[..4], [-1.125_839_8, -1.152_360_2, -0.250_578_58, -0.433_878_8]);
        let (even, odd) = (draw(7, 16), draw(7, 17));
        assert_eq!(even[0], odd[0]);
        assert!(even[1..].iter().zip(&odd[1..]).all(|(a, b)| a != b));
    }

    #[test]
    fn wrong_lengths_are_errors_and_empty_draws_are_fine() {
        assert!(base_noise_items(1, &[0, 1], 8, &mut [0.0; 15]).is_err());
        assert!(base_noise_items(1, &[usize::MAX], 0, &mut []).is_ok());
        base_noise(1, &mut []);
    }
}
