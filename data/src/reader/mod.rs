//! Reading what instruments and people write, with units, preambles and bad rows.
//!
//! Each format ([`FORMATS`]) has a reader of its own, chosen by content or by name; all of them give a
//! [`Measurement`] in canonical columns. Understood without a word in CSV: comma, semicolon or tab between
//! cells; `# key: value` lines and other lines before the header; units in brackets behind a name
//! (`VG (V)`, `ID [nA]`), in its suffix (`dose_krad_si`) or in a row of their own; decimal commas where the
//! cells are not separated by them; byte order mark and CRLF; overflow readings. A unit is never guessed in
//! silence. A row that cannot be read is dropped, counted and named; a column that cannot be read is an
//! error. What is not in a file can stand in a sidecar ([`Description`]).

mod clarius;
mod delimited;
mod description;
mod easyexpert;
mod format;
pub mod geometry;
mod header;
mod join;
pub mod mdm;
mod pattern;
mod ramps;
mod rows;
mod text;
mod units;

pub use description::Description;
pub use format::{About, FORMATS, Format};

use crate::error::InputError;
use crate::measurement::{Kind, Measurement, Raw};
use crate::table::Table;
use rows::Given;

/// Readings at or beyond this are the instrument's word for an overflow.
const OVERFLOW: f64 = 9.0e37;

/// A file to read: its name for messages, and its bytes.
pub type File<'a> = (&'a str, &'a [u8]);

/// Reads files of one kind of measurement, one after the other, into one table. A file `NAME.toml` is a
/// sidecar: of the file `NAME` (or `NAME` with another extension) where there is one, else of all files.
///
/// # Errors
/// The first thing that is wrong with a file, with line, what was found and what was expected.
pub fn read(files: &[File<'_>], kind: Kind) -> Result<Measurement, InputError> {
    read_as(files, None, Some(kind))
}

/// As [`read`], in a format and of a kind that are given or found.
///
/// # Errors
/// As [`read`]; and when the kind is not given and cannot be found.
pub fn read_as(
    files: &[File<'_>],
    format: Option<Format>,
    kind: Option<Kind>,
) -> Result<Measurement, InputError> {
    let (sidecars, files) = sidecars(files)?;
    read_beside(&files, &sidecars, format, kind)
}

/// As [`read_as`], with a sidecar for all files whatever its name.
///
/// # Errors
/// As [`read_as`].
pub fn read_described(
    files: &[File<'_>],
    format: Option<Format>,
    kind: Option<Kind>,
    (name, bytes): File<'_>,
) -> Result<Measurement, InputError> {
    let (mut sidecars, files) = sidecars(files)?;
    sidecars.push(Beside {
        name,
        bytes,
        stem: "",
        of_all: true,
        description: Description::parse(name, bytes)?,
    });
    read_beside(&files, &sidecars, format, kind)
}

fn read_beside(
    files: &[File<'_>],
    sidecars: &[Beside<'_>],
    format: Option<Format>,
    kind: Option<Kind>,
) -> Result<Measurement, InputError> {
    let mut parts: Vec<Measurement> = Vec::with_capacity(files.len());
    for &(name, bytes) in files {
        let (given, described) = given(name, sidecars)?;
        let format = format.or(described).unwrap_or_else(|| Format::recognise(bytes));
        // A file of no known kind is read as sweeps, which says what a header needs.
        let kind = kind
            .or_else(|| parts.first().map(|known| known.sidecar.kind))
            .or_else(|| kind_of(name, bytes, format, &given))
            .unwrap_or(Kind::IdVg);
        let mut measurement = read_one(name, bytes, format, kind, &given)?;
        measurement.sidecar.raw = vec![raw(name, bytes, format.about().name)];
        parts.push(measurement);
    }
    let mut whole = join::join(parts)?;
    whole.sidecar.raw.extend(sidecars.iter().map(|beside| raw(beside.name, beside.bytes, "sidecar")));
    Ok(whole)
}

/// The mark of a file as it was.
fn raw(name: &str, bytes: &[u8], format: &str) -> Raw {
    let blake3 = blake3::hash(bytes).to_hex().to_string();
    Raw { file: name.to_owned(), bytes: bytes.len() as u64, blake3, format: format.to_owned() }
}

/// The kind of measurement that a file looks like, if any.
pub fn recognise(name: &str, bytes: &[u8]) -> Option<Kind> {
    kind_of(name, bytes, Format::recognise(bytes), &Given::default())
}

fn kind_of(name: &str, bytes: &[u8], format: Format, given: &Given) -> Option<Kind> {
    if format == Format::Parquet {
        return delimited::recognise_parquet(&Table::from_parquet(bytes, name).ok()?, given);
    }
    let decoded = text::decode(name, bytes).ok()?.text;
    let lines: Vec<&str> = decoded.lines().collect();
    match format {
        Format::Mdm => mdm::read(name, bytes).ok()?.kind(),
        Format::EasyExpert => easyexpert::recognise(&lines, given),
        Format::Clarius => clarius::recognise(&lines, given),
        Format::Ramps => Some(Kind::Ramp),
        Format::Csv | Format::Parquet => delimited::recognise(&lines, given),
    }
}

fn read_one(
    name: &str,
    bytes: &[u8],
    format: Format,
    kind: Kind,
    given: &Given,
) -> Result<Measurement, InputError> {
    let measurement = match format {
        Format::Mdm => mdm::convert(&mdm::read(name, bytes)?, given)?,
        Format::EasyExpert => easyexpert::read(name, bytes, kind, given)?,
        Format::Clarius => clarius::read(name, bytes, kind, given)?,
        Format::Ramps => ramps::read(name, bytes, given)?,
        Format::Csv => delimited::read(name, bytes, kind, given)?,
        Format::Parquet => delimited::read_table(name, &Table::from_parquet(bytes, name)?, kind, given)?,
    };
    if measurement.sidecar.kind == kind {
        return Ok(measurement);
    }
    Err(InputError::new(name, measurement.sidecar.kind.title(), kind.title()))
}

/// A sidecar that stands beside files.
struct Beside<'a> {
    name: &'a str,
    bytes: &'a [u8],
    /// Its name without `.toml`.
    stem: &'a str,
    /// Whether no file has its name.
    of_all: bool,
    description: Description,
}

/// Files ending in `.toml` are sidecars.
fn sidecars<'a>(files: &[File<'a>]) -> Result<(Vec<Beside<'a>>, Vec<File<'a>>), InputError> {
    let (found, others): (Vec<File<'_>>, Vec<File<'_>>) =
        files.iter().partition(|(name, _)| name.ends_with(".toml"));
    if let (Some((name, _)), true) = (found.first(), others.is_empty()) {
        return Err(InputError::new(*name, "a sidecar alone", "the file of measurements that it describes"));
    }
    let stems: std::collections::BTreeSet<&str> =
        others.iter().flat_map(|(name, _)| [*name, without_extension(name)]).collect();
    let beside = found.into_iter().map(|(name, bytes)| {
        let stem = without_extension(name);
        let description = Description::parse(name, bytes)?;
        Ok(Beside { name, bytes, stem, of_all: !stems.contains(stem), description })
    });
    Ok((beside.collect::<Result<_, InputError>>()?, others))
}

fn without_extension(name: &str) -> &str {
    let start = name.rfind(['/', '\\']).map_or(0, |slash| slash + 1);
    match name[start..].rfind('.') {
        Some(dot) if dot > 0 => &name[..start + dot],
        _ => name,
    }
}

/// What is known of a file beside its content.
fn given(name: &str, sidecars: &[Beside<'_>]) -> Result<(Given, Option<Format>), InputError> {
    let mut given = Given::default();
    let mut format = None;
    // A file's own sidecar goes before those of all files.
    for of_all in [false, true] {
        for beside in sidecars.iter().filter(|beside| beside.of_all == of_all) {
            if of_all || beside.stem == name || beside.stem == without_extension(name) {
                beside.description.add_to(&mut given, name, !of_all)?;
                format = format.or(beside.description.format());
            }
        }
    }
    Ok((given, format))
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod fuzz;
