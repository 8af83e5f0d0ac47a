//! Semi-classical tunnelling (Wentzel, Kramers, Brillouin).
//!
//! ```text
//! T = exp(−S),   S = (2/ħ) ∫ √(2 m (V − E)) dx  over all x where V > E
//! ```
//!
//! On a linear piece the integral is exact, so direct tunnelling through a trapezoid, Fowler-Nordheim
//! tunnelling through a triangle, and modified Fowler-Nordheim tunnelling through oxide and nitride come
//! out of one function.

use super::barrier::{Barrier, Piece};
use crate::constants::{ELECTRON_MASS, ELEMENTARY_CHARGE, PLANCK, REDUCED_PLANCK};

/// Action S of a carrier of an energy in eV through a barrier, without dimension; zero where nothing is in
/// its way.
#[must_use]
pub fn action(barrier: &Barrier, energy_ev: f64) -> f64 {
    barrier.pieces.iter().map(|piece| through(piece, energy_ev)).sum()
}

/// Transmission exp(−S).
#[must_use]
pub fn transmission(barrier: &Barrier, energy_ev: f64) -> f64 {
    (-action(barrier, energy_ev)).exp()
}

fn through(piece: &Piece, energy_ev: f64) -> f64 {
    let scale = 4.0 / 3.0 * (2.0 * piece.mass * ELECTRON_MASS * ELEMENTARY_CHARGE).sqrt() / REDUCED_PLANCK;
    let (a, b) = (piece.left_ev - energy_ev, piece.right_ev - energy_ev);
    let (low, high) = (a.min(b), a.max(b));
    if high <= 0.0 {
        return 0.0;
    }
    // ∫√V dx = (2/3) (high^{3/2} − low^{3/2})/(high − low) · thickness; without cancellation when the piece
    // is flat, and cut where the band edge passes the energy.
    let mean = if low <= 0.0 {
        high.sqrt() * (high / (high - low))
    } else {
        (high + (high * low).sqrt() + low) / (high.sqrt() + low.sqrt())
    };
    scale * piece.thickness_m * mean
}

/// The law J = A F² exp(−S) of emission at zero temperature from an electrode with its Fermi level at 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FowlerNordheim {
    /// A = q² m₀/(8π h φ m) in A/V².
    pub prefactor_a_per_v2: f64,
    /// B in V/m, S = B/F for a carrier that leaves within the first layer.
    pub slope_v_per_m: f64,
}

impl FowlerNordheim {
    /// For a barrier of a height in eV and an effective mass over the electron mass.
    #[must_use]
    pub fn new(height_ev: f64, mass: f64) -> Self {
        let momentum = (2.0 * mass * ELECTRON_MASS * ELEMENTARY_CHARGE).sqrt();
        Self {
            prefactor_a_per_v2: ELEMENTARY_CHARGE * ELEMENTARY_CHARGE
                / (8.0 * std::f64::consts::PI * PLANCK * height_ev * mass),
            slope_v_per_m: 4.0 / 3.0 * momentum / REDUCED_PLANCK * height_ev.powf(1.5),
        }
    }
}

/// Current density in A/m² of carriers that the field of the first piece pulls out of the left electrode;
/// zero when it pushes them back.
///
/// The pre-factor is that of Fowler and Nordheim for every shape of barrier, as in
/// [`super::injection::Barrier`]: at low fields it falls with F², where the current of a direct tunnelling
/// barrier falls with F. [`super::tsu_esaki`] has no such assumption.
#[must_use]
pub fn emission(barrier: &Barrier) -> f64 {
    let Some(first) = barrier.pieces.first() else { return 0.0 };
    let field = (first.left_ev - first.right_ev) / first.thickness_m;
    if field <= 0.0 || first.left_ev <= 0.0 {
        return 0.0;
    }
    let law = FowlerNordheim::new(first.left_ev, first.mass);
    law.prefactor_a_per_v2 * field * field * transmission(barrier, 0.0)
}

#[cfg(test)]
mod tests {
    use super::super::barrier::{Layer, Stack};
    use super::super::injection;
    use super::*;
    use crate::sonos;

    fn oxide(thickness_m: f64) -> Layer {
        Layer { thickness_m, barrier_ev: 3.15, mass: 0.42, permittivity: 3.9 }
    }

    #[test]
    fn triangle_and_trapezoid_have_their_closed_forms() {
        let law = FowlerNordheim::new(3.15, 0.42);
        assert!((law.prefactor_a_per_v2 / 1.165e-6 - 1.0).abs() < 1e-3);
        assert!((law.slope_v_per_m / 2.475e10 - 1.0).abs() < 1e-3);
        // Triangle: 10 nm at 1 V/nm. Trapezoid: 2 nm.
        let field = 1e9;
        let triangle = action(&Stack::new(&[oxide(10e-9)], &[]).barrier(field), 0.0);
        assert!((triangle * field / law.slope_v_per_m - 1.0).abs() < 1e-13);
        let trapezoid = action(&Stack::new(&[oxide(2e-9)], &[]).barrier(field), 0.0);
        let closed = law.slope_v_per_m / field * (1.0 - (1.15f64 / 3.15).powf(1.5));
        assert!((trapezoid / closed - 1.0).abs() < 1e-13);
        // Rectangle: 2κd.
        let flat = action(&Stack::new(&[oxide(2e-9)], &[]).barrier(0.0), 1.0);
        let kappa = (2.0 * 0.42 * ELECTRON_MASS * ELEMENTARY_CHARGE * 2.15).sqrt() / REDUCED_PLANCK;
        assert!((flat / (2.0 * kappa * 2e-9) - 1.0).abs() < 1e-13);
    }

    /// The cell's closed form for oxide and nitride is this function on their stack.
    #[test]
    fn injection_into_nitride_is_reproduced() {
        let cell = sonos::Stack::default();
        for (carrier, hole) in [(injection::Barrier::ELECTRONS, false), (injection::Barrier::HOLES, true)] {
            for thickness in [1.5e-9, 2e-9, 4e-9] {
                let first = Layer {
                    thickness_m: thickness,
                    barrier_ev: carrier.height_v,
                    mass: carrier.oxide_mass,
                    permittivity: cell.oxide_permittivity,
                };
                let second = Layer {
                    thickness_m: cell.nitride_m,
                    barrier_ev: carrier.height_v - carrier.offset_v,
                    mass: carrier.nitride_mass,
                    permittivity: cell.nitride_permittivity,
                };
                let stack = Stack::new(&[first, second], &[]);
                for step in 1..60 {
                    let field = 5e7 * f64::from(step);
                    let closed = carrier.current_density(&cell, thickness, field);
                    let found = emission(&stack.barrier(field));
                    assert!(closed > 0.0);
                    assert!((found / closed - 1.0).abs() < 1e-10, "{hole} {thickness} {field}");
                }
            }
        }
    }

    #[test]
    fn the_field_pushes_back_from_the_left_and_pulls_from_the_right() {
        let stack = Stack::new(&[oxide(5e-9)], &[]);
        assert_eq!(emission(&stack.barrier(-1e9)), 0.0);
        assert_eq!(emission(&stack.barrier(0.0)), 0.0);
        assert_eq!(emission(&Barrier::default()), 0.0);
        assert_eq!(transmission(&stack.barrier(1e9), 3.2), 1.0);
    }

    proptest::proptest! {
        /// Dividing a piece does not change the action; neither does the direction.
        #[test]
        fn action_is_additive_and_reciprocal(
            left in -2.0..5.0f64, right in -2.0..5.0f64, cut in 0.01..0.99f64, energy in -2.0..5.0f64,
        ) {
            let whole = Piece { thickness_m: 3e-9, left_ev: left, right_ev: right, mass: 0.5 };
            let middle = left + cut * (right - left);
            let parts = [
                Piece { thickness_m: 3e-9 * cut, right_ev: middle, ..whole },
                Piece { thickness_m: 3e-9 * (1.0 - cut), left_ev: middle, ..whole },
            ];
            let whole = Barrier { pieces: vec![whole] };
            let parts = Barrier { pieces: parts.to_vec() };
            let s = action(&whole, energy);
            proptest::prop_assert!((action(&parts, energy) - s).abs() < 1e-9 * (1.0 + s));
            proptest::prop_assert!((action(&parts.reversed(), energy) - s).abs() < 1e-9 * (1.0 + s));
        }
    }
}
