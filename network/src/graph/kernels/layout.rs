//! Operations that move values and compute nothing.

use super::super::op::{AxisSlice, Pad, PadWith};
use super::super::tensor::strides;
use super::elementwise::advance;
use super::{Read, Write};

/// Joins tensors along an axis.
pub(crate) fn concat(axis: usize, inputs: &[Option<Read<'_>>], output: &mut Write<'_>) {
    let outer: usize = output.shape[..axis].iter().product();
    let length: usize = output.shape[axis..].iter().product();
    let mut offset = 0;
    for input in inputs.iter().flatten() {
        let part: usize = input.shape[axis..].iter().product();
        for index in 0..outer {
            let target = index * length + offset;
            output.values[target..target + part]
                .copy_from_slice(&input.values[index * part..(index + 1) * part]);
        }
        offset += part;
    }
}

/// Copies values that lie along the last axis of the output in regular steps of the input.
fn gather(input: &[f32], start: isize, steps: &[isize], output: &mut Write<'_>) {
    let Some((&length, outer)) = output.shape.split_last() else {
        output.values.copy_from_slice(&input[..1]);
        return;
    };
    if output.values.is_empty() {
        return;
    }
    let step = steps[outer.len()];
    let mut index = vec![0; outer.len()];
    for line in output.values.chunks_exact_mut(length) {
        let offset: isize = index.iter().zip(steps).map(|(i, s)| *i as isize * s).sum();
        let first = start + offset;
        if step == 1 {
            line.copy_from_slice(&input[first as usize..first as usize + length]);
        } else {
            for (i, value) in line.iter_mut().enumerate() {
                *value = input[(first + i as isize * step) as usize];
            }
        }
        advance(&mut index, outer);
    }
}

/// Output axis i is input axis `order[i]`.
pub(crate) fn transpose(order: &[usize], input: Read<'_>, output: &mut Write<'_>) {
    let own = strides(input.shape);
    let steps: Vec<isize> = order.iter().map(|&axis| own[axis] as isize).collect();
    gather(input.values, 0, &steps, output);
}

/// A regular part of each axis.
pub(crate) fn slice(axes: &[AxisSlice], input: Read<'_>, output: &mut Write<'_>) {
    let own = strides(input.shape);
    let start: usize = axes.iter().zip(&own).map(|(axis, stride)| axis.start * stride).sum();
    let steps: Vec<isize> =
        axes.iter().zip(&own).map(|(axis, stride)| axis.step * *stride as isize).collect();
    gather(input.values, start as isize, &steps, output);
}

/// Values before and after each axis.
pub(crate) fn pad(pad: &Pad, input: Read<'_>, output: &mut Write<'_>) {
    let Some((&length, outer)) = output.shape.split_last() else {
        output.values.copy_from_slice(input.values);
        return;
    };
    if output.values.is_empty() {
        return;
    }
    let own = strides(input.shape);
    let last = outer.len();
    let mut index = vec![0; last];
    for line in output.values.chunks_exact_mut(length) {
        let places = index.iter().enumerate();
        let places = places.map(|(axis, &i)| source(i, pad.amounts[axis].0, input.shape[axis], pad.with));
        let offset: Option<usize> = places.zip(&own).map(|(place, stride)| Some(place? * stride)).sum();
        let (before, inside) = (pad.amounts[last].0, input.shape[last]);
        match (offset, pad.with) {
            (None, PadWith::Value(value)) => line.fill(value),
            (Some(offset), PadWith::Value(value)) => {
                line[..before].fill(value);
                line[before..before + inside].copy_from_slice(&input.values[offset..offset + inside]);
                line[before + inside..].fill(value);
            }
            (offset, _) => {
                for (i, target) in line.iter_mut().enumerate() {
                    let place = source(i, before, inside, pad.with).unwrap_or(0);
                    *target = input.values[offset.unwrap_or(0) + place];
                }
            }
        }
        advance(&mut index, outer);
    }
}

/// Index of the input that stands at an index of the padded axis; `None` for a value of its own.
fn source(index: usize, before: usize, length: usize, with: PadWith) -> Option<usize> {
    match index.checked_sub(before) {
        Some(inside) if inside < length => Some(inside),
        _ => match with {
            PadWith::Value(_) => None,
            PadWith::Edge => Some(index.saturating_sub(before).min(length - 1)),
            PadWith::Reflect if index < before => Some(before - index),
            PadWith::Reflect => Some(2 * (length - 1) - (index - before)),
        },
    }
}
