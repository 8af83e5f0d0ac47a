//! Silicon: gap, affinity and carrier density against temperature, for inputs that do not give them.

use crate::constants::{INTRINSIC_DENSITY, thermal_voltage};

/// Electron affinity in V (measured; textbook value, Sze and Ng 2007).
pub const AFFINITY_V: f64 = 4.05;

/// Band gap in V at a temperature in K: 1.17 − 4.73e-4 T²/(T + 636) (fitted to measurements; Varshni's form
/// with the parameters of Thurmond 1975).
#[must_use]
pub fn gap_v(temperature_k: f64) -> f64 {
    1.17 - 4.73e-4 * temperature_k * temperature_k / (temperature_k + 636.0)
}

/// Work function in V of a metal level with the middle of the gap.
#[must_use]
pub fn midgap_v(temperature_k: f64) -> f64 {
    AFFINITY_V + 0.5 * gap_v(temperature_k)
}

/// Intrinsic carrier density in 1/m³: the conventional value at 300 K, scaled by T^{3/2} exp(−E_g/2kT)
/// (derived).
#[must_use]
pub fn intrinsic_per_m3(temperature_k: f64) -> f64 {
    let exponent = |t: f64| -0.5 * gap_v(t) / thermal_voltage(t);
    INTRINSIC_DENSITY * (temperature_k / 300.0).powf(1.5) * (exponent(temperature_k) - exponent(300.0)).exp()
}

/// Effective densities of states in 1/m³ of conduction and valence band: 2.86e19 and 2.66e19 cm⁻³ at 300 K
/// (derived from measured masses; Green 1990), with T^{3/2}.
#[must_use]
pub fn states_per_m3(temperature_k: f64) -> (f64, f64) {
    let scale = (temperature_k / 300.0).powf(1.5);
    (2.86e25 * scale, 2.66e25 * scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        assert!((gap_v(300.0) - 1.1245).abs() < 1e-3);
        assert!((intrinsic_per_m3(300.0) / 1e16 - 1.0).abs() < 1e-12);
        // Doubles about every 8 to 11 K near room temperature.
        let ratio = intrinsic_per_m3(310.0) / intrinsic_per_m3(300.0);
        assert!((1.8..2.6).contains(&ratio), "{ratio}");
    }
}
