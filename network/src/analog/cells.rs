//! Cell currents at one point of their life, prepared for drawing millions of cells.
//!
//! A cell's current is Q(z), where the score z is a weighted sum of standard normals that belong to the
//! cell and the trial for good. The same cell therefore meets every time and dose with the same fate, and
//! conditions differ by what they are and not by the draw.

use super::devices::{Devices, Point};
use super::error::AnalogError;
use crate::array::Cell;
use crate::core::curves::Curves;
use mho_lut::SCORES;

/// Levels of a current without levels: between them the current is linear in the target.
const FINE_LEVELS: usize = 1025;
/// Levels of which each gets quantiles of its own; of more, currents are read as those without levels.
const MOST_LEVELS: usize = 4096;
/// Points of the read noise against current.
const NOISE_POINTS: usize = 1025;
/// Largest current with its own read noise, over the current of the largest weight.
const NOISE_RANGE: f64 = 1.5;

/// Currents of cells by their target and their normals, as fractions of the largest current.
#[derive(Clone, Debug)]
pub(super) struct CellCurrents {
    levels: usize,
    /// Smallest target, and levels for a unit of target.
    least: f64,
    per_target: f64,
    /// Whether targets are the levels and nothing between.
    exact: bool,
    first_score: f32,
    per_score: f32,
    /// Levels x scores.
    quantiles: Vec<f32>,
    /// Levels x used normals.
    loadings: Vec<f32>,
    /// Names of the normals that any level uses.
    pub(super) purposes: Vec<String>,
}

impl CellCurrents {
    /// Of cells with so many steps between the smallest and the largest current; 0 for any current.
    pub(super) fn new(
        devices: &Devices<'_>,
        point: &Point<'_>,
        cell: &Cell,
        steps: u32,
    ) -> Result<Self, AnalogError> {
        let exact = steps > 0 && (steps as usize) < MOST_LEVELS;
        let levels = if exact { steps as usize + 1 } else { FINE_LEVELS };
        let (least, most) = (cell.smallest_current_na(), cell.largest_current_na());
        let state = |level: usize| {
            let target = least + (most - least) * level as f64 / (levels - 1) as f64;
            (target / devices.current_max_na()).min(1.0)
        };
        let mut currents = Vec::with_capacity(levels * SCORES.len());
        let mut loadings = Vec::new();
        for level in 0..levels {
            for z in SCORES {
                currents.push(point.current_na(state(level), cell.spread * z)?);
            }
            loadings.extend(point.loadings(state(level))?);
        }
        let mut largest = [most];
        if let Some(read_v) = cell.table_voltage_v {
            devices.at_voltage(&mut currents, read_v)?;
            devices.at_voltage(&mut largest, read_v)?;
        }
        let names = point.purposes();
        let used: Vec<bool> =
            (0..names.len()).map(|k| loadings.chunks(names.len()).any(|row| row[k] != 0.0)).collect();
        let kept = |row: &[f64]| -> Vec<f32> {
            row.iter().zip(&used).filter(|(_, used)| **used).map(|(loading, _)| *loading as f32).collect()
        };
        let least = least / most;
        Ok(Self {
            levels,
            least,
            per_target: (levels - 1) as f64 / (1.0 - least),
            exact,
            first_score: SCORES[0] as f32,
            per_score: (1.0 / (SCORES[1] - SCORES[0])) as f32,
            quantiles: currents.iter().map(|current| (current / largest[0]) as f32).collect(),
            loadings: loadings.chunks(names.len().max(1)).flat_map(kept).collect(),
            purposes: names.into_iter().zip(&used).filter(|(_, used)| **used).map(|(name, _)| name).collect(),
        })
    }

    /// Replaces targets by currents. `normals` holds for each of the purposes one normal per cell.
    pub(super) fn draw(&self, cells: &mut [f64], normals: &[&[f32]]) {
        let count = self.purposes.len();
        let score = |level: usize, cell: usize| -> f32 {
            let row = &self.loadings[level * count..(level + 1) * count];
            row.iter().zip(normals).map(|(loading, normals)| loading * normals[cell]).sum()
        };
        for (cell, current) in cells.iter_mut().enumerate() {
            let place = ((*current - self.least) * self.per_target).max(0.0);
            *current = if self.exact {
                let level = ((place + 0.5) as usize).min(self.levels - 1);
                self.read(level, score(level, cell)).into()
            } else {
                let below = (place as usize).min(self.levels - 2);
                let part = place - below as f64;
                let [a, b] = [below, below + 1].map(|level| f64::from(self.read(level, score(level, cell))));
                (a + (b - a) * part).max(0.0)
            };
        }
    }

    /// Quantile at a score; linear between scores and beyond the outermost, never negative.
    #[inline]
    fn read(&self, level: usize, z: f32) -> f32 {
        let place = (z - self.first_score) * self.per_score;
        let below = (place.max(0.0) as usize).min(SCORES.len() - 2);
        let at = level * SCORES.len() + below;
        let (a, b) = (self.quantiles[at], self.quantiles[at + 1]);
        (a + (b - a) * (place - below as f32)).max(0.0)
    }
}

/// Currents of cells at other inputs than the full one, as the table has them; none where it has no such
/// voltages.
pub(super) fn curves(devices: &Devices<'_>, cell: &Cell) -> Result<Option<Curves>, AnalogError> {
    let Some([full_v, low_v]) = devices.input_voltages(cell) else { return Ok(None) };
    let largest_na = {
        let mut largest = [cell.largest_current_na()];
        devices.at_voltage(&mut largest, full_v)?;
        largest[0]
    };
    // Cells by their currents at the reference voltage, evenly; and what they carry at the full one.
    let known: Vec<f64> = (0..FINE_LEVELS)
        .map(|i| NOISE_RANGE * cell.largest_current_na() * i as f64 / (FINE_LEVELS - 1) as f64)
        .collect();
    let mut full = known.clone();
    devices.at_voltage(&mut full, full_v)?;
    let curves = Curves::new(1e-9 * largest_na / full_v, |cells, x| {
        let v = x * full_v;
        let mut found = known.clone();
        devices.at_voltage(&mut found, v.max(low_v))?;
        // Below the lowest voltage of the table cells are resistors.
        let part = if v < low_v { v / low_v } else { 1.0 };
        let at = |&cell: &f64| {
            let current = cell * largest_na;
            let above = full.partition_point(|&full| full <= current).clamp(1, full.len() - 1);
            let (a, b) = (full[above - 1], full[above]);
            let between = if b > a { (current - a) / (b - a) } else { 0.0 };
            part * (found[above - 1] + between * (found[above] - found[above - 1])) / largest_na
        };
        Ok::<_, AnalogError>(cells.iter().map(at).collect())
    })?;
    Ok(Some(curves))
}

/// Standard deviation of reads against current, both over the largest current.
#[derive(Clone, Debug)]
pub(super) struct ReadNoise {
    per_current: f64,
    sigmas: Vec<f64>,
}

impl ReadNoise {
    /// `None` where reads are without noise.
    pub(super) fn new(devices: &Devices<'_>, cell: &Cell) -> Option<Self> {
        let most = cell.largest_current_na();
        let sigma = |i: usize| {
            let current = NOISE_RANGE * most * i as f64 / (NOISE_POINTS - 1) as f64;
            devices.read_noise_na(current) / most
        };
        let sigmas: Vec<f64> =
            (0..NOISE_POINTS).map(sigma).map(|s| if s.is_finite() { s } else { 0.0 }).collect();
        let per_current = (NOISE_POINTS - 1) as f64 / NOISE_RANGE;
        sigmas.iter().any(|&sigma| sigma > 0.0).then_some(Self { per_current, sigmas })
    }

    /// Of a cell that carries this current; beyond the table as at its end.
    #[inline]
    pub(super) fn sigma(&self, current: f64) -> f64 {
        let place = (current * self.per_current).clamp(0.0, (NOISE_POINTS - 1) as f64);
        let below = (place as usize).min(NOISE_POINTS - 2);
        let (a, b) = (self.sigmas[below], self.sigmas[below + 1]);
        a + (b - a) * (place - below as f64)
    }
}
