//! What a core is: mapping, arrays, converters.

use serde::{Deserialize, Serialize};

use super::pulse::{PulseCell, PulseSpec};
use crate::array::{MappingStyle, Subtract, WeightScale};
use crate::converter::{ConverterError, ConverterSpec};
use crate::wires::WireError;

/// A core as a document says it. The defaults are one ideal array of analog cells: nothing is
/// quantised, limited or split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CoreSpec {
    /// How a signed weight becomes conductances.
    pub style: MappingStyle,
    /// Bits of a weight with its sign; 0 for analog cells.
    pub weight_bits: u32,
    /// Cells over which the bits of a weight are spread, lowest bits first.
    pub slices: usize,
    /// Equal cells side by side for one weight (or slice of one), whose currents add.
    pub cells_per_weight: usize,
    /// Largest over smallest conductance; `inf` for cells that switch off.
    pub on_off_ratio: f64,
    /// Percentile of |weight| (percent) that takes the full conductance; what lies beyond is clipped.
    pub weight_percentile: f64,
    /// |weight| that takes the full conductance, instead of a percentile; with a scale of its own for every
    /// column, the largest that any column may have.
    pub weight_max: Option<f64>,
    /// Which weights have a percentile of their own: those of the matrix, or those of each column.
    pub scale: WeightScale,
    /// Inputs of one array; 0 for all.
    pub rows: usize,
    /// Outputs of one array; 0 for all.
    pub columns: usize,
    /// How inputs and outputs are dealt to arrays.
    pub split: Split,
    /// Where the currents of a pair, or of a column and its reference, are subtracted.
    pub subtract: Subtract,
    /// Largest current of one column line in units of a cell's largest; `inf` without a limit.
    pub column_current_max: f64,
    /// Inputs as pulse widths on precharged lines, instead of currents of constant inputs.
    pub pulse: Option<PulseSpec>,
    /// Digital to analog.
    pub input: InputSpec,
    /// Analog to digital.
    pub output: OutputSpec,
    /// Seed of converter mismatch and of stochastic rounding.
    pub seed: u64,
}

impl Default for CoreSpec {
    fn default() -> Self {
        Self {
            style: MappingStyle::Differential,
            weight_bits: 0,
            slices: 1,
            cells_per_weight: 1,
            on_off_ratio: f64::INFINITY,
            weight_percentile: 100.0,
            weight_max: None,
            scale: WeightScale::Layer,
            rows: 0,
            columns: 0,
            split: Split::Equal,
            subtract: Subtract::Array,
            column_current_max: f64::INFINITY,
            pulse: None,
            input: InputSpec::default(),
            output: OutputSpec::default(),
            seed: 0,
        }
    }
}

/// How a dimension is dealt to arrays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    /// The fewest arrays, as equally filled as possible.
    Equal,
    /// Full arrays first; the last one holds the rest.
    Full,
}

/// `[input]`: digital to analog.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InputSpec {
    /// Number that drives a row fully. From data, the end of a range of [`crate::converter::range`].
    pub max: f64,
    /// Bits of an input; 0 for analog inputs.
    pub bits: u32,
    /// What the bits mean.
    pub coding: Coding,
    /// Bits applied at once, lowest first; 0 for all.
    pub slice_bits: u32,
    /// Round to either neighbour at random, with the number itself as expectation.
    pub stochastic_rounding: bool,
}

impl Default for InputSpec {
    fn default() -> Self {
        Self { max: 1.0, bits: 0, coding: Coding::SignMagnitude, slice_bits: 0, stochastic_rounding: false }
    }
}

/// What the bits of an input mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coding {
    /// 0 to `max`.
    Unsigned,
    /// 2^bits levels from -`max` to `max`; zero is none of them.
    TwoEnded,
    /// A sign and bits - 1 bits of magnitude; zero is a level.
    SignMagnitude,
}

impl InputSpec {
    /// Bits of the magnitude; 0 for analog and two-ended inputs.
    pub fn magnitude_bits(&self) -> u32 {
        match self.coding {
            Coding::Unsigned => self.bits,
            Coding::SignMagnitude => self.bits.saturating_sub(1),
            Coding::TwoEnded => 0,
        }
    }

    /// Number of slices, and the bits of each.
    pub fn slices(&self) -> (u32, u32) {
        let magnitude = self.magnitude_bits();
        if self.slice_bits == 0 || magnitude == 0 {
            return (1, magnitude);
        }
        let each = self.slice_bits.min(magnitude);
        (magnitude.div_ceil(each), each)
    }

    /// Whether an input may be negative.
    pub fn signed(&self) -> bool {
        self.coding != Coding::Unsigned
    }
}

/// `[output]`: analog to digital.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutputSpec {
    /// The converter; 0 bits for none.
    pub converter: ConverterSpec,
    /// Its range.
    pub range: OutputRange,
    /// When it converts, if inputs come in slices.
    pub conversion: Conversion,
}

/// When a column is converted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conversion {
    /// Once; slices of the input are accumulated as charge.
    #[default]
    Accumulated,
    /// After every slice of the input; codes are shifted and added.
    EachSlice,
}

/// Range of the output converters, in units of (largest conductance) x (full input). The full current
/// of a column of n cells is n.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OutputRange {
    /// By a rule.
    Named(RangeRule),
    /// The same [lo, hi] for all slices of weights.
    Fixed([f64; 2]),
    /// [lo, hi] of each slice of weights.
    Slices(Vec<[f64; 2]>),
    /// In units of the product of weights and inputs, for weights in one slice.
    Outputs {
        /// [lo, hi].
        outputs: [f64; 2],
    },
}

impl Default for OutputRange {
    fn default() -> Self {
        Self::Named(RangeRule::Maximum)
    }
}

impl OutputRange {
    /// Whether it is found from data.
    pub fn is_from_data(&self) -> bool {
        use RangeRule::{MinimumError, Percentile, PowerOfTwo};
        matches!(self, Self::Named(MinimumError | Percentile(_) | PowerOfTwo(_)))
    }
}

/// Rules for a range.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RangeRule {
    /// Everything that can occur on the largest array.
    Maximum,
    /// One step of the converter is one step of a sum of digits: exact while nothing saturates.
    Granular,
    /// From data: the smallest error.
    MinimumError,
    /// From data: this percentile on both sides (percent, above 50).
    Percentile(f64),
    /// From data: the smallest of the full current / 2^k that holds this percentile on both sides.
    PowerOfTwo(f64),
}

/// Why a core cannot be made or used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CoreError {
    /// A key of the specification.
    #[error("found {key} = {found}, expected {expected}")]
    Spec {
        /// Key.
        key: &'static str,
        /// Its value.
        found: String,
        /// What it may be.
        expected: &'static str,
    },
    /// Data of another size.
    #[error("found {found} {what}, expected {expected}")]
    Size {
        /// Of what.
        what: &'static str,
        /// Count found.
        found: usize,
        /// Count expected.
        expected: usize,
    },
    /// A number that is not finite.
    #[error("found {what} number {index} not finite, expected finite numbers")]
    NotFinite {
        /// Of what.
        what: &'static str,
        /// Where.
        index: usize,
    },
    /// The range is to come from data, and there are none.
    #[error("found a range to be calibrated and no data, expected inputs to calibrate with")]
    Uncalibrated,
    /// The output converter.
    #[error("output converter: {0}")]
    Converter(#[from] ConverterError),
    /// Wires of a gated array.
    #[error("wires: {0}")]
    Wires(#[from] WireError),
}

impl CoreSpec {
    /// Smallest conductance over the largest.
    pub fn conductance_min(&self) -> f64 {
        1.0 / self.on_off_ratio
    }

    /// Whether the specification makes sense.
    ///
    /// # Errors
    /// [`CoreError::Spec`] with the first key that does not.
    pub fn check(&self) -> Result<(), CoreError> {
        let wrong = |key, found: String, expected| Err(CoreError::Spec { key, found, expected });
        if self.weight_bits == 1 || self.weight_bits > 24 {
            return wrong("weight_bits", self.weight_bits.to_string(), "2 to 24, or 0 for analog cells");
        }
        if self.slices == 0 || self.slices > 1 && self.slices >= self.weight_bits as usize {
            return wrong("slices", self.slices.to_string(), "1, or fewer slices than weight_bits");
        }
        if self.slices > 1 && self.style == MappingStyle::TwoSided {
            return wrong("style", "two-sided".into(), "differential or an offset style with several slices");
        }
        if self.cells_per_weight == 0 || self.cells_per_weight > 4096 {
            return wrong("cells_per_weight", self.cells_per_weight.to_string(), "1 to 4096");
        }
        if self.on_off_ratio.is_nan() || self.on_off_ratio <= 1.0 {
            return wrong("on_off_ratio", self.on_off_ratio.to_string(), "more than 1, or inf");
        }
        if !(self.weight_percentile > 0.0 && self.weight_percentile <= 100.0) {
            return wrong("weight_percentile", self.weight_percentile.to_string(), "above 0, at most 100");
        }
        match self.weight_max {
            Some(max) if !(max > 0.0 && max.is_finite()) => {
                return wrong("weight_max", max.to_string(), "a positive number");
            }
            _ => {}
        }
        if self.column_current_max.is_nan() || self.column_current_max <= 0.0 {
            return wrong("column_current_max", self.column_current_max.to_string(), "above 0, or inf");
        }
        if let Some(pulse) = &self.pulse {
            self.check_pulse(pulse)?;
        }
        let input = &self.input;
        if !(input.max > 0.0 && input.max.is_finite()) {
            return wrong("input.max", input.max.to_string(), "a positive number");
        }
        let least = if input.coding == Coding::SignMagnitude { 2 } else { 1 };
        if input.bits > 22 || input.bits > 0 && input.bits < least {
            return wrong(
                "input.bits",
                input.bits.to_string(),
                "2 to 22 (1 without a sign), or 0 for analog",
            );
        }
        if input.slice_bits > 0 && input.magnitude_bits() == 0 {
            return wrong(
                "input.slice_bits",
                input.slice_bits.to_string(),
                "0 unless inputs have bits and the coding unsigned or sign-magnitude",
            );
        }
        if let OutputRange::Outputs { .. } = self.output.range
            && self.slices > 1
        {
            return wrong("output.range", "a range of outputs".into(), "another rule with several slices");
        }
        if let OutputRange::Outputs { .. } = self.output.range
            && self.scale == WeightScale::Column
        {
            return wrong(
                "output.range",
                "a range of outputs".into(),
                "another rule where every column has its own scale: outputs at the same current differ",
            );
        }
        if let OutputRange::Slices(ranges) = &self.output.range
            && ranges.len() != self.slices
        {
            return wrong("output.range", format!("{} ranges", ranges.len()), "one for each slice");
        }
        if let OutputRange::Named(RangeRule::Percentile(p) | RangeRule::PowerOfTwo(p)) = self.output.range
            && !(p > 50.0 && p <= 100.0)
        {
            return wrong("output.range.percentile", p.to_string(), "above 50, at most 100");
        }
        Ok(())
    }

    fn check_pulse(&self, pulse: &PulseSpec) -> Result<(), CoreError> {
        let wrong = |key, found: String, expected| Err(CoreError::Spec { key, found, expected });
        pulse.check()?;
        if self.input.signed() {
            return wrong("input.coding", format!("{:?}", self.input.coding), "unsigned with pulses");
        }
        if self.input.slices().0 > 1 && self.output.conversion == Conversion::Accumulated {
            return wrong("output.conversion", "accumulated".into(), "each-slice with slices of pulses");
        }
        if self.column_current_max.is_finite() {
            return wrong("column_current_max", self.column_current_max.to_string(), "inf with pulses");
        }
        if pulse.linearise && (self.subtract == Subtract::Array || pulse.cell == PulseCell::CurrentSource) {
            return wrong(
                "pulse.linearise",
                "true".into(),
                "resistive cells and digital subtraction with it",
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents() {
        assert_eq!(toml::from_str::<CoreSpec>("").unwrap(), CoreSpec::default());
        let text = toml::to_string(&CoreSpec::default()).unwrap();
        assert_eq!(toml::from_str::<CoreSpec>(&text).unwrap(), CoreSpec::default());
        let text = "slices = 4\non_off_ratio = inf\n[output]\nrange = { percentile = 99.9 }\n\
                    [output.converter]\nkind = \"sar\"\nbits = 8\n[output.converter.circuit]\nbank = \"split\"\n";
        let spec: CoreSpec = toml::from_str(text).unwrap();
        assert_eq!(spec.output.range, OutputRange::Named(RangeRule::Percentile(99.9)));
        for range in ["\"granular\"", "{ outputs = [-2.0, 3.0] }", "[-1.0, 1.0]", "[[0.0, 1.0], [0.0, 2.0]]"]
        {
            let text = format!("[output]\nrange = {range}\n");
            assert!(toml::from_str::<CoreSpec>(&text).is_ok(), "{range}");
        }
        assert!(toml::from_str::<CoreSpec>("slizes = 4").is_err());
    }

    #[test]
    fn nonsense_is_refused_by_its_key() {
        let cases = [
            ("weight_bits = 1", "weight_bits"),
            ("slices = 2", "slices"),
            ("weight_bits = 8\nslices = 2\nstyle = \"two-sided\"", "style"),
            ("on_off_ratio = nan", "on_off_ratio"),
            ("weight_percentile = 0.0", "weight_percentile"),
            ("weight_max = -1.0", "weight_max"),
            ("column_current_max = 0.0", "column_current_max"),
            ("cells_per_weight = 0", "cells_per_weight"),
            ("[input]\nmax = nan", "input.max"),
            ("[input]\nslice_bits = 1", "input.slice_bits"),
            ("[output]\nrange = [[0.0, 1.0], [0.0, 1.0]]", "output.range"),
            ("weight_bits = 8\nslices = 2\n[output]\nrange = { outputs = [-1.0, 1.0] }", "output.range"),
            ("scale = \"column\"\n[output]\nrange = { outputs = [-1.0, 1.0] }", "output.range"),
            ("[output]\nrange = { percentile = 3.0 }", "output.range.percentile"),
            ("[pulse]\nswing_v = 2.0\n[input]\ncoding = \"unsigned\"", "pulse.swing_v"),
            ("[pulse]\n", "input.coding"),
            ("[pulse]\nlinearise = true\n[input]\ncoding = \"unsigned\"", "pulse.linearise"),
        ];
        for (text, name) in cases {
            let error = toml::from_str::<CoreSpec>(text).unwrap().check().unwrap_err();
            assert!(matches!(error, CoreError::Spec { key, .. } if key == name), "{text}: {error}");
        }
        assert_eq!(CoreSpec::default().check(), Ok(()));
    }
}
