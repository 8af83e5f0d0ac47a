//! Device tables from these laws.

use super::{Cell, Distribution};
use mho_data::provenance::Origin;
use mho_lut::{CellSource, CellStatistics, ReadVoltages, SCORES, Share, SourceError, SourceInfo};

/// Levels of an input of eight bits with a sign, above zero.
const LEVELS: f64 = 127.0;

/// A law at a read voltage, as a table is compiled from it. States are fractions of the current of the largest
/// conductance. It has no answer for doses above 0: nothing is known of them.
pub struct TableSource {
    /// Name of the device.
    pub name: String,
    /// Where its numbers come from.
    pub origin: Origin,
    /// The law.
    pub cell: Box<dyn Cell>,
    /// Read voltage, V, above 0.
    pub read_v: f64,
    /// Time at which read noise is taken, s: tables have one read noise for all times.
    pub noise_time_s: f64,
}

impl TableSource {
    /// A law read at `read_v`, with the read noise of a day after programming.
    pub fn new(name: impl Into<String>, origin: Origin, cell: Box<dyn Cell>, read_v: f64) -> Self {
        Self { name: name.into(), origin, cell, read_v, noise_time_s: 86_400.0 }
    }
}

/// Conductance, uS, that carries a current: by halving between 0 and twice the largest where the current is not
/// proportional to it.
pub(super) fn conductance_us(cell: &dyn Cell, current_na: f64, read_v: f64) -> f64 {
    let [_, max_us] = cell.window_us();
    let max_na = cell.current_na(max_us, read_v);
    let straight = max_us * current_na / max_na;
    if (cell.current_na(straight, read_v) - current_na).abs() <= 1e-12 * current_na.abs() {
        return straight;
    }
    let (mut low, mut high) = (0.0, 2.0 * max_us);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if cell.current_na(middle, read_v) < current_na {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

impl CellSource for TableSource {
    fn describe(&self) -> SourceInfo {
        let [min_us, max_us] = self.cell.window_us();
        let mut notes = vec![
            format!(
                "read at {} V; read noise of {} s after programming at all times",
                self.read_v, self.noise_time_s
            ),
            "the law knows no dose: tables of it hold at dose 0 alone".into(),
        ];
        if self.read_v > self.cell.read_max_v() {
            notes.push(format!("currents are known up to {} V alone", self.cell.read_max_v()));
        }
        if min_us > 0.0 {
            notes.push(format!("states below {min_us} uS are programmed to {min_us} uS"));
        }
        SourceInfo {
            name: self.name.clone(),
            origin: self.origin,
            current_max_na: self.cell.current_na(max_us, self.read_v),
            time_max_s: self.cell.time_max_s(),
            dose_max_krad_si: 0.0,
            notes,
        }
    }

    fn read_voltage_v(&self) -> Option<f64> {
        Some(self.read_v)
    }

    /// Of laws whose current is not proportional to the voltage: up to where it is known, from the least that an
    /// input of eight bits applies.
    fn read_voltages(&self) -> Option<ReadVoltages> {
        let high_v = self.cell.read_max_v().max(self.read_v);
        let [_, max_us] = self.cell.window_us();
        let bent = |part: f64| {
            let half = 2.0 * self.cell.current_na(part * max_us, 0.5 * high_v);
            let full = self.cell.current_na(part * max_us, high_v);
            (half - full).abs() > 1e-9 * full.abs()
        };
        let curved = high_v.is_finite() && [0.25, 0.5, 1.0].into_iter().any(bent);
        let low_v = self.read_v / LEVELS;
        curved.then(|| ReadVoltages { terminal: "drain".into(), reference_v: self.read_v, low_v, high_v })
    }

    fn current_at_voltage_na(&self, current_na: f64, read_v: f64) -> f64 {
        let now_us = conductance_us(self.cell.as_ref(), current_na.max(0.0), self.read_v);
        self.cell.current_na(now_us, read_v)
    }

    fn cell(&self, state: f64, time_s: f64, dose_krad_si: f64) -> Result<CellStatistics, SourceError> {
        let wrong = |reason: &str| SourceError { state, time_s, dose_krad_si, reason: reason.into() };
        if ![state, time_s].iter().all(|value| *value >= 0.0 && value.is_finite()) {
            return Err(wrong("state and time must be finite and not negative"));
        }
        if dose_krad_si != 0.0 {
            return Err(wrong("this law knows no dose; compile its table without dose"));
        }
        let [min_us, max_us] = self.cell.window_us();
        let max_na = self.cell.current_na(max_us, self.read_v);
        if !(max_na > 0.0 && max_na.is_finite()) {
            return Err(wrong("the largest conductance carries no current at the read voltage"));
        }
        let asked_us = conductance_us(self.cell.as_ref(), state * max_na, self.read_v);
        let target_us = asked_us.max(min_us).min(max_us);
        let cells = Distribution::new(self.cell.as_ref(), target_us, time_s);
        let quantiles_na = SCORES.map(|score| self.cell.current_na(cells.quantile_us(score), self.read_v));
        // The current is all but straight across a spread: its moments follow by its slope.
        let (mean_us, sigma_us) = (cells.mean_us(), cells.sigma_us());
        let step_us = sigma_us.max(1e-6 * max_us);
        let [below, at, above] = [-1.0, 0.0, 1.0]
            .map(|side| self.cell.current_na((mean_us + side * step_us).max(0.0), self.read_v));
        let bend_na = 0.5 * (above - 2.0 * at + below) * (sigma_us / step_us).powi(2);
        let straight = mean_us >= step_us;
        let mean_na = if straight { at + bend_na } else { at };
        let slope = if straight { (above - below) / (2.0 * step_us) } else { (above - at) / step_us };
        let fixed = Distribution::without_spread(self.cell.as_ref(), target_us, time_s).sigma_us();
        let programming = if sigma_us > 0.0 { (fixed / sigma_us).powi(2).min(1.0) } else { 1.0 };
        if !(mean_na.is_finite() && quantiles_na.iter().all(|quantile| quantile.is_finite())) {
            return Err(wrong("the current is not finite"));
        }
        Ok(CellStatistics {
            mean_na,
            sigma_na: sigma_us * slope,
            quantiles_na,
            share: Share { programming, drift: 1.0 - programming, dose: 0.0 },
            extrapolated: asked_us < self.cell.valid_from_us()
                || asked_us > max_us * (1.0 + 1e-9)
                || self.read_v > self.cell.read_max_v()
                || time_s > self.cell.time_max_s(),
        })
    }

    fn read_noise_na(&self, current_na: f64) -> f64 {
        let now_us = conductance_us(self.cell.as_ref(), current_na.max(0.0), self.read_v);
        let sigma_us = self.cell.read_sigma_us(now_us, now_us, self.noise_time_s);
        let [_, max_us] = self.cell.window_us();
        let step_us = 1e-6 * max_us;
        let slope = (self.cell.current_na(now_us + step_us, self.read_v)
            - self.cell.current_na(now_us, self.read_v))
            / step_us;
        sigma_us * slope
    }
}
