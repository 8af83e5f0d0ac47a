//! Synthetic measurements: cells of a law, programmed to targets and read several times.

use super::{Cell, Population};
use mho_data::InputError;
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

/// Rows that a draw may have: some GB of memory.
const MOST_ROWS: usize = 50_000_000;

impl Draw {
    fn check(&self) -> Result<(), InputError> {
        let wrong = |found: String, expected: &str| Err(InputError::new("draw", found, expected));
        for (values, what) in [(&self.targets_us, "targets_us"), (&self.times_s, "times_s")] {
            if let Some(value) = values.iter().find(|value| !(0.0..f64::INFINITY).contains(*value)) {
                return wrong(format!("{what} with {value}"), "finite numbers of 0 or more");
            }
        }
        if !(self.read_v > 0.0 && self.read_v.is_finite()) {
            return wrong(format!("read_v = {}", self.read_v), "a read voltage above 0 V");
        }
        let sizes = [self.targets_us.len(), self.cells, self.times_s.len(), self.reads];
        let rows = sizes.iter().try_fold(1_usize, |product, size| product.checked_mul(*size));
        match rows {
            Some(0) => wrong(format!("{sizes:?}"), "at least one target, cell, time and read"),
            Some(rows) if rows <= MOST_ROWS => Ok(()),
            _ => wrong(format!("{sizes:?} targets, cells, times, reads"), "at most 50 million rows in all"),
        }
    }
}

/// Draws a measurement of states against time: a device for every cell, `state` as a fraction of the current of
/// the largest conductance, no dose. Repeated reads are repeated rows. Targets outside of the law's window are
/// programmed to its ends, and counted in the notes.
///
/// # Errors
/// [`InputError`] for numbers that are not finite or negative, a read voltage of 0, no rows or more than 50 million.
pub fn draw(name: &str, cell: &dyn Cell, what: &Draw) -> Result<Measurement, InputError> {
    what.check()?;
    let [low_us, max_us] = cell.window_us();
    let max_na = cell.current_na(max_us, what.read_v);
    let mut notes = vec!["drawn from a law by a generator, not measured".to_owned()];
    let outside = what.targets_us.iter().filter(|&&target| target < low_us || target > max_us).count();
    if outside > 0 {
        notes.push(format!(
            "{outside} targets outside of {low_us} to {max_us} uS were programmed to the ends"
        ));
    }
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
    Ok(Measurement {
        table,
        sidecar: Sidecar {
            schema: 1,
            kind: Kind::StateCurrent,
            origin: Origin::Synthetic,
            dropped: Vec::new(),
            incomplete: Vec::new(),
            assumptions: Vec::new(),
            notes,
            preamble,
            raw: Vec::new(),
        },
        places: Vec::new(),
    })
}
