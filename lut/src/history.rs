//! What happens to a cell after programming: segments of time, each with its dose rate, temperature and
//! gate bias.

mod compile;
mod file;
mod table;

pub use compile::{HistoryOptions, compile_history};
pub use table::HistoryTable;

use crate::table::TableError;
use serde::{Deserialize, Serialize};

/// Temperature at which sources hold that know no other (K).
pub const REFERENCE_TEMPERATURE_K: f64 = 300.0;

/// A stretch of time in which nothing changes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// How long it lasts (s).
    pub duration_s: f64,
    /// Dose rate (rad(Si)/s).
    #[serde(default)]
    pub dose_rate_rad_si_per_s: f64,
    /// Temperature (K).
    #[serde(default = "reference")]
    pub temperature_k: f64,
    /// Gate bias (V).
    #[serde(default)]
    pub gate_bias_v: f64,
}

fn reference() -> f64 {
    REFERENCE_TEMPERATURE_K
}

/// A list of segments. Time and dose do not commute: a cell that is irradiated and then stored is not one
/// that was stored first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Segment>", into = "Vec<Segment>")]
pub struct History {
    segments: Vec<Segment>,
}

/// Where a cell stands in its history.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Time since programming (s).
    pub time_s: f64,
    /// Dose so far (krad(Si)).
    pub dose_krad_si: f64,
    /// Temperature of the segment that ends here or runs (K).
    pub temperature_k: f64,
    /// Its gate bias (V).
    pub gate_bias_v: f64,
}

impl History {
    /// A history of these segments.
    ///
    /// # Errors
    /// When there is none, or a number of one makes no sense.
    pub fn new(segments: Vec<Segment>) -> Result<Self, TableError> {
        let wrong = |number: usize, what: &str, value: f64, expected: &str| {
            Err(TableError::History(format!(
                "segment {number}: {what} = {value}, expected a number {expected}"
            )))
        };
        if segments.is_empty() {
            return Err(TableError::History("no segments, expected at least one".into()));
        }
        let known = |value: f64| value.is_finite() && value >= 0.0;
        for (number, segment) in (1..).zip(&segments) {
            let Segment { duration_s, dose_rate_rad_si_per_s, temperature_k, gate_bias_v } = *segment;
            if !known(duration_s) {
                return wrong(number, "duration_s", duration_s, "of 0 or more");
            }
            if !known(dose_rate_rad_si_per_s) {
                return wrong(number, "dose_rate_rad_si_per_s", dose_rate_rad_si_per_s, "of 0 or more");
            }
            if !(temperature_k > 0.0 && temperature_k.is_finite()) {
                return wrong(number, "temperature_k", temperature_k, "above 0");
            }
            if !gate_bias_v.is_finite() {
                return wrong(number, "gate_bias_v", gate_bias_v, "that is finite");
            }
        }
        let history = Self { segments };
        let (time_s, dose) = (history.duration_s(), history.dose_krad_si());
        if !(time_s.is_finite() && dose.is_finite()) {
            return Err(TableError::History(format!("{time_s} s and {dose} krad(Si) in all")));
        }
        Ok(history)
    }

    /// The segments in their order.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// How long it lasts (s).
    pub fn duration_s(&self) -> f64 {
        self.segments.iter().map(|segment| segment.duration_s).sum()
    }

    /// The dose at its end (krad(Si)).
    pub fn dose_krad_si(&self) -> f64 {
        self.segments.iter().map(|s| 1e-3 * s.dose_rate_rad_si_per_s * s.duration_s).sum()
    }

    /// The segments up to a time, the last one cut there; times beyond the end run on to the end only.
    pub fn until(&self, time_s: f64) -> impl Iterator<Item = Segment> + '_ {
        let mut left = time_s.max(0.0);
        self.segments.iter().map_while(move |&segment| {
            (left > 0.0).then(|| {
                let duration_s = segment.duration_s.min(left);
                left -= segment.duration_s;
                Segment { duration_s, ..segment }
            })
        })
    }

    /// The segments between two times, the first and the last one cut there.
    pub fn between(&self, from_s: f64, to_s: f64) -> impl Iterator<Item = Segment> + '_ {
        let mut skip = from_s.max(0.0);
        self.until(to_s).filter_map(move |segment| {
            let cut = skip.min(segment.duration_s);
            skip -= cut;
            let duration_s = segment.duration_s - cut;
            (duration_s > 0.0).then_some(Segment { duration_s, ..segment })
        })
    }

    /// Where a cell stands at a time.
    ///
    /// # Errors
    /// Before the beginning or beyond the end.
    pub fn at(&self, time_s: f64) -> Result<Report, TableError> {
        let end = self.duration_s();
        // A report at the end, written as text, may miss it by a rounding.
        if !(time_s >= 0.0 && time_s <= end * (1.0 + 1e-9)) {
            return Err(TableError::OutOfRange { what: "time_s", value: time_s, low: 0.0, high: end });
        }
        let first = self.segments.first().copied().unwrap_or(Segment {
            duration_s: 0.0,
            dose_rate_rad_si_per_s: 0.0,
            temperature_k: REFERENCE_TEMPERATURE_K,
            gate_bias_v: 0.0,
        });
        let start = Report {
            time_s,
            dose_krad_si: 0.0,
            temperature_k: first.temperature_k,
            gate_bias_v: first.gate_bias_v,
        };
        Ok(self.until(time_s).fold(start, |report, segment| Report {
            dose_krad_si: report.dose_krad_si + 1e-3 * segment.dose_rate_rad_si_per_s * segment.duration_s,
            temperature_k: segment.temperature_k,
            gate_bias_v: segment.gate_bias_v,
            ..report
        }))
    }
}

impl TryFrom<Vec<Segment>> for History {
    type Error = TableError;

    fn try_from(segments: Vec<Segment>) -> Result<Self, TableError> {
        Self::new(segments)
    }
}

impl From<History> for Vec<Segment> {
    fn from(history: History) -> Self {
        history.segments
    }
}

#[cfg(test)]
mod tests;
