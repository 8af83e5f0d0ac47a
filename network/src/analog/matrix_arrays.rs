//! One matrix on arrays, in double precision: products with it and with its transpose, what its cells hold,
//! and weights that are written anew.
//!
//! ```
//! use mho_network::analog::{Direction, MatrixArrays, WeightMatrix};
//! use mho_network::array::ArrayConfig;
//! use mho_network::effects::Effects;
//! use mho_network::evaluate::Condition;
//!
//! let weights = WeightMatrix { values: &[0.5, -1.0, 0.25, 1.0], outputs: 2, inputs: 2 };
//! let x = [1.0, 0.5, -0.5, 0.25]; // two vectors
//! let arrays = MatrixArrays::new(weights, &x, Direction::Forward, &ArrayConfig::default(), None)?;
//! let condition = Condition::new(0.0, 0.0, Effects::QUANTISATION);
//! let programmed = arrays.program(&condition, &arrays.draws(1, 0))?;
//! let (y, statistics) = programmed.multiply(&x)?;
//! assert!((y[1] - 0.75).abs() < 0.02);
//! assert_eq!(statistics.output_conversions, 4);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::ops::Range;

use rayon::prelude::*;

use super::calibrate;
use super::devices::Devices;
use super::draws::Draws;
use super::error::AnalogError;
use super::program::Programming;
use super::programmed::{LayerStatistics, SECOND_READ};
use super::record::Seen;
use super::wires::{Lines, Near, WireStatistics};
use super::{Setup, total};
use crate::array::{ArrayConfig, WeightScale};
use crate::core::scales::Scales;
use crate::core::spec::{CoreError, CoreSpec, OutputRange};
use crate::core::stripes::Stripes;
use crate::core::{Core, Counts, Mapping, Sign};
use crate::effects::Effects;
use crate::evaluate::Condition;
use crate::product::{View, product};

/// The matrix in words.
const NAME: &str = "matrix";
/// Vectors that are multiplied at once.
const VECTORS: usize = 64;
/// Turn of programming of cells that are written anew: none that a refresh reaches.
const REWRITTEN: u64 = 1 << 63;

/// Tolerance of currents behind wires: a matrix has no trials to be quick for.
const ROUNDING: f64 = 1e-12;

/// Weights, outputs x inputs, those of an output together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WeightMatrix<'a> {
    /// The weights.
    pub values: &'a [f64],
    /// Outputs.
    pub outputs: usize,
    /// Inputs.
    pub inputs: usize,
}

/// Which end of the cells is driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Rows are driven and columns read: products with the matrix.
    Forward,
    /// Columns are driven and rows read: products with its transpose.
    Transposed,
}

/// A matrix on arrays, before anything is programmed.
#[derive(Debug)]
pub struct MatrixArrays<'a> {
    setup: Setup<'a>,
    weights: Vec<f64>,
    rewritten: Option<Vec<f64>>,
    outputs: usize,
    inputs: usize,
    direction: Direction,
    digital: bool,
    two_reads: bool,
    /// With the largest weight and the ranges of all converters without wires.
    spec: CoreSpec,
    /// Ranges of the output converters behind wires, or of curved cells, where they come from data.
    circuit_ranges: Option<Vec<[f64; 2]>>,
    near: Vec<Near>,
}

/// The cells of one array.
#[derive(Clone, Debug, PartialEq)]
pub struct Cells {
    /// Inputs on its rows.
    pub inputs: Range<usize>,
    /// Outputs on its columns.
    pub outputs: Range<usize>,
    /// Slice of the weights' bits, 0 the lowest.
    pub slice: usize,
    /// Sign with which its currents count.
    pub sign: Sign,
    /// Number among equal arrays.
    pub copy: usize,
    /// Conductances (S), rows x columns; a reference column is the last.
    pub conductance_s: Vec<f64>,
}

/// A programmed matrix, ready to be read.
#[derive(Debug)]
pub struct ProgrammedMatrix {
    read: Read,
    two_reads: bool,
    /// Numbers that enter and leave a product.
    lengths: [usize; 2],
    read_back: Vec<f64>,
    statistics: LayerStatistics,
}

#[derive(Debug)]
enum Read {
    /// Weights without converters and noise, results x inputs.
    Matrix(Vec<f64>),
    Core(Box<Core<f64>>),
}

impl<'a> MatrixArrays<'a> {
    /// Maps `matrix`, whose arrays behind wires are solved to rounding, and finds the ranges of the converters from
    /// `calibration`: vectors one after the other, each of as many numbers as enter a product in this direction.
    ///
    /// # Errors
    /// [`AnalogError`] when the configuration, the table, the matrix and the vectors do not fit together, and
    /// for a transpose of gated arrays, whose columns nothing can drive.
    pub fn new(
        matrix: WeightMatrix<'_>,
        calibration: &[f64],
        direction: Direction,
        array: &ArrayConfig,
        devices: Option<Devices<'a>>,
    ) -> Result<Self, AnalogError> {
        let mut setup = Setup::new(array, devices)?;
        setup.array.array.wire_tolerance = ROUNDING;
        let array = &setup.array;
        let WeightMatrix { values: weights, outputs, inputs } = matrix;
        let known = |name: &&String| ["first", "last", NAME].contains(&name.as_str());
        if let Some(found) = array.mapping.digital_layers.iter().find(|name| !known(name)) {
            return Err(AnalogError::NoLayer { found: found.clone(), known: NAME.to_owned() });
        }
        let digital = !array.mapping.digital_layers.is_empty();
        if direction == Direction::Transposed && array.array.topology.gated() {
            return Err(AnalogError::GatedTranspose);
        }
        if direction == Direction::Transposed && setup.curves.is_some() && array.wires().is_some() {
            return Err(AnalogError::CurvedTranspose);
        }
        let length = if direction == Direction::Transposed { outputs } else { inputs };
        if calibration.is_empty() || length == 0 || !calibration.len().is_multiple_of(length) {
            return Err(AnalogError::NoCalibration);
        }
        let seen = Seen::all(calibration, length);
        let input = calibrate::input_range(array, std::slice::from_ref(&seen));
        let two_reads = array.in_two_reads(input);
        let mut spec = array.core_spec(input);
        let mut mapping = Mapping::new(weights, outputs, inputs, &spec).map_err(wrong)?;
        spec.weight_max = (mapping.weight_max > 0.0).then_some(mapping.weight_max);
        let from_data = !digital && spec.output.range.is_from_data() && spec.output.converter.bits > 0;
        let reads = if from_data { calibrate::samples(&seen, two_reads) } else { Vec::new() };
        let ranges = |mapping: &Mapping| -> Result<Vec<[f64; 2]>, AnalogError> {
            let turned = turned(mapping, direction)?;
            let found = Core::<f64>::ranges_of_reads(&turned, &reads).map_err(wrong)?;
            Ok(found.into_iter().map(|range| calibrate::with_zero(range, &spec)).collect())
        };
        let ideal = from_data.then(|| ranges(&mapping)).transpose()?;
        let (mut near, mut circuit_ranges) = (Vec::new(), None);
        let wires = array.wires();
        let lines = wires.as_ref().map(|wires| Lines::new(array, wires, setup.curves.as_ref()));
        if !digital && (lines.is_some() || setup.curves.is_some()) {
            if let Some(lines) = &lines {
                if let Some(noise) = setup.read_noise() {
                    for array in &mut mapping.arrays {
                        array.noise = array.conductances.iter().map(|&g| noise.sigma(g)).collect();
                    }
                }
                lines.apply_first(&mut mapping, NAME, &mut 0, &mut near)?;
                mapping.circuit = lines.circuit();
                mapping.arrays.iter_mut().for_each(|array| array.noise.clear());
            }
            mapping.curves.clone_from(&setup.curves);
            circuit_ranges = from_data.then(|| ranges(&mapping)).transpose()?;
        }
        if let Some(ranges) = ideal {
            spec.output.range = OutputRange::Slices(ranges);
        }
        let weights = weights.to_vec();
        let rewritten = None;
        Ok(Self {
            setup,
            weights,
            rewritten,
            outputs,
            inputs,
            direction,
            digital,
            two_reads,
            spec,
            circuit_ranges,
            near,
        })
    }

    /// Writes other weights over those that were programmed: cells whose weight changes are programmed anew,
    /// all others stay as they are. The largest weight remains that of the first programming.
    ///
    /// # Errors
    /// [`AnalogError::Core`] for another number of weights, or one that is not finite.
    pub fn rewrite(&mut self, weights: &[f64]) -> Result<(), AnalogError> {
        Mapping::new(weights, self.outputs, self.inputs, &self.spec).map_err(wrong)?;
        if self.spec.scale == WeightScale::Column {
            // Cells that keep their weight would no longer mean it.
            let expected = "one scale for the layer, where weights are written anew";
            return Err(wrong(CoreError::Spec { key: "scale", found: "column".into(), expected }));
        }
        self.rewritten = Some(weights.to_vec());
        Ok(())
    }

    /// |weight| that takes the full current.
    pub fn weight_max(&self) -> f64 {
        self.spec.weight_max.unwrap_or(0.0)
    }

    /// Magnitude of an input that drives a row fully.
    pub fn input_max(&self) -> f64 {
        self.spec.input.max
    }

    /// The draws of all cells of a trial, common to all conditions.
    pub fn draws(&self, seed: u64, trial: u64) -> Draws {
        Draws { seed, trial }
    }

    /// The cells of one trial at one condition, as they were programmed and have changed since.
    ///
    /// # Errors
    /// As [`Self::program`].
    pub fn cells(&self, condition: &Condition, draws: &Draws) -> Result<Vec<Cells>, AnalogError> {
        let programming = self.setup.programming(condition)?;
        let mapping = self.programmed(condition.effects, &programming, draws)?;
        let most_s = self.setup.array.cell.conductance_max_s();
        let cells = |array: &crate::core::Array| {
            let rows = array.inputs.len();
            let columns = array.conductances.len() / rows.max(1);
            let at = |row: usize, column: usize| most_s * array.conductances[column * rows + row];
            Cells {
                inputs: array.inputs.clone(),
                outputs: array.outputs.clone(),
                slice: array.slice,
                sign: array.sign,
                copy: array.copy,
                conductance_s: (0..rows)
                    .flat_map(|row| (0..columns).map(move |column| at(row, column)))
                    .collect(),
            }
        };
        Ok(mapping.arrays.iter().map(cells).collect())
    }

    /// The matrix of one trial at one condition. All effects off is the digital matrix.
    ///
    /// # Errors
    /// [`AnalogError`], when the table does not know the condition, the wires of an array cannot be solved, or
    /// read noise behind wires is asked for in the transposed direction.
    pub fn program(&self, condition: &Condition, draws: &Draws) -> Result<ProgrammedMatrix, AnalogError> {
        let effects = condition.effects;
        let programming = self.setup.programming(condition)?;
        let array = &self.setup.array;
        let wires = if effects.wires { array.wires() } else { None };
        let lines = wires.as_ref().map(|wires| Lines::new(array, wires, programming.curves.as_ref()));
        let target = self.rewritten.as_ref().unwrap_or(&self.weights);
        let statistics = LayerStatistics { name: NAME.into(), weights: target.len(), ..Default::default() };
        let untouched =
            effects.and(Effects::QUANTISATION) == Effects::NONE && programming.is_ideal() && lines.is_none();
        if self.digital || untouched {
            let turned = match self.direction {
                Direction::Forward => target.clone(),
                Direction::Transposed => transposed(target, self.outputs, self.inputs),
            };
            return Ok(self.finished(Read::Matrix(turned), false, target.clone(), statistics));
        }
        let mut mapping = self.programmed(effects, &programming, draws)?;
        let spec = mapping.spec().clone();
        let gates = lines.as_ref().is_some_and(Lines::gated);
        let noisy = programming.noise.is_some();
        if self.direction == Direction::Transposed && noisy && lines.is_some() {
            return Err(AnalogError::NoisyTranspose);
        }
        let scales = Scales::of(target, self.outputs, &spec, &[]);
        let stripes = Stripes::new((self.outputs, self.inputs), &spec, scales).map_err(wrong)?;
        let gains = programming.gains(&stripes, target, 0, draws);
        let read_back = mapping.read_back();
        let count = mapping.arrays.iter().map(|array| array.conductances.len()).sum::<usize>();
        let sum = total(mapping.arrays.iter().flat_map(|array| array.conductances.iter().copied()));
        let mut wires = WireStatistics::default();
        if let Some(lines) = &lines {
            wires = lines.apply(&mut mapping, NAME, &mut 0, &self.near, None)?;
        }
        mapping.circuit = lines.as_ref().and_then(Lines::circuit);
        match &mut mapping.circuit {
            // Behind its wires.
            Some(circuit) => gains.of_outputs().clone_into(&mut circuit.gains),
            None => gains.apply(&mut mapping),
        }
        mapping.curves.clone_from(&programming.curves);
        let found = mapping.read_back();
        let scale = if mapping.weight_max > 0.0 { 1.0 / mapping.weight_max } else { 0.0 };
        let square =
            total(found.iter().zip(target).map(|(found, wanted)| ((found - wanted) * scale).powi(2)));
        let statistics = LayerStatistics {
            weights_clipped: mapping.clipped,
            weight_rms_error: (square / target.len().max(1) as f64).sqrt(),
            mean_current_na: sum / count.max(1) as f64 * array.cell.largest_current_na(),
            wires,
            ..statistics
        };
        let mapping = turned(&mapping, self.direction)?;
        let curved = programming.curves.is_some();
        let converted = effects.input_converters || effects.output_converters || noisy || gates || curved;
        let read = if converted {
            Read::Core(Box::new(Core::new(&mapping).map_err(wrong)?))
        } else {
            Read::Matrix(mapping.read_back())
        };
        let two_reads = self.two_reads && calibrate::converts_inputs(&self.spec, effects, gates);
        Ok(self.finished(read, two_reads, read_back, statistics))
    }

    fn finished(
        &self,
        read: Read,
        two_reads: bool,
        read_back: Vec<f64>,
        statistics: LayerStatistics,
    ) -> ProgrammedMatrix {
        let lengths = match self.direction {
            Direction::Forward => [self.inputs, self.outputs],
            Direction::Transposed => [self.outputs, self.inputs],
        };
        ProgrammedMatrix { read, two_reads, lengths, read_back, statistics }
    }

    /// All arrays with their cells and the noise of these, in front of the wires.
    fn programmed(
        &self,
        effects: Effects,
        programming: &Programming,
        draws: &Draws,
    ) -> Result<Mapping, AnalogError> {
        let wires = if effects.wires { self.setup.array.wires() } else { None };
        let (gates, curved) =
            (wires.is_some_and(|wires| wires.topology.gated()), programming.curves.is_some());
        let mut spec = self.spec.clone();
        if let Some(ranges) = self.circuit_ranges.as_ref().filter(|_| wires.is_some() || curved) {
            spec.output.range = OutputRange::Slices(ranges.clone());
        }
        let mut spec = calibrate::with_effects(&spec, effects, gates, curved);
        spec.seed = draws.core(0);
        let least = spec.conductance_min();
        let written = |weights: &[f64], cycle: u64| {
            let mut mapping = Mapping::new(weights, self.outputs, self.inputs, &spec).map_err(wrong)?;
            let mut stream = programming.cells_of(0, cycle, draws);
            programming.program(&mut mapping.arrays, least, &mut stream);
            Ok::<_, AnalogError>(mapping)
        };
        let mut mapping = written(&self.weights, programming.cycle)?;
        if let Some(weights) = &self.rewritten {
            let other = written(weights, programming.cycle ^ REWRITTEN)?;
            for (array, other) in mapping.arrays.iter_mut().zip(&other.arrays) {
                let rows = array.inputs.len();
                for (column, output) in array.outputs.clone().enumerate() {
                    for (row, input) in array.inputs.clone().enumerate() {
                        let weight = output * self.inputs + input;
                        if weights[weight] == self.weights[weight] {
                            continue;
                        }
                        let cell = column * rows + row;
                        array.conductances[cell] = other.conductances[cell];
                        if let Some(noise) = array.noise.get_mut(cell) {
                            *noise = other.noise[cell];
                        }
                    }
                }
            }
            mapping.clipped = other.clipped;
        }
        Ok(mapping)
    }
}

impl ProgrammedMatrix {
    /// The weights (outputs x inputs) that the cells hold, as they were programmed and have changed since;
    /// without what wires take.
    pub fn read_back(&self) -> &[f64] {
        &self.read_back
    }

    /// Products with vectors that stand one after the other, vectors x results; and what happened on the way.
    ///
    /// # Errors
    /// [`AnalogError::Core`] for numbers that are no whole vectors.
    pub fn multiply(&self, vectors: &[f64]) -> Result<(Vec<f64>, LayerStatistics), AnalogError> {
        let [length, results] = self.lengths;
        let batch = vectors.len() / length.max(1);
        if vectors.len() != batch * length {
            let (found, expected) = (vectors.len(), (batch + 1) * length);
            return Err(wrong(CoreError::Size { what: "inputs", found, expected }));
        }
        // The same parts for any number of threads.
        let parts: Vec<(Vec<f64>, Counts)> = vectors
            .par_chunks((VECTORS * length).max(1))
            .enumerate()
            .map(|(part, vectors)| self.part(vectors, (part * VECTORS) as u64))
            .collect::<Result<_, _>>()?;
        let (mut y, mut counts) = (Vec::with_capacity(batch * results), Counts::default());
        for (part, own) in parts {
            y.extend(part);
            counts += own;
        }
        let reads = match &self.read {
            Read::Matrix(_) => 0,
            Read::Core(_) => 1 + u64::from(self.two_reads),
        };
        let statistics = LayerStatistics {
            input_conversions: reads * vectors.len() as u64,
            inputs_saturated: counts.inputs_clipped,
            output_conversions: counts.conversions,
            outputs_saturated: counts.outputs_saturated,
            lines_limited: counts.lines_limited,
            wires: self.statistics.wires.and(counts.solved),
            ..self.statistics.clone()
        };
        Ok((y, statistics))
    }

    /// Products with some vectors, the reads from number `first` on.
    fn part(&self, vectors: &[f64], first: u64) -> Result<(Vec<f64>, Counts), AnalogError> {
        let [length, results] = self.lengths;
        let batch = vectors.len() / length.max(1);
        let mut counts = Counts::default();
        let core = match &self.read {
            Read::Matrix(weights) => {
                let mut y = vec![0.0; batch * results];
                let (x, w) = (View::rows(vectors, length), View::rows(weights, length).transposed());
                product((batch, results, length), x, w, &mut y, results, false);
                return Ok((y, counts));
            }
            Read::Core(core) => core,
        };
        let x = transposed(vectors, batch, length);
        let mut read = |x: &[f64], first: u64| {
            let product = core.multiply_at(x, batch, first).map_err(wrong)?;
            counts += product.counts;
            Ok::<_, AnalogError>(product.outputs)
        };
        let y = if self.two_reads {
            let part = |sign: f64| x.iter().map(|x| (sign * x).max(0.0)).collect::<Vec<f64>>();
            let mut y = read(&part(1.0), first)?;
            let other = read(&part(-1.0), SECOND_READ.wrapping_add(first))?;
            y.iter_mut().zip(other).for_each(|(y, other)| *y -= other);
            y
        } else {
            read(&x, first)?
        };
        Ok((transposed(&y, results, batch), counts))
    }
}

/// The arrays as this direction reads them. Behind linear wires too: terminals of a network of resistors see
/// the same transfer conductance from either side.
fn turned(mapping: &Mapping, direction: Direction) -> Result<Mapping, AnalogError> {
    match direction {
        Direction::Forward => Ok(mapping.clone()),
        Direction::Transposed => {
            let mut turned = mapping.transposed().map_err(wrong)?;
            turned.curves.clone_from(&mapping.curves);
            Ok(turned)
        }
    }
}

/// A matrix of `rows` rows of `columns` numbers, turned.
fn transposed(values: &[f64], rows: usize, columns: usize) -> Vec<f64> {
    (0..columns).flat_map(|column| (0..rows).map(move |row| values[row * columns + column])).collect()
}

fn wrong(error: CoreError) -> AnalogError {
    AnalogError::Core { layer: NAME.to_owned(), error }
}
