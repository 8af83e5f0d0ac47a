//! How good a table is, as measured against its source.

use serde::{Deserialize, Serialize};

/// What a table was checked against.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Against {
    /// Its source, between the nodes.
    #[default]
    Source,
    /// Measured nodes, each left out of the table once and asked for.
    LeftOut,
}

/// The largest interpolation error that was found when the table was checked against its source at
/// points between its nodes. It is a measurement at `checked_points` places, not a bound by theorem.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// Largest error, as a fraction of the largest current.
    pub max_error_fraction: f64,
    /// The quantity that had it (`mean`, `sigma`, `quantile`, `read noise`).
    pub quantity: String,
    /// State of the worst point.
    pub state: f64,
    /// Its time (s).
    pub time_s: f64,
    /// Its dose (krad(Si)).
    pub dose_krad_si: f64,
    /// How many points between the nodes were checked.
    pub checked_points: usize,
    /// The error that was asked for.
    pub tolerance_fraction: f64,
    /// Whether the mean rises with the state at every time and dose of the table.
    pub monotone: bool,
    /// What it was checked against.
    #[serde(default)]
    pub against: Against,
    /// Largest standard error of a mean, as a fraction of the largest current: what a finite number of
    /// measured cells leaves open. Absent where no cells were measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_standard_error_fraction: Option<f64>,
    /// Largest difference between the correlation of a cell with itself in the source and in the table;
    /// absent where it was not checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_correlation_error: Option<f64>,
    /// The error of the correlation that was asked for; absent where none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_tolerance: Option<f64>,
}

impl Certificate {
    /// Of a table that was not checked yet.
    pub(crate) fn none(tolerance_fraction: f64) -> Self {
        Self {
            max_error_fraction: f64::INFINITY,
            quantity: "none".into(),
            state: 0.0,
            time_s: 0.0,
            dose_krad_si: 0.0,
            checked_points: 0,
            tolerance_fraction,
            monotone: false,
            against: Against::Source,
            max_standard_error_fraction: None,
            max_correlation_error: None,
            correlation_tolerance: None,
        }
    }

    /// Whether the asked tolerances were met.
    pub fn met(&self) -> bool {
        let correlated = match (self.max_correlation_error, self.correlation_tolerance) {
            (Some(error), Some(tolerance)) => error <= tolerance,
            _ => true,
        };
        self.max_error_fraction <= self.tolerance_fraction && correlated
    }
}
