//! Semiconductors in one dimension: electrostatics, transport, capacitance, transients.
//!
//! A [`structure::Structure`] is a stack of layers between two contacts; a [`mesh::Mesh`] puts nodes on it.
//! On these stand the equations: [`poisson`] in equilibrium with the capacitor of [`moscap`], and
//! [`transport`] with its [`mobility`] and [`recombination`]. [`depletion`] has the closed forms of textbooks.

pub mod depletion;
pub mod linear;
pub mod mesh;
pub mod mobility;
pub mod moscap;
pub mod poisson;
pub mod recombination;
pub mod silicon;
pub mod statistics;
pub mod structure;
pub mod transport;
