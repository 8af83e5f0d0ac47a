//! Inputs that are wrong, extreme or beyond what a device can do.

use crate::materials::Materials;
use crate::solver::{Request, Solution, Solver, SolverError, find};

fn solve(solver: &Solver, text: &str) -> Result<Solution, SolverError> {
    let materials = Materials::built_in().unwrap();
    (solver.solve)(&Request {
        text,
        file: "input.toml",
        frequency_hz: None,
        profiles: true,
        seed: 1,
        materials: &materials,
        progress: &|_| {},
    })
}

fn with(name: &str, from: &str, to: &str) -> Result<Solution, SolverError> {
    let solver = find(name).unwrap();
    assert!(solver.example.contains(from), "{name}: {from}");
    solve(solver, &solver.example.replacen(from, to, 1))
}

#[test]
fn a_complaint_names_line_and_range() {
    let Err(SolverError::Input(error)) = with("ecram", "transfer = 0.5 ", "transfer = 1.5 ") else {
        panic!("accepted")
    };
    assert_eq!(error.to_string(), "input.toml:15: found transfer = 1.5, expected a value from 0.01 to 0.99");
    assert!(with("ecram", "voltage_v = 0.3", "voltage_v = 0.3\ncurrent_na = 1.0").is_err());
    assert!(with("ecram", "gate_v   = [-0.35, -0.2", "gate_v   = [-0.35, -0.5").is_err());
    assert!(with("ecram", "repeat = 10", "repeat = 10000000").is_err());
    assert!(with("pcm", "target_us = [1.0, 5.0", "target_us = [1.0, 50.0").is_err());
    assert!(with("igzo", "time_s = [0.0, 1.0, 100.0, 1e4, 1e5]", "time_s = []").is_err());
    assert!(with("domain-wall", "pulses = 30", "pulses = 3000000").is_err());
}

#[test]
fn a_channel_driven_past_its_table_stops_with_the_points_before() {
    let solution =
        with("ecram", "current_na = -20.0\nduration_s = 0.02", "current_na = -20.0\nduration_s = 100.0");
    let solution = solution.unwrap();
    let stopped = solution.stopped.unwrap();
    assert!(stopped.at.contains("open-circuit table"), "{}", stopped.at);
    // The start and ten pulses with their rests.
    assert_eq!(solution.table.len(), 21);
    assert!(!stopped.residuals.is_empty());
}

#[test]
fn draws_depend_on_the_seed_alone_and_agree_with_the_closed_form() {
    let first = with("pcm", "samples = 2000", "samples = 20000").unwrap().table;
    let again = with("pcm", "samples = 2000", "samples = 20000").unwrap().table;
    assert_eq!(first.digest(), again.digest());
    let column = |name: &str| first.floats(name).unwrap();
    for row in 0..first.len() {
        let (expected, spread) = (column("mean_us")[row], column("std_us")[row]);
        // Four standard errors of the mean.
        assert!((column("sampled_mean_us")[row] - expected).abs() < 4.0 * spread / 20_000_f64.sqrt());
    }
}

#[test]
fn a_refresh_restores_the_node_but_not_the_stress() {
    let worn = with("igzo", "# refresh_s = 1000.0", "refresh_s = 5000.0").unwrap().table;
    let (node, shift) = (worn.floats("node_v").unwrap(), worn.floats("threshold_shift_v").unwrap());
    assert_eq!((node[3], node[4]), (0.75, 0.75));
    assert!(shift[4] > shift[3]);
}
