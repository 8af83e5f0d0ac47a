//! `ln(1 + x)` as the axes of a table use it: a polynomial without branches, so that batches are worked on as
//! vectors, with the same bits alone and in a batch.

use std::f64::consts::{LN_2, SQRT_2};

/// `ln 2` to twice the digits of a number, in two parts of which the first, times any exponent, is exact.
const LN_2_HIGH: f64 = f64::from_bits(LN_2.to_bits() & !0xffff_ffff);
/// `ln 2` is [`LN_2`] and 2.319e-17 (its digits continue 0.69314718055994530942).
const LN_2_LOW: f64 = (LN_2 - LN_2_HIGH) + 2.319_046_813_846_299_6e-17;

/// Exponents and mantissas of numbers are taken apart as bits; this one puts an exponent back as a number.
const TWO_52: f64 = 4_503_599_627_370_496.0;

/// `ln(1 + x)`, to 4e-16 of its size; NaN where there is none.
#[inline(always)]
pub(crate) fn log1p(x: f64) -> f64 {
    let sum = 1.0 + x;
    // 1 + x = 2^k m with m between the square roots of 1/2 and 2.
    let bits = sum.to_bits();
    let half = 1.0_f64.to_bits() - (0.5 * SQRT_2).to_bits();
    let exponent = bits.wrapping_add(half) >> 52;
    let m = f64::from_bits(bits.wrapping_sub((exponent << 52).wrapping_sub(1.0_f64.to_bits())));
    let k = f64::from_bits(exponent | TWO_52.to_bits()) - (TWO_52 + 1023.0);
    // Where k is 0, x itself has the digits that the sum lost.
    let f = if k == 0.0 { x } else { m - 1.0 };
    // ln(1 + f) = 2 artanh(f / (2 + f)); its series has the digits at |s| < 0.1716 after 11 terms.
    let s = f / (2.0 + f);
    let z = s * s;
    let mut series = 1.0 / 23.0;
    for odd in [21.0, 19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0] {
        series = series * z + 1.0 / odd;
    }
    // 2 s = f - s f: the large part without rounding.
    let log = f - s * (f - 2.0 * (z * series));
    let log = k * LN_2_HIGH + (k * LN_2_LOW + log);
    if x > -1.0 { log } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ends_are_known() {
        assert_eq!(log1p(0.0), 0.0);
        assert_eq!(log1p(1.0), LN_2);
        assert_eq!(log1p(1e-300), 1e-300);
        assert!(log1p(f64::NAN).is_nan() && log1p(-1.0).is_nan() && log1p(-2.0).is_nan());
        assert!((log1p(f64::MAX) - 709.782_712_893_384).abs() < 1e-12);
    }

    proptest! {
        /// Against a library, whose own error is one part in 1e16, over all magnitudes.
        #[test]
        fn values_are_those_of_a_library(power in -20.0_f64..300.0) {
            let x = 10.0_f64.powf(power);
            let wanted = libm::log1p(x);
            prop_assert!((log1p(x) - wanted).abs() <= 4e-16 * wanted, "{x}: {} {wanted}", log1p(x));
        }
    }
}
