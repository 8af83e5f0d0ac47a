//! `ecram`: a waveform at the gate of an electrochemical cell.

use super::check;
use crate::constants::ELEMENTARY_CHARGE;
use crate::elements::ecram::{Cell, Drive, Exchange, OpenCircuit, Run, Segment, Slab, run};
use crate::solver::input::Document;
use crate::solver::{Request, Solution, Solver, SolverError, Stopped};
use mho_data::Table;
use serde::Deserialize;

pub(super) const SOLVER: Solver = Solver {
    name: "ecram",
    title: "electrochemical cell: gate pulses through interface and diffusion to conductance and retention",
    example: include_str!("../../../../data/files/physics/ecram.toml"),
    solve,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    temperature_k: f64,
    start_fraction: f64,
    cell: CellInput,
    open_circuit: CurveInput,
    #[serde(default)]
    mesh: MeshInput,
    train: Vec<TrainInput>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CellInput {
    area_um2: f64,
    thickness_nm: f64,
    sites_per_cm3: f64,
    diffusivity_cm2_per_s: f64,
    diffusion_activation_ev: f64,
    exchange_a_per_cm2: f64,
    exchange: Exchange,
    exchange_activation_ev: f64,
    transfer: f64,
    series_ohm: f64,
    electrolyte_activation_ev: f64,
    leak_ohm: Option<f64>,
    leak_activation_ev: f64,
    reference_k: f64,
    empty_us: f64,
    full_us: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CurveInput {
    fraction: Vec<f64>,
    gate_v: Vec<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct MeshInput {
    cells: usize,
    grading: f64,
    tolerance: f64,
}

impl Default for MeshInput {
    fn default() -> Self {
        Self { cells: 60, grading: 30.0, tolerance: 1e-6 }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrainInput {
    repeat: usize,
    step: Vec<StepInput>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StepInput {
    voltage_v: Option<f64>,
    current_na: Option<f64>,
    duration_s: f64,
    #[serde(default = "one")]
    points: usize,
}

fn one() -> usize {
    1
}

/// Most rows that a waveform may ask for.
const MOST_ROWS: usize = 100_000;

fn solve(request: &Request<'_>) -> Result<Solution, SolverError> {
    let document = Document { text: request.text, file: request.file };
    let input: Input = document.parse()?;
    let cell = cell(&document, &input)?;
    let waveform = waveform(&document, &input.train)?;
    let mesh = &input.mesh;
    if !(2..=2000).contains(&mesh.cells) {
        return Err(document.refuse(&["mesh".into(), "cells".into()], mesh.cells, "2 to 2000").into());
    }
    check(
        &document,
        &["mesh".into()],
        &[("grading", mesh.grading, 1.0, 1e4, ""), ("tolerance", mesh.tolerance, 1e-12, 1e-2, "")],
    )?;
    let (low, high) = cell.open_circuit.window();
    check(&document, &[], &[("start_fraction", input.start_fraction, low, high, "")])?;
    let slab = Slab::new(cell.thickness_m, mesh.cells, mesh.grading);
    let start = vec![input.start_fraction; mesh.cells];
    let outcome = run(&cell, &slab, input.temperature_k, start, &waveform, mesh.tolerance, request.progress);
    let capacity = cell.capacity_c();
    let at = cell.at(input.temperature_k);
    let mut solution = Solution::new(table(&outcome))
        .with("capacity_c", capacity)
        .with("ions_when_full", capacity / ELEMENTARY_CHARGE)
        .with("diffusion_time_s", cell.thickness_m.powi(2) / at.diffusivity_m2_per_s)
        .with("conductance_per_charge_s_per_c", (cell.full_s - cell.empty_s) / capacity)
        .with("time_steps", outcome.steps as f64)
        .with("time_steps_refused", outcome.refused as f64);
    if let Some(last) = outcome.points.last() {
        let stored = (last.mean_fraction - input.start_fraction) * capacity;
        solution = solution
            .with("conductance_at_end_us", 1e6 * last.conductance_s)
            .with("charge_balance_error_c", stored - last.inserted_c);
    }
    solution.stopped = outcome.halted.as_ref().map(|halt| Stopped {
        at: format!(
            "time {:.6e} s: with the interface filled to {:.6} no current keeps it inside {low} to {high}, the \
             open-circuit table; the step sizes tried in s stand in place of residuals",
            halt.time_s, halt.surface_fraction
        ),
        residuals: halt.steps_s.clone(),
    });
    if request.profiles {
        let depth = slab.centres_m().iter().map(|z| 1e9 * z).collect();
        solution.profiles = Some(
            Table::new().with_float("depth_nm", depth).with_float("fraction", outcome.fractions.clone()),
        );
    }
    Ok(solution)
}

fn table(outcome: &Run) -> Table {
    let column = |of: fn(&crate::elements::ecram::Point) -> f64| outcome.points.iter().map(of).collect();
    Table::new()
        .with_float("time_s", column(|point| point.time_s))
        .with_float("gate_v", column(|point| point.gate_v))
        .with_float("gate_a", column(|point| point.gate_a))
        .with_float("ion_a", column(|point| point.ion_a))
        .with_float("overpotential_v", column(|point| point.overpotential_v))
        .with_float("mean_fraction", column(|point| point.mean_fraction))
        .with_float("surface_fraction", column(|point| point.surface_fraction))
        .with_float("inserted_c", column(|point| point.inserted_c))
        .with_float("conductance_us", column(|point| 1e6 * point.conductance_s))
}

fn cell(document: &Document<'_>, input: &Input) -> Result<Cell, SolverError> {
    let given = &input.cell;
    check(document, &[], &[("temperature_k", input.temperature_k, 100.0, 1000.0, "K")])?;
    check(
        document,
        &["cell".into()],
        &[
            ("area_um2", given.area_um2, 1e-6, 1e8, "um2"),
            ("thickness_nm", given.thickness_nm, 0.1, 1e6, "nm"),
            ("sites_per_cm3", given.sites_per_cm3, 1e15, 1e24, "1/cm3"),
            ("diffusivity_cm2_per_s", given.diffusivity_cm2_per_s, 1e-22, 1.0, "cm2/s"),
            ("diffusion_activation_ev", given.diffusion_activation_ev, 0.0, 3.0, "eV"),
            ("exchange_a_per_cm2", given.exchange_a_per_cm2, 1e-18, 1e6, "A/cm2"),
            ("exchange_activation_ev", given.exchange_activation_ev, 0.0, 3.0, "eV"),
            ("transfer", given.transfer, 0.01, 0.99, ""),
            ("series_ohm", given.series_ohm, 0.0, 1e15, "ohm"),
            ("electrolyte_activation_ev", given.electrolyte_activation_ev, 0.0, 3.0, "eV"),
            ("leak_ohm", given.leak_ohm.unwrap_or(1e12), 1.0, 1e24, "ohm"),
            ("leak_activation_ev", given.leak_activation_ev, 0.0, 3.0, "eV"),
            ("reference_k", given.reference_k, 100.0, 1000.0, "K"),
            ("empty_us", given.empty_us, 0.0, 1e9, "uS"),
            ("full_us", given.full_us, 0.0, 1e9, "uS"),
        ],
    )?;
    let curve = &input.open_circuit;
    let open_circuit = OpenCircuit::new(&curve.fraction, &curve.gate_v).map_err(|error| {
        document.refuse(&["open_circuit".into()], error, "a table of fillings and rising voltages")
    })?;
    Ok(Cell {
        area_m2: 1e-12 * given.area_um2,
        thickness_m: 1e-9 * given.thickness_nm,
        sites_per_m3: 1e6 * given.sites_per_cm3,
        diffusivity_m2_per_s: 1e-4 * given.diffusivity_cm2_per_s,
        diffusion_activation_ev: given.diffusion_activation_ev,
        exchange_a_per_m2: 1e4 * given.exchange_a_per_cm2,
        exchange: given.exchange,
        exchange_activation_ev: given.exchange_activation_ev,
        transfer: given.transfer,
        series_ohm: given.series_ohm,
        electrolyte_activation_ev: given.electrolyte_activation_ev,
        leak_ohm: given.leak_ohm.unwrap_or(f64::INFINITY),
        leak_activation_ev: given.leak_activation_ev,
        reference_k: given.reference_k,
        open_circuit,
        empty_s: 1e-6 * given.empty_us,
        full_s: 1e-6 * given.full_us,
    })
}

fn waveform(document: &Document<'_>, trains: &[TrainInput]) -> Result<Vec<Segment>, SolverError> {
    let mut rows = 0_usize;
    let mut waveform = Vec::new();
    for (index, train) in trains.iter().enumerate() {
        let place = [index.into(), "step".into()];
        let mut once = Vec::new();
        for (step, given) in train.step.iter().enumerate() {
            let path = ["train".into(), place[0], place[1], step.into()];
            check(
                document,
                &path,
                &[
                    ("duration_s", given.duration_s, 1e-12, 1e10, "s"),
                    ("voltage_v", given.voltage_v.unwrap_or(0.0), -100.0, 100.0, "V"),
                    ("current_na", given.current_na.unwrap_or(0.0), -1e9, 1e9, "nA"),
                ],
            )?;
            let drive = match (given.voltage_v, given.current_na) {
                (Some(volts), None) => Drive::Voltage(volts),
                (None, Some(current)) => Drive::Current(1e-9 * current),
                (None, None) => Drive::Open,
                (Some(_), Some(_)) => {
                    let expected = "voltage_v, current_na or neither (a floating gate)";
                    return Err(document.refuse(&path, "a step with both", expected).into());
                }
            };
            let points = given.points.clamp(1, MOST_ROWS);
            let times_s = (1..=points).map(|k| given.duration_s * k as f64 / points as f64).collect();
            once.push(Segment { drive, times_s });
        }
        let each: usize = once.iter().map(|segment: &Segment| segment.times_s.len()).sum();
        rows = rows.saturating_add(each.saturating_mul(train.repeat));
        if once.is_empty() || train.repeat == 0 || rows > MOST_ROWS {
            let found = format!("{} steps {} times", once.len(), train.repeat);
            let expected = format!("at least one step, once or more, {MOST_ROWS} rows in all at most");
            return Err(document.refuse(&["train".into(), index.into()], found, expected).into());
        }
        for _ in 0..train.repeat {
            waveform.extend(once.iter().cloned());
        }
    }
    Ok(waveform)
}
