//! Graphs as safetensors with a description in TOML.
//!
//! The description names the tensors, which lie in a safetensors file: beside it ([`read_description`],
//! for weights from elsewhere), or with the description as its metadata entry `graph`
//! ([`Graph::to_bytes`], [`Graph::from_bytes`]). Nodes stand in the order of execution:
//!
//! ```toml
//! schema = 1
//! name = "small"
//! outputs = ["logits"]
//!
//! [[inputs]]
//! name = "image"
//! shape = [{ batch = 1 }, { fixed = 3 }, { fixed = 32 }, { fixed = 32 }]
//!
//! [[nodes]]
//! name = "stem"
//! inputs = ["image"]
//! outputs = ["stem"]
//! op.conv = { weights = "stem.weight", bias = "stem.bias", groups = 1, sliding = { kernel = [3, 3], stride = [2, 2], dilation = [1, 1], padding = [{ explicit = [1, 1] }, "same_upper"] } }
//!
//! [[nodes]]
//! name = "relu6"
//! inputs = ["stem"]
//! outputs = ["active"]
//! op.activation.clip = { min = 0.0, max = 6.0 }
//!
//! [[nodes]]
//! name = "mean"
//! inputs = ["active"]
//! outputs = ["mean"]
//! op.reduce = { kind = "mean", axes = [2, 3], keep = false }
//!
//! [[nodes]]
//! name = "head"
//! inputs = ["mean"]
//! outputs = ["logits"]
//! op.dense = { weights = "head.weight", bias = "head.bias" }
//! ```
//!
//! A table `[input]` may say how the network wants its inputs ([`InputFormat`]).
//!
//! Operations and their fields are those of [`Op`], tensors by name. Weights of a convolution are outputs
//! x (channels / groups) x taps, of a matrix outputs x inputs; [`super::op::Recurrent`] says those of
//! recurrent cells. All tensors are F32. What may be left out, and every operation, stands in
//! `docs/network-files.md`.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use mho_data::InputError;

use super::op::{
    Activation, Affine, AxisSlice, Binary, Cell, Conv, Dense, Direction, Length, Op, Pad, Pool, Recurrent,
    Reduce, Sliding,
};
use super::tensor::Tensor;
use super::{Graph, GraphError, Input, Node};
use crate::file::WriteError;
use crate::samples::InputFormat;
use crate::spec::toml_error;

/// The description of a graph.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    schema: u32,
    name: String,
    outputs: Vec<String>,
    inputs: Vec<InputDescription>,
    #[serde(default)]
    nodes: Vec<NodeDescription>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    input: Option<InputFormat>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InputDescription {
    name: String,
    shape: Vec<Length>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeDescription {
    name: String,
    inputs: Vec<String>,
    outputs: Vec<String>,
    op: OpDescription,
}

/// An operation with its tensors by name.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum OpDescription {
    Constant {
        value: String,
    },
    Conv {
        weights: String,
        bias: Option<String>,
        #[serde(default = "one")]
        groups: usize,
        sliding: Sliding,
    },
    Dense {
        weights: String,
        bias: Option<String>,
    },
    Affine {
        scale: String,
        shift: String,
    },
    Activation(Activation),
    Prelu {
        slope: String,
    },
    Pool(Pool),
    Reduce(Reduce),
    Binary(Binary),
    Concat {
        axis: usize,
    },
    Softmax {
        axis: usize,
        #[serde(default)]
        log: bool,
    },
    Transpose {
        order: Vec<usize>,
    },
    Reshape {
        shape: Vec<Length>,
    },
    Pad(Pad),
    Slice {
        axes: Vec<AxisSlice>,
    },
    Recurrent(RecurrentDescription),
}

fn one() -> usize {
    1
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecurrentDescription {
    cell: Cell,
    direction: Direction,
    hidden: usize,
    input_weights: String,
    hidden_weights: String,
    bias: Option<String>,
    peepholes: Option<String>,
}

/// Names of the tensors of a file.
struct Names {
    tensors: BTreeMap<String, Arc<Tensor>>,
}

impl Names {
    /// A name for a tensor of a node; other nodes may have the same name.
    fn give(&mut self, node: &Node, role: &str, tensor: &Arc<Tensor>) -> String {
        let mut name = format!("{}.{role}", node.name);
        while self.tensors.contains_key(&name) {
            name.push('\'');
        }
        self.tensors.insert(name.clone(), tensor.clone());
        name
    }

    fn describe(&mut self, node: &Node) -> OpDescription {
        let mut give = |role: &str, tensor: &Arc<Tensor>| self.give(node, role, tensor);
        match &node.op {
            Op::Constant(tensor) => OpDescription::Constant { value: give("value", tensor) },
            Op::Conv(conv) => OpDescription::Conv {
                weights: give("weight", &conv.weights),
                bias: conv.bias.as_ref().map(|bias| give("bias", bias)),
                groups: conv.groups,
                sliding: conv.sliding,
            },
            Op::Dense(dense) => OpDescription::Dense {
                weights: give("weight", &dense.weights),
                bias: dense.bias.as_ref().map(|bias| give("bias", bias)),
            },
            Op::Affine(affine) => OpDescription::Affine {
                scale: give("scale", &affine.scale),
                shift: give("shift", &affine.shift),
            },
            Op::Activation(activation) => OpDescription::Activation(*activation),
            Op::PRelu(slope) => OpDescription::Prelu { slope: give("slope", slope) },
            Op::Pool(pool) => OpDescription::Pool(*pool),
            Op::Reduce(reduce) => OpDescription::Reduce(reduce.clone()),
            Op::Binary(binary) => OpDescription::Binary(*binary),
            Op::Concat { axis } => OpDescription::Concat { axis: *axis },
            Op::Softmax { axis, log } => OpDescription::Softmax { axis: *axis, log: *log },
            Op::Transpose { order } => OpDescription::Transpose { order: order.clone() },
            Op::Reshape { shape } => OpDescription::Reshape { shape: shape.clone() },
            Op::Pad(pad) => OpDescription::Pad(pad.clone()),
            Op::Slice { axes } => OpDescription::Slice { axes: axes.clone() },
            Op::Recurrent(recurrent) => OpDescription::Recurrent(RecurrentDescription {
                cell: recurrent.cell,
                direction: recurrent.direction,
                hidden: recurrent.hidden,
                input_weights: give("input_weight", &recurrent.input_weights),
                hidden_weights: give("hidden_weight", &recurrent.hidden_weights),
                bias: recurrent.bias.as_ref().map(|bias| give("bias", bias)),
                peepholes: recurrent.peepholes.as_ref().map(|p| give("peephole", p)),
            }),
        }
    }
}

/// Tensors by name, each read once.
struct Tensors<'a> {
    file: SafeTensors<'a>,
    name: &'a str,
    read: HashMap<String, Arc<Tensor>>,
}

impl Tensors<'_> {
    fn get(&mut self, name: String) -> Result<Arc<Tensor>, InputError> {
        if let Some(tensor) = self.read.get(&name) {
            return Ok(tensor.clone());
        }
        let bad = |found: String, expected: &str| InputError::new(self.name, found, expected);
        let view = self
            .file
            .tensor(&name)
            .map_err(|_| bad(format!("no tensor `{name}`"), "every tensor that the description names"))?;
        if view.dtype() != Dtype::F32 {
            return Err(bad(format!("the tensor `{name}` of type {:?}", view.dtype()), "F32"));
        }
        let values: Vec<f32> =
            view.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
        if values.iter().any(|value| value.is_nan()) {
            return Err(bad(format!("the tensor `{name}` with a value that is no number"), "numbers"));
        }
        let tensor = Tensor::new(view.shape().to_vec(), values).ok_or_else(|| {
            bad(format!("the tensor `{name}` of shape {:?}", view.shape()), "a smaller tensor")
        })?;
        let tensor = Arc::new(tensor);
        self.read.insert(name, tensor.clone());
        Ok(tensor)
    }

    fn optional(&mut self, name: Option<String>) -> Result<Option<Arc<Tensor>>, InputError> {
        name.map(|name| self.get(name)).transpose()
    }

    fn op(&mut self, description: OpDescription) -> Result<Op, InputError> {
        Ok(match description {
            OpDescription::Constant { value } => Op::Constant(self.get(value)?),
            OpDescription::Conv { weights, bias, groups, sliding } => {
                Op::Conv(Conv { weights: self.get(weights)?, bias: self.optional(bias)?, groups, sliding })
            }
            OpDescription::Dense { weights, bias } => {
                Op::Dense(Dense { weights: self.get(weights)?, bias: self.optional(bias)? })
            }
            OpDescription::Affine { scale, shift } => {
                Op::Affine(Affine { scale: self.get(scale)?, shift: self.get(shift)? })
            }
            OpDescription::Activation(activation) => Op::Activation(activation),
            OpDescription::Prelu { slope } => Op::PRelu(self.get(slope)?),
            OpDescription::Pool(pool) => Op::Pool(pool),
            OpDescription::Reduce(reduce) => Op::Reduce(reduce),
            OpDescription::Binary(binary) => Op::Binary(binary),
            OpDescription::Concat { axis } => Op::Concat { axis },
            OpDescription::Softmax { axis, log } => Op::Softmax { axis, log },
            OpDescription::Transpose { order } => Op::Transpose { order },
            OpDescription::Reshape { shape } => Op::Reshape { shape },
            OpDescription::Pad(pad) => Op::Pad(pad),
            OpDescription::Slice { axes } => Op::Slice { axes },
            OpDescription::Recurrent(r) => Op::Recurrent(Box::new(Recurrent {
                cell: r.cell,
                direction: r.direction,
                hidden: r.hidden,
                input_weights: self.get(r.input_weights)?,
                hidden_weights: self.get(r.hidden_weights)?,
                bias: self.optional(r.bias)?,
                peepholes: self.optional(r.peepholes)?,
            })),
        })
    }
}

/// Reads a description and the tensors that it names; the file names are those of errors.
///
/// # Errors
/// [`InputError`] with the line of the description, the tensor or the node.
pub fn read_description(
    text: &str,
    text_file: &str,
    tensors: &[u8],
    tensors_file: &str,
) -> Result<(Graph, Option<InputFormat>), InputError> {
    let description: Description = toml::from_str(text).map_err(|e| toml_error(&e, text, text_file))?;
    if description.schema != 1 {
        return Err(InputError::new(text_file, format!("schema {}", description.schema), "schema 1"));
    }
    let file = SafeTensors::deserialize(tensors)
        .map_err(|e| InputError::new(tensors_file, e.to_string(), "tensors (safetensors)"))?;
    let mut tensors = Tensors { file, name: tensors_file, read: HashMap::new() };
    let mut nodes = Vec::with_capacity(description.nodes.len());
    for NodeDescription { name, inputs, outputs, op } in description.nodes {
        nodes.push(Node { name, op: tensors.op(op)?, inputs, outputs });
    }
    let inputs = description.inputs.into_iter().map(|input| Input { name: input.name, shape: input.shape });
    let graph = Graph::new(&description.name, inputs.collect(), nodes, description.outputs).map_err(
        |GraphError { place, found, expected }| {
            InputError::new(text_file, format!("{place}: {found}"), expected)
        },
    )?;
    Ok((graph, description.input))
}

/// Reads what [`Graph::to_bytes`] or [`Graph::to_bytes_with`] wrote, and what the file says about inputs;
/// `file` names it in errors.
///
/// # Errors
/// [`InputError`] naming the tensor, the node or the line of the description.
pub fn read(bytes: &[u8], file: &str) -> Result<(Graph, Option<InputFormat>), InputError> {
    let graph_file = "a network as a graph (safetensors)";
    let (_, metadata) =
        SafeTensors::read_metadata(bytes).map_err(|e| InputError::new(file, e.to_string(), graph_file))?;
    let text = metadata
        .metadata()
        .as_ref()
        .and_then(|m| m.get("graph"))
        .ok_or_else(|| InputError::new(file, "no metadata entry `graph`", graph_file))?;
    read_description(text, file, bytes, file)
}

impl Graph {
    /// The graph as a safetensors file with its description inside; equal graphs give equal bytes.
    ///
    /// # Errors
    /// [`WriteError`] when the description or the tensors cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>, WriteError> {
        self.to_bytes_with(None)
    }

    /// The same, and how the network wants its inputs.
    ///
    /// # Errors
    /// As [`Self::to_bytes`].
    pub fn to_bytes_with(&self, input: Option<&InputFormat>) -> Result<Vec<u8>, WriteError> {
        let mut names = Names { tensors: BTreeMap::new() };
        let nodes = self
            .nodes()
            .iter()
            .map(|node| NodeDescription {
                name: node.name.clone(),
                inputs: node.inputs.clone(),
                outputs: node.outputs.clone(),
                op: names.describe(node),
            })
            .collect();
        let describe =
            |input: &Input| InputDescription { name: input.name.clone(), shape: input.shape.clone() };
        let description = Description {
            schema: 1,
            name: self.name().to_owned(),
            outputs: self.outputs().to_vec(),
            inputs: self.inputs().iter().map(describe).collect(),
            nodes,
            input: input.cloned(),
        };
        let metadata = HashMap::from([("graph".to_owned(), toml::to_string(&description)?)]);
        let data: Vec<(&String, &Tensor, Vec<u8>)> = names
            .tensors
            .iter()
            .map(|(name, tensor)| {
                let bytes = tensor.values().iter().flat_map(|x| x.to_le_bytes()).collect();
                (name, tensor.as_ref(), bytes)
            })
            .collect();
        let views = data
            .iter()
            .map(|(name, tensor, bytes)| {
                Ok((name.as_str(), TensorView::new(Dtype::F32, tensor.shape().to_vec(), bytes)?))
            })
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
        Ok(safetensors::serialize(views, Some(metadata))?)
    }

    /// Reads what [`Self::to_bytes`] wrote; `file` names it in errors.
    ///
    /// # Errors
    /// [`InputError`] naming the tensor, the node or the line of the description.
    pub fn from_bytes(bytes: &[u8], file: &str) -> Result<Self, InputError> {
        Ok(read(bytes, file)?.0)
    }
}
