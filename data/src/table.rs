//! Tidy tables: named columns of numbers or text, as CSV for people and Parquet for tools.

use crate::error::InputError;
use pl::{NamedFrom, SerReader};
use polars::prelude as pl;
use std::fmt::Write as _;

/// A column that is not there, or not of the asked kind; or a file that could not be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// No column of this name.
    #[error("the table has no column `{name}`; it has {present}")]
    Missing {
        /// The asked name.
        name: String,
        /// The names that are there.
        present: String,
    },
    /// The column holds the other kind of values.
    #[error("column `{name}` holds {found}, not {expected}")]
    Kind {
        /// The column.
        name: String,
        /// What it holds.
        found: &'static str,
        /// What was asked for.
        expected: &'static str,
    },
    /// Columns of different lengths.
    #[error("column `{name}` has {found} rows, the table {expected}")]
    Length {
        /// The column.
        name: String,
        /// Its rows.
        found: usize,
        /// The rows of the others.
        expected: usize,
    },
    /// Parquet could not be written.
    #[error("could not write Parquet: {0}")]
    Parquet(String),
}

/// The values of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Numbers; NaN stands for an empty cell.
    Float(Vec<f64>),
    /// Text.
    Text(Vec<String>),
}

impl Values {
    fn len(&self) -> usize {
        match self {
            Self::Float(values) => values.len(),
            Self::Text(values) => values.len(),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Float(_) => "numbers",
            Self::Text(_) => "text",
        }
    }
}

/// A table of named columns of equal length.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    columns: Vec<(String, Values)>,
    /// Lines that stand before the header of the CSV, each behind `# `.
    pub comments: Vec<String>,
}

impl Table {
    /// A table without columns.
    pub fn new() -> Self {
        Self::default()
    }

    /// The table with a column of numbers more. A column of another length than those before it is
    /// found by [`Table::check`] and by every writer.
    #[must_use]
    pub fn with_float(mut self, name: impl Into<String>, values: Vec<f64>) -> Self {
        self.push_float(name, values);
        self
    }

    /// The table with a column of text more.
    #[must_use]
    pub fn with_text(mut self, name: impl Into<String>, values: Vec<String>) -> Self {
        self.push_text(name, values);
        self
    }

    /// Adds a column of numbers.
    pub fn push_float(&mut self, name: impl Into<String>, values: Vec<f64>) {
        self.columns.push((name.into(), Values::Float(values)));
    }

    /// Adds a column of text.
    pub fn push_text(&mut self, name: impl Into<String>, values: Vec<String>) {
        self.columns.push((name.into(), Values::Text(values)));
    }

    /// Rows.
    pub fn len(&self) -> usize {
        self.columns.first().map_or(0, |(_, values)| values.len())
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Column names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }

    /// Whether there is a column of this name.
    pub fn has(&self, name: &str) -> bool {
        self.names().any(|n| n == name)
    }

    /// The values of a column.
    ///
    /// # Errors
    /// When there is no such column.
    pub fn values(&self, name: &str) -> Result<&Values, TableError> {
        self.columns.iter().find(|(n, _)| n == name).map(|(_, values)| values).ok_or_else(|| {
            TableError::Missing {
                name: name.to_owned(),
                present: self.names().collect::<Vec<_>>().join(", "),
            }
        })
    }

    /// A column of numbers.
    ///
    /// # Errors
    /// When there is no such column, or when it holds text.
    pub fn floats(&self, name: &str) -> Result<&[f64], TableError> {
        match self.values(name)? {
            Values::Float(values) => Ok(values),
            other => {
                Err(TableError::Kind { name: name.to_owned(), found: other.kind(), expected: "numbers" })
            }
        }
    }

    /// A column of text.
    ///
    /// # Errors
    /// When there is no such column, or when it holds numbers.
    pub fn texts(&self, name: &str) -> Result<&[String], TableError> {
        match self.values(name)? {
            Values::Text(values) => Ok(values),
            other => Err(TableError::Kind { name: name.to_owned(), found: other.kind(), expected: "text" }),
        }
    }

    /// The rows for which `keep` holds, in order.
    #[must_use]
    pub fn filter(&self, keep: impl Fn(usize) -> bool) -> Self {
        let rows: Vec<usize> = (0..self.len()).filter(|&row| keep(row)).collect();
        let columns = self
            .columns
            .iter()
            .map(|(name, values)| {
                let values = match values {
                    Values::Float(v) => Values::Float(rows.iter().map(|&row| v[row]).collect()),
                    Values::Text(v) => Values::Text(rows.iter().map(|&row| v[row].clone()).collect()),
                };
                (name.clone(), values)
            })
            .collect();
        Self { columns, comments: self.comments.clone() }
    }

    /// Appends the rows of a table with the same columns (by name).
    ///
    /// # Errors
    /// When a column is missing or of the other kind.
    pub fn append(&mut self, other: &Self) -> Result<(), TableError> {
        if self.columns.is_empty() {
            *self = other.clone();
            return Ok(());
        }
        for (name, values) in &mut self.columns {
            match values {
                Values::Float(v) => v.extend_from_slice(other.floats(name)?),
                Values::Text(v) => v.extend_from_slice(other.texts(name)?),
            }
        }
        Ok(())
    }

    /// That all columns have the same length.
    ///
    /// # Errors
    /// Names the first column that does not.
    pub fn check(&self) -> Result<(), TableError> {
        let expected = self.len();
        for (name, values) in &self.columns {
            if values.len() != expected {
                return Err(TableError::Length { name: name.clone(), found: values.len(), expected });
            }
        }
        Ok(())
    }

    /// CSV: comment lines, a header, rows. Numbers are written in the shortest form that reads back
    /// to the same bits; NaN is an empty cell. Rows beyond the shortest column are not written (see
    /// [`Table::check`]).
    pub fn to_csv(&self) -> String {
        let mut text = String::new();
        for comment in &self.comments {
            let _ = writeln!(text, "# {comment}");
        }
        let header: Vec<String> = self.names().map(quote).collect();
        let _ = writeln!(text, "{}", header.join(","));
        let rows = self.columns.iter().map(|(_, values)| values.len()).min().unwrap_or(0);
        for row in 0..rows {
            for (i, (_, values)) in self.columns.iter().enumerate() {
                if i > 0 {
                    text.push(',');
                }
                match values {
                    Values::Float(v) => text.push_str(&number(v[row])),
                    Values::Text(v) => text.push_str(&quote(&v[row])),
                }
            }
            text.push('\n');
        }
        text
    }

    /// Reads what [`Table::to_csv`] writes, and CSV like it. A column whose every cell is a number
    /// or empty is one of numbers.
    ///
    /// # Errors
    /// No header, or a row with another number of cells; with file and line.
    pub fn from_csv(text: &str, file: &str) -> Result<Self, InputError> {
        let mut comments = Vec::new();
        let mut header: Option<Vec<String>> = None;
        let mut cells: Vec<Vec<String>> = Vec::new();
        for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            if header.is_none()
                && let Some(comment) = line.strip_prefix('#')
            {
                comments.push(comment.trim().to_owned());
                continue;
            }
            if line.trim().is_empty() {
                continue;
            }
            let row = split(line);
            match &header {
                None => {
                    cells = vec![Vec::new(); row.len()];
                    header = Some(row);
                }
                Some(names) if names.len() != row.len() => {
                    return Err(InputError::new(
                        file,
                        format!("{} cells", row.len()),
                        format!("{} as in the header", names.len()),
                    )
                    .at_line(index + 1));
                }
                Some(_) => row.into_iter().zip(&mut cells).for_each(|(cell, column)| column.push(cell)),
            }
        }
        let Some(names) = header else {
            return Err(InputError::new(file, "no header", "a line of column names"));
        };
        let columns = names
            .into_iter()
            .zip(cells)
            .map(|(name, column)| {
                let numbers: Option<Vec<f64>> = column.iter().map(|cell| parse(cell)).collect();
                let all_empty = !column.is_empty() && column.iter().all(|cell| cell.trim().is_empty());
                match numbers {
                    Some(numbers) if !all_empty => (name, Values::Float(numbers)),
                    _ => (name, Values::Text(column)),
                }
            })
            .collect();
        Ok(Self { columns, comments })
    }

    /// Parquet, uncompressed, one row group: the same bytes for the same table.
    ///
    /// # Errors
    /// When columns differ in length.
    pub fn to_parquet(&self) -> Result<Vec<u8>, TableError> {
        self.check()?;
        let columns: Vec<pl::Column> = self
            .columns
            .iter()
            .map(|(name, values)| match values {
                Values::Float(v) => pl::Series::new(name.as_str().into(), v).into(),
                Values::Text(v) => pl::Series::new(name.as_str().into(), v).into(),
            })
            .collect();
        let wrong = |error: pl::PolarsError| TableError::Parquet(error.to_string());
        let mut frame = pl::DataFrame::new(self.len(), columns).map_err(wrong)?;
        let mut bytes = Vec::new();
        pl::ParquetWriter::new(&mut bytes)
            .with_compression(pl::ParquetCompression::Uncompressed)
            .set_parallel(false)
            .finish(&mut frame)
            .map_err(wrong)?;
        Ok(bytes)
    }

    /// Reads Parquet: columns of any number type become numbers, the others text.
    ///
    /// # Errors
    /// When the bytes are not Parquet, or a column is neither numbers nor text.
    pub fn from_parquet(bytes: &[u8], file: &str) -> Result<Self, InputError> {
        // The library panics at some bytes that it should refuse; nothing of it outlives the call.
        quietly(|| Self::decode_parquet(bytes, file))
            .unwrap_or_else(|| Err(InputError::new(file, "damaged content", "a Parquet file")))
    }

    fn decode_parquet(bytes: &[u8], file: &str) -> Result<Self, InputError> {
        let wrong = |error: pl::PolarsError| InputError::new(file, error.to_string(), "a Parquet file");
        let reader = pl::ParquetReader::new(std::io::Cursor::new(bytes));
        // One thread, this one: a panic elsewhere would print its own words.
        let frame = reader.read_parallel(pl::ParallelStrategy::None).finish().map_err(wrong)?;
        let mut table = Self::new();
        for column in frame.columns() {
            let series = column.as_materialized_series();
            let name = series.name().to_string();
            if let Ok(text) = series.str() {
                table.push_text(name, text.iter().map(|cell| cell.unwrap_or_default().to_owned()).collect());
            } else {
                let cast = series.cast(&pl::DataType::Float64).map_err(wrong)?;
                let numbers = cast.f64().map_err(wrong)?;
                table.push_float(name, numbers.iter().map(|cell| cell.unwrap_or(f64::NAN)).collect());
            }
        }
        Ok(table)
    }

    /// Digest of the content: columns sorted by name, numbers as bits (-0 as 0), comments left out.
    pub fn digest(&self) -> [u8; 32] {
        let mut order: Vec<usize> = (0..self.columns.len()).collect();
        order.sort_by(|&a, &b| self.columns[a].0.cmp(&self.columns[b].0));
        let mut hasher = blake3::Hasher::new();
        let bytes = |hasher: &mut blake3::Hasher, part: &[u8]| {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        };
        for index in order {
            let (name, values) = &self.columns[index];
            bytes(&mut hasher, name.as_bytes());
            bytes(&mut hasher, values.kind().as_bytes());
            hasher.update(&(values.len() as u64).to_le_bytes());
            match values {
                Values::Float(v) => v.iter().for_each(|x| {
                    hasher.update(&(x + 0.0).to_bits().to_le_bytes());
                }),
                Values::Text(v) => v.iter().for_each(|x| bytes(&mut hasher, x.as_bytes())),
            }
        }
        *hasher.finalize().as_bytes()
    }
}

thread_local! {
    /// Whether a panic of this thread is caught and told as an error, so that nothing need be printed.
    static QUIET: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Runs code of others that may panic; none when it did. The panics of all other code are told as ever.
fn quietly<T>(work: impl FnOnce() -> T) -> Option<T> {
    static HOOK: std::sync::Once = std::sync::Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                before(info);
            }
        }));
    });
    QUIET.set(true);
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    QUIET.set(false);
    result.ok()
}

/// A decimal form that reads back to the same bits: plain between 1e-4 and 1e7, else scientific.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if value.is_nan() {
        String::new()
    } else if size == 0.0 || (1e-4..1e7).contains(&size) || size.is_infinite() {
        format!("{value}")
    } else {
        format!("{value:e}")
    }
}

fn parse(cell: &str) -> Option<f64> {
    let cell = cell.trim();
    if cell.is_empty() { Some(f64::NAN) } else { cell.parse().ok() }
}

fn quote(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r', '#']) || cell.trim() != cell {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

/// Splits a line of CSV at commas outside of double quotes.
fn split(line: &str) -> Vec<String> {
    let mut cells = Vec::new();
    let mut cell = String::new();
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                cell.push('"');
                chars.next();
            }
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
    }
    cells.push(cell);
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        let mut table = Table::new()
            .with_text("state", vec!["+2.0, fresh".into(), "a \"b\"".into()])
            .with_float("current_na", vec![1.5e-13, f64::NAN]);
        table.comments = vec!["origin: synthetic".into()];
        table
    }

    #[test]
    fn csv_and_parquet_return_the_table() {
        let table = sample();
        let csv = Table::from_csv(&table.to_csv(), "t.csv").unwrap();
        let parquet = Table::from_parquet(&table.to_parquet().unwrap(), "t.parquet").unwrap();
        for back in [&csv, &parquet] {
            assert_eq!(back.texts("state").unwrap(), table.texts("state").unwrap());
            assert_eq!(back.floats("current_na").unwrap()[0], 1.5e-13);
            assert!(back.floats("current_na").unwrap()[1].is_nan());
            assert_eq!(back.digest(), table.digest());
        }
        assert_eq!(csv.comments, table.comments);
        assert_eq!(table.to_parquet().unwrap(), table.to_parquet().unwrap());
    }

    #[test]
    fn errors_name_what_is_wrong() {
        let table = sample();
        assert!(matches!(table.floats("state"), Err(TableError::Kind { .. })));
        assert!(table.floats("nothing").unwrap_err().to_string().contains("current_na"));
        let error = Table::from_csv("a,b\n1,2\n3\n", "x.csv").unwrap_err();
        assert_eq!(error.to_string(), "x.csv:3: found 1 cells, expected 2 as in the header");
        assert!(Table::from_parquet(b"nonsense", "x.parquet").is_err());
        assert!(table.with_float("short", vec![1.0]).to_parquet().is_err());
    }
}
