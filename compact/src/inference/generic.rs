//! Errors of no device in particular: independent of the state, proportional to it, inverse to it, parabolic; with a
//! power-law drift and read noise where wanted.

use super::constants::{constants, with_defaults, with_lower};
use super::drift::PowerDrift;
use super::{Cell, Evolution, Exponent, Programmed, Shape};
use crate::model::{ModelInfo, ParameterInfo};

const ASSUMED: &str = "assumed: a round number to study sensitivities with";

constants! {
    /// A cell of no device in particular; see [`INFO`], [`PROPORTIONAL`], [`INVERSE`], [`PARABOLIC`] and
    /// [`STATE_INDEPENDENT`].
    Generic {
        g_max_us: "uS", 25.0, 1e-6, 1e6, Log, Assumed, ASSUMED, "largest conductance; r = g/g_max";
        error_constant: "1", 0.02, 0.0, 10.0, Linear, Assumed, ASSUMED, "error over g_max that no state changes";
        error_linear: "1", 0.0, -10.0, 10.0, Linear, Assumed, ASSUMED, "error over the conductance";
        error_square: "1", 0.0, -10.0, 10.0, Linear, Assumed, ASSUMED, "part of the error quadratic in r";
        error_inverse: "1", 0.0, 0.0, 10.0, Linear, Assumed, ASSUMED, "error over g_max, times r (0 at r = 0)";
        uniform: "1", 0.0, 0.0, 1.0, Linear, Assumed, ASSUMED, "1: errors even between half the size on either side, 0: normal";
        nu_mean: "1", 0.0, -1.0, 1.0, Linear, Assumed, ASSUMED, "mean drift exponent";
        nu_std: "1", 0.0, 0.0, 1.0, Linear, Assumed, ASSUMED, "its spread from cell to cell";
        t_0_s: "s", 20.0, 1e-6, 1e6, Log, Assumed, ASSUMED, "time of the first read after programming";
        read_error: "1", 0.0, 0.0, 10.0, Linear, Assumed, ASSUMED, "read noise over g_max, without its factor of time";
        read_time_s: "s", 250e-9, 1e-12, 10.0, Log, Assumed, ASSUMED, "duration t_r of a read";
    }
    name: "generic-independent",
    title: "error that no state changes",
    law: "g(t) = max(g_T + g_max (c_0 + c_1 r + c_2 r^2 + c_-1/r) z, 0) ((t + t_0)/t_0)^-|N(mu, sigma)|, z normal or \
          even in [-1/2, 1/2]; read: g_max q sqrt(ln((t + t_0 + t_r)/2 t_r))",
    validity: "any state; no dose",
    references: &["design notes, CrossSim 2.1 and device laws (state-independent model)"],
}

macro_rules! variety {
    ($(#[$doc:meta])* $info:ident, $parameters:ident, $name:literal, $title:literal, $defaults:expr) => {
        static $parameters: [ParameterInfo; 11] = with_defaults(INFO.parameters, $defaults);
        $(#[$doc])*
        pub static $info: ModelInfo =
            ModelInfo { name: $name, title: $title, parameters: &$parameters, ..INFO };
    };
}

variety!(
    /// An error proportional to the state.
    PROPORTIONAL, PROPORTIONAL_PARAMETERS, "generic-proportional", "error proportional to the state",
    [25.0, 0.0, 0.05, 0.0, 0.0, 0.0, 0.0, 0.0, 20.0, 0.0, 250e-9]
);
variety!(
    /// An error inverse to the state.
    INVERSE, INVERSE_PARAMETERS, "generic-inverse", "error inverse to the state",
    [25.0, 0.0, 0.0, 0.0, 0.005, 0.0, 0.0, 0.0, 20.0, 0.0, 250e-9]
);
/// A constant below 0 is allowed: where it is that of a parabola through larger states, it is no spread of its own. A
/// bound at 0, as of an error that stands alone, would cut the profiles of the other two short.
static PARABOLIC_PARAMETERS: [ParameterInfo; 11] = with_lower(
    with_defaults(INFO.parameters, [1.0, 0.01, 0.02, 0.2, 0.0, 0.0, 0.0, 0.0, 20.0, 0.0, 250e-9]),
    1,
    -10.0,
);

/// A parabolic error (CrossSim v2: 10 nS + 0.02 g + 2e-4 g^2/nS up to 1000 nS).
pub static PARABOLIC: ModelInfo = ModelInfo {
    name: "generic-parabolic",
    title: "error parabolic in the state",
    parameters: &PARABOLIC_PARAMETERS,
    ..INFO
};

variety!(
    /// The state-independent model of aihwkit: 0.2 uS, exponent 0.1 +- 0.05; its read noise is that of pcm at g_max.
    STATE_INDEPENDENT, STATE_INDEPENDENT_PARAMETERS, "state-independent",
    "error, drift and read noise that no state changes",
    [25.0, 0.008, 0.0, 0.0, 0.0, 0.0, 0.1, 0.05, 20.0, 0.0088, 250e-9]
);

impl Generic {
    fn drift(&self) -> PowerDrift {
        PowerDrift { t_0_s: self.t_0_s, read_time_s: self.read_time_s }
    }
}

impl Cell for Generic {
    fn window_us(&self) -> [f64; 2] {
        [0.0, self.g_max_us]
    }

    fn programmed(&self, target_us: f64) -> Programmed {
        let r = target_us / self.g_max_us;
        let inverse = if r > 0.0 { self.error_inverse / r } else { 0.0 };
        let size = self.error_constant + r * (self.error_linear + r * self.error_square) + inverse;
        let size_us = self.g_max_us * size.max(0.0);
        if self.uniform > 0.5 {
            // Standard deviation of an even distribution of width 1.
            Programmed { sigma_us: size_us / 12_f64.sqrt(), shape: Shape::Uniform }
        } else {
            Programmed::normal(size_us)
        }
    }

    fn exponent(&self, _target_us: f64) -> Exponent {
        Exponent { mean: self.nu_mean, std: self.nu_std, folded: true }
    }

    fn evolution(&self, _target_us: f64, exponent: f64, time_s: f64) -> Evolution {
        Evolution { gain: self.drift().kept(exponent, time_s), ..Evolution::NONE }
    }

    fn read_sigma_us(&self, _now_us: f64, _programmed_us: f64, time_s: f64) -> f64 {
        self.g_max_us * self.read_error * self.drift().read_growth(time_s)
    }
}
