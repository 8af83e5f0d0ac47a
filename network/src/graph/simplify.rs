//! Nodes that vanish into their neighbours: batch normalisations and constant additions into the layer
//! before them, and nodes that no output needs.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::Node;
use super::op::{Binary, Op};
use super::tensor::Tensor;

/// The same function with fewer nodes. `shapes` are those of all values with one inference.
pub(crate) fn simplify(
    nodes: Vec<Node>,
    outputs: &[String],
    shapes: &HashMap<String, Vec<usize>>,
) -> Vec<Node> {
    let mut uses: HashMap<String, usize> = HashMap::new();
    for name in outputs.iter().chain(nodes.iter().flat_map(|node| &node.inputs)) {
        *uses.entry(name.clone()).or_default() += 1;
    }
    let constants: HashMap<String, Arc<Tensor>> = nodes
        .iter()
        .filter_map(|node| match &node.op {
            Op::Constant(tensor) => Some((node.outputs.first()?.clone(), tensor.clone())),
            _ => None,
        })
        .collect();
    let mut kept: Vec<Node> = Vec::with_capacity(nodes.len());
    let mut made_by: HashMap<String, usize> = HashMap::new();
    for node in nodes {
        let absorbed = absorbed(&node, &constants, shapes).and_then(|(input, change)| {
            let maker = *made_by.get(&input)?;
            let alone = uses.get(&input) == Some(&1);
            let op = alone.then(|| change(&kept[maker].op)).flatten()?;
            Some((maker, op))
        });
        match absorbed {
            Some((maker, op)) => {
                kept[maker].op = op;
                kept[maker].outputs = node.outputs;
                made_by.insert(kept[maker].outputs[0].clone(), maker);
            }
            None => {
                if let (Op::Conv(_) | Op::Dense(_), Some(output)) = (&node.op, node.outputs.first()) {
                    made_by.insert(output.clone(), kept.len());
                }
                kept.push(node);
            }
        }
    }
    let mut needed: HashSet<String> = outputs.iter().cloned().collect();
    let mut live = vec![false; kept.len()];
    for (node, live) in kept.iter().zip(&mut live).rev() {
        *live = node.outputs.iter().any(|output| needed.contains(output));
        if *live {
            needed.extend(node.inputs.iter().cloned());
        }
    }
    let mut live = live.into_iter();
    kept.retain(|_| live.next().unwrap_or(true));
    kept
}

type Change = Box<dyn Fn(&Op) -> Option<Op>>;

/// If a layer before could do the work of the node: the value that the layer returns, and what becomes
/// of the layer.
fn absorbed(
    node: &Node,
    constants: &HashMap<String, Arc<Tensor>>,
    shapes: &HashMap<String, Vec<usize>>,
) -> Option<(String, Change)> {
    if node.outputs.len() != 1 {
        return None;
    }
    let rank = |name: &String| shapes.get(name).map_or(0, Vec::len);
    match &node.op {
        Op::Affine(affine) => {
            let input = node.inputs.first()?.clone();
            let (affine, matrix) = (affine.clone(), rank(&input) == 2);
            let change = move |op: &Op| rescaled(op, affine.scale.values(), affine.shift.values(), matrix);
            Some((input, Box::new(change)))
        }
        Op::Binary(Binary::Add) => {
            let [a, b] = node.inputs.as_slice() else { return None };
            let (input, constant) = match (constants.get(a), constants.get(b)) {
                (None, Some(constant)) => (a.clone(), constant.clone()),
                (Some(constant), None) => (b.clone(), constant.clone()),
                _ => return None,
            };
            let shape = shapes.get(&input)?.clone();
            // one value per output of a matrix, on the last axis
            let change = move |op: &Op| {
                let Op::Dense(dense) = op else { return None };
                let outputs = *shape.last()?;
                let wide = constant.shape().len() <= shape.len() && constant.shape().last() == Some(&outputs);
                if !wide || constant.values().len() != outputs {
                    return None;
                }
                let mut dense = dense.clone();
                dense.bias = Some(Arc::new(match &dense.bias {
                    Some(bias) => sum(bias.values(), constant.values()),
                    None => Tensor::vector(constant.values().to_vec()),
                }));
                Some(Op::Dense(dense))
            };
            Some((input, Box::new(change)))
        }
        _ => None,
    }
}

fn sum(a: &[f32], b: &[f32]) -> Tensor {
    Tensor::vector(a.iter().zip(b).map(|(a, b)| a + b).collect())
}

/// The layer with its outputs scaled and shifted.
fn rescaled(op: &Op, scale: &[f32], shift: &[f32], matrix: bool) -> Option<Op> {
    let parts = |weights: &Tensor, bias: Option<&Tensor>| {
        let outputs = *weights.shape().first()?;
        if outputs == 0 || scale.len() != outputs || shift.len() != outputs {
            return None;
        }
        let mut weights = weights.clone();
        let per_output = weights.values().len() / outputs;
        if per_output > 0 {
            for (row, s) in weights.values_mut().chunks_exact_mut(per_output).zip(scale) {
                row.iter_mut().for_each(|w| *w *= s);
            }
        }
        let bias = (0..outputs).map(|o| bias.map_or(0.0, |b| b.values()[o]) * scale[o] + shift[o]).collect();
        Some((Arc::new(weights), Some(Arc::new(Tensor::vector(bias)))))
    };
    match op {
        Op::Conv(conv) => {
            let (weights, bias) = parts(&conv.weights, conv.bias.as_deref())?;
            Some(Op::Conv(super::op::Conv { weights, bias, ..conv.clone() }))
        }
        Op::Dense(dense) if matrix => {
            let (weights, bias) = parts(&dense.weights, dense.bias.as_deref())?;
            Some(Op::Dense(super::op::Dense { weights, bias }))
        }
        _ => None,
    }
}
