//! Where the inferences of a batch lie in every value of a graph.
//!
//! A batch is executed in blocks of inferences. That is the same as executing it at once only if no
//! operation mixes inferences, so that is checked here: the batch is followed through all shapes, and a
//! softmax or a mean over it, or a reshape that tears it apart, is an error.

use std::collections::HashMap;

use super::op::{Length, Op};
use super::shape::{Mismatch, mismatch};
use super::{GraphError, Input, Node};

/// The batch inside a value: axis `axis` counts `outer` x inferences x rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) axis: usize,
    pub(crate) outer: usize,
}

/// The batch of inputs and outputs, and shapes with one inference.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    /// Whether the inputs leave the batch size open.
    pub(crate) open: bool,
    /// Axis of the batch in each input and output; in a graph of fixed shapes always 0.
    pub(crate) input_axes: Vec<usize>,
    pub(crate) output_axes: Vec<usize>,
    /// Shapes of all values with one inference.
    pub(crate) shapes: HashMap<String, Vec<usize>>,
}

/// Shapes of all values at a batch size.
pub(crate) fn shapes(
    inputs: &[Input],
    nodes: &[Node],
    batch: usize,
) -> Result<HashMap<String, Vec<usize>>, GraphError> {
    let mut shapes = HashMap::new();
    for input in inputs {
        let length = |length: &Length| match *length {
            Length::Fixed(n) => Some(n),
            Length::Batch(n) => n.checked_mul(batch),
            Length::Rest => None,
        };
        let shape: Option<Vec<usize>> = input.shape.iter().map(length).collect();
        let shape = shape.filter(|shape| super::tensor::count(shape).is_some_and(|count| count > 0));
        let Some(shape) = shape else {
            let found = format!("the shape {:?}", input.shape);
            return Err(wrong_input(input, found, "known lengths of a tensor that is not empty"));
        };
        if shapes.insert(input.name.clone(), shape).is_some() || input.name.is_empty() {
            return Err(wrong_input(input, "a name that is taken or empty", "one name per value"));
        }
    }
    for node in nodes {
        let fail = |wrong: Mismatch| GraphError::at_node(&node.name, node.op.name(), wrong);
        let outputs = {
            let mut given = Vec::with_capacity(node.inputs.len());
            for name in &node.inputs {
                given.push(match (name.as_str(), shapes.get(name)) {
                    ("", _) => None,
                    (_, Some(shape)) => Some(shape.as_slice()),
                    (_, None) => {
                        let found = format!("the input `{name}` that no node before it returns");
                        return mismatch(found, "nodes in the order of execution").map_err(fail);
                    }
                });
            }
            node.op.infer(&given, batch).map_err(fail)?
        };
        if node.outputs.len() > outputs.len() {
            let found = format!("{} outputs", node.outputs.len());
            return mismatch(found, format!("at most {}", outputs.len())).map_err(fail);
        }
        for (name, shape) in node.outputs.iter().zip(outputs).filter(|(name, _)| !name.is_empty()) {
            if shapes.insert(name.clone(), shape).is_some() {
                return mismatch(format!("a second value `{name}`"), "one name per value").map_err(fail);
            }
        }
    }
    Ok(shapes)
}

fn wrong_input(input: &Input, found: impl Into<String>, expected: &str) -> GraphError {
    GraphError::of_graph(&format!("input `{}`", input.name), found, expected)
}

impl Flow {
    pub(crate) fn of(inputs: &[Input], nodes: &[Node], outputs: &[String]) -> Result<Self, GraphError> {
        if inputs.is_empty() || outputs.is_empty() {
            let found = format!("{} inputs and {} outputs", inputs.len(), outputs.len());
            return Err(GraphError::of_graph("graph", found, "at least one of each"));
        }
        let one = shapes(inputs, nodes, 1)?;
        for name in outputs {
            if one.get(name).is_none_or(Vec::is_empty) {
                let place = format!("output `{name}`");
                return Err(GraphError::of_graph(
                    &place,
                    "a scalar or no such value",
                    "a value of the graph",
                ));
            }
        }
        let open = inputs.iter().any(|i| i.shape.iter().any(|l| matches!(l, Length::Batch(_))));
        if !open {
            let input_axes = vec![0; inputs.len()];
            if let Some(input) = inputs.iter().find(|input| input.shape.is_empty()) {
                return Err(wrong_input(input, "a scalar", "an axis along which inferences are stacked"));
            }
            return Ok(Self { open, input_axes, output_axes: vec![0; outputs.len()], shapes: one });
        }
        let two = shapes(inputs, nodes, 2)?;
        let mut places: HashMap<&str, Option<Place>> = HashMap::new();
        let mut input_axes = Vec::new();
        for input in inputs {
            let batch: Vec<usize> =
                (0..input.shape.len()).filter(|&i| matches!(input.shape[i], Length::Batch(_))).collect();
            let &[axis] = batch.as_slice() else {
                let found = format!("{} axes of batch size", batch.len());
                return Err(wrong_input(input, found, "one, as in the other inputs"));
            };
            if input.shape[axis] != Length::Batch(1) {
                return Err(wrong_input(input, "a multiple of the batch size", "the batch size"));
            }
            input_axes.push(axis);
            places.insert(&input.name, Some(Place { axis, outer: 1 }));
        }
        for node in nodes {
            let given: Vec<Option<Place>> =
                node.inputs.iter().map(|name| places.get(name.as_str()).copied().flatten()).collect();
            let of = |name: &String| one.get(name).map_or(&[] as &[usize], Vec::as_slice);
            let first = node.inputs.first().map_or(&[] as &[usize], of);
            for (index, name) in node.outputs.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
                let grown = of(name).iter().zip(&two[name]).map(|(a, b)| a != b);
                let place = follow(&node.op, &given, &node.inputs, &of, (first, of(name)), index, grown)
                    .map_err(|wrong| GraphError::at_node(&node.name, node.op.name(), wrong))?;
                places.insert(name, place);
            }
        }
        let mut output_axes = Vec::new();
        for name in outputs {
            match places.get(name.as_str()).copied().flatten() {
                Some(Place { axis, outer: 1 }) => output_axes.push(axis),
                _ => {
                    let place = format!("output `{name}`");
                    let found = "a value in which the inferences of a batch have no axis of their own";
                    return Err(GraphError::of_graph(&place, found, "one axis of batch size"));
                }
            }
        }
        Ok(Self { open, input_axes, output_axes, shapes: one })
    }
}

/// Place of the batch in an output of a node. `grown` tells which axes of the output grow with the batch.
fn follow<'a>(
    op: &Op,
    given: &[Option<Place>],
    names: &[String],
    shape_of: &dyn Fn(&String) -> &'a [usize],
    (input, output): (&[usize], &[usize]),
    index: usize,
    grown: impl Iterator<Item = bool>,
) -> Result<Option<Place>, Mismatch> {
    let mixed = || mismatch("an operation across the inferences of a batch", "inferences that stay apart");
    let Some(place) = given.iter().flatten().next().copied() else { return Ok(None) };
    let of_first = given.first().copied().flatten();
    let result = match op {
        Op::Constant(_) => return Ok(None),
        Op::Activation(_) | Op::PRelu(_) => place,
        Op::Conv(_) | Op::Pool(_) | Op::Affine(_) if place.axis == 0 => place,
        Op::Conv(_) | Op::Pool(_) | Op::Affine(_) => return mixed(),
        Op::Dense(_) if place.axis + 1 == input.len() => return mixed(),
        Op::Dense(_) => place,
        Op::Softmax { axis, .. } if *axis == place.axis => return mixed(),
        Op::Softmax { .. } => place,
        Op::Reduce(reduce) => {
            if reduce.axes.contains(&place.axis) {
                return mixed();
            }
            let gone = reduce.axes.iter().filter(|axis| **axis < place.axis && !reduce.keep).count();
            Place { axis: place.axis - gone, ..place }
        }
        Op::Transpose { order } => match order.iter().position(|axis| *axis == place.axis) {
            Some(axis) => Place { axis, ..place },
            None => return mixed(),
        },
        Op::Slice { axes } if axes[place.axis].count.is_some() => return mixed(),
        Op::Slice { .. } => place,
        Op::Pad(pad) if pad.amounts[place.axis] != (0, 0) => return mixed(),
        Op::Pad(_) => place,
        Op::Concat { axis } => {
            if given.iter().any(|other| *other != Some(place)) || *axis == place.axis {
                return mixed();
            }
            place
        }
        Op::Binary(_) => {
            // axes are aligned at the end
            let mut aligned = given.iter().zip(names).filter_map(|(place, name)| {
                place.map(|p| Place { axis: p.axis + output.len() - shape_of(name).len(), ..p })
            });
            let Some(first) = aligned.next() else { return Ok(None) };
            if aligned.any(|other| other != first) {
                return mixed();
            }
            first
        }
        Op::Reshape { .. } => {
            // what lies outside of the batch in memory stays outside
            let outside = input[..place.axis].iter().product::<usize>() * place.outer;
            let mut axes = grown.enumerate().filter(|(_, grown)| *grown).map(|(axis, _)| axis);
            let (Some(axis), None) = (axes.next(), axes.next()) else { return mixed() };
            let before: usize = output[..axis].iter().product();
            if before == 0 || outside % before != 0 || !output[axis].is_multiple_of(outside / before) {
                return mixed();
            }
            return Ok(Some(Place { axis, outer: outside / before }));
        }
        Op::Recurrent(_) => {
            if of_first.is_some_and(|p| p != Place { axis: 1, outer: 1 })
                || given[1..].iter().flatten().any(|p| *p != Place { axis: 1, outer: 1 })
            {
                return mixed();
            }
            Place { axis: if index == 0 { 2 } else { 1 }, outer: 1 }
        }
    };
    let mut grown = grown.enumerate().filter(|(_, grown)| *grown).map(|(axis, _)| axis);
    if grown.next() != Some(result.axis) || grown.next().is_some() {
        return mixed();
    }
    Ok(Some(result))
}
