//! What happens to a query outside of a table: refused, or moved to the edge and counted, as asked.

use crate::axis::Axis;
use crate::table::TableError;
use serde::Serialize;

/// What to do with a query outside of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutOfRange {
    /// Take the nearest point inside, and count it.
    Clamp,
    /// Refuse.
    Error,
}

/// How many queries lay beyond each end of an axis.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Sides {
    /// Below the first node.
    pub below: usize,
    /// Above the last node.
    pub above: usize,
}

impl Sides {
    /// On either side.
    pub fn total(&self) -> usize {
        self.below + self.above
    }
}

/// What was moved into the range of a table, per axis and side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Clamped {
    /// Queries that were moved on one axis or more.
    pub points: usize,
    /// States.
    pub state: Sides,
    /// Times.
    pub time_s: Sides,
    /// Doses.
    pub dose_krad_si: Sides,
    /// Normal scores beyond the outermost quantiles: not moved, but read along the last slope.
    pub score: Sides,
    /// Currents of read noise, and of the voltage of a read.
    pub current_na: Sides,
    /// Voltages of a read.
    pub read_voltage_v: Sides,
}

impl Clamped {
    /// The counts of both.
    pub fn and(self, other: Self) -> Self {
        let sum = |a: Sides, b: Sides| Sides { below: a.below + b.below, above: a.above + b.above };
        Self {
            points: self.points + other.points,
            state: sum(self.state, other.state),
            time_s: sum(self.time_s, other.time_s),
            dose_krad_si: sum(self.dose_krad_si, other.dose_krad_si),
            score: sum(self.score, other.score),
            current_na: sum(self.current_na, other.current_na),
            read_voltage_v: sum(self.read_voltage_v, other.read_voltage_v),
        }
    }
}

/// The range of one axis, as queries meet it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range {
    what: &'static str,
    low: f64,
    high: f64,
    slack: f64,
}

impl Range {
    pub(crate) fn new(what: &'static str, (low, high): (f64, f64)) -> Self {
        // A value that was written and read as text may miss the end by a rounding.
        Self { what, low, high, slack: 1e-9 * (high - low) }
    }

    pub(crate) fn of(what: &'static str, axis: &Axis) -> Self {
        Self::new(what, axis.range())
    }

    pub(crate) fn ends(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    #[inline]
    pub(crate) fn holds(&self, value: f64) -> bool {
        value >= self.low - self.slack && value <= self.high + self.slack
    }

    /// The value as it is, if it lies inside.
    #[inline]
    pub(crate) fn inside(&self, value: f64) -> Result<f64, TableError> {
        if self.holds(value) { Ok(value) } else { Err(self.refused(value)) }
    }

    #[cold]
    fn refused(&self, value: f64) -> TableError {
        TableError::OutOfRange { what: self.what, value, low: self.low, high: self.high }
    }

    /// The value at most a rounding away from the range as one inside.
    #[inline(always)]
    pub(crate) fn held(&self, value: f64) -> f64 {
        value.clamp(self.low, self.high)
    }

    /// The value moved into the range, which is counted in `sides`; refused where the policy says so, and
    /// in any case when it is no number.
    #[inline]
    pub(crate) fn moved(&self, value: f64, policy: OutOfRange, sides: &mut Sides) -> Result<f64, TableError> {
        if self.holds(value) {
            return Ok(self.held(value));
        }
        if policy == OutOfRange::Error || value.is_nan() {
            return Err(self.refused(value));
        }
        let (side, end) =
            if value < self.low { (&mut sides.below, self.low) } else { (&mut sides.above, self.high) };
        *side += 1;
        Ok(end)
    }
}
