//! CMO/HfOx ReRAM: precise programming, then a shift of the mean and a relaxation that both go with ln t.

use super::constants::{constants, with_defaults};
use super::{Cell, Evolution, Programmed};
use crate::model::{ModelInfo, ParameterInfo};

const SOURCE: &str = "IBM Zurich CMO/HfOx ReRAM, as fitted in aihwkit 1.1";

constants! {
    /// CMO/HfOx ReRAM; see [`INFO`] and [`COARSE`].
    Cmo {
        g_min_us: "uS", 9.0, 0.0, 1e4, Linear, Measured, SOURCE, "smallest conductance";
        g_max_us: "uS", 90.0, 1e-3, 1e5, Log, Measured, SOURCE, "largest conductance";
        sigma_offset_us: "uS", 0.000_811_07, -1.0, 1.0, Linear, Fitted, SOURCE, "programming error at g = 0";
        sigma_slope: "1", 0.001_068_79, 0.0, 1.0, Linear, Fitted, SOURCE, "programming error per conductance";
        shift_us: "uS", 0.089_002_06, -10.0, 10.0, Linear, Fitted, SOURCE, "mean shift downwards per e-fold of time";
        relax_offset_us: "uS", 0.411_833_42, 0.0, 10.0, Linear, Fitted, SOURCE, "spread of the relaxation after 1 s";
        relax_slope_us: "uS", 0.042_011_37, -10.0, 10.0, Linear, Fitted, SOURCE, "... its growth per e-fold of time";
        read_factor_us: "uS", 0.027_731_648_3, 0.0, 10.0, Linear, Fitted, SOURCE, "read noise per log10(g/uS)";
        read_time_s: "s", 1e-6, 1e-12, 10.0, Log, Measured, SOURCE, "duration t_r of a read";
    }
    name: "cmo",
    title: "CMO/HfOx ReRAM programmed to within 0.2 %: shift and relaxation with ln t, read noise",
    law: "g(t) = clip(g_T + s(g_T) z_1 - a ln t + (b + c ln t) z_2), z_2 of the cell for good; \
          read: q log10(g) sqrt(ln((t + t_r)/2 t_r)). Up to 1 s no shift, and the variance of the relaxation grows \
          in proportion to t (assumed: the published ln t would raise cells and have negative spreads there)",
    validity: "9 to 90 uS, 1 s to a day; no dose; that a cell keeps its z_2 is assumed",
    references: &[SOURCE],
}

static COARSE_PARAMETERS: [ParameterInfo; 9] = with_defaults(
    INFO.parameters,
    [
        9.0,
        90.0,
        0.011_218_539_1,
        0.011_290_274_18,
        0.089_002_06,
        0.411_833_42,
        0.042_011_37,
        0.027_731_648_3,
        1e-6,
    ],
);

/// The same cells programmed to within 2 %.
pub static COARSE: ModelInfo = ModelInfo {
    name: "cmo-coarse",
    title: "CMO/HfOx ReRAM programmed to within 2 %: shift and relaxation with ln t, read noise",
    parameters: &COARSE_PARAMETERS,
    ..INFO
};

impl Cell for Cmo {
    fn window_us(&self) -> [f64; 2] {
        [self.g_min_us, self.g_max_us]
    }

    fn time_max_s(&self) -> f64 {
        86_400.0
    }

    fn programmed(&self, target_us: f64) -> Programmed {
        Programmed::normal(self.sigma_offset_us + self.sigma_slope * target_us)
    }

    fn evolution(&self, _target_us: f64, _exponent: f64, time_s: f64) -> Evolution {
        if time_s <= 0.0 {
            return Evolution::NONE;
        }
        let ln_t = time_s.max(1.0).ln();
        Evolution {
            offset_us: -self.shift_us * ln_t,
            spread_us: (self.relax_offset_us + self.relax_slope_us * ln_t).max(0.0) * time_s.min(1.0).sqrt(),
            lower_us: self.g_min_us,
            upper_us: self.g_max_us.max(self.g_min_us),
            ..Evolution::NONE
        }
    }

    fn read_sigma_us(&self, now_us: f64, _programmed_us: f64, time_s: f64) -> f64 {
        let growth = ((time_s.max(0.0) + self.read_time_s) / (2.0 * self.read_time_s)).ln().max(0.0).sqrt();
        self.read_factor_us * now_us.log10().max(0.0) * growth
    }
}
