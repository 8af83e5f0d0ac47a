//! One transistor out of many sweeps: the parameters that a card of the EKV law carries.

use super::{IdVgFit, PointUse, SweepFit, SweepRecord};
use crate::ekv::INFO;
use crate::fit::{Correlation, FitResult, FittedParameter, Transform};

/// Sweeps within this of the smallest dose count as pristine, krad(Si).
const PRISTINE_KRAD_SI: f64 = 1e-6;

/// Normal quantile of a 95 % interval.
const Z975: f64 = 1.959_963_984_540_054;

impl IdVgFit {
    /// The transistor that the pristine sweeps have in common, as one fit result.
    ///
    /// Of one sweep alone it is the fit of that sweep. Of several, every parameter is the mean over
    /// the sweeps at the lowest dose on the scale of the fit, and the covariance is the spread from
    /// sweep to sweep: that between devices, usually far larger than the error of a single fit. The
    /// threshold is taken from the state nearest to neutral (labels that are numbers: the smallest
    /// in size), since it is what a state is. `None` when nothing was fitted.
    pub fn pooled(&self) -> Option<FitResult> {
        let lowest = self.fitted().map(|(record, _)| record.dose_krad_si).fold(f64::INFINITY, f64::min);
        let pristine: Vec<(&SweepRecord, &SweepFit)> =
            self.fitted().filter(|(record, _)| record.dose_krad_si <= lowest + PRISTINE_KRAD_SI).collect();
        let mut pooled = match pristine.as_slice() {
            [] => return None,
            [(_, only)] => only.fit.clone(),
            several => pool(several),
        };
        pooled.points = self.fitted().map(|(_, fit)| fit.fit.points).sum();
        pooled.dropped = self.fitted().map(|(_, fit)| fit.fit.dropped).sum::<usize>()
            + self
                .records
                .iter()
                .filter(|record| record.outcome.is_err())
                .map(|record| record.sweep.gate_v.len())
                .sum::<usize>();
        pooled.rms_log = Some(self.misfit_ln());
        pooled.warnings.extend(self.refused().into_iter().map(|text| format!("not fitted: {text}")));
        Some(pooled)
    }

    /// Root mean square of the residuals in ln I over all fitted sweeps.
    pub fn misfit_ln(&self) -> f64 {
        let (mut sum, mut count) = (0.0, 0.0);
        for (_, fit) in self.fitted() {
            let points = fit.count(PointUse::Fitted) as f64;
            sum += points * fit.fit.rms_log.unwrap_or(0.0).powi(2);
            count += points;
        }
        (sum / f64::max(count, 1.0)).sqrt()
    }
}

fn pool(sweeps: &[(&SweepRecord, &SweepFit)]) -> FitResult {
    let neutral = nearest_to_neutral(sweeps);
    let names: Vec<&str> = sweeps[0].1.fit.parameters.iter().map(|p| p.name.as_str()).collect();
    let bounds: Vec<(Transform, f64, f64)> = names
        .iter()
        .zip(&sweeps[0].1.fit.parameters)
        .map(|(name, fitted)| {
            INFO.parameter(name)
                .map_or((fitted.transform, fitted.lower, fitted.upper), |i| (i.transform, i.lower, i.upper))
        })
        .collect();
    let count = names.len();
    // Free coordinates, one row a sweep; the threshold about the mean of its own state.
    let coordinates: Vec<Vec<f64>> = sweeps
        .iter()
        .map(|(_, fit)| {
            let values = fit.fit.values();
            (0..count).map(|k| bounds[k].0.coordinate(values[k], bounds[k].1, bounds[k].2)).collect()
        })
        .collect();
    let mean_over = |keep: &dyn Fn(&SweepRecord) -> bool, k: usize| {
        let kept: Vec<f64> = sweeps
            .iter()
            .zip(&coordinates)
            .filter(|((record, _), _)| keep(record))
            .map(|(_, row)| row[k])
            .collect();
        kept.iter().sum::<f64>() / kept.len().max(1) as f64
    };
    let threshold = names.iter().position(|name| *name == "vt_v");
    let centre: Vec<f64> = (0..count)
        .map(|k| {
            if Some(k) == threshold {
                mean_over(&|record| record.state == neutral, k)
            } else {
                mean_over(&|_| true, k)
            }
        })
        .collect();
    let deviations: Vec<Vec<f64>> = sweeps
        .iter()
        .zip(&coordinates)
        .map(|((record, _), row)| {
            (0..count)
                .map(|k| {
                    if Some(k) == threshold {
                        row[k] - mean_over(&|other| other.state == record.state, k)
                    } else {
                        row[k] - centre[k]
                    }
                })
                .collect()
        })
        .collect();
    let freedom = (sweeps.len() - 1).max(1) as f64;
    let spread = |i: usize, j: usize| deviations.iter().map(|row| row[i] * row[j]).sum::<f64>() / freedom;
    let slope: Vec<f64> =
        (0..count).map(|k| bounds[k].0.slope(centre[k], bounds[k].1, bounds[k].2)).collect();
    let parameters = (0..count)
        .map(|k| {
            let (transform, lower, upper) = bounds[k];
            let deviation = spread(k, k).sqrt();
            FittedParameter {
                name: names[k].to_string(),
                value: transform.value(centre[k], lower, upper),
                std: deviation * slope[k],
                interval95: [
                    transform.value(centre[k] - Z975 * deviation, lower, upper),
                    transform.value(centre[k] + Z975 * deviation, lower, upper),
                ],
                unit: sweeps[0].1.fit.parameters[k].unit.clone(),
                at_bound: sweeps.iter().all(|(_, fit)| fit.fit.parameters[k].at_bound),
                lower,
                upper,
                transform,
            }
        })
        .collect();
    let mut warnings = vec![format!(
        "means over {} pristine sweeps, threshold of state {neutral}; standard deviations are the \
         spread between sweeps",
        sweeps.len()
    )];
    for (k, name) in names.iter().enumerate() {
        let at_bound = sweeps.iter().filter(|(_, fit)| fit.fit.parameters[k].at_bound).count();
        if at_bound > 0 && *name != "leakage_a" {
            warnings.push(format!("{name} lies on a bound in {at_bound} of {} sweeps", sweeps.len()));
        }
    }
    FitResult {
        parameters,
        covariance: (0..count)
            .map(|i| (0..count).map(|j| spread(i, j) * slope[i] * slope[j]).collect())
            .collect(),
        rms: (sweeps.iter().map(|(_, fit)| fit.fit.rms.powi(2)).sum::<f64>() / sweeps.len() as f64).sqrt(),
        rms_log: None,
        points: 0,
        dropped: 0,
        aicc: sweeps.iter().map(|(_, fit)| fit.fit.aicc).sum(),
        bic: sweeps.iter().map(|(_, fit)| fit.fit.bic).sum(),
        condition: sweeps.iter().map(|(_, fit)| fit.fit.condition).fold(1.0, f64::max),
        correlations: Vec::<Correlation>::new(),
        warnings,
        cost: sweeps.iter().map(|(_, fit)| fit.fit.cost).sum(),
        loss_scale: None,
        outliers: Vec::new(),
    }
}

/// The state whose label is the number smallest in size, else that of the first sweep.
fn nearest_to_neutral(sweeps: &[(&SweepRecord, &SweepFit)]) -> String {
    sweeps
        .iter()
        .filter_map(|(record, _)| {
            record.state.trim().parse::<f64>().ok().map(|number| (number.abs(), &record.state))
        })
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map_or_else(|| sweeps[0].0.state.clone(), |(_, state)| state.clone())
}
