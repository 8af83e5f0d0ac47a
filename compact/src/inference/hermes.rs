//! Phase-change memory of the HERMES chip: two devices in parallel, or one.

use super::constants::{constants, with_defaults};
use super::drift::{PowerDrift, clamped_log};
use super::{Cell, Evolution, Exponent, Programmed};
use crate::model::{ModelInfo, ParameterInfo};

const SOURCE: &str =
    "HERMES project chip (Le Gallo et al., Nature Electronics 6, 680, 2023), as in aihwkit 1.1";

constants! {
    /// Phase-change memory of the HERMES chip; see [`INFO`] and [`ONE`].
    Hermes {
        g_max_us: "uS", 20.7, 1e-3, 1e4, Log, Measured, SOURCE, "largest conductance; r = g/g_max";
        sigma_c0_us: "uS", 0.166_032_22, -50.0, 50.0, Linear, Fitted, SOURCE, "programming error at g = 0";
        sigma_c1_us: "uS", 4.718_064_68, -50.0, 50.0, Linear, Fitted, SOURCE, "... its part linear in r";
        sigma_c2_us: "uS", -8.481_012_52, -50.0, 50.0, Linear, Fitted, SOURCE, "... its part quadratic in r";
        sigma_c3_us: "uS", 4.689_614_19, -50.0, 50.0, Linear, Fitted, SOURCE, "... its part cubic in r";
        nu_corner: "1", 0.0945, 0.0, 1.0, Linear, Fitted, SOURCE, "r below which the mean exponent is a line in ln r";
        nu_slope: "1", -0.0387, -0.3, 0.3, Linear, Fitted, SOURCE, "mean exponent per ln r below the corner";
        nu_offset: "1", -0.0182, -0.3, 0.3, Linear, Fitted, SOURCE, "... at ln r = 0";
        nu_lower: "1", 0.0720, 0.0, 0.5, Linear, Fitted, SOURCE, "... its smallest value";
        nu_upper: "1", 0.13, 0.0, 0.5, Linear, Fitted, SOURCE, "... its largest value";
        nu_c0: "1", 0.0736, -0.5, 0.5, Linear, Fitted, SOURCE, "mean exponent above the corner, at r = 0";
        nu_c1: "1", -0.0126, -0.5, 0.5, Linear, Fitted, SOURCE, "... its part linear in r";
        nu_c2: "1", -0.0436, -0.5, 0.5, Linear, Fitted, SOURCE, "... its part quadratic in r";
        nu_std_corner: "1", 0.3055, 0.0, 1.0, Linear, Fitted, SOURCE, "r below which the spread of the exponent is a line in ln r";
        nu_std_slope: "1", -0.0117, -0.3, 0.3, Linear, Fitted, SOURCE, "spread of the exponent per ln r below the corner";
        nu_std_offset: "1", -0.0057, -0.3, 0.3, Linear, Fitted, SOURCE, "... at ln r = 0";
        nu_std_lower: "1", 0.0091, 0.0, 0.5, Linear, Fitted, SOURCE, "... its smallest value";
        nu_std_upper: "1", 0.04, 0.0, 0.5, Linear, Fitted, SOURCE, "... its largest value";
        nu_std_c0: "1", 0.0073, -0.5, 0.5, Linear, Fitted, SOURCE, "spread of the exponent above the corner, at r = 0";
        nu_std_c1: "1", 0.0093, -0.5, 0.5, Linear, Fitted, SOURCE, "... its part linear in r";
        nu_std_c2: "1", -0.0118, -0.5, 0.5, Linear, Fitted, SOURCE, "... its part quadratic in r";
        read_corner: "1", 0.16, 0.0, 1.0, Linear, Fitted, SOURCE, "r below which the read noise Q is a line in ln r";
        read_slope: "1", -0.0117, -0.3, 0.3, Linear, Fitted, SOURCE, "Q per ln r below the corner";
        read_offset: "1", -0.0069, -0.3, 0.3, Linear, Fitted, SOURCE, "... at ln r = 0";
        read_lower: "1", 0.015, 0.0, 0.5, Linear, Fitted, SOURCE, "... its smallest value";
        read_upper: "1", 0.04, 0.0, 0.5, Linear, Fitted, SOURCE, "... its largest value";
        read_c0: "1", 0.0123, -0.5, 0.5, Linear, Fitted, SOURCE, "Q above the corner, at r = 0";
        read_c1: "1", 0.0211, -0.5, 0.5, Linear, Fitted, SOURCE, "... its part linear in r";
        read_c2: "1", -0.0280, -0.5, 0.5, Linear, Fitted, SOURCE, "... its part quadratic in r";
        read_c3: "1", 0.0069, -0.5, 0.5, Linear, Fitted, SOURCE, "... its part cubic in r";
        t_0_s: "s", 300.0, 1e-3, 1e6, Log, Measured, SOURCE, "time of the first read after programming";
        read_time_s: "s", 512e-9, 1e-12, 10.0, Log, Measured, SOURCE, "duration t_r of a read";
    }
    name: "hermes",
    title: "phase-change memory of the HERMES chip, two devices in parallel",
    law: "g(t) = max(g_T + s(r) z, 0) ((t + t_0)/t_0)^-|N(mu(r), sigma(r))|, r = g_T/g_max; \
          read: g(t) Q(r) sqrt(ln((t + t_0 + t_r)/2 t_r)); s = c_0 + c_1 r + c_2 r^2 + c_3 r^3; mu, sigma and Q each \
          offset + slope ln r within lower and upper below a corner of r, and a polynomial of r above",
    validity: "states up to g_max, to a year after programming; no dose",
    references: &[SOURCE],
}

static ONE_PARAMETERS: [ParameterInfo; 32] = with_defaults(
    INFO.parameters,
    [
        10.35,
        0.157_818_17,
        2.324_439_16,
        -2.163_108_39,
        0.688_418_18,
        0.0945,
        -0.0387,
        -0.0182,
        0.0720,
        0.13,
        0.0736,
        -0.0126,
        -0.0436,
        0.3039,
        -0.0120,
        -0.0023,
        0.0124,
        0.04,
        0.0104,
        0.0116,
        -0.0165,
        0.1591,
        -0.0078,
        0.0038,
        0.0179,
        0.04,
        0.0088,
        0.0768,
        -0.1352,
        0.0664,
        200.0,
        512e-9,
    ],
);

/// The same chip with one device for a cell.
pub static ONE: ModelInfo = ModelInfo {
    name: "hermes-one",
    title: "phase-change memory of the HERMES chip, one device",
    parameters: &ONE_PARAMETERS,
    ..INFO
};

/// Below this r the logarithm is held.
const SMALLEST_R: f64 = 1e-7;

impl Hermes {
    fn drift(&self) -> PowerDrift {
        PowerDrift { t_0_s: self.t_0_s, read_time_s: self.read_time_s }
    }

    fn r(&self, conductance_us: f64) -> f64 {
        (conductance_us / self.g_max_us).max(SMALLEST_R)
    }

    /// Q, read noise relative to the conductance without its factor of time.
    pub fn read_relative(&self, programmed_us: f64) -> f64 {
        let r = self.r(programmed_us);
        let q = if r < self.read_corner {
            clamped_log(r.ln(), self.read_slope, self.read_offset, self.read_lower, self.read_upper)
        } else {
            self.read_c0 + r * (self.read_c1 + r * (self.read_c2 + r * self.read_c3))
        };
        q.max(0.0)
    }
}

impl Cell for Hermes {
    fn window_us(&self) -> [f64; 2] {
        [0.0, self.g_max_us]
    }

    fn programmed(&self, target_us: f64) -> Programmed {
        let r = target_us / self.g_max_us;
        Programmed::normal(
            self.sigma_c0_us + r * (self.sigma_c1_us + r * (self.sigma_c2_us + r * self.sigma_c3_us)),
        )
    }

    fn exponent(&self, target_us: f64) -> Exponent {
        let r = self.r(target_us);
        let mean = if r < self.nu_corner {
            clamped_log(r.ln(), self.nu_slope, self.nu_offset, self.nu_lower, self.nu_upper)
        } else {
            self.nu_c0 + r * (self.nu_c1 + r * self.nu_c2)
        };
        let std = if r < self.nu_std_corner {
            clamped_log(r.ln(), self.nu_std_slope, self.nu_std_offset, self.nu_std_lower, self.nu_std_upper)
        } else {
            self.nu_std_c0 + r * (self.nu_std_c1 + r * self.nu_std_c2)
        };
        Exponent { mean, std: std.max(0.0), folded: true }
    }

    fn evolution(&self, _target_us: f64, exponent: f64, time_s: f64) -> Evolution {
        Evolution { gain: self.drift().kept(exponent, time_s), ..Evolution::NONE }
    }

    fn read_sigma_us(&self, now_us: f64, programmed_us: f64, time_s: f64) -> f64 {
        now_us.abs() * self.read_relative(programmed_us) * self.drift().read_growth(time_s)
    }
}
