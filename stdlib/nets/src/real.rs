//! Finite numbers that can be compared and hashed, as names of programs need them.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// A finite number; equal numbers are one, zero has no sign.
#[derive(Debug, Clone, Copy)]
pub struct Real(f64);

impl Real {
    /// A number, unless it is infinite or none.
    pub fn new(value: f64) -> Option<Real> {
        // Adding zero takes the sign off a negative zero.
        value.is_finite().then_some(Real(value + 0.0))
    }

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }

    /// Reads what `Display` writes.
    pub fn parse(text: &str) -> Option<Real> {
        text.parse().ok().and_then(Real::new)
    }
}

impl PartialEq for Real {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Real {}

impl PartialOrd for Real {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Real {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Hash for Real {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

impl fmt::Display for Real {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Real;

    #[test]
    fn numbers_read_back_and_compare() {
        for value in [0.0, 1.1, -2.5e-7, f64::MAX] {
            let real = Real::new(value).unwrap();
            assert_eq!(Real::parse(&real.to_string()), Some(real));
        }
        assert_eq!(Real::new(-0.0), Real::new(0.0));
        assert!(Real::new(1.0) < Real::new(2.0));
        assert_eq!((Real::new(f64::NAN), Real::parse("inf"), Real::parse("x")), (None, None, None));
    }
}
