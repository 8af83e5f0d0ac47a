//! `mho physics` as a user meets it: lists, examples, tables, complaints, and what happens without a solution.

#![allow(clippy::unwrap_used)]

use mho_data::Table;
use mho_tests::run;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn names() -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["--json", "physics", "--list"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let solvers = document["solvers"].as_array().unwrap();
    solvers.iter().map(|solver| solver["name"].as_str().unwrap().to_owned()).collect()
}

/// Every solver prints an example which it solves, into CSV and Parquet with the same numbers.
#[test]
fn examples_run_as_printed() {
    let names = names();
    for wanted in ["poisson", "moscap", "drift-diffusion"] {
        assert!(names.iter().any(|name| name == wanted), "{wanted}");
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for name in names {
        let example = run(folder, &["physics", &name, "--example"]);
        std::fs::write(folder.join("input.toml"), &example.stdout).unwrap();
        for out in ["out.csv", "out.parquet"] {
            let output = run(folder, &["physics", &name, "input.toml", "--out", out]);
            assert!(output.status.success(), "{name}: {}", text(&output.stderr));
        }
        let csv =
            Table::from_csv(&std::fs::read_to_string(folder.join("out.csv")).unwrap(), "out.csv").unwrap();
        let parquet = Table::from_parquet(&std::fs::read(folder.join("out.parquet")).unwrap(), "p").unwrap();
        assert_eq!(csv.digest(), parquet.digest(), "{name}");
        assert!(!csv.is_empty(), "{name}");
    }
}

#[test]
fn derived_quantities_stand_in_comments_and_json() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let example = run(folder, &["physics", "moscap", "--example"]);
    std::fs::write(folder.join("m.toml"), &example.stdout).unwrap();
    let output =
        run(folder, &["--json", "physics", "moscap", "m.toml", "--out", "m.csv", "--profiles", "p.csv"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let flatband = document["flatband_v"].as_f64().unwrap();
    assert!((flatband - 1.109_801_448_809_691).abs() < 1e-9);
    assert_eq!(document["metadata"]["flatband_v"], document["flatband_v"]);
    let csv = std::fs::read_to_string(folder.join("m.csv")).unwrap();
    assert!(csv.contains("# flatband_v: 1.1098") && csv.contains("# threshold_v: 2.4807"), "{csv}");
    let header = csv.lines().find(|line| !line.starts_with('#')).unwrap();
    assert_eq!(
        header,
        "gate_v,surface_potential_v,gate_charge_c_per_cm2,inversion_charge_c_per_cm2,capacitance_f_per_cm2"
    );
    assert!(std::fs::read_to_string(folder.join("p.csv")).unwrap().contains("depth_nm"));
}

/// A material of the user's changes the result and the digest that stands in it.
#[test]
fn materials_are_layers() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let example = run(folder, &["physics", "moscap", "--example"]);
    std::fs::write(folder.join("m.toml"), &example.stdout).unwrap();
    let layer = "[Si3N4.relative_permittivity]\nvalue = 7.0\nunit = \"1\"\nrange = [6.5, 8.0]\n\
                 kind = \"measured\"\nsource = { cite = \"our ellipsometry\" }\n";
    std::fs::write(folder.join("own.toml"), layer).unwrap();
    let of = |arguments: &[&str]| -> serde_json::Value {
        let output = run(folder, &[&["--json", "physics", "moscap", "m.toml"], arguments].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let (plain, own) = (of(&[]), of(&["--material", "own.toml"]));
    assert_ne!(plain["materials"], own["materials"]);
    assert!(own["flatband_v"].as_f64().unwrap() > plain["flatband_v"].as_f64().unwrap());
}

#[test]
fn bad_input_is_refused_with_its_line_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let example = text(&run(folder, &["physics", "drift-diffusion", "--example"]).stdout);
    for (from, to, word) in [
        ("electron_s = 1e-8", "electron_s = -1.0", "electron_s"),
        ("length_um = 5.0", "length_um = nan", "length_um"),
        ("[bias]", "[bais]", "bais"),
        ("temperature_k = 300.0", "temperature_k = ", ""),
    ] {
        std::fs::write(folder.join("bad.toml"), example.replacen(from, to, 1)).unwrap();
        let output = run(folder, &["physics", "drift-diffusion", "bad.toml", "--out", "out.csv"]);
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{message}");
        assert!(message.contains("bad.toml:") && message.contains(word), "{message}");
        assert!(!folder.join("out.csv").exists());
    }
    let output = run(folder, &["physics", "moscup", "bad.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("moscap"), "{}", text(&output.stderr));
}

/// Insertion that goes on until no site is free: the points before it are kept, and the message says when.
#[test]
fn without_solution_the_points_before_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let example = text(&run(folder, &["physics", "ecram", "--example"]).stdout);
    let start = example.find("[[train]]").unwrap();
    let endless = format!(
        "{}[[train]]\nrepeat = 1\n[[train.step]]\ncurrent_na = 100.0\nduration_s = 0.5\npoints = 50\n",
        &example[..start]
    );
    std::fs::write(folder.join("full.toml"), endless).unwrap();
    let output = run(folder, &["physics", "ecram", "full.toml", "--out", "full.csv"]);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("no solution at time") && message.contains("residuals"), "{message}");
    let csv = std::fs::read_to_string(folder.join("full.csv")).unwrap();
    assert!(csv.contains("# incomplete: no solution at"), "{csv}");
    let table = Table::from_csv(&csv, "full.csv").unwrap();
    assert!(table.len() > 3 && table.len() < 50, "{} points", table.len());
}
