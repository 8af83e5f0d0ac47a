//! CSV and its kin: preamble, header, rows; and the same from Parquet.

use super::header;
use super::rows::{Cells, Given, Rows};
use super::text;
use super::units::Unit;
use crate::error::InputError;
use crate::measurement::{Kind, Measurement};
use crate::provenance::Origin;
use crate::table::{Table, Values, number};

/// The kind of measurement that a file's header looks like, if any.
pub(super) fn recognise(lines: &[&str], given: &Given) -> Option<Kind> {
    lines.iter().find_map(|line| KINDS.into_iter().find(|&kind| is_header(line, kind, given)))
}

/// Columns without use that a note names at most.
const MOST_UNUSED: usize = 20;

/// Kinds in the order in which a header is compared with them.
const KINDS: [Kind; 6] =
    [Kind::IdVg, Kind::StateCurrent, Kind::Threshold, Kind::Ramp, Kind::Capacitance, Kind::Diode];

fn is_header(line: &str, kind: Kind, given: &Given) -> bool {
    !line.starts_with('#') && {
        let delimiter = text::delimiter(line);
        let cells = renamed(text::split(line, delimiter), given);
        // Between spaces stands prose too, which names no units.
        header::is_header(&cells, kind) && (delimiter != ' ' || header::says_units(&cells))
    }
}

/// Names of columns as the description calls them.
fn renamed(names: Vec<String>, given: &Given) -> Vec<String> {
    names.into_iter().map(|name| given.columns.get(&name).cloned().unwrap_or(name)).collect()
}

pub(super) fn read(name: &str, bytes: &[u8], kind: Kind, given: &Given) -> Result<Measurement, InputError> {
    let decoded = text::decode(name, bytes)?;
    let mut rows = Rows::new(name, kind, given);
    rows.notes.extend(decoded.notes);
    let lines: Vec<&str> = decoded.text.lines().collect();
    let header_at = lines.iter().position(|line| is_header(line, kind, given)).ok_or_else(|| {
        let first = lines.iter().position(|line| !line.trim().is_empty() && !line.starts_with('#'));
        let shown = |at: usize| format!("`{}`", lines[at].chars().take(60).collect::<String>());
        let error = InputError::new(
            name,
            first.map_or("no header".to_owned(), shown),
            format!("a header with {}", header::wanted(kind)),
        );
        match first {
            Some(index) => error.at_line(index + 1),
            None => error,
        }
    })?;
    for line in &lines[..header_at] {
        let line = line.trim_start_matches('#').trim();
        if !line.is_empty() {
            rows.preamble.push(line.to_owned());
        }
    }
    // The label counts wherever it stands: files that were joined have it between their rows.
    let above = lines[..header_at].iter();
    let below = lines[header_at..].iter().filter(|line| line.starts_with('#'));
    if above.chain(below).any(|line| says_synthetic(line)) {
        rows.origin = rows.origin.and(Origin::Synthetic);
    }

    let delimiter = text::delimiter(lines[header_at]);
    let names = text::split(lines[header_at], delimiter);
    let names_here = renamed(names.clone(), given);
    let unit_row = lines.get(header_at + 1).map(|line| text::split(line, delimiter)).filter(|cells| {
        cells.len() == names.len()
            && cells.iter().any(|c| Unit::parse(c).is_some())
            && cells.iter().all(|c| text::number(c, false).is_none())
    });
    let scale = rows.scale();
    let columns = header::columns(&names_here, unit_row.as_deref(), kind, name, header_at + 1, scale)?;
    let first = header_at + 1 + usize::from(unit_row.is_some());
    let decimal_comma =
        delimiter != ',' && text::has_decimal_commas(lines.iter().skip(first).copied(), delimiter);
    if decimal_comma {
        rows.notes.push(format!("{name}: decimal commas were read as decimal points"));
    }
    let unused: Vec<&str> = names
        .iter()
        .enumerate()
        .filter(|(index, cell)| {
            !cell.trim().is_empty() && columns.iter().all(|column| column.index != *index)
        })
        .map(|(_, cell)| cell.trim())
        .take(MOST_UNUSED)
        .collect();
    if !unused.is_empty() {
        let unused = unused.join(", ");
        rows.notes.push(format!(
            "{name}: columns that are not used: {unused} (a sidecar's [columns] can name them)"
        ));
    }
    rows.assume(&columns, &[]);
    let mut bad = vec![0_usize; columns.len()];
    let mut seen = 0_usize;
    let format = Cells { columns: &columns, width: names.len(), decimal_comma };
    for (index, line) in lines.iter().enumerate().skip(first) {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        seen += 1;
        rows.take(index + 1, &text::split(line, delimiter), &format, &mut bad);
    }
    if seen == 0 {
        return Err(
            InputError::new(name, "no rows below the header", "measured values").at_line(header_at + 1)
        );
    }
    if let Some((column, _)) = columns.iter().zip(&bad).find(|(_, bad)| **bad == seen) {
        let cell = lines
            .iter()
            .skip(first)
            .find(|line| !line.trim().is_empty())
            .and_then(|line| text::split(line, delimiter).get(column.index).cloned())
            .unwrap_or_default();
        let shown: String = cell.chars().take(60).collect();
        return Err(InputError::new(name, format!("text (`{shown}`) in every row"), "numbers")
            .at_line(first + 1)
            .in_column(column.name.clone()));
    }
    rows.finish()
}

/// The kind of measurement that a Parquet table holds, if any.
pub(super) fn recognise_parquet(table: &Table, given: &Given) -> Option<Kind> {
    let names = renamed(table.names().map(str::to_owned).collect(), given);
    KINDS.into_iter().find(|&kind| header::is_header(&names, kind))
}

/// Rows of a Parquet table: row 1 counts as line 2, as below a header.
pub(super) fn read_table(
    name: &str,
    table: &Table,
    kind: Kind,
    given: &Given,
) -> Result<Measurement, InputError> {
    let mut rows = Rows::new(name, kind, given);
    let names = renamed(table.names().map(str::to_owned).collect(), given);
    if !header::is_header(&names, kind) {
        let found = names.iter().take(20).cloned().collect::<Vec<_>>().join(", ");
        return Err(InputError::new(name, format!("columns {found}"), header::wanted(kind)));
    }
    let scale = rows.scale();
    let columns = header::columns(&names, None, kind, name, 1, scale)?;
    rows.assume(&columns, &[]);
    let mut bad = vec![0; columns.len()];
    let format = Cells { columns: &columns, width: names.len(), decimal_comma: false };
    let values: Vec<&Values> = table.names().filter_map(|name| table.values(name).ok()).collect();
    table.check().map_err(|error| InputError::new(name, error.to_string(), "columns of one length"))?;
    for row in 0..table.len() {
        let cells: Vec<String> = values
            .iter()
            .map(|column| match column {
                Values::Float(v) => number(v[row]),
                Values::Text(v) => v[row].clone(),
            })
            .collect();
        rows.take(row + 2, &cells, &format, &mut bad);
    }
    rows.finish()
}

/// Whether a line of a preamble or a comment is `origin: synthetic`.
fn says_synthetic(line: &str) -> bool {
    let line = line.trim_start_matches('#').trim().to_ascii_lowercase();
    line.starts_with("origin") && line.contains("synthetic")
}
