//! `strachan`: a TaOx memristor under a voltage over time.

use super::super::input::Document;
use super::super::{Request, Solution, Solver, SolverError, Stopped};
use super::drive::{SegmentInput, SweepInput, drive};
use crate::resistive::strachan::{Law, Memristor};
use mho_data::Table;
use serde::Deserialize;

pub(super) const SOLVER: Solver = Solver {
    name: "strachan",
    title: "TaOx memristor (Strachan 2013) under pulses and sweeps",
    example: include_str!("../../../../data/files/physics/strachan.toml"),
    solve,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    initial_state: f64,
    #[serde(default = "one")]
    area_factor: f64,
    #[serde(default)]
    segment: Vec<SegmentInput>,
    sweep: Option<SweepInput>,
    /// Parameters of the law in place of the published ones, by their names.
    #[serde(default)]
    law: Law,
}

fn one() -> f64 {
    1.0
}

fn solve(request: &Request<'_>) -> Result<Solution, SolverError> {
    let document = Document { text: request.text, file: request.file };
    let input: Input = document.parse()?;
    document.within(&["initial_state".into()], input.initial_state, 0.0..=1.0, "")?;
    let factor = document.within(&["area_factor".into()], input.area_factor, 1e-9..=1e6, "")?;
    let samples = drive(&document, &input.segment, input.sweep.as_ref())?;
    let law = input.law;
    for (name, value) in law.parameters() {
        document.within(&["law".into(), name.into()], value, 1e-300..=1e300, "")?;
    }
    let mut cell = Memristor::new(law, input.initial_state);
    let mut columns: [Vec<f64>; 6] = Default::default();
    let mut stopped = None;
    let mut before = samples[0];
    for (index, &sample) in samples.iter().enumerate() {
        let duration = sample.time_s - before.time_s;
        if let Err(stiff) = cell.apply(before.voltage_v, sample.voltage_v, duration) {
            stopped = Some(Stopped {
                at: format!("time {:e} s: {stiff}", before.time_s + stiff.done * duration),
                residuals: Vec::new(),
            });
            break;
        }
        let voltage = sample.voltage_v;
        let row = [
            sample.time_s,
            voltage,
            factor * cell.law.current(voltage, cell.state),
            cell.state,
            factor * cell.law.conductance(voltage, cell.state),
            factor * cell.energy_j,
        ];
        columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
        before = sample;
        (request.progress)((index + 1) as f64 / samples.len() as f64);
    }
    let names = ["time_s", "voltage_v", "current_a", "state", "conductance_s", "energy_j"];
    let table = names
        .into_iter()
        .zip(columns)
        .fold(Table::new(), |table, (name, column)| table.with_float(name, column));
    let mut solution = Solution::new(table)
        .with("final_state", cell.state)
        .with("energy_j", factor * cell.energy_j)
        .with("clamped", cell.clamped as f64);
    solution.stopped = stopped;
    if cell.clamped > 0 {
        solution.notes.push(format!(
            "the state met 0 or 1 and was held there {} times: the law has no limit of its own",
            cell.clamped
        ));
    }
    Ok(solution)
}
