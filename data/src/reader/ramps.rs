//! Ramps of equal pulses as CrossSim keeps them (`set.csv`, `reset.csv`): a column for each ramp, a row
//! for each pulse, cells left empty after the end of a ramp or where a read is missing.

use super::header::Field;
use super::rows::{Given, Row, Rows};
use super::units::{Quantity, Unit};
use super::{OVERFLOW, text};
use crate::error::InputError;
use crate::measurement::{Kind, Measurement};
use crate::reader::geometry::stem;

/// A name such as `rmp12`: letters and a number.
fn ramp_number(cell: &str) -> Option<u32> {
    let cell = cell.trim().to_ascii_lowercase();
    let rest = ["rmp", "ramp"].iter().find_map(|name| cell.strip_prefix(name))?;
    rest.trim_start_matches(['_', ' ']).parse().ok()
}

/// Line (from 0) of the names.
fn header_line(lines: &[&str]) -> Option<usize> {
    lines.iter().take(400).position(|line| {
        !line.starts_with('#') && {
            let cells = text::split(line, text::delimiter(line));
            cells.iter().any(|cell| ramp_number(cell).is_some())
                && cells.iter().all(|cell| ramp_number(cell).is_some() || is_counter(cell))
        }
    })
}

/// Whether a column counts the pulses.
fn is_counter(cell: &str) -> bool {
    ["", "pulse", "pulses", "index"].contains(&cell.trim().to_ascii_lowercase().as_str())
}

/// Whether the text looks like it.
pub(super) fn looks_like(lines: &[&str]) -> bool {
    header_line(lines).is_some()
}

pub(super) fn read(name: &str, bytes: &[u8], given: &Given) -> Result<Measurement, InputError> {
    let decoded = text::decode(name, bytes)?;
    let lines: Vec<&str> = decoded.text.lines().collect();
    let Some(at) = header_line(&lines) else {
        let first = lines.iter().position(|line| !line.trim().is_empty()).unwrap_or(0);
        let found = format!("`{}`", lines[first].chars().take(60).collect::<String>());
        return Err(InputError::new(name, found, "a column for each ramp: rmp1, rmp2, …").at_line(first + 1));
    };
    let mut rows = Rows::new(name, Kind::Ramp, given);
    rows.notes.extend(decoded.notes);
    rows.preamble.extend(lines[..at].iter().map(|line| line.trim().to_owned()).filter(|l| !l.is_empty()));
    let unit = match &given.unit {
        Some(unit) => {
            Unit::parse(unit).filter(|unit| unit.quantity == Quantity::Current).ok_or_else(|| {
                InputError::new(
                    name,
                    format!("the unit `{unit}` in its description"),
                    Quantity::Current.units(),
                )
            })?
        }
        None => {
            rows.assumptions.push(format!("{name}: no unit: currents in A assumed"));
            Unit::NONE
        }
    };
    rows.assume(&[], &[]);
    // The direction stands in the name of the file, if anywhere.
    let base = stem(name).to_ascii_lowercase();
    let state = match (base.contains("reset"), base.contains("set")) {
        (true, _) => "reset",
        (_, true) => "set",
        _ => "",
    };
    let delimiter = text::delimiter(lines[at]);
    let names = text::split(lines[at], delimiter);
    let body: Vec<(usize, Vec<String>)> = lines
        .iter()
        .enumerate()
        .skip(at + 1)
        .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|(index, line)| (index + 1, text::split(line, delimiter)))
        .collect();
    let decimal_comma =
        delimiter != ',' && text::has_decimal_commas(lines.iter().skip(at + 1).copied(), delimiter);
    let fits = |row: &[String]| row.len() >= names.len() && row[names.len()..].iter().all(String::is_empty);
    for (line, row) in body.iter().filter(|(_, row)| !fits(row)) {
        rows.drop(*line, format!("{} cells instead of {}", row.len(), names.len()));
    }
    let mut empty = 0_usize;
    for (column, cell) in names.iter().enumerate() {
        let Some(ramp) = ramp_number(cell) else { continue };
        rows.cut();
        for (pulse, (line, row)) in body.iter().enumerate() {
            if !fits(row) {
                continue;
            }
            match text::number(&row[column], decimal_comma) {
                Some(value) if value.abs() < OVERFLOW => rows.push(
                    &Row {
                        texts: [
                            given.texts[0].clone().or_else(|| Some(stem(name).to_owned())),
                            Some(given.texts[1].clone().unwrap_or_else(|| state.to_owned())),
                        ],
                        numbers: vec![
                            (Field::Ramp, f64::from(ramp)),
                            (Field::Pulse, (pulse + 1) as f64),
                            (Field::Current, unit.si(value)),
                        ],
                    },
                    *line,
                ),
                _ if row[column].is_empty() => empty += 1,
                _ => {
                    let shown: String = row[column].chars().take(60).collect();
                    rows.drop(*line, format!("`{shown}` in `{cell}`"));
                }
            }
        }
    }
    if empty > 0 {
        rows.notes.push(format!("{name}: {empty} empty cells, where a ramp has no read"));
    }
    rows.finish()
}
