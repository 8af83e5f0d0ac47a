//! Reading `array.toml`, and refusing what makes no sense.

use mho_data::error::InputError;

use super::{
    ArrayConfig, ConverterKind, ConverterRange, InputKind, InputRange, InputScheme, MappingStyle,
    ON_OFF_RATIO, Pairs, RangeName, Rounding, Subtract,
};
use crate::core::spec::CoreError;
use crate::spec::toml_error;

/// Of a current and a conductance that say the same.
const ONE_OF_THEM: &str = "one of them";

impl ArrayConfig {
    /// Reads an `array.toml` and checks it; `file` names it in errors.
    pub fn from_toml(text: &str, file: &str) -> Result<Self, InputError> {
        let config: Self = toml::from_str(text).map_err(|error| toml_error(&error, text, file))?;
        twice(text).and_then(|()| config.check()).map_err(|error| {
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

    /// Whether every value makes sense, alone and with the others. What does not is refused, never
    /// ignored.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.check_array()?;
        self.check_mapping()?;
        self.check_converters()?;
        self.check_cell()?;
        let effects = &self.effects;
        positive("effects.temperature_k", effects.temperature_k, "a temperature in K")?;
        at_least_zero("effects.refresh_period_s", effects.refresh_period_s, "a time in s, or 0 for never")?;
        // What is left is a matter of the whole.
        let spec = self.core_spec(InputRange { max: 1.0, signed: self.input.signed });
        spec.check().map_err(|error| match error {
            CoreError::Spec { key, found, expected } => {
                ConfigError { field: of_core(key), found, expected: expected.into() }
            }
            other => ConfigError { field: "array", found: other.to_string(), expected: "an array".into() },
        })
    }

    fn check_array(&self) -> Result<(), ConfigError> {
        let array = &self.array;
        for (field, count) in [("array.rows", array.rows), ("array.columns", array.columns)] {
            if count == 0 {
                return fail(field, "0", "at least 1");
            }
        }
        for (field, ohm) in [
            ("array.row_resistance_ohm", array.row_resistance_ohm),
            ("array.column_resistance_ohm", array.column_resistance_ohm),
            ("array.row_terminal_ohm", array.row_terminal_ohm),
            ("array.column_terminal_ohm", array.column_terminal_ohm),
        ] {
            at_least_zero(field, ohm, "a resistance in ohm")?;
            if ohm > 0.0 && self.pulse.is_some() {
                return fail(field, ohm, "0.0 with [pulse]: no constant current flows in precharged lines");
            }
        }
        let one_bit = self.input.scheme == InputScheme::BitSerial && self.input.slice_bits == 1;
        if array.topology.gated() && self.wires().is_some() && !one_bit {
            let expected = "input.scheme = \"bit-serial\" with slice_bits = 1: behind wires a gate is open or closed, and what flows \
                            depends on which of them are open";
            return match self.input.scheme {
                InputScheme::Parallel => fail("input.scheme", "parallel", expected),
                InputScheme::BitSerial => fail("input.slice_bits", self.input.slice_bits, expected),
            };
        }
        if !(0.0..=0.1).contains(&array.wire_tolerance) {
            return fail("array.wire_tolerance", array.wire_tolerance, "a part of the current, 0 to 0.1");
        }
        if let Some(limit) = array.column_current_max_na {
            positive("array.column_current_max_na", limit, "a current in nA")?;
        }
        if array.pairs == Pairs::Interleaved {
            let pairs = matches!(self.mapping.style, MappingStyle::Differential | MappingStyle::TwoSided);
            if !pairs {
                return fail("array.pairs", "interleaved", "\"separate\" with a style without pairs");
            }
            if self.mapping.subtract == Subtract::Digital {
                return fail("array.pairs", "interleaved", "\"separate\" with digital subtraction");
            }
        }
        Ok(())
    }

    fn check_mapping(&self) -> Result<(), ConfigError> {
        let mapping = &self.mapping;
        if mapping.weight_bits != 0 && !(2..=24).contains(&mapping.weight_bits) {
            return fail("mapping.weight_bits", mapping.weight_bits, "2 to 24 bits, or 0 for any current");
        }
        let percent = mapping.clip_percentile;
        if !(percent > 50.0 && percent <= 100.0) {
            return fail("mapping.clip_percentile", percent, "above 50, at most 100 percent");
        }
        if let Some(most) = mapping.weight_max {
            positive("mapping.weight_max", most, "a weight")?;
            if percent < 100.0 {
                return fail("mapping.weight_max", "clip_percentile too", ONE_OF_THEM);
            }
        }
        Ok(())
    }

    fn check_converters(&self) -> Result<(), ConfigError> {
        let (input, output) = (&self.input, &self.output);
        let least = if input.signed { 2 } else { 1 };
        if input.bits != 0 && !(least..=22).contains(&input.bits) {
            let expected = "2 to 22 bits (1 with signed = false), or 0 for analog inputs";
            return fail("input.bits", input.bits, expected);
        }
        if input.kind == InputKind::Uniform && input.scheme == InputScheme::BitSerial {
            let expected =
                "\"sign-magnitude\" with the scheme \"bit-serial\": its slices are those of a magnitude";
            return fail("input.kind", "uniform", expected);
        }
        if input.slice_bits == 0 {
            return fail("input.slice_bits", 0, "at least 1");
        }
        let [least, most] = match output.kind {
            ConverterKind::Uniform => [1, 22],
            ConverterKind::SignMagnitude => [2, 22],
            _ => [2, 16],
        };
        let circuit = !matches!(output.kind, ConverterKind::Uniform | ConverterKind::SignMagnitude);
        if output.bits != 0 && !(least..=most).contains(&output.bits) {
            let expected = format!("{least} to {most} bits for this kind, or 0 for no converter");
            return fail("output.bits", output.bits, &expected);
        }
        if circuit && output.rounding == Rounding::Stochastic {
            return fail("output.rounding", "stochastic", "\"nearest\" for a circuit");
        }
        if circuit && output.range == ConverterRange::Named(RangeName::Granular) {
            return fail("output.range", "granular", "another range for a circuit");
        }
        for (field, range) in [("input.range", input.range), ("output.range", output.range)] {
            if let ConverterRange::Fixed([lo, hi]) = range
                && !(lo.is_finite() && hi.is_finite() && lo <= 0.0 && hi > 0.0)
            {
                return fail(field, format!("[{lo}, {hi}]"), "lo <= 0 < hi (zero is a level)");
            }
            if let ConverterRange::Percentile { percentile } = range
                && !(percentile > 50.0 && percentile <= 100.0)
            {
                return fail(field, format!("percentile = {percentile}"), "above 50, at most 100 percent");
            }
            if let ConverterRange::PowerOfTwo { power_of_two } = range
                && !(power_of_two > 50.0 && power_of_two <= 100.0)
            {
                return fail(
                    field,
                    format!("power_of_two = {power_of_two}"),
                    "above 50, at most 100 percent",
                );
            }
        }
        if let ConverterRange::Named(RangeName::Granular) | ConverterRange::PowerOfTwo { .. } = input.range {
            return fail("input.range", "a range of outputs", "another range for inputs");
        }
        if let Some(circuit) = output.circuit {
            if circuit.gain_db.is_nan() || circuit.gain_db < 0.0 {
                return fail("output.circuit.gain_db", circuit.gain_db, "0 or more, or inf");
            }
            for (field, sigma) in [
                ("output.circuit.sigma_capacitor", circuit.sigma_capacitor),
                ("output.circuit.sigma_parasitic", circuit.sigma_parasitic),
                ("output.circuit.sigma_comparator", circuit.sigma_comparator),
            ] {
                if !(0.0..=1.0).contains(&sigma) {
                    return fail(field, sigma, "0 to 1");
                }
            }
            if circuit.columns_per_converter == 0 {
                return fail("output.circuit.columns_per_converter", 0, "at least 1");
            }
        }
        if let Some(pulse) = self.pulse
            && pulse.time_levels > 0
            && !(pulse.time_levels.is_power_of_two() && (2..=1 << 22).contains(&pulse.time_levels))
        {
            return fail("pulse.time_levels", pulse.time_levels, "a power of two from 2 on, or 0");
        }
        Ok(())
    }

    fn check_cell(&self) -> Result<(), ConfigError> {
        let cell = &self.cell;
        for (field, value, expected) in [
            ("cell.current_max_na", cell.current_max_na, "a current in nA"),
            ("cell.conductance_max_us", cell.conductance_max_us, "a conductance in uS"),
            ("cell.conductance_min_us", cell.conductance_min_us, "a conductance in uS"),
            ("cell.table_voltage_v", cell.table_voltage_v, "a voltage in V"),
        ] {
            if let Some(value) = value {
                positive(field, value, expected)?;
            }
        }
        positive("cell.read_voltage_v", cell.read_voltage_v, "a voltage in V")?;
        if cell.current_max_na.is_some() && cell.conductance_max_us.is_some() {
            return fail("cell.conductance_max_us", "current_max_na too", ONE_OF_THEM);
        }
        // A ratio at its default is not told from none.
        if cell.conductance_min_us.is_some() && cell.on_off_ratio != ON_OFF_RATIO {
            return fail("cell.conductance_min_us", "on_off_ratio too", ONE_OF_THEM);
        }
        let on_off = cell.on_off();
        if on_off.is_nan() || on_off <= 1.0 {
            let field = match cell.conductance_min_us {
                Some(_) => "cell.conductance_min_us",
                None => "cell.on_off_ratio",
            };
            return fail(field, on_off, "a ratio of largest to smallest above 1, or inf");
        }
        at_least_zero("cell.spread", cell.spread, "a factor")?;
        for (field, part) in
            [("cell.stuck_at_min", cell.stuck_at_min), ("cell.stuck_at_max", cell.stuck_at_max)]
        {
            if !(0.0..=1.0).contains(&part) {
                return fail(field, part, "a fraction of the cells, 0 to 1");
            }
        }
        if cell.stuck_at_min + cell.stuck_at_max > 1.0 {
            return fail("cell.stuck_at_max", cell.stuck_at_max, "at most 1 together with stuck_at_min");
        }
        Ok(())
    }
}

/// A field with a value that makes no sense.
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

#[allow(clippy::needless_pass_by_value)] // numbers and texts alike
fn fail(field: &'static str, found: impl ToString, expected: &str) -> Result<(), ConfigError> {
    Err(ConfigError { field, found: found.to_string(), expected: expected.to_owned() })
}

fn positive(field: &'static str, value: f64, what: &str) -> Result<(), ConfigError> {
    if value.is_finite() && value > 0.0 { Ok(()) } else { fail(field, value, &format!("{what} above 0")) }
}

fn at_least_zero(field: &'static str, value: f64, what: &str) -> Result<(), ConfigError> {
    if value.is_finite() && value >= 0.0 {
        Ok(())
    } else {
        fail(field, value, &format!("{what}, at least 0"))
    }
}

/// Refuses a ratio beside the smallest conductance even where the ratio is that of the default.
fn twice(text: &str) -> Result<(), ConfigError> {
    let Ok(document) = text.parse::<toml::Table>() else { return Ok(()) };
    let has = |key: &str| document.get("cell").and_then(|cell| cell.get(key)).is_some();
    if has("conductance_min_us") && has("on_off_ratio") {
        return fail("cell.conductance_min_us", "on_off_ratio too", ONE_OF_THEM);
    }
    Ok(())
}

/// The field of the document that a key of a core stands for.
fn of_core(key: &'static str) -> &'static str {
    match key {
        "style" => "mapping.style",
        "weight_bits" => "mapping.weight_bits",
        "slices" => "mapping.slices",
        "cells_per_weight" => "mapping.cells_per_weight",
        "weight_percentile" => "mapping.clip_percentile",
        "on_off_ratio" => "cell.on_off_ratio",
        "column_current_max" => "array.column_current_max_na",
        "output.conversion" => "output.conversion",
        "output.range" => "output.range",
        "input.bits" => "input.bits",
        "input.slice_bits" => "input.slice_bits",
        "pulse.precharge_v" => "pulse.precharge_v",
        "pulse.swing_v" => "pulse.swing_v",
        "pulse.saturation_v" => "pulse.saturation_v",
        "pulse.active_fraction" => "pulse.active_fraction",
        "pulse.cell_capacitance_f" => "pulse.cell_capacitance_f",
        "pulse.linearise" => "pulse.linearise",
        _ => "array",
    }
}

/// Line of `table.key` in a document; the table may have a name in parts.
fn line_of(text: &str, field: &str) -> Option<usize> {
    let (table, key) = field.rsplit_once('.')?;
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
