//! Updates against closed forms, and tables of others.

use super::*;
use crate::{OutOfRange, Sides};
use mho_data::random::Stream;

/// Steps up that shrink towards the top and down towards the bottom, uniform about their mean.
struct Soft;

impl Soft {
    fn mean(direction: Direction, g: f64) -> f64 {
        match direction {
            Direction::Up => 0.02 * (-2.0 * g).exp(),
            Direction::Down => -0.02 * (-2.0 * (1.0 - g)).exp(),
        }
    }

    const WIDTH: f64 = 0.03;
}

impl UpdateSource for Soft {
    fn describe(&self) -> UpdateInfo {
        UpdateInfo {
            name: "soft".into(),
            origin: Origin::Synthetic,
            unit: "1".into(),
            range: (0.0, 1.0),
            probability: (0.0, 1.0),
            notes: vec!["made up".into()],
        }
    }

    fn step(&self, direction: Direction, g: f64, p: f64) -> Result<f64, String> {
        Ok(Self::mean(direction, g) + Self::WIDTH * (p - 0.5))
    }
}

fn soft() -> UpdateTable {
    compile_updates(&Soft, &UpdateOptions { tolerance_fraction: 2e-3 }).unwrap()
}

#[test]
fn compiled_steps_are_those_of_the_source() {
    let table = soft();
    let certificate = table.certificate().unwrap();
    assert!(certificate.met() && certificate.checked_points == 4000, "{certificate:?}");
    for direction in [Direction::Up, Direction::Down] {
        let steps = table.steps(direction);
        assert_eq!(steps.falls(), 0);
        for g in [0.0, 0.123, 0.77, 1.0] {
            // 0.2 % of the largest step, 0.035.
            assert!((steps.mean(g) - Soft::mean(direction, g)).abs() < 7e-5);
            for p in [0.0, 0.31, 1.0] {
                let wanted = Soft.step(direction, g, p).unwrap();
                assert!((steps.quantile(g, p) - wanted).abs() < 7e-5, "{g} {p}");
            }
        }
        // The integral of the closed form over 10 to 90 %.
        let sign = if direction == Direction::Up { 1.0 } else { -1.0 };
        let wanted = sign * 0.01 * ((-0.2_f64).exp() - (-1.8_f64).exp()) / 0.8;
        assert!((steps.average(0.1, 0.9) / wanted - 1.0).abs() < 2e-3);
    }
    let bytes = table.to_bytes().unwrap();
    assert_eq!(UpdateTable::from_bytes(&bytes, "u.safetensors").unwrap(), table);
    assert!(UpdateTable::from_bytes(&bytes[1..], "u.safetensors").is_err());
}

/// r times the mean, sqrt(r) times the spread: with 40 000 draws the mean is known to 1/200 of the spread
/// and the spread to 1/280 of itself; four of these are allowed.
#[test]
fn many_small_steps_add_like_their_number() {
    let table = soft();
    let rule = UpdateRule::default();
    let (low, high) = table.used_range(&rule).unwrap();
    let average = table.steps(Direction::Up).average(low, high);
    let draws = 40_000;
    for part in [0.25, 1.0, 4.0] {
        let mut cells = vec![0.4; draws];
        let asked = vec![part * average; draws];
        let stream = Stream::new(1, &["update"], &[]);
        let counts = table.apply(&mut cells, &asked, &rule, &stream, 0, OutOfRange::Error).unwrap();
        assert_eq!((counts.changed, counts.stopped.total()), (draws, 0));
        let mean = cells.iter().map(|g| g - 0.4).sum::<f64>() / draws as f64;
        let square = cells.iter().map(|g| (g - 0.4 - mean).powi(2)).sum::<f64>() / draws as f64;
        let spread = part.sqrt() * Soft::WIDTH / 12.0_f64.sqrt();
        let wanted = part * Soft::mean(Direction::Up, 0.4);
        assert!((mean - wanted).abs() < 4.0 * spread / 200.0 + 7e-5 * part, "{part}: {mean} {wanted}");
        assert!((square.sqrt() / spread - 1.0).abs() < 4.0 / 280.0, "{part}: {}", square.sqrt());
    }
}

#[test]
fn linear_and_silent_rules_do_what_is_asked() {
    let table = soft();
    let rule = UpdateRule { nonlinear: false, random: false, ..UpdateRule::default() };
    let stream = Stream::new(1, &["update"], &[]);
    let mut cells = [0.3, 0.3, 0.3, 0.85];
    let asked = [0.01, -0.02, 0.0, 0.5];
    let counts = table.apply(&mut cells, &asked, &rule, &stream, 0, OutOfRange::Error).unwrap();
    for (found, wanted) in cells.iter().zip([0.31, 0.28, 0.3, 0.9]) {
        assert!((found - wanted).abs() < 1e-12, "{cells:?}");
    }
    assert_eq!((counts.changed, counts.stopped), (3, Sides { below: 0, above: 1 }));
}

#[test]
fn a_cell_draws_the_same_in_any_batch() {
    let table = soft();
    let (rule, stream) = (UpdateRule::default(), Stream::new(2, &["update"], &[]));
    let asked: Vec<f64> = (0..200_u32).map(|k| 0.004 * (f64::from(k % 5) - 2.0)).collect();
    let mut whole = vec![0.5; 200];
    table.apply(&mut whole, &asked, &rule, &stream, 0, OutOfRange::Error).unwrap();
    let mut parts = vec![0.5; 200];
    for (k, (cells, asked)) in parts.chunks_mut(7).zip(asked.chunks(7)).enumerate() {
        table.apply(cells, asked, &rule, &stream, 7 * k as u64, OutOfRange::Error).unwrap();
    }
    assert_eq!(whole, parts);
}

#[test]
fn what_cannot_be_done_is_refused_or_counted() {
    let table = soft();
    let (rule, stream) = (UpdateRule::default(), Stream::new(2, &["update"], &[]));
    let clamp = OutOfRange::Clamp;
    let counts = table.apply(&mut [0.0, 2.0], &[0.0, 0.0], &rule, &stream, 0, clamp).unwrap();
    assert_eq!(counts.outside, Sides { below: 1, above: 1 });
    assert!(table.apply(&mut [0.0], &[0.0], &rule, &stream, 0, OutOfRange::Error).is_err());
    assert!(table.apply(&mut [0.5], &[f64::NAN], &rule, &stream, 0, clamp).is_err());
    assert!(table.apply(&mut [0.5], &[0.1, 0.1], &rule, &stream, 0, clamp).is_err());
    for used in [(0.9, 0.1), (-0.1, 0.5), (0.0, f64::NAN), (0.2, 1.1)] {
        assert!(table.used_range(&UpdateRule { used, ..rule }).is_err(), "{used:?}");
    }
    let reversed =
        UpdateTable::new("x", Origin::Synthetic, "1", table.down.clone(), table.up.clone()).unwrap();
    let error = reversed.apply(&mut [0.5], &[0.1], &rule, &stream, 0, clamp).unwrap_err();
    assert!(error.to_string().contains("steps up that average -"), "{error}");
}

#[test]
fn texts_say_where_they_are_wrong() {
    let good = "title\n1,2,3\n0,1\n0.1,0.2,0.3\n0.2,0.3,0.4\n\n";
    let steps = Steps::from_text(good.as_bytes(), "up.txt").unwrap();
    assert_eq!(Steps::from_text(steps.to_text().as_bytes(), "again").unwrap(), steps);
    for (bad, expected) in [
        ("", "conductances in row 2"),
        ("title\n1,2,3\n", "probabilities in row 3"),
        ("title\n1,2,x\n0,1\n", "up.txt:2: found `x`"),
        ("title\n1,2,3\n0,1\n0.1,0.2\n", "up.txt:4: found 2 steps"),
        ("title\n1,2,3\n0,1\n0.1,0.2,0.3\n", "found 1 rows"),
        ("title\n1,3,2\n0,1\n1,1,1\n1,1,1\n", "conductances that do not ascend"),
        ("title\n1,2,3\n0,2\n1,1,1\n1,1,1\n", "probabilities"),
        ("title\n1,2,3\n0,1\n1,1,1\n1,1,inf\n", "up.txt:5: found `inf`"),
    ] {
        let error = Steps::from_text(bad.as_bytes(), "up.txt").unwrap_err().to_string();
        assert!(error.contains(expected), "{bad:?}: {error}");
    }
    assert!(Steps::from_text(&[0x1f, 0x8b, 3, 4], "up.txt.gz").is_err());
    assert!(Steps::from_text(&[0xff, 0xfe], "up.txt").is_err());
}

/// The tables that CrossSim ships: read, written and read to the same numbers, and of one sign in the mean.
#[test]
fn tables_of_others_return_as_they_came() {
    for (name, unit, lattice) in [
        ("ENODe_dG_{}.txt", "S", (48, 122)),
        ("TaOx_dev1_dG_{}.txt.gz", "S", (501, 501)),
        ("DWMTJ_STT_300K_0_dG_{}.txt.gz", "S", (501, 501)),
    ] {
        let read = |way: &str| -> Option<Steps> {
            let file = name.replace("{}", way);
            let path = mho_data::shared::find(&format!("measured/crosssim/luts/{file}"))?;
            Some(Steps::from_text(&std::fs::read(path).unwrap(), &file).unwrap())
        };
        let (Some(up), Some(down)) = (read("increasing"), read("decreasing")) else { return };
        assert_eq!((up.conductance().len(), up.probability().len()), lattice);
        for steps in [&up, &down] {
            assert_eq!(&Steps::from_text(steps.to_text().as_bytes(), "again").unwrap(), steps);
        }
        let table = UpdateTable::new(name, Origin::Measured, unit, up, down).unwrap();
        let bytes = table.to_bytes().unwrap();
        assert_eq!(UpdateTable::from_bytes(&bytes, "u.safetensors").unwrap(), table);
        // Both directions work from the middle of the table.
        let (low, high) = table.range();
        let mut cells = [0.5 * (low + high); 2];
        let asked = [1e-3 * (high - low), -1e-3 * (high - low)];
        let rule = UpdateRule { random: false, ..UpdateRule::default() };
        let stream = Stream::new(0, &[], &[]);
        table.apply(&mut cells, &asked, &rule, &stream, 0, OutOfRange::Error).unwrap();
        assert!(cells[0] > cells[1], "{name}: {cells:?}");
    }
}

/// Ramps of a linear law with known noise: 60 ramps of 200 pulses up by 0.005 and down likewise, each step
/// uniform about it.
#[test]
fn ramps_become_tables() {
    let stream = Stream::new(9, &["ramps"], &[]);
    let ramps = |sign: f64, start: f64, first: u64| -> Vec<Vec<f64>> {
        (0..60_u64)
            .map(|ramp| {
                let mut g = start;
                (0..200_u64)
                    .map(|pulse| {
                        g += sign * 0.01 * stream.uniform(first + 200 * ramp + pulse);
                        g
                    })
                    .collect()
            })
            .collect()
    };
    let options = PulseOptions { bins: 20, tolerance_fraction: 0.2, ..PulseOptions::default() };
    let table = UpdateTable::from_ramps(&ramps(1.0, 0.0, 0), &ramps(-1.0, 1.0, 1_000_000), &options).unwrap();
    let certificate = table.certificate().unwrap();
    assert!(certificate.met() && certificate.checked_points > 3000, "{certificate:?}");
    // About 600 steps in a bin: a quantile is known to 0.01 sqrt(p(1-p)/600) = 2e-4, four of which are
    // allowed, and a mean to 0.003/sqrt(600) = 1.2e-4.
    for (direction, sign) in [(Direction::Up, 1.0), (Direction::Down, -1.0)] {
        let steps = table.steps(direction);
        assert_eq!(steps.falls(), 0);
        for g in [0.2, 0.5, 0.8] {
            assert!((steps.mean(g) - sign * 0.005).abs() < 5e-4, "{g}: {}", steps.mean(g));
            for p in [0.1, 0.5, 0.9] {
                let wanted = 0.01 * if sign > 0.0 { p } else { p - 1.0 };
                assert!((steps.quantile(g, p) - wanted).abs() < 8e-4, "{g} {p}: {}", steps.quantile(g, p));
            }
        }
    }
    for (up, options, expected) in [
        (vec![], options.clone(), "over no range"),
        (ramps(-1.0, 1.0, 0), options.clone(), "steps that sum up to -"),
        (vec![vec![0.1, f64::NAN]], options.clone(), "ramp 1 reads NaN"),
        (ramps(1.0, 0.0, 0), PulseOptions { bins: 0, ..options.clone() }, "bins = 0"),
        (ramps(1.0, 0.0, 0), PulseOptions { least_steps: 10_000, ..options.clone() }, "no bin with 10000"),
        (
            vec![vec![0.0, 0.1, 0.2, 5.0, 5.1, 5.2]],
            PulseOptions { least_steps: 2, ..options },
            "expected at least 2",
        ),
    ] {
        let error =
            UpdateTable::from_ramps(&up, &ramps(-1.0, 1.0, 0), &options.clone()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

/// The measured ramps of others: 39 of 192 pulses up and 40 of 153 down, read at 0.1 V.
#[test]
fn measured_ramps_become_tables() {
    let read = |name: &str| -> Option<Vec<Vec<f64>>> {
        let path = mho_data::shared::find(&format!("measured/crosssim/pulse_csv/{name}"))?;
        let text = std::fs::read_to_string(path).unwrap();
        let mut ramps: Vec<Vec<f64>> = Vec::new();
        for row in text.lines().skip(1) {
            for (k, word) in row.split(',').enumerate() {
                if ramps.len() <= k {
                    ramps.push(Vec::new());
                }
                if let Ok(current) = word.trim().parse::<f64>() {
                    ramps[k].push(current / 0.1);
                }
            }
        }
        Some(ramps)
    };
    let (Some(up), Some(down)) = (read("set.csv"), read("reset.csv")) else { return };
    assert_eq!((up.len(), down.len()), (39, 40));
    let table =
        UpdateTable::from_ramps(&up, &down, &PulseOptions { bins: 30, ..PulseOptions::default() }).unwrap();
    let (low, high) = table.range();
    assert!(low > 1.5e-3 && low < 1.8e-3 && high > 2.3e-3 && high < 2.6e-3, "{low} {high}");
    // As many mean steps as there were pulses lead from the first tenth of the range to the last: the time
    // between two conductances is the integral of one over the mean step. 5 % for bins and scatter.
    let (from, to) = (low + 0.1 * (high - low), low + 0.9 * (high - low));
    for (ramps, direction) in [(&up, Direction::Up), (&down, Direction::Down)] {
        let inside = |ramp: &Vec<f64>| ramp.iter().filter(|g| **g >= from && **g < to).count() as f64;
        let pulses = ramps.iter().map(inside).sum::<f64>() / ramps.len() as f64;
        let parts = 1000;
        let width = (to - from) / f64::from(parts);
        let integral: f64 = (0..parts)
            .map(|k| width / table.steps(direction).mean(from + (f64::from(k) + 0.5) * width).abs())
            .sum();
        assert!((integral / pulses - 1.0).abs() < 0.05, "{direction:?}: {integral} {pulses}");
    }
}
