//! Operators of ONNX to operations of a graph.

use std::sync::Arc;

use super::super::op::{Activation, Affine, Binary, Dense, Op, Reduce, ReduceKind};
use super::super::shape::{Mismatch, mismatch};
use super::super::tensor::Tensor;
use super::attributes::Attributes;
use super::constants::Known;
use super::importer::{Importer, Value};
use super::{integers, movement, recurrent, windows};

/// Every operator that is read, for messages and documentation.
pub const SUPPORTED: &[&str] = &[
    "Abs",
    "Add",
    "AveragePool",
    "BatchNormalization",
    "Cast",
    "Clip",
    "Concat",
    "Constant",
    "ConstantOfShape",
    "Conv",
    "Div",
    "Dropout",
    "Elu",
    "Erf",
    "Exp",
    "Expand",
    "Flatten",
    "GRU",
    "Gather",
    "Gelu",
    "Gemm",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "HardSigmoid",
    "HardSwish",
    "Identity",
    "LSTM",
    "LeakyRelu",
    "Log",
    "LogSoftmax",
    "MatMul",
    "Max",
    "MaxPool",
    "Min",
    "Mul",
    "Neg",
    "PRelu",
    "Pad",
    "Pow",
    "RNN",
    "Reciprocal",
    "ReduceMax",
    "ReduceMean",
    "ReduceSum",
    "Relu",
    "Reshape",
    "Selu",
    "Shape",
    "Sigmoid",
    "Slice",
    "Softmax",
    "Softplus",
    "Softsign",
    "Split",
    "Sqrt",
    "Squeeze",
    "Sub",
    "Sum",
    "Tanh",
    "Transpose",
    "Unsqueeze",
];

type Done = Result<(), Mismatch>;

/// Converts the importer's current node.
pub(crate) fn convert(importer: &mut Importer<'_>, operator: &str) -> Done {
    let attributes = Attributes::of(importer.node);
    if !matches!(operator, "RNN" | "LSTM" | "GRU" | "Split" | "Dropout" | "MaxPool" | "BatchNormalization") {
        importer.at_most_outputs(1)?;
    }
    if let Some(activation) = activation(importer, operator, &attributes)? {
        attributes.finish()?;
        return importer.emit(Op::Activation(activation), &[0]);
    }
    if integers::fold(importer, operator, &attributes)? {
        return attributes.finish();
    }
    let a = &attributes;
    match operator {
        "Conv" => windows::conv(importer, a)?,
        "MaxPool" | "AveragePool" => windows::pool(importer, operator, a)?,
        "GlobalAveragePool" => global(importer, ReduceKind::Mean)?,
        "GlobalMaxPool" => global(importer, ReduceKind::Max)?,
        "Gemm" => gemm(importer, a)?,
        "MatMul" => matmul(importer)?,
        "BatchNormalization" => batch_normalization(importer, a)?,
        "PRelu" => prelu(importer)?,
        "Add" => importer.emit(Op::Binary(Binary::Add), &[0, 1])?,
        "Sub" => importer.emit(Op::Binary(Binary::Sub), &[0, 1])?,
        "Mul" => importer.emit(Op::Binary(Binary::Mul), &[0, 1])?,
        "Div" => importer.emit(Op::Binary(Binary::Div), &[0, 1])?,
        "Pow" => importer.emit(Op::Binary(Binary::Pow), &[0, 1])?,
        "Sum" => several(importer, Binary::Add)?,
        "Max" => several(importer, Binary::Max)?,
        "Min" => several(importer, Binary::Min)?,
        "Softmax" => softmax(importer, a, false)?,
        "LogSoftmax" => softmax(importer, a, true)?,
        "ReduceMean" => reduce(importer, a, ReduceKind::Mean)?,
        "ReduceSum" => reduce(importer, a, ReduceKind::Sum)?,
        "ReduceMax" => reduce(importer, a, ReduceKind::Max)?,
        "RNN" | "LSTM" | "GRU" => recurrent::recurrent(importer, operator, a)?,
        _ => {
            if !movement::convert(importer, operator, a)? {
                return mismatch(
                    "an operator that is not supported",
                    format!("one of {}", SUPPORTED.join(", ")),
                );
            }
        }
    }
    attributes.finish()
}

/// Operators of one value; constants as the standard's defaults have them.
fn activation(
    importer: &Importer<'_>,
    operator: &str,
    a: &Attributes<'_>,
) -> Result<Option<Activation>, Mismatch> {
    Ok(Some(match operator {
        "Relu" => Activation::Relu,
        "Clip" => {
            let limit = |index: usize, name: &str, default: f32| match importer.has(index) {
                true => importer.number(index, "a limit"),
                false => a.float(name, default),
            };
            let (min, max) = (limit(1, "min", f32::MIN)?, limit(2, "max", f32::MAX)?);
            Activation::Clip { min, max }
        }
        "LeakyRelu" => Activation::LeakyRelu { slope: a.float("alpha", 0.01)? },
        "Elu" => Activation::Elu { alpha: a.float("alpha", 1.0)? },
        "Selu" => {
            Activation::Selu { alpha: a.float("alpha", 1.673_263_2)?, gamma: a.float("gamma", 1.050_701)? }
        }
        "Sigmoid" => Activation::Sigmoid,
        "HardSigmoid" => {
            Activation::HardSigmoid { alpha: a.float("alpha", 0.2)?, beta: a.float("beta", 0.5)? }
        }
        "HardSwish" => Activation::HardSwish,
        "Tanh" => Activation::Tanh,
        "Softplus" => Activation::Softplus,
        "Softsign" => Activation::Softsign,
        "Gelu" => match a.text("approximate")?.as_str() {
            "" | "none" => Activation::Gelu,
            "tanh" => Activation::GeluTanh,
            other => return mismatch(format!("the approximation `{other}`"), "none or tanh"),
        },
        "Erf" => Activation::Erf,
        "Exp" => Activation::Exp,
        "Log" => Activation::Log,
        "Sqrt" => Activation::Sqrt,
        "Reciprocal" => Activation::Reciprocal,
        "Abs" => Activation::Abs,
        "Neg" => Activation::Neg,
        _ => return Ok(None),
    }))
}

fn global(importer: &mut Importer<'_>, kind: ReduceKind) -> Done {
    let rank = importer.shape(0)?.len();
    importer.emit(Op::Reduce(Reduce { kind, axes: (2..rank).collect(), keep: true }), &[0])
}

/// A matrix with rows and columns exchanged.
pub(super) fn transposed(matrix: &Tensor) -> Option<Tensor> {
    let &[rows, columns] = matrix.shape() else { return None };
    let mut values = Vec::with_capacity(rows * columns);
    for column in 0..columns {
        values.extend((0..rows).map(|row| matrix.values()[row * columns + column]));
    }
    Tensor::new(vec![columns, rows], values)
}

fn scaled(tensor: &Arc<Tensor>, factor: f32) -> Arc<Tensor> {
    if factor == 1.0 {
        return tensor.clone();
    }
    let mut tensor = Tensor::clone(tensor);
    tensor.values_mut().iter_mut().for_each(|x| *x *= factor);
    Arc::new(tensor)
}

fn gemm(importer: &mut Importer<'_>, a: &Attributes<'_>) -> Done {
    let (alpha, beta) = (a.float("alpha", 1.0)?, a.float("beta", 1.0)?);
    let (first_turned, second_turned) = (a.integer("transA", 0)? != 0, a.integer("transB", 0)? != 0);
    let weights = importer.floats(1, "weights (input B)")?;
    let shape = importer.shape(0)?;
    if weights.shape().len() != 2 || shape.len() != 2 {
        return mismatch(format!("factors of shapes {shape:?} and {:?}", weights.shape()), "two matrices");
    }
    let weights = if second_turned { Some(weights) } else { transposed(&weights).map(Arc::new) };
    let Some(weights) = weights else { return mismatch("weights of another rank", "a matrix") };
    let weights = scaled(&weights, alpha);
    let outputs = weights.shape()[0];
    let mut input = importer.node.input[0].clone();
    if first_turned {
        let turned = importer.fresh("transposed");
        importer.emit_named(Op::Transpose { order: vec![1, 0] }, &[input], vec![turned.clone()])?;
        input = turned;
    }
    // a bias with one value per output belongs to the matrix; any other is added afterwards
    let own = match importer.has(2) {
        true => match importer.value(2)? {
            Value::Known(Known::Floats(c)) if per_output(c.shape(), outputs) => {
                let values = match c.values() {
                    [one] => vec![*one; outputs],
                    values => values.to_vec(),
                };
                Some(scaled(&Arc::new(Tensor::vector(values)), beta))
            }
            _ => None,
        },
        false => None,
    };
    let added = importer.has(2) && own.is_none();
    let op = Op::Dense(Dense { weights, bias: own });
    if !added {
        return importer.emit_named(op, &[input], vec![importer.output(0)]);
    }
    let product = importer.fresh("product");
    importer.emit_named(op, &[input], vec![product.clone()])?;
    let mut summand = importer.node.input[2].clone();
    if beta != 1.0 {
        let (factor, result) = (importer.fresh("beta"), importer.fresh("scaled"));
        let value = Value::Known(Known::Floats(Arc::new(Tensor::vector(vec![beta]))));
        importer.bind(factor.clone(), value)?;
        importer.emit_named(Op::Binary(Binary::Mul), &[summand, factor], vec![result.clone()])?;
        summand = result;
    }
    importer.emit_named(Op::Binary(Binary::Add), &[product, summand], vec![importer.output(0)])
}

fn per_output(shape: &[usize], outputs: usize) -> bool {
    match *shape {
        [] => true,
        [n] | [1, n] => n == outputs || n == 1,
        _ => false,
    }
}

fn matmul(importer: &mut Importer<'_>) -> Done {
    let known = |value: &Value| matches!(value, Value::Known(_));
    let (first, second) = (known(importer.value(0)?), known(importer.value(1)?));
    match (first, second) {
        (_, true) => {
            let matrix = importer.floats(1, "weights (input B)")?;
            let (rows, columns) = match *matrix.shape() {
                [rows] => (rows, None),
                [rows, columns] => (rows, Some(columns)),
                _ => {
                    return mismatch(
                        format!("weights of shape {:?}", matrix.shape()),
                        "a matrix or a vector",
                    );
                }
            };
            let matrix = Tensor::clone(&matrix).reshaped(vec![rows, columns.unwrap_or(1)]);
            let Some(weights) = matrix.as_ref().and_then(transposed) else {
                return mismatch("weights of another rank", "a matrix or a vector");
            };
            let op = Op::Dense(Dense { weights: Arc::new(weights), bias: None });
            let input = importer.node.input[0].clone();
            if columns.is_some() {
                return importer.emit_named(op, &[input], vec![importer.output(0)]);
            }
            let mut shape = importer.shape(0)?;
            shape.pop();
            let product = importer.fresh("product");
            importer.emit_named(op, &[input], vec![product.clone()])?;
            let shape = shape.into_iter().map(super::super::op::Length::Fixed).collect();
            importer.emit_named(Op::Reshape { shape }, &[product], vec![importer.output(0)])
        }
        (true, false) => {
            // A x = (x' A')', so that A is the matrix
            let matrix = importer.floats(0, "weights (input A)")?;
            let rank = importer.shape(1)?.len();
            if matrix.shape().len() != 2 || rank < 2 {
                return mismatch(
                    format!("weights of shape {:?}", matrix.shape()),
                    "a matrix, and one behind it",
                );
            }
            let mut order: Vec<usize> = (0..rank).collect();
            order.swap(rank - 2, rank - 1);
            let (turned, product) = (importer.fresh("transposed"), importer.fresh("product"));
            let input = importer.node.input[1].clone();
            importer.emit_named(Op::Transpose { order: order.clone() }, &[input], vec![turned.clone()])?;
            let op = Op::Dense(Dense { weights: matrix, bias: None });
            importer.emit_named(op, &[turned], vec![product.clone()])?;
            importer.emit_named(Op::Transpose { order }, &[product], vec![importer.output(0)])
        }
        (false, false) => {
            mismatch("a product of two values that are computed at inference", "a constant matrix")
        }
    }
}

fn batch_normalization(importer: &mut Importer<'_>, a: &Attributes<'_>) -> Done {
    a.ignore("momentum");
    importer.at_most_outputs(1)?;
    if a.integer("training_mode", 0)? != 0 || a.integer("spatial", 1)? != 1 {
        return mismatch(
            "batch normalisation in training, or of single pixels",
            "training_mode 0, spatial 1",
        );
    }
    let epsilon = f64::from(a.float("epsilon", 1e-5)?);
    let [gamma, beta, mean, variance] = [1, 2, 3, 4].map(|index| importer.floats(index, "statistics"));
    let (gamma, beta, mean, variance) = (gamma?, beta?, mean?, variance?);
    let channels = importer.shape(0)?.get(1).copied().unwrap_or(0);
    if [&gamma, &beta, &mean, &variance].iter().any(|t| t.shape() != [channels]) {
        return mismatch(
            format!("statistics of shape {:?}", gamma.shape()),
            format!("{channels} values each"),
        );
    }
    let (mut scale, mut shift) = (Vec::with_capacity(channels), Vec::with_capacity(channels));
    for c in 0..channels {
        let at = |tensor: &Tensor| f64::from(tensor.values()[c]);
        let deviation = (at(&variance) + epsilon).sqrt();
        let factor = at(&gamma) / deviation;
        if !(factor.is_finite() && deviation > 0.0) {
            return mismatch(format!("the variance {} of channel {c}", at(&variance)), "a positive number");
        }
        scale.push(factor as f32);
        shift.push((at(&beta) - at(&mean) * factor) as f32);
    }
    let [scale, shift] = [scale, shift].map(|values| Arc::new(Tensor::vector(values)));
    importer.emit(Op::Affine(Affine { scale, shift }), &[0])
}

/// ONNX broadcasts the slope to the input, whose axis 1 are the channels.
fn prelu(importer: &mut Importer<'_>) -> Done {
    let slope = importer.floats(1, "slopes")?;
    importer.emit(Op::PRelu(slope), &[0])
}

/// A function of any number of values, from left to right.
fn several(importer: &mut Importer<'_>, binary: Binary) -> Done {
    let names = importer.node.input.clone();
    let Some((first, others)) = names.split_first() else { return mismatch("no inputs", "at least one") };
    if others.is_empty() {
        return importer.pass(0);
    }
    let mut left = first.clone();
    for (index, right) in others.iter().enumerate() {
        let result = match index + 1 == others.len() {
            true => importer.output(0),
            false => importer.fresh(&format!("part{index}")),
        };
        importer.emit_named(Op::Binary(binary), &[left, right.clone()], vec![result.clone()])?;
        left = result;
    }
    Ok(())
}

/// An axis of a tensor, counted from its end where negative.
pub(super) fn axis_of(axis: i64, rank: usize) -> Result<usize, Mismatch> {
    let counted = if axis < 0 { axis.checked_add(rank as i64) } else { Some(axis) };
    match counted.and_then(|axis| usize::try_from(axis).ok()).filter(|axis| *axis < rank) {
        Some(axis) => Ok(axis),
        None => mismatch(format!("axis {axis} of a tensor of {rank} axes"), "an axis that it has"),
    }
}

fn softmax(importer: &mut Importer<'_>, a: &Attributes<'_>, log: bool) -> Done {
    let shape = importer.shape(0)?;
    let old = importer.opset < 13;
    let axis = axis_of(a.integer("axis", if old { 1 } else { -1 })?, shape.len())?;
    // before version 13 all axes from this one on were one
    if !old || axis + 1 == shape.len() {
        return importer.emit(Op::Softmax { axis, log }, &[0]);
    }
    let lengths = |shape: &[usize]| shape.iter().map(|&n| super::super::op::Length::Fixed(n)).collect();
    let mut flat = shape[..axis].to_vec();
    flat.push(shape[axis..].iter().product());
    let (joined, result) = (importer.fresh("flat"), importer.fresh("softmax"));
    let input = importer.node.input[0].clone();
    importer.emit_named(Op::Reshape { shape: lengths(&flat) }, &[input], vec![joined.clone()])?;
    importer.emit_named(Op::Softmax { axis, log }, &[joined], vec![result.clone()])?;
    importer.emit_named(Op::Reshape { shape: lengths(&shape) }, &[result], vec![importer.output(0)])
}

fn reduce(importer: &mut Importer<'_>, a: &Attributes<'_>, kind: ReduceKind) -> Done {
    let rank = importer.shape(0)?.len();
    let keep = a.integer("keepdims", 1)? != 0;
    let nothing_without_axes = a.integer("noop_with_empty_axes", 0)? != 0;
    let given = match importer.has(1) {
        true => Some(importer.integers(1, "axes")?),
        false => a.integers("axes").map(<[i64]>::to_vec),
    };
    let mut axes = Vec::new();
    for axis in given.unwrap_or_default() {
        axes.push(axis_of(axis, rank)?);
    }
    if axes.is_empty() {
        if nothing_without_axes {
            return importer.pass(0);
        }
        axes = (0..rank).collect();
    }
    axes.sort_unstable();
    axes.dedup();
    importer.emit(Op::Reduce(Reduce { kind, axes, keep }), &[0])
}
