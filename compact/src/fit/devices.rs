//! The devices of a regression as its independent observations: intervals from the scatter between them.

use super::blocks::{Block, Blocks};
use super::cluster::{Cluster, cluster, without_own};
use super::combination;
use super::covariance::variance_scale;
use super::distribution::{f_tail, student_quantile};
use super::scaled::inverse;
use super::{FitResult, Loss, Regression};
use nalgebra::DMatrix;

/// Devices from which the scatter between them always gives the intervals.
pub(super) const FEWEST_DEVICES: usize = 5;

/// Fewer degrees of freedom than this: the parameter rests on hardly more than one device.
const FEWEST_FREEDOM: f64 = 1.0;

/// Level at which a few devices are said to differ.
const LEVEL: f64 = 0.05;

/// Replaces the uncertainties of the shared parameters by those from the scatter between devices; those of each
/// device's own parameters follow. With fewer than five devices only where these differ beyond the scatter of
/// their readings.
pub(super) fn devices_as_observations(regression: &Regression<'_>, fit: &mut FitResult) {
    let count = regression.devices.len();
    let same = regression.parameters.len() == fit.parameters.len()
        && regression.parameters.iter().zip(&fit.parameters).all(|(ours, fitted)| ours.name == fitted.name);
    if count < 2 || !same {
        return;
    }
    let moving: Vec<bool> = fit.parameters.iter().map(|parameter| parameter.std.is_finite()).collect();
    let held: Vec<bool> = moving.iter().map(|moving| !moving).collect();
    let loss = fit.loss(&regression.options);
    let coordinates: Vec<f64> =
        regression.parameters.iter().zip(fit.values()).map(|(p, value)| p.coordinate(value)).collect();
    let blocks = Blocks::new(regression, loss, &coordinates, &held).without(&fit.outliers);
    let weights = vec![1.0; count];
    let Some(parts) = blocks.at(&coordinates, &weights, true) else { return };
    let known = blocks.known(&coordinates, &[]);
    let Some(scatter) = cluster(&parts, known.as_ref(), &weights, loss) else { return };
    let residuals: Vec<f64> = parts.iter().flat_map(|part| part.residuals.iter().copied()).collect();
    let scale = variance_scale(&regression.options, loss, &residuals, fit.parameters.len());
    let differ = probability_of_equal(&parts, &scatter, loss, &moving);
    if count < FEWEST_DEVICES {
        if differ.is_nan() || differ > LEVEL {
            fit.warnings.push(format!(
                "{count} devices are too few to judge how devices differ: the uncertainties count every reading \
                 as independent"
            ));
            return;
        }
        fit.warnings.push(format!(
            "the {count} devices differ by more than their readings scatter (probability of equal ones \
             {differ:.1e}): the uncertainties are those of {count} observations"
        ));
    }
    let pairs_before: Vec<String> = pairs_in_words(fit);
    let slopes: Vec<f64> =
        regression.parameters.iter().zip(&coordinates).map(|(parameter, &u)| parameter.slope(u)).collect();
    let mut covariance = scatter.covariance.clone();
    for (place, &index) in blocks.layout.shared.iter().enumerate() {
        let parameter = &regression.parameters[index];
        let fitted = &mut fit.parameters[index];
        let freedom = scatter.freedom[place];
        if freedom < FEWEST_FREEDOM {
            fit.warnings.push(format!(
                "{} rests on hardly more than one device: its uncertainty counts every reading as independent",
                fitted.name
            ));
            let old = fit.covariance[index][index] / slopes[index].powi(2);
            let factor = (old / covariance[(place, place)]).sqrt();
            for other in 0..covariance.ncols() {
                covariance[(place, other)] *= factor;
                covariance[(other, place)] *= factor;
            }
            continue;
        }
        let deviation = covariance[(place, place)].sqrt();
        let reach = student_quantile(0.975, freedom) * deviation;
        let u = coordinates[index];
        fitted.std = deviation * slopes[index];
        fitted.interval95 = [parameter.value(u - reach), parameter.value(u + reach)];
    }
    let shared = &blocks.layout.shared;
    for (i, &a) in shared.iter().enumerate() {
        for (j, &b) in shared.iter().enumerate() {
            fit.covariance[a][b] = covariance[(i, j)] * slopes[a] * slopes[b];
        }
    }
    let freedom = residuals.len().saturating_sub(fit.parameters.len());
    let quantile = student_quantile(0.975, freedom as f64);
    let mut follow: Vec<DMatrix<f64>> = Vec::with_capacity(count);
    for (device, part) in parts.iter().enumerate() {
        let own = &blocks.layout.own[device];
        let Some(inverse) = inverse(&part.own.tr_mul(&part.own)) else {
            follow.push(DMatrix::zeros(own.len(), shared.len()));
            continue;
        };
        // The own parameters follow the shared ones, and vary by themselves around that.
        let following = -(&inverse * part.own.tr_mul(&part.shared));
        let spread = &inverse * scale + &following * &covariance * following.transpose();
        for (i, &a) in own.iter().enumerate() {
            for (j, &b) in own.iter().enumerate() {
                fit.covariance[a][b] = spread[(i, j)] * slopes[a] * slopes[b];
            }
            let (parameter, u) = (&regression.parameters[a], coordinates[a]);
            let deviation = spread[(i, i)].sqrt();
            fit.parameters[a].std = deviation * slopes[a];
            fit.parameters[a].interval95 =
                [parameter.value(u - quantile * deviation), parameter.value(u + quantile * deviation)];
        }
        let cross = &following * &covariance;
        for (i, &a) in own.iter().enumerate() {
            for (j, &b) in shared.iter().enumerate() {
                fit.covariance[a][b] = cross[(i, j)] * slopes[a] * slopes[b];
                fit.covariance[b][a] = fit.covariance[a][b];
            }
        }
        for (other, theirs) in follow.iter().enumerate() {
            let both = &cross * theirs.transpose();
            for (i, &a) in own.iter().enumerate() {
                for (j, &b) in blocks.layout.own[other].iter().enumerate() {
                    fit.covariance[a][b] = both[(i, j)] * slopes[a] * slopes[b];
                    fit.covariance[b][a] = fit.covariance[a][b];
                }
            }
        }
        follow.push(following);
    }
    let pairs = pairs_in_words(fit);
    for (before, now) in pairs_before.iter().zip(pairs) {
        for text in fit.warnings.iter_mut().filter(|text| *text == before) {
            text.clone_from(&now);
        }
    }
}

fn pairs_in_words(fit: &FitResult) -> Vec<String> {
    fit.correlations.iter().map(|pair| combination::in_words(fit, pair)).collect()
}

/// Probability, were all devices equal, of scores that differ as much: an F test of shared parameters that are
/// each device's own, in the linear picture; NaN where the devices have too few readings each.
fn probability_of_equal(parts: &[Block], scatter: &Cluster, loss: Loss, moving: &[bool]) -> f64 {
    let moving = moving.iter().filter(|moving| **moving).count() as f64;
    let (mut explained, mut ranks, mut total, mut readings) = (0.0, 0.0, 0.0, 0.0);
    for (part, score) in parts.iter().zip(&scatter.scores) {
        let roots = part.residuals.map(|r| loss.curvature(r).sqrt());
        total += part.residuals.iter().map(|&r| loss.influence(r).powi(2) / loss.curvature(r)).sum::<f64>();
        readings += part.residuals.len() as f64;
        let projected = without_own(part, &roots);
        let eigen = projected.tr_mul(&projected).symmetric_eigen();
        let largest = eigen.eigenvalues.max();
        let turned = eigen.eigenvectors.tr_mul(score);
        for (value, along) in eigen.eigenvalues.iter().zip(turned.iter()) {
            if *value > 1e-10 * largest {
                explained += along * along / value;
                ranks += 1.0;
            }
        }
    }
    let numerator = ranks - scatter.scores.first().map_or(0, |score| score.len()) as f64;
    let denominator = readings - moving - numerator;
    let within = (total - explained) / denominator;
    if numerator < 1.0 || denominator < 1.0 || within <= 0.0 {
        return f64::NAN;
    }
    f_tail(explained / numerator / within, numerator, denominator)
}
