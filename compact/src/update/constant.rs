//! Equal steps at every state.

use super::info::{LOWER, NOTES, STEP_DOWN, STEP_UP, UPPER};
use super::law::{Cell, PulseLaw};
use super::number::Number;
use crate::model::ModelInfo;

/// The law in words.
pub const INFO: ModelInfo = ModelInfo {
    name: "update-constant-step",
    version: 1,
    title: "equal steps between hard bounds",
    law: "dw_up = s_up, dw_down = -s_down, w clipped to [w_min, w_max]",
    parameters: &[STEP_UP, STEP_DOWN, UPPER, LOWER],
    validity: "devices that do not saturate before they reach a bound; a bound that no reading reaches is not \
               determined",
    references: &["Gokmen & Vlasov, Front. Neurosci. 10, 333 (2016)", NOTES],
};

/// dw = s, whatever the state.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ConstantStep;

impl<R: Number> PulseLaw<R> for ConstantStep {
    #[inline]
    fn up(&self, cell: &Cell<R>, _state: R) -> R {
        cell.up
    }

    #[inline]
    fn down(&self, cell: &Cell<R>, _state: R) -> R {
        cell.down
    }
}
