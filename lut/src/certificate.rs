//! How good a table is, as measured against its source.

use serde::{Deserialize, Serialize};

/// The largest interpolation error that was found when the table was checked against its source at
/// points between its nodes. It is a measurement at `checked_points` places, not a bound by theorem.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// Largest error, as a fraction of the largest current.
    pub max_error_fraction: f64,
    /// The quantity that had it (`mean`, `sigma`, `quantile`).
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
}

impl Certificate {
    /// Whether the asked tolerance was met.
    pub fn met(&self) -> bool {
        self.max_error_fraction <= self.tolerance_fraction
    }
}
