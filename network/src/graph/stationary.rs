//! Convolutions whose kernels stay where they are: each tap of a kernel is a matrix of its own, inputs wander from
//! tap to tap, and the products are added digitally. In place of it a convolution is one matrix of all taps, and
//! inputs are copied for every window (im2col).
//!
//! The mapping is that of X. Peng, R. Liu, S. Yu, "Optimizing weight mapping and data flow for convolutional neural
//! networks on processing-in-memory architectures", IEEE Trans. Circuits Syst. I 67, 1333 (2020).

use std::sync::Arc;

use super::op::{AxisSlice, Binary, Conv, Op, Pad, PadWith, Sliding};
use super::shape::{Windows, image_of};
use super::tensor::Tensor;
use super::{Graph, GraphError, Node, flow};

impl Graph {
    /// The same function with every convolution of several taps as a sum of convolutions of one tap each, but for
    /// the nodes (by number) to `keep`, and for depthwise ones, whose taps add to one sum in any case. The taps of
    /// a node `c` are the nodes `c[row,column]`.
    ///
    /// # Errors
    /// [`GraphError`] for a graph that is none.
    pub fn kernel_stationary(&self, keep: impl Fn(usize) -> bool) -> Result<Self, GraphError> {
        let shapes = flow::shapes(&self.inputs, &self.nodes, 1)?;
        let mut nodes = Vec::with_capacity(self.nodes.len());
        for (number, node) in self.nodes.iter().enumerate() {
            let taps = match &node.op {
                Op::Conv(conv) if !keep(number) => {
                    let shape = node.inputs.first().and_then(|input| shapes.get(input.as_str()));
                    shape.and_then(|shape| taps(node, conv, shape))
                }
                _ => None,
            };
            match taps {
                Some(taps) => nodes.extend(taps),
                None => nodes.push(node.clone()),
            }
        }
        Self::new(&self.name, self.inputs.clone(), nodes, self.outputs.clone())
    }
}

/// The nodes in place of a convolution of an input of this shape, if it has several taps over several channels.
fn taps(node: &Node, conv: &Conv, shape: &[usize]) -> Option<Vec<Node>> {
    let ([rows, columns], [input, output]) =
        (conv.sliding.kernel, [node.inputs.first()?, node.outputs.first()?]);
    if rows * columns < 2 || *conv.weights.shape().get(1)? < 2 {
        return None;
    }
    let windows = conv.sliding.at(image_of(shape).ok()?, false).ok()?;
    let Windows { before, after, positions, stride, dilation, .. } = windows;
    // One dimension is a row; its tensors have no axis of rows.
    let axes = if shape.len() == 3 { 1..2 } else { 0..2 };
    let mut nodes = Vec::new();
    let mut source = input.clone();
    if axes.clone().any(|axis| before[axis] + after[axis] > 0) {
        let mut amounts = vec![(0, 0); 2];
        amounts.extend(axes.clone().map(|axis| (before[axis], after[axis])));
        source = format!("{output}/padded");
        let pad = Op::Pad(Pad { amounts, with: PadWith::Value(0.0) });
        nodes.push(Node::new(&format!("{}/pad", node.name), pad, &[input], &[&source]));
    }
    let mut sum: Option<String> = None;
    for row in 0..rows {
        for column in 0..columns {
            let (tap, at) = ([row, column], row * columns + column);
            let name = format!("{}[{row},{column}]", node.name);
            let (part, product) = (format!("{output}/part{at}"), format!("{output}/product{at}"));
            let mut slices = vec![AxisSlice::WHOLE; 2];
            slices.extend(axes.clone().map(|axis| AxisSlice {
                start: tap[axis] * dilation[axis],
                step: stride[axis] as isize,
                count: Some(positions[axis]),
            }));
            nodes.push(Node::new(&format!("{name}/slice"), Op::Slice { axes: slices }, &[&source], &[&part]));
            let one = Conv {
                weights: Arc::new(weights_of(&conv.weights, rows * columns, at)?),
                // Added once.
                bias: conv.bias.clone().filter(|_| at == 0),
                groups: conv.groups,
                sliding: Sliding::UNIT,
            };
            nodes.push(Node::new(&name, Op::Conv(one), &[&part], &[&product]));
            sum = Some(match sum {
                None => product,
                Some(before) => {
                    let last = at + 1 == rows * columns;
                    let all = if last { output.clone() } else { format!("{output}/sum{at}") };
                    let add = Op::Binary(Binary::Add);
                    nodes.push(Node::new(&format!("{name}/add"), add, &[&before, &product], &[&all]));
                    all
                }
            });
        }
    }
    Some(nodes)
}

/// Weights of one of so many taps.
fn weights_of(weights: &Tensor, taps: usize, tap: usize) -> Option<Tensor> {
    let mut shape = weights.shape().to_vec();
    shape.get_mut(2..)?.fill(1);
    Tensor::new(shape, weights.values().iter().skip(tap).step_by(taps).copied().collect())
}

#[cfg(test)]
mod tests {
    use super::super::Input;
    use super::super::op::{Length, Padding};
    use super::*;

    fn numbers(count: usize, by: f32) -> Vec<f32> {
        (0..count).map(|i| (by * i as f32).sin()).collect()
    }

    fn convolution(shape: &[usize], weights: &[usize], groups: usize, sliding: Sliding) -> (Graph, Tensor) {
        let count = |shape: &[usize]| shape.iter().product::<usize>();
        let weights = Tensor::new(weights.to_vec(), numbers(count(weights), 1.3)).unwrap();
        let bias = Tensor::vector(numbers(weights.shape()[0], 0.7));
        let conv = Conv { weights: weights.into(), bias: Some(bias.into()), groups, sliding };
        let mut axes = vec![Length::Batch(1)];
        axes.extend(shape[1..].iter().map(|&length| Length::Fixed(length)));
        let input = Input { name: "x".into(), shape: axes };
        let graph = Graph::new(
            "c",
            vec![input],
            vec![Node::new("c", Op::Conv(conv), &["x"], &["y"])],
            vec!["y".into()],
        );
        (graph.unwrap(), Tensor::new(shape.to_vec(), numbers(count(shape), 0.9)).unwrap())
    }

    /// Strides, dilations, paddings of either kind and groups, in one and in two dimensions.
    #[test]
    fn taps_add_up() {
        let explicit = |a, b| Padding::Explicit(a, b);
        for (shape, weights, groups, stride, dilation, padding) in [
            (vec![2, 3, 8, 9], vec![4, 3, 3, 3], 1, [1, 1], [1, 1], [explicit(1, 1); 2]),
            (vec![1, 4, 9, 11], vec![6, 2, 3, 2], 2, [2, 3], [1, 2], [explicit(0, 2), explicit(1, 0)]),
            (vec![2, 2, 7, 7], vec![3, 2, 5, 5], 1, [2, 2], [1, 1], [Padding::SameUpper, Padding::SameLower]),
            (vec![3, 2, 12], vec![5, 2, 4], 1, [1, 2], [1, 1], [explicit(0, 0); 2]),
        ] {
            let kernel = if weights.len() == 3 { [1, weights[2]] } else { [weights[2], weights[3]] };
            let sliding = Sliding { kernel, stride, dilation, padding };
            let (graph, x) = convolution(&shape, &weights, groups, sliding);
            let taps = graph.kernel_stationary(|_| false).unwrap();
            assert_eq!(taps.layers().len(), kernel[0] * kernel[1] * groups);
            assert_eq!(taps.weight_count(), graph.weight_count());
            let run =
                |graph: &Graph| graph.run(&graph.digital(), std::slice::from_ref(&x)).unwrap().remove(0);
            let (y, expected) = (run(&taps), run(&graph));
            assert_eq!(y.shape(), expected.shape());
            for (a, b) in y.values().iter().zip(expected.values()) {
                // Single precision in sums of at most 50 products of numbers up to 1.
                assert!((a - b).abs() < 1e-5, "{a} {b}");
            }
        }
    }

    #[test]
    fn what_has_one_tap_or_one_channel_stays() {
        let sliding = |kernel| Sliding { kernel, ..Sliding::UNIT };
        for (weights, groups, kernel) in [(vec![4, 3, 1, 1], 1, [1, 1]), (vec![3, 1, 3, 3], 3, [3, 3])] {
            let (graph, _) = convolution(&[1, 3, 5, 5], &weights, groups, sliding(kernel));
            assert_eq!(graph.kernel_stationary(|_| false).unwrap(), graph);
        }
        let (graph, _) = convolution(&[1, 3, 5, 5], &[2, 3, 3, 3], 1, sliding([3, 3]));
        assert_eq!(graph.kernel_stationary(|_| true).unwrap(), graph);
    }
}
