//! Retention of a SONOS state: every threshold relaxes towards one neutral value.
//!
//! V_T(t) = V_N + (V_T0 - V_N)(1 - k), k = r log10(1 + t/t_0), at most 1 (design notes A.4 iii), written
//! for currents: with the overdrive u(I) of the state, u(t) = u_N + (u_0 - u_N)(1 - k). The neutral
//! point is given as the current I_N that it carries at the read bias.

use crate::ekv::BOLTZMANN_V_PER_K;
use crate::fit::{
    Axis, Deviation, FitError, FitOptions, FitResult, Parameter, Problem, ProfileInterval, Regression,
    Transform, least_squares, profile,
};
use crate::model::{Entry, Kind, ModelInfo, ParameterInfo, Simulation};
use crate::readings::{self, Plan, cells, missing, nothing};
use mho_data::InputError;
use mho_data::measurement::Measurement;
use mho_data::published::PublishedSonos;
use mho_data::table::{Table, TableError};

/// The parameters in the order of [`Retention::from_values`].
pub const INFO: ModelInfo = ModelInfo {
    name: "sonos-retention",
    version: 1,
    title: "drift of a SONOS state with time, towards a neutral threshold",
    law: "u(t) = u_N + (u_0 - u_N)(1 - k), k = min(1, r log10(1 + t/t_0)), u = V_G - V_T at the read bias, \
          I = i_spec ln(1 + exp(u / 2 n phi_t))^2, u_N = u(I_N); away from 300 K r grows with T and t_0 \
          falls with exp(E_a/kT)",
    parameters: &[
        ParameterInfo {
            name: "neutral_current_na",
            unit: "nA",
            default: 656.0,
            lower: 1.0,
            upper: 1e5,
            transform: Transform::Log,
            kind: Kind::Fitted,
            source: "16 published states at 1, 2, 5 d (TCAS-I 2022), unweighted in nA",
            meaning: "I_N, current of the neutral threshold at the read bias: states above lose, below gain",
        },
        ParameterInfo {
            name: "r_per_decade",
            unit: "1/decade",
            default: 0.0148,
            lower: 1e-4,
            upper: 1.0,
            transform: Transform::Log,
            kind: Kind::Fitted,
            source: "16 published states at 1, 2, 5 d (TCAS-I 2022), unweighted in nA",
            meaning: "r, part of the distance to neutral that is lost per decade of time",
        },
        ParameterInfo {
            name: "t_0_s",
            unit: "s",
            default: 1.82e3,
            lower: 1e-3,
            upper: 1e8,
            transform: Transform::Log,
            kind: Kind::Fitted,
            source: "16 published states at 1, 2, 5 d (TCAS-I 2022); its interval spans more than a decade",
            meaning: "t_0, time at which the loss becomes logarithmic",
        },
        ParameterInfo {
            name: "slope_factor",
            unit: "1",
            default: 1.4,
            lower: 1.0,
            upper: 5.0,
            transform: Transform::Linear,
            kind: Kind::Assumed,
            source: "design notes A.2; not fitted with drift",
            meaning: "n of the transistor that turns thresholds into currents",
        },
        ParameterInfo {
            name: "i_spec_a",
            unit: "A",
            default: 2e-6,
            lower: 1e-10,
            upper: 1e-3,
            transform: Transform::Log,
            kind: Kind::Assumed,
            source: "design notes A.2; not fitted with drift (r changes 6 % from 0.5 to 1000 uA)",
            meaning: "specific current of that transistor",
        },
        ParameterInfo {
            name: "activation_ev",
            unit: "eV",
            default: 1.0,
            lower: 0.5,
            upper: 1.6,
            transform: Transform::Linear,
            kind: Kind::Assumed,
            source: "design notes A.4 (literature: 0.8 to 1.3 eV); needs two temperatures",
            meaning: "E_a, activation energy of t_0",
        },
    ],
    validity: "one relaxation towards one neutral threshold; published states show a second, common shift of \
               some nanoamperes that it leaves out; times of 0 to 5 days were fitted",
    references: &["design notes A.4 (iii) and A.6", "TCAS-I 2022 and IEDM 2022 state data"],
};

/// The law as commands find it.
pub const ENTRIES: &[Entry] = &[Entry {
    info: &INFO,
    kinds: &[mho_data::measurement::Kind::StateCurrent],
    fitting: Some(regression),
    simulation: Simulation::new(&["initial_na", "time_s"], &["current_na"], |card| {
        let law = Retention::from_card(card);
        Box::new(move |at| vec![law.current_na(at[0], at[1])])
    }),
    circuit: None,
}];

/// The law with its parameters; see [`INFO`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Retention {
    /// I_N, nA.
    pub neutral_current_na: f64,
    /// r per decade at 300 K.
    pub r_per_decade: f64,
    /// t_0 at 300 K, s.
    pub t_0_s: f64,
    /// n.
    pub slope_factor: f64,
    /// Specific current, A.
    pub i_spec_a: f64,
    /// E_a, eV.
    pub activation_ev: f64,
}

impl Default for Retention {
    fn default() -> Self {
        Self::from_values(&INFO.defaults())
    }
}

impl Retention {
    /// From values in the order of [`INFO`]; those missing at the end are defaults.
    pub fn from_values(values: &[f64]) -> Self {
        let value =
            |index: usize| values.get(index).copied().unwrap_or_else(|| INFO.parameters[index].default);
        Self {
            neutral_current_na: value(0),
            r_per_decade: value(1),
            t_0_s: value(2),
            slope_factor: value(3),
            i_spec_a: value(4),
            activation_ev: value(5),
        }
    }

    /// From a card of model `sonos-retention`.
    pub fn from_card(card: &crate::card::DeviceCard) -> Self {
        Self::from_values(&card.values(&INFO))
    }

    /// r (per decade) and t_0 (s) at a temperature.
    pub fn at_temperature(&self, temperature_k: f64) -> (f64, f64) {
        let r = self.r_per_decade * temperature_k / 300.0;
        let t_0_s =
            self.t_0_s * (self.activation_ev / BOLTZMANN_V_PER_K * (1.0 / temperature_k - 1.0 / 300.0)).exp();
        (r, t_0_s)
    }

    /// k: the part of the distance to neutral that is lost after `time_s` at a temperature.
    pub fn lost(&self, time_s: f64, temperature_k: f64) -> f64 {
        let (r, t_0_s) = self.at_temperature(temperature_k);
        (r * (time_s.max(0.0) / t_0_s).ln_1p() / std::f64::consts::LN_10).min(1.0)
    }

    /// u(I): overdrive, V, of a current in nA, in saturation without mobility reduction.
    pub fn overdrive_v(&self, current_na: f64) -> f64 {
        let root = (current_na * 1e-9 / self.i_spec_a).sqrt();
        let width_v = 2.0 * self.slope_factor * BOLTZMANN_V_PER_K * 300.0;
        width_v * if root > 30.0 { root } else { root.exp_m1().ln() }
    }

    /// I(u): current, nA, at an overdrive in V.
    pub fn current_at_na(&self, overdrive_v: f64) -> f64 {
        let x = overdrive_v / (2.0 * self.slope_factor * BOLTZMANN_V_PER_K * 300.0);
        let root = x.max(0.0) + (-x.abs()).exp().ln_1p();
        self.i_spec_a * 1e9 * root * root
    }

    /// Current, nA, of a state of `initial_na` after `time_s` at 300 K.
    pub fn current_na(&self, initial_na: f64, time_s: f64) -> f64 {
        if initial_na <= 0.0 {
            return 0.0;
        }
        let (start_v, neutral_v) = (self.overdrive_v(initial_na), self.overdrive_v(self.neutral_current_na));
        self.current_at_na(neutral_v + (start_v - neutral_v) * (1.0 - self.lost(time_s, 300.0)))
    }
}

/// A state observed later.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DriftPoint {
    /// Current at time 0, nA.
    pub initial_na: f64,
    /// Time, s.
    pub time_s: f64,
    /// Current then, nA.
    pub current_na: f64,
}

/// The drift of a published set as points: its states at the later times, or, where it gives a
/// polynomial, every 10 nA from 10 to 1700 nA (design notes A.4).
pub fn published_points(set: &PublishedSonos) -> Vec<DriftPoint> {
    let later = set.time_s.iter().filter(|&&time_s| time_s > 0.0);
    let starts: Vec<f64> = match set.states() {
        Some(states) => states[0].clone(),
        None => (1..=170).map(|step| 10.0 * f64::from(step)).collect(),
    };
    later
        .flat_map(|&time_s| {
            starts.iter().map(move |&initial_na| DriftPoint {
                initial_na,
                time_s,
                current_na: set.mean_na(initial_na, time_s).value,
            })
        })
        .collect()
}

/// The drift in a table of state currents: every device (or, without devices, every state) that was read
/// at time 0 and dose 0 and later without dose.
///
/// # Errors
/// [`TableError`] when `state`, `dose_krad_si`, `time_s` or `current_na` is missing.
pub fn points(table: &Table) -> Result<Vec<DriftPoint>, TableError> {
    let (states, currents) = (table.floats("state")?, table.floats("current_na")?);
    let (doses, times) = (table.floats("dose_krad_si")?, table.floats("time_s")?);
    let devices = if table.has("device") { Some(table.texts("device")?) } else { None };
    let same =
        |a: usize, b: usize| states[a] == states[b] && devices.is_none_or(|names| names[a] == names[b]);
    let fresh: Vec<usize> = (0..table.len()).filter(|&row| doses[row] == 0.0 && times[row] == 0.0).collect();
    Ok((0..table.len())
        .filter(|&row| doses[row] == 0.0 && times[row] > 0.0)
        .filter_map(|row| {
            let first = fresh.iter().copied().find(|&first| same(first, row))?;
            let (initial_na, current_na) = (currents[first], currents[row]);
            (initial_na > 0.0 && current_na > 0.0).then_some(DriftPoint {
                initial_na,
                time_s: times[row],
                current_na,
            })
        })
        .collect())
}

/// What the fit makes small.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weighting {
    /// Deviations in nA: large states count most.
    Absolute,
    /// Deviations in ln I: relative ones.
    LogCurrent,
}

impl Weighting {
    /// The word in tables.
    pub fn label(self) -> &'static str {
        match self {
            Self::Absolute => "absolute",
            Self::LogCurrent => "log-current",
        }
    }
}

/// A drift fit with the likelihood interval of t_0, whose quadratic one means little.
#[derive(Debug, Clone, PartialEq)]
pub struct RetentionFit {
    /// The law.
    pub law: Retention,
    /// The fit: `neutral_current_na`, `r_per_decade`, `t_0_s`; `rms` in nA, `rms_log` in ln I.
    pub fit: FitResult,
    /// 95 % profile interval of t_0, s.
    pub t_0_interval_s: ProfileInterval,
}

/// Fits I_N, r and t_0 to states observed at later times, by least squares in the weighting, with
/// several starts.
///
/// # Errors
/// [`FitError`] with fewer than four points or currents that are not positive.
pub fn fit(points: &[DriftPoint], weighting: Weighting) -> Result<RetentionFit, FitError> {
    let data = points.to_vec();
    let parameters: Vec<Parameter> =
        INFO.parameters[..3].iter().map(|info| info.starting_at(info.default)).collect();
    let problem = Problem::new(parameters, move |p| {
        let law = Retention::from_values(p);
        data.iter()
            .map(|point| {
                let model = law.current_na(point.initial_na, point.time_s);
                match weighting {
                    Weighting::Absolute => point.current_na - model,
                    Weighting::LogCurrent => (point.current_na / model).ln(),
                }
            })
            .collect()
    });
    let options = FitOptions { starts: 8, patience: 200, ..FitOptions::default() };
    let mut fit = least_squares(&problem, &options)?;
    let t_0_interval_s = profile(&problem, &options, &fit, 2)?;
    let law = Retention::from_values(&fit.values());
    let mean_square = |deviation: &dyn Fn(&DriftPoint) -> f64| {
        (points.iter().map(|point| deviation(point).powi(2)).sum::<f64>() / points.len() as f64).sqrt()
    };
    fit.rms = mean_square(&|p| p.current_na - law.current_na(p.initial_na, p.time_s));
    fit.rms_log = Some(mean_square(&|p| (p.current_na / law.current_na(p.initial_na, p.time_s)).ln()));
    if t_0_interval_s.upper / t_0_interval_s.lower > 10.0 {
        fit.warnings.push(format!(
            "t_0 lies between {:.2e} and {:.2e} s (95 % profile likelihood): r and t_0 cannot be told \
             apart by these times",
            t_0_interval_s.lower, t_0_interval_s.upper
        ));
    }
    Ok(RetentionFit { law, fit, t_0_interval_s })
}

/// How well a current is known: a part of it, and an amount that small currents scatter by, nA. Assumed; the fit
/// scales both with what it finds.
const RELATIVE: f64 = 0.01;
const FLOOR_NA: f64 = 1.0;

/// The readings of a measurement of state currents without dose, each cell with a start of its own: I_N, r and t_0
/// are shared.
///
/// # Errors
/// [`InputError`] when a column is missing or no cell was read at two times without dose.
pub fn regression(measurement: &Measurement) -> Result<Regression<'static>, InputError> {
    let (mut all, mut dropped) = cells(measurement).map_err(|error| missing(measurement, &error))?;
    for cell in &mut all {
        cell.readings.retain(|reading| reading[0] == 0.0);
    }
    all.retain(|cell| {
        let kept = cell.readings.iter().any(|reading| reading[1] > cell.readings[0][1]);
        dropped += if kept { 0 } else { cell.readings.len() };
        kept
    });
    if all.is_empty() {
        let expected = "cells read at two times or more without dose";
        return Err(nothing(measurement, "no cell with readings at two times", expected));
    }
    let plan = Plan {
        model: &INFO,
        fitted: INFO.parameters[..3].iter().map(|info| (info.name, info.default)).collect(),
        held: "currents at one temperature and read bias do not determine it",
        deviation: Deviation::Log { relative: RELATIVE, floor: FLOOR_NA },
        axes: [
            Axis { title: "time t", unit: "s", log: true },
            Axis { title: "current I", unit: "nA", log: true },
        ],
        abscissa: 1,
    };
    Ok(readings::regression(&plan, all, dropped, |values, start_na, _, time_s| {
        Retention::from_values(values).current_na(start_na, time_s)
    }))
}

#[cfg(test)]
mod tests;
