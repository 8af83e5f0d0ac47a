//! `mho figures` as a user meets it.

#![allow(clippy::unwrap_used)]

use mho_data::Table;
use mho_tests::run;

#[test]
fn figures_are_listed_built_and_compared() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let list = run(folder, &["--json", "figures", "list"]);
    let document: serde_json::Value = serde_json::from_slice(&list.stdout).unwrap();
    let ids: Vec<&str> =
        document["figures"].as_array().unwrap().iter().map(|figure| figure["id"].as_str().unwrap()).collect();
    for wanted in ["P04", "P05", "P07", "P13", "P15", "P18"] {
        assert!(ids.contains(&wanted), "{wanted} of {ids:?}");
    }
    // All but the sample of 16 million cells; the identifiers in either case.
    let output = run(folder, &["figures", "build", "p04", "P07", "P13", "P15", "P18", "--out", "figures"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("0 missed"), "{text}");
    for id in ["P04", "P07", "P13", "P15", "P18"] {
        let read =
            |ending: &str| std::fs::read_to_string(folder.join(format!("figures/{id}.{ending}"))).unwrap();
        assert!(read("svg").starts_with("<svg") && read("csv").starts_with('#'), "{id}");
        let checks = Table::from_csv(&read("checks.csv"), id).unwrap();
        assert!(!checks.is_empty(), "{id}");
        for (i, verdict) in checks.texts("verdict").unwrap().iter().enumerate() {
            let within = |name: &str| checks.floats(name).unwrap()[i];
            assert_eq!(verdict == "met", within("difference").abs() <= within("tolerance"), "{id} {i}");
        }
    }
}

/// The same bytes with one thread and with two, and again on another run.
#[test]
fn figures_do_not_depend_on_threads() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (threads, out) in [("1", "one"), ("2", "two")] {
        let output = run(folder, &["--threads", threads, "figures", "build", "P05", "--out", out]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    for ending in ["svg", "csv", "checks.csv"] {
        let read = |out: &str| std::fs::read(folder.join(format!("{out}/P05.{ending}"))).unwrap();
        assert_eq!(read("one"), read("two"), "{ending}");
    }
}

#[test]
fn an_unknown_figure_is_wrong_use() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["figures", "build", "P99"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(!folder.path().join("mho-out").exists());
}
