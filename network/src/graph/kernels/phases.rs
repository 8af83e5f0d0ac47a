//! A padded image, laid out so that every tap of a window is a constant offset.
//!
//! The image is cut into its phases, one for each (row, column) modulo the strides. Within a phase
//! neighbouring windows see neighbouring values, whatever the stride.

use super::super::shape::Windows;

/// How a padded image lies in memory, one phase behind the other.
pub(crate) struct Phases {
    /// Rows and columns of a phase.
    height: usize,
    pub(crate) width: usize,
    stride: [usize; 2],
    /// Rows of positions.
    pub(crate) rows: usize,
    /// Where each tap finds the first of its values.
    pub(crate) offsets: Vec<usize>,
}

impl Phases {
    pub(crate) fn of(windows: &Windows) -> Self {
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

    /// Values of all phases of one channel.
    pub(crate) fn plane(&self) -> usize {
        self.stride[0] * self.stride[1] * self.height * self.width
    }

    /// Writes the image into its phases; what is padding stays 0.
    pub(crate) fn cut(&self, windows: &Windows, image: &[f32], padded: &mut [f32]) {
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
}
