//! Likelihood interval of one parameter: the others are fitted anew at every value of it.

use super::covariance::student_quantile_975;
use super::minimise::minimise;
use super::{FitError, FitOptions, FitResult, Problem};

/// A 95 % interval from the profile likelihood.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ProfileInterval {
    /// Lower end; the parameter's bound where the data set none.
    pub lower: f64,
    /// Upper end; the parameter's bound where the data set none.
    pub upper: f64,
    /// Whether the data set no lower end within the bounds.
    pub lower_open: bool,
    /// Whether the data set no upper end within the bounds.
    pub upper_open: bool,
}

/// Farthest that a bounded parameter's free coordinate is followed: a millionth from the bound.
const COORDINATE_LIMIT: f64 = 13.8;

/// Steps of the search for the end; each halves the bracket.
const BISECTIONS: usize = 18;

/// Profile interval of parameter `index` around a fit of the same problem and options.
///
/// The end is where the cost has grown by t^2 times the residual variance (or by t^2 alone when
/// the options trust the given sigmas).
///
/// # Errors
/// [`FitError`] when the index is wrong or no fit with the parameter fixed succeeds.
pub fn profile(
    problem: &Problem<'_>,
    options: &FitOptions,
    result: &FitResult,
    index: usize,
) -> Result<ProfileInterval, FitError> {
    let parameter = problem.parameters.get(index).ok_or(FitError::NoSuchParameter(index))?;
    let best: Vec<f64> =
        problem.parameters.iter().zip(result.values()).map(|(p, value)| p.coordinate(value)).collect();
    let freedom = result.points.saturating_sub(problem.parameters.len()).max(1);
    let variance = if options.scale_covariance { result.cost / freedom as f64 } else { 1.0 };
    let limit = result.cost + student_quantile_975(freedom).powi(2) * variance;
    let single = FitOptions { starts: 1, ..*options };
    let slope = parameter.slope(best[index]);
    let guess = result.parameters[index].std / slope;
    let step = if guess.is_finite() { guess.clamp(0.01, 4.0) } else { 0.5 };

    let side = |sign: f64| -> Result<Option<f64>, FitError> {
        let mut inside = best.clone();
        let mut reach = step;
        let (mut low, mut high) = (best[index], None);
        while high.is_none() {
            let mut u = best[index] + sign * reach;
            let bounded = parameter.lower.is_finite();
            let last = bounded && u.abs() >= COORDINATE_LIMIT && u * sign > 0.0;
            if last {
                u = sign * COORDINATE_LIMIT;
            }
            let mut start = inside.clone();
            start[index] = u;
            let minimum = minimise(problem, &single, &start, Some(index))?;
            if minimum.cost > limit {
                high = Some(u);
            } else if last || reach > 1e6 {
                return Ok(None);
            } else {
                low = u;
                inside = minimum.coordinates;
                reach *= 2.0;
            }
        }
        let mut high = high.unwrap_or(low);
        for _ in 0..BISECTIONS {
            let middle = 0.5 * (low + high);
            let mut start = inside.clone();
            start[index] = middle;
            let minimum = minimise(problem, &single, &start, Some(index))?;
            if minimum.cost > limit {
                high = middle;
            } else {
                low = middle;
                inside = minimum.coordinates;
            }
        }
        Ok(Some(0.5 * (low + high)))
    };
    let (below, above) = (side(-1.0)?, side(1.0)?);
    Ok(ProfileInterval {
        lower: below.map_or(parameter.lower, |u| parameter.value(u)),
        upper: above.map_or(parameter.upper, |u| parameter.value(u)),
        lower_open: below.is_none(),
        upper_open: above.is_none(),
    })
}
