//! Accuracy of a network on simulated arrays.
//!
//! [`Evaluator`] holds everything that no trial changes: mapped weights, calibrated converters, test
//! samples. A trial is a draw of all cells; at every condition (time, dose, effects) its cells are
//! programmed with the same draws, and the samples go through the arrays.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::analog::{AnalogError, Arrays, Cost, Devices, LayerStatistics, Neighbours, WireStatistics};
use crate::array::ArrayConfig;
use crate::effects::Effects;
use crate::estimate::Estimate;
use crate::graph::Graph;
use crate::inference::{Inference, InferenceError};
use crate::input_noise::InputNoise;
use crate::samples::Feed;
use crate::score::Score;

/// Weights of a network above which trials follow each other, each using all threads, instead of running
/// side by side: each holds arrays of its own. Assumed; results are the same either way.
const WEIGHTS_SIDE_BY_SIDE: usize = 1 << 20;
/// Trials before a band may be found narrow enough: among few, of which many have the same number of right
/// answers, Student's band can be much too narrow by chance. Assumed.
const LEAST_TRIALS: u64 = 10;

/// Where and how a programmed network is read. With a table along a history, time and dose are those of one
/// of its reports.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// Time since programming (s).
    pub time_s: f64,
    /// Dose (krad(Si)).
    pub dose_krad_si: f64,
    /// What is switched on.
    pub effects: Effects,
}

impl Condition {
    /// A time since programming (s) and a dose (krad(Si)).
    pub fn new(time_s: f64, dose_krad_si: f64, effects: Effects) -> Self {
        Self { time_s, dose_krad_si, effects }
    }
}

/// One trial at one condition.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialResult {
    /// The condition.
    pub condition: Condition,
    /// Number of the trial.
    pub trial: u64,
    /// Right answers and loss.
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

    /// How the wires of all layers were taken into account.
    pub fn wires(&self) -> WireStatistics {
        let mut sum = WireStatistics::default();
        self.layers.iter().for_each(|layer| sum += layer.wires);
        sum
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
    /// It cannot be put on arrays.
    #[error(transparent)]
    Analog(#[from] AnalogError),
    /// The samples do not fit it, or it cannot be executed.
    #[error(transparent)]
    Inference(#[from] InferenceError),
}

/// When there have been trials enough.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stop {
    /// Width of the 95 % band of the mean accuracy, as a fraction (0.01 is a point).
    pub band: f64,
    /// Most trials.
    pub most: u64,
}

/// A network on arrays, ready for trials.
#[derive(Debug)]
pub struct Evaluator<'a> {
    inference: Inference<'a>,
    arrays: Arrays<'a>,
    possible: Effects,
    noise: Option<InputNoise>,
    spent: Mutex<Spent>,
}

/// What trials have cost so far. Times are those of threads, so that trials side by side take less.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spent {
    /// Trials, each at one condition.
    pub trials: u64,
    /// Making arrays (s).
    pub arrays: Cost,
    /// Multiplying the samples (s).
    pub multiplying_s: f64,
}

impl<'a> Evaluator<'a> {
    /// Maps the weights and calibrates the converters on the first samples of `calibration` (those that the
    /// network was trained on); `test` are the samples of every trial.
    ///
    /// # Errors
    /// [`EvaluateError`], when samples, network, array and table do not fit together.
    pub fn new(
        graph: &'a Graph,
        test: Feed<'a>,
        calibration: &Feed<'_>,
        array: &ArrayConfig,
        devices: Option<Devices<'a>>,
    ) -> Result<Self, EvaluateError> {
        let inference = Inference::new(graph, test)?;
        let inputs = Inference::calibration(calibration)?;
        let arrays = Arrays::new(graph, &[inputs], array, devices)?;
        let possible = Effects {
            stuck: array.cell.stuck_at_min + array.cell.stuck_at_max > 0.0,
            wires: array.wires().is_some(),
            nonlinear_iv: arrays.are_curved(),
            ..Effects::ALL
        };
        Ok(Self { inference, arrays, possible, noise: None, spent: Mutex::default() })
    }

    /// The same with noise on the inputs of every trial; the converters remain calibrated without.
    #[must_use]
    pub fn with_input_noise(mut self, noise: Option<InputNoise>) -> Self {
        self.noise = noise;
        self
    }

    /// The network on its arrays.
    pub fn arrays(&self) -> &Arrays<'a> {
        &self.arrays
    }

    /// Effects that the array can have: stuck cells, wires and curved cells only where it has any. Others do nothing.
    pub fn possible_effects(&self) -> Effects {
        self.possible
    }

    /// What all trials have cost so far.
    pub fn spent(&self) -> Spent {
        *self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Number of test samples.
    pub fn images(&self) -> usize {
        self.inference.count()
    }

    /// The digital network on undisturbed inputs: what every trial is compared with.
    ///
    /// # Errors
    /// [`EvaluateError`] when it cannot be executed.
    pub fn digital(&self) -> Result<Score, EvaluateError> {
        Ok(self.inference.score(&self.inference.graph().digital(), None)?)
    }

    /// Every trial at every condition: results ordered by condition, then trial. Bit-identical for any
    /// number of threads. Conditions with equal cells in all trials are evaluated once.
    ///
    /// # Errors
    /// [`EvaluateError`], when the table does not know a condition, or an array cannot be programmed.
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
    ///
    /// # Errors
    /// As [`Self::evaluate`].
    pub fn evaluate_with(
        &self,
        conditions: &[Condition],
        trials: Range<u64>,
        seed: u64,
        progress: &(dyn Fn(f64) + Sync),
    ) -> Result<Vec<TrialResult>, EvaluateError> {
        let random: Vec<bool> =
            conditions.iter().map(|c| self.noise.is_some() || self.arrays.is_random(c)).collect();
        let count = trials.end.saturating_sub(trials.start);
        let share = 1.0 / (count as f64 * conditions.len() as f64);
        let wired = self.possible.wires && conditions.iter().filter(|c| c.effects.wires).count() > 1;
        let row = |trial: u64| {
            let mut neighbours = Neighbours::default();
            let run = |(condition, &random): (&Condition, &bool)| {
                let needed = random || trial == trials.start;
                // What is evaluated in the first trial alone is no neighbour: all trials are alike.
                let near = if random && wired { Some(&mut neighbours) } else { None };
                let result = needed.then(|| self.trial(condition, seed, trial, near)).transpose();
                progress(share);
                result
            };
            conditions.iter().zip(&random).map(run).collect()
        };
        type Row = Result<Vec<Option<TrialResult>>, EvaluateError>;
        let rows: Vec<Row> = if self.inference.graph().weight_count() > WEIGHTS_SIDE_BY_SIDE {
            trials.clone().map(row).collect()
        } else {
            trials.clone().into_par_iter().map(row).collect()
        };
        let by_trial = rows.into_iter().collect::<Result<Vec<_>, _>>()?;
        let mut results = Vec::with_capacity(by_trial.len() * conditions.len());
        for condition in 0..conditions.len() {
            for (trial, row) in trials.clone().zip(&by_trial) {
                let result = row[condition].as_ref().or(by_trial[0][condition].as_ref());
                results.extend(result.map(|r| TrialResult { trial, ..r.clone() }));
            }
        }
        Ok(results)
    }

    /// Trials in chunks, at each condition until the band of its mean accuracy is narrow enough or there are
    /// no more trials. What is decided after a chunk depends on its results alone, so that the number of
    /// trials is the same for any number of threads. `progress` hears fractions of all trials that there
    /// may be.
    ///
    /// # Errors
    /// As [`Self::evaluate`].
    pub fn evaluate_until(
        &self,
        conditions: &[Condition],
        chunk: u64,
        stop: Stop,
        seed: u64,
        progress: &(dyn Fn(f64) + Sync),
    ) -> Result<Vec<TrialResult>, EvaluateError> {
        let mut results: Vec<Vec<TrialResult>> = vec![Vec::new(); conditions.len()];
        let mut open: Vec<usize> = (0..conditions.len()).collect();
        let mut done = 0;
        while !open.is_empty() && done < stop.most {
            let trials = done..stop.most.min(done + chunk.max(1));
            let asked: Vec<Condition> = open.iter().map(|&index| conditions[index]).collect();
            let share = (open.len() as f64 / conditions.len() as f64)
                * ((trials.end - trials.start) as f64 / stop.most as f64);
            let new = self.evaluate_with(&asked, trials.clone(), seed, &|part| progress(part * share))?;
            let count = (trials.end - trials.start) as usize;
            for (&index, new) in open.iter().zip(new.chunks(count)) {
                results[index].extend_from_slice(new);
            }
            done = trials.end;
            open.retain(|&index| {
                let top1: Vec<f64> = results[index].iter().map(TrialResult::top1).collect();
                let random = self.noise.is_some() || self.arrays.is_random(&conditions[index]);
                let wide = 2.0 * Estimate::of(&top1).half_width;
                random && (done < LEAST_TRIALS || wide.is_nan() || wide > stop.band)
            });
        }
        Ok(results.into_iter().flatten().collect())
    }

    fn trial(
        &self,
        condition: &Condition,
        seed: u64,
        trial: u64,
        near: Option<&mut Neighbours>,
    ) -> Result<TrialResult, EvaluateError> {
        let draws = self.arrays.draws(seed, trial);
        let programmed = self.arrays.program_near(condition, &draws, near)?;
        let noise = self.noise.map(|noise| (noise, noise.stream(seed, trial)));
        let start = Instant::now();
        let score = self.inference.score(&programmed, noise)?;
        let (multiplying_s, cost) = (start.elapsed().as_secs_f64(), programmed.cost());
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        spent.trials += 1;
        spent.multiplying_s += multiplying_s;
        spent.arrays.programming_s += cost.programming_s;
        spent.arrays.wires_s += cost.wires_s;
        drop(spent);
        Ok(TrialResult { condition: *condition, trial, score, layers: programmed.statistics() })
    }
}
