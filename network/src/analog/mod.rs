//! The matrices of a trained graph on simulated arrays.
//!
//! [`Arrays`] holds everything that no trial changes: how the weights of each layer lie on arrays, and
//! the converters, whose ranges come from calibration inputs. [`Arrays::draws`] are the random numbers of
//! one trial, [`Arrays::program`] the arrays of that trial at one condition: [`Programmed`], which
//! multiplies for [`Graph::run`] as [`crate::graph::Products`] and counts what saturates.
//!
//! ```
//! use mho_network::analog::Arrays;
//! use mho_network::array::ArrayConfig;
//! use mho_network::effects::Effects;
//! use mho_network::evaluate::Condition;
//! use mho_network::graph::op::{Dense, Length, Op};
//! use mho_network::graph::tensor::Tensor;
//! use mho_network::graph::{Graph, Input, Node};
//!
//! let weights = Tensor::new(vec![1, 2], vec![1.0, -2.0]).ok_or("shape")?;
//! let graph = Graph::new(
//!     "difference",
//!     vec![Input { name: "x".into(), shape: vec![Length::Batch(1), Length::Fixed(2)] }],
//!     vec![Node::new("d", Op::Dense(Dense { weights: weights.into(), bias: None }), &["x"], &["y"])],
//!     vec!["y".into()],
//! )?;
//! let x = Tensor::new(vec![2, 2], vec![0.5, 1.0, 1.0, 0.5]).ok_or("shape")?;
//! let arrays = Arrays::new(&graph, &[x.clone()], &ArrayConfig::default(), None)?;
//! let condition = Condition::new(0.0, 0.0, Effects::QUANTISATION);
//! let programmed = arrays.program(&condition, &arrays.draws(1, 0))?;
//! let y = graph.run(&programmed, &[x])?;
//! assert!((y[0].values()[0] + 1.5).abs() < 0.05);
//! assert_eq!(programmed.statistics()[0].outputs_saturated, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! With a table: `Arrays::new(&graph, &inputs, &array, Some(Devices::from(&table)))`, where the table is a
//! [`mho_lut::DeviceTable`] or a [`mho_lut::HistoryTable`].
//!
//! [`MatrixArrays`] is the same for one matrix, in double precision and both directions; [`arranged`] is a graph
//! whose convolutions lie on arrays as the configuration says.
//!
//! Every cell is drawn for itself: of each slice, each sign, each copy, and of reference columns.
//! Conductances are in units of that of the largest weight.

mod calibrate;
mod cells;
mod devices;
mod draws;
mod error;
mod matrix;
mod matrix_arrays;
mod program;
mod programmed;
mod record;
mod wires;

pub use devices::Devices;
pub use draws::Draws;
pub use error::AnalogError;
pub use matrix_arrays::{Cells, Direction, MatrixArrays, ProgrammedMatrix, WeightMatrix};
pub use programmed::{Cost, LayerStatistics, Programmed};
pub use wires::{Neighbours, WireStatistics};

use std::borrow::Cow;
use std::ops::Range;
use std::time::Instant;

use rayon::prelude::*;

use crate::array::{ArrayConfig, Compensation, ConverterKind, ConvolutionMapping, InputRange, Rounding};
use crate::core::Core;
use crate::core::curves::Curves;
use crate::core::making::Making;
use crate::core::spec::OutputRange;
use crate::effects::Effects;
use crate::evaluate::Condition;
use crate::graph::op::Length;
use crate::graph::tensor::Tensor;
use crate::graph::{Graph, Layer};
use calibrate::Plan;
use cells::{CellCurrents, ReadNoise};
use matrix::Matrix;
use program::Programming;
use programmed::{ProgrammedLayer, Read};
use record::Recorder;
use wires::Lines;

/// Temperature of tables over time and dose (K).
const TABLE_TEMPERATURE_K: f64 = 300.0;

/// A graph on arrays, before anything is programmed.
#[derive(Debug)]
pub struct Arrays<'a> {
    graph: &'a Graph,
    setup: Setup<'a>,
    plans: Vec<Plan>,
    nodes: Vec<(&'a str, usize)>,
}

/// What all matrices share: the array and its cells.
#[derive(Debug)]
struct Setup<'a> {
    array: ArrayConfig,
    devices: Option<Devices<'a>>,
    /// Currents of the table's cells at other inputs than the full one.
    curves: Option<Curves>,
}

/// How one matrix lies on its arrays.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerMapping {
    /// Its name.
    pub name: String,
    /// Whether it stays digital.
    pub digital: bool,
    /// |weight| that takes the full current; with a scale of their own for columns, the largest of theirs.
    pub weight_max: f64,
    /// Rows of cells that add its bias.
    pub bias_rows: usize,
    /// Weights beyond it.
    pub weights_clipped: usize,
    /// What the inputs span.
    pub input: InputRange,
    /// Range of the output converters of each slice of weights, in units of (largest current) x (full
    /// input); empty where it needs no data.
    pub output_ranges: Vec<[f64; 2]>,
}

impl<'a> Arrays<'a> {
    /// Maps the weights and finds the ranges of the converters. `calibration` are inputs of the graph (as
    /// [`Graph::run`] takes them), which is run once digitally.
    ///
    /// # Errors
    /// [`AnalogError`], when the configuration, the table, the inputs and the graph do not fit together.
    pub fn new(
        graph: &'a Graph,
        calibration: &[Tensor],
        array: &ArrayConfig,
        devices: Option<Devices<'a>>,
    ) -> Result<Self, AnalogError> {
        let setup = Setup::new(array, devices)?;
        let Setup { array, curves, .. } = &setup;
        let layers = graph.layers();
        let digital = digital_nodes(graph, &array.mapping.digital_layers)?;
        let inferences = inferences(graph, calibration);
        if inferences == 0 {
            return Err(AnalogError::NoCalibration);
        }
        let recorder = Recorder::new(graph, inferences);
        graph.run(&recorder, calibration)?;
        let seen = recorder.into_seen();
        let spans = spans(layers);
        let noise = setup.read_noise();
        let plans: Result<Vec<Vec<Plan>>, AnalogError> = spans
            .par_iter()
            .map(|span| {
                let layers = &layers[span.clone()];
                let digital = layers.first().is_some_and(|layer| digital.contains(&layer.node()));
                let kept =
                    layers.first().map_or([f64::NEG_INFINITY, f64::INFINITY], |l| graph.kept(l.node()));
                calibrate::plans(
                    (layers, kept),
                    &seen[span.clone()],
                    array,
                    (noise.as_ref(), curves.as_ref()),
                    digital,
                )
            })
            .collect();
        let name = |span: &Range<usize>| (graph.nodes()[layers[span.start].node()].name.as_str(), span.len());
        let (plans, nodes) = (plans?.into_iter().flatten().collect(), spans.iter().map(name).collect());
        Ok(Self { graph, setup, plans, nodes })
    }

    /// The graph.
    pub fn graph(&self) -> &'a Graph {
        self.graph
    }

    /// How each matrix of the graph lies on its arrays.
    pub fn layers(&self) -> Vec<LayerMapping> {
        let describe = |(layer, plan): (&Layer, &Plan)| LayerMapping {
            name: layer.name().to_owned(),
            digital: plan.digital,
            weight_max: plan.spec.weight_max.unwrap_or(0.0),
            bias_rows: plan.bias.map_or(0, |bias| bias.rows),
            weights_clipped: plan.clipped,
            input: InputRange {
                max: plan.spec.input.max,
                signed: plan.two_reads || plan.spec.input.signed(),
            },
            output_ranges: match &plan.spec(true).output.range {
                OutputRange::Slices(ranges) => ranges.clone(),
                _ => Vec::new(),
            },
        };
        self.graph.layers().iter().zip(&self.plans).map(describe).collect()
    }

    /// Whether cells carry currents that are not proportional to their inputs.
    pub fn are_curved(&self) -> bool {
        self.setup.curves.is_some()
    }

    /// The draws of all cells of a trial, common to all conditions.
    pub fn draws(&self, seed: u64, trial: u64) -> Draws {
        Draws { seed, trial }
    }

    /// Whether two trials at a condition can differ.
    pub fn is_random(&self, condition: &Condition) -> bool {
        let effects = condition.effects;
        let array = &self.setup.array;
        let circuit = array.output.circuit.is_some()
            && !matches!(array.output.kind, ConverterKind::Uniform | ConverterKind::SignMagnitude);
        let rounding = effects.input_converters && array.input.rounding == Rounding::Stochastic
            || effects.output_converters && array.output.rounding == Rounding::Stochastic;
        let stuck = array.cell.stuck_at_min + array.cell.stuck_at_max > 0.0;
        let rest = Effects { stuck: false, ..effects };
        rest.is_random() || rounding || effects.output_converters && circuit || effects.stuck && stuck
    }

    /// The arrays of one trial at one condition. All effects off is the digital network.
    ///
    /// # Errors
    /// [`AnalogError`], when the table does not know the condition, or the wires of an array cannot be
    /// solved.
    pub fn program(&self, condition: &Condition, draws: &Draws) -> Result<Programmed<'a>, AnalogError> {
        self.program_near(condition, draws, None)
    }

    /// As [`Self::program`], one condition of a trial after the other: with wires, `neighbours` (empty at
    /// first) keeps the arrays that had to be solved, from which those of the next conditions are corrected.
    /// Without it only the arrays as they are wanted serve for that.
    ///
    /// # Errors
    /// As [`Self::program`].
    pub fn program_near(
        &self,
        condition: &Condition,
        draws: &Draws,
        neighbours: Option<&mut Neighbours>,
    ) -> Result<Programmed<'a>, AnalogError> {
        let effects = condition.effects;
        let programming = self.setup.programming(condition)?;
        let array = &self.setup.array;
        let wires = if effects.wires { array.wires() } else { None };
        let lines = wires.as_ref().map(|wires| Lines::new(array, wires, programming.curves.as_ref()));
        let untouched =
            effects.and(Effects::QUANTISATION) == Effects::NONE && programming.is_ideal() && lines.is_none();
        let count = self.plans.len();
        let mut nothing = Neighbours::default();
        let keep = neighbours.is_some();
        let last = &mut neighbours.unwrap_or(&mut nothing).layers;
        last.resize_with(count, Vec::new);
        let layers = self
            .graph
            .layers()
            .par_iter()
            .zip(&self.plans)
            .zip(last)
            .enumerate()
            .map(|(number, ((layer, plan), last))| {
                if plan.digital || untouched {
                    return Ok(ProgrammedLayer::digital(layer));
                }
                let last = keep.then_some(last);
                self.layer((number, layer, plan), effects, &programming, (lines.as_ref(), last), draws)
            })
            .collect::<Result<Vec<_>, AnalogError>>()?;
        Ok(Programmed { layers, nodes: self.nodes.clone() })
    }

    /// One matrix.
    fn layer(
        &self,
        (number, layer, plan): (usize, &'a Layer, &Plan),
        effects: Effects,
        programming: &Programming,
        (lines, last): (Option<&Lines<'_>>, Option<&mut Vec<wires::Near>>),
        draws: &Draws,
    ) -> Result<ProgrammedLayer<'a>, AnalogError> {
        let start = Instant::now();
        let wrong = |error| AnalogError::Core { layer: layer.name().to_owned(), error };
        let gates = lines.is_some_and(Lines::gated);
        let curved = programming.curves.is_some();
        let mut spec = calibrate::with_effects(&plan.spec(lines.is_some() || curved), effects, gates, curved);
        spec.seed = draws.core(number);
        let Matrix { weights, stripes, .. } = Matrix::new(layer, &spec, plan.bias).map_err(wrong)?;
        let inputs = stripes.frame().inputs;
        let gains = programming.gains(&stripes, &weights, number, draws);
        let mut stream = programming.cells(number, draws);
        let mut frame = stripes.frame().clone();
        frame.circuit = lines.and_then(Lines::circuit);
        frame.curves.clone_from(&programming.curves);
        frame.kept.clone_from(&plan.kept);
        if let Some(circuit) = &mut frame.circuit {
            // Behind its wires.
            gains.of_outputs().clone_into(&mut circuit.gains);
        }
        let (least, noisy) = (spec.conductance_min(), programming.noise.is_some());
        let converted = effects.input_converters || effects.output_converters || noisy || gates || curved;
        let as_lines = converted && !frame.is_linear(noisy);
        let mut making = Making::new(&frame, noisy, as_lines);
        let mut matrix = vec![0.0_f32; if as_lines { 0 } else { weights.len() }];
        // Matrices of cores are for full inputs.
        let full = if converted { spec.input.max } else { 1.0 };
        let (mut square_error, mut sum, mut count) = (0.0, 0.0, 0);
        let (mut cost, mut statistics) = (Cost::default(), WireStatistics::default());
        let (mut solved, mut last) = (0, last);
        stripes.each(&weights, lines.is_some(), |stripe| {
            programming.program(&mut stripe.arrays, least, &mut stream);
            for array in &stripe.arrays {
                sum += total(array.conductances.iter().copied());
                count += array.conductances.len();
            }
            if let Some(lines) = lines {
                let start = Instant::now();
                statistics +=
                    lines.apply(stripe, layer.name(), &mut solved, &plan.near, last.as_deref_mut())?;
                cost.wires_s += start.elapsed().as_secs_f64();
            }
            if frame.circuit.is_none() {
                gains.apply(stripe);
            }
            let see = |output: usize, of: &Range<usize>, found: &[f64]| {
                let first = output * inputs + of.start;
                let most = frame.weight_range(output);
                let scale = if most > 0.0 { 1.0 / most } else { 0.0 };
                let off = |(found, wanted): (&f64, &f32)| (found - f64::from(*wanted)) * scale;
                // Rows of the bias are no weights.
                let own = layer.inputs().saturating_sub(of.start).min(found.len());
                square_error +=
                    total(found[..own].iter().zip(&weights[first..]).map(off).map(|off| off * off));
                if !as_lines {
                    let row = &mut matrix[first..first + found.len()];
                    row.iter_mut().zip(found).for_each(|(row, w)| *row = (w * full) as f32);
                }
            };
            making.add(&frame, &stripe.arrays, see).map_err(wrong)
        })?;
        let read = if converted {
            let core = match as_lines {
                true => Core::made(&frame, making),
                false => Core::of_matrix(&frame, matrix),
            };
            let two_reads = plan.two_reads && calibrate::converts_inputs(&plan.spec, effects, gates);
            Read::Core { core: Box::new(core.map_err(wrong)?), two_reads }
        } else {
            Read::matrix(matrix, inputs, plan.bias)
        };
        let mean = sum / count.max(1) as f64;
        cost.programming_s = start.elapsed().as_secs_f64() - cost.wires_s;
        Ok(ProgrammedLayer {
            layer,
            read,
            biased: plan.bias.is_some(),
            weights_clipped: plan.clipped,
            square_error,
            mean_current_na: mean * self.setup.array.cell.largest_current_na(),
            wires: statistics,
            cost,
            counters: programmed::Counters::default(),
        })
    }
}

impl<'a> Setup<'a> {
    /// An array with the range of the cells of a table, checked.
    fn new(array: &ArrayConfig, devices: Option<Devices<'a>>) -> Result<Self, AnalogError> {
        array.check()?;
        let array = devices.map_or_else(|| array.clone(), |devices| devices.ranged(array));
        array.check()?;
        if let Some(devices) = &devices {
            let (asked, available) = (array.cell.largest_current_na(), devices.current_max_na());
            if asked > available * (1.0 + 1e-9) {
                return Err(AnalogError::CurrentRange { asked, available });
            }
            let temperature = array.effects.temperature_k;
            if matches!(devices, Devices::Grid(_)) && temperature != TABLE_TEMPERATURE_K {
                return Err(AnalogError::Temperature(temperature));
            }
        }
        let curves = devices.as_ref().map(|devices| curves_of(&array, devices)).transpose()?.flatten();
        Ok(Self { array, devices, curves })
    }

    /// Noise of reads, where there is one.
    fn read_noise(&self) -> Option<ReadNoise> {
        let noisy = self.devices.as_ref().filter(|_| self.array.effects.read_noise);
        noisy.and_then(|devices| ReadNoise::new(devices, &self.array.cell))
    }

    /// What all matrices share at a condition.
    fn programming(&self, condition: &Condition) -> Result<Programming, AnalogError> {
        let effects = condition.effects;
        let cell = &self.array.cell;
        let cells = effects.changes_cells();
        let period = self.array.effects.refresh_period_s;
        let mut condition = *condition;
        let mut cycle = 0;
        if period > 0.0 && effects.drift && condition.time_s.is_finite() {
            cycle = (condition.time_s / period).floor().max(0.0) as u64;
            condition.time_s -= cycle as f64 * period;
            condition.time_s = condition.time_s.max(0.0);
        }
        let stuck = if effects.stuck { [cell.stuck_at_min, cell.stuck_at_max] } else { [0.0; 2] };
        let compensation = self.array.effects.drift_compensation;
        let (mut currents, mut fresh, mut noise) = (None, None, None);
        match &self.devices {
            None if effects.needs_table() => return Err(AnalogError::NoTable(effects)),
            None => {}
            Some(devices) => {
                let steps = self.steps(effects);
                let new = |point| CellCurrents::new(devices, &point, cell, steps);
                if cells {
                    currents = Some(new(devices.point(&condition)?)?);
                    if compensation != Compensation::None && effects.drift {
                        fresh = Some(new(devices.fresh(&condition)?)?);
                    }
                }
                noise = if effects.read_noise { ReadNoise::new(devices, cell) } else { None };
            }
        }
        let curves = self.curves.clone().filter(|_| effects.nonlinear_iv);
        Ok(Programming { currents, fresh, curves, noise, cycle, stuck, compensation })
    }

    /// Steps of a cell between its smallest and its largest current; 0 for any current.
    fn steps(&self, effects: Effects) -> u32 {
        let spec = self.array.core_spec(InputRange { max: 1.0, signed: true });
        let spec = calibrate::with_effects(&spec, effects, false, false);
        crate::core::encoding::Encoding::new(&spec).digit_max()
    }
}

/// A sum, in eight partial sums that do not wait for each other.
fn total(values: impl Iterator<Item = f64>) -> f64 {
    let mut sums = [0.0; 8];
    for (index, value) in values.enumerate() {
        sums[index % 8] += value;
    }
    sums.iter().sum()
}

/// Matrices of the same node.
fn spans(layers: &[Layer]) -> Vec<Range<usize>> {
    let mut spans: Vec<Range<usize>> = Vec::new();
    for (index, layer) in layers.iter().enumerate() {
        match spans.last_mut() {
            Some(span) if layers[span.start].node() == layer.node() => span.end = index + 1,
            _ => spans.push(index..index + 1),
        }
    }
    spans
}

/// Currents of the table's cells at other inputs than the full one: where inputs are voltages of several levels,
/// and the table knows such voltages.
fn curves_of(array: &ArrayConfig, devices: &Devices<'_>) -> Result<Option<Curves>, AnalogError> {
    let spec = array.core_spec(InputRange { max: 1.0, signed: array.input.signed });
    let (_, bits) = spec.input.slices();
    let levels = spec.input.magnitude_bits() == 0 || bits > 1;
    if !levels || array.pulse.is_some() || array.array.topology.gated() {
        return Ok(None);
    }
    cells::curves(devices, &array.cell)
}

/// The graph as the mapping of an array has it: convolutions as one matrix each or as one for each tap. A
/// [`Graph`] that stays as it is is borrowed.
///
/// # Errors
/// [`AnalogError::NoLayer`] for a digital layer that there is not.
pub fn arranged<'a>(graph: &'a Graph, array: &ArrayConfig) -> Result<Cow<'a, Graph>, AnalogError> {
    if array.mapping.convolution == ConvolutionMapping::Im2col {
        return Ok(Cow::Borrowed(graph));
    }
    let digital = digital_nodes(graph, &array.mapping.digital_layers)?;
    Ok(Cow::Owned(graph.kernel_stationary(|node| digital.contains(&node))?))
}

/// Numbers of the nodes that stay digital.
fn digital_nodes(graph: &Graph, names: &[String]) -> Result<Vec<usize>, AnalogError> {
    let layers = graph.layers();
    let mut nodes = Vec::new();
    for name in names {
        let before = nodes.len();
        match name.as_str() {
            "first" => nodes.extend(layers.first().map(Layer::node)),
            "last" => nodes.extend(layers.last().map(Layer::node)),
            _ => {
                let named =
                    |layer: &&Layer| layer.name() == name || graph.nodes()[layer.node()].name == *name;
                nodes.extend(layers.iter().filter(named).map(Layer::node));
            }
        }
        if nodes.len() == before {
            let mut known: Vec<&str> =
                layers.iter().map(|layer| graph.nodes()[layer.node()].name.as_str()).collect();
            known.dedup();
            return Err(AnalogError::NoLayer { found: name.clone(), known: known.join(", ") });
        }
    }
    Ok(nodes)
}

/// Number of inferences that inputs of a graph hold.
fn inferences(graph: &Graph, inputs: &[Tensor]) -> usize {
    let (Some(input), Some(tensor)) = (graph.inputs().first(), inputs.first()) else { return 0 };
    let length = |length: &Length| match length {
        Length::Batch(of) | Length::Fixed(of) => *of,
        Length::Rest => 1,
    };
    let one: usize = input.shape.iter().map(length).product();
    tensor.values().len() / one.max(1)
}
