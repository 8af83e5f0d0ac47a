//! The device table and its queries.

use crate::axis::Axis;
use crate::certificate::Certificate;
use crate::pchip::{self, Place};
use crate::slice::Slice;
use crate::source::{SCORES, SourceError};
use mho_data::InputError;
use mho_data::provenance::Origin;

/// Why a table has no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TableError {
    /// Outside of what the table was compiled for.
    #[error("{what} = {value} lies outside of the table's range {low} to {high}")]
    OutOfRange {
        /// Axis.
        what: &'static str,
        /// Asked value.
        value: f64,
        /// Smallest value of the table.
        low: f64,
        /// Largest.
        high: f64,
    },
    /// The source failed while the table was compiled.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The file is not a device table.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The table could not be written.
    #[error("could not write the table: {0}")]
    Write(String),
}

/// How far the source of a table reaches, of its own account; nodes beyond are counted as extrapolated.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Validity {
    /// Longest time (s).
    pub time_max_s: f64,
    /// Largest dose (krad(Si)).
    pub dose_max_krad_si: f64,
}

/// What to do with a query outside of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutOfRange {
    /// Take the nearest point inside, and count it.
    Clamp,
    /// Refuse.
    Error,
}

/// Statistics of the cell current over (state, time, dose), with the certificate of how well they
/// follow their source. Currents in nA; arrays are state-major, then time, then dose.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceTable {
    pub(crate) name: String,
    pub(crate) origin: Origin,
    pub(crate) current_max_na: f64,
    pub(crate) notes: Vec<String>,
    pub(crate) certificate: Certificate,
    pub(crate) validity: Option<Validity>,
    pub(crate) extrapolated_nodes: usize,
    pub(crate) state: Axis,
    pub(crate) time: Axis,
    pub(crate) dose: Axis,
    pub(crate) mean: Vec<f64>,
    pub(crate) sigma: Vec<f64>,
    /// `[state, time, dose, score]`.
    pub(crate) quantile: Vec<f64>,
    pub(crate) share_programming: Vec<f64>,
    pub(crate) share_drift: Vec<f64>,
    pub(crate) share_dose: Vec<f64>,
    /// Read noise at currents `noise_current` (nA).
    pub(crate) noise_current: Vec<f64>,
    pub(crate) noise: Vec<f64>,
}

/// A point that is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Query {
    /// State (fraction of the largest current).
    pub state: f64,
    /// Time (s).
    pub time_s: f64,
    /// Dose (krad(Si)).
    pub dose_krad_si: f64,
}

/// The answer to a query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// What was asked.
    pub query: Query,
    /// Mean current (nA).
    pub mean_na: f64,
    /// Standard deviation over cells (nA).
    pub sigma_na: f64,
    /// Whether the point was moved into the table's range.
    pub clamped: bool,
}

impl DeviceTable {
    /// Name of the device.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its numbers come from.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Current of state 1 (nA).
    pub fn current_max_na(&self) -> f64 {
        self.current_max_na
    }

    /// What a reader has to know.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// How well the table follows its source.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// How far the source reaches, if the table's file says so.
    pub fn validity(&self) -> Option<Validity> {
        self.validity
    }

    /// Nodes at which the source left the range of what it was made from.
    pub fn extrapolated_nodes(&self) -> usize {
        self.extrapolated_nodes
    }

    /// The axis of states.
    pub fn state_axis(&self) -> &Axis {
        &self.state
    }

    /// The axis of times (s).
    pub fn time_axis(&self) -> &Axis {
        &self.time
    }

    /// The axis of doses (krad(Si)).
    pub fn dose_axis(&self) -> &Axis {
        &self.dose
    }

    /// Normal scores of the quantiles, equidistant.
    pub fn scores(&self) -> &[f64] {
        &SCORES
    }

    /// Standard deviation (nA) of repeated reads of a cell that carries `current_na`: linear between
    /// nodes, constant beyond the last.
    pub fn read_noise_na(&self, current_na: f64) -> f64 {
        let place = pchip::place(&self.noise_current, current_na);
        let (Some(a), Some(b)) = (self.noise.get(place.i), self.noise.get(place.i + 1)) else {
            return self.noise.first().copied().unwrap_or(0.0);
        };
        a + (b - a) * place.t
    }

    /// The table at one time and dose, for drawing many cells.
    ///
    /// # Errors
    /// Outside of the table's range.
    pub fn slice(&self, time_s: f64, dose_krad_si: f64) -> Result<Slice, TableError> {
        check("time_s", time_s, &self.time)?;
        check("dose_krad_si", dose_krad_si, &self.dose)?;
        Ok(Slice::cut(self, time_s, dose_krad_si))
    }

    /// Means and standard deviations at points, and how many of them were clamped.
    ///
    /// # Errors
    /// With [`OutOfRange::Error`], the first point outside of the range.
    pub fn query(&self, points: &[Query], policy: OutOfRange) -> Result<(Vec<Row>, usize), TableError> {
        let mut clamped = 0;
        let mut rows = Vec::with_capacity(points.len());
        for &query in points {
            let mut outside = false;
            let mut inside = |what, value: f64, axis: &Axis| -> Result<f64, TableError> {
                if let Err(error) = check(what, value, axis) {
                    if policy == OutOfRange::Error || value.is_nan() {
                        return Err(error);
                    }
                    outside = true;
                }
                Ok(value.clamp(axis.range().0, axis.range().1))
            };
            let state = inside("state", query.state, &self.state)?;
            let time_s = inside("time_s", query.time_s, &self.time)?;
            let dose = inside("dose_krad_si", query.dose_krad_si, &self.dose)?;
            clamped += usize::from(outside);
            let at = self.places(state, time_s, dose);
            rows.push(Row {
                query,
                mean_na: self.interpolate(&self.mean, 1, 0, &at),
                sigma_na: self.interpolate(&self.sigma, 1, 0, &at),
                clamped: outside,
            });
        }
        Ok((rows, clamped))
    }

    /// Where a point lies on the three axes.
    pub(crate) fn places(&self, state: f64, time_s: f64, dose: f64) -> Places {
        let on = |axis: &Axis, value| pchip::place(axis.coordinates(), axis.coordinate(value));
        Places { state: on(&self.state, state), time: on(&self.time, time_s), dose: on(&self.dose, dose) }
    }

    /// Interpolated value of an array with `width` values per node, of which number `column`: first
    /// over dose and time at the neighbouring states, then over the state.
    pub(crate) fn interpolate(&self, array: &[f64], width: usize, column: usize, at: &Places) -> f64 {
        pchip::evaluate(self.state.coordinates(), at.state, |s| self.at_state(array, width, column, s, at))
    }

    /// Value at node `s` of the state axis, interpolated over dose and time.
    pub(crate) fn at_state(&self, array: &[f64], width: usize, column: usize, s: usize, at: &Places) -> f64 {
        let (ts, ds) = (self.time.coordinates(), self.dose.coordinates());
        pchip::evaluate(ts, at.time, |t| {
            pchip::evaluate(ds, at.dose, |d| array[((s * ts.len() + t) * ds.len() + d) * width + column])
        })
    }
}

/// A point as places on the axes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places {
    state: Place,
    time: Place,
    dose: Place,
}

fn check(what: &'static str, value: f64, axis: &Axis) -> Result<(), TableError> {
    let (low, high) = axis.range();
    // A value that was written and read as text may miss the end by a rounding.
    let slack = 1e-9 * (high - low);
    if value >= low - slack && value <= high + slack {
        Ok(())
    } else {
        Err(TableError::OutOfRange { what, value, low, high })
    }
}
