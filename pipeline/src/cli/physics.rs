//! `mho physics`: one device solver on its own, from a TOML input to a table.

use super::alone::write_table;
use super::{Answer, CliError, Globals};
use crate::engine::Progress;
use crate::stage::nearest;
use mho_data::InputError;
use mho_data::table::{Table, number};
use mho_physics::materials::Materials;
use mho_physics::solver::{self, Datum, Request, Solution, Solver, SolverError, Stopped};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Solve a device from first principles
///
/// SOLVER is one of `mho physics --list`; `mho physics SOLVER --example` prints an input that runs, with
/// comments. The table has one row per point, units in the column names; derived quantities (flat band,
/// threshold) stand in its comments and under --json. When a point has no solution the points before it are
/// written, the message says which point it was and how the residual went, and the exit code is 1.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  mho physics --list\n  mho physics moscap --example > moscap.toml\n  \
                  mho physics moscap moscap.toml --out cv.csv\n  \
                  mho physics drift-diffusion diode.toml --out iv.csv --profiles profiles.csv\n  \
                  mho --json physics moscap moscap.toml --frequency-hz 1e6")]
pub(super) struct PhysicsArgs {
    /// Name of the solver
    #[arg(required_unless_present_any = ["list", "materials"])]
    solver: Option<String>,
    /// The input
    #[arg(value_name = "INPUT.toml")]
    input: Option<PathBuf>,
    /// Where the table goes, CSV or Parquet by its ending (default: CSV on standard output)
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Where profiles along the device go, CSV or Parquet by its ending
    #[arg(long, value_name = "FILE")]
    profiles: Option<PathBuf>,
    /// Small-signal answer at this frequency instead of the quasi-static one
    #[arg(long, value_name = "HZ")]
    frequency_hz: Option<f64>,
    /// Materials to lay over the built-in ones; later ones win
    #[arg(long, value_name = "FILE.toml")]
    material: Vec<PathBuf>,
    /// List the solvers
    #[arg(long)]
    list: bool,
    /// List the material values, with unit, kind and source
    #[arg(long)]
    materials: bool,
    /// Print an example input of the solver
    #[arg(long)]
    example: bool,
}

pub(super) fn run(args: &PhysicsArgs, globals: &Globals) -> Answer {
    if args.list {
        return Ok(list(globals.json));
    }
    let materials = layered(&args.material)?;
    let name = match &args.solver {
        Some(name) if !args.materials => name,
        _ => return Ok(materials.to_string()),
    };
    let solver = solver::find(name).ok_or_else(|| {
        let known = solver::registry().map(|solver| solver.name);
        CliError::Usage(format!("no solver `{name}`: {}", nearest(name, known)))
    })?;
    if args.example {
        return Ok(solver.example.to_owned());
    }
    let Some(input) = &args.input else {
        return Err(CliError::Usage(format!(
            "`mho physics {name}` takes an INPUT.toml; `mho physics {name} --example` prints one"
        )));
    };
    if let Some(frequency) = args.frequency_hz.filter(|hz| !(hz.is_finite() && *hz > 0.0)) {
        return Err(CliError::Usage(format!("--frequency-hz {frequency}: expected a number above 0")));
    }
    for path in args.out.iter().chain(&args.profiles) {
        if !matches!(path.extension().and_then(|ending| ending.to_str()), Some("csv" | "parquet")) {
            return Err(CliError::Usage(format!("{}: the ending is .csv or .parquet", path.display())));
        }
    }
    let file = input.display().to_string();
    let text = read(input, "an input of the solver")?;
    let progress = Progress::of_one(name, globals.quiet);
    let request = Request {
        text: &text,
        file: &file,
        frequency_hz: args.frequency_hz,
        profiles: args.profiles.is_some(),
        seed: globals.seed.unwrap_or(0),
        materials: &materials,
        progress: &|fraction| progress.reach(name, fraction),
    };
    let solution = (solver.solve)(&request).map_err(|error| match error {
        SolverError::Input(error) => CliError::Input(error),
        SolverError::Failed(reason) => CliError::Failed(reason),
    });
    progress.finish();
    answer(args, globals, solver, &text, &materials, solution?)
}

/// Writes the files and says what there is to say.
fn answer(
    args: &PhysicsArgs,
    globals: &Globals,
    solver: &Solver,
    input: &str,
    materials: &Materials,
    mut solution: Solution,
) -> Answer {
    let input = blake3::hash(input.as_bytes()).to_hex().to_string();
    let mut comments = vec![
        format!("mho physics {}: computed, not measured", solver.name),
        format!("input: blake3 {input}"),
        format!("materials: blake3 {}", materials.digest()),
    ];
    comments.extend(solution.metadata.iter().map(|(name, value)| format!("{name}: {}", text_of(value))));
    comments.extend(solution.notes.iter().map(|note| format!("note: {note}")));
    comments.extend(solution.stopped.iter().map(|stopped| format!("incomplete: {}", told(stopped))));
    solution.table.comments.splice(0..0, comments.clone());
    if let Some(path) = &args.out {
        write_table(path, &solution.table)?;
    }
    if let (Some(path), Some(profiles)) = (&args.profiles, &mut solution.profiles) {
        profiles.comments.splice(0..0, comments);
        write_table(path, profiles)?;
    }
    if !globals.quiet {
        for note in &solution.notes {
            eprintln!("note: {note}");
        }
        if args.profiles.is_some() && solution.profiles.is_none() {
            eprintln!("note: `{}` has no profiles; none were written", solver.name);
        }
    }
    let text = if globals.json {
        document(solver, &solution, &input, materials)
    } else if args.out.is_some() {
        summary(&solution)
    } else {
        solution.table.to_csv()
    };
    match &solution.stopped {
        None => Ok(text),
        Some(stopped) => {
            eprintln!("mho: {}; the {} points before it are kept", told(stopped), solution.table.len());
            Err(CliError::Told { code: 1, text })
        }
    }
}

/// The built-in materials with the user's files over them.
fn layered(files: &[PathBuf]) -> Result<Materials, CliError> {
    let mut materials = Materials::built_in()?;
    for path in files {
        materials = materials.with_layer(&read(path, "material values")?, &path.display().to_string())?;
    }
    Ok(materials)
}

fn read(path: &Path, expected: &str) -> Result<String, CliError> {
    let file = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| InputError::new(&file, error.to_string(), expected))?;
    String::from_utf8(bytes).map_err(|error| {
        let line =
            error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
        InputError::new(&file, "bytes that are no UTF-8", "a TOML document in UTF-8").at_line(line).into()
    })
}

fn told(stopped: &Stopped) -> String {
    let history: Vec<String> = stopped.residuals.iter().map(|residual| format!("{residual:.1e}")).collect();
    format!("no solution at {}; residuals {}", stopped.at, history.join(" "))
}

fn text_of(value: &Datum) -> String {
    match value {
        Datum::Number(value) => number(*value),
        Datum::Text(text) => text.clone(),
    }
}

/// The derived quantities, for people.
fn summary(solution: &Solution) -> String {
    let width = solution.metadata.keys().map(String::len).max().unwrap_or(0);
    let mut text = format!("{} rows\n", solution.table.len());
    for (name, value) in &solution.metadata {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name:width$}  {}", text_of(value));
    }
    text
}

/// All of it as a JSON document; the derived quantities stand at the top level too, by their names.
fn document(solver: &Solver, solution: &Solution, input: &str, materials: &Materials) -> String {
    let mut document = serde_json::Map::new();
    for (name, value) in &solution.metadata {
        document.insert(name.clone(), serde_json::json!(value));
    }
    for (name, value) in [
        ("schema", serde_json::json!(1)),
        ("solver", serde_json::json!(solver.name)),
        ("input", serde_json::json!(input)),
        ("materials", serde_json::json!(materials.digest())),
        ("metadata", serde_json::json!(solution.metadata)),
        ("notes", serde_json::json!(solution.notes)),
        ("stopped", serde_json::json!(solution.stopped)),
        ("rows", serde_json::json!(solution.table.len())),
        ("columns", columns(&solution.table)),
    ] {
        document.insert(name.to_owned(), value);
    }
    format!("{:#}\n", serde_json::Value::Object(document))
}

fn columns(table: &Table) -> serde_json::Value {
    let columns: serde_json::Map<String, serde_json::Value> = table
        .names()
        .map(|name| {
            let numbers = table.floats(name).map(|values| serde_json::json!(values));
            let values = numbers.or_else(|_| table.texts(name).map(|values| serde_json::json!(values)));
            (name.to_owned(), values.unwrap_or_default())
        })
        .collect();
    columns.into()
}

fn list(json: bool) -> String {
    if json {
        let solvers: Vec<_> = solver::registry()
            .map(|solver| serde_json::json!({ "name": solver.name, "title": solver.title }))
            .collect();
        return format!("{:#}\n", serde_json::json!({ "schema": 1, "solvers": solvers }));
    }
    let width = solver::registry().map(|solver| solver.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for solver in solver::registry() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:width$}  {}", solver.name, solver.title);
    }
    text.push_str("\n`mho physics SOLVER --example` prints an input that runs.\n");
    text
}
