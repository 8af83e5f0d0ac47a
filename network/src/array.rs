//! The simulated array: `array.toml`, its defaults and their meaning.

use mho_data::error::InputError;
use serde::{Deserialize, Serialize};

use crate::effects::Effects;
use crate::spec::toml_error;

/// Everything that an `array.toml` can say. The defaults are a SONOS inference array.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ArrayConfig {
    /// Size and wires.
    pub array: Geometry,
    /// Weights to cells.
    pub mapping: Mapping,
    /// Digital-to-analog conversion of inputs.
    pub input: Input,
    /// Analog-to-digital conversion of column sums.
    pub output: Output,
    /// Range of the cell current.
    pub cell: Cell,
    /// Device effects.
    pub effects: DeviceEffects,
}

/// `[array]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Geometry {
    /// Inputs of one array.
    pub rows: usize,
    /// Outputs of one array.
    pub columns: usize,
    /// Wire resistance between neighbouring cells of a row (ohm).
    pub row_resistance_ohm: f64,
    /// Wire resistance between neighbouring cells of a column (ohm).
    pub column_resistance_ohm: f64,
    /// How inputs drive cells.
    pub topology: Topology,
}

impl Default for Geometry {
    fn default() -> Self {
        Self {
            rows: 1152,
            columns: 256,
            row_resistance_ohm: 0.0,
            column_resistance_ohm: 0.0,
            topology: Topology::InputSource,
        }
    }
}

/// How inputs drive cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topology {
    /// The row supplies the current.
    InputSource,
    /// The row gates the cell.
    Gated,
}

/// `[mapping]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mapping {
    /// How a signed weight becomes currents.
    pub style: MappingStyle,
    /// Bits of a weight, with its sign.
    pub weight_bits: u32,
    /// Cells that a weight's bits are spread over.
    pub slices: u32,
    /// Percentile of |w| in a layer that takes the full current (percent; 100: the largest weight).
    pub clip_percentile: f64,
    /// Where the two currents of a pair are subtracted.
    pub subtract: Subtract,
}

impl Default for Mapping {
    fn default() -> Self {
        Self {
            style: MappingStyle::Differential,
            weight_bits: 8,
            slices: 1,
            clip_percentile: 100.0,
            subtract: Subtract::Array,
        }
    }
}

/// How a signed weight becomes currents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MappingStyle {
    /// One cell of a pair carries |w|, the other the smallest current.
    Differential,
    /// Both cells move about the middle of the range.
    TwoSided,
    /// One cell; the offset is subtracted digitally.
    OffsetDigital,
    /// One cell; the offset is subtracted by a reference column.
    OffsetColumn,
}

/// Where the two currents of a pair are subtracted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subtract {
    /// Before one conversion.
    Array,
    /// After two conversions.
    Digital,
}

/// `[input]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Input {
    /// Bits of an input.
    pub bits: u32,
    /// Whether inputs may be negative.
    pub signed: bool,
    /// How an input is applied.
    pub scheme: InputScheme,
    /// Range of the converter.
    pub range: ConverterRange,
}

impl Default for Input {
    fn default() -> Self {
        Self { bits: 8, signed: true, scheme: InputScheme::Parallel, range: ConverterRange::Calibrated }
    }
}

/// How an input is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InputScheme {
    /// All bits at once.
    Parallel,
    /// One bit after the other.
    BitSerial,
}

/// `[output]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Output {
    /// Bits of a conversion.
    pub bits: u32,
    /// Kind of converter.
    pub kind: ConverterKind,
    /// Range of the converter.
    pub range: ConverterRange,
}

impl Default for Output {
    fn default() -> Self {
        Self { bits: 8, kind: ConverterKind::Uniform, range: ConverterRange::Calibrated }
    }
}

/// Kind of analog-to-digital converter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConverterKind {
    /// Equal steps.
    Uniform,
    /// A sign and a magnitude.
    SignMagnitude,
    /// Shared ramp.
    Ramp,
    /// Successive approximation.
    Sar,
    /// Pipeline of 1.5-bit stages.
    Pipeline,
    /// One 1.5-bit stage, used again and again.
    Cyclic,
}

/// Range of a converter: found from training images, the largest that can occur, or given.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ConverterRange {
    /// `"calibrated"` or `"maximum"`.
    Named(RangeName),
    /// `[lo, hi]`: inputs in units of the network's activations, outputs in units of
    /// weight x activation.
    Fixed([f64; 2]),
}

impl ConverterRange {
    /// The range found from training images.
    #[allow(non_upper_case_globals)]
    pub const Calibrated: Self = Self::Named(RangeName::Calibrated);
    /// The largest range that can occur.
    #[allow(non_upper_case_globals)]
    pub const Maximum: Self = Self::Named(RangeName::Maximum);
}

/// Names of converter ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RangeName {
    /// Percentile with the smallest quantisation error on training images.
    Calibrated,
    /// Everything that can occur fits.
    Maximum,
}

/// `[cell]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cell {
    /// Current of the largest weight (nA).
    pub current_max_na: f64,
    /// Largest over smallest current.
    pub on_off_ratio: f64,
}

impl Default for Cell {
    fn default() -> Self {
        Self { current_max_na: 1600.0, on_off_ratio: 1e7 }
    }
}

impl Cell {
    /// Current of a weight of zero (nA).
    pub fn current_min_na(&self) -> f64 {
        self.current_max_na / self.on_off_ratio
    }
}

/// `[effects]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeviceEffects {
    /// Error of programming.
    pub programming: bool,
    /// Drift with time, mean and random part.
    pub drift: bool,
    /// Shift of the median current with dose.
    pub dose_mean: bool,
    /// Random part of the dose effect.
    pub dose_random: bool,
    /// Noise of every read.
    pub read_noise: bool,
    /// Temperature (K).
    pub temperature_k: f64,
}

impl Default for DeviceEffects {
    fn default() -> Self {
        Self {
            programming: true,
            drift: true,
            dose_mean: true,
            dose_random: true,
            read_noise: true,
            temperature_k: 300.0,
        }
    }
}

impl DeviceEffects {
    /// The effects of an evaluation with quantisation on.
    pub fn with_quantisation(&self) -> Effects {
        Effects {
            quantisation: true,
            programming: self.programming,
            drift: self.drift,
            dose_mean: self.dose_mean,
            dose_random: self.dose_random,
            read_noise: self.read_noise,
        }
    }
}

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

    /// Every field with its unit, default and meaning, for `--explain-array`.
    pub fn explain() -> String {
        let mut text = String::from("# array.toml: every field with its default, unit and meaning\n");
        let mut section = "";
        for &(field, default, unit, meaning) in &FIELDS {
            let (table, key) = field.split_once('.').unwrap_or(("", field));
            if table != section {
                text.push_str(&format!("\n[{table}]\n"));
                section = table;
            }
            let unit = if unit.is_empty() { String::new() } else { format!(" [{unit}]") };
            let entry = format!("{key} = {default}");
            text.push_str(&format!("{entry:<32} #{unit} {meaning}\n"));
        }
        text
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

/// Field, default, unit, meaning.
const FIELDS: [(&str, &str, &str, &str); 25] = [
    (
        "array.rows",
        "1152",
        "",
        "inputs of one array; longer products are cut into equal tiles whose conversions are added digitally",
    ),
    ("array.columns", "256", "", "outputs of one array"),
    ("array.row_resistance_ohm", "0.0", "ohm", "wire between neighbouring cells of a row; only 0 so far"),
    (
        "array.column_resistance_ohm",
        "0.0",
        "ohm",
        "wire between neighbouring cells of a column; only 0 so far",
    ),
    (
        "array.topology",
        "\"input-source\"",
        "",
        "\"input-source\": the row supplies the current; \"gated\" is refused so far",
    ),
    (
        "mapping.style",
        "\"differential\"",
        "",
        "one cell of a pair carries |w|, the other the smallest current; \"two-sided\", \"offset-digital\", \"offset-column\" are refused so far",
    ),
    (
        "mapping.weight_bits",
        "8",
        "bit",
        "bits of a weight with its sign: 8 means 127 levels above zero in each cell",
    ),
    ("mapping.slices", "1", "", "cells that the bits of a weight are spread over; only 1 so far"),
    (
        "mapping.clip_percentile",
        "100.0",
        "percent",
        "percentile of |w| in a layer that takes the full current; larger weights are clipped and counted",
    ),
    (
        "mapping.subtract",
        "\"array\"",
        "",
        "the currents of a pair are subtracted before the conversion; \"digital\" is refused so far",
    ),
    ("input.bits", "8", "bit", "bits of an input, with its sign where it has one"),
    (
        "input.signed",
        "true",
        "",
        "inputs may be negative; a layer whose inputs never are (behind ReLU) uses all codes above zero all the same; false clips negative inputs and counts them",
    ),
    ("input.scheme", "\"parallel\"", "", "all bits at once; \"bit-serial\" is refused so far"),
    (
        "input.range",
        "\"calibrated\"",
        "activation",
        "\"calibrated\" on training images, \"maximum\" of the training images, or [lo, hi]",
    ),
    ("output.bits", "8", "bit", "bits of a conversion"),
    ("output.kind", "\"uniform\"", "", "equal steps with zero as a level; other kinds are refused so far"),
    (
        "output.range",
        "\"calibrated\"",
        "weight x activation",
        "\"calibrated\" on training images, \"maximum\" that the weights and inputs allow, or [lo, hi]",
    ),
    ("cell.current_max_na", "1600.0", "nA", "current of the largest weight"),
    (
        "cell.on_off_ratio",
        "1e7",
        "",
        "largest over smallest current; the smallest is that of a weight of zero",
    ),
    ("effects.programming", "true", "", "error of programming, drawn once per cell and trial"),
    (
        "effects.drift",
        "true",
        "",
        "drift with time, its mean and its random part; false evaluates the table at time 0",
    ),
    ("effects.dose_mean", "true", "", "shift of the median current with dose"),
    ("effects.dose_random", "true", "", "random part of the dose effect, drawn once per cell and trial"),
    ("effects.read_noise", "true", "", "noise of every read, drawn per conversion"),
    ("effects.temperature_k", "300.0", "K", "temperature of storage and read; only 300 so far"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_document_is_the_default() {
        assert_eq!(ArrayConfig::from_toml("", "array.toml").unwrap(), ArrayConfig::default());
        let text = ArrayConfig::default().to_toml().unwrap();
        assert_eq!(ArrayConfig::from_toml(&text, "array.toml").unwrap(), ArrayConfig::default());
    }

    #[test]
    fn the_explanation_is_a_document_with_the_defaults() {
        assert_eq!(
            ArrayConfig::from_toml(&ArrayConfig::explain(), "explained").unwrap(),
            ArrayConfig::default()
        );
    }

    #[test]
    fn ranges_by_name_and_by_bounds() {
        let text = "[input]\nrange = [0.0, 1.0]\n[output]\nrange = \"maximum\"\n";
        let config = ArrayConfig::from_toml(text, "array.toml").unwrap();
        assert_eq!(config.input.range, ConverterRange::Fixed([0.0, 1.0]));
        assert_eq!(config.output.range, ConverterRange::Maximum);
    }

    #[test]
    fn what_cannot_be_simulated_is_refused_with_its_line() {
        for (text, line, key) in [
            ("[array]\nrows = 4\nrow_resistance_ohm = 1.0\n", 3, "row_resistance_ohm"),
            ("[mapping]\nstyle = \"two-sided\"\n", 2, "style"),
            ("\n[mapping]\nweigth_bits = 8\n", 3, "weigth_bits"),
            ("[output]\nkind = \"ramp\"\n", 2, "kind"),
        ] {
            let error = ArrayConfig::from_toml(text, "array.toml").unwrap_err().to_string();
            assert!(error.starts_with(&format!("array.toml:{line}")), "{error}");
            assert!(error.contains(key), "{error}");
        }
    }
}
