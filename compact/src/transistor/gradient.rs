//! The current with its derivatives with respect to all parameters, from one evaluation of the law.

use super::info::INFO;
use super::law::{Terminals, Transistor};
use crate::dual::Dual;

/// Directions along which the channel is differentiated: eleven parameters, the drain's and the source's voltage.
const DIRECTIONS: usize = 13;
const DRAIN: usize = 11;
const SOURCE: usize = 12;

/// Number of parameters of [`INFO`].
pub const PARAMETERS: usize = INFO.parameters.len();

/// The parameters of [`INFO`] at a temperature, ready to be differentiated.
pub struct Gradient {
    law: Transistor,
    channel: Transistor<Dual<DIRECTIONS>>,
    /// T - T_ref, K.
    above_k: f64,
    /// ln(T / T_ref).
    log_ratio: f64,
    /// Gain at this temperature over that at the reference.
    gain_ratio: f64,
}

impl Gradient {
    /// For values in the order of [`INFO`], at a temperature.
    pub fn new(values: &[f64], temperature_k: f64) -> Self {
        let law = Transistor::from_values(values, temperature_k);
        let constant = |value: f64| Dual::from(value);
        let channel = Transistor {
            vt_v: Dual::along(0, law.vt_v),
            gamma_sqrt_v: Dual::along(1, law.gamma_sqrt_v),
            phi_v: Dual::along(2, law.phi_v),
            body_linear: Dual::along(3, law.body_linear),
            beta_a_per_v2: Dual::along(4, law.beta_a_per_v2),
            theta_per_v: Dual::along(5, law.theta_per_v),
            critical_v: Dual::along(6, law.critical_v),
            dibl: Dual::along(7, law.dibl),
            dibl_body_per_v: Dual::along(8, law.dibl_body_per_v),
            shortening: Dual::along(9, law.shortening),
            trap_ratio: Dual::along(10, law.trap_ratio),
            field_share: constant(law.field_share),
            source_ohm: constant(law.source_ohm),
            drain_ohm: constant(law.drain_ohm),
            leakage_s: constant(law.leakage_s),
            leakage_gate_per_v: constant(law.leakage_gate_per_v),
            leakage_saturation_per_v: constant(law.leakage_saturation_per_v),
            polarity: constant(law.polarity),
            thermal_v: constant(law.thermal_v),
        };
        let reference_k = values.last().copied().unwrap_or(temperature_k);
        Self {
            law,
            channel,
            above_k: temperature_k - reference_k,
            log_ratio: (temperature_k / reference_k).ln(),
            gain_ratio: law.beta_a_per_v2 / values.get(4).copied().unwrap_or(law.beta_a_per_v2),
        }
    }

    /// Current, A, at a bias, searched from a guess, and its derivatives in the order of [`INFO`] (0 for polarity
    /// and reference temperature).
    ///
    /// With resistances the current i is the root of `channel(i, p) = i`, so that
    /// di/dp = (dchannel/dp) / (1 - dchannel/di), at the root that was found.
    pub fn current_a(&self, at: Terminals, guess: f64) -> (f64, [f64; PARAMETERS]) {
        let law = &self.law;
        let sign = law.polarity;
        let total = law.current_near_a(at, guess);
        let drop = sign * (at.drain_v - at.source_v);
        let above = sign * (at.gate_v - at.source_v) - drop.min(0.0);
        let leakage = law.leakage_a(above, drop);
        let through = sign * total - leakage;
        let gate = Dual::from(sign * (at.gate_v - at.body_v));
        let drain = Dual::along(DRAIN, sign * (at.drain_v - at.body_v) - law.drain_ohm * through);
        let source = Dual::along(SOURCE, sign * (at.source_v - at.body_v) + law.source_ohm * through);
        let channel = if drain.value < source.value {
            -self.channel.channel(gate, source, drain)
        } else {
            self.channel.channel(gate, drain, source)
        };
        let slopes = &channel.slopes;
        let feedback = law.source_ohm * slopes[SOURCE] - law.drain_ohm * slopes[DRAIN];
        let mut all = [0.0; PARAMETERS];
        all[..10].copy_from_slice(&slopes[..10]);
        all[10] = through * slopes[SOURCE];
        all[11] = -through * slopes[DRAIN];
        all[12] = slopes[10];
        // The law's threshold and gain follow the temperature.
        all[17] = -self.above_k * slopes[0];
        all[18] = self.log_ratio * law.beta_a_per_v2 * slopes[4];
        all[4] *= self.gain_ratio;
        for slope in &mut all {
            *slope *= sign / (1.0 - feedback);
        }
        // Of the leakage by hand: it is a product.
        all[13] = sign * Transistor { leakage_s: 1.0, ..*law }.leakage_a(above, drop);
        all[14] = sign * leakage * above;
        all[15] = -sign * leakage * drop.abs() / (1.0 + law.leakage_saturation_per_v * drop.abs());
        (total, all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_those_of_differences() {
        let mut values = INFO.defaults();
        for (name, value) in [
            ("source_ohm", 300.0),
            ("drain_ohm", 900.0),
            ("leakage_s", 1e-9),
            ("shortening", 0.1),
            ("body_linear", 0.1),
        ] {
            values[INFO.parameters.iter().position(|info| info.name == name).unwrap()] = value;
        }
        for polarity in [1.0, -1.0] {
            values[16] = polarity;
            for (gate_v, drain_v, body_v) in
                [(0.3, 0.1, 0.0), (0.9, 0.05, -1.0), (1.8, 1.8, -0.5), (1.2, -0.4, -1.0)]
            {
                let at = Terminals {
                    gate_v: polarity * gate_v,
                    drain_v: polarity * drain_v,
                    source_v: 0.0,
                    body_v: polarity * body_v,
                };
                let (current, slopes) = Gradient::new(&values, 330.0).current_a(at, f64::NAN);
                assert_eq!(current, Transistor::from_values(&values, 330.0).current_a(at));
                for (index, info) in INFO.parameters.iter().enumerate() {
                    if ["polarity", "reference_temperature_k"].contains(&info.name) {
                        continue;
                    }
                    let step = 1e-5 * values[index].abs().max(0.1);
                    let moved = |by: f64| {
                        let mut values = values.clone();
                        values[index] += by;
                        Transistor::from_values(&values, 330.0).current_a(at)
                    };
                    let difference = (moved(step) - moved(-step)) / (2.0 * step);
                    // The solution behind the differences is good to 1e-10 of the current or better.
                    let tolerance = 1e-4 * difference.abs() + 1e-8 * current.abs() / step.min(1.0) * 1e-2;
                    assert!(
                        (slopes[index] - difference).abs() <= tolerance,
                        "{}: {} {difference}",
                        info.name,
                        slopes[index]
                    );
                }
            }
        }
    }
}
