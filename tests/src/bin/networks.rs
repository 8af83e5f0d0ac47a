//! Networks of others on real data: converted, and their accuracy.
//!
//! ```text
//! cargo run --release -p mho-tests --bin networks -- digital docs/networks-digital.csv
//! cargo run --release -p mho-tests --bin networks -- convert FOLDER
//! ```
//!
//! `digital [OUT.csv [SAMPLES]]` evaluates every network of the library on all samples of its data (or the
//! first SAMPLES). `convert FOLDER` writes the networks as safetensors and the JPEG-coded CIFAR-10 in its
//! binary form, so that `MHO_DATA=FOLDER` gives both to `mho`.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::Path;

use mho_data::Table;
use mho_data::dataset::Images;
use mho_tests::convert::library::{LIBRARY, shared};
use mho_tests::convert::sets::{cifar_jpeg, in_turn, right};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["digital"] => digital(None, usize::MAX),
        ["digital", out] => digital(Some(Path::new(out)), usize::MAX),
        ["digital", out, samples] => digital(Some(Path::new(out)), samples.parse()?),
        ["convert", folder] => convert(Path::new(folder)),
        _ => Err("digital [OUT.csv [SAMPLES]], or convert FOLDER".into()),
    }
}

/// Accuracy of every network without arrays.
fn digital(out: Option<&Path>, most: usize) -> Result<(), Box<dyn Error>> {
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
    if let Some(out) = out {
        std::fs::write(out, table.to_csv())?;
    }
    Ok(())
}

/// Networks and CIFAR-10 in forms that `mho` reads.
fn convert(folder: &Path) -> Result<(), Box<dyn Error>> {
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
