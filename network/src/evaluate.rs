//! Accuracy of a network on simulated arrays.
//!
//! [`Evaluator`] holds everything that no trial changes: mapped weights, calibrated converters, test
//! images. A trial draws the normals of its cells once; every condition (time, dose, effects) then costs
//! one pass over the cells and the products of the images, twice with read noise: independent noise of
//! the cells of a column sums to a normal number of variance sum(x^2 sigma^2), which is drawn at the
//! output.

use std::ops::Range;

use mho_data::dataset::Images;
use mho_lut::DeviceTable;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::array::{ArrayConfig, ConfigError};
use crate::cells::{CellCurrents, ReadNoise};
use crate::convert::Quantiser;
use crate::effects::Effects;
use crate::forward::{Forward, LayerCounts};
use crate::mapping::{MappedLayer, map_network};
use crate::model::{Layer, Network};
use crate::program::{Draws, ProgrammedLayer, Programming};
use crate::score::Score;

/// Where and how a programmed network is read.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// Time since programming (s).
    pub time_s: f64,
    /// Dose (krad(Si)).
    pub dose_krad_si: f64,
    /// What is switched on.
    pub effects: Effects,
}

/// What happened in one layer during one trial at one condition.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerStatistics {
    /// Inputs converted, and how many of them were outside the range.
    pub input_conversions: u64,
    /// Inputs outside the range of their converter.
    pub inputs_saturated: u64,
    /// Sums converted.
    pub output_conversions: u64,
    /// Sums outside the range of their converter.
    pub outputs_saturated: u64,
    /// Root mean square of (effective - trained weight) over the weight that takes the full current.
    pub weight_rms_error: f64,
    /// Mean current of all cells (nA).
    pub mean_current_na: f64,
}

/// One trial at one condition.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialResult {
    /// The condition.
    pub condition: Condition,
    /// Number of the trial.
    pub trial: u64,
    /// Right answers.
    pub score: Score,
    /// One entry per layer with weights.
    pub layers: Vec<LayerStatistics>,
}

impl TrialResult {
    /// Fraction of images that were right.
    pub fn top1(&self) -> f64 {
        self.score.top1()
    }

    /// Fraction of images whose label was among the five largest outputs.
    pub fn top5(&self) -> f64 {
        self.score.top5()
    }

    /// Fraction of input conversions outside the range; 0 without converters.
    pub fn inputs_saturated_fraction(&self) -> f64 {
        let sum = |f: fn(&LayerStatistics) -> u64| self.layers.iter().map(f).sum::<u64>();
        fraction(sum(|l| l.inputs_saturated), sum(|l| l.input_conversions))
    }

    /// Fraction of output conversions outside the range; 0 without converters.
    pub fn outputs_saturated_fraction(&self) -> f64 {
        let sum = |f: fn(&LayerStatistics) -> u64| self.layers.iter().map(f).sum::<u64>();
        fraction(sum(|l| l.outputs_saturated), sum(|l| l.output_conversions))
    }
}

fn fraction(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Why a network cannot be evaluated.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// The array cannot be simulated.
    #[error("array: {0}")]
    Array(#[from] ConfigError),
    /// The table has no answer.
    #[error("device table: {0}")]
    Table(#[from] mho_lut::TableError),
    /// The table does not reach the largest current of the array.
    #[error("cell.current_max_na is {asked} nA, the table ends at {available} nA")]
    CurrentRange {
        /// Current of the largest weight (nA).
        asked: f64,
        /// Largest current of the table (nA).
        available: f64,
    },
    /// Images of another shape than the network's input.
    #[error("the network takes {expected} pixels per image, the {which} images have {found}")]
    Images {
        /// `test` or `calibration`.
        which: &'static str,
        /// Pixels the network takes.
        expected: usize,
        /// Pixels of the images.
        found: usize,
    },
    /// No images.
    #[error("no {0} images")]
    NoImages(&'static str),
    /// A device effect without a table.
    #[error("effects {0} need a device table")]
    NoTable(Effects),
}

/// A converter pair of one layer, as calibration found it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Converters {
    /// Inputs, in units of the network's activations.
    pub input: Quantiser,
    /// Sums of a tile, in units of weight x activation.
    pub output: Quantiser,
}

/// A network on arrays, ready for trials.
#[derive(Debug)]
pub struct Evaluator<'a> {
    network: &'a Network,
    images: &'a Images,
    count: usize,
    table: Option<&'a DeviceTable>,
    array: ArrayConfig,
    mapped: Vec<MappedLayer>,
    converters: Vec<Converters>,
}

impl<'a> Evaluator<'a> {
    /// Maps the weights and calibrates the converters on the first images of `calibration` (training
    /// images). At most `limit` of the `test` images are used, the first ones.
    pub fn new(
        network: &'a Network,
        test: &'a Images,
        limit: Option<usize>,
        calibration: &Images,
        table: Option<&'a DeviceTable>,
        array: &ArrayConfig,
    ) -> Result<Self, EvaluateError> {
        array.check()?;
        array.check_plain()?;
        if let Some(table) = table
            && array.cell.current_max_na > table.current_max_na() * (1.0 + 1e-9)
        {
            let (asked, available) = (array.cell.current_max_na, table.current_max_na());
            return Err(EvaluateError::CurrentRange { asked, available });
        }
        for (which, images) in [("test", test), ("calibration", calibration)] {
            let (expected, found) = (network.input().len(), images.rows * images.cols * images.channels);
            if images.labels.is_empty() {
                return Err(EvaluateError::NoImages(which));
            }
            let complete = images.pixels.len() == expected * images.labels.len();
            if found != expected || !complete {
                return Err(EvaluateError::Images { which, expected, found });
            }
        }
        let count = limit.unwrap_or(usize::MAX).min(test.labels.len());
        let mapped = map_network(network, array);
        let converters = crate::calibrate::calibrate(network, &mapped, array, calibration);
        Ok(Self { network, images: test, count, table, array: array.clone(), mapped, converters })
    }

    /// The weights on their arrays, one entry per layer with weights.
    pub fn mapped(&self) -> &[MappedLayer] {
        &self.mapped
    }

    /// The converters, one pair per layer with weights.
    pub fn converters(&self) -> &[Converters] {
        &self.converters
    }

    /// Number of test images.
    pub fn images(&self) -> usize {
        self.count
    }

    /// Every trial at every condition: results ordered by condition, then trial. Bit-identical for any
    /// number of threads. Conditions with equal cells in all trials are evaluated once.
    pub fn evaluate(
        &self,
        conditions: &[Condition],
        trials: Range<u64>,
        seed: u64,
    ) -> Result<Vec<TrialResult>, EvaluateError> {
        self.evaluate_with(conditions, trials, seed, &|_| ())
    }

    /// [`Self::evaluate`]; `progress` hears, from any thread and in any order, each time that one trial
    /// at one condition is done, the fraction of the whole that this was.
    pub fn evaluate_with(
        &self,
        conditions: &[Condition],
        trials: Range<u64>,
        seed: u64,
        progress: &(dyn Fn(f64) + Sync),
    ) -> Result<Vec<TrialResult>, EvaluateError> {
        let prepared = conditions.iter().map(|c| self.prepare(c)).collect::<Result<Vec<_>, _>>()?;
        let count = trials.end.saturating_sub(trials.start);
        let share = 1.0 / (count as f64 * conditions.len() as f64);
        let by_trial: Vec<Vec<Option<TrialResult>>> = trials
            .clone()
            .into_par_iter()
            .map(|trial| {
                let mut draws = Draws::new(seed, trial, self.mapped.len());
                let run = |(condition, cells): (&Condition, &Programming)| {
                    let needed = condition.effects.is_random() || trial == trials.start;
                    let result = needed.then(|| self.trial(condition, cells, &mut draws, seed, trial));
                    progress(share);
                    result
                };
                conditions.iter().zip(&prepared).map(run).collect()
            })
            .collect();
        let mut results = Vec::with_capacity(by_trial.len() * conditions.len());
        for condition in 0..conditions.len() {
            for (trial, row) in trials.clone().zip(&by_trial) {
                let result = row[condition].as_ref().or(by_trial[0][condition].as_ref());
                results.extend(result.map(|r| TrialResult { trial, ..r.clone() }));
            }
        }
        Ok(results)
    }

    /// What all trials at a condition share.
    fn prepare(&self, condition: &Condition) -> Result<Programming, EvaluateError> {
        let Effects { quantisation, read_noise, .. } = condition.effects;
        let changes = condition.effects.changes_cells();
        let cell = &self.array.cell;
        let range = cell.current_max_na - cell.current_min_na();
        let least = (cell.current_min_na() / range) as f32;
        let levels = quantisation.then(|| (1_u16 << (self.array.mapping.weight_bits - 1)) - 1);
        let (currents, noise) = match self.table {
            None if changes || read_noise => return Err(EvaluateError::NoTable(condition.effects)),
            None => (None, None),
            Some(table) => {
                let new = || CellCurrents::new(table, cell, condition, levels);
                (changes.then(new).transpose()?, read_noise.then(|| ReadNoise::new(table, cell)))
            }
        };
        Ok(Programming { quantised: quantisation, least, currents, noise })
    }

    fn trial(
        &self,
        condition: &Condition,
        programming: &Programming,
        draws: &mut Draws,
        seed: u64,
        trial: u64,
    ) -> TrialResult {
        let range = self.array.cell.current_max_na - self.array.cell.current_min_na();
        let quantised = condition.effects.quantisation;
        let programmed: Vec<ProgrammedLayer> = self
            .mapped
            .iter()
            .enumerate()
            .map(|(number, mapped)| {
                let trained = self.network.layers()[mapped.layer].linear().map_or(&[][..], |l| &l.weights);
                programming.layer(mapped, number, trained, draws)
            })
            .collect();
        let forward = Forward {
            network: self.network,
            mapped: &self.mapped,
            converters: quantised.then_some(&self.converters[..]),
            programmed: &programmed,
            noise: condition.effects.read_noise.then_some((seed, trial)),
        };
        let block = self.block();
        let none = (Score::default(), vec![LayerCounts::default(); self.mapped.len()]);
        let (score, counts) = (0..self.count.div_ceil(block))
            .into_par_iter()
            .map(|index| {
                let first = index * block;
                let count = block.min(self.count - first);
                let inputs = self.network.inputs(self.images, first, count);
                let (outputs, counts) = forward.run(inputs, first, count);
                let labels = &self.images.labels[first..first + count];
                (Score::of(&outputs, labels, self.network.classes()), counts)
            })
            .reduce(
                || none.clone(),
                |(score, mut counts), (other, more)| {
                    counts.iter_mut().zip(more).for_each(|(a, b)| *a += b);
                    (score + other, counts)
                },
            );
        let layers = counts
            .iter()
            .zip(&programmed)
            .map(|(counts, programmed)| LayerStatistics {
                input_conversions: counts.input_conversions,
                inputs_saturated: counts.inputs_saturated,
                output_conversions: counts.output_conversions,
                outputs_saturated: counts.outputs_saturated,
                weight_rms_error: programmed.weight_rms_error,
                mean_current_na: programmed.mean_current * range,
            })
            .collect();
        TrialResult { condition: *condition, trial, score, layers }
    }

    /// Images per block: enough rows for the products of dense layers, few enough that the unfolded
    /// activations of convolutions stay in cache.
    fn block(&self) -> usize {
        let convolutions = self.network.layers().iter().any(|l| matches!(l, Layer::Conv2d(..)));
        if convolutions { 16 } else { 128 }
    }
}
