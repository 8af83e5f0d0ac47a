//! A user's path: `mho init`, measurements, `mho fit`, `mho run`: accuracy of a device that nobody has seen.

#![allow(clippy::unwrap_used)]

use mho_tests::{files, run};
use std::path::Path;
use std::process::Output;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn done(folder: &Path, words: &[&str]) -> String {
    let output = run(folder, words);
    assert!(output.status.success(), "{words:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// The message of a command that refuses its input.
fn refused(folder: &Path, words: &[&str]) -> String {
    let Output { status, stderr, .. } = run(folder, words);
    let message = text(&stderr);
    assert_eq!(status.code(), Some(3), "{words:?}: {message}");
    assert!(message.contains("found") && message.contains("expected"), "{message}");
    message
}

/// Few trials and samples of coarse tables: the way is tested, not the accuracy.
const SMALL: [&str; 8] = [
    "--set",
    "values.trials=2",
    "--set",
    "table-samples.samples=2",
    "--set",
    "table.tolerance_fraction=0.02",
    "--set",
    "table-samples.tolerance_fraction=0.02",
];

/// What `mho init` says to do, done; the lines that it ends with, and the columns of the accuracy.
fn walk(device: &str) -> (tempfile::TempDir, String, Vec<Vec<String>>) {
    let folder = tempfile::tempdir().unwrap();
    let started = done(folder.path(), &["init", "dev", "--device", device, "--json"]);
    let started: serde_json::Value = serde_json::from_str(&started).unwrap();
    let dev = folder.path().join("dev");
    let mut lines = String::new();
    for command in started["then"].as_array().unwrap() {
        let command = command.as_str().unwrap();
        let mut words: Vec<&str> = command.split_whitespace().skip(1).collect();
        if words[0] == "run" {
            words.extend(SMALL);
            words.extend(["--set", "train-digits-mlp.epochs=3"]);
        }
        lines = done(&dev, &words);
    }
    let found = files(&dev);
    let accuracy = found.iter().find(|(name, _)| name.ends_with("accuracy.csv")).unwrap().1;
    let rows = text(accuracy).lines().map(|line| line.split(',').map(str::to_owned).collect()).collect();
    let report = text(found.iter().find(|(name, _)| name.ends_with("report.html")).unwrap().1);
    // Whatever comes of made-up data says so.
    assert!(report.contains("SYNTHETIC") && lines.contains("synthetic data"), "{lines}");
    assert!(found.keys().any(|name| name.ends_with("figures/accuracy-parts.svg")), "{:?}", found.keys());
    (folder, lines, rows)
}

fn parts(rows: &[Vec<String>]) -> Vec<&str> {
    let mut found: Vec<&str> = rows.iter().skip(1).map(|row| row[1].as_str()).collect();
    found.dedup();
    found
}

#[test]
fn a_transistor_and_its_thresholds_give_accuracy_against_dose() {
    let (folder, lines, rows) = walk("transistor");
    let dev = folder.path().join("dev");
    assert_eq!(rows[0][2], "dose_krad_si");
    assert_eq!(parts(&rows), ["device draw", "fitted parameters", "choice of model"]);
    // The cards reach to 500 krad(Si), the study asks for 1000.
    assert!(lines.contains("Extrapolated: 1 of 8 conditions") && lines.contains("1000 krad(Si)"), "{lines}");
    // The card knows what it was fitted to, and the store keeps it; so does a figure far behind it.
    for file in ["cards/dose.toml", "mho-out/my-transistor/figures/accuracy-dose.svg"] {
        let whence = done(&dev, &["whence", file]);
        let kept = whence.lines().filter(|line| line.ends_with("kept in the store")).count();
        assert!(whence.contains("thresholds.csv (BLAKE3") && kept >= 1, "{whence}");
    }

    // Parts that do not belong together, and cards of no device.
    let with = |cards: &str| {
        let set = format!("cards.files={cards}");
        refused(&dev, &["run", "study.toml", "--set", &set])
    };
    let message = with("cards/dose.toml,cards/spread.toml");
    assert!(message.contains("cards/dose") && message.contains("no transistor"), "{message}");
    let message = with("cards/transistor.toml,cards/dose.toml,cards/rivals/tid-stretched.toml");
    assert!(message.contains("a second card for the dose law"), "{message}");
    let message = with("cards/none.toml");
    assert!(message.contains("cards/none.toml") && message.contains("mho fit"), "{message}");
    std::fs::write(dev.join("cards/broken.toml"), "schema = 1\nmodel = \"tid\"\n").unwrap();
    assert!(with("cards/broken.toml").contains("broken.toml:"), "no file and line");
    let message = refused(&dev, &["run", "study.toml", "--set", "table.read_drain_v=0"]);
    assert!(message.contains("read_drain_v"), "{message}");

    // Nothing is known of time without a card that tells it.
    let late = ["--set", "train-digits-mlp.epochs=3", "--set", "dose.times_s=0,86400"];
    let message = refused(&dev, &[&["run", "study.toml"], &SMALL[..], &late].concat());
    assert!(message.contains("a time of 86400 s") && message.contains("sonos-retention"), "{message}");

    // A measurement without a unit, and with a wrong column: file and line.
    let thresholds = std::fs::read_to_string(dev.join("thresholds.csv")).unwrap();
    for (from, to) in [("dose (krad(Si))", "dose"), ("vt (V)", "vtt (V)"), ("vt (V)", "vt (A)")] {
        std::fs::write(dev.join("bad.csv"), thresholds.replace(from, to)).unwrap();
        let message = refused(&dev, &["fit", "tid-exp", "bad.csv", "--out", "bad.toml"]);
        assert!(message.contains("bad.csv:3"), "{to}: {message}");
        assert!(!dev.join("bad.toml").exists());
    }
}

#[test]
fn state_currents_give_accuracy_against_dose() {
    let (_folder, lines, rows) = walk("current-shift");
    assert_eq!((rows[0][2].as_str(), parts(&rows).len()), ("dose_krad_si", 2), "{rows:?}");
    assert!(lines.contains("point lost at"), "{lines}");
}

#[test]
fn resistive_cells_give_accuracy_against_time() {
    let (folder, lines, rows) = walk("resistive");
    assert_eq!((rows[0][2].as_str(), parts(&rows).len()), ("time_s", 2), "{rows:?}");
    // The readings end after a week.
    assert!(lines.contains("Extrapolated: 2 of 6 conditions"), "{lines}");
    // The array takes the range of the table, 25 uS at 0.2 V, unless the study says another.
    assert!(lines.contains("arrays of 1152 x 256 to 5000 nA (of the table)"), "{lines}");
    let dev = folder.path().join("dev");
    let own = [
        "--set",
        "train-digits-mlp.epochs=3",
        "--set",
        "values.array={ cell = { conductance_max_us = 12.5, read_voltage_v = 0.2 } }",
    ];
    let lines = done(&dev, &[&["run", "study.toml"], &SMALL[..], &own].concat());
    assert!(lines.contains("arrays of 1152 x 256\n"), "{lines}");
    let message = refused(&dev, &["fit", "tid-exp", "cells.csv", "--out", "x.toml"]);
    assert!(message.contains("cells.csv"), "{message}");
}

#[test]
fn measured_cells_give_accuracy_as_they_are() {
    let (folder, lines, rows) = walk("cells");
    assert_eq!((rows[0][2].as_str(), parts(&rows).len()), ("dose_krad_si", 2), "{rows:?}");
    assert!(lines.contains("Device data of table: synthetic data"), "{lines}");
    let dev = folder.path().join("dev");

    // Of another build of mho, for the final run of a paper, nothing in the store counts.
    let sets = [&SMALL[..], &["--set", "train-digits-mlp.epochs=3", "--json"]].concat();
    let state = |more: &[&str]| {
        let plan = done(&dev, &[&["plan", "study.toml"], &sets[..], more].concat());
        serde_json::from_str::<serde_json::Value>(&plan).unwrap().to_string()
    };
    assert!(
        !state(&[]).contains("\"state\":\"run\"") && state(&["--strict-code"]).contains("\"state\":\"run\"")
    );
    let verdicts = done(&dev, &[&["verify", "study.toml"], &sets[..]].concat());
    let verdicts: serde_json::Value = serde_json::from_str(&verdicts).unwrap();
    assert_eq!((&verdicts["different"], &verdicts["within_tolerance"]), (&0.into(), &0.into()), "{verdicts}");

    let few: String = std::fs::read_to_string(dev.join("cells.csv"))
        .unwrap()
        .lines()
        .take(40)
        .map(|l| format!("{l}\n"))
        .collect();
    std::fs::write(dev.join("cells.csv"), few).unwrap();
    let message = refused(&dev, &["run", "study.toml"]);
    assert!(message.contains("at least 20"), "{message}");
}

/// A mission: dose and time in segments, from the same cards, to accuracy at the reports.
#[test]
fn a_history_of_the_same_cards_gives_accuracy_along_a_mission() {
    let (folder, ..) = walk("transistor");
    let dev = folder.path().join("dev");
    let study = "schema = 1\nname = \"mission\"\nheadline = \"summary/headline\"\n\n[cards]\nstage = \"measure.cards\"\n\
                 files = [\"cards/transistor.toml\", \"cards/dose.toml\", \"cards/spread.toml\"]\n\n[orbit]\n\
                 stage = \"table.history\"\ninputs = { cards = \"cards\" }\nreports_s = [0, 1e6, 2e6]\n\
                 [[orbit.segments]]\nduration_s = 1e6\ndose_rate_rad_si_per_s = 0.05\n\
                 [[orbit.segments]]\nduration_s = 1e6\ndose_rate_rad_si_per_s = 0.2\n\n\
                 [train]\nstage = \"train\"\ndataset = \"digits\"\nnetwork = \"mlp\"\nepochs = 3\n\n\
                 [mission]\nstage = \"evaluate.history\"\ninputs = { network = \"train/network\", table = \"orbit/table\" }\n\
                 dataset = \"digits\"\ntrials = 2\n\n\
                 [summary]\nstage = \"summary\"\ninputs = { networks = \"train\", time = \"mission\", tables = \"orbit\" }\n";
    std::fs::write(dev.join("mission.toml"), study).unwrap();
    let lines = done(&dev, &["run", "mission.toml"]);
    assert!(lines.contains("After 23.1 d") && lines.contains("orbit: synthetic data"), "{lines}");
    let accuracy = std::fs::read_to_string(dev.join("mho-out/mission/accuracy.csv")).unwrap();
    assert_eq!(accuracy.lines().count(), 4, "{accuracy}");
    let shown = done(&dev, &["table", "show", "mho-out/mission/tables/orbit.safetensors", "--json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let doses: Vec<f64> =
        shown["reports"].as_array().unwrap().iter().map(|r| r["dose_krad_si"].as_f64().unwrap()).collect();
    assert!(
        doses[0] == 0.0 && (doses[1] - 50.0).abs() < 1e-9 && (doses[2] - 250.0).abs() < 1e-9,
        "{doses:?}"
    );
    std::fs::write(dev.join("mission.toml"), study.replace("2e6]", "3e6]")).unwrap();
    assert!(refused(&dev, &["run", "mission.toml"]).contains("mission.toml:12"));
}
