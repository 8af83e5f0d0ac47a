//! Steps interpolated between nodes over the range.

use super::info::{NOTES, scale};
use super::law::{Cell, PulseLaw, within};
use super::number::Number;
use crate::model::ModelInfo;

/// Nodes of a fit for each direction, evenly over weights from -1 to 1.
pub const FITTED_NODES: usize = 5;

/// The law in words.
pub const INFO: ModelInfo = ModelInfo {
    name: "update-piecewise-step",
    version: 1,
    title: "steps interpolated linearly between nodes over the range",
    law: "dw_up = s_up times the linear interpolation of the up nodes, evenly over [w_min, w_max]; dw_down \
          likewise; fitted with nodes at weights -1, -0.5, 0, 0.5, 1",
    parameters: &[
        scale("up_1", 2e-3, 1e-8, 10.0, "up step at weight -1"),
        scale("up_2", 2e-3, 1e-8, 10.0, "up step at weight -0.5"),
        scale("up_3", 2e-3, 1e-8, 10.0, "up step at weight 0"),
        scale("up_4", 2e-3, 1e-8, 10.0, "up step at weight 0.5"),
        scale("up_5", 2e-3, 1e-8, 10.0, "up step at weight 1"),
        scale("down_1", 2e-3, 1e-8, 10.0, "down step at weight -1"),
        scale("down_2", 2e-3, 1e-8, 10.0, "down step at weight -0.5"),
        scale("down_3", 2e-3, 1e-8, 10.0, "down step at weight 0"),
        scale("down_4", 2e-3, 1e-8, 10.0, "down step at weight 0.5"),
        scale("down_5", 2e-3, 1e-8, 10.0, "down step at weight 1"),
    ],
    validity: "any smooth step; constant beyond the outer nodes in a fit; nodes that no reading comes near are \
               not determined",
    references: &[NOTES],
};

/// dw = s times interpolated nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct PiecewiseStep<R = f64> {
    /// Up nodes from w_min to w_max, in units of s+.
    pub up: Vec<R>,
    /// Down nodes from w_min to w_max, in units of s-.
    pub down: Vec<R>,
}

/// Linear interpolation of `nodes` at `fraction` of the way from the first to the last; constant outside, NaN
/// without nodes.
#[inline]
pub(super) fn interpolate<R: Number>(nodes: &[R], fraction: R) -> R {
    let last = nodes.len().saturating_sub(1);
    let place = within(fraction * last as f64, R::from(0.0), R::from(last as f64));
    // A NaN place becomes node 0 here and stays NaN in the interpolation.
    let left = (place.value() as usize).min(last.saturating_sub(1));
    let (Some(a), Some(b)) = (nodes.get(left), nodes.get((left + 1).min(last))) else {
        return R::from(f64::NAN);
    };
    *a + (*b - *a) * (place - left as f64)
}

impl<R: Number> PulseLaw<R> for PiecewiseStep<R> {
    #[inline]
    fn up(&self, cell: &Cell<R>, state: R) -> R {
        cell.up * interpolate(&self.up, (state - cell.min) * cell.shape_up)
    }

    #[inline]
    fn down(&self, cell: &Cell<R>, state: R) -> R {
        cell.down * interpolate(&self.down, (state - cell.min) * cell.shape_down)
    }

    fn prepare(&self, _typical: &Cell<R>, cell: &mut Cell<R>, _normals: [f64; 3]) {
        cell.shape_up = R::from(1.0) / (cell.max - cell.min);
        cell.shape_down = cell.shape_up;
    }
}
