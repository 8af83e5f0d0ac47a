//! `mho crossbar mvm`: products of a matrix as an array forms them.

use super::complex::Numbers;
use super::{array, check_ending, ending, write};
use crate::cli::{Answer, CliError, Globals};
use crate::store::replace_file;
use clap::Args;
use mho_data::InputError;
use mho_data::npy::{Archive, Array};
use mho_lut::AnyTable;
use mho_network::analog::{
    AnalogError, Cells, Devices, Direction, LayerStatistics, MatrixArrays, ProgrammedMatrix, WeightMatrix,
};
use mho_network::array::{ArrayConfig, BiasMapping};
use mho_network::core::{CoreError, Sign};
use mho_network::effects::Effects;
use mho_network::evaluate::Condition;
use std::path::{Path, PathBuf};

/// Analog products of a matrix with vectors
///
/// The weights are mapped onto arrays, programmed, and read through converters and wires as ARRAY says, all in
/// double precision. Ranges of converters that are to be calibrated are found from the vectors themselves. A
/// matrix has no bias, so that `mapping.bias` changes nothing.
/// Matrices are `.npy` files, arrays of `.npz` files (FILE.npz:NAME, or FILE.npz with one array), or `.csv`
/// files of numbers with one line a row. In `.npy` files weights and vectors may be complex: a complex matrix
/// takes four arrays of real cells, the blocks [Re -Im; Im Re], and products are complex. Vectors may have
/// more axes than one in front of the last, which products then have too.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  mho crossbar mvm --weights W.npy --input X.npy --array array.toml --out Y.npy\n  \
                  mho crossbar mvm --weights W.npy --input X.npy --table T.safetensors --time-s 86400 --trial 3 \
                  --out Y.npy\n  \
                  mho crossbar mvm --weights W.npy --input X.npy --transpose --out Y.npy --read-back R.npy\n\n\
                  Every field of array.toml: mho evaluate --explain-array"
)]
pub(super) struct MvmArgs {
    /// Weights, outputs x inputs
    #[arg(long, value_name = "W.npy")]
    weights: PathBuf,
    /// Vectors x inputs (with --transpose: vectors x outputs)
    #[arg(long, value_name = "X.npy")]
    input: PathBuf,
    /// Products with the transposed matrix: the same cells driven from their columns and read at their rows
    #[arg(long)]
    transpose: bool,
    /// Weights to write over the first ones: cells whose weight differs are programmed anew, all others stay
    #[arg(long, value_name = "W.npy")]
    rewrite: Option<PathBuf>,
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
    /// Products, vectors x outputs (with --transpose: vectors x inputs)
    #[arg(long, value_name = "Y.npy")]
    out: PathBuf,
    /// Weights that the programmed cells hold, outputs x inputs, before wires take their part
    #[arg(long, value_name = "R.npy")]
    read_back: Option<PathBuf>,
    /// Conductances of all cells (S): arrays `tileT_sliceS_positive` and `_negative`, each rows x columns, as
    /// `mho crossbar solve` reads them
    #[arg(long, value_name = "FILE.npz")]
    cells: Option<PathBuf>,
}

/// What the command reads.
struct Read {
    weights: Numbers,
    rewritten: Option<Numbers>,
    /// Vectors as lines; the axes in front of the last of their file.
    vectors: Numbers,
    axes: Vec<usize>,
    array: ArrayConfig,
    table: Option<AnyTable>,
}

pub(super) fn run(args: &MvmArgs, globals: &Globals) -> Answer {
    check(args)?;
    let read = read(args)?;
    let complex = read.weights.imaginary.is_some() || read.vectors.imaginary.is_some();
    for (flag, path) in [("--out", Some(&args.out)), ("--read-back", args.read_back.as_ref())] {
        if let Some(path) = path.filter(|path| complex && ending(path) != "npy") {
            let words = "the ending is .npy, which holds complex numbers";
            return Err(CliError::Usage(format!("{flag} {}: {words}", path.display())));
        }
    }
    let devices = match (&read.table, &args.table) {
        (Some(table), Some(path)) => Some(Devices::of(table).ok_or_else(|| {
            let file = path.display().to_string();
            InputError::new(file, "an ensemble or a table of updates", "a table of cells or of a history")
        })?),
        _ => None,
    };
    let effects = args.effects.unwrap_or(match devices {
        Some(_) => read.array.effects.with_quantisation(),
        None => Effects { wires: true, stuck: true, ..Effects::QUANTISATION },
    });
    let told = |error: AnalogError| -> CliError {
        let file =
            |path: Option<&PathBuf>| path.map_or("array.toml".into(), |path| path.display().to_string());
        match error {
            AnalogError::NoTable(_) => CliError::Usage(error.to_string()),
            AnalogError::Array(_)
            | AnalogError::CurrentRange { .. }
            | AnalogError::Temperature(_)
            | AnalogError::NoLayer { .. }
            | AnalogError::GatedTranspose => {
                let expected = "an array that fits the command and its table";
                InputError::new(file(args.array.as_ref()), error.to_string(), expected).into()
            }
            AnalogError::Core { error: CoreError::Spec { key, found, expected }, .. } => {
                InputError::new(file(args.array.as_ref()), format!("{key} = {found}"), expected).into()
            }
            AnalogError::Core { error: CoreError::NotFinite { what, .. }, .. } => {
                let found = format!("a {what} beyond double precision");
                InputError::new(file(Some(&args.weights)), found, "numbers with finite products").into()
            }
            other => CliError::failed(other),
        }
    };
    let direction = if args.transpose { Direction::Transposed } else { Direction::Forward };
    // A complex matrix that is transposed as blocks is conjugate too.
    let sign = if args.transpose { -1.0 } else { 1.0 };
    let in_blocks = read.weights.imaginary.is_some()
        || read.rewritten.as_ref().is_some_and(|weights| weights.imaginary.is_some());
    let blocks = read.weights.blocks(in_blocks);
    // Of complex vectors before a real matrix both parts pass, one after the other.
    let vectors = match &read.vectors.imaginary {
        _ if in_blocks => read.vectors.halves(sign),
        Some(imaginary) => [&read.vectors.real[..], imaginary].concat(),
        None => read.vectors.real.clone(),
    };
    let matrix = WeightMatrix { values: &blocks.real, outputs: blocks.rows, inputs: blocks.columns };
    let mut arrays = MatrixArrays::new(matrix, &vectors, direction, &read.array, devices).map_err(told)?;
    if let Some(weights) = &read.rewritten {
        arrays.rewrite(&weights.blocks(in_blocks).real).map_err(told)?;
    }
    let condition = Condition::new(args.time_s, args.dose_krad_si, effects);
    let draws = arrays.draws(globals.seed.unwrap_or(0), args.trial);
    let programmed = arrays.program(&condition, &draws).map_err(told)?;
    let (y, statistics) = programmed.multiply(&vectors).map_err(told)?;
    let (outputs, inputs) = (read.weights.rows, read.weights.columns);
    let (count, results) = (read.vectors.rows, if args.transpose { inputs } else { outputs });
    let y = if in_blocks {
        Numbers::of_halves(count, results, &y, sign)
    } else if read.vectors.imaginary.is_some() {
        let (real, imaginary) = y.split_at(y.len() / 2);
        let imaginary = Some(imaginary.to_vec());
        Numbers { rows: count, columns: results, real: real.to_vec(), imaginary }
    } else {
        Numbers { rows: count, columns: results, real: y, imaginary: None }
    };
    write_numbers(&args.out, "Y", y, &read.axes)?;
    if let Some(path) = &args.read_back {
        write_numbers(path, "W", read_back(&programmed, &blocks, in_blocks), &[outputs])?;
    }
    if let Some(path) = &args.cells {
        write_cells(path, &arrays.cells(&condition, &draws).map_err(told)?)?;
    }
    tell(&statistics, globals);
    if read.array.mapping.bias == BiasMapping::Array && !globals.quiet {
        eprintln!("mapping.bias = \"array\" changes nothing: a matrix has no bias");
    }
    if globals.json {
        let document = serde_json::json!({
            "schema": 1, "outputs": outputs, "inputs": inputs, "vectors": count, "complex": complex,
            "effects": effects.to_string(),
            "weight_max": arrays.weight_max(),
            "input_max": arrays.input_max(),
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
    let with = if args.transpose { "the transpose of " } else { "" };
    Ok(format!(
        "{count} products with {with}{outputs} x {inputs} weights; weights off by {:.2e} of the largest (rms)\n",
        statistics.weight_rms_error
    ))
}

/// Refuses what no file says, before anything is read.
fn check(args: &MvmArgs) -> Result<(), CliError> {
    check_ending("--out", &args.out)?;
    args.read_back.as_ref().map_or(Ok(()), |path| check_ending("--read-back", path))?;
    if let Some(path) = args.cells.as_ref().filter(|path| ending(path) != "npz") {
        return Err(CliError::Usage(format!("--cells {}: the ending is .npz", path.display())));
    }
    for (flag, value) in [("--time-s", args.time_s), ("--dose-krad-si", args.dose_krad_si)] {
        if !(value.is_finite() && value >= 0.0) {
            return Err(CliError::Usage(format!("{flag}: found {value}, expected a number of 0 or more")));
        }
    }
    Ok(())
}

fn read(args: &MvmArgs) -> Result<Read, CliError> {
    let (weights, _) = numbers(&args.weights, "weights, outputs x inputs", 2)?;
    let rewritten = match &args.rewrite {
        Some(path) => {
            let (rewritten, _) = numbers(path, "weights, outputs x inputs", 2)?;
            if (rewritten.rows, rewritten.columns) != (weights.rows, weights.columns) {
                let found = format!("{} x {} weights", rewritten.rows, rewritten.columns);
                let expected = format!("{} x {} as the first", weights.rows, weights.columns);
                return Err(InputError::new(path.display().to_string(), found, expected).into());
            }
            if rewritten.imaginary.is_some() && weights.imaginary.is_none() {
                let file = path.display().to_string();
                return Err(InputError::new(file, "complex weights", "real ones as the first").into());
            }
            Some(rewritten)
        }
        None => None,
    };
    let (vectors, axes) = numbers(&args.input, "input vectors, vectors x inputs", usize::MAX)?;
    let (length, side) = if args.transpose { (weights.rows, "output") } else { (weights.columns, "input") };
    if vectors.columns != length {
        let found = format!("{} numbers in a line", vectors.columns);
        let expected = format!("{length}, one for each {side} of {}", args.weights.display());
        return Err(InputError::new(args.input.display().to_string(), found, expected).into());
    }
    let array = match &args.array {
        Some(path) => {
            let text = String::from_utf8(bytes(path)?).map_err(|_| {
                InputError::new(path.display().to_string(), "bytes that are no UTF-8", "text in UTF-8")
            })?;
            ArrayConfig::from_toml(&text, &path.display().to_string())?
        }
        None => ArrayConfig::default(),
    };
    let table = match &args.table {
        Some(path) => Some(AnyTable::from_bytes(&bytes(path)?, &path.display().to_string())?),
        None => None,
    };
    Ok(Read { weights, rewritten, vectors, axes, array, table })
}

/// The weights that the cells hold.
fn read_back(programmed: &ProgrammedMatrix, matrix: &Numbers, in_blocks: bool) -> Numbers {
    let (rows, columns, real) = (matrix.rows, matrix.columns, programmed.read_back());
    if in_blocks {
        Numbers::of_blocks(rows, columns, real)
    } else {
        Numbers { rows, columns, real: real.to_vec(), imaginary: None }
    }
}

/// Writes numbers whose axes in front of the last are these.
fn write_numbers(path: &Path, name: &str, numbers: Numbers, axes: &[usize]) -> Result<(), CliError> {
    let shape = [axes, &[numbers.columns]].concat();
    let real = Array { shape, values: numbers.real };
    match numbers.imaginary {
        Some(imaginary) => Ok(replace_file(path, &real.to_complex_npy(&imaginary))?),
        None => write(path, name, &real),
    }
}

/// Writes the conductances of all arrays.
fn write_cells(path: &Path, cells: &[Cells]) -> Result<(), CliError> {
    let mut tiles: Vec<(usize, usize)> = Vec::new();
    let mut members = Vec::new();
    for array in cells {
        let tile = (array.inputs.start, array.outputs.start);
        if tiles.last() != Some(&tile) {
            tiles.push(tile);
        }
        let sign = if array.sign == Sign::Negative { "negative" } else { "positive" };
        let copy = if array.copy > 0 { format!("_copy{}", array.copy) } else { String::new() };
        let name = format!("tile{}_slice{}_{sign}{copy}", tiles.len() - 1, array.slice);
        let rows = array.inputs.len();
        let shape = vec![rows, array.conductance_s.len() / rows.max(1)];
        members.push((name, Array { shape, values: array.conductance_s.clone() }));
    }
    Ok(replace_file(path, &Archive { members }.to_npz().map_err(CliError::Failed)?)?)
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

/// Finite numbers of at most so many axes as lines, and the axes in front of the last; a single line has one.
fn numbers(path: &Path, expected: &str, axes: usize) -> Result<(Numbers, Vec<usize>), CliError> {
    let file = path.display().to_string();
    let (real, imaginary) = array(path, expected)?;
    let Some((&columns, front)) = real.shape.split_last().filter(|_| real.shape.len() <= axes) else {
        return Err(InputError::new(file, format!("an array of shape {:?}", real.shape), expected).into());
    };
    if real.values.is_empty() {
        return Err(InputError::new(file, format!("an array of shape {:?}", real.shape), expected).into());
    }
    for part in [Some(&real), imaginary.as_ref()].into_iter().flatten() {
        if let Some(at) = part.values.iter().position(|value| !value.is_finite()) {
            let found = format!("{} at row {}, column {}", part.values[at], at / columns, at % columns);
            return Err(InputError::new(file, found, "finite numbers").into());
        }
    }
    let axes = if front.is_empty() { vec![1] } else { front.to_vec() };
    let rows = real.values.len() / columns;
    let imaginary = imaginary.map(|imaginary| imaginary.values);
    Ok((Numbers { rows, columns, real: real.values, imaginary }, axes))
}

fn bytes(path: &Path) -> Result<Vec<u8>, CliError> {
    let file = path.display().to_string();
    Ok(std::fs::read(path)
        .map_err(|error| InputError::new(file, error.to_string(), "a file that can be read"))?)
}
