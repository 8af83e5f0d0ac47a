//! Numbers that carry their derivatives: a law evaluated once with [`Dual`] gives its value and its slopes along
//! `N` directions, exactly.

use crate::real::Real;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A value with its derivatives along `N` directions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dual<const N: usize> {
    /// Value.
    pub value: f64,
    /// Derivatives.
    pub slopes: [f64; N],
}

impl<const N: usize> Dual<N> {
    /// The coordinate along direction `index` at `value`; a constant where there is no such direction.
    pub fn along(index: usize, value: f64) -> Self {
        let mut slopes = [0.0; N];
        if let Some(slope) = slopes.get_mut(index) {
            *slope = 1.0;
        }
        Self { value, slopes }
    }

    /// A function of this number, by its value and derivative.
    fn chain(self, value: f64, derivative: f64) -> Self {
        Self { value, slopes: self.slopes.map(|slope| slope * derivative) }
    }

    /// A function of two numbers, by its value and partial derivatives.
    fn chain_2(self, other: Self, value: f64, mine: f64, others: f64) -> Self {
        let mut slopes = self.slopes;
        for (slope, other) in slopes.iter_mut().zip(&other.slopes) {
            *slope = *slope * mine + other * others;
        }
        Self { value, slopes }
    }
}

impl<const N: usize> From<f64> for Dual<N> {
    fn from(value: f64) -> Self {
        Self { value, slopes: [0.0; N] }
    }
}

impl<const N: usize> Neg for Dual<N> {
    type Output = Self;
    fn neg(self) -> Self {
        self.chain(-self.value, -1.0)
    }
}

impl<const N: usize> Add for Dual<N> {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        self.chain_2(other, self.value + other.value, 1.0, 1.0)
    }
}

impl<const N: usize> Sub for Dual<N> {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self.chain_2(other, self.value - other.value, 1.0, -1.0)
    }
}

impl<const N: usize> Mul for Dual<N> {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        self.chain_2(other, self.value * other.value, other.value, self.value)
    }
}

impl<const N: usize> Div for Dual<N> {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let quotient = self.value / other.value;
        self.chain_2(other, quotient, other.value.recip(), -quotient / other.value)
    }
}

impl<const N: usize> Add<f64> for Dual<N> {
    type Output = Self;
    fn add(self, other: f64) -> Self {
        Self { value: self.value + other, ..self }
    }
}

impl<const N: usize> Sub<f64> for Dual<N> {
    type Output = Self;
    fn sub(self, other: f64) -> Self {
        Self { value: self.value - other, ..self }
    }
}

impl<const N: usize> Mul<f64> for Dual<N> {
    type Output = Self;
    fn mul(self, other: f64) -> Self {
        self.chain(self.value * other, other)
    }
}

impl<const N: usize> Div<f64> for Dual<N> {
    type Output = Self;
    fn div(self, other: f64) -> Self {
        self.chain(self.value / other, other.recip())
    }
}

impl<const N: usize> Real for Dual<N> {
    fn exp(self) -> Self {
        let value = self.value.exp();
        self.chain(value, value)
    }
    fn ln(self) -> Self {
        self.chain(self.value.ln(), self.value.recip())
    }
    fn ln_1p(self) -> Self {
        self.chain(self.value.ln_1p(), (1.0 + self.value).recip())
    }
    fn sqrt(self) -> Self {
        let value = self.value.sqrt();
        self.chain(value, 0.5 / value)
    }
    fn abs(self) -> Self {
        self.chain(self.value.abs(), self.value.signum())
    }
    fn powf(self, power: Self) -> Self {
        let value = self.value.powf(power.value);
        let (mine, others) = (power.value * value / self.value, value * self.value.ln());
        self.chain_2(power, value, mine, others)
    }
    fn max(self, other: Self) -> Self {
        if self.value >= other.value { self } else { other }
    }
    fn min(self, other: Self) -> Self {
        if self.value <= other.value { self } else { other }
    }
    fn if_below(self, limit: Self, then: impl FnOnce() -> Self, otherwise: impl FnOnce() -> Self) -> Self {
        if self.value < limit.value { then() } else { otherwise() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn expression<R: Real>(x: R, y: R) -> R {
        let a = (x * y + 2.0).sqrt() / (y - x * 0.5 + 3.0) - x.exp() * (y * y + 1.0).ln();
        let b = (x * x).ln_1p().max(y.abs() / 4.0).min(x * x * y + 5.0);
        a + b + (x * x + 1.0).powf(y / 3.0) - (-x)
    }

    proptest! {
        #[test]
        fn slopes_are_those_of_differences(x in 0.2f64..1.5, y in 0.5f64..2.0) {
            let dual = expression(Dual::<2>::along(0, x), Dual::along(1, y));
            prop_assert_eq!(dual.value, expression(x, y));
            let h = 1e-5;
            let along_x = (expression(x + h, y) - expression(x - h, y)) / (2.0 * h);
            let along_y = (expression(x, y + h) - expression(x, y - h)) / (2.0 * h);
            // At a kink of max and min a difference takes a mean of both sides.
            let kink = |a: f64, b: f64| (a - b).abs() < 1e-3;
            prop_assume!(!kink((x * x).ln_1p(), y / 4.0) && !kink((x * x).ln_1p(), x * x * y + 5.0));
            prop_assert!((dual.slopes[0] - along_x).abs() < 1e-7 * (1.0 + along_x.abs()));
            prop_assert!((dual.slopes[1] - along_y).abs() < 1e-7 * (1.0 + along_y.abs()));
        }
    }
}
