//! Cell currents at one time and dose, prepared for drawing millions of cells.
//!
//! A cell's current is Q(z) with z = a x1 + b x2 + c x3: three standard normals that belong to the cell
//! and the trial for good (programming, drift, dose), weighted by the square roots of their shares of the
//! variance. The same cell therefore meets every time and dose with the same fate, and curves differ by
//! the dose and not by the draw.

use mho_lut::DeviceTable;

use crate::array::Cell;
use crate::effects::Effects;
use crate::evaluate::{Condition, EvaluateError};

/// Levels of an unquantised current: between them the current is linear in the target.
const FINE_LEVELS: usize = 1025;
/// Points of the read noise against current.
const NOISE_POINTS: usize = 1025;
/// Largest current with its own read noise, over the current of the largest weight.
const NOISE_RANGE: f64 = 1.5;

/// Drawn currents of cells at equidistant target levels. Currents are fractions of
/// `current_max - current_min`.
#[derive(Clone, Debug)]
pub(crate) struct CellCurrents {
    levels: usize,
    scores: usize,
    first_score: f32,
    per_score: f32,
    /// Levels x scores.
    quantiles: Vec<f32>,
    /// Weights of the three normals, per level.
    loadings: Vec<[f32; 3]>,
    /// Whether any level uses each of the three normals.
    pub(crate) uses: [bool; 3],
}

impl CellCurrents {
    /// Currents under a condition for the targets `i / above_zero`, or finely spaced ones.
    pub(crate) fn new(
        table: &DeviceTable,
        cell: &Cell,
        condition: &Condition,
        above_zero: Option<u16>,
    ) -> Result<Self, EvaluateError> {
        let Effects { programming, drift, dose_mean, dose_random, .. } = condition.effects;
        let time_s = if drift { condition.time_s } else { 0.0 };
        let dose = if dose_mean || dose_random { condition.dose_krad_si } else { 0.0 };
        let slice = table.slice(time_s, dose)?;
        // The random part of the dose alone: the spread of the dose about the median without dose.
        let undosed = if dose > 0.0 && !dose_mean { Some(table.slice(time_s, 0.0)?) } else { None };
        let (least, most) = (cell.current_min_na(), cell.current_max_na);
        let scores = table.scores();
        let levels = above_zero.map_or(FINE_LEVELS, |n| usize::from(n) + 1);
        let mut currents = Self {
            levels,
            scores: scores.len(),
            first_score: scores[0] as f32,
            per_score: (1.0 / (scores[1] - scores[0])) as f32,
            quantiles: Vec::with_capacity(levels * scores.len()),
            loadings: Vec::with_capacity(levels),
            uses: [false; 3],
        };
        for level in 0..levels {
            let target = least + (most - least) * level as f64 / (levels - 1) as f64;
            let state = target / table.current_max_na();
            let gain = match &undosed {
                Some(undosed) => ratio(undosed.current_na(state, 0.0), slice.current_na(state, 0.0)),
                None => 1.0,
            };
            let of_score = |&z: &f64| (slice.current_na(state, z) * gain / (most - least)) as f32;
            currents.quantiles.extend(scores.iter().map(of_score));
            let share = slice.share(state);
            let loading = [(programming, share.programming), (drift, share.drift), (dose_random, share.dose)]
                .map(|(on, share)| if on { share.max(0.0).sqrt() as f32 } else { 0.0 });
            for (uses, loading) in currents.uses.iter_mut().zip(loading) {
                *uses |= loading > 0.0;
            }
            currents.loadings.push(loading);
        }
        Ok(currents)
    }

    /// Current of a cell at a level.
    #[inline]
    pub(crate) fn at_level(&self, level: usize, x: [f32; 3]) -> f32 {
        self.read(level, score(self.loadings[level], x))
    }

    /// Current of a cell at a fraction of the range, 0 to 1.
    #[inline]
    pub(crate) fn at_fraction(&self, fraction: f32, x: [f32; 3]) -> f32 {
        let place = fraction * (self.levels - 1) as f32;
        let below = (place as usize).min(self.levels - 2);
        let weight = place - below as f32;
        let (a, b) = (self.at_level(below, x), self.at_level(below + 1, x));
        a + (b - a) * weight
    }

    /// Quantile at a score; linear between scores and beyond the outermost, never negative.
    #[inline]
    fn read(&self, level: usize, z: f32) -> f32 {
        let place = (z - self.first_score) * self.per_score;
        let below = (place.max(0.0) as usize).min(self.scores - 2);
        let at = level * self.scores + below;
        let (a, b) = (self.quantiles[at], self.quantiles[at + 1]);
        (a + (b - a) * (place - below as f32)).max(0.0)
    }
}

#[inline]
fn score(loading: [f32; 3], x: [f32; 3]) -> f32 {
    loading[0] * x[0] + loading[1] * x[1] + loading[2] * x[2]
}

/// a / b, or 1 where both vanish.
fn ratio(a: f64, b: f64) -> f64 {
    if b > 0.0 { a / b } else { 1.0 }
}

/// Variance of the read noise against current, in squares of `current_max - current_min`.
#[derive(Clone, Debug)]
pub(crate) struct ReadNoise {
    per_current: f32,
    variances: Vec<f32>,
}

impl ReadNoise {
    pub(crate) fn new(table: &DeviceTable, cell: &Cell) -> Self {
        let range = cell.current_max_na - cell.current_min_na();
        let variance = |i: usize| {
            let current = NOISE_RANGE * cell.current_max_na * i as f64 / (NOISE_POINTS - 1) as f64;
            (table.read_noise_na(current) / range).powi(2) as f32
        };
        let largest = NOISE_RANGE * cell.current_max_na / range;
        Self {
            per_current: ((NOISE_POINTS - 1) as f64 / largest) as f32,
            variances: (0..NOISE_POINTS).map(variance).collect(),
        }
    }

    /// Variance of a cell with this current.
    #[inline]
    pub(crate) fn variance(&self, current: f32) -> f32 {
        let place = (current * self.per_current).min((NOISE_POINTS - 1) as f32);
        let below = (place as usize).min(NOISE_POINTS - 2);
        let (a, b) = (self.variances[below], self.variances[below + 1]);
        a + (b - a) * (place - below as f32)
    }
}
