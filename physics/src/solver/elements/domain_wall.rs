//! `domain-wall`: pulse trains that move a wall.

use super::check;
use crate::elements::domain_wall::Track;
use crate::solver::input::Document;
use crate::solver::{Request, Solution, Solver, SolverError};
use mho_data::Table;
use mho_data::random::Stream;
use serde::Deserialize;

pub(super) const SOLVER: Solver = Solver {
    name: "domain-wall",
    title: "domain-wall synapse: creep, flow and notches under pulse trains",
    example: include_str!("../../../../data/files/physics/domain-wall.toml"),
    solve,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    temperature_k: f64,
    start_nm: f64,
    track: TrackInput,
    train: Vec<TrainInput>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrackInput {
    length_nm: f64,
    antiparallel_us: f64,
    parallel_us: f64,
    mobility_m3_per_a_s: f64,
    threshold_a_per_m2: f64,
    depinning_m_per_s: f64,
    pinning_ev: f64,
    pitch_nm: f64,
    noise_nm: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrainInput {
    pulses: usize,
    density_a_per_m2: f64,
    width_ns: f64,
}

/// Most pulses of a run.
const MOST_PULSES: usize = 1_000_000;

fn solve(request: &Request<'_>) -> Result<Solution, SolverError> {
    let document = Document { text: request.text, file: request.file };
    let input: Input = document.parse()?;
    let given = &input.track;
    check(
        &document,
        &["track".into()],
        &[
            ("length_nm", given.length_nm, 1.0, 1e9, "nm"),
            ("antiparallel_us", given.antiparallel_us, 0.0, 1e9, "uS"),
            ("parallel_us", given.parallel_us, 0.0, 1e9, "uS"),
            ("mobility_m3_per_a_s", given.mobility_m3_per_a_s, 0.0, 1.0, "m3/(A s)"),
            ("threshold_a_per_m2", given.threshold_a_per_m2, 1.0, 1e15, "A/m2"),
            ("depinning_m_per_s", given.depinning_m_per_s, 0.0, 1e5, "m/s"),
            ("pinning_ev", given.pinning_ev, 0.0, 10.0, "eV"),
            ("pitch_nm", given.pitch_nm, 0.0, given.length_nm, "nm"),
            ("noise_nm", given.noise_nm, 0.0, given.length_nm, "nm"),
        ],
    )?;
    check(
        &document,
        &[],
        &[
            ("temperature_k", input.temperature_k, 1.0, 1000.0, "K"),
            ("start_nm", input.start_nm, 0.0, given.length_nm, "nm"),
        ],
    )?;
    let mut pulses = Vec::new();
    for (index, train) in input.train.iter().enumerate() {
        let path = ["train".into(), index.into()];
        check(
            &document,
            &path,
            &[
                ("density_a_per_m2", train.density_a_per_m2, -1e15, 1e15, "A/m2"),
                ("width_ns", train.width_ns, 0.0, 1e12, "ns"),
            ],
        )?;
        if train.pulses > MOST_PULSES - pulses.len() {
            let expected = format!("{MOST_PULSES} pulses in all at most");
            return Err(document.refuse(&path, format!("{} pulses", train.pulses), expected).into());
        }
        pulses.extend(std::iter::repeat_n((train.density_a_per_m2, 1e-9 * train.width_ns), train.pulses));
    }
    let track = Track {
        length_m: 1e-9 * given.length_nm,
        antiparallel_s: 1e-6 * given.antiparallel_us,
        parallel_s: 1e-6 * given.parallel_us,
        mobility_m3_per_a_s: given.mobility_m3_per_a_s,
        threshold_a_per_m2: given.threshold_a_per_m2,
        depinning_m_per_s: given.depinning_m_per_s,
        pinning_ev: given.pinning_ev,
        pitch_m: 1e-9 * given.pitch_nm,
        noise_m: 1e-9 * given.noise_nm,
    };
    let stream = Stream::new(request.seed, &["physics", "domain-wall"], &[]);
    let train = track.drive(1e-9 * input.start_nm, &pulses, input.temperature_k, &stream);
    let velocities = std::iter::once(0.0)
        .chain(pulses.iter().map(|pulse| track.velocity_m_per_s(pulse.0, input.temperature_k)));
    let table = Table::new()
        .with_float("pulse", (0..train.positions_m.len()).map(|pulse| pulse as f64).collect())
        .with_float("velocity_m_per_s", velocities.collect())
        .with_float("position_nm", train.positions_m.iter().map(|x| 1e9 * x).collect())
        .with_float(
            "conductance_us",
            train.positions_m.iter().map(|&x| 1e6 * track.conductance_s(x)).collect(),
        );
    let mut solution = Solution::new(table)
        .with("pulses_clipped_at_an_end", train.clipped as f64)
        .with("pulses_without_movement", train.stuck as f64);
    if track.pitch_m > 0.0 {
        solution = solution.with("levels", (track.length_m / track.pitch_m + 1e-9).floor() + 1.0);
    }
    if train.clipped > 0 {
        solution.notes.push(format!("{} pulses drove the wall against an end of its track", train.clipped));
    }
    Ok(solution)
}
