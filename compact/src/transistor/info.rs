//! Parameters of the all-region transistor: units, bounds, sources.

use super::law::Transistor;
use crate::ekv::BOLTZMANN_V_PER_K;
use crate::fit::Transform;
use crate::model::{Kind, ModelInfo, ParameterInfo};
use crate::real::Real;

/// The parameters in the order of [`Transistor::from_values`].
pub const INFO: ModelInfo = ModelInfo {
    name: "transistor",
    version: 1,
    title: "drain current of a transistor at any bias of its four terminals",
    law: "a x + gamma sqrt(x) = V_G - vt + (dibl + dibl_body V_SB) V_DS + a phi + gamma sqrt(phi) with a = 1 + \
          body_linear gives the band bending x at pinch-off, psi_P = x - phi (voltages from the body); 2 q + ln q = \
          (psi_P - V)/s at source and drain, s = (1 + trap_ratio) kT/q; D = q_s - q_d, limited to \
          b/(1 + sqrt(1 + 2 s b/critical)) with b = 2 q_s + 1, where the carriers move as fast as they can; I = 2 n beta \
          s^2 D (b - D) M/(1 + theta E + 2 s D/critical); n = a + gamma/(sqrt(x) + sqrt(x - s (q_s + q_d))); E = c n s \
          (q_s + q_d) + gamma (sqrt(x - s (q_s + q_d)) - sqrt(phi)), c = 1/2 of electrons and 1/3 of holes; M = 1 + \
          shortening ln(1 + V_past/0.1 V) with the voltage past saturation; V_S and V_D less the drops over source_ohm and \
          drain_ohm; plus leakage_s exp(leakage_gate V_GS) V_DS/(1 + leakage_saturation V_DS); vt falls by vt_slope and \
          beta goes with (T/T_ref)^mobility_exponent",
    parameters: &[
        ParameterInfo {
            name: "vt_v",
            unit: "V",
            default: 0.6,
            lower: -10.0,
            upper: 10.0,
            transform: Transform::Linear,
            kind: Kind::Assumed,
            source: "start of a fit; every device has its own",
            meaning: "threshold with source at body, vanishing drain voltage, at reference_temperature_k",
        },
        ParameterInfo {
            name: "gamma_sqrt_v",
            unit: "sqrt(V)",
            default: 0.4,
            lower: 0.01,
            upper: 3.0,
            transform: Transform::Linear,
            kind: Kind::Assumed,
            source: "body effect of a channel doped 3e17 cm-3 under 4 nm of oxide (derived: sqrt(2 q eps N) / C_ox)",
            meaning: "body effect",
        },
        ParameterInfo {
            name: "phi_v",
            unit: "V",
            default: 0.85,
            lower: 0.4,
            upper: 1.4,
            transform: Transform::Linear,
            kind: Kind::Derived,
            source: "2 phi_F of a channel doped 1e17 to 1e18 cm-3 at 300 K; no fit tells it from gamma",
            meaning: "band bending at threshold",
        },
        ParameterInfo {
            name: "body_linear",
            unit: "1",
            default: 0.0,
            lower: -0.6,
            upper: 1.5,
            transform: Transform::Linear,
            kind: Kind::Assumed,
            source: "none without a fit",
            meaning: "part of the body charge that is linear in the band bending: charge sharing with source and drain (negative), retrograde doping (positive)",
        },
        ParameterInfo {
            name: "beta_a_per_v2",
            unit: "A/V^2",
            default: 0.001,
            lower: 1e-09,
            upper: 1000.0,
            transform: Transform::Log,
            kind: Kind::Assumed,
            source: "start of a fit; every device has its own",
            meaning: "mu C_ox W / L at threshold, of all parallel devices together",
        },
        ParameterInfo {
            name: "theta_per_v",
            unit: "1/V",
            default: 0.5,
            lower: 0.0,
            upper: 10.0,
            transform: Transform::Linear,
            kind: Kind::Assumed,
            source: "literature: 0.1 to 2 for oxides of 2 to 10 nm",
            meaning: "mobility reduction with the effective field",
        },
        ParameterInfo {
            name: "critical_v",
            unit: "V",
            default: 1.0,
            lower: 0.02,
            upper: 300.0,
            transform: Transform::Log,
            kind: Kind::Derived,
            source: "2 v_sat L / mu: about 1 V at L = 0.15 um for electrons",
            meaning: "critical voltage E_c L of velocity saturation",
        },
        ParameterInfo {
            name: "dibl",
            unit: "1",
            default: 0.02,
            lower: -0.05,
            upper: 0.4,
            transform: Transform::Linear,
            kind: Kind::Assumed,
            source: "literature: 0.01 to 0.1 at short channels",
            meaning: "drain-induced barrier lowering with source at body",
        },
        ParameterInfo {
            name: "dibl_body_per_v",
            unit: "1/V",
            default: 0.0,
            lower: -0.2,
            upper: 0.3,
            transform: Transform::Linear,
            kind: Kind::Assumed,
            source: "none without a fit",
            meaning: "growth of dibl with the source's voltage above the body",
        },
        ParameterInfo {
            name: "shortening",
            unit: "1",
            default: 0.03,
            lower: 0.0,
            upper: 1.5,
            transform: Transform::Linear,
            kind: Kind::Assumed,
            source: "literature: depth of junction over channel length, a few hundredths",
            meaning: "channel-length modulation: relative current per unit of ln(1 + V / 0.1 V) past saturation",
        },
        ParameterInfo {
            name: "source_ohm",
            unit: "ohm",
            default: 0.0,
            lower: 0.0,
            upper: 1000000.0,
            transform: Transform::Linear,
            kind: Kind::Assumed,
            source: "none without a fit",
            meaning: "resistance in series with the source",
        },
        ParameterInfo {
            name: "drain_ohm",
            unit: "ohm",
            default: 0.0,
            lower: 0.0,
            upper: 1000000.0,
            transform: Transform::Linear,
            kind: Kind::Assumed,
            source: "none without a fit",
            meaning: "resistance in series with the drain",
        },
        ParameterInfo {
            name: "trap_ratio",
            unit: "1",
            default: 0.2,
            lower: -0.3,
            upper: 3.0,
            transform: Transform::Linear,
            kind: Kind::Assumed,
            source: "0 without interface traps",
            meaning: "swing beyond the body effect's: capacitance of interface traps over that of the oxide",
        },
        ParameterInfo {
            name: "leakage_s",
            unit: "S",
            default: 1e-15,
            lower: 1e-18,
            upper: 0.01,
            transform: Transform::Log,
            kind: Kind::Assumed,
            source: "none without a fit; the default is below any instrument",
            meaning: "leakage floor: conductance of a path between drain and source that the gate hardly controls",
        },
        ParameterInfo {
            name: "leakage_gate_per_v",
            unit: "1/V",
            default: 0.0,
            lower: 0.0,
            upper: 10.0,
            transform: Transform::Linear,
            kind: Kind::Assumed,
            source: "none without a fit",
            meaning: "growth of that leakage with the gate voltage (d ln I / d V_G; a channel has 1/(n kT/q), 25 to 38)",
        },
        ParameterInfo {
            name: "leakage_saturation_per_v",
            unit: "1/V",
            default: 0.0,
            lower: 0.0,
            upper: 40.0,
            transform: Transform::Linear,
            kind: Kind::Assumed,
            source: "none without a fit; at most q/kT, as fast as a diffusion current saturates",
            meaning: "saturation of that leakage with the drain voltage: I = G V / (1 + s V)",
        },
        ParameterInfo {
            name: "polarity",
            unit: "1",
            default: 1.0,
            lower: -1.0,
            upper: 1.0,
            transform: Transform::Linear,
            kind: Kind::Derived,
            source: "sign of the drain current",
            meaning: "+1 of an n-channel device, -1 of a p-channel one: all voltages and the current change sign",
        },
        ParameterInfo {
            name: "vt_slope_v_per_k",
            unit: "V/K",
            default: 0.001,
            lower: 0.0,
            upper: 0.01,
            transform: Transform::Linear,
            kind: Kind::Assumed,
            source: "design notes A.2 (literature); fitted from two temperatures on",
            meaning: "fall of the threshold with temperature",
        },
        ParameterInfo {
            name: "mobility_exponent",
            unit: "1",
            default: -1.5,
            lower: -3.0,
            upper: 0.5,
            transform: Transform::Linear,
            kind: Kind::Assumed,
            source: "design notes A.2 (phonon scattering, literature); fitted from two temperatures on",
            meaning: "beta goes with (T / reference)^exponent",
        },
        ParameterInfo {
            name: "reference_temperature_k",
            unit: "K",
            default: 300.0,
            lower: 50.0,
            upper: 600.0,
            transform: Transform::Linear,
            kind: Kind::Assumed,
            source: "the temperature of the measurement, or 300 K",
            meaning: "temperature at which the parameters are stated",
        },
    ],
    validity: "drift-diffusion with velocity saturation; no impact ionisation, gate or junction leakage, no noise; \
               the second derivative of the current jumps at V_DS = 0 with velocity saturation",
    references: &[
        "C. C. Enz, E. A. Vittoz, Charge-Based MOS Transistor Modeling, Wiley (2006): charges, weak to strong inversion",
        "C. G. Sodini, P.-K. Ko, J. L. Moll, IEEE Trans. Electron Devices 31, 1386 (1984): velocity saturation 1/(1 + E/E_c)",
        "S. Takagi et al., IEEE Trans. Electron Devices 41, 2357 (1994): share of the mobile charge in the effective field",
        "design notes A.2",
    ],
};

impl<R: Real> Transistor<R> {
    /// From values in the order of [`INFO`], at a temperature.
    pub fn from_values(values: &[R], temperature_k: R) -> Self {
        let value = |index: usize| {
            values.get(index).copied().unwrap_or_else(|| R::from(INFO.parameters[index].default))
        };
        let zero = R::from(0.0);
        let polarity = value(16).if_below(zero, || R::from(-1.0), || R::from(1.0));
        let (slope, exponent, reference) = (value(17), value(18), value(19));
        Self {
            vt_v: value(0) - slope * (temperature_k - reference),
            gamma_sqrt_v: value(1),
            phi_v: value(2),
            body_linear: value(3),
            beta_a_per_v2: value(4) * (temperature_k / reference).powf(exponent),
            theta_per_v: value(5),
            field_share: polarity.if_below(zero, || R::from(HOLE_SHARE), || R::from(ELECTRON_SHARE)),
            critical_v: value(6),
            dibl: value(7),
            dibl_body_per_v: value(8),
            shortening: value(9),
            source_ohm: value(10),
            drain_ohm: value(11),
            trap_ratio: value(12),
            leakage_s: value(13),
            leakage_gate_per_v: value(14),
            leakage_saturation_per_v: value(15),
            polarity,
            thermal_v: temperature_k * BOLTZMANN_V_PER_K,
        }
    }
}

impl Transistor {
    /// From a card of model `transistor`.
    pub fn from_card(card: &crate::card::DeviceCard, temperature_k: f64) -> Self {
        Self::from_values(&card.values(&INFO), temperature_k)
    }
}

/// Part of the mobile charge in the effective field of electrons and holes (universal mobility curves: Takagi
/// et al., IEEE Trans. Electron Devices 41, 2357 (1994)).
const ELECTRON_SHARE: f64 = 0.5;
const HOLE_SHARE: f64 = 1.0 / 3.0;
