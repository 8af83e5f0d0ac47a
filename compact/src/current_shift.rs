//! State current against dose and time directly, with no threshold between.
//!
//! A power of the current relaxes exponentially with dose: y = I^p, y(D) = y_inf + (y_0 - y_inf)
//! exp(-D/D_c); p near 0 is a relaxation of ln I (weak inversion), p = 1/2 that of the overdrive (strong
//! inversion), and a fit finds what lies between. Time follows the dose: y moves on towards the neutral
//! current by r log10(1 + t/t_0).

use crate::fit::{
    Axis, Deviation, FitError, FitOptions, FitResult, Loss, Parameter, Problem, Regression, Transform,
    least_squares,
};
use crate::model::{Entry, Kind, ModelInfo, ParameterInfo, Simulation};
use crate::readings::{self, Plan, cells, missing, nothing};
use mho_data::InputError;
use mho_data::measurement::Measurement;
use mho_data::table::{Table, TableError};

/// The parameters in the order of [`CurrentShift::from_values`].
pub const INFO: ModelInfo = ModelInfo {
    name: "current-shift",
    version: 1,
    title: "state current against dose and time, without a threshold between",
    law: "y = I^p; y(D) = y_inf + (y_0 - y_inf) exp(-D/D_c), y_inf = I_inf^p; then y moves towards I_N^p by the \
          part min(1, r log10(1 + t/t_0))",
    parameters: &[
        ParameterInfo {
            name: "current_inf_na",
            unit: "nA",
            default: 656.0,
            lower: 1.0,
            upper: 1e5,
            transform: Transform::Log,
            kind: Kind::Assumed,
            source: "taken as the neutral current of retention where it is not fitted (design notes A.2)",
            meaning: "I_inf, current that dose no longer moves",
        },
        ParameterInfo {
            name: "dose_c_krad_si",
            unit: "krad(Si)",
            default: 1700.0,
            lower: 10.0,
            upper: 1e6,
            transform: Transform::Log,
            kind: Kind::Derived,
            source: "charge collection in an assumed 2/8/4 nm stack (design notes A.7)",
            meaning: "D_c, dose over which the distance in y falls to 1/e",
        },
        ParameterInfo {
            name: "power",
            unit: "1",
            default: 0.3,
            lower: 0.02,
            upper: 1.5,
            transform: Transform::Linear,
            kind: Kind::Assumed,
            source: "between weak (0) and strong (1/2) inversion",
            meaning: "p, power of the current that relaxes",
        },
        ParameterInfo {
            name: "r_per_decade",
            unit: "1/decade",
            default: 0.0148,
            lower: 1e-5,
            upper: 1.0,
            transform: Transform::Log,
            kind: Kind::Fitted,
            source: "TCAS-I 2022 states, see sonos-retention",
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
            source: "TCAS-I 2022 states, see sonos-retention; held in fits",
            meaning: "t_0, time at which the loss becomes logarithmic",
        },
        ParameterInfo {
            name: "neutral_current_na",
            unit: "nA",
            default: 656.0,
            lower: 1.0,
            upper: 1e5,
            transform: Transform::Log,
            kind: Kind::Fitted,
            source: "TCAS-I 2022 states, see sonos-retention; held in fits",
            meaning: "I_N, current towards which states drift in time",
        },
    ],
    validity: "an empirical form: dose first, time after; the doses and times that were fitted",
    references: &["design notes, summary items 10 and 11"],
};

/// The law as commands find it.
pub const ENTRIES: &[Entry] = &[Entry {
    info: &INFO,
    kinds: &[mho_data::measurement::Kind::StateCurrent],
    fitting: Some(regression),
    simulation: Simulation::new(&["initial_na", "dose_krad_si", "time_s"], &["current_na"], |card| {
        let law = CurrentShift::from_card(card);
        Box::new(move |at| vec![law.current_na(at[0], at[1], at[2])])
    }),
    circuit: None,
}];

/// The law with its parameters; see [`INFO`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurrentShift {
    /// I_inf, nA.
    pub current_inf_na: f64,
    /// D_c, krad(Si).
    pub dose_c_krad_si: f64,
    /// p.
    pub power: f64,
    /// r per decade.
    pub r_per_decade: f64,
    /// t_0, s.
    pub t_0_s: f64,
    /// I_N, nA.
    pub neutral_current_na: f64,
}

impl Default for CurrentShift {
    fn default() -> Self {
        Self::from_values(&INFO.defaults())
    }
}

impl CurrentShift {
    /// From values in the order of [`INFO`]; those missing at the end are defaults.
    pub fn from_values(values: &[f64]) -> Self {
        let value =
            |index: usize| values.get(index).copied().unwrap_or_else(|| INFO.parameters[index].default);
        Self {
            current_inf_na: value(0),
            dose_c_krad_si: value(1),
            power: value(2),
            r_per_decade: value(3),
            t_0_s: value(4),
            neutral_current_na: value(5),
        }
    }

    /// From a card of model `current-shift`.
    pub fn from_card(card: &crate::card::DeviceCard) -> Self {
        Self::from_values(&card.values(&INFO))
    }

    /// Current, nA, of a state that started at `initial_na`, after a dose and then a time.
    pub fn current_na(&self, initial_na: f64, dose_krad_si: f64, time_s: f64) -> f64 {
        let p = self.power;
        let y_inf = self.current_inf_na.powf(p);
        let dosed = y_inf
            + (initial_na.max(0.0).powf(p) - y_inf) * (-dose_krad_si.max(0.0) / self.dose_c_krad_si).exp();
        let decades = (time_s.max(0.0) / self.t_0_s).ln_1p() / std::f64::consts::LN_10;
        let lost = (self.r_per_decade * decades).min(1.0);
        let neutral = self.neutral_current_na.powf(p);
        (dosed + (neutral - dosed) * lost).max(0.0).powf(1.0 / p)
    }
}

/// A current of one cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurrentPoint {
    /// Target, fraction of the largest current.
    pub state: f64,
    /// Dose, krad(Si).
    pub dose_krad_si: f64,
    /// Time since programming, s.
    pub time_s: f64,
    /// Current, nA.
    pub current_na: f64,
}

/// Mean current of the cells of a state at a dose and time.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct MeanCurrent {
    /// Target, fraction of the largest current.
    pub state: f64,
    /// Dose, krad(Si).
    pub dose_krad_si: f64,
    /// Time since programming, s.
    pub time_s: f64,
    /// Mean, nA.
    pub mean_na: f64,
    /// Standard deviation over cells, nA.
    pub sigma_na: f64,
    /// Cells.
    pub cells: usize,
}

/// A fit of the shift.
#[derive(Debug, Clone, PartialEq)]
pub struct CurrentShiftFit {
    /// The law.
    pub law: CurrentShift,
    /// The fit: `current_inf_na`, `dose_c_krad_si`, `power`, `r_per_decade` where there are storage
    /// times, then one start per state; `rms` in nA.
    pub fit: FitResult,
    /// Fitted starts: state, nA.
    pub starts: Vec<(f64, f64)>,
    /// What was fitted.
    pub means: Vec<MeanCurrent>,
}

/// The points of a table with the columns `state`, `dose_krad_si`, `time_s` and `current_na`.
///
/// # Errors
/// [`TableError`] when one of them is missing.
pub fn points(table: &Table) -> Result<Vec<CurrentPoint>, TableError> {
    let (states, currents) = (table.floats("state")?, table.floats("current_na")?);
    let (doses, times) = (table.floats("dose_krad_si")?, table.floats("time_s")?);
    Ok((0..table.len())
        .map(|row| CurrentPoint {
            state: states[row],
            dose_krad_si: doses[row],
            time_s: times[row],
            current_na: currents[row],
        })
        .collect())
}

/// Means of cells with equal state, dose and time, in the order of state, dose, time.
pub fn means(points: &[CurrentPoint]) -> Vec<MeanCurrent> {
    let mut sorted: Vec<&CurrentPoint> = points.iter().filter(|point| point.current_na.is_finite()).collect();
    let key = |p: &CurrentPoint| [p.state, p.dose_krad_si, p.time_s];
    sorted.sort_by(|a, b| {
        let (a, b) = (key(a), key(b));
        a.iter()
            .zip(&b)
            .map(|(x, y)| x.total_cmp(y))
            .find(|order| order.is_ne())
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    sorted
        .chunk_by(|a, b| key(a) == key(b))
        .map(|cells| {
            let count = cells.len() as f64;
            let mean_na = cells.iter().map(|cell| cell.current_na).sum::<f64>() / count;
            let square: f64 = cells.iter().map(|cell| (cell.current_na - mean_na).powi(2)).sum();
            let [state, dose_krad_si, time_s] = key(cells[0]);
            let sigma_na = (square / (count - 1.0).max(1.0)).sqrt();
            MeanCurrent { state, dose_krad_si, time_s, mean_na, sigma_na, cells: cells.len() }
        })
        .collect()
}

/// Relative misfit allowed to the form, in quadrature to the standard error of a mean (assumed).
const MISFIT: f64 = 0.01;

/// Seconds beyond the end of irradiation from which a time counts as storage: without any, r is held.
const STORAGE_S: f64 = 3e4;

/// Fits the shift to the mean currents of states, in standard errors of the means.
///
/// # Errors
/// [`FitError`] with fewer means than parameters.
pub fn fit(points: &[CurrentPoint]) -> Result<CurrentShiftFit, FitError> {
    let means = means(points);
    let mut states: Vec<f64> = means.iter().map(|mean| mean.state).collect();
    states.dedup();
    let count = if means.iter().any(|mean| mean.time_s > STORAGE_S) { 4 } else { 3 };
    let mut parameters: Vec<Parameter> =
        INFO.parameters[..count].iter().map(|info| info.starting_at(info.default)).collect();
    for &state in &states {
        let first = means.iter().find(|mean| mean.state == state).map_or(1.0, |mean| mean.mean_na);
        let name = format!("start_na {state}");
        parameters.push(Parameter::new(name, "nA", first, 1e-3, 1e5, Transform::Log));
    }
    let data = &means;
    let own_states = &states;
    let problem = Problem::new(parameters, |p| {
        let law = CurrentShift::from_values(&p[..count]);
        data.iter()
            .map(|mean| {
                let start = own_states.iter().position(|state| *state == mean.state).unwrap_or(0);
                let model = law.current_na(p[count + start], mean.dose_krad_si, mean.time_s);
                let error = mean.sigma_na / (mean.cells as f64).sqrt();
                (mean.mean_na - model) / error.hypot(MISFIT * mean.mean_na)
            })
            .collect()
    });
    let options = FitOptions { loss: Loss::SoftL1 { scale: 3.0 }, ..FitOptions::default() };
    let mut fit = least_squares(&problem, &options)?;
    drop(problem);
    fit.dropped = points.iter().filter(|point| !point.current_na.is_finite()).count();
    let values = fit.values();
    let law = CurrentShift::from_values(&values[..count]);
    let starts: Vec<(f64, f64)> = states.iter().copied().zip(values[count..].iter().copied()).collect();
    let square: f64 = means
        .iter()
        .map(|mean| {
            let start =
                starts.iter().find(|(state, _)| *state == mean.state).map_or(0.0, |(_, start)| *start);
            (mean.mean_na - law.current_na(start, mean.dose_krad_si, mean.time_s)).powi(2)
        })
        .sum();
    fit.rms = (square / means.len() as f64).sqrt();
    Ok(CurrentShiftFit { law, fit, starts, means })
}

/// Amount that small currents scatter by, nA (assumed).
const FLOOR_NA: f64 = 1.0;

/// The readings of a measurement of state currents, each cell with a start of its own; r is held without storage
/// after the dose.
///
/// # Errors
/// [`InputError`] when a column is missing or no cell was read at two doses.
pub fn regression(measurement: &Measurement) -> Result<Regression<'static>, InputError> {
    let (mut all, mut dropped) = cells(measurement).map_err(|error| missing(measurement, &error))?;
    all.retain(|cell| {
        let kept = cell.readings.iter().any(|reading| reading[0] > cell.readings[0][0]);
        dropped += if kept { 0 } else { cell.readings.len() };
        kept
    });
    if all.is_empty() {
        return Err(nothing(
            measurement,
            "no cell with readings at two doses",
            "cells read at two doses or more",
        ));
    }
    let stored = all.iter().flat_map(|cell| &cell.readings).any(|reading| reading[1] > STORAGE_S);
    let count = if stored { 4 } else { 3 };
    let plan = Plan {
        model: &INFO,
        fitted: INFO.parameters[..count].iter().map(|info| (info.name, info.default)).collect(),
        held: "it is taken from storage without dose",
        deviation: Deviation::Log { relative: MISFIT, floor: FLOOR_NA },
        axes: [
            Axis { title: "dose D", unit: "krad(Si)", log: false },
            Axis { title: "current I", unit: "nA", log: true },
        ],
        abscissa: 0,
    };
    Ok(readings::regression(&plan, all, dropped, |values, start_na, dose, time_s| {
        CurrentShift::from_values(values).current_na(start_na, dose, time_s)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(law: &CurrentShift, seed: u64) -> Vec<CurrentPoint> {
        let noise = mho_data::random::Stream::new(seed, &["compact", "current-shift"], &[]);
        let mut points = Vec::new();
        for (s, state) in [0.05, 0.1, 0.25, 0.5, 0.75, 1.0].into_iter().enumerate() {
            for cell in 0..16 {
                let mut index = (1000 * s + 10 * cell) as u64;
                let start = 1600.0 * state * (1.0 + 0.02 * noise.normal(index));
                for (dose, time) in [
                    (0.0, 0.0),
                    (30.0, 300.0),
                    (100.0, 1000.0),
                    (300.0, 3000.0),
                    (500.0, 5000.0),
                    (500.0, 437_000.0),
                ] {
                    index += 1;
                    let current_na = law.current_na(start, dose, time) * (1.0 + 0.01 * noise.normal(index));
                    points.push(CurrentPoint { state, dose_krad_si: dose, time_s: time, current_na });
                }
            }
        }
        points
    }

    #[test]
    fn a_known_shift_is_recovered() {
        let truth = CurrentShift {
            current_inf_na: 400.0,
            dose_c_krad_si: 1200.0,
            power: 0.25,
            r_per_decade: 0.02,
            ..CurrentShift::default()
        };
        let found = fit(&cells(&truth, 1)).unwrap();
        let close = |name: &str, wanted: f64, factor: f64| {
            let (value, std) = (found.fit.value(name), found.fit.std(name));
            assert!(
                (value - wanted).abs() < 4.0 * std && std < factor * wanted,
                "{name}: {value} +- {std} for {wanted}"
            );
        };
        close("current_inf_na", 400.0, 0.2);
        close("dose_c_krad_si", 1200.0, 0.2);
        close("power", 0.25, 0.4);
        close("r_per_decade", 0.02, 0.3);
        assert_eq!(found.starts.len(), 6);
        assert_eq!(found.means.len(), 36);
        assert!(found.fit.rms < 10.0);
    }

    #[test]
    fn limits_of_the_law() {
        let law = CurrentShift::default();
        assert!((law.current_na(100.0, 0.0, 0.0) - 100.0).abs() < 1e-9);
        assert!((law.current_na(100.0, 1e9, 0.0) - law.current_inf_na).abs() < 1e-6);
        assert!(law.current_na(100.0, 100.0, 0.0) > 100.0 && law.current_na(1600.0, 100.0, 0.0) < 1600.0);
        assert_eq!(law.current_na(0.0, 0.0, 0.0), 0.0);
    }

    /// The generator's cells, whose physics is another: the form follows the means to a few percent.
    #[test]
    fn synthetic_cells_are_followed() {
        let text = mho_physics::sonos::synthetic::state_currents_csv(1);
        let files = [("states.csv", text.as_bytes())];
        let measurement = mho_data::reader::read(&files, mho_data::measurement::Kind::StateCurrent).unwrap();
        let points = points(&measurement.table).unwrap();
        assert!(points.len() > 1000, "{}", points.len());
        let found = fit(&points).unwrap();
        println!("{:?} rms {} {:?}", found.law, found.fit.rms, found.fit.warnings);
        assert!(found.fit.rms < 60.0, "{}", found.fit.rms);
    }
}
