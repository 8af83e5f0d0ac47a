//! Programmed arrays, ready to be read.

use std::sync::atomic::{AtomicU64, Ordering};

use super::wires::WireStatistics;
use crate::core::{BiasRows, Core, Counts};
use crate::graph::layers::{Layout, multiply};
use crate::graph::{Layer, LayerId, Products, Vectors, VectorsMut};
use crate::wires::Solved;

/// Number of the first read of negative inputs: as many reads as a line of a core has numbers for, halved.
pub(super) const SECOND_READ: u64 = 1 << 39;

/// What happened in the matrices of one node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LayerStatistics {
    /// Name of the node.
    pub name: String,
    /// Inputs converted.
    pub input_conversions: u64,
    /// Inputs outside the range of their converter.
    pub inputs_saturated: u64,
    /// Column currents converted.
    pub output_conversions: u64,
    /// Column currents outside the range of their converter.
    pub outputs_saturated: u64,
    /// Column lines at their largest current, or beyond their linear range (precharged ones).
    pub lines_limited: u64,
    /// Weights.
    pub weights: usize,
    /// Weights beyond the largest that the cells can hold.
    pub weights_clipped: usize,
    /// Root mean square of (effective - trained weight) over the weight that takes the full current.
    pub weight_rms_error: f64,
    /// Mean current of all cells (nA), before wires take their part.
    pub mean_current_na: f64,
    /// How its wires were taken into account.
    pub wires: WireStatistics,
}

/// Time that threads spent on making arrays (s).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Cells: mapping, draws, lines of cores.
    pub programming_s: f64,
    /// Currents and noise behind wires.
    pub wires_s: f64,
}

/// The arrays of one trial at one condition; multiplies as [`Products`] and counts what saturates.
#[derive(Debug)]
pub struct Programmed<'a> {
    pub(super) layers: Vec<ProgrammedLayer<'a>>,
    /// Name of each node, and how many matrices follow each other in it.
    pub(super) nodes: Vec<(&'a str, usize)>,
}

/// One matrix.
#[derive(Debug)]
pub(super) struct ProgrammedLayer<'a> {
    pub(super) layer: &'a Layer,
    pub(super) read: Read,
    /// Rows of its arrays add its bias.
    pub(super) biased: bool,
    pub(super) weights_clipped: usize,
    /// Sum of squares of (effective - trained weight) over the weight that takes the full current.
    pub(super) square_error: f64,
    pub(super) mean_current_na: f64,
    pub(super) wires: WireStatistics,
    pub(super) cost: Cost,
    pub(super) counters: Counters,
}

/// How a matrix is read.
#[derive(Debug)]
pub(super) enum Read {
    /// The trained weights.
    Digital,
    /// Other weights, without converters and noise, and the bias that rows of the arrays stand for.
    Matrix(Vec<f32>, Vec<f32>),
    /// A core; with a sign in two reads.
    Core { core: Box<Core<f32>>, two_reads: bool },
}

impl Read {
    /// By a matrix (outputs x rows) whose last rows may be those of a bias.
    pub(super) fn matrix(mut all: Vec<f32>, rows: usize, bias: Option<BiasRows>) -> Self {
        let Some(bias) = bias else { return Self::Matrix(all, Vec::new()) };
        let more = bias.rows;
        let sum = |row: &[f32]| {
            let cells = row[rows - more..].iter().zip(bias.inputs());
            cells.map(|(&w, input)| f64::from(w) * input).sum::<f64>() as f32
        };
        let bias = all.chunks_exact(rows).map(sum).collect();
        all = without(&all, rows, more);
        Self::Matrix(all, bias)
    }
}

/// A matrix (outputs x rows) without its last rows.
fn without(all: &[f32], rows: usize, more: usize) -> Vec<f32> {
    all.chunks_exact(rows.max(1)).flat_map(|row| &row[..rows - more]).copied().collect()
}

/// Counts of one matrix, from all threads.
#[derive(Debug, Default)]
pub(super) struct Counters {
    inputs: AtomicU64,
    inputs_saturated: AtomicU64,
    outputs: AtomicU64,
    outputs_saturated: AtomicU64,
    lines_limited: AtomicU64,
    vectors: AtomicU64,
    turns: AtomicU64,
    alone: AtomicU64,
    unconverged: AtomicU64,
}

impl Counters {
    fn add(&self, inputs: usize, counts: Counts) {
        for (counter, count) in [
            (&self.inputs, inputs as u64),
            (&self.inputs_saturated, counts.inputs_clipped),
            (&self.outputs, counts.conversions),
            (&self.outputs_saturated, counts.outputs_saturated),
            (&self.lines_limited, counts.lines_limited),
            (&self.vectors, counts.solved.vectors),
            (&self.turns, counts.solved.turns),
            (&self.alone, counts.solved.alone),
            (&self.unconverged, counts.solved.unconverged),
        ] {
            if count > 0 {
                counter.fetch_add(count, Ordering::Relaxed);
            }
        }
    }
}

impl Programmed<'_> {
    /// What it cost to program them.
    pub fn cost(&self) -> Cost {
        let add = |sum: Cost, layer: &ProgrammedLayer<'_>| Cost {
            programming_s: sum.programming_s + layer.cost.programming_s,
            wires_s: sum.wires_s + layer.cost.wires_s,
        };
        self.layers.iter().fold(Cost::default(), add)
    }

    /// What happened so far, one entry per node with weights.
    pub fn statistics(&self) -> Vec<LayerStatistics> {
        let mut rest = &self.layers[..];
        let mut all = Vec::with_capacity(self.nodes.len());
        for &(name, count) in &self.nodes {
            let (own, others) = rest.split_at(count.min(rest.len()));
            rest = others;
            let mut sum = LayerStatistics { name: name.to_owned(), ..LayerStatistics::default() };
            let (mut square, mut current) = (0.0, 0.0);
            for layer in own {
                let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
                let (counters, weights) = (&layer.counters, layer.layer.weights().len());
                sum.input_conversions += load(&counters.inputs);
                sum.inputs_saturated += load(&counters.inputs_saturated);
                sum.output_conversions += load(&counters.outputs);
                sum.outputs_saturated += load(&counters.outputs_saturated);
                sum.lines_limited += load(&counters.lines_limited);
                sum.weights += weights;
                sum.weights_clipped += layer.weights_clipped;
                square += layer.square_error;
                current += layer.mean_current_na * weights as f64;
                sum.wires += layer.wires.and(Solved {
                    vectors: load(&counters.vectors),
                    turns: load(&counters.turns),
                    alone: load(&counters.alone),
                    unconverged: load(&counters.unconverged),
                });
            }
            let count = sum.weights.max(1) as f64;
            sum.weight_rms_error = (square / count).sqrt();
            sum.mean_current_na = current / count;
            all.push(sum);
        }
        all
    }

    /// The weights (outputs x inputs) that the conductances of a matrix stand for, wires included.
    pub fn effective_weights(&self, layer: LayerId) -> Option<Vec<f32>> {
        let layer = self.layers.get(layer.0)?;
        Some(match &layer.read {
            Read::Digital => layer.layer.weights().to_vec(),
            Read::Matrix(weights, _) => weights.clone(),
            Read::Core { core, .. } => {
                let all: Vec<f32> = core.read_back().iter().map(|&w| w as f32).collect();
                let rows = all.len().checked_div(core.outputs()).unwrap_or(0);
                without(&all, rows, rows - core.inputs().min(rows))
            }
        })
    }
}

impl Products for Programmed<'_> {
    fn product(&self, layer: LayerId, inputs: Vectors<'_>, outputs: &mut VectorsMut<'_>) {
        let Some(layer) = self.layers.get(layer.0) else { return };
        match &layer.read {
            Read::Digital => multiply(layer.layer.weights(), inputs, outputs),
            Read::Matrix(weights, _) => multiply(weights, inputs, outputs),
            Read::Core { core, two_reads } => {
                let (count, length) = (inputs.count, inputs.length);
                let gathered;
                let x = match inputs.layout {
                    Layout::Columns if inputs.stride == count => &inputs.values[..count * length],
                    _ => {
                        gathered = gather(inputs);
                        &gathered[..]
                    }
                };
                if *two_reads {
                    let positive: Vec<f32> = x.iter().map(|x| x.max(0.0)).collect();
                    let negative: Vec<f32> = x.iter().map(|x| (-x).max(0.0)).collect();
                    let mut y = layer.read(core, &positive, count, (inputs.first, true));
                    let second = inputs.first.wrapping_add(SECOND_READ);
                    let other = layer.read(core, &negative, count, (second, false));
                    y.iter_mut().zip(other).for_each(|(y, other)| *y -= other);
                    scatter(&y, count, outputs);
                } else {
                    scatter(&layer.read(core, x, count, (inputs.first, true)), count, outputs);
                }
            }
        }
    }

    fn bias<'a>(&'a self, layer: &'a Layer) -> Option<&'a [f32]> {
        match self.layers.get(layer.id().0) {
            Some(ProgrammedLayer { read: Read::Matrix(_, bias), biased: true, .. }) => Some(bias),
            Some(ProgrammedLayer { biased: true, .. }) => None,
            _ => layer.bias(),
        }
    }

    fn weights(&self, layer: LayerId) -> Option<&[f32]> {
        let layer = self.layers.get(layer.0)?;
        match &layer.read {
            Read::Digital => Some(layer.layer.weights()),
            Read::Matrix(weights, _) => Some(weights),
            Read::Core { .. } => None,
        }
    }
}

impl<'a> ProgrammedLayer<'a> {
    /// A matrix that stays digital.
    pub(super) fn digital(layer: &'a Layer) -> Self {
        Self {
            layer,
            read: Read::Digital,
            biased: false,
            weights_clipped: 0,
            square_error: 0.0,
            mean_current_na: 0.0,
            wires: WireStatistics::default(),
            cost: Cost::default(),
            counters: Counters::default(),
        }
    }

    /// Outputs x batch of the reads from number `first` on, with rows of biases driven or not.
    fn read(&self, core: &Core<f32>, x: &[f32], count: usize, (first, biased): (u64, bool)) -> Vec<f32> {
        let product = match biased {
            true => core.multiply_at(x, count, first),
            false => core.multiply_unbiased_at(x, count, first),
        };
        match product {
            Ok(product) => {
                self.counters.add(x.len(), product.counts);
                product.outputs
            }
            // Only inputs of another number, which the executor never has; no number, then.
            Err(_) => vec![f32::NAN; core.outputs() * count],
        }
    }
}

/// Vectors as inputs x batch.
fn gather(inputs: Vectors<'_>) -> Vec<f32> {
    let (count, length) = (inputs.count, inputs.length);
    let mut x = vec![0.0; count * length];
    match inputs.layout {
        Layout::Columns => {
            for (row, values) in x.chunks_exact_mut(count.max(1)).zip(inputs.values.chunks(inputs.stride)) {
                row.copy_from_slice(&values[..count]);
            }
        }
        Layout::Rows => {
            // Blocks of vectors, so that the places written to stay in the cache.
            const BLOCK: usize = 16;
            for start in (0..count).step_by(BLOCK) {
                for input in 0..length {
                    for vector in start..count.min(start + BLOCK) {
                        x[input * count + vector] = inputs.values[vector * inputs.stride + input];
                    }
                }
            }
        }
    }
    x
}

/// Outputs x batch as vectors.
fn scatter(y: &[f32], count: usize, outputs: &mut VectorsMut<'_>) {
    match outputs.layout {
        Layout::Columns => {
            for (row, values) in y.chunks_exact(count.max(1)).zip(outputs.values.chunks_mut(outputs.stride)) {
                values[..count].copy_from_slice(row);
            }
        }
        Layout::Rows => {
            for (output, row) in y.chunks_exact(count.max(1)).enumerate() {
                for (vector, &y) in row.iter().enumerate() {
                    outputs.values[vector * outputs.stride + output] = y;
                }
            }
        }
    }
}
