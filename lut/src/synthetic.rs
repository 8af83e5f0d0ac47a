//! A cell in closed form, for tests, benches and trying things out. Every number of it is made up.

use crate::source::{CellSource, CellStatistics, SCORES, Share, SourceError, SourceInfo};
use mho_data::provenance::Origin;

/// A cell whose current relaxes towards 600 nA with dose and creeps towards 400 nA with time, with a spread
/// in proportion to its mean that grows with dose.
#[derive(Debug, Clone, PartialEq)]
pub struct SyntheticCell {
    /// Exponent of the state in the current before time and dose.
    pub bend: f64,
    /// Standard deviation over the mean before dose.
    pub spread: f64,
    /// States below are told as extrapolated.
    pub extrapolated_below: f64,
    /// Notes of the source.
    pub notes: Vec<String>,
}

impl Default for SyntheticCell {
    fn default() -> Self {
        Self { bend: 1.0, spread: 0.02, extrapolated_below: 0.0, notes: Vec::new() }
    }
}

impl SyntheticCell {
    /// Current of state 1 (nA).
    pub const CURRENT_MAX_NA: f64 = 1600.0;
    /// Time (s) of the first steps of creep; dose (krad(Si)) of relaxation.
    const SCALES: [f64; 2] = [1800.0, 1700.0];
    /// Part of the way to the end that a decade of time creeps.
    const PER_DECADE: f64 = 0.02;
    /// Growth of the spread over its logarithm of dose, and the dose (krad(Si)) from which it grows.
    const GROWTH: [f64; 2] = [0.01, 100.0];

    /// Mean current (nA) of a cell of this state after a time (s) and a dose (krad(Si)).
    pub fn mean_na(&self, state: f64, time_s: f64, dose_krad_si: f64) -> f64 {
        let [time_scale_s, dose_scale] = Self::SCALES;
        let start = Self::CURRENT_MAX_NA * state.powf(self.bend);
        let dosed = 600.0 + (start - 600.0) * (-dose_krad_si / dose_scale).exp();
        dosed + (400.0 - dosed) * Self::PER_DECADE * (1.0 + time_s / time_scale_s).log10()
    }

    /// Standard deviation over the mean after a dose (krad(Si)).
    pub fn spread_at(&self, dose_krad_si: f64) -> f64 {
        let [growth, from] = Self::GROWTH;
        self.spread + growth * (1.0 + dose_krad_si / from).ln()
    }
}

impl CellSource for SyntheticCell {
    fn describe(&self) -> SourceInfo {
        SourceInfo {
            name: "synthetic".into(),
            origin: Origin::Synthetic,
            current_max_na: Self::CURRENT_MAX_NA,
            time_max_s: 1e6,
            dose_max_krad_si: 1e3,
            notes: self.notes.clone(),
        }
    }

    fn cell(&self, state: f64, time_s: f64, dose_krad_si: f64) -> Result<CellStatistics, SourceError> {
        let mean_na = self.mean_na(state, time_s, dose_krad_si);
        let spread = self.spread_at(dose_krad_si);
        // Programming has the variance 1, a day of drift and 100 krad(Si) another one each.
        let parts = [1.0, time_s / 86_400.0, dose_krad_si / 100.0];
        let [programming, drift, dose] = parts.map(|part| part / parts.iter().sum::<f64>());
        Ok(CellStatistics {
            mean_na,
            sigma_na: mean_na * spread,
            quantiles_na: SCORES.map(|score| mean_na * (1.0 + spread * score).max(0.0)),
            share: Share { programming, drift, dose },
            extrapolated: state < self.extrapolated_below,
        })
    }

    fn read_noise_na(&self, current_na: f64) -> f64 {
        0.01 * current_na
    }
}
