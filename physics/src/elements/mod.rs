//! Memory elements other than charge traps and filaments.
//!
//! - [`ecram`]: ions that enter a channel through an electrolyte (Butler-Volmer, diffusion);
//! - [`phase_change`]: phase-change memory and its projected form;
//! - [`magnetic`]: magnetic tunnel junctions; [`domain_wall`]: a wall that moves in steps;
//! - [`gain_cell`]: charge on the gate of an oxide transistor.

pub mod domain_wall;
pub mod ecram;
pub mod gain_cell;
pub mod magnetic;
pub mod phase_change;
mod root;
