//! What the activation behind a node keeps of its values.

use super::Graph;
use super::op::{Activation, Op};

impl Activation {
    /// Ends beyond which its result is that of the end; endless where every value counts.
    pub fn kept(&self) -> [f64; 2] {
        let all = [f64::NEG_INFINITY, f64::INFINITY];
        match *self {
            Self::Relu => [0.0, f64::INFINITY],
            Self::Clip { min, max } if min <= max => [f64::from(min), f64::from(max)],
            // Zero below -3.
            Self::HardSwish => [-3.0, f64::INFINITY],
            Self::HardSigmoid { alpha, beta } if alpha > 0.0 => {
                [0.0, 1.0].map(|end| (end - f64::from(beta)) / f64::from(alpha))
            }
            _ => all,
        }
    }
}

impl Graph {
    /// Ends beyond which the values of a node are as good as the ends: those of the activation behind it, if nothing
    /// else reads them.
    pub fn kept(&self, node: usize) -> [f64; 2] {
        let all = [f64::NEG_INFINITY, f64::INFINITY];
        let Some(mut name) = self.nodes.get(node).and_then(|node| match node.outputs.as_slice() {
            [name] => Some(name),
            _ => None,
        }) else {
            return all;
        };
        loop {
            let mut readers = self.nodes.iter().filter(|node| node.inputs.contains(name));
            let (Some(reader), None) = (readers.next(), readers.next()) else { return all };
            if self.outputs.contains(name) {
                return all;
            }
            match &reader.op {
                Op::Activation(activation) => return activation.kept(),
                // The same values in another shape.
                Op::Reshape { .. } | Op::Transpose { .. } => match reader.outputs.first() {
                    Some(next) => name = next,
                    None => return all,
                },
                _ => return all,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::op::{Dense, Length};
    use crate::graph::tensor::Tensor;
    use crate::graph::{Input, Node};

    fn graph(more: Vec<Node>, outputs: &[&str]) -> Graph {
        let weights = Tensor::new(vec![1, 1], vec![1.0]).unwrap();
        let dense = Op::Dense(Dense { weights: weights.into(), bias: None });
        let mut nodes = vec![Node::new("d", dense, &["x"], &["y"])];
        nodes.extend(more);
        let input = Input { name: "x".into(), shape: vec![Length::Batch(1), Length::Fixed(1)] };
        Graph::new("g", vec![input], nodes, outputs.iter().map(|&o| o.to_owned()).collect()).unwrap()
    }

    #[test]
    fn only_the_activation_that_alone_reads_them_clips_values() {
        let clip = |x: &str, y: &str| {
            Node::new(y, Op::Activation(Activation::Clip { min: 0.0, max: 6.0 }), &[x], &[y])
        };
        let tanh = Node::new("t", Op::Activation(Activation::Tanh), &["y"], &["t"]);
        let all = [f64::NEG_INFINITY, f64::INFINITY];
        assert_eq!(graph(vec![clip("y", "a")], &["a"]).kept(0), [0.0, 6.0]);
        assert_eq!(graph(vec![clip("y", "a")], &["a", "y"]).kept(0), all);
        assert_eq!(graph(vec![clip("y", "a"), tanh.clone()], &["a", "t"]).kept(0), all);
        assert_eq!(graph(vec![tanh], &["t"]).kept(0), all);
        assert_eq!(graph(Vec::new(), &["y"]).kept(0), all);
    }

    #[test]
    fn beyond_the_ends_activations_are_flat() {
        for activation in [
            Activation::Relu,
            Activation::Clip { min: -1.0, max: 2.0 },
            Activation::HardSwish,
            Activation::HardSigmoid { alpha: 0.2, beta: 0.5 },
        ] {
            let [lo, hi] = activation.kept();
            let of = |x: f64| {
                let mut values = [x as f32];
                crate::graph::kernels::elementwise::activate(activation, &mut values);
                values[0]
            };
            if hi.is_finite() {
                assert_eq!(of(hi + 1.0), of(hi), "{activation:?}");
            }
            assert!((of(lo - 1.0) - of(lo)).abs() < 1e-6, "{activation:?}");
            assert!((of(lo + 0.5) - of(lo)).abs() > 0.05, "{activation:?}");
        }
    }
}
