//! Outputs of a matrix with a scale of their own.

use std::sync::Arc;

use mho_network::graph::op::{Binary, Conv, Dense, Op};
use mho_network::graph::tensor::Tensor;
use mho_network::graph::{Graph, GraphError, Node};

/// The same function with the largest weight of every output at 1: what is left of a column's weights is a
/// digital factor behind its converter. A folded batch normalisation leaves outputs whose weights differ by
/// orders of magnitude; with one scale for a layer the small ones have few levels, of weights and of sums.
///
/// # Errors
/// [`GraphError`], which a graph that was one before does not meet.
pub fn by_column(graph: &Graph) -> Result<Graph, GraphError> {
    let mut nodes = Vec::with_capacity(graph.nodes().len());
    for node in graph.nodes() {
        match &node.op {
            Op::Conv(conv) => {
                let (weights, scale) = scaled(&conv.weights);
                let op = Op::Conv(Conv { weights: Arc::new(weights), bias: None, ..conv.clone() });
                nodes.extend(in_parts(node, op, scale, conv.bias.as_deref(), [1, 1].as_slice()));
            }
            Op::Dense(dense) => {
                let (weights, scale) = scaled(&dense.weights);
                let op = Op::Dense(Dense { weights: weights.into(), bias: None });
                nodes.extend(in_parts(node, op, scale, dense.bias.as_deref(), &[]));
            }
            _ => nodes.push(node.clone()),
        }
    }
    Graph::new(graph.name(), graph.inputs().to_vec(), nodes, graph.outputs().to_vec())
}

/// Weights over the largest of each output, and those.
fn scaled(weights: &Tensor) -> (Tensor, Vec<f32>) {
    let mut weights = weights.clone();
    let outputs = weights.shape().first().copied().unwrap_or(0).max(1);
    let each = (weights.values().len() / outputs).max(1);
    let mut scale = Vec::with_capacity(outputs);
    for row in weights.values_mut().chunks_mut(each) {
        let most = row.iter().fold(0.0_f32, |most, w| most.max(w.abs()));
        // An output without weights is its bias, whatever the scale.
        let most = if most > 0.0 { most } else { 1.0 };
        row.iter_mut().for_each(|w| *w /= most);
        scale.push(most);
    }
    (weights, scale)
}

/// The matrix, the scale and the bias as nodes; `tail` are the axes behind that of the outputs.
fn in_parts(node: &Node, op: Op, scale: Vec<f32>, bias: Option<&Tensor>, tail: &[usize]) -> Vec<Node> {
    let name = |part: &str| format!("{}.{part}", node.name);
    let (raw, factors, product, shift) = (name("raw"), name("factors"), name("product"), name("shift"));
    let constant = |name: &str, values: Vec<f32>| {
        let shape: Vec<usize> = [values.len()].iter().chain(tail).copied().collect();
        let tensor = Tensor::new(shape, values).unwrap_or_else(|| Tensor::vector(Vec::new()));
        Node::new(name, Op::Constant(Arc::new(tensor)), &[], &[name])
    };
    let mut matrix = node.clone();
    (matrix.op, matrix.outputs) = (op, vec![raw.clone()]);
    let last = node.outputs.first().map_or("", String::as_str);
    let behind = if bias.is_some() { product.as_str() } else { last };
    let multiply = Node::new(&product, Op::Binary(Binary::Mul), &[&raw, &factors], &[behind]);
    let mut nodes = vec![matrix, constant(&factors, scale), multiply];
    if let Some(bias) = bias {
        nodes.push(constant(&shift, bias.values().to_vec()));
        nodes.push(Node::new(&name("sum"), Op::Binary(Binary::Add), &[&product, &shift], &[last]));
    }
    nodes
}
