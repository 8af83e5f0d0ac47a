//! Cards for other programs: circuit simulators, and simulators of networks on analog arrays.
//!
//! - [`expression`]: laws as formulas, from the same functions that give currents.
//! - [`device`]: the devices that circuit simulators get: terminals, parameters, currents, resistances.
//! - [`spice`], [`verilog_a`]: their texts.

pub mod device;
pub mod expression;
mod listing;
pub mod spice;
pub mod verilog_a;

pub use device::{Device, devices};
pub use expression::{Expression, Graph, Symbol};

#[cfg(test)]
mod tests;
