//! `filament`: drift, diffusion and heat of vacancies under a voltage over time.

use super::super::input::Document;
use super::super::{Request, Solution, Solver, SolverError, Stopped};
use super::drive::{SegmentInput, SweepInput, drive};
use crate::resistive::filament::{Device, Law};
use crate::resistive::implicit::Accuracy;
use mho_data::Table;
use serde::Deserialize;

pub(super) const SOLVER: Solver = Solver {
    name: "filament",
    title: "vacancy filament: drift, diffusion, current and heat along its axis",
    example: include_str!("../../../../data/files/physics/filament.toml"),
    solve,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    length_nm: f64,
    radius_nm: f64,
    #[serde(default = "cells")]
    cells: usize,
    hop_barrier_ev: f64,
    series_ohm: f64,
    density_per_m3: f64,
    gap_density_per_m3: f64,
    gap_from: f64,
    gap_to: f64,
    #[serde(default = "accuracy")]
    relative_tolerance: f64,
    #[serde(default)]
    segment: Vec<SegmentInput>,
    sweep: Option<SweepInput>,
}

fn cells() -> usize {
    30
}

fn accuracy() -> f64 {
    1e-3
}

fn solve(request: &Request<'_>) -> Result<Solution, SolverError> {
    let document = Document { text: request.text, file: request.file };
    let input: Input = document.parse()?;
    let check = |key: &str, value: f64, range, unit: &str| document.within(&[key.into()], value, range, unit);
    let base = Law::default();
    check("cells", input.cells as f64, 4.0..=400.0, "")?;
    let law = Law {
        length_m: check("length_nm", input.length_nm, 1.0..=1000.0, "nm")? * 1e-9,
        radius_m: check("radius_nm", input.radius_nm, 0.5..=1000.0, "nm")? * 1e-9,
        cells: input.cells,
        hop_barrier_ev: check("hop_barrier_ev", input.hop_barrier_ev, 0.2..=3.0, "eV")?,
        series_ohm: check("series_ohm", input.series_ohm, 0.0..=1e12, "ohm")?,
        ..base
    };
    let most = 0.99 * law.density_max;
    let density = check("density_per_m3", input.density_per_m3, 1e20..=most, "1/m³")?;
    let gap = check("gap_density_per_m3", input.gap_density_per_m3, 1e20..=most, "1/m³")?;
    let from = check("gap_from", input.gap_from, 0.0..=1.0, "")?;
    let to = check("gap_to", input.gap_to, from..=1.0, "")?;
    let relative = check("relative_tolerance", input.relative_tolerance, 1e-7..=1e-2, "")?;
    let accuracy = Accuracy { relative, ..Accuracy::default() };
    let samples = drive(&document, &input.segment, input.sweep.as_ref())?;
    let start: Vec<f64> = (0..=law.cells)
        .map(|node| if (from..to).contains(&(node as f64 / law.cells as f64)) { gap } else { density })
        .collect();
    let mut device = Device::new(law, &start);
    let vacancies = device.vacancies();
    let mut columns: [Vec<f64>; 5] = Default::default();
    let mut profile: [Vec<f64>; 5] = Default::default();
    let mut stopped = None;
    let mut before = samples[0];
    for (index, &sample) in samples.iter().enumerate() {
        let jump = index == 0 || sample.time_s == before.time_s;
        let from_v = if jump { sample.voltage_v } else { before.voltage_v };
        let duration = sample.time_s - before.time_s;
        if let Err(stalled) = device.apply(from_v, sample.voltage_v, duration, accuracy) {
            stopped = Some(Stopped {
                at: format!("time {:e} s", before.time_s + stalled.time),
                residuals: stalled.residuals,
            });
            break;
        }
        let temperatures = device.temperatures();
        let hottest = temperatures.iter().copied().fold(0.0, f64::max);
        let row = [sample.time_s, sample.voltage_v, device.current(), device.resistance(), hottest];
        columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
        if request.profiles {
            let nodes = device.places().into_iter().zip(device.densities()).zip(temperatures);
            for (((place, density), temperature), potential) in nodes.zip(device.potentials()) {
                let row = [sample.time_s, place, density, temperature, potential];
                profile.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
            }
        }
        before = sample;
        (request.progress)((index + 1) as f64 / samples.len() as f64);
    }
    let build = |names: [&str; 5], columns: [Vec<f64>; 5]| {
        names
            .into_iter()
            .zip(columns)
            .fold(Table::new(), |table, (name, column)| table.with_float(name, column))
    };
    let hottest = columns[4].iter().copied().fold(0.0, f64::max);
    let names = ["time_s", "voltage_v", "current_a", "resistance_ohm", "temperature_k"];
    let totals = *device.totals();
    let mut solution = Solution::new(build(names, columns))
        .with("temperature_max_k", hottest)
        .with("vacancies_change_relative", device.vacancies() / vacancies - 1.0)
        .with("energy_supplied_j", totals.supplied_j)
        .with("energy_residual_j", totals.residual_j())
        .with("steps", totals.steps as f64);
    solution.stopped = stopped;
    if request.profiles {
        let names = ["time_s", "position_m", "density_per_m3", "temperature_k", "potential_v"];
        solution.profiles = Some(build(names, profile));
    }
    Ok(solution)
}
