//! Filamentary ReRAM of Wan et al.: cells relax in both directions, so that the spread grows and the mean stays.

use super::constants::constants;
use super::{Cell, Evolution, Programmed};

const SOURCE: &str = "Wan et al., Nature 608, 504 (2022), Extended Data Fig. 3, as fitted in aihwkit 1.1";

constants! {
    /// ReRAM of Wan et al.; see [`INFO`].
    Wan {
        g_max_us: "uS", 40.0, 1e-3, 1e4, Log, Measured, SOURCE, "largest conductance; r = g/g_max";
        second_c0_us: "uS", 0.348, -2000.0, 2000.0, Linear, Fitted, SOURCE, "spread after 1 s at r = 0";
        second_c1_us: "uS", 16.030, -2000.0, 2000.0, Linear, Fitted, SOURCE, "... its part linear in r";
        second_c2_us: "uS", -43.853, -2000.0, 2000.0, Linear, Fitted, SOURCE, "... quadratic";
        second_c3_us: "uS", 45.393, -2000.0, 2000.0, Linear, Fitted, SOURCE, "... cubic";
        second_c4_us: "uS", -16.815, -2000.0, 2000.0, Linear, Fitted, SOURCE, "... quartic";
        day_c0_us: "uS", 0.701, -2000.0, 2000.0, Linear, Fitted, SOURCE, "spread after a day at r = 0";
        day_c1_us: "uS", 22.086, -2000.0, 2000.0, Linear, Fitted, SOURCE, "... its part linear in r";
        day_c2_us: "uS", -50.773, -2000.0, 2000.0, Linear, Fitted, SOURCE, "... quadratic";
        day_c3_us: "uS", 47.095, -2000.0, 2000.0, Linear, Fitted, SOURCE, "... cubic";
        day_c4_us: "uS", -16.458, -2000.0, 2000.0, Linear, Fitted, SOURCE, "... quartic";
        days_c0_us: "uS", 0.782, -2000.0, 2000.0, Linear, Fitted, SOURCE, "spread after two days at r = 0";
        days_c1_us: "uS", 20.274, -2000.0, 2000.0, Linear, Fitted, SOURCE, "... its part linear in r";
        days_c2_us: "uS", -43.507, -2000.0, 2000.0, Linear, Fitted, SOURCE, "... quadratic";
        days_c3_us: "uS", 37.062, -2000.0, 2000.0, Linear, Fitted, SOURCE, "... cubic";
        days_c4_us: "uS", -11.934, -2000.0, 2000.0, Linear, Fitted, SOURCE, "... quartic";
    }
    name: "wan",
    title: "ReRAM that relaxes in both directions: spread after 1 s, 1 d and 2 d",
    law: "g(t) = max(g_T + s(r, t) z, 0), z of the cell for good; s a quartic of r at 1 s, 1 d and 2 d, between them \
          linear in ln t (interpolation is ours, assumed; the published law has these three times alone)",
    validity: "1 s to 2 days; earlier as at 1 s, later as at 2 d; no read noise, no mean drift, no dose; \
               that a cell keeps its z is assumed",
    references: &[SOURCE],
}

/// The times of the three polynomials, s.
pub const TIMES_S: [f64; 3] = [1.0, 86_400.0, 172_800.0];

impl Wan {
    /// Standard deviation, uS, of cells of target `target_us` at a time.
    pub fn sigma_us(&self, target_us: f64, time_s: f64) -> f64 {
        let r = target_us / self.g_max_us;
        let quartic = |c: [f64; 5]| c.iter().rev().fold(0.0, |sum, c| sum * r + c).max(0.0);
        let spreads = [
            quartic([
                self.second_c0_us,
                self.second_c1_us,
                self.second_c2_us,
                self.second_c3_us,
                self.second_c4_us,
            ]),
            quartic([self.day_c0_us, self.day_c1_us, self.day_c2_us, self.day_c3_us, self.day_c4_us]),
            quartic([self.days_c0_us, self.days_c1_us, self.days_c2_us, self.days_c3_us, self.days_c4_us]),
        ];
        let ln_t = time_s.clamp(TIMES_S[0], TIMES_S[2]).ln();
        let i = usize::from(time_s > TIMES_S[1]);
        let (from, to) = (TIMES_S[i].ln(), TIMES_S[i + 1].ln());
        spreads[i] + (spreads[i + 1] - spreads[i]) * (ln_t - from) / (to - from)
    }
}

impl Cell for Wan {
    fn window_us(&self) -> [f64; 2] {
        [0.0, self.g_max_us]
    }

    fn time_max_s(&self) -> f64 {
        TIMES_S[2]
    }

    fn programmed(&self, target_us: f64) -> Programmed {
        Programmed::normal(self.sigma_us(target_us, TIMES_S[0]))
    }

    fn evolution(&self, target_us: f64, _exponent: f64, time_s: f64) -> Evolution {
        let first_us = self.sigma_us(target_us, TIMES_S[0]);
        let now_us = self.sigma_us(target_us, time_s);
        if first_us <= 0.0 {
            return Evolution { spread_us: now_us, ..Evolution::NONE };
        }
        let gain = now_us / first_us;
        Evolution { gain, offset_us: target_us * (1.0 - gain), ..Evolution::NONE }
    }
}
