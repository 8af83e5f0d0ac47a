//! The exponential step, whose ramp is logarithmic.

use super::info::{NOTES, STEP_DOWN, STEP_UP, scale};
use super::law::{Cell, PulseLaw};
use super::number::Number;
use crate::model::ModelInfo;

/// The law in words.
pub const INFO: ModelInfo = ModelInfo {
    name: "update-logarithmic-ramp",
    version: 1,
    title: "exponential step, logarithmic ramp",
    law: "dw_up = a_up exp(-nu_up (w - w_min)/R), dw_down = -a_down exp(-nu_down (w_max - w)/R), R = w_max - w_min: \
          w(n) = w_min + (R/nu) ln(1 + a nu n/R) for small steps; fitted as dw_up = s_up exp(-k_up w), dw_down = \
          -s_down exp(k_down w), k = nu/R",
    parameters: &[
        STEP_UP,
        STEP_DOWN,
        scale("decay_up", 1.0, 1e-3, 100.0, "k_up: logarithm that an up step loses per weight"),
        scale("decay_down", 1.0, 1e-3, 100.0, "k_down: the same of a down step towards w_min"),
    ],
    validity: "no saturation: the ramp never ends; range and steps at its ends are one convention and not \
               determined apart",
    references: &["design notes: physics B.5 (a)", NOTES],
};

/// dG = a exp(-nu x), x the part of the range already covered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogarithmicRamp {
    /// nu of up pulses.
    pub nu_up: f64,
    /// nu of down pulses.
    pub nu_down: f64,
}

impl<R: Number> PulseLaw<R> for LogarithmicRamp {
    #[inline]
    fn up(&self, cell: &Cell<R>, state: R) -> R {
        cell.up * (-cell.shape_up * (state - cell.min)).exp()
    }

    #[inline]
    fn down(&self, cell: &Cell<R>, state: R) -> R {
        cell.down * (-cell.shape_down * (cell.max - state)).exp()
    }

    fn prepare(&self, _typical: &Cell<R>, cell: &mut Cell<R>, _normals: [f64; 3]) {
        cell.shape_up = R::from(self.nu_up) / (cell.max - cell.min);
        cell.shape_down = R::from(self.nu_down) / (cell.max - cell.min);
    }
}

/// The ramp of small exponential steps from the lower end: `R/nu ln(1 + a nu n/R)` after `n` pulses.
pub fn logarithmic(step: f64, nu: f64, range: f64, pulses: f64) -> f64 {
    range / nu * (step * nu * pulses / range).ln_1p()
}
