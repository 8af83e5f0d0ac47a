//! The simulated array: `array.toml`, its defaults and their meaning.

use serde::{Deserialize, Serialize};

pub use crate::core::spec::{Conversion, Split};
use crate::effects::Effects;

mod check;
mod core_spec;
mod explain;
mod wires;

pub use check::ConfigError;
pub use core_spec::InputRange;
pub use wires::{End, Pairs};

pub use crate::converter::circuit::Circuit;
pub use crate::core::pulse::PulseCell;

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
    /// Inputs as pulse widths on precharged lines, instead of constant inputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pulse: Option<Pulse>,
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
    /// Resistance between a row's driver and its first segment (ohm).
    pub row_terminal_ohm: f64,
    /// Resistance between a column's last segment and its virtual ground (ohm).
    pub column_terminal_ohm: f64,
    /// Ends at which rows are driven.
    pub drive: End,
    /// Ends at which columns are sensed.
    pub sense: End,
    /// Where the two cells of a pair stand.
    pub pairs: Pairs,
    /// How products longer or wider than an array are dealt to several.
    pub split: Split,
    /// How inputs drive cells.
    pub topology: Topology,
    /// Largest error of the currents behind wires, as a part of their root mean square.
    pub wire_tolerance: f64,
    /// Largest current of a column line (nA).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column_current_max_na: Option<f64>,
}

impl Default for Geometry {
    fn default() -> Self {
        Self {
            rows: 1152,
            columns: 256,
            split: Split::Equal,
            row_resistance_ohm: 0.0,
            column_resistance_ohm: 0.0,
            row_terminal_ohm: 0.0,
            column_terminal_ohm: 0.0,
            drive: End::First,
            sense: End::Last,
            pairs: Pairs::Separate,
            topology: Topology::InputSource,
            // Assumed: a fortieth of a step of an 8-bit converter that spans the currents.
            wire_tolerance: 1e-4,
            column_current_max_na: None,
        }
    }
}

/// How inputs drive cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topology {
    /// The row supplies the current.
    InputSource,
    /// The row gates the cell; a line along each row supplies its cells.
    #[serde(alias = "gated-rows")]
    Gated,
    /// The row gates the cell; a line beside each column supplies its cells.
    GatedColumns,
}

impl Topology {
    /// Whether inputs only open and close cells.
    pub fn gated(self) -> bool {
        self != Self::InputSource
    }
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
    /// |w| that takes the full current in all layers, in place of a percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_max: Option<f64>,
    /// Which weights have their own one that takes the full current: those of a layer or of each column.
    pub scale: WeightScale,
    /// Where biases are added.
    pub bias: BiasMapping,
    /// Where the two currents of a pair are subtracted.
    pub subtract: Subtract,
    /// Equal cells side by side for one weight, or for one slice of it, whose currents add.
    pub cells_per_weight: u32,
    /// How the taps of a convolution lie on arrays.
    pub convolution: ConvolutionMapping,
    /// Layers that stay digital: names, `"first"`, `"last"`.
    pub digital_layers: Vec<String>,
}

impl Default for Mapping {
    fn default() -> Self {
        Self {
            style: MappingStyle::Differential,
            weight_bits: 8,
            slices: 1,
            clip_percentile: 100.0,
            weight_max: None,
            scale: WeightScale::Layer,
            bias: BiasMapping::Digital,
            subtract: Subtract::Array,
            cells_per_weight: 1,
            convolution: ConvolutionMapping::Im2col,
            digital_layers: Vec::new(),
        }
    }
}

/// How the taps of a convolution lie on arrays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConvolutionMapping {
    /// All taps in one matrix, whose inputs are copied for every window.
    Im2col,
    /// Each tap on arrays of its own; their products are added digitally.
    KernelStationary,
}

/// Which weights have their own one that takes the full current.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WeightScale {
    /// Those of a layer.
    Layer,
    /// Those of each output; a digital factor behind the converter makes good what that does to its products.
    Column,
}

/// Where biases are added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BiasMapping {
    /// Behind the converters.
    Digital,
    /// By rows of cells at full input, and one at a low input for what rounding to levels leaves.
    Array,
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
    /// Bits applied at once by the scheme `"bit-serial"`.
    pub slice_bits: u32,
    /// Levels of inputs with a sign.
    pub kind: InputKind,
    /// How inputs between two levels are rounded.
    pub rounding: Rounding,
    /// Range of the converter.
    pub range: ConverterRange,
}

impl Default for Input {
    fn default() -> Self {
        Self {
            bits: 8,
            signed: true,
            scheme: InputScheme::Parallel,
            slice_bits: 1,
            kind: InputKind::SignMagnitude,
            rounding: Rounding::Nearest,
            range: ConverterRange::Calibrated,
        }
    }
}

/// `[pulse]`: an input opens its cell for a time, and lines gather charge.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pulse {
    /// How a cell discharges its line.
    pub cell: PulseCell,
    /// Voltage of a charged line (V).
    pub precharge_v: f64,
    /// Voltage drop of a line at the active fraction (V).
    pub swing_v: f64,
    /// Line voltage below which current sources leave saturation (V).
    pub saturation_v: f64,
    /// Fraction of a line's full current that makes the swing.
    pub active_fraction: f64,
    /// Widths of a pulse, no pulse among them: a power of two; 0 for those of `input.bits`.
    pub time_levels: u32,
    /// Capacitance of a line per cell (F).
    pub cell_capacitance_f: f64,
    /// Whether the logarithm of a resistive line is taken after the conversion.
    pub linearise: bool,
}

impl Default for Pulse {
    fn default() -> Self {
        let spec = crate::core::pulse::PulseSpec::default();
        Self {
            cell: spec.cell,
            precharge_v: spec.precharge_v,
            swing_v: spec.swing_v,
            saturation_v: spec.saturation_v,
            active_fraction: spec.active_fraction,
            time_levels: 0,
            cell_capacitance_f: spec.cell_capacitance_f,
            linearise: spec.linearise,
        }
    }
}

/// How an input is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InputScheme {
    /// All bits at once.
    Parallel,
    /// Bits after each other, lowest first, `slice_bits` at a time.
    BitSerial,
}

/// Levels of inputs with a sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InputKind {
    /// A sign and a magnitude: 2^bits - 1 levels, zero among them.
    SignMagnitude,
    /// 2^bits equal steps from one end of the range to the other; zero is none of them.
    Uniform,
}

/// How a converter rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rounding {
    /// To the nearest level.
    Nearest,
    /// To either neighbour at random, with the value itself as expectation.
    Stochastic,
}

/// `[output]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Output {
    /// Bits of a conversion.
    pub bits: u32,
    /// Kind of converter.
    pub kind: ConverterKind,
    /// How values between two levels are rounded, by the kinds that are no circuits.
    pub rounding: Rounding,
    /// Range of the converter.
    pub range: ConverterRange,
    /// When it converts, if inputs come bit by bit.
    pub conversion: Conversion,
    /// Imperfections of the kinds that are circuits; none without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub circuit: Option<Circuit>,
}

impl Default for Output {
    fn default() -> Self {
        Self {
            bits: 8,
            kind: ConverterKind::Uniform,
            rounding: Rounding::Nearest,
            range: ConverterRange::Calibrated,
            conversion: Conversion::EachSlice,
            circuit: None,
        }
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
#[serde(
    untagged,
    expecting = "another range, expected \"calibrated\", \"maximum\", \"granular\", { percentile = 99.9 }, { power_of_two = 99.9 } or [lo, hi]"
)]
pub enum ConverterRange {
    /// `"calibrated"`, `"maximum"` or `"granular"`.
    Named(RangeName),
    /// `[lo, hi]`: inputs in units of the network's activations, outputs in units of
    /// weight x activation.
    Fixed([f64; 2]),
    /// `{ percentile = 99.9 }`: that percentile (percent) of the magnitudes, or at both ends.
    Percentile {
        /// Above 50, at most 100.
        percentile: f64,
    },
    /// `{ power_of_two = 99.9 }`: of outputs, the smallest part 2^-k of the full current of a column that holds
    /// that percentile (percent) at both ends.
    PowerOfTwo {
        /// Above 50, at most 100.
        power_of_two: f64,
    },
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
    /// A step of an output converter is the current of one step of a cell at one step of an input.
    Granular,
}

/// `[cell]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cell {
    /// Current of the largest weight (nA); without it, and without a conductance, the range of the device table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_max_na: Option<f64>,
    /// Largest over smallest current, where no smallest conductance is given.
    pub on_off_ratio: f64,
    /// Conductance of the largest weight (uS), in place of `current_max_na`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conductance_max_us: Option<f64>,
    /// Conductance of the smallest (uS), in place of `on_off_ratio`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conductance_min_us: Option<f64>,
    /// Voltage across a cell at full input (V).
    pub read_voltage_v: f64,
    /// Read voltage at which the device table is asked (V); that of its source without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table_voltage_v: Option<f64>,
    /// Fraction of the cells that stay at the smallest current.
    pub stuck_at_min: f64,
    /// Fraction of the cells that stay at the largest current.
    pub stuck_at_max: f64,
    /// Factor on the spread from device to device of the table.
    pub spread: f64,
}

impl Default for Cell {
    fn default() -> Self {
        Self {
            current_max_na: None,
            on_off_ratio: ON_OFF_RATIO,
            conductance_max_us: None,
            conductance_min_us: None,
            // Assumed: low enough for a cell to be a resistor.
            read_voltage_v: 0.1,
            table_voltage_v: None,
            stuck_at_min: 0.0,
            stuck_at_max: 0.0,
            spread: 1.0,
        }
    }
}

/// Current of the largest weight (nA) where neither the array nor a device table says one: that of the 40 nm SONOS
/// inference array.
const CURRENT_MAX_NA: f64 = 1600.0;

/// Largest over smallest current of the same array.
const ON_OFF_RATIO: f64 = 1e7;

impl Cell {
    /// Whether the current of the largest weight is given, as a current or as a conductance.
    pub fn says_current_max(&self) -> bool {
        self.current_max_na.is_some() || self.conductance_max_us.is_some()
    }

    /// Whether the current of a weight of zero is given, as a ratio or as a conductance.
    pub fn says_current_min(&self) -> bool {
        self.conductance_min_us.is_some() || self.on_off_ratio != ON_OFF_RATIO
    }

    /// Current of the largest weight (nA): as given, or that of the largest conductance at the read voltage.
    pub fn largest_current_na(&self) -> f64 {
        // uS x V = uA
        let of_conductance = || self.conductance_max_us.map(|most| 1e3 * most * self.read_voltage_v);
        self.current_max_na.or_else(of_conductance).unwrap_or(CURRENT_MAX_NA)
    }

    /// Current of a weight of zero (nA).
    pub fn smallest_current_na(&self) -> f64 {
        self.largest_current_na() / self.on_off()
    }

    /// Largest over smallest current, where need be from the smallest conductance.
    pub fn on_off(&self) -> f64 {
        match self.conductance_min_us {
            Some(least) => 1e-3 * self.largest_current_na() / (least * self.read_voltage_v),
            None => self.on_off_ratio,
        }
    }

    /// Largest conductance (S): that which carries the largest current at the read voltage.
    pub fn conductance_max_s(&self) -> f64 {
        1e-9 * self.largest_current_na() / self.read_voltage_v
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
    /// What is done against drift.
    pub drift_compensation: Compensation,
    /// Time after which cells are programmed anew (s); 0 for never.
    pub refresh_period_s: f64,
}

/// What is done against drift: the gain of the read-out is raised as the currents of the cells, read
/// together, have fallen since programming.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compensation {
    /// Nothing.
    None,
    /// One gain for a layer.
    Global,
    /// A gain for every output.
    PerColumn,
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
            drift_compensation: Compensation::None,
            refresh_period_s: 0.0,
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
    fn conductances_stand_for_currents() {
        let text = "[cell]\nconductance_max_us = 20.0\nconductance_min_us = 0.5\nread_voltage_v = 0.2\n";
        let cell = ArrayConfig::from_toml(text, "array.toml").unwrap().cell;
        assert!((cell.largest_current_na() - 4000.0).abs() < 1e-9 && (cell.on_off() - 40.0).abs() < 1e-9);
        assert!((cell.conductance_max_s() - 20e-6).abs() < 1e-18);
    }

    #[test]
    fn everything_can_be_asked_for() {
        for text in [
            "[mapping]\nstyle = \"offset-column\"\nslices = 4\ncells_per_weight = 2\n",
            "[mapping]\nstyle = \"two-sided\"\nsubtract = \"digital\"\n",
            "[array]\nsplit = \"full\"\ntopology = \"gated-columns\"\n[mapping]\nweight_max = 0.5\n[cell]\non_off_ratio = inf\n",
            "[mapping]\nconvolution = \"kernel-stationary\"\n",
            "[input]\nkind = \"uniform\"\nrounding = \"stochastic\"\n[output]\nrounding = \"stochastic\"\nrange = \"granular\"\nbits = 1\n",
            "[input]\nbits = 1\nsigned = false\n[output]\nrange = { power_of_two = 99.9 }\n",
            "[mapping]\nscale = \"column\"\nbias = \"array\"\n",
            "[input]\nscheme = \"bit-serial\"\n[output]\nconversion = \"accumulated\"\n",
            "[output]\nkind = \"sar\"\n[output.circuit]\nsigma_capacitor = 0.02\nbank = \"split\"\n",
            "[pulse]\nswing_v = 0.4\ntime_levels = 64\n",
            "[array]\nrow_resistance_ohm = 1.0\npairs = \"interleaved\"\ndrive = \"both\"\n",
            "[effects]\ndrift_compensation = \"per-column\"\nrefresh_period_s = 1e6\n",
        ] {
            let config = ArrayConfig::from_toml(text, "array.toml").unwrap();
            let again = ArrayConfig::from_toml(&config.to_toml().unwrap(), "array.toml").unwrap();
            assert_eq!(config, again);
        }
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
            ("[array]\nrows = 4\nrow_resistance_ohm = -1.0\n", 3, "row_resistance_ohm"),
            ("[mapping]\nslices = 2\nstyle = \"two-sided\"\n", 3, "style"),
            ("[mapping]\nscale = \"column\"\n[output]\nrange = [-1.0, 1.0]\n", 4, "range"),
            ("\n[mapping]\nweigth_bits = 8\n", 3, "weigth_bits"),
            ("[output]\nkind = \"ramp\"\nbits = 17\n", 3, "bits"),
            ("[output.circuit]\nsigma_capacitor = 2.0\n", 2, "sigma_capacitor"),
            ("[array]\nrow_resistance_ohm = 1.0\n[pulse]\nswing_v = 0.3\n", 2, "row_resistance_ohm"),
            ("[cell]\ncurrent_max_na = 3.0\nconductance_max_us = 3.0\n", 3, "conductance_max_us"),
            ("[pulse]\ntime_levels = 24\n", 2, "time_levels"),
            ("[input]\nbits = 1\n", 2, "bits"),
            ("[input]\nrange = \"granular\"\n", 2, "range"),
            ("[output]\nrange = \"granulated\"\n", 2, "granular"),
            ("[output]\nrange = { power_of_two = 10.0 }\n", 2, "power_of_two"),
            ("[output]\nkind = \"sar\"\nrounding = \"stochastic\"\n", 3, "rounding"),
            ("[output]\nkind = \"sar\"\nrange = \"granular\"\n", 3, "range"),
            ("[mapping]\nclip_percentile = 99.0\nweight_max = 2.0\n", 3, "weight_max"),
            ("[input]\nkind = \"uniform\"\nscheme = \"bit-serial\"\n", 2, "kind"),
            ("[cell]\nstuck_at_min = 0.7\nstuck_at_max = 0.7\n", 3, "stuck_at_max"),
        ] {
            let error = ArrayConfig::from_toml(text, "array.toml").unwrap_err().to_string();
            assert!(error.starts_with(&format!("array.toml:{line}")), "{error}");
            assert!(error.contains(key), "{error}");
        }
    }
}
