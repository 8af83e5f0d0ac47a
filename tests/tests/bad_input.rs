//! Bad input: exit code 3, a message with file, line, found and expected, and nothing written.

#![allow(clippy::unwrap_used)]

use mho_tests::{command, files, run};
use std::path::Path;

const STUDY: &str = "schema = 1\nname = \"s\"\n\n[idvg]\nstage = \"measure.idvg\"\nfiles = [\"f.csv\"]\n";

fn sweep(header: &str, rows: usize) -> String {
    let mut text = format!("{header}\n");
    for i in 0..rows {
        text.push_str(&format!("d1,s1,10,0,300,0.1,{:.2},{:e}\n", 0.1 * i as f64, 1e-9 * (i + 1) as f64));
    }
    text
}

const HEADER: &str = "device,state,dose (krad(Si)),time (s),T (K),VD (V),VG (V),ID (A)";

/// Runs a study on a file that is wrong and returns the message.
fn refused(folder: &Path, content: &[u8]) -> String {
    std::fs::write(folder.join("study.toml"), STUDY).unwrap();
    std::fs::write(folder.join("f.csv"), content).unwrap();
    let output = run(folder, &["run", "study.toml"]);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{message}");
    let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["f.csv", "study.toml"], "something was written");
    assert!(message.contains("found") && message.contains("expected"), "{message}");
    message
}

#[test]
fn files_of_measurements() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let says = |content: &[u8], words: &[&str]| {
        let message = refused(folder, content);
        for word in words {
            assert!(message.contains(word), "no `{word}` in {message}");
        }
    };
    says(sweep(&HEADER.replace("ID (A)", "ID"), 20).as_bytes(), &["f.csv:1", "no unit", "A, mA"]);
    says(sweep(&HEADER.replace("krad(Si)", "kilorads"), 20).as_bytes(), &["f.csv:1", "kilorads", "krad(Si)"]);
    let text = sweep(HEADER, 20).replace("e-", "low");
    says(text.as_bytes(), &["f.csv:2", "text", "numbers"]);
    says(b"", &["f.csv", "empty"]);
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(HEADER.bytes().flat_map(|b| [b, 0])).collect();
    says(&utf16, &["f.csv:1", "UTF-16", "UTF-8"]);
    says(sweep(HEADER, 2).as_bytes(), &["f.csv:2", "a sweep of 2 points", "at least"]);
}

/// The built-in study with a bad file of the user's: told before anything runs.
#[test]
fn a_bad_file_in_a_long_study_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("bad.csv"), sweep(&HEADER.replace("ID (A)", "ID"), 20)).unwrap();
    let output = run(folder, &["run", "--set", "idvg.files=bad.csv"]);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{message}");
    assert!(message.contains("bad.csv:1") && message.contains("no unit"), "{message}");
    assert!(!folder.join(".mho").exists() && !folder.join("mho-out").exists());
}

#[test]
fn decimal_commas_are_read_with_a_note() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("study.toml"), STUDY).unwrap();
    let text = sweep(HEADER, 20).replace(',', ";").replace('.', ",");
    std::fs::write(folder.join("f.csv"), text).unwrap();
    let output = run(folder, &["run", "study.toml", "-v"]);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && message.contains("decimal commas"), "{message}");
}

#[test]
fn a_misspelt_key_names_the_nearest_one() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("study.toml"), STUDY.replace("files", "filez")).unwrap();
    let output = run(folder, &["run", "study.toml"]);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{message}");
    assert!(
        message.contains("study.toml:6") && message.contains("filez") && message.contains("`files`"),
        "{message}"
    );
    assert_eq!(files(folder).len(), 1);
}

#[test]
fn a_truncated_idx_file_is_told_with_its_offset() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let data = folder.join("data/mnist");
    std::fs::create_dir_all(&data).unwrap();
    for file in mho_data::dataset::FILES {
        std::fs::write(data.join(file), [0, 0, 8, 3, 0, 0, 0, 9, 0, 0, 0, 28, 0, 0, 0, 28, 1, 2, 3]).unwrap();
    }
    let study = "schema = 1\nname = \"s\"\n\n[train]\nstage = \"train\"\ndataset = \"mnist\"\n";
    std::fs::write(folder.join("study.toml"), study).unwrap();
    let output =
        command(folder).args(["run", "study.toml"]).env("MHO_DATA", folder.join("data")).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{message}");
    assert!(message.contains("train-images-idx3-ubyte") && message.contains("byte 19"), "{message}");
    assert!(message.contains("found") && message.contains("expected"), "{message}");
    assert!(!folder.join(".mho").exists() && !folder.join("mho-out").exists());
}
