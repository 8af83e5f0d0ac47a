//! The capacitor cell of two oxide transistors (2T1C): a charge on a node is the weight.
//!
//! A write transistor isolates a capacitor C; a read transistor turns its voltage into a current. The node
//! loses charge through the write transistor and the read gate, dV/dt = −(I_off + I_gate)/C, and the read
//! transistor's threshold drifts under positive bias (PBTI). Sources: A. Belmonte et al., IEDM 2020, and
//! VLSI 2023 (oxide gain cells: retention above 400 s, leak below 3·10⁻²¹ A/µm); C. Enz, F. Krummenacher and
//! E. Vittoz, Analog Integr. Circuits Signal Process. 8, 83 (1995) (the transistor).

use super::ecram::arrhenius;
use crate::constants::{BOLTZMANN, ELEMENTARY_CHARGE};

/// The storage node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Node {
    /// Capacitance in F.
    pub capacitance_f: f64,
    /// Leak in A of write transistor and read gate together, at `reference_k`.
    pub leak_a: f64,
    /// Activation energy of the leak in eV.
    pub leak_activation_ev: f64,
    /// Temperature in K at which `leak_a` holds.
    pub reference_k: f64,
}

impl Node {
    /// Leak in A at a temperature (Arrhenius).
    #[must_use]
    pub fn leak_at(&self, temperature_k: f64) -> f64 {
        self.leak_a * arrhenius(self.leak_activation_ev, self.reference_k, temperature_k)
    }

    /// Time in s after which the node has lost `loss_v`: C ΔV/I.
    #[must_use]
    pub fn retention_s(&self, loss_v: f64, temperature_k: f64) -> f64 {
        self.capacitance_f * loss_v / self.leak_at(temperature_k)
    }

    /// Voltage in V after `time_s` from `start_v`; an empty node leaks no more.
    #[must_use]
    pub fn voltage_v(&self, start_v: f64, time_s: f64, temperature_k: f64) -> f64 {
        let lost = self.leak_at(temperature_k) * time_s / self.capacitance_f;
        if start_v >= 0.0 { (start_v - lost).max(0.0) } else { start_v }
    }
}

/// The read transistor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transistor {
    /// Width over length.
    pub aspect: f64,
    /// Mobility in m²/(V s).
    pub mobility_m2_per_v_s: f64,
    /// Gate capacitance per area in F/m².
    pub oxide_f_per_m2: f64,
    /// Threshold voltage in V.
    pub threshold_v: f64,
    /// Subthreshold swing in V per decade at `reference_k`.
    pub swing_v_per_decade: f64,
    /// Temperature in K of the swing.
    pub reference_k: f64,
}

/// Current in A and transconductance in S.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Operation {
    /// Drain current in A.
    pub current_a: f64,
    /// Derivative of the current to the gate voltage in S.
    pub transconductance_s: f64,
}

/// ln(1 + exp(u)) without overflow.
fn softplus(u: f64) -> f64 {
    u.max(0.0) + (-u.abs()).exp().ln_1p()
}

/// The derivative of [`softplus`].
fn logistic(u: f64) -> f64 {
    if u >= 0.0 { 1.0 / (1.0 + (-u).exp()) } else { u.exp() / (1.0 + u.exp()) }
}

impl Transistor {
    /// Current and transconductance at a gate and a drain voltage in V (source at 0), in all regions:
    /// I = 2 n μ C_ox (W/L) φ² [F((V_G−V_T)/n) − F((V_G−V_T)/n − V_D)], F(v) = ln²(1 + exp(v/2φ)), φ = kT/q.
    #[must_use]
    pub fn operate(&self, gate_v: f64, drain_v: f64, temperature_k: f64) -> Operation {
        let thermal = BOLTZMANN * temperature_k / ELEMENTARY_CHARGE;
        let reference = BOLTZMANN * self.reference_k / ELEMENTARY_CHARGE;
        let slope = self.swing_v_per_decade / (reference * std::f64::consts::LN_10);
        let scale =
            2.0 * slope * self.mobility_m2_per_v_s * self.oxide_f_per_m2 * self.aspect * thermal * thermal;
        let pinch = (gate_v - self.threshold_v) / slope;
        let (source, drain) = (pinch / (2.0 * thermal), (pinch - drain_v) / (2.0 * thermal));
        let (forward, reverse) = (softplus(source), softplus(drain));
        // A difference of squares as a product: equal voltages give exactly nothing.
        let current_a = scale * (forward - reverse) * (forward + reverse);
        let slopes = forward * logistic(source) - reverse * logistic(drain);
        Operation { current_a, transconductance_s: scale * slopes / (slope * thermal) }
    }
}

/// Threshold shift in V after `time_s` of positive gate bias: A (t/τ)^b (power law; b about 0.3, assumed).
#[must_use]
pub fn bias_shift_v(amplitude_v: f64, time_constant_s: f64, exponent: f64, time_s: f64) -> f64 {
    amplitude_v * (time_s.max(0.0) / time_constant_s).powf(exponent)
}

/// Relative error of a weight when node and threshold moved by so little that the current is straight:
/// −g_m ΔV/I.
#[must_use]
pub fn weight_error(operation: Operation, lost_v: f64) -> f64 {
    if operation.current_a == 0.0 {
        0.0
    } else {
        -operation.transconductance_s * lost_v / operation.current_a
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const READ: Transistor = Transistor {
        aspect: 1.0,
        mobility_m2_per_v_s: 15e-4,
        oxide_f_per_m2: 3e-3,
        threshold_v: 0.5,
        swing_v_per_decade: 0.085,
        reference_k: 300.0,
    };

    fn node(leak_a: f64) -> Node {
        Node { capacitance_f: 1e-15, leak_a, leak_activation_ev: 0.8, reference_k: 300.0 }
    }

    #[test]
    fn retention_is_capacitance_times_voltage_over_leak() {
        assert!((node(1e-21).retention_s(0.05, 300.0) - 5e4).abs() < 1e-6);
        assert!((node(3e-20).retention_s(0.05, 300.0) - 1666.667).abs() < 1e-2);
        let time = node(1e-21).retention_s(0.05, 330.0);
        assert!((node(1e-21).voltage_v(1.0, time, 330.0) - 0.95).abs() < 1e-12);
        let faster = (0.8 / 8.617_333e-5 * (1.0 / 300.0 - 1.0 / 330.0_f64)).exp();
        assert!((5e4 / time / faster - 1.0).abs() < 1e-5);
    }

    #[test]
    fn the_swing_is_that_of_the_input_and_saturation_is_square() {
        let far = READ.operate(-0.5, 1.0, 300.0).current_a;
        let near = READ.operate(-0.5 + 0.085, 1.0, 300.0).current_a;
        assert!((near / far - 10.0).abs() < 1e-4, "{}", near / far);
        // Strong inversion: I = μ C W/L (V_G − V_T)²/(2 n), up to thermal terms.
        let slope = 0.085 / (BOLTZMANN * 300.0 / ELEMENTARY_CHARGE * std::f64::consts::LN_10);
        let strong = READ.operate(20.5, 60.0, 300.0).current_a;
        assert!((strong / (15e-4 * 3e-3 * 400.0 / (2.0 * slope)) - 1.0).abs() < 1e-6);
        assert_eq!(READ.operate(1.0, 0.0, 300.0).current_a, 0.0);
    }

    #[test]
    fn a_small_loss_changes_the_weight_by_the_transconductance() {
        let before = READ.operate(0.8, 0.3, 300.0);
        let after = READ.operate(0.8 - 1e-6, 0.3, 300.0);
        let change = after.current_a / before.current_a - 1.0;
        assert!((change / weight_error(before, 1e-6) - 1.0).abs() < 1e-4);
        assert!((bias_shift_v(0.02, 1e3, 0.3, 1e6) - 0.02 * 1e3_f64.powf(0.3)).abs() < 1e-12);
        assert_eq!(bias_shift_v(0.02, 1e3, 0.3, 0.0), 0.0);
    }

    proptest! {
        #[test]
        fn more_gate_more_current(gate in -5.0..5.0_f64, more in 0.0..2.0_f64, drain in 0.0..5.0_f64,
                                  kelvin in 200.0..500.0_f64) {
            let (low, high) = (READ.operate(gate, drain, kelvin), READ.operate(gate + more, drain, kelvin));
            prop_assert!(low.current_a.is_finite() && low.transconductance_s >= 0.0);
            prop_assert!(low.current_a >= 0.0 && high.current_a >= low.current_a * (1.0 - 1e-12));
            prop_assert!(node(1e-21).leak_at(kelvin + more) >= node(1e-21).leak_at(kelvin));
        }
    }
}
