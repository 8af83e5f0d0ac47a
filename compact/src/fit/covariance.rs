//! From a minimum to uncertainties: covariance, intervals, criteria, warnings.

use super::combination;
use super::minimise::{Minimum, sum_of_squares, values};
use super::{Correlation, FitOptions, FitResult, FittedParameter, Loss, Problem, Slopes};
use nalgebra::DMatrix;

/// A condition number of the scaled normal matrix beyond this means: not identifiable.
const CONDITION_LIMIT: f64 = 1e8;

/// Correlations beyond this are reported.
const CORRELATION_LIMIT: f64 = 0.95;

/// Within this fraction of its interval from a bound, a value lies on it ...
const BOUND_FRACTION: f64 = 1e-4;

/// ... and within this one, when its coordinate is uncertain by more than [`BOUND_STD`].
const NEAR_BOUND_FRACTION: f64 = 0.02;
const BOUND_STD: f64 = 3.0;

/// Columns of the Jacobian this much smaller than the largest say nothing.
const NO_INFLUENCE: f64 = 1e-12;

/// Fills a [`FitResult`] for the minimum.
pub(super) fn describe(problem: &Problem<'_>, options: &FitOptions, best: &Minimum) -> FitResult {
    let count = problem.parameters.len();
    let residuals = (problem.residuals)(&values(problem, &best.coordinates));
    let points = residuals.len();
    let jacobian = match &problem.slopes {
        Some(slopes) => own_jacobian(problem, slopes, &best.coordinates, points),
        None => central_jacobian(problem, options, &best.coordinates, points),
    };
    let scale = variance_scale(options, options.loss, &residuals, count);

    let mut at_bound: Vec<bool> = fractions(problem, best)
        .iter()
        .map(|fraction| fraction.min(1.0 - fraction) < BOUND_FRACTION)
        .collect();
    let mut spread = Spread::new(&jacobian, &at_bound, scale);
    let near: Vec<usize> = (0..count)
        .filter(|&i| {
            let fraction = fractions(problem, best)[i];
            !at_bound[i]
                && fraction.min(1.0 - fraction) < NEAR_BOUND_FRACTION
                && (spread.covariance[(i, i)].sqrt() > BOUND_STD || spread.silent[i])
        })
        .collect();
    if !near.is_empty() {
        for index in near {
            at_bound[index] = true;
        }
        spread = Spread::new(&jacobian, &at_bound, scale);
    }

    let quantile = student_quantile_975(points.saturating_sub(count));
    let slopes: Vec<f64> =
        problem.parameters.iter().zip(&best.coordinates).map(|(parameter, &u)| parameter.slope(u)).collect();
    let parameters: Vec<FittedParameter> = problem
        .parameters
        .iter()
        .enumerate()
        .map(|(i, parameter)| {
            let u = best.coordinates[i];
            let known = !at_bound[i] && !spread.silent[i];
            let deviation = if known { spread.covariance[(i, i)].sqrt() } else { f64::NAN };
            let interval95 = if known {
                [parameter.value(u - quantile * deviation), parameter.value(u + quantile * deviation)]
            } else if at_bound[i] {
                [parameter.value(u), parameter.value(u)]
            } else {
                [parameter.lower, parameter.upper]
            };
            FittedParameter {
                name: parameter.name.clone(),
                value: parameter.value(u),
                std: deviation * slopes[i],
                interval95,
                unit: parameter.unit.clone(),
                at_bound: at_bound[i],
                lower: parameter.lower,
                upper: parameter.upper,
                transform: parameter.transform,
            }
        })
        .collect();
    let covariance = (0..count)
        .map(|i| (0..count).map(|j| spread.covariance[(i, j)] * slopes[i] * slopes[j]).collect())
        .collect();
    let correlations = spread.correlations(problem);
    let warnings = warnings(&parameters, &spread);
    let (aicc, bic) = criteria(best.cost, problem.effective_points.unwrap_or(points), count);
    let mut result = FitResult {
        parameters,
        covariance,
        rms: (sum_of_squares(&residuals) / points.max(1) as f64).sqrt(),
        rms_log: None,
        points,
        dropped: problem.dropped,
        aicc,
        bic,
        condition: spread.condition,
        correlations,
        warnings,
        cost: best.cost,
        loss_scale: match options.loss {
            Loss::SoftL1 { scale } => Some(scale),
            Loss::Square | Loss::Robust { .. } => None,
        },
        outliers: Vec::new(),
    };
    let pairs: Vec<String> =
        result.correlations.iter().map(|pair| combination::in_words(&result, pair)).collect();
    result.warnings.extend(pairs);
    result
}

fn fractions(problem: &Problem<'_>, best: &Minimum) -> Vec<f64> {
    problem
        .parameters
        .iter()
        .zip(&best.coordinates)
        .map(|(parameter, &u)| {
            parameter.transform.fraction(parameter.value(u), parameter.lower, parameter.upper)
        })
        .collect()
}

/// Derivatives of the plain residuals in free coordinates, as the model gives them.
fn own_jacobian(
    problem: &Problem<'_>,
    slopes: &Slopes<'_>,
    coordinates: &[f64],
    points: usize,
) -> DMatrix<f64> {
    let columns = slopes(&values(problem, coordinates), &vec![true; coordinates.len()]);
    let mut jacobian = DMatrix::zeros(points, coordinates.len());
    for (index, column) in columns.iter().enumerate() {
        let scale = problem.parameters[index].slope(coordinates[index]);
        for (row, slope) in column.iter().enumerate() {
            jacobian[(row, index)] = if slope.is_finite() { slope * scale } else { 0.0 };
        }
    }
    jacobian
}

/// Derivatives of the plain residuals in free coordinates, by central differences: once per fit,
/// and the covariance stands on them.
fn central_jacobian(
    problem: &Problem<'_>,
    options: &FitOptions,
    coordinates: &[f64],
    points: usize,
) -> DMatrix<f64> {
    let mut jacobian = DMatrix::zeros(points, coordinates.len());
    let mut moved = coordinates.to_vec();
    for column in 0..coordinates.len() {
        let u = coordinates[column];
        let step = options.difference_step.max(1e-5) * u.abs().max(1.0);
        moved[column] = u + step;
        let above = (problem.residuals)(&values(problem, &moved));
        moved[column] = u - step;
        let below = (problem.residuals)(&values(problem, &moved));
        moved[column] = u;
        for (row, (a, b)) in above.iter().zip(&below).enumerate() {
            let slope = (a - b) / (2.0 * step);
            jacobian[(row, column)] = if slope.is_finite() { slope } else { 0.0 };
        }
    }
    jacobian
}

/// Factor on (J^T J)^-1: the asymptotic variance of an M-estimator with Huber's correction for few
/// points (Huber 1981, 7.6), which for squares is the familiar residual sum over the degrees of
/// freedom.
pub(super) fn variance_scale(options: &FitOptions, loss: Loss, residuals: &[f64], count: usize) -> f64 {
    if !options.scale_covariance {
        return 1.0;
    }
    let points = residuals.len().max(1) as f64;
    let freedom = residuals.len().saturating_sub(count).max(1) as f64;
    let influence: f64 = residuals.iter().map(|&r| loss.influence(r).powi(2)).sum();
    let curvatures: Vec<f64> = residuals.iter().map(|&r| loss.curvature(r)).collect();
    let mean = (curvatures.iter().sum::<f64>() / points).max(f64::MIN_POSITIVE);
    let variance = curvatures.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / points;
    let correction = 1.0 + count as f64 / points * variance / (mean * mean);
    correction * correction * influence / freedom / (mean * mean)
}

/// Covariance in free coordinates, with parameters at bounds and without influence held fixed.
struct Spread {
    covariance: DMatrix<f64>,
    condition: f64,
    silent: Vec<bool>,
}

impl Spread {
    fn new(jacobian: &DMatrix<f64>, at_bound: &[bool], scale: f64) -> Self {
        let count = jacobian.ncols();
        let norms: Vec<f64> = (0..count).map(|column| jacobian.column(column).norm()).collect();
        let largest = norms.iter().copied().fold(0.0, f64::max);
        let silent: Vec<bool> = norms.iter().map(|&norm| norm <= NO_INFLUENCE * largest).collect();
        let free: Vec<usize> = (0..count).filter(|&i| !at_bound[i] && !silent[i]).collect();
        let mut covariance = DMatrix::zeros(count, count);
        let mut condition = 1.0;
        if !free.is_empty() {
            let scaled = DMatrix::from_fn(free.len(), free.len(), |i, j| {
                let (a, b) = (free[i], free[j]);
                jacobian.column(a).dot(&jacobian.column(b)) / (norms[a] * norms[b])
            });
            let eigen = scaled.symmetric_eigen();
            let highest = eigen.eigenvalues.max();
            let floor = highest * f64::EPSILON;
            condition = highest / eigen.eigenvalues.min().max(floor);
            let inverted = eigen.eigenvalues.map(|value| 1.0 / value.max(floor));
            let inverse =
                &eigen.eigenvectors * DMatrix::from_diagonal(&inverted) * eigen.eigenvectors.transpose();
            for (i, &a) in free.iter().enumerate() {
                for (j, &b) in free.iter().enumerate() {
                    covariance[(a, b)] = scale * inverse[(i, j)] / (norms[a] * norms[b]);
                }
            }
        }
        Self { covariance, condition, silent }
    }

    fn correlations(&self, problem: &Problem<'_>) -> Vec<Correlation> {
        let mut pairs = Vec::new();
        for i in 0..self.covariance.nrows() {
            for j in i + 1..self.covariance.nrows() {
                let product = self.covariance[(i, i)] * self.covariance[(j, j)];
                let coefficient = self.covariance[(i, j)] / product.sqrt();
                if product > 0.0 && coefficient.abs() > CORRELATION_LIMIT {
                    pairs.push(Correlation {
                        first: problem.parameters[i].name.clone(),
                        second: problem.parameters[j].name.clone(),
                        coefficient,
                    });
                }
            }
        }
        pairs
    }
}

fn warnings(parameters: &[FittedParameter], spread: &Spread) -> Vec<String> {
    let mut warnings = Vec::new();
    for (parameter, &silent) in parameters.iter().zip(&spread.silent) {
        let FittedParameter { name, value, .. } = parameter;
        let unit = if parameter.unit == "1" { String::new() } else { format!(" {}", parameter.unit) };
        if parameter.at_bound {
            let side = if parameter.transform.fraction(*value, parameter.lower, parameter.upper) < 0.5 {
                "lower"
            } else {
                "upper"
            };
            warnings.push(format!(
                "{name} lies on its {side} bound, {value:.4}{unit}: no uncertainty is given for it, \
                 and those of the others hold with it fixed there"
            ));
        } else if silent {
            warnings.push(format!("the data say nothing about {name}: it kept its start value"));
        }
    }
    if spread.condition > CONDITION_LIMIT {
        warnings.push(format!(
            "the data do not determine all parameters (condition number {:.1e}): only some \
             combination of them is known",
            spread.condition
        ));
    }
    warnings
}

/// AICc and BIC for `points` independent points and a residual sum `cost`.
pub(super) fn criteria(cost: f64, points: usize, count: usize) -> (f64, f64) {
    let (n, k) = (points as f64, count as f64);
    let fit = n * (cost.max(f64::MIN_POSITIVE) / n).ln();
    let spare = n - k - 1.0;
    let aicc = if spare > 0.0 { 2.0 * k + fit + 2.0 * k * (k + 1.0) / spare } else { f64::NAN };
    (aicc, k * n.ln() + fit)
}

/// The 97.5 % quantile of Student's t (Cornish-Fisher expansion, Abramowitz & Stegun 26.7.5; below
/// 1e-3 relative from three degrees of freedom on; one and two exactly).
pub fn student_quantile_975(freedom: usize) -> f64 {
    const Z: f64 = 1.959_963_984_540_054;
    match freedom {
        0 => f64::INFINITY,
        1 => 12.706_204_736_432_1,
        2 => 4.302_652_729_911_28,
        _ => {
            let n = freedom as f64;
            let z2 = Z * Z;
            let g1 = (z2 + 1.0) * Z / 4.0;
            let g2 = ((5.0 * z2 + 16.0) * z2 + 3.0) * Z / 96.0;
            let g3 = (((3.0 * z2 + 19.0) * z2 + 17.0) * z2 - 15.0) * Z / 384.0;
            let g4 = ((((79.0 * z2 + 776.0) * z2 + 1482.0) * z2 - 1920.0) * z2 - 945.0) * Z / 92160.0;
            Z + g1 / n + g2 / n.powi(2) + g3 / n.powi(3) + g4 / n.powi(4)
        }
    }
}
