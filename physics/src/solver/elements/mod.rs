//! The solvers of [`crate::elements`] from their inputs.

mod domain_wall;
mod igzo;
mod pcm;
mod sot_mram;

use super::Solver;

/// All of this folder.
pub(super) const SOLVERS: &[Solver] = &[pcm::SOLVER, sot_mram::SOLVER, domain_wall::SOLVER, igzo::SOLVER];
