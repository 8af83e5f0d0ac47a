//! A table at one time and dose, or at one report of a history.

use crate::axis::Axis;
use crate::lookup::Place;
use crate::outside::{Clamped, OutOfRange, Range, Sides};
use crate::pchip::{self, Cubic};
use crate::source::{CellStatistics, SCORE_COUNT, SCORES, Share};
use crate::table::{DeviceTable, TableError};

/// Values at the nodes of the state axis, from which a slice is made.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Columns {
    pub(crate) mean: Vec<f64>,
    pub(crate) sigma: Vec<f64>,
    pub(crate) read_sigma: Vec<f64>,
    /// `[score, state]`.
    pub(crate) quantile: Vec<f64>,
    pub(crate) share: [Vec<f64>; 3],
}

impl Columns {
    /// For this many states.
    pub(crate) fn sized(states: usize) -> Self {
        let zeros = || vec![0.0; states];
        let share = [zeros(), zeros(), zeros()];
        Self {
            mean: zeros(),
            sigma: zeros(),
            read_sigma: zeros(),
            quantile: vec![0.0; states * SCORE_COUNT],
            share,
        }
    }

    /// The values of node `s`.
    pub(crate) fn set(&mut self, s: usize, cell: &CellStatistics, read_sigma_na: f64) {
        let states = self.mean.len();
        (self.mean[s], self.sigma[s], self.read_sigma[s]) = (cell.mean_na, cell.sigma_na, read_sigma_na);
        for (q, &quantile) in cell.quantiles_na.iter().enumerate() {
            self.quantile[q * states + s] = quantile;
        }
        let share = cell.share;
        for (column, value) in self.share.iter_mut().zip([share.programming, share.drift, share.dose]) {
            column[s] = value;
        }
    }
}

/// Quantiles, moments and shares over the state at one time and dose. What the table's own queries give
/// there, up to rounding, with the interpolation over time and dose, and the slopes over the state, done
/// once: a query is one or two stored cubics. Answers do not depend on how queries are batched.
#[derive(Debug, Clone, PartialEq)]
pub struct Slice {
    state: Axis,
    range: [f64; 2],
    mean: Vec<Cubic>,
    sigma: Vec<Cubic>,
    read_sigma: Vec<Cubic>,
    /// `[state, score]`: the two scores of a query are neighbours in memory.
    quantile: Vec<Cubic>,
    share: [Vec<Cubic>; 3],
}

/// Quantiles per unit of score.
const PER_SCORE: f64 = 1.0 / (SCORES[1] - SCORES[0]);

impl Slice {
    pub(crate) fn new(state: Axis, columns: &Columns) -> Self {
        let states = state.len();
        let over = |values: &[f64]| pchip::cubics(state.lookup(), values);
        let by_score: Vec<Vec<Cubic>> = columns.quantile.chunks(states.max(1)).map(over).collect();
        Self {
            mean: over(&columns.mean),
            sigma: over(&columns.sigma),
            read_sigma: over(&columns.read_sigma),
            quantile: (0..states).flat_map(|s| by_score.iter().map(move |curve| curve[s])).collect(),
            share: columns.share.each_ref().map(|values| over(values)),
            range: state.range().into(),
            state,
        }
    }

    pub(crate) fn cut(table: &DeviceTable, time_s: f64, dose: f64) -> Self {
        let states = table.state.len();
        let at = table.places(0.0, time_s, dose);
        let column = |array: &[f64], width: usize, column: usize| -> Vec<f64> {
            (0..states).map(|s| table.at_state(array, width, column, s, &at)).collect()
        };
        let columns = Columns {
            mean: column(&table.mean, 1, 0),
            sigma: column(&table.sigma, 1, 0),
            read_sigma: column(&table.read_sigma, 1, 0),
            quantile: (0..SCORE_COUNT).flat_map(|q| column(&table.quantile, SCORE_COUNT, q)).collect(),
            share: [
                column(&table.share_programming, 1, 0),
                column(&table.share_drift, 1, 0),
                column(&table.share_dose, 1, 0),
            ],
        };
        Self::new(table.state.clone(), &columns)
    }

    fn states(&self) -> Range {
        Range::new("state", (self.range[0], self.range[1]))
    }

    #[inline]
    fn quantile(&self, place: Place, z: f64) -> f64 {
        let score = (z - SCORES[0]) * PER_SCORE;
        let below = (score.max(0.0) as usize).min(SCORE_COUNT - 2);
        let at = place.i * SCORE_COUNT + below;
        let [a, b] = [&self.quantile[at], &self.quantile[at + 1]].map(|cubic| pchip::value(cubic, place.t));
        (a + (b - a) * (score - below as f64)).max(0.0)
    }

    #[inline]
    fn one(&self, curve: &[Cubic], state: f64) -> f64 {
        if !self.states().holds(state) {
            return f64::NAN;
        }
        let place = self.state.place(state);
        pchip::value(&curve[place.i], place.t)
    }

    fn many(
        &self,
        curve: &[Cubic],
        states: &[f64],
        policy: OutOfRange,
        out: &mut [f64],
    ) -> Result<Clamped, TableError> {
        same_length(states, out)?;
        let (range, mut sides) = (self.states(), Sides::default());
        for (&state, out) in states.iter().zip(out) {
            let place = self.state.place(range.moved(state, policy, &mut sides)?);
            *out = pchip::value(&curve[place.i], place.t);
        }
        Ok(Clamped { points: sides.total(), state: sides, ..Clamped::default() })
    }

    /// Mean current (nA); NaN for a state outside of the table.
    #[inline]
    pub fn mean_na(&self, state: f64) -> f64 {
        self.one(&self.mean, state)
    }

    /// Standard deviation over cells (nA); NaN for a state outside of the table.
    #[inline]
    pub fn sigma_na(&self, state: f64) -> f64 {
        self.one(&self.sigma, state)
    }

    /// Standard deviation (nA) of one read of a cell of this state; NaN for a state outside of the table.
    #[inline]
    pub fn read_sigma_na(&self, state: f64) -> f64 {
        self.one(&self.read_sigma, state)
    }

    /// Current (nA) of a cell with normal score `z`: linear between scores, and beyond the outermost
    /// with their last slope; never negative. NaN for a state outside of the table.
    #[inline]
    pub fn current_na(&self, state: f64, z: f64) -> f64 {
        if !self.states().holds(state) {
            return f64::NAN;
        }
        self.quantile(self.state.place(state), z)
    }

    /// Mean currents (nA) of many states.
    ///
    /// # Errors
    /// With [`OutOfRange::Error`], the first state outside of the table; a state that is no number; an
    /// `out` of another length.
    pub fn means_na(
        &self,
        states: &[f64],
        policy: OutOfRange,
        out: &mut [f64],
    ) -> Result<Clamped, TableError> {
        self.many(&self.mean, states, policy, out)
    }

    /// Standard deviations over cells (nA) of many states.
    ///
    /// # Errors
    /// As [`Self::means_na`].
    pub fn sigmas_na(
        &self,
        states: &[f64],
        policy: OutOfRange,
        out: &mut [f64],
    ) -> Result<Clamped, TableError> {
        self.many(&self.sigma, states, policy, out)
    }

    /// Standard deviations (nA) of one read of cells of many states.
    ///
    /// # Errors
    /// As [`Self::means_na`].
    pub fn read_sigmas_na(
        &self,
        states: &[f64],
        policy: OutOfRange,
        out: &mut [f64],
    ) -> Result<Clamped, TableError> {
        self.many(&self.read_sigma, states, policy, out)
    }

    /// Currents (nA) of many cells, each with its state and its normal score. With [`OutOfRange::Clamp`] a
    /// score beyond the outermost quantile is counted and read along the last slope: the tail of a draw.
    ///
    /// # Errors
    /// As [`Self::means_na`], for scores too.
    pub fn currents_na(
        &self,
        states: &[f64],
        z: &[f64],
        policy: OutOfRange,
        out: &mut [f64],
    ) -> Result<Clamped, TableError> {
        same_length(states, out)?;
        same_length(z, out)?;
        let (range, tails) = (self.states(), scores());
        let mut clamped = Clamped::default();
        for ((&state, &z), out) in states.iter().zip(z).zip(out) {
            let before = clamped.state.total() + clamped.score.total();
            let place = self.state.place(range.moved(state, policy, &mut clamped.state)?);
            tails.moved(z, policy, &mut clamped.score)?;
            clamped.points += usize::from(clamped.state.total() + clamped.score.total() > before);
            *out = self.quantile(place, z);
        }
        Ok(clamped)
    }

    /// Where the spread comes from; NaN for a state outside of the table.
    pub fn share(&self, state: f64) -> Share {
        let [programming, drift, dose] = self.share.each_ref().map(|curve| self.one(curve, state).max(0.0));
        let sum = programming + drift + dose;
        if sum > 0.0 {
            Share { programming: programming / sum, drift: drift / sum, dose: dose / sum }
        } else if self.states().holds(state) {
            Share { programming: 1.0, drift: 0.0, dose: 0.0 }
        } else {
            Share { programming: f64::NAN, drift: f64::NAN, dose: f64::NAN }
        }
    }
}

pub(crate) fn scores() -> Range {
    Range::new("score", (SCORES[0], SCORES[SCORE_COUNT - 1]))
}

fn same_length(given: &[f64], out: &[f64]) -> Result<(), TableError> {
    if given.len() == out.len() {
        Ok(())
    } else {
        Err(TableError::Lengths { given: given.len(), out: out.len() })
    }
}

#[cfg(test)]
mod tests;
