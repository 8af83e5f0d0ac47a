//! Measurements as other people write them, from the file to cards.

#![allow(clippy::unwrap_used)]

use mho_tests::run;
use std::path::Path;

/// Exit code, standard output, standard error.
fn mho(folder: &Path, words: &[&str]) -> (Option<i32>, String, String) {
    let output = run(folder, words);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn done(folder: &Path, words: &[&str]) -> String {
    let (code, out, error) = mho(folder, words);
    assert_eq!(code, Some(0), "{words:?}: {error}");
    out
}

/// The sweeps of `mho init` as rows of gate, drain and body voltage and current.
fn sweeps(folder: &Path) -> Vec<[f64; 4]> {
    done(folder, &["init", "made", "--device", "transistor"]);
    let text = std::fs::read_to_string(folder.join("made/idvg.csv")).unwrap();
    let rows = text.lines().filter(|line| !line.starts_with('#')).skip(1);
    rows.map(|line| {
        let cells: Vec<f64> = line.split(',').skip(1).map(|cell| cell.parse().unwrap()).collect();
        [cells[3], cells[1], cells[2], cells[4]]
    })
    .collect()
}

fn threshold(folder: &Path, card: &str) -> f64 {
    let card: toml::Table = std::fs::read_to_string(folder.join(card)).unwrap().parse().unwrap();
    card["parameters"]["vt_v"]["value"].as_float().unwrap()
}

#[test]
fn measurements_that_are_there_are_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("idvg.csv"), "mine").unwrap();
    let (code, _, error) = mho(folder.path(), &["init", ".", "--device", "transistor"]);
    assert!(code == Some(2) && error.contains("idvg.csv"), "{error}");
    assert_eq!(std::fs::read_to_string(folder.path().join("idvg.csv")).unwrap(), "mine");
    assert!(!folder.path().join("study.toml").exists());
}

#[test]
fn long_names_other_units_and_several_devices_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let rows = sweeps(folder);
    let mut text =
        "Chip;Gate Voltage (V);Drain Current (uA);Drain Voltage (V);Bulk Voltage (V);Remark\r\n".to_owned();
    for (chip, factor) in [("A1", 1.0), ("A2", 1.1)] {
        for [gate, drain, body, current] in &rows {
            text.push_str(&format!("{chip};{gate};{:e};{drain};{body};ok\r\n", 1e6 * factor * current));
        }
    }
    std::fs::write(folder.join("wafer.csv"), text).unwrap();
    let (code, _, error) = mho(folder, &["fit", "transistor", "wafer.csv", "--out", "card.toml"]);
    assert!(
        code == Some(2) && error.contains("2 devices (A1, A2)") && error.contains("--device A1"),
        "{error}"
    );
    let words = done(folder, &["fit", "transistor", "wafer.csv", "--out", "cards"]);
    assert!(words.contains("2 fitted, 0 not"), "{words}");
    let words = done(folder, &["fit", "transistor", "wafer.csv", "--device", "A1", "--out", "one.toml"]);
    assert!(words.contains("not used: Remark") && words.contains("300 K assumed"), "{words}");
    assert_eq!(threshold(folder, "one.toml"), threshold(folder, "cards/wafer.csv-A1.toml"));
    let (code, _, error) =
        mho(folder, &["fit", "transistor", "wafer.csv", "--device", "B", "--out", "b.toml"]);
    assert!(code == Some(3) && error.contains("no device `B`") && error.contains("A1, A2"), "{error}");
}

#[test]
fn a_sidecar_says_what_a_file_does_not_and_a_card_of_its_name_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let rows = sweeps(folder);
    let text: String = rows
        .iter()
        .map(|[gate, drain, body, current]| format!("{gate}\t{drain}\t{body}\t{current:e}\n"))
        .collect();
    std::fs::write(folder.join("bare.tsv"), format!("Vgs\tUds\tUbs\tIds\n{text}")).unwrap();
    let (code, _, error) = mho(folder, &["fit", "transistor", "bare.tsv", "--out", "x.toml"]);
    assert!(code == Some(3) && error.contains("bare.tsv:1, column `Vgs`: found no unit"), "{error}");
    let map = "temperature_k = 310\n[columns]\nVgs = \"VG (V)\"\nUds = \"VD (V)\"\nUbs = \"VB (V)\"\nIds = \"ID (A)\"\n";
    std::fs::write(folder.join("map.toml"), map).unwrap();
    let mapped =
        done(folder, &["fit", "transistor", "bare.tsv", "--map", "map.toml", "--out", "mapped.toml"]);
    assert!(!mapped.contains("K assumed"), "{mapped}");
    std::fs::rename(folder.join("map.toml"), folder.join("bare.tsv.toml")).unwrap();
    done(folder, &["fit", "transistor", "bare.tsv", "--out", "bare.toml"]);
    assert_eq!(threshold(folder, "bare.toml"), threshold(folder, "mapped.toml"));
    // The card stands where a sidecar would: the file is read as before.
    let shown = done(folder, &["data", "inspect", "bare.tsv"]);
    assert!(shown.contains("temperature_k  310"), "{shown}");
    done(folder, &["fit", "transistor", "bare.tsv", "--out", "bare.toml"]);
}
