//! Drift from a table: mean and spread of the exponent at listed conductances.

use super::drift::PowerDrift;
use super::{Cell, Evolution, Exponent, Programmed};
use mho_data::InputError;
use mho_data::table::Table;

/// A cell whose drift exponents stand in a table, linear between its rows and held beyond them; programming and
/// read noise are those of another cell.
pub struct CustomDrift<C> {
    base: C,
    rows: Vec<[f64; 3]>,
    drift: PowerDrift,
}

impl<C: Cell> CustomDrift<C> {
    /// From the columns `conductance_us`, `nu_mean` and `nu_std` of `table`; `t_0_s` is the time of the first read.
    ///
    /// # Errors
    /// [`InputError`] naming `file` when a column is missing, a value is not finite, a spread is negative,
    /// conductances do not rise, or there is no row; or when `t_0_s` is not above 0.
    pub fn new(base: C, table: &Table, t_0_s: f64, file: &str) -> Result<Self, InputError> {
        let column = |name: &str| {
            table
                .floats(name)
                .map_err(|error| InputError::new(file, error.to_string(), format!("a column `{name}`")))
        };
        let (g, mean, std) = (column("conductance_us")?, column("nu_mean")?, column("nu_std")?);
        let wrong = |row: usize, found: String, expected: &str| {
            // The header is the first line of the file, after its comments.
            InputError::new(file, found, expected).at_line(row + 2 + table.comments.len())
        };
        let mut rows: Vec<[f64; 3]> = Vec::new();
        for row in 0..table.len() {
            let values = [g[row], mean[row], std[row]];
            if !values.iter().all(|value| value.is_finite()) {
                return Err(wrong(row, format!("{values:?}"), "three finite numbers"));
            }
            if std[row] < 0.0 {
                return Err(wrong(row, format!("nu_std = {}", std[row]), "a spread of 0 or more"));
            }
            if rows.last().is_some_and(|last| g[row] <= last[0]) {
                return Err(wrong(row, format!("conductance_us = {}", g[row]), "conductances that rise"));
            }
            rows.push(values);
        }
        if rows.is_empty() {
            return Err(InputError::new(file, "no rows", "at least one conductance with its exponent"));
        }
        if !(t_0_s > 0.0 && t_0_s.is_finite()) {
            return Err(InputError::new(file, format!("t_0_s = {t_0_s}"), "a time above 0 s"));
        }
        Ok(Self { base, rows, drift: PowerDrift { t_0_s, read_time_s: 250e-9 } })
    }
}

impl<C: Cell> Cell for CustomDrift<C> {
    fn window_us(&self) -> [f64; 2] {
        self.base.window_us()
    }

    fn programmed(&self, target_us: f64) -> Programmed {
        self.base.programmed(target_us)
    }

    fn exponent(&self, target_us: f64) -> Exponent {
        let above = self.rows.partition_point(|row| row[0] <= target_us);
        let row = match (above.checked_sub(1).map(|i| self.rows[i]), self.rows.get(above)) {
            (Some(low), Some(high)) => {
                let part = (target_us - low[0]) / (high[0] - low[0]);
                std::array::from_fn(|i| low[i] + (high[i] - low[i]) * part)
            }
            (Some(held), None) => held,
            (None, first) => first.copied().unwrap_or_default(),
        };
        Exponent { mean: row[1], std: row[2], folded: true }
    }

    fn evolution(&self, _target_us: f64, exponent: f64, time_s: f64) -> Evolution {
        Evolution { gain: self.drift.kept(exponent, time_s), ..Evolution::NONE }
    }

    fn read_sigma_us(&self, now_us: f64, programmed_us: f64, time_s: f64) -> f64 {
        self.base.read_sigma_us(now_us, programmed_us, time_s)
    }

    fn current_na(&self, conductance_us: f64, read_v: f64) -> f64 {
        self.base.current_na(conductance_us, read_v)
    }
}
