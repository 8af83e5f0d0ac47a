//! Operators of ONNX to operations of a graph.

use super::super::op::{Activation, Binary, Op, Reduce, ReduceKind};
use super::super::shape::{Mismatch, mismatch};
use super::attributes::Attributes;
use super::importer::Importer;
use super::{integers, matrices, movement, recurrent, windows};

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
        "Gemm" => matrices::gemm(importer, a)?,
        "MatMul" => matrices::matmul(importer)?,
        "BatchNormalization" => matrices::batch_normalization(importer, a)?,
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
