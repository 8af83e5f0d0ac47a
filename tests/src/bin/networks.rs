//! Networks of others on real data: converted, and their accuracy.
//!
//! ```text
//! cargo run --release -p mho-tests --bin networks -- digital OUT.csv
//! cargo run --release -p mho-tests --bin networks -- arrays docs/networks.csv
//! cargo run --release -p mho-tests --bin networks -- bits docs/networks-bits.csv
//! cargo run --release -p mho-tests --bin networks -- orderings docs/networks.csv docs/networks-orderings.csv
//! cargo run --release -p mho-tests --bin networks -- convert FOLDER
//! ```
//!
//! `digital OUT.csv [SAMPLES]` evaluates every network of the library on all samples of its data (or the
//! first SAMPLES) in f32. `arrays OUT.csv [NETWORK...]` puts them on simulated arrays, in steps from
//! 8 bits without device effects to aged and irradiated cells, on the first samples; rows of other networks
//! that stand in OUT.csv stay. `bits OUT.csv [NETWORK...]` says which of the 8 bits cost what, with one scale
//! of weights for a layer or for each column, and with biases behind the converters or in the array. `orderings IN.csv OUT.csv` reads off the second what
//! must hold of any network. `convert FOLDER`
//! writes the networks as safetensors and the JPEG-coded CIFAR-10 in its binary form, so that
//! `MHO_DATA=FOLDER` gives both to `mho`.
#![allow(clippy::print_stdout)]

use std::path::Path;

use mho_data::Table;
use mho_data::dataset::Images;
use mho_lut::DeviceTable;
use mho_network::array::{ArrayConfig, BiasMapping, WeightScale};
use mho_network::evaluate::Condition;
use mho_network::graph::Graph;
use mho_tests::convert::analog::{Wrong, evaluate};
use mho_tests::convert::library::{LIBRARY, shared};
use mho_tests::convert::orderings::{Ordering, orderings};
use mho_tests::convert::sets::{Samples, cifar_jpeg, in_turn, right};
use mho_tests::convert::steps::{Step, fresh, steps};
use mho_tests::convert::trained::{OWN, parts};

fn main() -> Result<(), Wrong> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["digital", out] => digital(Path::new(out), usize::MAX),
        ["digital", out, samples] => digital(Path::new(out), samples.parse()?),
        ["arrays", out, names @ ..] => arrays(Path::new(out), names),
        ["bits", out, names @ ..] => bits(Path::new(out), names),
        ["orderings", from, out] => ordered(Path::new(from), Path::new(out)),
        ["convert", folder] => convert(Path::new(folder)),
        _ => Err("digital OUT.csv [SAMPLES], arrays OUT.csv [NETWORK...], bits OUT.csv [NETWORK...], \
                  orderings IN.csv OUT.csv, or convert FOLDER"
            .into()),
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

/// Networks that go onto arrays, samples, and those that calibrate converters: as many as some minutes
/// allow.
const ON_ARRAYS: [(&str, usize, usize); 11] = [
    ("mlp-mnist", 5000, 256),
    ("cnn-mnist", 2000, 256),
    ("mlp-fashion", 5000, 256),
    ("cnn-fashion", 2000, 256),
    ("ds-cnn", 1000, 100),
    ("resnet8", 1000, 100),
    ("resnet20-tuned", 1000, 50),
    ("resnet20", 1000, 50),
    ("resnet32", 1000, 50),
    ("resnet56", 1000, 50),
    ("efficientnet-lite0", 64, 8),
];

/// Networks whose bits are told apart: samples, and those that calibrate converters.
const IN_BITS: [(&str, usize, usize); 4] = [
    ("cnn-fashion", 1000, 256),
    ("ds-cnn", 300, 100),
    ("resnet20-tuned", 100, 50),
    ("efficientnet-lite0", 64, 8),
];

/// A network with its samples and those that calibrate its converters.
struct Subject {
    name: &'static str,
    graph: Graph,
    samples: Samples,
    calibration: Samples,
    digital: f64,
}

impl Subject {
    /// By its name in [`ON_ARRAYS`].
    fn find(name: &'static str, count: usize, calibrating: usize) -> Result<Self, Wrong> {
        let (graph, (samples, calibration)) = if let Some(own) = OWN.iter().find(|own| own.name == name) {
            let (graph, data) = own.train()?;
            (graph, parts(&data, count, calibrating))
        } else {
            let entry = LIBRARY.iter().find(|entry| entry.name == name).ok_or("no such network")?;
            let graph = entry.graph()?;
            let samples = entry.samples(&graph, count)?;
            (graph, (samples, entry.set.calibration(calibrating)?))
        };
        let digital = right(&graph, &graph.digital(), &samples)?[0] as f64 / samples.len() as f64;
        Ok(Self { name, graph, samples, calibration, digital })
    }
}

/// Those of a list that are asked for, all of them where none is named.
fn asked(
    list: &[(&'static str, usize, usize)],
    names: &[&str],
) -> impl Iterator<Item = Result<Subject, Wrong>> {
    list.iter()
        .copied()
        .filter(move |(name, ..)| names.is_empty() || names.contains(name))
        .map(|(name, count, calibrating)| Subject::find(name, count, calibrating))
}

/// Networks on arrays, step by step.
fn arrays(out: &Path, names: &[&str]) -> Result<(), Wrong> {
    let mut rows = kept(out, names)?;
    let steps = steps()?;
    for subject in asked(&ON_ARRAYS, names) {
        let subject = subject?;
        for Step { name, table, array, conditions } in &steps {
            evaluated(&subject, name, (array, table.as_ref()), conditions, &mut rows)?;
        }
        std::fs::write(out, table(&rows, &ARRAYS_COMMENTS).to_csv())?;
    }
    Ok(())
}

/// Which of the bits cost what: those of weights, inputs and sums alone, and all of them, for each scale of weights
/// and place of biases; all of them also with sums of more bits.
fn bits(out: &Path, names: &[&str]) -> Result<(), Wrong> {
    let mut rows = kept(out, names)?;
    for subject in asked(&IN_BITS, names) {
        let subject = subject?;
        for (name, scale, bias) in [
            ("none", WeightScale::Layer, BiasMapping::Digital),
            ("none, by column", WeightScale::Column, BiasMapping::Digital),
            ("none, biases in the array", WeightScale::Layer, BiasMapping::Array),
            ("none, by column, biases in the array", WeightScale::Column, BiasMapping::Array),
        ] {
            let mut array = ArrayConfig::default();
            (array.mapping.scale, array.mapping.bias) = (scale, bias);
            for effects in ["weight-levels", "input-converters", "output-converters", "quantisation"] {
                evaluated(&subject, name, (&array, None), &[fresh(effects)?], &mut rows)?;
            }
            array.output.bits = 9;
            let name = format!("{name}, sums of 9 bits");
            evaluated(&subject, &name, (&array, None), &[fresh("quantisation")?], &mut rows)?;
        }
        std::fs::write(out, table(&rows, &BITS_COMMENTS).to_csv())?;
    }
    Ok(())
}

/// Adds a row for each condition.
fn evaluated(
    subject: &Subject,
    device: &str,
    on: (&ArrayConfig, Option<&DeviceTable>),
    conditions: &[Condition],
    rows: &mut Vec<Row>,
) -> Result<(), Wrong> {
    let Subject { name, graph, samples, calibration, digital } = subject;
    let found = evaluate(graph, (samples, calibration), on, conditions, TRIALS)?;
    for (condition, found) in conditions.iter().zip(found) {
        let Condition { time_s, dose_krad_si, effects } = *condition;
        println!("{name:<20} {device:<12} {effects} {time_s} {dose_krad_si} {found:?} ({digital})");
        rows.push(Row {
            network: (*name).to_owned(),
            device: device.to_owned(),
            effects: effects.to_string(),
            numbers: [
                time_s,
                dose_krad_si,
                samples.len() as f64,
                found.trials as f64,
                *digital,
                found.top1,
                found.range[0],
                found.range[1],
                found.top5,
                found.outputs_saturated,
            ],
        });
    }
    Ok(())
}

/// One row of the table.
struct Row {
    network: String,
    device: String,
    effects: String,
    numbers: [f64; NUMBERS.len()],
}

/// Columns of numbers.
const NUMBERS: [&str; 10] = [
    "time_s",
    "dose_krad_si",
    "samples",
    "trials",
    "digital",
    "top1",
    "top1_least",
    "top1_most",
    "top5",
    "outputs_saturated",
];

/// Rows of networks that are not computed anew.
fn kept(file: &Path, names: &[&str]) -> Result<Vec<Row>, Wrong> {
    if names.is_empty() || !file.exists() {
        return Ok(Vec::new());
    }
    let table = Table::from_csv(&std::fs::read_to_string(file)?, &file.display().to_string())?;
    let texts = ["network", "device", "effects"].map(|name| table.texts(name));
    let [Ok(networks), Ok(devices), Ok(effects)] = texts else {
        return Err(format!("{}: not a table of networks on arrays", file.display()).into());
    };
    let numbers = NUMBERS.map(|name| table.floats(name));
    let mut rows = Vec::new();
    for row in (0..table.len()).filter(|&row| !names.contains(&networks[row].as_str())) {
        let mut own = [f64::NAN; NUMBERS.len()];
        for (own, column) in own.iter_mut().zip(&numbers) {
            *own = column.as_ref().map_err(|error| error.to_string())?[row];
        }
        rows.push(Row {
            network: networks[row].clone(),
            device: devices[row].clone(),
            effects: effects[row].clone(),
            numbers: own,
        });
    }
    Ok(rows)
}

const ARRAYS_COMMENTS: [&str; 3] = [
    "networks on simulated arrays of the default array.toml (8 bits, 1152 x 256)",
    "digital: the same samples without arrays; a sample is worth 1/samples of top1",
    "cargo run --release -p mho-tests --bin networks -- arrays docs/networks.csv",
];

const BITS_COMMENTS: [&str; 3] = [
    "which of the 8 bits of the default array.toml cost what, on ideal cells: weights, inputs, sums, and all",
    "by column: mapping.scale = \"column\"; biases in the array: mapping.bias = \"array\"; sums of 8 bits unless said",
    "cargo run --release -p mho-tests --bin networks -- bits docs/networks-bits.csv",
];

fn table(rows: &[Row], comments: &[&str]) -> Table {
    let words = |of: fn(&Row) -> &String| rows.iter().map(of).cloned().collect::<Vec<String>>();
    let mut table = Table::new()
        .with_text("network", words(|row| &row.network))
        .with_text("device", words(|row| &row.device))
        .with_text("effects", words(|row| &row.effects));
    for (column, name) in NUMBERS.into_iter().enumerate() {
        table = table.with_float(name, rows.iter().map(|row| row.numbers[column]).collect());
    }
    table.comments.extend(comments.iter().map(|&comment| comment.to_owned()));
    table
}

/// What must hold of any network, read off the rows of a table.
fn ordered(from: &Path, out: &Path) -> Result<(), Wrong> {
    let rows = Table::from_csv(&std::fs::read_to_string(from)?, &from.display().to_string())?;
    let found = orderings(&rows)?;
    let numbers = |of: fn(&Ordering) -> f64| found.iter().map(of).collect::<Vec<f64>>();
    let mut table = Table::new()
        .with_text("network", found.iter().map(|o| o.network.clone()).collect())
        .with_text("statement", found.iter().map(|o| o.statement.to_owned()).collect())
        .with_float("larger", numbers(|o| o.larger))
        .with_float("smaller", numbers(|o| o.smaller))
        .with_float("sampling", numbers(|o| o.sampling))
        .with_text("holds", found.iter().map(|o| o.holds().to_owned()).collect());
    table.comments.extend([
        "what must hold of any network on arrays (design notes F.4, 1 to 4), in points of accuracy".into(),
        "sampling: standard deviation of the difference of two shares; holds: not broken by more than two"
            .into(),
        "cargo run --release -p mho-tests --bin networks -- orderings docs/networks.csv OUT.csv".into(),
    ]);
    std::fs::write(out, table.to_csv())?;
    Ok(())
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
