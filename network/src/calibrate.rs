//! Ranges of the converters, layer by layer, from training images on arrays without device effects.

use mho_data::dataset::Images;

use crate::array::{ArrayConfig, ConverterRange, RangeName};
use crate::convert::{self, Quantiser};
use crate::evaluate::Converters;
use crate::forward::{Tile, add_bias};
use crate::mapping::MappedLayer;
use crate::model::{Layer, Network, relu};

/// Training images used (the first ones).
const IMAGES: usize = 256;
/// Values that a range is searched on; more are thinned evenly.
const SAMPLES: usize = 50_000;

/// Converters of every layer with weights. Each layer sees what the quantised layers before it deliver.
pub(crate) fn calibrate(
    network: &Network,
    mapped: &[MappedLayer],
    array: &ArrayConfig,
    images: &Images,
) -> Vec<Converters> {
    let count = images.labels.len().min(IMAGES);
    let mut x = network.inputs(images, 0, count);
    let mut scratch = Vec::new();
    let mut converters = Vec::with_capacity(mapped.len());
    for (index, layer) in network.layers().iter().enumerate() {
        match (layer, layer.linear()) {
            (_, Some(linear)) => {
                let mapped = &mapped[converters.len()];
                let input = input_range(array, &x);
                input.apply_all(&mut x);
                let level = mapped.weight_max / f32::from(mapped.levels);
                let weights: Vec<f32> = mapped.codes.iter().map(|&c| f32::from(c) * level).collect();
                let out = network.shapes[index + 1].len();
                let tiles = mapped.bounds.len() - 1;
                let mut parts = vec![0.0; tiles * count * out];
                for (index, y) in parts.chunks_exact_mut(count * out).enumerate() {
                    Tile { network, mapped, index }.product(&weights, &x, y, &mut scratch);
                }
                let output = output_range(array, mapped, &input, &parts);
                output.apply_all(&mut parts);
                let mut y = parts[..count * out].to_vec();
                for part in parts.chunks_exact(count * out).skip(1) {
                    y.iter_mut().zip(part).for_each(|(y, p)| *y += p);
                }
                add_bias(linear, out, &mut y);
                converters.push(Converters { input, output });
                x = y;
            }
            (Layer::Relu, _) => relu(&mut x),
            (Layer::Flatten, _) => {}
            _ => {
                let mut y = vec![0.0; count * network.shapes[index + 1].len()];
                network.layer(index, &x, count, &mut y, &mut scratch);
                x = y;
            }
        }
    }
    converters
}

fn input_range(array: &ArrayConfig, x: &[f32]) -> Quantiser {
    let bits = array.input.bits;
    let keep = |lo: f32| if array.input.signed { lo } else { 0.0 };
    match array.input.range {
        ConverterRange::Fixed([lo, hi]) => Quantiser::new(bits, keep(lo as f32), hi as f32),
        ConverterRange::Named(RangeName::Maximum) => {
            let (lo, hi) = extremes(x);
            Quantiser::new(bits, keep(lo), hi)
        }
        ConverterRange::Named(RangeName::Calibrated) | ConverterRange::Percentile { .. } => {
            let mut samples = thinned(x);
            if !array.input.signed {
                samples.iter_mut().for_each(|x| *x = x.max(0.0));
            }
            convert::calibrate(bits, &mut samples)
        }
    }
}

fn output_range(array: &ArrayConfig, mapped: &MappedLayer, input: &Quantiser, sums: &[f32]) -> Quantiser {
    let bits = array.output.bits;
    match array.output.range {
        ConverterRange::Fixed([lo, hi]) => Quantiser::new(bits, lo as f32, hi as f32),
        ConverterRange::Named(RangeName::Maximum) => {
            let (lo, hi) = input.range();
            let longest = mapped.bounds.windows(2).map(|b| b[1] - b[0]).max().unwrap_or(0);
            let most = mapped.weight_max * longest as f32 * hi.max(-lo);
            Quantiser::new(bits, -most, most)
        }
        ConverterRange::Named(RangeName::Calibrated) | ConverterRange::Percentile { .. } => {
            convert::calibrate(bits, &mut thinned(sums))
        }
    }
}

fn extremes(x: &[f32]) -> (f32, f32) {
    x.iter().fold((0.0_f32, 0.0_f32), |(lo, hi), &x| (lo.min(x), hi.max(x)))
}

/// Every n-th value, so that at most [`SAMPLES`] remain; n is odd, so that rows of even length do not
/// leave out half of the positions.
fn thinned(x: &[f32]) -> Vec<f32> {
    let step = x.len().div_ceil(SAMPLES) | 1;
    x.iter().step_by(step).copied().collect()
}
