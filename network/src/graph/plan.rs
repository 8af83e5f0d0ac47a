//! What is executed for a block of inferences, and in which memory.
//!
//! Values share buffers as soon as their lives do not overlap; activations run where their input lies,
//! right behind the layer that they follow where they are its only reader.

use std::collections::HashMap;
use std::sync::Arc;

use super::op::{Activation, Binary, Op};
use super::tensor::Tensor;
use super::{Graph, GraphError, flow};

/// Where a value lies.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// An input of the graph.
    Input(usize),
    /// A constant.
    Constant(Arc<Tensor>),
    /// A buffer.
    Buffer(usize),
}

/// A value that a step reads.
#[derive(Clone, Debug)]
pub(crate) struct Operand {
    pub(crate) source: Source,
    pub(crate) shape: Vec<usize>,
}

/// A value that a step writes.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) buffer: usize,
    /// Shape; one axis of length 0 for a result that nobody reads.
    pub(crate) shape: Vec<usize>,
}

/// One operation on buffers.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// Node of the graph.
    pub(crate) node: usize,
    /// First layer of the node, if it has any.
    pub(crate) layer: usize,
    pub(crate) operands: Vec<Option<Operand>>,
    pub(crate) targets: Vec<Target>,
    /// Whether the first operand lies in the buffer of the first target already.
    pub(crate) in_place: bool,
    /// Function of the result that follows at once.
    pub(crate) activation: Option<Activation>,
}

/// Steps for a block of a certain number of inferences.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    /// Values in each buffer.
    pub(crate) buffers: Vec<usize>,
    pub(crate) outputs: Vec<Operand>,
}

/// Memory of one value, which reshapes and activations share.
type Root = usize;

struct Draft {
    node: usize,
    layer: usize,
    operands: Vec<Option<(Root, Vec<usize>)>>,
    targets: Vec<(Root, Vec<usize>)>,
    activation: Option<Activation>,
}

impl Plan {
    /// Steps of a graph for blocks of `batch` inferences.
    pub(crate) fn new(graph: &Graph, batch: usize) -> Result<Self, GraphError> {
        let shapes = flow::shapes(&graph.inputs, &graph.nodes, batch)?;
        let shape = |name: &str| shapes.get(name).cloned().unwrap_or_default();
        let mut uses: HashMap<&str, usize> = HashMap::new();
        for name in graph.outputs.iter().chain(graph.nodes.iter().flat_map(|node| &node.inputs)) {
            *uses.entry(name).or_default() += 1;
        }
        let mut sources: Vec<Option<Source>> = Vec::new();
        let mut roots: HashMap<&str, Root> = HashMap::new();
        for (index, input) in graph.inputs.iter().enumerate() {
            roots.insert(&input.name, sources.len());
            sources.push(Some(Source::Input(index)));
        }
        let mut drafts: Vec<Draft> = Vec::new();
        let mut made_by: HashMap<&str, usize> = HashMap::new();
        let mut layer = 0;
        for (index, node) in graph.nodes.iter().enumerate() {
            let first_layer = layer;
            layer += graph.layers[layer..].iter().take_while(|l| l.node() == index).count();
            let input = node.inputs.first().map_or("", String::as_str);
            match &node.op {
                Op::Constant(tensor) => {
                    roots.insert(&node.outputs[0], sources.len());
                    sources.push(Some(Source::Constant(tensor.clone())));
                    continue;
                }
                Op::Reshape { .. } => {
                    roots.insert(&node.outputs[0], roots[input]);
                    continue;
                }
                Op::Activation(activation) if uses.get(input) == Some(&1) => {
                    let maker = made_by.get(input).map(|&draft| &mut drafts[draft]);
                    if let Some(draft) = maker
                        && draft.activation.is_none()
                        && takes_activation(&graph.nodes[draft.node].op)
                    {
                        draft.activation = Some(*activation);
                        roots.insert(&node.outputs[0], roots[input]);
                        continue;
                    }
                }
                _ => {}
            }
            let operands = node
                .inputs
                .iter()
                .map(|name| roots.get(name.as_str()).map(|&root| (root, shape(name))))
                .collect();
            let mut targets = Vec::new();
            for name in &node.outputs {
                let shape = if name.is_empty() { vec![0] } else { shape(name) };
                if !name.is_empty() {
                    roots.insert(name, sources.len());
                    made_by.insert(name, drafts.len());
                }
                targets.push((sources.len(), shape));
                sources.push(None);
            }
            drafts.push(Draft { node: index, layer: first_layer, operands, targets, activation: None });
        }
        let outputs: Vec<(Root, Vec<usize>)> =
            graph.outputs.iter().map(|name| (roots[name.as_str()], shape(name))).collect();
        Ok(allocate(graph, drafts, sources, &outputs))
    }

    /// Bytes of all buffers.
    pub(crate) fn bytes(&self) -> usize {
        self.buffers.iter().sum::<usize>() * size_of::<f32>()
    }
}

fn takes_activation(op: &Op) -> bool {
    matches!(op, Op::Conv(_) | Op::Dense(_) | Op::Binary(_) | Op::Affine(_))
}

/// Operations that may write over their first operand, value by value.
fn runs_in_place(op: &Op) -> bool {
    matches!(op, Op::Activation(_) | Op::Binary(_) | Op::Affine(_) | Op::PRelu(_) | Op::Softmax { .. })
}

fn allocate(
    graph: &Graph,
    drafts: Vec<Draft>,
    mut sources: Vec<Option<Source>>,
    outputs: &[(Root, Vec<usize>)],
) -> Plan {
    let mut last_use = vec![0_usize; sources.len()];
    for (step, draft) in drafts.iter().enumerate() {
        let touched = draft.operands.iter().flatten().chain(&draft.targets);
        touched.for_each(|(root, _)| last_use[*root] = step);
    }
    outputs.iter().for_each(|(root, _)| last_use[*root] = usize::MAX);
    let mut buffers: Vec<usize> = Vec::new();
    let mut free: Vec<usize> = Vec::new();
    let mut steps = Vec::with_capacity(drafts.len());
    for (step, mut draft) in drafts.into_iter().enumerate() {
        let op = &graph.nodes[draft.node].op;
        let dies = |draft: &Draft, index: usize| dies_whole(draft, index, step, &last_use, &sources);
        if matches!(op, Op::Binary(Binary::Add | Binary::Mul)) && !dies(&draft, 0) && dies(&draft, 1) {
            draft.operands.swap(0, 1);
        }
        let in_place = runs_in_place(op) && dies(&draft, 0);
        let operands: Vec<Option<Operand>> = draft
            .operands
            .iter()
            .map(|operand| {
                let (root, shape) = operand.as_ref()?;
                Some(Operand { source: sources[*root].clone()?, shape: shape.clone() })
            })
            .collect();
        let mut targets = Vec::new();
        for (index, (root, shape)) in draft.targets.iter().enumerate() {
            let length = shape.iter().product();
            let buffer = match operands.first() {
                Some(Some(Operand { source: Source::Buffer(buffer), .. })) if in_place && index == 0 => {
                    *buffer
                }
                _ => take(&mut free, &mut buffers, length),
            };
            sources[*root] = Some(Source::Buffer(buffer));
            targets.push(Target { buffer, shape: shape.clone() });
        }
        let mut released: Vec<usize> = draft
            .operands
            .iter()
            .flatten()
            .chain(&draft.targets)
            .filter(|(root, _)| last_use[*root] == step)
            .filter_map(|(root, _)| match sources[*root] {
                Some(Source::Buffer(buffer)) => Some(buffer),
                _ => None,
            })
            .collect();
        if in_place && last_use[draft.targets[0].0] != step {
            released.retain(|buffer| *buffer != targets[0].buffer);
        }
        released.sort_unstable();
        released.dedup();
        free.extend(released);
        let Draft { node, layer, activation, .. } = draft;
        steps.push(Step { node, layer, operands, targets, in_place, activation });
    }
    let output = |(root, shape): &(Root, Vec<usize>)| {
        Some(Operand { source: sources[*root].clone()?, shape: shape.clone() })
    };
    Plan { steps, buffers, outputs: outputs.iter().filter_map(output).collect() }
}

/// Whether an operand lies in a buffer that nobody reads later, and has the shape of the result.
fn dies_whole(
    draft: &Draft,
    index: usize,
    step: usize,
    last_use: &[usize],
    sources: &[Option<Source>],
) -> bool {
    let Some(Some((root, shape))) = draft.operands.get(index) else { return false };
    let others = draft.operands.iter().enumerate().filter(|(other, _)| *other != index);
    matches!(sources[*root], Some(Source::Buffer(_)))
        && last_use[*root] == step
        && *shape == draft.targets[0].1
        && !others.flat_map(|(_, operand)| operand).any(|(other, _)| other == root)
}

/// The free buffer that fits best, or a new one.
fn take(free: &mut Vec<usize>, buffers: &mut Vec<usize>, length: usize) -> usize {
    let waste = |buffer: usize| {
        // a smaller buffer grows, which costs its growth; a larger one costs nothing, but is better kept
        // for larger values
        (length.saturating_sub(buffers[buffer]), buffers[buffer].saturating_sub(length), buffer)
    };
    match (0..free.len()).min_by_key(|&i| waste(free[i])) {
        Some(best) => {
            let buffer = free.swap_remove(best);
            buffers[buffer] = buffers[buffer].max(length);
            buffer
        }
        None => {
            buffers.push(length);
            buffers.len() - 1
        }
    }
}
