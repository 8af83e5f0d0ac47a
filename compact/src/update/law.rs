//! What a pulse does to a device: the trait that every law is written against, and the list of the laws.

use super::analytic::{CrossSimAsymmetric, CrossSimSymmetric};
use super::constant::ConstantStep;
use super::domain_wall::DomainWall;
use super::ecram::EcramStep;
use super::exponential::ExpStep;
use super::linear::{LinearStep, SoftBoundsReference};
use super::number::Number;
use super::piecewise::PiecewiseStep;
use super::power::PowStep;
use super::ramp::LogarithmicRamp;
use crate::model::ModelInfo;

/// Which way a pulse pushes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Potentiation, SET.
    Up,
    /// Depression, RESET.
    Down,
}

impl Direction {
    /// +1 or -1.
    pub fn sign(self) -> f64 {
        match self {
            Self::Up => 1.0,
            Self::Down => -1.0,
        }
    }
}

/// One device as its law sees it. States, bounds and steps share one unit (weight, S, …).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cell<R = f64> {
    /// s+, scale of an up step, not negative.
    pub up: R,
    /// s-, scale of a down step, not negative.
    pub down: R,
    /// Upper bound of the state.
    pub max: R,
    /// Lower bound of the state.
    pub min: R,
    /// What stands between the state and the device: the device is at `state + reference`.
    pub reference: R,
    /// What else differs from device to device in an up step; its meaning is the law's.
    pub shape_up: R,
    /// The same of a down step.
    pub shape_down: R,
}

/// Not `clamp`, which panics on crossed bounds; a NaN state stays one.
#[inline]
pub(super) fn within<R: Number>(state: R, low: R, high: R) -> R {
    if state.value() > high.value() {
        high
    } else if state.value() < low.value() {
        low
    } else {
        state
    }
}

impl<R: Number> Cell<R> {
    /// A device without a reference and with shapes of 0.
    pub fn new(up: R, down: R, max: R, min: R) -> Self {
        let zero = R::from(0.0);
        Self { up, down, max, min, reference: zero, shape_up: zero, shape_down: zero }
    }

    /// The state inside its bounds.
    #[inline]
    pub fn clip(&self, state: R) -> R {
        within(state, self.min - self.reference, self.max - self.reference)
    }
}

/// A law: how far one pulse moves a device, without noise and before it is clipped to its bounds.
///
/// Written for any [`Number`], so that a ramp walked with dual numbers carries the derivatives of a fit along.
pub trait PulseLaw<R: Number = f64>: Send + Sync {
    /// Size of an up step at `state`; negative where the law itself turns round.
    fn up(&self, cell: &Cell<R>, state: R) -> R;

    /// Size of a down step at `state`.
    fn down(&self, cell: &Cell<R>, state: R) -> R;

    /// Works out what the law keeps in [`Cell::shape_up`] and [`Cell::shape_down`] (and the reference) once
    /// steps and bounds of the device are known; `typical` is the device without spread, `normals` are three
    /// standard normals of its own, zero for the typical device.
    fn prepare(&self, _typical: &Cell<R>, _cell: &mut Cell<R>, _normals: [f64; 3]) {}

    /// The state after each of `pulses` equal pulses without bounds, where it is known without the one before;
    /// gives whether it is.
    fn flow(
        &self,
        _cell: &Cell<R>,
        _start: R,
        _direction: Direction,
        _pulses: usize,
        _states: &mut Vec<R>,
    ) -> bool {
        false
    }

    /// Where the state comes to rest after a step with its noise.
    fn settle(&self, _cell: &Cell<R>, state: R) -> R {
        state
    }
}

/// Every law, by name.
#[derive(Debug, Clone, PartialEq)]
pub enum Law<R = f64> {
    /// Equal steps.
    Constant(ConstantStep),
    /// Steps that fall linearly with the state; soft bounds.
    Linear(LinearStep),
    /// Soft bounds about a reference device.
    Reference(SoftBoundsReference),
    /// A constant with an exponential.
    Exp(ExpStep<R>),
    /// A power of the distance to the bound.
    Pow(PowStep),
    /// Interpolated between nodes.
    Piecewise(PiecewiseStep<R>),
    /// Exponential step, logarithmic ramp.
    Logarithmic(LogarithmicRamp),
    /// CrossSim's asymmetric closed form.
    CrossSimAsymmetric(CrossSimAsymmetric<R>),
    /// CrossSim's symmetric closed form.
    CrossSimSymmetric(CrossSimSymmetric<R>),
    /// Electrochemical memory.
    Ecram(EcramStep<R>),
    /// Domain wall with notches.
    DomainWall(DomainWall),
}

/// Runs `$body` with the concrete law in `$inner`, so that loops over pulses are compiled for each law.
macro_rules! with_law {
    ($law:expr, $inner:ident => $body:expr) => {
        match $law {
            $crate::update::Law::Constant($inner) => $body,
            $crate::update::Law::Linear($inner) => $body,
            $crate::update::Law::Reference($inner) => $body,
            $crate::update::Law::Exp($inner) => $body,
            $crate::update::Law::Pow($inner) => $body,
            $crate::update::Law::Piecewise($inner) => $body,
            $crate::update::Law::Logarithmic($inner) => $body,
            $crate::update::Law::CrossSimAsymmetric($inner) => $body,
            $crate::update::Law::CrossSimSymmetric($inner) => $body,
            $crate::update::Law::Ecram($inner) => $body,
            $crate::update::Law::DomainWall($inner) => $body,
        }
    };
}
pub(super) use with_law;

impl<R: Number> PulseLaw<R> for Law<R> {
    fn up(&self, cell: &Cell<R>, state: R) -> R {
        with_law!(self, law => law.up(cell, state))
    }

    fn down(&self, cell: &Cell<R>, state: R) -> R {
        with_law!(self, law => law.down(cell, state))
    }

    fn prepare(&self, typical: &Cell<R>, cell: &mut Cell<R>, normals: [f64; 3]) {
        with_law!(self, law => law.prepare(typical, cell, normals));
    }

    fn settle(&self, cell: &Cell<R>, state: R) -> R {
        with_law!(self, law => law.settle(cell, state))
    }
}

impl<R: Number> Law<R> {
    /// What the law is called and what its parameters mean.
    pub fn info(&self) -> &'static ModelInfo {
        match self {
            Self::Constant(_) => &super::constant::INFO,
            Self::Linear(law) if law.is_soft_bounds() => &super::linear::SOFT_BOUNDS,
            Self::Linear(_) => &super::linear::LINEAR,
            Self::Reference(_) => &super::linear::REFERENCE,
            Self::Exp(_) => &super::exponential::INFO,
            Self::Pow(_) => &super::power::INFO,
            Self::Piecewise(_) => &super::piecewise::INFO,
            Self::Logarithmic(_) => &super::ramp::INFO,
            Self::CrossSimAsymmetric(_) => &super::analytic::ASYMMETRIC,
            Self::CrossSimSymmetric(_) => &super::analytic::SYMMETRIC,
            Self::Ecram(_) => &super::ecram::INFO,
            Self::DomainWall(_) => &super::domain_wall::INFO,
        }
    }

    /// The step with its sign: what one pulse adds to `state`.
    pub fn step(&self, cell: &Cell<R>, state: R, direction: Direction) -> R {
        match direction {
            Direction::Up => self.up(cell, state),
            Direction::Down => -self.down(cell, state),
        }
    }

    /// Sends `pulses` equal pulses without noise and writes the state after each; gives the last one. Only the
    /// bound that the pulses push towards stops them: a state beyond the other one is let come back.
    pub fn ramp(
        &self,
        cell: &Cell<R>,
        start: R,
        direction: Direction,
        pulses: usize,
        states: &mut Vec<R>,
    ) -> R {
        with_law!(self, law => ramp(law, cell, start, direction, pulses, states))
    }
}

fn ramp<R: Number, L: PulseLaw<R>>(
    law: &L,
    cell: &Cell<R>,
    start: R,
    direction: Direction,
    pulses: usize,
    states: &mut Vec<R>,
) -> R {
    let mut state = start;
    states.reserve(pulses);
    let (low, high) = (cell.min - cell.reference, cell.max - cell.reference);
    let before = states.len();
    if law.flow(cell, start, direction, pulses, states) {
        // The flow goes one way: what is beyond the bound stays there.
        let (floor, roof) = match direction {
            Direction::Up => (low.min(start), high),
            Direction::Down => (low, high.max(start)),
        };
        for state in &mut states[before..] {
            *state = within(*state, floor, roof);
        }
        return states[before..].last().copied().unwrap_or(start);
    }
    for _ in 0..pulses {
        let moved = match direction {
            Direction::Up => state + law.up(cell, state),
            Direction::Down => state - law.down(cell, state),
        };
        let moved = law.settle(cell, moved);
        // Beyond the bound behind it a state may come back but not go further; a NaN state stays one.
        let (floor, roof) = match direction {
            Direction::Up => (low.min(state), high),
            Direction::Down => (low, high.max(state)),
        };
        state = within(moved, floor, roof);
        states.push(state);
    }
    state
}
