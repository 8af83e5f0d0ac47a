//! The solvers of [`crate::elements`] from their inputs.

use super::Solver;

/// All of this folder.
pub(super) const SOLVERS: &[Solver] = &[];
