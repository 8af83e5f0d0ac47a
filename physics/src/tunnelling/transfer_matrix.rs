//! Transmission from the wave function, with position-dependent mass (BenDaniel and Duke 1966).
//!
//! ```text
//! d/dx (ψ, ψ'/m) = (0 m; 2(V − E)/ħ² 0) (ψ, ψ'/m)
//! ```
//!
//! The outgoing wave of the right electrode is carried to the left, the direction in which the solution of a
//! barrier grows, so that nothing cancels. A linear piece is cut into slices much shorter than its Airy
//! length; each slice is the exponential of the fourth-order Magnus expansion, exact where the piece is
//! flat, and the error of the whole falls with the fourth power of the slice.

use super::barrier::{Barrier, Piece};
use crate::constants::{ELECTRON_MASS, ELEMENTARY_CHARGE, REDUCED_PLANCK};

/// An electrode as the wave sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lead {
    /// Band edge in eV.
    pub edge_ev: f64,
    /// Effective mass over the electron mass.
    pub mass: f64,
}

/// Slice over Airy length. Airy's function two Airy lengths on is then right to 2e-8.
const SLICE: f64 = 0.05;

/// Transmission of a carrier of an energy in eV from one electrode to the other, between 0 and 1; zero below
/// the band edge of either.
#[must_use]
pub fn transmission(barrier: &Barrier, left: Lead, right: Lead, energy_ev: f64) -> f64 {
    let (above_left, above_right) = (energy_ev - left.edge_ev, energy_ev - right.edge_ev);
    if !(above_left > 0.0 && above_right > 0.0) {
        return 0.0;
    }
    // Wave numbers over masses, in units in which ψ' over the relative mass is 1/m.
    let (k_left, k_right) = (squared(left.mass, above_left).sqrt(), squared(right.mass, above_right).sqrt());
    let (v_left, v_right) = (k_left / left.mass, k_right / right.mass);
    // Real and imaginary part of ψ and of ψ'/m of the outgoing wave e^{ikx}.
    let (mut psi, mut slope) = ([1.0, 0.0], [0.0, v_right]);
    let mut log_scale = 0.0f64;
    for piece in barrier.pieces.iter().rev() {
        back(piece, energy_ev, &mut psi, &mut slope, &mut log_scale);
    }
    // Amplitude of the incoming wave: (ψ + ψ'/(i m v))/2.
    let incoming = [0.5 * (psi[0] + slope[1] / v_left), 0.5 * (psi[1] - slope[0] / v_left)];
    let size = incoming[0] * incoming[0] + incoming[1] * incoming[1];
    (v_right / v_left / size * (-2.0 * log_scale).exp()).min(1.0)
}

/// 2 m q E/ħ² in 1/m².
fn squared(mass: f64, energy_ev: f64) -> f64 {
    2.0 * mass * ELECTRON_MASS * ELEMENTARY_CHARGE * energy_ev / (REDUCED_PLANCK * REDUCED_PLANCK)
}

/// Carries a wave from the right end of a piece to its left end.
fn back(piece: &Piece, energy_ev: f64, psi: &mut [f64; 2], slope: &mut [f64; 2], log_scale: &mut f64) {
    let rise = (piece.right_ev - piece.left_ev) / piece.thickness_m;
    let per_airy_length = squared(piece.mass, rise.abs()).cbrt();
    let count = (per_airy_length * piece.thickness_m / SLICE).ceil().clamp(1.0, 1e6);
    let step = piece.thickness_m / count;
    // Of (ψ, ψ'/m): ψ' = m (ψ'/m), (ψ'/m)' = c ψ with c = κ²/m; to the left both change sign.
    let bend = squared(1.0, rise);
    let twist = step * step * step / 12.0 * piece.mass * bend;
    for index in 0..count as usize {
        let middle = piece.right_ev - rise * step * (index as f64 + 0.5);
        let curvature = squared(1.0, middle - energy_ev);
        let (across, down) = (-step * piece.mass, -step * curvature);
        // exp of (t a; d −t): square s² = t² + a d.
        let square = twist * twist + across * down;
        let (even, odd) = hyperbolic(square);
        for part in 0..2 {
            let (p, s) = (psi[part], slope[part]);
            psi[part] = even * p + odd * (twist * p + across * s);
            slope[part] = even * s + odd * (down * p - twist * s);
        }
        let size = psi[0].abs().max(psi[1].abs());
        if !(1e-100..1e100).contains(&size) && size > 0.0 {
            for value in psi.iter_mut().chain(slope.iter_mut()) {
                *value /= size;
            }
            *log_scale += size.ln();
        }
    }
}

/// cosh √s² and sinh √s² / √s², for negative squares too.
fn hyperbolic(square: f64) -> (f64, f64) {
    if square.abs() < 1e-8 {
        return (1.0 + square / 2.0, 1.0 + square / 6.0);
    }
    let root = square.abs().sqrt();
    if square > 0.0 { (root.cosh(), root.sinh() / root) } else { (root.cos(), root.sin() / root) }
}

#[cfg(test)]
mod tests {
    use super::super::wkb;
    use super::*;

    const VACUUM: Lead = Lead { edge_ev: 0.0, mass: 1.0 };

    fn rectangle(height_ev: f64, thickness_m: f64, mass: f64) -> Barrier {
        Barrier { pieces: vec![Piece { thickness_m, left_ev: height_ev, right_ev: height_ev, mass }] }
    }

    /// T = 1/(1 + V² sinh²(κd)/(4E(V − E))) below the barrier, with sin above it.
    #[test]
    fn rectangular_barrier_is_exact() {
        for energy in [0.1, 0.5, 0.9, 1.1, 1.7, 4.0] {
            let found = transmission(&rectangle(1.0, 1e-9, 1.0), VACUUM, VACUUM, energy);
            let phase = squared(1.0, (1.0f64 - energy).abs()).sqrt() * 1e-9;
            let wave = if energy < 1.0 { phase.sinh() } else { phase.sin() };
            let exact = 1.0 / (1.0 + wave * wave / (4.0 * energy * (1.0f64 - energy).abs()));
            assert!((found / exact - 1.0).abs() < 1e-12, "{energy}: {found} {exact}");
        }
    }

    /// A step: T = 4 v₁v₂/(v₁ + v₂)² with velocities.
    #[test]
    fn step_between_masses_is_exact() {
        let right = Lead { edge_ev: 0.3, mass: 0.2 };
        let found = transmission(&Barrier::default(), VACUUM, right, 1.0);
        let (a, b) = (1.0f64, (0.7f64 / 0.2).sqrt());
        assert!((found - 4.0 * a * b / (a + b).powi(2)).abs() < 1e-14);
        assert_eq!(transmission(&Barrier::default(), VACUUM, right, 0.2), 0.0);
        assert_eq!(transmission(&Barrier::default(), VACUUM, right, f64::NAN), 0.0);
    }

    /// ψ'' = zψ from Ai(0), Ai'(0) to Ai(−2) and to Ai(1) (values of Abramowitz and Stegun, and of the
    /// Digital Library of Mathematical Functions).
    #[test]
    fn linear_potential_gives_airys_function() {
        // Unit of length 1 nm: the rise that makes its third power one.
        let rise_ev = 1.0 / squared(1.0, 1.0) / 1e-18;
        let piece = |length: f64| Piece {
            thickness_m: length * 1e-9,
            left_ev: -length * rise_ev,
            right_ev: 0.0,
            mass: 1.0,
        };
        let (mut psi, mut slope, mut scale) =
            ([0.355_028_053_887_817_2, 0.0], [-0.258_819_403_792_806_8e9, 0.0], 0.0);
        back(&piece(2.0), 0.0, &mut psi, &mut slope, &mut scale);
        assert!((psi[0] - 0.227_407_428_201_685_6).abs() < 3e-8, "{}", psi[0]);
        // Towards positive z: mirror the axis, which changes the sign of the derivative.
        let mirrored = Piece { thickness_m: 1e-9, left_ev: rise_ev, right_ev: 0.0, mass: 1.0 };
        let (mut psi, mut slope) = ([0.355_028_053_887_817_2, 0.0], [0.258_819_403_792_806_8e9, 0.0]);
        back(&mirrored, 0.0, &mut psi, &mut slope, &mut scale);
        assert!((psi[0] - 0.135_292_416_312_881_4).abs() < 3e-8, "{}", psi[0]);
    }

    #[test]
    fn thick_barriers_neither_overflow_nor_lose_reciprocity() {
        let lead = Lead { edge_ev: -1.0, mass: 0.5 };
        let slope = |thickness_m: f64| Barrier {
            pieces: vec![Piece { thickness_m, left_ev: 3.0, right_ev: 2.0, mass: 0.4 }],
        };
        for thickness in [1e-9, 5e-9, 20e-9, 60e-9] {
            let there = transmission(&slope(thickness), lead, VACUUM, 0.5);
            let back = transmission(&slope(thickness).reversed(), VACUUM, lead, 0.5);
            assert!(there >= 0.0 && there.is_finite());
            assert!((there - back).abs() <= 1e-9 * there);
            if thickness < 30e-9 {
                // The exponent is that of the semi-classical action; the factor before it is of order one.
                let ratio = there.ln() + wkb::action(&slope(thickness), 0.5);
                assert!(ratio.abs() < 3.0, "{thickness}: {ratio}");
            }
        }
    }
}
