//! What a law needs of its numbers, so that one function gives currents and, with
//! [`crate::export::Expression`] for numbers, the same law as text for circuit simulators.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// A real number, or a formula that stands for one. Numbers on the right of an operator may be plain
/// `f64`.
pub trait Real:
    Copy
    + From<f64>
    + Neg<Output = Self>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Add<f64, Output = Self>
    + Sub<f64, Output = Self>
    + Mul<f64, Output = Self>
    + Div<f64, Output = Self>
{
    /// e to this power.
    fn exp(self) -> Self;
    /// Natural logarithm.
    fn ln(self) -> Self;
    /// ln(1 + x), exact for small x; x >= 0.
    fn ln_1p(self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Absolute value.
    fn abs(self) -> Self;
    /// x to a power; x > 0.
    fn powf(self, power: Self) -> Self;
    /// The larger.
    fn max(self, other: Self) -> Self;
    /// The smaller.
    fn min(self, other: Self) -> Self;
    /// `then` where x is below `limit`, `otherwise` elsewhere. Formulas contain both.
    fn if_below(self, limit: Self, then: impl FnOnce() -> Self, otherwise: impl FnOnce() -> Self) -> Self;
}

impl Real for f64 {
    fn exp(self) -> Self {
        f64::exp(self)
    }
    fn ln(self) -> Self {
        f64::ln(self)
    }
    fn ln_1p(self) -> Self {
        f64::ln_1p(self)
    }
    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }
    fn abs(self) -> Self {
        f64::abs(self)
    }
    fn powf(self, power: Self) -> Self {
        f64::powf(self, power)
    }
    fn max(self, other: Self) -> Self {
        f64::max(self, other)
    }
    fn min(self, other: Self) -> Self {
        f64::min(self, other)
    }
    fn if_below(self, limit: Self, then: impl FnOnce() -> Self, otherwise: impl FnOnce() -> Self) -> Self {
        if self < limit { then() } else { otherwise() }
    }
}
