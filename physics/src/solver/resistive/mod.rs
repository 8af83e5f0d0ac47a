//! The solvers of [`crate::resistive`] from their inputs.

mod bulk;
mod drive;
mod filament;
mod heat;
mod jart;
mod strachan;

use super::Solver;

/// All of this folder.
pub(super) const SOLVERS: &[Solver] =
    &[heat::SOLVER, strachan::SOLVER, filament::SOLVER, jart::SOLVER, bulk::SOLVER];
