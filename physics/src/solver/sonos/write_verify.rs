//! `sonos-write-verify`: many cells written to their currents.

use super::cell::{BarrierInput, Checked, StackInput};
use super::columns::Columns;
use crate::solver::input::Document;
use crate::solver::{Request, Solution, Solver, SolverError};
use crate::sonos::transient::Transient;
use crate::sonos::write_verify::{Choice, Read, Staircase, Verify, Writer, Written};
use crate::tunnelling::injection::Barrier;
use mho_data::InputError;
use mho_data::random::Stream;
use rayon::prelude::*;
use serde::Deserialize;

pub(super) const SOLVER: Solver = Solver {
    name: "sonos-write-verify",
    title: "SONOS write-verify: pulses and noisy reads until each cell carries its current",
    example: include_str!("../../../../data/files/physics/sonos-write-verify.toml"),
    solve,
};

#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StrategyInput {
    Staircase,
    #[default]
    Predictive,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PulsesInput {
    start_v: f64,
    #[serde(default)]
    step_v: f64,
    stop_v: Option<f64>,
    duration_s: f64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ReadInput {
    specific_current_na: Option<f64>,
    slope_factor: Option<f64>,
    neutral_overdrive_v: Option<f64>,
    noise_na: Option<f64>,
    noise_knee_na: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    targets_na: Vec<f64>,
    #[serde(default = "hundred")]
    cells_per_target: f64,
    tolerance_na: f64,
    #[serde(default)]
    tolerance_relative: f64,
    #[serde(default = "hundred")]
    max_pulses: f64,
    #[serde(default)]
    pulse_noise: f64,
    #[serde(default)]
    strategy: StrategyInput,
    #[serde(default)]
    initial_shift_v: f64,
    #[serde(default)]
    initial_sigma_v: f64,
    #[serde(default = "yes")]
    gate_injection: bool,
    #[serde(default = "full")]
    full_charge_c_per_m2: f64,
    program: PulsesInput,
    erase: PulsesInput,
    #[serde(default)]
    read: ReadInput,
    #[serde(default)]
    stack: StackInput,
    #[serde(default)]
    electron_barrier: BarrierInput,
    #[serde(default)]
    hole_barrier: BarrierInput,
}

fn hundred() -> f64 {
    100.0
}

fn yes() -> bool {
    true
}

fn full() -> f64 {
    0.04
}

const COLUMNS: [&str; 8] = [
    "cell",
    "target_na",
    "current_na",
    "error_na",
    "read_error_na",
    "threshold_shift_v",
    "pulses",
    "verified",
];

fn solve(request: &Request<'_>) -> Result<Solution, SolverError> {
    let document = Document { text: request.text, file: request.file };
    let input: Input = document.parse()?;
    check(&input, document)?;
    let stack = input.stack.read(document, request.materials)?;
    let transient = Transient {
        stack,
        electrons: input.electron_barrier.read(document, "electron_barrier", Barrier::ELECTRONS)?,
        holes: input.hole_barrier.read(document, "hole_barrier", Barrier::HOLES)?,
        gate_injection: input.gate_injection,
        full_charge_c_per_m2: input.full_charge_c_per_m2,
        surface_potential: input.stack.surface_potential(document)?,
    };
    let read = read(&input.read, document, stack.temperature_k)?;
    let program = pulses(&input.program, document, "program", 1.0)?;
    let erase = pulses(&input.erase, document, "erase", -1.0)?;
    let range = range(&input, &read);
    let strategy = match input.strategy {
        StrategyInput::Staircase => Choice::Staircase,
        StrategyInput::Predictive => Choice::Predictive,
    };
    let mut writer = None;
    let mut rows = Columns::new(COLUMNS);
    let mut totals = Totals::default();
    for (index, &target_na) in input.targets_na.iter().enumerate() {
        let verify = Verify {
            tolerance_a: 1e-9 * (input.tolerance_na + input.tolerance_relative * target_na),
            max_pulses: input.max_pulses as u32,
            pulse_noise: input.pulse_noise,
            strategy,
        };
        let writer = match &mut writer {
            None => writer.insert(
                Writer::new(&transient, read, verify, &program, &erase, range)
                    .map_err(|error| SolverError::Failed(error.to_string()))?,
            ),
            Some(writer) => {
                writer.set_verify(verify);
                writer
            }
        };
        let written: Vec<Written> = (0..input.cells_per_target as u64)
            .into_par_iter()
            .map(|cell| {
                let ids = [index as u64, cell];
                let start = Stream::new(request.seed, &["sonos-write-verify", "start"], &ids).normal(0);
                writer.write(
                    input.initial_shift_v + input.initial_sigma_v * start,
                    1e-9 * target_na,
                    &Stream::new(request.seed, &["sonos-write-verify", "write"], &ids),
                )
            })
            .collect();
        for (cell, written) in written.iter().enumerate() {
            let error_na = 1e9 * written.current_a - target_na;
            rows.push([
                (index * input.cells_per_target as usize + cell) as f64,
                target_na,
                1e9 * written.current_a,
                error_na,
                1e9 * written.read_a - target_na,
                written.shift_v,
                f64::from(written.pulses),
                f64::from(u8::from(written.verified)),
            ]);
            totals.add(written, error_na, range);
        }
        (request.progress)((index + 1) as f64 / input.targets_na.len() as f64);
    }
    let mut solution = Solution::new(rows.table())
        .with("failures", f64::from(totals.failures))
        .with("mean_pulses", totals.pulses / totals.count)
        .with("mean_error_na", totals.errors / totals.count)
        .with("rms_error_na", (totals.squares / totals.count).sqrt())
        .with("even_within_tolerance_rms_na", input.tolerance_na / 3f64.sqrt());
    if totals.failures > 0 {
        solution.notes.push(format!(
            "{} of {} cells were not verified within {} pulses",
            totals.failures, totals.count, input.max_pulses
        ));
    }
    if totals.outside > 0 {
        solution.notes.push(format!(
            "{} cells ended outside the shifts from {:.2} to {:.2} V over which pulses were worked out",
            totals.outside, range.0, range.1
        ));
    }
    Ok(solution)
}

#[derive(Default)]
struct Totals {
    count: f64,
    failures: u32,
    outside: u32,
    pulses: f64,
    errors: f64,
    squares: f64,
}

impl Totals {
    fn add(&mut self, written: &Written, error_na: f64, range: (f64, f64)) {
        self.count += 1.0;
        self.failures += u32::from(!written.verified);
        self.outside += u32::from(!(range.0..=range.1).contains(&written.shift_v));
        self.pulses += f64::from(written.pulses);
        self.errors += error_na;
        self.squares += error_na * error_na;
    }
}

/// Shifts that cells can meet: from where they start to where they go, with half a volt around.
fn range(input: &Input, read: &Read) -> (f64, f64) {
    let spread = 4.0 * input.initial_sigma_v;
    let (mut low, mut high) = (input.initial_shift_v - spread, input.initial_shift_v + spread);
    for target in &input.targets_na {
        let shift = read.shift_v(1e-9 * target);
        low = low.min(shift);
        high = high.max(shift);
    }
    (low - 0.5, high + 0.5)
}

fn check(input: &Input, document: Document<'_>) -> Result<(), InputError> {
    let top = Checked::new(document, &[]);
    if !(1..=1000).contains(&input.targets_na.len()) {
        return Err(top.refuse("targets_na", input.targets_na.len(), "1 to 1000 targets"));
    }
    for (index, target) in input.targets_na.iter().enumerate() {
        document.within(&["targets_na".into(), index.into()], *target, 1e-3..=1e5, "nA")?;
    }
    top.within("cells_per_target", input.cells_per_target, 1.0..=1e5, "")?;
    let count = input.cells_per_target.floor() * input.targets_na.len() as f64;
    top.within("cells_per_target", count, 1.0..=1e6, "cells in all")?;
    top.within("tolerance_na", input.tolerance_na, 0.0..=1e5, "nA")?;
    top.within("tolerance_relative", input.tolerance_relative, 0.0..=1.0, "")?;
    top.within("max_pulses", input.max_pulses, 0.0..=1e5, "")?;
    top.within("pulse_noise", input.pulse_noise, 0.0..=1.0, "")?;
    top.within("initial_shift_v", input.initial_shift_v, -5.0..=5.0, "V")?;
    top.within("initial_sigma_v", input.initial_sigma_v, 0.0..=1.0, "V")?;
    top.within("full_charge_c_per_m2", input.full_charge_c_per_m2, 1e-6..=1e3, "C/m²")?;
    Ok(())
}

fn read(input: &ReadInput, document: Document<'_>, temperature_k: f64) -> Result<Read, InputError> {
    let check = Checked::new(document, &["read".into()]);
    let base = Read::default();
    let current = |key, given, default: f64, low: f64| {
        check.or(key, given, 1e9 * default, low..=1e9, "nA").map(|value| 1e-9 * value)
    };
    Ok(Read {
        specific_a: current("specific_current_na", input.specific_current_na, base.specific_a, 1e-3)?,
        slope_factor: check.or("slope_factor", input.slope_factor, base.slope_factor, 1.0..=5.0, "")?,
        temperature_k,
        neutral_overdrive_v: check.or(
            "neutral_overdrive_v",
            input.neutral_overdrive_v,
            base.neutral_overdrive_v,
            -5.0..=5.0,
            "V",
        )?,
        noise_a: current("noise_na", input.noise_na, base.noise_a, 0.0)?,
        noise_knee_a: current("noise_knee_na", input.noise_knee_na, base.noise_knee_a, 1e-6)?,
    })
}

/// Most different pulses of a staircase.
const MOST_LEVELS: f64 = 64.0;

fn pulses(
    input: &PulsesInput,
    document: Document<'_>,
    key: &str,
    sign: f64,
) -> Result<Staircase, InputError> {
    let check = Checked::new(document, &[key.into()]);
    let side = if sign > 0.0 { 0.1..=30.0 } else { -30.0..=-0.1 };
    let start_v = check.within("start_v", input.start_v, side.clone(), "V")?;
    let step_v = check.within("step_v", input.step_v, 0.0..=10.0, "V")?;
    let stop_v = check.or("stop_v", input.stop_v, start_v, side, "V")?;
    let span = sign * (stop_v - start_v);
    if span < 0.0 {
        return Err(check.refuse("stop_v", stop_v, "a voltage at least as far from zero as start_v"));
    }
    let levels = if step_v > 0.0 { (span / step_v + 1e-9).floor() + 1.0 } else { 1.0 };
    if levels > MOST_LEVELS {
        return Err(check.refuse("step_v", step_v, "a step that makes at most 64 different pulses"));
    }
    Ok(Staircase {
        start_v,
        step_v,
        levels: levels as usize,
        duration_s: check.within("duration_s", input.duration_s, 1e-9..=10.0, "s")?,
    })
}
