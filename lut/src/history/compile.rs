//! Compiling a table of a history: states are added where interpolation is worst until it is good enough.

use super::{History, HistoryTable, Report};
use crate::axis::Axis;
use crate::certificate::Certificate;
use crate::compile::{check_current, check_tolerance, first_states, read_noise, wrong_with};
use crate::device::Device;
use crate::factor::{Factor, factor};
use crate::path::Path;
use crate::slice::{Columns, Slice};
use crate::source::{CellSource, Course, SCORES, SourceError, checked_scores};
use crate::table::TableError;
use crate::voltage::{ReadCurves, certify};
use mho_data::random::Stream;
use std::collections::BTreeMap;

/// Rounds of refinement after which the certificate says what was reached. At the off current correlations turn as
/// the root of the distance to it: intervals of 1e-10 there are found in sixteen.
const ROUNDS: usize = 16;
/// Nodes that the axis of states may have.
const MOST_NODES: usize = 160;
/// States between nodes that are checked in the end.
const CHECKS: u64 = 400;

/// How a table of a history is compiled.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryOptions {
    /// Largest interpolation error that is wanted, as a fraction of the largest current.
    pub tolerance_fraction: f64,
    /// Largest error of the correlation of a cell with itself that is wanted.
    pub correlation_tolerance: f64,
}

impl Default for HistoryOptions {
    /// A thousandth of the range, a hundredth of the correlation.
    fn default() -> Self {
        Self { tolerance_fraction: 1e-3, correlation_tolerance: 0.01 }
    }
}

/// Compiles a table of a history, reported at these ascending times (s) in it.
///
/// # Errors
/// When the reports make no sense or the source has no answer.
pub fn compile_history(
    source: &dyn CellSource,
    history: &History,
    reports_s: &[f64],
    options: &HistoryOptions,
) -> Result<HistoryTable, TableError> {
    if reports_s.is_empty() || reports_s.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Err(TableError::History("reports have to be ascending times, at least one".into()));
    }
    check_tolerance(options.tolerance_fraction)?;
    check_tolerance(options.correlation_tolerance)?;
    let reports: Result<Vec<Report>, TableError> =
        reports_s.iter().map(|&time_s| history.at(time_s)).collect();
    let info = source.describe();
    check_current(info.current_max_na)?;
    let (noise, noise_error) = read_noise(source, info.current_max_na, options.tolerance_fraction)?;
    let mut compiler = Compiler {
        source,
        history,
        reports: reports?,
        reports_s,
        options,
        max_na: info.current_max_na,
        known: BTreeMap::new(),
    };

    let mut axis = first_states();
    let mut built = compiler.build(&axis)?;
    let mut certificate = Certificate::none(options.tolerance_fraction);
    for round in 0..ROUNDS {
        let middles: Vec<f64> = (1..axis.len()).map(|i| axis.middle(i - 1)).collect();
        let mut worse = compiler.beyond(&built, &middles, 0.5)?.1;
        if worse.is_empty() || round + 1 == ROUNDS {
            let stream = Stream::new(0, &["lut", "history", "certificate"], &[]);
            let anywhere: Vec<f64> = (0..CHECKS)
                .map(|n| axis.range().0 + stream.uniform(n) * (axis.range().1 - axis.range().0))
                .collect();
            let states: Vec<f64> = middles.into_iter().chain(anywhere).collect();
            (certificate, worse) = compiler.beyond(&built, &states, 1.0)?;
        }
        if worse.is_empty() || axis.len() >= MOST_NODES || round + 1 == ROUNDS {
            break;
        }
        let nodes: Vec<f64> =
            worse.iter().map(|&s| axis.middle(axis.place(s).i.min(axis.len() - 2))).collect();
        axis = axis.with(&nodes);
        built = compiler.build(&axis)?;
    }
    if certificate.checked_points == 0 {
        let middles: Vec<f64> = (1..axis.len()).map(|i| axis.middle(i - 1)).collect();
        certificate = compiler.beyond(&built, &middles, 1.0)?.0;
    }
    if noise_error > certificate.max_error_fraction {
        certificate.max_error_fraction = noise_error;
        certificate.quantity = "read noise against current".into();
    }
    let curves = ReadCurves::compile(source, info.current_max_na, options.tolerance_fraction)?;
    let curves = certify(curves, &mut certificate);
    let slack = 1e-9 * info.current_max_na;
    certificate.monotone =
        built.columns.iter().all(|column| column.mean.windows(2).all(|pair| pair[1] >= pair[0] - slack));
    let mut notes = info.notes;
    notes.extend(built.approximation);
    Ok(HistoryTable {
        device: Device {
            name: info.name,
            origin: info.origin,
            current_max_na: info.current_max_na,
            notes,
            certificate,
            extrapolated_nodes: built.extrapolated,
            read_voltage_v: source.read_voltage_v(),
            noise,
            curves,
        },
        history: history.clone(),
        reports: compiler.reports,
        columns: built.columns,
        path: built.path,
    })
}

struct Compiler<'a> {
    source: &'a dyn CellSource,
    history: &'a History,
    reports: Vec<Report>,
    reports_s: &'a [f64],
    options: &'a HistoryOptions,
    max_na: f64,
    known: BTreeMap<u64, Course>,
}

/// A table on one axis of states.
struct Built {
    columns: Vec<Columns>,
    path: Path,
    extrapolated: usize,
    approximation: Option<String>,
}

impl Compiler<'_> {
    fn course(&mut self, state: f64) -> Result<Course, TableError> {
        if let Some(course) = self.known.get(&state.to_bits()) {
            return Ok(course.clone());
        }
        let course = self.source.history(state, self.history, self.reports_s)?;
        let wrong = |report: Option<&Report>, reason: String| SourceError {
            state,
            time_s: report.map_or(0.0, |report| report.time_s),
            dose_krad_si: report.map_or(0.0, |report| report.dose_krad_si),
            reason,
        };
        if course.statistics.len() != self.reports.len() {
            let reason = format!("{} answers to {} reports", course.statistics.len(), self.reports.len());
            return Err(wrong(None, reason).into());
        }
        for (cell, report) in course.statistics.iter().zip(&self.reports) {
            if let Some(reason) = wrong_with(cell) {
                return Err(wrong(Some(report), reason).into());
            }
        }
        factor(&course.correlation, self.reports.len()).map_err(|reason| wrong(None, reason))?;
        self.known.insert(state.to_bits(), course.clone());
        Ok(course)
    }

    fn read_sigma_na(&self, state: f64, report: usize, course: &Course) -> Result<f64, SourceError> {
        let Report { time_s, dose_krad_si, .. } = self.reports[report];
        let sigma = self.source.read_sigma_na(state, time_s, dose_krad_si, &course.statistics[report]);
        if sigma.is_finite() && sigma >= 0.0 {
            Ok(sigma)
        } else {
            Err(SourceError { state, time_s, dose_krad_si, reason: format!("a read noise of {sigma} nA") })
        }
    }

    fn build(&mut self, axis: &Axis) -> Result<Built, TableError> {
        let (reports, states) = (self.reports.len(), axis.len());
        let mut columns = vec![Columns::sized(states); reports];
        let mut loadings = Vec::with_capacity(states * reports * reports);
        let (mut extrapolated, mut approximation) = (0, None);
        for (s, &state) in axis.nodes().iter().enumerate() {
            let course = self.course(state)?;
            for (r, column) in columns.iter_mut().enumerate() {
                let cell = &course.statistics[r];
                column.set(s, cell, self.read_sigma_na(state, r, &course)?);
                extrapolated += usize::from(cell.extrapolated);
            }
            let lower = factor(&course.correlation, reports);
            loadings.extend(lower.map_err(TableError::History)?);
            approximation = approximation.or(course.approximation);
        }
        let slices = columns.iter().map(|column| Slice::new(axis.clone(), column)).collect();
        let factor = Factor { reports, normals: reports, loadings };
        Ok(Built { columns, path: Path { state: axis.clone(), slices, factor }, extrapolated, approximation })
    }

    /// The certificate of a check at these states, and those of them where the table misses its source by
    /// more than `part` of the tolerances.
    fn beyond(
        &mut self,
        built: &Built,
        states: &[f64],
        part: f64,
    ) -> Result<(Certificate, Vec<f64>), TableError> {
        let mut certificate = Certificate::none(self.options.tolerance_fraction);
        (certificate.max_error_fraction, certificate.checked_points) = (0.0, states.len());
        let (mut worst_correlation, mut worse) = (0.0_f64, Vec::new());
        let mut loadings = Vec::new();
        for &state in states {
            let course = self.course(state)?;
            let mut here = 0.0_f64;
            for (r, slice) in built.path.slices.iter().enumerate() {
                let cell = &course.statistics[r];
                let read = (slice.read_sigma_na(state) - self.read_sigma_na(state, r, &course)?).abs();
                let quantile = checked_scores()
                    .map(|q| (slice.current_na(state, SCORES[q]) - cell.quantiles_na[q].max(0.0)).abs())
                    .fold(0.0, f64::max);
                for (quantity, error) in [
                    ("mean", (slice.mean_na(state) - cell.mean_na).abs()),
                    ("sigma", (slice.sigma_na(state) - cell.sigma_na).abs()),
                    ("quantile", quantile),
                    ("read noise", read),
                ] {
                    let fraction = error / self.max_na;
                    here = here.max(fraction);
                    if fraction > certificate.max_error_fraction {
                        certificate.max_error_fraction = fraction;
                        certificate.quantity = quantity.into();
                        certificate.state = state;
                        certificate.time_s = self.reports[r].time_s;
                        certificate.dose_krad_si = self.reports[r].dose_krad_si;
                    }
                }
            }
            let Path { state: axis, factor, .. } = &built.path;
            factor.at(axis, state, &mut loadings);
            let count = self.reports.len();
            let correlation = (0..count * count)
                .map(|k| (factor.between(&loadings, k / count, k % count) - course.correlation[k]).abs())
                .fold(0.0, f64::max);
            worst_correlation = worst_correlation.max(correlation);
            let allowed = (part * self.options.tolerance_fraction, part * self.options.correlation_tolerance);
            if here > allowed.0 || correlation > allowed.1 {
                worse.push(state);
            }
        }
        certificate.max_correlation_error = Some(worst_correlation);
        certificate.correlation_tolerance = Some(self.options.correlation_tolerance);
        Ok((certificate, worse))
    }
}
