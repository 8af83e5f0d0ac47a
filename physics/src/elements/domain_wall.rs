//! A synapse whose weight is the position of a domain wall under a tunnel junction.
//!
//! G(x) = G_AP + (G_P − G_AP) x/L. A current density J moves the wall: above the depinning threshold J_th it
//! flows with μ_J (J − J_th), to which below it creep alone remains, v = v_d exp(−(U/kT)((J_th/J)^¼ − 1)), the
//! standard law with the velocity v_d at threshold as prefactor (V. Jeudy et al., Phys. Rev. Lett. 117, 057201
//! (2016)). Notches at a pitch catch the wall after each pulse. The velocity is continuous and rises with J.

use crate::constants::{BOLTZMANN, ELEMENTARY_CHARGE};
use mho_data::random::Stream;

/// The track.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Track {
    /// Length in m.
    pub length_m: f64,
    /// Conductance in S with the wall at 0.
    pub antiparallel_s: f64,
    /// Conductance in S with the wall at the end.
    pub parallel_s: f64,
    /// Flow mobility in (m/s)/(A/m²).
    pub mobility_m3_per_a_s: f64,
    /// Depinning threshold in A/m².
    pub threshold_a_per_m2: f64,
    /// Velocity in m/s at the threshold.
    pub depinning_m_per_s: f64,
    /// Pinning energy in eV of the creep law.
    pub pinning_ev: f64,
    /// Pitch of the notches in m; 0 for none.
    pub pitch_m: f64,
    /// Standard deviation in m of a displacement by a pulse (depinning noise).
    pub noise_m: f64,
}

/// A train's outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct Train {
    /// Positions in m: the start, then after each pulse.
    pub positions_m: Vec<f64>,
    /// Pulses that ran into an end of the track.
    pub clipped: usize,
    /// Pulses after which the wall was where it had been.
    pub stuck: usize,
}

impl Track {
    /// Conductance in S at a position.
    #[must_use]
    pub fn conductance_s(&self, position_m: f64) -> f64 {
        self.antiparallel_s + (self.parallel_s - self.antiparallel_s) * position_m / self.length_m
    }

    /// Velocity in m/s under a current density in A/m², odd in it.
    #[must_use]
    pub fn velocity_m_per_s(&self, density: f64, temperature_k: f64) -> f64 {
        let size = density.abs();
        if size == 0.0 {
            return 0.0;
        }
        let energy = self.pinning_ev * ELEMENTARY_CHARGE / (BOLTZMANN * temperature_k);
        let below = self.threshold_a_per_m2 / size.min(self.threshold_a_per_m2);
        let creep = self.depinning_m_per_s * (-energy * (below.powf(0.25) - 1.0)).exp();
        let flow = self.mobility_m3_per_a_s * (size - self.threshold_a_per_m2).max(0.0);
        (creep + flow).copysign(density)
    }

    /// Position of the notch nearest to a place.
    #[must_use]
    pub fn caught(&self, position_m: f64) -> f64 {
        let inside = position_m.clamp(0.0, self.length_m);
        if self.pitch_m <= 0.0 {
            return inside;
        }
        let last = (self.length_m / self.pitch_m + 1e-9).floor();
        (inside / self.pitch_m).round().min(last) * self.pitch_m
    }

    /// Drives the wall from a position by pulses of (current density in A/m², width in s). A pulse too weak
    /// to pass half a pitch leaves the wall in its notch; such pulses and those that end at an end are counted.
    #[must_use]
    pub fn drive(&self, start_m: f64, pulses: &[(f64, f64)], temperature_k: f64, stream: &Stream) -> Train {
        let mut position = self.caught(start_m);
        let mut train = Train { positions_m: vec![position], clipped: 0, stuck: 0 };
        for (index, &(density, width_s)) in pulses.iter().enumerate() {
            let pushed = self.velocity_m_per_s(density, temperature_k) * width_s;
            // Without a push nothing leaves its notch.
            let noise = if pushed == 0.0 { 0.0 } else { self.noise_m * stream.normal(index as u64) };
            let reached = position + pushed + noise;
            // The last notch takes back what overshoots by less than half a pitch.
            let slack = 0.5 * self.pitch_m;
            train.clipped += usize::from(!(-slack..=self.length_m + slack).contains(&reached));
            let rests = self.caught(reached);
            train.stuck += usize::from(rests == position);
            position = rests;
            train.positions_m.push(position);
        }
        train
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TRACK: Track = Track {
        length_m: 320e-9,
        antiparallel_s: 1e-6,
        parallel_s: 2e-6,
        mobility_m3_per_a_s: 1e-10,
        threshold_a_per_m2: 1e11,
        depinning_m_per_s: 0.5,
        pinning_ev: 0.6,
        pitch_m: 10e-9,
        noise_m: 0.0,
    };

    fn stream() -> Stream {
        Stream::new(3, &["wall"], &[])
    }

    #[test]
    fn whole_pitches_up_and_down_are_linear_and_symmetric() {
        // 3e11 A/m²: 20.5 m/s, 0.5 ns: a pitch and a little, which the notch takes back.
        let up = vec![(3e11, 0.5e-9); 32];
        let down = vec![(-3e11, 0.5e-9); 32];
        let train = TRACK.drive(0.0, &[up, down].concat(), 300.0, &stream());
        assert_eq!((train.clipped, train.stuck), (0, 0));
        for (pulse, position) in train.positions_m.iter().enumerate() {
            let steps = if pulse <= 32 { pulse } else { 64 - pulse };
            assert!((position - 10e-9 * steps as f64).abs() < 1e-18);
        }
        assert!((TRACK.conductance_s(train.positions_m[16]) - 1.5e-6).abs() < 1e-15);
    }

    #[test]
    fn weak_pulses_stay_and_long_trains_end() {
        let weak = TRACK.drive(100e-9, &[(0.5e11, 1e-9); 5], 300.0, &stream());
        assert_eq!((weak.stuck, weak.positions_m[5]), (5, weak.positions_m[0]));
        let long = TRACK.drive(300e-9, &[(3e11, 0.5e-9); 5], 300.0, &stream());
        assert_eq!((long.clipped, long.positions_m[5]), (3, 320e-9));
    }

    #[test]
    fn without_notches_the_noise_is_that_of_the_input() {
        let free = Track { pitch_m: 0.0, noise_m: 1e-9, length_m: 1.0, ..TRACK };
        let count = 4000;
        let train = free.drive(0.5, &vec![(3e11, 1e-9); count], 300.0, &stream());
        let steps: Vec<f64> = train.positions_m.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let mean = steps.iter().sum::<f64>() / count as f64;
        let variance = steps.iter().map(|step| (step - mean).powi(2)).sum::<f64>() / count as f64;
        // Four standard errors of mean and deviation.
        assert!((mean - 20.5e-9).abs() < 4.0 * 1e-9 / (count as f64).sqrt(), "{mean}");
        assert!((variance.sqrt() / 1e-9 - 1.0).abs() < 4.0 / (2.0 * count as f64).sqrt());
    }

    #[test]
    fn creep_has_its_exponent() {
        // ln v against J^(−1/4) is straight with slope −(U/kT) J_th^(1/4).
        let at = |density: f64| TRACK.velocity_m_per_s(density, 300.0).ln();
        let slope = (at(5e10) - at(2e10)) / (5e10_f64.powf(-0.25) - 2e10_f64.powf(-0.25));
        let energy = 0.6 * ELEMENTARY_CHARGE / (BOLTZMANN * 300.0);
        assert!((-slope / (energy * 1e11_f64.powf(0.25)) - 1.0).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn velocity_is_odd_and_rises(density in 0.0..1e13_f64, factor in 1.0..10.0_f64, kelvin in 100.0..500.0_f64) {
            let slow = TRACK.velocity_m_per_s(density, kelvin);
            prop_assert!(slow.is_finite() && TRACK.velocity_m_per_s(density * factor, kelvin) >= slow);
            prop_assert_eq!(TRACK.velocity_m_per_s(-density, kelvin), -slow);
        }

        #[test]
        fn the_wall_stays_on_the_track(start in -1e-6..1e-6_f64, density in -1e13..1e13_f64, width in 0.0..1e-6_f64) {
            let noisy = Track { noise_m: 5e-9, ..TRACK };
            let train = noisy.drive(start, &[(density, width); 20], 300.0, &stream());
            prop_assert!(train.positions_m.iter().all(|x| (0.0..=TRACK.length_m).contains(x)));
        }
    }
}
