//! CSV of Keysight EasyEXPERT (B1500A and kin): blocks that begin with `SetupTitle`, with the test's
//! parameters, `DataName` and `DataValue` rows. Values are in V and A, which the format fixes.
//!
//! Where the secondary sweep (VAR2) is not among the data, its value follows from its start and step and
//! from the number of points of the primary sweep (`Dimension1`). A constant source is taken from
//! `Measurement.Bias.Source`, which lists one value for each channel of function CONST.

use super::header::{self, Column, Field};
use super::rows::{Cells, Given, Rows};
use super::text;
use super::units::{Quantity, Unit};
use crate::error::InputError;
use crate::measurement::{Kind, Measurement};

/// Whether the text looks like it.
pub(super) fn looks_like(lines: &[&str]) -> bool {
    lines.iter().take(400).any(|line| {
        let first = line.split(',').next().unwrap_or_default().trim();
        first == "SetupTitle" || first == "DataName"
    })
}

/// The kind of measurement, by the first line of names.
pub(super) fn recognise(lines: &[&str], given: &Given) -> Option<Kind> {
    let names = lines.iter().find(|line| line.trim_start().starts_with("DataName"))?;
    let cells: Vec<String> = text::split(names, ',').into_iter().skip(1).collect();
    let cells: Vec<String> =
        cells.into_iter().map(|name| given.columns.get(&name).cloned().unwrap_or(name)).collect();
    [Kind::IdVg, Kind::Capacitance, Kind::Diode].into_iter().find(|&kind| {
        // The swept and the stepped source may stand in the parameters alone.
        let found: Vec<Field> =
            cells.iter().filter_map(|cell| header::identify(cell).map(|(field, _)| field)).collect();
        header::is_header(&cells, kind)
            || (kind == Kind::IdVg && found.contains(&Field::Current) && found.contains(&Field::DrainV))
    })
}

/// Parameters of the block that is being read.
#[derive(Default)]
struct Block {
    title: String,
    parameters: std::collections::BTreeMap<String, Vec<String>>,
    /// Points of the primary sweep.
    points: Option<usize>,
    columns: Vec<Column>,
    width: usize,
    rows: usize,
}

pub(super) fn read(name: &str, bytes: &[u8], kind: Kind, given: &Given) -> Result<Measurement, InputError> {
    let decoded = text::decode(name, bytes)?;
    let mut rows = Rows::new(name, kind, given);
    rows.notes.extend(decoded.notes);
    let mut block = Block::default();
    let mut bad = Vec::new();
    let mut skipped = std::collections::BTreeSet::new();
    for (index, line) in decoded.text.lines().enumerate() {
        let number = index + 1;
        if line.trim().is_empty() {
            continue;
        }
        let mut cells = text::split(line, ',').into_iter();
        let word = cells.next().unwrap_or_default();
        let cells: Vec<String> = cells.collect();
        match word.as_str() {
            "SetupTitle" => {
                block = Block { title: cells.join(","), ..Block::default() };
                rows.preamble.push(format!("SetupTitle: {}", block.title));
                rows.cut();
            }
            "TestParameter" => {
                if let Some((key, values)) = cells.split_first() {
                    block.parameters.insert(key.clone(), values.to_vec());
                }
            }
            "Dimension1" => block.points = cells.first().and_then(|cell| cell.parse().ok()),
            "DataName" => {
                // Another list of names within a block begins other data.
                block.rows = 0;
                block.width = cells.len();
                block.columns = columns(name, number, &cells, kind, given)?;
                for (column, cell) in cells.iter().enumerate() {
                    if !block.columns.iter().any(|known| known.index == column) && !cell.is_empty() {
                        skipped.insert(cell.clone());
                    }
                }
                let also = constants(&block, name, number, kind)?;
                let fields: Vec<Field> = also.iter().map(|(field, _)| *field).collect();
                rows.assume(&block.columns, &fields);
                for (field, value) in &also {
                    let said = format!(
                        "{name}: {} = {value} at the first point, from the test's parameters",
                        field.canonical(kind)
                    );
                    if !rows.notes.contains(&said) {
                        rows.notes.push(said);
                    }
                }
                bad = vec![0; block.columns.len()];
                rows.cut();
            }
            "DataValue" => {
                if block.columns.is_empty() {
                    return Err(InputError::new(name, "DataValue", "DataName before it").at_line(number));
                }
                let fixed = constants(&block, name, number, kind)?;
                let format = Cells { columns: &block.columns, width: block.width, decimal_comma: false };
                rows.take_with(number, &cells, &format, &mut bad, &fixed);
                block.rows += 1;
            }
            // What the program says of the graph and of the record.
            "PrimitiveTest" | "AnalysisSetup" | "Dimension2" | "Dimension3" | "MetaData" | "TestRecord"
            | "OutputList" | "AutoAnalysis" => {}
            _ => rows.drop(number, format!("a line that begins with `{}`", shown(&word))),
        }
    }
    if !skipped.is_empty() {
        let names: Vec<String> = skipped.into_iter().take(20).collect();
        rows.notes.push(format!("{name}: columns that are not used: {}", names.join(", ")));
    }
    rows.finish()
}

fn shown(word: &str) -> String {
    word.chars().take(40).collect()
}

/// Columns by the names of the channels, in V, A and F.
fn columns(
    file: &str,
    line: usize,
    cells: &[String],
    kind: Kind,
    given: &Given,
) -> Result<Vec<Column>, InputError> {
    let named: Vec<String> = cells
        .iter()
        .map(|cell| {
            let cell = given.columns.get(cell).unwrap_or(cell);
            match header::identify(cell) {
                Some((field, None)) => match field.quantity() {
                    Quantity::Voltage => format!("{cell} (V)"),
                    Quantity::Current => format!("{cell} (A)"),
                    Quantity::Capacitance => format!("{cell} (F)"),
                    Quantity::Time => format!("{cell} (s)"),
                    _ => cell.clone(),
                },
                _ => cell.clone(),
            }
        })
        .collect();
    let columns = header::columns(&named, None, kind, file, line, header::Scale::default())?;
    let value = if kind == Kind::Capacitance { Field::Capacitance } else { Field::Current };
    if columns.iter().any(|column| column.field == value) {
        return Ok(columns);
    }
    let found = format!("DataName, {}", shown(&cells.join(", ")));
    Err(InputError::new(file, found, header::wanted(kind)).at_line(line))
}

/// Sources that stand in the parameters and not among the data, at the row to come.
fn constants(block: &Block, file: &str, line: usize, kind: Kind) -> Result<Vec<(Field, f64)>, InputError> {
    let list = |key: &str| block.parameters.get(key).map_or(&[][..], Vec::as_slice);
    let value = |key: &str| list(key).first().and_then(|cell| text::number(cell, false));
    let (names, functions) = (list("Channel.VName"), list("Channel.Func"));
    let mut found = Vec::new();
    let mut constant = 0;
    for (name, function) in names.iter().zip(functions) {
        let field = header::identify(name).map(|(field, _)| field).filter(|field| {
            field.quantity() == Quantity::Voltage
                && (header::fields(kind).contains(field) || header::optional(kind).contains(field))
        });
        let value = match function.as_str() {
            "CONST" => {
                constant += 1;
                list("Measurement.Bias.Source").get(constant - 1).and_then(|cell| text::number(cell, false))
            }
            "VAR2" => match (value("Measurement.Secondary.Start"), value("Measurement.Secondary.Step")) {
                (Some(start), step) => {
                    let index = block.points.filter(|points| *points > 0).map_or(0, |p| block.rows / p);
                    Some(start + step.unwrap_or(0.0) * index as f64)
                }
                _ => None,
            },
            _ => None,
        };
        if let (Some(field), Some(value)) = (field, value)
            && !block.columns.iter().any(|column| column.field == field)
            && !found.iter().any(|(known, _)| *known == field)
        {
            found.push((field, Unit::NONE.si(value)));
        }
    }
    // A source that is swept and neither measured nor listed cannot be made up.
    let swept = if kind == Kind::IdVg { Field::GateV } else { Field::Voltage };
    let has =
        |field| block.columns.iter().any(|c| c.field == field) || found.iter().any(|(f, _)| *f == field);
    if has(swept) {
        Ok(found)
    } else {
        Err(InputError::new(file, "no voltage of the sweep", header::wanted(kind)).at_line(line))
    }
}
