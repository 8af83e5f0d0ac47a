//! More starts, when the first fit asks for them: a parameter on a bound, or residuals with a pattern that
//! differences between devices do not explain.

use super::blocks::Blocks;
use super::cluster::without_own;
use super::{FitError, FitOptions, FitResult, Loss, Problem, Regression, Search, Transform};
use super::{bounded, halton, least_squares};
use nalgebra::DVector;

/// Points of a Halton sequence over the bounds at which the cost is looked at, and the best of them that are
/// started from. A look costs one evaluation, a start some hundred; a global solver (a swarm, simplices) would
/// spend more evaluations than these looks for the same basins.
const LOOKS: usize = 64;
const STARTS: usize = 8;

/// Of the starts, so many go on after evaluations of [`FEW`] times the number of parameters and one.
const FINALISTS: usize = 2;
const FEW: usize = 5;

/// How long a law with its own derivatives is searched with its bounds met and left, and how long to tell basins
/// apart. What the search leaves is for the descent after it, which works on scales where bounds lie at infinity and a
/// parameter on its way to one is long in coming.
const SEARCH: Search = Search { tolerance: 1e-12, steps: 200 };
const SCOUT: Search = Search { tolerance: 1e-4, steps: 5 };

/// Further starts are spread over this part of each interval (fractions of its scale).
const MARGIN: f64 = 0.05;

/// A lag correlation beyond this many of its standard deviations is a pattern: with hundreds of fits it comes up
/// once by chance in thirty thousand.
const PATTERN: f64 = 4.0;

/// Losses per degree of freedom beyond this are too many where the standard deviations given are to be trusted.
const REDUCED: f64 = 2.0;

/// Another minimum replaces the first when its cost is lower by this part.
const BETTER: f64 = 0.01;

/// The fit from the first start, or a better one from others where bounds or residuals demand them; the reason
/// and what came of it stand in the warnings.
pub(super) fn fit_on_demand(regression: &Regression<'_>) -> Result<FitResult, FitError> {
    let mut problem = regression.problem();
    let start = problem.start();
    if let Some((_, values)) = searched(&problem, &regression.options, &start, SEARCH) {
        start_at(&mut problem, &values);
    }
    let mut first = least_squares(&problem, &regression.options)?;
    let Some(reason) = reason(regression, &first) else { return Ok(first) };
    let own = |name: &str| regression.model.parameter(name).is_none();
    let shared: Vec<usize> =
        (0..problem.parameters.len()).filter(|&index| !own(&problem.parameters[index].name)).collect();
    // With the corner of the loss that the first fit found, so that costs compare.
    let options = FitOptions { loss: first.loss(&regression.options), starts: 1, ..regression.options };
    let mut restart = regression.problem();
    let mut looks: Vec<(f64, Vec<f64>)> = (1..=LOOKS)
        .map(|look| {
            let mut values = first.values();
            for (axis, &index) in shared.iter().enumerate() {
                let parameter = &restart.parameters[index];
                let fraction = MARGIN + (1.0 - 2.0 * MARGIN) * halton(look, axis);
                let u = match parameter.transform {
                    Transform::Free => values[index] + (2.0 * fraction - 1.0) * values[index].abs().max(1.0),
                    Transform::Linear | Transform::Log => (fraction / (1.0 - fraction)).ln(),
                };
                values[index] = parameter.value(u);
            }
            let cost =
                (restart.residuals)(&values).iter().map(|&r| options.loss.root(r).powi(2)).sum::<f64>();
            (cost, values)
        })
        .filter(|(cost, _)| cost.is_finite())
        .collect();
    looks.sort_by(|a, b| a.0.total_cmp(&b.0));
    looks.truncate(STARTS);
    // A few steps tell the basins apart; only from the best of them the descent goes to its end.
    let mut descended = |starts: &[(f64, Vec<f64>)], search: Search, patience: usize| {
        let options = FitOptions { patience: options.patience.min(patience), ..options };
        let mut found: Vec<(f64, Vec<f64>)> = Vec::new();
        for (_, values) in starts {
            if let Some(end) = searched(&restart, &options, values, search) {
                found.push(end);
                continue;
            }
            start_at(&mut restart, values);
            found.extend(least_squares(&restart, &options).map(|fit| (fit.cost, fit.values())));
        }
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        found
    };
    let mut ahead = descended(&looks, SCOUT, FEW);
    ahead.truncate(FINALISTS);
    let best = descended(&ahead, SEARCH, options.patience).into_iter().next();
    let tried = format!("{reason}: the best {STARTS} of {LOOKS} further starts were tried");
    match best {
        Some((cost, values)) if cost < first.cost * (1.0 - BETTER) => {
            start_at(&mut restart, &values);
            let mut found = least_squares(&restart, &FitOptions { starts: 1, ..regression.options })?;
            let words = format!(
                "{tried}, and the best of them is given (sum of losses {:.4} instead of {:.4})",
                cost, first.cost
            );
            found.warnings.push(words);
            Ok(found)
        }
        _ => {
            first.warnings.push(format!("{tried}; none fits better"));
            Ok(first)
        }
    }
}

fn start_at(problem: &mut Problem<'_>, values: &[f64]) {
    for (parameter, &value) in problem.parameters.iter_mut().zip(values) {
        parameter.start = parameter.value(parameter.coordinate(value));
    }
}

/// Cost and values at the end of a search from `values`; `None` without derivatives or squares to search with.
fn searched(
    problem: &Problem<'_>,
    options: &FitOptions,
    values: &[f64],
    search: Search,
) -> Option<(f64, Vec<f64>)> {
    if options.loss != Loss::Square {
        return None;
    }
    bounded(problem, values, search)
        .filter(|found| found.cost.is_finite())
        .map(|found| (found.cost, found.values))
}

/// Why more starts are in order.
fn reason(regression: &Regression<'_>, fit: &FitResult) -> Option<String> {
    if let Some(parameter) = fit.parameters.iter().find(|parameter| parameter.at_bound) {
        return Some(format!("{} lies on a bound", parameter.name));
    }
    let freedom = fit.points.saturating_sub(fit.parameters.len()).max(1) as f64;
    let reduced = fit.cost / freedom;
    if !regression.options.scale_covariance && reduced > REDUCED {
        return Some(format!("residuals are {:.1} times as large as the deviations given", reduced.sqrt()));
    }
    if !regression.options.alike_demands_starts {
        return None;
    }
    let pattern = pattern(regression, fit)?;
    (pattern > PATTERN)
        .then(|| format!("neighbouring residuals are alike ({pattern:.1} standard deviations from chance)"))
}

/// Correlation of neighbouring residuals along the curves, in its standard deviations, after every device was
/// given its own best parameters in the linear picture: what is left is no difference between devices.
fn pattern(regression: &Regression<'_>, fit: &FitResult) -> Option<f64> {
    let coordinates: Vec<f64> =
        regression.parameters.iter().zip(fit.values()).map(|(p, value)| p.coordinate(value)).collect();
    let loss = fit.loss(&regression.options);
    let blocks = Blocks::new(regression, loss, &coordinates, &vec![false; coordinates.len()]);
    let parts = blocks.at(&coordinates, &vec![1.0; regression.devices.len()], false)?;
    let (mut product, mut square, mut pairs) = (0.0, 0.0, 0.0);
    for (part, device) in parts.iter().zip(&regression.devices) {
        let mut residuals: DVector<f64> = part.residuals.map(|residual| loss.influence(residual));
        if parts.len() > 1 {
            let ones = DVector::from_element(residuals.len(), 1.0);
            let slopes = without_own(part, &ones);
            let svd = slopes.svd(true, false);
            if let Some(basis) = svd.u {
                let largest = svd.singular_values.max();
                for (column, value) in basis.column_iter().zip(svd.singular_values.iter()) {
                    if *value > 1e-9 * largest {
                        let along = column.dot(&residuals);
                        residuals.axpy(-along, &column, 1.0);
                    }
                }
            }
        }
        let mut start = 0;
        for series in &device.series {
            let end = (start + series.y.len()).min(residuals.len());
            let own = &residuals.as_slice()[start..end];
            product += own.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>();
            pairs += own.len().saturating_sub(1) as f64;
            square += own.iter().map(|residual| residual * residual).sum::<f64>();
            start = end;
        }
    }
    let count: usize = parts.iter().map(|part| part.residuals.len()).sum();
    let variance = square / count.max(1) as f64;
    (variance > 0.0 && pairs > 0.0).then(|| product / variance / pairs.sqrt())
}
