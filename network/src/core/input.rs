//! Digital to analog: inputs as fractions of the full input, and their slices.

use mho_data::random::Stream;

use super::spec::{Coding, InputSpec};
use crate::converter::{Real, Uniform};

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
        let mut driven: Vec<T> = inputs.iter().map(|&x| x * self.per_unit).collect();
        let clipped = match (&self.converter, &self.stochastic) {
            (None, _) => {
                let [lo, hi] = self.limits;
                let mut count = 0;
                for x in &mut driven {
                    count += u64::from(!(*x >= lo && *x <= hi));
                    *x = x.max(lo).min(hi);
                }
                count
            }
            (Some(converter), None) => converter.convert_all(&mut driven),
            (Some(converter), Some(stream)) => converter.convert_stochastic(&mut driven, stream, first),
        };
        (driven, clipped)
    }

    /// Number of slices of an input.
    pub fn slices(&self) -> u32 {
        self.slices
    }

    /// Slice `k` of driven inputs, again in units of the full input, and what a unit of it is worth:
    /// sum_k worth_k slice_k is the input.
    pub fn slice(&self, driven: &[T], k: u32, out: &mut Vec<T>) -> T {
        out.clear();
        if self.slices == 1 {
            out.extend_from_slice(driven);
            return T::ONE;
        }
        let digit_max = (1_u32 << self.slice_bits) - 1;
        let shift = self.slice_bits * k;
        out.extend(driven.iter().map(|&x| {
            let x = x.to_f64();
            let magnitude = (x.abs() * self.magnitude_max).round_ties_even() as u32;
            let digit = f64::from(magnitude >> shift & digit_max) / f64::from(digit_max);
            T::of(digit.copysign(x))
        }));
        T::of(f64::from(digit_max) * (2.0_f64).powi(shift as i32) / self.magnitude_max)
    }
}

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
            let mut slice = Vec::new();
            let sum: f64 = (0..driver.slices()).map(|k| driver.slice(&driven, k, &mut slice) * slice[0]).sum();
            prop_assert!((sum - driven[0]).abs() < 1e-12, "{sum} {}", driven[0]);
        }
    }
}
