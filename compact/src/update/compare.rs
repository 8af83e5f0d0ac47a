//! All laws on the same ramps, ranked.

use super::fit::{regression, values};
use super::form::{DOMAIN_WALL, FORMS};
use super::law::{Cell, Law};
use super::trace::Traces;
use crate::fit::{FitError, FitResult, Regression};
use crate::model::ModelInfo;
use mho_data::InputError;
use rayon::prelude::*;

/// Laws ranked on the same readings.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// Laws with their fits, the smallest AICc first.
    pub ranking: Vec<(&'static ModelInfo, FitResult)>,
    /// Laws without a fit, and why.
    pub failed: Vec<(&'static ModelInfo, FitError)>,
    /// Correlation of residuals of neighbouring readings, of the law with the smallest rms.
    pub autocorrelation: f64,
    /// Readings that would say as much if they were independent: n (1 - r)/(1 + r).
    pub effective_points: f64,
}

/// The regression of one law, by the name of its model; `None` for a name that is no update law.
pub fn update_regression(traces: &Traces, name: &str) -> Option<Regression<'static>> {
    let mut forms = FORMS.iter().chain([&DOMAIN_WALL]);
    forms.find(|form| form.info.name == name).map(|form| regression(traces, form))
}

/// The law and the device, in weights, of a fit to `traces` of the model of this name. `None` for a name that is no
/// update law.
pub fn fitted(traces: &Traces, name: &str, fit: &FitResult) -> Option<(Law, Cell)> {
    let form = FORMS.iter().chain([&DOMAIN_WALL]).find(|form| form.info.name == name)?;
    Some((form.device)(&values(traces, form, fit)))
}

/// Fits every law and ranks them by AICc of the effective number of points. Residuals of a trace are correlated,
/// because the noise of a step stays in the state: plain criteria would count each reading as news, and plain
/// intervals would be too narrow. Both are given for the effective number.
///
/// # Errors
/// No law could be fitted.
pub fn compare(traces: &Traces) -> Result<Comparison, InputError> {
    let fits: Vec<_> = FORMS
        .par_iter()
        .map(|form| {
            let regression = regression(traces, form);
            let fit = regression.fit();
            let correlation = fit.as_ref().map_or(0.0, |fit| autocorrelation(&regression, fit));
            (form.info, fit, correlation)
        })
        .collect();
    let mut comparison = Comparison {
        ranking: Vec::new(),
        failed: Vec::new(),
        autocorrelation: 0.0,
        effective_points: traces.readings() as f64,
    };
    let mut least = f64::INFINITY;
    for (info, fit, correlation) in fits {
        match fit {
            Ok(fit) => {
                if fit.rms < least {
                    least = fit.rms;
                    comparison.autocorrelation = correlation;
                }
                comparison.ranking.push((info, fit));
            }
            Err(error) => comparison.failed.push((info, error)),
        }
    }
    if let (true, Some((info, error))) = (comparison.ranking.is_empty(), comparison.failed.first()) {
        let found = format!("no law could be fitted ({}: {error})", info.name);
        return Err(InputError::new("ramps", found, "ramps of equal pulses that move the device"));
    }
    let factor = variance_factor(comparison.autocorrelation);
    comparison.effective_points = traces.readings() as f64 / factor;
    for (_, fit) in &mut comparison.ranking {
        widen(fit, factor);
    }
    comparison.ranking.sort_by(|a, b| a.1.aicc.total_cmp(&b.1.aicc));
    Ok(comparison)
}

/// How much larger the variance of a mean is than of independent readings, for an autoregressive noise of first
/// order; noise that alternates is not taken for better than independent.
pub fn variance_factor(autocorrelation: f64) -> f64 {
    let r = if autocorrelation.is_finite() { autocorrelation.clamp(0.0, 0.999) } else { 0.0 };
    (1.0 + r) / (1.0 - r)
}

/// Correlation of residuals of neighbouring readings within the ramps, without those that the fit took out.
pub fn autocorrelation(regression: &Regression<'_>, fit: &FitResult) -> f64 {
    let mut residuals: Vec<f64> =
        regression.compared(&fit.values()).iter().map(|(reading, model)| reading - model).collect();
    for &outlier in &fit.outliers {
        residuals[outlier] = 0.0;
    }
    let (mut products, mut squares, mut at) = (0.0, 0.0, 0);
    for series in regression.devices.iter().flat_map(|device| &device.series) {
        let part = &residuals[at..at + series.y.len()];
        products += part.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>();
        squares += part.windows(2).map(|pair| 0.5 * (pair[0].powi(2) + pair[1].powi(2))).sum::<f64>();
        at += series.y.len();
    }
    if squares > 0.0 { products / squares } else { 0.0 }
}

/// Intervals, covariance and criteria of a fit whose readings count for `factor` times fewer.
fn widen(fit: &mut FitResult, factor: f64) {
    let root = factor.sqrt();
    for parameter in &mut fit.parameters {
        if !parameter.std.is_finite() {
            continue;
        }
        parameter.std *= root;
        let coordinate = |value: f64| parameter.transform.coordinate(value, parameter.lower, parameter.upper);
        let centre = coordinate(parameter.value);
        parameter.interval95 = parameter.interval95.map(|end| {
            let wide = centre + root * (coordinate(end) - centre);
            parameter.transform.value(wide, parameter.lower, parameter.upper)
        });
    }
    for entry in fit.covariance.iter_mut().flatten() {
        *entry *= factor;
    }
    let readings = fit.points + fit.outliers.len();
    let (n, k) = (readings as f64 / factor, fit.parameters.len() as f64);
    let likelihood = n * (fit.cost.max(f64::MIN_POSITIVE) / fit.points.max(1) as f64).ln();
    let spare = n - k - 1.0;
    fit.aicc = if spare > 0.0 { likelihood + 2.0 * k + 2.0 * k * (k + 1.0) / spare } else { f64::NAN };
    fit.bic = likelihood + k * n.max(1.0).ln();
    if factor > 1.05 {
        fit.warnings.push(format!(
            "residuals along a trace are correlated: {} readings count for {n:.0} in the intervals and criteria",
            readings
        ));
    }
}
