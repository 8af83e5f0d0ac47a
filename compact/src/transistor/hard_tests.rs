//! Devices and measurements that are hard: wild readings, jumps, and data that tell little.

use super::fitting::{TransistorFit, fit};
use super::readings::Readings;
use super::{INFO, Terminals, Transistor};
use mho_data::InputError;
use mho_data::random::Stream;
use mho_data::reader;
use std::fmt::Write as _;

/// A measurement: what is swept at which biases, of which device, and how it is read.
#[derive(Clone)]
struct Measured {
    values: Vec<(&'static str, f64)>,
    drains_v: Vec<f64>,
    bodies_v: Vec<f64>,
    gates_v: Vec<f64>,
    temperatures_k: Vec<f64>,
    relative: f64,
    floor_a: f64,
    /// What becomes of a reading: its number and gate voltage, the current, the spread of its noise.
    then: fn(u64, f64, f64, f64) -> f64,
}

impl Measured {
    fn usual() -> Self {
        Self {
            values: vec![
                ("vt_v", 0.62),
                ("gamma_sqrt_v", 0.42),
                ("beta_a_per_v2", 1.1e-3),
                ("theta_per_v", 0.7),
                ("critical_v", 0.8),
                ("dibl", 0.035),
                ("shortening", 0.08),
                ("source_ohm", 500.0),
                ("drain_ohm", 600.0),
                ("trap_ratio", 0.3),
            ],
            drains_v: vec![0.1, 1.8],
            bodies_v: vec![0.0, -0.9, -1.8],
            gates_v: (0..37).map(|step| 0.05 * f64::from(step)).collect(),
            temperatures_k: vec![300.0],
            relative: 0.01,
            floor_a: 1e-11,
            then: |_, _, current, _| current,
        }
    }

    fn law(&self, temperature_k: f64) -> Transistor {
        let mut values = INFO.defaults();
        for &(name, value) in &self.values {
            values[INFO.parameters.iter().position(|info| info.name == name).unwrap()] = value;
        }
        Transistor::from_values(&values, temperature_k)
    }

    fn csv(&self) -> String {
        let noise = Stream::new(21, &["transistor", "hard"], &[]);
        let mut csv = String::from("# origin: synthetic\nVD (V),VB (V),VG (V),ID (A),T (K)\n");
        let mut row = 0;
        for &temperature_k in &self.temperatures_k {
            let law = self.law(temperature_k);
            for &body_v in &self.bodies_v {
                for &drain_v in &self.drains_v {
                    for &gate_v in &self.gates_v {
                        let at = Terminals { gate_v, drain_v, source_v: 0.0, body_v };
                        let current = law.current_a(at);
                        let read = current * (1.0 + self.relative * noise.normal(2 * row))
                            + self.floor_a * noise.normal(2 * row + 1);
                        let spread = (self.relative * current).hypot(self.floor_a);
                        let read = (self.then)(row, gate_v, read, spread);
                        row += 1;
                        writeln!(csv, "{drain_v},{body_v},{gate_v:.3},{read:e},{temperature_k}").unwrap();
                    }
                }
            }
        }
        csv
    }

    fn readings(&self) -> Result<Readings, InputError> {
        Readings::of(&reader::read_as(&[("hard.csv", self.csv().as_bytes())], None, None)?)
    }

    fn fit(&self) -> TransistorFit {
        fit(&self.readings().unwrap()).unwrap()
    }
}

/// Whether this reading is one of the 5 % that are wild, and to which side.
fn wild(row: u64) -> Option<f64> {
    let draw = Stream::new(22, &["transistor", "wild"], &[]).uniform(row);
    (draw < 0.05).then_some(if draw < 0.025 { 1.0 } else { -1.0 })
}

/// Wild readings, by twenty deviations or a decade: no estimate moves by more than half the half-width of its
/// interval, and they are counted and named.
#[test]
fn wild_readings_move_nothing() {
    let clean = Measured::usual();
    let before = clean.fit();
    assert!(
        before.fit.warnings.iter().all(|words| !words.contains("stand alone")),
        "{:?}",
        before.fit.warnings
    );
    let count = (0..222).filter(|row| wild(*row).is_some()).count();
    for then in [
        (|row, _, current, spread| current + 20.0 * spread * wild(row).unwrap_or(0.0))
            as fn(u64, f64, f64, f64) -> f64,
        |row, _, current, _| current * 10_f64.powf(wild(row).unwrap_or(0.0)),
    ] {
        let after = Measured { then, ..clean.clone() }.fit();
        let words: Vec<&String> =
            after.fit.warnings.iter().filter(|words| words.contains("stand alone")).collect();
        println!("{count}: {words:?}");
        assert_eq!(words.len(), 1);
        for a in &before.fit.parameters {
            let Some(b) = after.fit.parameter(&a.name) else {
                println!("{}: left out", a.name);
                continue;
            };
            let half = 0.5 * (a.interval95[1] - a.interval95[0]);
            let moved = (b.value - a.value).abs() / half;
            println!("{}: {moved:.3} half-widths", a.name);
            assert!(moved < 0.5, "{}: {moved}", a.name);
        }
    }
}

/// Above a current the reading jumps, as by a change of range: that is said, and the curve below it is still fitted.
#[test]
fn a_jump_is_said() {
    let found = Measured {
        then: |_, gate_v, current, _| if gate_v > 1.52 { 8.0 * current } else { current },
        ..Measured::usual()
    }
    .fit();
    println!("{:?}", found.fit.warnings);
    let words = found.fit.warnings.iter().find(|words| words.contains("jumps")).unwrap();
    assert!(words.contains("1.5 and 1.55 V"), "{words}");
    let noisy = Measured {
        then: |row, _, current, _| if row % 5 < 2 { 0.2 * current } else { current },
        ..Measured::usual()
    }
    .fit();
    println!("{:?}", noisy.fit.warnings);
    assert!(noisy.fit.warnings.iter().any(|words| words.contains("come and go")));
}

fn tell(name: &str, found: &Result<TransistorFit, String>) {
    match found {
        Err(why) => println!("{name}: {why}"),
        Ok(found) => {
            println!("{name}: rms_log {:?}", found.fit.rms_log);
            for p in &found.fit.parameters {
                println!(
                    "    {} = {:.4e} [{:.3e}, {:.3e}] {}",
                    p.name, p.value, p.interval95[0], p.interval95[1], p.at_bound
                );
            }
            for fixed in &found.regression.fixed {
                println!("    fixed {} = {:.4e}: {}", fixed.name, fixed.value, fixed.why);
            }
            for words in &found.fit.warnings {
                println!("    ! {words}");
            }
        }
    }
}

/// Whatever is measured, there are finite values inside finite intervals, or words.
#[test]
fn hard_measurements_are_fitted_or_refused_in_words() {
    let usual = Measured::usual();
    let few: Vec<f64> = (0..9).map(|step| 0.2 * f64::from(step)).collect();
    let back: Vec<f64> = usual.gates_v.iter().copied().chain(usual.gates_v.iter().rev().copied()).collect();
    let cases: Vec<(&str, &str, Measured)> = vec![
        ("saturation alone", "|V_D| = 1.8 V", Measured { drains_v: vec![1.8], ..usual.clone() }),
        ("linear alone", "", Measured { drains_v: vec![0.1], bodies_v: vec![0.0], ..usual.clone() }),
        ("few readings", "", Measured { gates_v: few, ..usual.clone() }),
        (
            "one short sweep",
            "",
            Measured {
                gates_v: (0..21).map(|step| 0.09 * f64::from(step)).collect(),
                drains_v: vec![0.1],
                bodies_v: vec![0.0],
                ..usual.clone()
            },
        ),
        (
            "hysteresis",
            "hysteresis",
            Measured {
                gates_v: back,
                then: |row, _, current, _| if row % 74 < 37 { current } else { 0.7 * current },
                ..usual.clone()
            },
        ),
        (
            "compliance without a word",
            "the instrument's limit",
            Measured { then: |_, _, current, _| current.min(5e-5), ..usual.clone() },
        ),
        ("noise of 100 nA", "", Measured { floor_a: 1e-7, ..usual.clone() }),
        ("noise of 1 pA", "", Measured { floor_a: 1e-12, ..usual.clone() }),
        (
            "hot and cold",
            "",
            Measured { temperatures_k: vec![233.0, 300.0, 400.0], bodies_v: vec![0.0], ..usual.clone() },
        ),
        ("cold alone", "", Measured { temperatures_k: vec![233.0], ..usual.clone() }),
        (
            "below threshold alone",
            "told apart",
            Measured { gates_v: (0..37).map(|step| 0.01 * f64::from(step)).collect(), ..usual.clone() },
        ),
        (
            "above threshold alone",
            "",
            Measured { gates_v: (0..37).map(|step| 1.0 + 0.02 * f64::from(step)).collect(), ..usual.clone() },
        ),
        (
            "dead",
            "transistor that conducts",
            Measured { then: |row, _, _, _| 1e-12 * (row as f64).sin(), ..usual.clone() },
        ),
        ("constant", "follows the gate voltage", Measured { then: |_, _, _, _| 1e-6, ..usual.clone() }),
        ("nothing", "transistor that conducts", Measured { then: |_, _, _, _| 0.0, ..usual.clone() }),
        ("wrong sign", "sign of the column", Measured { then: |_, _, current, _| -current, ..usual.clone() }),
        ("huge", "", Measured { then: |_, _, current, _| 1e9 * current, ..usual.clone() }),
        (
            "noise alone",
            "transistor that conducts",
            Measured { then: |row, _, _, _| 1e-9 * Stream::new(5, &["x"], &[]).normal(row), ..usual.clone() },
        ),
    ];
    for (name, wanted, case) in cases {
        let found = case
            .readings()
            .map_err(|error| error.to_string())
            .and_then(|readings| fit(&readings).map_err(|error| error.to_string()));
        tell(name, &found);
        let said = |words: &str| match &found {
            Ok(found) => found.fit.warnings.iter().any(|said| said.contains(words)),
            Err(why) => why.contains(words),
        };
        assert!(wanted.is_empty() || said(wanted), "{name}: nothing of `{wanted}`");
        let Ok(found) = found else { continue };
        for p in &found.fit.parameters {
            let [low, high] = p.interval95;
            assert!(p.value.is_finite() && low.is_finite() && high.is_finite(), "{name}: {p:?}");
            assert!(low <= p.value && p.value <= high, "{name}: {p:?}");
        }
    }
}

/// A p-channel device is the mirror of an n-channel one: the same parameters in its own polarity, from negative
/// voltages and currents.
#[test]
fn a_p_channel_device_is_a_mirror() {
    let n = Measured::usual();
    let mirror = |values: &[f64]| values.iter().map(|v| -v).collect::<Vec<f64>>();
    let mut p = Measured {
        drains_v: mirror(&n.drains_v),
        bodies_v: mirror(&n.bodies_v),
        gates_v: mirror(&n.gates_v),
        ..n.clone()
    };
    p.values.push(("polarity", -1.0));
    let (n, p) = (n.fit(), p.fit());
    let polarity = p.regression.fixed.iter().find(|fixed| fixed.name == "polarity").unwrap();
    assert_eq!(polarity.value, -1.0);
    for a in &n.fit.parameters {
        let b = p.fit.parameter(&a.name).unwrap();
        // The noise of the floor is not mirrored: two draws of it lie within four standard deviations.
        assert!((a.value - b.value).abs() < a.interval95[1] - a.interval95[0], "{a:?} {b:?}");
    }
}
