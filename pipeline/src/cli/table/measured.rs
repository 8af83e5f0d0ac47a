//! A table of measured cells as they are.

use super::super::{Answer, CliError, Globals};
use super::build::{BuildArgs, PUBLISHED_MAX_NA, name, written};
use super::ensemble;
use crate::cli::data::inspect::sidecars_of;
use crate::stages::tables::{middle, resampled};
use mho_data::measurement::{Kind, Measurement};
use mho_data::{InputError, reader};
use mho_lut::{
    CellReading, DeviceTable, Ensemble, MeasuredOptions, Member, MemberKind, TableError, compile_measured,
};

/// Currents of state 1 that differ by more than this are two.
const SAME_CURRENT: f64 = 0.1;

/// A table of measured cells. Its certificate says what neighbouring nodes know of each other, which no refinement
/// can better, so that it is told and not demanded.
pub(super) fn build(args: &BuildArgs, file: &str, globals: &Globals) -> Answer {
    if args.history.is_some() {
        let why = "readings have no history (--history goes with device cards)";
        return Err(CliError::Usage(why.into()));
    }
    if !args.rivals.is_empty() {
        return Err(CliError::Usage("readings have no rival laws (--rivals goes with device cards)".into()));
    }
    ensemble::few(args.samples)?;
    let measurement = read(file)?;
    let expected =
        "readings of cells: state (a fraction), current, and where they vary dose, time and device";
    let mut readings = CellReading::from_table(&measurement.table)
        .map_err(|error| InputError::new(file, error.to_string(), expected))?;
    let mut notes = measurement.sidecar.assumptions.clone();
    if measurement.devices().len() < 2 {
        for (row, reading) in readings.iter_mut().enumerate() {
            reading.cell = format!("row {row}");
        }
        notes.push(format!("{file}: one device; each of its readings counts as a cell of its own"));
    }
    let (current_max_na, told) = largest(args, &measurement, &readings);
    notes.extend(told);
    let dropped = &measurement.sidecar.dropped;
    if let Some(first) = dropped.first() {
        notes.push(format!(
            "{} of {} rows could not be read, the first at {}:{} ({})",
            dropped.len(),
            dropped.len() + readings.len(),
            first.file,
            first.line,
            first.reason
        ));
    }
    let options = MeasuredOptions {
        name: name(args),
        origin: measurement.sidecar.origin,
        current_max_na,
        read_voltage_v: number(&measurement, "read_v"),
        least_cells: args.least_cells,
        tolerance_fraction: args.tolerance,
    };
    let table = |readings: &[CellReading]| -> Result<DeviceTable, CliError> {
        let table = compile_measured(readings, &options).map_err(|error| match error {
            TableError::Asked(what) => InputError::new(file, what, "readings of enough cells").into(),
            other => CliError::from(other),
        })?;
        Ok(notes.iter().fold(table, |table, note| table.with_note(note)))
    };
    let best = table(&readings)?;
    if !best.certificate().met() && !globals.quiet {
        eprintln!(
            "mho: left-out nodes are missed by {:.2e} of the range, --tolerance asks for {:.2e}",
            best.certificate().max_error_fraction,
            best.certificate().tolerance_fraction
        );
    }
    if args.samples == 0 {
        return written(args, &best, globals);
    }
    let mut members = vec![Member { label: "best".into(), kind: MemberKind::Best, table: best }];
    for index in 0..args.samples {
        let drawn = resampled(&readings, globals.seed.unwrap_or(0), index);
        let (label, kind) = (ensemble::sample(index), MemberKind::Parameters);
        members.push(Member { label, kind, table: table(&drawn)? });
    }
    ensemble::written(args, &Ensemble::new(members)?, globals)
}

/// The readings of a file with the sidecar beside it.
fn read(file: &str) -> Result<Measurement, CliError> {
    let bytes =
        std::fs::read(file).map_err(|error| InputError::new(file, error.to_string(), "readings of cells"))?;
    let beside = sidecars_of(file)?;
    let all = beside.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    let files: Vec<reader::File<'_>> = std::iter::once((file, bytes.as_slice())).chain(all).collect();
    Ok(reader::read(&files, Kind::StateCurrent)?)
}

/// A number of the preamble, with or without its unit.
fn number(measurement: &Measurement, key: &str) -> Option<f64> {
    let number = measurement.preamble(key)?.split_whitespace().next()?.parse::<f64>().ok();
    number.filter(|number| *number > 0.0 && number.is_finite())
}

/// The current of state 1 (nA): as asked, as the file says, or that of the published cells where the readings are
/// near it, else the middle of current over state; and a note where it was not told.
fn largest(args: &BuildArgs, measurement: &Measurement, readings: &[CellReading]) -> (f64, Option<String>) {
    if let Some(told) = args.current_max_na.or_else(|| number(measurement, "current_max_na")) {
        return (told, None);
    }
    let first = |r: &&CellReading| r.time_s == 0.0 && r.dose_krad_si == 0.0;
    let ratio = |r: &CellReading| r.current_na / r.state;
    let fresh = middle(readings.iter().filter(first).map(ratio).filter(|ratio| ratio.is_finite()));
    let found = fresh.or_else(|| middle(readings.iter().map(ratio).filter(|ratio| ratio.is_finite())));
    match found.filter(|found| *found > 0.0) {
        Some(found) if (found / PUBLISHED_MAX_NA - 1.0).abs() > SAME_CURRENT => {
            let note =
                format!("state 1 carries {found:.6} nA: the middle of current over state (--current-max-na)");
            (found, Some(note))
        }
        _ => (PUBLISHED_MAX_NA, None),
    }
}
