//! Synthetic measurements: cells of a law, programmed to targets and read several times.

use super::{Cell, Population};
use mho_data::measurement::{Kind, Measurement, Sidecar};
use mho_data::provenance::Origin;
use mho_data::table::Table;

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Draw {
    /// Targets, uS.
    pub targets_us: Vec<f64>,
    /// Cells of each target.
    pub cells: usize,
    /// Times after programming, s.
    pub times_s: Vec<f64>,
    /// Reads of each cell at each time.
    pub reads: usize,
    /// Read voltage, V.
    pub read_v: f64,
    /// Seed.
    pub seed: u64,
}

/// Draws a measurement of states against time: a device for every cell, `state` as a fraction of the current of
/// the largest conductance, no dose. Repeated reads are repeated rows.
pub fn draw(name: &str, cell: &dyn Cell, what: &Draw) -> Measurement {
    let [_, max_us] = cell.window_us();
    let max_na = cell.current_na(max_us, what.read_v);
    let [low_us, _] = cell.window_us();
    let targets: Vec<f64> =
        what.targets_us.iter().flat_map(|&target| std::iter::repeat_n(target, what.cells)).collect();
    let population = Population::new(cell, &targets, what.seed);
    let rows = targets.len() * what.times_s.len() * what.reads;
    let mut devices = Vec::with_capacity(rows);
    let mut states = Vec::with_capacity(rows);
    let mut times = Vec::with_capacity(rows);
    let mut currents = Vec::with_capacity(rows);
    for &time_s in &what.times_s {
        let reads: Vec<Vec<f64>> =
            (0..what.reads as u64).map(|read| population.reads_us(time_s, read)).collect();
        for (index, target_us) in targets.iter().enumerate() {
            let programmed_us = target_us.max(low_us).min(max_us);
            for read in &reads {
                devices.push(format!("cell-{index:06}"));
                states.push(cell.current_na(programmed_us, what.read_v) / max_na);
                times.push(time_s);
                currents.push(cell.current_na(read[index], what.read_v));
            }
        }
    }
    let preamble = vec![
        format!("model: {name}"),
        "origin: synthetic data".into(),
        format!("read_v: {}", what.read_v),
        format!("current_max_na: {max_na}"),
        format!("seed: {}", what.seed),
    ];
    let mut table = Table::new()
        .with_text("device", devices)
        .with_float("state", states)
        .with_float("dose_krad_si", vec![0.0; rows])
        .with_float("time_s", times)
        .with_float("current_na", currents);
    table.comments.clone_from(&preamble);
    Measurement {
        table,
        sidecar: Sidecar {
            schema: 1,
            kind: Kind::StateCurrent,
            origin: Origin::Synthetic,
            dropped: Vec::new(),
            incomplete: Vec::new(),
            assumptions: Vec::new(),
            notes: vec!["drawn from a law by a generator, not measured".into()],
            preamble,
            raw: Vec::new(),
        },
        places: Vec::new(),
    }
}
