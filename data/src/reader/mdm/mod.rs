//! IC-CAP data files (`.mdm`, Keysight): what was swept, what was measured, and the blocks of values.
//!
//! ```text
//! BEGIN_HEADER
//!  ICCAP_INPUTS     name mode nodes… unit compliance sweep…    (one line for each source)
//!  ICCAP_OUTPUTS    name mode nodes… unit type                 (one line for each reading)
//!  ICCAP_VALUES     name "value"                               (one line for each variable)
//! END_HEADER
//! BEGIN_DB                                                     (one block for each inner sweep)
//!  ICCAP_VAR name value                                        (what stands still in the block)
//!  #name name …                                                (the inner sweep first)
//!  number number …
//! END_DB
//! ```
//!
//! Structure that is broken is an error with its line. A row that cannot be read is dropped, counted and
//! named. A file that ends early, or holds less than its header promises, is read as far as it goes and
//! says so in [`MdmFile::incomplete`].

mod block;
mod header;
mod transistor;
mod two_terminal;

pub use header::{Input, Output, SweepPlan};

use super::geometry::Geometry;
use super::header::Field;
use super::rows::{Given, Row, Rows};
use super::{File, join, text};
use crate::error::InputError;
use crate::measurement::{Dropped, Kind, Measurement};

/// A file, as it stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MdmFile {
    /// Name for messages.
    pub name: String,
    /// The sources, in the header's order.
    pub inputs: Vec<Input>,
    /// The readings, in the header's order.
    pub outputs: Vec<Output>,
    /// Variables of `ICCAP_VALUES` and `USER_INPUTS`, as written, without quotes.
    pub values: Vec<(String, String)>,
    /// The blocks, in the file's order.
    pub sweeps: Vec<Sweep>,
    /// Rows that were not used.
    pub dropped: Vec<Dropped>,
    /// Why the file is not complete; empty when it is.
    pub incomplete: Vec<String>,
    /// What else was noticed.
    pub notes: Vec<String>,
}

/// One block: the inner sweep at one set of outer values.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sweep {
    /// Line of `BEGIN_DB`, counted from 1.
    pub line: usize,
    /// What stands still, by name, in V (or A, Hz, s after the input's mode).
    pub fixed: Vec<(String, f64)>,
    /// Names of the columns; the inner sweep is the first.
    pub names: Vec<String>,
    /// The columns, all of one length; V, A, F after the mode of the input or output.
    pub columns: Vec<Vec<f64>>,
    /// Line of each row.
    pub lines: Vec<usize>,
}

impl Sweep {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether the block has no rows.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// A column by its name, case aside.
    pub fn column(&self, name: &str) -> Option<&[f64]> {
        let index = self.names.iter().position(|known| known.eq_ignore_ascii_case(name))?;
        self.columns.get(index).map(Vec::as_slice)
    }

    /// A value that stands still in the block, by its name, case aside.
    pub fn fixed(&self, name: &str) -> Option<f64> {
        self.fixed.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}

impl MdmFile {
    /// Values of a source or reading at each row of a block: swept, held in the block, constant by the
    /// header, or tied to another source (SYNC). None when the file does not say.
    pub fn series(&self, sweep: &Sweep, name: &str) -> Option<Vec<f64>> {
        // A chain of tied sources is no longer than the number of sources; a ring of them ends here.
        let mut ratio = 1.0;
        let mut offset = 0.0;
        let mut name = name.to_owned();
        for _ in 0..=self.inputs.len() {
            let tied = |value: f64| ratio * value + offset;
            if let Some(values) = sweep.column(&name) {
                return Some(values.iter().copied().map(tied).collect());
            }
            if let Some(value) = sweep.fixed(&name) {
                return Some(vec![tied(value); sweep.len()]);
            }
            match &self.input(&name)?.plan {
                SweepPlan::Constant(value) => return Some(vec![tied(*value); sweep.len()]),
                SweepPlan::Synchronous { ratio: inner, offset: shift, master } => {
                    offset += ratio * shift;
                    ratio *= inner;
                    name.clone_from(master);
                }
                _ => return None,
            }
        }
        None
    }

    /// A source by its name, case aside.
    pub fn input(&self, name: &str) -> Option<&Input> {
        self.inputs.iter().find(|input| input.name.eq_ignore_ascii_case(name))
    }

    /// A reading by its name, case aside.
    pub fn output(&self, name: &str) -> Option<&Output> {
        self.outputs.iter().find(|output| output.name.eq_ignore_ascii_case(name))
    }

    /// A variable of the header by its name, case aside.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// Current at which the instrument stops a reading (A): the compliance of the source on its unit.
    pub fn compliance_a(&self, output: &str) -> Option<f64> {
        let unit = self.output(output)?.unit.as_deref()?;
        let source = self.inputs.iter().find(|input| input.unit.as_deref() == Some(unit))?;
        source.compliance.filter(|value| *value > 0.0 && source.mode == "V")
    }

    /// Rows of all blocks.
    pub fn rows(&self) -> usize {
        self.sweeps.iter().map(Sweep::len).sum()
    }
}

/// Whether the bytes look like an IC-CAP data file.
pub fn looks_like(bytes: &[u8]) -> bool {
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]);
    start.lines().any(|line| line.trim() == "BEGIN_HEADER") && start.contains("ICCAP_")
}

/// Reads a file.
///
/// # Errors
/// When the structure is broken: the file, the line, what was found and what was expected.
pub fn read(name: &str, bytes: &[u8]) -> Result<MdmFile, InputError> {
    let decoded = text::decode(name, bytes)?;
    let mut file = MdmFile { name: name.to_owned(), notes: decoded.notes, ..MdmFile::default() };
    let mut lines = Lines { inner: decoded.text.lines().enumerate(), last: 0 };
    match lines.next() {
        Some((_, "BEGIN_HEADER")) => header::read(&mut file, &mut lines)?,
        Some((line, other)) => return Err(wrong(name, line, other, "BEGIN_HEADER")),
        None => {
            return Err(InputError::new(name, "comments only", "BEGIN_HEADER").at_line(lines.last.max(1)));
        }
    }
    let mut blocks = block::Blocks::default();
    while let Some((line, content)) = lines.next() {
        if content != "BEGIN_DB" {
            return Err(wrong(name, line, content, "BEGIN_DB"));
        }
        blocks.read(&mut file, line, &mut lines)?;
    }
    if file.sweeps.is_empty() {
        return Err(InputError::new(name, "a header without data", "BEGIN_DB and a block of values")
            .at_line(lines.last.max(1)));
    }
    blocks.compare_with_plan(&mut file);
    Ok(file)
}

/// Reads files of transistors, one after the other, into one table: columns as in [`Kind::IdVg`].
///
/// # Errors
/// The first thing that is wrong with a file.
pub fn read_transistors(files: &[File<'_>]) -> Result<Measurement, InputError> {
    let files: Vec<MdmFile> =
        files.iter().map(|(name, bytes)| read(name, bytes)).collect::<Result<_, _>>()?;
    measurement(&files)
}

/// Files of one kind as one measurement: sweeps of transistors (whichever terminal was swept), diodes, or
/// capacitors.
///
/// # Errors
/// When a file is of no known kind or of another than the first, lacks a voltage or a current, or has no
/// rows.
pub fn measurement(files: &[MdmFile]) -> Result<Measurement, InputError> {
    join::join(files.iter().map(|file| convert(file, &Given::default())).collect::<Result<_, _>>()?)
}

impl MdmFile {
    /// What the file holds, if it can be told.
    pub fn kind(&self) -> Option<Kind> {
        if self.is_transistor() { Some(Kind::IdVg) } else { two_terminal::kind(self) }
    }
}

/// A file with what is known beside it.
pub(super) fn convert(file: &MdmFile, given: &Given) -> Result<Measurement, InputError> {
    let Some(kind) = file.kind() else {
        let list = |names: Vec<&str>| names.into_iter().take(20).collect::<Vec<_>>().join(", ");
        let inputs = list(file.inputs.iter().map(|input| input.name.as_str()).collect());
        let outputs = list(file.outputs.iter().map(|output| output.name.as_str()).collect());
        return Err(InputError::new(
            &file.name,
            format!("inputs {inputs} and outputs {outputs}"),
            "a transistor (VD, VG and ID), a diode (VP, VN and IP) or a capacitance",
        ));
    };
    let mut given = given.clone();
    if given.texts[0].is_none() {
        given.texts[0] = Some(file.device());
    }
    if let Some(temperature) = file.temperature_k() {
        given.numbers.insert(Field::Temperature, temperature);
    }
    let drawn = [file.drawn(), Geometry::from_name(&file.name)];
    for (geometry, outweighs) in drawn.into_iter().zip([true, false]) {
        let values = [
            (Field::Width, geometry.width_um),
            (Field::Length, geometry.length_um),
            (Field::Multiplicity, geometry.multiplicity),
        ];
        for (field, value) in values.into_iter().filter(|(_, value)| !value.is_nan()) {
            let known = given.numbers.entry(field).or_insert(value);
            if outweighs {
                *known = value;
            }
        }
    }
    let mut rows = Rows::new(&file.name, kind, &given);
    rows.notes.extend(file.notes.iter().cloned());
    rows.incomplete.extend(file.incomplete.iter().cloned());
    rows.dropped.extend(file.dropped.iter().cloned());
    rows.preamble.extend(file.values.iter().map(|(key, value)| format!("{key}: {value}")));
    rows.assume(&[], &[Field::DrainV]);
    match kind {
        Kind::IdVg => transistor::add(file, &mut rows)?,
        Kind::Capacitance => two_terminal::capacitor(file, &mut rows)?,
        _ => two_terminal::diode(file, &mut rows)?,
    }
    rows.finish()
}

/// The rows of a block, from its columns.
fn add_sweep(file: &MdmFile, sweep: &Sweep, columns: &[(Field, Vec<f64>)], rows: &mut Rows) {
    rows.cut();
    let limited = transistor::limited(file, sweep);
    for (row, line) in sweep.lines.iter().enumerate() {
        let mut numbers: Vec<(Field, f64)> =
            columns.iter().map(|(field, values)| (*field, values[row])).collect();
        numbers.push((Field::Compliance, f64::from(u8::from(limited[row]))));
        rows.push(&Row { texts: [None, None], numbers }, *line);
    }
}

/// Lines with their numbers, without comments and blank ones.
struct Lines<'a> {
    inner: std::iter::Enumerate<std::str::Lines<'a>>,
    last: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = (usize, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        for (index, line) in self.inner.by_ref() {
            self.last = index + 1;
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('!') {
                return Some((index + 1, line));
            }
        }
        None
    }
}

fn wrong(name: &str, line: usize, found: &str, expected: &str) -> InputError {
    InputError::new(name, format!("`{}`", short(found)), expected).at_line(line)
}

/// The beginning of a line, for messages.
fn short(line: &str) -> String {
    line.chars().take(60).collect()
}

#[cfg(test)]
mod tests;
