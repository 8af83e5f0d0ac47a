//! `mho table build`: a table compiled from cards, published statistics or measured cells.

use super::super::{Answer, CliError, Globals};
use super::show::{document, page};
use super::{not_negative, positive};
use crate::stages::tables::{Device, Missing, Named, Reading};
use crate::store::replace_file;
use mho_compact::card::DeviceCard;
use mho_compact::cell::PublishedCell;
use mho_data::published::PublishedSonos;
use mho_data::{InputError, Table};
use mho_lut::{
    CellReading, CellSource, Certificate, CompileOptions, DeviceTable, MeasuredOptions, TableError, compile,
    compile_measured,
};
use std::path::PathBuf;

/// Current of state 1 of the published cells (nA).
const PUBLISHED_MAX_NA: f64 = 1600.0;

/// Compile a table from device cards, or from published statistics as they are.
///
/// Cards of one cell go together, at most one of each part: `transistor` or `ekv`, `sonos-retention`,
/// `sonos-programming`, `threshold-spread`, `read-noise`, and a dose law (`tid-*` or `current-shift`). What is not
/// given is as --missing says, and the table tells it; without a dose law the table has no dose. A resistive cell
/// (`pcm`, `wan`, `taox`, …) stands alone. `published:tcas2022` and `published:iedm2022`
/// stand alone too, and so does `measured:FILE.csv`: readings of cells (state, time_s, dose_krad_si, current_na
/// and, where cells were followed, device) without a model. With --history the table is one of a history: a
/// TOML file of [[segment]]s with duration_s, dose_rate_rad_si_per_s, temperature_k and gate_bias_v.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  mho table build retention.toml dose.toml --out cell.safetensors\n  \
                  mho table build published:tcas2022 --out tcas.safetensors --tolerance 5e-4\n  \
                  mho table build measured:cells.csv --out cells.safetensors --tolerance 0.02\n  \
                  mho table build dose.toml --history orbit.toml --report-s 0,86400 --out orbit.safetensors")]
pub(super) struct BuildArgs {
    /// Device cards, or published:NAME, or measured:FILE.csv
    #[arg(required = true, value_name = "CARD.toml")]
    pub(super) cards: Vec<String>,
    /// Where the table goes
    #[arg(long, value_name = "T.safetensors")]
    pub(super) out: PathBuf,
    /// Largest interpolation error, as a fraction of the largest current
    #[arg(long, default_value_t = 1e-3, value_parser = positive)]
    pub(super) tolerance: f64,
    /// Axes beside the state that the table has, of those that its source knows
    #[arg(long, value_enum, value_delimiter = ',', default_value = "time,dose")]
    axes: Vec<AxisName>,
    /// Longest time (s); the default is five days
    #[arg(long, default_value_t = 432_000.0, value_parser = not_negative)]
    pub(super) time_max_s: f64,
    /// Largest dose (krad(Si))
    #[arg(long, default_value_t = 1000.0, value_parser = not_negative)]
    pub(super) dose_max_krad_si: f64,
    /// Current of state 1 (nA); by default 1600, of resistive cells that of the largest conductance
    #[arg(long, value_parser = positive)]
    pub(super) current_max_na: Option<f64>,
    /// Read voltage of resistive cells (V)
    #[arg(long, default_value_t = 0.2, value_parser = positive)]
    pub(super) read_v: f64,
    /// Drain voltage of the read of a transistor (V)
    #[arg(long, default_value_t = 0.1, value_parser = positive)]
    pub(super) read_drain_v: f64,
    /// Gate voltage of the read of a transistor (V); by default its threshold carries half the largest current
    #[arg(long, allow_hyphen_values = true)]
    pub(super) read_gate_v: Option<f64>,
    /// What stands in for cards that are not given: the 40 nm SONOS cell, or nothing
    #[arg(long, value_enum, default_value = "sonos")]
    pub(super) missing: Missing,
    /// Gate area, which sets the counting statistics of trapped charge (um2) [default: that of what is missing]
    #[arg(long, value_parser = positive)]
    gate_area_um2: Option<f64>,
    /// V_inf - V_N (V) in place of the fitted one, for a card of tid-exp
    #[arg(long, allow_hyphen_values = true)]
    pub(super) v_inf_offset_v: Option<f64>,
    /// Segments of dose, time and temperature after programming
    #[arg(long, value_name = "HISTORY.toml", requires = "report_s")]
    pub(super) history: Option<PathBuf>,
    /// Times in the history at which the table reports (s)
    #[arg(long, value_delimiter = ',', requires = "history", value_parser = not_negative)]
    pub(super) report_s: Vec<f64>,
    /// Fewest measured cells of a state at a time and dose
    #[arg(long, default_value_t = 20)]
    pub(super) least_cells: usize,
    /// Threshold of the neutral cell (V), against which a tid-* card was fitted
    #[arg(long, allow_hyphen_values = true)]
    pub(super) neutral_threshold_v: Option<f64>,
}

/// An axis that a table may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum AxisName {
    /// The state, which every table has
    State,
    /// Time since programming
    Time,
    /// Dose
    Dose,
}

pub(super) fn build(args: &BuildArgs, globals: &Globals) -> Answer {
    if let [only] = args.cards.as_slice()
        && let Some(file) = only.strip_prefix("measured:")
    {
        return measured(args, file, globals);
    }
    let source = source(args)?;
    if let Some(file) = &args.history {
        return super::kinds::build_history(args, source.as_ref(), file, globals);
    }
    let info = source.describe();
    // Sources without dose or time have tables without these axes.
    let options = CompileOptions {
        tolerance_fraction: args.tolerance,
        time_max_s: if args.axes.contains(&AxisName::Time) { args.time_max_s } else { 0.0 },
        dose_max_krad_si: if info.dose_max_krad_si > 0.0 && args.axes.contains(&AxisName::Dose) {
            args.dose_max_krad_si
        } else {
            0.0
        },
    };
    let table = compile(source.as_ref(), &options)?;
    met(table.certificate())?;
    written(args, &table, globals)
}

/// A certificate that meets what was asked, or why there is no table.
pub(super) fn met(certificate: &Certificate) -> Result<(), CliError> {
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
        current_max_na: args.current_max_na.unwrap_or(PUBLISHED_MAX_NA),
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
        let current_max_na = args.current_max_na.unwrap_or(PUBLISHED_MAX_NA);
        return Ok(Box::new(PublishedCell::new(PublishedSonos::named(name)?, current_max_na)));
    }
    let mut cards = Vec::new();
    for file in &args.cards {
        let text = std::fs::read_to_string(file)
            .map_err(|error| InputError::new(file, error.to_string(), "a device card"))?;
        cards.push(Named { file: file.clone(), card: DeviceCard::from_toml(&text, file)? });
    }
    let reading = Reading {
        current_max_na: args.current_max_na,
        read_v: args.read_v,
        read_drain_v: args.read_drain_v,
        read_gate_v: args.read_gate_v,
        gate_area_um2: args.gate_area_um2,
        neutral_threshold_v: args.neutral_threshold_v,
        v_inf_offset_v: args.v_inf_offset_v,
        missing: args.missing,
        ..Reading::default()
    };
    let name = args.out.file_stem().map_or_else(|| "cell".into(), |stem| stem.to_string_lossy().into_owned());
    Ok(Device::new(cards, &reading)?.source(&name)?)
}
