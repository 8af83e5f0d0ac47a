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

#[cfg(test)]
mod tests {
    use super::*;
    use mho_network::graph::Input;
    use mho_network::graph::op::{Length, Padding, Sliding};

    /// A convolution whose outputs differ by four orders of magnitude, one of them without weights, and a matrix
    /// behind it: the same numbers, and the largest weight of every output is 1.
    #[test]
    fn columns_are_rescaled_without_a_trace() {
        let weights = [[1e-3, -2e-3, 5e-4, 0.0], [0.0; 4], [7.0, 3.0, -11.0, 2.0]].concat();
        let sliding = Sliding {
            kernel: [2; 2],
            stride: [1; 2],
            dilation: [1; 2],
            padding: [Padding::Explicit(1, 1); 2],
        };
        let conv = Conv {
            weights: Tensor::new(vec![3, 1, 2, 2], weights).unwrap().into(),
            bias: Some(Tensor::vector(vec![0.5, -0.25, 3.0]).into()),
            groups: 1,
            sliding,
        };
        let dense = Dense {
            weights: Tensor::new(vec![2, 48], (0..96).map(|k| (k as f32 - 40.0) * 1e-2).collect())
                .unwrap()
                .into(),
            bias: Some(Tensor::vector(vec![1.0, 2.0]).into()),
        };
        let flat = Op::Reshape { shape: vec![Length::Batch(1), Length::Fixed(48)] };
        let graph = Graph::new(
            "two",
            vec![Input {
                name: "x".into(),
                shape: vec![Length::Batch(1), Length::Fixed(1), Length::Fixed(3), Length::Fixed(3)],
            }],
            vec![
                Node::new("conv", Op::Conv(conv), &["x"], &["a"]),
                Node::new("flat", flat, &["a"], &["b"]),
                Node::new("dense", Op::Dense(dense), &["b"], &["y"]),
            ],
            vec!["y".into()],
        )
        .unwrap();
        let columns = by_column(&graph).unwrap();
        for layer in columns.layers() {
            for row in layer.weights().chunks(layer.inputs()) {
                let most = row.iter().fold(0.0_f32, |most, w| most.max(w.abs()));
                assert!(most == 1.0 || most == 0.0, "{}: {most}", layer.name());
            }
        }
        let x = Tensor::new(vec![2, 1, 3, 3], (0..18).map(|k| (k * 7 % 11) as f32 - 3.0).collect()).unwrap();
        let run = |graph: &Graph| graph.run(&graph.digital(), std::slice::from_ref(&x)).unwrap();
        let (wanted, found) = (run(&graph), run(&columns));
        assert_eq!(wanted[0].shape(), found[0].shape());
        for (wanted, found) in wanted[0].values().iter().zip(found[0].values()) {
            // Sums of 48 numbers of f32 in another order of factors.
            assert!((wanted - found).abs() <= 1e-5 * wanted.abs().max(1.0), "{wanted} {found}");
        }
    }
}
