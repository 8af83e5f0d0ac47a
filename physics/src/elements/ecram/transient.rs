//! A cell under a gate waveform.
//!
//! Time steps are those of Alexander's third-order, L-stable Runge-Kutta method with three equal implicit
//! stages (R. Alexander, SIAM J. Numer. Anal. 14, 1006 (1977)), with a second-order method inside it that
//! shares two stages for the error. Diffusion is linear, so each stage's filling is an affine function of
//! its interface current; the interface then is one increasing equation for that current, solved exactly.

use super::{AtTemperature, Cell, Slab, interface};
use crate::constants::ELEMENTARY_CHARGE;
use crate::elements::root;

/// What holds the gate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Drive {
    /// A voltage in V against the channel.
    Voltage(f64),
    /// A current in A.
    Current(f64),
    /// Nothing: the gate floats.
    Open,
}

/// A stretch of a waveform.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// What holds the gate.
    pub drive: Drive,
    /// Times of output in s after the start of the segment, ascending; the last is its duration.
    pub times_s: Vec<f64>,
}

/// The cell at one time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Time in s.
    pub time_s: f64,
    /// Gate voltage in V.
    pub gate_v: f64,
    /// Current in A through the gate terminal: ions and leak.
    pub gate_a: f64,
    /// Current in A of the ions.
    pub ion_a: f64,
    /// Overpotential of the interface in V.
    pub overpotential_v: f64,
    /// Mean filling.
    pub mean_fraction: f64,
    /// Filling at the interface.
    pub surface_fraction: f64,
    /// Charge of ions in C inserted since the start, integrated from the current.
    pub inserted_c: f64,
    /// Conductance of the channel in S.
    pub conductance_s: f64,
}

/// Where and why a run ended early.
#[derive(Debug, Clone, PartialEq)]
pub struct Halt {
    /// Time in s.
    pub time_s: f64,
    /// Filling at the interface there.
    pub surface_fraction: f64,
    /// Sizes in s of the last steps that were tried.
    pub steps_s: Vec<f64>,
}

/// A waveform's outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The cell at the times of output.
    pub points: Vec<Point>,
    /// Filling of the slab's cells at the end.
    pub fractions: Vec<f64>,
    /// Time steps taken.
    pub steps: usize,
    /// Time steps refused by their error or without an interface current.
    pub refused: usize,
    /// Set when the interface would have had to leave the window of its open-circuit table.
    pub halted: Option<Halt>,
}

/// The diagonal of the method: the root of γ³ − 3γ² + 3γ/2 − 1/6 that makes it L-stable.
const GAMMA: f64 = 0.435_866_521_508_459;
/// Time of the second stage.
const SECOND: f64 = 0.5 * (1.0 + GAMMA);
const FIRST_WEIGHT: f64 = -0.25 * (6.0 * GAMMA * GAMMA - 16.0 * GAMMA + 1.0);
const SECOND_WEIGHT: f64 = 0.25 * (6.0 * GAMMA * GAMMA - 20.0 * GAMMA + 5.0);
/// Weight of the second stage in the second-order method of the first two.
const EMBEDDED: f64 = (0.5 - GAMMA) / (SECOND - GAMMA);

struct Solver<'a> {
    cell: &'a Cell,
    slab: &'a Slab,
    at: AtTemperature,
}

/// One accepted or refused step.
struct Step {
    fractions: Vec<f64>,
    /// Charge per area in C/m² that went in.
    charge: f64,
    /// Largest estimated error of a filling.
    error: f64,
}

impl Solver<'_> {
    /// Voltage of the gate in V when the ion current density `j` flows into a surface of this filling, and the
    /// overpotential inside it.
    fn gate_v(&self, j: f64, surface: f64) -> (f64, f64) {
        let exchange = self.at.exchange_a_per_m2 * self.cell.exchange.factor(surface, self.cell.transfer);
        let over = if j == 0.0 {
            0.0
        } else {
            self.at.thermal_v * interface::overpotential(j / exchange, self.cell.transfer)
        };
        (self.cell.open_circuit.volts(surface) + over + j * self.at.series_ohm_m2, over)
    }

    /// Density of the leak's current in A/m²; an infinite voltage drives none through no leak.
    fn leak(&self, gate_v: f64) -> f64 {
        if self.at.leak_s_per_m2 == 0.0 { 0.0 } else { self.at.leak_s_per_m2 * gate_v }
    }

    /// The ion current density in A/m² when the filling of the surface is `base` + `slope` × current density.
    fn current(&self, drive: Drive, base: f64, slope: f64) -> Option<f64> {
        let (low, high) = self.cell.open_circuit.window();
        let excess = |j: f64| {
            let (gate_v, _) = self.gate_v(j, base + slope * j);
            match drive {
                Drive::Voltage(volts) => gate_v - volts,
                Drive::Current(amperes) => j + self.leak(gate_v) - amperes / self.cell.area_m2,
                Drive::Open => j + self.leak(gate_v),
            }
        };
        root::increasing((low - base) / slope, (high - base) / slope, excess)
    }

    /// Filling of the surface per current density that the half of the first cell adds, in m²/A.
    fn half_cell(&self) -> f64 {
        0.5 * self.slab.widths_m[0]
            / (self.at.diffusivity_m2_per_s * ELEMENTARY_CHARGE * self.cell.sites_per_m3)
    }

    fn step(&self, drive: Drive, from: &[f64], dt: f64) -> Option<Step> {
        let tau = GAMMA * dt;
        let widths = &self.slab.widths_m;
        let implicit = self.slab.implicit(tau * self.at.diffusivity_m2_per_s);
        let mut unit = vec![0.0; from.len()];
        unit[0] = tau / (ELEMENTARY_CHARGE * self.cell.sites_per_m3);
        let response = implicit.solve(unit);
        let slope = response[0] + self.half_cell();
        let stage = |base: &[f64]| {
            let weighted = base.iter().zip(widths).map(|(x, width)| x * width).collect();
            let alone = implicit.solve(weighted);
            let j = self.current(drive, alone[0], slope)?;
            let rates: Vec<f64> = alone
                .iter()
                .zip(&response)
                .zip(base)
                .map(|((alone, response), base)| (alone + j * response - base) / tau)
                .collect();
            Some((rates, j))
        };
        let after = |terms: &[(f64, &[f64])]| -> Vec<f64> {
            (0..from.len())
                .map(|i| from[i] + dt * terms.iter().map(|(weight, rates)| weight * rates[i]).sum::<f64>())
                .collect()
        };
        let (first, j1) = stage(from)?;
        let (second, j2) = stage(&after(&[(SECOND - GAMMA, &first)]))?;
        let (third, j3) = stage(&after(&[(FIRST_WEIGHT, &first), (SECOND_WEIGHT, &second)]))?;
        let error = (0..from.len())
            .map(|i| {
                let difference = (FIRST_WEIGHT - 1.0 + EMBEDDED) * first[i]
                    + (SECOND_WEIGHT - EMBEDDED) * second[i]
                    + GAMMA * third[i];
                (dt * difference).abs()
            })
            .fold(0.0, f64::max);
        Some(Step {
            fractions: after(&[(FIRST_WEIGHT, &first), (SECOND_WEIGHT, &second), (GAMMA, &third)]),
            charge: dt * (FIRST_WEIGHT * j1 + SECOND_WEIGHT * j2 + GAMMA * j3),
            error,
        })
    }

    fn point(&self, drive: Drive, fractions: &[f64], time_s: f64, charge: f64) -> Option<Point> {
        let half = self.half_cell();
        let j = self.current(drive, fractions[0], half)?;
        let surface = fractions[0] + half * j;
        let (gate_v, overpotential_v) = self.gate_v(j, surface);
        let area = self.cell.area_m2;
        let mean = self.slab.mean(fractions);
        Some(Point {
            time_s,
            gate_v,
            gate_a: area * (j + self.leak(gate_v)),
            ion_a: area * j,
            overpotential_v,
            mean_fraction: mean,
            surface_fraction: surface,
            inserted_c: area * charge,
            conductance_s: self.cell.conductance_s(mean),
        })
    }
}

/// Steps shorter than this part of their segment mean that there is no solution to step to.
const SHORTEST: f64 = 1e-13;
/// Steps that a halt reports.
const REPORTED: usize = 12;

/// Runs a waveform from the filling `fractions` (one per cell of the slab) at a temperature. `tolerance` is
/// the error of a filling that one step may make; `progress` hears the fraction of the segments done. The
/// first point is the cell at open circuit before the first segment. A run whose interface would have to
/// leave the window of the open-circuit table halts and keeps its points.
#[must_use]
pub fn run(
    cell: &Cell,
    slab: &Slab,
    temperature_k: f64,
    fractions: Vec<f64>,
    waveform: &[Segment],
    tolerance: f64,
    progress: &dyn Fn(f64),
) -> Run {
    let solver = Solver { cell, slab, at: cell.at(temperature_k) };
    let mut run = Run { points: Vec::new(), fractions, steps: 0, refused: 0, halted: None };
    let (mut start, mut charge) = (0.0, 0.0);
    match solver.point(Drive::Open, &run.fractions, 0.0, 0.0) {
        Some(point) => run.points.push(point),
        None => {
            let surface_fraction = run.fractions[0];
            run.halted = Some(Halt { time_s: 0.0, surface_fraction, steps_s: Vec::new() });
            return run;
        }
    }
    // A new segment starts with a jump: first steps resolve the first cell.
    let jump = 0.1 * slab.widths_m[0] * slab.widths_m[0] / solver.at.diffusivity_m2_per_s;
    for (index, segment) in waveform.iter().enumerate() {
        let duration = segment.times_s.last().copied().unwrap_or(0.0);
        let (mut time, mut wanted) = (0.0, jump);
        for &target in &segment.times_s {
            let mut tried = Vec::new();
            while time < target {
                let remaining = target - time;
                let last = wanted >= remaining * (1.0 - 1e-9);
                let dt = if last { remaining } else { wanted.min(0.5 * remaining) };
                let step = solver.step(segment.drive, &run.fractions, dt);
                let growth = match &step {
                    Some(step) if step.error.is_finite() => {
                        (0.9 * (tolerance / step.error.max(1e-300)).cbrt()).clamp(0.2, 5.0)
                    }
                    _ => 0.2,
                };
                match step {
                    Some(step) if step.error <= tolerance => {
                        run.fractions = step.fractions;
                        charge += step.charge;
                        time = if last { target } else { time + dt };
                        run.steps += 1;
                        // A step cut short by an output says nothing against the longer one.
                        wanted = if last { wanted.max(dt * growth) } else { dt * growth };
                        tried.clear();
                    }
                    _ => {
                        run.refused += 1;
                        tried.push(dt);
                        wanted = dt * growth.min(0.7);
                        if wanted <= SHORTEST * duration || wanted.is_nan() {
                            let first = tried.len().saturating_sub(REPORTED);
                            run.halted = Some(Halt {
                                time_s: start + time,
                                surface_fraction: run.fractions[0],
                                steps_s: tried.split_off(first),
                            });
                            return run;
                        }
                    }
                }
            }
            match solver.point(segment.drive, &run.fractions, start + target, charge) {
                Some(point) => run.points.push(point),
                None => {
                    run.halted = Some(Halt {
                        time_s: start + target,
                        surface_fraction: run.fractions[0],
                        steps_s: Vec::new(),
                    });
                    return run;
                }
            }
        }
        start += duration;
        progress((index + 1) as f64 / waveform.len() as f64);
    }
    run
}
