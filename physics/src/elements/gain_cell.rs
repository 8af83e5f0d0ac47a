//! The gain cell of two oxide transistors: charge on a storage node drives the gate of a read transistor.
//!
//! dV_s/dt = −(I_off + I_gate)/C_s, with an off-current that rises with temperature and that bias and time
//! shift the read transistor by A (t/τ)^b (bias-temperature instability).

use crate::constants::{BOLTZMANN, ELEMENTARY_CHARGE, thermal_voltage};

/// A cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GainCell {
    /// Storage capacitance in F.
    pub storage_f: f64,
    /// Off-current of the write transistor at 300 K in A.
    pub off_current_a: f64,
    /// Gate leak of the read transistor at 300 K in A.
    pub gate_leak_a: f64,
    /// Activation energy of both in eV.
    pub activation_ev: f64,
    /// Voltage in V at which the leak was measured; it is proportional to the voltage.
    pub leak_voltage_v: f64,
    /// Threshold of the read transistor in V.
    pub threshold_v: f64,
    /// Slope factor of the read transistor.
    pub slope_factor: f64,
    /// Specific current of the read transistor in A.
    pub specific_current_a: f64,
    /// Shift of the threshold in V after the time below under bias.
    pub instability_v: f64,
    /// That time in s.
    pub instability_s: f64,
    /// Exponent b of the shift.
    pub instability_exponent: f64,
    /// Temperature in K.
    pub temperature_k: f64,
}

impl GainCell {
    /// Leak from the storage node in A at the measuring voltage and the cell's temperature.
    #[must_use]
    pub fn leak_a(&self) -> f64 {
        let exponent =
            -self.activation_ev * ELEMENTARY_CHARGE / BOLTZMANN * (1.0 / self.temperature_k - 1.0 / 300.0);
        (self.off_current_a + self.gate_leak_a) * exponent.exp()
    }

    /// Time in s in which the full leak moves the node by `change_v`: C ΔV/I.
    #[must_use]
    pub fn retention_s(&self, change_v: f64) -> f64 {
        self.storage_f * change_v / self.leak_a()
    }

    /// Voltage of the node in V after a time in s: the leak is proportional to the voltage, so it decays
    /// exponentially with C V_m/I.
    #[must_use]
    pub fn node_v(&self, start_v: f64, time_s: f64) -> f64 {
        start_v * (-time_s * self.leak_a() / (self.storage_f * self.leak_voltage_v)).exp()
    }

    /// Shift of the read transistor's threshold in V after a time in s under bias.
    #[must_use]
    pub fn shift_v(&self, time_s: f64) -> f64 {
        self.instability_v * (time_s / self.instability_s).powf(self.instability_exponent)
    }

    /// Current of the read transistor in A (saturated, EKV) with the node at `node_v` and its threshold
    /// shifted by `shift_v`.
    #[must_use]
    pub fn read_current_a(&self, node_v: f64, shift_v: f64) -> f64 {
        let drive = (node_v - self.threshold_v - shift_v)
            / (2.0 * self.slope_factor * thermal_voltage(self.temperature_k));
        // ln(1 + eˣ) without overflow.
        let logarithm = drive.max(0.0) + (-drive.abs()).exp().ln_1p();
        self.specific_current_a * logarithm * logarithm
    }

    /// Relative change of the weight per volt of the node, g_m/I in 1/V.
    #[must_use]
    pub fn sensitivity_per_v(&self, node_v: f64) -> f64 {
        let thermal = thermal_voltage(self.temperature_k);
        let drive = (node_v - self.threshold_v) / (2.0 * self.slope_factor * thermal);
        let logarithm = drive.max(0.0) + (-drive.abs()).exp().ln_1p();
        1.0 / (1.0 + (-drive).exp()) / (logarithm * self.slope_factor * thermal)
    }

    /// Time in s between refreshes that keeps the relative error of the weight below `error`.
    #[must_use]
    pub fn refresh_s(&self, node_v: f64, error: f64) -> f64 {
        let change = error / self.sensitivity_per_v(node_v);
        let share = change / node_v;
        if share >= 1.0 {
            return f64::INFINITY;
        }
        -(1.0 - share).ln() * self.storage_f * self.leak_voltage_v / self.leak_a()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(off_current_a: f64) -> GainCell {
        GainCell {
            storage_f: 1e-15,
            off_current_a,
            gate_leak_a: 0.0,
            activation_ev: 0.6,
            leak_voltage_v: 1.0,
            threshold_v: 0.4,
            slope_factor: 1.4,
            specific_current_a: 1e-7,
            instability_v: 0.01,
            instability_s: 1e3,
            instability_exponent: 0.3,
            temperature_k: 300.0,
        }
    }

    #[test]
    fn retention_of_published_leaks() {
        assert!((cell(1e-21).retention_s(0.05) / 5e4 - 1.0).abs() < 1e-12);
        assert!((cell(3e-20).retention_s(0.05) / 1.667e3 - 1.0).abs() < 1e-3);
        let hot = GainCell { temperature_k: 358.0, ..cell(1e-21) };
        assert!(hot.retention_s(0.05) < 0.05 * cell(1e-21).retention_s(0.05));
    }

    #[test]
    fn sensitivity_is_the_derivative_of_the_current() {
        let cell = cell(1e-20);
        for node in [0.1, 0.4, 0.8, 1.2] {
            let step = 1e-6;
            let slope = (cell.read_current_a(node + step, 0.0).ln()
                - cell.read_current_a(node - step, 0.0).ln())
                / (2.0 * step);
            assert!((cell.sensitivity_per_v(node) / slope - 1.0).abs() < 1e-6, "{node}");
        }
        // In weak inversion 1/(n φ_t).
        let weak = cell.sensitivity_per_v(-0.5) * 1.4 * thermal_voltage(300.0);
        assert!((weak - 1.0).abs() < 1e-5);
    }

    #[test]
    fn refresh_keeps_the_error() {
        let cell = cell(1e-20);
        let (node, error) = (0.8, 0.01);
        let after = cell.node_v(node, cell.refresh_s(node, error));
        let change = 1.0 - cell.read_current_a(after, 0.0) / cell.read_current_a(node, 0.0);
        // The sensitivity is that at the start: the error is linear to 1 % of itself.
        assert!((change / error - 1.0).abs() < 0.02, "{change}");
        assert!((cell.shift_v(1e3) - 0.01).abs() < 1e-15);
    }
}
