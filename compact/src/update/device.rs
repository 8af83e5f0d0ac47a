//! A kind of device: its law with the spread between devices, the noise of each cycle and of the write.

use super::law::{Cell, Direction, Law, PulseLaw};
use mho_data::random::Stream;

/// Standard normals that one device draws.
const NORMALS: u64 = 7;

/// How devices of one kind differ. Relative standard deviations, unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Spread {
    /// Of the step.
    pub step: f64,
    /// Whether the step is log-normal, `exp(step xi)`, instead of `1 + step xi`.
    pub step_log_normal: bool,
    /// Of the up-down asymmetry, in parts of the step: added to the up, taken from the down step.
    pub up_down: f64,
    /// Of the upper bound.
    pub max: f64,
    /// Of the lower bound.
    pub min: f64,
}

/// Noise of a step from cycle to cycle: the standard deviation that goes with its mean size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CycleNoise {
    /// None.
    None,
    /// `sigma |dw|`.
    Multiplicative {
        /// Relative standard deviation of a step.
        sigma: f64,
    },
    /// `sigma s` with the step scale of the direction, whatever the state.
    Additive {
        /// In units of the step scale.
        sigma: f64,
    },
    /// `sigma (|dw| + add + slope |w|)`: the exponential step's own.
    Affine {
        /// Relative standard deviation.
        sigma: f64,
        /// In units of the state.
        add: f64,
        /// Per unit of the state.
        slope: f64,
    },
    /// `max(absolute R, relative |dw|)`, R the range: electrochemical memory.
    Floor {
        /// In parts of the range.
        absolute: f64,
        /// In parts of the step.
        relative: f64,
    },
    /// `sigma sqrt(|dw| R)` times 1, w/R or R/w: CrossSim's analytic write noise.
    Root {
        /// Per square root of a full range.
        sigma: f64,
        /// Power of w/R: 0, 1 or -1.
        power: i32,
    },
}

impl CycleNoise {
    /// Standard deviation of a step of mean `step` from `state`.
    #[inline]
    pub fn std(&self, cell: &Cell, step: f64, scale: f64, state: f64) -> f64 {
        match *self {
            Self::None => 0.0,
            Self::Multiplicative { sigma } => sigma * step.abs(),
            Self::Additive { sigma } => sigma * scale,
            Self::Affine { sigma, add, slope } => sigma * (step.abs() + add + slope * state.abs()),
            Self::Floor { absolute, relative } => {
                (absolute * (cell.max - cell.min)).max(relative * step.abs())
            }
            Self::Root { sigma, power } => {
                let range = cell.max - cell.min;
                let part = (state.abs() / range).max(f64::MIN_POSITIVE);
                sigma * (step.abs() * range).sqrt() * part.powi(power)
            }
        }
    }
}

/// Why a device makes no sense.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DeviceError {
    /// A number that is not finite or has the wrong sign.
    #[error("{name} = {value}: {expected}")]
    Value {
        /// Name of the number.
        name: &'static str,
        /// What it is.
        value: f64,
        /// What it should be.
        expected: &'static str,
    },
    /// A piecewise law with fewer than two nodes.
    #[error("a piecewise step with {0} nodes: at least 2 expected for each direction")]
    Nodes(usize),
}

/// A kind of device.
#[derive(Debug, Clone, PartialEq)]
pub struct PulsedDevice {
    /// Law of the step.
    pub law: Law,
    /// dw, scale of a step.
    pub step: f64,
    /// u: s+ = dw (1 + min(u, 0)), s- = dw (1 - max(u, 0)).
    pub up_down: f64,
    /// Upper bound.
    pub max: f64,
    /// Lower bound.
    pub min: f64,
    /// Differences between devices.
    pub spread: Spread,
    /// Noise of a step.
    pub noise: CycleNoise,
    /// Standard deviation, in units of dw, of the visible about the hidden state after a write. The hidden
    /// state is what pulses act on.
    pub write_noise: f64,
    /// Updates in which a state loses 1 - 1/e of its distance to 0 by itself; infinite without decay.
    pub lifetime: f64,
    /// Relative standard deviation of the lifetime between devices.
    pub lifetime_spread: f64,
}

impl PulsedDevice {
    /// A device without spread and noise.
    pub fn new(law: Law, step: f64, up_down: f64, max: f64, min: f64) -> Self {
        Self {
            law,
            step,
            up_down,
            max,
            min,
            spread: Spread::default(),
            noise: CycleNoise::None,
            write_noise: 0.0,
            lifetime: f64::INFINITY,
            lifetime_spread: 0.0,
        }
    }

    /// That its numbers make sense.
    ///
    /// # Errors
    /// [`DeviceError`] with the first that does not.
    pub fn check(&self) -> Result<(), DeviceError> {
        let Spread { step, up_down, max, min, .. } = self.spread;
        let fail = |name, value, expected| Err(DeviceError::Value { name, value, expected });
        for (name, value) in [("w_max", self.max), ("w_min", self.min), ("up_down", self.up_down)] {
            if !value.is_finite() {
                return fail(name, value, "a finite number");
            }
        }
        if self.max <= self.min {
            return fail("w_max", self.max, "above w_min");
        }
        let not_negative = [
            ("step", self.step),
            ("spread of the step", step),
            ("spread of up_down", up_down),
            ("spread of w_max", max),
            ("spread of w_min", min),
            ("write noise", self.write_noise),
            ("spread of the lifetime", self.lifetime_spread),
        ];
        for (name, value) in not_negative {
            if !(value.is_finite() && value >= 0.0) {
                return fail(name, value, "a finite number not below 0");
            }
        }
        if self.lifetime.is_nan() || self.lifetime < 1.0 {
            return fail("lifetime", self.lifetime, "at least one update, or infinite");
        }
        if let Law::Linear(_) | Law::Reference(_) = self.law
            && (self.max <= 0.0 || self.min >= 0.0)
        {
            return fail("w_min", self.min, "a range around 0, to whose bounds the slopes refer");
        }
        if let Law::Piecewise(law) = &self.law {
            let fewest = law.up.len().min(law.down.len());
            if fewest < 2 {
                return Err(DeviceError::Nodes(fewest));
            }
        }
        Ok(())
    }

    /// The device without spread.
    pub fn typical(&self) -> Cell {
        let mut cell = self.unprepared();
        let typical = cell;
        self.law.prepare(&typical, &mut cell, [0.0; 3]);
        cell
    }

    fn unprepared(&self) -> Cell {
        Cell {
            up: (self.step * (1.0 + self.up_down.min(0.0))).abs(),
            down: (self.step * (1.0 - self.up_down.max(0.0))).abs(),
            max: self.max,
            min: self.min,
            ..Cell::default()
        }
    }

    /// Device number `index` of a stream. A bound that the draw puts on the wrong side of zero is taken at its
    /// absolute value, as step scales are; [`super::Population::folded_bounds`] counts these.
    pub fn draw(&self, stream: &Stream, index: u64) -> Cell {
        let normal = |number: u64| stream.normal(index * NORMALS + number);
        let Spread { step, step_log_normal, up_down, max, min } = self.spread;
        let gain = if step_log_normal { (step * normal(0)).exp() } else { 1.0 + step * normal(0) };
        let asymmetry = up_down * normal(1);
        let typical = self.unprepared();
        let mut cell = Cell {
            up: (self.step * (gain + self.up_down.min(0.0) + asymmetry)).abs(),
            down: (self.step * (gain - self.up_down.max(0.0) - asymmetry)).abs(),
            max: self.max * (1.0 + max * normal(2)).abs(),
            min: self.min * (1.0 + min * normal(3)).abs(),
            ..Cell::default()
        };
        self.law.prepare(&typical, &mut cell, [normal(4), normal(5), normal(6)]);
        cell
    }

    /// Whether a bound of device `index` was folded back over zero.
    pub(super) fn folds(&self, stream: &Stream, index: u64) -> bool {
        1.0 + self.spread.max * stream.normal(index * NORMALS + 2) < 0.0
            || 1.0 + self.spread.min * stream.normal(index * NORMALS + 3) < 0.0
    }

    /// The state of the typical device after each of `pulses` pulses, without noise.
    pub fn ramp(&self, start: f64, direction: Direction, pulses: usize) -> Vec<f64> {
        let mut states = Vec::new();
        self.law.ramp(&self.typical(), start, direction, pulses, &mut states);
        states
    }
}
