//! Program and erase pulses: the threshold shift while a gate voltage is applied.
//!
//! Electrons tunnel from the silicon while the tunnel-oxide field is positive, holes while it is negative;
//! with a negative blocking-oxide field the gate injects electrons, which ends the erase (erase saturation).
//! Per time the trapped charge Q changes by
//!
//! ```text
//! dQ/dt = −J_e(E_to) [1 − (−Q)₊/Q_max]  (E_to > 0)
//!         +J_h(|E_to|) [1 − Q₊/Q_max]   (E_to < 0)
//!         −J_gate(|E_bo|)                (E_bo < 0)
//! ```

use crate::constants::VACUUM_PERMITTIVITY;
use crate::ode::{self, OdeError};
use crate::sonos::Stack;
use crate::sonos::collection::SurfacePotential;
use crate::sonos::surface::Surface;
use crate::tunnelling::injection::Barrier;

/// Program and erase of one kind of cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transient {
    /// The cell.
    pub stack: Stack,
    /// Barrier of electrons, at the silicon and at the gate.
    pub electrons: Barrier,
    /// Barrier of holes at the silicon.
    pub holes: Barrier,
    /// Whether the gate injects electrons through the blocking oxide. Default true.
    pub gate_injection: bool,
    /// Charge in C/m² that fills all traps. Default 0.04 (assumed: 3e19 cm⁻³ over 8 nm).
    pub full_charge_c_per_m2: f64,
    /// How the surface potential is found.
    pub surface_potential: SurfacePotential,
}

impl Default for Transient {
    fn default() -> Self {
        Self {
            stack: Stack::default(),
            electrons: Barrier::ELECTRONS,
            holes: Barrier::HOLES,
            gate_injection: true,
            full_charge_c_per_m2: 0.04,
            surface_potential: SurfacePotential::SelfConsistent,
        }
    }
}

impl Transient {
    /// Rate of the threshold shift in V/s at a gate voltage and a shift from neutral, both in V.
    #[must_use]
    pub fn rate(&self, gate_v: f64, shift_v: f64) -> f64 {
        let stack = &self.stack;
        let effective = gate_v - stack.phi_ms_v - shift_v;
        let psi = match self.surface_potential {
            SurfacePotential::SelfConsistent => Surface::new(stack).psi_s(effective, 0.0),
            SurfacePotential::Fixed(psi) => psi,
        };
        let charge = stack.charge_for_shift(shift_v);
        let tunnel = (effective - psi) / stack.eot_m();
        let blocking = tunnel - charge / (stack.oxide_permittivity * VACUUM_PERMITTIVITY);
        let free = |occupied: f64| 1.0 - occupied.max(0.0) / self.full_charge_c_per_m2;
        let mut current = 0.0;
        if tunnel > 0.0 {
            current -= self.electrons.current_density(stack, stack.tunnel_oxide_m, tunnel) * free(-charge);
        } else {
            current += self.holes.current_density(stack, stack.tunnel_oxide_m, -tunnel) * free(charge);
        }
        if self.gate_injection {
            current -= self.electrons.current_density(stack, stack.blocking_oxide_m, -blocking);
        }
        -current / stack.top_capacitance(stack.centroid_m)
    }

    /// Threshold shifts in V from neutral at each time in s (ascending) of a pulse of `gate_v`, starting
    /// from `initial_shift_v`.
    ///
    /// # Errors
    /// [`OdeError`] when a time is not usable or the integration fails.
    pub fn threshold_shift(
        &self,
        initial_shift_v: f64,
        gate_v: f64,
        times_s: &[f64],
    ) -> Result<Vec<f64>, OdeError> {
        // Stiff once the gate injects what the channel does: the balance holds within microseconds.
        let options = ode::Options { relative: 1e-6, absolute: 1e-7, max_steps: 50_000 };
        ode::integrate_stiff(|shift| self.rate(gate_v, shift), initial_shift_v, times_s, options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reference(tunnel_nm: f64, gate_v: f64, gate_injection: bool) -> Transient {
        let psi = if gate_v > 0.0 { 0.9 } else { -0.1 };
        Transient {
            stack: Stack { tunnel_oxide_m: tunnel_nm * 1e-9, phi_ms_v: -1.0, ..Stack::default() },
            gate_injection,
            surface_potential: SurfacePotential::Fixed(psi),
            ..Transient::default()
        }
    }

    #[test]
    fn reference_transients() {
        let times = [1e-4, 1e-3, 5e-3, 1e-2, 0.1];
        let table = [
            (2.0, 8.0, [0.26, 0.74, 1.09, 1.23, 1.66]),
            (2.0, 8.5, [0.63, 1.21, 1.57, 1.72, 2.15]),
            (2.0, -8.0, [-0.03, -0.21, -0.50, -0.65, -1.11]),
            (1.8, 8.0, [0.32, 0.80, 1.14, 1.28, 1.70]),
            (1.8, -8.0, [-0.06, -0.33, -0.65, -0.79, -1.22]),
            (1.8, -8.5, [-0.25, -0.75, -1.12, -1.27, -1.71]),
        ];
        for (tunnel_nm, gate_v, expected) in table {
            let found = reference(tunnel_nm, gate_v, false).threshold_shift(0.0, gate_v, &times).unwrap();
            for ((time, shift), wanted) in times.iter().zip(found).zip(expected) {
                assert!(
                    (shift - wanted).abs() < 6e-3,
                    "{tunnel_nm} nm, {gate_v} V, {time} s: {shift} {wanted}"
                );
            }
        }
    }

    #[test]
    fn programming_is_logarithmic_in_time() {
        let transient = reference(2.0, 8.0, false);
        let found = transient.threshold_shift(0.0, 8.0, &[1e-2, 1e-1]).unwrap();
        let stack = &transient.stack;
        let field = |shift: f64| (8.0 + 1.0 - 0.9 - shift) / stack.eot_m();
        let middle = field(0.5 * (found[0] + found[1]));
        let log = |field: f64| Barrier::ELECTRONS.current_density(stack, stack.tunnel_oxide_m, field).ln();
        let steepness = (log(1.001 * middle) - log(0.999 * middle)) / (0.002 * middle);
        let expected = std::f64::consts::LN_10 * stack.eot_m() / steepness;
        assert!(((found[1] - found[0]) / expected - 1.0).abs() < 0.05, "{} {expected}", found[1] - found[0]);
    }

    #[test]
    fn gate_injection_ends_the_erase() {
        // The reference values are rounded and their surface potential is not stated: 10 mV.
        for (gate_v, saturated) in [(-8.0, -1.23), (-8.5, -1.34)] {
            let transient = reference(1.8, gate_v, true);
            let found = transient.threshold_shift(0.0, gate_v, &[1e-3, 0.1, 10.0, 1e4]).unwrap();
            assert!((found[3] - saturated).abs() < 10e-3, "{gate_v}: {found:?}");
            assert!((found[3] - found[2]).abs() < 1e-5, "{gate_v}: {found:?}");
            assert!(found.windows(2).all(|pair| pair[1] <= pair[0] + 1e-6), "never passes it: {found:?}");
            assert!(
                transient.rate(gate_v, found[3] + 1e-3) < 0.0
                    && transient.rate(gate_v, found[3] - 1e-3) > 0.0
            );
        }
    }

    #[test]
    fn self_consistent_pulses_have_the_right_sign() {
        let transient = Transient::default();
        let programmed = transient.threshold_shift(0.0, 8.5, &[5e-3]).unwrap()[0];
        let erased = transient.threshold_shift(programmed, -8.5, &[5e-2]).unwrap()[0];
        assert!((0.8..2.0).contains(&programmed), "{programmed}");
        assert!(erased < 0.0 && erased > -1.6, "{erased}");
        let unbiased = transient.threshold_shift(1.0, 0.0, &[1.0]).unwrap()[0];
        assert!((unbiased - 1.0).abs() < 0.05, "no bias, hardly any motion: {unbiased}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        /// Finite for any physical stack and pulse, and a higher program voltage never programs less.
        #[test]
        fn finite_and_monotone_in_the_gate(
            tunnel in 1.2f64..5.0, nitride in 3.0f64..15.0, blocking in 2.0f64..12.0,
            start in -1.5f64..1.5, gate_v in 0.0f64..10.0, more in 0.01f64..3.0, time in -7.0f64..2.0,
        ) {
            let stack = Stack {
                tunnel_oxide_m: 1e-9 * tunnel,
                nitride_m: 1e-9 * nitride,
                centroid_m: 0.5e-9 * nitride,
                blocking_oxide_m: 1e-9 * blocking,
                ..Stack::default()
            };
            let transient = Transient { stack, ..Transient::default() };
            let end = |gate_v: f64| {
                transient.threshold_shift(start, gate_v, &[10f64.powf(time)]).map(|shifts| shifts[0])
            };
            let (low, high) = (end(gate_v), end(gate_v + more));
            prop_assert!(low.is_ok() && high.is_ok(), "{:?} {:?}", low, high);
            let (low, high) = (low.unwrap(), high.unwrap());
            // To the tolerance of the integration, a few times 1e-6 of a volt.
            prop_assert!(low.is_finite() && high >= low - 1e-4, "{} {}", low, high);
        }
    }
}
