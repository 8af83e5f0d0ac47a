//! Drain current of a transistor at any bias of its four terminals, from its channel charge.
//!
//! - [`charge`]: the mobile charge at one end of the channel.
//! - [`law`]: the current, with body effect, velocity saturation, mobility reduction, DIBL,
//!   channel-length modulation, series resistances and a leakage floor.
//! - [`info`]: its parameters.
//! - [`readings`]: sweeps with the voltages of all terminals.
//! - [`extraction`]: thresholds, swing and transconductance without the law.
//! - [`gradient`]: the current with its derivatives.
//! - [`fitting`]: from I_D(V_G) and I_D(V_D) at any biases to the parameters, by extraction and least squares.

pub mod charge;
mod disturbance;
pub mod extraction;
pub mod fitting;
mod freedom;
pub mod gradient;
pub mod info;
pub mod law;
mod priors;
pub mod readings;
mod selection;
mod start;

pub use info::INFO;
pub use law::{Terminals, Transistor};

#[cfg(test)]
mod coverage_tests;
#[cfg(test)]
mod hard_tests;
