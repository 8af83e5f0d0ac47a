//! `domain-wall`: a train of pulses on a magnetic track.

use crate::elements::domain_wall::Track;
use crate::solver::input::Document;
use crate::solver::{Request, Solution, Solver, SolverError};
use mho_data::Table;
use mho_data::random::Stream;
use serde::Deserialize;

pub(super) const SOLVER: Solver = Solver {
    name: "domain-wall",
    title: "domain-wall synapse: position and conductance along a train of pulses",
    example: include_str!("../../../../data/files/physics/domain-wall.toml"),
    solve,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    temperature_k: f64,
    start_position_nm: f64,
    track: TrackInput,
    pulse: Vec<PulseInput>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrackInput {
    length_nm: f64,
    mobility_m3_per_as: f64,
    threshold_a_per_m2: f64,
    creep_energy_ev: f64,
    creep_velocity_m_per_s: f64,
    pitch_nm: f64,
    depinning_sigma_nm: f64,
    least_conductance_us: f64,
    most_conductance_us: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PulseInput {
    current_a_per_m2: f64,
    duration_s: f64,
    #[serde(default = "once")]
    count: u32,
}

fn once() -> u32 {
    1
}

fn solve(request: &Request<'_>) -> Result<Solution, SolverError> {
    let document = Document { text: request.text, file: request.file };
    let input: Input = document.parse()?;
    let own = &input.track;
    let read = |key: &'static str, value: f64, low: f64, high: f64| {
        document.within(&["track".into(), key.into()], value, low..=high, "")
    };
    let track = Track {
        length_m: 1e-9 * read("length_nm", own.length_nm, 1.0, 1e6)?,
        mobility: read("mobility_m3_per_as", own.mobility_m3_per_as, 0.0, 1.0)?,
        threshold_a_per_m2: read("threshold_a_per_m2", own.threshold_a_per_m2, 1.0, 1e15)?,
        creep_ev: read("creep_energy_ev", own.creep_energy_ev, 0.0, 10.0)?,
        creep_m_per_s: read("creep_velocity_m_per_s", own.creep_velocity_m_per_s, 0.0, 1e4)?,
        pitch_m: 1e-9 * read("pitch_nm", own.pitch_nm, 0.0, 1e6)?,
        depinning_sigma_m: 1e-9 * read("depinning_sigma_nm", own.depinning_sigma_nm, 0.0, 1e6)?,
        least_s: 1e-6 * read("least_conductance_us", own.least_conductance_us, 0.0, 1e6)?,
        most_s: 1e-6 * read("most_conductance_us", own.most_conductance_us, 0.0, 1e6)?,
        temperature_k: document.within(&["temperature_k".into()], input.temperature_k, 4.0..=1000.0, "K")?,
    };
    let start = input.start_position_nm;
    document.within(&["start_position_nm".into()], start, 0.0..=own.length_nm, "nm")?;
    let mut pulses = Vec::new();
    for (index, pulse) in input.pulse.iter().enumerate() {
        let at = |key: &'static str| ["pulse".into(), index.into(), key.into()];
        document.within(&at("current_a_per_m2"), pulse.current_a_per_m2, -1e16..=1e16, "A/m2")?;
        document.within(&at("duration_s"), pulse.duration_s, 0.0..=1e9, "s")?;
        document.within(&at("count"), f64::from(pulse.count), 1.0..=1e6, "pulses")?;
        pulses.extend(std::iter::repeat_n((pulse.current_a_per_m2, pulse.duration_s), pulse.count as usize));
    }
    let stream = Stream::new(request.seed, &["physics", "domain-wall"], &[]);
    let positions = track.train(1e-9 * start, &pulses, &stream);
    let stopped = positions.iter().skip(1).filter(|x| **x <= 0.0 || **x >= track.length_m).count();
    (request.progress)(1.0);
    let table = Table::new()
        .with_float("pulse", (0..positions.len()).map(|i| i as f64).collect())
        .with_float("position_nm", positions.iter().map(|x| 1e9 * x).collect())
        .with_float("conductance_s", positions.iter().map(|x| track.conductance_s(*x)).collect());
    let mut solution = Solution::new(table);
    if stopped > 0 {
        solution
            .notes
            .push(format!("{stopped} of {} pulses left the wall at an end of the track", pulses.len()));
    }
    Ok(solution)
}
