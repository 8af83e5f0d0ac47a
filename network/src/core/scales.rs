//! Which weights take the full conductance: the largest of a matrix, or the largest of each of its columns.
//!
//! A column with a scale of its own uses all of its cells' range; what its currents are worth is then a
//! matter of the column, and a digital factor behind its converter makes that good.

use super::mapping::Mapping;
use super::spec::CoreSpec;
use crate::array::WeightScale;

/// |weights| that take the full conductance.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Scales {
    /// Of the whole matrix.
    pub most: f64,
    /// Of each output over that; empty where all outputs have it.
    pub columns: Vec<f64>,
}

impl Scales {
    /// Those of `weights` (outputs x inputs) by the percentile of `spec`, or at most the largest that it gives;
    /// `least` must not be clipped in the outputs (one each, or empty for none).
    pub(crate) fn of<W: Copy + Into<f64>>(
        weights: &[W],
        outputs: usize,
        spec: &CoreSpec,
        least: &[f64],
    ) -> Self {
        match spec.scale {
            WeightScale::Layer => {
                let found =
                    || least.iter().fold(magnitude(weights, spec.weight_percentile), |a, &b| a.max(b));
                Self { most: spec.weight_max.unwrap_or_else(found), columns: Vec::new() }
            }
            WeightScale::Column => {
                let inputs = weights.len().checked_div(outputs).unwrap_or(0);
                let most = spec.weight_max.unwrap_or(f64::INFINITY);
                let own = |j: usize| {
                    let row = magnitude(&weights[j * inputs..(j + 1) * inputs], spec.weight_percentile);
                    least.get(j).map_or(row, |&least| row.max(least)).min(most)
                };
                let mut columns: Vec<f64> = (0..outputs).map(own).collect();
                let largest = columns.iter().fold(0.0_f64, |a, &b| a.max(b));
                let most = spec.weight_max.unwrap_or(largest);
                columns.iter_mut().for_each(|column| *column = if most > 0.0 { *column / most } else { 0.0 });
                Self { most, columns }
            }
        }
    }

    /// |weight| that takes the full conductance in an output.
    pub(crate) fn of_output(&self, output: usize) -> f64 {
        self.columns.get(output).map_or(self.most, |part| self.most * part)
    }

    /// How many of `weights` (outputs x inputs) lie beyond.
    pub(crate) fn clipped<W: Copy + Into<f64>>(&self, weights: &[W], outputs: usize) -> usize {
        let inputs = weights.len().checked_div(outputs).unwrap_or(0).max(1);
        let beyond = |(output, row): (usize, &[W])| {
            // A column's own largest weight may differ by a rounding from the product of two numbers.
            let slack = if self.columns.is_empty() { 1.0 } else { 1.0 + 4.0 * f64::EPSILON };
            let most = self.of_output(output) * slack;
            row.iter().filter(|&&w| w.into().abs() > most).count()
        };
        weights.chunks_exact(inputs).enumerate().map(beyond).sum()
    }
}

/// Percentile of |w| (percent), linear between order statistics.
fn magnitude<W: Copy + Into<f64>>(weights: &[W], percentile: f64) -> f64 {
    let magnitudes = weights.iter().map(|&w| w.into().abs());
    if percentile == 100.0 {
        // Without a list of all weights.
        return magnitudes.fold(0.0, f64::max);
    }
    let mut magnitudes: Vec<f64> = magnitudes.collect();
    magnitudes.sort_unstable_by(f64::total_cmp);
    crate::converter::range::percentile(&magnitudes, percentile)
}

impl Mapping {
    /// |weight| that takes the full conductance in an output.
    pub fn weight_range(&self, output: usize) -> f64 {
        self.columns.get(output).map_or(self.weight_max, |part| self.weight_max * part)
    }
}
