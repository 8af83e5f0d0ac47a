//! The oxide-nitride-oxide stack of a SONOS cell: geometry, capacitances, threshold and fields.
//!
//! Coordinates run from the silicon to the gate. Fields are positive when they point from the gate to the
//! silicon, so a positive tunnel-oxide field pushes electrons from the silicon into the nitride. Trapped
//! charge is per gate area in C/m², electrons negative.

use crate::constants::{
    ELEMENTARY_CHARGE, INTRINSIC_DENSITY, NITRIDE_PERMITTIVITY, OXIDE_PERMITTIVITY, SILICON_GAP_V,
    SILICON_PERMITTIVITY, VACUUM_PERMITTIVITY, thermal_voltage,
};
use serde::{Deserialize, Serialize};

/// Geometry and materials of the stack and of the silicon below it.
///
/// The default is the card `sonos40_default`: a 40 nm generation SONOS cell. No vendor has published these
/// numbers; every field says how its default came about.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Stack {
    /// Tunnel oxide thickness in m. Default 2.0 nm (assumed; literature of the generation: 1.5 to 2.5 nm).
    pub tunnel_oxide_m: f64,
    /// Nitride thickness in m, one effective layer. Default 8.0 nm (assumed; literature: 6 to 12 nm).
    pub nitride_m: f64,
    /// Blocking oxide thickness in m. Default 4.0 nm (assumed; literature: 3 to 5 nm).
    pub blocking_oxide_m: f64,
    /// Distance of the trapped-charge centroid from the tunnel oxide in m. Default half the nitride
    /// (assumed: charge spread evenly).
    pub centroid_m: f64,
    /// Relative permittivity of both oxides. Default 3.9 (measured, textbook).
    pub oxide_permittivity: f64,
    /// Relative permittivity of the nitride. Default 7.5 (measured, textbook).
    pub nitride_permittivity: f64,
    /// Relative permittivity of the silicon. Default 11.7 (measured, textbook).
    pub silicon_permittivity: f64,
    /// Acceptor density of the channel in 1/m³. Default 5e23 = 5e17 cm⁻³ (assumed; 1e17 to 2e18 cm⁻³).
    pub acceptor_per_m3: f64,
    /// Intrinsic carrier density in 1/m³. Default 1e16 (measured, conventional value).
    pub intrinsic_per_m3: f64,
    /// Work-function difference between gate and silicon in V. Default −1.02 V (derived for an n⁺ gate:
    /// −(E_g/2 + φ_F)).
    pub phi_ms_v: f64,
    /// Gate area W·L in m². Default 0.05 µm² (derived: the growth of the published current spreads bounds
    /// it to 0.04 µm² or more).
    pub gate_area_m2: f64,
    /// Temperature in K. Default 300 K.
    pub temperature_k: f64,
}

impl Default for Stack {
    fn default() -> Self {
        Self {
            tunnel_oxide_m: 2.0e-9,
            nitride_m: 8.0e-9,
            blocking_oxide_m: 4.0e-9,
            centroid_m: 4.0e-9,
            oxide_permittivity: OXIDE_PERMITTIVITY,
            nitride_permittivity: NITRIDE_PERMITTIVITY,
            silicon_permittivity: SILICON_PERMITTIVITY,
            acceptor_per_m3: 5.0e23,
            intrinsic_per_m3: INTRINSIC_DENSITY,
            phi_ms_v: -1.02,
            gate_area_m2: 0.05e-12,
            temperature_k: 300.0,
        }
    }
}

/// Fields in the two oxides in V/m, positive from gate to silicon.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fields {
    /// In the tunnel oxide.
    pub tunnel_v_per_m: f64,
    /// In the blocking oxide.
    pub blocking_v_per_m: f64,
}

impl Stack {
    /// The same stack at another temperature: the intrinsic density follows T^{3/2} exp(−E_g/2kT) with the
    /// gap held at its value at 300 K, and the Fermi potential, which φ_ms of a degenerate gate contains,
    /// moves φ_ms with it.
    #[must_use]
    pub fn at_temperature(&self, temperature_k: f64) -> Self {
        if temperature_k == self.temperature_k {
            return *self;
        }
        let ratio = temperature_k / self.temperature_k;
        let exponent =
            0.5 * SILICON_GAP_V * (1.0 / self.thermal_voltage_v() - 1.0 / thermal_voltage(temperature_k));
        let mut moved = *self;
        moved.temperature_k = temperature_k;
        // Never as dense as the acceptors: above that the channel is no longer a p-type one.
        let dense = self.intrinsic_per_m3 * ratio.powf(1.5) * exponent.exp();
        moved.intrinsic_per_m3 = dense.clamp(f64::MIN_POSITIVE, 0.5 * self.acceptor_per_m3);
        moved.phi_ms_v += self.fermi_potential_v() - moved.fermi_potential_v();
        moved
    }

    /// Equivalent oxide thickness in m; 10.16 nm by default.
    #[must_use]
    pub fn eot_m(&self) -> f64 {
        self.tunnel_oxide_m
            + self.nitride_m * self.oxide_permittivity / self.nitride_permittivity
            + self.blocking_oxide_m
    }

    /// Gate capacitance per area in F/m²; 0.340 µF/cm² by default.
    #[must_use]
    pub fn capacitance(&self) -> f64 {
        self.oxide_permittivity * VACUUM_PERMITTIVITY / self.eot_m()
    }

    /// Capacitance per area in F/m² between the gate and a sheet at `centroid_m` from the tunnel oxide:
    /// a sheet of charge Q shifts the threshold by −Q over this. 0.568 µF/cm² at mid-nitride by default.
    #[must_use]
    pub fn top_capacitance(&self, centroid_m: f64) -> f64 {
        VACUUM_PERMITTIVITY
            / ((self.nitride_m - centroid_m) / self.nitride_permittivity
                + self.blocking_oxide_m / self.oxide_permittivity)
    }

    /// Trapped charge in C/m² at the centroid that shifts the threshold by `shift_v`.
    #[must_use]
    pub fn charge_for_shift(&self, shift_v: f64) -> f64 {
        -shift_v * self.top_capacitance(self.centroid_m)
    }

    /// Threshold shift in V of a trapped charge in C/m² at the centroid.
    #[must_use]
    pub fn shift_for_charge(&self, charge_c_per_m2: f64) -> f64 {
        -charge_c_per_m2 / self.top_capacitance(self.centroid_m)
    }

    /// Threshold shift in V of a single trapped electron: 0.56 mV by default, 2.82 mV on 0.01 µm².
    #[must_use]
    pub fn step_v(&self) -> f64 {
        ELEMENTARY_CHARGE / (self.top_capacitance(self.centroid_m) * self.gate_area_m2)
    }

    /// Thermal voltage in V.
    #[must_use]
    pub fn thermal_voltage_v(&self) -> f64 {
        thermal_voltage(self.temperature_k)
    }

    /// Fermi potential of the channel in V: φ_t ln(N_A/n_i).
    #[must_use]
    pub fn fermi_potential_v(&self) -> f64 {
        self.thermal_voltage_v() * (self.acceptor_per_m3 / self.intrinsic_per_m3).ln()
    }

    /// Body coefficient γ in √V.
    #[must_use]
    pub fn body_coefficient(&self) -> f64 {
        (2.0 * ELEMENTARY_CHARGE * self.silicon_permittivity * VACUUM_PERMITTIVITY * self.acceptor_per_m3)
            .sqrt()
            / self.capacitance()
    }

    /// Subthreshold slope factor of the charge sheet, n = 1 + γ/(2√(2φ_F)); 1.63 by default.
    #[must_use]
    pub fn slope_factor(&self) -> f64 {
        1.0 + self.body_coefficient() / (2.0 * (2.0 * self.fermi_potential_v()).sqrt())
    }

    /// Threshold in V without trapped charge, φ_ms + 2φ_F + γ√(2φ_F); +1.05 V by default.
    ///
    /// Production cells counter-dope the channel so that it is about 0 V: treat it as a prediction that a
    /// measured neutral threshold replaces.
    #[must_use]
    pub fn neutral_threshold_v(&self) -> f64 {
        let bend = 2.0 * self.fermi_potential_v();
        self.phi_ms_v + bend + self.body_coefficient() * bend.sqrt()
    }

    /// Oxide fields at gate voltage `gate_v`, surface potential `psi_s_v` and trapped charge at the centroid.
    #[must_use]
    pub fn fields(&self, gate_v: f64, psi_s_v: f64, charge_c_per_m2: f64) -> Fields {
        let shift = self.shift_for_charge(charge_c_per_m2);
        let tunnel = (gate_v - self.phi_ms_v - psi_s_v - shift) / self.eot_m();
        let blocking = tunnel - charge_c_per_m2 / (self.oxide_permittivity * VACUUM_PERMITTIVITY);
        Fields { tunnel_v_per_m: tunnel, blocking_v_per_m: blocking }
    }

    /// Says which field is not a usable number, if any: lengths, densities, permittivities, area and
    /// temperature must be positive and finite, and the centroid inside the nitride.
    #[must_use]
    pub fn defect(&self) -> Option<&'static str> {
        let positive = [
            ("tunnel_oxide_m", self.tunnel_oxide_m),
            ("nitride_m", self.nitride_m),
            ("blocking_oxide_m", self.blocking_oxide_m),
            ("oxide_permittivity", self.oxide_permittivity),
            ("nitride_permittivity", self.nitride_permittivity),
            ("silicon_permittivity", self.silicon_permittivity),
            ("acceptor_per_m3", self.acceptor_per_m3),
            ("intrinsic_per_m3", self.intrinsic_per_m3),
            ("gate_area_m2", self.gate_area_m2),
            ("temperature_k", self.temperature_k),
        ];
        if let Some((name, _)) = positive.iter().find(|(_, value)| !(value.is_finite() && *value > 0.0)) {
            return Some(name);
        }
        if !self.phi_ms_v.is_finite() {
            return Some("phi_ms_v");
        }
        if !(0.0..=self.nitride_m).contains(&self.centroid_m) {
            return Some("centroid_m");
        }
        (self.acceptor_per_m3 <= self.intrinsic_per_m3).then_some("acceptor_per_m3")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64, tolerance: f64) {
        assert!((found - expected).abs() <= tolerance, "found {found}, expected {expected} ± {tolerance}");
    }

    #[test]
    fn derived_values_of_the_default_card() {
        let stack = Stack::default();
        close(stack.eot_m(), 10.16e-9, 0.005e-9);
        close(stack.capacitance(), 0.340e-2, 0.0005e-2);
        let top = stack.top_capacitance(stack.centroid_m);
        close(top, 0.568e-2, 0.0005e-2);
        close(ELEMENTARY_CHARGE * 1e16 / top, 0.282, 0.0005);
        close(-stack.charge_for_shift(2.0) / ELEMENTARY_CHARGE, 7.1e16, 0.05e16);
        close(stack.slope_factor(), 1.63, 0.005);
        close(stack.step_v() * 5.0, 2.82e-3, 0.005e-3);
        let vectors = Stack { phi_ms_v: -1.0183, ..stack };
        close(vectors.neutral_threshold_v(), 1.05, 0.005);
        close(-(SILICON_GAP_V / 2.0 + stack.fermi_potential_v()), -1.0183, 0.0005);
    }

    #[test]
    fn charge_and_shift_are_inverse() {
        let stack = Stack::default();
        for shift in [-2.0, -0.3, 0.0, 1.7] {
            close(stack.shift_for_charge(stack.charge_for_shift(shift)), shift, 1e-15);
        }
    }

    /// A sheet anywhere in the nitride, solved as a chain of plate capacitors, shifts the threshold by what
    /// the closed form says.
    #[test]
    fn sheet_charge_shift_equals_gauss() {
        let stack = Stack::default();
        let charge = -0.01;
        for centroid in [0.0, 2e-9, 4e-9, 8e-9] {
            // Field below the sheet zero: all lines end on the gate.
            let displacement = -charge;
            let above = (stack.nitride_m - centroid) / stack.nitride_permittivity
                + stack.blocking_oxide_m / stack.oxide_permittivity;
            let gate_rise = displacement * above / VACUUM_PERMITTIVITY;
            close(-charge / stack.top_capacitance(centroid), gate_rise, 1e-10);
        }
    }

    #[test]
    fn defects_are_named() {
        let bad = Stack { nitride_m: 0.0, ..Stack::default() };
        assert_eq!(bad.defect(), Some("nitride_m"));
        let bad = Stack { centroid_m: 9e-9, ..Stack::default() };
        assert_eq!(bad.defect(), Some("centroid_m"));
        assert_eq!(Stack::default().defect(), None);
    }
}
