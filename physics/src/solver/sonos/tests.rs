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

/// Every number of every example, replaced by what nobody should write: a complaint with its line or finite
/// numbers, never a panic.
#[test]
fn wild_numbers_are_refused_or_survived() {
    for solver in SOLVERS {
        let lines: Vec<&str> = solver.example.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            let Some((key, rest)) = line.split_once('=') else { continue };
            if line.starts_with('#') || rest.trim_start().starts_with(['"', 't', 'f']) {
                continue;
            }
            let list = rest.trim_start().starts_with('[');
            for wild in ["nan", "inf", "0.0", "-1.0", "1e300", "1e-300"] {
                let value = if list { format!("[{wild}]") } else { wild.to_owned() };
                let mut changed: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
                changed[index] = format!("{key}= {value}");
                match run(solver.solve, &changed.join("\n")) {
                    Ok(solution) => {
                        for name in solution.table.names() {
                            let values = solution.table.floats(name).unwrap();
                            assert!(
                                values.iter().all(|value| value.is_finite()),
                                "{}: {key}= {value}: {name}",
                                solver.name
                            );
                        }
                    }
                    Err(SolverError::Input(error)) => {
                        assert!(error.line.is_some(), "{}: {error}", solver.name);
                    }
                    Err(SolverError::Failed(_)) => {}
                }
            }
        }
    }
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
