//! What a table of measured cells is worth: nodes left out and asked for, and cells followed.

use super::{Cells, statistics};
use crate::certificate::{Against, Certificate};
use crate::compile::monotone;
use crate::lookup::Lookup;
use crate::pchip;
use crate::source::Share;
use crate::table::DeviceTable;

/// Cells that have to be known at two places for their correlation.
const LEAST_PAIRS: usize = 20;

/// The certificate of a table: every inner node of every axis with three nodes or more is left out once and
/// interpolated from the others on the axis. What was asked includes the scatter of a finite number of
/// cells.
pub(super) fn certificate(table: &DeviceTable, nodes: &[Cells], tolerance_fraction: f64) -> Certificate {
    let mut certificate = Certificate::none(tolerance_fraction);
    certificate.against = Against::LeftOut;
    certificate.max_error_fraction = 0.0;
    let (times, doses) = (table.time.len(), table.dose.len());
    for (axis, stride) in [(&table.state, times * doses), (&table.time, doses), (&table.dose, 1)] {
        for left_out in 1..axis.len().saturating_sub(1) {
            let others: Vec<usize> = (0..axis.len()).filter(|&k| k != left_out).collect();
            let knots: Vec<f64> = others.iter().map(|&k| axis.coordinates()[k]).collect();
            let knots = Lookup::new(knots);
            let place = knots.place(axis.coordinates()[left_out]);
            for node in (0..nodes.len()).filter(|node| (node / stride) % axis.len() == left_out) {
                for (quantity, array) in [("mean", &table.mean), ("sigma", &table.sigma)] {
                    let first = node - left_out * stride;
                    let found = pchip::evaluate(&knots, place, |k| array[first + others[k] * stride]);
                    let error = (found - array[node]).abs() / table.current_max_na;
                    if error > certificate.max_error_fraction {
                        certificate.max_error_fraction = error;
                        certificate.quantity = quantity.into();
                        certificate.state = table.state.nodes()[node / (times * doses)];
                        certificate.time_s = table.time.nodes()[node / doses % times];
                        certificate.dose_krad_si = table.dose.nodes()[node % doses];
                    }
                }
                certificate.checked_points += 1;
            }
        }
    }
    if certificate.checked_points == 0 {
        // Nothing could be left out: nothing is known, and the whole range is what is known of the error.
        certificate.max_error_fraction = 1.0;
    }
    certificate.max_standard_error_fraction = Some(
        table
            .sigma
            .iter()
            .zip(&table.cells)
            .map(|(sigma, count)| sigma / count.sqrt() / table.current_max_na)
            .fold(0.0, f64::max),
    );
    certificate.monotone = monotone(table);
    certificate.max_correlation_error = correlation_error(table, nodes);
    certificate
}

/// Largest difference between the correlation of the ranks of cells that were followed from the first time
/// and dose to another, and that of three normals weighted by the shares.
fn correlation_error(table: &DeviceTable, nodes: &[Cells]) -> Option<f64> {
    let places = table.time.len() * table.dose.len();
    let share = |node: usize| Share {
        programming: table.share_programming[node],
        drift: table.share_drift[node],
        dose: table.share_dose[node],
    };
    let mut worst = None;
    for s in 0..table.state.len() {
        let first = s * places;
        for node in first + 1..first + places {
            let pairs = nodes[first].iter().filter_map(|(cell, a)| Some((*a, *nodes[node].get(cell)?)));
            let (a, b): (Vec<f64>, Vec<f64>) = pairs.unzip();
            if a.len() < LEAST_PAIRS {
                continue;
            }
            let found =
                statistics::correlation(&statistics::scores_of_ranks(&a), &statistics::scores_of_ranks(&b));
            let error = (share(first).correlation(share(node)) - found).abs();
            worst = Some(f64::max(error, worst.unwrap_or(0.0)));
        }
    }
    worst
}
