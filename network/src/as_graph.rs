//! A network trained here as a graph, so that there is one way to execute networks.

use std::sync::Arc;

use crate::graph::op::{Activation, Conv, Dense, Length, Op, Padding, Pool, PoolKind, Sliding};
use crate::graph::tensor::Tensor;
use crate::graph::{Graph, GraphError, Input, Node};
use crate::model::{Layer, Linear, Network};

impl Network {
    /// The network as a graph: one input, images x channels x rows x columns, and one output, images x
    /// classes. Nodes are named by kind and number (`dense1`, `conv2`).
    ///
    /// # Errors
    /// [`GraphError`] when the network has no layer that a graph can hold.
    pub fn graph(&self) -> Result<Graph, GraphError> {
        let shape = self.input();
        let lengths = [shape.channels, shape.rows, shape.columns].map(Length::Fixed);
        let image =
            Input { name: "image".into(), shape: [Length::Batch(1)].into_iter().chain(lengths).collect() };
        let mut nodes = Vec::new();
        let mut last = image.name.clone();
        let mut flat = false;
        let mut push = |kind: &str, op: Op, last: &mut String| {
            let name = format!("{kind}{}", nodes.len() + 1);
            nodes.push(Node::new(&name, op, &[last], &[&name]));
            *last = name;
        };
        for (index, layer) in self.layers().iter().enumerate() {
            let length = self.shapes[index].len();
            let flatten = matches!(layer, Layer::Flatten | Layer::Dense(_)) && !flat;
            if flatten {
                let shape = vec![Length::Batch(1), Length::Fixed(length)];
                push("flatten", Op::Reshape { shape }, &mut last);
                flat = true;
            }
            match layer {
                Layer::Dense(linear) => {
                    let [weights, bias] = tensors(linear, vec![linear.outputs, linear.inputs])?;
                    push("dense", Op::Dense(Dense { weights, bias: Some(bias) }), &mut last);
                }
                Layer::Conv2d(linear, window) => {
                    let side = window.kernel;
                    let shape = vec![linear.outputs, self.shapes[index].channels, side, side];
                    let [weights, bias] = tensors(linear, shape)?;
                    let sliding = Sliding {
                        kernel: [side; 2],
                        stride: [window.stride; 2],
                        dilation: [1; 2],
                        padding: [Padding::Explicit(window.padding, window.padding); 2],
                    };
                    push("conv", Op::Conv(Conv { weights, bias: Some(bias), groups: 1, sliding }), &mut last);
                }
                Layer::Relu => push("relu", Op::Activation(Activation::Relu), &mut last),
                Layer::MaxPool2 => {
                    let sliding = Sliding {
                        kernel: [2; 2],
                        stride: [2; 2],
                        dilation: [1; 2],
                        padding: [Padding::Explicit(0, 0); 2],
                    };
                    push(
                        "pool",
                        Op::Pool(Pool { kind: PoolKind::Max, sliding, ceil_mode: false }),
                        &mut last,
                    );
                }
                Layer::Flatten => {}
            }
        }
        Graph::new(self.name(), vec![image], nodes, vec![last])
    }
}

/// Weights of a shape, and biases.
fn tensors(linear: &Linear, shape: Vec<usize>) -> Result<[Arc<Tensor>; 2], GraphError> {
    let weights = Tensor::new(shape, linear.weights.clone()).ok_or_else(|| GraphError {
        place: "weights".into(),
        found: format!("{} values", linear.weights.len()),
        expected: "those of its shape, and fewer than a tensor may hold".into(),
    })?;
    Ok([Arc::new(weights), Arc::new(Tensor::vector(linear.bias.clone()))])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{LayerSpec, NetworkSpec, Shape};
    use mho_data::random::Stream;

    #[test]
    fn a_graph_gives_the_outputs_of_its_network() {
        let odd = NetworkSpec {
            schema: 1,
            name: "odd".into(),
            layers: vec![
                LayerSpec::Conv2d { outputs: 5, kernel: 3, stride: 2, padding: 2 },
                LayerSpec::Relu,
                LayerSpec::MaxPool2,
                LayerSpec::Flatten,
                LayerSpec::Dense { outputs: 7 },
            ],
        };
        let cases = [
            (NetworkSpec::mlp(&[32, 24], 10), Shape { channels: 1, rows: 8, columns: 8 }),
            (NetworkSpec::cnn(10), Shape { channels: 1, rows: 28, columns: 28 }),
            (odd, Shape { channels: 3, rows: 11, columns: 9 }),
        ];
        for (spec, shape) in cases {
            let network = Network::new(&spec, shape, 1.0, 3).unwrap();
            let graph = network.graph().unwrap();
            let count = 70;
            let mut x = vec![0.0; count * shape.len()];
            Stream::new(2, &["test"], &[]).fill_normal_f32(0, &mut x);
            let ours = network.forward(&x, count);
            let images = Tensor::new(vec![count, shape.channels, shape.rows, shape.columns], x).unwrap();
            let outputs = graph.run(&graph.digital(), &[images]).unwrap();
            assert_eq!(outputs[0].shape(), [count, network.classes()]);
            let largest = ours.iter().fold(0.0_f32, |m, x| m.max(x.abs()));
            let worst = ours.iter().zip(outputs[0].values()).fold(0.0_f32, |m, (a, b)| m.max((a - b).abs()));
            // sums of up to 784 f32 products in another order: a few units in the last place
            assert!(worst < 1e-6 * largest, "{}: {worst} of {largest}", network.name());
            assert_eq!(graph.weight_count(), network.weight_count());
            assert_eq!(graph.products_per_inference(), network.products_per_image());
        }
    }
}
