//! Small symmetric systems, scaled to a unit diagonal before they are solved.

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

/// A system scaled to a unit diagonal and factored; rows without any influence keep their value.
pub(super) struct Factored {
    scales: DVector<f64>,
    factor: Cholesky<f64, Dyn>,
}

/// `None` where the matrix is not positive.
pub(super) fn factored(matrix: &DMatrix<f64>) -> Option<Factored> {
    let scales = DVector::from_iterator(
        matrix.nrows(),
        matrix.diagonal().iter().map(|&d| if d > 0.0 { 1.0 / d.sqrt() } else { 0.0 }),
    );
    let mut scaled =
        DMatrix::from_fn(matrix.nrows(), matrix.ncols(), |i, j| matrix[(i, j)] * scales[i] * scales[j]);
    for i in 0..matrix.nrows() {
        // An empty row stays; rounding of a singular system is kept positive.
        scaled[(i, i)] = if scales[i] > 0.0 { 1.0 + 1e-14 } else { 1.0 };
    }
    Some(Factored { scales, factor: Cholesky::new(scaled)? })
}

impl Factored {
    pub fn matrix(&self, right: &DMatrix<f64>) -> DMatrix<f64> {
        let scaled = |matrix: &DMatrix<f64>| {
            DMatrix::from_fn(matrix.nrows(), matrix.ncols(), |i, j| matrix[(i, j)] * self.scales[i])
        };
        scaled(&self.factor.solve(&scaled(right)))
    }

    pub fn vector(&self, right: &DVector<f64>) -> DVector<f64> {
        self.factor.solve(&right.component_mul(&self.scales)).component_mul(&self.scales)
    }
}

/// Inverse of a normal matrix; `None` where it is singular.
pub(super) fn inverse(matrix: &DMatrix<f64>) -> Option<DMatrix<f64>> {
    let size = matrix.nrows();
    if size == 0 {
        return Some(DMatrix::zeros(0, 0));
    }
    Some(factored(matrix)?.matrix(&DMatrix::identity(size, size)))
}
