//! `bulk-reram`: the cell without a filament under a train of pulses.

use super::super::input::Document;
use super::super::{Request, Solution, Solver, SolverError};
use crate::resistive::bulk::{Cell, Law};
use mho_data::Table;
use mho_data::random::Stream;
use serde::Deserialize;

pub(super) const SOLVER: Solver = Solver {
    name: "bulk-reram",
    title: "ReRAM without a filament: linear update by pulses",
    example: include_str!("../../../../data/files/physics/bulk-reram.toml"),
    solve,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    initial_conductance_us: f64,
    temperature_k: f64,
    activation_ev: f64,
    ions: f64,
    #[serde(default)]
    noise: bool,
    pulses: Vec<PulseInput>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PulseInput {
    v: f64,
    duration_s: f64,
    count: usize,
}

fn solve(request: &Request<'_>) -> Result<Solution, SolverError> {
    let document = Document { text: request.text, file: request.file };
    let input: Input = document.parse()?;
    let check = |key: &str, value: f64, range, unit: &str| document.within(&[key.into()], value, range, unit);
    let base = Law::default();
    let law = Law {
        temperature_k: check("temperature_k", input.temperature_k, 50.0..=2000.0, "K")?,
        activation_ev: check("activation_ev", input.activation_ev, 0.1..=3.0, "eV")?,
        ions: check("ions", input.ions, 1.0..=1e15, "")?,
        ..base
    };
    let limits = law.conductance_min_s * 1e6..=law.conductance_max_s * 1e6;
    let start = check("initial_conductance_us", input.initial_conductance_us, limits, "uS")? * 1e-6;
    for (index, pulse) in input.pulses.iter().enumerate() {
        let check = |key: &str, value: f64, range, unit: &str| {
            document.within(&["pulses".into(), index.into(), key.into()], value, range, unit)
        };
        check("v", pulse.v, -10.0..=10.0, "V")?;
        check("duration_s", pulse.duration_s, 1e-15..=1e6, "s")?;
        check("count", pulse.count as f64, 1.0..=10_000.0, "")?;
    }
    if input.pulses.len() > 100 {
        let found = format!("{} trains", input.pulses.len());
        return Err(document.refuse(&["pulses".into()], found, "at most 100").into());
    }
    let stream = Stream::new(request.seed, &["physics", "bulk-reram"], &[]);
    let mut cell = Cell { law, conductance_s: start, clamped: 0 };
    let mut columns = [vec![0.0], vec![0.0], vec![0.0], vec![start]];
    let (mut number, mut time) = (0_u64, 0.0);
    for train in &input.pulses {
        for _ in 0..train.count {
            cell.pulse(train.v, train.duration_s, input.noise.then_some((&stream, number)));
            number += 1;
            time += train.duration_s;
            let row = [number as f64, time, train.v, cell.conductance_s];
            columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
        }
    }
    let names = ["pulse", "time_s", "voltage_v", "conductance_s"];
    let table = names
        .into_iter()
        .zip(columns)
        .fold(Table::new(), |table, (name, column)| table.with_float(name, column));
    let mut solution = Solution::new(table)
        .with("final_conductance_s", cell.conductance_s)
        .with("clamped", cell.clamped as f64);
    if cell.clamped > 0 {
        solution.notes.push(format!("{} pulses met a limit of the conductance", cell.clamped));
    }
    Ok(solution)
}
