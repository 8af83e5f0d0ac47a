//! Exports of Keithley 4200A-SCS (Clarius, KITE): one table whose columns are repeated for every run, as
//! in `DrainI,DrainV,GateV,DrainI(2),DrainV(2),GateV(2)`. Units stand in the last letter: V, I (A), C (F).
//! Runs end where their cells are empty.

use super::header::{self, Column, Field};
use super::rows::{Cells, Given, Rows};
use super::text;
use super::units::Quantity;
use crate::error::InputError;
use crate::measurement::{Kind, Measurement};
use std::collections::BTreeMap;

/// Terminals as the program names them.
const TERMINALS: [&str; 8] = ["drain", "gate", "source", "bulk", "anode", "cathode", "body", "substrate"];

/// A name without its run, and the number of the run (1 where there is none).
fn run_of(cell: &str) -> (&str, u32) {
    let run = cell.strip_suffix(')').and_then(|open| open.rsplit_once('('));
    match run.and_then(|(base, number)| Some((base.trim(), number.trim().parse::<u32>().ok()?))) {
        Some((base, run)) if run > 0 => (base, run),
        _ => (cell.trim(), 1),
    }
}

/// Whether a name is one of a terminal's quantities, as in `DrainI`.
fn is_reading(cell: &str) -> bool {
    let base = run_of(cell).0.to_ascii_lowercase();
    TERMINALS.iter().any(|terminal| {
        base.strip_prefix(terminal)
            .is_some_and(|rest| ["v", "i", "c"].contains(&rest.trim_start_matches('_')))
    })
}

/// Line (from 0) of the names: most of the cells are readings, and more than one is.
fn header_line(lines: &[&str]) -> Option<usize> {
    lines.iter().take(400).position(|line| {
        let cells = text::split(line, text::delimiter(line));
        let filled = cells.iter().filter(|cell| !cell.is_empty()).count();
        let readings = cells.iter().filter(|cell| is_reading(cell)).count();
        readings > 1 && readings * 2 >= filled
    })
}

/// Whether the text looks like it.
pub(super) fn looks_like(lines: &[&str]) -> bool {
    header_line(lines).is_some()
}

/// The kind of measurement, by the names.
pub(super) fn recognise(lines: &[&str], given: &Given) -> Option<Kind> {
    let line = lines.get(header_line(lines)?)?;
    let names: Vec<String> = text::split(line, text::delimiter(line))
        .iter()
        .map(|cell| {
            let base = run_of(cell).0;
            given.columns.get(base).cloned().unwrap_or_else(|| base.to_owned())
        })
        .collect();
    [Kind::IdVg, Kind::Capacitance, Kind::Diode].into_iter().find(|&kind| header::is_header(&names, kind))
}

pub(super) fn read(name: &str, bytes: &[u8], kind: Kind, given: &Given) -> Result<Measurement, InputError> {
    let decoded = text::decode(name, bytes)?;
    let mut rows = Rows::new(name, kind, given);
    rows.notes.extend(decoded.notes);
    let lines: Vec<&str> = decoded.text.lines().collect();
    let Some(at) = header_line(&lines) else {
        let first = lines.iter().position(|line| !line.trim().is_empty()).unwrap_or(0);
        let found = format!("`{}`", lines[first].chars().take(60).collect::<String>());
        return Err(
            InputError::new(name, found, "names such as DrainI, DrainV, GateV, DrainI(2)").at_line(first + 1)
        );
    };
    rows.preamble.extend(lines[..at].iter().map(|line| line.trim().to_owned()).filter(|l| !l.is_empty()));
    let delimiter = text::delimiter(lines[at]);
    let names = text::split(lines[at], delimiter);
    let mut runs: BTreeMap<u32, Vec<(usize, String)>> = BTreeMap::new();
    for (index, cell) in names.iter().enumerate() {
        let (base, run) = run_of(cell);
        let base = given.columns.get(base).map_or(base, String::as_str);
        let cell = match header::identify(base) {
            Some((field, None)) => match field.quantity() {
                Quantity::Voltage => format!("{base} (V)"),
                Quantity::Current => format!("{base} (A)"),
                Quantity::Capacitance => format!("{base} (F)"),
                Quantity::Time => format!("{base} (s)"),
                _ => base.to_owned(),
            },
            _ => base.to_owned(),
        };
        runs.entry(run).or_default().push((index, cell));
    }
    let cells: Vec<(usize, Vec<String>)> = lines
        .iter()
        .enumerate()
        .skip(at + 1)
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| (index + 1, text::split(line, delimiter)))
        .collect();
    // Rows that are too wide or too narrow are dropped once, not for every run.
    let fits =
        |cells: &Vec<String>| cells.len() >= names.len() && cells[names.len()..].iter().all(String::is_empty);
    for (line, row) in cells.iter().filter(|(_, row)| !fits(row)) {
        rows.drop(*line, format!("{} cells instead of {}", row.len(), names.len()));
    }
    let decimal_comma =
        delimiter != ',' && text::has_decimal_commas(lines.iter().skip(at + 1).copied(), delimiter);
    let mut ignored = Vec::new();
    let mut found_any = false;
    for (run, columns_of_run) in &runs {
        let named: Vec<String> = columns_of_run.iter().map(|(_, cell)| cell.clone()).collect();
        if !header::is_header(&named, kind) {
            ignored.push(format!("({run}): {}", named.join(", ")));
            continue;
        }
        found_any = true;
        let columns: Vec<Column> =
            header::columns(&named, None, kind, name, at + 1, header::Scale::default())?
                .into_iter()
                .map(|column| Column { index: columns_of_run[column.index].0, ..column })
                .collect();
        rows.assume(&columns, &[Field::Compliance]);
        rows.cut();
        let format = Cells { columns: &columns, width: names.len(), decimal_comma };
        let mut bad = vec![0; columns.len()];
        // A run that is shorter than others ends with cells that are all empty.
        let empty = |row: &[String]| {
            columns_of_run.iter().all(|(index, _)| row.get(*index).is_none_or(String::is_empty))
        };
        let last = cells.iter().rposition(|(_, row)| !empty(row)).map_or(0, |last| last + 1);
        for (line, row) in cells[..last].iter().filter(|(_, row)| fits(row)) {
            rows.take(*line, row, &format, &mut bad);
        }
    }
    if !found_any {
        return Err(InputError::new(
            name,
            format!("columns {}", ignored.join("; ").chars().take(200).collect::<String>()),
            header::wanted(kind),
        )
        .at_line(at + 1));
    }
    if !ignored.is_empty() {
        let some: Vec<String> = ignored.into_iter().take(20).collect();
        rows.notes.push(format!("{name}: runs that are not of this kind: {}", some.join("; ")));
    }
    rows.finish()
}
