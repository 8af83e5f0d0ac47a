//! The solvers of [`crate::sonos`] from their inputs.

mod cell;
mod columns;
mod dose;
mod history;
mod lifetime;
mod retention;
#[cfg(test)]
mod tests;
mod transient;
mod write_verify;

use super::Solver;

/// All of this folder.
pub(super) const SOLVERS: &[Solver] = &[
    transient::SOLVER,
    write_verify::SOLVER,
    retention::SOLVER,
    history::SOLVER,
    dose::SOLVER,
    lifetime::SOLVER,
];
