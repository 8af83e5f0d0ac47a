//! What an instrument makes of a current: ranges, gain errors, noise, resolution and compliance.

use mho_data::random::Stream;

/// Current limit of the sweeps in A.
pub const COMPLIANCE_A: f64 = 100e-6;
/// Noise of the most sensitive range in A.
pub const NOISE_FLOOR_A: f64 = 1e-12;
/// Most sensitive range in A.
const SMALLEST_RANGE_A: f64 = 10e-9;
/// Noise of a range as a fraction of its full scale (assumed; a fast measurement of a parameter analyser).
const NOISE_OF_RANGE: f64 = 1e-4;
/// Resolution of a range as a fraction of its full scale.
const RESOLUTION_OF_RANGE: f64 = 1e-5;
/// Largest gain error of a range (assumed; a data-sheet limit of 1 %).
const GAIN_LIMIT: f64 = 0.01;

/// A current reading.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// Reading in A; may be negative near the floor.
    pub current_a: f64,
    /// Whether the current limit was reached.
    pub compliance: bool,
}

/// An instrument with gain errors of its own, fixed by its stream.
#[derive(Debug, Clone, Copy)]
pub struct Instrument {
    gains: Stream,
    noise: Stream,
}

impl Instrument {
    /// Instrument of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            gains: Stream::new(seed, &["synthetic", "instrument", "gain"], &[]),
            noise: Stream::new(seed, &["synthetic", "instrument", "noise"], &[]),
        }
    }

    /// Reading number `index` of a true current in A: autoranged by decades, with the gain error of the
    /// range, its noise and its resolution.
    #[must_use]
    pub fn read(&self, current_a: f64, index: u64) -> Reading {
        if current_a >= COMPLIANCE_A {
            return Reading { current_a: COMPLIANCE_A, compliance: true };
        }
        let mut range = SMALLEST_RANGE_A;
        let mut number = 0;
        while current_a.abs() > range {
            range *= 10.0;
            number += 1;
        }
        let gain = (0.5 * GAIN_LIMIT * self.gains.normal(number)).clamp(-GAIN_LIMIT, GAIN_LIMIT);
        let noisy = current_a * (1.0 + gain) + NOISE_OF_RANGE * range * self.noise.normal(index);
        let digit = RESOLUTION_OF_RANGE * range;
        // Adding zero turns a negative zero into the zero that an instrument prints.
        Reading { current_a: (noisy / digit).round() * digit + 0.0, compliance: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_gain_and_compliance() {
        let instrument = Instrument::new(1);
        let n = 4000;
        let floor: Vec<f64> = (0..n).map(|i| instrument.read(0.0, i).current_a).collect();
        let rms = (floor.iter().map(|x| x * x).sum::<f64>() / n as f64).sqrt();
        assert!((rms / NOISE_FLOOR_A - 1.0).abs() < 0.05, "{rms}");
        let mean = (0..n).map(|i| instrument.read(5e-7, i).current_a).sum::<f64>() / n as f64;
        assert!((mean / 5e-7 - 1.0).abs() < GAIN_LIMIT + 1e-4);
        assert!(instrument.read(2e-4, 0).compliance);
        assert!(!instrument.read(9e-5, 0).compliance);
    }
}
