//! `mho crossbar solve`: exact currents of arrays with resistive wires.

use super::{ending, matrix, write};
use crate::cli::{Answer, CliError, Globals};
use crate::engine::Progress;
use crate::store::replace_file;
use clap::{Args, ValueEnum};
use mho_data::InputError;
use mho_data::npy::Array;
use mho_network::wires::{Cell, Crossbar, Ends, WireError, Wires};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// Exact currents of an array with wires
///
/// Rows are word lines and carry the inputs, columns are bit lines and collect the currents. Each row is
/// driven at its left end (the side of column 0) through one wire segment, each column is held at 0 V below
/// its last row through one wire segment; one segment lies between neighbouring cells, none beyond the far
/// ends. Arrays are `.npy` files, or `.csv` files of numbers with one line a row.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  mho crossbar solve --conductance G.npy --voltage V.npy --row-resistance-ohm 1 \
                  --column-resistance-ohm 1 --out I.npy"
)]
pub(super) struct SolveArgs {
    /// Conductances (S), rows x columns; 0 is an open cell
    #[arg(long, value_name = "G.npy")]
    conductance: PathBuf,
    /// Inputs (V), one line per input vector: vectors x rows
    #[arg(long, value_name = "V.npy")]
    voltage: PathBuf,
    /// Resistance of a row segment (ohm)
    #[arg(long, value_name = "OHM", default_value_t = 0.0)]
    row_resistance_ohm: f64,
    /// Resistance of a column segment (ohm)
    #[arg(long, value_name = "OHM", default_value_t = 0.0)]
    column_resistance_ohm: f64,
    /// Resistance added to the first segment of each row (ohm)
    #[arg(long, value_name = "OHM", default_value_t = 0.0)]
    terminal_row_ohm: f64,
    /// Resistance added to the last segment of each column (ohm)
    #[arg(long, value_name = "OHM", default_value_t = 0.0)]
    terminal_column_ohm: f64,
    /// Ends at which rows are driven
    #[arg(long, value_enum, default_value_t = Side::First)]
    drive: Side,
    /// Ends at which columns are sensed
    #[arg(long, value_enum, default_value_t = Side::Last)]
    sense: Side,
    /// Law of the cells: `linear`, or `sinh:A` for I = g sinh(A V)/A with A in 1/V
    #[arg(long, default_value = "linear", value_parser = cell)]
    cell: Cell,
    /// Currents (A), vectors x columns, positive into the virtual ground
    #[arg(long, value_name = "I.npy")]
    out: PathBuf,
    /// Node voltages (V): two arrays, NAME.row_v.npy and NAME.column_v.npy, each vectors x rows x columns
    #[arg(long, value_name = "NAME")]
    nodes: Option<PathBuf>,
}

/// Ends of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Side {
    /// Left for rows, top for columns
    First,
    /// Right for rows, bottom for columns
    Last,
    /// Both ends
    Both,
}

impl From<Side> for Ends {
    fn from(side: Side) -> Self {
        match side {
            Side::First => Self::First,
            Side::Last => Self::Last,
            Side::Both => Self::Both,
        }
    }
}

fn cell(text: &str) -> Result<Cell, String> {
    match text.split_once(':') {
        None if text == "linear" => Ok(Cell::Linear),
        Some(("sinh", a)) => match a.parse::<f64>() {
            Ok(a) if a.is_finite() && a > 0.0 => Ok(Cell::Sinh(a)),
            _ => Err(format!("found `{a}`, expected a number above 0 in 1/V")),
        },
        _ => Err(format!("found `{text}`, expected linear or sinh:A")),
    }
}

pub(super) fn run(args: &SolveArgs, globals: &Globals) -> Answer {
    if !matches!(ending(&args.out), "npy" | "csv") {
        return Err(CliError::Usage(format!("--out {}: the ending is .npy or .csv", args.out.display())));
    }
    let (rows, columns, conductance) = matrix(&args.conductance, "conductances, rows x columns")?;
    let (vectors, width, voltage) = matrix(&args.voltage, "input voltages, vectors x rows")?;
    let name = |path: &Path| path.display().to_string();
    if width != rows {
        let found = format!("{width} voltages in a line");
        let expected = format!("{rows}, one for each row of {}", name(&args.conductance));
        return Err(InputError::new(name(&args.voltage), found, expected).into());
    }
    let wires = Wires {
        row_ohm: args.row_resistance_ohm,
        column_ohm: args.column_resistance_ohm,
        row_terminal_ohm: args.terminal_row_ohm,
        column_terminal_ohm: args.terminal_column_ohm,
        drive: args.drive.into(),
        sense: args.sense.into(),
        ..Wires::default()
    };
    let told = |error: WireError| match &error {
        WireError::Value { what, .. } if what.starts_with("resistance") => CliError::Usage(error.to_string()),
        WireError::Value { what, index, value, expected } => {
            let found = format!("{what} = {value} at row {}, column {}", index / columns, index % columns);
            InputError::new(name(&args.conductance), found, *expected).into()
        }
        WireError::Shape { .. } | WireError::NonLinear => CliError::failed(error),
    };
    let crossbar = Crossbar::new(rows, columns, conductance, &wires, args.cell).map_err(told)?;
    let progress = Progress::of_one("crossbar", globals.quiet);
    let done = std::sync::atomic::AtomicUsize::new(0);
    let solved: Vec<_> = voltage
        .par_chunks(rows)
        .map(|input| {
            let solution = crossbar.solve(input);
            let count = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
            progress.reach("crossbar", count as f64 / vectors as f64);
            solution
        })
        .collect::<Result<_, _>>()
        .map_err(|error| InputError::new(name(&args.voltage), error.to_string(), "finite voltages"))?;
    progress.finish();
    if let Some(index) = solved.iter().position(|solution| !solution.converged) {
        let residual = solved[index].residual_a;
        return Err(CliError::Failed(format!(
            "input {index} did not converge: Kirchhoff's law is off by {residual:e} A"
        )));
    }
    let gather = |part: &dyn Fn(usize) -> Vec<f64>| (0..vectors).flat_map(part).collect::<Vec<f64>>();
    let currents = gather(&|k| solved[k].column_current_a.clone());
    write(&args.out, &Array { shape: vec![vectors, columns], values: currents })?;
    if let Some(nodes) = &args.nodes {
        for (part, values) in [
            ("row_v", gather(&|k| solved[k].row_v.clone())),
            ("column_v", gather(&|k| solved[k].column_v.clone())),
        ] {
            let path = PathBuf::from(format!("{}.{part}.npy", nodes.display()));
            replace_file(&path, &Array { shape: vec![vectors, rows, columns], values }.to_npy())?;
        }
    }
    let residual = solved.iter().map(|solution| solution.residual_a).fold(0.0, f64::max);
    if globals.json {
        let document = serde_json::json!({
            "schema": 1, "rows": rows, "columns": columns, "vectors": vectors, "largest_residual_a": residual,
        });
        return Ok(format!("{document:#}\n"));
    }
    Ok(format!(
        "{vectors} inputs of {rows} x {columns} cells; Kirchhoff's law holds within {residual:.1e} A\n"
    ))
}
