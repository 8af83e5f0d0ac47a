//! The solvers of [`crate::sonos`] from their inputs.

mod cell;
mod columns;
mod dose;
mod history;
mod lifetime;
mod transient;

use super::Solver;

/// All of this folder.
pub(super) const SOLVERS: &[Solver] = &[transient::SOLVER, history::SOLVER, dose::SOLVER, lifetime::SOLVER];
