//! `mho fit` as a user meets it: a transistor from its sweeps, a folder of them, pulses, rivals, pictures, tables,
//! complaints; and the measured devices of others.

#![allow(clippy::unwrap_used)]

use mho_compact::transistor::{INFO, Terminals, Transistor};
use mho_data::random::Stream;
use mho_data::shared;
use mho_tests::run;
use std::fmt::Write as _;
use std::path::Path;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn json(folder: &Path, arguments: &[&str]) -> serde_json::Value {
    let output = run(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Parameters of a short n-channel device. Its resistances are small: AICc leaves one of them out.
const TRUTH: [(&str, f64); 10] = [
    ("vt_v", 0.62),
    ("gamma_sqrt_v", 0.42),
    ("beta_a_per_v2", 1.1e-3),
    ("theta_per_v", 0.7),
    ("critical_v", 0.8),
    ("dibl", 0.035),
    ("shortening", 0.08),
    ("source_ohm", 120.0),
    ("drain_ohm", 160.0),
    ("trap_ratio", 0.3),
];

/// Sweeps of that device with 1 % and 10 pA of noise, at three body and two drain voltages.
fn sweeps(seed: u64, vt_v: f64) -> String {
    let mut values = INFO.defaults();
    for (name, value) in TRUTH {
        values[INFO.parameters.iter().position(|info| info.name == name).unwrap()] = value;
    }
    values[0] = vt_v;
    let law = Transistor::from_values(&values, 300.0);
    let noise = Stream::new(seed, &["tests", "transistor"], &[]);
    let mut csv = String::from("# origin: synthetic\nVD (V),VB (V),VG (V),ID (A),T (K)\n");
    let mut row = 0;
    for body_v in [0.0, -0.9, -1.8] {
        for drain_v in [0.1, 1.8] {
            for step in 0..37 {
                let gate_v = 0.05 * f64::from(step);
                let at = Terminals { gate_v, drain_v, source_v: 0.0, body_v };
                let read =
                    law.current_a(at) * (1.0 + 0.01 * noise.normal(row)) + 1e-11 * noise.normal(row + 1);
                row += 2;
                writeln!(csv, "{drain_v},{body_v},{gate_v:.2},{read:e},300").unwrap();
            }
        }
    }
    csv
}

#[test]
fn a_transistor_from_its_sweeps() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("device.csv"), sweeps(1, 0.62)).unwrap();
    let output = run(
        folder,
        &[
            "fit",
            "transistor",
            "device.csv",
            "--out",
            "card.toml",
            "--compare",
            "--profile",
            "--pictures",
            "page.svg",
            "--tables",
            "tables",
        ],
    );
    let said = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(said.contains("synthetic") && said.contains("without series resistance"), "{said}");
    assert!(said.contains("profile likelihood, 95 %: vt_v"), "{said}");
    let page = std::fs::read_to_string(folder.join("page.svg")).unwrap();
    assert!(page.contains("synthetic data") && page.contains("<metadata>mho fit transistor"), "{said}");
    let tables = std::fs::read_to_string(folder.join("tables/parameters.csv")).unwrap();
    assert!(tables.starts_with("name,source,origin,parameter"), "{tables}");
    assert!(std::fs::read_to_string(folder.join("tables/parameters.tex")).unwrap().contains("\\toprule"));

    let fit = json(folder, &["--json", "fit", "transistor", "device.csv", "--out", "card.toml"]);
    // The noise is 1 %; the law that made the data describes them.
    assert!(fit["rms_log"].as_f64().unwrap() < 0.02, "{fit}");
    for parameter in fit["parameters"].as_array().unwrap() {
        let name = parameter["name"].as_str().unwrap();
        let Some((_, truth)) = TRUTH.iter().find(|(of, _)| *of == name) else { continue };
        let (value, std) = (parameter["value"].as_f64().unwrap(), parameter["std"].as_f64().unwrap());
        // Ten comparisons: beyond four standard deviations chance is no explanation (6e-4). The prior knowledge
        // of gamma, theta and critical_v pulls by less than that.
        assert!((value - truth).abs() < 4.0 * std, "{name}: {value} +- {std}, not {truth}");
    }
    // The card drives what follows.
    let exported = run(folder, &["export", "card.toml", "--to", "spice"]);
    assert!(exported.status.success(), "{}", text(&exported.stderr));
    assert!(text(&exported.stdout).contains(".subckt"));
}

#[test]
fn a_folder_of_transistors() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::create_dir(folder.join("wafer")).unwrap();
    for (number, vt_v) in [(1, 0.60), (2, 0.63), (3, 0.66)] {
        std::fs::write(folder.join(format!("wafer/d{number}.csv")), sweeps(number, vt_v)).unwrap();
    }
    std::fs::write(folder.join("wafer/broken.csv"), "VD (V),VG (V),ID (A)\n0.1,0.2,x\n").unwrap();
    let output = run(
        folder,
        &["fit", "transistor", "wafer", "--out", "cards", "--pictures", "pages", "--tables", "tables"],
    );
    let said = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(said.contains("3 fitted, 1 not") && said.contains("broken.csv"), "{said}");
    let median = said.split("  vt_v: ").nth(1).and_then(|rest| rest.split(',').next()?.parse::<f64>().ok());
    assert!((median.unwrap() - 0.63).abs() < 0.005, "the median threshold: {said}");
    for file in ["cards/d1.csv.toml", "cards/d3.csv.toml", "pages/d2.csv.svg", "pages/distributions.svg"] {
        assert!(folder.join(file).is_file(), "{file}");
    }
    assert!(!folder.join("cards/broken.csv.toml").exists());
}

#[test]
fn what_cannot_be_fitted_is_said_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("device.csv"), sweeps(1, 0.62)).unwrap();
    std::fs::write(folder.join("short.csv"), "VD (V),VG (V),ID (A)\n0.1,0.2,1e-9\n0.1,0.3,1e-8\n").unwrap();
    for (arguments, code, said) in [
        (vec!["fit", "transistor", "short.csv", "--out", "card.toml"], 3, "at least 20 readings"),
        (vec!["fit", "update-soft-bounds", "device.csv", "--out", "card.toml"], 3, "ramps of equal pulses"),
        (vec!["fit", "transistor", "device.csv", "--out", "card.toml", "--bootstrap", "99"], 1, "device"),
        (vec!["fit", "ekv", "device.csv", "--out", "card.toml", "--profile"], 2, "without --each"),
        (vec!["fit", "transistr", "device.csv", "--out", "card.toml"], 2, "transistor"),
    ] {
        let output = run(folder, &arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains(said), "{arguments:?}: {}", text(&output.stderr));
        assert!(!folder.join("card.toml").exists(), "{arguments:?}");
    }
}

/// The warning of a fit that holds these words.
fn told<'a>(fit: &'a serde_json::Value, words: &str) -> Option<&'a str> {
    fit["warnings"].as_array()?.iter().filter_map(|said| said.as_str()).find(|said| said.contains(words))
}

/// Measured transistors of a 130 nm process: the median of each class, and every file with a word.
#[test]
fn measured_transistors() {
    let Some(cells) = shared::find("measured/sky130/sky130_fd_pr/cells") else { return };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let result = json(
        folder,
        &["--json", "fit", "transistor", cells.to_str().unwrap(), "--out", "cards", "--tables", "tables"],
    );
    let fits = result["fits"].as_array().unwrap();
    let refused = result["refused"].as_array().unwrap();
    assert_eq!(fits.len() + refused.len(), 237);
    // Capacitors and diodes are no transistors: 11 and 18; all others are fitted.
    assert_eq!(refused.len(), 29, "{refused:?}");
    assert!(refused.iter().all(|file| !file["why"].as_str().unwrap().is_empty()));
    // Readings are hardly ever taken out (53 beside 64 thousand when this was written), and the misfits count them.
    let alone: usize = fits
        .iter()
        .filter_map(|fit| told(fit, "stand alone")?.split(' ').next()?.parse::<usize>().ok())
        .sum();
    assert!(alone < 120, "{alone} readings taken out");
    // Contacts that come and go, and the change of range of the arrays near 1 mA, are told.
    for fit in fits.iter().filter(|fit| fit["rms_log"].as_f64().unwrap() > 0.3) {
        assert!(told(fit, "contacts come and go:").is_some(), "{}", fit["name"]);
    }
    let jumping = fits.iter().filter(|fit| told(fit, "the current jumps").is_some()).count();
    assert!((5..30).contains(&jumping), "{jumping} devices with jumps");
    let mut classes = [Vec::new(), Vec::new(), Vec::new()];
    for fit in fits {
        let name = fit["name"].as_str().unwrap();
        if !name.contains("01v8") {
            continue;
        }
        let part = |letter: char| {
            name.split('_').find_map(|part| {
                part.strip_prefix(letter)?.trim_end_matches('u').replace('p', ".").parse::<f64>().ok()
            })
        };
        let many = name.split("_m").nth(1).and_then(|rest| rest.split('_').next()?.parse::<f64>().ok());
        let class = if many.unwrap_or(1.0) > 1000.0 { 2 } else { usize::from(part('l').unwrap() < 0.5) };
        classes[class].push(fit["rms_log"].as_f64().unwrap());
    }
    for (values, (class, most)) in classes.iter_mut().zip([("long", 0.04), ("short", 0.07), ("arrays", 0.10)])
    {
        values.sort_by(f64::total_cmp);
        let median = 0.5 * (values[(values.len() - 1) / 2] + values[values.len() / 2]);
        assert!(median <= most, "{class}: median {median} of {} files", values.len());
    }
}

/// Transistor curves of a circuit simulator's own model, which is not ours.
#[test]
fn curves_of_another_model() {
    for (file, most) in [("mosfet_bsim4_idvg_27C.csv", 0.03), ("mosfet_bsim4_idvd_27C.csv", 0.03)] {
        let Some(path) = shared::find(&format!("golden/semiconductor/{file}")) else { return };
        let folder = tempfile::tempdir().unwrap();
        let fit = json(
            folder.path(),
            &["--json", "fit", "transistor", path.to_str().unwrap(), "--out", "card.toml"],
        );
        let rms = fit["rms_log"].as_f64().unwrap();
        assert!(rms <= most, "{file}: {rms}");
    }
}

/// Measured pulses: all laws ranked, with intervals.
#[test]
fn measured_pulses() {
    let Some(path) = shared::find("golden/laws/gong_et_al_pulse_response.csv") else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = path.to_str().unwrap();
    let fit = json(
        folder.path(),
        &[
            "--json",
            "fit",
            "update-exp-step",
            path,
            "--out",
            "card.toml",
            "--compare",
            "--pictures",
            "page.svg",
        ],
    );
    let ranking = fit["ranking"].as_array().unwrap();
    assert!(ranking.len() >= 10, "{fit}");
    assert_eq!(ranking[0]["delta_aicc"].as_f64(), Some(0.0));
    for law in ranking {
        for parameter in law["parameters"].as_array().unwrap() {
            assert!(
                parameter["interval95"][0].is_number() && parameter["interval95"][1].is_number(),
                "{law}"
            );
        }
    }
}
