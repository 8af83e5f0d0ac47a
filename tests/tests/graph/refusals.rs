//! What is not supported is named; what is damaged is an error, never a panic.

use mho_data::random::Stream;
use mho_network::graph::onnx::proto::{self, attribute_type};
use mho_network::graph::onnx::{ImportOptions, import};
use prost::Message;

use crate::builder::{BATCH, Model, float, int, ints, text};

fn error(model: &proto::Model) -> String {
    import(&model.encode_to_vec(), "bad.onnx", &ImportOptions::default()).unwrap_err().to_string()
}

/// A small network of many kinds of nodes.
fn network() -> Model {
    let mut model = Model::new(13, 31);
    model.random("w", &[8, 3, 3, 3]).random("b", &[8]).random("v", &[8, 8, 1, 1]).random("m", &[8, 4]);
    model.integers("shape", &[-1, 8]).tensor("low", &[], &[0.0]).tensor("high", &[], &[6.0]);
    model.node("Conv", &["x", "w", "b"], &["c"], &[ints("strides", &[2, 2]), ints("pads", &[1, 1, 1, 1])]);
    model.node("Clip", &["c", "low", "high"], &["r"], &[]);
    model.node("Conv", &["r", "v"], &["d"], &[]).node("Add", &["r", "d"], &["e"], &[]);
    model.node("MaxPool", &["e"], &["p"], &[ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])]);
    model.node("ReduceMean", &["p"], &["q"], &[ints("axes", &[2, 3]), int("keepdims", 0)]);
    model.node("Reshape", &["q", "shape"], &["f"], &[]).node("MatMul", &["f", "m"], &["g"], &[]);
    model.node("Softmax", &["g"], &["y"], &[int("axis", 1)]).input("x", &[BATCH, 3, 8, 8]).output("y");
    model
}

/// The network with one change.
fn changed(change: impl FnOnce(&mut proto::Model)) -> proto::Model {
    let mut model = network().model();
    change(&mut model);
    model
}

fn graph(model: &mut proto::Model) -> &mut proto::Graph {
    model.graph.as_mut().unwrap()
}

#[test]
fn unsupported_things_are_named() {
    let named = |change: fn(&mut proto::Model), expected: &[&str]| {
        let error = error(&changed(change));
        assert!(error.starts_with("bad.onnx"), "{error}");
        for part in expected {
            assert!(error.contains(part), "{error} does not name {part}");
        }
    };
    named(|m| graph(m).node[1].op_type = Some("Einsum".into()), &["Clip_r", "Einsum", "not supported"]);
    named(|m| graph(m).node[1].domain = Some("com.vendor".into()), &["Clip_r", "com.vendor"]);
    named(|m| graph(m).node[4].attribute.push(text("colour", "red")), &["MaxPool_p", "colour"]);
    named(|m| graph(m).node[4].output.push("indices".into()), &["MaxPool_p", "indices"]);
    named(|m| m.opset_import[0].version = Some(6), &["operator set 6"]);
    named(|m| m.opset_import[0].version = Some(99), &["operator set 99"]);
    named(|m| m.opset_import.clear(), &["operator set"]);
    named(|m| graph(m).initializer[0].data_location = Some(1), &["`w`", "another file"]);
    named(|m| graph(m).initializer[0].data_type = Some(16), &["`w`", "data type 16"]);
    named(|m| graph(m).initializer[0].dims[0] = -8, &["`w`"]);
    named(|m| graph(m).initializer[0].dims[0] = 9, &["`w`", "216 values"]);
    named(|m| graph(m).initializer[0].dims = vec![8, 3, 9], &["Conv_c"]);
    named(|m| graph(m).initializer[0].dims = vec![8, 9, 3, 1], &["Conv_c"]);
    named(|m| graph(m).node[0].input[1] = "nowhere".into(), &["Conv_c", "nowhere"]);
    named(|m| graph(m).node[0].input[1] = "x".into(), &["Conv_c", "computed at inference"]);
    named(|m| graph(m).node.swap(0, 1), &["Clip_r", "`c`", "order"]);
    named(|m| graph(m).node[0].attribute[0].ints = vec![0, 1], &["Conv_c", "stride"]);
    named(|m| graph(m).node[0].attribute[0].ints = vec![1], &["Conv_c", "strides"]);
    named(|m| graph(m).node[0].attribute[1].ints = vec![-1; 4], &["Conv_c", "pads"]);
    named(|m| graph(m).node[0].attribute.push(int("group", 0)), &["Conv_c", "groups"]);
    named(|m| graph(m).node[4].attribute[0].ints = vec![100, 100], &["MaxPool_p", "window"]);
    named(|m| graph(m).node[8].attribute[0].i = Some(0), &["Softmax_y", "across the inferences"]);
    named(|m| graph(m).node[5].attribute[0].ints = vec![0, 2, 3], &["ReduceMean_q"]);
    named(|m| graph(m).output[0].name = Some("x".into()), &["output `x`"]);
    named(|m| graph(m).output.clear(), &["0 outputs"]);
    named(|m| graph(m).input.clear(), &["Conv_c", "`x`"]);
    named(|m| m.graph = None, &["no graph"]);
    named(|m| graph(m).node.clear(), &["nodes"]);
    let lstm = |attribute: proto::Attribute| {
        let mut model = Model::new(14, 1);
        model.random("w", &[1, 8, 3]).random("r", &[1, 8, 2]).input("x", &[4, BATCH, 3]).output("y");
        model.node("LSTM", &["x", "w", "r"], &["y"], &[int("hidden_size", 2), attribute]);
        error(&model.model())
    };
    for attribute in [float("clip", 3.0), int("input_forget", 1), int("layout", 2), int("hidden_size", 3)] {
        let name = attribute.name.clone().unwrap();
        let error = lstm(attribute);
        assert!(error.contains("LSTM_y"), "{error} for {name}");
    }
}

#[test]
fn open_lengths_take_numbers() {
    let mut model = Model::new(13, 1);
    model.node("Relu", &["x"], &["y"], &[]).input("x", &[BATCH, 3, 8, 8]).output("y");
    let mut model = model.model();
    let dims = graph(&mut model).input[0].r#type.as_mut().unwrap().tensor_type.as_mut().unwrap();
    dims.shape.as_mut().unwrap().dim[2].length = Some(proto::Length::Parameter("height".into()));
    let refused = error(&model);
    assert!(refused.contains("`height`") && refused.contains("`batch`"), "{refused}");
    let options = ImportOptions { dimensions: [("height".to_owned(), 5)].into(), ..ImportOptions::default() };
    let graph = import(&model.encode_to_vec(), "m.onnx", &options).unwrap();
    assert_eq!(graph.output_shapes(4).unwrap(), [[4, 3, 5, 8]]);
}

#[test]
fn huge_claims_allocate_nothing() {
    for (shape, pads) in
        [([1 << 40, 3, 8, 8], 1), ([1, 3, 8, 8], i64::MAX / 2), ([1, 3, 1 << 30, 1 << 30], 1)]
    {
        let mut model = network();
        model.graph.node[0].attribute[1] = ints("pads", &[pads; 4]);
        model.graph.input.clear();
        model.input("x", &shape);
        assert!(import(&model.bytes(), "huge.onnx", &ImportOptions::default()).is_err());
    }
    let mut model = Model::new(13, 1);
    model.integers("s", &[1 << 30, 1 << 30]).node("ConstantOfShape", &["s"], &["z"], &[]);
    model.node("Add", &["x", "z"], &["y"], &[]).input("x", &[BATCH, 3]).output("y");
    assert!(error(&model.model()).contains("ConstantOfShape_z"));
    // a field that claims more bytes than there are, and where
    let cut =
        import(&[0x3a, 0xff, 0xff, 0xff, 0x7f, 0x0a], "cut.onnx", &ImportOptions::default()).unwrap_err();
    assert!(cut.to_string().contains("at byte 5"), "{cut}");
}

#[test]
fn damaged_models_are_errors() {
    let whole = network().bytes();
    let read = |bytes: &[u8]| {
        // whatever it is, it must not panic; what can be read must also be executable
        if let Ok(graph) = import(bytes, "damaged.onnx", &ImportOptions::default())
            && graph.memory().is_ok_and(|memory| memory.values_bytes < 1 << 24)
        {
            let shape = |input: &mho_network::graph::Input| {
                let length = |l: &mho_network::graph::op::Length| match l {
                    mho_network::graph::op::Length::Fixed(n) => *n,
                    _ => 2,
                };
                let shape: Vec<usize> = input.shape.iter().map(length).collect();
                mho_network::graph::tensor::Tensor::zeros(shape).unwrap()
            };
            let inputs: Vec<_> = graph.inputs().iter().map(shape).collect();
            graph.run(&graph.digital(), &inputs).ok();
        }
    };
    for cut in 0..whole.len() {
        read(&whole[..cut]);
    }
    let stream = Stream::new(1, &["test", "damage"], &[]);
    for trial in 0..4000_u64 {
        let mut bytes = whole.clone();
        for change in 0..1 + trial % 4 {
            let [at, with, kind, to] = stream.block(trial * 8 + change);
            // structure lies between the weights; half of the changes go to the nodes at the start
            let end = if kind % 2 == 0 { bytes.len() } else { bytes.len().min(900) };
            let at = at as usize % end;
            match kind / 2 % 4 {
                0 => bytes[at] = with as u8,
                1 => bytes[at] ^= 1 << (with % 8),
                2 => drop(bytes.remove(at)),
                _ => bytes.insert(at, to as u8),
            }
        }
        read(&bytes);
    }
    for trial in 0..2000_u64 {
        let length = trial as usize % 97;
        let bytes: Vec<u8> =
            (0..length).map(|i| stream.block((1 << 20) + trial * 100 + i as u64)[0] as u8).collect();
        read(&bytes);
    }
}

#[test]
fn a_graph_as_attribute_is_never_descended_into() {
    // subgraphs in subgraphs stay bytes
    let mut nested = Vec::new();
    for _ in 0..5 {
        let attribute = proto::Attribute {
            name: Some("body".into()),
            g: Some(nested.clone()),
            kind: Some(attribute_type::GRAPH),
            ..Default::default()
        };
        let node =
            proto::Node { attribute: vec![attribute], op_type: Some("Loop".into()), ..Default::default() };
        nested = proto::Graph { node: vec![node], ..Default::default() }.encode_to_vec();
    }
    let graph = proto::Graph::decode(nested.as_slice()).unwrap();
    let model = changed(|m| m.graph.as_mut().unwrap().node = graph.node);
    assert!(error(&model).contains("Loop"));
}
