//! Electrochemical memory: nearly linear steps, decay towards open circuit.

use super::info::{NOTES, number, scale};
use super::law::{Cell, PulseLaw};
use super::number::Number;
use crate::model::ModelInfo;

/// The law in words.
pub const INFO: ModelInfo = ModelInfo {
    name: "update-ecram",
    version: 1,
    title: "electrochemical memory: steps nearly linear about the symmetry point",
    law: "dG_up = g_p s (1 - gamma_up (G - G_c)/R), dG_down = -g_p s (1 + gamma_down (G - G_c)/R), s = pulse \
          charge/nominal; between pulses dG/dt = -(G - G_eq)/tau_d; fitted over R = 2 (weights from -1 to 1)",
    parameters: &[
        scale("step", 2e-3, 1e-8, 10.0, "g_p s: step at G_c, equal in both directions"),
        number("gamma_up", 0.3, -2.0, 50.0, "part of an up step lost over the range"),
        number("gamma_down", 0.5, -2.0, 50.0, "the same of a down step"),
        number("centre", 0.0, -10.0, 10.0, "G_c, where up and down steps are equal"),
    ],
    validity: "the used window of an intercalation channel; decay is not told apart from gamma by a ramp: give \
               tau_d from readings without pulses",
    references: &["Tang et al., IEDM 2018", "Kim et al., IEDM 2019", "design notes: physics C", NOTES],
};

/// dG = g_p s (1 - gamma (G - G_c)/R). The bounds of the [`Cell`] give R; its steps are g_p s.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EcramStep<R = f64> {
    /// gamma of up pulses.
    pub gamma_up: f64,
    /// gamma of down pulses.
    pub gamma_down: f64,
    /// G_c.
    pub centre: R,
}

impl<R: Number> PulseLaw<R> for EcramStep<R> {
    #[inline]
    fn up(&self, cell: &Cell<R>, state: R) -> R {
        cell.up * (-(cell.shape_up * (state - self.centre)) + 1.0)
    }

    #[inline]
    fn down(&self, cell: &Cell<R>, state: R) -> R {
        cell.down * (cell.shape_down * (state - self.centre) + 1.0)
    }

    fn prepare(&self, _typical: &Cell<R>, cell: &mut Cell<R>, _normals: [f64; 3]) {
        cell.shape_up = R::from(self.gamma_up) / (cell.max - cell.min);
        cell.shape_down = R::from(self.gamma_down) / (cell.max - cell.min);
    }
}
