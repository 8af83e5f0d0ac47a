//! What a table is compiled from.

use crate::history::{History, REFERENCE_TEMPERATURE_K, Report};
use mho_data::provenance::Origin;
use serde::{Deserialize, Serialize};

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

/// Scores at which quantiles are checked against the source: every other one up to 3; beyond lie 0.3 % of
/// the cells.
pub(crate) fn checked_scores() -> impl Iterator<Item = usize> {
    (0..SCORE_COUNT).step_by(2).filter(|&q| SCORES[q].abs() <= 3.0)
}

impl Share {
    /// Weights of the three normals of a cell, whose squares are the shares.
    pub(crate) fn loadings(self) -> [f64; 3] {
        [self.programming, self.drift, self.dose].map(|share| share.max(0.0).sqrt())
    }

    /// Correlation of the score of a cell between two places with these shares, where each of its three
    /// normals is the same at both.
    pub fn correlation(self, other: Self) -> f64 {
        self.loadings().iter().zip(other.loadings()).map(|(a, b)| a * b).sum::<f64>().min(1.0)
    }
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

/// The voltages at which cells can be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReadVoltages {
    /// The terminal of which it is the voltage: `gate`, `drain`.
    pub terminal: String,
    /// The voltage at which all currents are given (V).
    pub reference_v: f64,
    /// Lowest (V).
    pub low_v: f64,
    /// Highest (V).
    pub high_v: f64,
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

/// What becomes of cells with one target along a history.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// Statistics at each report.
    pub statistics: Vec<CellStatistics>,
    /// Correlation of the normal score of a cell between reports, row by row.
    pub correlation: Vec<f64>,
    /// What the source left out of the history, if anything.
    pub approximation: Option<String>,
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

    /// The voltage across a cell at its read (V), which makes its current a conductance, if the source knows
    /// it: of a transistor that of the drain.
    fn read_voltage_v(&self) -> Option<f64> {
        None
    }

    /// The voltages at which cells can be read, if the source knows more than one.
    fn read_voltages(&self) -> Option<ReadVoltages> {
        None
    }

    /// Current (nA) at a voltage of the read (V) of a cell that carries `current_na` at the reference
    /// voltage, where [`CellSource::read_voltages`] are known.
    fn current_at_voltage_na(&self, current_na: f64, _read_v: f64) -> f64 {
        current_na
    }

    /// Correlation of the normal score of one cell between two places, each a time (s) and a dose
    /// (krad(Si)): that of three normals of the cell, weighted by the shares, unless the source knows
    /// better.
    ///
    /// # Errors
    /// When the source has no answer there.
    fn correlation(&self, state: f64, a: (f64, f64), b: (f64, f64)) -> Result<f64, SourceError> {
        Ok(self.cell(state, a.0, a.1)?.share.correlation(self.cell(state, b.0, b.1)?.share))
    }

    /// What becomes of cells with the target `state` along a history, at ascending times (s) in it. Unless
    /// the source knows better: at each of them the dose so far and then the time so far, which is said in
    /// the answer where the history had another order.
    ///
    /// # Errors
    /// When the source has no answer there; unless it knows better, at any temperature but
    /// [`REFERENCE_TEMPERATURE_K`] and under gate bias.
    fn history(&self, state: f64, history: &History, reports_s: &[f64]) -> Result<Course, SourceError> {
        dose_then_time(self, state, history, reports_s)
    }

    /// Standard deviation (nA) of repeated reads of a cell that carries `current_na`.
    fn read_noise_na(&self, current_na: f64) -> f64;

    /// Standard deviation (nA) of one read of a cell whose statistics are `cell`, at that state, time and
    /// dose: that of a cell with the mean current, unless the source knows better.
    fn read_sigma_na(&self, _state: f64, _time_s: f64, _dose_krad_si: f64, cell: &CellStatistics) -> f64 {
        self.read_noise_na(cell.mean_na)
    }
}

fn dose_then_time<S: CellSource + ?Sized>(
    source: &S,
    state: f64,
    history: &History,
    reports_s: &[f64],
) -> Result<Course, SourceError> {
    let wrong = |report: Option<&Report>, reason: String| SourceError {
        state,
        time_s: report.map_or(0.0, |report| report.time_s),
        dose_krad_si: report.map_or(0.0, |report| report.dose_krad_si),
        reason,
    };
    let mut reports = Vec::with_capacity(reports_s.len());
    for &time_s in reports_s {
        let report = history.at(time_s).map_err(|error| wrong(None, error.to_string()))?;
        for segment in history.until(time_s) {
            let unknown = if segment.temperature_k != REFERENCE_TEMPERATURE_K {
                Some(format!("{} K", segment.temperature_k))
            } else {
                (segment.gate_bias_v != 0.0).then(|| format!("a gate bias of {} V", segment.gate_bias_v))
            };
            if let Some(unknown) = unknown {
                let reason = format!("{unknown} in the history, the source knows 300 K without bias alone");
                return Err(wrong(Some(&report), reason));
            }
        }
        reports.push((report.time_s, report.dose_krad_si));
    }
    let statistics: Result<Vec<CellStatistics>, SourceError> =
        reports.iter().map(|&(time_s, dose)| source.cell(state, time_s, dose)).collect();
    let mut correlation = Vec::with_capacity(reports.len() * reports.len());
    for &a in &reports {
        for &b in &reports {
            correlation.push(if a == b { 1.0 } else { source.correlation(state, a, b)? });
        }
    }
    let dosed = reports.iter().any(|&(time_s, dose)| dose > 0.0 && time_s > 0.0);
    let approximation = dosed.then(|| {
        "dose and time are taken one after the other at each report, all of the dose first".to_owned()
    });
    Ok(Course { statistics: statistics?, correlation, approximation })
}
