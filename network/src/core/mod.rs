//! Programmable cores: a matrix of weights on arrays of cells, read through converters.
//!
//! | module | holds |
//! |---|---|
//! | [`spec`] | what a core is |
//! | [`encoding`] | weights as digits of cells, and back |
//! | [`mapping`] | target conductances of all arrays |
//! | [`input`] | digital to analog, slices of inputs |
//! | [`periphery`] | a behavioural read-out: bounds, noise, voltage drop, saturation |
//! | [`pulse`] | inputs as pulse widths, charge on precharged lines |
//!
//! Conductances are in units of a cell's largest, inputs in units of the full input, so that a full
//! cell at full input delivers 1. Matrices are slices: weights are outputs x inputs, inputs are
//! inputs x batch, products outputs x batch, rows one after the other.
//!
//! ```
//! use mho_network::array::ConverterKind;
//! use mho_network::converter::ConverterSpec;
//! use mho_network::core::{Core, CoreSpec, Mapping};
//!
//! let mut spec = CoreSpec { weight_bits: 8, slices: 2, ..CoreSpec::default() };
//! spec.output.converter = ConverterSpec::of(ConverterKind::Uniform, 8);
//! let weights = [0.5, -1.0, 0.25, 0.0, 0.125, 1.0]; // 2 outputs x 3 inputs
//! let mapping = Mapping::new(&weights, 2, 3, &spec)?;
//! // Here devices are programmed: mapping.arrays[..].conductances change.
//! let core = Core::<f64>::new(&mapping)?;
//! let product = core.multiply(&[1.0, 0.0, -1.0], 1)?;
//! assert!((product.outputs[0] - 0.25).abs() < 0.02);
//! assert_eq!(product.counts.outputs_saturated, 0);
//! # Ok::<(), mho_network::core::CoreError>(())
//! ```

mod after;
mod calibrate;
pub mod circuit;
pub mod curves;
pub mod encoding;
pub mod input;
mod lines;
pub(crate) mod making;
pub mod mapping;
mod multiply;
pub mod periphery;
pub mod pulse;
pub(crate) mod scales;
pub mod spec;
pub(crate) mod stripes;
mod weights;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod tests;

use crate::converter::{Converter, ConverterError, Real};
pub(crate) use calibrate::Sums;
use input::Driver;
use lines::Lines;
use making::Making;
pub use mapping::{Array, BiasRows, Mapping, Sign};
pub use multiply::{Counts, Product};
pub use spec::{CoreError, CoreSpec};

/// A core that can be read.
#[derive(Clone, Debug)]
pub struct Core<T> {
    inputs: usize,
    outputs: usize,
    /// Number that drives a row fully.
    input_max: f64,
    driver: Driver<T>,
    /// Inputs of the rows of biases, in units of the full one.
    bias: Vec<T>,
    seed: u64,
    plan: Plan<T>,
}

/// How a product is formed.
#[derive(Clone, Debug)]
enum Plan<T> {
    /// Nothing that is not linear stands between inputs and outputs: one matrix in units of
    /// output / full input.
    Linear(Vec<T>),
    /// Column lines and their converters.
    Lines(Lines<T>),
}

impl<T: Real> Core<T> {
    /// A core with the conductances that stand in `mapping`.
    ///
    /// # Errors
    /// [`CoreError::NotFinite`] for such a conductance or a scale beyond the precision, [`CoreError::Size`] for an array with another
    /// number of them, [`CoreError::Uncalibrated`] when the output range is to come from data (use
    /// [`Core::calibrated`]), [`CoreError::Converter`] for an impossible converter.
    pub fn new(mapping: &Mapping) -> Result<Self, CoreError> {
        let ranges = lines::ranges(mapping)?;
        Self::with_ranges(mapping, &ranges)
    }

    /// As [`Core::new`] with the range of the output converters of each slice given.
    ///
    /// # Errors
    /// As [`Core::new`].
    pub fn with_ranges(mapping: &Mapping, ranges: &[[f64; 2]]) -> Result<Self, CoreError> {
        mapping.arrays.iter().try_for_each(|array| array.check(&mapping.encoding))?;
        if mapping.is_linear(mapping.is_noisy()) {
            let scale = mapping.spec().input.max;
            let matrix = mapping.read_back().iter().map(|w| T::of(w * scale)).collect();
            return Self::assembled(mapping, Plan::Linear(matrix));
        }
        Self::assembled(mapping, Plan::Lines(Lines::new(mapping, converters(mapping, ranges))?))
    }

    /// A core of what `mapping` says without its arrays: of lines, which have taken all of them.
    pub(crate) fn made(mapping: &Mapping, making: Making<T>) -> Result<Self, CoreError> {
        let ranges = lines::ranges(mapping)?;
        Self::assembled(mapping, Plan::Lines(making.finish(mapping, converters(mapping, &ranges))?))
    }

    /// The same where nothing stands between inputs and outputs but a matrix, for full inputs.
    pub(crate) fn of_matrix(mapping: &Mapping, matrix: Vec<T>) -> Result<Self, CoreError> {
        Self::assembled(mapping, Plan::Linear(matrix))
    }

    fn assembled(mapping: &Mapping, plan: Plan<T>) -> Result<Self, CoreError> {
        let spec = mapping.spec();
        if !T::of(mapping.weight_max * spec.input.max).to_f64().is_finite() {
            return Err(CoreError::NotFinite { what: "weight x input", index: 0 });
        }
        let bias = mapping.bias.map_or(0, |bias| bias.rows);
        let Some(inputs) = mapping.inputs.checked_sub(bias) else {
            return Err(CoreError::Size { what: "rows of biases", found: bias, expected: mapping.inputs });
        };
        let levels = mapping.bias.iter().flat_map(BiasRows::inputs);
        Ok(Self {
            inputs,
            outputs: mapping.outputs,
            input_max: spec.input.max,
            driver: Driver::new(&spec.input, spec.seed),
            bias: levels.map(|level| T::of(level / spec.input.max)).collect(),
            seed: spec.seed,
            plan,
        })
    }

    /// Numbers that enter a product.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Rows of its arrays: those of the inputs, then those of biases.
    fn rows(&self) -> usize {
        self.inputs + self.bias.len()
    }

    /// Numbers that leave it.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Whether products are one product of matrices, without converters between.
    pub fn is_linear(&self) -> bool {
        matches!(self.plan, Plan::Linear(_))
    }
}

/// Makes the converters of a slice from their number.
fn converters<'a, T: Real>(
    mapping: &'a Mapping,
    ranges: &'a [[f64; 2]],
) -> impl Fn(usize, usize) -> Result<Converter<T>, ConverterError> + 'a {
    let spec = mapping.spec();
    move |lines, slice| {
        let range = ranges.get(slice).or(ranges.last()).copied().unwrap_or([0.0, 0.0]);
        Converter::new(&spec.output.converter, range, lines, spec.seed.wrapping_add(slice as u64))
    }
}

impl Mapping {
    /// Whether nothing that is not linear stands between inputs and outputs.
    pub(crate) fn is_linear(&self, noisy: bool) -> bool {
        let spec = self.spec();
        let lines = spec.column_current_max.is_infinite() && spec.pulse.is_none();
        let products = self.circuit.is_none() && self.curves.is_none();
        spec.output.converter.bits == 0 && lines && products && !noisy
    }
}
