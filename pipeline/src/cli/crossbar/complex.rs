//! Complex matrices and vectors as real ones: W becomes the blocks [Re -Im; Im Re], x the list [Re; Im].

/// A matrix or vectors, rows x columns, whose imaginary part may be absent.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Numbers {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) real: Vec<f64>,
    pub(super) imaginary: Option<Vec<f64>>,
}

impl Numbers {
    /// The matrix of blocks: twice the rows and columns. A real matrix as it is, unless it `must` be blocks.
    pub(super) fn blocks(&self, must: bool) -> Self {
        let Self { rows, columns, real, .. } = self;
        let zeros;
        let imaginary = match &self.imaginary {
            Some(imaginary) => imaginary,
            None if must => {
                zeros = vec![0.0; real.len()];
                &zeros
            }
            None => return self.clone(),
        };
        let line = |row: usize, left: &[f64], right: &[f64], sign: f64| {
            let at = row * columns..(row + 1) * columns;
            left[at.clone()].iter().copied().chain(right[at].iter().map(|x| sign * x)).collect::<Vec<f64>>()
        };
        let upper = (0..*rows).flat_map(|row| line(row, real, imaginary, -1.0));
        let lower = (0..*rows).flat_map(|row| line(row, imaginary, real, 1.0));
        Self { rows: 2 * rows, columns: 2 * columns, real: upper.chain(lower).collect(), imaginary: None }
    }

    /// The matrix that blocks stand for: what they make of every vector but for a part that is no complex
    /// product, which errors of cells leave.
    pub(super) fn of_blocks(rows: usize, columns: usize, blocks: &[f64]) -> Self {
        let (height, width) = (rows / 2, columns / 2);
        let at = |row: usize, column: usize| blocks[row * columns + column];
        let each = |of: &dyn Fn(usize, usize) -> f64| -> Vec<f64> {
            (0..height).flat_map(|row| (0..width).map(move |column| of(row, column))).collect()
        };
        let real = each(&|i, j| 0.5 * (at(i, j) + at(height + i, width + j)));
        let imaginary = each(&|i, j| 0.5 * (at(height + i, j) - at(i, width + j)));
        Self { rows: height, columns: width, real, imaginary: Some(imaginary) }
    }

    /// Vectors as [Re; `sign` Im], each of twice the length.
    pub(super) fn halves(&self, sign: f64) -> Vec<f64> {
        let zeros = vec![0.0; if self.imaginary.is_some() { 0 } else { self.real.len() }];
        let imaginary = self.imaginary.as_ref().unwrap_or(&zeros);
        let lines = self.real.chunks(self.columns).zip(imaginary.chunks(self.columns));
        lines.flat_map(|(re, im)| re.iter().copied().chain(im.iter().map(move |x| sign * x))).collect()
    }

    /// The way back.
    pub(super) fn of_halves(rows: usize, columns: usize, halves: &[f64], sign: f64) -> Self {
        let lines = || halves.chunks(2 * columns);
        let real = lines().flat_map(|line| line[..columns].iter().copied()).collect();
        let imaginary = lines().flat_map(|line| line[columns..].iter().map(|x| sign * x)).collect();
        Self { rows, columns, real, imaginary: Some(imaginary) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(rows: usize, columns: usize, seed: f64) -> Numbers {
        let part = |offset: f64| (0..rows * columns).map(|i| (seed + offset + i as f64).sin()).collect();
        Numbers { rows, columns, real: part(0.0), imaginary: Some(part(0.5)) }
    }

    /// Products of blocks and halves are the complex products, with the matrix and with its transpose.
    #[test]
    fn blocks_multiply_as_complex_numbers() {
        let (w, x, z) = (numbers(3, 2, 1.0), numbers(1, 2, 2.0), numbers(1, 3, 3.0));
        let (wi, xi, zi) = [&w, &x, &z].map(|n| n.imaginary.clone().unwrap()).into();
        let blocks = w.blocks(false);
        let product = |of: &dyn Fn(usize, usize) -> f64, count: usize, x: &[f64]| -> Vec<f64> {
            (0..count).map(|j| x.iter().enumerate().map(|(i, x)| of(j, i) * x).sum()).collect()
        };
        let y = product(&|j, i| blocks.real[j * 4 + i], 6, &x.halves(1.0));
        let y = Numbers::of_halves(1, 3, &y, 1.0);
        for j in 0..3 {
            let of = |a: &[f64], b: &[f64]| (0..2).map(|i| a[j * 2 + i] * b[i]).sum::<f64>();
            assert!((y.real[j] - (of(&w.real, &x.real) - of(&wi, &xi))).abs() < 1e-14);
            let imaginary = y.imaginary.as_ref().unwrap()[j];
            assert!((imaginary - (of(&w.real, &xi) + of(&wi, &x.real))).abs() < 1e-14);
        }
        let y = product(&|i, j| blocks.real[j * 4 + i], 4, &z.halves(-1.0));
        let y = Numbers::of_halves(1, 2, &y, -1.0);
        for i in 0..2 {
            let of = |a: &[f64], b: &[f64]| (0..3).map(|j| a[j * 2 + i] * b[j]).sum::<f64>();
            assert!((y.real[i] - (of(&w.real, &z.real) - of(&wi, &zi))).abs() < 1e-14);
            let imaginary = y.imaginary.as_ref().unwrap()[i];
            assert!((imaginary - (of(&w.real, &zi) + of(&wi, &z.real))).abs() < 1e-14);
        }
        assert_eq!(Numbers::of_blocks(6, 4, &blocks.real), w);
    }
}
