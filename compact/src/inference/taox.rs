//! Tantalum-oxide ReRAM: an error that is parabolic in the state, and a relaxation in the shape of CMO/HfOx.

use super::constants::constants;
use super::{Cell, Evolution, Programmed};

const NOTES: &str = "design notes B.1: parabolic, least at small conductance; coefficients not published";
const SHAPE: &str = "shape of the CMO/HfOx law, scaled to g_max (design notes B.1)";

constants! {
    /// Tantalum-oxide ReRAM; see [`INFO`].
    Taox {
        g_max_us: "uS", 100.0, 1e-3, 1e5, Log, Assumed, NOTES, "largest conductance";
        on_off: "1", 10.0, 1.0, 1e6, Log, Assumed, NOTES, "largest over smallest conductance";
        error_constant: "1", 0.002, -0.5, 0.5, Linear, Assumed, NOTES, "programming error over g_max at r = 0";
        error_linear: "1", 0.0, -1.0, 1.0, Linear, Assumed, NOTES, "... its part linear in r";
        error_square: "1", 0.02, -1.0, 1.0, Linear, Assumed, NOTES, "... its part quadratic in r";
        shift_per_decade: "1", 0.002_277, 0.0, 0.5, Linear, Assumed, SHAPE, "mean shift downwards over g_max, per decade of time, at r = 1";
        relax_per_decade: "1", 0.004_3, 0.0, 0.5, Linear, Assumed, SHAPE, "spread of the relaxation over g_max, after a decade of time";
        t_0_s: "s", 1.0, 1e-6, 1e6, Log, Assumed, SHAPE, "time at which the relaxation becomes logarithmic";
    }
    name: "taox",
    title: "tantalum-oxide ReRAM: parabolic programming error, relaxation with log t",
    law: "g(t) = clip(g_T + g_max (a_0 + a_1 r + a_2 r^2) z_1 - g_max r d log10(1 + t/t_0) \
          + g_max s sqrt(log10(1 + t/t_0)) z_2), r = g_T/g_max, not below 0; targets from g_max/on_off; \
          z_2 of the cell for good",
    validity: "assumed numbers: fit them to measured cells before use; no read noise, no dose",
    references: &[NOTES, SHAPE],
}

impl Taox {
    fn error_us(&self, target_us: f64) -> f64 {
        let r = target_us / self.g_max_us;
        self.g_max_us * (self.error_constant + r * (self.error_linear + r * self.error_square)).max(0.0)
    }
}

impl Cell for Taox {
    fn window_us(&self) -> [f64; 2] {
        [self.g_max_us / self.on_off, self.g_max_us]
    }

    fn programmed(&self, target_us: f64) -> Programmed {
        Programmed::normal(self.error_us(target_us))
    }

    fn evolution(&self, target_us: f64, _exponent: f64, time_s: f64) -> Evolution {
        let decades = (time_s.max(0.0) / self.t_0_s).ln_1p() / std::f64::consts::LN_10;
        Evolution {
            offset_us: -target_us * self.shift_per_decade * decades,
            spread_us: self.g_max_us * self.relax_per_decade * decades.sqrt(),
            ..Evolution::NONE
        }
    }
}
