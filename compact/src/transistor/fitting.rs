//! From a transistor's sweeps to its parameters: start values read off the curves, least squares in ln I above
//! the noise floor, and no parameter that the data do not ask for.

use super::disturbance::{Disturbed, disturbed};
use super::freedom::{Allowed, widen};
use super::gradient::Gradient;
use super::info::INFO;
use super::law::Transistor;
use super::priors::priors;
use super::readings::{Reading, Readings};
use super::selection::{Limited, select};
use super::start::Start;
use crate::fit::{
    Axis, Deviation, FitError, FitOptions, FitResult, Found, Neutral, Parameter, Regression, Search, bounded,
    least_squares,
};
use mho_data::InputError;
use mho_data::measurement::Measurement;
use std::fmt::Write as _;

/// Relative standard deviation of a current well above the floor, of instrument and law together (assumed:
/// what the law reaches on good devices; only its ratio to the floor matters to the values).
const RELATIVE: f64 = 0.04;

/// Beyond this the law does not describe the readings.
const HOPELESS_RMS: f64 = 0.3;

/// Part of the smallest ratio of voltage and current that the series resistances take at the start: little,
/// and nearly all of it (arrays of many parallel transistors).
const RESISTANCE_PARTS: [f64; 2] = [0.06, 0.9];

/// Drain voltage beyond which a threshold read there is not that of small drain voltages, V.
const FAR_FROM_LINEAR_V: f64 = 0.3;

/// Parameters that may be left out, and where they have no effect.
const NEUTRAL: [Neutral; 10] = [
    Neutral { name: "leakage_gate_per_v", value: 0.0 },
    Neutral { name: "leakage_saturation_per_v", value: 0.0 },
    Neutral { name: "body_linear", value: 0.0 },
    Neutral { name: "dibl_body_per_v", value: 0.0 },
    Neutral { name: "source_ohm", value: 0.0 },
    Neutral { name: "drain_ohm", value: 0.0 },
    Neutral { name: "leakage_s", value: 0.0 },
    Neutral { name: "theta_per_v", value: 0.0 },
    Neutral { name: "shortening", value: 0.0 },
    Neutral { name: "trap_ratio", value: 0.0 },
];

/// The fit of one transistor: all of its sweeps together.
///
/// # Errors
/// [`InputError`] when the measurement holds no such sweeps.
pub fn regression(measurement: &Measurement) -> Result<Regression<'static>, InputError> {
    Ok(of(Readings::of(measurement)?, RESISTANCE_PARTS[0], false))
}

/// The fit of these readings, with series resistances that start at this part of the smallest ratio of voltage
/// and current; with `body_effect` it is fitted at a single body voltage too.
pub fn of(readings: Readings, resistance_part: f64, body_effect: bool) -> Regression<'static> {
    let mut notes: Vec<String> =
        readings.left_out.iter().map(|(count, why)| format!("{count} readings left out: {why}")).collect();
    if !readings.floor_seen {
        notes.push(format!(
            "no noise is seen in the readings; a floor of {:.1e} A is assumed",
            readings.floor_a
        ));
    }
    let start = Start::of(&readings, resistance_part);
    let fixed = start.fixed(&readings, body_effect);
    let parameters: Vec<Parameter> = INFO
        .parameters
        .iter()
        .enumerate()
        .filter(|(_, info)| fixed.iter().all(|fixed| fixed.name != info.name))
        .map(|(index, info)| {
            let [lower, upper] = start.bounds(info.name, [info.lower, info.upper]);
            Parameter::new(info.name, info.unit, start.values[index], lower, upper, info.transform)
        })
        .collect();
    let places: Vec<usize> = parameters
        .iter()
        .filter_map(|parameter| INFO.parameters.iter().position(|info| info.name == parameter.name))
        .collect();
    let base = start.values;
    let (slope_base, slope_places, slope_readings) = (base.clone(), places.clone(), readings.all.clone());
    let priors = priors(&readings);
    notes.extend(priors.iter().map(|prior| format!("{} is expected: {}", prior.name, prior.source)));
    let drain = readings.values(|reading| (reading.at.drain_v - reading.at.source_v).abs());
    if let (Some(dibl), &[drain_v]) = (fixed.iter().find(|fixed| fixed.name == "dibl"), drain.as_slice())
        && drain_v > FAR_FROM_LINEAR_V
    {
        notes.push(format!(
            "all readings are at |V_D| = {drain_v} V: vt_v, beta and the resistances hold there; towards small V_D \
             they rest on dibl = {} (assumed), of which 0.01 more makes vt_v {:.0} mV larger",
            dibl.value,
            10.0 * drain_v
        ));
    }
    let Readings { device, all, floor_a, gate_swept, polarity, left_out, .. } = readings;
    let gate_axis = Axis { title: "gate voltage V_G", unit: "V", log: false };
    let drain_axis = Axis { title: "drain voltage V_D", unit: "V", log: false };
    Regression {
        model: &INFO,
        parameters,
        devices: vec![device],
        law: Box::new(move |free, _| {
            let mut values = base.clone();
            for (&place, &value) in places.iter().zip(free) {
                values[place] = value;
            }
            currents(&values, &all, polarity)
        }),
        slopes: Some(Box::new(move |free, wanted, _| {
            let mut values = slope_base.clone();
            for (&place, &value) in slope_places.iter().zip(free) {
                values[place] = value;
            }
            slopes(&values, &slope_places, wanted, &slope_readings, polarity)
        })),
        deviation: Deviation::Log { relative: RELATIVE, floor: floor_a },
        x: if gate_swept { gate_axis } else { drain_axis },
        y: Axis { title: "drain current |I_D|", unit: "A", log: true },
        options: FitOptions { patience: 30, cost_tolerance: 1e-5, ..FitOptions::default() },
        fixed,
        priors,
        dropped: left_out.iter().map(|(count, _)| count).sum(),
        notes,
    }
}

/// Currents that flow (positive from drain to source in the device's own polarity), A.
fn currents(values: &[f64], readings: &[Reading], polarity: f64) -> Vec<f64> {
    let mut temperature_k = f64::NAN;
    let mut law = Transistor::from_values(values, 300.0);
    readings
        .iter()
        .map(|reading| {
            if reading.temperature_k != temperature_k {
                temperature_k = reading.temperature_k;
                law = Transistor::from_values(values, temperature_k);
            }
            polarity * law.current_near_a(reading.at, reading.drain_a)
        })
        .collect()
}

/// The currents of [`currents`] with their derivatives with respect to the parameters at `places`.
fn slopes(
    values: &[f64],
    places: &[usize],
    wanted: &[bool],
    readings: &[Reading],
    polarity: f64,
) -> (Vec<f64>, Vec<Vec<f64>>) {
    let mut columns: Vec<Vec<f64>> = wanted
        .iter()
        .map(|wanted| if *wanted { Vec::with_capacity(readings.len()) } else { Vec::new() })
        .collect();
    let mut predictions = Vec::with_capacity(readings.len());
    let mut temperature_k = f64::NAN;
    let mut law = Gradient::new(values, 300.0);
    for reading in readings {
        if reading.temperature_k != temperature_k {
            temperature_k = reading.temperature_k;
            law = Gradient::new(values, temperature_k);
        }
        let (current, slopes) = law.current_a(reading.at, reading.drain_a);
        predictions.push(polarity * current);
        for ((column, wanted), &place) in columns.iter_mut().zip(wanted).zip(places) {
            if *wanted {
                column.push(polarity * slopes[place]);
            }
        }
    }
    (predictions, columns)
}

/// A fitted transistor.
pub struct TransistorFit {
    /// Readings with their law, for pictures and uncertainties.
    pub regression: Regression<'static>,
    /// The fit of the parameters that the data ask for; `rms_log` over the readings above ten floors.
    pub fit: FitResult,
}

/// Fits one transistor: from one start, from others when the residuals demand it, without readings that stand alone
/// in their sweep, then without the parameters that AICc does not want; intervals include what these leave open.
///
/// # Errors
/// [`FitError`] when no start gives a fit.
pub fn fit(readings: &Readings) -> Result<TransistorFit, FitError> {
    let regression = of(readings.clone(), RESISTANCE_PARTS[0], false);
    let Some(best) = minimum(readings, &regression) else {
        // The words of the general fit say why.
        let fit = regression.fit()?;
        return Ok(TransistorFit { regression, fit });
    };
    let logs = logs(readings, &(regression.law)(&best.values, 0));
    let Disturbed { alone, words } =
        disturbed(readings, RELATIVE, &regression.residuals_of(&best.values, 0), &logs);
    let kept = (!alone.is_empty())
        .then(|| readings.without(&alone, "away from those beside them in their sweep"))
        .and_then(|kept| {
            let regression = of(kept.clone(), RESISTANCE_PARTS[0], false);
            let best = minimum(&kept, &regression)?;
            Some((kept, regression, best))
        });
    let mut found = match kept {
        Some((kept, regression, best)) => {
            let mut found = refined(&kept, regression, best)?;
            found.fit.rms_log = rms_log_of_all(readings, &found);
            found
        }
        None => refined(readings, regression, best)?,
    };
    found.fit.warnings.extend(words);
    Ok(found)
}

/// The best minimum with all parameters, from the start or from others.
fn minimum(readings: &Readings, regression: &Regression<'_>) -> Option<Found> {
    let best = search(regression, &regression.problem().start(), SEARCH)?;
    let again = structured(regression, &best.values);
    Some(if again { search_again(readings, regression, best) } else { best })
}

/// Departures in ln I of the readings above ten noise floors; NaN below.
fn logs(readings: &Readings, predictions: &[f64]) -> Vec<f64> {
    let clear = |reading: f64, model: f64| reading > 10.0 * readings.floor_a && model > 0.0;
    let measured = readings.device.series.iter().flat_map(|series| series.y.iter().copied());
    measured
        .zip(predictions)
        .map(|(reading, &model)| if clear(reading, model) { (reading / model).ln() } else { f64::NAN })
        .collect()
}

/// [`Regression::rms_log`] over these readings, whichever of them were fitted.
fn rms_log_of_all(readings: &Readings, found: &TransistorFit) -> Option<f64> {
    let values: Vec<f64> = INFO
        .parameters
        .iter()
        .map(|info| {
            let fixed = found.regression.fixed.iter().find(|fixed| fixed.name == info.name);
            let fitted = found.fit.parameter(info.name).map(|fitted| fitted.value);
            fitted.or(fixed.map(|fixed| fixed.value)).unwrap_or(info.default)
        })
        .collect();
    let mut logs = logs(readings, &currents(&values, &readings.all, readings.polarity));
    logs.retain(|log| log.is_finite());
    let square = logs.iter().map(|log| log * log).sum::<f64>() / logs.len() as f64;
    (!logs.is_empty()).then(|| square.sqrt())
}

/// The fit from the minimum with all parameters to the one that is given.
fn refined(
    readings: &Readings,
    regression: Regression<'static>,
    mut best: Found,
) -> Result<TransistorFit, FitError> {
    let mut whole = regression;
    // At one body voltage the fall of the slope factor with the gate voltage still tells something of the body
    // effect.
    if whole.fixed.iter().any(|fixed| fixed.name == "gamma_sqrt_v") {
        let freed = of(readings.clone(), RESISTANCE_PARTS[0], true);
        let mut start = freed.problem().start();
        for (value, parameter) in start.iter_mut().zip(&freed.parameters) {
            if let Some(place) = whole.parameters.iter().position(|of| of.name == parameter.name) {
                *value = best.values[place];
            }
        }
        if let Some(found) = search(&freed, &start, SEARCH)
            && found.cost < best.cost * ONE_MORE
        {
            (whole, best) = (freed, found);
        }
    }
    let hopeless = whole.rms_log(&best.values).is_some_and(|rms| rms > HOPELESS_RMS);
    let expected: Vec<f64> = whole
        .parameters
        .iter()
        .map(|parameter| {
            let known =
                whole.priors.iter().find(|prior| prior.name == parameter.name).map(|prior| prior.value);
            known.or(INFO.parameter(&parameter.name).map(|info| info.default)).unwrap_or(parameter.start)
        })
        .collect();
    let Some(selected) = select(&whole.problem(), best.values.clone(), &NEUTRAL, &expected) else {
        return Err(FitError::BrokeDown("no minimum near the one found".into()));
    };
    let body_effect = whole.parameters.iter().any(|parameter| parameter.name == "gamma_sqrt_v");
    let mut regression = of(readings.clone(), RESISTANCE_PARTS[0], body_effect);
    start_at(&mut regression, &selected.values);
    for (neutral, change) in &selected.without {
        let why = format!("AICc prefers the fit without it (by {:.1})", -change);
        regression.fix(neutral.name, neutral.value, why);
    }
    for Limited { place, wanted, change } in &selected.limited {
        let Some(info) = INFO.parameter(&whole.parameters[*place].name) else { continue };
        let value = selected.values[*place];
        let why = match change {
            Some(change) => format!(
                "not identifiable: the fit tends to {wanted:.3e}, its bound, with an AICc different by {change:.1} only"
            ),
            None => "the readings want it beyond this bound: the law lacks something that they show".into(),
        };
        regression.fix(info.name, value, why);
    }
    let mut fit = least_squares(&regression.problem(), &regression.options)?;
    // So near a bound, measured by its uncertainty, that no interval has a meaning.
    while let Some(near) = fit.parameters.iter().find(|parameter| parameter.at_bound)
        && let Some(info) = INFO.parameter(&near.name)
    {
        let why = "not identifiable: its uncertainty reaches far over the bound beside it";
        regression.fix(info.name, near.value, why.into());
        for parameter in &mut regression.parameters {
            parameter.start = fit.value(&parameter.name);
        }
        fit = least_squares(&regression.problem(), &regression.options)?;
    }
    regression.describe(&mut fit);
    if hopeless {
        let words = "the law does not describe these readings (contacts that come and go, noise beyond the floor, \
                     or another device): no parameter means much";
        fit.warnings.push(words.into());
    }
    let problem = whole.problem();
    let values: Vec<f64> = problem
        .parameters
        .iter()
        .zip(&selected.values)
        .map(|(parameter, &held)| fit.parameter(&parameter.name).map_or(held, |found| found.value))
        .collect();
    let allowed = widen(&mut fit, &problem, &values);
    let mut words = Vec::new();
    for Allowed { place, least, most } in allowed {
        let Parameter { name, unit, .. } = &problem.parameters[place];
        let unit = if unit == "1" { String::new() } else { format!(" {unit}") };
        if let Some(fixed) = regression.fixed.iter_mut().find(|fixed| fixed.name == name) {
            let _ = write!(fixed.why, "; the readings allow {least:.3e} to {most:.3e}{unit}");
            words.push(name.clone());
        }
    }
    if !words.is_empty() {
        let words = words.join(", ");
        fit.warnings.push(format!("intervals include what the readings allow of those left out: {words}"));
    }
    Ok(TransistorFit { regression, fit })
}

/// How long each minimum is searched for.
const SEARCH: Search = Search { tolerance: 1e-5, steps: 60 };
/// ... and how long another start is followed before it is judged.
const SCOUT: Search = Search { tolerance: 1e-2, steps: 8 };

/// Other starts that are followed to their end: the best, where they are not far above the first minimum.
const FOLLOWED: usize = 2;
const PROMISING: f64 = 2.0;

/// A parameter more has to take this part off the sum of squares to be looked at further.
const ONE_MORE: f64 = 0.995;

/// Another start: part of the resistance, factors on the critical voltage and the leakage, and the leakage's growth
/// with the gate voltage, 1/V.
struct Another {
    resistance_part: f64,
    critical: f64,
    leakage: f64,
    leakage_gate_per_v: f64,
}

const PLAIN: Another = Another { resistance_part: 0.3, critical: 1.0, leakage: 1.0, leakage_gate_per_v: 0.0 };

/// Starts after the first: resistance that rules or is nearly absent, early and late velocity saturation, a second
/// path beside the channel.
const STARTS: [Another; 5] = [
    Another { resistance_part: 0.9, ..PLAIN },
    Another { resistance_part: 0.01, ..PLAIN },
    Another { critical: 0.4, ..PLAIN },
    Another { critical: 4.0, ..PLAIN },
    Another { leakage: 100.0, leakage_gate_per_v: 6.0, ..PLAIN },
];

/// Variance of the residuals over that of their differences from reading to reading: 1 of noise alone, with a standard
/// deviation of a tenth or less in hundreds of readings.
const STRUCTURED: f64 = 1.5;

fn search(regression: &Regression<'_>, start: &[f64], search: Search) -> Option<Found> {
    bounded(&regression.problem(), start, search)
}

fn start_at(regression: &mut Regression<'_>, values: &[f64]) {
    for (parameter, &value) in regression.parameters.iter_mut().zip(values) {
        parameter.start = value;
    }
}

/// Whether the residuals are larger than the noise between neighbouring readings.
fn structured(regression: &Regression<'_>, values: &[f64]) -> bool {
    let residuals = regression.residuals_of(values, 0);
    let (mut square, mut difference, mut pairs, mut start) = (0.0, 0.0, 0.0, 0);
    for series in &regression.devices[0].series {
        let own = &residuals[start..start + series.y.len()];
        start += series.y.len();
        square += own.iter().map(|residual| residual * residual).sum::<f64>();
        difference += own.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).sum::<f64>();
        pairs += own.len().saturating_sub(1) as f64;
    }
    square / residuals.len().max(1) as f64 > STRUCTURED * 0.5 * difference / pairs.max(1.0)
}

/// The best of the minimum found and those near the best of the other starts.
fn search_again(readings: &Readings, regression: &Regression<'_>, first: Found) -> Found {
    let mut scouts: Vec<Found> = STARTS
        .iter()
        .filter_map(|another| {
            let start = of(readings.clone(), another.resistance_part, false);
            let start: Vec<f64> = start
                .parameters
                .iter()
                .map(|parameter| match parameter.name.as_str() {
                    "critical_v" => another.critical * parameter.start,
                    "leakage_s" => another.leakage * parameter.start,
                    "leakage_gate_per_v" => another.leakage_gate_per_v,
                    _ => parameter.start,
                })
                .collect();
            search(regression, &start, SCOUT)
        })
        .collect();
    scouts.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    scouts
        .into_iter()
        .filter(|scout| scout.cost < PROMISING * first.cost)
        .take(FOLLOWED)
        .filter_map(|scout| search(regression, &scout.values, SEARCH))
        .chain([first.clone()])
        .min_by(|a, b| a.cost.total_cmp(&b.cost))
        .unwrap_or(first)
}
