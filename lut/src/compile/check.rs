//! The certificate: a table measured against its source between its nodes.

use super::{Axes, Compiler, Point};
use crate::axis::Axis;
use crate::certificate::Certificate;
use crate::source::{Share, SourceError};
use crate::table::{DeviceTable, TableError};
use mho_data::random::Stream;

/// Points between nodes that are checked in the end, besides the centres of the lines.
const RANDOM_CHECKS: usize = 2000;
/// Pairs of places between which the correlation of a cell with itself is checked.
const CORRELATION_CHECKS: u64 = 300;

impl Compiler<'_> {
    /// Checks the table between its nodes: at random points and at the centres of random boxes.
    /// Returns the certificate and the points that missed the tolerance.
    pub(super) fn check(
        &mut self,
        table: &DeviceTable,
        axes: &Axes,
    ) -> Result<(Certificate, Vec<Point>), TableError> {
        let stream = Stream::new(0, &["lut", "certificate"], &[]);
        let mut certificate = table.device.certificate.clone();
        certificate.max_error_fraction = self.noise_error;
        certificate.quantity = "read noise against current".into();
        let mut missed = Vec::new();
        let count =
            if axes.time.len() < 2 && axes.dose.len() < 2 { RANDOM_CHECKS / 10 } else { RANDOM_CHECKS };
        for n in 0..count as u64 {
            let draw = |k: u64, axis: &Axis| {
                if axis.len() < 2 {
                    return axis.range().0;
                }
                let place = stream.uniform(3 * n + k) * (axis.len() - 1) as f64;
                let i = (place as usize).min(axis.len() - 2);
                if n % 2 == 0 {
                    return axis.middle(i);
                }
                let (a, b) = (axis.coordinates()[i], axis.coordinates()[i + 1]);
                axis.value(a + (b - a) * (place - i as f64)).clamp(axis.nodes()[i], axis.nodes()[i + 1])
            };
            let point = (draw(0, &axes.state), draw(1, &axes.time), draw(2, &axes.dose));
            let (error, quantity) = self.misfit(table, point)?;
            if error > certificate.max_error_fraction {
                certificate.max_error_fraction = error;
                certificate.quantity = quantity.into();
                (certificate.state, certificate.time_s, certificate.dose_krad_si) = point;
            }
            if error > self.options.tolerance_fraction {
                missed.push(point);
            }
        }
        certificate.checked_points = count;
        certificate.max_correlation_error = self.correlation_error(table, axes)?;
        Ok((certificate, missed))
    }
}

impl Compiler<'_> {
    /// Largest difference between the correlation of a cell with itself in the source and that of three
    /// normals weighted by the shares, between random nodes of time and dose at random states; `None` for
    /// a table of one place.
    fn correlation_error(&self, table: &DeviceTable, axes: &Axes) -> Result<Option<f64>, TableError> {
        let (times, doses) = (axes.time.nodes(), axes.dose.nodes());
        if times.len() * doses.len() < 2 {
            return Ok(None);
        }
        let stream = Stream::new(0, &["lut", "certificate", "correlation"], &[]);
        let mut worst = 0.0_f64;
        for n in 0..CORRELATION_CHECKS {
            let pick =
                |k: u64, count: usize| ((stream.uniform(5 * n + k) * count as f64) as usize).min(count - 1);
            let s = pick(0, axes.state.len());
            let state = axes.state.nodes()[s];
            let [a, b] = [1, 3].map(|k| (pick(k, times.len()), pick(k + 1, doses.len())));
            let at = |(t, d): (usize, usize)| (times[t], doses[d]);
            let share = |(t, d): (usize, usize)| {
                let node = (s * times.len() + t) * doses.len() + d;
                Share {
                    programming: table.share_programming[node],
                    drift: table.share_drift[node],
                    dose: table.share_dose[node],
                }
            };
            let truth = self.source.correlation(state, at(a), at(b))?;
            if truth.is_nan() || truth.abs() > 1.0 + 1e-6 {
                let (time_s, dose_krad_si) = at(b);
                let reason = format!("a correlation of {truth}");
                return Err(SourceError { state, time_s, dose_krad_si, reason }.into());
            }
            worst = worst.max((share(a).correlation(share(b)) - truth).abs());
        }
        Ok(Some(worst))
    }
}

/// Whether the mean rises with the state at every node of time and dose and half way between them.
pub(crate) fn monotone(table: &DeviceTable) -> bool {
    falls(table).is_empty()
}

/// Times (s) and doses (krad(Si)), nodes and half way between them, at which the mean falls with the state by more
/// than rounding: two rising nodes may cross between two times, where each has its own curve.
pub(crate) fn falls(table: &DeviceTable) -> Vec<(f64, f64)> {
    let halves = |axis: &Axis| -> Vec<f64> {
        axis.nodes().iter().copied().chain((1..axis.len()).map(|i| axis.middle(i - 1))).collect()
    };
    let slack = 1e-9 * table.current_max_na;
    let doses = halves(&table.dose);
    let mut found = Vec::new();
    for time_s in halves(&table.time) {
        for &dose in &doses {
            let at = table.places(0.0, time_s, dose);
            let mean: Vec<f64> =
                (0..table.state.len()).map(|s| table.at_state(&table.mean, 1, 0, s, &at)).collect();
            if mean.windows(2).any(|pair| pair[1] < pair[0] - slack) {
                found.push((time_s, dose));
            }
        }
    }
    found
}
