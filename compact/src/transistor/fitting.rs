//! From a transistor's sweeps to its parameters: start values read off the curves, least squares in ln I above
//! the noise floor, and no parameter that the data do not ask for.

use super::gradient::Gradient;
use super::info::INFO;
use super::law::{Terminals, Transistor};
use super::readings::{Reading, Readings};
use crate::extract;
use crate::fit::{
    Axis, Deviation, FitError, FitOptions, FitResult, Fixed, Neutral, Parameter, Prior, Regression,
    Transform, least_squares, reduce,
};
use mho_data::InputError;
use mho_data::measurement::Measurement;

/// Relative standard deviation of a current well above the floor, of instrument and law together (assumed:
/// what the law reaches on good devices; only its ratio to the floor matters to the values).
const RELATIVE: f64 = 0.04;

/// The search is made from other starts too when the first leaves this root mean square of ln I.
const DEMANDING_RMS: f64 = 0.08;

/// Beyond this the law does not describe the readings, and nothing is gained by leaving parameters out.
const HOPELESS_RMS: f64 = 0.3;

/// Part of the smallest ratio of voltage and current that the series resistances take at the start: little,
/// and nearly all of it (arrays of many parallel transistors).
const RESISTANCE_PARTS: [f64; 2] = [0.06, 0.9];

/// Part of the series resistance at the source, at the start: few know how their device was wired.
const SOURCE_PART: f64 = 0.7;

/// Current per unit of W / L at which the threshold is read for a start, A.
const THRESHOLD_PART: f64 = 2e-3;

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

/// What is known of a silicon transistor beforehand, so that no interval is without an end where the series
/// resistance hides the channel.
fn priors(readings: &Readings) -> Vec<Prior> {
    let hole = readings.polarity < 0.0;
    let (carrier, field, gain) = if hole {
        ("holes", HOLE_FIELD_V_PER_UM, HOLE_GAIN_A_PER_V2)
    } else {
        ("electrons", ELECTRON_FIELD_V_PER_UM, ELECTRON_GAIN_A_PER_V2)
    };
    let mut priors = vec![Prior {
        name: "theta_per_v",
        value: 0.5,
        spread: 2.0,
        scale: Transform::Linear,
        source: "0.5 +- 2 1/V (literature: 0.1 to 2 for oxides of 2 to 10 nm)".into(),
    }];
    priors.push(Prior {
        name: "gamma_sqrt_v",
        value: 0.4,
        spread: std::f64::consts::LN_2,
        scale: Transform::Log,
        source: "0.4 V^1/2 within a factor of two (channel of 1e17 to 1e18 cm-3 under 2 to 8 nm of oxide)"
            .into(),
    });
    let Some([width_um, length_um, multiplicity]) = readings.geometry else { return priors };
    let value = field * length_um;
    priors.push(Prior {
        name: "critical_v",
        value,
        spread: std::f64::consts::LN_2,
        scale: Transform::Log,
        source: format!(
            "{value:.2} V within a factor of two, 2 v_sat L / mu of {carrier} at L = {length_um} um"
        ),
    });
    let value = gain * multiplicity * width_um / length_um;
    priors.push(Prior {
        name: "beta_a_per_v2",
        value,
        spread: GAIN_SPREAD,
        scale: Transform::Log,
        source: format!(
            "{value:.2e} A/V^2 within a factor of three, mu C_ox W / L of {carrier} at {multiplicity} x \
             {width_um} um / {length_um} um"
        ),
    });
    priors
}

/// mu C_ox of the surface mobilities below and an oxide of 4 nm, A/V^2 (derived); oxides of 2 to 8 nm and
/// differences of mask and channel lie within a factor of three.
const ELECTRON_GAIN_A_PER_V2: f64 = 3e-4;
const HOLE_GAIN_A_PER_V2: f64 = 8e-5;
const GAIN_SPREAD: f64 = 1.1;

/// Critical field of velocity saturation, V/um: 2 v_sat / mu with v_sat = 8e6 cm/s and surface mobilities of 350
/// and 90 cm2/Vs (literature: Taur and Ning, Fundamentals of Modern VLSI Devices, chapter 3; rounded).
const ELECTRON_FIELD_V_PER_UM: f64 = 4.5;
const HOLE_FIELD_V_PER_UM: f64 = 18.0;

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

/// Fits one transistor: from one start, from others when the residuals demand it, then without the parameters
/// that AICc does not want.
///
/// # Errors
/// [`FitError`] when no start gives a fit.
pub fn fit(readings: &Readings) -> Result<TransistorFit, FitError> {
    let mut best: Option<(Regression<'static>, FitResult)> = None;
    for part in RESISTANCE_PARTS {
        let regression = of(readings.clone(), part, false);
        let fit = least_squares(&regression.problem(), &regression.options)?;
        let enough = regression.rms_log(&fit.values()).is_none_or(|rms| rms < DEMANDING_RMS);
        if best.as_ref().is_none_or(|(_, before)| fit.cost < before.cost) {
            best = Some((regression, fit));
        }
        if enough {
            break;
        }
    }
    let Some((mut regression, first)) = best else {
        return Err(FitError::BrokeDown("no start was given".into()));
    };
    for parameter in &mut regression.parameters {
        parameter.start = first.value(&parameter.name);
    }
    // At one body voltage the fall of the slope factor with the gate voltage still tells something of the body
    // effect; searched for from the fit without it and anew, since either search may end in a side minimum.
    let mut first = first;
    if regression.fixed.iter().any(|fixed| fixed.name == "gamma_sqrt_v") {
        for warm in [true, false] {
            let mut freed = of(readings.clone(), RESISTANCE_PARTS[0], true);
            for parameter in &mut freed.parameters {
                if let Some(found) = first.parameter(&parameter.name).filter(|_| warm) {
                    parameter.start = found.value;
                }
            }
            let found = least_squares(&freed.problem(), &freed.options);
            if let Ok(fit) = found
                && fit.aicc < first.aicc
            {
                for parameter in &mut freed.parameters {
                    parameter.start = fit.value(&parameter.name);
                }
                (regression, first) = (freed, fit);
            }
        }
    }
    if regression.rms_log(&first.values()).is_some_and(|rms| rms > HOPELESS_RMS) {
        let mut fit = first;
        regression.describe(&mut fit);
        let words = "the law does not describe these readings (contacts that come and go, noise beyond the floor, \
                     or another device): no parameter means much";
        fit.warnings.push(words.into());
        return Ok(TransistorFit { regression, fit });
    }
    let reduced = reduce(&regression.problem(), &regression.options, &NEUTRAL)?;
    for (neutral, change) in &reduced.without {
        let why = format!("AICc prefers the fit without it (by {:.1})", -change);
        regression.fix(neutral.name, neutral.value, why);
    }
    for parameter in &mut regression.parameters {
        parameter.start = reduced.fit.value(&parameter.name);
    }
    let mut fit = reduced.fit;
    regression.describe(&mut fit);
    Ok(TransistorFit { regression, fit })
}

/// Start values in the order of [`INFO`], and the scales that bounds come from.
struct Start {
    values: Vec<f64>,
    least_ohm: f64,
}

impl Start {
    fn of(readings: &Readings, resistance_part: f64) -> Self {
        let mut values = INFO.defaults();
        let sign = readings.polarity;
        let drop = |reading: &Reading| sign * (reading.at.drain_v - reading.at.source_v);
        let current = |reading: &Reading| sign * reading.drain_a;
        let least_ohm = readings
            .all
            .iter()
            .filter(|reading| current(reading) > 10.0 * readings.floor_a && drop(reading) > 0.0)
            .map(|reading| drop(reading) / current(reading))
            .fold(f64::INFINITY, f64::min);
        let least_ohm = if least_ohm.is_finite() { least_ohm } else { 1e6 };
        let mut set = |name: &str, value: f64| {
            if let Some(index) = INFO.parameters.iter().position(|info| info.name == name) {
                values[index] = value;
            }
        };
        set("polarity", sign);
        set("reference_temperature_k", reference_temperature_k(&readings.all));
        if let Some(vt_v) = threshold_v(readings) {
            set("vt_v", vt_v);
        }
        set("leakage_s", 1e-6 / least_ohm);
        set("source_ohm", SOURCE_PART * resistance_part * least_ohm);
        set("drain_ohm", (1.0 - SOURCE_PART) * resistance_part * least_ohm);
        // The gain that gives the largest current; twice, for the resistances.
        let beta = INFO.parameters.iter().position(|info| info.name == "beta_a_per_v2");
        let top = readings.all.iter().max_by(|a, b| current(a).total_cmp(&current(b)));
        if let (Some(beta), Some(top)) = (beta, top) {
            for _ in 0..3 {
                let law = Transistor::from_values(&values, top.temperature_k);
                let found = sign * law.current_a(top.at);
                if found > 0.0 && current(top) > 0.0 {
                    values[beta] = (values[beta] * current(top) / found).clamp(1e-9, 1e3);
                }
            }
        }
        Self { values, least_ohm }
    }

    /// What the readings cannot tell, with the reason.
    fn fixed(&self, readings: &Readings, body_effect: bool) -> Vec<Fixed> {
        let sign = readings.polarity;
        let body = readings.values(|reading| sign * (reading.at.source_v - reading.at.body_v));
        let drain = readings.values(|reading| sign * (reading.at.drain_v - reading.at.source_v));
        let temperatures = readings.values(|reading| reading.temperature_k);
        let mut names: Vec<(&'static str, &'static str)> = vec![
            ("phi_v", "no fit tells it from the body effect"),
            ("polarity", "sign of the measured current"),
            ("reference_temperature_k", "temperature of the measurement"),
        ];
        if body.len() < 2 {
            let why = "one body voltage only";
            if !body_effect {
                names.push(("gamma_sqrt_v", why));
            }
            names.extend([("body_linear", why), ("dibl_body_per_v", why)]);
        }
        if drain.len() < 2 {
            let why = "one drain voltage only";
            names.extend([("dibl", why), ("dibl_body_per_v", why), ("shortening", why), ("drain_ohm", why)]);
        }
        if temperatures.len() < 2 {
            let why = "one temperature only";
            names.extend([("vt_slope_v_per_k", why), ("mobility_exponent", why)]);
        }
        let mut fixed: Vec<Fixed> = Vec::new();
        for (name, why) in names {
            let index = INFO.parameters.iter().position(|info| info.name == name);
            if let Some(index) = index
                && fixed.iter().all(|other| other.name != name)
            {
                fixed.push(Fixed { name, value: self.values[index], why: why.into() });
            }
        }
        fixed
    }

    /// Bounds of a parameter: those of the law, narrowed where the readings give a scale.
    fn bounds(&self, name: &str, law: [f64; 2]) -> [f64; 2] {
        match name {
            "source_ohm" | "drain_ohm" => [0.0, 1.2 * self.least_ohm],
            "leakage_s" => [1e-9 / self.least_ohm, 0.01 / self.least_ohm],
            _ => law,
        }
    }
}

/// Mean temperature, K.
fn reference_temperature_k(readings: &[Reading]) -> f64 {
    readings.iter().map(|reading| reading.temperature_k).sum::<f64>() / readings.len().max(1) as f64
}

/// Where the current of the smallest body voltage and the largest drain voltage rises through a small part of
/// its largest value.
fn threshold_v(readings: &Readings) -> Option<f64> {
    let sign = readings.polarity;
    let body = |at: &Terminals| sign * (at.source_v - at.body_v);
    let least = readings.all.iter().map(|reading| body(&reading.at).abs()).fold(f64::INFINITY, f64::min);
    let near = || readings.all.iter().filter(|reading| body(&reading.at).abs() <= least + 1e-3);
    let drain = |reading: &Reading| sign * (reading.at.drain_v - reading.at.source_v);
    let largest = near().map(drain).fold(0.0, f64::max);
    let (gate_v, drain_a): (Vec<f64>, Vec<f64>) = near()
        .filter(|reading| drain(reading) > 0.99 * largest)
        .map(|reading| (sign * (reading.at.gate_v - reading.at.source_v), sign * reading.drain_a))
        .unzip();
    let top = drain_a.iter().copied().fold(0.0, f64::max);
    extract::constant_current_threshold_v(&gate_v, &drain_a, THRESHOLD_PART * top)
}
