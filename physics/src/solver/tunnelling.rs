//! The solvers of [`crate::tunnelling`] from their inputs.

mod tunnel;

use super::Solver;

/// All of this folder.
pub(super) const SOLVERS: &[Solver] = &[tunnel::SOLVER];
