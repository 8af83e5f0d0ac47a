//! What is known of a silicon transistor before it is measured.

use super::readings::Readings;
use crate::fit::{Prior, Transform};

/// What is known of a silicon transistor beforehand, so that no interval is without an end where the series
/// resistance hides the channel.
pub(super) fn priors(readings: &Readings) -> Vec<Prior> {
    let hole = readings.polarity < 0.0;
    let (carrier, field, gain) = if hole {
        ("holes", HOLE_FIELD_V_PER_UM, HOLE_GAIN_A_PER_V2)
    } else {
        ("electrons", ELECTRON_FIELD_V_PER_UM, ELECTRON_GAIN_A_PER_V2)
    };
    let mut priors = vec![Prior {
        name: "theta_per_v",
        value: 0.5,
        spread: 2.0,
        scale: Transform::Linear,
        source: "0.5 +- 2 1/V (literature: 0.1 to 2 for oxides of 2 to 10 nm)".into(),
    }];
    priors.push(Prior {
        name: "gamma_sqrt_v",
        value: 0.4,
        spread: std::f64::consts::LN_2,
        scale: Transform::Log,
        source: "0.4 V^1/2 within a factor of two (channel of 1e17 to 1e18 cm-3 under 2 to 8 nm of oxide)"
            .into(),
    });
    let Some([width_um, length_um, multiplicity]) = readings.geometry else { return priors };
    let value = field * length_um;
    priors.push(Prior {
        name: "critical_v",
        value,
        spread: std::f64::consts::LN_2,
        scale: Transform::Log,
        source: format!(
            "{value:.2} V within a factor of two, 2 v_sat L / mu of {carrier} at L = {length_um} um"
        ),
    });
    let value = gain * multiplicity * width_um / length_um;
    priors.push(Prior {
        name: "beta_a_per_v2",
        value,
        spread: GAIN_SPREAD,
        scale: Transform::Log,
        source: format!(
            "{value:.2e} A/V^2 within a factor of three, mu C_ox W / L of {carrier} at {multiplicity} x \
             {width_um} um / {length_um} um"
        ),
    });
    priors
}

/// mu C_ox of the surface mobilities below and an oxide of 4 nm, A/V^2 (derived); oxides of 2 to 8 nm and
/// differences of mask and channel lie within a factor of three.
const ELECTRON_GAIN_A_PER_V2: f64 = 3e-4;
const HOLE_GAIN_A_PER_V2: f64 = 8e-5;
const GAIN_SPREAD: f64 = 1.1;

/// Critical field of velocity saturation, V/um: 2 v_sat / mu with v_sat = 8e6 cm/s and surface mobilities of 350
/// and 90 cm2/Vs (literature: Taur and Ning, Fundamentals of Modern VLSI Devices, chapter 3; rounded).
const ELECTRON_FIELD_V_PER_UM: f64 = 4.5;
const HOLE_FIELD_V_PER_UM: f64 = 18.0;
