//! Trained networks as typed graphs: imported from ONNX ([`onnx`]), kept as safetensors with a TOML
//! description ([`mod@file`]), executed with every constant matrix behind a trait ([`Products`]).
//!
//! A [`Graph`] is a list of nodes in the order of execution. Whatever is constant at inference stands
//! resolved in the operation of its node ([`op::Op`]): weights, shapes, paddings, axes. Batch
//! normalisations, dropouts and chains of shape arithmetic are gone.
//!
//! | module | holds |
//! |---|---|
//! | [`tensor`], [`op`] | tensors, operations |
//! | [`onnx`], [`mod@file`] | import, own files |
//! | [`layers`] | matrices of a graph, and the trait that multiplies with them |
//! | [`run`] | execution of any number of inferences |
//!
//! Every product with constant weights (convolution, Gemm, MatMul, the matrices of recurrent cells) goes
//! through [`Products::product`], digital weights ([`layers::Digital`]) being one implementor. The same
//! graph therefore runs on simulated arrays, layer by layer.
//!
//! ```
//! use mho_network::graph::op::{Activation, Dense, Length, Op};
//! use mho_network::graph::tensor::Tensor;
//! use mho_network::graph::{Graph, Input, Node};
//!
//! let weights = Tensor::new(vec![1, 2], vec![1.0, -2.0]).ok_or("shape")?;
//! let graph = Graph::new(
//!     "difference",
//!     vec![Input { name: "x".into(), shape: vec![Length::Batch(1), Length::Fixed(2)] }],
//!     vec![
//!         Node::new("d", Op::Dense(Dense { weights: weights.into(), bias: None }), &["x"], &["y"]),
//!         Node::new("r", Op::Activation(Activation::Relu), &["y"], &["z"]),
//!     ],
//!     vec!["z".into()],
//! )?;
//! let x = Tensor::new(vec![2, 2], vec![5.0, 1.0, 1.0, 5.0]).ok_or("shape")?;
//! let z = graph.run(&graph.digital(), &[x])?;
//! assert_eq!(z[0].values(), [3.0, 0.0]);
//! assert_eq!(graph.layers()[0].products_per_inference(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod clip;
pub mod file;
mod flow;
mod kernels;
pub mod layers;
pub mod onnx;
pub mod op;
mod plan;
pub mod run;
mod shape;
mod simplify;
mod stationary;
pub mod tensor;

pub use layers::{Digital, Layer, LayerId, Products, Vectors, VectorsMut};
pub use run::RunError;

use flow::Flow;
use op::{Length, Op};
use shape::Mismatch;

/// A named input of a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Name of the value.
    pub name: String,
    /// Length of each axis: fixed, or the batch size (times 1) on one axis.
    pub shape: Vec<Length>,
}

/// An operation with its place in the graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Its name, for messages and for the names of layers.
    pub name: String,
    /// What it does.
    pub op: Op,
    /// Names of the values that it reads; an empty name is an optional input left out.
    pub inputs: Vec<String>,
    /// Names of the values that it returns; an empty name is a result that nobody reads.
    pub outputs: Vec<String>,
}

impl Node {
    /// A node.
    pub fn new(name: &str, op: Op, inputs: &[&str], outputs: &[&str]) -> Self {
        let owned = |names: &[&str]| names.iter().map(|&n| n.to_owned()).collect();
        Self { name: name.to_owned(), op, inputs: owned(inputs), outputs: owned(outputs) }
    }
}

/// What is wrong with a graph, and at which node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: found {found}, expected {expected}")]
pub struct GraphError {
    /// The node as "node `name` (operator)", or the part of the graph.
    pub place: String,
    /// What was found.
    pub found: String,
    /// What was expected.
    pub expected: String,
}

impl GraphError {
    pub(crate) fn at_node(name: &str, operator: &str, wrong: Mismatch) -> Self {
        Self { place: format!("node `{name}` ({operator})"), found: wrong.found, expected: wrong.expected }
    }

    fn of_graph(place: &str, found: impl Into<String>, expected: &str) -> Self {
        Self { place: place.to_owned(), found: found.into(), expected: expected.to_owned() }
    }
}

/// A trained network: operations in the order of execution.
#[derive(Clone, Debug)]
pub struct Graph {
    name: String,
    inputs: Vec<Input>,
    nodes: Vec<Node>,
    outputs: Vec<String>,
    layers: Vec<Layer>,
    flow: Flow,
}

impl PartialEq for Graph {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.inputs, &self.nodes, &self.outputs)
            == (&other.name, &other.inputs, &other.nodes, &other.outputs)
    }
}

impl Graph {
    /// A graph of nodes in the order of execution. Shapes are inferred through all nodes, with one and
    /// with two inferences at a time, so that everything that does not fit is an error here.
    ///
    /// # Errors
    /// [`GraphError`] naming the node.
    pub fn new(
        name: &str,
        inputs: Vec<Input>,
        nodes: Vec<Node>,
        outputs: Vec<String>,
    ) -> Result<Self, GraphError> {
        let shapes = flow::shapes(&inputs, &nodes, 1)?;
        let nodes = simplify::simplify(nodes, &outputs, &shapes);
        let flow = Flow::of(&inputs, &nodes, &outputs)?;
        let layers = layers::layers(&nodes, &flow);
        Ok(Self { name: name.to_owned(), inputs, nodes, outputs, layers, flow })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Inputs.
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// Names of the outputs.
    pub fn outputs(&self) -> &[String] {
        &self.outputs
    }

    /// Nodes in the order of execution.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Matrices with constant weights, in the order of their nodes; [`LayerId`] counts them.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The weights as they are, multiplied in f32.
    pub fn digital(&self) -> Digital<'_> {
        Digital::new(&self.layers)
    }

    /// Number of constant weights in all layers, biases not counted.
    pub fn weight_count(&self) -> usize {
        self.layers.iter().map(|layer| layer.weights().len()).sum()
    }

    /// Multiplications with constant weights of one inference.
    pub fn products_per_inference(&self) -> usize {
        let of = |layer: &Layer| layer.weights().len().saturating_mul(layer.products_per_inference());
        self.layers.iter().map(of).fold(0, usize::saturating_add)
    }

    /// Shape of each output for a number of inferences (a graph of fixed shapes ignores it).
    ///
    /// # Errors
    /// [`GraphError`] when the shapes do not fit this batch size.
    pub fn output_shapes(&self, batch: usize) -> Result<Vec<Vec<usize>>, GraphError> {
        let shapes = flow::shapes(&self.inputs, &self.nodes, batch)?;
        Ok(self.outputs.iter().filter_map(|name| shapes.get(name.as_str()).cloned()).collect())
    }
}
