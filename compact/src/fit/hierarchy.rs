//! Parameters that differ from device to device: their population mean and spread, with all others shared.
//!
//! One joint fit gives every device its own values of the named parameters and all devices the same of the rest;
//! only the shared ones couple the devices, so a hundred devices cost a hundred small systems. The second stage
//! takes the devices' estimates with their errors as a sample of the population.

use super::blocks::{Block, Blocks};
use super::cluster::cluster;
use super::covariance::variance_scale;
use super::descent::Stop;
use super::distribution::student_quantile;
use super::effects::Sample;
use super::outliers::without_outliers;
use super::scaled::inverse;
use super::{FitError, FitOptions, FittedParameter, Parameter, Regression, Transform, least_squares};
use nalgebra::{DMatrix, DVector};
use serde::Serialize;

/// Devices below which a spread means nothing.
const FEWEST_DEVICES: usize = 3;

/// The joint fit is within this part of a standard deviation (squared) of its minimum.
const STOP: Stop = Stop { gain: 1e-12, steps: 200, trusting: false };

/// A device's free coordinate beyond this is no estimate but a bound.
const BOUND_COORDINATE: f64 = 12.0;

/// One device's value of a parameter.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeviceEstimate {
    /// Device.
    pub device: String,
    /// From its own readings.
    pub value: f64,
    /// Standard deviation of that, the shared parameters held; NaN where its readings do not determine it.
    pub std: f64,
    /// Drawn towards the population mean by as much as its readings leave open.
    pub shrunk: f64,
    /// Standard deviation of that.
    pub shrunk_std: f64,
}

/// What a population of devices says about a parameter.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Population {
    /// Parameter.
    pub name: String,
    /// Unit in words.
    pub unit: String,
    /// Mean over the population; where `relative`, the geometric one.
    pub mean: f64,
    /// Standard deviation of the mean.
    pub mean_std: f64,
    /// 95 % interval of the mean.
    pub mean_interval95: [f64; 2],
    /// Standard deviation of the devices about the mean: in the unit, or of the logarithm where `relative`.
    pub spread: f64,
    /// 95 % interval of the spread.
    pub spread_interval95: [f64; 2],
    /// Whether the spread is one of logarithms (about a part of the mean).
    pub relative: bool,
    /// Part of the variance of the estimates that is spread and not error.
    pub resolved: f64,
    /// Every device.
    pub devices: Vec<DeviceEstimate>,
}

/// The result of a fit with parameters that differ between devices.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hierarchy {
    /// The parameters named.
    pub populations: Vec<Population>,
    /// The parameters that all devices share.
    pub shared: Vec<FittedParameter>,
    /// Standard deviation of the weighted residuals of the joint fit.
    pub rms: f64,
    /// The result in words, and what a reader has to know.
    pub words: Vec<String>,
}

/// Fits `regression` with the parameters of these names free on every device.
///
/// # Errors
/// [`FitError::NoParameter`] for a name that the regression has not, [`FitError::TooFewDevices`] below three
/// devices, others as of [`least_squares`].
pub fn hierarchy(regression: &Regression<'_>, names: &[&str]) -> Result<Hierarchy, FitError> {
    let count = regression.devices.len();
    if count < FEWEST_DEVICES {
        return Err(FitError::TooFewDevices {
            devices: count,
            needed: FEWEST_DEVICES,
            purpose: "a population of devices",
        });
    }
    let named = names
        .iter()
        .map(|name| {
            let place = regression.parameters.iter().position(|parameter| parameter.name == *name);
            place.ok_or_else(|| FitError::NoParameter { name: (*name).to_owned() })
        })
        .collect::<Result<Vec<usize>, FitError>>()?;
    let pooled = without_outliers(regression, least_squares(&regression.problem(), &regression.options)?);
    let joint = expanded(regression, &named, &pooled.values());
    let loss = pooled.loss(&regression.options);
    let start: Vec<f64> =
        joint.parameters.iter().map(|parameter| parameter.coordinate(parameter.start)).collect();
    let blocks = laid_out(regression, &joint, &named, loss, &start).without(&pooled.outliers);
    let weights = vec![1.0; count];
    let settled = blocks.minimise(&start, &weights, &[], None, STOP)?;
    let lost = || FitError::BrokeDown("the devices do not determine their parameters".into());
    let parts = blocks.at(&settled.coordinates, &weights, true).ok_or_else(lost)?;
    let stage = Stage::new(&blocks, &joint, &parts, &settled.coordinates);
    let mut words = Vec::new();
    if !settled.converged {
        words.push("the joint fit stopped before it converged".to_owned());
    }
    let populations: Vec<Population> = named
        .iter()
        .enumerate()
        .map(|(place, &index)| {
            let copies = (0..count).map(|device| regression.parameters.len() + device * named.len() + place);
            stage.population(&regression.parameters[index], &copies.collect::<Vec<_>>(), &mut words)
        })
        .collect();
    words.splice(0..0, populations.iter().map(in_words));
    Ok(Hierarchy { populations, shared: stage.shared(), rms: stage.variance.sqrt(), words })
}

/// The regression with a copy of each named parameter for every device, after the parameters that it has; those
/// of these names have no influence any more.
fn expanded<'r>(regression: &'r Regression<'_>, named: &[usize], values: &[f64]) -> Regression<'r> {
    let (count, each, places) = (regression.parameters.len(), named.len(), named.to_vec());
    let mut parameters: Vec<Parameter> = regression.parameters.clone();
    for (parameter, &value) in parameters.iter_mut().zip(values) {
        parameter.start = value;
    }
    for device in &regression.devices {
        for &index in named {
            let parameter = &parameters[index];
            parameters
                .push(Parameter { name: format!("{} {}", parameter.name, device.name), ..parameter.clone() });
        }
    }
    let law = move |values: &[f64], device: usize| {
        let mut own = values[..count].to_vec();
        for (place, &index) in places.iter().enumerate() {
            own[index] = values[count + device * each + place];
        }
        (regression.law)(&own, device)
    };
    Regression {
        model: regression.model,
        parameters,
        devices: regression.devices.clone(),
        law: Box::new(law),
        deviation: regression.deviation,
        x: regression.x,
        y: regression.y,
        options: FitOptions { ..regression.options },
        slopes: None,
        priors: regression.priors.clone(),
        fixed: regression.fixed.clone(),
        dropped: regression.dropped,
        notes: Vec::new(),
    }
}

/// The blocks of the expanded regression, with the layout of the one that it comes from.
fn laid_out<'j>(
    regression: &Regression<'_>,
    joint: &'j Regression<'j>,
    named: &[usize],
    loss: super::Loss,
    start: &[f64],
) -> Blocks<'j, 'j> {
    let count = regression.parameters.len();
    let held: Vec<bool> = (0..count).map(|index| named.contains(&index)).collect();
    let mut layout = Blocks::new(regression, loss, &start[..count], &held).layout;
    for (device, own) in layout.own.iter_mut().enumerate() {
        own.extend((0..named.len()).map(|place| count + device * named.len() + place));
    }
    Blocks { regression: joint, layout, loss, outliers: Vec::new() }
}

/// What the joint fit says about every device.
struct Stage<'b> {
    blocks: &'b Blocks<'b, 'b>,
    joint: &'b Regression<'b>,
    coordinates: &'b [f64],
    /// Variance of the weighted residuals.
    variance: f64,
    /// Inverse normal matrix of each device's own parameters.
    inverses: Vec<Option<DMatrix<f64>>>,
    /// How they follow the shared ones.
    following: Vec<DMatrix<f64>>,
    /// Covariance of the shared parameters and its degrees of freedom.
    shared_covariance: DMatrix<f64>,
    shared_freedom: Vec<f64>,
}

impl<'b> Stage<'b> {
    fn new(
        blocks: &'b Blocks<'b, 'b>,
        joint: &'b Regression<'b>,
        parts: &[Block],
        coordinates: &'b [f64],
    ) -> Self {
        let shared = blocks.layout.shared.len();
        let own: usize = blocks.layout.own.iter().map(Vec::len).sum();
        let residuals: Vec<f64> = parts.iter().flat_map(|part| part.residuals.iter().copied()).collect();
        let variance = variance_scale(&joint.options, blocks.loss, &residuals, shared + own);
        let inverses: Vec<Option<DMatrix<f64>>> =
            parts.iter().map(|part| inverse(&part.own.tr_mul(&part.own))).collect();
        let following = parts
            .iter()
            .zip(&inverses)
            .map(|(part, inverse)| match inverse {
                Some(inverse) => -(inverse * part.own.tr_mul(&part.shared)),
                None => DMatrix::zeros(part.own.ncols(), shared),
            })
            .collect();
        let scatter =
            cluster(parts, blocks.known(coordinates, &[]).as_ref(), &vec![1.0; parts.len()], blocks.loss);
        let (shared_covariance, shared_freedom) = match scatter {
            Some(scatter) => (scatter.covariance, scatter.freedom),
            None => (DMatrix::from_element(shared, shared, f64::NAN), vec![0.0; shared]),
        };
        Self { blocks, joint, coordinates, variance, inverses, following, shared_covariance, shared_freedom }
    }

    /// The shared parameters with the scatter between devices.
    fn shared(&self) -> Vec<FittedParameter> {
        self.blocks
            .layout
            .shared
            .iter()
            .enumerate()
            .map(|(place, &index)| {
                let (parameter, u) = (&self.joint.parameters[index], self.coordinates[index]);
                let deviation = self.shared_covariance[(place, place)].sqrt();
                let reach = deviation * student_quantile(0.975, self.shared_freedom[place]);
                let at_bound = parameter.transform != Transform::Free && u.abs() > BOUND_COORDINATE;
                FittedParameter {
                    name: parameter.name.clone(),
                    value: parameter.value(u),
                    std: if at_bound { f64::NAN } else { deviation * parameter.slope(u) },
                    interval95: [parameter.value(u - reach), parameter.value(u + reach)],
                    unit: parameter.unit.clone(),
                    at_bound,
                    lower: parameter.lower,
                    upper: parameter.upper,
                    transform: parameter.transform,
                }
            })
            .collect()
    }

    /// The population of one parameter, of which each device has a copy.
    fn population(&self, parameter: &Parameter, copies: &[usize], words: &mut Vec<String>) -> Population {
        let relative = parameter.transform == Transform::Log;
        let scale = |value: f64| if relative { value.ln() } else { value };
        let unscale = |value: f64| if relative { value.exp() } else { value };
        let mut sample = Sample::default();
        for (device, &index) in copies.iter().enumerate() {
            let u = self.coordinates[index];
            let value = parameter.value(u);
            let slope = parameter.slope(u) / if relative { value } else { 1.0 };
            let place = self.blocks.layout.own[device].iter().position(|own| *own == index);
            let bound = parameter.transform != Transform::Free && u.abs() > BOUND_COORDINATE;
            let variance = match (place, &self.inverses[device]) {
                (Some(place), Some(inverse)) if !bound => {
                    inverse[(place, place)] * self.variance * slope * slope
                }
                _ => f64::INFINITY,
            };
            sample.values.push(scale(value));
            sample.variances.push(if variance > 0.0 { variance } else { f64::INFINITY });
            sample.following.push(match place {
                Some(place) => self.following[device].row(place).transpose() * slope,
                None => DVector::zeros(self.blocks.layout.shared.len()),
            });
        }
        let unknown = sample.variances.iter().filter(|variance| variance.is_infinite()).count();
        if unknown > 0 {
            words.push(format!(
                "{unknown} of {} devices say nothing about {}: they do not count in its population",
                copies.len(),
                parameter.name
            ));
        }
        let fitted = sample.fit(&self.shared_covariance);
        let unit_slope = if relative { unscale(fitted.mean) } else { 1.0 };
        let devices = self
            .joint
            .devices
            .iter()
            .enumerate()
            .map(|(device, named)| {
                let (value, error) = (sample.values[device], sample.variances[device]);
                let (shrunk, shrunk_variance) = fitted.shrunk(value, error);
                let slope = |value: f64| if relative { unscale(value) } else { 1.0 };
                DeviceEstimate {
                    device: named.name.clone(),
                    value: unscale(value),
                    std: if error.is_finite() { error.sqrt() * slope(value) } else { f64::NAN },
                    shrunk: unscale(shrunk),
                    shrunk_std: shrunk_variance.sqrt() * slope(shrunk),
                }
            })
            .collect();
        Population {
            name: parameter.name.clone(),
            unit: parameter.unit.clone(),
            mean: unscale(fitted.mean),
            mean_std: fitted.mean_variance.sqrt() * unit_slope,
            mean_interval95: fitted.mean_interval.map(unscale),
            spread: fitted.spread2.sqrt(),
            spread_interval95: fitted.spread2_interval.map(f64::sqrt),
            relative,
            resolved: fitted.resolved,
            devices,
        }
    }
}

/// A population in a sentence.
fn in_words(population: &Population) -> String {
    let Population { name, unit, mean, mean_interval95: [low, high], .. } = population;
    let unit = if unit == "1" { String::new() } else { format!(" {unit}") };
    let amount = |spread: f64| {
        if population.relative { format!("{:.2} %", 100.0 * spread) } else { format!("{spread:.4}{unit}") }
    };
    let [least, most] = population.spread_interval95;
    let spread = if least > 0.0 {
        format!(
            "devices spread about it by {} ({} to {})",
            amount(population.spread),
            amount(least),
            amount(most)
        )
    } else if population.spread.is_nan() {
        "too few devices determine it to speak of a spread".to_owned()
    } else {
        format!("that devices differ is not shown: a spread of up to {} is possible", amount(most))
    };
    format!("{name}: population mean {mean:.4}{unit} ({low:.4} to {high:.4}); {spread}")
}
