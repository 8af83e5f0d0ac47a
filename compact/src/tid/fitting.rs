//! Dose laws fitted to thresholds of several devices.

use super::collect::{CollectLaw, Flow, Release};
use super::{COLLECT, EXP, Law, STRETCHED, TWO_TERM};
use crate::fit::{
    Axis, Deviation, Device, FitError, FitOptions, FitResult, LawSlopes, Loss, Parameter, Regression, Series,
    Transform, least_squares,
};
use crate::model::ModelInfo;
use crate::readings::{CORNER, missing, nothing};
use mho_data::InputError;
use mho_data::measurement::Measurement;
use mho_data::table::{Table, TableError};
use std::sync::{Arc, Mutex};

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

fn usable(point: &VtPoint) -> bool {
    point.vt_v.is_finite() && point.dose_krad_si.is_finite()
}

fn curves(points: &[VtPoint]) -> Vec<Curve> {
    let mut curves: Vec<Curve> = Vec::new();
    for point in points.iter().filter(|point| usable(point)) {
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
    let regression = regression(model, points)?;
    let mut fit = best_of_starts(&regression)?;
    regression.describe(&mut fit);
    let count = model.parameters.len();
    let values = fit.values();
    let starts = regression
        .devices
        .iter()
        .zip(&values[count..])
        .map(|(device, &start)| {
            let state = device.series.first().map_or("", |series| &series.label);
            let name = device.name.strip_prefix(state).unwrap_or(&device.name).trim();
            (state.to_owned(), name.to_owned(), start)
        })
        .collect();
    let law = Law::from_values(model, &values[..count])
        .ok_or_else(|| FitError::BrokeDown("the law lost its parameters".into()))?;
    Ok(TidFit { model, law, fit, starts })
}

/// The readings of `points` with `model` (one of the four dose laws): its parameters are shared by all devices
/// and stand first, then follows the start of each device. Readings without a finite threshold or dose are left
/// out and counted.
///
/// # Errors
/// [`FitError::BrokeDown`] when `model` is no dose law.
pub fn regression(model: &'static ModelInfo, points: &[VtPoint]) -> Result<Regression<'static>, FitError> {
    if Law::from_values(model, &model.defaults()).is_none() {
        return Err(FitError::BrokeDown(format!("{} is no law of threshold against dose", model.name)));
    }
    let curves = curves(points);
    let count = model.parameters.len();
    let mut starts = Vec::with_capacity(curves.len());
    let mut devices = Vec::with_capacity(curves.len());
    for curve in &curves {
        let label = format!("{} {}", curve.state, curve.device).trim().to_owned();
        let first = curve.vt_v.first().copied().unwrap_or(0.0);
        starts.push(Parameter::new(format!("start_v {label}"), "V", first, -10.0, 10.0, Transform::Linear));
        devices.push(Device {
            name: label,
            series: vec![Series {
                label: curve.state.clone(),
                x: curve.doses_krad_si.clone(),
                y: curve.vt_v.clone(),
                order: curve.doses_krad_si.clone(),
                wider: curve.sigma_v.iter().map(|sigma| sigma / MISFIT_V).collect(),
            }],
        });
    }
    let middle_v = middle(&devices);
    let mut parameters: Vec<Parameter> = model
        .parameters
        .iter()
        .map(|info| info.starting_at(if info.name == "vt_inf_v" { middle_v } else { info.default }))
        .collect();
    parameters.append(&mut starts);
    let kept = points.iter().filter(|point| usable(point)).count();
    // The flow of the collection depends on the shared parameters alone: all devices and the differences with the
    // starts use one.
    let flows = Flows::default();
    let doses: Vec<Vec<f64>> = curves.into_iter().map(|curve| curve.doses_krad_si).collect();
    let law = Arc::new(move |values: &[f64], device: usize| -> Vec<f64> {
        let (own, starts) = values.split_at(count);
        let (start_v, doses) = (starts[device], &doses[device]);
        match Law::from_values(model, own) {
            Some(Law::Collect(law)) => flows.of(own, &law).thresholds_v(start_v, doses),
            Some(law) => doses.iter().map(|&dose| law.closed_form_v(start_v, dose)).collect(),
            None => vec![f64::NAN; doses.len()],
        }
    });
    let slopes = (model.name == COLLECT.name).then(|| device_slopes(law.clone(), parameters.clone(), count));
    Ok(Regression {
        model,
        parameters,
        devices,
        law: Box::new(move |values, device| law(values, device)),
        deviation: Deviation::Absolute { sigma: MISFIT_V },
        x: Axis { title: "dose D", unit: "krad(Si)", log: false },
        y: Axis { title: "threshold V_T", unit: "V", log: false },
        options: FitOptions {
            loss: Loss::Robust { corner: CORNER },
            difference_step: if model.name == COLLECT.name { 1e-4 } else { 1e-6 },
            patience: 30,
            ..FitOptions::default()
        },
        slopes,
        priors: Vec::new(),
        fixed: Vec::new(),
        dropped: points.len() - kept,
        notes: vec![format!(
            "a threshold deviates by its standard deviation and {} mV of misfit (assumed)",
            1e3 * MISFIT_V
        )],
    })
}

/// Step of the differences in free coordinates, well above what the flow is good to.
const DIFFERENCE: f64 = 1e-4;

/// Derivatives of a law of which each device feels the `shared` first parameters and its own start alone: differences
/// of that device, where differences of the whole would evaluate every device for every start.
fn device_slopes(
    law: Arc<impl Fn(&[f64], usize) -> Vec<f64> + Send + Sync + 'static>,
    parameters: Vec<Parameter>,
    shared: usize,
) -> LawSlopes<'static> {
    Box::new(move |values, wanted, device| {
        let here = law(values, device);
        let columns = parameters.iter().enumerate().map(|(index, parameter)| {
            if !wanted[index] {
                return Vec::new();
            }
            if index >= shared && index != shared + device {
                return vec![0.0; here.len()];
            }
            let u = parameter.coordinate(values[index]);
            let step = DIFFERENCE * u.abs().max(1.0);
            let at = |u: f64| {
                let mut moved = values.to_vec();
                moved[index] = parameter.value(u);
                (law(&moved, device), moved[index])
            };
            let ((above, high), (below, low)) = (at(u + step), at(u - step));
            above.iter().zip(&below).map(|(a, b)| (a - b) / (high - low)).collect()
        });
        let columns = columns.collect();
        (here, columns)
    })
}

/// The readings of a measurement of thresholds with the exponential law.
///
/// # Errors
/// [`InputError`] when a column is missing or there are no finite thresholds.
pub fn exp(measurement: &Measurement) -> Result<Regression<'static>, InputError> {
    of(measurement, &EXP)
}

/// The same with the stretched law.
///
/// # Errors
/// As [`exp`].
pub fn stretched(measurement: &Measurement) -> Result<Regression<'static>, InputError> {
    of(measurement, &STRETCHED)
}

/// The same with the law of two exponentials.
///
/// # Errors
/// As [`exp`].
pub fn two_term(measurement: &Measurement) -> Result<Regression<'static>, InputError> {
    of(measurement, &TWO_TERM)
}

/// The same with the collection of charge, started in the best of its side minima.
///
/// # Errors
/// As [`exp`].
pub fn collect_charge(measurement: &Measurement) -> Result<Regression<'static>, InputError> {
    let mut regression = of(measurement, &COLLECT)?;
    if let Ok(best) = best_of_starts(&regression) {
        for (parameter, value) in regression.parameters.iter_mut().zip(best.values()) {
            parameter.start = value;
        }
    }
    Ok(regression)
}

fn of(measurement: &Measurement, model: &'static ModelInfo) -> Result<Regression<'static>, InputError> {
    let all = points(&measurement.table).map_err(|error| missing(measurement, &error))?;
    if !all.iter().any(usable) {
        return Err(nothing(
            measurement,
            format!("{} thresholds, none finite", all.len()),
            "finite thresholds",
        ));
    }
    regression(model, &all).map_err(|error| nothing(measurement, error.to_string(), "a law of dose"))
}

/// Gates and offsets of the neutral threshold, V, from which the collection is fitted: the kinks of the
/// yield where a field vanishes make side minima.
const GATE_STARTS_V: [f64; 3] = [-1.2, -0.8, -0.2];
const NEUTRAL_STARTS_V: [f64; 3] = [-0.3, 0.0, 0.3];

/// The best fit from the given start and, for the collection, from others too; the regression keeps the start
/// that led there.
fn best_of_starts(regression: &Regression<'_>) -> Result<FitResult, FitError> {
    let options = regression.options;
    let mut best = least_squares(&regression.problem(), &options)?;
    let mut rivals: Vec<(f64, f64, f64)> = Vec::new();
    let place = |name: &str| regression.parameters.iter().position(|parameter| parameter.name == name);
    let (Some(gate), Some(neutral)) = (place("phi_ms_v"), place("vt_neutral_v")) else {
        return Ok(best);
    };
    let middle_v = middle(&regression.devices);
    let mut problem = regression.problem();
    for gate_v in GATE_STARTS_V {
        for offset_v in NEUTRAL_STARTS_V {
            problem.parameters[gate].start = gate_v;
            problem.parameters[neutral].start = middle_v + offset_v;
            if let Ok(other) = least_squares(&problem, &options) {
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
fn middle(devices: &[Device]) -> f64 {
    let firsts: Vec<f64> =
        devices.iter().filter_map(|device| device.series.first()?.y.first().copied()).collect();
    firsts.iter().sum::<f64>() / firsts.len().max(1) as f64
}

/// The newest last, by the values that each hangs on.
type Kept<T> = Mutex<Vec<(Vec<f64>, Arc<T>)>>;

/// Flows by the values of all shared parameters, and what they are made of by the gate's.
#[derive(Default)]
struct Flows {
    flows: Kept<Flow>,
    releases: Kept<Release>,
}

/// Tables that are kept: more than threads that fit at the same time.
const KEPT: usize = 64;

/// The table of these values, kept or made anew.
fn kept<T>(all: &Kept<T>, values: &[f64], make: impl FnOnce() -> T) -> Arc<T> {
    if let Ok(all) = all.lock()
        && let Some((_, found)) = all.iter().rev().find(|(of, _)| of == values)
    {
        return Arc::clone(found);
    }
    let made = Arc::new(make());
    if let Ok(mut all) = all.lock() {
        if all.len() >= KEPT {
            all.remove(0);
        }
        all.push((values.to_vec(), Arc::clone(&made)));
    }
    made
}

impl Flows {
    fn of(&self, own: &[f64], law: &CollectLaw) -> Arc<Flow> {
        kept(&self.flows, own, || {
            Flow::new(law, &kept(&self.releases, &[law.phi_ms_v], || Release::new(law)))
        })
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
