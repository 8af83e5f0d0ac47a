//! A constant step with an exponential of the state.

use super::info::{NOTES, STEP_DOWN, STEP_UP, number};
use super::law::{Cell, PulseLaw};
use super::number::Number;
use crate::model::ModelInfo;

/// The law in words.
pub const INFO: ModelInfo = ModelInfo {
    name: "update-exp-step",
    version: 1,
    title: "a constant step with an exponential of the state",
    law: "dw_up = s max(1 - A_up exp(gamma_up z), 0), dw_down = -s max(1 - A_down exp(-gamma_down z), 0), z = 2 a \
          w/(w_max - w_min) + b; fitted as dw_up = s_up max(1 - b_up (exp(k_up w) - 1)/(exp(k_up) - 1), 0), with -w for w \
          in down steps",
    parameters: &[
        STEP_UP,
        STEP_DOWN,
        number("loss_up", 0.5, -20.0, 20.0, "b_up: part of the up step lost from weight 0 to 1"),
        number("loss_down", 0.5, -20.0, 20.0, "b_down: part of the down step lost from weight 0 to -1"),
        number("curvature_up", -0.5, -20.0, 20.0, "k_up: rate of the exponential; 0 is a linear step"),
        number("curvature_down", -0.5, -20.0, 20.0, "k_down"),
    ],
    validity: "one exponential beside a constant for each direction; the hard bounds are not part of the fit",
    references: &["Gong et al., Nat. Commun. 9, 2102 (2018)", NOTES],
};

/// dw = s max(1 - A exp(±gamma z), 0).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExpStep<R = f64> {
    /// A+.
    pub a_up: R,
    /// A-.
    pub a_down: R,
    /// gamma+.
    pub gamma_up: R,
    /// gamma-.
    pub gamma_down: R,
    /// a: z per half of the range.
    pub a: f64,
    /// b: z at weight 0.
    pub b: f64,
}

impl<R: Number> PulseLaw<R> for ExpStep<R> {
    #[inline]
    fn up(&self, cell: &Cell<R>, state: R) -> R {
        let z = cell.shape_up * state + self.b;
        (cell.up * (-(self.a_up * (self.gamma_up * z).exp()) + 1.0)).max(R::from(0.0))
    }

    #[inline]
    fn down(&self, cell: &Cell<R>, state: R) -> R {
        let z = cell.shape_down * state + self.b;
        (cell.down * (-(self.a_down * (-self.gamma_down * z).exp()) + 1.0)).max(R::from(0.0))
    }

    fn prepare(&self, _typical: &Cell<R>, cell: &mut Cell<R>, _normals: [f64; 3]) {
        let slope = R::from(2.0 * self.a) / (cell.max - cell.min);
        cell.shape_up = slope;
        cell.shape_down = slope;
    }
}
