//! What the parameters that were left out leave open in the others.
//!
//! A parameter that AICc does not want is not known to have no effect: the data only do not show it. Its effect may
//! be anything that they allow, and the others move with it. So the error of the others is that of the fit without
//! it, plus how far they follow it, over all values that it may have: `C + F E(d d') F'` with the departures `d` of
//! the parameters left out from where they were put, normal in the linear picture and cut off at their bounds (a
//! resistance is not negative). Intervals from `C` alone are too narrow (Leeb & Poetscher, Econometric Theory 21, 21,
//! 2005).

use crate::fit::{FitResult, Held, Parameter, Problem, held_freedom, student_quantile_975};
use nalgebra::{DMatrix, DVector};

/// Sweeps of expectation propagation; it settles in some ten.
const SWEEPS: usize = 60;
const SETTLED: f64 = 1e-6;

/// Distance of a cut from the mean, in standard deviations, beyond which the tail is taken by its expansion.
const TAIL: f64 = 5.0;

/// Mean and variance of a normal number of this mean and standard deviation between two cuts.
fn cut_normal(mean: f64, std: f64, low: f64, high: f64) -> (f64, f64) {
    let (a, b) = ((low - mean) / std, (high - mean) / std);
    if a > TAIL || b < -TAIL {
        // The tail beyond the nearer cut: 1/a - 2/a^3 of mean and 1/a^2 - 6/a^4 of variance.
        let (edge, distance, way) = if a > TAIL { (low, a, 1.0) } else { (high, -b, -1.0) };
        let width = (high - low) / std;
        let off = (1.0 / distance - 2.0 / distance.powi(3)).min(0.5 * width);
        let variance = (distance.powi(-2) - 6.0 * distance.powi(-4)).min(width * width / 12.0);
        return (edge + way * off * std, variance * std * std);
    }
    let density =
        |x: f64| if x.is_finite() { (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt() } else { 0.0 };
    let below = |x: f64| 0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2);
    let part = (below(b) - below(a)).max(f64::MIN_POSITIVE);
    let times = |x: f64| if x.is_finite() { x * density(x) } else { 0.0 };
    let shift = (density(a) - density(b)) / part;
    let variance = 1.0 + (times(a) - times(b)) / part - shift * shift;
    // Between close cuts the two terms cancel; the even spread is what is left.
    let even = ((b - a) * (b - a) / 12.0).min(1.0);
    let variance = if variance > 1e-6 { variance } else { even };
    ((mean + std * shift).clamp(low, high), variance * std * std)
}

/// Mean and covariance of a normal vector of this information and score inside a box, by expectation propagation
/// (Minka, UAI 2001; for boxes: Cunningham, Hennig & Lacoste-Julien, arXiv:1111.6832).
fn boxed(
    information: &DMatrix<f64>,
    score: &DVector<f64>,
    cuts: &[[f64; 2]],
) -> Option<(DVector<f64>, DMatrix<f64>)> {
    let count = cuts.len();
    // The widths of the box, as a normal of the same spread, keep the first inverse finite.
    let mut precision: Vec<f64> = cuts.iter().map(|[low, high]| 12.0 / (high - low).powi(2)).collect();
    let mut pull: Vec<f64> =
        cuts.iter().zip(&precision).map(|([low, high], p)| 0.5 * (low + high) * p).collect();
    let solved = |precision: &[f64], pull: &[f64]| -> Option<(DVector<f64>, DMatrix<f64>)> {
        let whole = information + DMatrix::from_diagonal(&DVector::from_column_slice(precision));
        let scales = whole.diagonal().map(|value| value.max(f64::MIN_POSITIVE).sqrt().recip());
        let unit = DMatrix::from_fn(count, count, |i, j| whole[(i, j)] * scales[i] * scales[j]);
        let inverse = unit.cholesky()?.inverse();
        let covariance = DMatrix::from_fn(count, count, |i, j| inverse[(i, j)] * scales[i] * scales[j]);
        let mean = &covariance * (score + DVector::from_column_slice(pull));
        Some((mean, covariance))
    };
    let (mut mean, mut covariance) = solved(&precision, &pull)?;
    for _ in 0..SWEEPS {
        let before = mean.clone();
        for index in 0..count {
            let own = covariance[(index, index)];
            let (cavity, lean) = (1.0 / own - precision[index], mean[index] / own - pull[index]);
            if cavity.is_nan() || cavity <= 1e-12 / own {
                continue;
            }
            let [low, high] = cuts[index];
            let (found, variance) = cut_normal(lean / cavity, cavity.sqrt().recip(), low, high);
            precision[index] = (1.0 / variance - cavity).max(0.0);
            pull[index] = found / variance - lean;
            (mean, covariance) = solved(&precision, &pull)?;
        }
        let change = (0..count).map(|i| (mean[i] - before[i]).abs() / covariance[(i, i)].sqrt());
        if change.fold(0.0, f64::max) < SETTLED {
            break;
        }
    }
    Some((mean, covariance))
}

/// A parameter that was left out, and the largest departure that the data allow (95 %, one-sided).
pub(super) struct Allowed {
    /// Place in the problem.
    pub place: usize,
    /// Largest value.
    pub most: f64,
    /// Smallest value.
    pub least: f64,
}

/// Widens the intervals of `fit` by what the parameters of the whole `problem` that it does without, or that lie on
/// a bound, leave open. `values` are those of the whole problem.
pub(super) fn widen(fit: &mut FitResult, problem: &Problem<'_>, values: &[f64]) -> Vec<Allowed> {
    let held: Vec<bool> = problem
        .parameters
        .iter()
        .map(|parameter| fit.parameter(&parameter.name).is_none_or(|found| !found.std.is_finite()))
        .collect();
    let Some(freedom) = held_freedom(problem, values, &held) else { return Vec::new() };
    let Held { places, others, follow, information, score } = freedom;
    let freedom = fit.points.saturating_sub(fit.parameters.len()).max(1);
    let variance = fit.cost / freedom as f64;
    if variance.is_nan() || variance <= 0.0 {
        return Vec::new();
    }
    let cuts: Vec<[f64; 2]> = places
        .iter()
        .map(|&place| {
            let Parameter { lower, upper, .. } = problem.parameters[place];
            [lower.min(values[place]) - values[place], upper.max(values[place]) - values[place]]
        })
        .collect();
    let Some((mean, covariance)) = boxed(&(information / variance), &(score / variance), &cuts) else {
        return Vec::new();
    };
    let second = &covariance + &mean * mean.transpose();
    let added = &follow * second * follow.transpose();
    let quantile = student_quantile_975(freedom);
    for (row, &i) in others.iter().enumerate() {
        let name = &problem.parameters[i].name;
        let Some(a) = fit.parameters.iter().position(|parameter| parameter.name == *name) else { continue };
        for (column, &j) in others.iter().enumerate() {
            let other = &problem.parameters[j].name;
            if let Some(b) = fit.parameters.iter().position(|parameter| parameter.name == *other) {
                fit.covariance[a][b] += added[(row, column)];
            }
        }
        let std = fit.covariance[a][a].sqrt();
        let found = &mut fit.parameters[a];
        let scale = &problem.parameters[i];
        let u = scale.coordinate(found.value);
        let reach = quantile * std / scale.slope(u);
        found.std = std;
        found.interval95 = [scale.value(u - reach), scale.value(u + reach)];
    }
    places
        .iter()
        .enumerate()
        .map(|(index, &place)| {
            let reach = 1.645 * covariance[(index, index)].sqrt();
            let [low, high] = cuts[index];
            let value = values[place];
            Allowed {
                place,
                most: value + (mean[index] + reach).min(high),
                least: value + (mean[index] - reach).max(low),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half a normal: mean sqrt(2/pi), second moment 1; a tail: the exponential's moments.
    #[test]
    fn cut_normals_have_closed_forms() {
        let (mean, variance) = cut_normal(0.0, 1.0, 0.0, f64::INFINITY);
        assert!((mean - (2.0 / std::f64::consts::PI).sqrt()).abs() < 1e-12);
        assert!((variance + mean * mean - 1.0).abs() < 1e-12);
        let (mean, variance) = cut_normal(0.0, 1.0, 20.0, f64::INFINITY);
        assert!((mean - 20.0 - 0.05).abs() < 1e-3 && (variance.sqrt() - 0.05).abs() < 1e-3);
        // Close cuts: evenly spread.
        let (mean, variance) = cut_normal(0.3, 1.0, 0.0, 1e-4);
        assert!((mean - 5e-5).abs() < 1e-8 && (variance / (1e-8 / 12.0) - 1.0).abs() < 1e-3);
    }

    /// Two correlated numbers, both positive: moments by summing the density over a grid. Expectation propagation is
    /// no identity; five hundredths are less than what an interval could show.
    #[test]
    fn moments_in_a_box() {
        let information = DMatrix::from_row_slice(2, 2, &[1.0, 0.8, 0.8, 1.0]) / 0.36;
        let score = &information * DVector::from_vec(vec![0.5, -0.3]);
        let (mean, covariance) = boxed(&information, &score, &[[0.0, 50.0]; 2]).unwrap();
        let (mut total, mut first, mut second) = (0.0, [0.0; 2], [0.0; 2]);
        for i in 0..1000 {
            for j in 0..1000 {
                let x = DVector::from_vec(vec![0.005 * (f64::from(i) + 0.5), 0.005 * (f64::from(j) + 0.5)]);
                let weight = (score.dot(&x) - 0.5 * x.dot(&(&information * &x))).exp();
                total += weight;
                for k in 0..2 {
                    first[k] += weight * x[k];
                    second[k] += weight * x[k] * x[k];
                }
            }
        }
        for k in 0..2 {
            let found = covariance[(k, k)] + mean[k] * mean[k];
            assert!((found / (second[k] / total) - 1.0).abs() < 0.05, "{found} {}", second[k] / total);
            assert!((mean[k] / (first[k] / total) - 1.0).abs() < 0.05);
        }
    }
}
