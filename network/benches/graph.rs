//! Images per second of convolutional networks, and the ratio to an independent runtime (`rten`) on as many
//! threads in the same run.
//!
//! The network of the claim has 118 million multiplications per image: `plain_118m`, five 3 x 3
//! convolutions on 32 x 32 images and two matrices. A residual network (ResNet-56) and one with depthwise
//! convolutions (EfficientNet-Lite0) stand beside it. Weights are random.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::panic, missing_docs, dead_code)]

use std::sync::Arc;
use std::time::Instant;

use mho_network::graph::onnx::{ImportOptions, import};
use mho_network::graph::tensor::Tensor;

#[path = "../../tests/tests/graph/builder.rs"]
mod builder;
#[path = "../../tests/tests/graph/networks.rs"]
mod networks;

/// Times each network is run; the fastest counts.
const ROUNDS: usize = 5;

fn main() {
    mho_data::memory::keep_freed();
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    println!("{threads} threads, best of {ROUNDS}");
    println!("network                MMAC/image  images/s  rten images/s  ratio  values MiB  weights MiB");
    measure("plain_118m", &networks::plain_118m(&mut networks::random), &[256, 3, 32, 32], threads);
    measure("resnet56", &networks::resnet(9, &mut networks::random), &[128, 3, 32, 32], threads);
    let lite = networks::efficientnet_lite0(&mut networks::random);
    measure("efficientnet_lite0", &lite, &[16, 3, 224, 224], threads);
}

fn measure(name: &str, model: &builder::Model, shape: &[usize], threads: usize) {
    let bytes = model.bytes();
    let graph = import(&bytes, name, &ImportOptions::default()).unwrap();
    let images = Tensor::new(shape.to_vec(), noise(shape.iter().product())).unwrap();
    let theirs = rten::Model::load(builder::explicit(&bytes)).unwrap();
    let pool = Arc::new(rten::ThreadPool::with_num_threads(threads));
    let (mut ours_s, mut theirs_s, mut peak) = (f64::INFINITY, f64::INFINITY, 0);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let (_, bytes) = graph.run_measured(&graph.digital(), std::slice::from_ref(&images)).unwrap();
        ours_s = ours_s.min(start.elapsed().as_secs_f64());
        peak = peak.max(bytes);
        let value = rten::Value::from_shape(shape, images.values().to_vec()).unwrap();
        let options = rten::RunOptions::default().with_thread_pool(Some(pool.clone()));
        let start = Instant::now();
        theirs.run_one(value.into(), Some(options)).unwrap();
        theirs_s = theirs_s.min(start.elapsed().as_secs_f64());
    }
    let count = shape[0] as f64;
    let mib = |bytes: usize| bytes as f64 / f64::from(1 << 20);
    println!(
        "{name:22} {:10.1} {:9.1} {:14.1} {:6.2} {:11.1} {:12.1}",
        graph.products_per_inference() as f64 / 1e6,
        count / ours_s,
        count / theirs_s,
        theirs_s / ours_s,
        mib(peak),
        mib(graph.memory().unwrap().weights_bytes),
    );
}

/// Numbers between -1 and 1 without a pattern.
fn noise(count: usize) -> Vec<f32> {
    (0..count as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32 / 8_388_608.0 - 1.0).collect()
}
