//! A device table of a history: statistics over the state at asked points, and the correlation of a cell
//! with itself between them.

use super::{History, Report};
use crate::certificate::Certificate;
use crate::outside::{Clamped, OutOfRange};
use crate::path::Path;
use crate::slice::{Columns, Slice};
use crate::source::ReadVoltages;
use crate::table::{ReadNoise, TableError};
use crate::voltage::ReadCurves;
use mho_data::provenance::Origin;

/// Statistics of the cell current over (state, report of a history). There is no interpolation between
/// reports: a history has no order other than its own.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryTable {
    pub(crate) name: String,
    pub(crate) origin: Origin,
    pub(crate) current_max_na: f64,
    pub(crate) notes: Vec<String>,
    pub(crate) certificate: Certificate,
    pub(crate) extrapolated_nodes: usize,
    pub(crate) history: History,
    pub(crate) reports: Vec<Report>,
    pub(crate) columns: Vec<Columns>,
    pub(crate) path: Path,
    pub(crate) noise: ReadNoise,
    pub(crate) curves: Option<ReadCurves>,
}

impl HistoryTable {
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

    /// Nodes at which the source left the range of what it was made from.
    pub fn extrapolated_nodes(&self) -> usize {
        self.extrapolated_nodes
    }

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

    /// Standard deviation (nA) of repeated reads of a cell that carries `current_na`, up to one and a half
    /// times the largest current; NaN outside.
    pub fn read_noise_na(&self, current_na: f64) -> f64 {
        self.noise.checked_na(current_na)
    }

    /// The voltages at which cells can be read, where the source knew more than one.
    pub fn read_voltages(&self) -> Option<&ReadVoltages> {
        self.curves.as_ref().map(|curves| &curves.about)
    }

    /// Currents (nA) at a voltage of the read (V) of cells that carry `currents_na` at the reference
    /// voltage, and how many of them, or the voltage for all, were moved into the table.
    ///
    /// # Errors
    /// When the table knows one voltage only; with [`OutOfRange::Error`], outside of its range; an `out`
    /// of another length.
    pub fn at_voltage_na(
        &self,
        currents_na: &[f64],
        read_v: f64,
        policy: OutOfRange,
        out: &mut [f64],
    ) -> Result<Clamped, TableError> {
        let curves = self.curves.as_ref().ok_or(TableError::OneVoltage)?;
        curves.currents_na(currents_na, read_v, policy, out)
    }
}
