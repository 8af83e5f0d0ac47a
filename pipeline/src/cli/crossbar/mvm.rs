//! `mho crossbar mvm`: products of a matrix as an array forms them.

use super::{ending, matrix, write};
use crate::cli::{Answer, CliError, Globals};
use clap::Args;
use mho_data::InputError;
use mho_data::npy::Array;
use mho_lut::AnyTable;
use mho_network::analog::{AnalogError, Arrays, Devices, LayerStatistics};
use mho_network::array::{ArrayConfig, BiasMapping};
use mho_network::effects::Effects;
use mho_network::evaluate::Condition;
use mho_network::graph::op::{Dense, Length, Op};
use mho_network::graph::tensor::Tensor;
use mho_network::graph::{Graph, Input, Node};
use std::path::{Path, PathBuf};

/// Analog products of a matrix with vectors
///
/// The weights are mapped onto arrays, programmed, and read through converters and wires as ARRAY says.
/// Ranges of converters that are to be calibrated are found from the vectors themselves. A matrix has no bias, so that
/// `mapping.bias` changes nothing. Matrices are
/// `.npy` files, or `.csv` files of numbers with one line a row.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  mho crossbar mvm --weights W.npy --input X.npy --array array.toml --out Y.npy\n  \
                  mho crossbar mvm --weights W.npy --input X.npy --table T.safetensors --time-s 86400 --trial 3 \
                  --out Y.npy\n\nEvery field of array.toml: mho evaluate --explain-array"
)]
pub(super) struct MvmArgs {
    /// Weights, outputs x inputs
    #[arg(long, value_name = "W.npy")]
    weights: PathBuf,
    /// Vectors x inputs
    #[arg(long, value_name = "X.npy")]
    input: PathBuf,
    /// The array (default: the one that `mho evaluate --explain-array` prints)
    #[arg(long, value_name = "ARRAY.toml")]
    array: Option<PathBuf>,
    /// Device table, over time and dose or of a history; without, cells carry their targets
    #[arg(long, value_name = "T.safetensors")]
    table: Option<PathBuf>,
    /// Time since programming (s)
    #[arg(long, value_name = "S", default_value_t = 0.0, requires = "table")]
    time_s: f64,
    /// Dose (krad(Si))
    #[arg(long, value_name = "KRAD", default_value_t = 0.0, requires = "table")]
    dose_krad_si: f64,
    /// Effects with `+` between, `float` or `all` (default: quantisation and, with a table, those of the array)
    #[arg(long)]
    effects: Option<Effects>,
    /// Number of the draw of all cells
    #[arg(long, value_name = "N", default_value_t = 0)]
    trial: u64,
    /// Products, vectors x outputs
    #[arg(long, value_name = "Y.npy")]
    out: PathBuf,
}

pub(super) fn run(args: &MvmArgs, globals: &Globals) -> Answer {
    if !matches!(ending(&args.out), "npy" | "csv") {
        return Err(CliError::Usage(format!("--out {}: the ending is .npy or .csv", args.out.display())));
    }
    for (flag, value) in [("--time-s", args.time_s), ("--dose-krad-si", args.dose_krad_si)] {
        if !(value.is_finite() && value >= 0.0) {
            return Err(CliError::Usage(format!("{flag}: found {value}, expected a number of 0 or more")));
        }
    }
    let (outputs, inputs, weights) = numbers(&args.weights, "weights, outputs x inputs")?;
    let (vectors, width, x) = numbers(&args.input, "input vectors, vectors x inputs")?;
    if width != inputs {
        let found = format!("{width} numbers in a line");
        let expected = format!("{inputs}, one for each input of {}", args.weights.display());
        return Err(InputError::new(args.input.display().to_string(), found, expected).into());
    }
    let array = match &args.array {
        Some(path) => {
            let text = String::from_utf8(read(path)?).map_err(|_| {
                InputError::new(path.display().to_string(), "bytes that are no UTF-8", "text in UTF-8")
            })?;
            ArrayConfig::from_toml(&text, &path.display().to_string())?
        }
        None => ArrayConfig::default(),
    };
    let table = match &args.table {
        Some(path) => {
            Some(AnyTable::from_bytes(&read(path)?, &path.display().to_string()).map_err(CliError::failed)?)
        }
        None => None,
    };
    let devices = match (&table, &args.table) {
        (Some(table), Some(path)) => Some(Devices::of(table).ok_or_else(|| {
            let file = path.display().to_string();
            InputError::new(file, "an ensemble or a table of updates", "a table of cells or of a history")
        })?),
        _ => None,
    };
    let effects = args.effects.unwrap_or(match devices {
        Some(_) => array.effects.with_quantisation(),
        None => Effects { wires: true, stuck: true, ..Effects::QUANTISATION },
    });
    let graph = graph(outputs, inputs, weights).map_err(CliError::failed)?;
    let x = Tensor::new(vec![vectors, inputs], x)
        .ok_or_else(|| CliError::Failed("more vectors than fit into memory".into()))?;
    let failed = |error: AnalogError| match error {
        AnalogError::Array(_) | AnalogError::NoTable(_) => CliError::Usage(error.to_string()),
        other => CliError::failed(other),
    };
    let arrays = Arrays::new(&graph, std::slice::from_ref(&x), &array, devices).map_err(failed)?;
    let condition = Condition::new(args.time_s, args.dose_krad_si, effects);
    let draws = arrays.draws(globals.seed.unwrap_or(0), args.trial);
    let programmed = arrays.program(&condition, &draws).map_err(failed)?;
    let products = graph.run(&programmed, &[x]).map_err(CliError::failed)?;
    let values = products.iter().flat_map(Tensor::values).map(|&y| f64::from(y)).collect();
    write(&args.out, &Array { shape: vec![vectors, outputs], values })?;
    let statistics = programmed.statistics().into_iter().next().unwrap_or_default();
    tell(&statistics, globals);
    if array.mapping.bias == BiasMapping::Array && !globals.quiet {
        eprintln!("mapping.bias = \"array\" changes nothing: a matrix has no bias");
    }
    let mapped = arrays.layers().into_iter().next();
    if globals.json {
        let document = serde_json::json!({
            "schema": 1, "outputs": outputs, "inputs": inputs, "vectors": vectors,
            "effects": effects.to_string(),
            "weight_max": mapped.as_ref().map(|layer| layer.weight_max),
            "input_max": mapped.as_ref().map(|layer| layer.input.max),
            "weights_clipped": statistics.weights_clipped,
            "input_conversions": statistics.input_conversions,
            "inputs_saturated": statistics.inputs_saturated,
            "output_conversions": statistics.output_conversions,
            "outputs_saturated": statistics.outputs_saturated,
            "lines_limited": statistics.lines_limited,
            "weight_rms_error": statistics.weight_rms_error,
            "mean_current_na": statistics.mean_current_na,
        });
        return Ok(format!("{document:#}\n"));
    }
    Ok(format!(
        "{vectors} products of {outputs} x {inputs} weights; weights off by {:.2e} of the largest (rms)\n",
        statistics.weight_rms_error
    ))
}

/// Says on standard error what was clipped or saturated.
fn tell(statistics: &LayerStatistics, globals: &Globals) {
    if globals.quiet {
        return;
    }
    let counts = [
        (statistics.weights_clipped as u64, statistics.weights as u64, "weights clipped"),
        (statistics.inputs_saturated, statistics.input_conversions, "inputs saturated"),
        (statistics.outputs_saturated, statistics.output_conversions, "outputs saturated"),
        (statistics.lines_limited, 0, "column lines limited"),
    ];
    for (count, of, what) in counts.into_iter().filter(|(count, ..)| *count > 0) {
        if of > 0 {
            eprintln!("{count} of {of} {what}");
        } else {
            eprintln!("{count} {what}");
        }
    }
}

/// The matrix as a graph of one layer.
fn graph(outputs: usize, inputs: usize, weights: Vec<f32>) -> Result<Graph, String> {
    let weights = Tensor::new(vec![outputs, inputs], weights).ok_or("more weights than fit into memory")?;
    let input = Input { name: "x".into(), shape: vec![Length::Batch(1), Length::Fixed(inputs)] };
    let node = Node::new("weights", Op::Dense(Dense { weights: weights.into(), bias: None }), &["x"], &["y"]);
    Graph::new("product", vec![input], vec![node], vec!["y".into()]).map_err(|error| error.to_string())
}

/// A matrix of numbers that single precision holds.
fn numbers(path: &Path, expected: &str) -> Result<(usize, usize, Vec<f32>), CliError> {
    let (rows, columns, values) = matrix(path, expected)?;
    let values: Vec<f32> = values.into_iter().map(|value| value as f32).collect();
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok((rows, columns, values)),
        Some(at) => {
            let found = format!("{} at row {}, column {}", values[at], at / columns, at % columns);
            Err(InputError::new(path.display().to_string(), found, "finite numbers of single precision")
                .into())
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    let file = path.display().to_string();
    Ok(std::fs::read(path)
        .map_err(|error| InputError::new(file, error.to_string(), "a file that can be read"))?)
}
