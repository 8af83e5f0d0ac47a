//! `pcm`: phase-change memory, closed forms and draws.

use crate::elements::phase_change::{MAXIMUM_S, Projected, Statistics, drifted_s};
use crate::solver::input::Document;
use crate::solver::{Request, Solution, Solver, SolverError};
use mho_data::Table;
use mho_data::random::Stream;
use serde::Deserialize;

pub(super) const SOLVER: Solver = Solver {
    name: "pcm",
    title: "phase-change memory: programming error, drift, read noise, projected cells",
    example: include_str!("../../../../data/files/physics/pcm.toml"),
    solve,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    statistics: String,
    target_us: Vec<f64>,
    time_s: Vec<f64>,
    cells: u32,
    projected: Option<ProjectedInput>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProjectedInput {
    amorphous_us: f64,
    crystalline_us: f64,
    liner_us: f64,
    exponent: f64,
}

fn solve(request: &Request<'_>) -> Result<Solution, SolverError> {
    let document = Document { text: request.text, file: request.file };
    let input: Input = document.parse()?;
    let law = match input.statistics.as_str() {
        "nandakumar-2019" => Statistics::Nandakumar2019,
        "joshi-2020" => Statistics::Joshi2020,
        other => {
            let expected = "\"nandakumar-2019\" or \"joshi-2020\"";
            return Err(document.refuse(&["statistics".into()], format!("\"{other}\""), expected).into());
        }
    };
    for (index, target) in input.target_us.iter().enumerate() {
        document.within(&["target_us".into(), index.into()], *target, 1e-3..=1e6 * MAXIMUM_S, "uS")?;
    }
    for (index, time) in input.time_s.iter().enumerate() {
        document.within(&["time_s".into(), index.into()], *time, 0.0..=1e12, "s")?;
    }
    document.within(&["cells".into()], f64::from(input.cells), 0.0..=1e6, "cells")?;
    let mut columns: [Vec<f64>; 9] = Default::default();
    let mut clipped = 0u64;
    for (place, target) in input.target_us.iter().enumerate() {
        let target_s = 1e-6 * target;
        let stream = Stream::new(request.seed, &["physics", "pcm"], &[place as u64]);
        let sigma = law.programming_sigma_s(target_s);
        let (mean, spread) = law.exponent(target_s);
        // One programmed conductance and one exponent per cell, for all times.
        let cells: Vec<(f64, f64)> = (0..u64::from(input.cells))
            .map(|cell| {
                let programmed = target_s + sigma * stream.normal(2 * cell);
                clipped += u64::from(programmed < 0.0);
                let programmed = programmed.max(0.0);
                let (mean, spread) = law.exponent(programmed);
                (programmed, (mean + spread * stream.normal(2 * cell + 1)).abs())
            })
            .collect();
        for time in &input.time_s {
            let drawn: Vec<f64> =
                cells.iter().map(|(g, nu)| 1e6 * drifted_s(*g, *nu, *time, law.start_s())).collect();
            let (average, deviation) = moments(&drawn);
            let typical = 1e6 * drifted_s(target_s, mean, *time, law.start_s());
            let noise = law.read_noise(target_s, *time);
            let row = [*target, *time, 1e6 * sigma, mean, spread, typical, noise, average, deviation];
            columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
        }
        (request.progress)((place + 1) as f64 / input.target_us.len() as f64);
    }
    finish(&document, &input, columns, clipped)
}

fn finish(
    document: &Document<'_>,
    input: &Input,
    columns: [Vec<f64>; 9],
    clipped: u64,
) -> Result<Solution, SolverError> {
    let names = [
        "target_us",
        "time_s",
        "programming_sigma_us",
        "exponent_mean",
        "exponent_sigma",
        "typical_us",
        "read_noise_relative",
        "drawn_mean_us",
        "drawn_sigma_us",
    ];
    // Without draws there is nothing in the last two.
    let shown = if input.cells > 0 { 9 } else { 7 };
    let table = names
        .into_iter()
        .zip(columns)
        .take(shown)
        .fold(Table::new(), |table, (name, column)| table.with_float(name, column));
    let mut solution = Solution::new(table).with("maximum_us", 1e6 * MAXIMUM_S);
    if clipped > 0 {
        solution.notes.push(format!("{clipped} cells were drawn below zero conductance and set to zero"));
    }
    if let Some(given) = &input.projected {
        let read = |key: &'static str, value: f64, low: f64, high: f64| {
            document.within(&["projected".into(), key.into()], value, low..=high, "")
        };
        let cell = Projected {
            amorphous_s: 1e-6 * read("amorphous_us", given.amorphous_us, 1e-6, 1e4)?,
            crystalline_s: 1e-6 * read("crystalline_us", given.crystalline_us, 1e-6, 1e4)?,
            liner_s: 1e-6 * read("liner_us", given.liner_us, 0.0, 1e4)?,
            exponent: read("exponent", given.exponent, 0.0, 1.0)?,
        };
        solution = solution
            .with("projected_exponent", cell.effective_exponent())
            .with("projected_window", cell.window());
    }
    Ok(solution)
}

/// Mean and standard deviation; zeros for none.
fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    (mean, (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt())
}
