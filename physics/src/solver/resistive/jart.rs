//! `jart`: the HfO2 vacancy cell under a voltage over time.

use super::super::input::Document;
use super::super::{Request, Solution, Solver, SolverError, Stopped};
use super::drive::{SegmentInput, SweepInput, drive};
use crate::resistive::implicit::Accuracy;
use crate::resistive::jart::{Cell, Law};
use mho_data::Table;
use serde::Deserialize;

pub(super) const SOLVER: Solver = Solver {
    name: "jart",
    title: "HfO2 vacancy cell (JART VCM v1b, deterministic) under pulses and sweeps",
    example: include_str!("../../../../data/files/physics/jart.toml"),
    solve,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    initial_density_1e26_m3: f64,
    #[serde(default = "accuracy")]
    relative_tolerance: f64,
    #[serde(default)]
    segment: Vec<SegmentInput>,
    sweep: Option<SweepInput>,
    /// Parameters of the law in place of the published ones, by their names.
    #[serde(default)]
    law: Law,
}

fn accuracy() -> f64 {
    1e-6
}

/// Temperature in K beyond which a reader is warned: oxide and electrodes would melt.
const MELTING_K: f64 = 3000.0;

fn solve(request: &Request<'_>) -> Result<Solution, SolverError> {
    let document = Document { text: request.text, file: request.file };
    let input: Input = document.parse()?;
    let law = input.law;
    for (name, value) in law.parameters() {
        document.within(&["law".into(), name.into()], value, 1e-300..=1e300, "")?;
    }
    if law.density_min >= law.density_max || law.disc_length_m >= law.length_m {
        let expected = "density_min below density_max, and disc_length_m below length_m";
        return Err(document.refuse(&["law".into()], "a law that leaves no room", expected).into());
    }
    let bounds = law.density_min * 1e-26..=law.density_max * 1e-26;
    let density = document.within(
        &["initial_density_1e26_m3".into()],
        input.initial_density_1e26_m3,
        bounds,
        "1e26/m³",
    )? * 1e26;
    let relative =
        document.within(&["relative_tolerance".into()], input.relative_tolerance, 1e-9..=1e-2, "")?;
    let accuracy = Accuracy { relative, ..Accuracy::default() };
    let samples = drive(&document, &input.segment, input.sweep.as_ref())?;
    let mut cell = Cell::new(law, density);
    let mut columns: [Vec<f64>; 10] = Default::default();
    let mut stopped = None;
    let (mut hottest, mut barrierless) = (0.0_f64, 0_usize);
    let mut before = samples[0];
    for (index, &sample) in samples.iter().enumerate() {
        let duration = sample.time_s - before.time_s;
        if let Err(stalled) = cell.apply(before.voltage_v, sample.voltage_v, duration, accuracy) {
            stopped = Some(Stopped {
                at: format!("time {:e} s", before.time_s + stalled.time),
                residuals: stalled.residuals,
            });
            break;
        }
        let point = law.operating_point(sample.voltage_v, cell.density);
        hottest = hottest.max(point.temperature_k);
        barrierless += usize::from(point.barrier_gone);
        let row = [
            sample.time_s,
            sample.voltage_v,
            point.current_a,
            cell.density,
            point.temperature_k,
            point.schottky_v,
            point.disc_v,
            point.plug_v,
            point.series_v,
            point.ion_current_a,
        ];
        columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
        before = sample;
        (request.progress)((index + 1) as f64 / samples.len() as f64);
    }
    let names = [
        "time_s",
        "voltage_v",
        "current_a",
        "disc_density_per_m3",
        "temperature_k",
        "schottky_v",
        "disc_v",
        "plug_v",
        "series_v",
        "ion_current_a",
    ];
    let table = names
        .into_iter()
        .zip(columns)
        .fold(Table::new(), |table, (name, column)| table.with_float(name, column));
    let mut solution = Solution::new(table)
        .with("final_disc_density_per_m3", cell.density)
        .with("temperature_max_k", hottest)
        .with("energy_j", cell.energy_j)
        .with("ion_charge_residual_relative", cell.charge_residual(density))
        .with("steps", cell.steps as f64);
    solution.stopped = stopped;
    if hottest > MELTING_K {
        solution.notes.push(format!(
            "the temperature reaches {hottest:.0} K: outside what the law was fitted to, limit the voltage"
        ));
    }
    if barrierless > 0 {
        solution.notes.push(format!(
            "at {barrierless} points the field would take the whole hopping barrier; held at 0"
        ));
    }
    Ok(solution)
}
