//! What holds for every solver of this folder.

use super::SOLVERS;
use crate::materials::Materials;
use crate::solver::{Request, Solution, SolverError};

fn run(
    solve: fn(&Request<'_>) -> Result<Solution, SolverError>,
    text: &str,
) -> Result<Solution, SolverError> {
    let materials = Materials::built_in().unwrap();
    let request = Request {
        text,
        file: "input.toml",
        frequency_hz: None,
        profiles: true,
        seed: 1,
        materials: &materials,
        progress: &|_| {},
    };
    solve(&request)
}

/// The same input gives the same bits.
#[test]
fn answers_do_not_depend_on_the_run() {
    for solver in SOLVERS {
        let first = run(solver.solve, solver.example).unwrap();
        let second = run(solver.solve, solver.example).unwrap();
        assert_eq!(first.table, second.table, "{}", solver.name);
    }
}
