//! Devices from first principles: semiconductors, tunnelling, charge trapping, dose, heat and ions.
//!
//! - [`semiconductor`]: Poisson, drift-diffusion, capacitance and transients in one dimension;
//! - [`tunnelling`]: currents through barriers;
//! - [`sonos`]: the charge-trap cell, from its stack to dose, retention and counting statistics;
//! - [`resistive`]: filaments and other resistive memories, and the flow of heat;
//! - [`elements`]: electrochemical, phase-change, magnetic and capacitor cells;
//! - [`materials`]: the values behind all of them, each with its source, in layers of overrides;
//! - [`ode`]: integrators; [`constants`]: constants of nature;
//! - [`solver`]: each of them behind one face, from a TOML input to a table (`mho physics`).
//!
//! ```
//! use mho_physics::sonos::collection::Collection;
//! // A cell programmed 1 V above neutral, unbiased in a Co-60 field.
//! let shifts = Collection::default().threshold_shift(1.0, &[30e3, 100e3, 500e3])?;
//! assert!((shifts[2] - 0.703).abs() < 2e-3);
//! # Ok::<(), mho_physics::sonos::collection::CollectionError>(())
//! ```
//!
//! Everything is in SI units except where a name ends in another unit: dose in rad(Si) where it ends in
//! `_rad`.

pub mod constants;
pub mod elements;
pub mod materials;
pub mod ode;
pub mod resistive;
pub mod semiconductor;
pub mod solver;
pub mod sonos;
pub mod tunnelling;
