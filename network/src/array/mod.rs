//! The simulated array: `array.toml`, its defaults and their meaning.

use serde::{Deserialize, Serialize};

use crate::effects::Effects;

mod check;
mod explain;

pub use check::ConfigError;

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
            programming: self.programming,
            drift: self.drift,
            dose_mean: self.dose_mean,
            dose_random: self.dose_random,
            read_noise: self.read_noise,
            ..Effects::ALL
        }
    }
}

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
