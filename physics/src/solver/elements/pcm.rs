//! `pcm`: statistics of phase-change cells against target and time.

use super::{check, check_list};
use crate::elements::pcm::{Cell, Statistics, compensation, moments, second_noise_us};
use crate::solver::input::Document;
use crate::solver::{Request, Solution, Solver, SolverError};
use mho_data::Table;
use mho_data::random::Stream;
use serde::Deserialize;

pub(super) const SOLVER: Solver = Solver {
    name: "pcm",
    title: "phase-change cells, plain or projected: programming, drift and read noise against time",
    example: include_str!("../../../../data/files/physics/pcm.toml"),
    solve,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    statistics: Statistics,
    max_us: f64,
    #[serde(default)]
    liner_us: f64,
    target_us: Vec<f64>,
    time_s: Vec<f64>,
    #[serde(default)]
    samples: u64,
}

/// Most draws of one run.
const MOST_DRAWS: u64 = 20_000_000;

fn solve(request: &Request<'_>) -> Result<Solution, SolverError> {
    let document = Document { text: request.text, file: request.file };
    let input: Input = document.parse()?;
    check(
        &document,
        &[],
        &[("max_us", input.max_us, 1e-3, 1e6, "uS"), ("liner_us", input.liner_us, 0.0, 1e6, "uS")],
    )?;
    check_list(&document, "target_us", &input.target_us, (0.0, input.max_us), "uS")?;
    check_list(&document, "time_s", &input.time_s, (0.0, 1e12), "s")?;
    let rows = (input.target_us.len() * input.time_s.len()) as u64;
    if rows > 100_000 || input.samples.saturating_mul(rows) > MOST_DRAWS {
        let found = format!("{rows} rows of {} samples", input.samples);
        return Err(document
            .refuse(&["target_us".into()], found, format!("100000 rows and {MOST_DRAWS} draws at most"))
            .into());
    }
    let cell = Cell { statistics: input.statistics, max_us: input.max_us, liner_us: input.liner_us };
    let names = [
        "target_us",
        "time_s",
        "programming_std_us",
        "drift_mean",
        "drift_std",
        "read_noise",
        "mean_us",
        "std_us",
        "sampled_mean_us",
        "sampled_std_us",
    ];
    let mut columns: Vec<Vec<f64>> = vec![Vec::new(); names.len()];
    let mut compensations = Vec::new();
    for (index, &target) in input.target_us.iter().enumerate() {
        let stream = Stream::new(request.seed, &["physics", "pcm"], &[index as u64]);
        let (mean, deviation) = cell.drift(target);
        let start = moments(&cell, target, 0.0);
        for &time in &input.time_s {
            let expected = moments(&cell, target, time);
            let (sampled, spread) = sample(&cell, target, time, input.samples, &stream);
            let row = [
                target,
                time,
                cell.statistics.programming_us(target, cell.max_us),
                mean,
                deviation,
                cell.read_noise(target, time),
                expected.mean_us,
                expected.std_us,
                sampled,
                spread,
            ];
            for (column, value) in columns.iter_mut().zip(row) {
                column.push(value);
            }
            compensations.push(compensation(&[start.mean_us], &[expected.mean_us]));
        }
        (request.progress)((index + 1) as f64 / input.target_us.len() as f64);
    }
    let kept = if input.samples > 1 { names.len() } else { names.len() - 2 };
    let mut table = Table::new();
    for (name, column) in names.iter().zip(columns).take(kept) {
        table.push_float(*name, column);
    }
    table.push_float("compensation", compensations);
    let mut solution = Solution::new(table)
        .with("start_s", cell.statistics.start_s())
        .with("second_noise_at_max_us", second_noise_us(cell.max_us));
    if input.max_us != 25.0 {
        let stretched = input.statistics == Statistics::Nandakumar2019;
        let scale = if stretched { "conductances over the largest" } else { "conductances in uS" };
        solution.notes.push(format!("the fits were made at a largest conductance of 25 uS, in {scale}"));
    }
    if input.liner_us > 0.0 {
        let smallest = input.target_us.iter().copied().fold(f64::INFINITY, f64::min);
        solution = solution.with("window", cell.window(smallest));
        solution.notes.push("conductances are the phase's own, without the liner's beside it".to_owned());
    }
    Ok(solution)
}

/// Mean and standard deviation in µS of `count` draws; zeros when there are fewer than two.
fn sample(cell: &Cell, target: f64, time: f64, count: u64, stream: &Stream) -> (f64, f64) {
    if count < 2 {
        return (0.0, 0.0);
    }
    let (mut mean, mut squares) = (0.0, 0.0);
    for index in 0..count {
        let value = cell.read(&cell.program(target, stream, index), time);
        let change = value - mean;
        mean += change / (index + 1) as f64;
        squares += change * (value - mean);
    }
    (mean, (squares / (count - 1) as f64).sqrt())
}
