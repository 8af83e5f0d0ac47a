//! `mho data inspect` and `mho data formats`: files of instruments, from the command line.

#![allow(clippy::unwrap_used)]

use mho_tests::run;
use serde_json::Value;
use std::path::Path;

const CLARIUS: &str = "DrainI,DrainV,GateV,DrainI(2),DrainV(2),GateV(2)\n1e-12,0.1,0,2e-12,1,0\n1e-9,0.1,0.5,2e-9,1,0.5\n1e-6,0.1,1,2e-6,1,1\n";

/// Standard output of a command that must succeed.
fn said(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {message}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Exit code and message of a command that must fail.
fn refused(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = run(folder, arguments);
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn formats_are_listed_and_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let formats = said(folder, &["data", "formats"]);
    for name in ["mdm", "easyexpert", "clarius", "ramps", "csv", "parquet"] {
        assert!(formats.lines().any(|line| line.starts_with(name)), "{formats}");
    }
    std::fs::write(folder.join("c.csv"), CLARIUS).unwrap();
    let page = said(folder, &["data", "inspect", "c.csv"]);
    for wanted in ["6 rows in 2 sweeps", "clarius", "n-FET along vg_v, up", "300 K assumed"] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    assert!(said(folder, &["data", "inspect", "c.csv", "--format", "clarius"]).contains("6 rows"));
    // The units are Clarius's own: as CSV they are missing.
    let (code, message) = refused(folder, &["data", "inspect", "c.csv", "--format", "csv"]);
    assert_eq!(code, Some(3));
    assert!(message.contains("c.csv:1"), "{message}");
    let (code, message) = refused(folder, &["data", "inspect", "c.csv", "--format", "excel"]);
    assert_eq!(code, Some(2));
    assert!(message.contains("clarius"), "{message}");
}

#[test]
fn a_folder_is_one_table_with_the_reasons() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let data = folder.join("data/deep");
    std::fs::create_dir_all(&data).unwrap();
    std::fs::write(data.join("c.csv"), CLARIUS).unwrap();
    std::fs::write(data.join("set.csv"), "rmp1,rmp2\n1e-4,2e-4\n2e-4,x\n").unwrap();
    std::fs::write(data.join("set.csv.toml"), "read_v = 0.2\nunit = \"A\"\n").unwrap();
    std::fs::write(data.join("bad.csv"), "a,b\n1,2\n").unwrap();
    std::fs::write(data.join("notes.md"), "not data").unwrap();
    let table = said(folder, &["data", "inspect", "data", "--plot", "pictures"]);
    for wanted in
        ["2 of 3 files read", "1 rows dropped", "bad.csv:1: found `a,b`", "2 other files", "2 pictures"]
    {
        assert!(table.contains(wanted), "{wanted}: {table}");
    }
    for picture in ["c.csv.svg", "set.csv.svg"] {
        let svg = std::fs::read_to_string(folder.join("pictures").join(picture)).unwrap();
        assert!(svg.contains("<svg") && svg.contains("</svg>"));
    }
    let json: Value = serde_json::from_str(&said(folder, &["--json", "data", "inspect", "data"])).unwrap();
    let files = json["files"].as_array().unwrap();
    assert_eq!(files.len(), 3);
    assert!(files[0]["error"].as_str().unwrap().contains("bad.csv:1"));
    assert_eq!(files[1]["survey"]["axis"], "vg_v");
    assert_eq!(
        files[2]["columns"].as_array().unwrap().iter().find(|c| c["name"] == "read_v").unwrap()["max"],
        0.2
    );
    assert_eq!(files[2]["raw"].as_array().unwrap().len(), 2);
    // A file that is named must be readable, and a folder must hold one that is.
    assert_eq!(refused(folder, &["data", "inspect", "data/deep/bad.csv", "data/deep/c.csv"]).0, Some(3));
    std::fs::create_dir(folder.join("empty")).unwrap();
    assert_eq!(refused(folder, &["data", "inspect", "empty"]).0, Some(3));
}

#[test]
fn a_map_says_what_files_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("S1_30krad_10s.csv"), "Spannung;Strom\n0;1\n1;2\n").unwrap();
    let map = "names = \"{device}_{dose}krad_{time}s.csv\"\ntemperature_k = 250\n[columns]\nSpannung = \"VG (V)\"\nStrom = \"ID (nA)\"\n";
    std::fs::write(folder.join("map.toml"), map).unwrap();
    let page = said(folder, &["data", "inspect", "S1_30krad_10s.csv", "--map", "map.toml"]);
    for wanted in ["device         S1", "dose_krad_si   30\n", "temperature_k  250\n", "rad(Si)"] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    std::fs::write(folder.join("map.toml"), "temperature_k = 1\nvolts = 3\n").unwrap();
    let (code, message) = refused(folder, &["data", "inspect", "S1_30krad_10s.csv", "--map", "map.toml"]);
    assert_eq!(code, Some(3));
    assert!(message.contains("map.toml:2") && message.contains("volts"), "{message}");
}

/// The measured transistors, diodes and capacitors, when they are there.
#[test]
fn measured_files_answer_in_time() {
    let Some(measured) = mho_data::shared::find("measured/sky130") else { return };
    let folder = tempfile::tempdir().unwrap();
    let measured = measured.display().to_string();
    mho_tests::mho();
    let start = std::time::Instant::now();
    let table = said(folder.path(), &["data", "inspect", &measured]);
    let elapsed = start.elapsed().as_secs_f64();
    // 237 files by measured/README.md; the bound is what a person waits for without a thought.
    assert!(table.contains("237 of 237 files read, 237 whole"), "{table}");
    assert!(elapsed < 2.0, "{elapsed} s");
    let count = |word: &str| table.lines().filter(|line| line.starts_with(word)).count();
    assert_eq!((count("diode"), count("capacitor"), count("n-FET") + count("p-FET")), (18, 11, 208));
}
