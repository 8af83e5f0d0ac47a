//! Dose laws fitted to thresholds of several devices.

use super::collect::{CollectLaw, Flow};
use super::{COLLECT, EXP, Law, STRETCHED, TWO_TERM};
use crate::fit::{
    FitError, FitOptions, FitResult, Loss, Parameter, Problem, Transform, least_squares, student_quantile_975,
};
use crate::model::ModelInfo;
use mho_data::table::{Table, TableError};
use rayon::prelude::*;
use std::sync::Mutex;

/// A threshold at a dose.
#[derive(Debug, Clone, PartialEq)]
pub struct VtPoint {
    /// State, as the measurement labels it.
    pub state: String,
    /// Device.
    pub device: String,
    /// Dose, krad(Si).
    pub dose_krad_si: f64,
    /// Threshold, V.
    pub vt_v: f64,
    /// Its standard deviation, V.
    pub std_v: f64,
}

/// The thresholds of a table: `vt_cc_v` with `vt_cc_std_v` where it has them (the results of sweeps,
/// at 100 nA), else `vt_v` with `vt_std_v` (standard deviations are optional); `device`, `state` and
/// `dose_krad_si`.
///
/// # Errors
/// [`TableError`] when a needed column is missing.
pub fn points(table: &Table) -> Result<Vec<VtPoint>, TableError> {
    let (value, std) = if table.has("vt_cc_v") { ("vt_cc_v", "vt_cc_std_v") } else { ("vt_v", "vt_std_v") };
    let (values, doses) = (table.floats(value)?, table.floats("dose_krad_si")?);
    let deviations = if table.has(std) { Some(table.floats(std)?) } else { None };
    let label = |name: &str, row: usize| -> Result<String, TableError> {
        Ok(if table.has(name) { table.texts(name)?[row].clone() } else { String::new() })
    };
    (0..table.len())
        .map(|row| {
            Ok(VtPoint {
                state: label("state", row)?,
                device: label("device", row)?,
                dose_krad_si: doses[row],
                vt_v: values[row],
                std_v: deviations.map_or(0.0, |column| column[row]),
            })
        })
        .collect()
}

/// A fitted dose law.
#[derive(Debug, Clone, PartialEq)]
pub struct TidFit {
    /// Which law.
    pub model: &'static ModelInfo,
    /// The law.
    pub law: Law,
    /// The fit: the law's parameters, then one start per device (`start_v STATE DEVICE`); `rms` in V.
    pub fit: FitResult,
    /// Fitted starts: state, device, V.
    pub starts: Vec<(String, String, f64)>,
}

/// Misfit of any of these forms to a real cell, V: added in quadrature to the standard deviation of a
/// threshold, so that points of very small error do not rule. Assumed.
const MISFIT_V: f64 = 2e-3;

/// A device's points in the order of dose.
#[derive(Clone)]
struct Curve {
    state: String,
    device: String,
    doses_krad_si: Vec<f64>,
    vt_v: Vec<f64>,
    sigma_v: Vec<f64>,
}

fn curves(points: &[VtPoint]) -> Vec<Curve> {
    let mut curves: Vec<Curve> = Vec::new();
    for point in points.iter().filter(|point| point.vt_v.is_finite()) {
        let known = curves.iter().position(|c| c.state == point.state && c.device == point.device);
        let index = known.unwrap_or_else(|| {
            curves.push(Curve {
                state: point.state.clone(),
                device: point.device.clone(),
                doses_krad_si: Vec::new(),
                vt_v: Vec::new(),
                sigma_v: Vec::new(),
            });
            curves.len() - 1
        });
        let curve = &mut curves[index];
        let place = curve.doses_krad_si.partition_point(|&dose| dose <= point.dose_krad_si);
        let std_v = if point.std_v.is_finite() { point.std_v } else { 0.0 };
        curve.doses_krad_si.insert(place, point.dose_krad_si);
        curve.vt_v.insert(place, point.vt_v);
        curve.sigma_v.insert(place, std_v.hypot(MISFIT_V));
    }
    curves
}

/// Fits `model` (one of the four dose laws) to thresholds: its parameters are shared by all devices,
/// each device has its own start. Robust against single thresholds that fell out; the uncertainties
/// of the shared parameters take the devices, not the points, as independent (jackknife).
///
/// # Errors
/// [`FitError`] when there are fewer points than parameters or `model` is no dose law.
pub fn fit(model: &'static ModelInfo, points: &[VtPoint]) -> Result<TidFit, FitError> {
    let curves = curves(points);
    let count = model.parameters.len();
    if Law::from_values(model, &model.defaults()).is_none() {
        return Err(FitError::BrokeDown(format!("{} is no law of threshold against dose", model.name)));
    }
    let mut problem = problem(model, &curves);
    problem.dropped = points.iter().filter(|point| !point.vt_v.is_finite()).count();
    let options = FitOptions {
        loss: Loss::SoftL1 { scale: 3.0 },
        difference_step: if model.name == COLLECT.name { 1e-4 } else { 1e-6 },
        patience: 30,
        ..FitOptions::default()
    };
    let mut fit = best_of_starts(&mut problem, &options, &curves)?;
    let values = fit.values();
    let weighted = (problem.residuals)(&values);
    let sigmas = curves.iter().flat_map(|curve| &curve.sigma_v);
    let square: f64 = weighted.iter().zip(sigmas).map(|(r, sigma)| (r * sigma).powi(2)).sum();
    fit.rms = (square / weighted.len() as f64).sqrt();
    devices_as_observations(model, &curves, &options, &mut fit);
    let starts = curves
        .iter()
        .zip(&values[count..])
        .map(|(curve, &start)| (curve.state.clone(), curve.device.clone(), start))
        .collect();
    warn_of_short_doses(&mut fit, &curves);
    let law = Law::from_values(model, &values[..count])
        .ok_or_else(|| FitError::BrokeDown("the law lost its parameters".into()))?;
    Ok(TidFit { model, law, fit, starts })
}

/// The least-squares problem: shared parameters first, then the start of each device.
fn problem<'a>(model: &'static ModelInfo, curves: &'a [Curve]) -> Problem<'a> {
    let count = model.parameters.len();
    let mut parameters: Vec<Parameter> = model
        .parameters
        .iter()
        .map(|info| info.starting_at(if info.name == "vt_inf_v" { middle(curves) } else { info.default }))
        .collect();
    for curve in curves {
        let name = format!("start_v {} {}", curve.state, curve.device);
        let first = curve.vt_v.first().copied().unwrap_or(0.0);
        parameters.push(Parameter::new(name, "V", first, -10.0, 10.0, Transform::Linear));
    }
    // The flow of the collection depends on the shared parameters alone: the last one is kept while the
    // differences with the starts are taken.
    let kept: Mutex<Option<(Vec<f64>, Flow)>> = Mutex::new(None);
    Problem::new(parameters, move |p| {
        let (own, starts) = p.split_at(count);
        let Some(law) = Law::from_values(model, own) else { return Vec::new() };
        let flow = match law {
            Law::Collect(law) => Some(flow_of(&kept, own, &law)),
            _ => None,
        };
        let mut residuals = Vec::new();
        for (curve, &start_v) in curves.iter().zip(starts) {
            let model_v = match &flow {
                Some(flow) => flow.thresholds_v(start_v, &curve.doses_krad_si),
                None => curve.doses_krad_si.iter().map(|&dose| law.closed_form_v(start_v, dose)).collect(),
            };
            for ((measured, model), sigma) in curve.vt_v.iter().zip(&model_v).zip(&curve.sigma_v) {
                residuals.push((measured - model) / sigma);
            }
        }
        residuals
    })
}

/// Devices with fewer than this many others are too few to judge how devices differ.
const FEWEST_DEVICES: usize = 4;

/// Replaces the uncertainties of the shared parameters by those of the jackknife over devices: the fit is
/// repeated without each device in turn (Efron, "The Jackknife", SIAM 1982). The points of one device share
/// its peculiarities, and counting each as independent would promise far too much.
fn devices_as_observations(
    model: &'static ModelInfo,
    curves: &[Curve],
    options: &FitOptions,
    fit: &mut FitResult,
) {
    let (count, devices) = (model.parameters.len(), curves.len());
    if devices < FEWEST_DEVICES {
        fit.warnings.push(format!(
            "{devices} devices are too few to judge how devices differ: the uncertainties count every \
             point as independent"
        ));
        return;
    }
    let values = fit.values();
    let without = |left_out: usize| -> Option<Vec<f64>> {
        let kept = |index: &usize| *index != left_out;
        let rest: Vec<Curve> = (0..devices).filter(kept).map(|index| curves[index].clone()).collect();
        let mut problem = problem(model, &rest);
        let starts = (0..devices).filter(kept).map(|index| values[count + index]);
        for (parameter, value) in
            problem.parameters.iter_mut().zip(values[..count].iter().copied().chain(starts))
        {
            parameter.start = value;
        }
        let found = least_squares(&problem, options).ok()?;
        Some((0..count).map(|k| problem.parameters[k].coordinate(found.parameters[k].value)).collect())
    };
    let replicates: Vec<Vec<f64>> = (0..devices).into_par_iter().filter_map(without).collect();
    let number = replicates.len() as f64;
    let mean: Vec<f64> =
        (0..count).map(|k| replicates.iter().map(|row| row[k]).sum::<f64>() / number).collect();
    let spread = |i: usize, j: usize| {
        (number - 1.0) / number
            * replicates.iter().map(|row| (row[i] - mean[i]) * (row[j] - mean[j])).sum::<f64>()
    };
    let quantile = student_quantile_975(devices - 1);
    let own: Vec<Parameter> = model.parameters.iter().map(|info| info.starting_at(info.default)).collect();
    let slope = |k: usize| own[k].slope(own[k].coordinate(values[k]));
    for i in 0..fit.parameters.len() {
        for j in 0..fit.parameters.len() {
            if i < count && j < count {
                let known = fit.parameters[i].std.is_finite() && fit.parameters[j].std.is_finite();
                fit.covariance[i][j] = if known { spread(i, j) * slope(i) * slope(j) } else { 0.0 };
            } else if i < count || j < count {
                fit.covariance[i][j] = 0.0;
            }
        }
    }
    for (k, parameter) in
        own.iter().enumerate().filter(|(k, _)| fit.parameters[*k].std.is_finite()).collect::<Vec<_>>()
    {
        let deviation = spread(k, k).sqrt();
        let middle = parameter.coordinate(values[k]);
        let fitted = &mut fit.parameters[k];
        fitted.std = deviation * slope(k);
        fitted.interval95 =
            [parameter.value(middle - quantile * deviation), parameter.value(middle + quantile * deviation)];
    }
}

/// Gates and offsets of the neutral threshold, V, from which the collection is fitted: the kinks of the
/// yield where a field vanishes make side minima.
const GATE_STARTS_V: [f64; 3] = [-1.2, -0.8, -0.2];
const NEUTRAL_STARTS_V: [f64; 3] = [-0.3, 0.0, 0.3];

/// The best fit from the given start and, for the collection, from others too.
fn best_of_starts(
    problem: &mut Problem<'_>,
    options: &FitOptions,
    curves: &[Curve],
) -> Result<FitResult, FitError> {
    let mut best = least_squares(problem, options)?;
    let mut rivals: Vec<(f64, f64, f64)> = Vec::new();
    let place = |name: &str| problem.parameters.iter().position(|parameter| parameter.name == name);
    let (Some(gate), Some(neutral)) = (place("phi_ms_v"), place("vt_neutral_v")) else {
        return Ok(best);
    };
    for gate_v in GATE_STARTS_V {
        for offset_v in NEUTRAL_STARTS_V {
            problem.parameters[gate].start = gate_v;
            problem.parameters[neutral].start = middle(curves) + offset_v;
            if let Ok(other) = least_squares(problem, options) {
                rivals.push((other.cost, other.value("phi_ms_v"), other.value("vt_neutral_v")));
                if other.cost < best.cost {
                    best = other;
                }
            }
        }
    }
    rivals.retain(|(cost, ..)| *cost < RIVAL_COST * best.cost);
    warn_of_rivals(&mut best, &rivals);
    Ok(best)
}

/// A minimum whose cost is below this multiple of the best one fits about as well: with some twenty
/// devices that differ, the ratio of the costs of two equally good descriptions scatters by as much (assumed).
const RIVAL_COST: f64 = 1.2;

/// Distance of a gate or neutral threshold, V, from which a minimum counts as another one.
const RIVAL_DISTANCE_V: f64 = 0.05;

fn warn_of_rivals(best: &mut FitResult, rivals: &[(f64, f64, f64)]) {
    let (gate_v, neutral_v) = (best.value("phi_ms_v"), best.value("vt_neutral_v"));
    let others: Vec<&(f64, f64, f64)> = rivals
        .iter()
        .filter(|(_, gate, neutral)| (gate - gate_v).hypot(neutral - neutral_v) > RIVAL_DISTANCE_V)
        .collect();
    if others.is_empty() {
        return;
    }
    let range = |of: fn(&(f64, f64, f64)) -> f64, own: f64| {
        others.iter().fold((own, own), |(low, high), other| (low.min(of(other)), high.max(of(other))))
    };
    let (gate, neutral) = (range(|other| other.1, gate_v), range(|other| other.2, neutral_v));
    best.warnings.push(format!(
        "other minima fit about as well: phi_ms_v between {:.2} and {:.2} V, vt_neutral_v between {:.2} and \
         {:.2} V; the intervals given hold inside the best minimum only",
        gate.0, gate.1, neutral.0, neutral.1
    ));
}

/// Mean of all first thresholds: a start for V_inf that lies among the states.
fn middle(curves: &[Curve]) -> f64 {
    let firsts: Vec<f64> = curves.iter().filter_map(|curve| curve.vt_v.first().copied()).collect();
    firsts.iter().sum::<f64>() / firsts.len().max(1) as f64
}

fn flow_of(kept: &Mutex<Option<(Vec<f64>, Flow)>>, own: &[f64], law: &CollectLaw) -> Flow {
    let Ok(mut slot) = kept.lock() else { return Flow::new(law) };
    match &*slot {
        Some((values, flow)) if values == own => flow.clone(),
        _ => {
            let flow = Flow::new(law);
            *slot = Some((own.to_vec(), flow.clone()));
            flow
        }
    }
}

fn warn_of_short_doses(fit: &mut FitResult, curves: &[Curve]) {
    let largest = curves.iter().flat_map(|curve| &curve.doses_krad_si).copied().fold(0.0, f64::max);
    let dose_c = fit.value("dose_c_krad_si");
    if dose_c.is_finite() && largest < 0.3 * dose_c {
        fit.warnings.push(format!(
            "the largest dose, {largest} krad(Si), is below 0.3 D_c: each device shows hardly more \
             than its slope (V_T0 - V_inf)/D_c; V_inf and D_c are told apart only by the assumption that all \
             states share them and that the slope is linear in the threshold"
        ));
    }
}

/// A law in a ranking.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    /// The fit.
    pub fit: TidFit,
    /// AICc above the best one.
    pub delta_aicc: f64,
}

/// Fits all dose laws and ranks them by AICc, best first; laws that cannot be fitted are left out.
pub fn compare(points: &[VtPoint]) -> Vec<Ranked> {
    let mut fits: Vec<TidFit> = [&EXP, &STRETCHED, &TWO_TERM, &COLLECT]
        .into_iter()
        .filter_map(|model| fit(model, points).ok())
        .collect();
    fits.sort_by(|a, b| a.fit.aicc.total_cmp(&b.fit.aicc));
    let best = fits.first().map_or(0.0, |best| best.fit.aicc);
    fits.into_iter().map(|fit| Ranked { delta_aicc: fit.fit.aicc - best, fit }).collect()
}
