//! The certificate: a table measured against its source between its nodes.

use super::{Axes, Compiler, Point};
use crate::axis::Axis;
use crate::certificate::Certificate;
use crate::table::{DeviceTable, TableError};
use mho_data::random::Stream;

/// Points between nodes that are checked in the end, besides the centres of the lines.
const RANDOM_CHECKS: usize = 2000;

impl Compiler<'_> {
    /// Checks the table between its nodes: at random points and at the centres of random boxes.
    /// Returns the certificate and the points that missed the tolerance.
    pub(super) fn check(
        &mut self,
        table: &DeviceTable,
        axes: &Axes,
    ) -> Result<(Certificate, Vec<Point>), TableError> {
        let stream = Stream::new(0, &["lut", "certificate"], &[]);
        let mut certificate = table.certificate.clone();
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
        Ok((certificate, missed))
    }
}

/// Whether the mean rises with the state at every node of time and dose and half way between them:
/// two rising nodes may in principle cross between, where each has its own curve.
pub(super) fn monotone(table: &DeviceTable) -> bool {
    let halves = |axis: &Axis| -> Vec<f64> {
        axis.nodes().iter().copied().chain((1..axis.len()).map(|i| axis.middle(i - 1))).collect()
    };
    let slack = 1e-9 * table.current_max_na;
    let doses = halves(&table.dose);
    halves(&table.time).into_iter().all(|time_s| {
        doses.iter().all(|&dose| {
            let at = table.places(0.0, time_s, dose);
            let mean: Vec<f64> =
                (0..table.state.len()).map(|s| table.at_state(&table.mean, 1, 0, s, &at)).collect();
            mean.windows(2).all(|pair| pair[1] >= pair[0] - slack)
        })
    })
}
