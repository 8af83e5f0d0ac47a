//! Time of one full history of a SONOS cell: program, erase, retain and irradiate on a charge profile.
#![allow(clippy::print_stdout)]

use mho_physics::materials::Materials;
use mho_physics::solver::{Datum, Request, SolverError, find};
use std::time::Instant;

/// What one history may take in s.
const BUDGET_S: f64 = 0.050;

fn main() -> Result<(), SolverError> {
    let materials = Materials::built_in()?;
    let Some(solver) = find("sonos-lifetime") else {
        return Err(SolverError::Failed("no solver sonos-lifetime".to_owned()));
    };
    let request = Request {
        text: solver.example,
        file: solver.name,
        frequency_hz: None,
        profiles: true,
        seed: 1,
        materials: &materials,
        progress: &|_| {},
    };
    let count = 20;
    let start = Instant::now();
    let mut last = None;
    for _ in 0..count {
        last = Some((solver.solve)(&request)?);
    }
    let each_s = start.elapsed().as_secs_f64() / f64::from(count);
    if let Some(solution) = last {
        for (name, datum) in &solution.metadata {
            if let Datum::Number(value) = datum {
                println!("{name} = {value:.4e}");
            }
        }
    }
    println!("one history: {:.2} ms, {:.2} of the budget of 50 ms", 1e3 * each_s, each_s / BUDGET_S);
    Ok(())
}
