//! Correlation of a cell with itself between reports, kept as a factor: the score of the cell at a report
//! is a weighted sum of its own independent normals.

use crate::axis::Axis;

/// Loadings `[state, report, normal]`: the scores of a cell at its reports are the loadings times its
/// normals. Between states the loadings are blended and brought back to unit length, so that every state
/// has a correlation that is one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Factor {
    pub(crate) reports: usize,
    pub(crate) normals: usize,
    pub(crate) loadings: Vec<f64>,
}

impl Factor {
    /// Loadings of all reports at a state.
    pub(crate) fn at(&self, axis: &Axis, state: f64, out: &mut Vec<f64>) {
        let size = self.reports * self.normals;
        let place = axis.place(state);
        out.clear();
        let node = &self.loadings[place.i * size..(place.i + 1) * size];
        out.extend_from_slice(node);
        if place.t == 0.0 {
            return;
        }
        let next = &self.loadings[(place.i + 1) * size..(place.i + 2) * size];
        for (value, next) in out.iter_mut().zip(next) {
            *value += (next - *value) * place.t;
        }
        for row in out.chunks_mut(self.normals) {
            normalise(row);
        }
    }

    /// Correlation between two reports at a state.
    pub(crate) fn correlation(&self, axis: &Axis, state: f64, a: usize, b: usize) -> f64 {
        let mut loadings = Vec::new();
        self.at(axis, state, &mut loadings);
        self.between(&loadings, a, b)
    }

    /// Correlation between two reports with the loadings of one state.
    pub(crate) fn between(&self, loadings: &[f64], a: usize, b: usize) -> f64 {
        let row = |k: usize| &loadings[k * self.normals..(k + 1) * self.normals];
        row(a).iter().zip(row(b)).map(|(x, y)| x * y).sum::<f64>().clamp(-1.0, 1.0)
    }
}

fn normalise(row: &mut [f64]) {
    let length = row.iter().map(|x| x * x).sum::<f64>().sqrt();
    if length > 0.0 {
        row.iter_mut().for_each(|x| *x /= length);
    } else if let Some(first) = row.first_mut() {
        // Opposite loadings met half way: the cell keeps its first normal.
        *first = 1.0;
    }
}

/// Variance that is left for a new normal below which there is none: rounding of sums of products.
const NOTHING: f64 = 1e-12;
/// How far a matrix may be from a correlation: sources integrate and subtract.
const SLACK: f64 = 1e-6;

/// Lower triangular factor of a correlation matrix (row by row), which may be singular: the factor of
/// Cholesky with the columns that have nothing left set to zero.
///
/// # Errors
/// In words, when the matrix is no correlation.
pub(crate) fn factor(matrix: &[f64], size: usize) -> Result<Vec<f64>, String> {
    if matrix.len() != size * size {
        return Err(format!("{} correlations for {size} reports", matrix.len()));
    }
    let mut lower = vec![0.0; size * size];
    for i in 0..size {
        for j in 0..=i {
            let value = matrix[i * size + j];
            let wrong = if i == j { (value - 1.0).abs() } else { (value - matrix[j * size + i]).abs() };
            if !(wrong <= SLACK && value.abs() <= 1.0 + SLACK) {
                return Err(format!("a correlation of {value} between reports {j} and {i}"));
            }
            let known: f64 = (0..j).map(|k| lower[i * size + k] * lower[j * size + k]).sum();
            let left = value - known;
            if i == j {
                if left < -SLACK {
                    return Err(format!("correlations of report {i} that no cell can have"));
                }
                lower[i * size + i] = if left > NOTHING { left.sqrt() } else { 0.0 };
            } else {
                let pivot = lower[j * size + j];
                if pivot > 0.0 {
                    lower[i * size + j] = left / pivot;
                } else if left.abs() > SLACK.sqrt() {
                    return Err(format!("correlations of reports {j} and {i} that no cell can have"));
                }
            }
        }
        normalise(&mut lower[i * size..(i + 1) * size]);
    }
    Ok(lower)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn product(lower: &[f64], size: usize) -> Vec<f64> {
        let entry =
            |i: usize, j: usize| (0..size).map(|k| lower[i * size + k] * lower[j * size + k]).sum::<f64>();
        (0..size).flat_map(|i| (0..size).map(move |j| (i, j))).map(|(i, j)| entry(i, j)).collect()
    }

    #[test]
    fn singular_correlations_have_factors() {
        for matrix in [vec![1.0; 9], vec![1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0]] {
            let found = product(&factor(&matrix, 3).unwrap(), 3);
            assert!(found.iter().zip(&matrix).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?}");
        }
    }

    #[test]
    fn what_is_no_correlation_is_refused() {
        for bad in [
            [1.0, 0.9, 0.9, 0.9, 1.0, -0.9, 0.9, -0.9, 1.0],
            [1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0],
            [1.0, 0.5, 0.0, 0.4, 1.0, 0.0, 0.0, 0.0, 1.0],
            [2.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
            [1.0, f64::NAN, 0.0, f64::NAN, 1.0, 0.0, 0.0, 0.0, 1.0],
        ] {
            assert!(factor(&bad, 3).is_err(), "{bad:?}");
        }
        assert!(factor(&[1.0], 2).is_err());
    }

    proptest! {
        /// The factor gives the correlation back, for matrices of any rank.
        #[test]
        fn factors_multiply_back(rows in prop::collection::vec(prop::collection::vec(-1.0_f64..1.0, 3), 2..7)) {
            let size = rows.len();
            let length = |row: &[f64]| row.iter().map(|x| x * x).sum::<f64>().sqrt();
            prop_assume!(rows.iter().all(|row| length(row) > 0.1));
            let mut matrix = Vec::new();
            for a in &rows {
                for b in &rows {
                    let dot: f64 = a.iter().zip(b).map(|(x, y)| x * y).sum();
                    matrix.push(dot / (length(a) * length(b)));
                }
            }
            for i in 0..size {
                matrix[i * size + i] = 1.0;
            }
            let found = product(&factor(&matrix, size).unwrap(), size);
            // A pivot of 1e-12 that is rounding or not decides whether a column is kept: its square root.
            prop_assert!(found.iter().zip(&matrix).all(|(a, b)| (a - b).abs() < 1e-5));
        }
    }
}
