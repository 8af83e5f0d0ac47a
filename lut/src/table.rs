//! The device table and its queries.

use crate::axis::Axis;
use crate::device::Device;
use crate::lookup::Place;
use crate::outside::{Clamped, OutOfRange, Range};
use crate::pchip::{self, At};
use crate::points::Points;
use crate::slice::Slice;
use crate::source::{SCORES, SourceError};
use mho_data::InputError;
use std::ops::Deref;

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
    /// A history that makes no sense.
    #[error("history: {0}")]
    History(String),
    /// A table that cannot be compiled as asked.
    #[error("no table with {0}")]
    Asked(String),
    /// Updates that make no sense.
    #[error("update: {0}")]
    Update(String),
    /// Another read voltage than the one that the source knew.
    #[error("the source of this table knew one read voltage")]
    OneVoltage,
    /// The source failed while the table was compiled.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The file is not a device table.
    #[error(transparent)]
    Input(#[from] InputError),
    /// Two slices of a batch do not have one length.
    #[error("{given} numbers are asked for in a batch of {out}")]
    Lengths {
        /// Numbers given.
        given: usize,
        /// Places for answers.
        out: usize,
    },
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

/// Statistics of the cell current over (state, time, dose), with the certificate of how well they
/// follow their source. Currents in nA; arrays are state-major, then time, then dose.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceTable {
    pub(crate) device: Device,
    pub(crate) validity: Option<Validity>,
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
    /// Noise of one read of a cell that carries the mean current.
    pub(crate) read_sigma: Vec<f64>,
    /// Measured cells at every node; empty where none were.
    pub(crate) cells: Vec<f64>,
}

/// Batches with more than one point for so many nodes prepare the table first: alone, a point takes some twenty
/// times longer than the preparation of a node.
const POINTS_PER_NODE: usize = 20;

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
    /// Standard deviation of one read (nA).
    pub read_sigma_na: f64,
    /// Whether the point was moved into the table's range.
    pub clamped: bool,
}

/// A table is its device and the statistics over its axes; what tables of every kind say of a device is said
/// once, there.
impl Deref for DeviceTable {
    type Target = Device;

    fn deref(&self) -> &Device {
        &self.device
    }
}

impl DeviceTable {
    /// How far the source reaches, if the table's file says so.
    pub fn validity(&self) -> Option<Validity> {
        self.validity
    }

    /// How many cells were measured at every node, state-major, then time, then dose; `None` for a table
    /// that was not made of measured cells.
    pub fn cells(&self) -> Option<&[f64]> {
        (!self.cells.is_empty()).then_some(self.cells.as_slice())
    }

    /// The table with one more thing that a reader has to know.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.device.notes.push(note.into());
        self
    }

    /// Whether a time (s) and dose (krad(Si)) lie beyond what the source was made from, as far as the table's file
    /// says it: there the table holds what the source extrapolated.
    pub fn is_beyond_source(&self, time_s: f64, dose_krad_si: f64) -> bool {
        let beyond = |asked: f64, end: f64| asked > end * (1.0 + 1e-9);
        self.validity.is_some_and(|validity| {
            beyond(time_s, validity.time_max_s) || beyond(dose_krad_si, validity.dose_max_krad_si)
        })
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

    /// The table at one time and dose, for drawing many cells.
    ///
    /// # Errors
    /// Outside of the table's range.
    pub fn slice(&self, time_s: f64, dose_krad_si: f64) -> Result<Slice, TableError> {
        let time_s = Range::of("time_s", &self.time).inside(time_s)?;
        let dose = Range::of("dose_krad_si", &self.dose).inside(dose_krad_si)?;
        Ok(Slice::cut(self, time_s, dose))
    }

    /// The table at one time and dose, moved into its range where the policy allows it.
    ///
    /// # Errors
    /// With [`OutOfRange::Error`], outside of the table's range.
    pub fn slice_at(
        &self,
        time_s: f64,
        dose_krad_si: f64,
        policy: OutOfRange,
    ) -> Result<(Slice, Clamped), TableError> {
        let mut clamped = Clamped::default();
        let time_s = Range::of("time_s", &self.time).moved(time_s, policy, &mut clamped.time_s)?;
        let dose =
            Range::of("dose_krad_si", &self.dose).moved(dose_krad_si, policy, &mut clamped.dose_krad_si)?;
        clamped.points = usize::from(clamped.time_s.total() + clamped.dose_krad_si.total() > 0);
        Ok((Slice::cut(self, time_s, dose), clamped))
    }

    /// The table prepared for queries at many points.
    pub fn points(&self) -> Points<'_> {
        Points::new(self)
    }

    /// Means and standard deviations at points, and how many of them were moved into the table. Whoever asks
    /// many times asks [`DeviceTable::points`].
    ///
    /// # Errors
    /// With [`OutOfRange::Error`], the first point outside of the range; in any case a coordinate that is
    /// no number.
    pub fn query(&self, points: &[Query], policy: OutOfRange) -> Result<(Vec<Row>, Clamped), TableError> {
        if points.len() > self.mean.len() / POINTS_PER_NODE {
            let mut rows = Vec::new();
            let clamped = self.points().query(points, policy, &mut rows)?;
            return Ok((rows, clamped));
        }
        let (states, times, doses) = (
            Range::of("state", &self.state),
            Range::of("time_s", &self.time),
            Range::of("dose_krad_si", &self.dose),
        );
        let mut clamped = Clamped::default();
        let mut rows = Vec::with_capacity(points.len());
        for &query in points {
            let moved = |c: &Clamped| c.state.total() + c.time_s.total() + c.dose_krad_si.total();
            let before = moved(&clamped);
            let state = states.moved(query.state, policy, &mut clamped.state)?;
            let time_s = times.moved(query.time_s, policy, &mut clamped.time_s)?;
            let dose = doses.moved(query.dose_krad_si, policy, &mut clamped.dose_krad_si)?;
            let outside = moved(&clamped) > before;
            clamped.points += usize::from(outside);
            let at = self.places(state, time_s, dose);
            rows.push(Row {
                query,
                mean_na: self.interpolate(&self.mean, 1, 0, &at),
                sigma_na: self.interpolate(&self.sigma, 1, 0, &at),
                read_sigma_na: self.interpolate(&self.read_sigma, 1, 0, &at),
                clamped: outside,
            });
        }
        Ok((rows, clamped))
    }

    /// Where a point lies on the three axes.
    pub(crate) fn places(&self, state: f64, time_s: f64, dose: f64) -> Places {
        Places { state: self.state.place(state), time: self.time.place(time_s), dose: self.dose.place(dose) }
    }

    /// Interpolated value of an array with `width` values per node, of which number `column`: first
    /// over dose and time at the neighbouring states, then over the state.
    pub(crate) fn interpolate(&self, array: &[f64], width: usize, column: usize, at: &Places) -> f64 {
        pchip::evaluate(self.state.lookup(), at.state, |s| self.at_state(array, width, column, s, at))
    }

    /// Value at node `s` of the state axis, interpolated over dose and time.
    pub(crate) fn at_state(&self, array: &[f64], width: usize, column: usize, s: usize, at: &Places) -> f64 {
        let (times, doses) = (self.time.len(), self.dose.len());
        let (time, dose) = (At::new(self.time.lookup(), at.time), At::new(self.dose.lookup(), at.dose));
        time.evaluate(|t| {
            let first = (s * times + t) * doses;
            dose.evaluate(|d| array[(first + d) * width + column])
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
