//! The charge-trap (SONOS) cell, each step of its physics a module:
//!
//! 1. [`stack`]: the oxide-nitride-oxide stack, its capacitances and its fields;
//! 2. [`surface`]: the silicon surface potential that belongs to a gate voltage and a trapped charge;
//! 3. [`transient`]: what program and erase pulses do;
//! 4. [`collection`]: what ionising dose does to the trapped charge, a differential equation in dose;
//! 5. [`counting`]: the scatter that comes from counting single charges;
//! 6. [`synthetic`]: a cell with more physics than the fitted forms have, which writes labelled
//!    synthetic measurements.

pub mod collection;
pub mod counting;
pub mod stack;
pub mod surface;
pub mod synthetic;
pub mod transient;

pub use stack::{Fields, Stack};
