//! The core of one layer on the array of a configuration.

use super::{ArrayConfig, ConverterRange, InputKind, InputScheme, Pulse, RangeName, Rounding};
use crate::converter::ConverterSpec;
use crate::core::CoreSpec;
use crate::core::pulse::PulseSpec;
use crate::core::spec::{Coding, Conversion, InputSpec, OutputRange, OutputSpec, RangeRule};

/// What the inputs of a layer span.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InputRange {
    /// Magnitude that drives a row fully.
    pub max: f64,
    /// Whether inputs may be negative.
    pub signed: bool,
}

impl ArrayConfig {
    /// Whether inputs with a sign are applied in two reads, first the positive ones, then the magnitudes
    /// of the negative ones: pulses and gates have no sign.
    pub fn in_two_reads(&self, input: InputRange) -> bool {
        input.signed && (self.pulse.is_some() || self.array.topology.gated())
    }

    /// The core of a layer with such inputs. Conductances are in units of that of the largest weight.
    pub fn core_spec(&self, input: InputRange) -> CoreSpec {
        let serial = self.input.scheme == InputScheme::BitSerial;
        let two_reads = self.in_two_reads(input);
        let bits = match &self.pulse {
            Some(Pulse { time_levels, .. }) if *time_levels > 0 => time_levels.ilog2(),
            // The sign takes a bit, as in one read.
            _ if two_reads => self.input.bits.saturating_sub(1),
            _ => self.input.bits,
        };
        let signed = input.signed && !two_reads;
        let input = InputSpec {
            max: input.max,
            bits,
            coding: match self.input.kind {
                _ if !signed => Coding::Unsigned,
                InputKind::SignMagnitude => Coding::SignMagnitude,
                InputKind::Uniform => Coding::TwoEnded,
            },
            slice_bits: if serial { self.input.slice_bits } else { 0 },
            stochastic_rounding: self.input.rounding == Rounding::Stochastic,
        };
        let output = OutputSpec {
            converter: ConverterSpec {
                kind: self.output.kind,
                bits: self.output.bits,
                stochastic_rounding: self.output.rounding == Rounding::Stochastic,
                circuit: self.output.circuit.unwrap_or_default(),
            },
            range: match self.output.range {
                ConverterRange::Named(RangeName::Calibrated) => OutputRange::Named(RangeRule::MinimumError),
                ConverterRange::Named(RangeName::Maximum) => OutputRange::Named(RangeRule::Maximum),
                ConverterRange::Named(RangeName::Granular) => OutputRange::Named(RangeRule::Granular),
                ConverterRange::PowerOfTwo { power_of_two } => {
                    OutputRange::Named(RangeRule::PowerOfTwo(power_of_two))
                }
                ConverterRange::Percentile { percentile } => {
                    OutputRange::Named(RangeRule::Percentile(percentile))
                }
                ConverterRange::Fixed(outputs) => OutputRange::Outputs { outputs },
            },
            // Of inputs in one piece both are the same, and this one is faster.
            conversion: if serial { self.output.conversion } else { Conversion::Accumulated },
        };
        CoreSpec {
            style: self.mapping.style,
            weight_bits: self.mapping.weight_bits,
            slices: self.mapping.slices as usize,
            cells_per_weight: self.mapping.cells_per_weight as usize,
            on_off_ratio: self.cell.on_off(),
            weight_percentile: self.mapping.clip_percentile,
            weight_max: self.mapping.weight_max,
            split: self.array.split,
            scale: self.mapping.scale,
            rows: self.array.rows,
            columns: self.array.columns,
            subtract: self.mapping.subtract,
            column_current_max: self
                .array
                .column_current_max_na
                .map_or(f64::INFINITY, |limit| limit / self.cell.largest_current_na()),
            pulse: self.pulse.map(|pulse| PulseSpec {
                cell: pulse.cell,
                precharge_v: pulse.precharge_v,
                swing_v: pulse.swing_v,
                saturation_v: pulse.saturation_v,
                active_fraction: pulse.active_fraction,
                cell_capacitance_f: pulse.cell_capacitance_f,
                cell_current_a: 1e-9 * self.cell.largest_current_na(),
                linearise: pulse.linearise,
            }),
            input,
            output,
            ..CoreSpec::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{Core, Mapping};

    /// A fixed range is in the units of the layer: outputs beyond it saturate at its ends.
    #[test]
    fn the_default_array_makes_cores() {
        let mut config = ArrayConfig::default();
        let weights: Vec<f64> = (0..40).map(|i| f64::from(i % 7) * 0.1 - 0.3).collect();
        let x: Vec<f64> = (0..10).map(|i| f64::from(i) * 0.2).collect();
        let product = |config: &ArrayConfig| {
            let spec = config.core_spec(InputRange { max: 2.0, signed: true });
            let mapping = Mapping::new(&weights, 4, 10, &spec).unwrap();
            Core::<f64>::calibrated(&mapping, &x, 1).unwrap().multiply(&x, 1).unwrap()
        };
        let exact: Vec<f64> =
            weights.chunks_exact(10).map(|row| row.iter().zip(&x).map(|(w, x)| w * x).sum()).collect();
        let full = 0.3 * x.iter().sum::<f64>();
        for (y, exact) in product(&config).outputs.iter().zip(&exact) {
            assert!((y - exact).abs() < 0.02 * full, "{y} {exact}");
        }
        let end = 0.5 * exact.iter().fold(0.0_f64, |most, y| most.max(y.abs()));
        config.output.range = ConverterRange::Fixed([-end, end]);
        let product = product(&config);
        for (y, exact) in product.outputs.iter().zip(&exact) {
            // Half a step of 255 in the range, and 8 bits of weights and inputs.
            assert!((y - exact.clamp(-end, end)).abs() < 0.02 * full, "{y} {exact}");
            assert!(y.abs() <= end * (1.0 + 1e-12));
        }
        assert!(product.counts.outputs_saturated > 0);
    }
}
