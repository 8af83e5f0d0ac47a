//! A constant step with an exponential of the state.

use super::info::{NOTES, STEP_DOWN, STEP_UP, number};
use super::law::{Cell, PulseLaw};
use crate::model::ModelInfo;

/// The law in words.
pub const INFO: ModelInfo = ModelInfo {
    name: "update-exp-step",
    version: 1,
    title: "a constant step with an exponential of the state",
    law: "dw_up = s max(1 - A_up exp(gamma_up z), 0), dw_down = -s max(1 - A_down exp(-gamma_down z), 0), z = 2 a \
          w/(w_max - w_min) + b; fitted as dw_up = s_up max(1 - b_up (exp(k_up w) - 1)/k_up, 0), with -w for w \
          in down steps",
    parameters: &[
        STEP_UP,
        STEP_DOWN,
        number("slope_up", 0.8, -5.0, 20.0, "b_up: relative loss of the up step per weight, at weight 0"),
        number("slope_down", 0.8, -5.0, 20.0, "b_down: the same of the down step towards w_min"),
        number("curvature_up", -0.5, -20.0, 20.0, "k_up: rate of the exponential; 0 is a linear step"),
        number("curvature_down", -0.5, -20.0, 20.0, "k_down"),
    ],
    validity: "one exponential beside a constant for each direction; the hard bounds are not part of the fit",
    references: &["Gong et al., Nat. Commun. 9, 2102 (2018)", NOTES],
};

/// dw = s max(1 - A exp(±gamma z), 0).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExpStep {
    /// A+.
    pub a_up: f64,
    /// A-.
    pub a_down: f64,
    /// gamma+.
    pub gamma_up: f64,
    /// gamma-.
    pub gamma_down: f64,
    /// a: z per half of the range.
    pub a: f64,
    /// b: z at weight 0.
    pub b: f64,
}

impl PulseLaw for ExpStep {
    #[inline]
    fn up(&self, cell: &Cell, state: f64) -> f64 {
        let z = cell.shape_up * state + self.b;
        (cell.up * (1.0 - self.a_up * (self.gamma_up * z).exp())).max(0.0)
    }

    #[inline]
    fn down(&self, cell: &Cell, state: f64) -> f64 {
        let z = cell.shape_down * state + self.b;
        (cell.down * (1.0 - self.a_down * (-self.gamma_down * z).exp())).max(0.0)
    }

    fn prepare(&self, _typical: &Cell, cell: &mut Cell, _normals: [f64; 3]) {
        let slope = 2.0 * self.a / (cell.max - cell.min);
        cell.shape_up = slope;
        cell.shape_down = slope;
    }
}
