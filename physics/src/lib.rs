//! Devices from first principles: electrostatics, charge collection under dose, counting statistics.
//!
//! The chain of a charge-trap (SONOS) cell, each step a module:
//!
//! 1. [`sonos`]: the oxide-nitride-oxide stack, its capacitances and its fields;
//! 2. [`surface`]: the silicon surface potential that belongs to a gate voltage and a trapped charge;
//! 3. [`collection`]: what ionising dose does to the trapped charge, an ordinary differential equation in dose;
//! 4. [`counting`]: the scatter that comes from counting single charges;
//! 5. [`tunnelling`] and [`transient`]: injection through the oxides, and what program and erase pulses do;
//! 6. [`synthetic`]: a cell with more physics than the fitted forms have, which writes labelled
//!    synthetic measurements.
//!
//! ```
//! use mho_physics::collection::Collection;
//! // A cell programmed 1 V above neutral, unbiased in a Co-60 field.
//! let shifts = Collection::default().threshold_shift(1.0, &[30e3, 100e3, 500e3])?;
//! assert!((shifts[2] - 0.703).abs() < 2e-3);
//! # Ok::<(), mho_physics::collection::CollectionError>(())
//! ```
//!
//! Everything is in SI units except dose, which is in rad(Si) where a name ends in `_rad`.

pub mod collection;
pub mod constants;
pub mod counting;
pub mod ode;
pub mod sonos;
pub mod surface;
pub mod synthetic;
pub mod transient;
pub mod tunnelling;
