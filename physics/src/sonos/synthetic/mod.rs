//! Synthetic measurements of irradiated SONOS cells, labelled as such.
//!
//! No measured sweeps or state currents of irradiated SONOS cells are public, so these stand in for them.
//! The cells here have physics that the fitted forms lack, so that the misfit of a fit can be seen:
//!
//! - trapped charge spread over the nitride, each carrier type near the oxide it came from, instead of a
//!   sheet at a fixed centroid ([`cell`]);
//! - a charge-sheet transistor with field-dependent mobility and interface traps that grow with dose,
//!   instead of the EKV law ([`transistor`]);
//! - a spread from cell to cell in geometry, doping and capture, and whole charges counted one by one;
//! - the ranges, gain errors, noise, compliance and bad rows of an instrument ([`instrument`]).
//!
//! Every number is a pure function of the seed.

pub mod cell;
pub mod instrument;
mod states;
mod sweeps;
pub mod transistor;

#[cfg(test)]
mod tests;

pub use states::state_currents_csv;
pub use sweeps::idvg_csv;

/// Dose rate of the synthetic irradiation in rad(Si)/s (assumed; a common Co-60 test rate).
pub const DOSE_RATE_RAD_PER_S: f64 = 100.0;

/// Drain voltage of sweeps and of state reads in V (derived: 1.6 µA at the 16 µS of the published array).
pub const DRAIN_V: f64 = 0.1;

/// The sentence that every synthetic file carries.
const NOTE: &str = "synthetic: written by mho_physics::sonos::synthetic from a physical model with cell-to-cell spread and \
instrument noise; no measured sweeps or state currents of irradiated SONOS cells are public";
