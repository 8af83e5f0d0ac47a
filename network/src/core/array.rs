//! A core from an `array.toml`.

use super::spec::{Coding, Conversion, CoreSpec, InputSpec, OutputRange, OutputSpec, RangeRule};
use crate::array::{ArrayConfig, ConverterRange, InputScheme, RangeName};
use crate::converter::{ConverterSpec, circuit::Circuit};

impl CoreSpec {
    /// The core of one layer on the array of `config`, whose inputs reach `input_max`. Inputs come
    /// with a sign or without one, as `config` says; bit by bit, columns are converted after every bit.
    pub fn of_array(config: &ArrayConfig, input_max: f64) -> Self {
        let serial = config.input.scheme == InputScheme::BitSerial;
        let input = InputSpec {
            max: input_max,
            bits: config.input.bits,
            coding: if config.input.signed { Coding::SignMagnitude } else { Coding::Unsigned },
            slice_bits: u32::from(serial),
            stochastic_rounding: false,
        };
        let output = OutputSpec {
            converter: ConverterSpec {
                kind: config.output.kind,
                bits: config.output.bits,
                stochastic_rounding: false,
                circuit: Circuit::default(),
            },
            range: match config.output.range {
                ConverterRange::Named(RangeName::Calibrated) => OutputRange::Named(RangeRule::MinimumError),
                ConverterRange::Named(RangeName::Maximum) => OutputRange::Named(RangeRule::Maximum),
                ConverterRange::Fixed(outputs) => OutputRange::Outputs { outputs },
            },
            conversion: if serial { Conversion::EachSlice } else { Conversion::Accumulated },
        };
        Self {
            style: config.mapping.style,
            weight_bits: config.mapping.weight_bits,
            slices: config.mapping.slices as usize,
            on_off_ratio: config.cell.on_off_ratio,
            weight_percentile: config.mapping.clip_percentile,
            rows: config.array.rows,
            columns: config.array.columns,
            subtract: config.mapping.subtract,
            input,
            output,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Core, Mapping};
    use super::*;

    /// A fixed range is in the units of the layer: outputs beyond it saturate at its ends.
    #[test]
    fn the_default_array_makes_cores() {
        let mut config = ArrayConfig::default();
        let weights: Vec<f64> = (0..40).map(|i| f64::from(i % 7) * 0.1 - 0.3).collect();
        let x: Vec<f64> = (0..10).map(|i| f64::from(i) * 0.2).collect();
        let product = |config: &ArrayConfig| {
            let mapping = Mapping::new(&weights, 4, 10, &CoreSpec::of_array(config, 2.0)).unwrap();
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
