//! Statistics of cells that a fit compares: each with its standard error, and what a law says they are.
//!
//! Those of one cell at several times hang together, as a device remembers its errors. So each parameter is given
//! statistics that no other shares: the spread at the first read, mean and spread of each cell's slope with ln t,
//! and the noise of repeated reads.

use super::chi::log_spread;
use super::plan::{Change, Plan};
use super::readings::{Group, Reads};
use super::{Cell, Distribution};
use std::sync::Mutex;

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Statistic {
    /// ln of the standard deviation over cells at a time.
    Spread(usize),
    /// Mean slope with ln t.
    SlopeMean,
    /// ln of the standard deviation of the slope.
    SlopeSpread,
    /// ln of the standard deviation of the level at the second time.
    LevelSpread,
    /// ln of the pooled standard deviation of repeated reads at a time.
    Noise(usize),
}

/// Cells of one target that a bootstrap draws together.
pub(super) struct Block {
    /// Target, uS.
    pub target_us: f64,
    times_s: Vec<f64>,
    cells: Vec<Vec<Reads>>,
    change: Change,
    line: Line,
    /// Variance of a read at each time, of the law that was asked about last.
    noise: Mutex<Noise>,
    /// Variance of a slope that scatter around the lines of cells explains.
    slope_noise: f64,
    /// Statistics with value and standard error.
    pub found: Vec<(Statistic, f64, f64)>,
}

/// The line of a cell's values against ln t: from the read of index `first` on.
struct Line {
    first: usize,
    x: Vec<f64>,
    /// Of the values in its slope; none where the times are too few.
    weights: Option<Vec<f64>>,
}

impl Line {
    fn new(change: Change, times_s: &[f64], t_0_s: f64) -> Self {
        let (first, x): (usize, Vec<f64>) = match change {
            Change::Power => (0, times_s.iter().map(|t| (t / t_0_s).ln_1p()).collect()),
            Change::Shift | Change::Relaxation | Change::GrowingRelaxation => {
                (1, times_s.iter().skip(1).map(|t| t.ln()).collect())
            }
            Change::Spread => (0, Vec::new()),
        };
        Self { first, weights: slope_weights(&x), x }
    }

    fn centre(&self) -> f64 {
        self.x.iter().sum::<f64>() / self.x.len() as f64
    }
}

/// Read noise averaged over the cells of a block, with what it hangs on.
#[derive(Default)]
struct Noise {
    key: Vec<f64>,
    variances: Vec<f64>,
}

/// What a law says of all blocks of a target alike, worked out for the first of them that asks.
#[derive(Default)]
pub(super) struct Shared {
    /// Standard deviation of cells at each time, uS.
    sigmas_us: Vec<Option<f64>>,
    /// Mean and standard deviation of slopes.
    slope: Option<(f64, f64)>,
}

/// Relative scatter around a line of ln g beyond which it is not averaged in logarithms: its mean is off by half
/// the square, 1 %.
const MOST_SCATTER: f64 = 0.15;

/// Smallest standard deviation that a law may give, uS: below, its logarithm says nothing.
const SMALLEST_US: f64 = 1e-9;

impl Block {
    /// The statistics of a plan, for cells `members` of a group; `law` as published.
    pub fn new(group: &Group, members: &[usize], plan: &Plan, t_0_s: f64, law: &dyn Cell) -> Self {
        let mut block = Self {
            target_us: group.target_us,
            times_s: group.times_s.clone(),
            cells: members.iter().map(|&index| group.cells[index].clone()).collect(),
            change: plan.change,
            line: Line::new(plan.change, &group.times_s, t_0_s),
            noise: Mutex::default(),
            slope_noise: 0.0,
            found: Vec::new(),
        };
        block.spreads(if plan.late_spread.is_empty() { 1 } else { block.times_s.len() });
        if !plan.drift.is_empty() {
            block.slopes();
        }
        if !plan.read.is_empty() {
            block.noises(law);
        }
        block
    }

    /// Whether a drift was asked for and could not be told.
    pub fn lacks_slopes(&self) -> bool {
        !self.found.iter().any(|(statistic, ..)| *statistic == Statistic::SlopeMean)
    }

    /// Weighs the mean slopes of blocks of one target by the spread of all their cells: that of a block alone is
    /// itself uncertain, and weights by it would favour blocks that happen to spread little.
    pub fn share_slope_errors(blocks: &mut [&mut Self]) {
        let (mut square, mut freedom) = (0.0, 0.0);
        for block in blocks.iter() {
            let count = block.cells.len() as f64;
            for (statistic, _, error) in &block.found {
                if *statistic == Statistic::SlopeMean {
                    square += error * error * count * (count - 1.0);
                    freedom += count - 1.0;
                }
            }
        }
        for block in blocks {
            let count = block.cells.len() as f64;
            for (statistic, _, error) in &mut block.found {
                if *statistic == Statistic::SlopeMean {
                    *error = (square / freedom / count).sqrt().max(f64::MIN_POSITIVE);
                }
            }
        }
    }

    /// A statistic in words.
    pub fn label(&self, statistic: Statistic) -> String {
        let slope = if self.change == Change::Power { "ln g with ln(1 + t/t_0)" } else { "g with ln t" };
        match statistic {
            Statistic::Spread(time) => format!("ln spread at {} s", self.times_s[time]),
            Statistic::Noise(time) => format!("ln read noise at {} s", self.times_s[time]),
            Statistic::SlopeMean => format!("mean slope of {slope}"),
            Statistic::SlopeSpread => format!("ln spread of the slope of {slope}"),
            Statistic::LevelSpread => "ln spread of the relaxation".into(),
        }
    }

    fn push_spread(&mut self, statistic: Statistic, variance: f64, freedom: f64) {
        if freedom >= 1.0 && variance > 0.0 {
            let (bias, error) = log_spread(freedom);
            self.found.push((statistic, 0.5 * variance.ln() - bias, error));
        }
    }

    fn spreads(&mut self, times: usize) {
        for time in 0..times {
            let values: Vec<f64> = self.cells.iter().map(|cell| cell[time].mean_us).collect();
            let (_, variance) = moments(&values);
            self.push_spread(Statistic::Spread(time), variance, values.len() as f64 - 1.0);
        }
    }

    fn slopes(&mut self) {
        let Line { first, x, weights: Some(weights) } = &self.line else { return };
        let (first, centre) = (*first, self.line.centre());
        let (mut slopes, mut levels, mut scatter) = (Vec::new(), Vec::new(), 0.0);
        for cell in &self.cells {
            let y: Vec<f64> = cell[first..]
                .iter()
                .map(|reads| match self.change {
                    Change::Power => reads.mean_us.ln(),
                    _ => reads.mean_us - cell[0].mean_us,
                })
                .collect();
            if !y.iter().all(|value| value.is_finite()) {
                return;
            }
            let slope: f64 = weights.iter().zip(&y).map(|(w, y)| w * y).sum();
            let middle = y.iter().sum::<f64>() / y.len() as f64;
            scatter +=
                x.iter().zip(&y).map(|(x, y)| (y - middle - slope * (x - centre)).powi(2)).sum::<f64>();
            slopes.push(slope);
            levels.push(middle + slope * (x[0] - centre));
        }
        scatter /= (self.cells.len() * (x.len() - 2)).max(1) as f64;
        if self.change == Change::Power && scatter.sqrt() > MOST_SCATTER {
            return;
        }
        self.slope_noise = weights
            .iter()
            .enumerate()
            .map(|(index, weight)| weight * weight * self.noise_of_mean(first + index).unwrap_or(scatter))
            .sum();
        let (mean, variance) = moments(&slopes);
        let count = slopes.len() as f64;
        self.found.push((Statistic::SlopeMean, mean, (variance / count).sqrt().max(f64::MIN_POSITIVE)));
        if matches!(self.change, Change::Power | Change::GrowingRelaxation) {
            self.push_spread(Statistic::SlopeSpread, variance, count - 1.0);
        }
        if matches!(self.change, Change::Relaxation | Change::GrowingRelaxation) {
            let (_, variance) = moments(&levels);
            self.push_spread(Statistic::LevelSpread, variance, count - 1.0);
        }
    }

    /// Variance of the mean of a cell's reads at a time, as repeated reads show it; relative where slopes are of
    /// logarithms. None without repeated reads.
    fn noise_of_mean(&self, time: usize) -> Option<f64> {
        let mut sum = 0.0;
        for cell in &self.cells {
            let reads = cell[time];
            let count = reads.count as f64;
            let unit = if self.change == Change::Power { reads.mean_us } else { 1.0 };
            sum += reads.square_us2 / ((count - 1.0) * count * unit * unit);
        }
        Some(sum / self.cells.len() as f64).filter(|variance| variance.is_finite())
    }

    /// The pooled variance of repeated reads. Cells whose noise is larger than others' make most of it, so that it has
    /// fewer degrees of freedom than there are reads: those of Satterthwaite (Biometrics Bulletin 2, 110, 1946) with
    /// the noise that `law` gives to each cell.
    fn noises(&mut self, law: &dyn Cell) {
        let since = self.since(law);
        for time in 0..self.times_s.len() {
            let (mut square, mut freedom) = (0.0, 0.0);
            let (mut sum, mut sum_of_squares) = (0.0, 0.0);
            for cell in &self.cells {
                let own = cell[time].count as f64 - 1.0;
                let variance = self.noise_of(law, cell, since, time);
                square += cell[time].square_us2;
                freedom += own;
                sum += own * variance;
                sum_of_squares += own * variance * variance;
            }
            let alike = !(sum_of_squares > 0.0 && sum_of_squares.is_finite());
            let effective = if alike { freedom } else { sum * sum / sum_of_squares };
            self.push_spread(Statistic::Noise(time), square / freedom.max(1.0), effective);
        }
    }

    /// Part of the conductance that cells have kept at the first read.
    fn since(&self, law: &dyn Cell) -> f64 {
        let exponent = law.exponent(self.target_us).at(0.0);
        law.evolution(self.target_us, exponent, self.times_s[0]).gain
    }

    /// Variance of one read of a cell as it was read at a time.
    fn noise_of(&self, law: &dyn Cell, cell: &[Reads], since: f64, time: usize) -> f64 {
        let first_us = (cell[0].mean_us / since).max(0.0);
        law.read_sigma_us(cell[time].mean_us, first_us, self.times_s[time]).powi(2)
    }

    /// What the law says of all statistics found. `of_read` are the law's parameters of read noise, as far as they
    /// change from call to call: the noise of many cells is worked out anew only where they have.
    pub fn predict(&self, law: &dyn Cell, of_read: &[f64], shared: &mut Shared) -> Vec<f64> {
        let noise = self.noise(law, of_read);
        shared.sigmas_us.resize(self.times_s.len(), None);
        self.found
            .iter()
            .map(|(statistic, ..)| match *statistic {
                Statistic::Spread(time) => {
                    let of_cells = || Distribution::new(law, self.target_us, self.times_s[time]).sigma_us();
                    let cells = *shared.sigmas_us[time].get_or_insert_with(of_cells);
                    let read = self.read_variance(&noise, time);
                    0.5 * (cells * cells + read).max(SMALLEST_US * SMALLEST_US).ln()
                }
                Statistic::Noise(time) => 0.5 * noise[time].max(SMALLEST_US * SMALLEST_US).ln(),
                Statistic::SlopeMean => shared.slope.get_or_insert_with(|| self.slope(law)).0,
                Statistic::SlopeSpread => {
                    let (_, std) = *shared.slope.get_or_insert_with(|| self.slope(law));
                    0.5 * (std * std + self.slope_noise).max(SMALLEST_US * SMALLEST_US).ln()
                }
                Statistic::LevelSpread => self.level_spread(law, &noise).max(SMALLEST_US).ln(),
            })
            .collect()
    }

    /// Variance of one read at each time, averaged over the cells as they were read.
    fn noise(&self, law: &dyn Cell, of_read: &[f64]) -> Vec<f64> {
        let since = self.since(law);
        let mut key = of_read.to_vec();
        key.push(since);
        // Threads that ask for other parameters at the same time work theirs out.
        if let Ok(last) = self.noise.try_lock()
            && last.key == key
        {
            return last.variances.clone();
        }
        let variance = |time: usize| {
            let each = self.cells.iter().map(|cell| self.noise_of(law, cell, since, time));
            each.sum::<f64>() / self.cells.len() as f64
        };
        let variances: Vec<f64> = (0..self.times_s.len()).map(variance).collect();
        if let Ok(mut last) = self.noise.try_lock() {
            *last = Noise { key, variances: variances.clone() };
        }
        variances
    }

    /// Variance that read noise leaves in the mean of a cell's reads.
    fn read_variance(&self, noise: &[f64], time: usize) -> f64 {
        let reads: usize = self.cells.iter().map(|cell| cell[time].count).sum();
        noise[time] * self.cells.len() as f64 / reads.max(1) as f64
    }

    /// Mean and standard deviation of the slopes of cells without read noise.
    fn slope(&self, law: &dyn Cell) -> (f64, f64) {
        if self.change == Change::Power {
            let (mean, std) = law.exponent(self.target_us).moments();
            return (-mean, std);
        }
        let Line { first, weights: Some(weights), .. } = &self.line else { return (0.0, 0.0) };
        let moved: Vec<_> =
            self.times_s[*first..].iter().map(|&t| law.evolution(self.target_us, 0.0, t)).collect();
        let sum = |value: &dyn Fn(usize) -> f64| -> f64 {
            weights.iter().enumerate().map(|(index, weight)| weight * value(index)).sum()
        };
        let mean = sum(&|index| moved[index].offset_us + moved[index].gain * self.target_us);
        let programmed = law.programmed(self.target_us).sigma_us * sum(&|index| moved[index].gain);
        (mean, programmed.hypot(sum(&|index| moved[index].spread_us)))
    }

    /// Standard deviation, uS, of the levels of cells at the second time since the first, with read noise.
    fn level_spread(&self, law: &dyn Cell, read: &[f64]) -> f64 {
        let Line { first, x, weights: Some(weights) } = &self.line else { return 0.0 };
        let centre = self.line.centre();
        let start = law.evolution(self.target_us, 0.0, self.times_s[0]);
        let (mut gain, mut spread, mut noise) = (0.0, 0.0, self.read_variance(read, 0));
        for (index, slope_weight) in weights.iter().enumerate() {
            let weight = 1.0 / x.len() as f64 + slope_weight * (x[0] - centre);
            let moved = law.evolution(self.target_us, 0.0, self.times_s[first + index]);
            gain += weight * (moved.gain - start.gain);
            spread += weight * (moved.spread_us - start.spread_us);
            noise += weight * weight * self.read_variance(read, first + index);
        }
        let programmed = law.programmed(self.target_us).sigma_us * gain;
        (programmed * programmed + spread * spread + noise).sqrt()
    }
}

/// Weights of the least-squares slope at abscissas `x`, at least three of which differ in all.
fn slope_weights(x: &[f64]) -> Option<Vec<f64>> {
    let centre = x.iter().sum::<f64>() / x.len().max(1) as f64;
    let square: f64 = x.iter().map(|x| (x - centre).powi(2)).sum();
    let sound = x.len() >= 3 && square > 0.0 && square.is_finite();
    sound.then(|| x.iter().map(|x| (x - centre) / square).collect())
}

/// Mean and variance of a sample.
fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let square: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, square / (count - 1.0).max(1.0))
}
