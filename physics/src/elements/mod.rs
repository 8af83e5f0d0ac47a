//! Electrochemical, phase-change, magnetic and capacitor cells.
//!
//! - [`ecram`]: an ion channel behind an interface, with diffusion, leak and temperature;
//! - [`pcm`]: phase-change cells, plain and projected: programming, drift, read noise;
//! - [`sot_mram`]: magnetic tunnel junctions switched by spin-orbit torque;
//! - [`domain_wall`]: a synapse whose weight is the position of a domain wall;
//! - [`igzo`]: a capacitor cell of two oxide transistors.

pub mod domain_wall;
pub mod ecram;
pub mod igzo;
pub mod pcm;
mod root;
pub mod sot_mram;
