//! A million cells programmed, drifted and irradiated on one thread: `cargo bench -p mho-network --bench
//! cells`. The reference of the same run is what such a draw cannot do without: three normals for each cell.
#![allow(clippy::print_stdout)]

mod timing;

use std::error::Error;
use std::hint::black_box;

use mho_data::random::Stream;
use mho_lut::{CompileOptions, DeviceTable, SyntheticCell, compile};
use mho_network::analog::{Arrays, Devices};
use mho_network::array::ArrayConfig;
use mho_network::effects::Effects;
use mho_network::evaluate::Condition;
use mho_network::graph::op::{Dense, Length, Op};
use mho_network::graph::tensor::Tensor;
use mho_network::graph::{Graph, Input, Node};
use mho_network::normals;
use timing::turns;

/// Time (ms) that is asked for.
const MOST_MS: f64 = 100.0;
const INPUTS: usize = 1000;
/// Pairs of cells: a million cells.
const OUTPUTS: usize = 500;

fn graph() -> Result<(Graph, Tensor), Box<dyn Error>> {
    let weights = (0..OUTPUTS * INPUTS).map(|i| ((i * 37) % 255) as f32 / 127.0 - 1.0).collect();
    let weights = Tensor::new(vec![OUTPUTS, INPUTS], weights).ok_or("shape of the weights")?;
    let node = Node::new("dense", Op::Dense(Dense { weights: weights.into(), bias: None }), &["x"], &["y"]);
    let input = Input { name: "x".into(), shape: vec![Length::Batch(1), Length::Fixed(INPUTS)] };
    let x = (0..8 * INPUTS).map(|i| ((i * 53) % 128) as f32 / 127.0).collect();
    let x = Tensor::new(vec![8, INPUTS], x).ok_or("shape of the inputs")?;
    Ok((Graph::new("dense", vec![input], vec![node], vec!["y".into()])?, x))
}

fn main() -> Result<(), Box<dyn Error>> {
    mho_data::memory::keep_freed();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    Ok(pool.install(|| measure().map_err(|error| error.to_string()))?)
}

fn measure() -> Result<(), Box<dyn Error>> {
    let table: DeviceTable = compile(&SyntheticCell::default(), &CompileOptions::default())?;
    let (graph, x) = graph()?;
    let mut array = ArrayConfig::default();
    array.cell.current_max_na = Some(1600.0);
    let arrays = Arrays::new(&graph, &[x], &array, Some(Devices::from(&table)))?;
    let cells = 2 * OUTPUTS * INPUTS;
    let condition = |effects| Condition { time_s: 86_400.0, dose_krad_si: 100.0, effects };
    let off = Effects::QUANTISATION;
    let aged = condition(Effects { read_noise: false, ..Effects::ALL });
    let noisy = condition(Effects::ALL);
    let mapped = condition(off);
    arrays.program(&noisy, &arrays.draws(1, 0))?;
    let stream = Stream::new(1, &["bench"], &[]);
    let mut drawn = vec![0.0_f32; 3 * cells];
    // Errors have shown themselves above.
    let program = |condition: Condition| drop(black_box(arrays.program(&condition, &arrays.draws(1, 0))));
    let times = turns(
        15,
        &mut [
            Box::new(|| {
                normals::fill(&stream, 0, &mut drawn);
                black_box(&mut drawn);
            }),
            Box::new(|| program(mapped)),
            Box::new(|| program(aged)),
            Box::new(|| program(noisy)),
        ],
    );
    let normals_ms = 1e3 * times[0];
    println!(
        "{cells} cells, three normals each: {normals_ms:.1} ms, {:.2} ns a normal",
        1e6 * normals_ms / drawn.len() as f64
    );
    for (name, seconds) in
        ["mapped onto arrays, without effects", "and programmed, drifted, irradiated", "and with read noise"]
            .iter()
            .zip(&times[1..])
    {
        println!(
            "  {name}: {:.1} ms, {:.2} of the {MOST_MS} ms asked for, {:.1} times the normals",
            1e3 * seconds,
            1e3 * seconds / MOST_MS,
            1e3 * seconds / normals_ms
        );
    }
    Ok(())
}
