//! `mho crossbar solve`: exact currents of arrays with resistive wires.

use super::{check_ending, ending, matrix, write};
use crate::cli::{Answer, CliError, Globals};
use crate::engine::Progress;
use crate::store::replace_file;
use clap::{Args, ValueEnum};
use mho_data::InputError;
use mho_data::npy::{Archive, Array};
use mho_network::wires::{Cell, Crossbar, Ends, PairLayout, Pairs, Solution, Topology, WireError, Wires};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// The circuit, as the help shows it.
const CIRCUIT: &str = "\
The circuit, with r and c the resistances of row and column segments, R and C those of the terminals:

            column 0      column 1      column 2
 V_0 --R-r-----+------r------+------r------+        each `+` of a row is joined to the `+` of
               |             |             |        the column below it by one cell G
 V_1 --R-r-----+------r------+------r------+
               |c            |c            |c       columns (down) cross rows without touching
 V_2 --R-r-----+------r------+------r------+
               |c            |c            |c
               C             C             C
               |             |             |
              I_0           I_1           I_2       into virtual grounds at 0 V

  --drive one-end    as drawn: rows are driven at the left end (column 0)
  --drive both-ends  rows are driven at the right end too, through r and R again
  --sense far        as drawn: columns are clamped below their last row
  --sense near       columns are clamped above row 0, on the side of the first input
  --sense both-ends  columns are clamped at both ends; the current is the sum

With --topology gated, inputs only switch cells: 0 V opens the cells of a row, any other voltage closes them and
is the supply, one for all. A line beside each column, with the resistances of rows, supplies its cells from the
side of row 0; with gated-rows, a line along each row does.

With --negative, outputs are the differences of pairs of cells. --pairs separate: two arrays; interleaved: both
cells of a pair on one column, the negative ones on rows of their own with the opposite inputs; alternating: + and
- columns take turns along common rows.

Examples:
  mho crossbar solve --conductance G.npy --voltage V.npy --row-resistance-ohm 1 --column-resistance-ohm 1 --out I.npy
  mho crossbar solve --conductance A.npz:G --voltage A.npz:V --column-resistance-ohm 2 --drive both-ends \\
    --sense near --out I.npy --nodes nodes.npz";

/// Exact currents of an array with wires
///
/// Rows are word lines and carry the inputs, columns are bit lines and collect the currents. Each row is
/// driven at its left end (the side of column 0) through one wire segment, each column is held at 0 V below
/// its last row through one wire segment; one segment lies between neighbouring cells, none beyond the far
/// ends. Arrays are `.npy` files, arrays of `.npz` files (FILE.npz:NAME, or FILE.npz with one array), or
/// `.csv` files of numbers with one line a row.
#[derive(Debug, Args)]
#[command(after_long_help = CIRCUIT, after_help = "The circuit and examples: mho crossbar solve --help")]
pub(super) struct SolveArgs {
    /// Conductances (S), rows x columns; 0 is an open cell
    #[arg(long, value_name = "G.npy")]
    conductance: PathBuf,
    /// Conductances of negative cells (S), rows x columns: outputs become differences
    #[arg(long, value_name = "G.npy", conflicts_with = "nodes")]
    negative: Option<PathBuf>,
    /// Where the two cells of a pair sit
    #[arg(long, value_enum, default_value_t = Layout::Separate, requires = "negative")]
    pairs: Layout,
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
    #[arg(long, value_enum, default_value_t = Drive::OneEnd)]
    drive: Drive,
    /// Ends at which columns are clamped to 0 V and sensed
    #[arg(long, value_enum, default_value_t = Sense::Far)]
    sense: Sense,
    /// What supplies the cells
    #[arg(long, value_enum, default_value_t = Supply::InputSource)]
    topology: Supply,
    /// Law of the cells: `linear`, or `sinh:A` for I = g sinh(A V)/A with A in 1/V
    #[arg(long, default_value = "linear", value_parser = cell)]
    cell: Cell,
    /// Currents (A), vectors x columns, positive into the virtual ground
    #[arg(long, value_name = "I.npy")]
    out: PathBuf,
    /// Node voltages (V): arrays `row_v` and `column_v`, each vectors x rows x columns
    #[arg(long, value_name = "FILE.npz")]
    nodes: Option<PathBuf>,
}

/// Ends of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Drive {
    /// The left end, at column 0
    #[value(alias = "first")]
    OneEnd,
    /// Both ends
    #[value(alias = "both")]
    BothEnds,
    /// The right end, at the last column
    #[value(alias = "last")]
    OtherEnd,
}

/// Ends of the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sense {
    /// Below the last row
    #[value(alias = "last")]
    Far,
    /// Above row 0
    #[value(alias = "first")]
    Near,
    /// Both ends
    #[value(alias = "both")]
    BothEnds,
}

/// What supplies the cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Supply {
    /// Rows carry the inputs as voltages
    InputSource,
    /// Inputs switch cells, a line beside each column supplies them
    #[value(alias = "gated-columns")]
    Gated,
    /// Inputs switch cells, a line along each row supplies them
    GatedRows,
}

/// Where the two cells of a pair sit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Layout {
    /// In two arrays
    Separate,
    /// On one column, with rows of their own
    Interleaved,
    /// On two columns, with a common row
    Alternating,
}

impl SolveArgs {
    fn wires(&self) -> Wires {
        Wires {
            row_ohm: self.row_resistance_ohm,
            column_ohm: self.column_resistance_ohm,
            row_terminal_ohm: self.terminal_row_ohm,
            column_terminal_ohm: self.terminal_column_ohm,
            drive: match self.drive {
                Drive::OneEnd => Ends::First,
                Drive::BothEnds => Ends::Both,
                Drive::OtherEnd => Ends::Last,
            },
            sense: match self.sense {
                Sense::Far => Ends::Last,
                Sense::Near => Ends::First,
                Sense::BothEnds => Ends::Both,
            },
            topology: match self.topology {
                Supply::InputSource => Topology::InputSource,
                Supply::Gated => Topology::GatedColumns,
                Supply::GatedRows => Topology::GatedRows,
            },
        }
    }

    fn layout(&self) -> PairLayout {
        match self.pairs {
            Layout::Separate => PairLayout::Separate,
            Layout::Interleaved => PairLayout::Interleaved,
            Layout::Alternating => PairLayout::Alternating,
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

fn name(path: &Path) -> String {
    path.display().to_string()
}

/// Refuses files whose ending no format has, before anything is computed.
fn check_endings(args: &SolveArgs) -> Result<(), CliError> {
    check_ending("--out", &args.out)?;
    match &args.nodes {
        Some(nodes) if ending(nodes) != "npz" => {
            Err(CliError::Usage(format!("--nodes {}: the ending is .npz", nodes.display())))
        }
        _ => Ok(()),
    }
}

pub(super) fn run(args: &SolveArgs, globals: &Globals) -> Answer {
    check_endings(args)?;
    let (rows, columns, conductance) = matrix(&args.conductance, "conductances, rows x columns")?;
    let (vectors, width, voltage) = matrix(&args.voltage, "input voltages, vectors x rows")?;
    if width != rows {
        let found = format!("{width} voltages in a line");
        let expected = format!("{rows}, one for each row of {}", name(&args.conductance));
        return Err(InputError::new(name(&args.voltage), found, expected).into());
    }
    if let Some(at) = voltage.iter().position(|v| !v.is_finite()) {
        let found = format!("{} V in vector {}, at row {}", voltage[at], at / rows, at % rows);
        return Err(InputError::new(name(&args.voltage), found, "finite voltages").into());
    }
    // Of errors of values: those of the array name its file, those of inputs theirs.
    let told = |error: WireError| match &error {
        WireError::Value { what, .. } if what.starts_with("resistance") => CliError::Usage(error.to_string()),
        WireError::Value { what, index, value, expected } => {
            let found = format!("{what} = {value} at row {}, column {}", index / columns, index % columns);
            InputError::new(name(&args.conductance), found, *expected).into()
        }
        WireError::Shape { .. } | WireError::NonLinear => CliError::failed(error),
    };
    let input = |error: WireError| match error {
        WireError::Value { what, index, value, expected } => {
            InputError::new(name(&args.voltage), format!("{what} = {value} at row {index}"), expected)
        }
        other => InputError::new(name(&args.voltage), other.to_string(), "finite voltages"),
    };
    let residual = if let Some(path) = &args.negative {
        let (negative_rows, negative_columns, negative) = matrix(path, "conductances, rows x columns")?;
        if (negative_rows, negative_columns) != (rows, columns) {
            let found = format!("{negative_rows} x {negative_columns} conductances");
            return Err(
                InputError::new(name(path), found, format!("{rows} x {columns} as the others")).into()
            );
        }
        let (layout, wires) = (args.layout(), args.wires());
        let pairs =
            Pairs::new(rows, columns, conductance, negative, layout, &wires, args.cell).map_err(told)?;
        let currents = pairs.solve_many(&voltage).map_err(input)?;
        if currents.unconverged > 0 {
            return Err(CliError::Failed(format!("{} inputs did not converge", currents.unconverged)));
        }
        write(&args.out, "I", &Array { shape: vec![vectors, columns], values: currents.current_a })?;
        currents.error_a
    } else {
        let crossbar = Crossbar::new(rows, columns, conductance, &args.wires(), args.cell).map_err(told)?;
        let solved = solutions(&crossbar, &voltage, globals).map_err(input)?;
        if let Some(index) = solved.iter().position(|solution| !solution.converged) {
            let residual = solved[index].residual_a;
            return Err(CliError::Failed(format!(
                "input {index} did not converge: Kirchhoff's law is off by {residual:e} A"
            )));
        }
        let gather = |part: fn(&Solution) -> &Vec<f64>| solved.iter().flat_map(part).copied().collect();
        let currents = gather(|solution| &solution.column_current_a);
        write(&args.out, "I", &Array { shape: vec![vectors, columns], values: currents })?;
        if let Some(path) = &args.nodes {
            let array = |values| Array { shape: vec![vectors, rows, columns], values };
            let members = vec![
                ("row_v".to_owned(), array(gather(|solution| &solution.row_v))),
                ("column_v".to_owned(), array(gather(|solution| &solution.column_v))),
            ];
            let bytes = Archive { members }.to_npz().map_err(CliError::Failed)?;
            replace_file(path, &bytes)?;
        }
        solved.iter().map(|solution| solution.residual_a).fold(0.0, f64::max)
    };
    if globals.json {
        let document = serde_json::json!({
            "schema": 1, "rows": rows, "columns": columns, "vectors": vectors, "largest_residual_a": residual,
        });
        return Ok(format!("{document:#}\n"));
    }
    let what =
        if args.negative.is_some() { "pairs; currents are exact" } else { "cells; Kirchhoff's law holds" };
    Ok(format!("{vectors} inputs of {rows} x {columns} {what} within {residual:.1e} A\n"))
}

/// Solutions for all inputs, in parallel.
fn solutions(crossbar: &Crossbar, voltage: &[f64], globals: &Globals) -> Result<Vec<Solution>, WireError> {
    let rows = crossbar.shape().0;
    let vectors = voltage.len() / rows;
    let progress = Progress::of_one("crossbar", globals.quiet);
    let done = std::sync::atomic::AtomicUsize::new(0);
    let solved = voltage
        .par_chunks(rows)
        .map(|input| {
            let solution = crossbar.solve(input);
            let count = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
            progress.reach("crossbar", count as f64 / vectors as f64);
            solution
        })
        .collect();
    progress.finish();
    solved
}
