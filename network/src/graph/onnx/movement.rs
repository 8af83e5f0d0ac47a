//! Operators that move values: reshapes, slices, padding, joining.

use super::super::op::{AxisSlice, Length, Op, Pad, PadWith};
use super::super::shape::{Mismatch, mismatch};
use super::attributes::Attributes;
use super::convert::axis_of;
use super::importer::Importer;

/// Converts the node if it is one of those.
pub(super) fn convert(
    importer: &mut Importer<'_>,
    operator: &str,
    a: &Attributes<'_>,
) -> Result<bool, Mismatch> {
    match operator {
        "Identity" => importer.pass(0)?,
        "Dropout" => dropout(importer, a)?,
        "Flatten" => {
            let shape = importer.shape(0)?;
            let axis = match a.integer("axis", 1)? {
                axis if axis == shape.len() as i64 => shape.len(),
                axis => axis_of(axis, shape.len())?,
            };
            let flat = [shape[..axis].iter().product(), shape[axis..].iter().product()];
            importer.reshape(0, flat.to_vec())?;
        }
        "Reshape" => reshape(importer, a)?,
        "Squeeze" => squeeze(importer, a)?,
        "Unsqueeze" => unsqueeze(importer, a)?,
        "Transpose" => {
            let rank = importer.shape(0)?.len();
            let order = match a.integers("perm") {
                Some(order) => order.iter().map(|&axis| axis_of(axis, rank)).collect::<Result<_, _>>()?,
                None => (0..rank).rev().collect(),
            };
            importer.emit(Op::Transpose { order }, &[0])?;
        }
        "Concat" => {
            let axis = axis_of(a.integer("axis", 0)?, importer.shape(0)?.len())?;
            let inputs: Vec<usize> = (0..importer.input_count()).collect();
            importer.emit(Op::Concat { axis }, &inputs)?;
        }
        "Pad" => pad(importer, a)?,
        "Slice" => slice(importer, a)?,
        "Split" => split(importer, a)?,
        "Gather" => gather(importer, a)?,
        "Expand" => {
            let (from, to) = (importer.shape(0)?, importer.integers(1, "a shape")?);
            let ones = to.iter().map(|&n| usize::try_from(n).ok()).collect::<Option<Vec<usize>>>();
            let same =
                ones.and_then(|to| super::super::tensor::broadcast(&from, &to)).is_some_and(|s| s == from);
            if !same {
                return mismatch(
                    format!("an expansion of {from:?} to {to:?}"),
                    "a shape that stays as it is",
                );
            }
            importer.pass(0)?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn dropout(importer: &mut Importer<'_>, a: &Attributes<'_>) -> Result<(), Mismatch> {
    ["ratio", "seed"].iter().for_each(|name| a.ignore(name));
    if importer.has(2) && importer.integers(2, "training_mode")?.iter().any(|mode| *mode != 0) {
        return mismatch("a dropout in training", "training_mode false");
    }
    // the mask is bound to nothing, so that a node that reads it is named
    importer.pass(0)
}

fn reshape(importer: &mut Importer<'_>, a: &Attributes<'_>) -> Result<(), Mismatch> {
    let input = importer.shape(0)?;
    let wanted = importer.integers(1, "a shape")?;
    let zeros_count = a.integer("allowzero", 0)? != 0;
    let total: usize = input.iter().product();
    let mut shape = Vec::with_capacity(wanted.len());
    let mut rest = None;
    for (axis, &length) in wanted.iter().enumerate() {
        shape.push(match (length, input.get(axis)) {
            (-1, _) if rest.is_none() => {
                rest = Some(axis);
                1
            }
            (0, Some(&same)) if !zeros_count => same,
            _ => match usize::try_from(length) {
                Ok(length) => length,
                Err(_) => return mismatch(format!("the shape {wanted:?}"), "lengths, with at most one -1"),
            },
        });
    }
    if let Some(axis) = rest {
        let known = shape.iter().copied().fold(1, usize::saturating_mul);
        if known == 0 || !total.is_multiple_of(known) {
            return mismatch(
                format!("{total} values of shape {input:?} as {wanted:?}"),
                "a divisible number",
            );
        }
        shape[axis] = total / known;
    }
    importer.reshape(0, shape)
}

/// Axes from input 1 or the attribute `axes`.
fn axes(importer: &Importer<'_>, a: &Attributes<'_>, rank: usize) -> Result<Option<Vec<usize>>, Mismatch> {
    let given = match importer.has(1) {
        true => Some(importer.integers(1, "axes")?),
        false => a.integers("axes").map(<[i64]>::to_vec),
    };
    given.map(|axes| axes.iter().map(|&axis| axis_of(axis, rank)).collect()).transpose()
}

fn squeeze(importer: &mut Importer<'_>, a: &Attributes<'_>) -> Result<(), Mismatch> {
    let input = importer.shape(0)?;
    let axes = axes(importer, a, input.len())?;
    if let Some(axis) = axes.iter().flatten().find(|axis| input[**axis] != 1) {
        return mismatch(format!("axis {axis} of {input:?}"), "an axis of length 1");
    }
    let gone = |axis: usize| axes.as_ref().map_or(input[axis] == 1, |axes| axes.contains(&axis));
    let shape = (0..input.len()).filter(|axis| !gone(*axis)).map(|axis| input[axis]).collect();
    importer.reshape(0, shape)
}

fn unsqueeze(importer: &mut Importer<'_>, a: &Attributes<'_>) -> Result<(), Mismatch> {
    let input = importer.shape(0)?;
    let count = match importer.has(1) {
        true => importer.integers(1, "axes")?.len(),
        false => a.integers("axes").map_or(0, <[i64]>::len),
    };
    let rank = input.len() + count;
    let mut axes = axes(importer, a, rank)?.unwrap_or_default();
    axes.sort_unstable();
    axes.dedup();
    if axes.len() != count || count == 0 {
        return mismatch("axes that are missing or given twice", "each new axis once");
    }
    let mut old = input.iter();
    let shape = (0..rank).map(|axis| if axes.contains(&axis) { 1 } else { old.next().copied().unwrap_or(1) });
    importer.reshape(0, shape.collect())
}

fn pad(importer: &mut Importer<'_>, a: &Attributes<'_>) -> Result<(), Mismatch> {
    let rank = importer.shape(0)?.len();
    let (given, value) = if importer.opset < 11 {
        (a.integers("pads").unwrap_or_default().to_vec(), a.float("value", 0.0)?)
    } else {
        let value = if importer.has(2) { importer.number(2, "the padding's value")? } else { 0.0 };
        (importer.integers(1, "pads")?, value)
    };
    let with = match a.text("mode")?.as_str() {
        "" | "constant" => PadWith::Value(value),
        "reflect" => PadWith::Reflect,
        "edge" => PadWith::Edge,
        other => return mismatch(format!("the mode `{other}`"), "constant, reflect or edge"),
    };
    let axes = match importer.has(3) {
        true => {
            importer.integers(3, "axes")?.iter().map(|&axis| axis_of(axis, rank)).collect::<Result<_, _>>()?
        }
        false => (0..rank).collect::<Vec<_>>(),
    };
    let lengths: Option<Vec<usize>> = given.iter().map(|n| usize::try_from(*n).ok()).collect();
    let Some(lengths) = lengths.filter(|lengths| lengths.len() == 2 * axes.len()) else {
        return mismatch(format!("pads {given:?}"), format!("{} numbers from 0 on", 2 * axes.len()));
    };
    let mut amounts = vec![(0, 0); rank];
    for (i, &axis) in axes.iter().enumerate() {
        amounts[axis] = (lengths[i], lengths[axes.len() + i]);
    }
    importer.emit(Op::Pad(Pad { amounts, with }), &[0])
}

/// The indices from `start` until `end` in steps, under ONNX's rules for negative and large numbers.
pub(super) fn range(start: i64, end: i64, step: i64, length: usize) -> Result<AxisSlice, Mismatch> {
    let n = length as i64;
    let Some(step_size) = isize::try_from(step).ok().filter(|step| *step != 0) else {
        return mismatch(format!("a step of {step}"), "a step other than 0");
    };
    let counted = |at: i64| if at < 0 { at.saturating_add(n) } else { at };
    let (low, high) = if step > 0 { (0, n) } else { (-1, n - 1) };
    let (start, end) = (counted(start).clamp(low.max(0), high.max(0)), counted(end).clamp(low, high));
    // an end before the first index, counted from the end of the axis, stays before it
    let distance = if step > 0 { end - start } else { start - end };
    let count = if distance <= 0 { 0 } else { (distance as u64).div_ceil(step.unsigned_abs()) as usize };
    if count == length && step == 1 {
        return Ok(AxisSlice::WHOLE);
    }
    Ok(AxisSlice { start: start as usize, step: step_size, count: Some(count) })
}

fn slice(importer: &mut Importer<'_>, a: &Attributes<'_>) -> Result<(), Mismatch> {
    let shape = importer.shape(0)?;
    let input = |index: usize, what: &str| match importer.has(index) {
        true => importer.integers(index, what).map(Some),
        false => Ok(None),
    };
    let attribute = |name: &str| a.integers(name).map(<[i64]>::to_vec);
    let (starts, ends, axes, steps) = if importer.opset < 10 {
        (attribute("starts"), attribute("ends"), attribute("axes"), None)
    } else {
        (input(1, "starts")?, input(2, "ends")?, input(3, "axes")?, input(4, "steps")?)
    };
    let (starts, ends) = (starts.unwrap_or_default(), ends.unwrap_or_default());
    let axes = axes.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = steps.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return mismatch("starts, ends, axes and steps of different number", "one of each per axis");
    }
    let mut slices = vec![AxisSlice::WHOLE; shape.len()];
    for (i, &axis) in axes.iter().enumerate() {
        let axis = axis_of(axis, shape.len())?;
        slices[axis] = range(starts[i], ends[i], steps[i], shape[axis])?;
    }
    importer.emit(Op::Slice { axes: slices }, &[0])
}

fn split(importer: &mut Importer<'_>, a: &Attributes<'_>) -> Result<(), Mismatch> {
    let shape = importer.shape(0)?;
    let axis = axis_of(a.integer("axis", 0)?, shape.len())?;
    let outputs = importer.node.output.len();
    let given = match importer.has(1) {
        true => Some(importer.integers(1, "lengths")?),
        false => a.integers("split").map(<[i64]>::to_vec),
    };
    a.ignore("num_outputs"); // that many outputs are named
    let length = shape[axis];
    let parts: Vec<usize> = match given {
        Some(given) => given.iter().map(|n| usize::try_from(*n).unwrap_or(usize::MAX)).collect(),
        None => {
            let each = length.div_ceil(outputs.max(1));
            (0..outputs).map(|i| each.min(length.saturating_sub(i * each))).collect()
        }
    };
    let total = parts.iter().copied().fold(0, usize::saturating_add);
    if parts.len() != outputs || total != length {
        return mismatch(
            format!("parts {parts:?} of an axis of {length}"),
            format!("{outputs} that make it up"),
        );
    }
    let mut start = 0;
    let input = importer.node.input[0].clone();
    for (index, part) in parts.into_iter().enumerate() {
        let mut axes = vec![AxisSlice::WHOLE; shape.len()];
        axes[axis] = AxisSlice { start, step: 1, count: Some(part) };
        start += part;
        importer.emit_named(
            Op::Slice { axes },
            std::slice::from_ref(&input),
            vec![importer.output(index)],
        )?;
    }
    Ok(())
}

/// One index, or indices in regular steps.
fn gather(importer: &mut Importer<'_>, a: &Attributes<'_>) -> Result<(), Mismatch> {
    let shape = importer.shape(0)?;
    let axis = axis_of(a.integer("axis", 0)?, shape.len())?;
    let indices = importer.integers(1, "indices")?;
    let places = importer.shape(1)?;
    let found: Vec<usize> =
        indices.iter().map(|&index| axis_of(index, shape[axis])).collect::<Result<_, _>>()?;
    let step = match found.as_slice() {
        [first, second, ..] => *second as isize - *first as isize,
        _ => 1,
    };
    let regular = found.windows(2).all(|pair| pair[1] as isize - pair[0] as isize == step);
    let (Some(&start), true, true) = (found.first(), regular && step != 0, places.len() <= 1) else {
        return mismatch(format!("the indices {indices:?}"), "one index, or several in regular steps");
    };
    let mut axes = vec![AxisSlice::WHOLE; shape.len()];
    axes[axis] = AxisSlice { start, step, count: Some(found.len()) };
    if places.len() == 1 {
        return importer.emit(Op::Slice { axes }, &[0]);
    }
    let part = importer.fresh("part");
    let input = importer.node.input[0].clone();
    importer.emit_named(Op::Slice { axes }, &[input], vec![part.clone()])?;
    let mut lengths: Vec<Length> = shape.iter().map(|&n| Length::Fixed(n)).collect();
    lengths.remove(axis);
    importer.emit_named(Op::Reshape { shape: lengths }, &[part], vec![importer.output(0)])
}
