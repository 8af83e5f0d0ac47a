//! Start values of a transistor's fit, read off its curves, and what its readings cannot tell.

use super::info::INFO;
use super::law::{Terminals, Transistor};
use super::readings::{Reading, Readings};
use crate::extract;
use crate::fit::Fixed;

/// Part of the series resistance at the source, at the start: few know how their device was wired.
const SOURCE_PART: f64 = 0.7;

/// Current per unit of W / L at which the threshold is read for a start, A.
const THRESHOLD_PART: f64 = 2e-3;

/// Start values in the order of [`INFO`], and the scales that bounds come from.
pub(super) struct Start {
    /// Values of all parameters.
    pub values: Vec<f64>,
    /// Smallest ratio of voltage and current, ohm.
    least_ohm: f64,
}

impl Start {
    pub fn of(readings: &Readings, resistance_part: f64) -> Self {
        let mut values = INFO.defaults();
        let sign = readings.polarity;
        let drop = |reading: &Reading| sign * (reading.at.drain_v - reading.at.source_v);
        let current = |reading: &Reading| sign * reading.drain_a;
        let least_ohm = readings
            .all
            .iter()
            .filter(|reading| current(reading) > 10.0 * readings.floor_a && drop(reading) > 0.0)
            .map(|reading| drop(reading) / current(reading))
            .fold(f64::INFINITY, f64::min);
        let least_ohm = if least_ohm.is_finite() { least_ohm } else { 1e6 };
        let mut set = |name: &str, value: f64| {
            if let Some(index) = INFO.parameters.iter().position(|info| info.name == name) {
                values[index] = value;
            }
        };
        set("polarity", sign);
        set("reference_temperature_k", reference_temperature_k(&readings.all));
        if let Some(vt_v) = threshold_v(readings) {
            set("vt_v", vt_v);
        }
        set("leakage_s", 1e-6 / least_ohm);
        set("source_ohm", SOURCE_PART * resistance_part * least_ohm);
        set("drain_ohm", (1.0 - SOURCE_PART) * resistance_part * least_ohm);
        // The gain that gives the largest current; twice, for the resistances.
        let beta = INFO.parameters.iter().position(|info| info.name == "beta_a_per_v2");
        let top = readings.all.iter().max_by(|a, b| current(a).total_cmp(&current(b)));
        if let (Some(beta), Some(top)) = (beta, top) {
            for _ in 0..3 {
                let law = Transistor::from_values(&values, top.temperature_k);
                let found = sign * law.current_a(top.at);
                if found > 0.0 && current(top) > 0.0 {
                    values[beta] = (values[beta] * current(top) / found).clamp(1e-9, 1e3);
                }
            }
        }
        Self { values, least_ohm }
    }

    /// What the readings cannot tell, with the reason.
    pub fn fixed(&self, readings: &Readings, body_effect: bool) -> Vec<Fixed> {
        let sign = readings.polarity;
        let body = readings.values(|reading| sign * (reading.at.source_v - reading.at.body_v));
        let drain = readings.values(|reading| sign * (reading.at.drain_v - reading.at.source_v));
        let temperatures = readings.values(|reading| reading.temperature_k);
        let mut names: Vec<(&'static str, &'static str)> = vec![
            ("phi_v", "no fit tells it from the body effect"),
            ("polarity", "sign of the measured current"),
            ("reference_temperature_k", "temperature of the measurement"),
        ];
        if body.len() < 2 {
            let why = "one body voltage only";
            if !body_effect {
                names.push(("gamma_sqrt_v", why));
            }
            names.extend([("body_linear", why), ("dibl_body_per_v", why)]);
        }
        if drain.len() < 2 {
            let why = "one drain voltage only";
            names.extend([("dibl", why), ("dibl_body_per_v", why), ("shortening", why), ("drain_ohm", why)]);
        }
        if temperatures.len() < 2 {
            let why = "one temperature only";
            names.extend([("vt_slope_v_per_k", why), ("mobility_exponent", why)]);
        }
        let mut fixed: Vec<Fixed> = Vec::new();
        for (name, why) in names {
            let index = INFO.parameters.iter().position(|info| info.name == name);
            if let Some(index) = index
                && fixed.iter().all(|other| other.name != name)
            {
                fixed.push(Fixed { name, value: self.values[index], why: why.into() });
            }
        }
        fixed
    }

    /// Bounds of a parameter: those of the law, narrowed where the readings give a scale.
    pub fn bounds(&self, name: &str, law: [f64; 2]) -> [f64; 2] {
        match name {
            "source_ohm" | "drain_ohm" => [0.0, 1.2 * self.least_ohm],
            "leakage_s" => [1e-9 / self.least_ohm, 0.01 / self.least_ohm],
            _ => law,
        }
    }
}

/// Mean temperature, K.
fn reference_temperature_k(readings: &[Reading]) -> f64 {
    readings.iter().map(|reading| reading.temperature_k).sum::<f64>() / readings.len().max(1) as f64
}

/// Where the current of the smallest body voltage and the largest drain voltage rises through a small part of
/// its largest value.
fn threshold_v(readings: &Readings) -> Option<f64> {
    let sign = readings.polarity;
    let body = |at: &Terminals| sign * (at.source_v - at.body_v);
    let least = readings.all.iter().map(|reading| body(&reading.at).abs()).fold(f64::INFINITY, f64::min);
    let near = || readings.all.iter().filter(|reading| body(&reading.at).abs() <= least + 1e-3);
    let drain = |reading: &Reading| sign * (reading.at.drain_v - reading.at.source_v);
    let largest = near().map(drain).fold(0.0, f64::max);
    let (gate_v, drain_a): (Vec<f64>, Vec<f64>) = near()
        .filter(|reading| drain(reading) > 0.99 * largest)
        .map(|reading| (sign * (reading.at.gate_v - reading.at.source_v), sign * reading.drain_a))
        .unzip();
    let top = drain_a.iter().copied().fold(0.0, f64::max);
    extract::constant_current_threshold_v(&gate_v, &drain_a, THRESHOLD_PART * top)
}
