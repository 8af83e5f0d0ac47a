//! Steps by a power of the distance to the bound.

use super::info::{LOWER, NOTES, STEP_DOWN, STEP_UP, UPPER, scale};
use super::law::{Cell, PulseLaw};
use super::number::Number;
use crate::model::ModelInfo;

/// The law in words.
pub const INFO: ModelInfo = ModelInfo {
    name: "update-pow-step",
    version: 1,
    title: "steps by a power of the distance to the bound",
    law: "dw_up = s ((w_max - w)/(w_max - w_min))^g_up, dw_down = -s ((w - w_min)/(w_max - w_min))^g_down; fitted \
          as dw_up = s_up (1 - w/w_max)^g_up, dw_down = -s_down (1 - w/w_min)^g_down",
    parameters: &[
        STEP_UP,
        STEP_DOWN,
        UPPER,
        LOWER,
        scale(
            "slope_up",
            1.0,
            1e-3,
            100.0,
            "relative loss of the up step per weight at weight 0, g_up/w_max",
        ),
        scale("slope_down", 1.0, 1e-3, 100.0, "the same of the down step towards w_min, -g_down/w_min"),
    ],
    validity: "for far bounds only the slope is known: the law tends to the exponential step of the logarithmic \
               ramp",
    references: &["Fusi & Abbott, Nat. Neurosci. 10, 485 (2007)", NOTES],
};

/// dw = s (distance/range)^g. In a prepared [`Cell`] the shapes are the powers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PowStep {
    /// g.
    pub power: f64,
    /// u_g: g+ = g (1 + min(u_g, 0)), g- = g (1 - max(u_g, 0)).
    pub up_down: f64,
    /// Relative standard deviation of g from device to device.
    pub power_spread: f64,
    /// Standard deviation of u_g, added to one and taken from the other.
    pub up_down_std: f64,
    /// Whether s is the step at weight 0, instead of the one at the far bound: with a bound far away and a large
    /// power the step at that bound is beyond every number, though none near weight 0 is.
    pub at_zero: bool,
}

impl PowStep {
    /// Distances to the upper and the lower bound at which a step is s.
    fn units<R: Number>(&self, cell: &Cell<R>) -> [R; 2] {
        if self.at_zero { [cell.max, -cell.min] } else { [cell.max - cell.min; 2] }
    }
}

/// `base^power` with the base not below zero.
#[inline]
fn power<R: Number>(base: R, power: R) -> R {
    // Of zero there is no derivative: a power below 1 has none, and the state rests there with any.
    if base.value() > 0.0 { base.powf(power) } else { R::from(0.0_f64.powf(power.value())) }
}

impl<R: Number> PulseLaw<R> for PowStep {
    #[inline]
    fn up(&self, cell: &Cell<R>, state: R) -> R {
        cell.up * power((cell.max - state) / self.units(cell)[0], cell.shape_up)
    }

    #[inline]
    fn down(&self, cell: &Cell<R>, state: R) -> R {
        cell.down * power((state - cell.min) / self.units(cell)[1], cell.shape_down)
    }

    fn prepare(&self, _typical: &Cell<R>, cell: &mut Cell<R>, normals: [f64; 3]) {
        let gain = 1.0 + self.power_spread * normals[0];
        let asymmetry = self.up_down_std * normals[1];
        cell.shape_up = R::from((self.power * (gain + self.up_down.min(0.0) + asymmetry)).abs());
        cell.shape_down = R::from((self.power * (gain - self.up_down.max(0.0) - asymmetry)).abs());
    }
}
