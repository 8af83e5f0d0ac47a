//! The wings of the house never see each other: what a network needs of a device comes through `lut`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Follows the lock file from this crate, development dependencies included.
#[test]
fn network_depends_on_neither_compact_nor_physics() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
    let lock: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
    let mut needs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in lock["package"].as_array().unwrap() {
        let dependencies = package.get("dependencies").and_then(|d| d.as_array());
        // An entry reads "name", or "name version" where several versions exist.
        let names = dependencies.into_iter().flatten().filter_map(|d| d.as_str()?.split(' ').next());
        needs.entry(package["name"].as_str().unwrap()).or_default().extend(names);
    }
    let mut reached = BTreeSet::new();
    let mut open = vec!["mho-network"];
    while let Some(name) = open.pop() {
        if reached.insert(name) {
            open.extend(&needs[name]);
        }
    }
    let own: Vec<&&str> = reached.iter().filter(|name| name.starts_with("mho-")).collect();
    assert_eq!(own, [&"mho-data", &"mho-lut", &"mho-network"]);
}
