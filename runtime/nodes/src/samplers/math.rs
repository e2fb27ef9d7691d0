//! Scalars and values of samplers.

/// `e^x`, rounded once.
pub(super) fn exp(x: f32) -> f32 {
    libm::exp(f64::from(x)) as f32
}

/// `e^x - 1`, rounded once.
pub(super) fn expm1(x: f32) -> f32 {
    libm::expm1(f64::from(x)) as f32
}

/// Natural logarithm, rounded once.
pub(super) fn ln(x: f32) -> f32 {
    libm::log(f64::from(x)) as f32
}

/// The lambda of a sigma: infinite for 0.
pub(super) fn lambda(sigma: f32) -> f32 {
    -ln(sigma)
}

/// The sigma of a lambda.
pub(super) fn sigma(lambda: f32) -> f32 {
    exp(-lambda)
}

/// The deviation of noise added over a step of `h` in lambda by a stochastic equation: `sqrt(1 - e^(-2 h))`.
pub(super) fn deviation(h: f32) -> f32 {
    (-expm1(-2.0 * h)).sqrt()
}

/// A step from `from` to `to` in two: down to the first sigma without noise, and noise of the second deviation.
pub(super) fn ancestral_step(from: f32, to: f32, eta: f64) -> (f32, f32) {
    if eta == 0.0 {
        return (to, 0.0);
    }
    let variance = to * to * (from * from - to * to) / (from * from);
    let up = to.min(eta as f32 * variance.sqrt());
    ((to * to - up * up).sqrt(), up)
}

/// `out[i] = f(out[i], a[i])`.
pub(super) fn map(out: &mut [f32], a: &[f32], f: impl Fn(f32, f32) -> f32) {
    for (out, &a) in out.iter_mut().zip(a) {
        *out = f(*out, a);
    }
}

/// `out[i] = f(out[i], a[i], b[i])`.
pub(super) fn map2(out: &mut [f32], a: &[f32], b: &[f32], f: impl Fn(f32, f32, f32) -> f32) {
    for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *out = f(*out, a, b);
    }
}

/// `out[i] = f(out[i], a[i], b[i], c[i])`.
pub(super) fn map3(out: &mut [f32], [a, b, c]: [&[f32]; 3], f: impl Fn(f32, f32, f32, f32) -> f32) {
    for (((out, &a), &b), &c) in out.iter_mut().zip(a).zip(b).zip(c) {
        *out = f(*out, a, b, c);
    }
}

/// A prediction becomes the direction towards more noise, in place: `(x - denoised) / sigma`.
pub(super) fn to_direction(denoised: &mut [f32], x: &[f32], sigma: f32) {
    map(denoised, x, |denoised, x| (x - denoised) / sigma);
}

/// Adds noise of a deviation.
pub(super) fn add_noise(x: &mut [f32], noise: &[f32], s_noise: f32, deviation: f32) {
    map(x, noise, |x, noise| x + noise * s_noise * deviation);
}

/// Solves a small dense system by elimination with pivots; row-major, in place. Singular ones give values that are
/// not finite.
pub(super) fn solve<const N: usize>(matrix: &mut [[f64; N]; N], right: &mut [f64; N], size: usize) {
    for column in 0..size {
        let largest = |a: &usize, b: &usize| matrix[*a][column].abs().total_cmp(&matrix[*b][column].abs());
        let pivot = (column..size).max_by(largest).unwrap_or(column);
        matrix.swap(column, pivot);
        right.swap(column, pivot);
        for row in column + 1..size {
            let above = matrix[column];
            let factor = matrix[row][column] / above[column];
            for (value, above) in matrix[row].iter_mut().zip(above).take(size).skip(column) {
                *value -= factor * above;
            }
            right[row] -= factor * right[column];
        }
    }
    for row in (0..size).rev() {
        let known: f64 = (row + 1..size).map(|k| matrix[row][k] * right[k]).sum();
        right[row] = (right[row] - known) / matrix[row][row];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_solved() {
        let mut matrix = [[0.0, 2.0, 1.0], [1.0, -1.0, 0.0], [3.0, 0.0, 4.0]];
        let solution = [1.5, -2.0, 0.25];
        let mut right = matrix.map(|row: [f64; 3]| row.iter().zip(solution).map(|(a, b)| a * b).sum());
        solve(&mut matrix, &mut right, 3);
        for (got, want) in right.iter().zip(solution) {
            assert!((got - want).abs() < 1e-12);
        }
    }

    #[test]
    fn an_ancestral_step_keeps_the_variance() {
        let (down, up) = ancestral_step(4.0, 2.0, 1.0);
        assert!((down * down + up * up - 4.0).abs() < 1e-5);
        assert_eq!(ancestral_step(4.0, 2.0, 0.0), (2.0, 0.0));
        assert_eq!(ancestral_step(4.0, 0.0, 1.0), (0.0, 0.0));
    }
}
