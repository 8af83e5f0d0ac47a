//! Cells of resistive memories, drawn anew for every fit.

use mho_compact::inference::synthetic::Draw;
use mho_compact::inference::{Cell, Distribution, Model};
use mho_data::measurement::Measurement;
use mho_data::random::Stream;
use mho_data::table::Table;

/// Parameters with values that are not their defaults.
type Changes = &'static [(&'static str, f64)];

/// Parameters that are not at their defaults, where those are no effect at all, and what is drawn: targets inside the
/// window and away from the corners of bounded lines, where the linearised law fails.
pub fn plan(model: &Model) -> (Changes, Draw) {
    let window = model.default_cell().window_us();
    let even = |count: usize| -> Vec<f64> {
        (1..=count).map(|i| window[0] + (window[1] - window[0]) * i as f64 / (count + 1) as f64).collect()
    };
    let pcm_us = vec![1.5, 2.5, 3.2, 4.0, 4.7, 15.0, 20.0, 25.0];
    let (changes, targets_us, times_s, reads): (Changes, Vec<f64>, &[f64], usize) = match model.info.name {
        // Eight reads: with the noise of two, as large as the spread of the slopes, the latter is hardly determined.
        "pcm" => (&[], pcm_us, &[0.0, 600.0, 86_400.0, 1e6], 8),
        "pcm-joshi" => (&[], pcm_us, &[0.0], 1),
        "milo" => (&[], (0..8).map(|i| 50.0 + 25.0 * f64::from(i)).collect(), &[0.0], 1),
        // Quartics take more targets than they have terms.
        "wan" => (&[], (0..9).map(|i| 6.0 + 4.25 * f64::from(i)).collect(), &[1.0, 86_400.0, 172_800.0], 1),
        "cmo" => (&[], vec![15.0, 30.0, 45.0, 60.0, 75.0], &[0.0, 10.0, 1e3, 86_400.0], 2),
        // Most of them above the corners, at up to 0.31 of the window, as the polynomials are what is fitted.
        "hermes" | "hermes-one" => (
            &[],
            [0.06, 0.12, 0.2, 0.26, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.93, 1.0]
                .map(|part| window[1] * part)
                .to_vec(),
            &[0.0, 600.0, 86_400.0],
            2,
        ),
        "taox" => (
            &[("error_square", 0.01), ("shift_per_decade", 0.004), ("relax_per_decade", 0.006)],
            vec![20.0, 40.0, 60.0, 80.0, 95.0],
            &[0.0, 10.0, 1e4, 1e6],
            1,
        ),
        "bulk-reram" => {
            (&[("ions", 3e3), ("activation_ev", 1.01)], vec![0.1, 0.3, 0.7, 0.9], &[0.0, 1e5, 1e6, 1e7], 1)
        }
        "generic-proportional" => (&[("error_linear", 0.11)], even(5), &[0.0], 1),
        "state-independent" => {
            (&[("nu_mean", 0.07), ("nu_std", 0.02), ("read_error", 0.002)], even(5), &[0.0, 1e3, 1e5], 2)
        }
        _ => (&[], even(6), &[0.0, 1e3, 1e5], 2),
    };
    (changes, Draw { targets_us, cells: CELLS, times_s: times_s.to_vec(), reads, read_v: 0.2, seed: 0 })
}

/// Cells of each target: four blocks of sixteen.
const CELLS: usize = 64;

/// Moves a part of the cells by 20 standard deviations of programming, of either sign at random and for good; gives
/// their number. Rows stand time after time, in each target after target, cell after cell and read after read, and
/// currents are proportional to conductances.
#[allow(dead_code)]
pub fn spoil(
    measurement: &mut Measurement,
    cell: &dyn Cell,
    what: &Draw,
    stream: &Stream,
    part: f64,
) -> Option<usize> {
    let cells = what.targets_us.len() * what.cells;
    let shift_na = |index: usize| {
        let number = 2 * index as u64;
        if stream.uniform(number) >= part {
            return 0.0;
        }
        let sign = if stream.uniform(number + 1) < 0.5 { -20.0 } else { 20.0 };
        let sigma_us =
            Distribution::new(cell, what.targets_us[index / what.cells], what.times_s[0]).sigma_us();
        sign * cell.current_na(sigma_us, what.read_v)
    };
    let shifts_na: Vec<f64> = (0..cells).map(shift_na).collect();
    let table = &measurement.table;
    let currents_na = table.floats("current_na").ok()?.iter().enumerate();
    let moved = currents_na.map(|(row, current)| current + shifts_na[row / what.reads % cells]).collect();
    let mut spoilt = Table::new().with_text("device", table.texts("device").ok()?.to_vec());
    for column in ["state", "dose_krad_si", "time_s"] {
        spoilt = spoilt.with_float(column, table.floats(column).ok()?.to_vec());
    }
    spoilt = spoilt.with_float("current_na", moved);
    spoilt.comments.clone_from(&table.comments);
    measurement.table = spoilt;
    Some(shifts_na.iter().filter(|shift| **shift != 0.0).count())
}
