//! `fit.dose`: threshold against dose, by every law that is asked for.

use super::artifact::{table, with_card, with_table};
use crate::stage::{Artifact, Context, Outputs, ParamError, Role, Shard, Stage, StageError, resolve_as};
use mho_compact::card::DeviceCard;
use mho_compact::model;
use mho_compact::tid::{self, VtPoint};
use mho_data::provenance::Origin;
use mho_data::table::Table;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(super) struct FitDose;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Names of the laws.
    laws: Vec<String>,
}

impl Default for Params {
    fn default() -> Self {
        Self { laws: vec!["tid-exp".into()] }
    }
}

/// Points of a drawn curve between zero dose and the largest.
const CURVE_POINTS: usize = 40;

impl Stage for FitDose {
    fn name(&self) -> &'static str {
        "fit.dose"
    }

    fn version(&self) -> u32 {
        1
    }

    fn about(&self) -> &'static str {
        "threshold voltage against dose: closed forms and charge collection"
    }

    fn roles(&self) -> &'static [Role] {
        const { &[Role::required("thresholds")] }
    }

    fn resolve(&self, given: &Value) -> Result<Value, ParamError> {
        let resolved = resolve_as::<Params>(given)?;
        for law in given.get("laws").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
        {
            if !law.starts_with("tid-") || model::find(law).is_none() {
                let known = model::registry().iter().map(|m| m.name).filter(|name| name.starts_with("tid-"));
                return Err(ParamError {
                    key: "laws".into(),
                    found: format!("no dose law `{law}`"),
                    expected: crate::stage::nearest(law, known),
                });
            }
        }
        Ok(resolved)
    }

    fn seconds(&self) -> f64 {
        4.0
    }

    fn shards(&self, params: &Value, _inputs: &[Artifact]) -> Vec<Shard> {
        let laws =
            params.get("laws").and_then(Value::as_array).cloned().unwrap_or_else(|| vec![json!("tid-exp")]);
        laws.iter()
            .filter_map(Value::as_str)
            .map(|law| Shard { name: law.to_owned(), params: json!({ "laws": [law] }), reads: None })
            .collect()
    }

    fn run(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        let params: Params = context.params()?;
        let thresholds = table(context.named("thresholds", "thresholds")?)?;
        let origin =
            match context.optional("thresholds").and_then(|_| context.named("thresholds", "origin").ok()) {
                Some(artifact) if artifact.bytes == Origin::Synthetic.label().as_bytes() => Origin::Synthetic,
                Some(artifact) if artifact.bytes == Origin::Measured.label().as_bytes() => Origin::Measured,
                _ => Origin::Derived,
            };
        let points = points(&thresholds).map_err(StageError::failed)?;
        let mut outputs = Outputs::new();
        for name in &params.laws {
            let model = model::find(name).ok_or_else(|| StageError::Failed(format!("no law `{name}`")))?;
            let fit = tid::fit(model, &points).map_err(StageError::failed)?;
            for warning in &fit.fit.warnings {
                context.warn(format!("{name}: {warning}"));
            }
            let source = "thresholds of the EKV fits";
            let mut card = DeviceCard::from_fit(model, &fit.fit, source, origin);
            card.provenance.misfit = format!("rms {:.2} mV", 1e3 * fit.fit.rms);
            let largest = points.iter().map(|p| p.dose_krad_si).fold(0.0, f64::max);
            let positive = points.iter().map(|p| p.dose_krad_si).filter(|dose| *dose > 0.0);
            let smallest = positive.fold(largest.max(f64::MIN_POSITIVE), f64::min);
            card.validity.insert("dose_krad_si".into(), format!("0 to {largest}"));
            outputs = with_card(outputs, name, "fit-dose", &card)?;
            outputs =
                with_table(outputs, &format!("{name}-curves"), &curves(name, &fit, smallest, largest)?)?;
            let document = serde_json::to_vec(&fit.fit).map_err(StageError::failed)?;
            outputs = outputs.with(format!("{name}-fit"), format!("{name}-fit.json"), document);
        }
        with_table(outputs, "points", &vt_points(&points))
    }

    fn reduce(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        let mut outputs = Outputs::new();
        let mut curves = Table::new();
        for artifact in &context.artifacts {
            let role = artifact.output();
            if role.ends_with("-curves") {
                curves.append(&table(artifact)?).map_err(StageError::failed)?;
            } else if role == "points" {
                if !outputs.0.iter().any(|output| output.role == "points") {
                    outputs = outputs.with("points", "points.parquet", artifact.bytes.clone());
                }
            } else if role.ends_with("-fit") {
                outputs = outputs.with(role, artifact.file.clone(), artifact.bytes.clone());
            } else {
                outputs = outputs.exported(role, "cards", artifact.file.clone(), artifact.bytes.clone());
            }
        }
        with_table(outputs, "curves", &curves)
    }
}

/// Thresholds with their uncertainties, from the table of EKV fits; sweeps without a fit are left out.
fn points(thresholds: &Table) -> Result<Vec<VtPoint>, mho_data::table::TableError> {
    let (device, state) = (thresholds.texts("device")?, thresholds.texts("state")?);
    let (dose, vt, std) = (
        thresholds.floats("dose_krad_si")?,
        thresholds.floats("vt_cc_v")?,
        thresholds.floats("vt_cc_std_v")?,
    );
    Ok((0..thresholds.len())
        .filter(|&row| vt[row].is_finite())
        .map(|row| VtPoint {
            state: state[row].clone(),
            device: device[row].clone(),
            dose_krad_si: dose[row],
            vt_v: vt[row],
            std_v: std[row],
        })
        .collect())
}

fn vt_points(points: &[VtPoint]) -> Table {
    Table::new()
        .with_text("device", points.iter().map(|p| p.device.clone()).collect())
        .with_text("state", points.iter().map(|p| p.state.clone()).collect())
        .with_float("dose_krad_si", points.iter().map(|p| p.dose_krad_si).collect())
        .with_float("vt_v", points.iter().map(|p| p.vt_v).collect())
        .with_float("vt_std_v", points.iter().map(|p| p.std_v).collect())
}

/// Curves through the mean start of each state; the band spans its devices.
fn curves(law: &str, fit: &tid::TidFit, smallest_krad: f64, largest_krad: f64) -> Result<Table, StageError> {
    let ratio = largest_krad / smallest_krad;
    let doses: Vec<f64> = std::iter::once(0.0)
        .chain((0..=CURVE_POINTS).map(|i| smallest_krad * ratio.powf(i as f64 / CURVE_POINTS as f64)))
        .collect();
    let mut states: Vec<&str> = fit.starts.iter().map(|(state, _, _)| state.as_str()).collect();
    states.dedup();
    let mut table = Table::new();
    for state in states {
        let starts: Vec<f64> = fit.starts.iter().filter(|(s, _, _)| s == state).map(|(_, _, v)| *v).collect();
        let mean = starts.iter().sum::<f64>() / starts.len() as f64;
        let least = starts.iter().copied().fold(f64::INFINITY, f64::min);
        let most = starts.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let of = |start: f64| fit.law.thresholds_v(start, &doses).map_err(StageError::failed);
        let part = Table::new()
            .with_text("law", vec![law.to_owned(); doses.len()])
            .with_text("state", vec![state.to_owned(); doses.len()])
            .with_float("dose_krad_si", doses.clone())
            .with_float("vt_v", of(mean)?)
            .with_float("lo_v", of(least)?)
            .with_float("hi_v", of(most)?);
        table.append(&part).map_err(StageError::failed)?;
    }
    Ok(table)
}
