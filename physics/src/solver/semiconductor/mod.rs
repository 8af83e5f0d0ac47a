//! The solvers of [`crate::semiconductor`] from their inputs.

mod drift_diffusion;
mod moscap;
mod poisson;
mod read;

use super::Solver;

/// All of this folder.
pub(super) const SOLVERS: &[Solver] = &[poisson::SOLVER, moscap::SOLVER, drift_diffusion::SOLVER];

#[cfg(test)]
mod tests;
