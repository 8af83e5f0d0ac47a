//! Tridiagonal systems, of numbers and of small blocks.

use nalgebra::{ComplexField, SMatrix, SVector};

/// Solves a tridiagonal system in place: `right` becomes the solution, `diagonal` is used up.
///
/// `lower[i]` and `upper[i]` couple unknowns i and i + 1. No pivoting: meant for diagonally dominant
/// systems, which all discretised Poisson equations are.
pub fn tridiagonal(lower: &[f64], diagonal: &mut [f64], upper: &[f64], right: &mut [f64]) {
    let count = diagonal.len();
    for i in 1..count {
        let factor = lower[i - 1] / diagonal[i - 1];
        diagonal[i] -= factor * upper[i - 1];
        right[i] -= factor * right[i - 1];
    }
    for i in (0..count).rev() {
        let next = if i + 1 < count { upper[i] * right[i + 1] } else { 0.0 };
        right[i] = (right[i] - next) / diagonal[i];
    }
}

/// A block-tridiagonal matrix whose row i is
/// `lower[i]` (x_{i−1} − x_i) + `upper[i]` (x_{i+1} − x_i) + `excess[i]` x_i.
///
/// Conservation laws have this form: fluxes answer to differences, and what is left over (sources, held
/// values) is the excess, often smaller than the couplings by more digits than a number has. Kept apart, it
/// survives the elimination, as in the algorithm of Grassmann, Taksar and Heyman (1985) for Markov chains,
/// of which this is a form for blocks.
#[derive(Debug, Clone)]
pub struct BlockTridiagonal<T: ComplexField, const N: usize> {
    /// Couplings to the block before; the first is not used.
    pub lower: Vec<SMatrix<T, N, N>>,
    /// What the diagonal blocks are beyond minus the couplings.
    pub excess: Vec<SMatrix<T, N, N>>,
    /// Couplings to the block after; the last is not used.
    pub upper: Vec<SMatrix<T, N, N>>,
}

impl<T: ComplexField<RealField = f64> + Copy, const N: usize> BlockTridiagonal<T, N> {
    /// A matrix of zeros with `count` blocks in a row.
    #[must_use]
    pub fn zeros(count: usize) -> Self {
        let zeros = vec![SMatrix::zeros(); count];
        Self { lower: zeros.clone(), excess: zeros.clone(), upper: zeros }
    }

    /// Solves for `right`, which becomes the solution; the matrix is used up. `None` when a pivot block
    /// becomes singular.
    ///
    /// Every row is first divided by its largest entry: rows of different equations differ by many orders of
    /// magnitude, and pivots inside a block should not depend on their units.
    pub fn solve(&mut self, right: &mut [SVector<T, N>]) -> Option<()> {
        let count = self.excess.len();
        for i in 0..count {
            if i == 0 {
                self.lower[i] = SMatrix::zeros();
            }
            if i + 1 == count {
                self.upper[i] = SMatrix::zeros();
            }
            for (row, value) in right[i].iter_mut().enumerate() {
                let blocks = [&mut self.lower[i], &mut self.excess[i], &mut self.upper[i]];
                let largest = blocks
                    .iter()
                    .flat_map(|block| (0..N).map(|k| block[(row, k)].modulus()))
                    .fold(0.0, f64::max);
                if !(largest > 0.0 && largest.is_finite()) {
                    return None;
                }
                let scale = T::from_real(1.0 / largest);
                for block in blocks {
                    block.row_mut(row).iter_mut().for_each(|entry| *entry *= scale);
                }
                *value *= scale;
            }
            // Elimination of x_{i−1} = x_i − G x_i + r adds −L G to the excess; L itself drops out.
            if i > 0 {
                let (lower, before) = (self.lower[i], right[i - 1]);
                let eliminated = lower * self.excess[i - 1];
                self.excess[i] -= eliminated;
                right[i] -= lower * before;
            }
            let inverse = inverse(&(self.excess[i] - self.upper[i]))?;
            // Kept for the way back: G = (S − U)⁻¹ S.
            self.excess[i] = inverse * self.excess[i];
            right[i] = inverse * right[i];
        }
        for i in (0..count.saturating_sub(1)).rev() {
            let after = right[i + 1];
            right[i] += after - self.excess[i] * after;
        }
        Some(())
    }
}

/// Inverse by Gauss-Jordan elimination with row pivoting; `None` when singular.
fn inverse<T: ComplexField<RealField = f64> + Copy, const N: usize>(
    matrix: &SMatrix<T, N, N>,
) -> Option<SMatrix<T, N, N>> {
    let (mut left, mut right) = (*matrix, SMatrix::<T, N, N>::identity());
    for column in 0..N {
        let pivot = (column..N)
            .max_by(|&a, &b| left[(a, column)].modulus().total_cmp(&left[(b, column)].modulus()))?;
        let size = left[(pivot, column)].modulus();
        if !(size > 0.0 && size.is_finite()) {
            return None;
        }
        left.swap_rows(column, pivot);
        right.swap_rows(column, pivot);
        let scale = T::one() / left[(column, column)];
        for k in 0..N {
            left[(column, k)] *= scale;
            right[(column, k)] *= scale;
        }
        for row in (0..N).filter(|&row| row != column) {
            let factor = left[(row, column)];
            for k in 0..N {
                let (l, r) = (left[(column, k)], right[(column, k)]);
                left[(row, k)] -= factor * l;
                right[(row, k)] -= factor * r;
            }
        }
    }
    Some(right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mho_data::random::Stream;
    use nalgebra::{Complex, DMatrix, DVector};

    #[test]
    fn tridiagonal_solves_a_second_difference() {
        // −u'' = 1 on 9 inner points of a unit interval: u = x(1 − x)/2, exact at the nodes.
        let (h, mut diagonal, mut right) = (0.1, vec![20.0; 9], vec![0.1; 9]);
        tridiagonal(&[-10.0; 8], &mut diagonal, &[-10.0; 8], &mut right);
        for (i, value) in right.iter().enumerate() {
            let x = h * (i + 1) as f64;
            assert!((value - x * (1.0 - x) / 2.0).abs() < 1e-15);
        }
    }

    #[test]
    fn blocks_agree_with_a_dense_solver() {
        let stream = Stream::new(5, &["blocks"], &[]);
        let mut index = 0;
        let mut next = || {
            index += 1;
            Complex::new(stream.normal(2 * index), stream.normal(2 * index + 1))
        };
        let count = 6;
        let mut matrix = BlockTridiagonal::<Complex<f64>, 3>::zeros(count);
        let mut dense = DMatrix::<Complex<f64>>::zeros(3 * count, 3 * count);
        let mut right = vec![SVector::<Complex<f64>, 3>::zeros(); count];
        for i in 0..count {
            // Rows of very different units, as in transport.
            for (row, unit) in [1.0, 1e12, 1e-9].into_iter().enumerate() {
                for k in 0..3 {
                    let (lower, excess, upper) = (next() * unit, next() * unit, next() * unit);
                    matrix.excess[i][(row, k)] = excess;
                    dense[(3 * i + row, 3 * i + k)] += excess;
                    if i > 0 {
                        matrix.lower[i][(row, k)] = lower;
                        dense[(3 * i + row, 3 * i - 3 + k)] += lower;
                        dense[(3 * i + row, 3 * i + k)] -= lower;
                    }
                    if i + 1 < count {
                        matrix.upper[i][(row, k)] = upper;
                        dense[(3 * i + row, 3 * i + 3 + k)] += upper;
                        dense[(3 * i + row, 3 * i + k)] -= upper;
                    }
                }
                right[i][row] = next() * unit;
            }
        }
        let b = DVector::from_iterator(3 * count, right.iter().flat_map(|block| block.iter().copied()));
        matrix.solve(&mut right).unwrap();
        let x = DVector::from_iterator(3 * count, right.iter().flat_map(|block| block.iter().copied()));
        for row in 0..3 * count {
            let residual = (dense.row(row) * &x)[0] - b[row];
            assert!(residual.modulus() < 1e-11 * (b[row].modulus() + dense.row(row).norm() * x.norm()));
        }
    }

    /// A chain of conductances of 1e20 that leaks 1e-9 at every node: the level is that of source over leak,
    /// 29 orders of magnitude below the couplings.
    #[test]
    fn a_leak_far_below_rounding_is_kept() {
        let count = 50;
        let mut matrix = BlockTridiagonal::<f64, 1>::zeros(count);
        for i in 0..count {
            matrix.lower[i][0] = 1e20;
            matrix.upper[i][0] = 1e20;
            matrix.excess[i][0] = -1e-9;
        }
        let mut right = vec![SVector::<f64, 1>::zeros(); count];
        right[7][0] = -1.0;
        matrix.solve(&mut right).unwrap();
        for value in right {
            assert!((value[0] / (1e9 / count as f64) - 1.0).abs() < 1e-12, "{value}");
        }
    }

    #[test]
    fn a_singular_block_is_told() {
        assert!(BlockTridiagonal::<f64, 2>::zeros(3).solve(&mut [SVector::zeros(); 3]).is_none());
    }
}
