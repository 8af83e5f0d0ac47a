//! Well-known architectures in ONNX, with weights by the names of their published files.

use crate::builder::{BATCH, Model, float, int, ints, text};

/// Gives a model the tensors that an architecture asks for by name and shape.
pub type Weights<'a> = dyn FnMut(&mut Model, &str, &[i64]) + 'a;

/// Batch normalisation with tensors `NAME.weight`, `.bias`, `.running_mean`, `.running_var`.
fn normalise(
    model: &mut Model,
    weights: &mut Weights<'_>,
    name: &str,
    channels: i64,
    epsilon: f32,
    (x, y): (&str, &str),
) {
    let names = ["weight", "bias", "running_mean", "running_var"].map(|part| format!("{name}.{part}"));
    names.iter().for_each(|name| weights(model, name, &[channels]));
    let inputs = [x, &names[0], &names[1], &names[2], &names[3]];
    model.node("BatchNormalization", &inputs, &[y], &[float("epsilon", epsilon)]);
}

/// A residual network for CIFAR (He et al., CVPR 2016) of 6 `depth` + 2 layers, shortcuts of option A:
/// every second pixel, and channels of zeros.
pub fn resnet(depth: i64, weights: &mut Weights<'_>) -> Model {
    let mut model = Model::new(13, 1);
    let conv = |model: &mut Model,
                weights: &mut Weights<'_>,
                name: &str,
                [o, i]: [i64; 2],
                stride: i64,
                (x, y): (&str, &str)| {
        weights(model, &format!("{name}.weight"), &[o, i, 3, 3]);
        let attributes = [ints("strides", &[stride, stride]), ints("pads", &[1, 1, 1, 1])];
        model.node("Conv", &[x, &format!("{name}.weight")], &[y], &attributes);
    };
    conv(&mut model, weights, "conv1", [16, 3], 1, ("x", "stem"));
    normalise(&mut model, weights, "bn1", 16, 1e-5, ("stem", "stem.n"));
    model.node("Relu", &["stem.n"], &["stem.r"], &[]);
    let (mut x, mut channels) = ("stem.r".to_owned(), 16);
    for stage in 1..=3 {
        for block in 0..depth {
            let name = |part: &str| format!("layer{stage}.{block}.{part}");
            let outputs = 8 << stage;
            let stride = if outputs == channels { 1 } else { 2 };
            conv(&mut model, weights, &name("conv1"), [outputs, channels], stride, (&x, &name("a")));
            normalise(&mut model, weights, &name("bn1"), outputs, 1e-5, (&name("a"), &name("b")));
            model.node("Relu", &[&name("b")], &[&name("c")], &[]);
            conv(&mut model, weights, &name("conv2"), [outputs, outputs], 1, (&name("c"), &name("d")));
            normalise(&mut model, weights, &name("bn2"), outputs, 1e-5, (&name("d"), &name("e")));
            let mut shortcut = x.clone();
            if stride == 2 {
                let far = i64::from(i32::MAX);
                model.integers(&name("starts"), &[0, 0]).integers(&name("ends"), &[far, far]);
                model.integers(&name("axes"), &[2, 3]).integers(&name("steps"), &[2, 2]);
                let quarter = outputs / 4;
                model.integers(&name("pads"), &[0, quarter, 0, 0, 0, quarter, 0, 0]);
                let parts = ["starts", "ends", "axes", "steps"].map(&name);
                let slice = [&x, &parts[0], &parts[1], &parts[2], &parts[3]].map(String::as_str);
                model.node("Slice", &slice, &[&name("half")], &[]);
                model.node("Pad", &[&name("half"), &name("pads")], &[&name("wide")], &[]);
                shortcut = name("wide");
            }
            model.node("Add", &[&name("e"), &shortcut], &[&name("f")], &[]);
            model.node("Relu", &[&name("f")], &[&name("out")], &[]);
            (x, channels) = (name("out"), outputs);
        }
    }
    model.node("GlobalAveragePool", &[&x], &["mean"], &[]).node("Flatten", &["mean"], &["flat"], &[]);
    weights(&mut model, "linear.weight", &[10, 64]);
    weights(&mut model, "linear.bias", &[10]);
    model.node("Gemm", &["flat", "linear.weight", "linear.bias"], &["y"], &[int("transB", 1)]);
    model.input("x", &[BATCH, 3, 32, 32]).output("y");
    model
}

/// EfficientNet-Lite0 for 224 x 224 images: EfficientNet-B0 (Tan & Le, ICML 2019) without squeeze and
/// excitation, with ReLU6, padded as TensorFlow's "same".
pub fn efficientnet_lite0(weights: &mut Weights<'_>) -> Model {
    let mut model = Model::new(13, 1);
    model.tensor("low", &[], &[0.0]).tensor("high", &[], &[6.0]);
    // convolution, normalisation and ReLU6
    let layer = |model: &mut Model,
                 weights: &mut Weights<'_>,
                 (conv, norm): (&str, &str),
                 [o, i, kernel, stride, group]: [i64; 5],
                 relu: bool,
                 (x, y): (&str, &str)| {
        weights(model, &format!("{conv}.weight"), &[o, i / group, kernel, kernel]);
        let attributes =
            [text("auto_pad", "SAME_UPPER"), ints("strides", &[stride, stride]), int("group", group)];
        model.node("Conv", &[x, &format!("{conv}.weight")], &[&format!("{y}.c")], &attributes);
        let normal = if relu { format!("{y}.n") } else { y.to_owned() };
        normalise(model, weights, norm, o, 1e-3, (&format!("{y}.c"), &normal));
        if relu {
            model.node("Clip", &[&normal, "low", "high"], &[y], &[]);
        }
    };
    layer(&mut model, weights, ("_conv_stem", "_bn0"), [32, 3, 3, 2, 1], true, ("x", "stem"));
    // repeats, kernel, stride, expansion, inputs, outputs
    let stages = [
        [1, 3, 1, 1, 32, 16],
        [2, 3, 2, 6, 16, 24],
        [2, 5, 2, 6, 24, 40],
        [3, 3, 2, 6, 40, 80],
        [3, 5, 1, 6, 80, 112],
        [4, 5, 2, 6, 112, 192],
        [1, 3, 1, 6, 192, 320],
    ];
    let (mut x, mut block) = ("stem".to_owned(), 0);
    for [repeats, kernel, stride, expansion, inputs, outputs] in stages {
        for repeat in 0..repeats {
            let name = |part: &str| format!("_blocks.{block}.{part}");
            let (i, s) = if repeat == 0 { (inputs, stride) } else { (outputs, 1) };
            let wide = i * expansion;
            let mut h = x.clone();
            if expansion > 1 {
                let names = (name("_expand_conv"), name("_bn0"));
                layer(&mut model, weights, (&names.0, &names.1), [wide, i, 1, 1, 1], true, (&h, &name("a")));
                h = name("a");
            }
            let names = (name("_depthwise_conv"), name("_bn1"));
            layer(
                &mut model,
                weights,
                (&names.0, &names.1),
                [wide, wide, kernel, s, wide],
                true,
                (&h, &name("b")),
            );
            let names = (name("_project_conv"), name("_bn2"));
            let shape = [outputs, wide, 1, 1, 1];
            layer(&mut model, weights, (&names.0, &names.1), shape, false, (&name("b"), &name("c")));
            if s == 1 && i == outputs {
                model.node("Add", &[&name("c"), &x], &[&name("d")], &[]);
                x = name("d");
            } else {
                x = name("c");
            }
            block += 1;
        }
    }
    layer(&mut model, weights, ("_conv_head", "_bn1"), [1280, 320, 1, 1, 1], true, (&x, "head"));
    model.node("GlobalAveragePool", &["head"], &["mean"], &[]).node("Flatten", &["mean"], &["flat"], &[]);
    weights(&mut model, "_fc.weight", &[1000, 1280]);
    weights(&mut model, "_fc.bias", &[1000]);
    model.node("Gemm", &["flat", "_fc.weight", "_fc.bias"], &["y"], &[int("transB", 1)]);
    model.input("x", &[BATCH, 3, 224, 224]).output("y");
    model
}

/// A plain network for CIFAR of 118 million multiplications: five 3 x 3 convolutions, two matrices.
pub fn plain_118m(weights: &mut Weights<'_>) -> Model {
    let mut model = Model::new(13, 1);
    let mut x = "x".to_owned();
    for (index, (inputs, outputs, pool)) in
        [(3, 64, false), (64, 64, true), (64, 128, false), (128, 128, true), (128, 256, true)]
            .into_iter()
            .enumerate()
    {
        let name = |part: &str| format!("{part}{index}");
        weights(&mut model, &name("w"), &[outputs, inputs, 3, 3]);
        weights(&mut model, &name("b"), &[outputs]);
        let attributes = [ints("pads", &[1, 1, 1, 1])];
        model.node("Conv", &[&x, &name("w"), &name("b")], &[&name("c")], &attributes);
        model.node("Relu", &[&name("c")], &[&name("r")], &[]);
        x = name("r");
        if pool {
            let attributes = [ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])];
            model.node("MaxPool", &[&x], &[&name("p")], &attributes);
            x = name("p");
        }
    }
    weights(&mut model, "w5", &[768, 4096]);
    weights(&mut model, "w6", &[10, 768]);
    model.node("Flatten", &[&x], &["flat"], &[]).node("Gemm", &["flat", "w5"], &["h"], &[int("transB", 1)]);
    model.node("Relu", &["h"], &["hr"], &[]).node("Gemm", &["hr", "w6"], &["y"], &[int("transB", 1)]);
    model.input("x", &[BATCH, 3, 32, 32]).output("y");
    model
}

/// Random weights that keep values of the size of the inputs; variances are 1.
pub fn random(model: &mut Model, name: &str, shape: &[i64]) {
    let count = shape.iter().product::<i64>() as usize;
    if name.ends_with("running_var") || name.contains("bn") && name.ends_with("weight") {
        model.tensor(name, shape, &vec![1.0; count]);
    } else {
        let fan = shape.iter().skip(1).product::<i64>().max(1) as f32;
        let values = model.normals(count, (2.0 / fan).sqrt());
        model.tensor(name, shape, &values);
    }
}
