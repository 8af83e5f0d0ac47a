//! The charge-trap (SONOS) cell, each step of its physics a module:
//!
//! 1. [`stack`]: the oxide-nitride-oxide stack, its capacitances and its fields;
//! 2. [`surface`]: the silicon surface potential that belongs to a gate voltage and a trapped charge;
//! 3. [`profile`]: trapped charge across the nitride, its threshold shift and its fields;
//! 4. [`transient`]: what program and erase pulses do to a sheet of charge;
//! 5. [`write_verify`]: pulses with noisy reads until a cell carries its current;
//! 6. [`emission`] and [`retention`]: how traps lose their carriers by tunnelling and by heat;
//! 7. [`nitride`]: injection, capture, emission and dose together on a charge profile;
//! 8. [`ladder`] and [`history`]: logarithmic retention as exponentials, and dose on the same charge;
//! 9. [`collection`]: what ionising dose does to the trapped charge, a differential equation in dose;
//! 10. [`dose`]: a dose at a rate, with annealing, oxide charge and interface traps;
//! 11. [`counting`]: the scatter that comes from counting single charges;
//! 12. [`synthetic`]: a cell with more physics than the fitted forms have, which writes labelled
//!     synthetic measurements.

pub mod collection;
pub mod counting;
pub mod dose;
pub mod emission;
pub mod history;
pub mod ladder;
pub mod nitride;
pub mod profile;
pub mod retention;
pub mod stack;
pub mod surface;
pub mod synthetic;
pub mod transient;
pub mod write_verify;

pub use stack::{Fields, Stack};
