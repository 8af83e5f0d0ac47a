//! Trained networks: published weights written as ONNX, imported, and evaluated on real images.

use std::collections::HashMap;
use std::io::Read;

use mho_data::npy::Array;
use mho_network::graph::Graph;
use mho_network::graph::onnx::{ImportOptions, import};
use mho_network::graph::tensor::Tensor;

use crate::builder::{Model, independent};
use crate::networks::{Weights, efficientnet_lite0, resnet};
use crate::operators::close;

/// Arrays of an `.npz` file whose members are not compressed, through its central directory.
fn npz(relative: &str) -> Option<HashMap<String, Array>> {
    let bytes = std::fs::read(mho_data::shared::find(relative)?).unwrap();
    let u16_at = |at: usize| usize::from(u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap()));
    let u32_at = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let end = bytes.windows(4).rposition(|w| w == b"PK\x05\x06").unwrap();
    let (members, mut at) = (u16_at(end + 10), u32_at(end + 16));
    let mut arrays = HashMap::new();
    for _ in 0..members {
        assert_eq!(u16_at(at + 10), 0, "a compressed member");
        let (size, name, extra, comment) =
            (u32_at(at + 20), u16_at(at + 28), u16_at(at + 30), u16_at(at + 32));
        let label = std::str::from_utf8(&bytes[at + 46..at + 46 + name]).unwrap();
        let local = u32_at(at + 42);
        let start = local + 30 + u16_at(local + 26) + u16_at(local + 28);
        let array = Array::from_npy(&bytes[start..start + size], label).unwrap();
        arrays.insert(label.trim_end_matches(".npy").to_owned(), array);
        at += 46 + name + extra + comment;
    }
    Some(arrays)
}

/// The model of an architecture with the weights of a file.
fn model(relative: &str, build: impl FnOnce(&mut Weights<'_>) -> Model) -> Option<Model> {
    let mut arrays = npz(relative)?;
    let model = build(&mut |model, name, shape| {
        let array = arrays.remove(name).unwrap_or_else(|| panic!("no {name} in {relative}"));
        let found: Vec<i64> = array.shape.iter().map(|&n| n as i64).collect();
        assert_eq!(found, shape, "{name}");
        let values: Vec<f32> = array.values.iter().map(|&x| x as f32).collect();
        model.tensor(name, shape, &values);
    });
    assert!(arrays.is_empty(), "not used: {:?}", arrays.keys());
    Some(model)
}

/// Images of CIFAR in its binary form, normalised as the networks were trained; their labels.
fn cifar(relative: &str, count: usize) -> Option<(Tensor, Vec<u8>)> {
    let file = std::fs::File::open(mho_data::shared::find(relative)?).unwrap();
    let mut bytes = vec![0; count * 3073];
    flate2::read::GzDecoder::new(file).read_exact(&mut bytes).unwrap();
    let (mean, deviation) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
    let mut values = Vec::with_capacity(count * 3072);
    for record in bytes.chunks_exact(3073) {
        for (channel, plane) in record[1..].chunks_exact(1024).enumerate() {
            let value = |p: &u8| ((f64::from(*p) / 255.0 - mean[channel]) / deviation[channel]) as f32;
            values.extend(plane.iter().map(value));
        }
    }
    let labels = bytes.chunks_exact(3073).map(|record| record[0]).collect();
    Some((Tensor::new(vec![count, 3, 32, 32], values).unwrap(), labels))
}

fn accuracy(graph: &Graph, images: &Tensor, labels: &[u8]) -> f64 {
    let logits = graph.run(&graph.digital(), std::slice::from_ref(images)).unwrap();
    let right = logits[0].values().chunks_exact(10).zip(labels).filter(|(logits, label)| {
        let best = (0..10).max_by(|&a, &b| logits[a].total_cmp(&logits[b]));
        best == Some(usize::from(**label))
    });
    right.count() as f64 / labels.len() as f64
}

/// Accuracies that were measured elsewhere on the JPEG-coded test set (README of the data sets), with the
/// number of images behind them.
const MEASURED: &[(&str, i64, f64, f64)] = &[
    ("cifar10_resnet20", 3, 0.810, 5000.0),
    ("cifar10_resnet32", 5, 0.823, 5000.0),
    ("cifar10_resnet56", 9, 0.831, 5000.0),
    ("cifar10_resnet20_jpegft", 3, 0.8595, 10000.0),
];

#[test]
fn residual_networks_have_their_measured_accuracy() {
    let count = 300;
    let Some((images, labels)) = cifar("datasets/cifar10-jpeg/test2000_jpegdecoded.bin.gz", count) else {
        return;
    };
    for &(name, depth, measured, of) in MEASURED {
        let Some(model) = model(&format!("datasets/models/{name}.npz"), |w| resnet(depth, w)) else { return };
        let graph = import(&model.bytes(), name, &ImportOptions::default()).unwrap();
        let found = accuracy(&graph, &images, &labels);
        // two binomial samples of the same network; three standard deviations
        let deviation = (measured * (1.0 - measured) * (1.0 / count as f64 + 1.0 / of)).sqrt();
        eprintln!(
            "{name}: {found} on {count} images, measured {measured}, standard deviation {deviation:.4}"
        );
        assert!((found - measured).abs() < 3.0 * deviation, "{name}: {found}, measured {measured}");
    }
}

#[test]
fn residual_network_on_undamaged_training_images() {
    let count = 400;
    let file = "datasets/cifar10-jpeg/data_batch_1_first1000_lossless.bin.gz";
    let Some((images, labels)) = cifar(file, count) else { return };
    let Some(model) = model("datasets/models/cifar10_resnet20.npz", |w| resnet(3, w)) else { return };
    let graph = import(&model.bytes(), "resnet20", &ImportOptions::default()).unwrap();
    // 0.9985 of 2,000 measured: of 400, four wrong ones have a probability below 0.004
    assert!(accuracy(&graph, &images, &labels) > 1.0 - 4.5 / count as f64);
    // 22 layers: one convolution per 3 x 3 kernel, and the matrix
    assert_eq!(graph.layers().len(), 20);
    assert_eq!(graph.products_per_inference(), 40_551_040);
    // and the logits are those of an independent runtime
    let (images, _) = cifar(file, 20).unwrap();
    let ours = graph.run(&graph.digital(), std::slice::from_ref(&images)).unwrap();
    close(&ours[0], &independent(&model.bytes(), &[("x", &images)], &[("y", 2)])[0], "ResNet-20");
}

#[test]
fn efficientnet_has_the_logits_of_an_independent_runtime() {
    let Some(mut model) = model("datasets/models/imagenet_efficientnet_lite0.npz", efficientnet_lite0) else {
        return;
    };
    let graph = import(&model.bytes(), "efficientnet-lite0", &ImportOptions::default()).unwrap();
    assert!(graph.nodes().iter().all(|node| node.op.name() != "BatchNormalization"));
    let images = Tensor::new(vec![2, 3, 224, 224], model.normals(2 * 3 * 224 * 224, 0.5)).unwrap();
    let ours = graph.run(&graph.digital(), std::slice::from_ref(&images)).unwrap();
    close(&ours[0], &independent(&model.bytes(), &[("x", &images)], &[("y", 2)])[0], "EfficientNet-Lite0");
}

#[test]
fn the_network_of_the_benchmark() {
    let mut model = crate::networks::plain_118m(&mut crate::networks::random);
    let graph = import(&model.bytes(), "plain", &ImportOptions::default()).unwrap();
    assert_eq!(graph.products_per_inference(), 118_169_088);
    let images = Tensor::new(vec![5, 3, 32, 32], model.normals(5 * 3072, 1.0)).unwrap();
    let ours = graph.run(&graph.digital(), std::slice::from_ref(&images)).unwrap();
    close(&ours[0], &independent(&model.bytes(), &[("x", &images)], &[("y", 2)])[0], "plain network");
}
