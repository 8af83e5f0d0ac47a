//! Graphs in their own files.

use mho_data::random::Stream;
use mho_network::graph::Graph;
use mho_network::graph::file::read_description;
use mho_network::graph::onnx::{ImportOptions, import};
use mho_network::graph::tensor::Tensor;

use crate::builder::{BATCH, Model, float, int, ints, text};

/// Nodes of every kind of operation.
fn everything() -> Graph {
    let mut model = Model::new(13, 41);
    model.random("w", &[8, 3, 3, 3]).random("b", &[8]).random("d", &[8, 1, 3, 3]).random("slope", &[8, 1, 1]);
    model.random("scale", &[8]).random("shift", &[8]).random("mean", &[8]).tensor("var", &[8], &[0.5; 8]);
    model.random("wx", &[1, 20, 4]).random("wh", &[1, 20, 5]).random("wb", &[1, 40]).random("m", &[5, 7]);
    model.integers("pads", &[0, 0, 1, 1, 0, 0, 1, 1]).integers("seq", &[-1, 8, 4]).integers("axis", &[0]);
    model.integers("s", &[0]).integers("e", &[8]).integers("a", &[1]).integers("t", &[2]);
    model.node("Conv", &["x", "w", "b"], &["1"], &[text("auto_pad", "SAME_UPPER"), ints("strides", &[2, 2])]);
    model.node("HardSigmoid", &["1"], &["2"], &[float("alpha", 0.3)]);
    model.node("Conv", &["2", "d"], &["3"], &[int("group", 8), ints("pads", &[1, 1, 1, 1])]);
    model.node("PRelu", &["3", "slope"], &["4"], &[]).node("Add", &["4", "2"], &["5"], &[]);
    model.node("BatchNormalization", &["5", "scale", "shift", "mean", "var"], &["6"], &[]);
    model.node("Pad", &["6", "pads"], &["7"], &[]);
    model.node("MaxPool", &["7"], &["8"], &[ints("kernel_shape", &[3, 3]), ints("strides", &[2, 2])]);
    model.node("Slice", &["8", "s", "e", "a", "t"], &["9"], &[]).node(
        "Concat",
        &["9", "9"],
        &["10"],
        &[int("axis", 1)],
    );
    model.node("Reshape", &["10", "seq"], &["11"], &[]).node(
        "Transpose",
        &["11"],
        &["12"],
        &[ints("perm", &[1, 0, 2])],
    );
    model.node("LSTM", &["12", "wx", "wh", "wb"], &["", "13"], &[int("hidden_size", 5)]);
    model.node("Squeeze", &["13", "axis"], &["14"], &[]).node("MatMul", &["14", "m"], &["15"], &[]);
    model.node("Softmax", &["15"], &["16"], &[]).node(
        "ReduceMax",
        &["8"],
        &["17"],
        &[ints("axes", &[1, 2, 3])],
    );
    model.node("Flatten", &["17"], &["18"], &[]).node("Mul", &["16", "18"], &["y"], &[]);
    model.input("x", &[BATCH, 3, 8, 8]).output("y");
    import(&model.bytes(), "everything.onnx", &ImportOptions::default()).unwrap()
}

#[test]
fn a_graph_survives_its_file() {
    let graph = everything();
    let bytes = graph.to_bytes().unwrap();
    assert_eq!(bytes, everything().to_bytes().unwrap());
    let read = Graph::from_bytes(&bytes, "g.safetensors").unwrap();
    assert_eq!(read, graph);
    let x = Tensor::new(vec![3, 3, 8, 8], (0..576).map(|i| (i % 17) as f32 * 0.1 - 0.8).collect()).unwrap();
    let outputs = graph.run(&graph.digital(), std::slice::from_ref(&x)).unwrap();
    assert_eq!(read.run(&read.digital(), &[x]).unwrap(), outputs);
}

#[test]
fn damage_is_an_error() {
    let bytes = everything().to_bytes().unwrap();
    for cut in (0..bytes.len()).step_by(7) {
        let error = Graph::from_bytes(&bytes[..cut], "g.safetensors").unwrap_err();
        assert!(error.to_string().starts_with("g.safetensors"), "{error}");
    }
    let stream = Stream::new(2, &["test", "damage"], &[]);
    for trial in 0..3000 {
        let mut bytes = bytes.clone();
        let [at, with, ..] = stream.block(trial);
        let at = at as usize % bytes.len().min(6000);
        bytes[at] = with as u8;
        Graph::from_bytes(&bytes, "g.safetensors").ok();
    }
}

/// The example of the documentation, with what it leaves out, against the same numbers done here.
#[test]
fn the_documented_description_is_a_network() {
    let page = include_str!("../../../docs/network-files.md");
    let text = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let shapes: [(&str, &[usize]); 7] = [
        ("stem.weight", &[4, 3, 3, 3]),
        ("stem.bias", &[4]),
        ("norm.scale", &[4]),
        ("norm.shift", &[4]),
        ("depthwise.weight", &[4, 1, 3, 3]),
        ("head.weight", &[10, 4]),
        ("head.bias", &[10]),
    ];
    // Everything 0 but the centre of the kernels, which are 1 on the red channel, and the head, which adds up.
    let values = |name: &str, shape: &[usize]| -> Vec<f32> {
        let taps = |k: usize| match name {
            "stem.weight" => k % 27 == 4,
            "depthwise.weight" => k % 9 == 4,
            "head.weight" | "norm.scale" => true,
            _ => false,
        };
        (0..shape.iter().product()).map(|k| f32::from(u8::from(taps(k)))).collect()
    };
    let bytes: Vec<(&str, &[usize], Vec<u8>)> = shapes
        .iter()
        .map(|(name, shape)| {
            (*name, *shape, values(name, shape).iter().flat_map(|x| x.to_le_bytes()).collect())
        })
        .collect();
    let views = bytes.iter().map(|(name, shape, bytes)| {
        let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape.to_vec(), bytes);
        (*name, view.unwrap())
    });
    let tensors = safetensors::serialize(views, None).unwrap();
    let (graph, input) = read_description(text, "small.toml", &tensors, "small.safetensors").unwrap();
    assert_eq!(input.unwrap().mean.len(), 3);
    let red: Vec<f32> = (0..64).map(|k| if k % 8 % 2 == 0 { 1.0 } else { 3.0 }).collect();
    let image: Vec<f32> = red.iter().copied().chain([9.0; 128]).collect();
    let image = Tensor::new(vec![1, 3, 8, 8], image).unwrap();
    let logits = &graph.run(&graph.digital(), &[image]).unwrap()[0];
    // A stride of 2, the odd one of the padding behind: centres of windows are the odd columns, 3; twice with the skip,
    // and four channels of it.
    assert_eq!(logits.values(), [4.0 * (3.0 + 3.0); 10]);
}

#[test]
fn descriptions_with_tensors_from_elsewhere() {
    let weights: Vec<u8> = [1.0_f32, -2.0].iter().flat_map(|x| x.to_le_bytes()).collect();
    let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![1, 2], &weights).unwrap();
    let tensors = safetensors::serialize([("w", view)], None).unwrap();
    let text = r#"
        schema = 1
        name = "difference"
        outputs = ["y"]
        [[inputs]]
        name = "x"
        shape = [{ batch = 1 }, { fixed = 2 }]
        [[nodes]]
        name = "only"
        inputs = ["x"]
        outputs = ["y"]
        op.dense = { weights = "w" }
    "#;
    let read =
        |text: &str| read_description(text, "d.toml", &tensors, "w.safetensors").map(|(graph, _)| graph);
    let graph = read(text).unwrap();
    let x = Tensor::new(vec![1, 2], vec![5.0, 1.0]).unwrap();
    assert_eq!(graph.run(&graph.digital(), &[x]).unwrap()[0].values(), [3.0]);
    let error = |from: &str, to: &str| read(&text.replace(from, to)).unwrap_err().to_string();
    assert!(error("\"w\"", "\"v\"").contains("w.safetensors: found no tensor `v`"));
    assert!(error("op.dense", "op.tense").starts_with("d.toml:12"), "{}", error("op.dense", "op.tense"));
    assert!(error("fixed = 2", "fixed = 3").contains("node `only` (Gemm)"));
    assert!(error("schema = 1", "schema = 2").contains("schema 2"));
    assert!(error("inputs = [\"x\"]", "inputs = [\"z\"]").contains("`z`"));
}
