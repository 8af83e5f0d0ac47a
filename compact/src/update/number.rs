//! Numbers that a ramp can be walked with: plain ones, and those that carry the derivatives of a fit along.

use crate::dual::Dual;
use crate::real::Real;

/// A number that a law steps with.
pub trait Number: Real + Send + Sync {
    /// Its value.
    fn value(self) -> f64;
    /// exp(x) - 1, exact for small x.
    fn exp_m1(self) -> Self;
}

impl Number for f64 {
    #[inline]
    fn value(self) -> f64 {
        self
    }
    #[inline]
    fn exp_m1(self) -> Self {
        f64::exp_m1(self)
    }
}

impl<const N: usize> Number for Dual<N> {
    #[inline]
    fn value(self) -> f64 {
        self.value
    }
    #[inline]
    fn exp_m1(self) -> Self {
        let value = self.value.exp_m1();
        Self { value, slopes: self.slopes.map(|slope| slope * (1.0 + value)) }
    }
}
