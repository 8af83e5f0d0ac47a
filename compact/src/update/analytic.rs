//! CrossSim's closed forms: what a requested update becomes on a nonlinear device.

use super::info::{NOTES, scale};
use super::law::{Cell, Direction, PulseLaw};
use super::number::Number;
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
        scale("alpha", 1.0, 1e-3, 20.0, "nonlinearity: 0 is linear; up and down saturate at opposite ends"),
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
            20.0,
            "nonlinearity: steps are largest in the middle and equal up and down",
        ),
    ],
    validity: "devices that saturate at both ends in both directions",
    references: &["CrossSim manual, analytic update models", NOTES],
};

/// Soft bounds by one nonlinearity; the cell's steps are requests. In a prepared [`Cell`] the shapes are
/// `1 - exp(-alpha d)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CrossSimAsymmetric<R = f64> {
    alpha: R,
    /// w_0/R.
    reach: R,
}

impl<R: Number> CrossSimAsymmetric<R> {
    /// The law of this nonlinearity, not 0.
    pub fn new(alpha: R) -> Self {
        Self { alpha, reach: R::from(-1.0) / (-alpha).exp_m1() }
    }
}

impl<R: Number> PulseLaw<R> for CrossSimAsymmetric<R> {
    #[inline]
    fn up(&self, cell: &Cell<R>, state: R) -> R {
        (self.reach * (cell.max - cell.min) + cell.min - state) * cell.shape_up
    }

    #[inline]
    fn down(&self, cell: &Cell<R>, state: R) -> R {
        -(cell.max - self.reach * (cell.max - cell.min) - state) * cell.shape_down
    }

    fn prepare(&self, _typical: &Cell<R>, cell: &mut Cell<R>, _normals: [f64; 3]) {
        let range = cell.max - cell.min;
        cell.shape_up = -(-self.alpha * cell.up / range).exp_m1();
        cell.shape_down = -(-self.alpha * cell.down / range).exp_m1();
    }
}

/// A logistic flow; the cell's steps are requests. In a prepared [`Cell`] the shapes are `exp(-2 alpha d)` and
/// `exp(2 alpha d)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CrossSimSymmetric<R = f64> {
    alpha: R,
    /// A/R.
    span: R,
    /// (w_min - B)/R.
    foot: R,
}

impl<R: Number> CrossSimSymmetric<R> {
    /// The law of this nonlinearity, not 0.
    pub fn new(alpha: R) -> Self {
        let foot = R::from(1.0) / alpha.exp_m1();
        // coth(alpha/2).
        Self { alpha, span: foot * 2.0 + 1.0, foot }
    }

    #[inline]
    fn moved(&self, cell: &Cell<R>, state: R, factor: R) -> R {
        let range = cell.max - cell.min;
        let (span, foot) = (self.span * range, cell.min - self.foot * range);
        // The flow begins at its foot; a state below is taken to it.
        let above = (state - foot).max(span * 1e-9);
        span / (factor * (span / above - 1.0) + 1.0) - state + foot
    }
}

impl<R: Number> PulseLaw<R> for CrossSimSymmetric<R> {
    #[inline]
    fn up(&self, cell: &Cell<R>, state: R) -> R {
        self.moved(cell, state, cell.shape_up)
    }

    #[inline]
    fn down(&self, cell: &Cell<R>, state: R) -> R {
        -self.moved(cell, state, cell.shape_down)
    }

    /// `A/(w - B) - 1` is multiplied by the same factor at every pulse: no division waits for another.
    fn flow(
        &self,
        cell: &Cell<R>,
        start: R,
        direction: Direction,
        pulses: usize,
        states: &mut Vec<R>,
    ) -> bool {
        let range = cell.max - cell.min;
        let (span, foot) = (self.span * range, cell.min - self.foot * range);
        let factor = match direction {
            Direction::Up => cell.shape_up,
            Direction::Down => cell.shape_down,
        };
        let mut ratio = span / (start - foot).max(span * 1e-9) - 1.0;
        // Beyond its end the flow turns round: pulse by pulse, with the bounds in between.
        if ratio.value().is_nan() || ratio.value() < 0.0 {
            return false;
        }
        states.extend((0..pulses).map(|_| {
            ratio = ratio * factor;
            foot + span / (ratio + 1.0)
        }));
        true
    }

    fn prepare(&self, _typical: &Cell<R>, cell: &mut Cell<R>, _normals: [f64; 3]) {
        let range = cell.max - cell.min;
        cell.shape_up = (self.alpha * -2.0 * cell.up / range).exp();
        cell.shape_down = (self.alpha * 2.0 * cell.down / range).exp();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::update::Law;

    /// The states without the ones before are those pulse by pulse, at the bounds too.
    #[test]
    fn the_flow_is_the_pulses() {
        for alpha in [0.01, 1.0, 8.0] {
            let law = CrossSimSymmetric::new(alpha);
            let mut cell = Cell { up: 0.02, down: 0.03, max: 1.0, min: -1.0, ..Cell::default() };
            law.prepare(&cell.clone(), &mut cell, [0.0; 3]);
            for (start, direction) in
                [(-1.0, Direction::Up), (0.3, Direction::Up), (0.9, Direction::Down), (1.2, Direction::Down)]
            {
                let mut states = Vec::new();
                Law::CrossSimSymmetric(law).ramp(&cell, start, direction, 300, &mut states);
                let mut state = start;
                for found in states {
                    let moved = match direction {
                        Direction::Up => state + law.up(&cell, state),
                        Direction::Down => state - law.down(&cell, state),
                    };
                    let roof = if direction == Direction::Down { state.max(1.0) } else { 1.0 };
                    state = moved.clamp(-1.0, roof);
                    // Rounding of 300 pulses.
                    assert!((found - state).abs() < 1e-11, "{alpha} {start} {found} {state}");
                }
            }
        }
    }
}
