//! What dose has brought leaves again with time.

use super::Grid;
use crate::sonos::collection::Collection;
use crate::sonos::ladder::{Ladder, LadderError, Law};

/// The annealing law R(t)/R₀ = 1 − a log₁₀(1 + t/t_a).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Annealing {
    /// Fraction a that leaves per decade of time (literature: 0.02 to 0.1).
    pub per_decade: f64,
    /// Onset t_a in s (assumed: 1e3).
    pub onset_s: f64,
    /// Whether it goes through a ladder of time constants instead of the convolution.
    pub ladder: bool,
    /// Whether what has left no longer acts on the fields; only with the ladder.
    pub feedback: bool,
}

/// A path with annealing.
pub(super) struct Annealed {
    /// Shift in V that acts on the fields, at each dose of the grid.
    pub(super) path: Vec<f64>,
    /// Shift in V at each of the wanted times.
    pub(super) seen: Vec<f64>,
}

impl Annealing {
    pub(super) fn apply(
        &self,
        collection: &Collection,
        grid: &Grid,
        plain: &[f64],
        times: &[f64],
    ) -> Result<Annealed, LadderError> {
        let law = Law {
            per_decade: self.per_decade,
            onset_s: self.onset_s,
            activation_ev: 0.0,
            reference_k: 300.0,
        };
        // Also checks the law for the convolution.
        let ladder = Ladder::fit(law)?;
        if self.ladder {
            Ok(self.climb(collection, grid, plain, times, &ladder))
        } else {
            let seen = times.iter().map(|time| self.convolve(grid, plain, *time)).collect();
            Ok(Annealed { path: plain.to_vec(), seen })
        }
    }

    /// Shift at a time: every interval of the grid brought its part at an even rate.
    fn convolve(&self, grid: &Grid, plain: &[f64], time: f64) -> f64 {
        let mut shift = plain.first().copied().unwrap_or(0.0);
        for index in 1..grid.times.len() {
            let (from, to) = (grid.times[index - 1], grid.times[index]);
            if from >= time {
                break;
            }
            let brought = plain[index] - plain[index - 1];
            // An interval that is not over yet has brought its part up to now.
            let share = ((time - from) / (to - from)).min(1.0);
            let old = (time - to).max(0.0);
            let mean = self.mean_logarithm(old, time - from);
            shift += brought * share * (1.0 - self.per_decade * mean).max(0.0);
        }
        shift
    }

    /// Mean of log₁₀(1 + u/t_a) over ages u from `young` to `old`.
    fn mean_logarithm(&self, young: f64, old: f64) -> f64 {
        let onset = self.onset_s;
        let span = old - young;
        if span <= 1e-6 * (onset + young) {
            return (0.5 * (young + old) / onset).ln_1p() / std::f64::consts::LN_10;
        }
        let integral = |age: f64| (onset + age) * (age / onset).ln_1p() - age;
        (integral(old) - integral(young)) / (span * std::f64::consts::LN_10)
    }

    /// Every rung takes its share of what dose brings and forgets with its own time constant; exponential
    /// midpoint steps over the grid, exact after it.
    fn climb(
        &self,
        collection: &Collection,
        grid: &Grid,
        plain: &[f64],
        times: &[f64],
        ladder: &Ladder,
    ) -> Annealed {
        let start = plain.first().copied().unwrap_or(0.0);
        let mut rungs = vec![0.0; ladder.rungs.len()];
        let mut path = vec![start];
        let mut seen = Vec::with_capacity(times.len());
        let mut wanted = times.iter().copied().peekable();
        let advance = |rungs: &[f64], brought_per_s: f64, span: f64| -> Vec<f64> {
            rungs
                .iter()
                .zip(&ladder.rungs)
                .map(|(value, rung)| {
                    let rate = 1.0 / rung.time_constant_s;
                    // (1 − e^(−x))/x, which is 1 at x = 0.
                    let x = rate * span;
                    let filled = if x > 0.0 { -(-x).exp_m1() / x } else { 1.0 };
                    value * (-x).exp() + rung.weight * brought_per_s * span * filled
                })
                .collect()
        };
        let whole = |rungs: &[f64]| start + rungs.iter().sum::<f64>();
        while wanted.next_if(|time| *time <= 0.0).is_some() {
            seen.push(start);
        }
        for index in 1..grid.times.len() {
            let (from, to) = (grid.times[index - 1], grid.times[index]);
            let span = to - from;
            let dose_rate = (grid.doses[index] - grid.doses[index - 1]) / span;
            let brought_per_s = if self.feedback {
                let first = dose_rate * collection.rate(whole(&rungs));
                let middle = advance(&rungs, first, 0.5 * span);
                dose_rate * collection.rate(whole(&middle))
            } else {
                (plain[index] - plain[index - 1]) / span
            };
            while let Some(time) = wanted.next_if(|time| *time <= to) {
                seen.push(whole(&advance(&rungs, brought_per_s, (time - from).max(0.0))));
            }
            rungs = advance(&rungs, brought_per_s, span);
            path.push(whole(&rungs));
        }
        let end = grid.times.last().copied().unwrap_or(0.0);
        for time in wanted {
            seen.push(whole(&advance(&rungs, 0.0, time - end)));
        }
        let path = if self.feedback { path } else { plain.to_vec() };
        Annealed { path, seen }
    }
}
