//! Convolutions as products: the values under each window become a vector.
//!
//! Vectors are unfolded in chunks that stay in the cache between unfolding, product, bias and activation.
//! Small images share a chunk, so that the product stays wide.

use super::super::layers::{Layout, Vectors, VectorsMut};
use super::super::op::{Activation, Conv};
use super::super::shape::{Windows, image_of};
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
        let bias = conv.bias.as_ref().map(|b| b.values());
        let mut finish = |index: usize, plane: &mut [f32]| {
            finish(plane, bias.map_or(0.0, |bias| bias[index % bias.len()]), activation);
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
    let bias = layer.bias().unwrap_or(&[]);
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
    let total = images * positions;
    let mut start = 0;
    while start < total {
        let image = start / positions;
        let offset = start % positions;
        let count = if positions <= chunk { chunk.min(total - start) } else { chunk.min(positions - offset) };
        let alone = offset + count <= positions;
        let first_pixel = (image * channels + group * in_group) * pixels;
        let Scratch { a: columns, b: results, segments, .. } = &mut *scratch;
        let (values, stride) = if plain && alone {
            (&input.values[first_pixel + offset..], pixels)
        } else {
            segments.clear();
            segments_of(start, count, windows.positions, segments);
            columns.resize(columns.len().max(taps * count), 0.0);
            let source = |image: usize| {
                let first = (image * channels + group * in_group) * pixels;
                &input.values[first..first + in_group * pixels]
            };
            unfold(windows, in_group, &source, segments, count, columns);
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

/// Cuts consecutive positions, counted through all images, into rows.
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

/// Lays the values under the windows out as taps x positions; padding becomes 0.
fn unfold<'a>(
    windows: &Windows,
    channels: usize,
    source: &dyn Fn(usize) -> &'a [f32],
    segments: &[Segment],
    count: usize,
    out: &mut [f32],
) {
    let [rows, columns] = windows.image;
    let [_, step] = windows.stride;
    let mut tap = 0;
    for channel in 0..channels {
        for kernel_row in 0..windows.kernel[0] {
            for kernel_column in 0..windows.kernel[1] {
                let shift = kernel_column * windows.dilation[1];
                let (first, end) = windows.valid(1, shift);
                let target = &mut out[tap * count..(tap + 1) * count];
                let mut at = 0;
                for segment in segments {
                    let length = segment.to - segment.from;
                    let target = &mut target[at..at + length];
                    at += length;
                    let row = segment.row * windows.stride[0] + kernel_row * windows.dilation[0];
                    let (from, to) = (segment.from.max(first), segment.to.min(end));
                    if row < windows.before[0] || row - windows.before[0] >= rows || from >= to {
                        target.fill(0.0);
                        continue;
                    }
                    let line = (channel * rows + row - windows.before[0]) * columns;
                    let line = &source(segment.image)[line..line + columns];
                    target[..from - segment.from].fill(0.0);
                    target[to - segment.from..].fill(0.0);
                    let inside = &mut target[from - segment.from..to - segment.from];
                    let begin = from * step + shift - windows.before[1];
                    if step == 1 {
                        inside.copy_from_slice(&line[begin..begin + (to - from)]);
                    } else {
                        inside.iter_mut().zip(line[begin..].iter().step_by(step)).for_each(|(t, s)| *t = *s);
                    }
                }
                tap += 1;
            }
        }
    }
}

impl Windows {
    /// Positions along an axis at which the tap at `shift` meets the image and not its padding.
    pub(crate) fn valid(&self, axis: usize, shift: usize) -> (usize, usize) {
        let (step, before) = (self.stride[axis], self.before[axis]);
        let first = before.saturating_sub(shift).div_ceil(step);
        let end = (self.image[axis] + before).saturating_sub(shift).div_ceil(step);
        (first, end.min(self.positions[axis]))
    }
}
