//! Column lines of a core: which conductances hang on each, and its converters.

use std::ops::Range;

use super::circuit::CircuitArray;
use super::curves::Curves;
use super::encoding::Encoding;
use super::making::Making;
use super::mapping::{Array, Mapping, tiles};
use super::pulse::PulseLine;
use super::spec::{Conversion, CoreError, CoreSpec, OutputRange, RangeRule};
use crate::array::{ConverterKind, Subtract};
use crate::converter::{Converter, ConverterError, Real};
use crate::vector::wide;

/// All column lines.
#[derive(Clone, Debug)]
pub(super) struct Lines<T> {
    pub tiles: Vec<Tile<T>>,
    /// What is subtracted from the line of each output.
    pub subtrahend: Subtrahend,
    pub subtract: Subtract,
    /// Conversion after every slice of the input.
    pub each_slice: bool,
    /// What a line does to the sum of its cells.
    pub law: Law<T>,
    /// Converters of all tiles' lines, one set for each slice of weights.
    pub converters: Vec<Converter<T>>,
    /// What a converted unit of current of each slice is worth.
    pub worth: Vec<T>,
    /// What is taken off for a unit of input.
    pub offset: T,
    /// What the products of each output are multiplied with digitally; empty for nothing.
    pub columns: Vec<T>,
    /// Ends between which the current of each output counts; empty where all of it does.
    pub kept: Vec<[T; 2]>,
    /// Currents of cells that are not proportional to their input.
    pub curves: Option<Curves>,
}

/// What a line does to the sum of its cells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Law<T> {
    /// Nothing.
    Linear,
    /// No current beyond this one.
    Limit(T),
    /// Charge on a precharged line; whether the read-out is linearised after its conversion.
    Pulse { linearise: bool },
}

/// Lines of the arrays that share their inputs.
#[derive(Clone, Debug)]
pub(super) struct Tile<T> {
    pub inputs: Range<usize>,
    /// The lines, when they are precharged.
    pub pulse: Option<PulseLine>,
    /// Conductances of each slice, lines x rows: the outputs' lines, then the subtrahends'.
    pub slices: Vec<Vec<T>>,
    /// The same of curved cells at the pivots of each term but the first.
    pub terms: Vec<Vec<Vec<T>>>,
    /// Variances of them from read to read, in the same order; empty for none.
    pub variances: Vec<Vec<T>>,
    /// The arrays, where circuits make currents; empty where they are products.
    pub circuits: Vec<CircuitArray<T>>,
}

/// What is subtracted from the line of an output.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Subtrahend {
    /// Nothing (any more).
    None,
    /// The line of the pair's other cells.
    Partner,
    /// The reference line of the output's tile: index of the tile of every output, number of tiles.
    Reference(Vec<usize>, usize),
}

impl Subtrahend {
    /// Lines beside those of the outputs.
    pub fn lines(&self, outputs: usize) -> usize {
        match self {
            Self::None => 0,
            Self::Partner => outputs,
            Self::Reference(_, tiles) => *tiles,
        }
    }

    /// The line that is subtracted from that of output `j`.
    pub fn of(&self, j: usize, outputs: usize) -> Option<usize> {
        match self {
            Self::None => None,
            Self::Partner => Some(outputs + j),
            Self::Reference(tile, _) => Some(outputs + tile[j]),
        }
    }
}

impl Array {
    /// Whether it holds as many finite conductances as it should.
    pub(super) fn check(&self, encoding: &Encoding) -> Result<(), CoreError> {
        let columns = self.outputs.len() + usize::from(encoding.has_reference());
        let (found, expected) = (self.conductances.len(), columns * self.inputs.len());
        if found != expected {
            return Err(CoreError::Size { what: "conductances of an array", found, expected });
        }
        if !finite(&self.conductances) {
            let index = self.conductances.iter().position(|g| !g.is_finite()).unwrap_or(0);
            return Err(CoreError::NotFinite { what: "conductance", index });
        }
        if !self.noise.is_empty() && self.noise.len() != expected {
            let found = self.noise.len();
            return Err(CoreError::Size { what: "standard deviations of an array", found, expected });
        }
        if !finite(&self.noise) {
            let index = self.noise.iter().position(|sigma| !sigma.is_finite()).unwrap_or(0);
            return Err(CoreError::NotFinite { what: "standard deviation", index });
        }
        Ok(())
    }
}

/// Whether all numbers are finite; without a way out of the loop, so that it is one of vectors.
fn finite(values: &[f64]) -> bool {
    wide(
        #[inline(always)]
        || values.iter().fold(true, |all, value| all & value.is_finite()),
    )
}

impl<T: Real> Lines<T> {
    /// Lines that carry currents: those of the outputs and of what is subtracted from them.
    pub fn width(&self, outputs: usize) -> usize {
        outputs + self.subtrahend.lines(outputs)
    }

    /// Gathers the lines; `converter` makes those of a slice from their number.
    pub fn new(
        mapping: &Mapping,
        converter: impl Fn(usize, usize) -> Result<Converter<T>, ConverterError>,
    ) -> Result<Self, CoreError> {
        let mut making = Making::new(mapping, mapping.is_noisy(), true);
        let same = |a: &Array, b: &Array| (&a.inputs, &a.outputs) == (&b.inputs, &b.outputs);
        for arrays in mapping.arrays.chunk_by(same) {
            making.add(mapping, arrays, |_, _, _| ())?;
        }
        making.finish(mapping, converter)
    }
}

/// Ranges of the output converters of each slice, when they need no data.
pub(super) fn ranges(mapping: &Mapping) -> Result<Vec<[f64; 2]>, CoreError> {
    let spec = mapping.spec();
    Ok(match &spec.output.range {
        OutputRange::Fixed(range) => vec![*range; spec.slices],
        OutputRange::Slices(ranges) => ranges.clone(),
        OutputRange::Outputs { outputs } => {
            let worth = mapping.encoding.factor(0) * mapping.weight_max * spec.input.max;
            // Without weights any range will do.
            vec![if worth > 0.0 { outputs.map(|y| y / worth) } else { [-1.0, 1.0] }]
        }
        OutputRange::Named(RangeRule::Maximum) => vec![maximum(mapping); spec.slices],
        OutputRange::Named(RangeRule::Granular) => vec![granular(mapping)?; spec.slices],
        OutputRange::Named(RangeRule::MinimumError | RangeRule::Percentile(_) | RangeRule::PowerOfTwo(_)) => {
            if spec.output.converter.bits > 0 {
                return Err(CoreError::Uncalibrated);
            }
            Vec::new()
        }
    })
}

/// Everything that can occur: all cells of the longest column at their largest, all inputs full.
fn maximum(mapping: &Mapping) -> [f64; 2] {
    let spec = mapping.spec();
    let tiles = tiles(mapping.inputs, spec.rows, spec.split);
    let rows = tiles.into_iter().map(|tile| tile.len()).max().unwrap_or(0).max(1) as f64;
    let limit = match &spec.pulse {
        Some(pulse) => pulse.active_fraction * rows * pulse.precharge_v / pulse.swing_v,
        None => spec.column_current_max / spec.cells_per_weight as f64,
    };
    if spec.subtract == Subtract::Array && (mapping.encoding.is_pair() || mapping.encoding.has_reference()) {
        // Two lines, each of either sign.
        let most = ((1.0 - spec.conductance_min()) * rows).min(2.0 * limit);
        return [-most, most];
    }
    let most = rows.min(limit);
    [if spec.input.signed() { -most } else { 0.0 }, most]
}

/// A step of the converter is the current of one step of a cell at one step of an input.
fn granular(mapping: &Mapping) -> Result<[f64; 2], CoreError> {
    let spec: &CoreSpec = mapping.spec();
    let refuse = |key, found: String, expected| Err(CoreError::Spec { key, found, expected });
    let digit_max = mapping.encoding.digit_max();
    if digit_max == 0 || spec.input.magnitude_bits() == 0 {
        return refuse("output.range", "granular".into(), "weights and inputs with bits for this rule");
    }
    let in_array =
        spec.subtract == Subtract::Array && (mapping.encoding.is_pair() || mapping.encoding.has_reference());
    if spec.conductance_min() > 0.0 && !in_array {
        // The smallest conductance puts currents between the steps.
        return refuse("output.range", "granular".into(), "on_off_ratio = inf or subtraction in the array");
    }
    let input_max = match spec.output.conversion {
        Conversion::EachSlice => (1_u32 << spec.input.slices().1) - 1,
        Conversion::Accumulated => (1_u32 << spec.input.magnitude_bits()) - 1,
    };
    let step = (1.0 - spec.conductance_min()) / (f64::from(digit_max) * f64::from(input_max));
    let codes = (2.0_f64).powi(spec.output.converter.bits as i32);
    Ok(match spec.output.converter.kind {
        ConverterKind::SignMagnitude => {
            let most = (0.5 * codes - 1.0) * step;
            [-most, most]
        }
        ConverterKind::Uniform if spec.input.signed() || in_array => {
            [-0.5 * codes * step, (0.5 * codes - 1.0) * step]
        }
        ConverterKind::Uniform => [0.0, (codes - 1.0) * step],
        kind => {
            return refuse("output.converter.kind", format!("{kind:?}"), "uniform or sign-magnitude");
        }
    })
}
