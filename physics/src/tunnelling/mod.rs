//! Tunnelling of carriers through barriers.
//!
//! - [`barrier`]: the band edge through a stack of insulators, with the field of its layers and fixed charge;
//! - [`wkb`]: action and transmission in the semi-classical approximation, and the closed law of current
//!   that follows from them (Fowler-Nordheim, direct and modified);
//! - [`transfer_matrix`]: transmission from the wave function;
//! - [`tsu_esaki`]: current with the occupation of both electrodes at a temperature;
//! - [`injection`]: the closed form for one oxide and one nitride, which the charge-trap cell uses.
//!
//! Energies are in eV above the Fermi level of the left electrode. An electron gains energy towards the
//! right where the field is positive.

pub mod barrier;
pub mod injection;
mod quadrature;
pub mod transfer_matrix;
pub mod tsu_esaki;
pub mod wkb;
