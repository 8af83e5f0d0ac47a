//! Import of networks in ONNX, operator sets 7 to 21.
//!
//! The model is walked node by node. What is known is computed at once: shape arithmetic, reshaped or
//! transposed weights. An open batch size is walked twice, with two and with three inferences, and the
//! lengths of reshapes that differ are written as multiples of the batch. An operator or attribute that
//! is not supported ([`SUPPORTED`]) is an error that names its node.
//!
//! Weights must be constants of the model, in the same file or in files beside it.

mod attributes;
mod constants;
mod convert;
mod external;
mod importer;
mod integers;
mod matrices;
mod movement;
pub mod proto;
mod recurrent;
mod windows;
mod wire;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use prost::Message;

use mho_data::InputError;

pub use convert::SUPPORTED;

use super::op::{Length, Op};
use super::{Graph, GraphError, Input, Node};
use importer::{Importer, Value};

/// Oldest and newest versions of the operators that are read.
pub const OPSETS: std::ops::RangeInclusive<i64> = 7..=21;

/// How a model is read.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// Numbers for lengths that the model leaves open under a name. One that remains open is the batch.
    pub dimensions: BTreeMap<String, usize>,
    /// The folder in which weights lie that the model keeps in other files; none: such weights are refused.
    pub folder: Option<PathBuf>,
}

/// Reads a model; `file` names it in errors.
///
/// # Errors
/// [`InputError`] naming the byte, the tensor or the node, what was found and what was expected.
pub fn import(bytes: &[u8], file: &str, options: &ImportOptions) -> Result<Graph, InputError> {
    wire::check(bytes).map_err(|broken| {
        let found = format!("{} at byte {}", broken.what, broken.offset);
        InputError::new(file, found, "an ONNX model (a protocol buffer)")
    })?;
    let mut model = proto::Model::decode(bytes)
        .map_err(|error| InputError::new(file, error.to_string(), "an ONNX model (a protocol buffer)"))?;
    if let (Some(folder), Some(graph)) = (&options.folder, &mut model.graph) {
        external::read(graph, folder)?;
    }
    of_model(&model, options)
        .map_err(|error| InputError::new(file, format!("{}: {}", error.place, error.found), error.expected))
}

/// The graph of a decoded model.
fn of_model(model: &proto::Model, options: &ImportOptions) -> Result<Graph, GraphError> {
    let wrong = |found: String, expected: &str| GraphError::of_graph("model", found, expected);
    let Some(graph) = &model.graph else { return Err(wrong("no graph".into(), "a model with a graph")) };
    let opset = model
        .opset_import
        .iter()
        .filter(|set| matches!(set.domain.as_deref(), None | Some("" | "ai.onnx")))
        .find_map(|set| set.version);
    let opset = match opset {
        Some(opset) if OPSETS.contains(&opset) => opset,
        Some(other) => return Err(wrong(format!("operator set {other}"), "operator sets 7 to 21")),
        None => return Err(wrong("no operator set".into(), "an operator set of ONNX")),
    };
    if !graph.sparse_initializer.is_empty() {
        return Err(wrong("sparse weights".into(), "dense weights"));
    }
    if graph.node.is_empty() {
        return Err(wrong("a graph without nodes".into(), "nodes"));
    }
    let inputs = inputs(graph, options)?;
    let open = inputs.iter().any(|input| input.shape.contains(&Length::Batch(1)));
    let (nodes, outputs) = if open {
        let (two, outputs) = walk(graph, &inputs, opset, 2)?;
        let (three, _) = walk(graph, &inputs, opset, 3)?;
        (merge(two, three)?, outputs)
    } else {
        walk(graph, &inputs, opset, 1)?
    };
    let name = graph.name.as_deref().unwrap_or_default();
    Graph::new(name, inputs, nodes, outputs)
}

/// Inputs that are no initialisers, with at most one open length: the batch.
fn inputs(graph: &proto::Graph, options: &ImportOptions) -> Result<Vec<Input>, GraphError> {
    let constants: std::collections::HashSet<&str> =
        graph.initializer.iter().filter_map(|tensor| tensor.name.as_deref()).collect();
    let mut batch: Option<String> = None;
    let mut inputs = Vec::new();
    for value in &graph.input {
        let name = value.name.as_deref().unwrap_or_default();
        if constants.contains(name) {
            continue;
        }
        let place = format!("input `{name}`");
        let wrong = |found: String, expected: &str| GraphError::of_graph(&place, found, expected);
        let tensor = value.r#type.as_ref().and_then(|t| t.tensor_type.as_ref());
        let Some(tensor) = tensor else { return Err(wrong("no tensor type".into(), "a tensor")) };
        if tensor.elem_type != Some(proto::data_type::FLOAT) {
            let found = format!("the data type {}", tensor.elem_type.unwrap_or(0));
            return Err(wrong(found, "float (1)"));
        }
        let Some(shape) = &tensor.shape else { return Err(wrong("no shape".into(), "a shape")) };
        let mut lengths = Vec::with_capacity(shape.dim.len());
        for (axis, dimension) in shape.dim.iter().enumerate() {
            let symbol = match &dimension.length {
                Some(proto::Length::Value(n)) if *n > 0 => {
                    lengths.push(Length::Fixed(usize::try_from(*n).unwrap_or(usize::MAX)));
                    continue;
                }
                Some(proto::Length::Parameter(symbol)) if !symbol.is_empty() => symbol.clone(),
                _ => format!("{name}:{axis}"),
            };
            if let Some(&n) = options.dimensions.get(&symbol) {
                lengths.push(Length::Fixed(n));
                continue;
            }
            // unnamed lengths of axis 0 are one and the same batch
            let unnamed = symbol == format!("{name}:0");
            let known = batch.get_or_insert_with(|| symbol.clone());
            if *known != symbol && !(unnamed && known.ends_with(":0")) {
                return Err(wrong(
                    format!("the open lengths `{known}` and `{symbol}`"),
                    "numbers for all open lengths but one, the batch",
                ));
            }
            lengths.push(Length::Batch(1));
        }
        inputs.push(Input { name: name.to_owned(), shape: lengths });
    }
    Ok(inputs)
}

/// Converts all nodes for one batch size.
fn walk(
    graph: &proto::Graph,
    inputs: &[Input],
    opset: i64,
    batch: usize,
) -> Result<(Vec<Node>, Vec<String>), GraphError> {
    let Some(start) = graph.node.first() else { return Ok(Default::default()) };
    let mut importer = Importer::new(opset, batch, start);
    for tensor in &graph.initializer {
        let name = tensor.name.clone().unwrap_or_default();
        let place = format!("tensor `{name}`");
        let fail = |wrong: super::shape::Mismatch| GraphError::of_graph(&place, wrong.found, &wrong.expected);
        let known = tensor.known().map_err(fail)?;
        importer.bind(name, Value::Known(known)).map_err(fail)?;
    }
    for input in inputs {
        let length = |length: &Length| match *length {
            Length::Fixed(n) => n,
            Length::Batch(n) => n.saturating_mul(batch),
            Length::Rest => 0,
        };
        let shape = input.shape.iter().map(length).collect();
        let value = Value::Flows(input.name.clone(), shape);
        importer.bind(input.name.clone(), value).map_err(|wrong| {
            GraphError::of_graph(&format!("input `{}`", input.name), wrong.found, &wrong.expected)
        })?;
    }
    for node in &graph.node {
        importer.node(node)?;
    }
    let Importer { values, mut nodes, .. } = importer;
    let mut outputs = Vec::new();
    let mut renamed: HashMap<String, String> = HashMap::new();
    for output in &graph.output {
        let name = output.name.clone().unwrap_or_default();
        let wrong = |found: &str| {
            GraphError::of_graph(&format!("output `{name}`"), found, "a value that a node computes")
        };
        match values.get(&name) {
            Some(Value::Flows(inner, _)) => {
                if inputs.iter().any(|input| input.name == *inner) {
                    return Err(wrong("an input"));
                }
                // an output that only passes another value on gives it its name
                if *inner != name && renamed.insert(inner.clone(), name.clone()).is_some() {
                    return Err(wrong("a value that is another output as well"));
                }
            }
            Some(Value::Known(_)) => return Err(wrong("a constant")),
            None => return Err(wrong("no such value")),
        }
        outputs.push(name);
    }
    for name in nodes.iter_mut().flat_map(|node| node.inputs.iter_mut().chain(&mut node.outputs)) {
        if let Some(new) = renamed.get(name) {
            name.clone_from(new);
        }
    }
    Ok((nodes, outputs))
}

/// One graph from the walks with two and with three inferences.
fn merge(two: Vec<Node>, three: Vec<Node>) -> Result<Vec<Node>, GraphError> {
    let wrong = |node: &Node| {
        let found = "shapes or constants that depend on the batch size";
        let place = format!("node `{}` ({})", node.name, node.op.name());
        GraphError::of_graph(&place, found, "reshapes to multiples of it alone")
    };
    if two.len() != three.len() {
        let found = "nodes that depend on the batch size";
        return Err(GraphError::of_graph("model", found, "the same nodes for any batch"));
    }
    let mut merged = two;
    for (node, other) in merged.iter_mut().zip(three) {
        if let (Op::Reshape { shape }, Op::Reshape { shape: larger }) = (&node.op, &other.op) {
            let lengths = shape.iter().zip(larger).map(|(a, b)| match (*a, *b) {
                (a, b) if a == b => Some(a),
                (Length::Fixed(a), Length::Fixed(b)) if a / 2 * 3 == b && a % 2 == 0 => {
                    Some(Length::Batch(a / 2))
                }
                _ => None,
            });
            let lengths: Option<Vec<Length>> = lengths.collect();
            match lengths.filter(|lengths| lengths.len() == larger.len()) {
                Some(shape) => node.op = Op::Reshape { shape },
                None => return Err(wrong(node)),
            }
        } else if node.op != other.op {
            return Err(wrong(node));
        }
        if node.inputs != other.inputs || node.outputs != other.outputs {
            return Err(wrong(node));
        }
    }
    Ok(merged)
}
