//! CrossSim's closed forms: what a requested update becomes on a nonlinear device.

use super::info::{NOTES, scale};
use super::law::{Cell, PulseLaw};
use crate::model::ModelInfo;
use crate::model::ParameterInfo;

const REQUEST_UP: ParameterInfo =
    scale("request_up", 2e-3, 1e-8, 10.0, "update that one up pulse stands for, R d");
const REQUEST_DOWN: ParameterInfo =
    scale("request_down", 2e-3, 1e-8, 10.0, "update that one down pulse stands for, R d");

/// The asymmetric form in words.
pub const ASYMMETRIC: ModelInfo = ModelInfo {
    name: "update-crosssim-asymmetric",
    version: 1,
    title: "CrossSim's asymmetric nonlinearity",
    law: "w_0 = R/(1 - exp(-alpha)), d = request/R: dw_up = (w_0 + w_min - w)(1 - exp(-alpha d)), dw_down = (w_max - \
          w_0 - w)(1 - exp(-alpha d)); fitted over weights from -1 to 1",
    parameters: &[
        REQUEST_UP,
        REQUEST_DOWN,
        scale("alpha", 1.0, 1e-3, 50.0, "nonlinearity: 0 is linear; up and down saturate at opposite ends"),
    ],
    validity: "soft bounds whose two directions share one nonlinearity over a known range",
    references: &["CrossSim manual, analytic update models", NOTES],
};

/// The symmetric form in words.
pub const SYMMETRIC: ModelInfo = ModelInfo {
    name: "update-crosssim-symmetric",
    version: 1,
    title: "CrossSim's symmetric nonlinearity",
    law: "A = R (e^alpha + 1)/(e^alpha - 1), B = w_min - R/(e^alpha - 1), d = request/R: dw = A/(1 + exp(-2 alpha d) \
          (A/(w - B) - 1)) - w + B; fitted over weights from -1 to 1",
    parameters: &[
        REQUEST_UP,
        REQUEST_DOWN,
        scale(
            "alpha",
            1.0,
            1e-3,
            50.0,
            "nonlinearity: steps are largest in the middle and equal up and down",
        ),
    ],
    validity: "devices that saturate at both ends in both directions",
    references: &["CrossSim manual, analytic update models", NOTES],
};

/// Soft bounds by one nonlinearity; the cell's steps are requests. In a prepared [`Cell`] the shapes are
/// `1 - exp(-alpha d)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CrossSimAsymmetric {
    /// Nonlinearity, not 0.
    pub alpha: f64,
}

impl CrossSimAsymmetric {
    #[inline]
    fn reach(&self, cell: &Cell) -> f64 {
        (cell.max - cell.min) / -(-self.alpha).exp_m1()
    }
}

impl PulseLaw for CrossSimAsymmetric {
    #[inline]
    fn up(&self, cell: &Cell, state: f64) -> f64 {
        (self.reach(cell) + cell.min - state) * cell.shape_up
    }

    #[inline]
    fn down(&self, cell: &Cell, state: f64) -> f64 {
        -(cell.max - self.reach(cell) - state) * cell.shape_down
    }

    fn prepare(&self, _typical: &Cell, cell: &mut Cell, _normals: [f64; 3]) {
        let range = cell.max - cell.min;
        cell.shape_up = -(-self.alpha * cell.up / range).exp_m1();
        cell.shape_down = -(-self.alpha * cell.down / range).exp_m1();
    }
}

/// A logistic flow; the cell's steps are requests. In a prepared [`Cell`] the shapes are `exp(-2 alpha d)` and
/// `exp(2 alpha d)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CrossSimSymmetric {
    /// Nonlinearity, not 0.
    pub alpha: f64,
}

impl CrossSimSymmetric {
    #[inline]
    fn moved(&self, cell: &Cell, state: f64, factor: f64) -> f64 {
        let range = cell.max - cell.min;
        let span = range / (0.5 * self.alpha).tanh();
        let foot = cell.min - range / self.alpha.exp_m1();
        // The flow begins at its foot; a state below is taken to it.
        let above = (state - foot).max(1e-9 * span);
        span / (1.0 + factor * (span / above - 1.0)) - state + foot
    }
}

impl PulseLaw for CrossSimSymmetric {
    #[inline]
    fn up(&self, cell: &Cell, state: f64) -> f64 {
        self.moved(cell, state, cell.shape_up)
    }

    #[inline]
    fn down(&self, cell: &Cell, state: f64) -> f64 {
        -self.moved(cell, state, cell.shape_down)
    }

    fn prepare(&self, _typical: &Cell, cell: &mut Cell, _normals: [f64; 3]) {
        let range = cell.max - cell.min;
        cell.shape_up = (-2.0 * self.alpha * cell.up / range).exp();
        cell.shape_down = (2.0 * self.alpha * cell.down / range).exp();
    }
}
