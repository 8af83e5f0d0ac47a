//! Tunnelling of carriers through an oxide into the nitride band (modified Fowler-Nordheim, WKB).
//!
//! ```text
//! J = A E² exp(−S),   A = q² m₀ / (8π h φ_b m_ox)
//! V₁ = E t ≥ φ_b:  S = (4/3) √(2 m_ox q)/ħ · φ_b^{3/2}/E
//! V₁ < φ_b:        S = (4/3) √(2 m_ox q)/(ħ E) [φ_b^{3/2} − (φ_b − V₁)^{3/2}]
//!                    + (4/3) √(2 m_N q)/(ħ E_N) [p^{3/2} − (p − E_N t_N)₊^{3/2}]  where p = φ_b − ΔE − V₁ > 0
//! ```
//!
//! The first part is the barrier of the oxide, the second what is left of it in the nitride, whose field is
//! E_N = E ε_ox/ε_N.

use crate::constants::{ELECTRON_MASS, ELEMENTARY_CHARGE, PLANCK, REDUCED_PLANCK};
use crate::sonos::Stack;

/// A barrier between an electrode and the nitride.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Barrier {
    /// Height φ_b at the electrode in V.
    pub height_v: f64,
    /// Band offset ΔE between oxide and nitride in V.
    pub offset_v: f64,
    /// Effective mass in the oxide over the electron mass.
    pub oxide_mass: f64,
    /// Effective mass in the nitride over the electron mass.
    pub nitride_mass: f64,
}

impl Barrier {
    /// Electrons from silicon or from an n⁺ gate: 3.15 eV (3.1 to 3.2), offset 1.05 eV, masses 0.42
    /// (measured, literature).
    pub const ELECTRONS: Self = Self { height_v: 3.15, offset_v: 1.05, oxide_mass: 0.42, nitride_mass: 0.42 };
    /// Holes from silicon: 4.5 eV, offset 2.7 eV, masses 0.32 and 0.42 (measured, literature).
    pub const HOLES: Self = Self { height_v: 4.5, offset_v: 2.7, oxide_mass: 0.32, nitride_mass: 0.42 };

    /// Pre-factor A in A/V².
    #[must_use]
    pub fn prefactor(&self) -> f64 {
        ELEMENTARY_CHARGE * ELEMENTARY_CHARGE
            / (8.0 * std::f64::consts::PI * PLANCK * self.height_v * self.oxide_mass)
    }

    /// Fowler-Nordheim slope B in V/m: S = B/E when the carrier leaves inside the oxide.
    #[must_use]
    pub fn slope(&self) -> f64 {
        wkb(self.oxide_mass) * self.height_v.powf(1.5)
    }

    /// Current density in A/m² at a field in V/m that drives the carrier through `oxide_m` of oxide into
    /// the nitride of `stack`; zero when the field does not.
    #[must_use]
    pub fn current_density(&self, stack: &Stack, oxide_m: f64, field_v_per_m: f64) -> f64 {
        // Below 10 kV/cm the current is nil and the exponent a quotient of zeros.
        if field_v_per_m <= 1e6 {
            return 0.0;
        }
        let drop = field_v_per_m * oxide_m;
        let action = if drop >= self.height_v {
            self.slope() / field_v_per_m
        } else {
            let oxide = wkb(self.oxide_mass) / field_v_per_m
                * (self.height_v.powf(1.5) - (self.height_v - drop).powf(1.5));
            let left = self.height_v - self.offset_v - drop;
            if left > 0.0 {
                let field = field_v_per_m * stack.oxide_permittivity / stack.nitride_permittivity;
                let far = (left - field * stack.nitride_m).max(0.0);
                oxide + wkb(self.nitride_mass) / field * (left.powf(1.5) - far.powf(1.5))
            } else {
                oxide
            }
        };
        self.prefactor() * field_v_per_m * field_v_per_m * (-action).exp()
    }
}

/// (4/3) √(2 m q)/ħ in √V⁻¹ · 1/m, for a mass relative to the electron mass.
fn wkb(mass: f64) -> f64 {
    4.0 / 3.0 * (2.0 * mass * ELECTRON_MASS * ELEMENTARY_CHARGE).sqrt() / REDUCED_PLANCK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fowler_nordheim_constants() {
        assert!((Barrier::ELECTRONS.prefactor() / 1.165e-6 - 1.0).abs() < 1e-3);
        assert!((Barrier::ELECTRONS.slope() / 2.475e10 - 1.0).abs() < 1e-3);
    }

    /// The slope of ln(J/E²) against 1/E is −B on a thick oxide.
    #[test]
    fn thick_oxide_is_fowler_nordheim() {
        let stack = Stack::default();
        let log =
            |field: f64| (Barrier::ELECTRONS.current_density(&stack, 10e-9, field) / (field * field)).ln();
        let slope = (log(8e8) - log(9e8)) / (1.0 / 8e8 - 1.0 / 9e8);
        assert!((slope / -2.475e10 - 1.0).abs() < 0.02, "{slope}");
    }

    #[test]
    fn current_grows_with_field_and_has_no_jump() {
        let stack = Stack::default();
        for barrier in [Barrier::ELECTRONS, Barrier::HOLES] {
            for oxide in [1.5e-9, 2e-9, 4e-9] {
                let mut before = 0.0;
                for step in 20..2000 {
                    let now = barrier.current_density(&stack, oxide, 1e6 * f64::from(step));
                    assert!(now.is_finite() && now >= before);
                    assert!(step < 500 || now < 1.3 * before, "jump at step {step}");
                    before = now;
                }
            }
        }
    }
}
