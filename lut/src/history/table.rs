//! A device table of a history: statistics over the state at asked points, and the correlation of a cell
//! with itself between them.

use super::{History, Report};
use crate::device::Device;
use crate::path::Path;
use crate::slice::{Columns, Slice};
use crate::table::TableError;
use std::ops::Deref;

/// Statistics of the cell current over (state, report of a history). There is no interpolation between
/// reports: a history has no order other than its own.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryTable {
    pub(crate) device: Device,
    pub(crate) history: History,
    pub(crate) reports: Vec<Report>,
    pub(crate) columns: Vec<Columns>,
    pub(crate) path: Path,
}

/// As of a grid: a table is its device and the statistics over its axes.
impl Deref for HistoryTable {
    type Target = Device;

    fn deref(&self) -> &Device {
        &self.device
    }
}

impl HistoryTable {
    /// What happens to the cells.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The points at which it is reported, with what the cells have seen by then.
    pub fn reports(&self) -> &[Report] {
        &self.reports
    }

    /// The cells at all reports, each the same cell throughout.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The table at one report.
    ///
    /// # Errors
    /// When there is no such report.
    pub fn slice(&self, report: usize) -> Result<&Slice, TableError> {
        self.path.slices.get(report).ok_or(TableError::OutOfRange {
            what: "report",
            value: report as f64,
            low: 0.0,
            high: self.reports.len().saturating_sub(1) as f64,
        })
    }
}
