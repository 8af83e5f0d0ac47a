//! Steps that fall linearly with the state: linear step, soft bounds, soft bounds about a reference, and soft
//! bounds by range and number of pulses (NeuroSim's).

use super::info::{LOWER, NOTES, STEP_DOWN, STEP_UP, UPPER, number, scale};
use super::law::{Cell, PulseLaw};
use super::number::Number;
use crate::model::ModelInfo;

/// The linear step in words.
pub const LINEAR: ModelInfo = ModelInfo {
    name: "update-linear-step",
    version: 1,
    title: "steps that fall linearly with the state, between hard bounds",
    law: "dw_up = s_up (1 - gamma_up w/w_max), dw_down = -s_down (1 - gamma_down w/w_min), w clipped to [w_min, \
          w_max]; fitted with slope = gamma/bound",
    parameters: &[
        STEP_UP,
        STEP_DOWN,
        UPPER,
        LOWER,
        number(
            "slope_up",
            0.5,
            -20.0,
            50.0,
            "part of an up step lost per weight, gamma_up/w_max; below 0 steps grow",
        ),
        number("slope_down", 0.5, -20.0, 50.0, "the same of a down step towards w_min, -gamma_down/w_min"),
    ],
    validity: "steps that shrink towards a bound or grow; a bound that no reading reaches is not determined",
    references: &["Li et al., VLSI 2018", "Tang et al., IEDM 2018", NOTES],
};

/// Soft bounds in words.
pub const SOFT_BOUNDS: ModelInfo = ModelInfo {
    name: "update-soft-bounds",
    version: 1,
    title: "steps proportional to the distance to the bound",
    law: "dw_up = s_up (1 - w/w_max), dw_down = -s_down (1 - w/w_min): exponential ramps, w_max - w(n) = (w_max \
          - w(0)) (1 - s_up/w_max)^n",
    parameters: &[STEP_UP, STEP_DOWN, UPPER, LOWER],
    validity: "one exponential for each direction",
    references: &["Fusi & Abbott, Nat. Neurosci. 10, 485 (2007)", NOTES],
};

/// Soft bounds about a reference in words.
pub const REFERENCE: ModelInfo = ModelInfo {
    name: "update-soft-bounds-reference",
    version: 1,
    title: "soft bounds of a device read against a reference at its symmetry point",
    law: "v = w + ref: dw_up = s_up (1 - v/v_max), dw_down = -s_down (1 - v/v_min); fitted with s_up = s_down = s, \
          which makes -ref the symmetry point",
    parameters: &[
        number("reference", 0.0, -10.0, 10.0, "ref: weight that is added before the law is applied"),
        scale("step", 2e-3, 1e-8, 10.0, "s, up and down step at the symmetry point w = -ref"),
        scale("v_max", 1.0, 1e-2, 100.0, "upper bound of v"),
        scale("minus_v_min", 1.0, 1e-2, 100.0, "lower bound of v, its sign turned"),
    ],
    validity: "as soft bounds; on one trace it is the same curves as soft bounds, written about the weight at \
               which up and down steps are equal",
    references: &["Gong, Rasch et al., IEDM 2022", NOTES],
};

/// Soft bounds by range and pulses in words.
pub const RANGE: ModelInfo = ModelInfo {
    name: "update-neurosim",
    version: 1,
    title: "soft bounds by the range covered in a number of pulses (NeuroSim)",
    law: "G(P) = G_min + B (1 - exp(-P/A)), B = (G_max - G_min)/(1 - exp(-P_max/A)) up; its mirror down; P_max = \
          1000",
    parameters: &[
        scale("w_max", 1.0, 1e-2, 100.0, "G_max, reached after P_max up pulses from G_min"),
        scale("minus_w_min", 1.0, 1e-2, 100.0, "G_min, its sign turned"),
        scale("pulses_up", 300.0, 1.0, 1e7, "A of up pulses"),
        scale("pulses_down", 300.0, 1.0, 1e7, "A of down pulses"),
    ],
    validity: "as soft bounds, of which it is another writing",
    references: &["Chen, Peng & Yu, IEEE TCAD 37, 3067 (2018)", NOTES],
};

/// dw = s (1 - gamma w/bound). In a prepared [`Cell`] the shapes are the slopes of the steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinearStep {
    /// gamma+.
    pub gamma_up: f64,
    /// gamma-.
    pub gamma_down: f64,
    /// Standard deviation of gamma+ from device to device; a draw is taken at its absolute value.
    pub gamma_up_std: f64,
    /// Standard deviation of gamma-.
    pub gamma_down_std: f64,
    /// Whether the slope is taken by the bounds of the typical device instead of the device's own.
    pub mean_bounds: bool,
}

impl LinearStep {
    /// Soft bounds: gamma 1, each device with its own bounds.
    pub const SOFT_BOUNDS: Self =
        Self { gamma_up: 1.0, gamma_down: 1.0, gamma_up_std: 0.0, gamma_down_std: 0.0, mean_bounds: false };

    /// Whether it is soft bounds.
    pub fn is_soft_bounds(&self) -> bool {
        *self == Self::SOFT_BOUNDS
    }
}

/// A draw of a gamma; a typical device keeps the sign that it was given.
fn drawn(mean: f64, std: f64, normal: f64) -> f64 {
    if std == 0.0 { mean } else { (mean + std * normal).abs() }
}

impl<R: Number> PulseLaw<R> for LinearStep {
    #[inline]
    fn up(&self, cell: &Cell<R>, state: R) -> R {
        cell.up + cell.shape_up * state
    }

    #[inline]
    fn down(&self, cell: &Cell<R>, state: R) -> R {
        cell.down + cell.shape_down * state
    }

    fn prepare(&self, typical: &Cell<R>, cell: &mut Cell<R>, normals: [f64; 3]) {
        let bounds = if self.mean_bounds { *typical } else { *cell };
        cell.shape_up = -cell.up * drawn(self.gamma_up, self.gamma_up_std, normals[0]) / bounds.max;
        cell.shape_down = -cell.down * drawn(self.gamma_down, self.gamma_down_std, normals[1]) / bounds.min;
    }
}

/// Soft bounds on `w + ref`, `ref` drawn for each device.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SoftBoundsReference {
    /// Mean of the reference.
    pub mean: f64,
    /// Its standard deviation from device to device.
    pub std: f64,
    /// Whether each device's symmetry point, `(s+ - s-)/(s+/w_max - s-/w_min)`, is added to it, so that its up
    /// and down steps are equal at weight 0 for a reference of 0.
    pub subtract_symmetry_point: bool,
}

/// Where up and down steps of soft bounds are equal.
pub fn symmetry_point<R: Number>(cell: &Cell<R>) -> R {
    (cell.up - cell.down) / (cell.up / cell.max - cell.down / cell.min)
}

impl<R: Number> PulseLaw<R> for SoftBoundsReference {
    #[inline]
    fn up(&self, cell: &Cell<R>, state: R) -> R {
        cell.up + cell.shape_up * (state + cell.reference)
    }

    #[inline]
    fn down(&self, cell: &Cell<R>, state: R) -> R {
        cell.down + cell.shape_down * (state + cell.reference)
    }

    fn prepare(&self, _typical: &Cell<R>, cell: &mut Cell<R>, normals: [f64; 3]) {
        cell.shape_up = -cell.up / cell.max;
        cell.shape_down = -cell.down / cell.min;
        cell.reference = R::from(self.mean + self.std * normals[2]);
        if self.subtract_symmetry_point {
            cell.reference = cell.reference + symmetry_point(cell);
        }
    }
}

/// Soft bounds by range: step, up-down asymmetry and bounds that cover `[range_min, range_max]` in `pulses` up
/// pulses at rate `alpha` per pulse.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PulseRange {
    /// Weight before the first up pulse.
    pub range_min: f64,
    /// Weight after the last one.
    pub range_max: f64,
    /// P.
    pub pulses: f64,
    /// alpha = 1/A.
    pub alpha: f64,
}

impl PulseRange {
    /// `(dw, u, w_max, w_min)` of the equal soft-bounds device.
    pub fn soft_bounds(&self) -> (f64, f64, f64, f64) {
        let reach = (self.range_max - self.range_min) / -(-self.alpha * self.pulses).exp_m1();
        (reach * self.alpha, 1.0 + 2.0 * self.range_min / reach, self.range_min + reach, self.range_min)
    }
}
