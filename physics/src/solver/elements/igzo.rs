//! `igzo`: the gain cell of two oxide transistors.

use crate::elements::gain_cell::GainCell;
use crate::solver::input::Document;
use crate::solver::{Request, Solution, Solver, SolverError};
use mho_data::Table;
use serde::Deserialize;

pub(super) const SOLVER: Solver = Solver {
    name: "igzo",
    title: "gain cell of two oxide transistors: retention, ageing, error of the weight, refresh",
    example: include_str!("../../../../data/files/physics/igzo.toml"),
    solve,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    temperature_k: f64,
    node_v: f64,
    time_s: Vec<f64>,
    weight_error: f64,
    storage: StorageInput,
    transistor: TransistorInput,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StorageInput {
    capacitance_ff: f64,
    off_current_a: f64,
    gate_leak_a: f64,
    activation_ev: f64,
    change_v: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TransistorInput {
    threshold_v: f64,
    slope_factor: f64,
    specific_current_na: f64,
    instability_v: f64,
    instability_exponent: f64,
}

/// Voltage at which the off-current is given, and time of the given instability.
const LEAK_VOLTAGE_V: f64 = 1.0;
const INSTABILITY_S: f64 = 1e3;

fn solve(request: &Request<'_>) -> Result<Solution, SolverError> {
    let document = Document { text: request.text, file: request.file };
    let input: Input = document.parse()?;
    let storage = |key: &'static str, value: f64, low: f64, high: f64| {
        document.within(&["storage".into(), key.into()], value, low..=high, "")
    };
    let transistor = |key: &'static str, value: f64, low: f64, high: f64| {
        document.within(&["transistor".into(), key.into()], value, low..=high, "")
    };
    let (own, read) = (&input.storage, &input.transistor);
    let cell = GainCell {
        storage_f: 1e-15 * storage("capacitance_ff", own.capacitance_ff, 1e-3, 1e6)?,
        off_current_a: storage("off_current_a", own.off_current_a, 1e-26, 1e-6)?,
        gate_leak_a: storage("gate_leak_a", own.gate_leak_a, 0.0, 1e-6)?,
        activation_ev: storage("activation_ev", own.activation_ev, 0.0, 3.0)?,
        leak_voltage_v: LEAK_VOLTAGE_V,
        threshold_v: transistor("threshold_v", read.threshold_v, -5.0, 5.0)?,
        slope_factor: transistor("slope_factor", read.slope_factor, 1.0, 10.0)?,
        specific_current_a: 1e-9 * transistor("specific_current_na", read.specific_current_na, 1e-3, 1e6)?,
        instability_v: transistor("instability_v", read.instability_v, -2.0, 2.0)?,
        instability_s: INSTABILITY_S,
        instability_exponent: transistor("instability_exponent", read.instability_exponent, 0.0, 2.0)?,
        temperature_k: document.within(&["temperature_k".into()], input.temperature_k, 200.0..=500.0, "K")?,
    };
    let node_v = document.within(&["node_v".into()], input.node_v, 0.01..=10.0, "V")?;
    let error = document.within(&["weight_error".into()], input.weight_error, 1e-6..=1.0, "")?;
    let change_v = storage("change_v", own.change_v, 1e-6, 10.0)?;
    for (index, time) in input.time_s.iter().enumerate() {
        document.within(&["time_s".into(), index.into()], *time, 0.0..=1e12, "s")?;
    }
    let start = cell.read_current_a(node_v, 0.0);
    let column = |of: &dyn Fn(f64) -> f64| input.time_s.iter().map(|time| of(*time)).collect::<Vec<f64>>();
    let current = |time: f64| cell.read_current_a(cell.node_v(node_v, time), cell.shift_v(time));
    let table = Table::new()
        .with_float("time_s", input.time_s.clone())
        .with_float("node_v", column(&|time| cell.node_v(node_v, time)))
        .with_float("threshold_shift_v", column(&|time| cell.shift_v(time)))
        .with_float("current_a", column(&current))
        .with_float("weight_error", column(&|time| current(time) / start - 1.0));
    (request.progress)(1.0);
    Ok(Solution::new(table)
        .with("leak_a", cell.leak_a())
        .with("retention_s", cell.retention_s(change_v))
        .with("refresh_s", cell.refresh_s(node_v, error))
        .with("sensitivity_per_v", cell.sensitivity_per_v(node_v)))
}
