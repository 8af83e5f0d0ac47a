//! Response in time to a voltage of the first contact.
//!
//! Backward differentiation of second order with variable steps on the densities, so that charge is conserved
//! by every step whatever its length; the first step after a corner of the waveform is of first order. Steps
//! are so long that the potential bends by no more than a given part of φ_t in one.

use super::steady::Steady;
use super::{Device, State};
use crate::constants::ELEMENTARY_CHARGE;
use crate::semiconductor::poisson::NotConverged;

/// The device at one time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Time in s.
    pub time_s: f64,
    /// Voltage of the first contact in V.
    pub bias_v: f64,
    /// Current density into the first contact in A/m², displacement included.
    pub current_first: f64,
    /// Current density out of the last contact in A/m², displacement included.
    pub current_last: f64,
}

/// A response, as far as it went.
#[derive(Debug, Clone)]
pub struct Response {
    /// Every step taken.
    pub points: Vec<Point>,
    /// The last state.
    pub state: State,
    /// The time that was given up, with the history of its residuals.
    pub stopped: Option<(f64, NotConverged)>,
}

/// Accuracy and effort.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Largest second difference of the potential in a step, over φ_t.
    pub tolerance: f64,
    /// Most steps.
    pub most_steps: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { tolerance: 0.02, most_steps: 20_000 }
    }
}

/// What is remembered of a time.
#[derive(Debug, Clone)]
struct Past {
    densities: Vec<[f64; 2]>,
    /// Displacement −ε dψ/dx in C/m² at the first and at the last edge.
    displacement: [f64; 2],
    potential: Vec<f64>,
}

/// Weights of the present, the last and the last but one in a time derivative, in 1/s.
fn weights(step: f64, before: Option<f64>) -> [f64; 3] {
    match before {
        None => [1.0 / step, -1.0 / step, 0.0],
        Some(before) => {
            let ratio = step / before;
            [
                (1.0 + 2.0 * ratio) / (1.0 + ratio) / step,
                -(1.0 + ratio) / step,
                ratio * ratio / (1.0 + ratio) / step,
            ]
        }
    }
}

/// Runs a device from `initial`, a steady state, through a waveform of `(time in s, volts)` joined by
/// straight lines, times ascending from 0; equal times make a jump.
#[must_use]
pub fn respond(device: &Device, initial: State, waveform: &[(f64, f64)], options: Options) -> Response {
    let mut steady = Steady::new(device);
    let mut found = Response { points: Vec::new(), state: initial, stopped: None };
    let end = waveform.last().map_or(0.0, |last| last.0);
    let mut last = remember(device, &steady, &found.state);
    for pair in waveform.windows(2) {
        let ((start, from), (stop, to)) = (pair[0], pair[1]);
        if stop <= start {
            continue;
        }
        let volts = |time: f64| from + (to - from) * ((time - start) / (stop - start)).clamp(0.0, 1.0);
        let mut now = start;
        let mut older: Option<(f64, Past)> = None;
        // A guess that the control of the step corrects at once.
        let mut step = 1e-4 * (stop - start);
        while now < stop {
            if found.points.len() >= options.most_steps {
                found.stopped = Some((now, NotConverged { residuals: Vec::new() }));
                return found;
            }
            let finish = now + 1.01 * step >= stop;
            let length = if finish { stop - now } else { step };
            let before = older.as_ref().map(|(length, _)| *length);
            let [present, one, two] = weights(length, before);
            let history: Vec<[f64; 2]> = (0..device.mesh.len())
                .map(|i| {
                    let size = device.mesh.boxes[i];
                    let old = older.as_ref().map_or([0.0; 2], |(_, past)| past.densities[i]);
                    [0, 1].map(|k| size * (one * last.densities[i][k] + two * old[k]))
                })
                .collect();
            let time = if finish { stop } else { now + length };
            let mut next =
                State { contacts_v: [volts(time), found.state.contacts_v[1]], ..found.state.clone() };
            let solved = steady.newton(&mut next, present, Some(&history));
            if let Err(error) = solved {
                step = 0.25 * length;
                if step <= 1e-14 * end {
                    found.stopped = Some((time, error));
                    return found;
                }
                continue;
            }
            let bend = bending(&next, &last, older.as_ref(), length);
            if bend > 2.0 * options.tolerance && length > 1e-14 * end {
                step = length * (options.tolerance / bend).sqrt().clamp(0.2, 0.9);
                continue;
            }
            let past = remember(device, &steady, &next);
            let displaced = [0, 1].map(|k| {
                let old = older.as_ref().map_or(0.0, |(_, past)| past.displacement[k]);
                present * past.displacement[k] + one * last.displacement[k] + two * old
            });
            steady.assembly.evaluate(device, &next);
            let edges = device.mesh.lengths.len();
            found.points.push(Point {
                time_s: time,
                bias_v: next.contacts_v[0],
                current_first: steady.assembly.current(0) + displaced[0],
                current_last: steady.assembly.current(edges - 1) + displaced[1],
            });
            older = Some((length, std::mem::replace(&mut last, past)));
            found.state = next;
            now = time;
            step = length * (options.tolerance / bend.max(1e-12)).sqrt().clamp(0.5, 2.0);
        }
    }
    found
}

/// What later steps need of a state.
fn remember(device: &Device, steady: &Steady<'_>, state: &State) -> Past {
    let last = device.mesh.lengths.len() - 1;
    let displacement = [0, last].map(|edge| {
        let drop = state.nodes[edge][0] - state.nodes[edge + 1][0];
        ELEMENTARY_CHARGE * steady.assembly.couplings[edge] * drop
    });
    Past {
        densities: device.densities(state),
        displacement,
        potential: state.nodes.iter().map(|node| node[0]).collect(),
    }
}

/// Largest deviation of the potential from the line through the last two times; without them, its change.
fn bending(next: &State, last: &Past, older: Option<&(f64, Past)>, length: f64) -> f64 {
    next.nodes.iter().enumerate().fold(0.0f64, |largest, (i, node)| {
        let change = node[0] - last.potential[i];
        let straight =
            older.map_or(0.0, |(before, past)| (last.potential[i] - past.potential[i]) * length / before);
        largest.max((change - straight).abs())
    })
}
