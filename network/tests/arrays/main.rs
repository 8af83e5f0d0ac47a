//! Graphs on simulated arrays against what they must be.

#![allow(clippy::unwrap_used)]

mod circuits;
mod curved;
mod digital;
mod double;
mod draws;
mod floor;
mod noise;
mod scales;

use mho_data::provenance::Origin;
use mho_data::random::Stream;
use mho_lut::{
    CellSource, CellStatistics, CompileOptions, DeviceTable, SCORES, Share, SourceError, SourceInfo, compile,
};

use mho_network::analog::{AnalogError, Arrays, LayerStatistics};
use mho_network::array::ArrayConfig;
use mho_network::effects::Effects;
use mho_network::evaluate::Condition;
use mho_network::graph::op::{Activation, Conv, Dense, Length, Op, Padding, Sliding};
use mho_network::graph::tensor::Tensor;
use mho_network::graph::{Graph, Input, LayerId, Node};

/// Numbers between -1 and 1.
fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let stream = Stream::new(seed, &["test"], &[]);
    (0..count as u64).map(|i| (2.0 * stream.uniform(i) - 1.0) as f32).collect()
}

fn tensor(shape: &[usize], values: Vec<f32>) -> Tensor {
    Tensor::new(shape.to_vec(), values).unwrap()
}

fn dense(name: &str, weights: Tensor, x: &str, y: &str) -> Node {
    Node::new(name, Op::Dense(Dense { weights: weights.into(), bias: None }), &[x], &[y])
}

/// One matrix, outputs x inputs.
fn matrix(outputs: usize, inputs: usize, weights: Vec<f32>) -> Graph {
    let input = Input { name: "x".into(), shape: vec![Length::Batch(1), Length::Fixed(inputs)] };
    let node = dense("matrix", tensor(&[outputs, inputs], weights), "x", "y");
    Graph::new("matrix", vec![input], vec![node], vec!["y".into()]).unwrap()
}

/// A convolution, a depthwise one and two dense layers on images of 2 x 8 x 8.
fn network() -> Graph {
    let sliding = || Sliding {
        kernel: [3, 3],
        stride: [1, 1],
        dilation: [1, 1],
        padding: [Padding::Explicit(1, 1); 2],
    };
    let conv = |weights: Tensor, groups| {
        Op::Conv(Conv { weights: weights.into(), bias: None, groups, sliding: sliding() })
    };
    let input = Input {
        name: "x".into(),
        shape: vec![Length::Batch(1), Length::Fixed(2), Length::Fixed(8), Length::Fixed(8)],
    };
    let relu = |x: &str, y: &str| Node::new(y, Op::Activation(Activation::Relu), &[x], &[y]);
    let nodes = vec![
        Node::new("c", conv(tensor(&[6, 2, 3, 3], numbers(108, 1)), 1), &["x"], &["a"]),
        relu("a", "b"),
        Node::new("d", conv(tensor(&[6, 1, 3, 3], numbers(54, 2)), 6), &["b"], &["e"]),
        relu("e", "f"),
        Node::new("g", Op::Reshape { shape: vec![Length::Batch(1), Length::Fixed(384)] }, &["f"], &["g"]),
        dense("h", tensor(&[20, 384], numbers(7680, 3)), "g", "h"),
        dense("k", tensor(&[5, 20], numbers(100, 4)), "h", "y"),
    ];
    Graph::new("small", vec![input], nodes, vec!["y".into()]).unwrap()
}

fn images(count: usize, seed: u64) -> Tensor {
    tensor(&[count, 2, 8, 8], numbers(count * 128, seed).into_iter().map(|x| 0.5 * x + 0.3).collect())
}

/// Wires count wherever an array has any.
fn at(effects: Effects) -> Condition {
    Condition::new(0.0, 0.0, Effects { wires: true, ..effects })
}

const QUANTISED: Effects = Effects::QUANTISATION;

/// Outputs of a graph on arrays that its own inputs calibrate, and what happened on the way.
fn run(graph: &Graph, array: &ArrayConfig, x: &Tensor, effects: Effects) -> (Tensor, Vec<LayerStatistics>) {
    let arrays = Arrays::new(graph, std::slice::from_ref(x), array, None).unwrap();
    let programmed = arrays.program(&at(effects), &arrays.draws(1, 0)).unwrap();
    let mut y = graph.run(&programmed, std::slice::from_ref(x)).unwrap();
    (y.remove(0), programmed.statistics())
}

/// Outputs without arrays.
fn digital(graph: &Graph, x: &Tensor) -> Tensor {
    graph.run(&graph.digital(), std::slice::from_ref(x)).unwrap().remove(0)
}

/// Largest difference over the largest value.
fn difference(a: &Tensor, b: &Tensor) -> f64 {
    let most = b.values().iter().fold(0.0_f64, |most, y| most.max(f64::from(y.abs())));
    let pairs = a.values().iter().zip(b.values());
    pairs.fold(0.0_f64, |worst, (a, b)| worst.max(f64::from((a - b).abs()))) / most
}

/// A device made up for these tests: everything about it is written here.
struct Invented;

impl CellSource for Invented {
    fn describe(&self) -> SourceInfo {
        SourceInfo {
            name: "invented".into(),
            origin: Origin::Synthetic,
            current_max_na: 1600.0,
            time_max_s: 1e6,
            dose_max_krad_si: 1000.0,
            notes: Vec::new(),
        }
    }

    fn cell(&self, state: f64, time_s: f64, dose_krad_si: f64) -> Result<CellStatistics, SourceError> {
        let target = 1600.0 * state;
        let loss = 0.05 * (time_s / 1e4).ln_1p() + 0.1 * (dose_krad_si / 100.0);
        let mean_na = target * (1.0 - loss.min(0.9));
        let variances = [1.0, time_s / 4e5, (dose_krad_si / 100.0).min(2.0)];
        let sum: f64 = variances.iter().sum();
        let sigma_na = 40.0 * state.min(0.4) * sum.sqrt();
        let [programming, drift, dose] = variances.map(|v| v / sum);
        let quantiles_na = SCORES.map(|z| (mean_na + sigma_na * z).max(0.0));
        let share = Share { programming, drift, dose };
        Ok(CellStatistics { mean_na, sigma_na, quantiles_na, share, extrapolated: false })
    }

    fn read_noise_na(&self, current_na: f64) -> f64 {
        2.0 + 0.01 * current_na
    }
}

fn table() -> DeviceTable {
    compile(&Invented, &CompileOptions { tolerance_fraction: 2e-3, ..CompileOptions::default() }).unwrap()
}

/// Mean and standard deviation.
fn moments(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let square = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64;
    (mean, square.sqrt())
}
