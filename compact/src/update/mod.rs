//! Pulsed update: what equal pulses do to the conductance of a device.
//!
//! A [`Law`] gives the mean step of one pulse at a state; a [`PulsedDevice`] adds bounds, spread between devices
//! and noise from cycle to cycle; a [`Population`] pulses many of them; [`presets`] are published devices. Fits
//! take readings as [`Traces`]; [`compare`] ranks all laws on them, [`step_noise`] and [`device_spread`] estimate noise
//! and spread, and [`UpdateQuantiles`] is the law without parameters.
//!
//! ```
//! use mho_compact::update::{Direction, Traces, Window, compare, preset};
//!
//! let device = preset("EcRam").ok_or("unknown")?.device;
//! let up = device.ramp(-0.8, Direction::Up, 400);
//! let down = device.ramp(up[399], Direction::Down, 400);
//! let traces = Traces::from_columns("ramp", &up, &down, Some(Window::WEIGHTS))?;
//! let ranking = compare(&traces)?.ranking;
//! // Its own law is among those that leave nothing of a ramp without noise.
//! let linear = ranking.iter().find(|(law, _)| law.name == "update-linear-step").ok_or("not fitted")?;
//! assert!(linear.1.rms < 1e-4, "{:.1e}", linear.1.rms);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod analytic;
mod compare;
mod constant;
mod device;
mod domain_wall;
mod ecram;
mod exponential;
mod fit;
mod form;
mod info;
mod law;
mod linear;
mod noise;
mod number;
mod piecewise;
mod population;
mod power;
mod presets;
mod quantiles;
mod ramp;
mod start;
mod table_source;
mod trace;

pub use analytic::{CrossSimAsymmetric, CrossSimSymmetric};
pub use compare::{Comparison, autocorrelation, compare, fitted, update_regression, variance_factor};
pub use constant::ConstantStep;
pub use device::{CycleNoise, DeviceError, PulsedDevice, Spread};
pub use domain_wall::DomainWall;
pub use ecram::EcramStep;
pub use exponential::ExpStep;
pub use form::device;
pub use law::{Cell, Direction, Law, PulseLaw};
pub use linear::{LinearStep, PulseRange, SoftBoundsReference, symmetry_point};
pub use noise::{ParameterSpread, StepNoise, device_spread, step_noise};
pub use number::Number;
pub use piecewise::PiecewiseStep;
pub use population::Population;
pub use power::PowStep;
pub use presets::{Preset, preset, presets};
pub use quantiles::{QuantileOptions, UpdateQuantiles};
pub use ramp::{LogarithmicRamp, logarithmic};
pub use table_source::StepSource;

pub use trace::{Ramp, Trace, Traces, Window};

pub use analytic::{ASYMMETRIC as CROSSSIM_ASYMMETRIC, SYMMETRIC as CROSSSIM_SYMMETRIC};
pub use constant::INFO as CONSTANT_STEP;
pub use domain_wall::INFO as DOMAIN_WALL;
pub use ecram::INFO as ECRAM;
pub use exponential::INFO as EXP_STEP;
pub use linear::{LINEAR as LINEAR_STEP, RANGE as NEUROSIM, REFERENCE as SOFT_BOUNDS_REFERENCE, SOFT_BOUNDS};
pub use piecewise::INFO as PIECEWISE_STEP;
pub use power::INFO as POW_STEP;
pub use ramp::INFO as LOGARITHMIC_RAMP;

use crate::fit::Regression;
use crate::model::{Entry, Simulation};
use mho_data::InputError;
use mho_data::measurement::{Kind, Measurement};

/// An update law as something that is fitted to ramps.
macro_rules! entry {
    ($form:expr) => {
        Entry {
            info: $form.info,
            kinds: &[Kind::Ramp],
            fitting: Some(|measurement: &Measurement| -> Result<Regression<'static>, InputError> {
                Ok(fit::regression(&Traces::from_measurement(measurement)?, &$form))
            }),
            simulation: Simulation::new(&["weight", "pulses"], &["weight_after"], |card| {
                let (law, cell) = ($form.device)(&card.values($form.info));
                Box::new(move |at| vec![after(&law, &cell, at[0], at[1])])
            }),
            circuit: None,
        }
    };
}

/// Pulses that are simulated at most.
const MOST_PULSES: f64 = 1e7;

/// Weight after a number of equal pulses; below zero downwards.
fn after(law: &Law, cell: &Cell, weight: f64, pulses: f64) -> f64 {
    let direction = if pulses < 0.0 { Direction::Down } else { Direction::Up };
    law.ramp(cell, weight, direction, pulses.abs().min(MOST_PULSES).round() as usize, &mut Vec::new())
}

/// Every update law with its fit to ramps of equal pulses.
pub const ENTRIES: &[Entry] = &[
    entry!(form::FORMS[0]),
    entry!(form::FORMS[1]),
    entry!(form::FORMS[2]),
    entry!(form::FORMS[3]),
    entry!(form::FORMS[4]),
    entry!(form::FORMS[5]),
    entry!(form::FORMS[6]),
    entry!(form::FORMS[7]),
    entry!(form::FORMS[8]),
    entry!(form::FORMS[9]),
    entry!(form::FORMS[10]),
    entry!(form::FORMS[11]),
    entry!(form::DOMAIN_WALL),
];

#[cfg(test)]
mod fit_tests;
#[cfg(test)]
mod law_tests;
#[cfg(test)]
mod population_tests;
#[cfg(test)]
mod quantile_tests;
#[cfg(test)]
mod tests;
