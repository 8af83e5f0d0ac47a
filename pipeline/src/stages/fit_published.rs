//! `fit.retention` and `fit.programming`: the published states, fitted.

use super::artifact::{table, with_card, with_table};
use crate::stage::{Context, Outputs, ParamError, Role, Stage, StageError, resolve_as};
use mho_compact::card::DeviceCard;
use mho_compact::programming::{self, SpreadPoint};
use mho_compact::retention::{self, DriftPoint, RetentionFit, Weighting};
use mho_data::provenance::Origin;
use mho_data::table::Table;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// `fit.retention`.
pub(super) struct FitRetention;

/// `fit.programming`.
pub(super) struct FitProgramming;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Names of the published sets.
    sets: Vec<String>,
    /// Weighting of the card (the other one is reported beside it).
    weighting: Weighting,
}

impl Default for Params {
    fn default() -> Self {
        Self { sets: vec!["tcas2022".into(), "iedm2022".into()], weighting: Weighting::Absolute }
    }
}

/// Currents (nA) at which fitted curves are drawn.
fn grid() -> impl Iterator<Item = f64> {
    (0..=80).map(|i| 1600.0 * (f64::from(i) / 80.0).powi(2).max(1e-3))
}

impl Stage for FitRetention {
    fn name(&self) -> &'static str {
        "fit.retention"
    }

    fn version(&self) -> u32 {
        1
    }

    fn about(&self) -> &'static str {
        "drift of the published states towards a neutral one, in two weightings"
    }

    fn roles(&self) -> &'static [Role] {
        const { &[Role::required("published")] }
    }

    fn resolve(&self, given: &Value) -> Result<Value, ParamError> {
        resolve_as::<Params>(given)
    }

    fn seconds(&self) -> f64 {
        1.0
    }

    fn run(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        let params: Params = context.params()?;
        let mut outputs = Outputs::new();
        let (mut points, mut curves) = (Table::new(), Table::new());
        let mut rows = Vec::new();
        for set in &params.sets {
            let drift = table(context.named("published", &format!("{set}-drift"))?)?;
            let observed = drift_points(&drift).map_err(StageError::failed)?;
            points.append(&drift_rows(set, &observed)).map_err(StageError::failed)?;
            for weighting in [Weighting::Absolute, Weighting::LogCurrent] {
                let fit = retention::fit(&observed, weighting).map_err(StageError::failed)?;
                curves.append(&drift_curves(set, weighting, &fit, &observed)).map_err(StageError::failed)?;
                rows.push(json!({
                    "set": set,
                    "weighting": weighting.label(),
                    "used": weighting == params.weighting,
                    "fit": fit.fit,
                    "t_0_interval_s": [fit.t_0_interval_s.lower, fit.t_0_interval_s.upper],
                }));
                if weighting == params.weighting {
                    for warning in &fit.fit.warnings {
                        context.warn(format!("{set}: {warning}"));
                    }
                    let source = format!("published states of set {set}, weighting {}", weighting.label());
                    let mut card =
                        DeviceCard::from_fit(&retention::INFO, &fit.fit, &source, Origin::Published);
                    card.provenance.misfit = format!("rms {:.2} nA", fit.fit.rms);
                    card.validity.insert("time_s".into(), "0 to 432000".into());
                    outputs = with_card(outputs, set, "retention", &card)?;
                }
            }
        }
        let document = serde_json::to_vec(&rows).map_err(StageError::failed)?;
        outputs = with_table(outputs, "points", &points)?;
        outputs = with_table(outputs, "curves", &curves)?;
        Ok(outputs.with("fits", "fits.json", document))
    }
}

fn drift_points(table: &Table) -> Result<Vec<DriftPoint>, mho_data::table::TableError> {
    let (initial, time, current) =
        (table.floats("initial_na")?, table.floats("time_s")?, table.floats("current_na")?);
    Ok((0..table.len())
        .map(|row| DriftPoint { initial_na: initial[row], time_s: time[row], current_na: current[row] })
        .collect())
}

fn drift_rows(set: &str, points: &[DriftPoint]) -> Table {
    Table::new()
        .with_text("set", vec![set.to_owned(); points.len()])
        .with_float("time_s", points.iter().map(|p| p.time_s).collect())
        .with_float("current_na", points.iter().map(|p| p.initial_na).collect())
        .with_float("shift_na", points.iter().map(|p| p.current_na - p.initial_na).collect())
}

fn drift_curves(set: &str, weighting: Weighting, fit: &RetentionFit, points: &[DriftPoint]) -> Table {
    let mut times: Vec<f64> = points.iter().map(|p| p.time_s).collect();
    times.sort_by(f64::total_cmp);
    times.dedup();
    let rows: Vec<(f64, f64)> = times.iter().flat_map(|&t| grid().map(move |i| (t, i))).collect();
    Table::new()
        .with_text("set", vec![set.to_owned(); rows.len()])
        .with_text("weighting", vec![weighting.label().to_owned(); rows.len()])
        .with_float("time_s", rows.iter().map(|r| r.0).collect())
        .with_float("current_na", rows.iter().map(|r| r.1).collect())
        .with_float("shift_na", rows.iter().map(|&(t, i)| fit.law.current_na(i, t) - i).collect())
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SpreadParams {
    /// Names of the published sets.
    sets: Vec<String>,
}

impl Default for SpreadParams {
    fn default() -> Self {
        Self { sets: vec!["tcas2022".into(), "iedm2022".into()] }
    }
}

impl Stage for FitProgramming {
    fn name(&self) -> &'static str {
        "fit.programming"
    }

    fn version(&self) -> u32 {
        1
    }

    fn about(&self) -> &'static str {
        "spread of the published states after programming and its growth"
    }

    fn roles(&self) -> &'static [Role] {
        const { &[Role::required("published")] }
    }

    fn resolve(&self, given: &Value) -> Result<Value, ParamError> {
        resolve_as::<SpreadParams>(given)
    }

    fn run(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        let params: SpreadParams = context.params()?;
        let mut outputs = Outputs::new();
        let (mut points, mut curves) = (Table::new(), Table::new());
        let mut rows = Vec::new();
        for set in &params.sets {
            let spread = table(context.named("published", &format!("{set}-spread"))?)?;
            let observed = spread_points(&spread).map_err(StageError::failed)?;
            let fit = programming::fit(&observed).map_err(StageError::failed)?;
            for warning in &fit.fit.warnings {
                context.warn(format!("{set}: {warning}"));
            }
            points.append(&spread_rows(set, &observed)).map_err(StageError::failed)?;
            let mut times: Vec<f64> = observed.iter().map(|p| p.time_s).collect();
            times.sort_by(f64::total_cmp);
            times.dedup();
            let drawn: Vec<SpreadPoint> = times
                .iter()
                .flat_map(|&time_s| {
                    let law = fit.law;
                    grid().map(move |current_na| SpreadPoint {
                        current_na,
                        time_s,
                        sigma_na: law.sigma_na(current_na, time_s),
                    })
                })
                .collect();
            curves.append(&spread_rows(set, &drawn)).map_err(StageError::failed)?;
            rows.push(json!({ "set": set, "fit": fit.fit }));
            let source = format!("published spread of set {set}");
            let mut card = DeviceCard::from_fit(&programming::INFO, &fit.fit, &source, Origin::Published);
            card.provenance.misfit = format!("rms {:.2} nA", fit.fit.rms);
            card.validity.insert("time_s".into(), "0 to 432000".into());
            outputs = with_card(outputs, set, "programming", &card)?;
        }
        let document = serde_json::to_vec(&rows).map_err(StageError::failed)?;
        outputs = with_table(outputs, "points", &points)?;
        outputs = with_table(outputs, "curves", &curves)?;
        Ok(outputs.with("fits", "fits.json", document))
    }
}

fn spread_points(table: &Table) -> Result<Vec<SpreadPoint>, mho_data::table::TableError> {
    let (current, time, sigma) =
        (table.floats("current_na")?, table.floats("time_s")?, table.floats("sigma_na")?);
    Ok((0..table.len())
        .map(|row| SpreadPoint { current_na: current[row], time_s: time[row], sigma_na: sigma[row] })
        .collect())
}

fn spread_rows(set: &str, points: &[SpreadPoint]) -> Table {
    Table::new()
        .with_text("set", vec![set.to_owned(); points.len()])
        .with_float("time_s", points.iter().map(|p| p.time_s).collect())
        .with_float("current_na", points.iter().map(|p| p.current_na).collect())
        .with_float("sigma_na", points.iter().map(|p| p.sigma_na).collect())
}
