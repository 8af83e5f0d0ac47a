//! Models in ONNX, written node by node, with random weights; and the independent runtime `rten`.

use mho_data::random::Stream;
use mho_network::graph::onnx::proto::{self, attribute_type, data_type};
use mho_network::graph::tensor::Tensor;
use prost::Message;

/// Length of an axis of an input; 0 leaves it open under the name `batch`.
pub const BATCH: i64 = 0;

/// A model under construction.
pub struct Model {
    pub graph: proto::Graph,
    pub opset: i64,
    stream: Stream,
    drawn: u64,
}

impl Model {
    /// An empty model; weights are drawn from `seed`.
    pub fn new(opset: i64, seed: u64) -> Self {
        let graph = proto::Graph { name: Some("test".into()), ..Default::default() };
        Self { graph, opset, stream: Stream::new(seed, &["test", "graph"], &[]), drawn: 0 }
    }

    /// Normal numbers.
    pub fn normals(&mut self, count: usize, scale: f32) -> Vec<f32> {
        let mut values = vec![0.0; count];
        self.stream.fill_normal_f32(self.drawn, &mut values);
        // streams are read in whole blocks of four
        self.drawn += (count as u64).next_multiple_of(4);
        values.iter_mut().for_each(|x| *x *= scale);
        values
    }

    pub fn input(&mut self, name: &str, shape: &[i64]) -> &mut Self {
        self.graph.input.push(value(name, shape));
        self
    }

    pub fn output(&mut self, name: &str) -> &mut Self {
        let mut info = value(name, &[]);
        if let Some(tensor) = info.r#type.as_mut().and_then(|t| t.tensor_type.as_mut()) {
            tensor.shape = None;
        }
        self.graph.output.push(info);
        self
    }

    /// A float tensor.
    pub fn tensor(&mut self, name: &str, shape: &[i64], values: &[f32]) -> &mut Self {
        self.graph.initializer.push(proto::Tensor {
            name: Some(name.into()),
            dims: shape.to_vec(),
            data_type: Some(data_type::FLOAT),
            raw_data: Some(values.iter().flat_map(|x| x.to_le_bytes()).collect()),
            ..Default::default()
        });
        self
    }

    /// A float tensor of normal numbers whose products keep the size of their inputs.
    pub fn random(&mut self, name: &str, shape: &[i64]) -> &mut Self {
        let count = shape.iter().product::<i64>() as usize;
        let fan = shape.iter().skip(1).product::<i64>().max(1) as f32;
        let values = self.normals(count, 1.0 / fan.sqrt());
        self.tensor(name, shape, &values)
    }

    /// A vector of integers.
    pub fn integers(&mut self, name: &str, values: &[i64]) -> &mut Self {
        self.graph.initializer.push(proto::Tensor {
            name: Some(name.into()),
            dims: vec![values.len() as i64],
            data_type: Some(data_type::INT64),
            int64_data: values.to_vec(),
            ..Default::default()
        });
        self
    }

    /// A node called as its first output.
    pub fn node(
        &mut self,
        op: &str,
        inputs: &[&str],
        outputs: &[&str],
        attributes: &[proto::Attribute],
    ) -> &mut Self {
        self.graph.node.push(proto::Node {
            name: Some(format!("{op}_{}", outputs[0])),
            op_type: Some(op.into()),
            input: inputs.iter().map(|&s| s.into()).collect(),
            output: outputs.iter().map(|&s| s.into()).collect(),
            attribute: attributes.to_vec(),
            domain: None,
        });
        self
    }

    pub fn model(&self) -> proto::Model {
        proto::Model {
            ir_version: Some(8),
            producer_name: Some("mho-tests".into()),
            graph: Some(self.graph.clone()),
            opset_import: vec![proto::OperatorSet { domain: None, version: Some(self.opset) }],
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.model().encode_to_vec()
    }
}

/// The model as the independent runtime takes it: attributes at their defaults written out, dropouts
/// without effect as identities.
pub fn explicit(bytes: &[u8]) -> Vec<u8> {
    let mut model = proto::Model::decode(bytes).unwrap();
    let graph = model.graph.as_mut().unwrap();
    for node in &mut graph.node {
        let operator = node.op_type.clone().unwrap_or_default();
        if operator == "Dropout" {
            node.op_type = Some("Identity".into());
        }
        let given = |name: &str| node.attribute.iter().find(|a| a.name.as_deref() == Some(name));
        let kernel = match (operator.as_str(), given("kernel_shape")) {
            ("Conv" | "MaxPool" | "AveragePool", Some(kernel)) => kernel.ints.clone(),
            ("Conv", None) => {
                let weights = graph.initializer.iter().find(|t| t.name.as_ref() == node.input.get(1));
                weights.unwrap().dims[2..].to_vec()
            }
            _ => continue,
        };
        let axes = kernel.len();
        let defaults = [("strides", vec![1; axes]), ("dilations", vec![1; axes]), ("kernel_shape", kernel)];
        for (name, values) in defaults {
            let missing = !node.attribute.iter().any(|a| a.name.as_deref() == Some(name));
            if missing && (name != "dilations" || operator == "Conv") {
                node.attribute.push(ints(name, &values));
            }
        }
    }
    model.encode_to_vec()
}

fn value(name: &str, shape: &[i64]) -> proto::ValueInfo {
    let length = |n: &i64| match *n {
        BATCH => proto::Length::Parameter("batch".into()),
        n => proto::Length::Value(n),
    };
    let dim = shape.iter().map(|n| proto::Dimension { length: Some(length(n)) }).collect();
    let tensor = proto::TensorType { elem_type: Some(data_type::FLOAT), shape: Some(proto::Shape { dim }) };
    proto::ValueInfo { name: Some(name.into()), r#type: Some(proto::Type { tensor_type: Some(tensor) }) }
}

pub fn int(name: &str, i: i64) -> proto::Attribute {
    proto::Attribute {
        name: Some(name.into()),
        i: Some(i),
        kind: Some(attribute_type::INT),
        ..Default::default()
    }
}

pub fn ints(name: &str, ints: &[i64]) -> proto::Attribute {
    let (name, ints) = (Some(name.into()), ints.to_vec());
    proto::Attribute { name, ints, kind: Some(attribute_type::INTS), ..Default::default() }
}

pub fn float(name: &str, f: f32) -> proto::Attribute {
    proto::Attribute {
        name: Some(name.into()),
        f: Some(f),
        kind: Some(attribute_type::FLOAT),
        ..Default::default()
    }
}

pub fn text(name: &str, s: &str) -> proto::Attribute {
    let (name, s) = (Some(name.into()), Some(s.into()));
    proto::Attribute { name, s, kind: Some(attribute_type::STRING), ..Default::default() }
}

pub fn texts(name: &str, all: &[&str]) -> proto::Attribute {
    let (name, strings) = (Some(name.into()), all.iter().map(|&s| s.into()).collect());
    proto::Attribute { name, strings, kind: Some(attribute_type::STRINGS), ..Default::default() }
}

/// Outputs of the independent runtime, by their names and numbers of axes.
pub fn independent(model: &[u8], inputs: &[(&str, &Tensor)], outputs: &[(&str, usize)]) -> Vec<Tensor> {
    let model = rten::Model::load(explicit(model)).unwrap();
    let given = inputs
        .iter()
        .map(|(name, tensor)| {
            let value = rten::Value::from_shape(tensor.shape(), tensor.values().to_vec()).unwrap();
            (model.node_id(name).unwrap(), value.into())
        })
        .collect();
    let ids: Vec<rten::NodeId> = outputs.iter().map(|(name, _)| model.node_id(name).unwrap()).collect();
    let results = model.run(given, &ids, None).unwrap();
    results.into_iter().zip(outputs).map(|(value, (_, axes))| tensor_of(value, *axes)).collect()
}

fn tensor_of(value: rten::Value, axes: usize) -> Tensor {
    fn rank<const N: usize>(value: rten::Value) -> Tensor {
        let (shape, values) = value.into_shape_vec::<f32, N>().unwrap();
        Tensor::new(shape.to_vec(), values).unwrap()
    }
    match axes {
        1 => rank::<1>(value),
        2 => rank::<2>(value),
        3 => rank::<3>(value),
        4 => rank::<4>(value),
        other => panic!("an output of {other} axes"),
    }
}
