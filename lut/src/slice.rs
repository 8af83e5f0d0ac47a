//! A table at one time and dose.

use crate::axis::Axis;
use crate::pchip;
use crate::source::{SCORE_COUNT, SCORES, Share};
use crate::table::DeviceTable;

/// Quantiles, moments and shares over the state at one time and dose. Equal to what the table's own
/// queries give there, with the interpolation over time and dose done once.
#[derive(Debug, Clone, PartialEq)]
pub struct Slice {
    state: Axis,
    mean: Vec<f64>,
    sigma: Vec<f64>,
    /// `[score, state]`: the interpolation runs over the state.
    quantile: Vec<f64>,
    share: [Vec<f64>; 3],
}

impl Slice {
    pub(crate) fn cut(table: &DeviceTable, time_s: f64, dose: f64) -> Self {
        let states = table.state.len();
        let at = table.places(0.0, time_s, dose);
        let column = |array: &[f64], width: usize, column: usize| -> Vec<f64> {
            (0..states).map(|s| table.at_state(array, width, column, s, &at)).collect()
        };
        Self {
            state: table.state.clone(),
            mean: column(&table.mean, 1, 0),
            sigma: column(&table.sigma, 1, 0),
            quantile: (0..SCORE_COUNT).flat_map(|q| column(&table.quantile, SCORE_COUNT, q)).collect(),
            share: [
                column(&table.share_programming, 1, 0),
                column(&table.share_drift, 1, 0),
                column(&table.share_dose, 1, 0),
            ],
        }
    }

    fn over_state(&self, values: &[f64], state: f64) -> f64 {
        let xs = self.state.coordinates();
        pchip::evaluate(xs, pchip::place(xs, self.state.coordinate(state)), |k| values[k])
    }

    /// Mean current (nA).
    pub fn mean_na(&self, state: f64) -> f64 {
        self.over_state(&self.mean, state)
    }

    /// Standard deviation over cells (nA).
    pub fn sigma_na(&self, state: f64) -> f64 {
        self.over_state(&self.sigma, state)
    }

    /// Current (nA) of a cell with normal score `z`: linear between scores, and beyond the outermost
    /// with their last slope; never negative.
    pub fn current_na(&self, state: f64, z: f64) -> f64 {
        let place = (z - SCORES[0]) / (SCORES[1] - SCORES[0]);
        let below = (place.max(0.0) as usize).min(SCORE_COUNT - 2);
        let states = self.state.len();
        let at = |q: usize| self.over_state(&self.quantile[q * states..(q + 1) * states], state);
        let (a, b) = (at(below), at(below + 1));
        (a + (b - a) * (place - below as f64)).max(0.0)
    }

    /// Where the spread comes from.
    pub fn share(&self, state: f64) -> Share {
        let [programming, drift, dose] =
            [0, 1, 2].map(|cause| self.over_state(&self.share[cause], state).max(0.0));
        let sum = programming + drift + dose;
        if sum > 0.0 {
            Share { programming: programming / sum, drift: drift / sum, dose: dose / sum }
        } else {
            Share { programming: 1.0, drift: 0.0, dose: 0.0 }
        }
    }
}
