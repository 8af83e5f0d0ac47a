//! One walk through the nodes of a model, for one batch size: what is known becomes constants, the rest
//! becomes nodes of a graph.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::super::kernels::{self, Matrices, Read, Scratch, Write};
use super::super::layers::Digital;
use super::super::op::{Length, Op};
use super::super::shape::{Mismatch, mismatch};
use super::super::tensor::Tensor;
use super::super::{GraphError, Node};
use super::constants::Known;
use super::proto;

/// Most values that may be computed while a network is read: 1 GiB of f32. Assumed.
const MOST_FOLDED: usize = 1 << 28;

/// What a name stands for.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// Known now.
    Known(Known),
    /// Computed at inference: its name in the graph, its shape.
    Flows(String, Vec<usize>),
}

/// The state of a walk.
pub(crate) struct Importer<'a> {
    /// Version of the default operator set.
    pub(crate) opset: i64,
    pub(crate) batch: usize,
    pub(crate) values: HashMap<String, Value>,
    pub(crate) nodes: Vec<Node>,
    /// Constants that stand among the nodes.
    placed: HashSet<String>,
    /// The node at work, its name.
    pub(crate) node: &'a proto::Node,
    pub(crate) name: String,
    /// Values computed so far.
    folded: usize,
}

impl<'a> Importer<'a> {
    pub(crate) fn new(opset: i64, batch: usize, start: &'a proto::Node) -> Self {
        Self {
            opset,
            batch,
            values: HashMap::new(),
            nodes: Vec::new(),
            placed: HashSet::new(),
            node: start,
            name: String::new(),
            folded: 0,
        }
    }

    /// Converts one node; its name comes from the file, or from its first output.
    pub(crate) fn node(&mut self, node: &'a proto::Node) -> Result<(), GraphError> {
        let given = node.name.as_deref().filter(|name| !name.is_empty());
        let output = node.output.first().map_or("", String::as_str);
        self.name = given.unwrap_or(output).to_owned();
        self.node = node;
        let operator = node.op_type.as_deref().unwrap_or_default();
        let domain = node.domain.as_deref().unwrap_or_default();
        let done = if matches!(domain, "" | "ai.onnx") {
            super::convert::convert(self, operator)
        } else {
            mismatch(format!("an operator of the domain `{domain}`"), "an operator of ONNX itself")
        };
        done.map_err(|wrong| GraphError::at_node(&self.name, operator, wrong))
    }

    /// Number of inputs given.
    pub(crate) fn input_count(&self) -> usize {
        self.node.input.len()
    }

    /// Whether an input is given.
    pub(crate) fn has(&self, index: usize) -> bool {
        self.node.input.get(index).is_some_and(|name| !name.is_empty())
    }

    /// What an input stands for.
    pub(crate) fn value(&self, index: usize) -> Result<&Value, Mismatch> {
        let name = self.node.input.get(index).map_or("", String::as_str);
        match self.values.get(name) {
            Some(value) => Ok(value),
            None if name.is_empty() => mismatch(format!("no input {index}"), "an input"),
            None => {
                let found = format!("the input `{name}` that no node before it returns");
                mismatch(found, "nodes in the order of execution")
            }
        }
    }

    /// Shape of an input.
    pub(crate) fn shape(&self, index: usize) -> Result<Vec<usize>, Mismatch> {
        Ok(match self.value(index)? {
            Value::Known(known) => known.shape().to_vec(),
            Value::Flows(_, shape) => shape.clone(),
        })
    }

    /// A constant float input.
    pub(crate) fn floats(&self, index: usize, what: &str) -> Result<Arc<Tensor>, Mismatch> {
        match self.value(index)? {
            Value::Known(Known::Floats(tensor)) => Ok(tensor.clone()),
            Value::Known(Known::Integers { .. }) => mismatch(format!("integers as {what}"), "floats"),
            Value::Flows(name, _) => mismatch(
                format!("{what} `{name}` that are computed at inference"),
                "constant ones, which an array can hold",
            ),
        }
    }

    /// A constant float input that may be absent.
    pub(crate) fn floats_or_none(&self, index: usize, what: &str) -> Result<Option<Arc<Tensor>>, Mismatch> {
        if self.has(index) { self.floats(index, what).map(Some) } else { Ok(None) }
    }

    /// A constant integer input.
    pub(crate) fn integers(&self, index: usize, what: &str) -> Result<Vec<i64>, Mismatch> {
        match self.value(index)? {
            Value::Known(Known::Integers { values, .. }) => Ok(values.clone()),
            _ => mismatch(format!("{what} that are no constant integers"), "constant integers"),
        }
    }

    /// A constant single number.
    pub(crate) fn number(&self, index: usize, what: &str) -> Result<f32, Mismatch> {
        match self.value(index)? {
            Value::Known(Known::Floats(tensor)) if tensor.values().len() == 1 => Ok(tensor.values()[0]),
            Value::Known(Known::Integers { values, .. }) if values.len() == 1 => Ok(values[0] as f32),
            _ => mismatch(format!("{what} that is no constant number"), "a constant number"),
        }
    }

    /// Name of an output of the node; empty if it is not wanted.
    pub(crate) fn output(&self, index: usize) -> String {
        self.node.output.get(index).cloned().unwrap_or_default()
    }

    /// Refuses more outputs than an operator gives here.
    pub(crate) fn at_most_outputs(&self, most: usize) -> Result<(), Mismatch> {
        match self.node.output.iter().skip(most).find(|name| !name.is_empty()) {
            None => Ok(()),
            Some(name) => mismatch(format!("the output `{name}`"), format!("at most {most} outputs")),
        }
    }

    /// A new name for an intermediate value of the node.
    pub(crate) fn fresh(&self, what: &str) -> String {
        let mut name = format!("{}/{what}", self.name);
        while self.values.contains_key(&name) || self.node.output.contains(&name) {
            name.push('\'');
        }
        name
    }

    /// Binds a name of the file; a second value of the same name is an error.
    pub(crate) fn bind(&mut self, name: String, value: Value) -> Result<(), Mismatch> {
        if name.is_empty() {
            return Ok(());
        }
        if self.values.contains_key(&name) {
            return mismatch(format!("a second value `{name}`"), "one name per value");
        }
        self.values.insert(name, value);
        Ok(())
    }

    /// The node returns one of its inputs as it is.
    pub(crate) fn pass(&mut self, index: usize) -> Result<(), Mismatch> {
        let value = self.value(index)?.clone();
        self.bind(self.output(0), value)
    }

    /// Adds an operation on inputs of the node (by number) that gives its first output.
    pub(crate) fn emit(&mut self, op: Op, inputs: &[usize]) -> Result<(), Mismatch> {
        let names: Vec<String> =
            inputs.iter().map(|&i| self.node.input.get(i).cloned().unwrap_or_default()).collect();
        self.emit_named(op, &names, vec![self.output(0)])
    }

    /// Adds an operation on named values; it is evaluated now if all of them are known.
    pub(crate) fn emit_named(
        &mut self,
        op: Op,
        inputs: &[String],
        outputs: Vec<String>,
    ) -> Result<(), Mismatch> {
        let mut shapes: Vec<Option<Vec<usize>>> = Vec::new();
        let mut known: Vec<Option<Arc<Tensor>>> = Vec::new();
        for name in inputs {
            let (shape, tensor) = match self.values.get(name) {
                None if name.is_empty() => (None, None),
                None => {
                    let found = format!("the input `{name}` that no node before it returns");
                    return mismatch(found, "nodes in the order of execution");
                }
                Some(Value::Flows(_, shape)) => (Some(shape.clone()), None),
                Some(Value::Known(Known::Floats(tensor))) => {
                    (Some(tensor.shape().to_vec()), Some(tensor.clone()))
                }
                Some(Value::Known(Known::Integers { .. })) => {
                    return mismatch(format!("the integers `{name}`"), "floats");
                }
            };
            shapes.push(shape);
            known.push(tensor);
        }
        let views: Vec<Option<&[usize]>> = shapes.iter().map(Option::as_deref).collect();
        let results = op.infer(&views, self.batch)?;
        let foldable = !matches!(op, Op::Conv(_) | Op::Dense(_) | Op::Recurrent(_));
        if foldable && known.iter().all(Option::is_some) {
            let tensors: Vec<Arc<Tensor>> = known.into_iter().flatten().collect();
            self.spend(results.iter().flatten().product())?;
            let tensor = evaluate(&op, &tensors, results.into_iter().next().unwrap_or_default());
            let value = Value::Known(Known::Floats(Arc::new(tensor)));
            return outputs.into_iter().try_for_each(|name| self.bind(name, value.clone()));
        }
        let mut names = Vec::with_capacity(inputs.len());
        for (name, tensor) in inputs.iter().zip(known) {
            names.push(match (self.values.get(name), tensor) {
                (Some(Value::Flows(flowing, _)), _) => flowing.clone(),
                (_, Some(tensor)) => self.place(name, tensor),
                _ => String::new(),
            });
        }
        for (name, shape) in outputs.iter().zip(results) {
            self.bind(name.clone(), Value::Flows(name.clone(), shape))?;
        }
        self.nodes.push(Node { name: self.name.clone(), op, inputs: names, outputs });
        Ok(())
    }

    /// Counts values that are computed now, so that a file cannot ask for any number of them.
    pub(crate) fn spend(&mut self, values: usize) -> Result<(), Mismatch> {
        self.folded = self.folded.saturating_add(values);
        if self.folded > MOST_FOLDED {
            return mismatch(
                format!("{} values computed from constants", self.folded),
                format!("at most {MOST_FOLDED}"),
            );
        }
        Ok(())
    }

    /// Puts a constant among the nodes, once.
    fn place(&mut self, name: &str, tensor: Arc<Tensor>) -> String {
        if self.placed.insert(name.to_owned()) {
            self.nodes.push(Node::new(name, Op::Constant(tensor), &[], &[name]));
        }
        name.to_owned()
    }

    /// Reshapes an input of the node to known lengths.
    pub(crate) fn reshape(&mut self, index: usize, shape: Vec<usize>) -> Result<(), Mismatch> {
        if let Value::Known(Known::Integers { values, .. }) = self.value(index)? {
            let values = values.clone();
            if super::super::tensor::count(&shape) != Some(values.len()) {
                return mismatch(format!("{} integers as {shape:?}", values.len()), "as many");
            }
            return self.bind(self.output(0), Value::Known(Known::Integers { shape, values }));
        }
        let shape = shape.into_iter().map(Length::Fixed).collect();
        self.emit(Op::Reshape { shape }, &[index])
    }
}

/// An operation on known tensors.
fn evaluate(op: &Op, inputs: &[Arc<Tensor>], shape: Vec<usize>) -> Tensor {
    let mut result = Tensor::zeros(shape).unwrap_or_else(|| Tensor::vector(Vec::new()));
    let shape = result.shape().to_vec();
    if let (Op::Reshape { .. }, Some(input)) = (op, inputs.first()) {
        result.values_mut().copy_from_slice(input.values());
        return result;
    }
    let reads: Vec<Option<Read<'_>>> =
        inputs.iter().map(|t| Some(Read { shape: t.shape(), values: t.values() })).collect();
    let mut writes = [Write { shape: &shape, values: result.values_mut() }];
    let nothing = Digital::new(&[]);
    let matrices = Matrices { layers: &[], products: &nothing, inference: 0 };
    kernels::execute(op, &reads, false, &mut writes, None, matrices, &mut Scratch::default());
    result
}
