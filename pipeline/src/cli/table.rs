//! `mho table`: device tables compiled, looked into and asked.

use super::{Answer, CliError, Globals};
use crate::stages::tables::{Cards, Params};
use crate::store::replace_file;
use mho_compact::card::DeviceCard;
use mho_compact::cell::PublishedCell;
use mho_compact::model;
use mho_data::published::PublishedSonos;
use mho_data::{InputError, Table};
use mho_lut::{
    Against, Axis, CellReading, CellSource, Certificate, CompileOptions, DeviceTable, MeasuredOptions,
    OutOfRange, Query, TableError, compile, compile_measured,
};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

mod kinds;
mod updates;

/// Compile a device table, or look into one
#[derive(Debug, clap::Args)]
pub(super) struct TableArgs {
    #[command(subcommand)]
    command: TableCommand,
}

#[derive(Debug, clap::Subcommand)]
enum TableCommand {
    Build(BuildArgs),
    Show(ShowArgs),
    Query(QueryArgs),
    Updates(updates::UpdatesArgs),
    Export(updates::ExportArgs),
}

/// Compile a table from device cards, or from published statistics as they are.
///
/// Cards of one cell go together: `sonos-retention`, `sonos-programming`, a dose law (`tid-*` or
/// `current-shift`) and `ekv`, at most one of each. What is not given takes the model's defaults, and the
/// table says so; without a dose law the table has no dose. `published:tcas2022` and `published:iedm2022`
/// stand alone, and so does `measured:FILE.csv`: readings of cells (state, time_s, dose_krad_si, current_na
/// and, where cells were followed, device) without a model. With --history the table is one of a history: a
/// TOML file of [[segment]]s with duration_s, dose_rate_rad_si_per_s, temperature_k and gate_bias_v.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  mho table build retention.toml dose.toml --out cell.safetensors\n  \
                  mho table build published:tcas2022 --out tcas.safetensors --tolerance 5e-4\n  \
                  mho table build measured:cells.csv --out cells.safetensors --tolerance 0.02\n  \
                  mho table build dose.toml --history orbit.toml --report-s 0,86400 --out orbit.safetensors")]
struct BuildArgs {
    /// Device cards, or published:NAME, or measured:FILE.csv
    #[arg(required = true, value_name = "CARD.toml")]
    cards: Vec<String>,
    /// Where the table goes
    #[arg(long, value_name = "T.safetensors")]
    out: PathBuf,
    /// Largest interpolation error, as a fraction of the largest current
    #[arg(long, default_value_t = 1e-3, value_parser = positive)]
    tolerance: f64,
    /// Longest time (s); the default is five days
    #[arg(long, default_value_t = 432_000.0, value_parser = not_negative)]
    time_max_s: f64,
    /// Largest dose (krad(Si))
    #[arg(long, default_value_t = 1000.0, value_parser = not_negative)]
    dose_max_krad_si: f64,
    /// Current of state 1 (nA)
    #[arg(long, default_value_t = 1600.0, value_parser = positive)]
    current_max_na: f64,
    /// Gate area, which sets the counting statistics of trapped charge (um2)
    #[arg(long, default_value_t = 0.05, value_parser = positive)]
    gate_area_um2: f64,
    /// V_inf - V_N (V) in place of the fitted one, for a card of tid-exp
    #[arg(long, allow_hyphen_values = true)]
    v_inf_offset_v: Option<f64>,
    /// Segments of dose, time and temperature after programming
    #[arg(long, value_name = "HISTORY.toml", requires = "report_s")]
    history: Option<PathBuf>,
    /// Times in the history at which the table reports (s)
    #[arg(long, value_delimiter = ',', requires = "history", value_parser = not_negative)]
    report_s: Vec<f64>,
    /// Fewest measured cells of a state at a time and dose
    #[arg(long, default_value_t = 20)]
    least_cells: usize,
    /// Threshold of the neutral cell (V), against which a tid-* card was fitted
    #[arg(long, allow_hyphen_values = true)]
    neutral_threshold_v: Option<f64>,
}

/// Say what a table holds: axes, certificate, origin, notes.
///
/// Example: mho table show cell.safetensors
#[derive(Debug, clap::Args)]
struct ShowArgs {
    /// The table
    #[arg(value_name = "T.safetensors")]
    table: PathBuf,
}

/// Mean and standard deviation of the cell current at states, times and doses.
///
/// Example: mho table query cell.safetensors --state 0.1,0.5 --time-s 0,86400 --dose-krad-si 0,100
#[derive(Debug, clap::Args)]
struct QueryArgs {
    /// The table
    #[arg(value_name = "T.safetensors")]
    table: PathBuf,
    /// States: target current over its maximum, 0 to 1
    #[arg(long, value_delimiter = ',', default_value = "0,0.25,0.5,0.75,1")]
    state: Vec<f64>,
    /// Times since programming (s)
    #[arg(long, value_delimiter = ',', default_value = "0")]
    time_s: Vec<f64>,
    /// Doses (krad(Si))
    #[arg(long, value_delimiter = ',', default_value = "0")]
    dose_krad_si: Vec<f64>,
    /// Unit of mean and sigma: fraction of the largest current, nA, or uS
    #[arg(long, value_enum, default_value = "fraction")]
    unit: Unit,
    /// Drain voltage of the read (V), which makes a current a conductance (`--unit us`)
    #[arg(long, default_value_t = 0.1, value_parser = positive)]
    read_voltage_v: f64,
    /// Points outside of the table: refused, or moved to its edge and counted
    #[arg(long, value_enum, default_value = "error")]
    out_of_range: Policy,
}

#[derive(Debug, Clone, Copy, PartialEq, clap::ValueEnum)]
enum Unit {
    Fraction,
    Na,
    Us,
}

#[derive(Debug, Clone, Copy, PartialEq, clap::ValueEnum)]
enum Policy {
    Error,
    Clamp,
}

fn positive(text: &str) -> Result<f64, String> {
    not_negative(text)
        .ok()
        .filter(|value| *value > 0.0)
        .ok_or_else(|| format!("found `{text}`, expected a number above 0"))
}

fn not_negative(text: &str) -> Result<f64, String> {
    let value = text.parse::<f64>().ok().filter(|value| value.is_finite() && *value >= 0.0);
    value.ok_or_else(|| format!("found `{text}`, expected a number of 0 or more"))
}

impl From<TableError> for CliError {
    fn from(error: TableError) -> Self {
        match error {
            TableError::Input(error) => Self::Input(error),
            TableError::OutOfRange { .. } => Self::Usage(format!("{error} (--out-of-range clamp moves it)")),
            TableError::Asked(_) | TableError::History(_) => Self::Usage(error.to_string()),
            other => Self::failed(other),
        }
    }
}

pub(super) fn run(args: &TableArgs, globals: &Globals) -> Answer {
    match &args.command {
        TableCommand::Build(args) => build(args, globals),
        TableCommand::Show(args) => kinds::show(&args.table, globals),
        TableCommand::Updates(args) => updates::make(args, globals),
        TableCommand::Export(args) => updates::export(args),
        TableCommand::Query(args) => query(args, globals),
    }
}

fn read(path: &Path) -> Result<DeviceTable, CliError> {
    let file = path.display().to_string();
    let bytes =
        std::fs::read(path).map_err(|error| InputError::new(&file, error.to_string(), "a device table"))?;
    Ok(DeviceTable::from_bytes(&bytes, &file)?)
}

fn build(args: &BuildArgs, globals: &Globals) -> Answer {
    if let [only] = args.cards.as_slice()
        && let Some(file) = only.strip_prefix("measured:")
    {
        return measured(args, file, globals);
    }
    let source = source(args)?;
    if let Some(file) = &args.history {
        return kinds::build_history(args, source.as_ref(), file, globals);
    }
    let info = source.describe();
    // Sources without dose or time have tables without these axes.
    let options = CompileOptions {
        tolerance_fraction: args.tolerance,
        time_max_s: args.time_max_s,
        dose_max_krad_si: if info.dose_max_krad_si > 0.0 { args.dose_max_krad_si } else { 0.0 },
    };
    let table = compile(source.as_ref(), &options)?;
    met(table.certificate())?;
    written(args, &table, globals)
}

/// A certificate that meets what was asked, or why there is no table.
fn met(certificate: &Certificate) -> Result<(), CliError> {
    if certificate.met() {
        return Ok(());
    }
    let correlation = certificate.max_correlation_error.zip(certificate.correlation_tolerance);
    if let Some((error, asked)) = correlation.filter(|(error, asked)| error > asked) {
        return Err(CliError::Failed(format!(
            "no table: the correlation of a cell with itself stays off by {error:.2e}, {asked:.2e} is allowed"
        )));
    }
    Err(CliError::Failed(format!(
        "no table: the interpolation error stays at {:.2e} of the range ({} at state {:.3}, {:.0} s, {:.0} \
         krad(Si)), --tolerance asks for {:.2e}",
        certificate.max_error_fraction,
        certificate.quantity,
        certificate.state,
        certificate.time_s,
        certificate.dose_krad_si,
        certificate.tolerance_fraction
    )))
}

fn written(args: &BuildArgs, table: &DeviceTable, globals: &Globals) -> Answer {
    replace_file(&args.out, &table.to_bytes()?)?;
    if globals.json {
        return Ok(document(table));
    }
    Ok(format!("{}table: {}\n", page(table), args.out.display()))
}

/// A table of measured cells. Its certificate says what neighbouring nodes know of each other, which no
/// refinement can better, so that it is told and not demanded.
fn measured(args: &BuildArgs, file: &str, globals: &Globals) -> Answer {
    if args.history.is_some() {
        let why = "readings have no history (--history goes with device cards)";
        return Err(CliError::Usage(why.into()));
    }
    let text = std::fs::read_to_string(file)
        .map_err(|error| InputError::new(file, error.to_string(), "readings of cells as CSV"))?;
    let readings = CellReading::from_table(&Table::from_csv(&text, file)?).map_err(|error| {
        InputError::new(file, error.to_string(), "columns state, time_s, dose_krad_si, current_na")
    })?;
    let name =
        args.out.file_stem().map_or_else(|| "cells".into(), |stem| stem.to_string_lossy().into_owned());
    let options = MeasuredOptions {
        name,
        current_max_na: args.current_max_na,
        least_cells: args.least_cells,
        tolerance_fraction: args.tolerance,
        ..MeasuredOptions::default()
    };
    let table = compile_measured(&readings, &options).map_err(|error| match error {
        TableError::Asked(what) => InputError::new(file, what, "readings of enough cells").into(),
        other => CliError::from(other),
    })?;
    if !table.certificate().met() && !globals.quiet {
        eprintln!(
            "mho: left-out nodes are missed by {:.2e} of the range, --tolerance asks for {:.2e}",
            table.certificate().max_error_fraction,
            table.certificate().tolerance_fraction
        );
    }
    written(args, &table, globals)
}

/// What the table is compiled from.
fn source(args: &BuildArgs) -> Result<Box<dyn CellSource>, CliError> {
    if let [only] = args.cards.as_slice()
        && let Some(name) = only.strip_prefix("published:")
    {
        return Ok(Box::new(PublishedCell::new(PublishedSonos::named(name)?, args.current_max_na)));
    }
    let mut named = Vec::new();
    for file in &args.cards {
        let text = std::fs::read_to_string(file)
            .map_err(|error| InputError::new(file, error.to_string(), "a device card"))?;
        named.push((file.as_str(), DeviceCard::from_toml(&text, file)?));
    }
    let (cards, mut notes) = sorted(&named, args.neutral_threshold_v)?;
    let params = Params {
        gate_area_um2: args.gate_area_um2,
        v_inf_offset_v: args.v_inf_offset_v,
        current_max_na: args.current_max_na,
        ..Params::default()
    };
    let name = args.out.file_stem().map_or_else(|| "cell".into(), |stem| stem.to_string_lossy().into_owned());
    let mut cell = cards.cell(&params, &name).map_err(CliError::failed)?.parameters().clone();
    notes.append(&mut cell.notes);
    cell.notes = notes;
    if cards.dose.is_none() {
        cell.dose_max_krad_si = 0.0;
    }
    Ok(Box::new(mho_compact::cell::SonosCell::new(cell)))
}

/// The cards by their part in a cell, and what had to be assumed.
fn sorted(named: &[(&str, DeviceCard)], vt_neutral_v: Option<f64>) -> Result<(Cards, Vec<String>), CliError> {
    let mut parts: [Option<DeviceCard>; 4] = [const { None }; 4];
    for (file, card) in named {
        let part = match card.model.as_str() {
            "ekv" => 0,
            "sonos-retention" => 1,
            "sonos-programming" => 2,
            name if name == "current-shift" || name.starts_with("tid-") => 3,
            other => {
                let found = format!("a card of model `{other}`");
                let expected = "ekv, sonos-retention, sonos-programming, tid-* or current-shift";
                return Err(InputError::new(*file, found, expected).into());
            }
        };
        if parts[part].replace(card.clone()).is_some() {
            let found = format!("a second card for the same part of the cell (`{}`)", card.model);
            return Err(InputError::new(*file, found, "one card for each part").into());
        }
    }
    let [transfer, retention, programming, dose] = parts;
    let mut notes = Vec::new();
    let mut or_default = |given: Option<DeviceCard>, name: &str| {
        given.or_else(|| {
            notes.push(format!("{name}: no card given, the model's defaults"));
            model::find(name).map(DeviceCard::from_defaults)
        })
    };
    let retention = or_default(retention, "sonos-retention");
    let programming = or_default(programming, "sonos-programming");
    if vt_neutral_v.is_none() && dose.as_ref().is_some_and(|card| card.model.starts_with("tid-")) {
        notes.push("threshold of the neutral cell: 0 V (assumed; --neutral-threshold-v)".into());
    }
    let missing = || CliError::failed("the models sonos-retention and sonos-programming are not registered");
    let cards = Cards {
        transfer,
        retention: retention.ok_or_else(missing)?,
        programming: programming.ok_or_else(missing)?,
        dose,
        vt_neutral_v,
    };
    Ok((cards, notes))
}

/// A table in words.
fn page(table: &DeviceTable) -> String {
    let certificate = table.certificate();
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{} (origin: {}), state 1 carries {} nA",
        table.name(),
        table.origin().label(),
        table.current_max_na()
    );
    let mut axis = |name: &str, axis: &Axis| {
        let (low, high) = axis.range();
        let _ = writeln!(text, "  {name:14} {low} to {high}, {} nodes", axis.nodes().len());
    };
    axis("state", table.state_axis());
    axis("time_s", table.time_axis());
    axis("dose_krad_si", table.dose_axis());
    let _ = writeln!(
        text,
        "interpolation error at most {:.2e} of the range at {} {} (asked: {:.2e}{})",
        certificate.max_error_fraction,
        certificate.checked_points,
        match certificate.against {
            Against::Source => "points between the nodes",
            Against::LeftOut => "nodes, each left out once",
        },
        certificate.tolerance_fraction,
        if certificate.met() { "" } else { ", NOT MET" }
    );
    let _ = writeln!(
        text,
        "  worst: {} at state {:.4}, {:.0} s, {:.1} krad(Si)",
        certificate.quantity, certificate.state, certificate.time_s, certificate.dose_krad_si
    );
    let _ = writeln!(
        text,
        "mean current rises with the state: {}",
        if certificate.monotone { "yes" } else { "NO" }
    );
    if let Some(error) = certificate.max_correlation_error {
        let _ = writeln!(text, "correlation of a cell with itself: off by {error:.2} at most");
    }
    if let Some(error) = certificate.max_standard_error_fraction {
        let _ = writeln!(text, "standard error of a mean: {error:.2e} of the range at most");
    }
    if let Some(validity) = table.validity() {
        let _ = writeln!(
            text,
            "source holds to {} s and {} krad(Si)",
            validity.time_max_s, validity.dose_max_krad_si
        );
    }
    let _ = writeln!(text, "nodes outside of what the source was made from: {}", table.extrapolated_nodes());
    for note in table.notes() {
        let _ = writeln!(text, "note: {note}");
    }
    text
}

fn document(table: &DeviceTable) -> String {
    let document = serde_json::json!({
        "schema": 1,
        "name": table.name(),
        "origin": table.origin().label(),
        "current_max_na": table.current_max_na(),
        "axes": {
            "state": table.state_axis().nodes(),
            "time_s": table.time_axis().nodes(),
            "dose_krad_si": table.dose_axis().nodes(),
        },
        "certificate": table.certificate(),
        "met": table.certificate().met(),
        "validity": table.validity(),
        "extrapolated_nodes": table.extrapolated_nodes(),
        "notes": table.notes(),
    });
    format!("{document:#}\n")
}

fn query(args: &QueryArgs, globals: &Globals) -> Answer {
    let table = read(&args.table)?;
    let mut points = Vec::new();
    for &state in &args.state {
        for &time_s in &args.time_s {
            points.extend(args.dose_krad_si.iter().map(|&dose_krad_si| Query {
                state,
                time_s,
                dose_krad_si,
            }));
        }
    }
    let policy = match args.out_of_range {
        Policy::Error => OutOfRange::Error,
        Policy::Clamp => OutOfRange::Clamp,
    };
    let (rows, clamped) = table.query(&points, policy)?;
    if clamped.points > 0 && !globals.quiet {
        eprintln!(
            "mho: {} of {} points lie outside of the table and were moved to its edge",
            clamped.points,
            rows.len()
        );
    }
    let (unit, scale) = match args.unit {
        Unit::Fraction => ("fraction", 1.0 / table.current_max_na()),
        Unit::Na => ("na", 1.0),
        // nA over V is nS.
        Unit::Us => ("us", 1e-3 / args.read_voltage_v),
    };
    let columns: [(&str, Vec<f64>); 5] = [
        ("state", rows.iter().map(|row| row.query.state).collect()),
        ("time_s", rows.iter().map(|row| row.query.time_s).collect()),
        ("dose_krad_si", rows.iter().map(|row| row.query.dose_krad_si).collect()),
        ("mean", rows.iter().map(|row| scale * row.mean_na).collect()),
        ("sigma", rows.iter().map(|row| scale * row.sigma_na).collect()),
    ];
    if globals.json {
        let columns: serde_json::Map<_, _> =
            columns.into_iter().map(|(name, values)| (name.to_owned(), values.into())).collect();
        let document = serde_json::json!({ "schema": 1, "unit": unit, "clamped": clamped.points, "clamped_by_axis": clamped, "columns": columns });
        return Ok(format!("{document:#}\n"));
    }
    let mut out = Table::new();
    for (name, values) in columns {
        out.push_float(name, values);
    }
    Ok(out.to_csv())
}

#[cfg(test)]
mod tests;
