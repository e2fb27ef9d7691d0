//! Elementary functions of our own: the same bits on every processor. Scalar code without calls or branches; loops
//! over [`Lanes`] become vector code.

use floe_nets::ir::Activation;

use crate::memory::{LANES, Lanes};

/// Adding and subtracting it rounds to the nearest integer (1.5 * 2^23).
const ROUND: f32 = 12_582_912.0;

/// `e^x` to about 1 ulp; 0 below -87.33, where it would not be a normal number, and `e^88` above 88.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    const LOWEST: f32 = -87.336_54;
    // In this form a NaN stays one.
    let y = if x < LOWEST { LOWEST } else { x };
    let y = if y > 88.0 { 88.0 } else { y };
    let shifted = y.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    // ln 2 in two parts (Cody and Waite 1980).
    let r = n.mul_add(-0.693_359_4, y);
    let r = n.mul_add(2.121_944_4e-4, r);
    // The polynomial of Cephes' expf (Moshier).
    let p = 1.987_569_2e-4_f32;
    let p = p.mul_add(r, 1.398_2e-3);
    let p = p.mul_add(r, 8.333_452e-3);
    let p = p.mul_add(r, 4.166_579_6e-2);
    let p = p.mul_add(r, 1.666_666_5e-1);
    let p = p.mul_add(r, 0.5);
    let p = p.mul_add(r * r, r) + 1.0;
    // 2^n: the low bits of the shifted number are n.
    let power = f32::from_bits((shifted.to_bits().wrapping_add(127)) << 23);
    if x < LOWEST { 0.0 } else { p * power }
}

/// `1 / (1 + e^-x)`.
#[inline(always)]
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// The error function to about 1 ulp (N. Juffa's branch-free form, 2017).
#[inline(always)]
pub(super) fn erf(x: f32) -> f32 {
    let t = x.abs();
    let s = x * x;
    let r = (-1.728_534_7e-5_f32).mul_add(t, 3.831_971_3e-4);
    let u = (-3.883_964_4e-3_f32).mul_add(t, 2.425_462_2e-2);
    let r = r.mul_add(s, u);
    let r = r.mul_add(t, -1.067_778_8e-1);
    let r = r.mul_add(t, -6.348_467e-1);
    let r = r.mul_add(t, -1.287_175_1e-1);
    let r = r.mul_add(t, -t);
    let large = (1.0 - exp(r)).copysign(x);
    let p = -5.967_617e-4_f32;
    let p = p.mul_add(s, 4.991_194e-3);
    let p = p.mul_add(s, -2.676_813_5e-2);
    let p = p.mul_add(s, 1.128_199_25e-1);
    let p = p.mul_add(s, -3.761_253_4e-1);
    let p = p.mul_add(s, 1.283_791_7e-1);
    let small = p.mul_add(x, x);
    if t > 0.927_734_4 { large } else { small }
}

/// `x (1 + erf(x / √2)) / 2`.
#[inline(always)]
pub(super) fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// The hyperbolic tangent, to about 2 ulp: a polynomial near zero, where the quotient would lose digits.
#[inline(always)]
pub(super) fn tanh(x: f32) -> f32 {
    let t = x.abs();
    let large = (1.0 - 2.0 / (exp(2.0 * t) + 1.0)).copysign(x);
    let s = x * x;
    // The polynomial of Cephes' tanhf (Moshier).
    let p = -5.704_988_7e-3_f32;
    let p = p.mul_add(s, 2.063_909e-2);
    let p = p.mul_add(s, -5.373_971_4e-2);
    let p = p.mul_add(s, 1.333_144_2e-1);
    let p = p.mul_add(s, -3.333_328e-1);
    let small = (p * s).mul_add(x, x);
    // Written so that a NaN goes the way that keeps it.
    if t > 0.625 { large } else { small }
}

/// An activation of a vector.
#[inline(always)]
pub(super) fn activate(activation: Activation, mut x: Lanes) -> Lanes {
    match activation {
        Activation::Silu => {
            for lane in &mut x {
                *lane *= sigmoid(*lane);
            }
        }
        Activation::QuickGelu => {
            for lane in &mut x {
                *lane *= sigmoid(1.702 * *lane);
            }
        }
        Activation::Gelu => x = x.map(gelu),
        Activation::Relu => {
            for lane in &mut x {
                // In this form a NaN stays one.
                *lane = if *lane < 0.0 { 0.0 } else { *lane };
            }
        }
        Activation::LeakyRelu => {
            for lane in &mut x {
                *lane = if *lane < 0.0 { *lane * 0.2 } else { *lane };
            }
        }
        Activation::Tanh => x = x.map(tanh),
    }
    x
}

/// The sum of all lanes, by halves.
#[inline(always)]
pub(super) fn sum(x: Lanes) -> f32 {
    let mut x = x;
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            x[lane] += x[lane + half];
        }
        half /= 2;
    }
    x[0]
}

/// The larger one; `b` if either is NaN.
#[inline(always)]
pub(super) fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// The largest lane.
#[inline(always)]
pub(super) fn max(x: Lanes) -> f32 {
    let mut x = x;
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            x[lane] = larger(x[lane], x[lane + half]);
        }
        half /= 2;
    }
    x[0]
}

/// `e^x` in double precision, for the few numbers that become wavelengths: their errors are multiplied by time.
pub(super) fn exp_f64(x: f64) -> f64 {
    const ROUND: f64 = 6_755_399_441_055_744.0;
    let y = x.clamp(-700.0, 700.0);
    let n = y.mul_add(std::f64::consts::LOG2_E, ROUND) - ROUND;
    let r = n.mul_add(-0.693_147_180_369_123_8, y);
    let r = n.mul_add(-1.908_214_929_270_587_7e-10, r);
    // Taylor's series: |r| <= ln 2 / 2, so 14 terms suffice.
    let p = (1..=14).rev().fold(1.0_f64, |p, k| p.mul_add(r / f64::from(k), 1.0));
    p * f64::from_bits(((n as i64 + 1023) as u64) << 52)
}

/// Sine and cosine in double precision, rounded; for |x| below 10^6.
pub(super) fn sin_cos(x: f32) -> (f32, f32) {
    const ROUND: f64 = 6_755_399_441_055_744.0;
    let x = f64::from(x);
    let n = x.mul_add(std::f64::consts::FRAC_2_PI, ROUND) - ROUND;
    // π/2 in two parts; the first has enough trailing zeros for products with n to be exact.
    let r = n.mul_add(-1.570_796_326_734_125_6, x);
    let r = n.mul_add(-6.077_100_506_506_192e-11, r);
    let s = r * r;
    // Taylor's series: |r| <= π/4.
    let series = |first: f64| {
        (1..=8).rev().fold(1.0_f64, |p, k| {
            let k = 2.0 * f64::from(k) + first;
            (-s / (k * (k - 1.0))).mul_add(p, 1.0)
        })
    };
    let (sin, cos) = (r * series(1.0), series(0.0));
    let (sin, cos) = match (n as i64).rem_euclid(4) {
        0 => (sin, cos),
        1 => (cos, -sin),
        2 => (-sin, -cos),
        _ => (-cos, sin),
    };
    (sin as f32, cos as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ulps(got: f32, want: f64) -> f64 {
        let ulp = f64::from((want as f32).abs().next_up()) - f64::from((want as f32).abs());
        (f64::from(got) - want).abs() / ulp
    }

    fn worst(range: std::ops::Range<f32>, steps: usize, error: impl Fn(f32) -> f64) -> f64 {
        let at = |i: usize| range.start + (range.end - range.start) * i as f32 / steps as f32;
        (0..steps).map(|i| error(at(i))).fold(0.0, f64::max)
    }

    #[test]
    fn exp_is_good_to_two_ulps() {
        let error = worst(-87.3..88.0, 2_000_000, |x| ulps(exp(x), f64::from(x).exp()));
        assert!(error < 2.0, "{error} ulp");
        assert_eq!((exp(0.0), exp(f32::NEG_INFINITY), exp(-1e30)), (1.0, 0.0, 0.0));
        assert!(exp(f32::NAN).is_nan() && exp(f32::INFINITY).is_finite());
    }

    #[test]
    fn erf_is_good_to_two_ulps() {
        let error = worst(-5.0..5.0, 2_000_000, |x| ulps(erf(x), libm::erf(f64::from(x))));
        assert!(error < 2.5, "{error} ulp");
        assert_eq!((erf(0.0), erf(10.0), erf(-10.0), erf(f32::INFINITY)), (0.0, 1.0, -1.0, 1.0));
    }

    #[test]
    fn sigmoid_and_gelu_are_accurate() {
        let error = worst(-80.0..80.0, 500_000, |x| {
            let want = 1.0 / (1.0 + (-f64::from(x)).exp());
            (f64::from(sigmoid(x)) - want).abs() / want
        });
        assert!(error < 3e-7, "{error}");
        let error = worst(-10.0..10.0, 500_000, |x| {
            let y = f64::from(x);
            (f64::from(gelu(x)) - 0.5 * y * libm::erfc(-y * std::f64::consts::FRAC_1_SQRT_2)).abs()
        });
        assert!(error < 1e-6, "{error}");
    }

    #[test]
    fn tanh_is_good_to_three_ulps() {
        let error = worst(-12.0..12.0, 2_000_000, |x| ulps(tanh(x), f64::from(x).tanh()));
        assert!(error < 3.0, "{error} ulp");
        assert_eq!((tanh(0.0), tanh(f32::INFINITY), tanh(-1e30)), (0.0, 1.0, -1.0));
        assert!(tanh(f32::NAN).is_nan());
    }

    #[test]
    fn sine_and_cosine_are_rounded_well() {
        let error = worst(-2000.0..2000.0, 300_000, |x| {
            let (sin, cos) = sin_cos(x);
            ulps(sin, f64::from(x).sin()).max(ulps(cos, f64::from(x).cos()))
        });
        assert!(error < 0.501, "{error} ulp");
        let error = worst(-20.0..20.0, 100_000, |x| {
            let want = f64::from(x).exp();
            (exp_f64(f64::from(x)) - want).abs() / want
        });
        assert!(error < 1e-14, "{error}");
    }

    #[test]
    fn lanes_are_summed_and_compared_as_a_tree() {
        let lanes: Lanes = std::array::from_fn(|lane| lane as f32);
        assert_eq!((sum(lanes), max(lanes)), (120.0, 15.0));
    }
}
