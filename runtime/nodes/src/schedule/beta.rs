//! Quantiles of the beta distribution.
//!
//! Source: the continued fraction of the incomplete beta function (M. Abramowitz and I. Stegun, 26.5.8), evaluated by
//! W. Lentz's method (1976).

/// The share of a beta distribution below `x` in 0..=1; `alpha` and `beta` above 0.
fn below(x: f64, alpha: f64, beta: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    let log_front = libm::lgamma(alpha + beta) - libm::lgamma(alpha) - libm::lgamma(beta)
        + alpha * libm::log(x)
        + beta * libm::log1p(-x);
    let front = libm::exp(log_front);
    // The fraction converges fast below the mean; above it, the other tail is taken.
    if x < (alpha + 1.0) / (alpha + beta + 2.0) {
        front * fraction(x, alpha, beta) / alpha
    } else {
        1.0 - front * fraction(1.0 - x, beta, alpha) / beta
    }
}

fn fraction(x: f64, alpha: f64, beta: f64) -> f64 {
    const TINY: f64 = 1e-300;
    const TERMS: usize = 500;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (alpha + beta) * x / (alpha + 1.0));
    let mut value = d;
    for term in 1..TERMS {
        let m = term as f64;
        let even = m * (beta - m) * x / ((alpha + 2.0 * m - 1.0) * (alpha + 2.0 * m));
        let odd = -(alpha + m) * (alpha + beta + m) * x / ((alpha + 2.0 * m) * (alpha + 2.0 * m + 1.0));
        let before = value;
        for step in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + step * d);
            c = away_from_zero(1.0 + step / c);
            value *= c * d;
        }
        if (value / before - 1.0).abs() < 1e-15 {
            break;
        }
    }
    value
}

/// The value below which a share `p` in 0..=1 of the distribution lies; by halving, to the last bits of an f64.
pub(super) fn quantile(p: f64, alpha: f64, beta: f64) -> f64 {
    if p >= 1.0 {
        return 1.0;
    }
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..64 {
        let middle = 0.5 * (low + high);
        if below(middle, alpha, beta) < p { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_distributions() {
        for p in [0.001, 0.1, 0.5, 0.73, 0.999] {
            // Beta(1, 1) is even, Beta(2, 1) has p = x^2, Beta(1/2, 1/2) is the arcsine distribution.
            assert!((quantile(p, 1.0, 1.0) - p).abs() < 1e-12);
            assert!((quantile(p, 2.0, 1.0) - p.sqrt()).abs() < 1e-12);
            let arcsine = (std::f64::consts::FRAC_PI_2 * p).sin().powi(2);
            assert!((quantile(p, 0.5, 0.5) - arcsine).abs() < 1e-12);
            assert!((quantile(p, 0.6, 0.6) + quantile(1.0 - p, 0.6, 0.6) - 1.0).abs() < 1e-10);
        }
        assert!(quantile(0.0, 0.6, 0.6) < 1e-18 && quantile(1.0, 0.6, 0.6) == 1.0);
    }
}
