//! The solvers of [`crate::resistive`] from their inputs.

mod heat;

use super::Solver;

/// All of this folder.
pub(super) const SOLVERS: &[Solver] = &[heat::SOLVER];
