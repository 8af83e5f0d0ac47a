//! Depthwise convolutions, directly: a handful of taps per channel is too little for a matrix product.

use super::super::op::Conv;
use super::super::shape::Windows;
use super::Matrices;

/// The weights of every group, if each group has one channel and the products are plain f32 products.
pub(crate) fn weights<'a>(conv: &Conv, matrices: Matrices<'a>) -> Option<Vec<&'a [f32]>> {
    if conv.groups < 2 || conv.weights.shape()[1] != 1 {
        return None;
    }
    matrices.layers.iter().map(|layer| matrices.products.weights(layer.id())).collect()
}

/// The convolution of each channel with the taps of its outputs, without bias.
pub(crate) fn depthwise(weights: &[&[f32]], windows: &Windows, input: &[f32], output: &mut [f32]) {
    let taps = windows.kernel[0] * windows.kernel[1];
    let pixels = windows.image[0] * windows.image[1];
    let positions = windows.positions[0] * windows.positions[1];
    let channels = weights.len();
    let outputs = weights[0].len() / taps.max(1);
    for (index, planes) in output.chunks_exact_mut(outputs * positions).enumerate() {
        let image = &input[index * pixels..(index + 1) * pixels];
        let kernels = weights[index % channels].chunks_exact(taps);
        for (plane, kernel) in planes.chunks_exact_mut(positions).zip(kernels) {
            channel(kernel, windows, image, plane);
        }
    }
}

/// One channel of one image: every tap adds its shifted row to the row of results.
fn channel(kernel: &[f32], windows: &Windows, image: &[f32], plane: &mut [f32]) {
    let columns = windows.image[1];
    let step = windows.stride[1];
    for (row, results) in plane.chunks_exact_mut(windows.positions[1]).enumerate() {
        results.fill(0.0);
        for (kernel_row, taps) in kernel.chunks_exact(windows.kernel[1]).enumerate() {
            let at = row * windows.stride[0] + kernel_row * windows.dilation[0];
            let Some(at) = at.checked_sub(windows.before[0]).filter(|at| *at < windows.image[0]) else {
                continue;
            };
            let line = &image[at * columns..(at + 1) * columns];
            for (kernel_column, tap) in taps.iter().enumerate() {
                let shift = kernel_column * windows.dilation[1];
                let (from, to) = windows.valid(1, shift);
                if from >= to {
                    continue;
                }
                let line = &line[from * step + shift - windows.before[1]..];
                let results = &mut results[from..to];
                if step == 1 {
                    results.iter_mut().zip(line).for_each(|(y, x)| *y += tap * x);
                } else {
                    results.iter_mut().zip(line.iter().step_by(step)).for_each(|(y, x)| *y += tap * x);
                }
            }
        }
    }
}
