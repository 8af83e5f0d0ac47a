//! What a table is compiled from.

use mho_data::provenance::Origin;

/// Number of normal scores of a quantile function.
pub const SCORE_COUNT: usize = 33;

/// Normal scores at which quantiles are given: -4 to 4 in steps of 1/4.
pub const SCORES: [f64; SCORE_COUNT] = {
    let mut scores = [0.0; SCORE_COUNT];
    let mut i = 0;
    while i < SCORE_COUNT {
        scores[i] = -4.0 + 0.25 * i as f64;
        i += 1;
    }
    scores
};

/// Fractions of the variance of a cell's score that come from each cause; they sum to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// Programming error.
    pub programming: f64,
    /// Spread that grew with time.
    pub drift: f64,
    /// Spread that grew with dose.
    pub dose: f64,
}

/// Statistics of the current of cells with one target at one time and dose.
#[derive(Debug, Clone, PartialEq)]
pub struct CellStatistics {
    /// Mean over cells (nA).
    pub mean_na: f64,
    /// Standard deviation over cells (nA), read noise not included.
    pub sigma_na: f64,
    /// Quantiles (nA) at [`SCORES`].
    pub quantiles_na: [f64; SCORE_COUNT],
    /// Where the spread comes from.
    pub share: Share,
    /// Whether the source left the range of what it was made from.
    pub extrapolated: bool,
}

/// What a source is, for the table's header.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceInfo {
    /// Name of the device.
    pub name: String,
    /// Where its numbers come from.
    pub origin: Origin,
    /// Current of state 1 (nA).
    pub current_max_na: f64,
    /// Longest time for which it holds (s).
    pub time_max_s: f64,
    /// Largest dose for which it holds (krad(Si)).
    pub dose_max_krad_si: f64,
    /// What a reader has to know.
    pub notes: Vec<String>,
}

/// Why a source has no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("no cell statistics at state {state}, {time_s} s, {dose_krad_si} krad(Si): {reason}")]
pub struct SourceError {
    /// State (fraction of the largest current).
    pub state: f64,
    /// Time (s).
    pub time_s: f64,
    /// Dose (krad(Si)).
    pub dose_krad_si: f64,
    /// What went wrong.
    pub reason: String,
}

/// Anything that behaves like a memory cell.
pub trait CellSource: Sync {
    /// What it is.
    fn describe(&self) -> SourceInfo;

    /// Statistics of cells with the target `state` (fraction of the largest current, 0 to 1) after a
    /// dose and then a time.
    ///
    /// # Errors
    /// When the source has no answer there.
    fn cell(&self, state: f64, time_s: f64, dose_krad_si: f64) -> Result<CellStatistics, SourceError>;

    /// Standard deviation (nA) of repeated reads of a cell that carries `current_na`.
    fn read_noise_na(&self, current_na: f64) -> f64;

    /// Standard deviation (nA) of one read of a cell whose statistics are `cell`, at that state, time and
    /// dose: that of a cell with the mean current, unless the source knows better.
    fn read_sigma_na(&self, _state: f64, _time_s: f64, _dose_krad_si: f64, cell: &CellStatistics) -> f64 {
        self.read_noise_na(cell.mean_na)
    }
}
