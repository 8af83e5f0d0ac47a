//! Trained networks of others as graphs of mho: what stands in `.npz` and `.tflite` files becomes
//! [`Graph`], which `Graph::to_bytes` writes as safetensors.
//!
//! Errors name the file and what is wrong in it, as everywhere: the files are not ours.

pub mod analog;
pub mod library;
pub mod npz;
pub mod orderings;
pub mod sets;
pub mod steps;
pub mod tflite;
pub mod trained;
mod zoo;

pub use zoo::{efficientnet_lite0, residual};

use std::sync::Arc;

use mho_data::InputError;
use mho_network::graph::op::{Activation, Affine, Binary, Conv, Length, Op, Padding, Sliding};
use mho_network::graph::tensor::Tensor;
use mho_network::graph::{Graph, Input, Node};

/// Nodes of a graph under construction; every node has one output of the same name.
#[derive(Default)]
pub(crate) struct Sketch {
    nodes: Vec<Node>,
}

impl Sketch {
    /// A node; returns the name of its value.
    pub(crate) fn node(&mut self, name: &str, op: Op, inputs: &[&str]) -> String {
        self.nodes.push(Node::new(name, op, inputs, &[name]));
        name.to_owned()
    }

    pub(crate) fn activation(&mut self, name: &str, activation: Activation, input: &str) -> String {
        self.node(name, Op::Activation(activation), &[input])
    }

    pub(crate) fn add(&mut self, name: &str, a: &str, b: &str) -> String {
        self.node(name, Op::Binary(Binary::Add), &[a, b])
    }

    pub(crate) fn conv(&mut self, name: &str, weights: Tensor, form: &Form, input: &str) -> String {
        let kernel = match weights.shape() {
            [.., rows, columns] => [*rows, *columns],
            _ => [1, 1],
        };
        let (dilation, padding) = (form.dilation, form.padding);
        let sliding = Sliding { kernel, stride: form.stride, dilation, padding };
        let bias = form.bias.clone().map(Arc::new);
        let conv = Conv { weights: Arc::new(weights), bias, groups: form.groups, sliding };
        self.node(name, Op::Conv(conv), &[input])
    }

    /// Batch normalisation, as scale and shift.
    pub(crate) fn normalise(&mut self, name: &str, norm: &Normalisation, input: &str) -> String {
        let scale: Vec<f32> =
            norm.weight.iter().zip(&norm.variance).map(|(w, v)| w / (v + norm.epsilon).sqrt()).collect();
        let shift =
            norm.bias.iter().zip(&norm.mean).zip(&scale).map(|((b, mean), scale)| b - mean * scale).collect();
        let affine =
            Affine { scale: Arc::new(Tensor::vector(scale)), shift: Arc::new(Tensor::vector(shift)) };
        self.node(name, Op::Affine(affine), &[input])
    }

    /// The graph of an image network.
    pub(crate) fn finish(
        self,
        file: &str,
        (input, shape): (&str, &[usize]),
        output: &str,
    ) -> Result<Graph, InputError> {
        let shape = std::iter::once(Length::Batch(1)).chain(shape.iter().map(|&n| Length::Fixed(n)));
        let inputs = vec![Input { name: input.to_owned(), shape: shape.collect() }];
        let name = std::path::Path::new(file).file_stem().and_then(|s| s.to_str()).unwrap_or("network");
        Graph::new(name, inputs, self.nodes, vec![output.to_owned()]).map_err(|error| {
            InputError::new(file, error.to_string(), "a network whose layers fit each other")
        })
    }
}

/// Geometry and bias of a convolution.
#[derive(Clone)]
pub(crate) struct Form {
    pub(crate) bias: Option<Tensor>,
    pub(crate) groups: usize,
    pub(crate) stride: [usize; 2],
    pub(crate) dilation: [usize; 2],
    pub(crate) padding: [Padding; 2],
}

impl Form {
    pub(crate) fn plain(stride: usize, padding: Padding) -> Self {
        Self { bias: None, groups: 1, stride: [stride; 2], dilation: [1; 2], padding: [padding; 2] }
    }
}

/// A batch normalisation as it was trained.
pub(crate) struct Normalisation {
    pub(crate) weight: Vec<f32>,
    pub(crate) bias: Vec<f32>,
    pub(crate) mean: Vec<f32>,
    pub(crate) variance: Vec<f32>,
    pub(crate) epsilon: f32,
}
