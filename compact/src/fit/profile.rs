//! Likelihood interval of one parameter: the others are fitted anew at every value of it.

use super::blocks::Blocks;
use super::cluster::cluster;
use super::covariance::{student_quantile_975, variance_scale};
use super::descent::Stop;
use super::minimise::minimise;
use super::{FitError, FitOptions, FitResult, Problem, Regression, Transform};

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

/// Relative error of the root of the growth of the cost at an end.
const END_TOLERANCE: f64 = 1e-3;

/// Refits for an end at most.
const END_STEPS: usize = 30;

/// Refits of a profile are within this part of a standard deviation (squared) of their minimum.
const STOP: Stop = Stop { gain: 1e-7, steps: 60, trusting: true };

impl Regression<'_> {
    /// Profile interval of the shared parameter `index` around [`Regression::fit`]: its ends are where the cost has
    /// grown by as much as it would at those of [`FittedParameter::interval95`](super::FittedParameter::interval95)
    /// were the law linear. So the scatter between devices counts as it does there (Chandler & Bate, Biometrika
    /// 94, 167, 2007).
    ///
    /// # Errors
    /// [`FitError::NoSuchParameter`] for an index out of range, a parameter at a bound or one of a single device;
    /// others when no refit succeeds.
    pub fn profile(&self, fit: &FitResult, index: usize) -> Result<ProfileInterval, FitError> {
        let none = || FitError::NoSuchParameter(index);
        let fitted = fit.parameters.get(index).filter(|fitted| fitted.std.is_finite()).ok_or_else(none)?;
        let parameter = &self.parameters[index];
        let loss = fit.loss(&self.options);
        let mut held: Vec<bool> = fit.parameters.iter().map(|parameter| !parameter.std.is_finite()).collect();
        let best: Vec<f64> =
            self.parameters.iter().zip(fit.values()).map(|(p, value)| p.coordinate(value)).collect();
        let ones = vec![1.0; self.devices.len()];
        let whole = Blocks::new(self, loss, &best, &held).without(&fit.outliers);
        let place = whole.layout.shared.iter().position(|shared| *shared == index).ok_or_else(none)?;
        let lost = || FitError::BrokeDown("the data do not determine the parameter".into());
        let parts = whole.at(&best, &ones, true).ok_or_else(lost)?;
        let inverse =
            cluster(&parts, whole.known(&best, &[]).as_ref(), &ones, loss).ok_or_else(lost)?.inverse;
        let [low, high] = fitted.interval95.map(|value| parameter.coordinate(value));
        let reach = 0.5 * (high - low);
        let wanted = reach / inverse[(place, place)].sqrt();
        let least = whole.cost_at(&best, &ones, &[]);
        held[index] = true;
        let others = Blocks::new(self, loss, &best, &held).without(&fit.outliers);
        let bounded = parameter.transform != Transform::Free;
        let side = |sign: f64| -> Result<Option<f64>, FitError> {
            let mut start = best.clone();
            let mut root = |u: f64| -> Result<f64, FitError> {
                start[index] = u;
                let settled = others.minimise(&start, &ones, &[], None, STOP)?;
                start = settled.coordinates;
                Ok((others.cost_at(&start, &ones, &[]) - least).max(0.0).sqrt() - wanted)
            };
            // The root of the growth is nearly linear: regula falsi with Illinois' halving, after a bracket.
            let (mut inside, mut before) = (best[index], -wanted);
            let mut step = reach;
            let (mut outside, mut after) = loop {
                let last = bounded && (inside + sign * step).abs() >= COORDINATE_LIMIT;
                let u = if last { sign * COORDINATE_LIMIT } else { inside + sign * step };
                let value = root(u)?;
                if value > 0.0 {
                    break (u, value);
                }
                if last || step > 1e6 * reach {
                    return Ok(None);
                }
                (inside, before) = (u, value);
                step *= 1.5;
            };
            let mut kept = 0;
            for _ in 0..END_STEPS {
                if after.min(-before) < END_TOLERANCE * wanted {
                    break;
                }
                let u = inside + (outside - inside) * before / (before - after);
                let value = root(u)?;
                if value > 0.0 {
                    (outside, after) = (u, value);
                    before *= if kept > 0 { 0.5 } else { 1.0 };
                    kept = 1;
                } else {
                    (inside, before) = (u, value);
                    after *= if kept < 0 { 0.5 } else { 1.0 };
                    kept = -1;
                }
            }
            Ok(Some(if after < -before { outside } else { inside }))
        };
        let (below, above) = (side(-1.0)?, side(1.0)?);
        Ok(ProfileInterval {
            lower: below.map_or(parameter.lower, |u| parameter.value(u)),
            upper: above.map_or(parameter.upper, |u| parameter.value(u)),
            lower_open: below.is_none(),
            upper_open: above.is_none(),
        })
    }
}

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
    let options = &FitOptions { loss: result.loss(options), ..*options };
    let residuals = (problem.residuals)(&result.values());
    // What half the second derivative of the cost is in units of the variance: of squares the residual variance, of
    // an M-estimator its variance over its mean curvature.
    let curvature =
        residuals.iter().map(|&r| options.loss.curvature(r)).sum::<f64>() / residuals.len().max(1) as f64;
    let variance = variance_scale(options, options.loss, &residuals, problem.parameters.len()) * curvature;
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
