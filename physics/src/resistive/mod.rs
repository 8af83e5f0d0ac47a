//! Resistive memories: filaments of vacancies and their heat.
//!
//! - [`implicit`]: implicit integration of cells in a row, the numerical base of the rest;
//! - [`waveform`]: the voltage over time that drives a cell;
//! - [`heat`]: conduction of heat through layers;
//! - [`strachan`]: the memristor law of a TaOx cell;
//! - [`jart`]: the oxygen-vacancy cell of HfO2 with a Schottky contact;
//! - [`filament`]: drift, diffusion and heating of vacancies along a filament;
//! - [`bulk`]: the cell without a filament, whose update is linear.

pub mod bulk;
pub mod filament;
pub mod heat;
pub mod implicit;
pub mod jart;
pub mod strachan;
pub mod waveform;
