//! Programming error of a SONOS state, and how the spread grows with time.
//!
//! sigma(I) = B (1 - exp(-A I)) right after programming (the form of the published device files, design
//! notes A.6); in time the thresholds wander apart and the variance grows with the logarithm of time
//! (A.4). Both published sets grow by about the same factor at small and large currents (1.8 to 3 in
//! five days), so the growth is a factor here; an equal growth of all thresholds would miss them.

use crate::fit::{
    Axis, FitError, FitOptions, FitResult, Loss, Parameter, Problem, Regression, Transform, least_squares,
};
use crate::model::{Entry, Kind, ModelInfo, ParameterInfo, Simulation};
use crate::readings::{CORNER, cells, filled, missing, nothing, split};
use crate::spread::{Curve, Spread, devices};
use mho_data::InputError;
use mho_data::measurement::Measurement;
use mho_data::published::PublishedSonos;
use mho_data::table::{Table, TableError};
use std::ops::Range;

/// The parameters in the order of [`Programming::from_values`].
pub const INFO: ModelInfo = ModelInfo {
    name: "sonos-programming",
    version: 1,
    title: "spread of the currents of programmed SONOS states, growing with time",
    law: "sigma(I, t)^2 = [B (1 - exp(-A I))]^2 [1 + c log10(1 + t/t_r)]",
    parameters: &[
        ParameterInfo {
            name: "sigma_max_na",
            unit: "nA",
            default: 39.5656,
            lower: 0.01,
            upper: 1e4,
            transform: Transform::Log,
            kind: Kind::Measured,
            source: "TCAS-I 2022 device file, t = 0",
            meaning: "B, spread of large currents",
        },
        ParameterInfo {
            name: "rate_per_na",
            unit: "1/nA",
            default: 0.001_887_04,
            lower: 1e-6,
            upper: 1.0,
            transform: Transform::Log,
            kind: Kind::Measured,
            source: "TCAS-I 2022 device file, t = 0",
            meaning: "A, inverse of the current at which the spread saturates",
        },
        ParameterInfo {
            name: "growth_per_decade",
            unit: "1/decade",
            default: 1.29,
            lower: 1e-4,
            upper: 100.0,
            transform: Transform::Log,
            kind: Kind::Fitted,
            source: "TCAS-I 2022 device file, t = 0 to 5 d",
            meaning: "c, growth of the variance per decade of time, relative to programming",
        },
        ParameterInfo {
            name: "growth_time_s",
            unit: "s",
            default: 5.78e4,
            lower: 1e-3,
            upper: 1e8,
            transform: Transform::Log,
            kind: Kind::Fitted,
            source: "TCAS-I 2022 device file, t = 0 to 5 d",
            meaning: "t_r, time at which the growth becomes logarithmic",
        },
    ],
    validity: "cells after write-verify, 0 to 5 days; the spread of one state is taken as normal in threshold",
    references: &["design notes A.4 and A.6", "TCAS-I 2022 and IEDM 2022 state data"],
};

/// The law as commands find it.
pub const ENTRIES: &[Entry] = &[Entry {
    info: &INFO,
    kinds: &[mho_data::measurement::Kind::StateCurrent],
    fitting: Some(regression),
    simulation: Simulation::new(&["current_na", "time_s"], &["sigma_na"], |card| {
        let law = Programming::from_card(card);
        Box::new(move |at| vec![law.sigma_na(at[0], at[1])])
    }),
    circuit: None,
}];

/// The law with its parameters; see [`INFO`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Programming {
    /// B, nA.
    pub sigma_max_na: f64,
    /// A, 1/nA.
    pub rate_per_na: f64,
    /// c, 1/decade.
    pub growth_per_decade: f64,
    /// t_r, s.
    pub growth_time_s: f64,
}

impl Default for Programming {
    fn default() -> Self {
        Self::from_values(&INFO.defaults())
    }
}

impl Programming {
    /// From values in the order of [`INFO`]; those missing at the end are defaults.
    pub fn from_values(values: &[f64]) -> Self {
        let value =
            |index: usize| values.get(index).copied().unwrap_or_else(|| INFO.parameters[index].default);
        Self {
            sigma_max_na: value(0),
            rate_per_na: value(1),
            growth_per_decade: value(2),
            growth_time_s: value(3),
        }
    }

    /// From a card of model `sonos-programming`.
    pub fn from_card(card: &crate::card::DeviceCard) -> Self {
        Self::from_values(&card.values(&INFO))
    }

    /// Spread, nA, of states of `current_na` right after programming.
    pub fn programmed_na(&self, current_na: f64) -> f64 {
        -self.sigma_max_na * (-self.rate_per_na * current_na).exp_m1()
    }

    /// Variance after `time_s` over that right after programming.
    pub fn growth(&self, time_s: f64) -> f64 {
        1.0 + self.growth_per_decade * (time_s.max(0.0) / self.growth_time_s).ln_1p()
            / std::f64::consts::LN_10
    }

    /// Spread, nA, of states that carry `current_na` after `time_s`.
    pub fn sigma_na(&self, current_na: f64, time_s: f64) -> f64 {
        self.programmed_na(current_na) * self.growth(time_s).sqrt()
    }
}

/// A spread observed at a current and time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpreadPoint {
    /// Mean current, nA.
    pub current_na: f64,
    /// Time, s.
    pub time_s: f64,
    /// Standard deviation over cells, nA.
    pub sigma_na: f64,
}

/// The spread of a published set as points: at its states, or every 100 nA where it has none.
pub fn published_points(set: &PublishedSonos) -> Vec<SpreadPoint> {
    let currents: Vec<f64> = match set.states() {
        Some(states) => states[0].clone(),
        None => (1..=16).map(|step| 100.0 * f64::from(step)).collect(),
    };
    set.time_s
        .iter()
        .flat_map(|&time_s| {
            currents.iter().map(move |&current_na| SpreadPoint {
                current_na,
                time_s,
                sigma_na: set.sigma_na(current_na, time_s).value,
            })
        })
        .collect()
}

/// The spread in a table of state currents: standard deviation over the cells of a state at each time
/// without dose, where there are at least four.
///
/// # Errors
/// [`TableError`] when `state`, `dose_krad_si`, `time_s` or `current_na` is missing.
pub fn points(table: &Table) -> Result<Vec<SpreadPoint>, TableError> {
    let cells: Vec<_> =
        crate::current_shift::points(table)?.into_iter().filter(|point| point.dose_krad_si == 0.0).collect();
    Ok(crate::current_shift::means(&cells)
        .into_iter()
        .filter(|mean| mean.cells >= 4 && mean.sigma_na > 0.0)
        .map(|mean| SpreadPoint { current_na: mean.mean_na, time_s: mean.time_s, sigma_na: mean.sigma_na })
        .collect())
}

/// A fit of the spread.
#[derive(Debug, Clone, PartialEq)]
pub struct ProgrammingFit {
    /// The law.
    pub law: Programming,
    /// The fit: `sigma_max_na`, `rate_per_na`, and `growth_per_decade`, `growth_time_s` where there are later
    /// times; `rms` in nA.
    pub fit: FitResult,
}

/// Fits the spread, relative deviations: first B and A to the points at time 0 (to all of them where
/// there is only one time), then the growth to the later ones with B and A held.
///
/// # Errors
/// [`FitError`] with too few points or spreads that are not positive.
pub fn fit(points: &[SpreadPoint]) -> Result<ProgrammingFit, FitError> {
    let first_s = points.iter().map(|point| point.time_s).fold(f64::INFINITY, f64::min);
    let (first, later): (Vec<SpreadPoint>, Vec<SpreadPoint>) =
        points.iter().partition(|point| point.time_s <= first_s);
    let mut fit = stage(0..2, &first, Programming::default())?;
    let mut law = Programming::from_values(&fit.values());
    if !later.is_empty() {
        let growth = stage(2..4, &later, law)?;
        law.growth_per_decade = growth.value("growth_per_decade");
        law.growth_time_s = growth.value("growth_time_s");
        append(&mut fit, growth);
    }
    let deviation = |point: &SpreadPoint| point.sigma_na - law.sigma_na(point.current_na, point.time_s);
    fit.rms = (points.iter().map(|point| deviation(point).powi(2)).sum::<f64>() / points.len() as f64).sqrt();
    Ok(ProgrammingFit { law, fit })
}

/// Fits some of the parameters, the others as in `base`.
fn stage(moving: Range<usize>, points: &[SpreadPoint], base: Programming) -> Result<FitResult, FitError> {
    let parameters: Vec<Parameter> =
        INFO.parameters[moving.clone()].iter().map(|info| info.starting_at(info.default)).collect();
    let data = points.to_vec();
    let problem = Problem::new(parameters, move |p| {
        let mut values = [base.sigma_max_na, base.rate_per_na, base.growth_per_decade, base.growth_time_s];
        values[moving.clone()].copy_from_slice(p);
        let law = Programming::from_values(&values);
        data.iter()
            .map(|point| (point.sigma_na / law.sigma_na(point.current_na, point.time_s)).ln())
            .collect()
    });
    least_squares(&problem, &FitOptions { starts: 4, ..FitOptions::default() })
}

/// Joins the result of a later stage: its parameters do not vary with those held.
fn append(fit: &mut FitResult, later: FitResult) {
    let (old, new) = (fit.parameters.len(), later.parameters.len());
    for row in &mut fit.covariance {
        row.extend(vec![0.0; new]);
    }
    fit.covariance.extend(later.covariance.into_iter().map(|row| {
        let mut joined = vec![0.0; old];
        joined.extend(row);
        joined
    }));
    fit.parameters.extend(later.parameters);
    fit.correlations.extend(later.correlations);
    fit.warnings.extend(later.warnings);
    fit.points += later.points;
    fit.cost += later.cost;
    fit.aicc += later.aicc;
    fit.bic += later.bic;
    fit.condition = fit.condition.max(later.condition);
}

/// The spreads of a measurement of state currents without dose: over the cells of each state at each time, where
/// there are at least four. The states are the observations.
///
/// # Errors
/// [`InputError`] when a column is missing or no state has four cells at one time.
pub fn regression(measurement: &Measurement) -> Result<Regression<'static>, InputError> {
    let (all, dropped) = cells(measurement).map_err(|error| missing(measurement, &error))?;
    let mut readings: Vec<(f64, f64, f64)> = all
        .iter()
        .flat_map(|cell| cell.readings.iter().map(|&[dose, time_s, na]| (dose, (cell.state, time_s, na))))
        .filter(|(dose, _)| *dose == 0.0)
        .map(|(_, reading)| reading)
        .collect();
    readings.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut curves: Vec<(String, Curve)> = Vec::new();
    for state in readings.chunk_by(|a, b| a.0 == b.0) {
        let curve: Curve = state
            .chunk_by(|a, b| a.1 == b.1)
            .filter_map(|equal| {
                let spread = Spread::of(&equal.iter().map(|(.., na)| *na).collect::<Vec<f64>>())?;
                Some((spread.mean, spread, equal[0].1))
            })
            .collect();
        if !curve.is_empty() {
            curves.push((format!("state {}", state[0].0), curve));
        }
    }
    if curves.is_empty() {
        let expected = "four cells or more of one state at one time without dose";
        return Err(nothing(measurement, format!("{} cells", all.len()), expected));
    }
    let points: Vec<Vec<(f64, f64)>> = curves
        .iter()
        .map(|(_, curve)| curve.iter().map(|(mean_na, _, time_s)| (*mean_na, *time_s)).collect())
        .collect();
    let first_s = points.iter().flatten().map(|(_, time_s)| *time_s).fold(f64::INFINITY, f64::min);
    let later = points.iter().flatten().any(|(_, time_s)| *time_s > first_s);
    let fitted: Vec<(&'static str, f64)> =
        INFO.parameters[..if later { 4 } else { 2 }].iter().map(|info| (info.name, info.default)).collect();
    let (parameters, fixed) = split(&INFO, &fitted, "there is one time only");
    let full = filled(&INFO, &fitted);
    let (devices, deviation) = devices(curves);
    Ok(Regression {
        model: &INFO,
        parameters,
        devices,
        law: Box::new(move |values, device| {
            let law = Programming::from_values(&full(values));
            // With one time only that one counts as right after programming.
            let since = if later { 0.0 } else { first_s };
            points[device].iter().map(|&(mean_na, time_s)| law.sigma_na(mean_na, time_s - since)).collect()
        }),
        deviation,
        x: Axis { title: "mean current I", unit: "nA", log: true },
        y: Axis { title: "spread sigma_I", unit: "nA", log: true },
        options: FitOptions { loss: Loss::Robust { corner: CORNER }, ..FitOptions::default() },
        slopes: None,
        priors: Vec::new(),
        fixed,
        dropped,
        notes: vec!["the states are the observations: the cells stand in the spreads".to_owned()],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_S: f64 = 86_400.0;
    const CURRENTS_NA: [f64; 8] = [25.0, 50.0, 100.0, 200.0, 400.0, 800.0, 1200.0, 1600.0];

    #[test]
    fn the_published_form_is_recovered() {
        let truth = Programming::default();
        let points: Vec<SpreadPoint> = CURRENTS_NA
            .iter()
            .map(|&current_na| SpreadPoint {
                current_na,
                time_s: 0.0,
                sigma_na: truth.programmed_na(current_na),
            })
            .collect();
        let found = fit(&points).unwrap();
        assert!((found.law.sigma_max_na / 39.5656 - 1.0).abs() < 1e-4);
        assert!((found.law.rate_per_na / 0.001_887_04 - 1.0).abs() < 1e-4);
        assert_eq!(found.fit.parameters.len(), 2);
    }

    /// TCAS-I 2022: A and B at 0, 1, 2, 5 d (design notes A.6). One law of growth follows them to a few nA.
    #[test]
    fn the_published_growth_is_followed() {
        let published = [
            (0.0, 0.001_887_04, 39.5656),
            (1.0, 0.002_030_79, 46.1065),
            (2.0, 0.002_055_87, 50.3982),
            (5.0, 0.002_173_28, 53.4358),
        ];
        let points: Vec<SpreadPoint> = published
            .iter()
            .flat_map(|&(days, rate, max)| {
                CURRENTS_NA.iter().map(move |&current_na| SpreadPoint {
                    current_na,
                    time_s: days * DAY_S,
                    sigma_na: max * (1.0 - f64::exp(-rate * current_na)),
                })
            })
            .collect();
        let found = fit(&points).unwrap();
        assert!(found.fit.rms < 1.5, "{}", found.fit.rms);
        assert!((0.05..3.0).contains(&found.law.growth_per_decade), "{:?}", found.law);
        assert!((found.law.growth(5.0 * DAY_S) - 2.1).abs() < 0.4, "{:?}", found.law);
        assert!((found.law.sigma_max_na / 39.5656 - 1.0).abs() < 1e-3);
    }
}
