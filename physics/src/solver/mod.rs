//! Every solver behind one face: a TOML input goes in, a table with metadata comes out.
//!
//! A solver is one entry of [`registry`]: its name, what it does, an example input, and the function that
//! reads, checks and solves. `mho physics NAME INPUT.toml --out FILE` is a thin shell around it.

mod elements;
pub mod input;
mod resistive;
mod semiconductor;
mod sonos;
mod tunnelling;

use crate::materials::Materials;
use mho_data::{InputError, Table};
use serde::Serialize;
use std::collections::BTreeMap;

/// A value of the metadata of a solution.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Datum {
    /// A number; its unit stands at the end of the name.
    Number(f64),
    /// A word or a sentence.
    Text(String),
}

impl From<f64> for Datum {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<&str> for Datum {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Datum {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

/// What a solver is asked.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The input document.
    pub text: &'a str,
    /// Its name, for messages.
    pub file: &'a str,
    /// Frequency in Hz of a small-signal answer; quasi-static or steady without it.
    pub frequency_hz: Option<f64>,
    /// Whether profiles along the device are wanted beside the table.
    pub profiles: bool,
    /// Seed of random draws.
    pub seed: u64,
    /// Material values.
    pub materials: &'a Materials,
    /// Hears the fraction done.
    pub progress: &'a (dyn Fn(f64) + Sync),
}

/// Where a solver gave up, with all before it kept.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stopped {
    /// The point that has no solution, in words: `bias 0.74 V`.
    pub at: String,
    /// Size of the residual after each iteration.
    pub residuals: Vec<f64>,
}

/// What a solver found.
#[derive(Debug, Clone)]
pub struct Solution {
    /// One row per point; units in the column names.
    pub table: Table,
    /// Profiles along the device when asked for, in long form.
    pub profiles: Option<Table>,
    /// Derived quantities by name, units in the names.
    pub metadata: BTreeMap<String, Datum>,
    /// What a reader should know: clipping, extrapolation, assumptions.
    pub notes: Vec<String>,
    /// Set when the solver gave up before the last point.
    pub stopped: Option<Stopped>,
}

impl Solution {
    /// A complete solution that is a table alone.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self { table, profiles: None, metadata: BTreeMap::new(), notes: Vec::new(), stopped: None }
    }

    /// With a derived quantity.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Datum>) -> Self {
        self.metadata.insert(name.to_owned(), value.into());
        self
    }
}

/// Why a solver has no solution at all.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SolverError {
    /// The input is bad.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The computation failed before its first point.
    #[error("{0}")]
    Failed(String),
}

/// One solver.
#[derive(Clone, Copy)]
pub struct Solver {
    /// Name on the command line.
    pub name: &'static str,
    /// What it computes, in one line.
    pub title: &'static str,
    /// A complete input that runs, with comments that teach.
    pub example: &'static str,
    /// Reads the input, checks it and solves.
    pub solve: fn(&Request<'_>) -> Result<Solution, SolverError>,
}

/// All solvers, in the order in which they are listed.
pub fn registry() -> impl Iterator<Item = &'static Solver> {
    [semiconductor::SOLVERS, tunnelling::SOLVERS, sonos::SOLVERS, resistive::SOLVERS, elements::SOLVERS]
        .into_iter()
        .flatten()
}

/// The solver of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Solver> {
    registry().find(|solver| solver.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_runs() {
        for solver in registry() {
            let request = Request {
                text: solver.example,
                file: solver.name,
                frequency_hz: None,
                profiles: true,
                seed: 1,
                materials: &Materials::built_in().unwrap(),
                progress: &|_| {},
            };
            let solution =
                (solver.solve)(&request).unwrap_or_else(|error| panic!("{}: {error}", solver.name));
            assert!(solution.stopped.is_none(), "{}: {:?}", solver.name, solution.stopped);
            assert!(!solution.table.is_empty(), "{}", solver.name);
            let names: Vec<String> = solution.table.names().map(str::to_owned).collect();
            for name in &names {
                if let Ok(values) = solution.table.floats(name) {
                    assert!(values.iter().all(|value| value.is_finite()), "{}: {name}", solver.name);
                }
            }
        }
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        for solver in registry() {
            let text = format!("no_such_key_here = 1\n{}", solver.example);
            let request = Request {
                text: &text,
                file: "input.toml",
                frequency_hz: None,
                profiles: false,
                seed: 1,
                materials: &Materials::built_in().unwrap(),
                progress: &|_| {},
            };
            match (solver.solve)(&request) {
                Err(SolverError::Input(error)) => assert_eq!(error.line, Some(1), "{}: {error}", solver.name),
                other => panic!("{}: {:?}", solver.name, other.map(|solution| solution.notes)),
            }
        }
    }

    /// Every number of every example, alone or in a list, replaced by what nobody should write: finite numbers
    /// or a complaint with its line, never a panic.
    #[test]
    fn wild_numbers_are_solved_or_refused_at_their_line() {
        let materials = Materials::built_in().unwrap();
        for solver in registry() {
            let lines: Vec<&str> = solver.example.lines().collect();
            for (index, line) in lines.iter().enumerate() {
                let Some((key, value)) = line.split_once('=') else { continue };
                let list = value.trim_start().starts_with('[');
                let number = value.split_whitespace().next().is_some_and(|word| word.parse::<f64>().is_ok());
                if line.trim_start().starts_with('#') || !(list || number) {
                    continue;
                }
                for wild in
                    ["nan", "inf", "-1.0", "0.0", "1e300", "-1e300", "1e-300", "0", "-1", "99999999999"]
                {
                    let value = if list { format!("[{wild}]") } else { wild.to_owned() };
                    let changed = format!("{key}= {value}");
                    let mut lines = lines.clone();
                    lines[index] = &changed;
                    let request = Request {
                        text: &lines.join("\n"),
                        file: "input.toml",
                        frequency_hz: None,
                        profiles: false,
                        seed: 1,
                        materials: &materials,
                        progress: &|_| {},
                    };
                    match (solver.solve)(&request) {
                        Ok(solution) => {
                            solution.table.check().unwrap();
                            for name in solution.table.names() {
                                let finite = solution
                                    .table
                                    .floats(name)
                                    .map_or(true, |values| values.iter().all(|value| value.is_finite()));
                                assert!(finite, "{}: {changed}: {name}", solver.name);
                            }
                        }
                        Err(SolverError::Input(error)) => {
                            assert!(error.line.is_some(), "{}: {changed}: {error}", solver.name);
                        }
                        Err(SolverError::Failed(why)) => panic!("{}: {changed}: {why}", solver.name),
                    }
                }
            }
        }
    }
}
