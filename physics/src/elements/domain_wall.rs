//! A synapse that is a domain wall in a track under a tunnel junction: the conductance follows the wall.
//!
//! G(x) = G_AP + (G_P − G_AP) x/L. Above the threshold current density the wall flows, v = µ_J (J − J_th);
//! below it creeps, v = v₀ exp(−(U/kT) ((J_th/J)^{1/4} − 1)), continuous with the flow where it begins.
//! Notches hold the wall at multiples of their pitch once the pulse is over.

use crate::constants::thermal_voltage;
use mho_data::random::Stream;

/// A track.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Track {
    /// Length in m.
    pub length_m: f64,
    /// Mobility µ_J in m³/(A s): velocity per current density above the threshold.
    pub mobility: f64,
    /// Threshold current density in A/m².
    pub threshold_a_per_m2: f64,
    /// Energy of creep in eV.
    pub creep_ev: f64,
    /// Velocity in m/s with which creep meets the threshold.
    pub creep_m_per_s: f64,
    /// Distance of the notches in m; zero for none.
    pub pitch_m: f64,
    /// Standard deviation in m of where a pulse leaves the wall.
    pub depinning_sigma_m: f64,
    /// Conductance in S with the wall at zero (antiparallel).
    pub least_s: f64,
    /// Conductance in S with the wall at the end (parallel).
    pub most_s: f64,
    /// Temperature in K.
    pub temperature_k: f64,
}

impl Track {
    /// Velocity in m/s at a current density in A/m²; odd in it.
    #[must_use]
    pub fn velocity_m_per_s(&self, current_a_per_m2: f64) -> f64 {
        let size = current_a_per_m2.abs();
        if size == 0.0 {
            return 0.0;
        }
        let speed = if size >= self.threshold_a_per_m2 {
            self.creep_m_per_s + self.mobility * (size - self.threshold_a_per_m2)
        } else {
            let barrier = self.creep_ev / thermal_voltage(self.temperature_k);
            self.creep_m_per_s * (-barrier * ((self.threshold_a_per_m2 / size).powf(0.25) - 1.0)).exp()
        };
        speed.copysign(current_a_per_m2)
    }

    /// Conductance in S with the wall at a position in m.
    #[must_use]
    pub fn conductance_s(&self, position_m: f64) -> f64 {
        self.least_s + (self.most_s - self.least_s) * position_m / self.length_m
    }

    /// Where a wall at `position_m` is after a pulse. The draw `normal` is a standard normal; notches catch
    /// the wall at the nearest of them, the ends stop it.
    #[must_use]
    pub fn after_pulse(&self, position_m: f64, current_a_per_m2: f64, duration_s: f64, normal: f64) -> f64 {
        let travelled = self.velocity_m_per_s(current_a_per_m2) * duration_s;
        // A pulse that does not free the wall from its notch adds no noise either.
        let noise = if travelled.abs() > 0.5 * self.pitch_m { self.depinning_sigma_m * normal } else { 0.0 };
        let free = position_m + travelled + noise;
        let held = if self.pitch_m > 0.0 { (free / self.pitch_m).round() * self.pitch_m } else { free };
        held.clamp(0.0, self.length_m)
    }

    /// Positions in m before and after each of a train of pulses (current density in A/m², duration in s).
    #[must_use]
    pub fn train(&self, start_m: f64, pulses: &[(f64, f64)], stream: &Stream) -> Vec<f64> {
        let mut positions = vec![start_m];
        let mut now = start_m;
        for (index, &(current, duration)) in pulses.iter().enumerate() {
            now = self.after_pulse(now, current, duration, stream.normal(index as u64));
            positions.push(now);
        }
        positions
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn track() -> Track {
        Track {
            length_m: 400e-9,
            mobility: 1e-10,
            threshold_a_per_m2: 1e11,
            creep_ev: 0.5,
            creep_m_per_s: 0.1,
            pitch_m: 10e-9,
            depinning_sigma_m: 0.0,
            least_s: 1e-6,
            most_s: 2e-6,
            temperature_k: 300.0,
        }
    }

    /// Equal pulses move the wall by equal steps, up and down alike, to within a notch.
    #[test]
    fn updates_are_linear_and_symmetric() {
        let track = track();
        let step = 2e11;
        let pulses: Vec<(f64, f64)> =
            (0..30).map(|i| (if i < 15 { step } else { -step }, 1e-9 + 0.1e-9)).collect();
        let positions = track.train(100e-9, &pulses, &Stream::new(1, &["wall"], &[]));
        for (i, position) in positions.iter().enumerate().take(16) {
            let straight = 100e-9 + track.velocity_m_per_s(step) * 1.1e-9 * i as f64;
            assert!((position - straight).abs() <= (i + 1) as f64 * 0.5 * track.pitch_m + 1e-15);
            assert!((positions[30 - i] - position).abs() < 1e-15, "the way back is the way up");
        }
        let up = positions[15] - positions[0];
        assert!((positions[8] - positions[0] - up * 8.0 / 15.0).abs() < track.pitch_m);
    }

    proptest! {
        #[test]
        fn velocity_is_odd_and_monotone(current in 1e6..1e12f64, more in 1.0..3.0f64) {
            let track = track();
            let (a, b) = (track.velocity_m_per_s(current), track.velocity_m_per_s(more * current));
            prop_assert!(a >= 0.0 && b >= a);
            prop_assert_eq!(track.velocity_m_per_s(-current), -a);
        }

        #[test]
        fn the_wall_stays_on_the_track(current in -1e13..1e13f64, time in 0.0..1e-6f64, normal in -6.0..6.0f64) {
            let track = Track { depinning_sigma_m: 5e-9, ..track() };
            let position = track.after_pulse(200e-9, current, time, normal);
            prop_assert!((0.0..=track.length_m).contains(&position));
            let conductance = track.conductance_s(position);
            prop_assert!((track.least_s..=track.most_s).contains(&conductance));
        }
    }

    #[test]
    fn creep_meets_flow() {
        let track = track();
        let (below, above) = (track.velocity_m_per_s(0.999_999e11), track.velocity_m_per_s(1.000_001e11));
        assert!((below / above - 1.0).abs() < 1e-3);
    }
}
