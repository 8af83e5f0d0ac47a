//! Pooling over windows.

use super::super::op::PoolKind;
use super::super::shape::Windows;

/// The maximum or the mean under every window of every plane.
pub(crate) fn pool(kind: PoolKind, windows: &Windows, input: &[f32], output: &mut [f32]) {
    let pixels = windows.image[0] * windows.image[1];
    let positions = windows.positions[0] * windows.positions[1];
    if positions == 0 {
        return;
    }
    for (image, plane) in input.chunks_exact(pixels).zip(output.chunks_exact_mut(positions)) {
        for (row, results) in plane.chunks_exact_mut(windows.positions[1]).enumerate() {
            for (column, result) in results.iter_mut().enumerate() {
                let rows = windows.span(0, row);
                let columns = windows.span(1, column);
                let (mut largest, mut sum, mut count) = (f32::NEG_INFINITY, 0.0, 0_usize);
                for r in rows.taps() {
                    for c in columns.taps() {
                        let value = image[r * windows.image[1] + c];
                        largest = if value > largest || value.is_nan() { value } else { largest };
                        sum += value;
                        count += 1;
                    }
                }
                *result = match kind {
                    PoolKind::Max => largest,
                    PoolKind::Average => sum / count as f32,
                    PoolKind::AveragePadded => sum / (rows.padded * columns.padded) as f32,
                };
            }
        }
    }
}

/// Taps of a window along one axis.
#[derive(Clone, Copy)]
struct Span {
    first: usize,
    end: usize,
    step: usize,
    /// Taps inside the image or its padding.
    padded: usize,
}

impl Span {
    fn taps(self) -> impl Iterator<Item = usize> {
        (self.first..self.end).step_by(self.step)
    }
}

impl Windows {
    fn span(&self, axis: usize, position: usize) -> Span {
        let (step, before) = (self.dilation[axis], self.before[axis]);
        let begin = position * self.stride[axis];
        let reach = (self.kernel[axis] - 1) * step + 1;
        let (end, length) = (begin + reach, self.image[axis]);
        // first tap at or behind the border
        let first = begin + before.saturating_sub(begin).div_ceil(step) * step;
        let padded = (length + before + self.after[axis]).min(end).saturating_sub(begin).div_ceil(step);
        Span {
            first: first - before,
            end: end.min(length + before).saturating_sub(before),
            step,
            padded: padded.max(1),
        }
    }
}
