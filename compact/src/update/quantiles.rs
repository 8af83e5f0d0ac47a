//! The update law without parameters: quantiles of the step, bin by bin of the conductance.
//!
//! Each pair of consecutive readings of a ramp gives a step at its midpoint. Steps are interpolated linearly along
//! the ramp to the centres of the bins that lie inside the ramp, so that a ramp counts once in each bin; the sorted
//! steps of a bin stand at the probabilities `(k + 1/2)/n` (design notes: CrossSim 2.8, physics B.5).

use super::law::Direction;
use super::trace::{Ramp, Traces};
use mho_data::InputError;

/// How the quantiles are taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuantileOptions {
    /// Bins over the range of the readings.
    pub bins: usize,
    /// Points of the probability grid, evenly from 0 to 1.
    pub probabilities: usize,
    /// Fewest steps in a bin; ends of the range with fewer are cut off.
    pub fewest: usize,
}

impl Default for QuantileOptions {
    /// 50 bins and 501 probabilities as CrossSim takes them; at least 5 ramps in each bin (assumed).
    fn default() -> Self {
        Self { bins: 50, probabilities: 501, fewest: 5 }
    }
}

/// Quantiles of the step of one direction.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateQuantiles {
    /// Which way the pulses push.
    pub direction: Direction,
    /// Centres of the bins, ascending, even, in the unit of the readings (S for conductances).
    pub grid_s: Vec<f64>,
    /// Probabilities, ascending from 0 to 1.
    pub probability: Vec<f64>,
    /// Steps with their sign, row-major `[probability][conductance]`, in the unit of the readings.
    pub dg_s: Vec<f64>,
    /// Steps that went into each bin.
    pub counts: Vec<usize>,
    /// Mean step of each bin.
    pub mean_s: Vec<f64>,
    /// Bins at the ends of the range that were cut off for having too few steps.
    pub cut: usize,
    /// Ramps with fewer than two steps, left out.
    pub ramps_left_out: usize,
}

impl UpdateQuantiles {
    /// Quantiles of all ramps of `direction`, over all devices.
    ///
    /// # Errors
    /// No ramp in this direction, options that leave nothing, or a bin with too few steps between two that have
    /// enough.
    pub fn from_traces(
        traces: &Traces,
        direction: Direction,
        options: QuantileOptions,
    ) -> Result<Self, InputError> {
        let refuse = |found: String, expected: &str| Err(InputError::new("ramps", found, expected));
        if !(2..=100_000).contains(&options.bins) || !(2..=100_000).contains(&options.probabilities) {
            let found = format!("{} bins and {} probabilities", options.bins, options.probabilities);
            return refuse(found, "2 to 100000 of each");
        }
        let all: Vec<&Ramp> = traces.ramps().filter(|ramp| ramp.direction == direction).collect();
        let ramps: Vec<Vec<(f64, f64)>> =
            all.iter().map(|ramp| midpoints(ramp)).filter(|points| points.len() > 1).collect();
        let way = if direction == Direction::Up { "up" } else { "down" };
        let ends = ramps.iter().flatten().map(|point| point.0);
        let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), g| (l.min(g), h.max(g)));
        let width = (high - low) / options.bins as f64;
        if !(width.is_finite() && width > 0.0) {
            return refuse(format!("{} ramps {way}", ramps.len()), "ramps of at least three readings");
        }
        let centres: Vec<f64> = (0..options.bins).map(|bin| low + (bin as f64 + 0.5) * width).collect();
        let mut steps: Vec<Vec<f64>> = vec![Vec::new(); options.bins];
        for points in &ramps {
            for (bin, step) in interpolated(points, &centres) {
                steps[bin].push(step);
            }
        }
        let enough = |bin: &Vec<f64>| bin.len() >= options.fewest.max(1);
        let (Some(first), Some(last)) = (steps.iter().position(enough), steps.iter().rposition(enough))
        else {
            return refuse(format!("no bin with {} steps", options.fewest), "more ramps, or fewer bins");
        };
        if let Some(gap) = (first..=last).find(|&bin| !enough(&steps[bin])) {
            let found = format!(
                "{} steps {way} in the bin at {:.4e} {}, between bins with enough",
                steps[gap].len(),
                centres[gap],
                traces.unit
            );
            let expected = format!("at least {} in each bin: fewer bins, or more ramps", options.fewest);
            return Err(InputError::new("ramps", found, expected));
        }
        if first == last {
            return refuse("one bin with enough steps".to_owned(), "at least 2 bins");
        }
        let kept = &mut steps[first..=last];
        for bin in kept.iter_mut() {
            bin.sort_by(f64::total_cmp);
        }
        let probability: Vec<f64> =
            (0..options.probabilities).map(|p| p as f64 / (options.probabilities - 1) as f64).collect();
        let dg_s = probability.iter().flat_map(|&p| kept.iter().map(move |bin| quantile(bin, p))).collect();
        Ok(Self {
            direction,
            grid_s: centres[first..=last].to_vec(),
            dg_s,
            counts: kept.iter().map(Vec::len).collect(),
            mean_s: kept.iter().map(|bin| bin.iter().sum::<f64>() / bin.len() as f64).collect(),
            probability,
            cut: first + options.bins - 1 - last,
            ramps_left_out: all.len() - ramps.len(),
        })
    }

    /// The step at `conductance` of probability `uniform` (0 to 1), linear in both; outside of the grid that of the
    /// nearest edge.
    pub fn sample(&self, conductance: f64, uniform: f64) -> f64 {
        let (column, x) = place(&self.grid_s, conductance);
        let (row, y) = place(&self.probability, uniform);
        let at = |row: usize, column: usize| {
            self.dg_s.get(row * self.grid_s.len() + column).copied().unwrap_or(f64::NAN)
        };
        let across = |row: usize| at(row, column) + x * (at(row, column + 1) - at(row, column));
        across(row) + y * (across(row + 1) - across(row))
    }

    /// The mean step at `conductance`, linear between bins.
    pub fn mean(&self, conductance: f64) -> f64 {
        let (column, x) = place(&self.grid_s, conductance);
        let at = |column: usize| self.mean_s.get(column).copied().unwrap_or(f64::NAN);
        at(column) + x * (at(column + 1) - at(column))
    }
}

/// Node to the left of `value` on an even grid, and the part of the way to the next.
fn place(grid: &[f64], value: f64) -> (usize, f64) {
    let last = grid.len().saturating_sub(1);
    let (Some(low), Some(high)) = (grid.first(), grid.last()) else { return (0, 0.0) };
    let at = ((value - low) / (high - low) * last as f64).clamp(0.0, last as f64);
    let left = (at as usize).min(last.saturating_sub(1));
    (left, at - left as f64)
}

/// Quantile of sorted values that stand at `(k + 1/2)/n`; beyond the outer ones, these.
fn quantile(sorted: &[f64], probability: f64) -> f64 {
    let last = sorted.len() - 1;
    let at = (probability * sorted.len() as f64 - 0.5).clamp(0.0, last as f64);
    let left = (at as usize).min(last);
    let right = (left + 1).min(last);
    sorted[left] + (sorted[right] - sorted[left]) * (at - left as f64)
}

/// Midpoints and steps of consecutive readings, sorted by the midpoint.
fn midpoints(ramp: &Ramp) -> Vec<(f64, f64)> {
    let consecutive = ramp.pulses.windows(2).zip(ramp.readings.windows(2));
    let mut points: Vec<(f64, f64)> = consecutive
        .filter(|(pulses, _)| pulses[1] == pulses[0] + 1)
        .map(|(_, pair)| (0.5 * (pair[0] + pair[1]), pair[1] - pair[0]))
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points
}

/// Steps at the bin centres that lie inside the ramp.
fn interpolated(points: &[(f64, f64)], centres: &[f64]) -> Vec<(usize, f64)> {
    let mut found = Vec::new();
    for pair in points.windows(2) {
        let ((low, d0), (high, d1)) = (pair[0], pair[1]);
        let from = centres.partition_point(|&centre| centre < low);
        for (bin, &centre) in centres.iter().enumerate().skip(from).take_while(|(_, centre)| **centre < high)
        {
            found.push((bin, d0 + (centre - low) / (high - low) * (d1 - d0)));
        }
    }
    found
}
