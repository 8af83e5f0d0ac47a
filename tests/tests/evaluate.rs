//! `mho evaluate` and `network.import` as a user meets them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::type_complexity, missing_docs, dead_code)]

use mho_tests::run;
use std::path::Path;
use std::process::Output;

#[path = "graph/builder.rs"]
mod builder;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs a command that must succeed; its standard output and error.
fn works(folder: &Path, line: &str) -> (String, String) {
    let Output { status, stdout, stderr } = run(folder, &line.split(' ').collect::<Vec<_>>());
    assert!(status.success(), "{line}: {}", text(&stderr));
    (text(&stdout), text(&stderr))
}

/// Column of a CSV by name.
fn column(csv: &str, name: &str) -> Vec<String> {
    let mut lines = csv.lines().filter(|line| !line.starts_with('#'));
    let at = lines.next().unwrap().split(',').position(|column| column == name).unwrap();
    lines.map(|line| line.split(',').nth(at).unwrap().to_owned()).collect()
}

/// An ONNX network of one matrix on 8 x 8 pixels, and behind it a node of any operator.
fn onnx(operator: &str) -> Vec<u8> {
    let mut model = builder::Model::new(13, 1);
    model.input("x", &[builder::BATCH, 1, 8, 8]).output("y").random("w", &[10, 64]);
    model
        .node("Flatten", &["x"], &["flat"], &[])
        .node("Gemm", &["flat", "w"], &["h"], &[builder::int("transB", 1)])
        .node(operator, &["h"], &["y"], &[]);
    model.bytes()
}

/// A study with a network from a file.
const STUDY: &str = r#"
schema = 1
name = "elsewhere"
title = "a network from elsewhere"

[net]
stage = "network.import"
file = "net.safetensors"

[trials]
stage = "evaluate.grid"
inputs = { network = "net/network" }
dataset = "digits"
effects = "quantisation"
trials = 1
"#;

#[test]
fn one_network_by_its_file_its_toml_and_a_study() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    works(at, "train --network mlp --dataset digits --epochs 3 --out net.safetensors -q");
    let line = "evaluate --dataset digits --effects quantisation --trials 2 --network";
    let (csv, told) = works(at, &format!("{line} net.safetensors --layers layers.csv"));
    assert!(told.contains("digital:") && told.contains("quantisation"), "{told}");
    assert_eq!(csv.lines().filter(|line| !line.starts_with('#')).count(), 3);
    let top1: f64 = column(&csv, "top1")[0].parse().unwrap();
    assert!(top1 > 0.8, "{csv}");
    assert!(column(&csv, "loss").iter().all(|loss| loss.parse::<f64>().unwrap() > 0.0));
    let layers = std::fs::read_to_string(at.join("layers.csv")).unwrap();
    assert!(column(&layers, "name").iter().any(|name| name.starts_with("dense")), "{layers}");

    // The same network through a TOML with the scale that it has anyway: 1/255 in single precision.
    std::fs::write(
        at.join("net.toml"),
        "model = \"net.safetensors\"\n[input]\nscale = 0.003921568859368563\n",
    )
    .unwrap();
    assert_eq!(column(&works(at, &format!("{line} net.toml")).0, "top1"), column(&csv, "top1"));
    // Another scale is another input.
    std::fs::write(at.join("net.toml"), "model = \"net.safetensors\"\n[input]\nscale = 0.0\n").unwrap();
    let refused = run(at, &format!("{line} net.toml").split(' ').collect::<Vec<_>>());
    assert!(text(&refused.stderr).contains("input.scale"), "{}", text(&refused.stderr));

    std::fs::write(at.join("study.toml"), STUDY).unwrap();
    works(at, "run study.toml --store store --out out -q");
    let file = at.join("out/evaluations/trials.csv");
    assert_eq!(column(&std::fs::read_to_string(file).unwrap(), "top1")[0], column(&csv, "top1")[0]);
    // The bytes of the file are an input: other bytes, another run.
    works(at, "train --network mlp --dataset digits --epochs 1 --out net.safetensors -q");
    let (document, _) = works(at, "run study.toml --store store --out out --json");
    assert!(!document.contains("\"executed\": 0"), "{document}");
}

#[test]
fn ablation_noise_and_bands_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    works(at, "train --network mlp --dataset digits --epochs 3 --out net.safetensors -q");
    let line = "evaluate --dataset digits --network net.safetensors";
    let (csv, told) = works(at, &format!("{line} --ablation --trials 2"));
    let effects = column(&csv, "effects");
    assert_eq!((effects.len(), effects[0].as_str(), effects[7].as_str()), (8, "float", "quantisation"));
    assert!(told.contains("+ input converters") && told.contains("costs"), "{told}");
    let quiet = column(&works(at, &format!("{line} --effects float --trials 1")).0, "loss");
    let noisy = column(
        &works(at, &format!("{line} --effects float --trials 1 --input-noise gaussian:0.5")).0,
        "loss",
    );
    assert!(noisy[0].parse::<f64>().unwrap() > quiet[0].parse::<f64>().unwrap());
    let until = format!("{line} --effects float --input-noise gaussian:0.5 --trials 4 --until-band");
    let (narrow, wide) = (works(at, &format!("{until} 1")).0, works(at, &format!("{until} 20")).0);
    assert_eq!(column(&wide, "trial").len(), 12);
    assert!(column(&narrow, "trial").len() >= column(&wide, "trial").len());
    assert_eq!(narrow, works(at, &format!("{until} 1 --threads 1")).0);
    let document: serde_json::Value =
        serde_json::from_str(&works(at, &format!("{line} --effects quantisation --json")).0).unwrap();
    assert!(document["digital"]["top1"].as_f64().unwrap() > 0.8);
    assert_eq!(document["summary"][0]["trials"], 5);
}

#[test]
fn networks_in_onnx_run_and_what_is_not_supported_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("good.onnx"), onnx("Relu")).unwrap();
    std::fs::write(at.join("bad.onnx"), onnx("Frobnicate")).unwrap();
    let line = "evaluate --dataset digits --effects quantisation --images 50 --trials 1 --network";
    let (csv, _) = works(at, &format!("{line} good.onnx"));
    assert_eq!(column(&csv, "images"), ["50"]);
    let refused = run(at, &format!("{line} bad.onnx").split(' ').collect::<Vec<_>>());
    assert_eq!(refused.status.code(), Some(3));
    assert!(text(&refused.stderr).contains("Frobnicate"), "{}", text(&refused.stderr));
    // Images of another shape than the network's.
    let line = line.replace("digits", "fashion-demo");
    let refused = run(at, &format!("{line} good.onnx").split(' ').collect::<Vec<_>>());
    assert!(text(&refused.stderr).contains("28"), "{}", text(&refused.stderr));
}
