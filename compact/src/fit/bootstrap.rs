//! Bootstrap over devices: whole devices are drawn with replacement and the fit is repeated, warm from the
//! best one.
//!
//! From 20 devices on the interval is the studentised one (Efron & Tibshirani, "An Introduction to the
//! Bootstrap", 1993, chapter 12): every refit brings its own standard deviation from the scatter between its
//! devices, and the quantiles of (refit - fit) / deviation stand in for Student's. Below 20 the replicates are
//! too coarse for quantiles; their standard deviation goes with Student's t instead, and the result says so.
//! Replicates are numbered and each draws from its own stream, so the result is the same for any number of
//! threads.

use super::blocks::Blocks;
use super::cluster::{Cluster, cluster};
use super::descent::Stop;
use super::devices::FEWEST_DEVICES;
use super::distribution::{normal_cdf, normal_quantile, student_quantile};
use super::{FitError, FitResult, Regression};
use mho_data::random::Stream;
use rayon::prelude::*;
use serde::Serialize;

/// Devices from which the quantiles of the replicates are used.
const ENOUGH_DEVICES: usize = 20;

/// Part of the replicates that may fail before the result says that it cannot be trusted.
const FAILED_LIMIT: f64 = 0.05;

/// How a bootstrap is run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BootstrapOptions {
    /// Refits; one less than a multiple of 40 puts the 2.5 % quantiles on a replicate.
    pub replicates: usize,
    /// Seed of the draws.
    pub seed: u64,
    /// How the intervals are formed; `None`: as fits the number of devices.
    pub method: Option<BootstrapMethod>,
}

impl Default for BootstrapOptions {
    fn default() -> Self {
        Self { replicates: 999, seed: 1, method: None }
    }
}

/// How intervals are formed from replicates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BootstrapMethod {
    /// Quantiles of the studentised deviations.
    Studentised,
    /// Bias-corrected and accelerated percentiles; the acceleration from the devices' influences.
    Bca,
    /// Plain percentiles.
    Percentile,
    /// The covariance over devices with Student's t.
    StudentT,
}

/// The interval of one parameter.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BootstrapInterval {
    /// Parameter.
    pub name: String,
    /// Best value.
    pub value: f64,
    /// Standard deviation of the replicates by the slope of the scale at the best value; NaN at a bound.
    pub std: f64,
    /// 95 % interval; an end at the parameter's bound where the replicates set none.
    pub interval95: [f64; 2],
    /// Unit in words.
    pub unit: String,
}

/// What a bootstrap over devices says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bootstrap {
    /// How the intervals were formed.
    pub method: BootstrapMethod,
    /// Devices drawn from.
    pub devices: usize,
    /// Refits.
    pub replicates: usize,
    /// Refits that gave nothing; they are left out.
    pub failed: usize,
    /// Refits in which a parameter ran into a bound; its interval then reaches there.
    pub at_bound: usize,
    /// Shared parameters that are not at a bound.
    pub parameters: Vec<BootstrapInterval>,
    /// What a reader has to know.
    pub warnings: Vec<String>,
}

/// One refit in free coordinates.
struct Replicate {
    estimate: Vec<f64>,
    deviation: Vec<f64>,
}

/// A shift of the free coordinate of a bounded parameter beyond this is no estimate but a bound.
const BOUND_COORDINATE: f64 = 12.0;

/// The last step of a refit is below a hundredth of a standard deviation, far less than the noise of a thousand
/// draws.
const STOP: Stop = Stop { gain: 1e-4, steps: 30, trusting: true };

/// Bootstrap over the devices of a regression around its fit.
///
/// # Errors
/// [`FitError::TooFewDevices`] below five devices; [`FitError::BrokeDown`] when the devices do not determine
/// the shared parameters.
pub fn bootstrap(
    regression: &Regression<'_>,
    fit: &FitResult,
    options: &BootstrapOptions,
) -> Result<Bootstrap, FitError> {
    let devices = regression.devices.len();
    if devices < FEWEST_DEVICES {
        return Err(FitError::TooFewDevices {
            devices,
            needed: FEWEST_DEVICES,
            purpose: "a bootstrap over devices",
        });
    }
    let held: Vec<bool> = fit.parameters.iter().map(|parameter| parameter.at_bound).collect();
    let start: Vec<f64> = regression
        .parameters
        .iter()
        .zip(fit.values())
        .map(|(parameter, value)| parameter.coordinate(value))
        .collect();
    let loss = fit.loss(&regression.options);
    let blocks = Blocks::new(regression, loss, &start, &held).without(&fit.outliers);
    let ones = vec![1.0; devices];
    // A few steps from the fit of all readings, so that the same minimiser ends every refit.
    let best = blocks
        .minimise(&start, &ones, &[], None, Stop { gain: 1e-14, steps: 100, trusting: false })?
        .coordinates;
    let lost = || FitError::BrokeDown("the devices do not determine the shared parameters".into());
    let whole = blocks.at(&best, &ones, true).ok_or_else(lost)?;
    let scatter = cluster(&whole, blocks.known(&best, &[]).as_ref(), &ones, loss).ok_or_else(lost)?;
    let normals = blocks.normals(&whole);
    let replicates: Vec<Option<Replicate>> = (0..options.replicates)
        .into_par_iter()
        .map(|index| {
            let weights = draw(devices, options.seed, index);
            // Priors are observations too: each is drawn anew about where it is, with its standard deviation.
            let priors = Stream::new(options.seed, &["fit", "bootstrap", "priors"], &[index as u64]);
            let shifts: Vec<f64> = (0..regression.priors.len()).map(|p| priors.normal(p as u64)).collect();
            let settled = blocks.minimise(&best, &weights, &shifts, Some(&normals), STOP).ok()?;
            let there = match settled.parts {
                Some(parts) => parts,
                None => blocks.at(&settled.coordinates, &weights, false)?,
            };
            let scatter =
                cluster(&there, blocks.known(&settled.coordinates, &shifts).as_ref(), &weights, loss)?;
            settled.converged.then(|| Replicate {
                estimate: blocks.layout.shared.iter().map(|&i| settled.coordinates[i]).collect(),
                deviation: scatter.covariance.diagonal().iter().map(|v| v.sqrt()).collect(),
            })
        })
        .collect();
    let failed = replicates.iter().filter(|replicate| replicate.is_none()).count();
    let replicates: Vec<Replicate> = replicates.into_iter().flatten().collect();
    let method = options.method.unwrap_or(if devices < ENOUGH_DEVICES {
        BootstrapMethod::StudentT
    } else {
        BootstrapMethod::Studentised
    });
    let mut at_bound = vec![false; replicates.len()];
    let parameters: Vec<BootstrapInterval> = blocks
        .layout
        .shared
        .iter()
        .enumerate()
        .map(|(place, &index)| {
            let parameter = &regression.parameters[index];
            let bounded = parameter.transform != super::Transform::Free;
            let estimates: Vec<f64> = replicates.iter().map(|replicate| replicate.estimate[place]).collect();
            for (seen, u) in at_bound.iter_mut().zip(&estimates) {
                *seen |= bounded && u.abs() > BOUND_COORDINATE;
            }
            let [low, high] = match method {
                BootstrapMethod::Studentised => studentised(&replicates, place, best[index], &scatter),
                BootstrapMethod::Bca => bca(estimates.clone(), best[index], &scatter, place),
                BootstrapMethod::Percentile => percentiles(estimates.clone(), [0.025, 0.975]),
                BootstrapMethod::StudentT => {
                    let reach = student_quantile(0.975, scatter.freedom[place])
                        * scatter.covariance[(place, place)].sqrt();
                    [best[index] - reach, best[index] + reach]
                }
            };
            let number = estimates.len() as f64;
            let mean = estimates.iter().sum::<f64>() / number;
            let variance = estimates.iter().map(|u| (u - mean).powi(2)).sum::<f64>() / (number - 1.0);
            BootstrapInterval {
                name: parameter.name.clone(),
                value: parameter.value(best[index]),
                std: variance.sqrt() * parameter.slope(best[index]),
                interval95: [parameter.value(low), parameter.value(high)],
                unit: parameter.unit.clone(),
            }
        })
        .collect();
    let at_bound = at_bound.iter().filter(|seen| **seen).count();
    let warnings = warnings(devices, options.replicates, failed, at_bound);
    Ok(Bootstrap { method, devices, replicates: options.replicates, failed, at_bound, parameters, warnings })
}

/// How often each device is drawn in a replicate.
fn draw(devices: usize, seed: u64, replicate: usize) -> Vec<f64> {
    let stream = Stream::new(seed, &["fit", "bootstrap", "devices"], &[replicate as u64]);
    let mut weights = vec![0.0; devices];
    for place in 0..devices {
        let device = (stream.uniform(place as u64) * devices as f64) as usize;
        weights[device.min(devices - 1)] += 1.0;
    }
    weights
}

/// Studentised interval: fit minus the quantiles of (refit - fit) / its deviation, times the fit's deviation.
fn studentised(replicates: &[Replicate], place: usize, best: f64, scatter: &Cluster) -> [f64; 2] {
    let own = scatter.covariance[(place, place)].sqrt();
    let ratios = replicates
        .iter()
        .map(|replicate| {
            let ratio = (replicate.estimate[place] - best) / replicate.deviation[place];
            if ratio.is_nan() { 0.0 } else { ratio }
        })
        .collect();
    let [low, high] = percentiles(ratios, [0.025, 0.975]);
    [best - high * own, best - low * own]
}

/// Bias-corrected and accelerated percentiles (Efron, J. Am. Stat. Assoc. 82, 171, 1987); the acceleration is
/// the skewness of the devices' influences over six root devices.
fn bca(estimates: Vec<f64>, best: f64, scatter: &Cluster, place: usize) -> [f64; 2] {
    let below = estimates.iter().filter(|estimate| **estimate < best).count() as f64;
    let bias = normal_quantile((below + 0.5) / (estimates.len() as f64 + 1.0));
    let powers = |power: i32| scatter.influence.iter().map(|i| i[place].powi(power)).sum::<f64>();
    let acceleration = powers(3) / (6.0 * powers(2).powf(1.5));
    let shifted = |probability: f64| {
        let z = bias + normal_quantile(probability);
        normal_cdf(bias + z / (1.0 - acceleration * z))
    };
    percentiles(estimates, [shifted(0.025), shifted(0.975)])
}

/// Quantiles at probabilities, between neighbours of rank (n + 1) p.
fn percentiles(mut numbers: Vec<f64>, probabilities: [f64; 2]) -> [f64; 2] {
    numbers.sort_by(f64::total_cmp);
    probabilities.map(|probability| {
        let count = numbers.len();
        if count == 0 {
            return f64::NAN;
        }
        let rank = ((count as f64 + 1.0) * probability - 1.0).clamp(0.0, (count - 1) as f64);
        let (lower, part) = (rank.floor() as usize, rank.fract());
        let upper = (lower + 1).min(count - 1);
        if part == 0.0 { numbers[lower] } else { numbers[lower] + part * (numbers[upper] - numbers[lower]) }
    })
}

fn warnings(devices: usize, replicates: usize, failed: usize, at_bound: usize) -> Vec<String> {
    let mut warnings = Vec::new();
    if devices < ENOUGH_DEVICES {
        warnings.push(format!(
            "{devices} devices are few for quantiles of a bootstrap: the intervals are Student's with the scatter \
             between devices"
        ));
    }
    if failed as f64 > FAILED_LIMIT * replicates as f64 {
        warnings.push(format!("{failed} of {replicates} refits of the bootstrap failed: do not rely on it"));
    }
    if at_bound > 0 {
        warnings.push(format!(
            "in {at_bound} of {replicates} refits of the bootstrap a parameter ran into a bound"
        ));
    }
    warnings
}
