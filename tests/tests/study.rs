//! Whole studies: the same bytes whatever happens on the way.

#![allow(clippy::unwrap_used)]

use mho_data::random::Stream;
use mho_tests::{command, files, reduced_study, run};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

fn arguments(folder: &Path, more: &[&str]) -> Vec<String> {
    let mut all = vec!["run".to_owned(), reduced_study().display().to_string(), "-q".into()];
    all.extend(["--store".into(), folder.join("store").display().to_string()]);
    all.extend(["--out".into(), folder.join("out").display().to_string()]);
    all.extend(more.iter().map(|&m| m.to_owned()));
    all
}

/// Runs the reduced study in a folder to its end and returns the final files. The lock file stands
/// beside the study file, so a copy of the study is run.
fn complete(folder: &Path, more: &[&str]) -> std::collections::BTreeMap<String, Vec<u8>> {
    let study = folder.join("study.toml");
    std::fs::copy(reduced_study(), &study).unwrap();
    let mut all = arguments(folder, more);
    all[1] = study.display().to_string();
    let output = command(folder).args(&all).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found = files(&folder.join("out"));
    assert!(found.contains_key("report.html") && found.len() > 20, "{:?}", found.keys());
    found
}

#[test]
fn the_reduced_study_has_every_kind_of_stage() {
    let mut text = std::fs::read_to_string(reduced_study()).unwrap();
    // Devices that come as cards are walked through in `path.rs`.
    text += include_str!("path.rs").replace("\\\"", "\"").as_str();
    // So are networks from elsewhere in `evaluate.rs`.
    text += include_str!("evaluate.rs");
    for study in ["transistor", "cells"] {
        let file = format!("../pipeline/studies/init/{study}.toml");
        text += &std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    }
    for stage in mho_pipeline::stages::registry() {
        assert!(text.contains(&format!("stage = \"{}\"", stage.name())), "{} is missing", stage.name());
    }
}

/// Killed at twenty random moments, the study ends with the bytes of an undisturbed run; with another
/// number of threads too; a second run does nothing.
#[test]
fn killed_anywhere_and_on_any_threads_it_gives_the_same_bytes() {
    let undisturbed = tempfile::tempdir().unwrap();
    // Building the binary is not part of the time of a run.
    mho_tests::mho();
    let started = std::time::Instant::now();
    let expected = complete(undisturbed.path(), &["--threads", "2"]);
    let whole = started.elapsed();

    let one_thread = tempfile::tempdir().unwrap();
    assert_eq!(expected, complete(one_thread.path(), &["--threads", "1"]), "one thread gave other bytes");

    let again = command(undisturbed.path())
        .args(["run", "study.toml", "--store", "store", "--out", "out", "--json"])
        .output()
        .unwrap();
    let document: serde_json::Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(document["executed"], 0, "{document}");
    let told = run(undisturbed.path(), &["run", "study.toml", "--store", "store", "--out", "out"]);
    assert!(String::from_utf8_lossy(&told.stderr).contains("nothing to do"));

    // Four stores are killed at until twenty kills have landed; each is then run to its end.
    let moments = Stream::new(20, &["tests", "kill"], &[]);
    let mut draw = 0;
    for store in 0..4 {
        let folder = tempfile::tempdir().unwrap();
        let study = folder.path().join("study.toml");
        std::fs::copy(reduced_study(), &study).unwrap();
        let mut all = arguments(folder.path(), &[]);
        all[1] = study.display().to_string();
        let mut landed = 0;
        while landed < 5 {
            let mut child = command(folder.path())
                .args(&all)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            std::thread::sleep(Duration::from_secs_f64(0.3 * whole.as_secs_f64() * moments.uniform(draw)));
            draw += 1;
            child.kill().unwrap();
            if child.wait().unwrap().success() {
                // It came to its end before: from the beginning, with the kills that are left.
                for name in ["store", "out", "study.lock"] {
                    let path = folder.path().join(name);
                    let _ = std::fs::remove_dir_all(&path).or_else(|_| std::fs::remove_file(&path));
                }
            } else {
                landed += 1;
            }
            assert!(draw < 200, "kills come too late");
        }
        assert_eq!(expected, complete(folder.path(), &[]), "other bytes in store {store}");
    }
}

#[test]
fn one_more_dose_runs_what_depends_on_it_and_a_plan_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let study = folder.path().join("study.toml");
    std::fs::copy(reduced_study(), &study).unwrap();
    let plan = run(folder.path(), &["plan", "study.toml"]);
    assert!(plan.status.success());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "a plan wrote something");

    complete(folder.path(), &[]);
    let change = "dose.doses_krad_si=0,100,200,500";
    let output = run(
        folder.path(),
        &["run", "study.toml", "--store", "store", "--out", "out", "--json", "--set", change],
    );
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let ran: Vec<&str> = document["ran"].as_array().unwrap().iter().filter_map(|v| v.as_str()).collect();
    assert_eq!(ran, ["dose", "summary", "figures", "report"], "{document}");

    let why = run(
        folder.path(),
        &["why", "study.toml", "table-tcas", "--store", "store", "--set", "table-tcas.gate_area_um2=0.03"],
    );
    let text = String::from_utf8_lossy(&why.stdout).into_owned();
    assert!(text.contains("gate_area_um2 (default) → 0.03") && text.contains("--set"), "{text}");
}
