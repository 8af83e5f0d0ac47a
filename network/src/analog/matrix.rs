//! A matrix as it lies on arrays: its weights, and behind them the rows that add its bias.
//!
//! A bias is a weight at full input. What is more than a cell holds takes several rows, as many as the largest of
//! the node needs; every output's bias is spread over all of them. Where cells have levels, one more row at a low
//! input holds what rounding leaves: a step of a cell at full input is much for a bias.

use std::borrow::Cow;

use super::error::AnalogError;
use crate::array::{BiasMapping, WeightScale};
use crate::core::scales::Scales;
use crate::core::stripes::Stripes;
use crate::core::{BiasRows, CoreError, CoreSpec};
use crate::graph::Layer;

/// A matrix on arrays.
#[derive(Debug)]
pub(super) struct Matrix<'a> {
    /// Outputs x (inputs and rows of the bias).
    pub(super) weights: Cow<'a, [f32]>,
    pub(super) stripes: Stripes,
    /// Weights beyond the largest that the cells can hold.
    pub(super) clipped: usize,
}

impl<'a> Matrix<'a> {
    /// Of a layer, with rows for its bias or without.
    pub(super) fn new(layer: &'a Layer, spec: &CoreSpec, rows: Option<BiasRows>) -> Result<Self, CoreError> {
        let (weights, outputs, inputs) = (layer.weights(), layer.outputs(), layer.inputs());
        if let Some(index) = weights.iter().position(|w| !w.is_finite()) {
            return Err(CoreError::NotFinite { what: "weight", index });
        }
        let bias = rows.and(layer.bias()).unwrap_or_default();
        if let Some(index) = bias.iter().position(|b| !b.is_finite()) {
            return Err(CoreError::NotFinite { what: "bias", index });
        }
        let share =
            |b: &f32| rows.map_or(0.0, |rows| f64::from(b.abs()) / (full_rows(&rows) as f64 * rows.input));
        let least: Vec<f64> = bias.iter().map(share).collect();
        let scales = Scales::of(weights, outputs, spec, &least);
        let clipped = scales.clipped(weights, outputs);
        let (weights, more) = match rows {
            None => (Cow::Borrowed(weights), 0),
            Some(rows) => (Cow::Owned(extended(layer, spec, &scales, &rows)), rows.rows),
        };
        let mut stripes = Stripes::new((outputs, inputs + more), spec, scales)?;
        stripes.hold_bias(rows);
        Ok(Self { weights, stripes, clipped })
    }
}

/// Rows that the biases of a node's matrices need, if they are to stand in the array: at full input, and with the
/// largest weight of the node in a cell. A matrix or a column whose weights are smaller has the range that its share
/// of the bias needs: a channel that is as good as constant would want any number of rows.
pub(super) fn bias_rows(
    layers: &[Layer],
    spec: &CoreSpec,
    mapping: BiasMapping,
) -> Result<Option<BiasRows>, AnalogError> {
    let biases = layers.iter().filter_map(Layer::bias).flatten();
    let largest = biases.fold(0.0_f32, |most, b| most.max(b.abs()));
    let Some(first) = layers.first().filter(|_| mapping == BiasMapping::Array && largest > 0.0) else {
        return Ok(None);
    };
    let input = spec.input.max;
    let whole = CoreSpec { scale: WeightScale::Layer, ..spec.clone() };
    let most = layers.iter().map(|layer| Scales::of(layer.weights(), layer.outputs(), &whole, &[]).most);
    let most = most.fold(0.0_f64, f64::max);
    // Without weights the bias sets the range.
    let needed = if most > 0.0 { (f64::from(largest) / (most * input)).ceil().max(1.0) } else { 1.0 };
    let limit = if spec.rows == 0 { usize::MAX } else { spec.rows };
    let last = rest_input(spec);
    let needed = if last < input { needed + 1.0 } else { needed };
    if needed > limit as f64 {
        return Err(AnalogError::BiasRows { layer: first.name().to_owned(), needed, limit });
    }
    Ok(Some(BiasRows { rows: needed as usize, input, last }))
}

/// Input at which a full cell is half a step of a cell at full input, rounded up to an input that there is.
fn rest_input(spec: &CoreSpec) -> f64 {
    let half_step = 0.5 / top(spec);
    let codes = (2.0_f64).powi(spec.input.magnitude_bits() as i32) - 1.0;
    match codes {
        _ if spec.weight_bits == 0 => spec.input.max,
        0.0 => spec.input.max * half_step,
        _ => spec.input.max * (codes * half_step).ceil() / codes,
    }
}

/// Rows at full input: all but the one that holds what is left.
fn full_rows(bias: &BiasRows) -> usize {
    if bias.last < bias.input { bias.rows - 1 } else { bias.rows }
}

/// Largest code of a weight.
fn top(spec: &CoreSpec) -> f64 {
    (2.0_f64).powi(spec.weight_bits.saturating_sub(1) as i32) - 1.0
}

/// The weights with those of the bias rows behind them, outputs x (inputs + rows).
fn extended(layer: &Layer, spec: &CoreSpec, scales: &Scales, bias: &BiasRows) -> Vec<f32> {
    let inputs = layer.inputs();
    let full = full_rows(bias);
    let mut all = Vec::with_capacity(layer.outputs() * (inputs + bias.rows));
    for output in 0..layer.outputs() {
        all.extend_from_slice(&layer.weights()[output * inputs..(output + 1) * inputs]);
        let most = scales.of_output(output);
        let step = if spec.weight_bits == 0 { 0.0 } else { most / top(spec) };
        // Each cell takes its share of what is left, so that only the last rounding remains.
        let mut left = layer.bias().and_then(|bias| bias.get(output)).map_or(0.0, |&b| f64::from(b));
        for (row, input) in bias.inputs().enumerate() {
            let share = left / (input * full.saturating_sub(row).max(1) as f64);
            let share = if step > 0.0 && row < full { (share / step).round() * step } else { share };
            let share = share.clamp(-most, most);
            left -= input * share;
            all.push(share as f32);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::{ArrayConfig, InputRange};
    use crate::graph::op::{Dense, Length, Op};
    use crate::graph::tensor::Tensor;
    use crate::graph::{Graph, Input, Node};

    fn graph(weights: Vec<f32>, bias: Vec<f32>) -> Graph {
        let (outputs, inputs) = (bias.len(), weights.len() / bias.len());
        let op = Op::Dense(Dense {
            weights: Tensor::new(vec![outputs, inputs], weights).unwrap().into(),
            bias: Some(Tensor::new(vec![outputs], bias).unwrap().into()),
        });
        let input = Input { name: "x".into(), shape: vec![Length::Batch(1), Length::Fixed(inputs)] };
        Graph::new("g", vec![input], vec![Node::new("d", op, &["x"], &["y"])], vec!["y".into()]).unwrap()
    }

    /// Rows as the largest bias needs, and biases to half a step of the row at the low input.
    #[test]
    fn biases_are_spread_over_rows() {
        let graph = graph(vec![0.5, -0.2, 0.1, 0.02], vec![3.3, -0.7]);
        let layer = &graph.layers()[0];
        for (scale, bits) in [(WeightScale::Layer, 8), (WeightScale::Column, 8), (WeightScale::Column, 0)] {
            let mut spec = ArrayConfig::default().core_spec(InputRange { max: 2.0, signed: false });
            (spec.scale, spec.weight_bits) = (scale, bits);
            let rows = bias_rows(graph.layers(), &spec, BiasMapping::Array).unwrap().unwrap();
            // Two of 255 levels hold half a step of 127.
            let (count, last) = if bits == 0 { (4, 2.0) } else { (5, 4.0 / 255.0) };
            assert_eq!(rows, BiasRows { rows: count, input: 2.0, last });
            let matrix = Matrix::new(layer, &spec, Some(rows)).unwrap();
            for (output, bias) in [3.3, -0.7].into_iter().enumerate() {
                let row = &matrix.weights[output * (2 + count)..][..2 + count];
                let most = matrix.stripes.frame().weight_range(output);
                let step = most / 127.0;
                let held = |w: f64| if bits == 0 { w } else { (w / step).round() * step };
                let sum: f64 = row[2..].iter().zip(rows.inputs()).map(|(&w, x)| x * held(f64::from(w))).sum();
                let off = if bits == 0 { 1e-6 } else { 0.5001 * last * step + 1e-6 };
                assert!((sum - bias).abs() <= off, "{scale:?} {bits}: {sum} {bias}");
                assert!(row.iter().all(|&w| f64::from(w.abs()) <= most * (1.0 + 1e-6)), "{row:?} {most}");
            }
            assert_eq!(matrix.clipped, 0);
        }
        assert_eq!(bias_rows(graph.layers(), &CoreSpec::default(), BiasMapping::Digital), Ok(None));
    }

    #[test]
    fn a_bias_that_no_array_holds_is_refused() {
        let graph = graph(vec![1e-6, -1e-6], vec![1.0, 0.0]);
        let spec = ArrayConfig::default().core_spec(InputRange { max: 1.0, signed: false });
        let error = bias_rows(graph.layers(), &spec, BiasMapping::Array).unwrap_err().to_string();
        assert!(error.contains("`d`") && error.contains("1152"), "{error}");
    }
}
