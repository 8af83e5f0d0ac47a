//! Sliding windows: an image laid out so that a convolution becomes a matrix product, and pooling.

use crate::spec::Shape;

/// Geometry of a square convolution window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Side of the square kernel.
    pub kernel: usize,
    /// Step between neighbouring windows.
    pub stride: usize,
    /// Zeros added on each side of the image.
    pub padding: usize,
}

impl Window {
    /// Numbers of window positions, (rows, columns).
    pub(crate) fn positions(&self, image: Shape) -> (usize, usize) {
        (
            (image.rows + 2 * self.padding - self.kernel) / self.stride + 1,
            (image.columns + 2 * self.padding - self.kernel) / self.stride + 1,
        )
    }

    /// Number of values under one window.
    pub(crate) fn taps(&self, image: Shape) -> usize {
        image.channels * self.kernel * self.kernel
    }

    /// Calls `visit(tap * positions + first, source, count)` for every run of values that a tap
    /// (channel, kernel row, kernel column) sees along one row of positions. The gaps are padding.
    fn runs(&self, image: Shape, mut visit: impl FnMut(usize, usize, usize)) {
        let (rows, columns) = self.positions(image);
        let Window { kernel, stride, padding } = *self;
        for channel in 0..image.channels {
            for kr in 0..kernel {
                for kc in 0..kernel {
                    let tap = (channel * kernel + kr) * kernel + kc;
                    // positions c with 0 <= c * stride + kc - padding < image.columns
                    let first = padding.saturating_sub(kc).div_ceil(stride);
                    let end = (image.columns + padding).saturating_sub(kc).div_ceil(stride).min(columns);
                    if first >= end {
                        continue;
                    }
                    for r in 0..rows {
                        let row = r * stride + kr;
                        if row < padding || row - padding >= image.rows {
                            continue;
                        }
                        let source = (channel * image.rows + row - padding) * image.columns
                            + (first * stride + kc - padding);
                        visit((tap * rows + r) * columns + first, source, end - first);
                    }
                }
            }
        }
    }

    /// Lays one image out as taps x positions; places that fall on padding become 0.
    pub(crate) fn unfold(&self, image: Shape, pixels: &[f32], out: &mut [f32]) {
        if self.padding > 0 {
            out.fill(0.0);
        }
        let stride = self.stride;
        self.runs(image, |target, source, count| {
            if stride == 1 {
                out[target..target + count].copy_from_slice(&pixels[source..source + count]);
            } else {
                for i in 0..count {
                    out[target + i] = pixels[source + i * stride];
                }
            }
        });
    }

    /// The transpose of [`Self::unfold`]: adds every value back to the pixel that it came from.
    pub(crate) fn fold_add(&self, image: Shape, unfolded: &[f32], pixels: &mut [f32]) {
        let stride = self.stride;
        self.runs(image, |target, source, count| {
            for i in 0..count {
                pixels[source + i * stride] += unfolded[target + i];
            }
        });
    }
}

/// Maximum over 2 x 2 windows of one image.
pub(crate) fn max_pool2(image: Shape, pixels: &[f32], out: &mut [f32]) {
    let (rows, columns) = (image.rows / 2, image.columns / 2);
    for (plane, out) in
        pixels.chunks_exact(image.rows * image.columns).zip(out.chunks_exact_mut(rows * columns))
    {
        for (r, out) in out.chunks_exact_mut(columns).enumerate() {
            let (top, bottom) = plane[2 * r * image.columns..][..2 * image.columns].split_at(image.columns);
            for (o, (t, b)) in out.iter_mut().zip(top.chunks_exact(2).zip(bottom.chunks_exact(2))) {
                *o = t[0].max(t[1]).max(b[0].max(b[1]));
            }
        }
    }
}

/// Gradient of [`max_pool2`]: goes to the first place of each window that held the maximum.
pub(crate) fn max_pool2_gradient(image: Shape, pixels: &[f32], gradient: &[f32], out: &mut [f32]) {
    out.fill(0.0);
    let (rows, columns) = (image.rows / 2, image.columns / 2);
    for channel in 0..image.channels {
        for r in 0..rows {
            for c in 0..columns {
                let corner = (channel * image.rows + 2 * r) * image.columns + 2 * c;
                let places = [corner, corner + 1, corner + image.columns, corner + image.columns + 1];
                let best = places.iter().fold(corner, |a, &b| if pixels[b] > pixels[a] { b } else { a });
                out[best] += gradient[(channel * rows + r) * columns + c];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pixel(image: Shape, pixels: &[f32], channel: usize, row: isize, column: isize) -> f32 {
        if row < 0 || column < 0 || row >= image.rows as isize || column >= image.columns as isize {
            return 0.0;
        }
        pixels[(channel * image.rows + row as usize) * image.columns + column as usize]
    }

    proptest! {
        #[test]
        fn unfolding_takes_the_pixel_under_each_tap(
            channels in 1usize..3, rows in 3usize..8, columns in 3usize..8,
            kernel in 1usize..4, stride in 1usize..3, padding in 0usize..3,
        ) {
            let image = Shape { channels, rows, columns };
            let window = Window { kernel, stride, padding };
            let pixels: Vec<f32> = (0..image.len()).map(|i| 1.0 + i as f32).collect();
            let (pr, pc) = window.positions(image);
            let mut out = vec![f32::NAN; window.taps(image) * pr * pc];
            window.unfold(image, &pixels, &mut out);
            for ch in 0..channels { for kr in 0..kernel { for kc in 0..kernel {
                for r in 0..pr { for c in 0..pc {
                    let row = (r * stride + kr) as isize - padding as isize;
                    let column = (c * stride + kc) as isize - padding as isize;
                    let tap = (ch * kernel + kr) * kernel + kc;
                    prop_assert_eq!(out[(tap * pr + r) * pc + c], pixel(image, &pixels, ch, row, column));
                }}
            }}}
            // <unfold(x), y> = <x, fold(y)>
            let y: Vec<f32> = (0..out.len()).map(|i| (i % 5) as f32).collect();
            let mut folded = vec![0.0; pixels.len()];
            window.fold_add(image, &y, &mut folded);
            let left: f32 = out.iter().zip(&y).map(|(a, b)| a * b).sum();
            let right: f32 = pixels.iter().zip(&folded).map(|(a, b)| a * b).sum();
            prop_assert_eq!(left, right);
        }
    }

    #[test]
    fn pooling_drops_an_odd_edge() {
        let image = Shape { channels: 1, rows: 3, columns: 3 };
        let mut out = [0.0];
        max_pool2(image, &[1.0, 2.0, 9.0, 4.0, 3.0, 9.0, 9.0, 9.0, 9.0], &mut out);
        assert_eq!(out, [4.0]);
    }
}
