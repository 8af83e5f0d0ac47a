//! A whole convolutional network on simulated arrays: images per second over those of the plain float forward
//! pass of the same engine, and peak memory over that of the weights.
//!
//! The network has 118 million multiplications per image (`plain_118m` of the graph tests, random weights);
//! batches of 64 images. Asked: 8-bit inputs, conversions and programmed cells at half the images per second,
//! with read noise at a quarter, with wires at half once the arrays are programmed; peak memory below four
//! times the weights and one batch of activations. Rounds of all cases take turns, and the fastest of each
//! counts, so that a busy machine slows all alike.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::panic, missing_docs, dead_code)]

use std::time::Instant;

use mho_data::provenance::Origin;
use mho_lut::{CellSource, CellStatistics, CompileOptions, SCORES, Share, SourceError, SourceInfo, compile};
use mho_network::analog::{Arrays, Programmed};
use mho_network::array::ArrayConfig;
use mho_network::effects::Effects;
use mho_network::evaluate::Condition;
use mho_network::graph::onnx::{ImportOptions, import};
use mho_network::graph::tensor::Tensor;
use mho_network::graph::{Graph, Products};

#[path = "../../tests/tests/graph/builder.rs"]
mod builder;
#[path = "../../tests/tests/graph/networks.rs"]
mod networks;

/// Images of a batch.
const BATCH: usize = 64;
/// Times each case is run; the fastest counts.
const ROUNDS: usize = 7;

/// Environment variable with the number of the case whose memory is measured.
const CASE: &str = "BENCH_MEMORY_OF_CASE";

fn main() {
    mho_data::memory::keep_freed();
    let threads = rayon::current_num_threads();
    if std::env::var(CASE).is_err() {
        println!("plain_118m, batches of {BATCH}, {threads} threads, best of {ROUNDS}");
    }
    let bytes = networks::plain_118m(&mut networks::random).bytes();
    let graph = import(&bytes, "plain_118m", &ImportOptions::default()).unwrap();
    drop(bytes);
    let shape = vec![BATCH, 3, 32, 32];
    let images = Tensor::new(shape.clone(), noise(shape.iter().product())).unwrap();
    let options = CompileOptions { time_max_s: 0.0, dose_max_krad_si: 0.0, ..CompileOptions::default() };
    let table = compile(&Sonos, &options).unwrap();
    let ideal = ArrayConfig::default();
    let wired = ArrayConfig::from_toml(
        "[array]\nrow_resistance_ohm = 1.0\ncolumn_resistance_ohm = 1.0\nrows = 128\ncolumns = 128\n",
        "wired",
    )
    .unwrap();
    let programmed_cells = Effects { programming: true, ..Effects::QUANTISATION };
    let noisy = Effects { read_noise: true, ..programmed_cells };
    let with_wires = Effects { wires: true, ..programmed_cells };
    let cases = [
        ("8 bits, programmed", &ideal, programmed_cells, 0.5),
        ("and read noise", &ideal, noisy, 0.25),
        ("and wires, 128 x 128", &wired, with_wires, 0.5),
    ];
    let weights_mib = mib(graph.memory().unwrap().weights_bytes);
    let blocks = BATCH.div_ceil(graph.memory().unwrap().block);
    let values_mib = mib(graph.memory().unwrap().values_bytes * blocks);
    if let Ok(case) = std::env::var(CASE) {
        // Memory of one case, in a process of its own: what was freed before counts too while it is held.
        let (name, array, effects, _) = cases[case.parse::<usize>().unwrap()];
        let before = memory("VmRSS").unwrap_or(0);
        let images = std::slice::from_ref(&images);
        let arrays = Arrays::new(&graph, images, array, Some((&table).into())).unwrap();
        let calibrated = memory("VmHWM").unwrap_or(0);
        std::fs::write("/proc/self/clear_refs", "5").ok();
        graph.run(&program(&arrays, effects), images).unwrap();
        let asked = 4.0 * weights_mib + values_mib;
        let used = |peak: usize| (weights_mib + mib(peak.saturating_sub(before))) / asked;
        println!(
            "{name}: peak memory over the {asked:.1} MiB asked for: {:.2}, while converters are calibrated {:.2}",
            used(memory("VmHWM").unwrap_or(0)),
            used(calibrated)
        );
        return;
    }
    println!("weights {weights_mib:.1} MiB, activations of a batch {values_mib:.1} MiB");
    if let Ok(own) = std::env::current_exe() {
        for case in 0..cases.len() {
            std::process::Command::new(&own).env(CASE, case.to_string()).status().ok();
        }
    }
    let arrays: Vec<Arrays<'_>> = cases
        .iter()
        .map(|(_, array, ..)| {
            Arrays::new(&graph, std::slice::from_ref(&images), array, Some((&table).into())).unwrap()
        })
        .collect();
    graph.run(&graph.digital(), std::slice::from_ref(&images)).unwrap();
    let mut programmed: Vec<Programmed<'_>> = Vec::new();
    for ((name, _, effects, _), arrays) in cases.iter().zip(&arrays) {
        let start = Instant::now();
        let one = program(arrays, *effects);
        let programming_s = start.elapsed().as_secs_f64();
        graph.run(&one, std::slice::from_ref(&images)).unwrap();
        println!("{name}: programmed in {:.0} ms", 1e3 * programming_s);
        programmed.push(one);
    }
    let mut best = vec![f64::INFINITY; 1 + cases.len()];
    for _ in 0..ROUNDS {
        best[0] = best[0].min(seconds(&graph, &graph.digital(), &images));
        for (best, programmed) in best[1..].iter_mut().zip(&programmed) {
            *best = best.min(seconds(&graph, programmed, &images));
        }
    }
    println!("case                   images/s  over float  asked");
    println!("{:22} {:8.1}", "float", BATCH as f64 / best[0]);
    for ((name, .., asked), time) in cases.iter().zip(&best[1..]) {
        println!("{name:22} {:8.1} {:11.2} {asked:6.2}", BATCH as f64 / time, best[0] / time);
    }
}

fn program<'a>(arrays: &Arrays<'a>, effects: Effects) -> Programmed<'a> {
    arrays.program(&Condition::new(0.0, 0.0, effects), &arrays.draws(1, 0)).unwrap()
}

fn seconds(graph: &Graph, products: &dyn Products, images: &Tensor) -> f64 {
    let start = Instant::now();
    graph.run(products, std::slice::from_ref(images)).unwrap();
    start.elapsed().as_secs_f64()
}

fn mib(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// A memory counter of this process (bytes), where the system tells.
fn memory(key: &str) -> Option<usize> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    line.split_whitespace().nth(1)?.parse::<usize>().ok().map(|kib| kib << 10)
}

/// Numbers between -1 and 1 without a pattern.
fn noise(count: usize) -> Vec<f32> {
    (0..count as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32 / 8_388_608.0 - 1.0).collect()
}

/// Spread and read noise of the size of published SONOS cells; speed does not depend on it.
struct Sonos;

impl CellSource for Sonos {
    fn describe(&self) -> SourceInfo {
        SourceInfo {
            name: "as SONOS".into(),
            origin: Origin::Synthetic,
            current_max_na: 1600.0,
            time_max_s: 0.0,
            dose_max_krad_si: 0.0,
            notes: Vec::new(),
        }
    }

    fn cell(&self, state: f64, _time_s: f64, _dose_krad_si: f64) -> Result<CellStatistics, SourceError> {
        let mean_na = 1600.0 * state;
        let sigma_na = 4.0 + 40.0 * state.min(0.3);
        let share = Share { programming: 1.0, drift: 0.0, dose: 0.0 };
        let quantiles_na = SCORES.map(|z| (mean_na + sigma_na * z).max(0.0));
        Ok(CellStatistics { mean_na, sigma_na, quantiles_na, share, extrapolated: false })
    }

    fn read_noise_na(&self, current_na: f64) -> f64 {
        2.0 + 0.01 * current_na
    }
}
