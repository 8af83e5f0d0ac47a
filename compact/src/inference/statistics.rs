//! Statistics of cells that a fit compares: each with its standard error, and what a law says they are.
//!
//! Those of one cell at several times hang together, as a device remembers its errors. So each parameter is given
//! statistics that no other shares: the spread at the first read, mean and spread of each cell's slope with ln t,
//! and the noise of repeated reads.

use super::chi::log_spread;
use super::plan::{Change, Plan};
use super::readings::{Group, Reads};
use super::{Cell, Distribution, score_nodes};

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
    t_0_s: f64,
    /// Variance of a slope that scatter around the lines of cells explains.
    slope_noise: f64,
    /// Statistics with value and standard error.
    pub found: Vec<(Statistic, f64, f64)>,
}

/// Relative scatter around a line of ln g beyond which it is not averaged in logarithms: its mean is off by half
/// the square, 1 %.
const MOST_SCATTER: f64 = 0.15;

/// Smallest standard deviation that a law may give, uS: below, its logarithm says nothing.
const SMALLEST_US: f64 = 1e-9;

impl Block {
    /// The statistics of a plan, for cells `members` of a group.
    pub fn new(group: &Group, members: &[usize], plan: &Plan, t_0_s: f64) -> Self {
        let mut block = Self {
            target_us: group.target_us,
            times_s: group.times_s.clone(),
            cells: members.iter().map(|&index| group.cells[index].clone()).collect(),
            change: plan.change,
            t_0_s,
            slope_noise: 0.0,
            found: Vec::new(),
        };
        block.spreads(if plan.late_spread.is_empty() { 1 } else { block.times_s.len() });
        if !plan.drift.is_empty() {
            block.slopes();
        }
        if !plan.read.is_empty() {
            block.noises();
        }
        block
    }

    /// Whether a drift was asked for and could not be told.
    pub fn lacks_slopes(&self) -> bool {
        !self.found.iter().any(|(statistic, ..)| *statistic == Statistic::SlopeMean)
    }

    /// Time that a statistic belongs to, s.
    pub fn time_s(&self, statistic: Statistic) -> f64 {
        match statistic {
            Statistic::Spread(time) | Statistic::Noise(time) => self.times_s[time],
            _ => self.times_s.last().copied().unwrap_or(0.0),
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

    /// Abscissa of the times that a line is drawn through, from the index of the first of them.
    fn line(&self) -> (usize, Vec<f64>) {
        match self.change {
            Change::Power => (0, self.times_s.iter().map(|t| (t / self.t_0_s).ln_1p()).collect()),
            Change::Shift => (1, self.times_s.iter().skip(1).map(|t| t.ln()).collect()),
            Change::Spread => (0, Vec::new()),
        }
    }

    fn slopes(&mut self) {
        let (first, x) = self.line();
        let Some(weights) = slope_weights(&x) else { return };
        let centre = x.iter().sum::<f64>() / x.len() as f64;
        let (mut slopes, mut levels, mut scatter) = (Vec::new(), Vec::new(), 0.0);
        for cell in &self.cells {
            let y: Vec<f64> = cell[first..]
                .iter()
                .map(|reads| match self.change {
                    Change::Power => reads.mean_us.ln(),
                    Change::Shift | Change::Spread => reads.mean_us - cell[0].mean_us,
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
        self.slope_noise = scatter * weights.iter().map(|w| w * w).sum::<f64>();
        let (mean, variance) = moments(&slopes);
        let count = slopes.len() as f64;
        self.found.push((Statistic::SlopeMean, mean, (variance / count).sqrt().max(f64::MIN_POSITIVE)));
        self.push_spread(Statistic::SlopeSpread, variance, count - 1.0);
        if self.change == Change::Shift {
            let (_, variance) = moments(&levels);
            self.push_spread(Statistic::LevelSpread, variance, count - 1.0);
        }
    }

    fn noises(&mut self) {
        for time in 0..self.times_s.len() {
            let reads = self.cells.iter().map(|cell| cell[time]);
            let freedom: f64 = reads.clone().map(|reads| reads.count as f64 - 1.0).sum();
            let square: f64 = reads.map(|reads| reads.square_us2).sum();
            self.push_spread(Statistic::Noise(time), square / freedom.max(1.0), freedom);
        }
    }

    /// What the law says of all statistics found.
    pub fn predict(&self, law: &dyn Cell) -> Vec<f64> {
        self.found
            .iter()
            .map(|(statistic, ..)| match *statistic {
                Statistic::Spread(time) => {
                    let cells = Distribution::new(law, self.target_us, self.times_s[time]).sigma_us();
                    0.5 * (cells * cells + self.read_variance(law, time)).max(SMALLEST_US * SMALLEST_US).ln()
                }
                Statistic::Noise(time) => {
                    0.5 * self.noise_variance(law, time).max(SMALLEST_US * SMALLEST_US).ln()
                }
                Statistic::SlopeMean => self.slope(law).0,
                Statistic::SlopeSpread => {
                    let (_, std) = self.slope(law);
                    0.5 * (std * std + self.slope_noise).max(SMALLEST_US * SMALLEST_US).ln()
                }
                Statistic::LevelSpread => self.level_spread(law).max(SMALLEST_US).ln(),
            })
            .collect()
    }

    /// Variance of one read, averaged over the cells as they were read.
    fn noise_variance(&self, law: &dyn Cell, time: usize) -> f64 {
        let exponent = law.exponent(self.target_us).at(0.0);
        let since = law.evolution(self.target_us, exponent, self.times_s[0]).gain;
        let each = self.cells.iter().map(|cell| {
            law.read_sigma_us(cell[time].mean_us, (cell[0].mean_us / since).max(0.0), self.times_s[time])
                .powi(2)
        });
        each.sum::<f64>() / self.cells.len() as f64
    }

    /// Variance that read noise leaves in the mean of a cell's reads.
    fn read_variance(&self, law: &dyn Cell, time: usize) -> f64 {
        let reads: usize = self.cells.iter().map(|cell| cell[time].count).sum();
        self.noise_variance(law, time) * self.cells.len() as f64 / reads.max(1) as f64
    }

    /// Mean and standard deviation of the slopes of cells without read noise.
    fn slope(&self, law: &dyn Cell) -> (f64, f64) {
        if self.change == Change::Power {
            let exponent = law.exponent(self.target_us);
            let mean: f64 = score_nodes().map(|(score, weight)| weight * exponent.at(score)).sum();
            let square = score_nodes().map(|(score, weight)| weight * (exponent.at(score) - mean).powi(2));
            return (-mean, square.sum::<f64>().sqrt());
        }
        let (first, x) = self.line();
        let Some(weights) = slope_weights(&x) else { return (0.0, 0.0) };
        let moved: Vec<_> =
            self.times_s[first..].iter().map(|&t| law.evolution(self.target_us, 0.0, t)).collect();
        let sum = |value: &dyn Fn(usize) -> f64| -> f64 {
            weights.iter().enumerate().map(|(index, weight)| weight * value(index)).sum()
        };
        let mean = sum(&|index| moved[index].offset_us + moved[index].gain * self.target_us);
        let programmed = law.programmed(self.target_us).sigma_us * sum(&|index| moved[index].gain);
        (mean, programmed.hypot(sum(&|index| moved[index].spread_us)))
    }

    /// Standard deviation, uS, of the levels of cells at the second time since the first, with read noise.
    fn level_spread(&self, law: &dyn Cell) -> f64 {
        let (first, x) = self.line();
        let Some(weights) = slope_weights(&x) else { return 0.0 };
        let centre = x.iter().sum::<f64>() / x.len() as f64;
        let start = law.evolution(self.target_us, 0.0, self.times_s[0]);
        let (mut gain, mut spread, mut noise) = (0.0, 0.0, self.read_variance(law, 0));
        for (index, slope_weight) in weights.iter().enumerate() {
            let weight = 1.0 / x.len() as f64 + slope_weight * (x[0] - centre);
            let moved = law.evolution(self.target_us, 0.0, self.times_s[first + index]);
            gain += weight * (moved.gain - start.gain);
            spread += weight * (moved.spread_us - start.spread_us);
            noise += weight * weight * self.read_variance(law, first + index);
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
