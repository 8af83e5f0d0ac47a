//! Tables of other kinds than the grid: built along a history, and shown.

use super::super::{Answer, CliError, Globals};
use super::build::{BuildArgs, met};
use super::show::{document, page};
use crate::store::replace_file;
use mho_data::InputError;
use mho_lut::{
    AnyTable, CellSource, Direction, Ensemble, History, HistoryOptions, HistoryTable, Segment, UpdateTable,
    compile_history,
};
use serde::Deserialize;
use std::fmt::Write as _;
use std::path::Path;

/// A history as a person writes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HistoryFile {
    segment: Vec<Segment>,
}

/// A table along the history in `file`.
pub(super) fn build_history(
    args: &BuildArgs,
    source: &dyn CellSource,
    file: &Path,
    globals: &Globals,
) -> Answer {
    let name = file.display().to_string();
    let expected = "[[segment]]s with duration_s, dose_rate_rad_si_per_s, temperature_k, gate_bias_v";
    let wrong = |found: String| InputError::new(&name, found, expected);
    let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    let read: HistoryFile = toml::from_str(&text).map_err(|error| {
        let line = error.span().and_then(|span| Some(text.get(..span.start)?.matches('\n').count() + 1));
        let error = wrong(error.message().to_owned());
        line.map_or(error.clone(), |line| error.at_line(line))
    })?;
    let history = History::new(read.segment).map_err(|error| wrong(error.to_string()))?;
    let options = HistoryOptions { tolerance_fraction: args.tolerance, ..HistoryOptions::default() };
    let table = compile_history(source, &history, &args.report_s, &options)?;
    met(table.certificate())?;
    replace_file(&args.out, &table.to_bytes()?)?;
    if globals.json {
        return Ok(history_document(&table));
    }
    Ok(format!("{}table: {}\n", history_page(&table), args.out.display()))
}

/// What a file holds, whatever its kind.
pub(super) fn show(path: &Path, globals: &Globals) -> Answer {
    let file = path.display().to_string();
    let bytes =
        std::fs::read(path).map_err(|error| InputError::new(&file, error.to_string(), "a device table"))?;
    let table = AnyTable::from_bytes(&bytes, &file).map_err(CliError::from)?;
    Ok(match (&table, globals.json) {
        (AnyTable::Grid(table), false) => page(table),
        (AnyTable::Grid(table), true) => document(table),
        (AnyTable::History(table), false) => history_page(table),
        (AnyTable::History(table), true) => history_document(table),
        (AnyTable::Ensemble(ensemble), false) => ensemble_page(ensemble),
        (AnyTable::Ensemble(ensemble), true) => ensemble_document(ensemble),
        (AnyTable::Update(table), false) => update_page(table),
        (AnyTable::Update(table), true) => update_document(table),
    })
}

fn history_page(table: &HistoryTable) -> String {
    let certificate = table.certificate();
    let mut text = format!(
        "{} (origin: {}) along a history of {} segments, state 1 carries {} nA\n",
        table.name(),
        table.origin().label(),
        table.history().segments().len(),
        table.current_max_na()
    );
    // Writing to a String cannot fail.
    let _ =
        writeln!(text, "  report   time_s  dose_krad_si  temperature_k  mean of state 0.5 (nA)  correlation");
    for (r, report) in table.reports().iter().enumerate() {
        let mean = table.slice(r).map_or(f64::NAN, |slice| slice.mean_na(0.5));
        let correlation = table.path().correlation(0.5, 0, r).unwrap_or(f64::NAN);
        let _ = writeln!(
            text,
            "  {r:6} {:8.3e} {:13.4} {:14.1} {mean:23.2} {correlation:12.4}",
            report.time_s, report.dose_krad_si, report.temperature_k
        );
    }
    let _ = writeln!(
        text,
        "interpolation error at most {:.2e} of the range at {} states (asked: {:.2e}); correlation of a cell with \
         itself off by {:.2e} at most",
        certificate.max_error_fraction,
        certificate.checked_points,
        certificate.tolerance_fraction,
        certificate.max_correlation_error.unwrap_or(0.0)
    );
    let _ = writeln!(text, "nodes outside of what the source was made from: {}", table.extrapolated_nodes());
    for note in table.notes() {
        let _ = writeln!(text, "note: {note}");
    }
    text
}

fn history_document(table: &HistoryTable) -> String {
    let document = serde_json::json!({
        "schema": 1,
        "kind": "history",
        "name": table.name(),
        "origin": table.origin().label(),
        "current_max_na": table.current_max_na(),
        "history": table.history(),
        "reports": table.reports(),
        "certificate": table.certificate(),
        "met": table.certificate().met(),
        "extrapolated_nodes": table.extrapolated_nodes(),
        "notes": table.notes(),
    });
    format!("{document:#}\n")
}

pub(super) fn ensemble_page(ensemble: &Ensemble) -> String {
    let mut text = format!("ensemble of {} tables\n", ensemble.members().len());
    for member in ensemble.members() {
        let certificate = member.table.certificate();
        let _ = writeln!(
            text,
            "  {:12} {:?}, interpolation error {:.2e} of the range{}",
            member.label,
            member.kind,
            certificate.max_error_fraction,
            if certificate.met() { "" } else { " (NOT MET)" }
        );
    }
    text + &page(ensemble.best())
}

pub(super) fn ensemble_document(ensemble: &Ensemble) -> String {
    let members: Vec<serde_json::Value> = ensemble
        .members()
        .iter()
        .map(|member| {
            serde_json::json!({
                "label": member.label,
                "kind": member.kind,
                "name": member.table.name(),
                "certificate": member.table.certificate(),
            })
        })
        .collect();
    format!("{:#}\n", serde_json::json!({ "schema": 1, "kind": "ensemble", "members": members }))
}

pub(super) fn update_page(table: &UpdateTable) -> String {
    let (low, high) = table.range();
    let mut text = format!(
        "{} (origin: {}), steps of the conductance from {low:e} to {high:e} {}\n",
        table.name(),
        table.origin().label(),
        table.unit()
    );
    for (way, direction) in [("up", Direction::Up), ("down", Direction::Down)] {
        let steps = table.steps(direction);
        let _ = writeln!(
            text,
            "  {way:5} {} conductances, {} probabilities; the step falls with the probability at {} places",
            steps.conductance().len(),
            steps.probability().len(),
            steps.falls()
        );
    }
    let _ = match table.certificate() {
        Some(certificate) => writeln!(
            text,
            "error at most {:.2e} of the largest step at {} points (asked: {:.2e}{})",
            certificate.max_error_fraction,
            certificate.checked_points,
            certificate.tolerance_fraction,
            if certificate.met() { "" } else { ", NOT MET" }
        ),
        None => writeln!(text, "no certificate: taken from elsewhere"),
    };
    for note in table.notes() {
        let _ = writeln!(text, "note: {note}");
    }
    text
}

pub(super) fn update_document(table: &UpdateTable) -> String {
    let steps = |direction: Direction| {
        let steps = table.steps(direction);
        serde_json::json!({
            "conductances": steps.conductance().len(),
            "probabilities": steps.probability().len(),
            "falls": steps.falls(),
        })
    };
    let document = serde_json::json!({
        "schema": 1,
        "kind": "update",
        "name": table.name(),
        "origin": table.origin().label(),
        "unit": table.unit(),
        "range": [table.range().0, table.range().1],
        "up": steps(Direction::Up),
        "down": steps(Direction::Down),
        "certificate": table.certificate(),
        "notes": table.notes(),
    });
    format!("{document:#}\n")
}
