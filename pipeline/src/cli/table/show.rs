//! A table over state, time and dose in words and as JSON.

use mho_lut::{Against, Axis, DeviceTable};
use std::fmt::Write as _;

/// An error of a correlation that is worth a word.
const FELT: f64 = 0.05;

/// A table in words.
pub(super) fn page(table: &DeviceTable) -> String {
    let certificate = table.certificate();
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{} (origin: {}), state 1 carries {} nA",
        table.name(),
        table.origin().label(),
        (1e4 * table.current_max_na()).round() / 1e4
    );
    let mut axis = |name: &str, axis: &Axis| {
        let (low, high) = axis.range();
        let _ = writeln!(text, "  {name:14} {low} to {high}, {} nodes", axis.nodes().len());
    };
    axis("state", table.state_axis());
    axis("time_s", table.time_axis());
    axis("dose_krad_si", table.dose_axis());
    let _ = writeln!(
        text,
        "interpolation error at most {:.2e} of the range at {} {} (asked: {:.2e}{})",
        certificate.max_error_fraction,
        certificate.checked_points,
        match certificate.against {
            Against::Source => "points between the nodes",
            Against::LeftOut => "nodes, each left out once",
        },
        certificate.tolerance_fraction,
        if certificate.met() { "" } else { ", NOT MET" }
    );
    let _ = writeln!(
        text,
        "  worst: {} at state {:.4}, {:.0} s, {:.1} krad(Si)",
        certificate.quantity, certificate.state, certificate.time_s, certificate.dose_krad_si
    );
    let _ = writeln!(
        text,
        "mean current rises with the state: {}",
        if certificate.monotone { "yes" } else { "NO" }
    );
    if let Some(error) = certificate.max_correlation_error {
        let kept = if error > FELT { "; a table of a history keeps it (--history)" } else { "" };
        let _ = writeln!(text, "correlation of a cell with itself: off by {error:.2} at most{kept}");
    }
    if let Some(error) = certificate.max_standard_error_fraction {
        let _ = writeln!(text, "standard error of a mean: {error:.2e} of the range at most");
    }
    if let Some(validity) = table.validity() {
        let _ = writeln!(
            text,
            "source holds to {} s and {} krad(Si)",
            validity.time_max_s, validity.dose_max_krad_si
        );
    }
    let _ = writeln!(text, "nodes outside of what the source was made from: {}", table.extrapolated_nodes());
    if let Some(about) = table.read_voltages() {
        let _ = writeln!(
            text,
            "voltages of the {}: {:.4} to {} V, all currents above at {} V",
            about.terminal, about.low_v, about.high_v, about.reference_v
        );
    }
    for note in table.notes() {
        let _ = writeln!(text, "note: {note}");
    }
    text
}

pub(super) fn document(table: &DeviceTable) -> String {
    let document = serde_json::json!({
        "schema": 1,
        "name": table.name(),
        "origin": table.origin().label(),
        "current_max_na": table.current_max_na(),
        "axes": {
            "state": table.state_axis().nodes(),
            "time_s": table.time_axis().nodes(),
            "dose_krad_si": table.dose_axis().nodes(),
        },
        "certificate": table.certificate(),
        "met": table.certificate().met(),
        "validity": table.validity(),
        "extrapolated_nodes": table.extrapolated_nodes(),
        "notes": table.notes(),
    });
    format!("{document:#}\n")
}
