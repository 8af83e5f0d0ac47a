//! Covariance of shared parameters from the scatter between devices (cluster-robust, "sandwich").
//!
//! Readings of one device share its peculiarities, and counting each as independent promises too much. Here a
//! device's contribution to the score is what is independent (Liang & Zeger, Biometrika 73, 13, 1986), scaled
//! up for the part that the fit took away (CR2: Bell & McCaffrey, Survey Methodology 28, 169, 2002), and the
//! degrees of freedom of each parameter are those of Satterthwaite under equal independent readings (same
//! source), at most one fewer than there are devices.

use super::Loss;
use super::blocks::Block;
use nalgebra::{DMatrix, DVector};

/// Covariance of the shared parameters in free coordinates.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    /// From the scatter between devices.
    pub covariance: DMatrix<f64>,
    /// Degrees of freedom of each parameter.
    pub freedom: Vec<f64>,
    /// Inverse of the normal matrix, weighted by the curvature of the loss, with the own parameters eliminated.
    pub inverse: DMatrix<f64>,
    /// Score of each device in its pseudo-residuals, the own parameters eliminated.
    pub scores: Vec<DVector<f64>>,
    /// Contribution of each device to the estimate: its share of the score times the inverse.
    pub influence: Vec<DVector<f64>>,
}

/// The part of a device's information that one device may hold before its score cannot be judged.
const LARGEST_SHARE: f64 = 1.0 - 1e-6;

/// Ratio of the eigenvalues of a normal matrix of unit diagonal below which it is singular: the smaller one is
/// rounding.
const SINGULAR: f64 = 1e-13;

/// From blocks at the minimum and what is known beforehand ([`Blocks::known`](super::blocks::Blocks::known)): each
/// prior is an observation of its own whose variance is known, a reading of one standard deviation. `None` where the devices do not determine the shared parameters.
pub(super) fn cluster(
    blocks: &[Block],
    known: Option<&Block>,
    weights: &[f64],
    loss: Loss,
) -> Option<Cluster> {
    let count = blocks.first()?.shared.ncols();
    let mut bread = DMatrix::<f64>::zeros(count, count);
    let mut parts = Vec::with_capacity(blocks.len());
    for (block, &weight) in blocks.iter().zip(weights) {
        if weight <= 0.0 {
            continue;
        }
        // At its minimum an M-estimator is least squares weighted by the curvature of the loss, in its influence
        // over that curvature.
        let roots = block.residuals.map(|r| loss.curvature(r).sqrt());
        let pseudo = block.residuals.map(|r| loss.influence(r)).component_div(&roots);
        let projected = without_own(block, &roots);
        let information = projected.tr_mul(&projected);
        bread += &information * weight;
        parts.push((information, projected.tr_mul(&pseudo), weight));
    }
    // Variance of the scores of the priors.
    let mut prior_scores = DMatrix::<f64>::zeros(count, count);
    if let Some(known) = known {
        let roots = known.residuals.map(|r| loss.curvature(r).sqrt());
        let weighted = known.weighted(&roots).shared;
        bread += weighted.tr_mul(&weighted);
        prior_scores = known.shared.tr_mul(&known.shared) * loss.influence(1.0).powi(2);
    }
    let root = whitening(&bread)?;
    let inverse = root.tr_mul(&root);
    let prior_covariance = &inverse * prior_scores * &inverse;
    let mut covariance = DMatrix::<f64>::zeros(count, count);
    let mut influence = Vec::with_capacity(parts.len());
    let mut coupled = Vec::with_capacity(parts.len());
    for (information, score, weight) in &parts {
        // Coordinates in which the normal matrix is the unit matrix: shares add up to one.
        let share = &root * information * root.transpose();
        let eigen = share.clone().symmetric_eigen();
        let stretch = eigen.eigenvalues.map(|part| (1.0 - part.min(LARGEST_SHARE)).sqrt().recip());
        let factor = &eigen.eigenvectors * DMatrix::from_diagonal(&stretch) * eigen.eigenvectors.transpose();
        let adjusted = root.tr_mul(&(&factor * (&root * score)));
        covariance += &adjusted * adjusted.transpose() * *weight;
        influence.push(&inverse * score);
        coupled.push((share, factor, *weight));
    }
    let most = weights.iter().sum::<f64>() - 1.0;
    let freedom = (0..count)
        .map(|index| {
            let freedom = satterthwaite(&coupled, &root.column(index).into_owned()).min(most);
            // Welch and Satterthwaite: the part of the variance that is known has no limit of freedom.
            let (devices, prior) = (covariance[(index, index)], prior_covariance[(index, index)]);
            freedom * (1.0 + prior / devices.max(f64::MIN_POSITIVE)).powi(2)
        })
        .collect();
    let covariance = covariance + prior_covariance;
    let scores = parts.into_iter().map(|(_, score, _)| score).collect();
    Some(Cluster { covariance, freedom, inverse, scores, influence })
}

/// Satterthwaite's degrees of freedom of the variance of one combination `direction` of the parameters:
/// `(tr G)^2 / tr G^2` with `G` the covariance of the devices' contributions.
fn satterthwaite(coupled: &[(DMatrix<f64>, DMatrix<f64>, f64)], direction: &DVector<f64>) -> f64 {
    // G_gh = d_gh - w_g . w_h with w_g = K_g F_g a and d_g = a F_g K_g F_g a.
    let count = direction.len();
    let (mut trace, mut square) = (0.0, 0.0);
    let mut outer = DMatrix::<f64>::zeros(count, count);
    for (share, factor, weight) in coupled {
        let turned = factor * direction;
        let own = share * &turned;
        let (diagonal, length) = (turned.dot(&own), own.norm_squared());
        trace += weight * (diagonal - length);
        // Diagonal elements apart from the outer products, which the sum over all pairs holds below.
        square += weight * ((diagonal - length).powi(2) - length.powi(2));
        outer += &own * own.transpose() * *weight;
    }
    square += outer.norm_squared();
    trace * trace / square.max(f64::MIN_POSITIVE)
}

/// Slopes with the shared parameters, each row times its root of a weight, from which what the own ones can do
/// is taken away.
pub(super) fn without_own(block: &Block, roots: &DVector<f64>) -> DMatrix<f64> {
    let Block { mut shared, own, .. } = block.weighted(roots);
    if own.ncols() > 0 {
        let basis = orthonormal(own);
        shared -= &basis * basis.tr_mul(&shared);
    }
    shared
}

/// Orthonormal columns with the same span (modified Gram-Schmidt, twice; a column that adds nothing becomes zero).
fn orthonormal(mut matrix: DMatrix<f64>) -> DMatrix<f64> {
    for index in 0..matrix.ncols() {
        let (before, mut rest) = matrix.columns_range_pair_mut(..index, index..);
        let mut column = rest.column_mut(0);
        let length = column.norm();
        for _ in 0..2 {
            for basis in before.column_iter() {
                let along = basis.dot(&column);
                column.axpy(-along, &basis, 1.0);
            }
        }
        let left = column.norm();
        column.scale_mut(if left > 1e-9 * length { 1.0 / left } else { 0.0 });
    }
    matrix
}

/// `R` with `R matrix R^T` the unit matrix, so that `R^T R` is the inverse; `None` where the matrix is singular to
/// rounding.
fn whitening(matrix: &DMatrix<f64>) -> Option<DMatrix<f64>> {
    let count = matrix.nrows();
    let scales = matrix.diagonal().map(|d| 1.0 / d.sqrt());
    if count == 0 || !scales.iter().all(|scale| scale.is_finite()) {
        return None;
    }
    let scaled = DMatrix::from_fn(count, count, |i, j| matrix[(i, j)] * scales[i] * scales[j]);
    let eigen = scaled.symmetric_eigen();
    if eigen.eigenvalues.min() <= eigen.eigenvalues.max() * SINGULAR {
        return None;
    }
    Some(DMatrix::from_fn(count, count, |i, j| {
        eigen.eigenvectors[(j, i)] * scales[j] / eigen.eigenvalues[i].sqrt()
    }))
}
