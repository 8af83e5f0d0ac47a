//! The structure of the house: which crate may know which, and what the README promises.

#![allow(clippy::unwrap_used)]

use std::path::Path;

fn manifest(name: &str) -> toml::Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("Cargo.toml");
    std::fs::read_to_string(path).unwrap().parse().unwrap()
}

fn needs(name: &str) -> Vec<String> {
    let manifest = manifest(name);
    let table = manifest.get("dependencies").and_then(toml::Value::as_table).cloned().unwrap_or_default();
    table.keys().filter(|key| key.starts_with("mho-")).cloned().collect()
}

/// The two wings never see each other: a device reaches a network as a table alone.
#[test]
fn no_import_runs_upwards_or_across() {
    assert!(needs("data").is_empty());
    assert_eq!(needs("physics"), ["mho-data"]);
    assert_eq!(needs("lut"), ["mho-data"]);
    let network = needs("network");
    assert!(network.iter().all(|name| name == "mho-data" || name == "mho-lut"), "{network:?}");
    let compact = needs("compact");
    assert!(!compact.iter().any(|name| name == "mho-network" || name == "mho-pipeline"), "{compact:?}");
}

#[test]
fn every_model_is_listed_with_parameters_units_bounds_and_sources() {
    let folder = tempfile::tempdir().unwrap();
    let output = mho_tests::run(folder.path(), &["models", "--json"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let listed = document.as_array().or_else(|| document["models"].as_array()).unwrap();
    assert_eq!(listed.len(), mho_compact::model::registry().len());
    for model in listed {
        let parameters = model["parameters"].as_array().unwrap();
        assert!(!parameters.is_empty(), "{model}");
        for parameter in parameters {
            for key in ["name", "unit", "source", "meaning"] {
                assert!(parameter[key].as_str().is_some_and(|text| !text.is_empty()), "{key} of {parameter}");
            }
            let [lower, default, upper] =
                ["lower", "default", "upper"].map(|key| parameter[key].as_f64().unwrap());
            assert!(lower <= default && default <= upper, "{parameter}");
        }
    }
}

#[test]
fn the_readme_names_the_test_command() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).unwrap();
    let (_, rest) = readme.split_once("<!-- test-command -->").unwrap();
    let (command, _) = rest.split_once("<!-- /test-command -->").unwrap();
    assert!(command.contains("cargo test"));
}

#[test]
fn the_readme_counts_the_models() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).unwrap();
    let entries = mho_compact::model::entries();
    let (laws, fitted) = (entries.len(), entries.iter().filter(|entry| entry.fitting.is_some()).count());
    assert!(readme.contains(&format!("lists {laws} laws")), "{laws} laws");
    assert!(readme.contains(&format!("{fitted} of them are fitted through one path")), "{fitted} fitted");
}
