//! Depthwise convolutions, directly: a handful of taps per channel is too little for a matrix product.

use super::super::op::Conv;
use super::super::shape::Windows;
use super::Matrices;
use super::elementwise::wide;
use super::phases::Phases;

/// The weights of every group, if each group has one channel and the products are plain f32 products.
pub(crate) fn weights<'a>(conv: &Conv, matrices: Matrices<'a>) -> Option<Vec<&'a [f32]>> {
    if conv.groups < 2 || conv.weights.shape()[1] != 1 {
        return None;
    }
    matrices.layers.iter().map(|layer| matrices.products.weights(layer.id())).collect()
}

/// Sums that are kept in registers: two of the widest vectors.
const LANES: usize = 32;

/// The convolution of each channel with the taps of its outputs; `finish` gets every plane of results by
/// its number while it stands in the cache. The two vectors are scratch.
///
/// In a phase of the padded image every tap is a constant offset, and so a plane of results is one long
/// row of sums; the few sums at the ends of rows that wrap around are left out afterwards.
pub(crate) fn depthwise(
    weights: &[&[f32]],
    windows: &Windows,
    input: &[f32],
    output: &mut [f32],
    (padded, sums): (&mut Vec<f32>, &mut Vec<f32>),
    finish: &mut dyn FnMut(usize, &mut [f32]),
) {
    let phases = Phases::of(windows);
    let taps = phases.offsets.len();
    let pixels = windows.image[0] * windows.image[1];
    let positions = windows.positions[0] * windows.positions[1];
    let channels = weights.len();
    let outputs = weights[0].len() / taps.max(1);
    // room for the last block of sums of the last tap
    let last = phases.offsets.iter().max().map_or(0, |offset| offset + sums_of(&phases));
    padded.clear();
    padded.resize(last.max(phases.plane()), 0.0);
    sums.resize(sums.len().max(sums_of(&phases)), 0.0);
    for (index, planes) in output.chunks_exact_mut(outputs * positions).enumerate() {
        phases.cut(windows, &input[index * pixels..(index + 1) * pixels], padded);
        let kernels = weights[index % channels].chunks_exact(taps);
        for (part, (plane, kernel)) in planes.chunks_exact_mut(positions).zip(kernels).enumerate() {
            add(&phases, kernel, padded, sums);
            for (row, sums) in
                plane.chunks_exact_mut(windows.positions[1]).zip(sums.chunks_exact(phases.width))
            {
                row.copy_from_slice(&sums[..row.len()]);
            }
            finish(index * outputs + part, plane);
        }
    }
}

/// Sums of a plane, in whole blocks.
fn sums_of(phases: &Phases) -> usize {
    (phases.rows * phases.width).next_multiple_of(LANES)
}

/// Sums of the taps, tap by tap.
fn add(phases: &Phases, kernel: &[f32], padded: &[f32], sums: &mut [f32]) {
    let count = sums_of(phases);
    wide(
        #[inline(always)]
        || {
            for (block, sums) in sums[..count].as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
                let values = &padded[block * LANES..];
                let mut held = [0.0_f32; LANES];
                for (tap, &offset) in kernel.iter().zip(&phases.offsets) {
                    if let Some(values) = values.get(offset..offset + LANES) {
                        for lane in 0..LANES {
                            held[lane] += tap * values[lane];
                        }
                    }
                }
                *sums = held;
            }
        },
    );
}
