//! Bounded least squares for any model: Levenberg-Marquardt on transformed parameters.
//!
//! A [`Problem`] names its parameters with bounds and gives weighted residuals; [`least_squares`]
//! returns a [`FitResult`] with standard deviations, 95 % intervals that respect the bounds,
//! information criteria, and warnings in plain words (parameters at bounds, pairs that the data do
//! not tell apart, starts that end elsewhere). [`profile`] gives the likelihood interval of one
//! parameter where the quadratic picture does not hold.
//!
//! ```
//! use mho_compact::fit::{FitOptions, Parameter, Problem, Transform, least_squares};
//!
//! let times_s: [f64; 5] = [0.0, 1.0, 2.0, 3.0, 4.0];
//! let currents_na = [100.0, 60.8, 36.6, 22.4, 13.6];
//! let parameters = vec![
//!     Parameter::new("current_na", "nA", 50.0, 1.0, 1e4, Transform::Log),
//!     Parameter::new("tau_s", "s", 1.0, 0.1, 100.0, Transform::Log),
//! ];
//! let problem = Problem::new(parameters, move |p| {
//!     times_s.iter().zip(currents_na).map(|(t, i)| (i - p[0] * (-t / p[1]).exp()) / 0.2).collect()
//! });
//! let fit = least_squares(&problem, &FitOptions::default())?;
//! assert!((fit.value("tau_s") - 2.0).abs() < 0.02);
//! # Ok::<(), mho_compact::fit::FitError>(())
//! ```

mod blocks;
mod bootstrap;
mod bounded;
mod cluster;
mod combination;
mod covariance;
mod demand;
mod descent;
mod deviation;
mod devices;
mod distribution;
mod effects;
mod glitches;
mod hierarchy;
mod hold_out;
mod loss;
mod minimise;
mod outliers;
mod prior;
mod problem;
mod profile;
mod reduce;
mod regression;
mod result;
mod robust;
mod scaled;
mod transform;

pub use bootstrap::{Bootstrap, BootstrapInterval, BootstrapMethod, BootstrapOptions, bootstrap};
pub(crate) use bounded::{Found, Held, Search, bounded, held_freedom};
pub use covariance::student_quantile_975;
pub use deviation::Deviation;
pub use distribution::student_quantile;
pub(crate) use glitches::glitches;
pub use hierarchy::{DeviceEstimate, Hierarchy, Population, hierarchy};
pub use hold_out::HoldOut;
pub use loss::Loss;
pub(crate) use outliers::{FAR, far_probability};
pub use prior::Prior;
pub use problem::{FitOptions, Parameter, Problem, Residuals, Slopes};
pub use profile::{ProfileInterval, Profiles, profile};
pub use reduce::{Neutral, Reduced, reduce};
pub use regression::{Axis, Device, Fixed, Law, LawSlopes, Regression, Series};
pub use result::{Correlation, FitResult, FittedParameter};
pub(crate) use robust::median;
pub use transform::Transform;

use minimise::{Minimum, minimise};

/// Why a fit gave nothing.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FitError {
    /// Fewer residuals than parameters.
    #[error("{points} points cannot determine {parameters} parameters")]
    TooFewPoints {
        /// Residuals.
        points: usize,
        /// Parameters.
        parameters: usize,
    },
    /// Bounds that leave no room, or a logarithmic scale that reaches zero.
    #[error("parameter {name}: bounds [{lower}, {upper}] leave no room on its scale")]
    Bounds {
        /// Parameter.
        name: String,
        /// Lower bound.
        lower: f64,
        /// Upper bound.
        upper: f64,
    },
    /// The model is not finite at any start.
    #[error("the model is not finite at any start value ({detail})")]
    NotFinite {
        /// Which residual, at which values.
        detail: String,
    },
    /// The minimisation broke down.
    #[error("the minimisation broke down: {0}")]
    BrokeDown(String),
    /// Too few devices for what was asked.
    #[error("{devices} devices are too few for {purpose}: at least {needed} are needed")]
    TooFewDevices {
        /// Devices there are.
        devices: usize,
        /// Devices needed.
        needed: usize,
        /// What they are needed for.
        purpose: &'static str,
    },
    /// No parameter of this name.
    #[error("the fit has no parameter {name}")]
    NoParameter {
        /// What was asked for.
        name: String,
    },
    /// No parameter of this index, in a profile.
    #[error("there is no parameter {0} to profile")]
    NoSuchParameter(usize),
}

/// Starts after the first are spread over this part of each interval (fractions of its scale).
const START_MARGIN: f64 = 0.05;

/// Two minima count as equally good when their costs differ by less than this fraction.
const EQUAL_COST: f64 = 0.02;

/// ... and as different when a coordinate differs by more than this (free coordinates).
const DIFFERENT_COORDINATE: f64 = 0.5;

/// Fits `problem`. Deterministic: the same problem and options give the same bits.
///
/// # Errors
/// [`FitError`] for impossible problems; a fit that converges to something doubtful is returned
/// with warnings instead.
pub fn least_squares(problem: &Problem<'_>, options: &FitOptions) -> Result<FitResult, FitError> {
    check_bounds(problem)?;
    if let Loss::Robust { corner } = options.loss {
        return robust::fit(problem, options, corner);
    }
    let mut minima = Vec::new();
    let mut first_error = None;
    for start in starts(problem, options.starts.max(1)) {
        match minimise(problem, options, &start, None) {
            Ok(minimum) => minima.push(minimum),
            Err(error @ FitError::TooFewPoints { .. }) => return Err(error),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    let best = minima.iter().min_by(|a, b| a.cost.total_cmp(&b.cost));
    let Some(best) = best else {
        return Err(first_error.unwrap_or_else(|| FitError::BrokeDown("no start was given".into())));
    };
    let mut result = covariance::describe(problem, options, best);
    if !best.converged {
        result.warnings.push("the fit stopped at its limit of evaluations before it converged".into());
    }
    if let Some(warning) = rival_warning(problem, best, &minima) {
        result.warnings.push(warning);
    }
    Ok(result)
}

fn check_bounds(problem: &Problem<'_>) -> Result<(), FitError> {
    for parameter in &problem.parameters {
        let (lower, upper) = (parameter.lower, parameter.upper);
        let sound = match parameter.transform {
            Transform::Free => true,
            Transform::Linear => lower < upper && lower.is_finite() && upper.is_finite(),
            Transform::Log => lower > 0.0 && lower < upper && upper.is_finite(),
        };
        if !sound {
            return Err(FitError::Bounds { name: parameter.name.clone(), lower, upper });
        }
    }
    Ok(())
}

/// Start points in free coordinates: the given one, then a Halton sequence over the bounds.
fn starts(problem: &Problem<'_>, count: usize) -> Vec<Vec<f64>> {
    (0..count)
        .map(|index| {
            problem
                .parameters
                .iter()
                .enumerate()
                .map(|(axis, parameter)| {
                    let given = parameter.coordinate(parameter.start);
                    if index == 0 {
                        return given;
                    }
                    let fraction = START_MARGIN + (1.0 - 2.0 * START_MARGIN) * halton(index, axis);
                    match parameter.transform {
                        Transform::Free => given + (2.0 * fraction - 1.0) * given.abs().max(1.0),
                        Transform::Linear | Transform::Log => (fraction / (1.0 - fraction)).ln(),
                    }
                })
                .collect()
        })
        .collect()
}

/// Radical inverse of `index` in the prime that belongs to `axis`.
fn halton(index: usize, axis: usize) -> f64 {
    const PRIMES: [usize; 16] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53];
    let base = PRIMES[axis % PRIMES.len()];
    let (mut rest, mut scale, mut value) = (index, 1.0, 0.0);
    while rest > 0 {
        scale /= base as f64;
        value += scale * (rest % base) as f64;
        rest /= base;
    }
    value
}

/// Says when another start ended elsewhere with about the same cost.
fn rival_warning(problem: &Problem<'_>, best: &Minimum, minima: &[Minimum]) -> Option<String> {
    let rival = minima
        .iter()
        .filter(|other| other.cost <= best.cost * (1.0 + EQUAL_COST) + f64::MIN_POSITIVE)
        .flat_map(|other| {
            other.coordinates.iter().zip(&best.coordinates).enumerate().map(move |(index, (a, b))| {
                let (a, b) = (a.clamp(-12.0, 12.0), b.clamp(-12.0, 12.0));
                ((a - b).abs(), index, other)
            })
        })
        .max_by(|a, b| a.0.total_cmp(&b.0))?;
    (rival.0 > DIFFERENT_COORDINATE).then(|| {
        let parameter = &problem.parameters[rival.1];
        format!(
            "another start fits equally well with {} = {:.4} instead of {:.4} {}",
            parameter.name,
            parameter.value(rival.2.coordinates[rival.1]),
            parameter.value(best.coordinates[rival.1]),
            parameter.unit
        )
    })
}

#[cfg(test)]
mod device_tests;
#[cfg(test)]
mod tests;
