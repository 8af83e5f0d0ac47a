//! Phase-change memory: programming noise, drift and read noise of published statistics, plain and projected.
//!
//! A cell programmed to a target reaches g_p = max(0, g + σ_prog N); it then drifts as
//! g(t) = g_p ((t + t₀)/t₀)^(−ν), ν = |μ_ν + σ_ν N|, and is read as max(0, g(t) (1 + σ_r N)) with the noise of
//! a 1/f spectrum, σ_r = Q_s sqrt(ln((t + t₀ + t_r)/(2 t_r))), Q_s = min(0.0088/max(g_p^0.65, 10⁻³), 0.2), with
//! g_p in units of the largest conductance. Source of all fits: V. Joshi et al., Nature Communications 11,
//! 2473 (2020), and S. R. Nandakumar et al., IEEE ICECS 2019 (fitted to measured cells); [`Statistics`] names
//! the two published sets. Conductances in µS, times in s after programming is verified.

mod moments;

pub use moments::{Moments, moments};

use mho_data::random::Stream;

/// A published set of fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Statistics {
    /// The coefficients in units of the largest conductance that inference simulators use (t₀ = 20 s).
    Nandakumar2019,
    /// The coefficients against conductance in µS of Joshi's supplement (t₀ = 27.36 s, 25 µS).
    Joshi2020,
}

/// Pulse width in s of a read, the lower end of the noise spectrum's times (published with the fits).
pub const READ_S: f64 = 250e-9;

impl Statistics {
    /// Time t₀ in s between programming and the first conductance that counts.
    #[must_use]
    pub fn start_s(self) -> f64 {
        match self {
            Self::Nandakumar2019 => 20.0,
            Self::Joshi2020 => 27.36,
        }
    }

    /// Standard deviation in µS of programming to `target_us` of at most `max_us`.
    #[must_use]
    pub fn programming_us(self, target_us: f64, max_us: f64) -> f64 {
        let fit = match self {
            Self::Nandakumar2019 => {
                let g = target_us / max_us;
                0.26348 + g * (1.9650 - 1.1731 * g)
            }
            Self::Joshi2020 => 0.286_385_99 + target_us * (0.075_857_24 - 0.001_787_67 * target_us),
        };
        fit.max(0.0)
    }

    /// Mean of the drift exponent before its sign is dropped.
    #[must_use]
    pub fn drift_mean(self, target_us: f64, max_us: f64) -> f64 {
        match self {
            Self::Nandakumar2019 => (-0.0155 * relative(target_us, max_us).ln() + 0.0244).clamp(0.049, 0.1),
            Self::Joshi2020 => {
                let rising = (-0.00169 * target_us + 0.0825).clamp(0.055, 0.06);
                (-0.0045 * target_us + 0.08).max(rising)
            }
        }
    }

    /// Standard deviation of the drift exponent between cells.
    #[must_use]
    pub fn drift_spread(self, target_us: f64, max_us: f64) -> f64 {
        match self {
            Self::Nandakumar2019 => (-0.0125 * relative(target_us, max_us).ln() - 0.0059).clamp(0.008, 0.045),
            Self::Joshi2020 => 1.0 / (8.0 * target_us.max(0.0) + 30.032),
        }
    }
}

/// Conductance in units of the largest, kept off zero for the logarithm.
fn relative(target_us: f64, max_us: f64) -> f64 {
    (target_us / max_us).abs().max(1e-7)
}

/// Standard deviation in µS of the second read, 55.39 s after programming (Joshi 2020, fitted, 0 to 25 µS).
#[must_use]
pub fn second_noise_us(conductance_us: f64) -> f64 {
    let g = conductance_us;
    (0.1923 + g * (0.1004 + g * (-7.290e-3 + g * 1.904e-4))).max(0.0)
}

/// A kind of cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// The set of fits.
    pub statistics: Statistics,
    /// Largest conductance in µS of the phase-change element.
    pub max_us: f64,
    /// Conductance in µS of a projection liner beside the amorphous part, at whatever state; 0 for none.
    pub liner_us: f64,
}

impl Cell {
    /// Standard deviation of a read over the conductance, `time_s` after the start, for a cell programmed to
    /// `programmed_us`.
    #[must_use]
    pub fn read_noise(&self, programmed_us: f64, time_s: f64) -> f64 {
        let scale = (0.0088 / (programmed_us.max(0.0) / self.max_us).powf(0.65).max(1e-3)).min(0.2);
        let time = time_s.max(0.0) + self.statistics.start_s();
        scale * ((time + READ_S) / (2.0 * READ_S)).ln().sqrt()
    }

    /// By how much a liner reduces drift: G_a/(G_a + G_p), the share of the read current that flows through
    /// the drifting phase (derived: two conductances in parallel, of which one drifts; first order in ν ln t).
    #[must_use]
    pub fn drift_share(&self, conductance_us: f64) -> f64 {
        if self.liner_us == 0.0 {
            return 1.0;
        }
        conductance_us.max(0.0) / (conductance_us.max(0.0) + self.liner_us)
    }

    /// Ratio of the largest to the smallest conductance: (G_c + G_p)/(G_a + G_p) for an amorphous state of
    /// `smallest_us`.
    #[must_use]
    pub fn window(&self, smallest_us: f64) -> f64 {
        (self.max_us + self.liner_us) / (smallest_us + self.liner_us)
    }

    /// Mean and spread of the drift exponent before its sign is dropped, for the whole cell.
    #[must_use]
    pub fn drift(&self, target_us: f64) -> (f64, f64) {
        let share = self.drift_share(target_us);
        let law = self.statistics;
        (share * law.drift_mean(target_us, self.max_us), share * law.drift_spread(target_us, self.max_us))
    }

    /// ln((t + t₀)/t₀): by this times −ν the logarithm of the conductance changes.
    #[must_use]
    pub fn log_time(&self, time_s: f64) -> f64 {
        (time_s.max(0.0) / self.statistics.start_s()).ln_1p()
    }

    /// One cell, `index` of a stream: what it was programmed to and its drift exponent.
    #[must_use]
    pub fn program(&self, target_us: f64, stream: &Stream, index: u64) -> Programmed {
        let spread = self.statistics.programming_us(target_us, self.max_us);
        let (mean, deviation) = self.drift(target_us);
        Programmed {
            conductance_us: (target_us + spread * stream.normal(3 * index)).max(0.0),
            exponent: (mean + deviation * stream.normal(3 * index + 1)).abs(),
            noise: stream.normal(3 * index + 2),
        }
    }

    /// What a read of a programmed element returns in µS, without the liner's own conductance.
    #[must_use]
    pub fn read(&self, cell: &Programmed, time_s: f64) -> f64 {
        let drifted = cell.conductance_us * (-cell.exponent * self.log_time(time_s)).exp();
        (drifted * (1.0 + self.read_noise(cell.conductance_us, time_s) * cell.noise)).max(0.0)
    }
}

/// A programmed cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Programmed {
    /// Conductance in µS at t₀.
    pub conductance_us: f64,
    /// Drift exponent.
    pub exponent: f64,
    /// The standard normal number of its read noise: one for all times, as noise slower than the reads has it;
    /// replace it for independent reads.
    pub noise: f64,
}

/// The factor that restores the size of outputs after drift: Σ|y(t₀)|/Σ|y(t)| over a calibration batch (global
/// drift compensation, Joshi 2020); 1 when nothing is left to scale.
#[must_use]
pub fn compensation(at_start: &[f64], now: &[f64]) -> f64 {
    let size = |values: &[f64]| values.iter().map(|value| value.abs()).sum::<f64>();
    let factor = size(at_start) / size(now);
    if factor.is_finite() && factor > 0.0 { factor } else { 1.0 }
}

#[cfg(test)]
mod tests;
