//! Rows of one file on their way into a measurement.

use super::OVERFLOW;
use super::header::{self, Column, Field, Scale};
use super::text;
use crate::error::InputError;
use crate::measurement::{Dropped, FEWEST_POINTS, Kind, Measurement, Sidecar};
use crate::provenance::Origin;
use crate::table::Table;
use std::collections::{BTreeMap, BTreeSet};

/// What is known of every row of a file: from its name, its description or its preamble.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Given {
    /// Device and state.
    pub(super) texts: [Option<String>; 2],
    /// Values in canonical units.
    pub(super) numbers: BTreeMap<Field, f64>,
    /// Where the data come from.
    pub(super) origin: Option<Origin>,
    /// Unit of columns that carry none.
    pub(super) unit: Option<String>,
    /// Names of columns in the file, and what they are called here.
    pub(super) columns: BTreeMap<String, String>,
    /// What was assumed, and what was noticed.
    pub(super) assumptions: Vec<String>,
    /// What was noticed.
    pub(super) notes: Vec<String>,
    /// Lines that belong above the header.
    pub(super) preamble: Vec<String>,
}

/// A row that was read.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) texts: [Option<String>; 2],
    pub(super) numbers: Vec<(Field, f64)>,
}

/// Rows gathered from one file.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) kind: Kind,
    file: String,
    given: Given,
    texts: [Vec<String>; 2],
    numbers: BTreeMap<Field, Vec<f64>>,
    /// Whether a row begins another sweep whatever it holds.
    cuts: Vec<bool>,
    cut: bool,
    lines: Vec<usize>,
    pub(super) dropped: Vec<Dropped>,
    pub(super) incomplete: Vec<String>,
    pub(super) notes: Vec<String>,
    pub(super) preamble: Vec<String>,
    pub(super) assumptions: Vec<String>,
    pub(super) origin: Origin,
}

impl Rows {
    pub(super) fn new(file: &str, kind: Kind, given: &Given) -> Self {
        Self {
            kind,
            file: file.to_owned(),
            given: given.clone(),
            texts: [Vec::new(), Vec::new()],
            numbers: BTreeMap::new(),
            cuts: Vec::new(),
            cut: true,
            lines: Vec::new(),
            dropped: Vec::new(),
            incomplete: Vec::new(),
            notes: given.notes.clone(),
            preamble: given.preamble.clone(),
            assumptions: given.assumptions.clone(),
            origin: given.origin.unwrap_or(Origin::Measured),
        }
    }

    /// The next row begins another sweep.
    pub(super) fn cut(&mut self) {
        self.cut = true;
    }

    /// What turns conductances into currents and targets into states: from the preamble or the description.
    pub(super) fn scale(&self) -> Scale {
        let number = |key: &str| {
            let value = |line: &String| {
                let (found, value) = line.split_once(':')?;
                found.trim().eq_ignore_ascii_case(key).then(|| {
                    value.trim().trim_end_matches([' ', 'V', 'n', 'A', 'u', 'S']).parse::<f64>().ok()
                })?
            };
            self.preamble.iter().find_map(value).filter(|value| value.is_finite() && *value > 0.0)
        };
        let read_v = number("read_v").or_else(|| self.given.numbers.get(&Field::ReadV).copied());
        let of_conductance = || Some(1e3 * number("g_max_us")? * read_v?);
        Scale { read_v, current_max_na: number("current_max_na").or_else(of_conductance) }
    }

    /// Records what is assumed where neither these columns nor the description say.
    pub(super) fn assume(&mut self, columns: &[Column], also: &[Field]) {
        let known = |field: Field| {
            also.contains(&field)
                || self.given.numbers.contains_key(&field)
                || columns.iter().any(|column| column.field == field)
        };
        for assumed in header::assumptions(known, self.kind) {
            let mut line = format!("{}: {assumed}", self.file);
            // A name that says it would otherwise be passed over in silence.
            if assumed.contains("dose")
                && let Some(said) = dose_in_name(&self.file)
            {
                line.push_str(&format!(
                    ", though the name says `{said}`: a sidecar with names = \"…{{dose}}krad…\" reads it"
                ));
            }
            if !self.assumptions.contains(&line) {
                self.assumptions.push(line);
            }
        }
    }

    /// Notes a row that is not used.
    pub(super) fn drop(&mut self, line: usize, reason: String) {
        self.dropped.push(Dropped { file: self.file.clone(), line, reason });
    }

    /// Takes a row of cells; counts in `bad` the columns that hold no number.
    pub(super) fn take(&mut self, line: usize, cells: &[String], format: &Cells<'_>, bad: &mut [usize]) {
        self.take_with(line, cells, format, bad, &[]);
    }

    /// Takes a row of cells and values that stand beside it.
    pub(super) fn take_with(
        &mut self,
        line: usize,
        cells: &[String],
        format: &Cells<'_>,
        bad: &mut [usize],
        beside: &[(Field, f64)],
    ) {
        match parse(cells, format, bad) {
            Ok(mut row) => {
                row.numbers.extend_from_slice(beside);
                self.push(&row, line);
            }
            Err(reason) => self.drop(line, reason),
        }
    }

    /// Takes a row.
    pub(super) fn push(&mut self, row: &Row, line: usize) {
        for (slot, absent) in [(0, "device"), (1, "")] {
            let text = row.texts[slot].as_ref().or(self.given.texts[slot].as_ref());
            self.texts[slot].push(text.map_or(absent, String::as_str).to_owned());
        }
        let always = header::fields(self.kind).iter();
        for &field in always.chain(header::optional(self.kind)) {
            let found = row.numbers.iter().find(|(f, _)| *f == field).map(|(_, value)| *value);
            let known = found.or_else(|| self.given.numbers.get(&field).copied());
            let column = self.numbers.entry(field).or_default();
            // A column that only some rows have begins with the value of those that have it not.
            if known.is_some() || !column.is_empty() || header::fields(self.kind).contains(&field) {
                column.resize(self.lines.len(), field.default());
                column.push(known.unwrap_or_else(|| field.default()));
            }
        }
        self.cuts.push(std::mem::take(&mut self.cut));
        self.lines.push(line);
    }

    /// What names a sweep: columns of which another value begins another one.
    fn naming(&self) -> Vec<&Vec<f64>> {
        let empty = Vec::new();
        let values = |field: Field| self.numbers.get(&field).unwrap_or(&empty);
        let changes = |field: Field| {
            values(field).windows(2).filter(|pair| pair[0].to_bits() != pair[1].to_bits()).count()
        };
        let levels =
            |field: Field| values(field).iter().map(|value| value.to_bits()).collect::<BTreeSet<_>>().len();
        // That of more values is swept, whatever the order of the rows; of as many, the one that changes more.
        let more =
            (levels(Field::DrainV), changes(Field::DrainV)) > (levels(Field::GateV), changes(Field::GateV));
        let drain_is_swept = self.kind == Kind::IdVg && more;
        self.numbers
            .iter()
            .filter(|(field, _)| field.names_a_sweep(self.kind, drain_is_swept))
            .map(|(_, values)| values)
            .filter(|values| !values.is_empty())
            .collect()
    }

    /// Numbers of the sweeps, from 0.
    fn sweeps(&self) -> Vec<f64> {
        let naming = self.naming();
        let mut sweep = 0.0;
        (0..self.lines.len())
            .map(|row| {
                let begins = row > 0
                    && (self.cuts[row]
                        || self.texts.iter().any(|text| text[row] != text[row - 1])
                        || naming.iter().any(|values| values[row].to_bits() != values[row - 1].to_bits()));
                sweep += f64::from(u8::from(begins));
                sweep
            })
            .collect()
    }

    /// An order of the rows in which those of one device and bias stand together, if most sweeps are too short to be
    /// one: a table in which the bias changes from row to row, or one without order.
    fn unmixed(&self, sweeps: &[f64]) -> Option<Vec<usize>> {
        let swept = match self.kind {
            Kind::IdVg => Field::GateV,
            Kind::Diode | Kind::Capacitance => Field::Voltage,
            _ => return None,
        };
        let rows = sweeps.len();
        let parts = sweeps.last().map_or(0, |last| *last as usize + 1);
        if parts < 2 || rows >= parts * FEWEST_POINTS {
            return None;
        }
        let naming = self.naming();
        let mut groups: BTreeMap<(&str, &str, Vec<u64>), Vec<usize>> = BTreeMap::new();
        for row in 0..rows {
            let [device, state] = [0, 1].map(|slot: usize| self.texts[slot][row].as_str());
            let values = naming.iter().map(|values| values[row].to_bits()).collect();
            groups.entry((device, state, values)).or_default().push(row);
        }
        if rows < groups.len() * FEWEST_POINTS {
            return None;
        }
        let mut groups: Vec<Vec<usize>> = groups.into_values().collect();
        groups.sort_by_key(|group| group.first().copied());
        if let Some(values) = self.numbers.get(&swept).filter(|values| values.len() == rows) {
            for group in &mut groups {
                let turns = |pair: &[usize]| (values[pair[1]] - values[pair[0]]).signum();
                let steps: Vec<f64> = group.windows(2).map(turns).filter(|step| *step != 0.0).collect();
                // There and back is a sweep; more turns are no order.
                if steps.windows(2).filter(|pair| pair[0] != pair[1]).count() > 1 {
                    group.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
                }
            }
        }
        Some(groups.into_iter().flatten().collect())
    }

    /// Puts the rows into another order.
    fn reorder(&mut self, order: &[usize]) {
        for texts in &mut self.texts {
            *texts = order.iter().map(|&row| texts[row].clone()).collect();
        }
        for values in self.numbers.values_mut().filter(|values| !values.is_empty()) {
            *values = order.iter().map(|&row| values[row]).collect();
        }
        self.lines = order.iter().map(|&row| self.lines[row]).collect();
        self.cuts = vec![false; order.len()];
    }

    /// The measurement of this file; an error when no row could be read.
    pub(super) fn finish(self) -> Result<Measurement, InputError> {
        if self.lines.is_empty() {
            let (line, reason) =
                self.dropped.first().map_or((1, String::new()), |row| (row.line, row.reason.clone()));
            let found = format!("{} rows and none that can be read ({reason})", self.dropped.len());
            return Err(InputError::new(self.file, found, "measured values").at_line(line));
        }
        let mut whole = self;
        let mut sweeps = whole.sweeps();
        if let Some(order) = whole.unmixed(&sweeps) {
            let before = sweeps.last().map_or(0.0, |last| last + 1.0);
            whole.reorder(&order);
            sweeps = whole.sweeps();
            let after = sweeps.last().map_or(0.0, |last| last + 1.0);
            whole.notes.push(format!(
                "{}: rows of different biases stand among each other ({before} changes): put together as {after} sweeps",
                whole.file
            ));
        }
        whole.measurement(sweeps)
    }

    fn measurement(self, sweeps: Vec<f64>) -> Result<Measurement, InputError> {
        let [devices, states] = self.texts;
        let mut table = Table::new().with_text("device", devices);
        if self.kind != Kind::StateCurrent {
            table.push_text("state", states);
        }
        let mut numbers = self.numbers;
        for &field in header::fields(self.kind).iter().chain(header::optional(self.kind)) {
            if let Some(values) = numbers.remove(&field).filter(|values| !values.is_empty()) {
                table.push_float(field.canonical(self.kind), values);
            }
        }
        if !matches!(self.kind, Kind::StateCurrent | Kind::Threshold) {
            table.push_float("sweep", sweeps);
        }
        let sidecar = Sidecar {
            schema: 1,
            kind: self.kind,
            origin: self.origin,
            dropped: self.dropped,
            incomplete: self.incomplete,
            assumptions: self.assumptions,
            notes: self.notes,
            preamble: self.preamble,
            raw: Vec::new(),
        };
        let places = self.lines.into_iter().map(|line| (self.file.clone(), line)).collect();
        Ok(Measurement { table, sidecar, places })
    }
}

/// A dose that a file's name seems to say: a number before a unit of dose.
fn dose_in_name(file: &str) -> Option<String> {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    ["krad", "Mrad", "kGy", "Gy", "rad"].iter().find_map(|unit| {
        let at = name.find(unit)?;
        let digits: String =
            name[..at].chars().rev().take_while(|c| c.is_ascii_digit() || ".p".contains(*c)).collect();
        digits.ends_with(|c: char| c.is_ascii_digit()).then(|| {
            let digits: String = digits.chars().rev().collect();
            format!("{digits}{unit}")
        })
    })
}

/// How cells are read.
pub(super) struct Cells<'a> {
    pub(super) columns: &'a [Column],
    /// Number of cells in a row.
    pub(super) width: usize,
    pub(super) decimal_comma: bool,
}

fn parse(cells: &[String], format: &Cells<'_>, bad: &mut [usize]) -> Result<Row, String> {
    let width = format.width;
    // Surplus cells mean that the columns have moved, by decimal commas between commas for one.
    if cells.len() < width || cells[width..].iter().any(|cell| !cell.is_empty()) {
        return Err(format!("{} cells instead of {width}", cells.len()));
    }
    let mut row = Row { texts: [None, None], numbers: Vec::with_capacity(format.columns.len()) };
    let mut wrong: Option<String> = None;
    for (column, bad) in format.columns.iter().zip(bad) {
        let cell = cells.get(column.index).map_or("", |cell| cell.trim());
        if let Some(slot) = column.field.text_slot(column.as_text) {
            row.texts[slot] = Some(cell.to_owned());
            continue;
        }
        match text::number(cell, format.decimal_comma) {
            Some(value) if value.abs() >= OVERFLOW => {
                wrong = wrong.or(Some(format!("overflow reading `{cell}` in `{}`", column.name)));
            }
            Some(value) => row.numbers.push((column.field, column.unit.si(value))),
            None if column.field == Field::Compliance => {
                row.numbers.push((Field::Compliance, f64::from(u8::from(text::is_yes(cell)))));
            }
            None => {
                *bad += 1;
                let shown: String = cell.chars().take(60).collect();
                let what = if cell.is_empty() { "an empty cell".to_owned() } else { format!("`{shown}`") };
                wrong = wrong.or(Some(format!("{what} in `{}`", column.name)));
            }
        }
    }
    wrong.map_or(Ok(row), Err)
}
