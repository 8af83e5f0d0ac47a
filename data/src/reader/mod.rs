//! Reading what instruments and people write: CSV and its kin, with preamble, units and bad rows.
//!
//! Understood without a word: comma, semicolon or tab between cells; `# key: value` lines and other
//! lines before the header; units in brackets behind a name (`VG (V)`, `ID [nA]`), in its suffix
//! (`dose_krad_si`) or in a row of their own; decimal commas where the cells are not separated by them;
//! byte order mark and CRLF; overflow readings. A unit is never guessed. A row that cannot be read is
//! dropped, counted and named; a column that cannot be read is an error.

pub mod geometry;
mod header;
pub mod mdm;
mod text;
mod units;

use crate::error::InputError;
use crate::measurement::{Dropped, Kind, Measurement, Sidecar};
use crate::provenance::Origin;
use crate::table::Table;
use header::{Column, Field};
use units::Unit;

/// Readings at or beyond this are the instrument's word for an overflow.
const OVERFLOW: f64 = 9.0e37;

/// A file to read: its name for messages, and its bytes.
pub type File<'a> = (&'a str, &'a [u8]);

/// Reads files of one kind of measurement, one after the other, into one table.
///
/// # Errors
/// The first thing that is wrong with a file, with line, what was found and what was expected.
pub fn read(files: &[File<'_>], kind: Kind) -> Result<Measurement, InputError> {
    let mut rows = Rows::default();
    for (name, bytes) in files {
        read_file(name, bytes, kind, &mut rows)?;
    }
    rows.finish(kind)
}

/// The kind of measurement that a file's header looks like, if any.
pub fn recognise(name: &str, bytes: &[u8]) -> Option<Kind> {
    let text = text::decode(name, bytes).ok()?.text;
    [Kind::IdVg, Kind::StateCurrent, Kind::Threshold]
        .into_iter()
        .find(|&kind| text.lines().any(|line| header::is_header(line, kind)))
}

/// What is gathered over files.
#[derive(Default)]
struct Rows {
    texts: [Vec<String>; 2],
    numbers: std::collections::BTreeMap<Field, Vec<f64>>,
    sweeps: Vec<f64>,
    places: Vec<(String, usize)>,
    dropped: Vec<Dropped>,
    notes: Vec<String>,
    preamble: Vec<String>,
    assumptions: Vec<String>,
    origin: Option<Origin>,
}

fn read_file(name: &str, bytes: &[u8], kind: Kind, rows: &mut Rows) -> Result<(), InputError> {
    let decoded = text::decode(name, bytes)?;
    rows.notes.extend(decoded.notes);
    let lines: Vec<&str> = decoded.text.lines().collect();
    let header_at = lines.iter().position(|line| header::is_header(line, kind)).ok_or_else(|| {
        let found = lines.iter().find(|line| !line.trim().is_empty() && !line.starts_with('#'));
        let error = InputError::new(
            name,
            found.map_or("no header".to_owned(), |line| {
                format!("`{}`", line.chars().take(60).collect::<String>())
            }),
            format!("a header with {}", header::wanted(kind)),
        );
        match found.and_then(|found| lines.iter().position(|line| line == found)) {
            Some(index) => error.at_line(index + 1),
            None => error,
        }
    })?;
    for line in &lines[..header_at] {
        let line = line.trim_start_matches('#').trim();
        if !line.is_empty() && !rows.preamble.iter().any(|known| known == line) {
            rows.preamble.push(line.to_owned());
        }
    }
    // The label counts wherever it stands: files that were joined have it between their rows.
    let above = lines[..header_at].iter();
    let below = lines[header_at..].iter().filter(|line| line.starts_with('#'));
    let origin = if above.chain(below).any(|line| says_synthetic(line)) {
        Origin::Synthetic
    } else {
        Origin::Measured
    };
    rows.origin = Some(rows.origin.map_or(origin, |before| before.and(origin)));

    let delimiter = text::delimiter(lines[header_at]);
    let names = text::split(lines[header_at], delimiter);
    let unit_row = lines.get(header_at + 1).map(|line| text::split(line, delimiter)).filter(|cells| {
        cells.len() == names.len()
            && cells.iter().any(|c| Unit::parse(c).is_some())
            && cells.iter().all(|c| text::number(c, false).is_none())
    });
    let columns = header::columns(&names, unit_row.as_deref(), kind, name, header_at + 1)?;
    let first = header_at + 1 + usize::from(unit_row.is_some());
    let decimal_comma =
        delimiter != ',' && text::has_decimal_commas(lines.iter().skip(first).copied(), delimiter);
    if decimal_comma {
        rows.notes.push(format!("{name}: decimal commas were read as decimal points"));
    }
    let assumed = header::assumptions(&columns, kind);
    rows.assumptions.extend(assumed.into_iter().map(|assumed| format!("{name}: {assumed}")));
    let start = rows.places.len();
    let mut bad = vec![0_usize; columns.len()];
    let mut seen = 0_usize;
    for (index, line) in lines.iter().enumerate().skip(first) {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        seen += 1;
        let place = (name.to_owned(), index + 1);
        match parse_row(line, delimiter, decimal_comma, &columns, names.len(), &mut bad) {
            Ok(row) => rows.push(&row, place, kind),
            Err(reason) => rows.dropped.push(Dropped { file: place.0, line: place.1, reason }),
        }
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
        return Err(InputError::new(name, format!("text (`{cell}`) in every row"), "numbers")
            .at_line(first + 1)
            .in_column(column.name.clone()));
    }
    if rows.places.len() == start {
        let last = rows.dropped.last().map(|d| d.reason.clone()).unwrap_or_default();
        return Err(InputError::new(
            name,
            format!("{seen} rows and none that can be read ({last})"),
            "measured values",
        )
        .at_line(first + 1));
    }
    Ok(())
}

/// Whether a line of a preamble or a comment is `origin: synthetic`.
fn says_synthetic(line: &str) -> bool {
    let line = line.trim_start_matches('#').trim().to_ascii_lowercase();
    line.starts_with("origin") && line.contains("synthetic")
}

struct Row {
    texts: [Option<String>; 2],
    numbers: Vec<(Field, f64)>,
}

fn parse_row(
    line: &str,
    delimiter: char,
    decimal_comma: bool,
    columns: &[Column],
    width: usize,
    bad: &mut [usize],
) -> Result<Row, String> {
    let cells = text::split(line, delimiter);
    // Surplus cells mean that the columns have moved, by decimal commas between commas for one.
    if cells.len() < width || cells[width..].iter().any(|cell| !cell.is_empty()) {
        return Err(format!("{} cells instead of {width}", cells.len()));
    }
    let mut row = Row { texts: [None, None], numbers: Vec::with_capacity(columns.len()) };
    let mut wrong: Option<String> = None;
    for (column, bad) in columns.iter().zip(bad) {
        let cell = cells[column.index].trim();
        if let Some(slot) = column.field.text_slot(column.as_text) {
            row.texts[slot] = Some(cell.to_owned());
            continue;
        }
        match text::number(cell, decimal_comma) {
            Some(value) if value.abs() >= OVERFLOW => {
                wrong = wrong.or(Some(format!("overflow reading `{cell}` in `{}`", column.name)));
            }
            Some(value) => row.numbers.push((column.field, column.unit.si(value))),
            None if column.field == Field::Compliance => {
                row.numbers.push((Field::Compliance, f64::from(u8::from(text::is_yes(cell)))));
            }
            None => {
                *bad += 1;
                let what = if cell.is_empty() { "an empty cell".to_owned() } else { format!("`{cell}`") };
                wrong = wrong.or(Some(format!("{what} in `{}`", column.name)));
            }
        }
    }
    wrong.map_or(Ok(row), Err)
}

impl Rows {
    fn push(&mut self, row: &Row, place: (String, usize), kind: Kind) {
        let device = row.texts[0].clone().unwrap_or_else(|| "device".into());
        let state = row.texts[1].clone().unwrap_or_default();
        let before = self.places.len();
        let same_file = before > 0 && self.places[before - 1].0 == place.0;
        let mut continued =
            same_file && self.texts[0][before - 1] == device && self.texts[1][before - 1] == state;
        for &field in header::fields(kind) {
            let value = row.numbers.iter().find(|(f, _)| *f == field).map_or(field.default(), |(_, v)| *v);
            let column = self.numbers.entry(field).or_default();
            if field.names_a_sweep() && before > 0 && column[before - 1].to_bits() != value.to_bits() {
                continued = false;
            }
            column.push(value);
        }
        let sweep = self.sweeps.last().map_or(0.0, |last| if continued { *last } else { last + 1.0 });
        self.sweeps.push(sweep);
        self.texts[0].push(device);
        self.texts[1].push(state);
        self.places.push(place);
    }

    fn finish(self, kind: Kind) -> Result<Measurement, InputError> {
        let [devices, states] = self.texts;
        let mut table = Table::new().with_text("device", devices);
        if kind != Kind::StateCurrent {
            table.push_text("state", states);
        }
        for &field in header::fields(kind) {
            table.push_float(field.canonical(kind), self.numbers.get(&field).cloned().unwrap_or_default());
        }
        if kind == Kind::IdVg {
            table.push_float("sweep", self.sweeps);
        }
        let sidecar = Sidecar {
            schema: 1,
            kind,
            origin: self.origin.unwrap_or(Origin::Measured),
            dropped: self.dropped,
            assumptions: self.assumptions,
            notes: self.notes,
            preamble: self.preamble,
        };
        Ok(Measurement { table, sidecar, places: self.places })
    }
}

#[cfg(test)]
mod tests;
