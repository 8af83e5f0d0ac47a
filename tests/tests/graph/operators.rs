//! Every operator and attribute against the independent runtime.

use mho_network::graph::onnx::{ImportOptions, import};
use mho_network::graph::tensor::Tensor;
use proptest::prelude::*;

use crate::builder::{BATCH, Model, float, independent, int, ints, text};

/// Difference of two results over the largest value: the issue's 1e-5.
const TOLERANCE: f32 = 1e-5;

pub fn close(ours: &Tensor, theirs: &Tensor, what: &str) {
    assert_eq!(ours.shape(), theirs.shape(), "{what}");
    let largest = theirs.values().iter().fold(1e-30_f32, |m, x| m.max(x.abs()));
    for (i, (a, b)) in ours.values().iter().zip(theirs.values()).enumerate() {
        let difference = (a - b).abs();
        assert!(difference <= TOLERANCE * largest, "{what}: value {i} is {a}, not {b} (largest {largest})");
    }
}

/// Runs a model with one input `x` and one output `y` here and there, with several batch sizes.
pub fn agree(model: &mut Model, shape: &[i64]) {
    model.input("x", shape).output("y");
    let bytes = model.bytes();
    let nodes: Vec<String> = model.graph.node.iter().map(|n| format!("{:?}", n)).collect();
    let graph = import(&bytes, "test.onnx", &ImportOptions::default())
        .unwrap_or_else(|error| panic!("{error}\n{}", nodes.join("\n")));
    for batch in if shape.contains(&BATCH) { vec![1, 3, 70] } else { vec![1] } {
        let shape: Vec<usize> = shape.iter().map(|&n| if n == BATCH { batch } else { n as usize }).collect();
        let x = Tensor::new(shape.clone(), model.normals(shape.iter().product(), 1.0)).unwrap();
        let ours = graph.run(&graph.digital(), std::slice::from_ref(&x)).unwrap();
        let theirs = independent(&bytes, &[("x", &x)], &[("y", ours[0].shape().len())]);
        close(&ours[0], &theirs[0], &nodes.join("\n"));
        // the same bits from one thread
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(alone.install(|| graph.run(&graph.digital(), &[x]).unwrap()), ours);
    }
}

/// Runs a model here, and one that means the same in operators that the runtime knows.
pub fn agree_with(ours: &mut Model, theirs: &Model, shape: &[usize], axes: usize) {
    let graph = import(&ours.bytes(), "test.onnx", &ImportOptions::default()).unwrap();
    let x = Tensor::new(shape.to_vec(), ours.normals(shape.iter().product(), 1.0)).unwrap();
    let theirs = independent(&theirs.bytes(), &[("x", &x)], &[("y", axes)]);
    close(&graph.run(&graph.digital(), &[x]).unwrap()[0], &theirs[0], graph.nodes()[0].op.name());
}

/// One node on one input.
fn single(opset: i64, op: &str, shape: &[i64], attributes: &[mho_network::graph::onnx::proto::Attribute]) {
    let mut model = Model::new(opset, 7);
    model.node(op, &["x"], &["y"], attributes);
    agree(&mut model, shape);
}

#[test]
fn convolutions() {
    // channels, outputs, groups, kernel, attributes
    let cases: &[(i64, i64, i64, [i64; 2], &[(&str, &[i64])])] = &[
        (3, 8, 1, [3, 3], &[]),
        (3, 8, 1, [3, 3], &[("pads", &[1, 1, 1, 1])]),
        (3, 8, 1, [3, 2], &[("pads", &[0, 2, 1, 0]), ("strides", &[2, 1])]),
        (4, 8, 1, [1, 1], &[]),
        (4, 8, 1, [1, 1], &[("strides", &[2, 2])]),
        (4, 6, 2, [3, 3], &[("pads", &[1, 1, 1, 1])]),
        (6, 6, 6, [3, 3], &[("pads", &[1, 1, 1, 1]), ("strides", &[2, 2])]),
        (6, 12, 6, [5, 5], &[("pads", &[2, 2, 2, 2])]),
        (6, 6, 6, [3, 3], &[("pads", &[2, 2, 2, 2]), ("dilations", &[2, 2])]),
        (3, 5, 1, [3, 3], &[("pads", &[2, 3, 2, 3]), ("dilations", &[2, 3])]),
        (6, 6, 6, [3, 1], &[("pads", &[3, 0, 0, 2]), ("strides", &[1, 3])]),
    ];
    for &(channels, outputs, groups, [rows, columns], given) in cases {
        let mut model = Model::new(13, 1);
        model.random("w", &[outputs, channels / groups, rows, columns]).random("b", &[outputs]);
        let mut attributes = vec![int("group", groups), ints("kernel_shape", &[rows, columns])];
        attributes.extend(given.iter().map(|(name, values)| ints(name, values)));
        model.node("Conv", &["x", "w", "b"], &["y"], &attributes);
        agree(&mut model, &[BATCH, channels, 13, 17]);
    }
}

#[test]
fn padding_by_itself() {
    for (size, stride, groups) in [(8, 1, 1), (8, 2, 1), (9, 2, 4), (7, 3, 4)] {
        for kernel in [2, 3, 5] {
            let attributes =
                [text("auto_pad", "SAME_UPPER"), int("group", groups), ints("strides", &[stride, stride])];
            let mut model = Model::new(11, 3);
            model.random("w", &[4, 4 / groups, kernel, kernel]);
            model.node("Conv", &["x", "w"], &["y"], &attributes);
            agree(&mut model, &[BATCH, 4, size, size]);
            for pool in ["MaxPool", "AveragePool"] {
                let shape = ints("kernel_shape", &[kernel, kernel]);
                let attributes = [text("auto_pad", "SAME_UPPER"), shape, ints("strides", &[stride, stride])];
                single(11, pool, &[BATCH, 2, size, size], &attributes);
            }
        }
    }
    let attributes = [text("auto_pad", "VALID"), ints("kernel_shape", &[3, 3]), ints("strides", &[2, 2])];
    single(11, "MaxPool", &[BATCH, 2, 9, 8], &attributes);
    // the runtime knows no SAME_LOWER: the same network with the padding written out
    let build = |attributes: &[mho_network::graph::onnx::proto::Attribute]| {
        let mut model = Model::new(11, 4);
        model.random("w", &[4, 3, 2, 4]).node("Conv", &["x", "w"], &["y"], attributes);
        model.input("x", &[BATCH, 3, 7, 7]).output("y");
        model
    };
    let explicit = build(&[ints("pads", &[1, 2, 0, 1])]);
    let mut lower = build(&[text("auto_pad", "SAME_LOWER")]);
    agree_with(&mut lower, &explicit, &[2, 3, 7, 7], 4);
}

#[test]
fn one_dimension() {
    for (groups, kernel, stride, dilation) in [(1, 3, 1, 1), (1, 5, 2, 1), (6, 3, 1, 2), (2, 1, 1, 1)] {
        let mut model = Model::new(13, 2);
        model.random("w", &[6, 6 / groups, kernel]).random("b", &[6]);
        let attributes = [
            int("group", groups),
            ints("strides", &[stride]),
            ints("dilations", &[dilation]),
            ints("pads", &[2, 1]),
        ];
        model.node("Conv", &["x", "w", "b"], &["h"], &attributes);
        model.node("Relu", &["h"], &["r"], &[]);
        model.node("MaxPool", &["r"], &["y"], &[ints("kernel_shape", &[2]), ints("strides", &[2])]);
        agree(&mut model, &[BATCH, 6, 40]);
    }
}

#[test]
fn pooling() {
    let kernel = ints("kernel_shape", &[3, 3]);
    let two = ints("strides", &[2, 2]);
    let pads = ints("pads", &[1, 1, 1, 1]);
    for op in ["MaxPool", "AveragePool"] {
        for size in [[8, 9], [11, 6]] {
            let shape = [BATCH, 3, size[0], size[1]];
            single(12, op, &shape, std::slice::from_ref(&kernel));
            single(12, op, &shape, &[kernel.clone(), two.clone()]);
            single(12, op, &shape, &[kernel.clone(), two.clone(), pads.clone()]);
            single(12, op, &shape, &[kernel.clone(), two.clone(), int("ceil_mode", 1)]);
            single(12, op, &shape, &[kernel.clone(), two.clone(), ints("pads", &[0, 1, 2, 0])]);
        }
    }
    let padded = int("count_include_pad", 1);
    single(12, "AveragePool", &[BATCH, 3, 8, 9], &[kernel, two, pads, padded]);
    single(12, "GlobalAveragePool", &[BATCH, 5, 7, 3], &[]);
    single(12, "GlobalMaxPool", &[BATCH, 5, 7, 3], &[]);
}

#[test]
fn activations() {
    let shape = [BATCH, 4, 9];
    let plain = [
        "Relu",
        "LeakyRelu",
        "Elu",
        "Sigmoid",
        "HardSigmoid",
        "HardSwish",
        "Tanh",
        "Softplus",
        "Softsign",
        "Erf",
        "Exp",
        "Abs",
        "Neg",
    ];
    for op in plain {
        single(14, op, &shape, &[]);
    }
    single(14, "LeakyRelu", &shape, &[float("alpha", 0.3)]);
    single(14, "Elu", &shape, &[float("alpha", 0.7)]);
    single(14, "HardSigmoid", &shape, &[float("alpha", 1.0 / 6.0), float("beta", 0.4)]);
    single(20, "Gelu", &shape, &[]);
    single(20, "Gelu", &shape, &[text("approximate", "tanh")]);
    single(9, "Clip", &shape, &[float("min", -0.3), float("max", 0.4)]);
    for (op, inverse) in [("Sqrt", "Abs"), ("Log", "Exp"), ("Reciprocal", "Exp")] {
        let mut model = Model::new(13, 5);
        model.node(inverse, &["x"], &["h"], &[]).node(op, &["h"], &["y"], &[]);
        agree(&mut model, &shape);
    }
    // ReLU6 behind a convolution, as exporters write it
    let mut model = Model::new(13, 6);
    model.random("w", &[8, 4, 3]).tensor("low", &[], &[0.0]).tensor("high", &[], &[6.0]);
    model.node("Conv", &["x", "w"], &["h"], &[]).node("Clip", &["h", "low", "high"], &["y"], &[]);
    agree(&mut model, &shape);
    for slope in [&[4, 1][..], &[1], &[4, 9]] {
        let mut model = Model::new(13, 6);
        model.random("s", slope).node("PRelu", &["x", "s"], &["y"], &[]);
        agree(&mut model, &shape);
    }
    // Selu, which the runtime lacks, is a scaled Elu
    let mut selu = Model::new(13, 8);
    selu.node("Selu", &["x"], &["y"], &[]).input("x", &[BATCH, 5]).output("y");
    let mut scaled = Model::new(13, 8);
    scaled.tensor("g", &[], &[1.050_701]).node("Elu", &["x"], &["h"], &[float("alpha", 1.673_263_2)]);
    scaled.node("Mul", &["h", "g"], &["y"], &[]).input("x", &[BATCH, 5]).output("y");
    agree_with(&mut selu, &scaled, &[4, 5], 2);
}

#[test]
fn matrices() {
    for (turned, alpha, beta, bias) in [
        (0, 1.0, 1.0, &[5][..]),
        (1, 0.5, 2.0, &[5]),
        (1, 1.0, 0.5, &[1, 5]),
        (0, 2.0, 3.0, &[1]),
        (1, 1.0, 1.0, &[]),
    ] {
        let mut model = Model::new(13, 9);
        let shape = if turned == 1 { [5, 12] } else { [12, 5] };
        model.random("w", &shape).random("b", bias);
        let attributes = [int("transB", turned), float("alpha", alpha), float("beta", beta)];
        model.node("Gemm", &["x", "w", "b"], &["y"], &attributes);
        agree(&mut model, &[BATCH, 12]);
    }
    let mut model = Model::new(13, 9);
    model.random("w", &[3, 5]).random("b", &[4, 1]);
    model.node("Gemm", &["x", "w", "b"], &["y"], &[int("transA", 1), float("beta", 0.5)]);
    agree(&mut model, &[3, 4]);
    for shape in [vec![BATCH, 6], vec![BATCH, 3, 6], vec![BATCH, 2, 3, 6]] {
        let mut model = Model::new(13, 10);
        model.random("w", &[6, 4]).random("b", &[4]);
        model.node("MatMul", &["x", "w"], &["h"], &[]).node("Add", &["h", "b"], &["y"], &[]);
        agree(&mut model, &shape);
    }
    let mut model = Model::new(13, 10);
    model.random("w", &[1, 6, 4]).node("MatMul", &["x", "w"], &["y"], &[]);
    agree(&mut model, &[BATCH, 3, 6]);
    let mut model = Model::new(13, 10);
    model.random("w", &[4, 6]).node("MatMul", &["w", "x"], &["y"], &[]);
    agree(&mut model, &[BATCH, 6, 3]);
    // the runtime keeps the axis that a vector as factor takes away
    let build = |vector: bool| {
        let mut model = Model::new(13, 10);
        let shape: &[i64] = if vector { &[6] } else { &[6, 1] };
        let values = model.normals(6, 1.0);
        let product = if vector { "y" } else { "p" };
        model.tensor("w", shape, &values).node("MatMul", &["x", "w"], &[product], &[]);
        if !vector {
            model.node("Flatten", &["p"], &["y"], &[]);
        }
        model.input("x", &[BATCH, 4, 6]).output("y");
        model
    };
    agree_with(&mut build(true), &build(false), &[5, 4, 6], 2);
}

#[test]
fn batch_normalisation_with_and_without_a_layer_before() {
    for (layer, shape) in [("Conv", vec![BATCH, 3, 6, 6]), ("Gemm", vec![BATCH, 3]), ("", vec![BATCH, 5, 4])]
    {
        let mut model = Model::new(11, 11);
        model.random("b", &[5]).random("scale", &[5]).random("shift", &[5]).random("mean", &[5]);
        let variances: Vec<f32> = model.normals(5, 1.0).iter().map(|x| x * x + 0.1).collect();
        model.tensor("variance", &[5], &variances);
        match layer {
            "Conv" => model.random("w", &[5, 3, 3, 3]).node("Conv", &["x", "w", "b"], &["h"], &[]),
            "Gemm" => model.random("w", &[3, 5]).node("Gemm", &["x", "w", "b"], &["h"], &[]),
            _ => model.node("Tanh", &["x"], &["h"], &[]),
        };
        let inputs = ["h", "scale", "shift", "mean", "variance"];
        model.node("BatchNormalization", &inputs, &["n"], &[float("epsilon", 1e-3)]);
        model.node("Relu", &["n"], &["y"], &[]);
        agree(&mut model, &shape);
        let graph = import(&model.bytes(), "bn.onnx", &ImportOptions::default()).unwrap();
        let kinds: Vec<&str> = graph.nodes().iter().map(|node| node.op.name()).collect();
        assert_eq!(kinds.contains(&"BatchNormalization"), layer.is_empty(), "{kinds:?}");
    }
}

#[test]
fn arithmetic() {
    for op in ["Add", "Sub", "Mul", "Div", "Max", "Min"] {
        for other in [&[1][..], &[3, 1, 1], &[4, 5], &[1, 3, 4, 1]] {
            let mut model = Model::new(13, 12);
            model.random("c", other).node(op, &["x", "c"], &["y"], &[]);
            agree(&mut model, &[BATCH, 3, 4, 5]);
            let mut model = Model::new(13, 12);
            model.random("c", other).node("Exp", &["x"], &["h"], &[]).node(op, &["c", "h"], &["y"], &[]);
            agree(&mut model, &[BATCH, 3, 4, 5]);
        }
    }
    let mut model = Model::new(13, 12);
    model.tensor("c", &[], &[2.0]).node("Pow", &["x", "c"], &["y"], &[]);
    agree(&mut model, &[BATCH, 3]);
    let mut model = Model::new(13, 12);
    model.node("Relu", &["x"], &["r"], &[]).node("Neg", &["x"], &["n"], &[]);
    model.node("Sum", &["r", "n", "x"], &["s"], &[]).node("Max", &["s", "r", "x"], &["y"], &[]);
    agree(&mut model, &[BATCH, 3, 7]);
}

#[test]
fn softmax_of_both_generations() {
    for op in ["Softmax", "LogSoftmax"] {
        for (opset, axis) in [(11, 3), (13, 1), (13, 2), (13, -1), (13, 3)] {
            single(opset, op, &[BATCH, 3, 4, 5], &[int("axis", axis)]);
        }
        // before version 13, one distribution over all axes from axis 1 on, which was the default
        let build = |opset: i64| {
            let mut model = Model::new(opset, 1);
            if opset < 13 {
                model.node(op, &["x"], &["y"], &[]);
            } else {
                model.integers("shape", &[0, 3, 4, 5]).node("Flatten", &["x"], &["f"], &[]);
                model.node(op, &["f"], &["s"], &[]).node("Reshape", &["s", "shape"], &["y"], &[]);
            }
            model.input("x", &[BATCH, 3, 4, 5]).output("y");
            model
        };
        agree_with(&mut build(11), &build(13), &[2, 3, 4, 5], 4);
    }
}

#[test]
fn reductions() {
    for op in ["ReduceMean", "ReduceMax"] {
        for (axes, keep) in [(&[2, 3][..], 1), (&[2, 3], 0), (&[1], 1), (&[-1], 0), (&[1, 3], 0)] {
            single(12, op, &[BATCH, 3, 4, 5], &[ints("axes", axes), int("keepdims", keep)]);
            let mut model = Model::new(18, 13);
            model.integers("axes", axes).node(op, &["x", "axes"], &["y"], &[int("keepdims", keep)]);
            agree(&mut model, &[BATCH, 3, 4, 5]);
        }
    }
    let mut model = Model::new(13, 13);
    model.integers("axes", &[1]).node("ReduceSum", &["x", "axes"], &["y"], &[]);
    agree(&mut model, &[BATCH, 3, 4]);
}

#[test]
fn movement() {
    let shape = [BATCH, 4, 6, 5];
    single(13, "Transpose", &shape, &[ints("perm", &[0, 2, 3, 1])]);
    single(13, "Transpose", &shape, &[ints("perm", &[0, 3, 1, 2])]);
    for axis in [1, 2, -1] {
        single(13, "Flatten", &shape, &[int("axis", axis)]);
    }
    let cases: &[(&[i64], &[i64], &[i64], &[i64])] = &[
        (&[1], &[3], &[1], &[1]),
        (&[0, 1], &[100, -1], &[2, 3], &[2, 1]),
        (&[-1], &[-100], &[2], &[-1]),
        (&[4, 0], &[0, 4], &[2, 1], &[-2, 3]),
    ];
    for &(starts, ends, axes, steps) in cases {
        let mut model = Model::new(13, 14);
        model.integers("s", starts).integers("e", ends).integers("a", axes).integers("t", steps);
        model.node("Slice", &["x", "s", "e", "a", "t"], &["y"], &[]);
        agree(&mut model, &shape);
    }
    for mode in ["constant", "reflect", "edge"] {
        let mut model = Model::new(13, 14);
        model.integers("p", &[0, 0, 1, 2, 0, 0, 3, 1]).tensor("v", &[], &[0.5]);
        let inputs: &[&str] = if mode == "constant" { &["x", "p", "v"] } else { &["x", "p"] };
        model.node("Pad", inputs, &["y"], &[text("mode", mode)]);
        agree(&mut model, &shape);
    }
    let mut model = Model::new(13, 14);
    model.node("Relu", &["x"], &["r"], &[]).node("Concat", &["x", "r", "x"], &["y"], &[int("axis", 1)]);
    agree(&mut model, &shape);
    let mut model = Model::new(13, 14);
    model.integers("parts", &[1, 3]);
    model.node("Split", &["x", "parts"], &["a", "b"], &[int("axis", 1)]);
    model.node("Concat", &["b", "a"], &["y"], &[int("axis", 1)]);
    agree(&mut model, &shape);
    let mut model = Model::new(13, 14);
    model.integers("i", &[3, 1]).node("Gather", &["x", "i"], &["y"], &[int("axis", 2)]);
    agree(&mut model, &shape);
    let mut model = Model::new(13, 14);
    model.integers("a", &[1]).node("Unsqueeze", &["x", "a"], &["u"], &[]);
    model.node("Dropout", &["u"], &["d"], &[]).node("Identity", &["d"], &["i"], &[]);
    model.node("Squeeze", &["i", "a"], &["y"], &[]);
    agree(&mut model, &[BATCH, 4, 6]);
}

#[test]
fn shape_arithmetic_of_exporters() {
    // flatten as `x.view(x.shape[0], -1)`, then back to rows of the batch
    let mut model = Model::new(13, 15);
    model.integers("zero", &[0]).integers("rest", &[-1]).integers("rows", &[4]).random("w", &[6, 7]);
    model.node("Shape", &["x"], &["s"], &[]);
    model.node("Gather", &["s", "zero"], &["n"], &[int("axis", 0)]);
    model.node("Mul", &["n", "rows"], &["m"], &[]);
    model.node("Concat", &["m", "rest"], &["flat"], &[int("axis", 0)]);
    model.node("Reshape", &["x", "flat"], &["h"], &[]);
    model.node("MatMul", &["h", "w"], &["p"], &[]);
    model.node("Concat", &["n", "rest"], &["back"], &[int("axis", 0)]);
    model.node("Reshape", &["p", "back"], &["y"], &[]);
    agree(&mut model, &[BATCH, 4, 6]);
}

#[test]
fn residual_networks_of_fixed_and_open_batch() {
    for batch in [1, BATCH] {
        let mut model = Model::new(13, 16);
        model
            .random("w1", &[8, 3, 3, 3])
            .random("w2", &[8, 8, 3, 3])
            .random("w3", &[8, 1, 3, 3])
            .random("w4", &[10, 8]);
        let pads = || ints("pads", &[1, 1, 1, 1]);
        model.node("Conv", &["x", "w1"], &["a"], &[pads()]).node("Relu", &["a"], &["b"], &[]);
        model.node("Conv", &["b", "w2"], &["c"], &[pads()]).node("Add", &["b", "c"], &["d"], &[]);
        model.node("Relu", &["d"], &["e"], &[]);
        model.node("Conv", &["e", "w3"], &["f"], &[pads(), int("group", 8)]);
        model.node("HardSwish", &["f"], &["g"], &[]).node("Add", &["g", "e"], &["h"], &[]);
        model.node("GlobalAveragePool", &["h"], &["i"], &[]).node("Flatten", &["i"], &["j"], &[]);
        model.node("Gemm", &["j", "w4"], &["y"], &[int("transB", 1)]);
        agree(&mut model, &[batch, 3, 12, 12]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn any_convolution(
        in_group in 1_i64..4, out_group in 1_i64..4, groups in 1_i64..4,
        kernel in prop::array::uniform2(1_i64..5), stride in prop::array::uniform2(1_i64..4),
        dilation in prop::array::uniform2(1_i64..3), pads in prop::array::uniform4(0_i64..4),
        size in prop::array::uniform2(9_i64..20), seed in 0_u64..1000,
    ) {
        let mut model = Model::new(13, seed);
        let outputs = groups * out_group;
        model.random("w", &[outputs, in_group, kernel[0], kernel[1]]).random("b", &[outputs]);
        let attributes =
            [int("group", groups), ints("strides", &stride), ints("dilations", &dilation), ints("pads", &pads)];
        model.node("Conv", &["x", "w", "b"], &["h"], &attributes).node("Relu", &["h"], &["y"], &[]);
        agree(&mut model, &[BATCH, groups * in_group, size[0], size[1]]);
    }
}
