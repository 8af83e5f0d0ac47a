//! A domain wall in a track with notches: linear, and quantised where the wall pins.

use super::info::{LOWER, NOTES, STEP_DOWN, STEP_UP, UPPER};
use super::law::{Cell, PulseLaw};
use super::number::Number;
use crate::model::ModelInfo;

/// The law in words.
pub const INFO: ModelInfo = ModelInfo {
    name: "update-domain-wall",
    version: 1,
    title: "domain wall: equal displacements, at rest in the nearest notch",
    law: "x += ±v t_p + noise of depinning; x = the nearest notch x_min + k p; G = G_AP + (G_P - G_AP) x/L, with x \
          clipped to the track",
    parameters: &[STEP_UP, STEP_DOWN, UPPER, LOWER],
    validity: "flow above the threshold current; a pulse that moves the wall by less than half a notch pitch moves \
               it not at all; fitted without notches",
    references: &["design notes: physics D.3", NOTES],
};

/// Constant displacement with notches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DomainWall {
    /// Pitch of the notches in the unit of the state; 0 for a smooth track.
    pub pitch: f64,
}

impl DomainWall {
    /// Displacement per pulse as a part of the track: flow at `mobility` (m/s per A/m2) above the threshold.
    /// Lengths in m, time in s, current densities in A/m2. Below the threshold the wall stays.
    pub fn displacement(mobility: f64, density: f64, threshold: f64, pulse_s: f64, length_m: f64) -> f64 {
        density.signum() * mobility * (density.abs() - threshold).max(0.0) * pulse_s / length_m
    }
}

impl<R: Number> PulseLaw<R> for DomainWall {
    #[inline]
    fn up(&self, cell: &Cell<R>, _state: R) -> R {
        cell.up
    }

    #[inline]
    fn down(&self, cell: &Cell<R>, _state: R) -> R {
        cell.down
    }

    #[inline]
    fn settle(&self, cell: &Cell<R>, state: R) -> R {
        if self.pitch > 0.0 {
            cell.min + R::from(self.pitch * ((state - cell.min).value() / self.pitch).round())
        } else {
            state
        }
    }
}
