//! `sonos-transient`: program and erase pulses.

use super::cell::{BarrierInput, Checked, EmissionInput, ProfileCell, StackInput, TrapsInput};
use super::columns::{Columns, logarithmic};
use crate::constants::ELEMENTARY_CHARGE;
use crate::ode::OdeError;
use crate::solver::input::Document;
use crate::solver::{Request, Solution, Solver, SolverError, Stopped};
use crate::sonos::collection::SurfacePotential;
use crate::sonos::nitride::{Accuracy, Conditions, Nitride, State};
use crate::sonos::profile::Profile;
use crate::sonos::surface::Surface;
use crate::sonos::transient::Transient;
use mho_data::InputError;
use serde::Deserialize;

pub(super) const SOLVER: Solver = Solver {
    name: "sonos-transient",
    title: "SONOS program and erase pulses: threshold, charge and fields against time",
    example: include_str!("../../../../data/files/physics/sonos-transient.toml"),
    solve,
};

#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Model {
    #[default]
    Profile,
    Sheet,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pulse {
    gate_v: f64,
    duration_s: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    #[serde(default)]
    model: Model,
    #[serde(default)]
    initial_shift_v: f64,
    #[serde(default = "yes")]
    gate_injection: bool,
    #[serde(default)]
    emission: bool,
    #[serde(default = "eight")]
    points_per_decade: f64,
    #[serde(default = "microsecond")]
    first_point_s: f64,
    #[serde(default = "forty")]
    cells: f64,
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
    pulse: Vec<Pulse>,
}

fn yes() -> bool {
    true
}

fn eight() -> f64 {
    8.0
}

fn microsecond() -> f64 {
    1e-6
}

fn forty() -> f64 {
    40.0
}

const COLUMNS: [&str; 9] = [
    "time_s",
    "pulse",
    "gate_v",
    "threshold_shift_v",
    "charge_c_per_m2",
    "mean_place_nm",
    "tunnel_field_v_per_m",
    "blocking_field_v_per_m",
    "surface_potential_v",
];

const PROFILE_COLUMNS: [&str; 3] = ["time_s", "place_nm", "charge_density_per_cm3"];

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
        radiation: None,
        gate_injection: input.gate_injection,
    }
    .read(document, request.materials)?;
    let traps = &nitride.traps;
    let stored = Profile::even(&nitride.stack, 40, traps.from_m, traps.to_m, input.initial_shift_v).charge();
    if stored.abs() > traps.full_charge() {
        let expected = format!("at most the charge that fills the traps, {:.3e} C/m²", traps.full_charge());
        let found = format!("{:?} V, which needs {:.3e} C/m²", input.initial_shift_v, stored.abs());
        return Err(document.refuse(&["initial_shift_v".into()], found, expected).into());
    }
    match input.model {
        Model::Profile => Ok(profile(&input, &nitride, request)),
        Model::Sheet => {
            if input.emission {
                return Err(document
                    .refuse(&["emission".into()], true, "emission only with model = \"profile\"")
                    .into());
            }
            Ok(sheet(&input, &nitride, request))
        }
    }
}

fn check(input: &Input, document: Document<'_>) -> Result<(), InputError> {
    let top = Checked::new(document, &[]);
    top.within("initial_shift_v", input.initial_shift_v, -10.0..=10.0, "V")?;
    top.within("points_per_decade", input.points_per_decade, 1.0..=100.0, "")?;
    top.within("first_point_s", input.first_point_s, 1e-12..=1e6, "s")?;
    top.within("cells", input.cells, 4.0..=400.0, "")?;
    if input.pulse.is_empty() || input.pulse.len() > 10_000 {
        return Err(top.refuse("pulse", input.pulse.len(), "1 to 10000 pulses"));
    }
    for (index, pulse) in input.pulse.iter().enumerate() {
        let check = Checked::new(document, &["pulse".into(), index.into()]);
        check.within("gate_v", pulse.gate_v, -30.0..=30.0, "V")?;
        check.within("duration_s", pulse.duration_s, 1e-12..=1e12, "s")?;
    }
    Ok(())
}

fn times(input: &Input, pulse: &Pulse) -> Vec<f64> {
    logarithmic(input.first_point_s, pulse.duration_s, input.points_per_decade)
}

fn profile(input: &Input, nitride: &Nitride, request: &Request<'_>) -> Solution {
    let count = input.cells as usize;
    let traps = &nitride.traps;
    let mut state = nitride.empty(count);
    state.profile = Profile::even(&nitride.stack, count, traps.from_m, traps.to_m, input.initial_shift_v);
    let temperature_k = nitride.stack.temperature_k;
    let mut rows = Columns::new(COLUMNS);
    let mut shapes = Columns::new(PROFILE_COLUMNS);
    let mut push = |time: f64, pulse: usize, gate_v: f64, state: &State| {
        let (psi, fields) = nitride.fields(&state.profile, gate_v, temperature_k);
        rows.push([
            time,
            pulse as f64,
            gate_v,
            state.profile.shift_v(&nitride.stack),
            state.profile.charge(),
            1e9 * state.profile.mean_place_m(),
            fields.tunnel_v_per_m,
            fields.blocking_v_per_m,
            psi,
        ]);
    };
    let start_charge = state.profile.charge();
    let mut start = 0.0;
    let mut steps = 0;
    let mut stopped = None;
    push(0.0, 0, input.pulse.first().map_or(0.0, |pulse| pulse.gate_v), &state);
    for (index, pulse) in input.pulse.iter().enumerate() {
        let conditions = Conditions { gate_v: pulse.gate_v, temperature_k, dose_rate_rad_per_s: 0.0 };
        let followed = nitride.follow(
            &mut state,
            conditions,
            &times(input, pulse),
            Accuracy::default(),
            |time, state| push(start + time, index + 1, pulse.gate_v, state),
        );
        match followed {
            Ok(taken) => steps += taken,
            Err(error) => {
                stopped = Some(stop(index, pulse, &error));
                break;
            }
        }
        start += pulse.duration_s;
        if request.profiles {
            for (place, charge) in state.profile.cells.iter().enumerate() {
                let density = charge / (ELEMENTARY_CHARGE * state.profile.width_m);
                shapes.push([start, 1e9 * state.profile.place_m(place), 1e-6 * density]);
            }
        }
        (request.progress)((index + 1) as f64 / input.pulse.len() as f64);
    }
    let tally = state.tally;
    let imbalance = state.profile.charge() - start_charge - tally.stored();
    let mut solution = Solution::new(rows.table())
        .with("final_threshold_shift_v", state.profile.shift_v(&nitride.stack))
        .with("injected_from_channel_c_per_m2", tally.channel)
        .with("injected_from_gate_c_per_m2", tally.gate)
        .with("passed_uncaptured_c_per_m2", tally.passed)
        .with("emitted_c_per_m2", tally.emitted)
        .with("charge_imbalance_c_per_m2", imbalance)
        .with("steps", f64::from(steps));
    if imbalance.abs() > 0.01 * tally.turnover {
        solution.notes.push("the balance of charge is off by more than 1 % of what moved".to_owned());
    }
    if request.profiles {
        solution.profiles = Some(shapes.table());
    }
    solution.stopped = stopped;
    solution
}

fn sheet(input: &Input, nitride: &Nitride, request: &Request<'_>) -> Solution {
    let stack = nitride.stack;
    let transient = Transient {
        stack,
        electrons: nitride.electrons,
        holes: nitride.holes,
        gate_injection: nitride.gate_injection,
        full_charge_c_per_m2: nitride.traps.full_charge(),
        surface_potential: nitride.surface_potential,
    };
    let mut rows = Columns::new(COLUMNS);
    let mut push = |time: f64, pulse: usize, gate_v: f64, shift: f64| {
        let charge = stack.charge_for_shift(shift);
        let psi = match nitride.surface_potential {
            SurfacePotential::Fixed(psi) => psi,
            SurfacePotential::SelfConsistent => {
                Surface::new(&stack).psi_s(gate_v - stack.phi_ms_v - shift, 0.0)
            }
        };
        let fields = stack.fields(gate_v, psi, charge);
        rows.push([
            time,
            pulse as f64,
            gate_v,
            shift,
            charge,
            1e9 * stack.centroid_m,
            fields.tunnel_v_per_m,
            fields.blocking_v_per_m,
            psi,
        ]);
    };
    let mut shift = input.initial_shift_v;
    let mut start = 0.0;
    let mut stopped = None;
    push(0.0, 0, input.pulse.first().map_or(0.0, |pulse| pulse.gate_v), shift);
    for (index, pulse) in input.pulse.iter().enumerate() {
        let times = times(input, pulse);
        match transient.threshold_shift(shift, pulse.gate_v, &times) {
            Ok(shifts) => {
                for (time, shift) in times.iter().zip(&shifts) {
                    push(start + time, index + 1, pulse.gate_v, *shift);
                }
                shift = shifts.last().copied().unwrap_or(shift);
            }
            Err(error) => {
                stopped = Some(stop(index, pulse, &error));
                break;
            }
        }
        start += pulse.duration_s;
        (request.progress)((index + 1) as f64 / input.pulse.len() as f64);
    }
    let mut solution = Solution::new(rows.table()).with("final_threshold_shift_v", shift);
    solution.notes.push(format!(
        "all charge is a sheet {:.2} nm from the tunnel oxide; every injected carrier is captured until the \
         traps fill",
        1e9 * stack.centroid_m
    ));
    solution.stopped = stopped;
    solution
}

fn stop(index: usize, pulse: &Pulse, error: &OdeError) -> Stopped {
    Stopped { at: format!("pulse {} ({} V): {error}", index + 1, pulse.gate_v), residuals: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::materials::Materials;

    fn end(text: &str) -> f64 {
        let materials = Materials::built_in().unwrap();
        let request = Request {
            text,
            file: "pulse.toml",
            frequency_hz: None,
            profiles: false,
            seed: 1,
            materials: &materials,
            progress: &|_| {},
        };
        let solution = solve(&request).unwrap();
        assert!(solution.stopped.is_none());
        solution.table.floats("threshold_shift_v").unwrap().last().copied().unwrap()
    }

    /// Reference transients through the input: sheet of charge, fixed surface potential, no gate injection.
    /// The references are rounded to 10 mV: 6 mV.
    #[test]
    fn reference_transients_through_the_input() {
        for (tunnel_nm, gate_v, duration_s, expected) in [
            (2.0, 8.0, 1e-2, 1.23),
            (2.0, 8.5, 1e-3, 1.21),
            (2.0, -8.0, 0.1, -1.11),
            (1.8, 8.0, 5e-3, 1.14),
            (1.8, -8.5, 0.1, -1.71),
        ] {
            let psi = if gate_v > 0.0 { 0.9 } else { -0.1 };
            let found = end(&format!(
                "model = \"sheet\"\ngate_injection = false\n[stack]\ntunnel_oxide_nm = {tunnel_nm}\n\
                 phi_ms_v = -1.0\nfixed_surface_potential_v = {psi}\n[traps]\ndensity_per_cm3 = 3.12e19\n\
                 [[pulse]]\ngate_v = {gate_v:?}\nduration_s = {duration_s:?}\n"
            ));
            assert!((found - expected).abs() < 6e-3, "{tunnel_nm} nm, {gate_v} V: {found} {expected}");
        }
    }

    /// Erase ends where the gate injects what the channel does, in the sheet and in the profile.
    #[test]
    fn erase_saturates_in_both_models() {
        let text = |model: &str, duration_s: f64| {
            format!(
                "model = \"{model}\"\n[stack]\ntunnel_oxide_nm = 1.8\nphi_ms_v = -1.0\n\
                 fixed_surface_potential_v = -0.1\n[[pulse]]\ngate_v = -8.0\nduration_s = {duration_s:?}\n"
            )
        };
        assert!((end(&text("sheet", 1e3)) + 1.23).abs() < 0.01);
        // In the profile electrons of the gate and holes of the channel settle apart, so the threshold
        // creeps on while a dipole builds up; it still holds far above an erase without the gate.
        let profile = end(&text("profile", 1.0));
        assert!(profile < -1.0 && profile > -2.0, "{profile}");
    }
}
