//! Cells followed through several reports: the same cell keeps its fate.

use crate::axis::Axis;
use crate::factor::Factor;
use crate::outside::{Clamped, OutOfRange, Range};
use crate::slice::Slice;
use crate::table::{DeviceTable, TableError};
use mho_data::random::Stream;

/// Slices at several reports and the correlation of a cell with itself between them. The current of a
/// cell at report r is `Q_r(z_r)`, its scores z being normal with that correlation: a Gaussian copula on
/// the quantiles of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    pub(crate) state: Axis,
    pub(crate) slices: Vec<Slice>,
    pub(crate) factor: Factor,
}

impl Path {
    /// The table at each report.
    pub fn slices(&self) -> &[Slice] {
        &self.slices
    }

    /// How many independent normals a cell has.
    pub fn normals(&self) -> usize {
        self.factor.normals
    }

    /// Correlation of the score of a cell between two reports.
    ///
    /// # Errors
    /// For a state outside of the table, or a report that it does not have.
    pub fn correlation(&self, state: f64, a: usize, b: usize) -> Result<f64, TableError> {
        let state = Range::of("state", &self.state).inside(state)?;
        let count = self.slices.len();
        let last = count.saturating_sub(1) as f64;
        for report in [a, b] {
            if report >= count {
                let value = report as f64;
                return Err(TableError::OutOfRange { what: "report", value, low: 0.0, high: last });
            }
        }
        Ok(self.factor.correlation(&self.state, state, a, b))
    }

    /// Weights of a cell's own normals in its score at a report; their squares add to one.
    ///
    /// # Errors
    /// For a state outside of the table, or a report that it does not have.
    pub fn loadings(&self, state: f64, report: usize) -> Result<Vec<f64>, TableError> {
        let state = Range::of("state", &self.state).inside(state)?;
        let mut all = Vec::new();
        self.factor.at(&self.state, state, &mut all);
        let high = self.slices.len().saturating_sub(1) as f64;
        let row = all.chunks(self.factor.normals.max(1)).nth(report).map(<[f64]>::to_vec);
        row.ok_or(TableError::OutOfRange { what: "report", value: report as f64, low: 0.0, high })
    }

    /// Currents (nA) of cells at all reports, `[cell, report]`. Cell `first + k` has the state
    /// `states[k]` and always the same normals, those of `stream` from number
    /// `(first + k) * self.normals()` on, however cells are batched. Scores beyond the outermost quantile
    /// are counted and read along the last slope, as tails of a draw are.
    ///
    /// # Errors
    /// With [`OutOfRange::Error`], the first state outside of the table; an `out` that does not have one
    /// place for each cell and report.
    pub fn currents_na(
        &self,
        states: &[f64],
        stream: &Stream,
        first: u64,
        policy: OutOfRange,
        out: &mut [f64],
    ) -> Result<Clamped, TableError> {
        let (reports, normals) = (self.slices.len(), self.factor.normals);
        if states.len().checked_mul(reports) != Some(out.len()) {
            return Err(TableError::Lengths { given: states.len(), out: out.len() });
        }
        let range = Range::of("state", &self.state);
        let mut clamped = Clamped::default();
        let mut loadings = Vec::new();
        let mut own = vec![0.0; normals];
        let mut known = f64::NAN;
        for ((cell, &state), out) in (first..).zip(states).zip(out.chunks_mut(reports.max(1))) {
            let mut moved = Clamped::default();
            let state = range.moved(state, policy, &mut moved.state)?;
            // Cells of one state stand together as a rule.
            if state != known {
                self.factor.at(&self.state, state, &mut loadings);
                known = state;
            }
            for (number, own) in (cell * normals as u64..).zip(&mut own) {
                *own = stream.normal(number);
            }
            for ((slice, row), out) in self.slices.iter().zip(loadings.chunks(normals)).zip(out) {
                let z: f64 = row.iter().zip(&own).map(|(a, x)| a * x).sum();
                crate::slice::scores().moved(z, OutOfRange::Clamp, &mut moved.score)?;
                *out = slice.current_na(state, z);
            }
            moved.points = usize::from(moved != Clamped::default());
            clamped = clamped.and(moved);
        }
        Ok(clamped)
    }
}

impl DeviceTable {
    /// Cells followed through several places, each a time (s) and a dose (krad(Si)): with the three
    /// normals of a cell, weighted by the shares.
    ///
    /// # Errors
    /// Outside of the table's range; when no place is given.
    pub fn path(&self, places: &[(f64, f64)]) -> Result<Path, TableError> {
        if places.is_empty() {
            return Err(TableError::History("no place to report at".into()));
        }
        let slices: Result<Vec<Slice>, TableError> =
            places.iter().map(|&(time_s, dose)| self.slice(time_s, dose)).collect();
        let slices = slices?;
        let loadings = self
            .state
            .nodes()
            .iter()
            .flat_map(|&state| slices.iter().flat_map(move |slice| slice.share(state).loadings()))
            .collect();
        let factor = Factor { reports: slices.len(), normals: 3, loadings };
        Ok(Path { state: self.state.clone(), slices, factor })
    }
}
