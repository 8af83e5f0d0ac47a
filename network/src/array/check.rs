//! Reading `array.toml`, and refusing what makes no sense or cannot be simulated.

use mho_data::error::InputError;

use super::{ArrayConfig, ConverterKind, ConverterRange, InputScheme, MappingStyle, Subtract, Topology};
use crate::spec::toml_error;

impl ArrayConfig {
    /// Reads an `array.toml` and checks it; `file` names it in errors.
    pub fn from_toml(text: &str, file: &str) -> Result<Self, InputError> {
        let config: Self = toml::from_str(text).map_err(|error| toml_error(&error, text, file))?;
        config.check().map_err(|error| {
            let input = InputError::new(file, error.found.clone(), error.expected.clone());
            match line_of(text, error.field) {
                Some(line) => input.at_line(line).in_column(error.field),
                None => input.in_column(error.field),
            }
        })?;
        Ok(config)
    }

    /// The document, as [`Self::from_toml`] reads it.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }

    /// Whether every value makes sense and can be simulated. What cannot is refused, never ignored.
    pub fn check(&self) -> Result<(), ConfigError> {
        let fail = |field, found: String, expected: &str| {
            Err(ConfigError { field, found, expected: expected.to_owned() })
        };
        let bits = "2 to 16 bits";
        let not_yet = |what: &str| format!("{what}: the only one simulated so far");
        let (a, m, i, o, c) = (&self.array, &self.mapping, &self.input, &self.output, &self.cell);
        if a.rows == 0 || a.columns == 0 {
            let field = if a.rows == 0 { "array.rows" } else { "array.columns" };
            return fail(field, "0".into(), "at least 1");
        }
        for (field, ohm) in [
            ("array.row_resistance_ohm", a.row_resistance_ohm),
            ("array.column_resistance_ohm", a.column_resistance_ohm),
        ] {
            if ohm != 0.0 {
                return fail(field, ohm.to_string(), "0.0: wires are not simulated so far");
            }
        }
        if a.topology != Topology::InputSource {
            return fail("array.topology", format!("{:?}", a.topology), &not_yet("\"input-source\""));
        }
        if m.style != MappingStyle::Differential {
            return fail("mapping.style", format!("{:?}", m.style), &not_yet("\"differential\""));
        }
        if !(2..=16).contains(&m.weight_bits) {
            return fail("mapping.weight_bits", m.weight_bits.to_string(), bits);
        }
        if m.slices != 1 {
            return fail("mapping.slices", m.slices.to_string(), &not_yet("1"));
        }
        if !(m.clip_percentile > 50.0 && m.clip_percentile <= 100.0) {
            return fail(
                "mapping.clip_percentile",
                m.clip_percentile.to_string(),
                "above 50, at most 100 percent",
            );
        }
        if m.subtract != Subtract::Array {
            return fail("mapping.subtract", format!("{:?}", m.subtract), &not_yet("\"array\""));
        }
        if !(2..=16).contains(&i.bits) {
            return fail("input.bits", i.bits.to_string(), bits);
        }
        if i.scheme != InputScheme::Parallel {
            return fail("input.scheme", format!("{:?}", i.scheme), &not_yet("\"parallel\""));
        }
        if !(2..=16).contains(&o.bits) {
            return fail("output.bits", o.bits.to_string(), bits);
        }
        if o.kind != ConverterKind::Uniform {
            return fail("output.kind", format!("{:?}", o.kind), &not_yet("\"uniform\""));
        }
        for (field, range) in [("input.range", i.range), ("output.range", o.range)] {
            if let ConverterRange::Fixed([lo, hi]) = range
                && !(lo.is_finite() && hi.is_finite() && lo <= 0.0 && hi > 0.0)
            {
                return fail(field, format!("[{lo}, {hi}]"), "lo <= 0 < hi (zero is a level)");
            }
        }
        if !(c.current_max_na.is_finite() && c.current_max_na > 0.0) {
            return fail("cell.current_max_na", c.current_max_na.to_string(), "a positive current in nA");
        }
        if !(c.on_off_ratio.is_finite() && c.on_off_ratio > 1.0) {
            return fail("cell.on_off_ratio", c.on_off_ratio.to_string(), "a ratio above 1");
        }
        if self.effects.temperature_k != 300.0 {
            let expected = "300.0: tables have no temperature axis so far";
            return fail("effects.temperature_k", self.effects.temperature_k.to_string(), expected);
        }
        Ok(())
    }
}

/// A field with a value that makes no sense or cannot be simulated.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{field}: found {found}, expected {expected}")]
pub struct ConfigError {
    /// Table and key.
    pub field: &'static str,
    /// The value.
    pub found: String,
    /// What is possible.
    pub expected: String,
}

/// Line of `table.key` in a document.
fn line_of(text: &str, field: &str) -> Option<usize> {
    let (table, key) = field.split_once('.')?;
    let mut inside = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('[') {
            inside = line.trim_matches(['[', ']']).trim() == table;
        } else if inside && line.split('=').next().is_some_and(|k| k.trim() == key) {
            return Some(index + 1);
        }
    }
    None
}
