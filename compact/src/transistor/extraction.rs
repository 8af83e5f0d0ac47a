//! Figures read off a transistor's gate sweeps without its law.

use super::readings::Readings;
use crate::extract;
use serde::Serialize;

/// Current at which a threshold is read, A, of W / L = 1 (design notes H).
const THRESHOLD_A: f64 = 1e-7;

/// What one gate sweep shows; what it does not show is absent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Extracted {
    /// Biases of the sweep.
    pub sweep: String,
    /// Threshold at 100 nA times W / L, V (100 nA where W and L are not known).
    pub constant_current_v: Option<f64>,
    /// Threshold by extrapolation from the largest transconductance, V; of the smallest drain voltage only.
    pub largest_transconductance_v: Option<f64>,
    /// Threshold by the Y-function, V; of the smallest drain voltage only.
    pub y_function_v: Option<f64>,
    /// Subthreshold swing, V per decade.
    pub swing_v: Option<f64>,
    /// Largest transconductance, A/V.
    pub transconductance_s: Option<f64>,
}

/// Reads the figures of every gate sweep; none of drain sweeps. Voltages are those of the device's own polarity.
pub fn extracted(readings: &Readings) -> Vec<Extracted> {
    if !readings.gate_swept {
        return Vec::new();
    }
    let sign = readings.polarity;
    let ratio = readings.geometry.map_or(1.0, |[width, length, many]| many * width / length);
    let drop = |row: usize| {
        readings.all.get(row).map_or(f64::NAN, |reading| sign * (reading.at.drain_v - reading.at.source_v))
    };
    let least = (0..readings.all.len()).map(drop).fold(f64::INFINITY, f64::min);
    let mut start = 0;
    readings
        .device
        .series
        .iter()
        .map(|series| {
            let drain_v = drop(start);
            start += series.y.len();
            let gate_v: Vec<f64> = series.x.iter().map(|gate| sign * gate).collect();
            let linear = (drain_v <= least + 1e-6).then_some(());
            Extracted {
                sweep: series.label.clone(),
                constant_current_v: extract::constant_current_threshold_v(
                    &gate_v,
                    &series.y,
                    THRESHOLD_A * ratio,
                ),
                largest_transconductance_v: linear.and_then(|()| {
                    extract::largest_transconductance_threshold_v(&gate_v, &series.y, drain_v)
                }),
                y_function_v: linear
                    .and_then(|()| extract::y_function_threshold_v(&gate_v, &series.y, drain_v)),
                swing_v: extract::subthreshold_swing_v(&gate_v, &series.y, readings.floor_a),
                transconductance_s: extract::transconductance(&gate_v, &series.y)
                    .into_iter()
                    .map(|(_, slope)| slope)
                    .reduce(f64::max),
            }
        })
        .collect()
}
