//! Convolutions as products: the values under each window become a vector.
//!
//! Vectors are unfolded in chunks that stay in the cache between unfolding, product, bias and activation.
//! Small images share a chunk, so that the product stays wide.

use super::super::layers::{Layout, Vectors, VectorsMut};
use super::super::op::{Activation, Conv};
use super::super::shape::{Windows, image_of};
use super::phases::Phases;
use super::{Matrices, Read, Scratch, Write, depthwise, elementwise};

/// Values of an unfolded chunk: 1 MiB of f32, about a second-level cache. Measured to be near the best.
const CHUNK_VALUES: usize = 1 << 18;
/// Fewest vectors of a chunk: below, packing the weights anew costs more than a tenth of the product.
const LEAST_VECTORS: usize = 256;
/// Most vectors of a chunk.
const MOST_VECTORS: usize = 2048;

/// A run of window positions in one row of one image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    image: usize,
    row: usize,
    /// Columns of positions, from and to.
    from: usize,
    to: usize,
}

/// A convolution with bias and activation.
pub(crate) fn conv(
    conv: &Conv,
    input: Read<'_>,
    output: &mut Write<'_>,
    activation: Option<Activation>,
    matrices: Matrices<'_>,
    scratch: &mut Scratch,
) {
    let Ok(Ok(windows)) = image_of(input.shape).map(|image| conv.sliding.at(image, false)) else { return };
    if output.values.is_empty() {
        return;
    }
    if let Some(weights) = depthwise::weights(conv, matrices) {
        let outputs = conv.weights.shape()[0] / conv.groups;
        let bias: Vec<Option<&[f32]>> =
            matrices.layers.iter().map(|layer| matrices.products.bias(layer)).collect();
        let mut finish = |index: usize, plane: &mut [f32]| {
            let of = bias.get(index / outputs % conv.groups).copied().flatten();
            finish(plane, of.and_then(|of| of.get(index % outputs)).copied().unwrap_or(0.0), activation);
        };
        let Scratch { a: padded, b: sums, .. } = scratch;
        depthwise::depthwise(&weights, &windows, input.values, output.values, (padded, sums), &mut finish);
        return;
    }
    for group in 0..conv.groups {
        grouped(conv, group, &windows, input, output, activation, matrices, scratch);
    }
}

/// Bias and activation of values that stand in the cache.
fn finish(values: &mut [f32], bias: f32, activation: Option<Activation>) {
    if bias != 0.0 {
        elementwise::wide(
            #[inline(always)]
            || values.iter_mut().for_each(|y| *y += bias),
        );
    }
    if let Some(activation) = activation {
        elementwise::activate(activation, values);
    }
}

#[allow(clippy::too_many_arguments)]
fn grouped(
    conv: &Conv,
    group: usize,
    windows: &Windows,
    input: Read<'_>,
    output: &mut Write<'_>,
    activation: Option<Activation>,
    matrices: Matrices<'_>,
    scratch: &mut Scratch,
) {
    let layer = &matrices.layers[group];
    let (outputs, taps) = (layer.outputs(), layer.inputs());
    let (images, channels) = (input.shape[0], input.shape[1]);
    let in_group = channels / conv.groups;
    let positions = windows.positions[0] * windows.positions[1];
    let pixels = windows.image[0] * windows.image[1];
    let all_outputs = outputs * conv.groups;
    let bias = matrices.products.bias(layer).unwrap_or(&[]);
    let chunk = (CHUNK_VALUES / taps.max(1)).clamp(LEAST_VECTORS, MOST_VECTORS);
    // an equal share of each image, or several whole images
    let chunk = if positions <= chunk {
        positions * (chunk / positions)
    } else {
        positions.div_ceil(positions.div_ceil(chunk)).next_multiple_of(16)
    };
    let plain = windows.kernel == [1, 1]
        && windows.stride == [1, 1]
        && windows.before == [0, 0]
        && windows.after == [0, 0];
    let phases = Phases::of(windows);
    // what is padding is written nowhere, and so stays 0
    scratch.c.clear();
    let mut held = 0..0;
    let total = images * positions;
    let mut start = 0;
    while start < total {
        let image = start / positions;
        let offset = start % positions;
        let count = if positions <= chunk { chunk.min(total - start) } else { chunk.min(positions - offset) };
        let alone = offset + count <= positions;
        let first_pixel = (image * channels + group * in_group) * pixels;
        let Scratch { a: columns, b: results, c: padded, segments } = &mut *scratch;
        let (values, stride) = if plain && alone {
            (&input.values[first_pixel + offset..], pixels)
        } else {
            columns.resize(columns.len().max(taps * count), 0.0);
            let channel = |image: usize, channel: usize| {
                let first = (image * channels + group * in_group + channel) * pixels;
                &input.values[first..first + pixels]
            };
            let last = (start + count).div_ceil(positions);
            if plain {
                for (c, target) in columns.chunks_exact_mut(count).take(in_group).enumerate() {
                    let images = (image..last).zip(target.chunks_exact_mut(positions));
                    images.for_each(|(image, target)| target.copy_from_slice(channel(image, c)));
                }
            } else {
                let size = in_group * phases.plane();
                if held != (image..last) {
                    padded.resize(padded.len().max(size * (last - image)), 0.0);
                    for (image, padded) in (image..last).zip(padded.chunks_exact_mut(size)) {
                        for (c, plane) in padded.chunks_exact_mut(phases.plane()).enumerate() {
                            phases.cut(windows, channel(image, c), plane);
                        }
                    }
                    held = image..last;
                }
                segments.clear();
                segments_of(start - image * positions, count, windows.positions, segments);
                unfold(&phases, in_group, padded, segments, count, columns);
            }
            (&columns[..taps * count], count)
        };
        let first = matrices.first(group) + start as u64;
        let vectors = Vectors { first, count, length: taps, layout: Layout::Columns, stride, values };
        let first_output = (image * all_outputs + group * outputs) * positions + offset;
        if alone {
            let values = &mut output.values[first_output..];
            let mut target =
                VectorsMut { length: outputs, layout: Layout::Columns, stride: positions, values };
            matrices.products.product(layer.id(), vectors, &mut target);
            for (index, row) in target.values.chunks_mut(positions).take(outputs).enumerate() {
                finish(&mut row[..count], bias.get(index).copied().unwrap_or(0.0), activation);
            }
        } else {
            results.resize(results.len().max(outputs * count), 0.0);
            let values = &mut results[..outputs * count];
            let mut target = VectorsMut { length: outputs, layout: Layout::Columns, stride: count, values };
            matrices.products.product(layer.id(), vectors, &mut target);
            for (index, row) in target.values.chunks_exact_mut(count).enumerate() {
                finish(row, bias.get(index).copied().unwrap_or(0.0), activation);
                for (part, row) in row.chunks_exact(positions).enumerate() {
                    let at = first_output + part * all_outputs * positions + index * positions;
                    output.values[at..at + positions].copy_from_slice(row);
                }
            }
        }
        start += count;
    }
}

/// Cuts consecutive positions, counted through all images of a chunk, into rows.
fn segments_of(start: usize, count: usize, [rows, columns]: [usize; 2], segments: &mut Vec<Segment>) {
    let mut at = start;
    while at < start + count {
        let (image, position) = (at / (rows * columns), at % (rows * columns));
        let (row, from) = (position / columns, position % columns);
        let to = columns.min(from + start + count - at);
        segments.push(Segment { image, row, from, to });
        at += to - from;
    }
}

/// Lays the values under the windows out as taps x positions, from padded images.
fn unfold(
    phases: &Phases,
    channels: usize,
    padded: &[f32],
    segments: &[Segment],
    count: usize,
    out: &mut [f32],
) {
    let plane = phases.plane();
    elementwise::wide(
        #[inline(always)]
        || {
            let taps =
                (0..channels).flat_map(|c| phases.offsets.iter().map(move |offset| c * plane + offset));
            for (tap, target) in taps.zip(out.chunks_exact_mut(count)) {
                let mut at = 0;
                for segment in segments {
                    let length = segment.to - segment.from;
                    let start =
                        segment.image * channels * plane + tap + segment.row * phases.width + segment.from;
                    copy(&mut target[at..at + length], &padded[start..start + length]);
                    at += length;
                }
            }
        },
    );
}

/// Copies a short row; a call for each costs more than the row.
#[inline(always)]
fn copy(target: &mut [f32], source: &[f32]) {
    let (blocks, rest) = target.as_chunks_mut::<8>();
    let (values, last) = source.as_chunks::<8>();
    blocks.iter_mut().zip(values).for_each(|(t, s)| *t = *s);
    for (t, s) in rest.iter_mut().zip(last) {
        *t = *s;
    }
}
