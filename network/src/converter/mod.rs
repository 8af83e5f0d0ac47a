//! Converters between numbers and analog quantities.
//!
//! | module | holds |
//! |---|---|
//! | [`uniform`] | equal steps: two-ended, sign and magnitude, stochastic rounding |
//! | [`circuit`] | circuits with mismatch: ramp, SAR, pipeline, cyclic |
//! | [`capacitors`], [`search`], [`stages`] | what those circuits are made of |
//! | [`range`] | ranges found from data |
//!
//! A [`Converter`] converts rows of values, one row per column of an array, and counts what saturates.
//!
//! ```
//! use mho_network::converter::{Converter, ConverterSpec};
//!
//! let spec = ConverterSpec { bits: 8, ..ConverterSpec::default() };
//! let converter = Converter::<f64>::new(&spec, [-1.0, 1.0], 1, 0)?;
//! let mut values = [0.3, 7.0];
//! let saturated = converter.convert_column(0, &mut values);
//! assert_eq!((values[1], saturated), (1.0, 1));
//! # Ok::<(), mho_network::converter::ConverterError>(())
//! ```

pub mod capacitors;
pub mod circuit;
#[cfg(test)]
pub(crate) mod golden;
pub mod range;
mod real;
pub mod search;
pub mod stages;
pub mod uniform;

#[cfg(test)]
mod tests;

use mho_data::random::Stream;
use serde::{Deserialize, Serialize};

use crate::array::ConverterKind;
use circuit::{Circuit, Draws, Instance};
pub use real::Real;
pub use uniform::Uniform;

/// A converter as a document says it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConverterSpec {
    /// Kind of converter.
    pub kind: ConverterKind,
    /// Bits of a code; 0 for a converter that changes nothing.
    pub bits: u32,
    /// Up or down at random, with the value itself as expectation (uniform kinds only).
    pub stochastic_rounding: bool,
    /// Imperfections of the circuit kinds.
    pub circuit: Circuit,
}

impl Default for ConverterSpec {
    fn default() -> Self {
        Self {
            kind: ConverterKind::Uniform,
            bits: 0,
            stochastic_rounding: false,
            circuit: Circuit::default(),
        }
    }
}

impl ConverterSpec {
    /// A converter that changes nothing.
    pub fn ideal() -> Self {
        Self::default()
    }

    /// An ideal converter of a kind.
    pub fn of(kind: ConverterKind, bits: u32) -> Self {
        Self { kind, bits, ..Self::default() }
    }
}

/// Why a converter cannot be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ConverterError {
    /// Bits outside what the kind can have.
    #[error("found bits = {found}, expected {least} to {most} for this kind of converter, or 0 for none")]
    Bits {
        /// Bits asked for.
        found: u32,
        /// Fewest.
        least: u32,
        /// Most.
        most: u32,
    },
    /// A range without extent.
    #[error("found range [{lo}, {hi}], expected two finite numbers, the second larger")]
    Range {
        /// Lower end.
        lo: f64,
        /// Upper end.
        hi: f64,
    },
    /// A parameter of the circuit that means nothing.
    #[error("found {name} = {found}, expected {expected}")]
    Circuit {
        /// Parameter.
        name: &'static str,
        /// Its value.
        found: f64,
        /// What it may be.
        expected: &'static str,
    },
    /// Random rounding of a circuit.
    #[error("found stochastic_rounding for a circuit, expected kind uniform or sign-magnitude with it")]
    Stochastic,
}

/// Most bits of a circuit: its levels are tabulated.
const CIRCUIT_BITS: u32 = 16;

/// The converters of all columns of an array.
#[derive(Clone, Debug)]
pub struct Converter<T> {
    inner: Inner<T>,
    bits: u32,
    stochastic: Option<Stream>,
}

#[derive(Clone, Debug)]
enum Inner<T> {
    Ideal,
    Uniform(Uniform<T>),
    /// Instances of groups of so many columns.
    Circuit {
        reference: f64,
        instances: Vec<Instance>,
        columns_each: usize,
    },
}

impl<T: Real> Converter<T> {
    /// Converters of `columns` columns over `range`; the mismatch of circuits and random rounding
    /// depend on `seed` alone. A circuit spans +-max(|lo|, |hi|), as its reference does, and so does
    /// a converter with sign and magnitude.
    ///
    /// # Errors
    /// [`ConverterError`] when the specification or the range cannot be had.
    pub fn new(
        spec: &ConverterSpec,
        range: [f64; 2],
        columns: usize,
        seed: u64,
    ) -> Result<Self, ConverterError> {
        let stream = Stream::new(seed, &["converter mismatch"], &[]);
        let columns_each = match spec.kind {
            ConverterKind::Ramp => columns,
            _ => spec.circuit.columns_per_converter,
        }
        .max(1);
        let draw = |group: usize| {
            Draws::sample(spec.kind, spec.bits, &spec.circuit, &stream, group as u64, columns_each)
        };
        let groups = columns.div_ceil(columns_each).max(1);
        let mut made = Self::with_draws(spec, range, columns_each, groups, draw)?;
        made.stochastic = spec.stochastic_rounding.then(|| Stream::new(seed, &["stochastic rounding"], &[]));
        Ok(made)
    }

    /// As [`Converter::new`] with the mismatch of each of `groups` groups of `columns_each` columns
    /// given by `draw`.
    ///
    /// # Errors
    /// As [`Converter::new`].
    pub fn with_draws(
        spec: &ConverterSpec,
        [lo, hi]: [f64; 2],
        columns_each: usize,
        groups: usize,
        draw: impl Fn(usize) -> Draws,
    ) -> Result<Self, ConverterError> {
        if spec.bits == 0 {
            return Ok(Self { inner: Inner::Ideal, bits: 0, stochastic: None });
        }
        check(spec, T::BITS)?;
        if !(lo.is_finite() && hi.is_finite() && hi > lo) {
            return Err(ConverterError::Range { lo, hi });
        }
        let reference = lo.abs().max(hi.abs());
        let inner = match spec.kind {
            ConverterKind::Uniform => Inner::Uniform(Uniform::new(spec.bits, lo, hi)),
            ConverterKind::SignMagnitude => Inner::Uniform(Uniform::sign_magnitude(spec.bits, reference)),
            kind => {
                let instance = |group| Instance::new(kind, spec.bits, &spec.circuit, draw(group));
                let instances = (0..groups).filter_map(instance).collect();
                Inner::Circuit { reference, instances, columns_each }
            }
        };
        Ok(Self { inner, bits: spec.bits, stochastic: None })
    }

    /// A converter that changes nothing.
    pub fn ideal() -> Self {
        Self { inner: Inner::Ideal, bits: 0, stochastic: None }
    }

    /// Whether it changes nothing.
    pub fn is_ideal(&self) -> bool {
        matches!(self.inner, Inner::Ideal)
    }

    /// Whether every column and every read converts alike, so that all values may come as one.
    pub fn is_alike(&self) -> bool {
        !matches!(self.inner, Inner::Circuit { .. }) && self.stochastic.is_none()
    }

    /// The one quantiser of all columns and reads, if that is what it is.
    pub(crate) fn uniform(&self) -> Option<&Uniform<T>> {
        match &self.inner {
            Inner::Uniform(uniform) if self.stochastic.is_none() => Some(uniform),
            _ => None,
        }
    }

    /// Distance of two levels; `None` for a converter that changes nothing.
    pub fn step(&self) -> Option<f64> {
        match &self.inner {
            Inner::Ideal => None,
            Inner::Uniform(uniform) => Some(uniform.step().to_f64()),
            Inner::Circuit { reference, .. } => Some(reference * (2.0_f64).powi(1 - self.bits as i32)),
        }
    }

    /// Converts one value of one column.
    pub fn convert(&self, column: usize, value: T) -> T {
        let mut values = [value];
        self.convert_column(column, &mut values);
        values[0]
    }

    /// Converts the values of one column in place; returns how many saturated, that is, lay more than
    /// half a step outside the range. Random rounding numbers its draws from the first value of the
    /// column, column by column 2^32 apart; see [`Converter::convert_at`] for more calls.
    pub fn convert_column(&self, column: usize, values: &mut [T]) -> u64 {
        self.convert_at(column, 0, values)
    }

    /// As [`Converter::convert_column`] for values `first..` of the column.
    pub fn convert_at(&self, column: usize, first: u64, values: &mut [T]) -> u64 {
        match (&self.inner, &self.stochastic) {
            (Inner::Ideal, _) => 0,
            (Inner::Uniform(uniform), None) => uniform.convert_all(values),
            (Inner::Uniform(uniform), Some(stream)) => {
                uniform.convert_stochastic(values, stream, ((column as u64) << 32).wrapping_add(first))
            }
            (Inner::Circuit { reference, instances, columns_each }, _) => {
                let Some(instance) = instances.get(column / columns_each).or(instances.last()) else {
                    return 0;
                };
                let step = (2.0_f64).powi(1 - self.bits as i32);
                let mut saturated = 0;
                let per_reference = 1.0 / reference;
                let mut codes = [0.0; 1024];
                for part in values.chunks_mut(codes.len()) {
                    let codes = &mut codes[..part.len()];
                    for (code, value) in codes.iter_mut().zip(&*part) {
                        let input = value.to_f64() * per_reference;
                        // The last level lies half a step inside the reference: an error of more than
                        // half a step begins at the reference.
                        saturated += u64::from(input.is_nan() || input.abs() > 1.0);
                        *code = if input > -1.0 { input.min(1.0) } else { -1.0 }; // a NaN too
                    }
                    instance.codes(column % columns_each, codes);
                    for (value, code) in part.iter_mut().zip(codes) {
                        *value = T::of(reference * (-1.0 + step * (*code + 0.5)));
                    }
                }
                saturated
            }
        }
    }
}

/// Whether a specification can be had with `most` bits of a uniform converter.
fn check(spec: &ConverterSpec, most: u32) -> Result<(), ConverterError> {
    let (least, most) = match spec.kind {
        ConverterKind::Uniform => (1, most),
        ConverterKind::SignMagnitude => (2, most),
        _ => (2, CIRCUIT_BITS),
    };
    if !(least..=most).contains(&spec.bits) {
        return Err(ConverterError::Bits { found: spec.bits, least, most });
    }
    if !matches!(spec.kind, ConverterKind::Uniform | ConverterKind::SignMagnitude) {
        if spec.stochastic_rounding {
            return Err(ConverterError::Stochastic);
        }
        let circuit = &spec.circuit;
        let wrong = |name, found, expected| Err(ConverterError::Circuit { name, found, expected });
        if circuit.gain_db.is_nan() || circuit.gain_db < 0.0 {
            return wrong("gain_db", circuit.gain_db, "0 or more, or inf");
        }
        for (name, sigma) in [
            ("sigma_capacitor", circuit.sigma_capacitor),
            ("sigma_parasitic", circuit.sigma_parasitic),
            ("sigma_comparator", circuit.sigma_comparator),
        ] {
            if !(0.0..=1.0).contains(&sigma) {
                return wrong(name, sigma, "0 to 1");
            }
        }
    }
    Ok(())
}
