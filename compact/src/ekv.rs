//! Drain current of the cell transistor in all regions of operation (EKV).
//!
//! Enz, Krummenacher, Vittoz, Analog Integr. Circuits Signal Process. 8, 83 (1995), long channel,
//! with mobility reduction, drain-induced barrier lowering and a constant leakage. The law is smooth
//! from the picoampere tail to strong inversion, and its inverse gives the gate overdrive at which
//! a cell carries the current of its state.

use crate::card::DeviceCard;
use crate::export::{Device, Port};
use crate::fit::Transform;
use crate::model::{Entry, Kind, ModelInfo, ParameterInfo, Simulation};
use crate::real::Real;

/// Boltzmann constant over elementary charge, V/K (exact by the definition of the SI).
pub const BOLTZMANN_V_PER_K: f64 =
    mho_physics::constants::BOLTZMANN / mho_physics::constants::ELEMENTARY_CHARGE;

/// Temperature at which parameters are stated, K.
pub const REFERENCE_TEMPERATURE_K: f64 = 300.0;

/// Exponent of the carrier mobility in T/300 K (phonon scattering; design notes A.2, literature).
const MOBILITY_EXPONENT: f64 = -1.5;

/// The parameters in the order of [`Ekv::from_values`].
pub const INFO: ModelInfo = ModelInfo {
    name: "ekv",
    version: 1,
    title: "drain current of the cell transistor, from weak to strong inversion",
    law: "I = i_leak + i_spec [F(v_p) - F(v_p - V_D)] (1 + lambda V_D) / (1 + theta s(V_G - V_T)), \
          F(v) = ln(1 + exp(v / 2 phi_t))^2, v_p = (V_G - V_T)/n, V_T = vt - dibl V_D - vt_slope (T - 300 K), \
          s(u) = 2 n phi_t ln(1 + exp(u / 2 n phi_t)), phi_t = kT/q",
    parameters: &[
        ParameterInfo {
            name: "vt_v",
            unit: "V",
            default: 0.0,
            lower: -10.0,
            upper: 10.0,
            transform: Transform::Linear,
            kind: Kind::Assumed,
            source: "design notes A.1: production cells have a counter-doped channel, neutral threshold about 0 V",
            meaning: "threshold voltage at 300 K and vanishing drain voltage",
        },
        ParameterInfo {
            name: "slope_factor",
            unit: "1",
            default: 1.4,
            lower: 1.0,
            upper: 5.0,
            transform: Transform::Linear,
            kind: Kind::Assumed,
            source: "design notes A.2: 83 mV/decade, between charge-sheet (1.63) and published cells",
            meaning: "n; subthreshold swing over phi_t ln 10",
        },
        ParameterInfo {
            name: "i_spec_a",
            unit: "A",
            default: 2.0e-6,
            lower: 1.0e-10,
            upper: 1.0e-3,
            transform: Transform::Log,
            kind: Kind::Assumed,
            source: "design notes A.2: 2 n mu C_g (W/L) phi_t^2 of a 40 nm cell, about 2 uA",
            meaning: "specific current, the scale between weak and strong inversion",
        },
        ParameterInfo {
            name: "theta_per_v",
            unit: "1/V",
            default: 0.2,
            lower: 1.0e-4,
            upper: 10.0,
            transform: Transform::Log,
            kind: Kind::Assumed,
            source: "design notes A.2",
            meaning: "mobility reduction with gate overdrive",
        },
        ParameterInfo {
            name: "dibl",
            unit: "1",
            default: 0.05,
            lower: 0.0,
            upper: 0.5,
            transform: Transform::Linear,
            kind: Kind::Assumed,
            source: "design notes A.2; needs sweeps at two drain voltages to be fitted",
            meaning: "drain-induced barrier lowering, threshold over drain voltage",
        },
        ParameterInfo {
            name: "lambda_per_v",
            unit: "1/V",
            default: 0.0,
            lower: 0.0,
            upper: 1.0,
            transform: Transform::Linear,
            kind: Kind::Assumed,
            source: "design notes A.2",
            meaning: "channel-length modulation",
        },
        ParameterInfo {
            name: "leakage_a",
            unit: "A",
            default: 1.0e-13,
            lower: 1.0e-18,
            upper: 1.0e-7,
            transform: Transform::Log,
            kind: Kind::Assumed,
            source: "design notes A.2",
            meaning: "current that flows at any gate voltage",
        },
        ParameterInfo {
            name: "vt_slope_v_per_k",
            unit: "V/K",
            default: 1.0e-3,
            lower: 0.0,
            upper: 5.0e-3,
            transform: Transform::Linear,
            kind: Kind::Assumed,
            source: "design notes A.2 (literature); needs sweeps at two temperatures to be fitted",
            meaning: "fall of the threshold with temperature",
        },
    ],
    validity: "long-channel charge control with a constant slope factor; no velocity saturation, no series resistance",
    references: &[
        "Enz, Krummenacher, Vittoz, Analog Integr. Circuits Signal Process. 8, 83 (1995)",
        "design notes A.2",
    ],
};

/// The law as commands find it. One fit a sweep is in [`crate::idvg`].
pub const ENTRIES: &[Entry] = &[Entry {
    info: &INFO,
    kinds: &[],
    fitting: None,
    simulation: Simulation::new(&["temperature_k", "vd_v", "vg_v"], &["id_a"], |card| {
        let law = Ekv::from_card(card);
        Box::new(move |at| vec![law.current_a(Bias { temperature_k: at[0], drain_v: at[1], gate_v: at[2] })])
    }),
    circuit: Some(circuit),
}];

fn circuit(device: &mut Device, _: &[f64]) {
    device.ports = vec![
        Port { name: "d", meaning: "drain" },
        Port { name: "g", meaning: "gate" },
        Port { name: "s", meaning: "source" },
    ];
    let graph = device.graph();
    let current = Ekv::from_values(&graph.parameters(&INFO)).current_a(Bias {
        gate_v: graph.voltage("g", "s"),
        drain_v: graph.voltage("d", "s"),
        temperature_k: graph.temperature_k(),
    });
    let formula = graph.index(current);
    device.flows("d", "s", formula);
}

/// The law with its parameters; see [`INFO`] for their meaning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ekv<R = f64> {
    /// Threshold at 300 K and vanishing drain voltage, V.
    pub vt_v: R,
    /// Slope factor n.
    pub slope_factor: R,
    /// Specific current at 300 K, A.
    pub i_spec_a: R,
    /// Mobility reduction, 1/V.
    pub theta_per_v: R,
    /// Drain-induced barrier lowering.
    pub dibl: R,
    /// Channel-length modulation, 1/V.
    pub lambda_per_v: R,
    /// Leakage, A.
    pub leakage_a: R,
    /// Fall of the threshold with temperature, V/K.
    pub vt_slope_v_per_k: R,
}

impl Default for Ekv {
    fn default() -> Self {
        Self::from_values(&INFO.defaults())
    }
}

/// A bias point; the source is at 0 V.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bias<R = f64> {
    /// Gate voltage, V.
    pub gate_v: R,
    /// Drain voltage, V.
    pub drain_v: R,
    /// Temperature, K.
    pub temperature_k: R,
}

impl Bias {
    /// A bias at 300 K.
    pub fn new(gate_v: f64, drain_v: f64) -> Self {
        Self { gate_v, drain_v, temperature_k: REFERENCE_TEMPERATURE_K }
    }
}

/// A current that the law cannot give.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum EkvError {
    /// At or below the leakage, or beyond what any gate voltage drives.
    #[error("no gate voltage gives {current_a:e} A at {drain_v} V on the drain (leakage {leakage_a:e} A)")]
    OutOfReach {
        /// Current asked for, A.
        current_a: f64,
        /// Drain voltage, V.
        drain_v: f64,
        /// Leakage, A.
        leakage_a: f64,
    },
}

impl<R: Real> Ekv<R> {
    /// From values in the order of [`INFO`].
    ///
    /// Values that are missing at the end are the defaults.
    pub fn from_values(values: &[R]) -> Self {
        let value = |index: usize| {
            values.get(index).copied().unwrap_or_else(|| R::from(INFO.parameters[index].default))
        };
        Self {
            vt_v: value(0),
            slope_factor: value(1),
            i_spec_a: value(2),
            theta_per_v: value(3),
            dibl: value(4),
            lambda_per_v: value(5),
            leakage_a: value(6),
            vt_slope_v_per_k: value(7),
        }
    }

    /// Threshold at this drain voltage and temperature, V.
    pub fn threshold_v(&self, drain_v: R, temperature_k: R) -> R {
        self.vt_v
            - self.dibl * drain_v.abs()
            - self.vt_slope_v_per_k * (temperature_k - REFERENCE_TEMPERATURE_K)
    }

    /// Drain current at a bias, A.
    pub fn current_a(&self, bias: Bias<R>) -> R {
        let overdrive_v = bias.gate_v - self.threshold_v(bias.drain_v, bias.temperature_k);
        self.current_at_overdrive_a(overdrive_v, bias.drain_v, bias.temperature_k)
    }

    /// Drain current at `overdrive_v` = V_G - V_T, A.
    pub fn current_at_overdrive_a(&self, overdrive_v: R, drain_v: R, temperature_k: R) -> R {
        self.channel(overdrive_v, drain_v, temperature_k).0 + self.leakage_a
    }

    fn specific_current_a(&self, temperature_k: R) -> R {
        // mu(T) phi_t^2, both relative to 300 K.
        self.i_spec_a * (temperature_k / REFERENCE_TEMPERATURE_K).powf(R::from(2.0 + MOBILITY_EXPONENT))
    }

    /// Channel current (A) without leakage, and its derivative with the overdrive (A/V).
    fn channel(&self, overdrive_v: R, drain_v: R, temperature_k: R) -> (R, R) {
        let two_phi_t = temperature_k * (2.0 * BOLTZMANN_V_PER_K);
        let width_v = self.slope_factor * two_phi_t;
        let (forward, forward_slope) = log1p_exp((overdrive_v / width_v).kept());
        let (reverse, reverse_slope) = log1p_exp((overdrive_v / width_v - drain_v / two_phi_t).kept());
        // Difference of squares, as a product: no cancellation at small drain voltages.
        let drive = (forward - reverse) * (forward + reverse);
        let drive_slope = (forward * forward_slope - reverse * reverse_slope) * 2.0 / width_v;
        let reduction = self.theta_per_v * width_v * forward + 1.0;
        let reduction_slope = self.theta_per_v * forward_slope;
        let scale = self.specific_current_a(temperature_k) * (self.lambda_per_v * drain_v + 1.0);
        let current = scale * drive / reduction;
        (current, scale * drive_slope / reduction - current * reduction_slope / reduction)
    }
}

impl Ekv {
    /// From a card of model `ekv`.
    pub fn from_card(card: &DeviceCard) -> Self {
        Self::from_values(&card.values(&INFO))
    }

    /// Transconductance dI/dV_G at a bias, A/V.
    pub fn transconductance_a_per_v(&self, bias: Bias) -> f64 {
        let overdrive_v = bias.gate_v - self.threshold_v(bias.drain_v, bias.temperature_k);
        self.channel(overdrive_v, bias.drain_v, bias.temperature_k).1
    }

    /// The overdrive V_G - V_T at which the drain carries `current_a`: the inverse of
    /// [`Self::current_at_overdrive_a`], by Newton's method in ln I inside a bracket.
    ///
    /// # Errors
    /// [`EkvError::OutOfReach`] for currents at or below the leakage, or that no overdrive gives.
    pub fn overdrive_for_current(
        &self,
        current_a: f64,
        drain_v: f64,
        temperature_k: f64,
    ) -> Result<f64, EkvError> {
        let out_of_reach = EkvError::OutOfReach { current_a, drain_v, leakage_a: self.leakage_a };
        let wanted = current_a - self.leakage_a;
        if !(wanted > 0.0 && wanted.is_finite() && drain_v > 0.0) {
            return Err(out_of_reach);
        }
        // Saturation without mobility reduction has a closed inverse (design notes A.2).
        let width_v = 2.0 * self.slope_factor * BOLTZMANN_V_PER_K * temperature_k;
        let root = (wanted / self.specific_current_a(temperature_k)).sqrt();
        let mut u = width_v * log_expm1(root);
        let (mut low, mut high) = (u - 60.0 * width_v, u);
        while self.channel(high, drain_v, temperature_k).0 < wanted {
            low = high;
            high += (high - u).abs().max(width_v) * 2.0;
            if high > 1e4 {
                return Err(out_of_reach);
            }
        }
        for _ in 0..100 {
            let (current, slope) = self.channel(u, drain_v, temperature_k);
            if current < wanted {
                low = low.max(u);
            } else {
                high = high.min(u);
            }
            let newton = u - (current / wanted).ln() * current / slope;
            let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
            let done = (next - u).abs() <= 1e-14 * (1.0 + u.abs());
            u = next;
            if done {
                break;
            }
        }
        Ok(u)
    }
}

/// ln(1 + e^x) and its derivative, without overflow.
fn log1p_exp<R: Real>(x: R) -> (R, R) {
    let (zero, one) = (R::from(0.0), R::from(1.0));
    let small = (-x.abs()).exp();
    let slope = zero.if_below(x, || one / (small + 1.0), || small / (small + 1.0));
    (x.max(zero) + small.ln_1p(), slope)
}

/// ln(e^x - 1), without overflow; x > 0.
fn log_expm1(x: f64) -> f64 {
    if x > 30.0 { x } else { x.exp_m1().ln() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PHI_T: f64 = BOLTZMANN_V_PER_K * 300.0;

    fn ideal() -> Ekv {
        Ekv { theta_per_v: 0.0, dibl: 0.0, leakage_a: 0.0, ..Ekv::default() }
    }

    #[test]
    fn weak_inversion_is_exponential() {
        let law = ideal();
        for u in [-0.8f64, -0.6, -0.5] {
            let expected = law.i_spec_a * (u / (law.slope_factor * PHI_T)).exp();
            let found = law.current_at_overdrive_a(u, 5.0, 300.0);
            assert!((found / expected - 1.0).abs() < 2e-3, "{u}: {found} {expected}");
        }
        // Swing of 83.3 mV a decade and gm/I of 27.6 per volt (A.2).
        let bias = Bias::new(-0.6, 5.0);
        let efficiency = law.transconductance_a_per_v(bias) / law.current_a(bias);
        assert!((efficiency - 27.6).abs() < 0.05, "{efficiency}");
        let decade = law.overdrive_for_current(1e-13, 5.0, 300.0).unwrap()
            - law.overdrive_for_current(1e-14, 5.0, 300.0).unwrap();
        assert!((decade - 0.0833).abs() < 1e-4, "{decade}");
    }

    #[test]
    fn strong_inversion_is_quadratic() {
        let law = ideal();
        let expected = law.i_spec_a * (3.0 / (2.0 * law.slope_factor * PHI_T)).powi(2);
        let found = law.current_at_overdrive_a(3.0, 10.0, 300.0);
        assert!((found / expected - 1.0).abs() < 1e-6);
    }

    #[test]
    fn small_drain_voltages_conduct_linearly() {
        let law = ideal();
        let current = |drain_v: f64| law.current_at_overdrive_a(1.0, drain_v, 300.0);
        assert!((current(2e-9) / current(1e-9) - 2.0).abs() < 1e-6);
        assert_eq!(current(0.0), 0.0);
        // Source and drain are alike: F(v_p) - F(v_p - V_D) changes sign with the roles.
        assert!(current(-1e-3) < 0.0);
    }

    #[test]
    fn reverse_term_at_the_largest_state() {
        // A.2: 4 % of the forward one at 1.6 uA and 0.1 V.
        let law = ideal();
        let u = law.overdrive_for_current(1.6e-6, 0.1, 300.0).unwrap();
        let forward = law.current_at_overdrive_a(u, 20.0, 300.0);
        let share = 1.0 - 1.6e-6 / forward;
        assert!((share - 0.045).abs() < 0.005, "{share}");
    }

    #[test]
    fn neutral_point_of_retention() {
        // A.2: I_N = 656 nA lies at u = -0.019 V (saturation, no mobility reduction).
        let u = ideal().overdrive_for_current(656e-9, 5.0, 300.0).unwrap();
        assert!((u + 0.019).abs() < 1e-3, "{u}");
    }

    #[test]
    fn currents_out_of_reach_are_errors() {
        let law = Ekv::default();
        assert!(law.overdrive_for_current(law.leakage_a, 0.1, 300.0).is_err());
        assert!(law.overdrive_for_current(-1e-9, 0.1, 300.0).is_err());
        assert!(law.overdrive_for_current(f64::NAN, 0.1, 300.0).is_err());
        // With mobility reduction the current at a fixed drain voltage has a ceiling.
        assert!(law.overdrive_for_current(1.0, 0.1, 300.0).is_err());
    }

    proptest! {
        #[test]
        fn inverse_undoes_the_law(
            u in -0.5f64..2.0, drain_v in 0.01f64..2.0, theta in 0.0f64..1.0, kelvin in 250.0f64..400.0,
        ) {
            let law = Ekv { theta_per_v: theta, ..Ekv::default() };
            let current = law.current_at_overdrive_a(u, drain_v, kelvin);
            let found = law.overdrive_for_current(current, drain_v, kelvin).unwrap();
            prop_assert!((found - u).abs() < 1e-7, "{found} for {u}");
        }

        #[test]
        fn transconductance_is_the_derivative(gate in -0.5f64..2.0, drain in 0.01f64..2.0) {
            let law = Ekv::default();
            let at = |gate| law.current_a(Bias::new(gate, drain));
            let difference = (at(gate + 1e-5) - at(gate - 1e-5)) / 2e-5;
            let found = law.transconductance_a_per_v(Bias::new(gate, drain));
            prop_assert!((found - difference).abs() < 1e-5 * found + 1e-13);
        }
    }
}
