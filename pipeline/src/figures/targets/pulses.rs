//! Program and erase pulses.

use super::dose::rows;
use super::{BuildError, Built, Check, Class, Target, Wish};
use crate::figures::axis::{Axis, Scale};
use crate::figures::kit::{Mark, Panel, Series};
use mho_physics::sonos::Stack;
use mho_physics::sonos::collection::SurfacePotential;
use mho_physics::sonos::transient::Transient;

pub(super) const TRANSIENTS: Target = Target {
    id: "P07",
    title: "program and erase transients of the charge-trap cell, with erase saturation",
    source: "ours: a panel that the talks do not have and the chain needs",
    class: Class::Anchor,
    build: transients,
};

/// Times in s of the independent solution below.
const TIMES: [f64; 5] = [1e-4, 1e-3, 5e-3, 1e-2, 0.1];

/// Tunnel oxide in nm, gate voltage and shift in V at these times: an independent numerical solution without
/// injection from the gate and with a fixed surface potential, rounded to 10 mV.
const ANCHORS: [(f64, f64, [f64; 5]); 6] = [
    (2.0, 8.0, [0.26, 0.74, 1.09, 1.23, 1.66]),
    (2.0, 8.5, [0.63, 1.21, 1.57, 1.72, 2.15]),
    (2.0, -8.0, [-0.03, -0.21, -0.50, -0.65, -1.11]),
    (1.8, 8.0, [0.32, 0.80, 1.14, 1.28, 1.70]),
    (1.8, -8.0, [-0.06, -0.33, -0.65, -0.79, -1.22]),
    (1.8, -8.5, [-0.25, -0.75, -1.12, -1.27, -1.71]),
];

fn cell(tunnel_nm: f64, gate_v: f64, gate_injection: bool) -> Transient {
    Transient {
        stack: Stack { tunnel_oxide_m: 1e-9 * tunnel_nm, phi_ms_v: -1.0, ..Stack::default() },
        gate_injection,
        surface_potential: SurfacePotential::Fixed(if gate_v > 0.0 { 0.9 } else { -0.1 }),
        ..Transient::default()
    }
}

fn transients(_: &Wish<'_>) -> Result<Built, BuildError> {
    let times: Vec<f64> = (0..=80).map(|i| 10f64.powf(-6.0 + 0.1 * f64::from(i))).collect();
    let (mut panels, mut checks) = (Vec::new(), Vec::new());
    for (tunnel, title) in [(2.0, "tunnel oxide of 2.0 nm"), (1.8, "tunnel oxide of 1.8 nm")] {
        let mut series = Vec::new();
        for (colour, (_, gate, wanted)) in ANCHORS.iter().filter(|anchor| anchor.0 == tunnel).enumerate() {
            let found = cell(tunnel, *gate, false).threshold_shift(0.0, *gate, &TIMES)?;
            for ((time, source), ours) in TIMES.iter().zip(wanted).zip(&found) {
                let name = format!("shift at {gate:+} V, {time} s, {tunnel} nm (V)");
                checks.push(Check::new(name, *source, *ours, 6e-3));
            }
            let label = format!("{gate:+} V");
            let line = cell(tunnel, *gate, false).threshold_shift(0.0, *gate, &times)?;
            series.push(Series::new(None, colour, Mark::Line(0), times.clone(), line));
            series.push(Series::new(
                Some(&label),
                colour,
                Mark::Points(colour),
                TIMES.to_vec(),
                wanted.to_vec(),
            ));
            if *gate < 0.0 {
                let line = cell(tunnel, *gate, true).threshold_shift(0.0, *gate, &times)?;
                series.push(Series::new(None, colour, Mark::Line(1), times.clone(), line));
            }
        }
        panels.push(Panel {
            title: format!("{title}; dashed: gate injects"),
            x: Axis::new("Time (s)", Scale::Log).from_to(1e-6, 100.0),
            y: Axis::new("Threshold shift (V)", Scale::Linear).from_to(-2.5, 3.5),
            series,
        });
    }
    for (gate, limit) in [(-8.0, -1.23), (-8.5, -1.34)] {
        let end = cell(1.8, gate, true).threshold_shift(0.0, gate, &[1e4])?[0];
        // The source rounds to 10 mV and does not state its surface potential.
        checks.push(Check::new(format!("erase saturation at {gate} V, 1.8 nm (V)"), limit, end, 0.01));
    }
    let figure = rows(panels, "computed; marks: independent solution");
    Ok(Built { figure, checks, dataset: "none: computed from an assumed stack" })
}
