//! Column lines of a core: which conductances hang on each, and its converters.

use std::ops::Range;

use super::gated::GatedArray;
use super::mapping::{Array, Mapping, Sign};
use super::pulse::PulseLine;
use super::spec::{Conversion, CoreError, CoreSpec, OutputRange, RangeRule};
use crate::array::{ConverterKind, Subtract};
use crate::converter::{Converter, ConverterError, Real};

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
    /// Variances of them from read to read, in the same order; empty for none.
    pub variances: Vec<Vec<T>>,
    /// The arrays, where gates and wires make currents; empty where they are products.
    pub gated: Vec<GatedArray<T>>,
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

/// Whether the arrays hold as many finite conductances as they should.
pub(super) fn check(mapping: &Mapping) -> Result<(), CoreError> {
    for array in &mapping.arrays {
        let columns = array.outputs.len() + usize::from(mapping.encoding.has_reference());
        let (found, expected) = (array.conductances.len(), columns * array.inputs.len());
        if found != expected {
            return Err(CoreError::Size { what: "conductances of an array", found, expected });
        }
        if let Some(index) = array.conductances.iter().position(|g| !g.is_finite()) {
            return Err(CoreError::NotFinite { what: "conductance", index });
        }
        if !array.noise.is_empty() && array.noise.len() != expected {
            let found = array.noise.len();
            return Err(CoreError::Size { what: "standard deviations of an array", found, expected });
        }
        if let Some(index) = array.noise.iter().position(|sigma| !sigma.is_finite()) {
            return Err(CoreError::NotFinite { what: "standard deviation", index });
        }
    }
    Ok(())
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
        let (spec, encoding, outputs) = (mapping.spec(), &mapping.encoding, mapping.outputs);
        let mut starts: Vec<usize> = mapping.arrays.iter().map(|a| a.outputs.start).collect();
        starts.sort_unstable();
        starts.dedup();
        let tile_of = |j: usize| starts.partition_point(|&start| start <= j).saturating_sub(1);
        let subtrahend = if encoding.is_pair() {
            Subtrahend::Partner
        } else if encoding.has_reference() {
            Subtrahend::Reference((0..outputs).map(tile_of).collect(), starts.len())
        } else {
            Subtrahend::None
        };
        let share = 1.0 / spec.cells_per_weight as f64;
        let law = match &spec.pulse {
            Some(pulse) => Law::Pulse { linearise: pulse.linearise },
            // In the same units as the lines, which are means over equal cells.
            None if spec.column_current_max.is_finite() => Law::Limit(T::of(spec.column_current_max * share)),
            None => Law::Linear,
        };
        // Of linear lines, a subtraction in the array is one of conductances.
        let alone = mapping.gated.as_ref().is_some_and(|gated| !gated.interleaved);
        let merged = spec.subtract == Subtract::Array && law == Law::Linear && !alone;
        let lines = outputs + subtrahend.lines(outputs);
        let gather = |what: Cells, weight: f64| -> Vec<Vec<Vec<T>>> {
            let mut tiles: Vec<(&Range<usize>, Vec<Vec<f64>>)> = Vec::new();
            for array in &mapping.arrays {
                if tiles.last().is_none_or(|(inputs, _)| **inputs != array.inputs) {
                    tiles.push((&array.inputs, vec![vec![0.0; lines * array.inputs.len()]; spec.slices]));
                }
                let Some((inputs, slices)) = tiles.last_mut() else { continue };
                let rows = inputs.len();
                let mut add = |line: usize, cells: &[f64]| {
                    let line = &mut slices[array.slice][line * rows..(line + 1) * rows];
                    line.iter_mut().zip(cells).for_each(|(sum, &cell)| *sum += weight * what.of(cell));
                };
                let (columns, reference) = array.split(what.list(array), encoding);
                let first = if array.sign == Sign::Negative { outputs } else { 0 };
                for (j, column) in array.outputs.clone().zip(columns.chunks_exact(rows.max(1))) {
                    add(first + j, column);
                }
                if let Some(cells) = reference {
                    add(outputs + tile_of(array.outputs.start), cells);
                }
            }
            if merged {
                for (inputs, slices) in &mut tiles {
                    for lines in slices {
                        merge(lines, inputs.len(), outputs, &subtrahend, what.sign());
                    }
                }
            }
            // Wide lines are given back one by one: they are the most that a core holds while it is made.
            let narrow = |lines: Vec<f64>| -> Vec<T> { lines.into_iter().map(T::of).collect() };
            tiles.into_iter().map(|(_, slices)| slices.into_iter().map(narrow).collect()).collect()
        };
        let mut conductances = gather(Cells::Conductances, share);
        // Independent errors of equal cells: the variance of the mean.
        let mut variances =
            if mapping.is_noisy() { gather(Cells::Variances, share * share) } else { Vec::new() };
        let mut inputs: Vec<Range<usize>> = mapping.arrays.iter().map(|a| a.inputs.clone()).collect();
        inputs.dedup();
        let subtrahend = if merged { Subtrahend::None } else { subtrahend };
        let converted = match spec.subtract {
            Subtract::Array => outputs,
            Subtract::Digital => lines,
        };
        let converters = (0..spec.slices)
            .map(|slice| converter(converted * inputs.len(), slice))
            .collect::<Result<_, _>>()?;
        let scale = mapping.weight_max * spec.input.max;
        let mut gated = match &mapping.gated {
            Some(gated) => {
                let reference = |start: usize| outputs + tile_of(start);
                inputs
                    .iter()
                    .map(|inputs| gated.arrays(mapping, inputs, reference))
                    .collect::<Result<_, _>>()?
            }
            None => Vec::new(),
        };
        let tile = |(number, inputs): (usize, Range<usize>)| Tile {
            pulse: spec.pulse.as_ref().map(|pulse| PulseLine::new(pulse, inputs.len())),
            inputs,
            slices: std::mem::take(&mut conductances[number]),
            variances: variances.get_mut(number).map(std::mem::take).unwrap_or_default(),
            gated: gated.get_mut(number).map(std::mem::take).unwrap_or_default(),
        };
        Ok(Self {
            tiles: inputs.into_iter().enumerate().map(tile).collect(),
            subtrahend,
            subtract: spec.subtract,
            each_slice: spec.output.conversion == Conversion::EachSlice,
            law,
            converters,
            worth: (0..spec.slices).map(|slice| T::of(encoding.factor(slice) * scale)).collect(),
            offset: T::of(encoding.offset() * scale),
        })
    }
}

/// What is gathered on lines.
#[derive(Clone, Copy)]
enum Cells {
    Conductances,
    Variances,
}

impl Cells {
    fn list(self, array: &Array) -> &[f64] {
        match self {
            Self::Conductances => &array.conductances,
            Self::Variances => &array.noise,
        }
    }

    /// What a cell of the list adds to its line.
    fn of(self, cell: f64) -> f64 {
        match self {
            Self::Conductances => cell,
            Self::Variances => cell * cell,
        }
    }

    /// Sign of the subtrahend in a difference of lines.
    fn sign(self) -> f64 {
        match self {
            Self::Conductances => -1.0,
            Self::Variances => 1.0,
        }
    }
}

/// Adds to the line of every output `sign` times its subtrahend, and drops the subtrahends' lines.
fn merge(lines: &mut Vec<f64>, rows: usize, outputs: usize, subtrahend: &Subtrahend, sign: f64) {
    let (own, others) = lines.split_at_mut(outputs * rows);
    for (j, line) in own.chunks_exact_mut(rows.max(1)).enumerate() {
        if let Some(other) = subtrahend.of(j, 0) {
            line.iter_mut().zip(&others[other * rows..]).for_each(|(g, other)| *g += sign * other);
        }
    }
    lines.truncate(outputs * rows);
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
    let rows = mapping.arrays.iter().map(|a| a.inputs.len()).max().unwrap_or(0).max(1) as f64;
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
