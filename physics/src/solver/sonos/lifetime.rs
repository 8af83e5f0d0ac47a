//! `sonos-lifetime`: program, erase, retain and irradiate one cell, all on one charge profile.

use super::cell::{
    BarrierInput, Checked, EmissionInput, ProfileCell, RadiationInput, StackInput, TrapsInput,
};
use super::columns::{Columns, logarithmic};
use crate::constants::ELEMENTARY_CHARGE;
use crate::solver::input::Document;
use crate::solver::{Request, Solution, Solver, SolverError, Stopped};
use crate::sonos::nitride::{Accuracy, Conditions};
use mho_data::InputError;
use serde::Deserialize;

pub(super) const SOLVER: Solver = Solver {
    name: "sonos-lifetime",
    title: "SONOS cell from program and erase through retention to dose, on one charge profile",
    example: include_str!("../../../../data/files/physics/sonos-lifetime.toml"),
    solve,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StepInput {
    #[serde(default)]
    name: String,
    duration_s: f64,
    #[serde(default)]
    gate_v: f64,
    #[serde(default = "room")]
    temperature_k: f64,
    #[serde(default)]
    dose_rate_rad_per_s: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    #[serde(default = "yes")]
    gate_injection: bool,
    #[serde(default = "yes")]
    emission: bool,
    #[serde(default = "forty")]
    cells: f64,
    #[serde(default = "four")]
    points_per_decade: f64,
    #[serde(default)]
    stack: StackInput,
    #[serde(default)]
    electron_barrier: BarrierInput,
    #[serde(default)]
    hole_barrier: BarrierInput,
    #[serde(default)]
    traps: TrapsInput,
    #[serde(default)]
    electron_emission: EmissionInput,
    #[serde(default)]
    hole_emission: EmissionInput,
    #[serde(default)]
    radiation: RadiationInput,
    step: Vec<StepInput>,
}

fn yes() -> bool {
    true
}

fn forty() -> f64 {
    40.0
}

fn four() -> f64 {
    4.0
}

fn room() -> f64 {
    300.0
}

const COLUMNS: [&str; 9] = [
    "time_s",
    "step",
    "gate_v",
    "temperature_k",
    "dose_krad_si",
    "threshold_shift_v",
    "charge_c_per_m2",
    "tunnel_field_v_per_m",
    "blocking_field_v_per_m",
];

fn solve(request: &Request<'_>) -> Result<Solution, SolverError> {
    let document = Document { text: request.text, file: request.file };
    let input: Input = document.parse()?;
    check(&input, document)?;
    let nitride = ProfileCell {
        stack: &input.stack,
        electron_barrier: &input.electron_barrier,
        hole_barrier: &input.hole_barrier,
        traps: &input.traps,
        emission: input.emission.then_some((&input.electron_emission, &input.hole_emission)),
        radiation: Some(&input.radiation),
        gate_injection: input.gate_injection,
    }
    .read(document, request.materials)?;

    let mut state = nitride.empty(input.cells as usize);
    let mut rows = Columns::new(COLUMNS);
    let mut shapes = Columns::new(["time_s", "place_nm", "charge_density_per_cm3"]);
    let (mut time_s, mut dose_rad, mut steps) = (0.0, 0.0, 0);
    let mut solution_stop = None;
    for (index, step) in input.step.iter().enumerate() {
        let conditions = Conditions {
            gate_v: step.gate_v,
            temperature_k: step.temperature_k,
            dose_rate_rad_per_s: step.dose_rate_rad_per_s,
        };
        let times = logarithmic(1e-4 * step.duration_s, step.duration_s, input.points_per_decade);
        let followed =
            nitride.follow(&mut state, conditions, &times, Accuracy::default(), |elapsed, state| {
                let (_, fields) = nitride.fields(&state.profile, step.gate_v, step.temperature_k);
                rows.push([
                    time_s + elapsed,
                    (index + 1) as f64,
                    step.gate_v,
                    step.temperature_k,
                    1e-3 * (dose_rad + step.dose_rate_rad_per_s * elapsed),
                    state.profile.shift_v(&nitride.stack),
                    state.profile.charge(),
                    fields.tunnel_v_per_m,
                    fields.blocking_v_per_m,
                ]);
            });
        match followed {
            Ok(taken) => steps += taken,
            Err(error) => {
                let at = format!("step {} {}: {error}", index + 1, step.name);
                solution_stop = Some(Stopped { at, residuals: Vec::new() });
                break;
            }
        }
        time_s += step.duration_s;
        dose_rad += step.dose_rate_rad_per_s * step.duration_s;
        if request.profiles {
            for (place, charge) in state.profile.cells.iter().enumerate() {
                let density = charge / (ELEMENTARY_CHARGE * state.profile.width_m);
                shapes.push([time_s, 1e9 * state.profile.place_m(place), 1e-6 * density]);
            }
        }
        (request.progress)((index + 1) as f64 / input.step.len() as f64);
    }
    let tally = state.tally;
    let imbalance = state.profile.charge() - tally.stored();
    let mut solution = Solution::new(rows.table())
        .with("final_threshold_shift_v", state.profile.shift_v(&nitride.stack))
        .with("injected_from_channel_c_per_m2", tally.channel)
        .with("injected_from_gate_c_per_m2", tally.gate)
        .with("swept_in_by_radiation_c_per_m2", tally.swept)
        .with("passed_uncaptured_c_per_m2", tally.passed)
        .with("emitted_c_per_m2", tally.emitted)
        .with("charge_imbalance_c_per_m2", imbalance)
        .with("steps", f64::from(steps));
    if imbalance.abs() > 0.01 * tally.turnover {
        solution.notes.push("the balance of charge is off by more than 1 % of what moved".to_owned());
    }
    if input.emission && (input.electron_emission.spread() || input.hole_emission.spread()) {
        solution.notes.push(
            "all traps are emptied from their mean depth here; `sonos-retention` follows a spread of depths"
                .to_owned(),
        );
    }
    if request.profiles {
        solution.profiles = Some(shapes.table());
    }
    solution.stopped = solution_stop;
    Ok(solution)
}

fn check(input: &Input, document: Document<'_>) -> Result<(), InputError> {
    let top = Checked::new(document, &[]);
    top.within("cells", input.cells, 4.0..=400.0, "")?;
    top.within("points_per_decade", input.points_per_decade, 1.0..=100.0, "")?;
    if input.step.is_empty() || input.step.len() > 10_000 {
        return Err(top.refuse("step", input.step.len(), "1 to 10000 steps"));
    }
    for (index, step) in input.step.iter().enumerate() {
        let check = Checked::new(document, &["step".into(), index.into()]);
        check.within("duration_s", step.duration_s, 1e-12..=1e12, "s")?;
        check.within("gate_v", step.gate_v, -30.0..=30.0, "V")?;
        check.within("temperature_k", step.temperature_k, 200.0..=500.0, "K")?;
        check.within("dose_rate_rad_per_s", step.dose_rate_rad_per_s, 0.0..=1e12, "rad(Si)/s")?;
    }
    Ok(())
}
