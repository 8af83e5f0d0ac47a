//! Architectures whose weights come in `.npz` files, by the names that PyTorch gives them.

use mho_data::InputError;
use mho_network::graph::Graph;
use mho_network::graph::op::{Activation, AxisSlice, Dense, Op, Pad, PadWith, Padding, Reduce, ReduceKind};

use super::npz::Arrays;
use super::{Form, Normalisation, Sketch};

const SAME: Padding = Padding::Explicit(1, 1);

fn normalisation(arrays: &mut Arrays, name: &str, epsilon: f32) -> Result<Normalisation, InputError> {
    let mut part = |part: &str| Ok::<_, InputError>(arrays.take(&format!("{name}.{part}"))?.into_values());
    Ok(Normalisation {
        weight: part("weight")?,
        bias: part("bias")?,
        mean: part("running_mean")?,
        variance: part("running_var")?,
        epsilon,
    })
}

/// Mean over the image, then the matrix of the classes.
fn head(sketch: &mut Sketch, arrays: &mut Arrays, matrix: &str, x: &str) -> Result<String, InputError> {
    let mean = Reduce { kind: ReduceKind::Mean, axes: vec![2, 3], keep: false };
    let x = sketch.node("mean", Op::Reduce(mean), &[x]);
    let weights = arrays.take(&format!("{matrix}.weight"))?.into();
    let bias = Some(arrays.take(&format!("{matrix}.bias"))?.into());
    Ok(sketch.node(matrix, Op::Dense(Dense { weights, bias }), &[&x]))
}

fn all_taken(arrays: &Arrays) -> Result<(), InputError> {
    match arrays.left().as_slice() {
        [] => Ok(()),
        left => {
            Err(InputError::new(arrays.file(), format!("{left:?} beside the network"), "its arrays alone"))
        }
    }
}

/// A residual network for CIFAR (He et al., CVPR 2016), of as many blocks as the file holds; shortcuts of
/// option A: every second pixel, and channels of zeros.
///
/// # Errors
/// [`InputError`] when arrays are missing, left over, or do not fit.
pub fn residual(mut arrays: Arrays) -> Result<Graph, InputError> {
    let mut sketch = Sketch::default();
    let conv = |sketch: &mut Sketch, arrays: &mut Arrays, name: [&str; 2], stride: usize, x: &str| {
        let x =
            sketch.conv(name[0], arrays.take(&format!("{}.weight", name[0]))?, &Form::plain(stride, SAME), x);
        Ok::<_, InputError>(sketch.normalise(name[1], &normalisation(arrays, name[1], 1e-5)?, &x))
    };
    let x = conv(&mut sketch, &mut arrays, ["conv1", "bn1"], 1, "image")?;
    let mut x = sketch.activation("relu", Activation::Relu, &x);
    let mut channels = 16;
    for stage in 1..=3 {
        for block in 0.. {
            let name = |part: &str| format!("layer{stage}.{block}.{part}");
            if !arrays.has(&name("conv1.weight")) {
                break;
            }
            let outputs: usize = 8 << stage;
            let stride = if outputs == channels { 1 } else { 2 };
            let h = conv(&mut sketch, &mut arrays, [&name("conv1"), &name("bn1")], stride, &x)?;
            let h = sketch.activation(&name("relu1"), Activation::Relu, &h);
            let h = conv(&mut sketch, &mut arrays, [&name("conv2"), &name("bn2")], 1, &h)?;
            if stride == 2 {
                // images of 32 x 32, halved once per stage
                let half = AxisSlice { start: 0, step: 2, count: Some(64 >> stage) };
                let axes = vec![AxisSlice::WHOLE, AxisSlice::WHOLE, half, half];
                x = sketch.node(&name("half"), Op::Slice { axes }, &[&x]);
                let amounts = vec![(0, 0), (outputs / 4, outputs / 4), (0, 0), (0, 0)];
                x = sketch.node(&name("wide"), Op::Pad(Pad { amounts, with: PadWith::Value(0.0) }), &[&x]);
            }
            let sum = sketch.add(&name("add"), &h, &x);
            x = sketch.activation(&name("relu2"), Activation::Relu, &sum);
            channels = outputs;
        }
    }
    let y = head(&mut sketch, &mut arrays, "linear", &x)?;
    all_taken(&arrays)?;
    sketch.finish(arrays.file(), ("image", &[3, 32, 32]), &y)
}

/// EfficientNet-Lite0 for 224 x 224 images: EfficientNet-B0 (Tan & Le, ICML 2019) without squeeze and
/// excitation, with ReLU6, padded as TensorFlow's "same".
///
/// # Errors
/// [`InputError`] when arrays are missing, left over, or do not fit.
pub fn efficientnet_lite0(mut arrays: Arrays) -> Result<Graph, InputError> {
    let mut sketch = Sketch::default();
    let layer = |sketch: &mut Sketch,
                 arrays: &mut Arrays,
                 [conv, norm]: [&str; 2],
                 (stride, groups): (usize, usize),
                 relu: bool,
                 x: &str| {
        let form = Form { groups, ..Form::plain(stride, Padding::SameUpper) };
        let x = sketch.conv(conv, arrays.take(&format!("{conv}.weight"))?, &form, x);
        // the epsilon of this network's TensorFlow original
        let x = sketch.normalise(norm, &normalisation(arrays, norm, 1e-3)?, &x);
        let clip = Activation::Clip { min: 0.0, max: 6.0 };
        Ok::<_, InputError>(if relu { sketch.activation(&format!("{norm}.relu6"), clip, &x) } else { x })
    };
    let mut x = layer(&mut sketch, &mut arrays, ["_conv_stem", "_bn0"], (2, 1), true, "image")?;
    // repeats, stride, expansion, inputs, outputs
    let stages = [
        [1, 1, 1, 32, 16],
        [2, 2, 6, 16, 24],
        [2, 2, 6, 24, 40],
        [3, 2, 6, 40, 80],
        [3, 1, 6, 80, 112],
        [4, 2, 6, 112, 192],
        [1, 1, 6, 192, 320],
    ];
    let mut block = 0;
    for [repeats, stride, expansion, inputs, outputs] in stages {
        for repeat in 0..repeats {
            let name = |part: &str| format!("_blocks.{block}.{part}");
            let (channels, stride) = if repeat == 0 { (inputs, stride) } else { (outputs, 1) };
            let wide = channels * expansion;
            let mut h = x.clone();
            if expansion > 1 {
                let names = [name("_expand_conv"), name("_bn0")];
                h = layer(&mut sketch, &mut arrays, [&names[0], &names[1]], (1, 1), true, &h)?;
            }
            let names = [name("_depthwise_conv"), name("_bn1")];
            h = layer(&mut sketch, &mut arrays, [&names[0], &names[1]], (stride, wide), true, &h)?;
            let names = [name("_project_conv"), name("_bn2")];
            h = layer(&mut sketch, &mut arrays, [&names[0], &names[1]], (1, 1), false, &h)?;
            let through = stride == 1 && channels == outputs;
            x = if through { sketch.add(&name("add"), &h, &x) } else { h };
            block += 1;
        }
    }
    let x = layer(&mut sketch, &mut arrays, ["_conv_head", "_bn1"], (1, 1), true, &x)?;
    let y = head(&mut sketch, &mut arrays, "_fc", &x)?;
    all_taken(&arrays)?;
    sketch.finish(arrays.file(), ("image", &[3, 224, 224]), &y)
}
