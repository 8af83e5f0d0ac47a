//! Phase-change memory: programming error, drift of the conductance, read noise; and its projected form.
//!
//! G(t) = G_prog (t/t₀)^−ν, with ν drawn per device.

/// Moments of the programmed conductance and of the drift exponent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistics {
    /// Nandakumar et al. 2019 as distributed with aihwkit: 25 µS at 20 s (fitted to measurements).
    Nandakumar2019,
    /// Joshi et al., Nature Communications 11, 2473 (2020), supplementary information: 25 µS at 27.36 s
    /// (fitted to measurements; programming polynomial as in CrossSim's device file).
    Joshi2020,
}

/// Largest conductance of both sets in S.
pub const MAXIMUM_S: f64 = 25e-6;

impl Statistics {
    /// Time t₀ in s at which the programmed conductance was read.
    #[must_use]
    pub fn start_s(self) -> f64 {
        match self {
            Self::Nandakumar2019 => 20.0,
            Self::Joshi2020 => 27.36,
        }
    }

    /// Standard deviation in S after programming to a target in S.
    #[must_use]
    pub fn programming_sigma_s(self, target_s: f64) -> f64 {
        match self {
            Self::Nandakumar2019 => {
                let g = target_s / MAXIMUM_S;
                1e-6 * (-1.1731 * g * g + 1.9650 * g + 0.26348).max(0.0)
            }
            Self::Joshi2020 => {
                let g = 1e6 * target_s;
                1e-6 * (-0.001_787_67 * g * g + 0.075_857_24 * g + 0.286_385_99).max(0.0)
            }
        }
    }

    /// Mean and standard deviation of the drift exponent of a device programmed to a conductance in S.
    #[must_use]
    pub fn exponent(self, programmed_s: f64) -> (f64, f64) {
        match self {
            Self::Nandakumar2019 => {
                let g = (programmed_s / MAXIMUM_S).max(1e-9).ln();
                ((-0.0155 * g + 0.0244).clamp(0.049, 0.1), (-0.0125 * g - 0.0059).clamp(0.008, 0.045))
            }
            Self::Joshi2020 => {
                let g = 1e6 * programmed_s;
                let inner = (-0.001_69 * g + 0.0825).clamp(0.055, 0.06);
                ((-0.0045 * g + 0.08).max(inner), 1.0 / (8.0 * g + 30.032))
            }
        }
    }

    /// Standard deviation of a read over the conductance, `time_s` after programming, at a target in S.
    #[must_use]
    pub fn read_noise(self, target_s: f64, time_s: f64) -> f64 {
        /// Time of one read in s (measured; Nandakumar et al. 2019).
        const READ_S: f64 = 250e-9;
        let g = (target_s / MAXIMUM_S).powf(0.65).max(1e-3);
        let quality = (0.0088 / g).min(0.2);
        quality * ((time_s + READ_S) / (2.0 * READ_S)).ln().max(0.0).sqrt()
    }
}

/// Conductance in S at a time in s, from that at `start_s` and the drift exponent.
#[must_use]
pub fn drifted_s(programmed_s: f64, exponent: f64, time_s: f64, start_s: f64) -> f64 {
    programmed_s * (time_s.max(start_s) / start_s).powf(-exponent)
}

/// A liner of fixed conductance beside the amorphous phase (projected phase-change memory): the read current
/// passes through the liner where the material is amorphous, and the liner does not drift.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Projected {
    /// Conductance of the amorphous phase in S.
    pub amorphous_s: f64,
    /// Conductance of the crystalline phase in S.
    pub crystalline_s: f64,
    /// Conductance of the liner in S.
    pub liner_s: f64,
    /// Drift exponent of the amorphous phase.
    pub exponent: f64,
}

impl Projected {
    /// Drift exponent of both together at the start: ν G_a/(G_a + G_p).
    #[must_use]
    pub fn effective_exponent(&self) -> f64 {
        self.exponent * self.amorphous_s / (self.amorphous_s + self.liner_s)
    }

    /// Ratio of the largest to the smallest conductance; without a liner G_c/G_a.
    #[must_use]
    pub fn window(&self) -> f64 {
        (self.crystalline_s + self.liner_s) / (self.amorphous_s + self.liner_s)
    }

    /// Conductance of the amorphous state in S after a time in units of the start of the drift.
    #[must_use]
    pub fn conductance_s(&self, times_start: f64) -> f64 {
        self.liner_s + self.amorphous_s * times_start.max(1.0).powf(-self.exponent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mho_data::random::Stream;
    use mho_data::{Table, shared};

    #[test]
    fn the_reference_closed_forms() {
        let Some(path) = shared::find("golden/laws/pcm_analytic.csv") else { return };
        let table = Table::from_csv(&std::fs::read_to_string(path).unwrap(), "pcm").unwrap();
        let column = |name: &str| table.floats(name).unwrap();
        let law = Statistics::Nandakumar2019;
        for i in 0..table.len() {
            let target = 1e-6 * column("g_target_uS")[i];
            let close = |found: f64, wanted: f64| (found - wanted).abs() <= 2e-7 * wanted.abs();
            assert!(close(1e6 * law.programming_sigma_s(target), column("sigma_prog_uS")[i]));
            let (mean, sigma) = law.exponent(target);
            assert!(close(mean, column("nu_mean")[i]) && close(sigma, column("nu_std")[i]), "{target}");
            // The reference counts from the first read, the law from programming.
            let time = column("t_s")[i] + law.start_s();
            let noise = column("sigma_read_rel_at_gprog_eq_target")[i];
            assert!(close(law.read_noise(target, time), noise), "{target} {time}: {noise}");
        }
    }

    #[test]
    fn two_sets_agree_on_the_full_scale_error() {
        let [a, b] = [Statistics::Nandakumar2019, Statistics::Joshi2020]
            .map(|law| 1e6 * law.programming_sigma_s(MAXIMUM_S));
        assert!((a - 1.055).abs() < 1e-3 && (b - 1.065).abs() < 1e-3, "{a} {b}");
    }

    /// Drawn exponents have the stated moments, and the mean decay is that of a normal exponent.
    #[test]
    fn sampled_drift() {
        let stream = Stream::new(3, &["pcm"], &[]);
        let (mean, sigma) = Statistics::Nandakumar2019.exponent(12.5e-6);
        let ratio = 1e4f64;
        let count = 200_000;
        let total: f64 =
            (0..count).map(|i| drifted_s(1.0, mean + sigma * stream.normal(i), 20.0 * ratio, 20.0)).sum();
        let log = ratio.ln();
        let exact = (-mean * log + 0.5 * (sigma * log).powi(2)).exp();
        // Relative deviation of one draw is about σ ln r = 0.07; 5 standard errors.
        assert!((total / count as f64 / exact - 1.0).abs() < 5.0 * sigma * log / (count as f64).sqrt());
    }

    #[test]
    fn a_liner_trades_window_for_drift() {
        let bare = Projected { amorphous_s: 0.1e-6, crystalline_s: 20e-6, liner_s: 0.0, exponent: 0.1 };
        assert!((bare.effective_exponent() - 0.1).abs() < 1e-15 && (bare.window() - 200.0).abs() < 1e-9);
        let lined = Projected { liner_s: 0.9e-6, ..bare };
        assert!((lined.effective_exponent() - 0.01).abs() < 1e-15);
        assert!((lined.window() - 20.9).abs() < 1e-12);
        // The effective exponent is the logarithmic slope of the conductance at the start.
        let slope = -(lined.conductance_s(1.0 + 1e-6) / lined.conductance_s(1.0)).ln() / 1e-6;
        assert!((slope / lined.effective_exponent() - 1.0).abs() < 1e-3);
    }
}
