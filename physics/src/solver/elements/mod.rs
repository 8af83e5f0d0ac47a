//! The solvers of [`crate::elements`] from their inputs.

mod domain_wall;
mod ecram;
mod igzo;
mod pcm;
mod sot_mram;

use super::Solver;

/// All of this folder.
pub(super) const SOLVERS: &[Solver] =
    &[ecram::SOLVER, pcm::SOLVER, sot_mram::SOLVER, domain_wall::SOLVER, igzo::SOLVER];

use super::input::{Document, Step};
use mho_data::InputError;

/// Checks many numbers at once: (key, value, lowest, highest, unit) in the table at `path`.
fn check(
    document: &Document<'_>,
    path: &[Step<'_>],
    numbers: &[(&str, f64, f64, f64, &str)],
) -> Result<(), InputError> {
    for &(key, value, low, high, unit) in numbers {
        let full: Vec<Step<'_>> = path.iter().copied().chain([Step::Key(key)]).collect();
        document.within(&full, value, low..=high, unit)?;
    }
    Ok(())
}

/// Checks an array of numbers that may not be empty.
fn check_list(
    document: &Document<'_>,
    key: &str,
    values: &[f64],
    range: (f64, f64),
    unit: &str,
) -> Result<(), InputError> {
    if values.is_empty() || values.len() > 10_000 {
        let found = format!("{} values", values.len());
        return Err(document.refuse(&[key.into()], found, "1 to 10000 values"));
    }
    for (index, &value) in values.iter().enumerate() {
        document.within(&[key.into(), index.into()], value, range.0..=range.1, unit)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
