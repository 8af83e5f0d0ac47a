//! The solvers of [`crate::semiconductor`] from their inputs.

use super::Solver;

/// All of this folder.
pub(super) const SOLVERS: &[Solver] = &[];
