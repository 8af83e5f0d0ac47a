//! Phase-change memory in the form of Joshi et al.: two independent errors, one at the first read and one soon
//! after, around a power law.

use super::constants::constants;
use super::{Cell, Evolution, Exponent, Programmed};

const SOURCE: &str =
    "Joshi et al., Nature Communications 11, 2473 (2020), Fig. 3b and SI note 2, as fitted in CrossSim";

constants! {
    /// Phase-change memory after Joshi et al.; see [`INFO`].
    Joshi {
        g_max_us: "uS", 25.0, 1e-3, 1e4, Log, Measured, SOURCE, "largest conductance";
        sigma_c0_us: "uS", 0.286_385_99, -10.0, 10.0, Linear, Fitted, SOURCE, "programming error at g = 0";
        sigma_c1: "1", 0.075_857_24, -2.0, 2.0, Linear, Fitted, SOURCE, "... its part linear in g";
        sigma_c2_per_us: "1/uS", -0.001_787_67, -0.2, 0.2, Linear, Fitted, SOURCE, "... its part quadratic in g";
        late_c0_us: "uS", 0.1923, -10.0, 10.0, Linear, Fitted, SOURCE, "second error at g = 0";
        late_c1: "1", 0.1004, -2.0, 2.0, Linear, Fitted, SOURCE, "... its part linear in g";
        late_c2_per_us: "1/uS", -7.290e-3, -0.2, 0.2, Linear, Fitted, SOURCE, "... its part quadratic in g";
        late_c3_per_us2: "1/uS^2", 1.904e-4, -0.01, 0.01, Linear, Fitted, SOURCE, "... its part cubic in g";
        nu_low_offset: "1", 0.08, 0.0, 0.3, Linear, Fitted, SOURCE, "mean exponent at g = 0";
        nu_low_slope_per_us: "1/uS", -0.0045, -0.1, 0.1, Linear, Fitted, SOURCE, "... its slope at small g";
        nu_plateau: "1", 0.06, 0.0, 0.3, Linear, Fitted, SOURCE, "mean exponent at medium g";
        nu_high_offset: "1", 0.0825, 0.0, 0.3, Linear, Fitted, SOURCE, "line of the mean exponent at large g, at g = 0";
        nu_high_slope_per_us: "1/uS", -0.00169, -0.1, 0.1, Linear, Fitted, SOURCE, "... its slope";
        nu_high_lower: "1", 0.055, 0.0, 0.3, Linear, Fitted, SOURCE, "mean exponent at the largest g";
        nu_std_slope_per_us: "1/uS", 8.0, 0.0, 1e3, Linear, Fitted, SOURCE, "inverse spread of the exponent, per conductance";
        nu_std_offset: "1", 30.0320, 1.0, 1e4, Log, Fitted, SOURCE, "inverse spread of the exponent at g = 0";
        t_ref_s: "s", 20.0, 1e-3, 1e6, Log, Measured, SOURCE, "time to which targets refer";
        t_first_s: "s", 27.36, 1e-3, 1e6, Log, Measured, SOURCE, "T_0, time of the first read";
        t_late_s: "s", 55.39, 1e-3, 1e6, Log, Measured, SOURCE, "T_1, time at which the second error is complete";
    }
    name: "pcm-joshi",
    title: "phase-change memory with a second error soon after programming",
    law: "g(T_0) = g (T_0/20 s)^-nu + s_0 z_1; g(T_1) = g(T_0) (T_1/T_0)^-nu + s_1 z_2; g(t) = g(T_1) (t/T_1)^-nu, \
          nu = N(mu(g), 1/(8 g + 30)); before T_0 as at T_0, between T_0 and T_1 the variance of the second error \
          grows with ln t (assumed)",
    validity: "0.25 to 25 uS, from 27 s after programming; read noise is not part of it; no dose",
    references: &[SOURCE],
}

impl Cell for Joshi {
    fn window_us(&self) -> [f64; 2] {
        [0.0, self.g_max_us]
    }

    fn programmed(&self, target_us: f64) -> Programmed {
        Programmed::normal(self.sigma_c0_us + target_us * (self.sigma_c1 + target_us * self.sigma_c2_per_us))
    }

    fn exponent(&self, target_us: f64) -> Exponent {
        let high = (self.nu_high_slope_per_us * target_us + self.nu_high_offset).max(self.nu_high_lower);
        let low = self.nu_low_slope_per_us * target_us + self.nu_low_offset;
        Exponent {
            mean: low.max(high.min(self.nu_plateau)),
            std: 1.0 / (self.nu_std_slope_per_us * target_us.max(0.0) + self.nu_std_offset),
            folded: false,
        }
    }

    fn evolution(&self, target_us: f64, exponent: f64, time_s: f64) -> Evolution {
        let time_s = time_s.max(self.t_first_s);
        let kept = |from_s: f64, to_s: f64| (to_s / from_s).powf(-exponent);
        let gain = kept(self.t_first_s, time_s);
        let g = target_us;
        let late_us =
            self.late_c0_us + g * (self.late_c1 + g * (self.late_c2_per_us + g * self.late_c3_per_us2));
        let complete =
            ((time_s / self.t_first_s).ln() / (self.t_late_s / self.t_first_s).ln()).clamp(0.0, 1.0);
        Evolution {
            gain,
            offset_us: gain * target_us * (kept(self.t_ref_s, self.t_first_s) - 1.0),
            spread_us: late_us.max(0.0) * complete.sqrt() * kept(self.t_late_s, time_s.max(self.t_late_s)),
            ..Evolution::NONE
        }
    }
}
