//! Convolution and pooling.

use super::super::op::{Conv, Op, Padding, Pool, PoolKind, Sliding};
use super::super::shape::{Mismatch, mismatch};
use super::attributes::Attributes;
use super::importer::Importer;

/// Geometry from the attributes that convolution and pooling share; one dimension is a single row.
fn sliding(a: &Attributes<'_>, axes: usize, kernel: &[usize]) -> Result<Sliding, Mismatch> {
    let stride = a.lengths("strides", axes, 1)?;
    let dilation = a.lengths("dilations", axes, 1)?;
    let automatic = a.text("auto_pad")?;
    let pads = a.lengths("pads", 2 * axes, 0)?;
    let padding = |axis: usize| match automatic.as_str() {
        "" | "NOTSET" => Ok(Padding::Explicit(pads[axis], pads[axes + axis])),
        "VALID" => Ok(Padding::Explicit(0, 0)),
        "SAME_UPPER" => Ok(Padding::SameUpper),
        "SAME_LOWER" => Ok(Padding::SameLower),
        other => mismatch(format!("auto_pad {other}"), "NOTSET, VALID, SAME_UPPER or SAME_LOWER"),
    };
    let mut sliding = Sliding::UNIT;
    for axis in 0..axes {
        let at = 2 - axes + axis;
        sliding.kernel[at] = kernel[axis];
        sliding.stride[at] = stride[axis];
        sliding.dilation[at] = dilation[axis];
        sliding.padding[at] = padding(axis)?;
    }
    Ok(sliding)
}

fn spatial_axes(importer: &Importer<'_>) -> Result<usize, Mismatch> {
    let shape = importer.shape(0)?;
    match shape.len() {
        3 | 4 => Ok(shape.len() - 2),
        _ => mismatch(format!("an input of shape {shape:?}"), "one or two spatial axes"),
    }
}

/// Conv.
pub(super) fn conv(importer: &mut Importer<'_>, a: &Attributes<'_>) -> Result<(), Mismatch> {
    let axes = spatial_axes(importer)?;
    let weights = importer.floats(1, "weights (input W)")?;
    let bias = importer.floats_or_none(2, "biases (input B)")?;
    let Some(kernel) = weights.shape().get(2..).filter(|kernel| kernel.len() == axes) else {
        let found = format!("weights of shape {:?}", weights.shape());
        return mismatch(found, format!("outputs, channels and {axes} axes of taps"));
    };
    if a.lengths("kernel_shape", axes, 0)? != kernel && a.has("kernel_shape") {
        return mismatch(format!("a kernel_shape that is not {kernel:?}"), "the shape of the weights");
    }
    let groups = usize::try_from(a.integer("group", 1)?).unwrap_or(0);
    let sliding = sliding(a, axes, kernel)?;
    importer.emit(Op::Conv(Conv { weights, bias, groups, sliding }), &[0])
}

/// MaxPool and AveragePool.
pub(super) fn pool(importer: &mut Importer<'_>, operator: &str, a: &Attributes<'_>) -> Result<(), Mismatch> {
    importer.at_most_outputs(1)?;
    let axes = spatial_axes(importer)?;
    if !a.has("kernel_shape") {
        return mismatch("no kernel_shape", "the attribute kernel_shape");
    }
    let kernel = a.lengths("kernel_shape", axes, 1)?;
    let kind = match operator {
        "MaxPool" => {
            a.ignore("storage_order"); // it orders indices, which are an output that is refused
            PoolKind::Max
        }
        _ if a.integer("count_include_pad", 0)? != 0 => PoolKind::AveragePadded,
        _ => PoolKind::Average,
    };
    let ceil_mode = a.integer("ceil_mode", 0)? != 0;
    let sliding = sliding(a, axes, &kernel)?;
    importer.emit(Op::Pool(Pool { kind, sliding, ceil_mode }), &[0])
}
