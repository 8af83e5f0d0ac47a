//! The two precisions that converters and cores compute in.

use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub, SubAssign};

/// `f32` (fast) or `f64` (comparisons with references).
pub trait Real:
    Copy
    + Debug
    + Default
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + AddAssign
    + Sub<Output = Self>
    + SubAssign
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + sealed::Sealed
    + 'static
{
    /// An integer as wide as this number, so that counting needs no conversion of vectors.
    type Counter: Copy + Default + AddAssign + From<bool> + Into<u64>;
    /// One.
    const ONE: Self;
    /// Most bits of a quantiser whose level numbers are exact in [`Real::nearest`].
    const BITS: u32;
    /// Nearest number of this precision.
    fn of(x: f64) -> Self;
    /// As f64.
    fn to_f64(self) -> f64;
    /// Nearest integer, ties to even, for magnitudes below 2^[`Real::BITS`]: two additions, which
    /// every instruction set has as vectors, while `round_ties_even` is a call on the baseline one.
    fn nearest(self) -> Self;
    /// The same as an integer, which is a part of the bits of the sum.
    fn nearest_i32(self) -> i32;
    /// Square root.
    fn sqrt(self) -> Self;
    /// From single precision, exactly.
    fn of_f32(x: f32) -> Self;
    /// From an integer of at most [`Real::BITS`] bits, exactly.
    fn of_i32(x: i32) -> Self;
    /// The integer part; the nearest number that there is beyond 31 bits, zero for a NaN.
    fn to_i32(self) -> i32;
    /// The number itself, a whole one from 0 to 2^[`Real::BITS`]: an addition, of which the lowest bits are read.
    fn to_index(self) -> usize;
    /// The larger; the other if one is not a number.
    fn max(self, other: Self) -> Self;
    /// The smaller; the other if one is not a number.
    fn min(self, other: Self) -> Self;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

macro_rules! real {
    ($float:ty, $counter:ty, $bits:expr, $anchor:expr) => {
        impl Real for $float {
            type Counter = $counter;
            const ONE: Self = 1.0;
            const BITS: u32 = $bits;
            #[inline(always)]
            fn of(x: f64) -> Self {
                x as Self
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn nearest(self) -> Self {
                (self + $anchor) - $anchor
            }
            #[inline(always)]
            fn nearest_i32(self) -> i32 {
                let anchor: Self = $anchor;
                let low = |x: Self| x.to_bits() as u32 as i32;
                low(self + anchor).wrapping_sub(low(anchor))
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                Self::sqrt(self)
            }
            #[inline(always)]
            fn of_f32(x: f32) -> Self {
                Self::from(x)
            }
            #[inline(always)]
            fn of_i32(x: i32) -> Self {
                x as Self
            }
            #[inline(always)]
            fn to_i32(self) -> i32 {
                self as i32
            }
            #[inline(always)]
            fn to_index(self) -> usize {
                // Above the anchor's lowest bit, numbers are whole.
                ((self + $anchor).to_bits() & ((1 << $bits) - 1)) as usize
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                Self::max(self, other)
            }
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                Self::min(self, other)
            }
        }
    };
}

// 1.5 x 2^23 and 1.5 x 2^52: at these magnitudes the spacing of numbers is one.
real!(f32, u32, 22, 12_582_912.0);
real!(f64, u64, 32, 6_755_399_441_055_744.0);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_integers() {
        for x in [0.0_f32, -0.0, 0.5, 1.5, -0.5, -2.5, 126.49, -126.51, 4_194_303.0, -4_194_303.0] {
            let expected = f64::from(x).round_ties_even();
            assert_eq!((Real::nearest(x), x.nearest_i32()), (expected as f32, expected as i32), "{x}");
            let wide = f64::from(x);
            assert_eq!((Real::nearest(wide), wide.nearest_i32()), (expected, expected as i32), "{x}");
        }
    }
}
