//! What a person writes down beside the files: a sidecar in TOML.
//!
//! ```toml
//! schema = 1
//! format = "clarius"                        # where the content does not tell
//! names = "{device}_{dose}krad_{time}s.csv" # what the names of the files say
//! origin = "measured"
//! temperature_k = 300                       # and device, state, dose_krad_si, time_s, vd_v, vg_v, vb_v,
//!                                           # vs_v, read_v, width_um, length_um, multiplicity
//! current_max_na = 1600                     # current of state 1, where targets are currents
//! unit = "uA"                               # of columns that carry none (ramps)
//! [columns]                                 # what the file's columns are
//! "Spannung" = "VG (V)"
//! ```
//!
//! A column of the file outweighs the sidecar, the sidecar of the same name (`sweep.csv.toml`,
//! `sweep.toml`) outweighs the name of the file, and that a sidecar for all files.

use super::format::Format;
use super::header::{self, Field};
use super::pattern::Pattern;
use super::rows::Given;
use crate::error::InputError;
use crate::provenance::Origin;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A sidecar.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    #[serde(default)]
    schema: Option<u32>,
    #[serde(default)]
    format: Option<String>,
    #[serde(default)]
    names: Option<String>,
    #[serde(default)]
    origin: Option<Origin>,
    #[serde(default)]
    note: Option<String>,
    #[serde(default)]
    unit: Option<String>,
    #[serde(default)]
    device: Option<String>,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    dose_krad_si: Option<f64>,
    #[serde(default)]
    time_s: Option<f64>,
    #[serde(default)]
    temperature_k: Option<f64>,
    #[serde(default)]
    vd_v: Option<f64>,
    #[serde(default)]
    vg_v: Option<f64>,
    #[serde(default)]
    vb_v: Option<f64>,
    #[serde(default)]
    vs_v: Option<f64>,
    #[serde(default)]
    read_v: Option<f64>,
    #[serde(default)]
    current_max_na: Option<f64>,
    #[serde(default)]
    width_um: Option<f64>,
    #[serde(default)]
    length_um: Option<f64>,
    #[serde(default)]
    multiplicity: Option<f64>,
    #[serde(default)]
    columns: BTreeMap<String, String>,
}

impl Description {
    /// Reads a sidecar.
    ///
    /// # Errors
    /// An unknown key, a value of the wrong type or out of range: with its line.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, InputError> {
        let text = std::str::from_utf8(bytes)
            .map_err(|_| InputError::new(name, "bytes that are not UTF-8", "a sidecar in TOML"))?;
        let found: Self = toml::from_str(text).map_err(|error| {
            let told = InputError::new(name, error.message().replace('\n', " "), "a sidecar in TOML");
            match error.span() {
                Some(span) => told.at_line(line_at(text, span.start)),
                None => told,
            }
        })?;
        found.check(name, text)?;
        Ok(found)
    }

    fn check(&self, name: &str, text: &str) -> Result<(), InputError> {
        let fail = |key: &str, found: String, expected: &str| {
            let error = InputError::new(name, found, expected.to_owned());
            match text.lines().position(|line| line.trim_start().starts_with(key)) {
                Some(index) => error.at_line(index + 1),
                None => error,
            }
        };
        if let Some(schema) = self.schema.filter(|schema| *schema != 1) {
            return Err(fail("schema", format!("schema {schema}"), "schema = 1"));
        }
        for (field, key, value) in self.numbers() {
            let good = match field {
                Field::Temperature => value > 0.0 && value <= 2000.0,
                Field::Width | Field::Length | Field::Multiplicity => value > 0.0,
                Field::Dose | Field::Time => value >= 0.0,
                _ => value.abs() <= 1e4,
            };
            if !good || !value.is_finite() {
                let expected = match field {
                    Field::Temperature => "above 0 K and at most 2000 K",
                    Field::Width | Field::Length | Field::Multiplicity => "above 0",
                    Field::Dose | Field::Time => "not below 0",
                    _ => "at most 10 kV either way",
                };
                return Err(fail(key, format!("{key} = {value}"), expected));
            }
        }
        if let Some(most) = self.current_max_na.filter(|most| !(most.is_finite() && *most > 0.0)) {
            return Err(fail("current_max_na", format!("current_max_na = {most}"), "above 0"));
        }
        if let Some(format) = &self.format
            && Format::named(format).is_none()
        {
            return Err(fail("format", format!("the format `{format}`"), &Format::names()));
        }
        if let Some(pattern) = &self.names {
            Pattern::parse(pattern).map_err(|what| fail("names", what, "a pattern of file names"))?;
        }
        for (column, meaning) in &self.columns {
            if header::identify(meaning).is_none() {
                let expected = "a quantity with its unit, as in `VG (V)`";
                return Err(fail(column, format!("`{meaning}` for the column `{column}`"), expected));
            }
        }
        Ok(())
    }

    /// The format that it names.
    pub(super) fn format(&self) -> Option<Format> {
        self.format.as_deref().and_then(Format::named)
    }

    fn numbers(&self) -> impl Iterator<Item = (Field, &'static str, f64)> {
        [
            (Field::Dose, "dose_krad_si", self.dose_krad_si),
            (Field::Time, "time_s", self.time_s),
            (Field::Temperature, "temperature_k", self.temperature_k),
            (Field::DrainV, "vd_v", self.vd_v),
            (Field::GateV, "vg_v", self.vg_v),
            (Field::BodyV, "vb_v", self.vb_v),
            (Field::SourceV, "vs_v", self.vs_v),
            (Field::ReadV, "read_v", self.read_v),
            (Field::Width, "width_um", self.width_um),
            (Field::Length, "length_um", self.length_um),
            (Field::Multiplicity, "multiplicity", self.multiplicity),
        ]
        .into_iter()
        .filter_map(|(field, key, value)| Some((field, key, value?)))
    }

    /// Adds what it says to what is known of a file; what is known already stays.
    pub(super) fn add_to(&self, given: &mut Given, file: &str, own: bool) -> Result<(), InputError> {
        for (slot, text) in [(0, &self.device), (1, &self.state)] {
            if given.texts[slot].is_none() {
                given.texts[slot].clone_from(text);
            }
        }
        // In the sidecar of one file the values go before its name, in that of all files behind it.
        let values = |given: &mut Given| {
            for (field, _, value) in self.numbers() {
                given.numbers.entry(field).or_insert(value);
            }
        };
        if own {
            values(given);
        }
        if let Some(pattern) = &self.names {
            let pattern = Pattern::parse(pattern)
                .map_err(|what| InputError::new(file, what, "a pattern of file names"))?;
            pattern.apply(file, given)?;
        }
        values(given);
        given.origin = given.origin.or(self.origin);
        if given.unit.is_none() {
            given.unit.clone_from(&self.unit);
        }
        for (column, meaning) in &self.columns {
            given.columns.entry(column.clone()).or_insert_with(|| meaning.clone());
        }
        for (key, value) in [("read_v", self.read_v), ("current_max_na", self.current_max_na)] {
            if let Some(value) = value {
                given.preamble.push(format!("{key}: {value}"));
            }
        }
        if let Some(note) = &self.note {
            given.notes.push(format!("{file}: {note}"));
        }
        Ok(())
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
