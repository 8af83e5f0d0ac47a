//! Tables that regressions are made from; their readings are replaced before every fit.

use mho_compact::card::DeviceCard;
use mho_compact::model::ModelInfo;
use mho_compact::transistor::{Terminals, Transistor};
use mho_compact::update::{Direction, device};
use mho_data::measurement::Kind;
use mho_data::random::Stream;

/// A table in the columns of the model's kind of measurement; its readings are replaced.
pub fn table(name: &str, devices: usize) -> (Kind, String) {
    const DAY_S: f64 = 86_400.0;
    let thresholds = "device,state,dose_krad_si,time_s,vt_v\n".to_owned();
    let currents = "device,state,dose_krad_si,time_s,current_na\n".to_owned();
    let stream = Stream::new(0, &["calibrate", "table"], &[]);
    let mut rows = String::new();
    let mut index = 0;
    let mut jitter = |spread: f64| {
        index += 1;
        1.0 + spread * stream.normal(index)
    };
    match name {
        "tid-exp" | "tid-stretched" | "tid-two-term" | "tid-collect" => {
            for device in 0..devices {
                let start_v = [3.0, 2.0, 1.2, 0.2, -0.5, -1.0][device % 6] + 0.01 * (device / 6) as f64;
                for dose in [0.0, 30.0, 60.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 4000.0] {
                    rows += &format!("d{device},S{},{dose},0,{start_v}\n", device % 6);
                }
            }
            (Kind::Threshold, thresholds + &rows)
        }
        "threshold-spread" => {
            for state in 0..devices {
                for (dose, days) in
                    [(0.0, 0.0), (0.0, 1.0), (0.0, 10.0), (0.0, 100.0), (100.0, 0.0), (500.0, 0.0)]
                {
                    for device in 0..30 {
                        let vt_v = 0.1 * state as f64 + 3e-3 * (jitter(1.0) - 1.0);
                        rows += &format!("d{device},S{state},{dose},{},{vt_v}\n", days * DAY_S);
                    }
                }
            }
            (Kind::Threshold, thresholds + &rows)
        }
        "sonos-programming" => {
            for state in 0..devices {
                let state = (state + 1) as f64 / devices as f64;
                for cell in 0..30 {
                    for days in [0.0, 0.1, 1.0, 10.0, 100.0] {
                        let na = 1600.0 * state * jitter(0.03);
                        rows += &format!("c{cell},{state},0,{},{na}\n", days * DAY_S);
                    }
                }
            }
            (Kind::StateCurrent, currents + &rows)
        }
        "read-noise" => {
            for cell in 0..devices {
                let state = 0.01 * 100_f64.powf(cell as f64 / (devices - 1) as f64);
                for _ in 0..30 {
                    rows += &format!("c{cell},{state},0,0,{}\n", 1600.0 * state * jitter(0.03));
                }
            }
            (Kind::StateCurrent, currents + &rows)
        }
        "sonos-retention" => {
            for cell in 0..devices {
                let state = [0.02, 0.05, 0.1, 0.25, 0.5, 1.0][cell % 6];
                for days in [0.0, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0] {
                    rows += &format!("c{cell},{state},0,{},{}\n", days * DAY_S, 1600.0 * state);
                }
            }
            (Kind::StateCurrent, currents + &rows)
        }
        _ => {
            for cell in 0..devices {
                let state = [0.02, 0.05, 0.1, 0.25, 0.5, 1.0][cell % 6];
                // Half of the cells are stored after a dose that leaves them far from neutral, the others dosed on.
                let all = if (cell / 6) % 2 == 0 {
                    [
                        (0.0, 0.0),
                        (100.0, 100.0),
                        (300.0, 300.0),
                        (500.0, 500.0),
                        (500.0, 1e5),
                        (500.0, 1e6),
                        (500.0, 1e7),
                    ]
                } else {
                    [0.0, 100.0, 300.0, 500.0, 1000.0, 2000.0, 4000.0].map(|dose| (dose, dose))
                };
                for (dose, time_s) in all {
                    rows += &format!("c{cell},{state},{dose},{time_s},{}\n", 1600.0 * state);
                }
            }
            (Kind::StateCurrent, currents + &rows)
        }
    }
}

/// Readings along a ramp, and pulses of one at most.
const READINGS: usize = 40;
const MOST_PULSES: usize = 1200;

/// The law at its default values, with steps four times as large: fewer pulses for the same way.
fn quick(info: &ModelInfo) -> DeviceCard {
    let mut card = DeviceCard::from_defaults(info);
    for (_, parameter) in card.parameters.iter_mut().filter(|(name, _)| name.starts_with("step")) {
        parameter.value *= 4.0;
    }
    card
}

/// Two ramps up and down with the law's default values, over most of the way that a state goes.
pub fn ramps(info: &ModelInfo) -> Option<(Kind, String)> {
    let (law, cell) = device(&quick(info))?;
    let mut states = Vec::new();
    let end = law.ramp(&cell, -0.8, Direction::Up, MOST_PULSES, &mut states);
    let most = states.iter().position(|state| state + 0.8 >= 0.9 * (end + 0.8)).unwrap_or(0) + 1;
    // A third more, so that laws without a slope reach their bounds.
    let every = (most * 4 / 3).div_ceil(READINGS).max(1);
    let mut rows = "device,state,ramp,pulse,current_a\n".to_owned();
    let mut state = -0.8;
    for (ramp, direction) in
        [Direction::Up, Direction::Down, Direction::Up, Direction::Down].into_iter().enumerate()
    {
        states.clear();
        if ramp == 0 {
            states.push(state);
        } else {
            state = law.ramp(&cell, state, direction, 1, &mut states);
        }
        state = law.ramp(&cell, state, direction, every * READINGS, &mut states);
        let name = if direction == Direction::Up { "up" } else { "down" };
        for (pulse, state) in states.iter().enumerate().step_by(every) {
            rows += &format!("d,{name},{ramp},{pulse},{:e}\n", 1e-6 * (2.0 + state));
        }
    }
    Some((Kind::Ramp, rows))
}

/// Gate sweeps at three drain and two body voltages.
pub fn sweeps(values: &[f64]) -> (Kind, String) {
    let law = Transistor::from_values(values, 300.0);
    let mut rows =
        "device,state,dose_krad_si,time_s,temperature_k,vd_v,vg_v,vb_v,id_a,compliance,sweep\n".to_owned();
    let mut sweep = 0;
    for body_v in [0.0, -0.6] {
        for drain_v in [0.1, 0.6, 1.2] {
            for gate in 0..=20 {
                let gate_v = 0.09 * f64::from(gate);
                let at = Terminals { gate_v, drain_v, source_v: 0.0, body_v };
                let drain_a = law.current_a(at);
                rows += &format!("d,,0,0,300,{drain_v},{gate_v},{body_v},{drain_a:e},0,{sweep}\n");
            }
            sweep += 1;
        }
    }
    (Kind::IdVg, rows)
}
