//! Current between two electrodes with the occupation of both (Tsu and Esaki 1973).
//!
//! ```text
//! J = (q m kT/(2π²ħ³)) ∫ T(E) ln[(1 + exp((E_F1 − E)/kT)) / (1 + exp((E_F2 − E)/kT))] dE
//! ```
//!
//! over the energy E of motion across the barrier, from the higher of the two band edges upwards. The
//! momentum along the barrier is conserved, so the lighter of the two electrodes limits the number of
//! channels (assumed: parabolic bands of one valley; a number of valleys belongs into the mass).

use super::barrier::Barrier;
use super::quadrature::integrate;
use super::transfer_matrix::{self, Lead};
use super::wkb;
use crate::constants::{BOLTZMANN, ELECTRON_MASS, ELEMENTARY_CHARGE, REDUCED_PLANCK, thermal_voltage};

/// An electrode.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Electrode {
    /// Fermi level above the band edge in eV; negative for a semiconductor that is not degenerate.
    pub fermi_ev: f64,
    /// Effective mass over the electron mass.
    pub mass: f64,
}

/// How the transmission of an energy is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transmission {
    /// Semi-classical: exp(−S), one above the barrier.
    Wkb,
    /// From the wave function: with reflection above the barrier and resonances.
    TransferMatrix,
}

/// A current with what is known about its integral.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Current {
    /// Current density in A/m², positive when carriers flow from left to right.
    pub density_a_per_m2: f64,
    /// Estimate of the integration error, relative.
    pub relative_error: f64,
    /// Whether the integration reached its tolerance.
    pub converged: bool,
}

/// Relative tolerance of the integral.
const TOLERANCE: f64 = 1e-8;
/// Energies more than this many kT above both Fermi levels and the barrier carry nothing (e⁻⁴⁰).
const TAIL: f64 = 40.0;

/// Richardson constant in A/(m² K²) for an effective mass over the electron mass: q m k²/(2π²ħ³).
#[must_use]
pub fn richardson(mass: f64) -> f64 {
    let pi = std::f64::consts::PI;
    ELEMENTARY_CHARGE * mass * ELECTRON_MASS * BOLTZMANN * BOLTZMANN
        / (2.0 * pi * pi * REDUCED_PLANCK * REDUCED_PLANCK * REDUCED_PLANCK)
}

/// Current density through a barrier whose right electrode has its Fermi level `bias_v` below that of the
/// left one, which is the zero of energy.
#[must_use]
pub fn current(
    barrier: &Barrier,
    left: Electrode,
    right: Electrode,
    bias_v: f64,
    temperature_k: f64,
    method: Transmission,
) -> Current {
    let thermal = thermal_voltage(temperature_k);
    let leads = [
        Lead { edge_ev: -left.fermi_ev, mass: left.mass },
        Lead { edge_ev: -bias_v - right.fermi_ev, mass: right.mass },
    ];
    let bottom = leads[0].edge_ev.max(leads[1].edge_ev);
    let high = (0.0f64).max(-bias_v).max(barrier.top_ev());
    let top = high.max(bottom) + TAIL * thermal;
    // kT ln of the ratio of occupations, in eV.
    let supply =
        |energy: f64| thermal * (softplus(-energy / thermal) - softplus((-bias_v - energy) / thermal));
    let carried = |energy: f64| {
        let passes = match method {
            Transmission::Wkb => wkb::transmission(barrier, energy),
            Transmission::TransferMatrix => {
                transfer_matrix::transmission(barrier, leads[0], leads[1], energy)
            }
        };
        passes * supply(energy)
    };
    let mut breaks = vec![bottom, top];
    // Kinks of the transmission, and the decades of kT about the Fermi levels in which the occupation turns.
    let corners = barrier.pieces.iter().flat_map(|piece| [piece.left_ev, piece.right_ev]);
    let turns = [0.0, -bias_v]
        .into_iter()
        .flat_map(|level| [-20.0, -5.0, 0.0, 5.0, 20.0].map(|distance| level + distance * thermal));
    breaks.extend(corners.chain(turns).filter(|&energy| energy > bottom && energy < top));
    breaks.sort_by(f64::total_cmp);
    let integral = integrate(carried, &breaks, TOLERANCE);
    let per_square = richardson(left.mass.min(right.mass)) * temperature_k * temperature_k;
    Current {
        density_a_per_m2: per_square / (thermal * thermal) * integral.value,
        relative_error: if integral.value == 0.0 { 0.0 } else { integral.error / integral.value.abs() },
        converged: integral.converged,
    }
}

/// ln(1 + eˣ).
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::super::barrier::{Layer, Stack};
    use super::*;

    const METAL: Electrode = Electrode { fermi_ev: 5.0, mass: 1.0 };
    const BOTH: [Transmission; 2] = [Transmission::Wkb, Transmission::TransferMatrix];

    fn oxide(thickness_m: f64) -> Stack {
        Stack::new(&[Layer { thickness_m, barrier_ev: 3.15, mass: 0.42, permittivity: 3.9 }], &[])
    }

    fn through(stack: &Stack, bias: f64, temperature: f64, method: Transmission) -> f64 {
        let barrier = stack.barrier(stack.field_v_per_m(bias));
        let found = current(&barrier, METAL, METAL, bias, temperature, method);
        assert!(found.converged, "{bias} V: relative error {}", found.relative_error);
        found.density_a_per_m2
    }

    #[test]
    fn no_bias_no_current_and_reversed_bias_reversed_current() {
        let stack = oxide(2e-9);
        for method in BOTH {
            assert_eq!(through(&stack, 0.0, 300.0, method), 0.0);
            for bias in [0.01, 0.5, 2.0, 5.0] {
                let (there, back) =
                    (through(&stack, bias, 300.0, method), through(&stack, -bias, 300.0, method));
                assert!(there > 0.0 && (there / back + 1.0).abs() < 1e-7, "{bias}: {there} {back}");
            }
        }
    }

    /// The slope of ln(J/F²) against 1/F on a thick oxide at low temperature is −B within 2 %.
    #[test]
    fn thick_oxide_is_fowler_nordheim() {
        let law = wkb::FowlerNordheim::new(3.15, 0.42);
        let stack = oxide(8e-9);
        let log = |field: f64| {
            (through(&stack, stack.drop_v(field), 50.0, Transmission::Wkb) / (field * field)).ln()
        };
        let slope = (log(0.8e9) - log(1.2e9)) / (1.0 / 0.8e9 - 1.0 / 1.2e9);
        assert!((slope / -law.slope_v_per_m - 1.0).abs() < 0.02, "{slope}");
        // The pre-factor of the closed law is that of one mass everywhere, divided by that of the oxide;
        // here the supply has the mass 1: what remains are terms of order F/B.
        let prefactor = (log(1e9) + law.slope_v_per_m / 1e9).exp();
        assert!((prefactor / law.prefactor_a_per_v2 - 1.0).abs() < 0.15, "{prefactor}");
    }

    /// Slope of the wave function's current: oscillations of the interference remain, so 5 %.
    #[test]
    fn wave_function_has_the_same_exponent() {
        let law = wkb::FowlerNordheim::new(3.15, 0.42);
        let stack = oxide(6e-9);
        let log = |field: f64| {
            (through(&stack, stack.drop_v(field), 300.0, Transmission::TransferMatrix) / (field * field)).ln()
        };
        let slope = (log(0.7e9) - log(1.2e9)) / (1.0 / 0.7e9 - 1.0 / 1.2e9);
        assert!((slope / -law.slope_v_per_m - 1.0).abs() < 0.05, "{slope}");
    }

    /// A low, thick barrier passes what is above it: J = A* T² e^{−φ/kT} (1 − e^{−V/kT}).
    #[test]
    fn low_thick_barrier_is_richardson() {
        assert!((richardson(1.0) / 1.201_73e6 - 1.0).abs() < 1e-5);
        let layer = Layer { thickness_m: 2e-6, barrier_ev: 0.3, mass: 1.0, permittivity: 3.9 };
        let stack = Stack::new(&[layer], &[]);
        for temperature in [300.0, 400.0] {
            let thermal = thermal_voltage(temperature);
            for bias in [0.01, 0.1] {
                let found = through(&stack, bias, temperature, Transmission::Wkb);
                let exact = richardson(1.0)
                    * temperature
                    * temperature
                    * (-0.3 / thermal).exp()
                    * (1.0 - (-bias / thermal).exp());
                // Tunnelling through the tip, ∫ exp(−B₁ δ^{3/2}/F) dδ/kT = Γ(5/3) (F/B₁)^{2/3}/kT to first
                // order; the second is below 5e-4.
                let per_height = wkb::FowlerNordheim::new(1.0, 1.0).slope_v_per_m;
                let tip = 0.902_745 * (bias / 2e-6 / per_height).powf(2.0 / 3.0) / thermal;
                let exact = exact * (1.0 + tip);
                assert!((found / exact - 1.0).abs() < 5e-4, "{temperature} {bias}: {found} {exact}");
            }
        }
    }

    /// Direct tunnelling at low bias is ohmic.
    #[test]
    fn thin_barrier_is_ohmic_at_low_bias() {
        for method in BOTH {
            let stack = oxide(1e-9);
            let ratio = through(&stack, 2e-3, 300.0, method) / through(&stack, 1e-3, 300.0, method);
            assert!((ratio - 2.0).abs() < 1e-3, "{ratio}");
        }
    }

    /// A double barrier has a resonance: the current falls where the level passes below the band edge.
    #[test]
    fn double_barrier_has_negative_differential_resistance() {
        let wall = Layer { thickness_m: 2e-9, barrier_ev: 0.35, mass: 0.067, permittivity: 12.9 };
        let well = Layer { thickness_m: 5e-9, barrier_ev: -0.02, ..wall };
        let stack = Stack::new(&[wall, well, wall], &[]);
        let lead = Electrode { fermi_ev: 0.02, mass: 0.067 };
        let at = |bias: f64| {
            let barrier = stack.barrier(stack.field_v_per_m(bias));
            let found = current(&barrier, lead, lead, bias, 77.0, Transmission::TransferMatrix);
            assert!(found.converged);
            found.density_a_per_m2
        };
        let swept: Vec<f64> = (1..=40).map(|step| at(0.01 * f64::from(step))).collect();
        let peak = swept.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
        assert!(peak.0 < 38 && swept[peak.0 + 2] < 0.8 * peak.1, "peak at {} of {swept:?}", peak.0);
    }
}
