//! Least squares inside a box, for laws with their own derivatives: bounds are met and left again.
//!
//! Levenberg's and Marquardt's damped step with an active set. A parameter stays on its bound as long as the cost
//! falls outwards there, and the rest of the step is found with it held (Lawson & Hanson, Solving Least Squares
//! Problems, 1974, chapter 23; Kanzow, Yamashita & Fukushima, J. Comput. Appl. Math. 172, 375, 2004). On the scales
//! of [`Transform`] a bound lies at infinity, where the slope vanishes: a resistance that a poor start has driven to
//! zero never comes back. Here it does.

use super::minimise::sum_of_squares;
use super::{Problem, Transform};
use nalgebra::{Cholesky, DMatrix, DVector};

/// Damping at the start, and the factors by which it falls and rises.
const FIRST_DAMPING: f64 = 1e-2;
const EASE: f64 = 0.2;
const STIFFEN: f64 = 4.0;
const LEAST_DAMPING: f64 = 1e-12;
const MOST_DAMPING: f64 = 1e12;

/// Parts of the predicted gain below which a step is shortened, and above which the next may be longer.
const POOR: f64 = 0.25;
const GOOD: f64 = 0.75;

/// How long is searched.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Search {
    /// The search ends when a step promises less than this part of the cost.
    pub tolerance: f64,
    /// Steps at most.
    pub steps: usize,
}

/// Where a search ended.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// Values in the parameters' own units.
    pub values: Vec<f64>,
    /// Sum of squares.
    pub cost: f64,
}

/// Scales without bounds at infinity: the value, or its logarithm.
fn scaled(transform: Transform, value: f64) -> f64 {
    if transform == Transform::Log { value.ln() } else { value }
}

fn unscaled(transform: Transform, x: f64) -> f64 {
    if transform == Transform::Log { x.exp() } else { x }
}

/// Residuals of `problem` with their derivatives on those scales; `None` where they are not numbers or the problem
/// has no derivatives.
fn linearised(
    problem: &Problem<'_>,
    values: &[f64],
    residuals: Vec<f64>,
) -> Option<(DVector<f64>, DMatrix<f64>)> {
    let slopes = problem.slopes.as_ref()?;
    let residuals = DVector::from_vec(residuals);
    let columns = slopes(values, &vec![true; values.len()]);
    let mut jacobian = DMatrix::zeros(residuals.len(), values.len());
    for (index, column) in columns.iter().enumerate() {
        let log = problem.parameters[index].transform == Transform::Log;
        let scale = if log { values[index] } else { 1.0 };
        for (row, slope) in column.iter().enumerate() {
            jacobian[(row, index)] = slope * scale;
        }
    }
    let sound = residuals.iter().chain(jacobian.iter()).all(|value| value.is_finite());
    sound.then_some((residuals, jacobian))
}

/// Searches from `values`; `None` without derivatives, or when the start has no finite cost.
pub(crate) fn bounded(problem: &Problem<'_>, values: &[f64], search: Search) -> Option<Found> {
    let parameters = &problem.parameters;
    let place = |value: f64, index: usize| scaled(parameters[index].transform, value);
    let low: Vec<f64> = (0..values.len()).map(|index| place(parameters[index].lower, index)).collect();
    let high: Vec<f64> = (0..values.len()).map(|index| place(parameters[index].upper, index)).collect();
    let mut x: Vec<f64> =
        (0..values.len()).map(|index| place(values[index], index).clamp(low[index], high[index])).collect();
    let own = |x: &[f64]| -> Vec<f64> {
        let inside = |(parameter, &x): (&super::Parameter, &f64)| {
            unscaled(parameter.transform, x).clamp(parameter.lower, parameter.upper)
        };
        parameters.iter().zip(x).map(inside).collect()
    };
    let mut here = own(&x);
    let (mut residuals, mut jacobian) = linearised(problem, &here, (problem.residuals)(&here))?;
    let mut cost = residuals.norm_squared();
    let mut damping = FIRST_DAMPING;
    let mut lengths = DVector::zeros(x.len());
    for _ in 0..search.steps {
        let normal = jacobian.tr_mul(&jacobian);
        let gradient = jacobian.tr_mul(&residuals);
        for (length, own) in lengths.iter_mut().zip(normal.diagonal().iter()) {
            *length = own.max(1e-3 * *length);
        }
        let mut moved = None;
        while damping < MOST_DAMPING {
            let step = inside(&normal, &gradient, &lengths, damping, [&x, &low, &high]);
            let promised = -2.0 * gradient.dot(&step) - step.dot(&(&normal * &step));
            if promised <= search.tolerance * cost {
                break;
            }
            let there: Vec<f64> = x.iter().zip(step.iter()).map(|(x, step)| x + step).collect();
            let values = own(&there);
            let found = (problem.residuals)(&values);
            let kept = (cost - sum_of_squares(&found)) / promised;
            // What is no number is no gain.
            if kept > GOOD {
                damping *= EASE;
            } else if kept.is_nan() || kept < POOR {
                damping *= STIFFEN;
            }
            if kept > 1e-4 {
                moved = Some((there, values, found));
                break;
            }
        }
        let Some((there, values, found)) = moved else { break };
        let Some((r, j)) = linearised(problem, &values, found) else { break };
        (x, here, residuals, jacobian) = (there, values, r, j);
        cost = residuals.norm_squared();
        damping = damping.max(LEAST_DAMPING);
    }
    Some(Found { values: here, cost })
}

/// The damped step inside the box: parameters that it takes over a bound are taken to it, and the rest is found
/// again.
fn inside(
    normal: &DMatrix<f64>,
    gradient: &DVector<f64>,
    lengths: &DVector<f64>,
    damping: f64,
    [x, low, high]: [&[f64]; 3],
) -> DVector<f64> {
    let count = x.len();
    let mut step = DVector::zeros(count);
    let mut free: Vec<usize> = (0..count)
        .filter(|&i| {
            let outwards = (x[i] <= low[i] && gradient[i] > 0.0) || (x[i] >= high[i] && gradient[i] < 0.0);
            !outwards && lengths[i] > 0.0
        })
        .collect();
    while !free.is_empty() {
        let scale = |i: usize| lengths[i].sqrt();
        let matrix = DMatrix::from_fn(free.len(), free.len(), |a, b| {
            let (i, j) = (free[a], free[b]);
            normal[(i, j)] / (scale(i) * scale(j)) + if a == b { damping + 1e-14 } else { 0.0 }
        });
        // Against the slope that is left where the others have gone to their bounds.
        let left = gradient + normal * &step;
        let right = DVector::from_iterator(free.len(), free.iter().map(|&i| -left[i] / scale(i)));
        let Some(factor) = Cholesky::new(matrix) else { break };
        let solution = factor.solve(&right);
        let over: Vec<usize> = (0..free.len())
            .filter(|&a| {
                let i = free[a];
                let there = x[i] + solution[a] / scale(i);
                !(low[i]..=high[i]).contains(&there)
            })
            .collect();
        if over.is_empty() {
            for (a, &i) in free.iter().enumerate() {
                step[i] = solution[a] / scale(i);
            }
            break;
        }
        for &a in &over {
            let i = free[a];
            step[i] = if solution[a] < 0.0 { low[i] - x[i] } else { high[i] - x[i] };
        }
        let mut a = 0;
        free.retain(|_| {
            a += 1;
            !over.contains(&(a - 1))
        });
    }
    step
}

/// What parameters held at values could be, to linear order about a minimum of the others.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    /// Places of the held parameters that have an influence of their own beside the others.
    pub places: Vec<usize>,
    /// Places of the others.
    pub others: Vec<usize>,
    /// How the others follow, in own units: rows others, columns held.
    pub follow: DMatrix<f64>,
    /// Information about departures of the held parameters, the others following.
    pub information: DMatrix<f64>,
    /// Its product with the best departures.
    pub score: DVector<f64>,
}

/// [`Held`] for the parameters of `problem` that `held` marks, at `values`; `None` without derivatives or parameters
/// that move, or where no held parameter has an influence.
pub(crate) fn held_freedom(problem: &Problem<'_>, values: &[f64], held: &[bool]) -> Option<Held> {
    /// Part of a column's square that is its own, below which rounding rules.
    const OWN_PART: f64 = 1e-9;
    /// Singular values of the scaled others below this part of the largest are none.
    const SINGULAR: f64 = 1e-7;
    let slopes = problem.slopes.as_ref()?;
    let residuals = DVector::from_vec((problem.residuals)(values));
    let columns = slopes(values, &vec![true; values.len()]);
    if columns.iter().flatten().chain(residuals.iter()).any(|value| !value.is_finite()) {
        return None;
    }
    let column = |index: usize| DVector::from_column_slice(&columns[index]);
    let others: Vec<usize> = (0..values.len()).filter(|&index| !held[index]).collect();
    // With nothing free beside them there is nothing that could follow.
    if others.is_empty() {
        return None;
    }
    let norms: Vec<f64> = others.iter().map(|&index| column(index).norm().max(f64::MIN_POSITIVE)).collect();
    let unit = DMatrix::from_columns(
        &others.iter().zip(&norms).map(|(&index, norm)| column(index) / *norm).collect::<Vec<_>>(),
    );
    let svd = unit.clone().svd(true, true);
    let least = SINGULAR * svd.singular_values.max();
    let (mut places, mut follow, mut own) = (Vec::new(), Vec::new(), Vec::new());
    for index in (0..values.len()).filter(|&index| held[index]) {
        let b = column(index);
        let solution = svd.solve(&b, least).ok()?;
        let rest = &b - &unit * &solution;
        if rest.norm_squared() > OWN_PART * b.norm_squared() {
            places.push(index);
            let own_units = solution.iter().zip(&norms).map(|(s, norm)| -s / norm);
            follow.push(DVector::from_iterator(norms.len(), own_units));
            own.push(rest);
        }
    }
    if places.is_empty() {
        return None;
    }
    let own = DMatrix::from_columns(&own);
    Some(Held {
        places,
        others,
        follow: DMatrix::from_columns(&follow),
        information: own.tr_mul(&own),
        // What the others explain of the residuals has no part along what is its own.
        score: -own.tr_mul(&residuals),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fit::Parameter;

    fn line(start: [f64; 2], lower: f64) -> Problem<'static> {
        let parameters = vec![
            Parameter::new("offset", "1", start[0], lower, 10.0, Transform::Linear),
            Parameter::new("rate", "1", start[1], 1e-3, 1e3, Transform::Log),
        ];
        let x: Vec<f64> = (0..20).map(|i| 0.1 * f64::from(i)).collect();
        let again = x.clone();
        let mut problem = Problem::new(parameters, move |p| {
            x.iter().map(|x| (-2.0 * x).exp() + 0.3 - p[0] - (-p[1] * x).exp()).collect()
        });
        problem.slopes = Some(Box::new(move |p, _| {
            vec![vec![-1.0; again.len()], again.iter().map(|x| x * (-p[1] * x).exp()).collect()]
        }));
        problem
    }

    #[test]
    fn a_bound_is_left_where_the_cost_falls_inwards() {
        let search = Search { tolerance: 1e-12, steps: 100 };
        let found = bounded(&line([0.0, 0.01], 0.0), &[0.0, 0.01], search).unwrap();
        assert!((found.values[0] - 0.3).abs() < 1e-5 && (found.values[1] - 2.0).abs() < 1e-4, "{found:?}");
    }

    #[test]
    fn a_bound_is_kept_where_it_is_best() {
        let search = Search { tolerance: 1e-12, steps: 100 };
        let found = bounded(&line([1.0, 1.0], 0.4), &[1.0, 1.0], search).unwrap();
        assert_eq!(found.values[0], 0.4, "{found:?}");
        // The other one is the best with it held: no slope is left.
        let problem = line([1.0, 1.0], 0.4);
        let (residuals, jacobian) =
            linearised(&problem, &found.values, (problem.residuals)(&found.values)).unwrap();
        let slope = jacobian.column(1).dot(&residuals).abs();
        assert!(slope < 1e-4 * jacobian.column(1).norm() * residuals.norm(), "{slope}");
    }

    /// A line with its slope held at 0: the offset follows by the mean abscissa, and the slope is what it is.
    #[test]
    fn freedom_of_a_line() {
        let x: Vec<f64> = (0..5).map(f64::from).collect();
        let parameters = vec![Parameter::free("offset", "1", 0.0), Parameter::free("slope", "1", 0.0)];
        let (a, b) = (x.clone(), x.clone());
        let mut problem =
            Problem::new(parameters, move |p| a.iter().map(|x| 1.0 + 0.5 * x - p[0] - p[1] * x).collect());
        problem.slopes = Some(Box::new(move |_, _| vec![vec![-1.0; 5], b.iter().map(|x| -x).collect()]));
        let held = held_freedom(&problem, &[2.0, 0.0], &[false, true]).unwrap();
        assert_eq!((held.places, held.others), (vec![1], vec![0]));
        assert!((held.follow[(0, 0)] + 2.0).abs() < 1e-9, "{:?}", held.follow);
        // Sum (x - mean)^2, and that times the slope that the line has.
        assert!((held.information[(0, 0)] - 10.0).abs() < 1e-9);
        assert!((held.score[0] - 5.0).abs() < 1e-9);
    }
}
