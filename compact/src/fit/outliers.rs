//! Gross outliers: found against the other readings of their device, taken out, counted and named.
//!
//! Soft-L1 bounds the pull of a wild reading but keeps it; taking it out (an MM-estimate: Yohai, Ann. Stat. 15, 642,
//! 1987) leaves what the other readings say. A device that differs from the others has large residuals that follow its
//! own parameters, and they are no outliers: a reading is one where it lies away from what the other readings of its
//! device foretell, with parameters that scatter between devices as the fit says (deletion residuals of the mixed model:
//! Haslett & Hayes, J. R. Stat. Soc. B 60, 201, 1998).

use super::blocks::{Block, Blocks};
use super::cluster::cluster;
use super::covariance::criteria;
use super::distribution::normal_cdf;
use super::robust::{refit, robust_spread};
use super::{FitOptions, FitResult, Loss, Regression};
use nalgebra::{DMatrix, DVector};

/// Deviations beyond which a reading is a gross outlier: of normal residuals six in 10^7, so that a fit of clean data
/// stays as it is.
pub(crate) const FAR: f64 = 5.0;

/// Probability that a normal residual lies more than [`FAR`] deviations away to one side.
pub(crate) fn far_probability() -> f64 {
    normal_cdf(-FAR)
}

/// Of the readings of a device that are far off, those of this part of the largest are taken out at once; the others
/// are judged again without them.
const TOGETHER: f64 = 0.6;

/// Steps in which the deviation of a single reading is separated from the scatter between devices.
const SCALINGS: usize = 8;

/// A reading of which its device keeps less than this by itself cannot be judged: parameters of its own follow it.
const FREE_PART: f64 = 1e-3;

/// Part of the readings beyond which outliers are none: then the law misses its data (assumed; of 24 readings of
/// which each is wild with 5 %, fewer than five are in 99 % of all cases).
const MOST: f64 = 0.2;

/// Fits without the outliers of the one before, until they stay the same; searches in the residuals of a fit.
const ROUNDS: usize = 5;

/// The fit of the readings that are no gross outliers, from `first`, that of all readings; `first` itself where there
/// are none or too many, or where another loss than [`Loss::Robust`] was asked for.
pub(super) fn without_outliers(regression: &Regression<'_>, mut first: FitResult) -> FitResult {
    let options = &regression.options;
    if !(matches!(options.loss, Loss::Robust { .. }) && options.reject_outliers) {
        return first;
    }
    let mut result = first.clone();
    for _ in 0..ROUNDS {
        let outliers = outliers(regression, &result);
        if outliers == result.outliers {
            break;
        }
        let readings = regression.readings();
        if outliers.len() as f64 > MOST * readings as f64 {
            first.warnings.push(format!(
                "{} of {readings} readings lie more than {FAR} deviations away: too many for outliers, so the law is \
                 in doubt; all count, with a bounded pull",
                outliers.len()
            ));
            return first;
        }
        let once = FitOptions { starts: 1, ..*options };
        let Ok(next) = refit(&regression.problem_without(&outliers), &once, result) else { return first };
        result = next;
        result.outliers = outliers;
    }
    if result.outliers.is_empty() {
        return first;
    }
    rank(regression, &mut result);
    let why = format!("more than {FAR} deviations away");
    result.warnings.push(in_words(regression, &result.outliers, &why));
    // What was said about the starts still holds.
    let starts = first.warnings.into_iter().filter(|text| text.contains("further starts were tried"));
    result.warnings.extend(starts);
    result
}

/// Laws are ranked by all readings, so that none gains by calling its misfit outliers.
fn rank(regression: &Regression<'_>, fit: &mut FitResult) {
    let loss = fit.loss(&regression.options);
    let residuals = (regression.problem().residuals)(&fit.values());
    let cost: f64 = residuals.iter().map(|&residual| loss.of(residual)).sum();
    (fit.aicc, fit.bic) = criteria(cost, residuals.len(), fit.parameters.len());
}

/// How many readings of which devices have no weight, and why.
pub(super) fn in_words(regression: &Regression<'_>, outliers: &[usize], why: &str) -> String {
    let mut first = 0;
    let mut named = Vec::new();
    for device in &regression.devices {
        let rows = first..first + device.readings();
        first = rows.end;
        let own = outliers.iter().filter(|row| rows.contains(row)).count();
        if own > 0 {
            named.push(if own == 1 { device.name.clone() } else { format!("{} ({own})", device.name) });
        }
    }
    let more = if named.len() > 6 { format!(" and {} more", named.len() - 6) } else { String::new() };
    named.truncate(6);
    let (noun, verb, have) =
        if outliers.len() == 1 { ("reading", "lies", "has") } else { ("readings", "lie", "have") };
    format!(
        "{} {noun} of {} {verb} {why} and {have} no weight: {}{more}",
        outliers.len(),
        regression.readings(),
        named.join(", "),
    )
}

/// Numbers of the gross outliers, counted through all devices; none where the law is not finite.
fn outliers(regression: &Regression<'_>, fit: &FitResult) -> Vec<usize> {
    let loss = fit.loss(&regression.options);
    let coordinates: Vec<f64> =
        regression.parameters.iter().zip(fit.values()).map(|(p, value)| p.coordinate(value)).collect();
    let held: Vec<bool> = fit.parameters.iter().map(|parameter| !parameter.std.is_finite()).collect();
    let ones = vec![1.0; regression.devices.len()];
    // How devices scatter is taken from the readings that the fit kept.
    let kept = Blocks::new(regression, loss, &coordinates, &held).without(&fit.outliers);
    let known = kept.known(&coordinates, &[]);
    let between = (ones.len() > 1)
        .then(|| cluster(&kept.at(&coordinates, &ones, false)?, known.as_ref(), &ones, loss))
        .flatten()
        .and_then(|scatter| (scatter.covariance * ones.len() as f64).cholesky())
        .map(|root| root.l());
    let Some(parts) = kept.without(&[]).at(&coordinates, &ones, false) else { return Vec::new() };
    let devices: Vec<Deviating> = parts.iter().map(|part| Deviating::new(part, between.as_ref())).collect();
    let everything = |devices: &[Deviating], sigma: f64| -> Vec<f64> {
        devices.iter().flat_map(|device| device.deletion(&device.all(), sigma)).flatten().collect()
    };
    let residuals: Vec<f64> = parts.iter().flat_map(|part| part.residuals.iter().copied()).collect();
    let mut sigma = robust_spread(&residuals, 0);
    for _ in 0..SCALINGS {
        let factor = robust_spread(&everything(&devices, sigma), 0);
        if !(factor > 0.0 && factor.is_finite()) {
            return Vec::new();
        }
        sigma *= factor;
    }
    let mut found = Vec::new();
    let mut first = 0;
    for (device, readings) in devices.iter().zip(regression.devices.iter().map(super::Device::readings)) {
        let mut rows = device.all();
        loop {
            let apart = device.deletion(&rows, sigma);
            let size = |place: usize| apart[place].map_or(0.0, f64::abs);
            let largest = (0..rows.len()).map(size).fold(0.0, f64::max);
            let limit = FAR.max(TOGETHER * largest);
            let far = |place: usize, row: usize| {
                // What is known of a device's own parameters follows its readings and is none of them.
                row < readings && size(place) > limit && device.residuals[row].abs() > FAR * sigma
            };
            let gone: Vec<usize> = rows
                .iter()
                .enumerate()
                .filter(|&(place, &row)| far(place, row))
                .map(|(_, &row)| row)
                .collect();
            if gone.is_empty() {
                break;
            }
            rows.retain(|row| !gone.contains(row));
            found.extend(gone.into_iter().map(|row| first + row));
        }
        first += readings;
    }
    found.sort_unstable();
    found
}

/// Residuals of a device with what its parameters can do to them.
struct Deviating {
    residuals: DVector<f64>,
    /// Readings times parameters, each of standard deviation one.
    ways: DMatrix<f64>,
}

/// Standard deviation of a device's own parameters, in what they do to its residuals: as good as free.
const FREE: f64 = 1e4;

impl Deviating {
    /// `between`: root of the covariance of the shared parameters between devices.
    fn new(part: &Block, between: Option<&DMatrix<f64>>) -> Self {
        let shared =
            between.map_or_else(|| DMatrix::zeros(part.residuals.len(), 0), |root| &part.shared * root);
        let before = shared.ncols();
        let mut ways = shared.resize_horizontally(before + part.own.ncols(), 0.0);
        for (place, own) in part.own.column_iter().enumerate() {
            let length = own.norm();
            if length > 0.0 {
                ways.set_column(before + place, &(own * (FREE / length)));
            }
        }
        Self { residuals: part.residuals.clone(), ways }
    }

    fn all(&self) -> Vec<usize> {
        (0..self.residuals.len()).collect()
    }

    /// How far each of these rows lies from what the others of them foretell, in its standard deviations; `None` where
    /// the others say nothing.
    fn deletion(&self, rows: &[usize], sigma: f64) -> Vec<Option<f64>> {
        let ways = self.ways.select_rows(rows);
        let residuals = self.residuals.select_rows(rows);
        let count = ways.ncols();
        let normal = ways.tr_mul(&ways) + DMatrix::identity(count, count) * (sigma * sigma);
        let Some(factor) = normal.cholesky() else { return vec![None; rows.len()] };
        let explained = &ways * factor.solve(&ways.tr_mul(&residuals));
        let leverage = factor.solve(&ways.transpose());
        (0..rows.len())
            .map(|row| {
                let free = 1.0 - ways.row(row).transpose().dot(&leverage.column(row));
                (free > FREE_PART).then(|| (residuals[row] - explained[row]) / (sigma * free.sqrt()))
            })
            .collect()
    }
}
