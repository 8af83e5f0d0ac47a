//! The cell without a filament (bulk ReRAM): its conductance follows the charge of ions moved, linearly.
//!
//! A pulse moves ions by thermally assisted drift, at a rate f exp(-E_a/kT) sinh(V/V_0) with E_a about 1 eV
//! (assumed); the conductance moves by the same step wherever it is, between two limits. Many ions make it
//! regular: the relative noise of a step is 1/sqrt(N), N ions moved.

use crate::constants::thermal_voltage;
use mho_data::random::Stream;

/// Parameters of the cell. The default values are assumed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Law {
    /// Least conductance in S.
    pub conductance_min_s: f64,
    /// Most conductance in S.
    pub conductance_max_s: f64,
    /// Ions that move between the limits.
    pub ions: f64,
    /// Attempt frequency in Hz.
    pub attempt_hz: f64,
    /// Activation energy of drift in eV.
    pub activation_ev: f64,
    /// Voltage in V over which drift grows.
    pub voltage_scale_v: f64,
    /// Temperature in K.
    pub temperature_k: f64,
}

impl Default for Law {
    fn default() -> Self {
        Self {
            conductance_min_s: 1e-6,
            conductance_max_s: 1e-5,
            ions: 1e6,
            attempt_hz: 1e13,
            activation_ev: 1.0,
            voltage_scale_v: 0.3,
            temperature_k: 300.0,
        }
    }
}

impl Law {
    /// Ions that a pulse moves on average; the sign is that of the voltage.
    #[must_use]
    pub fn ions_moved(&self, voltage_v: f64, duration_s: f64) -> f64 {
        let rate = self.attempt_hz * (-self.activation_ev / thermal_voltage(self.temperature_k)).exp();
        self.ions * rate * duration_s * (voltage_v / self.voltage_scale_v).sinh()
    }
}

/// A cell on its way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// Its law.
    pub law: Law,
    /// Conductance in S.
    pub conductance_s: f64,
    /// How often a limit cut a pulse.
    pub clamped: usize,
}

impl Cell {
    /// Applies one pulse; with a stream, its `index`-th normal draw is the noise.
    pub fn pulse(&mut self, voltage_v: f64, duration_s: f64, noise: Option<(&Stream, u64)>) {
        let mean = self.law.ions_moved(voltage_v, duration_s);
        let spread = noise.map_or(0.0, |(stream, index)| mean.abs().sqrt() * stream.normal(index));
        let window = self.law.conductance_max_s - self.law.conductance_min_s;
        let wanted = self.conductance_s + window * (mean + spread) / self.law.ions;
        self.conductance_s = wanted.clamp(self.law.conductance_min_s, self.law.conductance_max_s);
        self.clamped += usize::from(self.conductance_s != wanted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_equal_activated_and_noisy_as_one_over_root_n() {
        let law = Law { temperature_k: 400.0, ..Law::default() };
        let mut cell = Cell { law, conductance_s: 2e-6, clamped: 0 };
        let mut values = vec![cell.conductance_s];
        for _ in 0..3 {
            cell.pulse(1.0, 1e-3, None);
            values.push(cell.conductance_s);
        }
        let steps: Vec<f64> = values.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(steps[0] > 0.0 && (steps[2] / steps[0] - 1.0).abs() < 1e-9, "{steps:?}");
        let cold = Law { temperature_k: 300.0, ..law };
        let ratio = law.ions_moved(1.0, 1e-3) / cold.ions_moved(1.0, 1e-3);
        let expected = (1.0 / thermal_voltage(300.0) - 1.0 / thermal_voltage(400.0)).exp();
        assert!((ratio / expected - 1.0).abs() < 1e-9);
        assert_eq!(law.ions_moved(0.0, 1.0), 0.0);
        let stream = Stream::new(1, &["bulk"], &[]);
        let mean = law.ions_moved(1.0, 1e-3);
        let window = law.conductance_max_s - law.conductance_min_s;
        let draws: Vec<f64> = (0..4000)
            .map(|index| {
                let mut cell = Cell { law, conductance_s: 5e-6, clamped: 0 };
                cell.pulse(1.0, 1e-3, Some((&stream, index)));
                (cell.conductance_s - 5e-6) / window * law.ions / mean - 1.0
            })
            .collect();
        let spread = (draws.iter().map(|draw| draw * draw).sum::<f64>() / 4000.0).sqrt();
        // 4000 draws: 1.1 %.
        assert!((spread * mean.sqrt() - 1.0).abs() < 0.05, "{spread} {mean}");
    }
}
