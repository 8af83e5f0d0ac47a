//! Surface potential of the silicon under a gate stack with trapped charge.
//!
//! The band bending ψ_s follows from Gauss's law at the interface with the exact first integral of the
//! one-dimensional Poisson equation (Boltzmann statistics, uniform p-type doping):
//!
//! ```text
//! w = V_G − φ_ms − ΔV_T = ψ_s + κ (ψ_s − φ_F − V) + sign(ψ_s) γ F(ψ_s)
//! F² = φ_t (e^(−ψ/φ_t) − 1) + ψ + e^(−(2φ_F + V)/φ_t) [φ_t (e^(ψ/φ_t) − 1) − ψ]
//! ```
//!
//! V is the potential of the channel (zero with source and drain grounded, which then supply the inversion
//! layer) and κ = q D_it/C_g the interface traps, zero by default.

use crate::constants::ELEMENTARY_CHARGE;
use crate::sonos::Stack;

/// The surface equation of one stack with its constants worked out once.
#[derive(Debug, Clone, Copy)]
pub struct Surface {
    phi_t: f64,
    phi_f: f64,
    gamma: f64,
    trap_ratio: f64,
}

impl Surface {
    /// The equation of `stack` without interface traps.
    #[must_use]
    pub fn new(stack: &Stack) -> Self {
        Self {
            phi_t: stack.thermal_voltage_v(),
            phi_f: stack.fermi_potential_v(),
            gamma: stack.body_coefficient(),
            trap_ratio: 0.0,
        }
    }

    /// The same with an even interface-trap density in 1/(m² eV), neutral at midgap.
    #[must_use]
    pub fn with_interface_traps(stack: &Stack, density_per_m2_ev: f64) -> Self {
        let trap_ratio = ELEMENTARY_CHARGE * density_per_m2_ev / stack.capacitance();
        Self { trap_ratio, ..Self::new(stack) }
    }

    /// Square of F and its derivative with respect to ψ.
    fn field_squared(&self, psi: f64, channel_v: f64) -> (f64, f64) {
        let x = psi / self.phi_t;
        let minority = (-(2.0 * self.phi_f + channel_v) / self.phi_t).exp();
        if x.abs() < 1e-4 {
            // Both brackets start with ψ²/(2φ_t): the difference of exponentials would cancel.
            let base = 0.5 * psi * x;
            return (
                base * (1.0 - x / 3.0) + minority * base * (1.0 + x / 3.0),
                x * (1.0 - 0.5 * x) + minority * x,
            );
        }
        let down = (-x).exp_m1();
        let up = x.exp_m1();
        let value = self.phi_t * down + psi + minority * (self.phi_t * up - psi);
        (value.max(0.0), -down + minority * up)
    }

    /// Semiconductor charge per gate area over the gate capacitance, in V: γ·sign(ψ)·F(ψ).
    #[must_use]
    pub fn charge_v(&self, psi: f64, channel_v: f64) -> f64 {
        self.gamma * self.field_squared(psi, channel_v).0.sqrt() * psi.signum()
    }

    /// Inversion charge per gate area over the gate capacitance, in V: all charge less the depletion charge,
    /// and none in accumulation.
    #[must_use]
    pub fn inversion_v(&self, psi: f64, channel_v: f64) -> f64 {
        if psi <= 0.0 {
            return 0.0;
        }
        let (all, _) = self.field_squared(psi, channel_v);
        let x = psi / self.phi_t;
        let minority = (-(2.0 * self.phi_f + channel_v) / self.phi_t).exp();
        let carriers = minority * (self.phi_t * x.exp_m1() - psi);
        let depletion = (all - carriers).max(0.0);
        // (√a − √b) as a quotient: the difference is tiny in weak inversion.
        let sum = all.sqrt() + depletion.sqrt();
        if sum > 0.0 { self.gamma * carriers / sum } else { 0.0 }
    }

    /// Surface potential in V for `effective_v` = V_G − φ_ms − ΔV_T and a channel at `channel_v`.
    ///
    /// A Newton iteration kept inside a bracket that the two asymptotes (depletion and inversion, or
    /// accumulation) bound, so it ends after about five steps for any finite input.
    #[must_use]
    pub fn psi_s(&self, effective_v: f64, channel_v: f64) -> f64 {
        // The trap term κ(ψ − φ_F − V) makes the left side linear with slope 1 + κ.
        let slope = 1.0 + self.trap_ratio;
        let w = (effective_v + self.trap_ratio * (self.phi_f + channel_v)) / slope;
        let gamma = self.gamma / slope;
        if w == 0.0 || !w.is_finite() {
            return if w.is_finite() { 0.0 } else { f64::NAN };
        }
        let knee = gamma * self.phi_t.sqrt();
        let (mut low, mut high);
        let mut psi;
        if w < 0.0 {
            low = w.max(-2.0 * self.phi_t * (1.0 - w / knee).ln());
            high = 0.0;
            psi = low;
        } else {
            low = 0.0;
            let root = 0.5 * ((gamma * gamma + 4.0 * (w - self.phi_t).max(0.0)).sqrt() - gamma);
            let depleted = w.min(self.phi_t + root * root);
            let inverted = 2.0 * self.phi_f + channel_v + 2.0 * self.phi_t * (w / knee).ln().max(0.0) + 1e-9;
            high = depleted.min(inverted.max(self.phi_t));
            psi = high;
        }
        for _ in 0..60 {
            let (square, square_slope) = self.field_squared(psi, channel_v);
            let field = square.sqrt();
            let residual = psi + gamma * field.copysign(psi) - w;
            if residual > 0.0 {
                high = psi;
            } else {
                low = psi;
            }
            // At ψ = 0 the quotient has the limit 1/√(2φ_t).
            let field_slope =
                if field > 0.0 { 0.5 * square_slope.abs() / field } else { 1.0 / (2.0 * self.phi_t).sqrt() };
            let mut next = psi - residual / (1.0 + gamma * field_slope);
            if !(next >= low && next <= high) {
                next = 0.5 * (low + high);
            }
            let moved = (next - psi).abs();
            psi = next;
            if moved <= 1e-13 * (1.0 + psi.abs()) {
                break;
            }
        }
        psi
    }
}

/// Surface potential in V of `stack` at `gate_v` with the trapped charge `charge_c_per_m2` (C/m², electrons
/// negative) at its centroid, source and drain grounded.
///
/// ```
/// use mho_physics::sonos::{Stack, surface::surface_potential};
/// let stack = Stack::default();
/// let erased = surface_potential(&stack, 0.0, stack.charge_for_shift(-2.0));
/// assert!((erased - 1.03).abs() < 0.005); // an erased cell is inverted at zero gate voltage
/// ```
#[must_use]
pub fn surface_potential(stack: &Stack, gate_v: f64, charge_c_per_m2: f64) -> f64 {
    let effective = gate_v - stack.phi_ms_v - stack.shift_for_charge(charge_c_per_m2);
    Surface::new(stack).psi_s(effective, 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constants::VACUUM_PERMITTIVITY;
    use proptest::prelude::*;

    #[test]
    fn values_of_the_default_card() {
        let stack = Stack::default();
        for (shift, expected) in [(2.0, -0.08), (-1.0, 0.90), (-2.0, 1.03)] {
            let found = surface_potential(&stack, 0.0, stack.charge_for_shift(shift));
            assert!((found - expected).abs() < 0.006, "shift {shift}: {found} against {expected}");
        }
        assert!((surface_potential(&stack, stack.phi_ms_v, 0.0)).abs() < 1e-12, "flat band");
    }

    /// Threshold condition: with ψ_s = 2φ_F the depletion charge alone balances the gate, and the inversion
    /// charge adds only what √(φ_t) brings.
    #[test]
    fn threshold_of_a_plain_capacitor() {
        // MOS capacitor of the verification list: 5 nm oxide, N_A = 1e17 cm⁻³, V_T − V_FB = 1.0742 V.
        let stack = Stack {
            tunnel_oxide_m: 2.5e-9,
            blocking_oxide_m: 2.5e-9,
            nitride_m: 1e-18,
            centroid_m: 0.0,
            acceptor_per_m3: 1e23,
            phi_ms_v: 0.0,
            ..Stack::default()
        };
        assert!((stack.neutral_threshold_v() - 1.0742).abs() < 5e-4);
        assert!((stack.capacitance() - 0.6906e-2).abs() < 1e-6);
        let psi = surface_potential(&stack, 1.0742, 0.0);
        assert!((psi - 2.0 * stack.fermi_potential_v()).abs() < 0.02);
        // C_FB/C_ox = 0.537 from the slope of the charge at flat band.
        let h = 1e-6;
        let slope = (surface_potential(&stack, h, 0.0) - surface_potential(&stack, -h, 0.0)) / (2.0 * h);
        assert!((1.0 - slope - 0.537).abs() < 1e-3, "{}", 1.0 - slope);
    }

    /// Gauss's law at the interface: oxide displacement equals the semiconductor charge.
    #[test]
    fn displacement_balances_the_charge() {
        let stack = Stack::default();
        let surface = Surface::new(&stack);
        for shift in [-2.5, -1.0, 0.0, 1.0, 2.5] {
            let charge = stack.charge_for_shift(shift);
            let psi = surface_potential(&stack, 0.3, charge);
            let displacement = stack.oxide_permittivity
                * VACUUM_PERMITTIVITY
                * stack.fields(0.3, psi, charge).tunnel_v_per_m;
            let semiconductor = surface.charge_v(psi, 0.0) * stack.capacitance();
            assert!((displacement - semiconductor).abs() < 1e-12 + 1e-9 * semiconductor.abs());
        }
    }

    /// Surface potential and gate charge of an oxide-nitride-oxide capacitor, with and without a sheet of
    /// charge in the nitride, against an independent solution of Poisson's equation on a mesh.
    #[test]
    fn capacitor_with_a_sheet_agrees_with_a_mesh_solution() {
        for (name, sheet_per_cm2) in [("none", 0.0), ("sheet_-5e12", -5e12)] {
            let Some(path) = mho_data::shared::find(&format!("golden/semiconductor/moscap_ono_{name}.csv"))
            else {
                return;
            };
            let stack = Stack {
                tunnel_oxide_m: 2.5e-9,
                blocking_oxide_m: 4.5e-9,
                acceptor_per_m3: 1e23,
                phi_ms_v: -0.416_685_005_324_657_6,
                ..Stack::default()
            };
            let charge = ELEMENTARY_CHARGE * 1e4 * sheet_per_cm2;
            let text = std::fs::read_to_string(path).unwrap();
            let (mut rows, mut worst_psi, mut worst_charge) = (0, 0.0f64, 0.0f64);
            for line in text.lines().filter(|line| !line.starts_with(['#', 'V'])) {
                let numbers: Vec<f64> = line.split(',').map(|word| word.parse().unwrap()).collect();
                let psi = surface_potential(&stack, numbers[0], charge);
                let blocking = stack.fields(numbers[0], psi, charge).blocking_v_per_m;
                let gate = 1e-4 * stack.oxide_permittivity * VACUUM_PERMITTIVITY * blocking;
                worst_psi = worst_psi.max((psi - numbers[1]).abs());
                worst_charge = worst_charge.max((gate - numbers[2]).abs());
                rows += 1;
            }
            assert_eq!(rows, 121);
            // The 512 nodes of the mesh leave half a millivolt in strong accumulation and inversion, and with
            // the capacitance of 0.3 µF/cm² the charge that belongs to it.
            assert!(worst_psi < 1e-3, "{name}: {worst_psi} V");
            assert!(worst_charge < 3e-10, "{name}: {worst_charge} C/cm²");
        }
    }

    proptest! {
        #[test]
        fn solves_the_equation(w in -8.0f64..8.0, v in 0.0f64..2.0, traps in 0.0f64..5e16, doping in 22.0f64..24.5) {
            let stack = Stack { acceptor_per_m3: 10f64.powf(doping), ..Stack::default() };
            let surface = Surface::with_interface_traps(&stack, traps);
            let psi = surface.psi_s(w, v);
            prop_assert!(psi.is_finite());
            let back = psi + surface.trap_ratio * (psi - surface.phi_f - v) + surface.charge_v(psi, v);
            prop_assert!((back - w).abs() < 1e-8 * (1.0 + w.abs()), "{} against {}", back, w);
        }

        #[test]
        fn rises_with_the_gate(w in -8.0f64..8.0, step in 1e-4f64..1.0) {
            let surface = Surface::new(&Stack::default());
            prop_assert!(surface.psi_s(w + step, 0.0) > surface.psi_s(w, 0.0));
        }
    }
}
