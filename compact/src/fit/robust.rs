//! Soft-L1 with its corner measured in the data.

use super::{FitError, FitOptions, FitResult, Loss, Problem, least_squares};

/// Refits with the corner of the loss set anew from the spread of the residuals.
const ROBUST_ROUNDS: usize = 10;

/// Relative change of that spread below which it stands.
const ROBUST_TOLERANCE: f64 = 1e-3;

/// Soft-L1 with its corner in units of the spread that most of the residuals have: fitted, measured, fitted
/// again until it stands.
pub(super) fn fit(problem: &Problem<'_>, options: &FitOptions, corner: f64) -> Result<FitResult, FitError> {
    let with = |spread: f64| FitOptions { loss: Loss::SoftL1 { scale: corner * spread }, ..*options };
    let moving = problem.parameters.len();
    let mut spread = robust_spread(&(problem.residuals)(&problem.start()), moving);
    if !spread.is_finite() || spread <= 0.0 {
        return least_squares(problem, &FitOptions { loss: Loss::Square, ..*options });
    }
    let mut result = least_squares(problem, &with(spread))?;
    for _ in 0..ROBUST_ROUNDS {
        let next = robust_spread(&(problem.residuals)(&result.values()), moving);
        if next <= 1e-9 * spread || (next / spread - 1.0).abs() < ROBUST_TOLERANCE {
            break;
        }
        spread = next;
        result = refit(problem, &with(spread), result)?;
    }
    Ok(result)
}

/// Fits again from where `result` ended; what its starts said about rivals is kept.
pub(super) fn refit(
    problem: &Problem<'_>,
    options: &FitOptions,
    mut result: FitResult,
) -> Result<FitResult, FitError> {
    let restart = problem.started_at(&result.values());
    let warnings = std::mem::take(&mut result.warnings);
    let mut next = least_squares(&restart, &FitOptions { starts: 1, ..*options })?;
    next.warnings.extend(warnings.into_iter().filter(|text| text.starts_with("another start")));
    Ok(next)
}

/// The middle value, or the mean of the two in the middle; none of none.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let count = values.len();
    (count > 0).then(|| 0.5 * (values[(count - 1) / 2] + values[count / 2]))
}

/// Spread of the middle half of residuals around zero, as the standard deviation of a normal law that has the
/// same (1.4826 times their median size), with the degrees of freedom that the fit took.
pub(super) fn robust_spread(residuals: &[f64], parameters: usize) -> f64 {
    let count = residuals.len();
    let Some(median) = median(residuals.iter().map(|residual| residual.abs())) else { return f64::NAN };
    let freedom = count.saturating_sub(parameters).max(1) as f64;
    1.4826 * median * (count as f64 / freedom).sqrt()
}
