//! The constant matrices of a graph, and the trait that multiplies with them.
//!
//! A layer is one matrix of outputs x inputs. A convolution in g groups is g layers, whose inputs are
//! ordered channel, row of taps, column of taps; a recurrent node has a matrix for its inputs and one or
//! two for its hidden state per direction. The executor adds the biases that products do not hold.

use std::ops::Range;
use std::sync::Arc;

use crate::product::{View, product};

use super::Node;
use super::flow::Flow;
use super::op::{Cell, Direction, Op};
use super::tensor::Tensor;

/// Number of a layer in its graph, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LayerId(pub usize);

/// One matrix of a graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    id: LayerId,
    node: usize,
    name: String,
    outputs: usize,
    inputs: usize,
    weights: Part,
    bias: Option<Part>,
    products_per_inference: usize,
}

/// Consecutive values of a tensor.
#[derive(Clone, Debug, PartialEq)]
struct Part {
    tensor: Arc<Tensor>,
    range: Range<usize>,
}

impl Part {
    fn values(&self) -> &[f32] {
        self.tensor.values().get(self.range.clone()).unwrap_or(&[])
    }
}

impl Layer {
    /// Its number.
    pub fn id(&self) -> LayerId {
        self.id
    }

    /// Number of its node.
    pub fn node(&self) -> usize {
        self.node
    }

    /// Name of its node, with the group or the role of the matrix where the node has several.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Numbers that leave one product.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Numbers that enter one product.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Outputs x inputs, row by row.
    pub fn weights(&self) -> &[f32] {
        self.weights.values()
    }

    /// One per output, if there are any; for a recurrent node the bias that belongs to this matrix.
    pub fn bias(&self) -> Option<&[f32]> {
        self.bias.as_ref().map(Part::values)
    }

    /// Number of vectors that are multiplied with the matrix in one inference (positions of a
    /// convolution, steps of a sequence).
    pub fn products_per_inference(&self) -> usize {
        self.products_per_inference
    }
}

/// How vectors lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Each vector is contiguous; neighbouring vectors are `stride` apart.
    Rows,
    /// Equal elements of the vectors are contiguous; neighbouring elements of a vector are `stride`
    /// apart.
    Columns,
}

/// Vectors that enter a matrix.
#[derive(Clone, Copy, Debug)]
pub struct Vectors<'a> {
    /// Number of the first vector among all that meet this matrix in the run: unique, and the same for
    /// any number of threads. Noise is drawn by it.
    pub first: u64,
    /// Number of vectors.
    pub count: usize,
    /// Length of each.
    pub length: usize,
    /// How they lie in `values`.
    pub layout: Layout,
    /// Distance of rows or columns.
    pub stride: usize,
    /// The memory that holds them.
    pub values: &'a [f32],
}

impl<'a> Vectors<'a> {
    /// Element `index` of vector `vector`.
    ///
    /// # Panics
    /// If there is no such element.
    pub fn get(&self, vector: usize, index: usize) -> f32 {
        self.values[place(self.layout, self.stride, vector, index)]
    }

    fn view(&self) -> View<'a> {
        let rows = View::rows(self.values, self.stride);
        if self.layout == Layout::Rows { rows } else { rows.transposed() }
    }
}

/// Vectors that leave a matrix: as many as enter it, in the layout of those.
#[derive(Debug)]
pub struct VectorsMut<'a> {
    /// Length of each.
    pub length: usize,
    /// How they lie in `values`.
    pub layout: Layout,
    /// Distance of rows or columns.
    pub stride: usize,
    /// The memory that holds them; it may hold anything before.
    pub values: &'a mut [f32],
}

impl VectorsMut<'_> {
    /// Element `index` of vector `vector`.
    ///
    /// # Panics
    /// If there is no such element.
    pub fn get_mut(&mut self, vector: usize, index: usize) -> &mut f32 {
        &mut self.values[place(self.layout, self.stride, vector, index)]
    }
}

fn place(layout: Layout, stride: usize, vector: usize, index: usize) -> usize {
    match layout {
        Layout::Rows => vector * stride + index,
        Layout::Columns => index * stride + vector,
    }
}

/// Whatever multiplies vectors with the matrices of a graph.
pub trait Products: Sync {
    /// Writes the product of the layer's matrix with each vector, without the bias that [`Self::bias`] tells. Called from several
    /// threads at once, with the vectors of a layer in any order and number.
    fn product(&self, layer: LayerId, inputs: Vectors<'_>, outputs: &mut VectorsMut<'_>);

    /// What the executor adds to the products of a layer: its bias, unless products hold it.
    fn bias<'a>(&'a self, layer: &'a Layer) -> Option<&'a [f32]> {
        layer.bias()
    }

    /// The weights (outputs x inputs) of a layer whose product is exactly the f32 product with them; the
    /// executor may then take a shorter way to it, as for depthwise convolutions. `None` sends every
    /// vector through [`Self::product`].
    fn weights(&self, layer: LayerId) -> Option<&[f32]> {
        let _ = layer;
        None
    }
}

/// The weights as they are, multiplied in f32.
#[derive(Clone, Copy, Debug)]
pub struct Digital<'a> {
    layers: &'a [Layer],
}

impl<'a> Digital<'a> {
    pub(crate) fn new(layers: &'a [Layer]) -> Self {
        Self { layers }
    }
}

impl Products for Digital<'_> {
    fn product(&self, layer: LayerId, inputs: Vectors<'_>, outputs: &mut VectorsMut<'_>) {
        multiply(self.layers[layer.0].weights(), inputs, outputs);
    }

    fn weights(&self, layer: LayerId) -> Option<&[f32]> {
        self.layers.get(layer.0).map(Layer::weights)
    }
}

/// The f32 product of a matrix (outputs x inputs, row by row) with vectors, on the calling thread.
///
/// # Panics
/// If a slice is smaller than its description says.
pub fn multiply(weights: &[f32], inputs: Vectors<'_>, outputs: &mut VectorsMut<'_>) {
    let (count, length) = (inputs.count, inputs.length);
    let matrix = View::rows(weights, length);
    let vectors = inputs.view();
    match outputs.layout {
        Layout::Columns => {
            let size = (outputs.length, count, length);
            product(size, matrix, vectors.transposed(), outputs.values, outputs.stride, false);
        }
        Layout::Rows => {
            let size = (count, outputs.length, length);
            product(size, vectors, matrix.transposed(), outputs.values, outputs.stride, false);
        }
    }
}

/// All matrices of the nodes. The nodes' shapes have been inferred, so that they fit.
pub(crate) fn layers(nodes: &[Node], flow: &Flow) -> Vec<Layer> {
    let mut layers = Vec::new();
    for (node_index, node) in nodes.iter().enumerate() {
        let shape =
            |names: &[String]| names.first().and_then(|n| flow.shapes.get(n)).cloned().unwrap_or_default();
        let (input, output) = (shape(&node.inputs), shape(&node.outputs));
        let mut push =
            |name: String, size: (usize, usize), weights: Part, bias: Option<Part>, vectors: usize| {
                let id = LayerId(layers.len());
                let (outputs, inputs) = size;
                layers.push(Layer {
                    id,
                    node: node_index,
                    name,
                    outputs,
                    inputs,
                    weights,
                    bias,
                    products_per_inference: vectors,
                });
            };
        let part = |tensor: &Arc<Tensor>, start: usize, count: usize| Part {
            tensor: tensor.clone(),
            range: start..start + count,
        };
        match &node.op {
            Op::Dense(dense) => {
                let &[outputs, inputs] = dense.weights.shape() else { continue };
                let bias = dense.bias.as_ref().map(|b| part(b, 0, outputs));
                let vectors = input.iter().product::<usize>() / inputs.max(1);
                push(
                    node.name.clone(),
                    (outputs, inputs),
                    part(&dense.weights, 0, outputs * inputs),
                    bias,
                    vectors,
                );
            }
            Op::Conv(conv) => {
                let outputs = conv.weights.shape()[0] / conv.groups;
                let inputs: usize = conv.weights.shape()[1..].iter().product();
                let vectors = output.iter().product::<usize>() / conv.weights.shape()[0].max(1);
                for group in 0..conv.groups {
                    let name = match conv.groups {
                        1 => node.name.clone(),
                        _ => format!("{}, group {group}", node.name),
                    };
                    let size = outputs * inputs;
                    let bias = conv.bias.as_ref().map(|b| part(b, group * outputs, outputs));
                    push(name, (outputs, inputs), part(&conv.weights, group * size, size), bias, vectors);
                }
            }
            Op::Recurrent(recurrent) => {
                let (hidden, gates) = (recurrent.hidden, recurrent.cell.gates());
                let rows = gates * hidden;
                let inputs = recurrent.input_weights.shape()[2];
                let vectors = input[0] * input[1];
                for pass in 0..recurrent.direction.passes() {
                    let direction = match (recurrent.direction, pass) {
                        (Direction::Bidirectional, 0) => " forward",
                        (Direction::Bidirectional, _) => " backward",
                        _ => "",
                    };
                    let name = |role: &str| format!("{},{direction} {role}", node.name);
                    let bias = |start: usize, count: usize| {
                        recurrent.bias.as_ref().map(|b| part(b, pass * 2 * rows + start, count))
                    };
                    let w = part(&recurrent.input_weights, pass * rows * inputs, rows * inputs);
                    push(name("inputs"), (rows, inputs), w, bias(0, rows), vectors);
                    for (role, range) in hidden_parts(recurrent.cell, hidden) {
                        let size = range.len();
                        let r = part(
                            &recurrent.hidden_weights,
                            (pass * rows + range.start) * hidden,
                            size * hidden,
                        );
                        push(name(role), (size, hidden), r, bias(rows + range.start, size), vectors);
                    }
                }
            }
            _ => {}
        }
    }
    layers
}

/// Rows of the hidden matrix that meet the same vector: a GRU whose reset gate comes before the product
/// multiplies its third gate with another vector than the first two.
pub(crate) fn hidden_parts(cell: Cell, hidden: usize) -> Vec<(&'static str, Range<usize>)> {
    match cell {
        Cell::Gru => vec![("hidden gates", 0..2 * hidden), ("hidden candidate", 2 * hidden..3 * hidden)],
        _ => vec![("hidden", 0..cell.gates() * hidden)],
    }
}
