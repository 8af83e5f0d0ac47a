//! From weights to cells: differential pairs, levels, clipping, tiles.

use mho_data::table::Table;

use crate::array::ArrayConfig;
use crate::model::{Linear, Network};

/// The weights of one layer on an array.
#[derive(Clone, Debug)]
pub struct MappedLayer {
    /// Index of the layer in the network.
    pub layer: usize,
    /// Numbers that enter one product.
    pub inputs: usize,
    /// Numbers that leave it.
    pub outputs: usize,
    /// |weight| that takes the full current.
    pub weight_max: f32,
    /// Levels above zero of one cell.
    pub levels: u16,
    /// Signed level of every weight, outputs x inputs.
    pub codes: Vec<i16>,
    /// Every weight over `weight_max`, clipped to -1..1 but not quantised, outputs x inputs.
    pub fractions: Vec<f32>,
    /// Weights beyond `weight_max`.
    pub clipped: usize,
    /// Bounds of the tiles along the inputs: tile t holds inputs `bounds[t]..bounds[t + 1]`.
    pub bounds: Vec<usize>,
    /// Number of tiles along the outputs. They share nothing, so the split changes no number.
    pub output_tiles: usize,
}

impl MappedLayer {
    /// Maps the weights of one layer.
    pub fn new(layer: usize, linear: &Linear, config: &ArrayConfig) -> Self {
        let weight_max = percentile_of_magnitude(&linear.weights, config.mapping.clip_percentile);
        let levels = (1_u16 << (config.mapping.weight_bits - 1)) - 1;
        let inverse = if weight_max > 0.0 { 1.0 / weight_max } else { 0.0 };
        let fractions: Vec<f32> = linear.weights.iter().map(|w| (w * inverse).clamp(-1.0, 1.0)).collect();
        let codes = fractions.iter().map(|f| (f * f32::from(levels)).round_ties_even() as i16).collect();
        Self {
            layer,
            inputs: linear.inputs,
            outputs: linear.outputs,
            weight_max,
            levels,
            codes,
            fractions,
            clipped: linear.weights.iter().filter(|w| w.abs() > weight_max).count(),
            bounds: equal_parts(linear.inputs, config.array.rows),
            output_tiles: linear.outputs.div_ceil(config.array.columns),
        }
    }

    /// Number of tiles of the layer; each holds both cells of its pairs.
    pub fn tiles(&self) -> usize {
        (self.bounds.len() - 1) * self.output_tiles
    }

    /// Fraction of the current range of the two cells of a weight, (positive, negative).
    pub fn pair(&self, weight: usize, quantised: bool) -> (f32, f32) {
        let fraction = if quantised {
            f32::from(self.codes[weight]) / f32::from(self.levels)
        } else {
            self.fractions[weight]
        };
        (fraction.max(0.0), (-fraction).max(0.0))
    }
}

/// `n` inputs in the smallest number of parts of at most `limit`, as equal as possible.
fn equal_parts(n: usize, limit: usize) -> Vec<usize> {
    let parts = n.div_ceil(limit).max(1);
    (0..=parts).map(|i| i * n / parts).collect()
}

/// Percentile of |w| (percent), linear between order statistics.
fn percentile_of_magnitude(weights: &[f32], percentile: f64) -> f32 {
    let mut magnitudes: Vec<f32> = weights.iter().map(|w| w.abs()).collect();
    magnitudes.sort_unstable_by(f32::total_cmp);
    let Some(last) = magnitudes.len().checked_sub(1) else { return 0.0 };
    let place = percentile / 100.0 * last as f64;
    let below = (place.floor() as usize).min(last);
    let above = (below + 1).min(last);
    magnitudes[below] + (magnitudes[above] - magnitudes[below]) * (place - below as f64) as f32
}

/// Maps every layer that has weights.
pub fn map_network(network: &Network, config: &ArrayConfig) -> Vec<MappedLayer> {
    let layers = network.layers().iter().enumerate();
    layers.filter_map(|(i, layer)| layer.linear().map(|l| MappedLayer::new(i, l, config))).collect()
}

/// Histogram of the target currents of all cells: columns `network`, `layer` (number among the layers
/// with weights, from 1), `current_na_lo`, `current_na_hi`, `cells`.
pub fn weight_histogram(network: &Network, config: &ArrayConfig, bins: usize) -> Table {
    let (least, most) = (config.cell.current_min_na(), config.cell.current_max_na);
    let bins = bins.max(1);
    let (mut layers, mut los, mut his, mut cells) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (number, mapped) in map_network(network, config).iter().enumerate() {
        let mut counts = vec![0_u64; bins];
        for weight in 0..mapped.codes.len() {
            let (positive, negative) = mapped.pair(weight, true);
            for fraction in [positive, negative] {
                let current = least + (most - least) * f64::from(fraction);
                counts[((current / most * bins as f64) as usize).min(bins - 1)] += 1;
            }
        }
        for (bin, &count) in counts.iter().enumerate() {
            layers.push((number + 1) as f64);
            los.push(most * bin as f64 / bins as f64);
            his.push(most * (bin + 1) as f64 / bins as f64);
            cells.push(count as f64);
        }
    }
    Table::new()
        .with_text("network", vec![network.name().to_owned(); layers.len()])
        .with_float("layer", layers)
        .with_float("current_na_lo", los)
        .with_float("current_na_hi", his)
        .with_float("cells", cells)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn tiles_cover_everything_once(n in 1usize..5000, limit in 1usize..1200) {
            let bounds = equal_parts(n, limit);
            prop_assert_eq!(bounds[0], 0);
            prop_assert_eq!(*bounds.last().unwrap(), n);
            prop_assert!(bounds.windows(2).all(|b| b[1] > b[0] && b[1] - b[0] <= limit));
            prop_assert_eq!(bounds.len() - 1, n.div_ceil(limit));
        }

        #[test]
        fn a_pair_stands_for_its_weight(weights in proptest::collection::vec(-3.0f32..3.0, 1..50)) {
            let linear = Linear { inputs: weights.len(), outputs: 1, bias: vec![0.0], weights: weights.clone() };
            let mapped = MappedLayer::new(0, &linear, &ArrayConfig::default());
            prop_assert_eq!(mapped.levels, 127);
            for (i, w) in weights.iter().enumerate() {
                let (p, n) = mapped.pair(i, true);
                prop_assert!(p == 0.0 || n == 0.0);
                prop_assert!(((p - n) * mapped.weight_max - w).abs() <= 0.5001 * mapped.weight_max / 127.0);
            }
        }
    }

    #[test]
    fn clipping_keeps_the_percentile() {
        let weights: Vec<f32> = (0..=100).map(|i| i as f32).collect();
        assert_eq!(percentile_of_magnitude(&weights, 99.0), 99.0);
        assert_eq!(percentile_of_magnitude(&weights, 100.0), 100.0);
    }
}
