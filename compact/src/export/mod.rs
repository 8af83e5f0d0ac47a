//! Cards for other programs: circuit simulators, and simulators of networks on analog arrays.
//!
//! - [`expression`]: laws as formulas, from the same functions that give currents.
//! - [`device`]: the devices that circuit simulators get: terminals, parameters, currents, resistances.
//! - [`spice`], [`verilog_a`]: their texts.
//! - [`ramps`]: pulse ramps as CrossSim reads them.
//! - [`aihwkit`]: fitted update laws under the names of aihwkit.

pub mod aihwkit;
pub mod device;
pub mod expression;
mod listing;
pub mod ramps;
pub mod spice;
pub mod verilog_a;

pub use device::{Circuit, Device, DeviceParameter, Port, Resistance};
pub use expression::{Expression, Graph, Symbol};

#[cfg(test)]
mod tests;
