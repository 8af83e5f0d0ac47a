//! Networks of others on real data: converted, and their accuracy.
//!
//! ```text
//! cargo run --release -p mho-tests --bin networks -- digital OUT.csv
//! cargo run --release -p mho-tests --bin networks -- arrays docs/networks.csv
//! cargo run --release -p mho-tests --bin networks -- convert FOLDER
//! ```
//!
//! `digital OUT.csv [SAMPLES]` evaluates every network of the library on all samples of its data (or the
//! first SAMPLES) in f32. `arrays OUT.csv [NETWORK...]` puts them on simulated arrays, in steps from
//! 8 bits without device effects to aged and irradiated cells, on the first samples. `convert FOLDER`
//! writes the networks as safetensors and the JPEG-coded CIFAR-10 in its binary form, so that
//! `MHO_DATA=FOLDER` gives both to `mho`.
#![allow(clippy::print_stdout)]

use std::path::Path;

use mho_data::Table;
use mho_data::dataset::Images;
use mho_lut::DeviceTable;
use mho_network::array::{ArrayConfig, Compensation, MappingStyle};
use mho_network::effects::Effects;
use mho_network::evaluate::Condition;
use mho_tests::convert::analog::{Accuracy, DAY_S, Wrong, device, evaluate};
use mho_tests::convert::library::{LIBRARY, shared};
use mho_tests::convert::sets::{cifar_jpeg, in_turn, right};

fn main() -> Result<(), Wrong> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["digital", out] => digital(Path::new(out), usize::MAX),
        ["digital", out, samples] => digital(Path::new(out), samples.parse()?),
        ["arrays", out, names @ ..] => arrays(Path::new(out), names),
        ["convert", folder] => convert(Path::new(folder)),
        _ => Err("digital OUT.csv [SAMPLES], arrays OUT.csv [NETWORK...], or convert FOLDER".into()),
    }
}

/// Accuracy of every network without arrays.
fn digital(out: &Path, most: usize) -> Result<(), Wrong> {
    let (mut names, mut files) = (Vec::new(), Vec::new());
    let mut columns: [Vec<f64>; 7] = Default::default();
    for entry in LIBRARY {
        let graph = entry.graph()?;
        let samples = entry.samples(&graph, most)?;
        let [first, among_five] = right(&graph, &graph.digital(), &samples)?;
        let count = samples.len() as f64;
        let row = [
            graph.weight_count() as f64,
            graph.products_per_inference() as f64,
            count,
            first as f64 / count,
            among_five as f64 / count,
            entry.measured.0,
            entry.measured.1 as f64,
        ];
        println!("{:<20} {row:?}", entry.name);
        names.push(entry.name.to_owned());
        files.push(entry.file.to_owned());
        columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
    }
    let [weights, products, count, top1, top5, elsewhere, of] = columns;
    let mut table = Table::new()
        .with_text("network", names)
        .with_text("file", files)
        .with_float("weights", weights)
        .with_float("products", products)
        .with_float("samples", count)
        .with_float("top1", top1)
        .with_float("top5", top5)
        .with_float("top1_elsewhere", elsewhere)
        .with_float("samples_elsewhere", of);
    table.comments.push("networks that others trained, converted, in f32, on real data".into());
    table.comments.push("cargo run --release -p mho-tests --bin networks -- digital OUT.csv".into());
    std::fs::write(out, table.to_csv())?;
    Ok(())
}

/// Trials of each condition, and the seed of their cells.
const TRIALS: (u64, u64) = (2, 2026);

/// Device, what is done against drift, and its times (s) and doses (krad(Si)).
type Life = (&'static str, Compensation, &'static [f64], &'static [f64]);
const DEVICES: [Life; 7] = [
    ("tcas2022", Compensation::None, &[0.0, 5.0 * DAY_S], &[0.0]),
    ("iedm2022", Compensation::None, &[0.0, 5.0 * DAY_S], &[0.0]),
    ("pcm-joshi", Compensation::None, &[0.0, DAY_S], &[0.0]),
    ("pcm-joshi", Compensation::Global, &[DAY_S], &[0.0]),
    ("taox", Compensation::None, &[0.0, DAY_S], &[0.0]),
    ("wan", Compensation::None, &[0.0, DAY_S], &[0.0]),
    ("sonos-dose", Compensation::None, &[0.0], &[0.0, 30.0, 100.0, 300.0, 1000.0]),
];

/// A device in its array with what happens to it.
struct Step {
    name: String,
    table: Option<DeviceTable>,
    array: ArrayConfig,
    conditions: Vec<Condition>,
}

/// Error of no device in particular, over the largest conductance or over the conductance.
const ERROR: f64 = 0.03;

/// Its laws, with values in their order.
const GENERIC: [(&str, &[f64]); 2] =
    [("generic-independent", &[25.0, ERROR, 0.0]), ("generic-proportional", &[25.0, 0.0, ERROR])];

/// Networks that go onto arrays, samples, and those that calibrate converters: as many as some minutes
/// allow.
const ON_ARRAYS: [(&str, usize, usize); 7] = [
    ("ds-cnn", 300, 100),
    ("resnet8", 200, 100),
    ("resnet20-tuned", 100, 50),
    ("resnet20", 60, 50),
    ("resnet32", 60, 50),
    ("resnet56", 60, 50),
    ("efficientnet-lite0", 16, 8),
];

/// One row of the table.
struct Row {
    network: &'static str,
    device: String,
    effects: String,
    time_s: f64,
    dose_krad_si: f64,
    samples: usize,
    digital: f64,
    found: Accuracy,
}

/// Networks on arrays, step by step.
fn arrays(out: &Path, names: &[&str]) -> Result<(), Wrong> {
    let mut rows = Vec::new();
    for (name, count, calibrating) in ON_ARRAYS {
        let entry = LIBRARY.iter().find(|entry| entry.name == name);
        let Some(entry) = entry.filter(|_| names.is_empty() || names.contains(&name)) else { continue };
        let graph = entry.graph()?;
        let samples = entry.samples(&graph, count)?;
        let calibration = entry.set.calibration(calibrating)?;
        let digital = right(&graph, &graph.digital(), &samples)?[0] as f64 / samples.len() as f64;
        let mut steps = vec![Step {
            name: "none".into(),
            table: None,
            array: ArrayConfig::default(),
            conditions: vec![condition("quantisation")?],
        }];
        for (name, values) in GENERIC {
            for (style, words) in
                [(MappingStyle::Differential, "pairs"), (MappingStyle::OffsetDigital, "offset")]
            {
                let (table, mut array) = device(name, values)?;
                array.mapping.style = style;
                let name = format!("{name} {ERROR}, {words}");
                let conditions = vec![condition("quantisation+programming")?];
                steps.push(Step { name, table: Some(table), array, conditions });
            }
        }
        for (name, drift_compensation, times_s, doses_krad_si) in DEVICES {
            let (table, mut array) = device(name, &[])?;
            array.effects.drift_compensation = drift_compensation;
            let mut conditions = vec![condition("quantisation+programming")?];
            for &time_s in times_s {
                for &dose_krad_si in doses_krad_si {
                    conditions.push(Condition { time_s, dose_krad_si, effects: Effects::ALL });
                }
            }
            let words = if drift_compensation == Compensation::None { "" } else { ", one gain a layer" };
            steps.push(Step { name: format!("{name}{words}"), table: Some(table), array, conditions });
        }
        for Step { name, table, array, conditions } in &steps {
            let device = (array, table.as_ref());
            let found = evaluate(&graph, (&samples, &calibration), device, conditions, TRIALS)?;
            for (condition, found) in conditions.iter().zip(found) {
                let Condition { time_s, dose_krad_si, effects } = *condition;
                println!(
                    "{:<20} {name:<12} {effects} {time_s} {dose_krad_si} {found:?} ({digital})",
                    entry.name
                );
                rows.push(Row {
                    network: entry.name,
                    device: name.clone(),
                    effects: effects.to_string(),
                    time_s,
                    dose_krad_si,
                    samples: samples.len(),
                    digital,
                    found,
                });
            }
        }
        std::fs::write(out, table(&rows).to_csv())?;
    }
    Ok(())
}

/// Cells at the time of programming, with these effects.
fn condition(effects: &str) -> Result<Condition, Wrong> {
    Ok(Condition { time_s: 0.0, dose_krad_si: 0.0, effects: effects.parse()? })
}

fn table(rows: &[Row]) -> Table {
    let words = |of: fn(&Row) -> String| rows.iter().map(of).collect::<Vec<String>>();
    let numbers = |of: fn(&Row) -> f64| rows.iter().map(of).collect::<Vec<f64>>();
    let mut table = Table::new()
        .with_text("network", words(|row| row.network.to_owned()))
        .with_text("device", words(|row| row.device.clone()))
        .with_text("effects", words(|row| row.effects.clone()))
        .with_float("time_s", numbers(|row| row.time_s))
        .with_float("dose_krad_si", numbers(|row| row.dose_krad_si))
        .with_float("samples", numbers(|row| row.samples as f64))
        .with_float("trials", numbers(|row| row.found.trials as f64))
        .with_float("digital", numbers(|row| row.digital))
        .with_float("top1", numbers(|row| row.found.top1))
        .with_float("top1_least", numbers(|row| row.found.range[0]))
        .with_float("top1_most", numbers(|row| row.found.range[1]))
        .with_float("top5", numbers(|row| row.found.top5))
        .with_float("outputs_saturated", numbers(|row| row.found.outputs_saturated));
    table.comments.extend([
        "networks that others trained, on simulated arrays of the default array.toml (8 bits, 1152 x 256)"
            .into(),
        "digital: the same samples without arrays; a sample is worth 1/samples of top1".into(),
        "cargo run --release -p mho-tests --bin networks -- arrays docs/networks.csv".into(),
    ]);
    table
}

/// Networks and CIFAR-10 in forms that `mho` reads.
fn convert(folder: &Path) -> Result<(), Wrong> {
    let networks = folder.join("networks");
    std::fs::create_dir_all(&networks)?;
    for entry in LIBRARY {
        std::fs::write(networks.join(format!("{}.safetensors", entry.name)), entry.graph()?.to_bytes()?)?;
        println!("{}", entry.name);
    }
    let cifar = folder.join("cifar10");
    std::fs::create_dir_all(&cifar)?;
    let train = in_turn(&cifar_jpeg(&shared("cifar10-jpeg/train_jpeg.tar.xz")?)?);
    let batch = train.labels.len().div_ceil(5);
    for number in 0..5 {
        let range = number * batch..((number + 1) * batch).min(train.labels.len());
        std::fs::write(cifar.join(format!("data_batch_{}.bin", number + 1)), records(&train, range))?;
    }
    let test = in_turn(&cifar_jpeg(&shared("cifar10-jpeg/test_jpeg.tar.xz")?)?);
    std::fs::write(cifar.join("test_batch.bin"), records(&test, 0..test.labels.len()))?;
    println!("{} and {} images", train.labels.len(), test.labels.len());
    Ok(())
}

/// Images as records of CIFAR's binary form.
fn records(images: &Images, range: std::ops::Range<usize>) -> Vec<u8> {
    let size = images.channels * images.rows * images.cols;
    let record = |i: usize| [&[images.labels[i]][..], &images.pixels[i * size..(i + 1) * size]].concat();
    range.flat_map(record).collect()
}
