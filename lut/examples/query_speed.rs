//! Time of a query: `cargo run --release -p mho-lut --example query_speed`.

use mho_data::provenance::Origin;
use mho_data::random::Stream;
use mho_lut::{
    CellSource, CellStatistics, CompileOptions, OutOfRange, Query, SCORES, Share, SourceError, SourceInfo,
    TableError, compile,
};
use std::hint::black_box;
use std::time::Instant;

/// Relaxation of the current with dose, logarithmic creep with time; every number made up.
struct Made;

impl CellSource for Made {
    fn describe(&self) -> SourceInfo {
        SourceInfo {
            name: "made-up".into(),
            origin: Origin::Synthetic,
            current_max_na: 1600.0,
            time_max_s: 432_000.0,
            dose_max_krad_si: 1000.0,
            notes: Vec::new(),
        }
    }

    fn cell(&self, state: f64, time_s: f64, dose_krad_si: f64) -> Result<CellStatistics, SourceError> {
        let dosed = 600.0 + (1600.0 * state - 600.0) * (-dose_krad_si / 1700.0).exp();
        let mean_na = dosed + (400.0 - dosed) * 0.02 * (1.0 + time_s / 1800.0).log10();
        let sigma_na = 0.03 * mean_na;
        Ok(CellStatistics {
            mean_na,
            sigma_na,
            quantiles_na: SCORES.map(|score| mean_na + sigma_na * score),
            share: Share { programming: 1.0, drift: 0.0, dose: 0.0 },
            extrapolated: false,
        })
    }

    fn read_noise_na(&self, current_na: f64) -> f64 {
        0.01 * current_na
    }
}

fn main() -> Result<(), TableError> {
    let start = Instant::now();
    let table = compile(&Made, &CompileOptions::default())?;
    let nodes = [table.state_axis(), table.time_axis(), table.dose_axis()].map(|axis| axis.nodes().len());
    eprintln!("compiled in {:.1} ms, {nodes:?} nodes", 1e3 * start.elapsed().as_secs_f64());

    let stream = Stream::new(1, &["query-speed"], &[]);
    let points: Vec<Query> = (0..200_000)
        .map(|n| Query {
            state: stream.uniform(3 * n),
            time_s: 432_000.0 * stream.uniform(3 * n + 1),
            dose_krad_si: 1000.0 * stream.uniform(3 * n + 2),
        })
        .collect();
    let per = |start: Instant, count: usize| 1e9 * start.elapsed().as_secs_f64() / count as f64;

    let start = Instant::now();
    black_box(table.query(&points, OutOfRange::Error)?);
    eprintln!("mean and sigma at any point: {:.0} ns", per(start, points.len()));

    let start = Instant::now();
    let slice = table.slice(86_400.0, 100.0)?;
    eprintln!("slice at one time and dose: {:.0} ns", per(start, 1));

    let start = Instant::now();
    let sum: f64 = points.iter().map(|point| slice.current_na(point.state, point.time_s / 1e5 - 2.0)).sum();
    black_box(sum);
    eprintln!("current of a cell from a slice: {:.0} ns", per(start, points.len()));
    Ok(())
}
