//! Graphs on arrays against the plain float products of the same engine, one thread.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use mho_data::provenance::Origin;
use mho_lut::{
    CellSource, CellStatistics, CompileOptions, DeviceTable, SCORES, Share, SourceError, SourceInfo, compile,
};
use mho_network::analog::Arrays;
use mho_network::array::ArrayConfig;
use mho_network::effects::Effects;
use mho_network::evaluate::Condition;
use mho_network::graph::op::{Activation, Conv, Dense, Length, Op, Padding, Sliding};
use mho_network::graph::tensor::Tensor;
use mho_network::graph::{Graph, Input, Node, Products};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Best time (s) of `repeats` runs.
fn best(repeats: usize, mut run: impl FnMut()) -> f64 {
    let mut least = f64::INFINITY;
    for _ in 0..repeats {
        let start = Instant::now();
        run();
        least = least.min(start.elapsed().as_secs_f64());
    }
    least
}

/// A device made up for speed alone: five percent of spread, drift and dose.
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
        let loss = 0.01 * (time_s / 1e4).ln_1p() + 0.05 * (dose_krad_si / 100.0);
        let mean_na = 1600.0 * state * (1.0 - loss.min(0.9));
        let variances = [1.0, time_s / 4e5, dose_krad_si / 100.0];
        let sum: f64 = variances.iter().sum();
        let sigma_na = 20.0 * state * sum.sqrt();
        let [programming, drift, dose] = variances.map(|v| v / sum);
        let quantiles_na = SCORES.map(|z| (mean_na + sigma_na * z).max(0.0));
        let share = Share { programming, drift, dose };
        Ok(CellStatistics { mean_na, sigma_na, quantiles_na, share, extrapolated: false })
    }

    fn read_noise_na(&self, current_na: f64) -> f64 {
        1.0 + 0.005 * current_na
    }
}

fn values(count: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * 2_654_435_761) % 1000) as f32 / 500.0 - 1.0).collect()
}

fn tensor(shape: &[usize]) -> Outcome<Tensor> {
    Tensor::new(shape.to_vec(), values(shape.iter().product())).ok_or_else(|| "shape".into())
}

fn matrix(outputs: usize, inputs: usize) -> Outcome<Graph> {
    let input = Input { name: "x".into(), shape: vec![Length::Batch(1), Length::Fixed(inputs)] };
    let dense = Dense { weights: tensor(&[outputs, inputs])?.into(), bias: None };
    let node = Node::new("matrix", Op::Dense(dense), &["x"], &["y"]);
    Ok(Graph::new("matrix", vec![input], vec![node], vec!["y".into()])?)
}

/// Convolutions of 3 x 3 on images of 32 x 32, halved twice; the last one depthwise.
fn convolutions() -> Outcome<Graph> {
    let mut nodes = Vec::new();
    let mut channels = 3;
    for (index, (to, stride, groups)) in
        [(32, 1, 1), (32, 1, 1), (64, 2, 1), (64, 1, 1), (128, 2, 1), (128, 1, 1), (128, 1, 128)]
            .into_iter()
            .enumerate()
    {
        let sliding = Sliding {
            kernel: [3, 3],
            stride: [stride; 2],
            dilation: [1, 1],
            padding: [Padding::Explicit(1, 1); 2],
        };
        let weights = tensor(&[to, channels / groups, 3, 3])?.into();
        let (x, y, z) = (format!("x{index}"), format!("y{index}"), format!("x{}", index + 1));
        nodes.push(Node::new(
            &format!("c{index}"),
            Op::Conv(Conv { weights, bias: None, groups, sliding }),
            &[&x],
            &[&y],
        ));
        nodes.push(Node::new(&z, Op::Activation(Activation::Relu), &[&y], &[&z]));
        channels = to;
    }
    let shape = vec![Length::Batch(1), Length::Fixed(3), Length::Fixed(32), Length::Fixed(32)];
    Ok(Graph::new("convolutions", vec![Input { name: "x0".into(), shape }], nodes, vec!["x7".into()])?)
}

fn compare(name: &str, graph: &Graph, x: &Tensor, table: &DeviceTable) -> Outcome<()> {
    let inputs = std::slice::from_ref(x);
    let images = x.shape()[0] as f64;
    let time = |products: &dyn Products| {
        best(5, || {
            black_box(graph.run(products, inputs).is_ok());
        })
    };
    let plain = time(&graph.digital());
    println!("{name}: plain float {:.1} ms, {:.0} vectors or images/s", 1e3 * plain, images / plain);
    let quiet = Effects { read_noise: false, ..Effects::ALL };
    let serial = "[input]\nscheme = \"bit-serial\"\n";
    let sliced = "[mapping]\nslices = 4\n";
    for (what, text, effects) in [
        ("8 bits, programmed cells", "", quiet),
        ("with read noise", "", Effects::ALL),
        ("bit by bit, a conversion each", serial, quiet),
        ("four slices, each converted", sliced, quiet),
    ] {
        let array = ArrayConfig::from_toml(text, "array.toml")?;
        let arrays = Arrays::new(graph, inputs, &array, Some(table.into()))?;
        let condition = Condition { time_s: 1e5, dose_krad_si: 100.0, effects };
        let draws = arrays.draws(1, 0);
        let programming = best(3, || {
            black_box(arrays.program(&condition, &draws).is_ok());
        });
        let programmed = arrays.program(&condition, &draws)?;
        let cells = 2 * array.mapping.slices as usize * graph.weight_count();
        println!(
            "  {what}: {:.2} of plain; programming, drift and dose {:.0} ms for a million cells",
            time(&programmed) / plain,
            1e9 * programming / cells as f64,
        );
    }
    Ok(())
}

fn main() -> Outcome<()> {
    mho_data::memory::keep_freed();
    let table =
        compile(&Invented, &CompileOptions { tolerance_fraction: 2e-3, ..CompileOptions::default() })?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    pool.install(|| {
        compare("1024 x 1024, 256 vectors", &matrix(1024, 1024)?, &tensor(&[256, 1024])?, &table)?;
        compare("convolutions, 32 images", &convolutions()?, &tensor(&[32, 3, 32, 32])?, &table)
    })
}
