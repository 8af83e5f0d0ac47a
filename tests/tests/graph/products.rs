//! The trait that stands between a graph and its matrices: every product goes through it, once.

use std::sync::Mutex;

use mho_network::graph::layers::multiply;
use mho_network::graph::onnx::{ImportOptions, import};
use mho_network::graph::tensor::Tensor;
use mho_network::graph::{Graph, LayerId, Products, Vectors, VectorsMut};

use crate::builder::{BATCH, Model, int, ints, text};
use crate::operators::close;

/// Multiplies element by element, and notes the numbers of the vectors.
struct Noted<'a> {
    graph: &'a Graph,
    seen: Vec<Mutex<Vec<(u64, u64)>>>,
}

impl<'a> Noted<'a> {
    fn of(graph: &'a Graph) -> Self {
        Self { graph, seen: graph.layers().iter().map(|_| Mutex::default()).collect() }
    }
}

impl Products for Noted<'_> {
    fn product(&self, layer: LayerId, inputs: Vectors<'_>, outputs: &mut VectorsMut<'_>) {
        self.seen[layer.0].lock().unwrap().push((inputs.first, inputs.first + inputs.count as u64));
        let layer = &self.graph.layers()[layer.0];
        assert_eq!((inputs.length, outputs.length), (layer.inputs(), layer.outputs()));
        for vector in 0..inputs.count {
            for (output, row) in layer.weights().chunks_exact(layer.inputs()).enumerate() {
                let sum: f64 = row
                    .iter()
                    .enumerate()
                    .map(|(i, w)| f64::from(*w) * f64::from(inputs.get(vector, i)))
                    .sum();
                *outputs.get_mut(vector, output) = sum as f32;
            }
        }
    }
}

/// Convolutions of all kinds with a recurrent layer behind them.
fn network() -> Graph {
    let mut model = Model::new(13, 51);
    model
        .random("w", &[12, 3, 3, 3])
        .random("d", &[12, 1, 5, 5])
        .random("g", &[8, 6, 3, 3])
        .random("p", &[6, 8, 1, 1]);
    for (gates, prefix) in [(4, "l"), (3, "g")] {
        let inputs = if prefix == "l" { 6 } else { 5 };
        model
            .random(&format!("{prefix}x"), &[2, gates * 5, inputs])
            .random(&format!("{prefix}h"), &[2, gates * 5, 5]);
    }
    model.random("m", &[20, 7]).random("n", &[7]).integers("seq", &[0, 6, -1]).integers("flat", &[0, 0, -1]);
    model.node("Conv", &["x", "w"], &["1"], &[ints("strides", &[2, 2]), ints("pads", &[1, 1, 1, 1])]);
    model.node("Conv", &["1", "d"], &["2"], &[int("group", 12), text("auto_pad", "SAME_UPPER")]);
    model.node("Relu", &["2"], &["3"], &[]).node("Conv", &["3", "g"], &["4"], &[int("group", 2)]);
    model.node("Conv", &["4", "p"], &["5"], &[]).node("Reshape", &["5", "seq"], &["6"], &[]);
    model.node("Transpose", &["6"], &["7"], &[ints("perm", &[2, 0, 1])]);
    let both = || [int("hidden_size", 5), text("direction", "bidirectional")];
    model.node("LSTM", &["7", "lx", "lh"], &["8"], &both());
    model.integers("one", &[1]).integers("parts", &[1, 1]).node(
        "Split",
        &["8", "parts"],
        &["f", "b"],
        &[int("axis", 1)],
    );
    model.node("Add", &["f", "b"], &["9"], &[]).node("Squeeze", &["9", "one"], &["10"], &[]);
    model.node("GRU", &["10", "gx", "gh"], &["11"], &both());
    model.node("Transpose", &["11"], &["12"], &[ints("perm", &[2, 0, 1, 3])]);
    model.node("Flatten", &["12"], &["13"], &[]).integers("s", &[0]).integers("e", &[20]).integers("a", &[1]);
    model.node("Slice", &["13", "s", "e", "a"], &["14"], &[]).node("Gemm", &["14", "m", "n"], &["y"], &[]);
    model.input("x", &[BATCH, 3, 11, 10]).output("y");
    import(&model.bytes(), "network.onnx", &ImportOptions::default()).unwrap()
}

#[test]
fn every_vector_passes_once_and_digital_shortcuts_change_nothing() {
    let graph = network();
    let count = 70;
    let mut model = Model::new(13, 52);
    let x = Tensor::new(vec![count, 3, 11, 10], model.normals(count * 330, 1.0)).unwrap();
    let noted = Noted::of(&graph);
    let through = graph.run(&noted, std::slice::from_ref(&x)).unwrap();
    close(&graph.run(&graph.digital(), &[x]).unwrap()[0], &through[0], "digital");
    for (layer, seen) in graph.layers().iter().zip(noted.seen) {
        let mut seen = seen.into_inner().unwrap();
        seen.sort_unstable();
        let mut next = 0;
        for (from, to) in seen {
            assert_eq!(from, next, "{}", layer.name());
            next = to;
        }
        assert_eq!(next, (count * layer.products_per_inference()) as u64, "{}", layer.name());
    }
}

#[test]
fn layers_are_listed_with_matrix_bias_and_products() {
    let graph = network();
    let layers: Vec<(&str, usize, usize, usize)> = graph
        .layers()
        .iter()
        .map(|l| (l.name(), l.outputs(), l.inputs(), l.products_per_inference()))
        .filter(|(name, ..)| !name.contains("Conv_2"))
        .collect();
    let expected = [
        ("Conv_1", 12, 27, 30),
        ("Conv_4, group 0", 4, 54, 12),
        ("Conv_4, group 1", 4, 54, 12),
        ("Conv_5", 6, 8, 12),
        ("LSTM_8, forward inputs", 20, 6, 12),
        ("LSTM_8, forward hidden", 20, 5, 12),
        ("LSTM_8, backward inputs", 20, 6, 12),
        ("LSTM_8, backward hidden", 20, 5, 12),
        ("GRU_11, forward inputs", 15, 5, 12),
        ("GRU_11, forward hidden gates", 10, 5, 12),
        ("GRU_11, forward hidden candidate", 5, 5, 12),
        ("GRU_11, backward inputs", 15, 5, 12),
        ("GRU_11, backward hidden gates", 10, 5, 12),
        ("GRU_11, backward hidden candidate", 5, 5, 12),
        ("Gemm_y", 7, 20, 1),
    ];
    assert_eq!(layers, expected);
    // the depthwise convolution is twelve matrices of one row
    let depthwise: Vec<_> = graph.layers().iter().filter(|l| l.name().contains("Conv_2")).collect();
    assert_eq!(depthwise.len(), 12);
    assert!(depthwise.iter().all(|l| (l.outputs(), l.inputs(), l.products_per_inference()) == (1, 25, 30)));
    assert_eq!(graph.layers().last().unwrap().bias().unwrap().len(), 7);
    assert!(graph.layers().iter().enumerate().all(|(i, l)| l.id() == LayerId(i)));
}

/// Weights that someone else holds, at full precision.
struct Copied(Vec<Vec<f32>>);

impl Products for Copied {
    fn product(&self, layer: LayerId, inputs: Vectors<'_>, outputs: &mut VectorsMut<'_>) {
        multiply(&self.0[layer.0], inputs, outputs);
    }
}

#[test]
fn other_weights_take_the_place_of_the_graph_s() {
    let graph = network();
    let mut model = Model::new(13, 53);
    let x = Tensor::new(vec![3, 3, 11, 10], model.normals(990, 1.0)).unwrap();
    let copied = Copied(graph.layers().iter().map(|layer| layer.weights().to_vec()).collect());
    let digital = graph.run(&graph.digital(), std::slice::from_ref(&x)).unwrap();
    close(&graph.run(&copied, std::slice::from_ref(&x)).unwrap()[0], &digital[0], "copied weights");
    let nothing = Copied(graph.layers().iter().map(|layer| vec![0.0; layer.weights().len()]).collect());
    let bias = graph.layers().last().unwrap().bias().unwrap();
    let outputs = graph.run(&nothing, &[x]).unwrap();
    assert!(outputs[0].values().chunks_exact(7).all(|row| row == bias));
}

#[test]
fn wild_inputs_are_refused_or_go_through() {
    let graph = network();
    for wild in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN_POSITIVE, -0.0] {
        let mut x = Tensor::zeros(vec![2, 3, 11, 10]).unwrap();
        x.values_mut()[77] = wild;
        let outputs = graph.run(&graph.digital(), &[x]);
        assert_eq!(outputs.is_err(), wild.is_nan(), "{wild}");
    }
    for shape in [vec![], vec![2], vec![2, 3, 11, 9], vec![2, 3, 11, 10, 1]] {
        let x = Tensor::zeros(shape).unwrap();
        let error = graph.run(&graph.digital(), &[x]).unwrap_err().to_string();
        assert!(error.contains("input `x`") && error.contains("[1, 3, 11, 10]"), "{error}");
    }
    assert!(graph.run(&graph.digital(), &[]).is_err());
    // no inferences at all give no outputs
    let none = graph.run(&graph.digital(), &[Tensor::zeros(vec![0, 3, 11, 10]).unwrap()]).unwrap();
    assert_eq!(none[0].shape(), [0, 7]);
}
