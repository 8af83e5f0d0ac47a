//! Likelihood interval of one parameter: the others are fitted anew at every value of it.

use super::blocks::{Block, Blocks};
use super::cluster::cluster;
use super::covariance::{student_quantile_975, variance_scale};
use super::descent::{FARTHEST, Stop};
use super::minimise::minimise;
use super::scaled::inverse;
use super::{FitError, FitOptions, FitResult, Problem, Regression, Transform};
use nalgebra::{DMatrix, DVector};

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

/// An end that lies farther out than the last guess is looked for by secants, at most so many times as far.
const FARTHER: f64 = 2.5;

/// Refits of a profile end with a step of at most a hundredth of a standard deviation, which is still taken: the growth
/// of the cost, some four variances at an end, is then off by less than 1e-4 of itself.
const STOP: Stop = Stop { gain: 1e-4, steps: 60, trusting: true };

/// What the profiles of one fit share: the best point, its linear picture and the least cost.
pub struct Profiles<'r, 'a> {
    fit: &'r FitResult,
    blocks: Blocks<'r, 'a>,
    parts: Vec<Block>,
    /// Inverse of the normal matrix of the shared parameters.
    inverse: DMatrix<f64>,
    best: Vec<f64>,
    ones: Vec<f64>,
    least: f64,
}

impl<'a> Regression<'a> {
    /// Profile intervals around [`Regression::fit`].
    ///
    /// # Errors
    /// [`FitError::BrokeDown`] where the data do not determine the parameters.
    pub fn profiles<'r>(&'r self, fit: &'r FitResult) -> Result<Profiles<'r, 'a>, FitError> {
        let loss = fit.loss(&self.options);
        let held: Vec<bool> = fit.parameters.iter().map(|parameter| !parameter.std.is_finite()).collect();
        let best: Vec<f64> =
            self.parameters.iter().zip(fit.values()).map(|(p, value)| p.coordinate(value)).collect();
        let ones = vec![1.0; self.devices.len()];
        let blocks = Blocks::new(self, loss, &best, &held).without(&fit.outliers);
        let lost = || FitError::BrokeDown("the data do not determine the parameters".into());
        let parts = blocks.at(&best, &ones, true).ok_or_else(lost)?;
        let known = blocks.known(&best, &[]);
        let inverse = cluster(&parts, known.as_ref(), &ones, loss).ok_or_else(lost)?.inverse;
        let least = blocks.cost_at(&best, &ones, &[]);
        Ok(Profiles { fit, blocks, parts, inverse, best, ones, least })
    }

    /// [`Profiles::interval`] of one parameter.
    ///
    /// # Errors
    /// As [`Self::profiles`] and [`Profiles::interval`].
    pub fn profile(&self, fit: &FitResult, index: usize) -> Result<ProfileInterval, FitError> {
        let known = fit.parameters.get(index).is_some_and(|fitted| fitted.std.is_finite());
        if known { self.profiles(fit)?.interval(index) } else { Err(FitError::NoSuchParameter(index)) }
    }
}

impl Profiles<'_, '_> {
    /// Parameters that have a profile: those that devices share and that are off their bounds.
    pub fn shared(&self) -> &[usize] {
        &self.blocks.layout.shared
    }

    /// Profile interval of the shared parameter `index`: its ends are where the cost has grown by as much as it would at
    /// those of [`FittedParameter::interval95`](super::FittedParameter::interval95) were the law linear. So the scatter
    /// between devices counts as it does there (Chandler & Bate, Biometrika 94, 167, 2007).
    ///
    /// # Errors
    /// [`FitError::NoSuchParameter`] for an index out of range, a parameter at a bound or one of a single device;
    /// others when no refit succeeds.
    pub fn interval(&self, index: usize) -> Result<ProfileInterval, FitError> {
        let none = || FitError::NoSuchParameter(index);
        let fitted =
            self.fit.parameters.get(index).filter(|fitted| fitted.std.is_finite()).ok_or_else(none)?;
        let place = self.blocks.layout.shared.iter().position(|shared| *shared == index).ok_or_else(none)?;
        let parameter = &self.blocks.regression.parameters[index];
        let [low, high] = fitted.interval95.map(|value| parameter.coordinate(value));
        let reach = 0.5 * (high - low);
        let path = Path {
            profiles: self,
            others: self.blocks.holding(index),
            along: self.along(place),
            bend: None,
            index,
            wanted: reach / self.inverse[(place, place)].sqrt(),
        };
        let limit = |sign: f64| match parameter.transform {
            Transform::Free => f64::INFINITY,
            Transform::Linear | Transform::Log => COORDINATE_LIMIT - sign * self.best[index],
        };
        let side = |sign: f64| -> Result<Option<f64>, FitError> {
            let found = path.clone().end(sign, reach, limit(sign))?;
            Ok(found.map(|away| parameter.value(self.best[index] + sign * away)))
        };
        let (below, above) = (side(-1.0)?, side(1.0)?);
        Ok(ProfileInterval {
            lower: below.unwrap_or(parameter.lower),
            upper: above.unwrap_or(parameter.upper),
            lower_open: below.is_none(),
            upper_open: above.is_none(),
        })
    }

    /// How all coordinates follow that of the shared parameter at `place` in the linear picture.
    fn along(&self, place: usize) -> Vec<f64> {
        let mut along = vec![0.0; self.best.len()];
        let shared: DVector<f64> = self.inverse.column(place) / self.inverse[(place, place)];
        for (slope, &index) in shared.iter().zip(&self.blocks.layout.shared) {
            along[index] = *slope;
        }
        for (part, own) in self.parts.iter().zip(&self.blocks.layout.own) {
            let Some(inverse) = inverse(&part.own.tr_mul(&part.own)) else { continue };
            let following = inverse * part.own.tr_mul(&(&part.shared * &shared));
            for (slope, &index) in following.iter().zip(own) {
                along[index] = -slope;
            }
        }
        along
    }
}

/// The way that the best values of the others take while one parameter is moved to one side.
#[derive(Clone)]
struct Path<'p, 'r, 'a> {
    profiles: &'p Profiles<'r, 'a>,
    others: Blocks<'r, 'a>,
    /// Its tangent at the best point.
    along: Vec<f64>,
    /// Half its second derivative, from the last refit.
    bend: Option<Vec<f64>>,
    index: usize,
    /// Growth of the root of the cost at the end.
    wanted: f64,
}

impl Path<'_, '_, '_> {
    /// Root of the growth of the cost less the one wanted, after a refit with the parameter `away` from its best value.
    fn growth(&mut self, away: f64) -> Result<f64, FitError> {
        let Profiles { blocks, best, ones, least, .. } = self.profiles;
        let mut start: Vec<f64> = best.iter().zip(&self.along).map(|(u, slope)| u + slope * away).collect();
        if let Some(bend) = &self.bend {
            for (u, bend) in start.iter_mut().zip(bend) {
                *u += bend * away * away;
            }
        }
        for (u, parameter) in start.iter_mut().zip(&blocks.regression.parameters) {
            if parameter.transform != Transform::Free {
                *u = u.clamp(-FARTHEST, FARTHEST);
            }
        }
        // Where the picture misleads, the others start from their best values.
        let mut plain = best.clone();
        plain[self.index] += away;
        start[self.index] = plain[self.index];
        let cost = |at: &[f64]| self.others.cost_at(at, ones, &[]);
        let start = if cost(&start) <= cost(&plain) { start } else { plain };
        let settled = self.others.minimise(&start, ones, &[], None, STOP)?.coordinates;
        let grown = (cost(&settled) - least).max(0.0).sqrt() - self.wanted;
        let straight = best.iter().zip(&self.along).map(|(u, slope)| u + slope * away);
        self.bend = Some(settled.iter().zip(straight).map(|(u, line)| (u - line) / (away * away)).collect());
        Ok(grown)
    }

    /// How far away the end lies on the side of `sign`, from a first guess; `None` where it is not met before `limit`.
    fn end(mut self, sign: f64, guess: f64, limit: f64) -> Result<Option<f64>, FitError> {
        let enough = END_TOLERANCE * self.wanted;
        // The root of the growth is nearly linear: secants until it is bracketed, then regula falsi with Illinois'
        // halving.
        let (mut inside, mut before) = (0.0, -self.wanted);
        let mut outside: Option<(f64, f64)> = None;
        let mut away = guess;
        let mut kept = 0;
        if limit <= 0.0 {
            return Ok(None);
        }
        for _ in 0..END_STEPS {
            let last = away >= limit;
            away = away.min(limit);
            let value = self.growth(sign * away)?;
            if value.abs() < enough {
                return Ok(Some(away));
            }
            if value > 0.0 {
                if outside.is_some() {
                    before *= if kept > 0 { 0.5 } else { 1.0 };
                }
                outside = Some((away, value));
                kept = 1;
            } else {
                if last || away > 1e6 * guess {
                    return Ok(None);
                }
                let slope = (value - before) / (away - inside);
                (inside, before) = (away, value);
                match &mut outside {
                    Some((_, after)) => *after *= if kept < 0 { 0.5 } else { 1.0 },
                    None => {
                        let farther = away - value / slope;
                        let sound = slope > 0.0 && farther.is_finite();
                        away = if sound { farther.min(FARTHER * away) } else { FARTHER * away };
                    }
                }
                kept = -1;
            }
            if let Some((far, after)) = outside {
                away = inside + (far - inside) * before / (before - after);
            }
        }
        // Not to the tolerance, but bracketed.
        Ok(outside.map(|(far, after)| if after < -before { far } else { inside }))
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

#[cfg(test)]
mod tests {
    use crate::fit::{Axis, Deviation, Device, FitOptions, Parameter, Regression, Series, Transform};
    use mho_data::random::Stream;

    /// A quartic over less than a decade: its terms all but cancel (correlations of 0.99 and more), so that the others
    /// must go far along as one is moved. The law is linear, and its profiles are the parabola of the covariance, to
    /// the tolerance of their ends and what the scale bends (a part in 10^3).
    #[test]
    fn terms_that_all_but_cancel_are_profiled() {
        const TERMS: usize = 5;
        let x: Vec<f64> = (0..45).map(|i| 0.15 + 0.106 * f64::from(i / 5)).collect();
        let stream = Stream::new(3, &["fit", "profile"], &[]);
        let power = |x: f64, term: usize| x.powi(term as i32);
        let truth = [0.35, 16.0, -44.0, 45.0, -17.0];
        let quartic = move |p: &[f64], x: f64| (0..TERMS).map(|term| p[term] * power(x, term)).sum::<f64>();
        let y =
            x.iter().enumerate().map(|(i, &x)| quartic(&truth, x) + 0.1 * stream.normal(i as u64)).collect();
        let series = Series { x: x.clone(), y, ..Series::default() };
        let start = |value: &f64| Parameter::new("term", "1", *value, -2000.0, 2000.0, Transform::Linear);
        let regression = Regression {
            model: &crate::retention::INFO,
            parameters: truth.iter().map(start).collect(),
            devices: vec![Device { name: "1".into(), series: vec![series] }],
            law: Box::new(move |p, _| x.iter().map(|&x| quartic(p, x)).collect()),
            slopes: None,
            deviation: Deviation::Absolute { sigma: 0.1 },
            x: Axis { title: "", unit: "1", log: false },
            y: Axis { title: "", unit: "1", log: false },
            options: FitOptions { difference_step: 1e-8, ..FitOptions::default() },
            fixed: Vec::new(),
            priors: Vec::new(),
            dropped: 0,
            notes: Vec::new(),
        };
        let fit = regression.fit().unwrap();
        let profiles = regression.profiles(&fit).unwrap();
        for (index, fitted) in fit.parameters.iter().enumerate() {
            let [low, high] = fitted.interval95;
            let found = profiles.interval(index).unwrap();
            let off = ((found.lower - low).abs()).max((found.upper - high).abs()) / (high - low);
            assert!(off < 5e-3, "{index}: {found:?} {low} {high}");
            assert_eq!(regression.profile(&fit, index).unwrap(), found);
        }
        assert!(profiles.interval(TERMS).is_err() && regression.profile(&fit, TERMS).is_err());
    }
}
