//! Depthwise convolutions, directly: a handful of taps per channel is too little for a matrix product.

use super::super::op::Conv;
use super::super::shape::Windows;
use super::Matrices;
use super::elementwise::wide;

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
/// The padded image is cut into its phases, one for each (row, column) modulo the strides. In a phase
/// every tap is a constant offset, and so a plane of results is one long row of sums; the few sums at the
/// ends of rows that wrap around are left out afterwards.
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
    padded.clear();
    padded.resize(phases.values(), 0.0);
    sums.resize(sums.len().max(phases.sums()), 0.0);
    for (index, planes) in output.chunks_exact_mut(outputs * positions).enumerate() {
        phases.cut(windows, &input[index * pixels..(index + 1) * pixels], padded);
        let kernels = weights[index % channels].chunks_exact(taps);
        for (part, (plane, kernel)) in planes.chunks_exact_mut(positions).zip(kernels).enumerate() {
            phases.add(kernel, padded, sums);
            for (row, sums) in
                plane.chunks_exact_mut(windows.positions[1]).zip(sums.chunks_exact(phases.width))
            {
                row.copy_from_slice(&sums[..row.len()]);
            }
            finish(index * outputs + part, plane);
        }
    }
}

/// How a padded image lies in memory, one phase behind the other.
struct Phases {
    /// Rows and columns of a phase.
    height: usize,
    width: usize,
    stride: [usize; 2],
    rows: usize,
    /// Where each tap finds the first of its values.
    offsets: Vec<usize>,
}

impl Phases {
    fn of(windows: &Windows) -> Self {
        let reach = |axis: usize| (windows.kernel[axis] - 1) * windows.dilation[axis] / windows.stride[axis];
        let height = windows.positions[0] + reach(0);
        let width = windows.positions[1] + reach(1);
        let mut offsets = Vec::with_capacity(windows.kernel[0] * windows.kernel[1]);
        for kernel_row in 0..windows.kernel[0] {
            for kernel_column in 0..windows.kernel[1] {
                let (row, column) = (kernel_row * windows.dilation[0], kernel_column * windows.dilation[1]);
                let [down, right] = windows.stride;
                let phase = row % down * right + column % right;
                offsets.push((phase * height + row / down) * width + column / right);
            }
        }
        Self { height, width, stride: windows.stride, rows: windows.positions[0], offsets }
    }

    /// Sums of a plane, in whole blocks.
    fn sums(&self) -> usize {
        (self.rows * self.width).next_multiple_of(LANES)
    }

    /// Values of all phases, with room for the last block of sums of the last tap.
    fn values(&self) -> usize {
        let last = self.offsets.iter().max().map_or(0, |offset| offset + self.sums());
        last.max(self.stride[0] * self.stride[1] * self.height * self.width)
    }

    /// Writes the image into its phases; what is padding stays 0.
    fn cut(&self, windows: &Windows, image: &[f32], padded: &mut [f32]) {
        let [down, right] = self.stride;
        let columns = windows.image[1];
        for (at, line) in image.chunks_exact(columns).enumerate() {
            let row = at + windows.before[0];
            if row / down >= self.height {
                break;
            }
            for phase in 0..right {
                // columns c of the image with (c + before) % right == phase
                let first = (phase + right - windows.before[1] % right) % right;
                let to = (first + windows.before[1]) / right;
                let start = ((row % down * right + phase) * self.height + row / down) * self.width;
                let target = &mut padded[start..start + self.width];
                let Some(target) = target.get_mut(to..) else { continue };
                match (right, line.get(first..)) {
                    (1, Some(line)) => {
                        let count = line.len().min(target.len());
                        target[..count].copy_from_slice(&line[..count]);
                    }
                    (_, Some(line)) => {
                        target.iter_mut().zip(line.iter().step_by(right)).for_each(|(t, x)| *t = *x);
                    }
                    (_, None) => {}
                }
            }
        }
    }

    /// Sums of the taps, tap by tap.
    fn add(&self, kernel: &[f32], padded: &[f32], sums: &mut [f32]) {
        let count = self.sums();
        wide(
            #[inline(always)]
            || {
                for (block, sums) in sums[..count].as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
                    let values = &padded[block * LANES..];
                    let mut held = [0.0_f32; LANES];
                    for (tap, &offset) in kernel.iter().zip(&self.offsets) {
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
}
