//! Digital to analog: inputs as fractions of the full input, and their slices.

use mho_data::random::Stream;

use super::spec::{Coding, InputSpec};
use crate::converter::{Real, Uniform};
use crate::vector::wide;

/// The row drivers of a core.
#[derive(Clone, Debug)]
pub struct Driver<T> {
    per_unit: T,
    limits: [T; 2],
    converter: Option<Uniform<T>>,
    stochastic: Option<Stream>,
    /// Largest magnitude as an integer.
    magnitude_max: f64,
    slices: u32,
    slice_bits: u32,
}

impl<T: Real> Driver<T> {
    /// Drivers of a specification that [`super::CoreSpec::check`] accepts.
    pub fn new(spec: &InputSpec, seed: u64) -> Self {
        let lowest = if spec.signed() { -1.0 } else { 0.0 };
        let converter = (spec.bits > 0).then(|| match spec.coding {
            Coding::SignMagnitude => Uniform::sign_magnitude(spec.bits, 1.0),
            Coding::Unsigned | Coding::TwoEnded => Uniform::new(spec.bits, lowest, 1.0),
        });
        let (slices, slice_bits) = spec.slices();
        Self {
            per_unit: T::of(1.0 / spec.max),
            limits: [T::of(lowest), T::ONE],
            converter,
            stochastic: spec.stochastic_rounding.then(|| Stream::new(seed, &["input rounding"], &[])),
            magnitude_max: (2.0_f64).powi(spec.magnitude_bits() as i32) - 1.0,
            slices,
            slice_bits,
        }
    }

    /// Inputs in units of the full input, converted; and how many were clipped. `first` numbers the
    /// draws of stochastic rounding.
    pub fn drive(&self, inputs: &[T], first: u64) -> (Vec<T>, u64) {
        self.drive_with(inputs, first, &[], 0)
    }

    /// As [`Driver::drive`], with more inputs behind them: `batch` at each of `levels` (in units of the full input).
    pub(super) fn drive_with(&self, inputs: &[T], first: u64, levels: &[T], batch: usize) -> (Vec<T>, u64) {
        let mut driven = vec![T::default(); inputs.len() + levels.len() * batch];
        for (row, &level) in driven[inputs.len()..].chunks_mut(batch.max(1)).zip(levels) {
            row.fill(level);
        }
        let scale = self.per_unit;
        let clipped = match (&self.converter, &self.stochastic) {
            (None, _) => {
                let [lo, hi] = self.limits;
                wide(
                    #[inline(always)]
                    || {
                        let mut count = 0;
                        // Parts whose count fits the counter.
                        for (inputs, driven) in inputs.chunks(PART).zip(driven.chunks_mut(PART)) {
                            let mut part = T::Counter::default();
                            for (&x, driven) in inputs.iter().zip(driven) {
                                let x = x * scale;
                                part += T::Counter::from(!(x >= lo && x <= hi));
                                *driven = x.max(lo).min(hi);
                            }
                            count += part.into();
                        }
                        count
                    },
                )
            }
            (Some(converter), None) => converter.convert_scaled(inputs, scale, &mut driven),
            (Some(converter), Some(stream)) => {
                driven.iter_mut().zip(inputs).for_each(|(driven, &x)| *driven = x * scale);
                converter.convert_stochastic(&mut driven[..inputs.len()], stream, first)
            }
        };
        (driven, clipped)
    }

    /// Number of slices of an input.
    pub fn slices(&self) -> u32 {
        self.slices
    }

    /// Codes of driven inputs, with their signs, from which slices are cut.
    pub fn codes(&self, driven: &[T], codes: &mut [i32]) {
        let most = T::of(self.magnitude_max);
        wide(
            #[inline(always)]
            move || codes.iter_mut().zip(driven).for_each(|(code, &x)| *code = (x * most).nearest_i32()),
        );
    }

    /// Slice `k` of the inputs with these codes, again in units of the full input, and what a unit of it is
    /// worth: sum_k worth_k slice_k is the input.
    pub fn slice(&self, codes: &[i32], k: u32, slice: &mut [T]) -> T {
        let digit_max = (1_i32 << self.slice_bits) - 1;
        let shift = self.slice_bits * k;
        // By value: what lies behind references might be written to by the loops, which then are none of vectors.
        let cut = move |code: i32| {
            let magnitude = (code.abs() >> shift) & digit_max;
            // All ones for a sign.
            let sign = code >> 31;
            T::of_i32((magnitude ^ sign) - sign)
        };
        let unit = T::of_i32(digit_max);
        let digits = slice.iter_mut().zip(codes);
        wide(
            #[inline(always)]
            move || match digit_max {
                // A division costs more than all the rest.
                1 => digits.for_each(|(digit, &code)| *digit = cut(code)),
                _ => digits.for_each(|(digit, &code)| *digit = cut(code) / unit),
            },
        );
        T::of(f64::from(digit_max) * (2.0_f64).powi(shift as i32) / self.magnitude_max)
    }
}

/// Values that are counted together.
const PART: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn slices_add_up(bits in 2u32..20, each in 1u32..9, signed: bool, x in -1.5f64..1.5) {
            let coding = if signed { Coding::SignMagnitude } else { Coding::Unsigned };
            let spec = InputSpec { bits, slice_bits: each, coding, ..InputSpec::default() };
            let driver = Driver::<f64>::new(&spec, 0);
            let (driven, clipped) = driver.drive(&[x], 0);
            let (lo, step) = (if signed { -1.0 } else { 0.0 }, 1.0 / driver.magnitude_max);
            prop_assert_eq!(clipped, u64::from(x > 1.0 + 0.5 * step || x < lo - 0.5 * step));
            let (mut codes, mut slice) = ([0], [0.0]);
            driver.codes(&driven, &mut codes);
            let part = |k| driver.slice(&codes, k, &mut slice) * slice[0];
            let sum: f64 = if driver.slices() == 1 { driven[0] } else { (0..driver.slices()).map(part).sum() };
            prop_assert!((sum - driven[0]).abs() < 1e-12, "{sum} {}", driven[0]);
        }
    }
}
