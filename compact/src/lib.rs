//! Closed-form and ODE device models of mho, and the fitting of them to measurements.
//!
//! - [`model`]: what a model is (parameters, units, bounds, sources) and the list of all of them.
//! - [`fit`]: least squares for any model, with uncertainties and plain-word warnings.
//! - [`card`]: the fitted parameters of one device as a TOML document.
//! - [`ekv`], [`extract`], [`idvg`]: transistor currents, figures read off them, and the fit of sweeps.
//! - [`readings`]: from a measurement to what a law is fitted to.
//! - [`update`]: what pulses do to a conductance: laws, spread, noise, fits.
//! - [`transistor`]: an all-region law with velocity saturation, body effect and series resistances, and its
//!   fit to sweeps at any bias.
//! - [`export`]: cards for circuit simulators and for simulators of networks, from the same laws.
//! - [`real`], [`dual`]: the numbers that laws are written in: values, values with derivatives, formulas.
//! - [`inference`]: resistive cells (PCM, ReRAM and generic): errors, drift, read noise; their sampler and fits.

pub mod card;
pub mod cell;
pub mod current_shift;
pub mod dual;
pub mod ekv;
pub mod export;
pub mod extract;
pub mod fit;
pub mod idvg;
pub mod inference;
pub mod model;
pub mod programming;
pub mod readings;
pub mod real;
pub mod retention;
pub mod spread;
pub mod tid;
pub mod transistor;
pub mod update;
