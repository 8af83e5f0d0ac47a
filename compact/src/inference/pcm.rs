//! Phase-change memory in the form of Nandakumar et al.: programming error, power-law drift with an exponent of
//! each device, and 1/f read noise.

use super::constants::constants;
use super::drift::{PowerDrift, clamped_log};
use super::{Cell, Evolution, Exponent, Programmed};
use crate::model::ModelInfo;

const SOURCE: &str = "Nandakumar et al., ICECS 2019, as in aihwkit 1.1";

constants! {
    /// Phase-change memory; see [`INFO`].
    Pcm {
        g_max_us: "uS", 25.0, 1e-3, 1e4, Log, Measured, SOURCE, "largest conductance; r = g/g_max";
        sigma_c0_us: "uS", 0.26348, 0.0, 10.0, Linear, Fitted, SOURCE, "programming error at g = 0";
        sigma_c1_us: "uS", 1.9650, -20.0, 20.0, Linear, Fitted, SOURCE, "... its part linear in r";
        sigma_c2_us: "uS", -1.1731, -20.0, 20.0, Linear, Fitted, SOURCE, "... its part quadratic in r";
        nu_slope: "1", -0.0155, -0.2, 0.2, Linear, Fitted, SOURCE, "mean drift exponent per ln r";
        nu_offset: "1", 0.0244, -0.2, 0.3, Linear, Fitted, SOURCE, "mean drift exponent at r = 1, before its bounds";
        nu_lower: "1", 0.049, 0.0, 0.3, Linear, Fitted, SOURCE, "smallest mean exponent";
        nu_upper: "1", 0.1, 0.0, 0.5, Linear, Fitted, SOURCE, "largest mean exponent";
        nu_std_slope: "1", -0.0125, -0.2, 0.2, Linear, Fitted, SOURCE, "spread of the exponent per ln r";
        nu_std_offset: "1", -0.0059, -0.2, 0.3, Linear, Fitted, SOURCE, "spread of the exponent at r = 1, before its bounds";
        nu_std_lower: "1", 0.008, 0.0, 0.3, Linear, Fitted, SOURCE, "smallest spread of the exponent";
        nu_std_upper: "1", 0.045, 0.0, 0.5, Linear, Fitted, SOURCE, "largest spread of the exponent";
        t_0_s: "s", 20.0, 1e-3, 1e6, Log, Measured, SOURCE, "time of the first read after programming";
        read_factor: "1", 0.0088, 1e-6, 1.0, Log, Fitted, SOURCE, "read noise Q at r = 1";
        read_power: "1", 0.65, 0.0, 3.0, Linear, Fitted, SOURCE, "Q falls with this power of the programmed r";
        read_upper: "1", 0.2, 1e-6, 10.0, Log, Fitted, SOURCE, "largest Q";
        read_time_s: "s", 250e-9, 1e-12, 10.0, Log, Measured, SOURCE, "duration t_r of a read";
    }
    name: "pcm",
    title: "phase-change memory: programming error, drift with an exponent of each device, 1/f read noise",
    law: "g(t) = max(g_T + s(r) z, 0) ((t + t_0)/t_0)^-|N(mu(r), sigma(r))|; \
          read: g(t) Q(r) sqrt(ln((t + t_0 + t_r)/2 t_r)); s = c_0 + c_1 r + c_2 r^2, mu and sigma linear in ln r",
    validity: "states up to g_max, to a year after programming; t counts from programming; no dose",
    references: &[SOURCE, "Joshi et al., Nature Communications 11, 2473 (2020)"],
}

/// The model in the list of all.
pub const MODEL: &ModelInfo = &INFO;

/// Below this r the logarithm is held.
const SMALLEST_R: f64 = 1e-7;

impl Pcm {
    fn drift(&self) -> PowerDrift {
        PowerDrift { t_0_s: self.t_0_s, read_time_s: self.read_time_s }
    }

    /// Q, read noise relative to the conductance without its factor of time, of a cell programmed to
    /// `programmed_us`.
    pub fn read_relative(&self, programmed_us: f64) -> f64 {
        let r = (programmed_us / self.g_max_us).max(0.0);
        (self.read_factor / r.powf(self.read_power).max(1e-3)).min(self.read_upper)
    }
}

impl Cell for Pcm {
    fn window_us(&self) -> [f64; 2] {
        [0.0, self.g_max_us]
    }

    fn programmed(&self, target_us: f64) -> Programmed {
        let r = target_us / self.g_max_us;
        Programmed::normal(self.sigma_c0_us + r * (self.sigma_c1_us + r * self.sigma_c2_us))
    }

    fn exponent(&self, target_us: f64) -> Exponent {
        let ln_r = (target_us / self.g_max_us).max(SMALLEST_R).ln();
        Exponent {
            mean: clamped_log(ln_r, self.nu_slope, self.nu_offset, self.nu_lower, self.nu_upper),
            std: clamped_log(
                ln_r,
                self.nu_std_slope,
                self.nu_std_offset,
                self.nu_std_lower,
                self.nu_std_upper,
            ),
            folded: true,
        }
    }

    fn evolution(&self, _target_us: f64, exponent: f64, time_s: f64) -> Evolution {
        Evolution { gain: self.drift().kept(exponent, time_s), ..Evolution::NONE }
    }

    fn read_sigma_us(&self, now_us: f64, programmed_us: f64, time_s: f64) -> f64 {
        now_us.abs() * self.read_relative(programmed_us) * self.drift().read_growth(time_s)
    }
}
