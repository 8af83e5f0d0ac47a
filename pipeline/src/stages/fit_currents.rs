//! `fit.current-shift`: the state currents against dose directly, beside the way over the threshold.

use super::artifact::{measurement, with_card, with_table};
use crate::stage::{Context, Outputs, ParamError, Role, Stage, StageError, resolve_as};
use mho_compact::card::DeviceCard;
use mho_compact::current_shift::{self, MeanCurrent};
use mho_data::table::Table;
use mho_lut::{OutOfRange, Query};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(super) struct FitCurrentShift;

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Params {}

/// Points of a drawn curve.
const CURVE_POINTS: usize = 40;

impl Stage for FitCurrentShift {
    fn name(&self) -> &'static str {
        "fit.current-shift"
    }

    fn version(&self) -> u32 {
        2
    }

    fn about(&self) -> &'static str {
        "state currents against dose and time, directly and over the threshold"
    }

    fn roles(&self) -> &'static [Role] {
        const { &[Role::required("currents"), Role::optional("over-vt")] }
    }

    fn resolve(&self, given: &Value) -> Result<Value, ParamError> {
        resolve_as::<Params>(given)
    }

    fn run(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        let currents = measurement(context, "currents")?;
        let points = current_shift::points(&currents.table).map_err(StageError::failed)?;
        let fit = current_shift::fit(&points).map_err(StageError::failed)?;
        for warning in &fit.fit.warnings {
            context.warn(warning.clone());
        }
        let largest = points.iter().map(|p| p.dose_krad_si).fold(0.0, f64::max);
        let source =
            format!("{} of target {}", currents.sidecar.kind.title(), context.input("currents")?.target());
        let mut direct: DeviceCard =
            DeviceCard::from_fit(&current_shift::INFO, &fit.fit, &source, currents.sidecar.origin);
        direct.provenance.misfit = format!("rms {:.2} nA", fit.fit.rms);
        direct.validity.insert("dose_krad_si".into(), format!("0 to {largest}"));
        let mut outputs = with_card(Outputs::new(), "card", &context.target, &direct)?;

        let positive = points.iter().map(|p| p.dose_krad_si).filter(|dose| *dose > 0.0);
        let smallest = positive.fold(largest.max(f64::MIN_POSITIVE), f64::min);
        let ratio = largest / smallest;
        let doses: Vec<f64> = std::iter::once(0.0)
            .chain((0..=CURVE_POINTS).map(|i| smallest * ratio.powf(i as f64 / CURVE_POINTS as f64)))
            .collect();
        let mut curves = Table::new();
        for &(state, start) in &fit.starts {
            let along: Vec<f64> = doses.iter().map(|&dose| fit.law.current_na(start, dose, 0.0)).collect();
            let nothing = vec![f64::NAN; doses.len()];
            curves
                .append(&curve("direct", state, &doses, &along, nothing.clone(), nothing))
                .map_err(StageError::failed)?;
        }
        let mut comparison = json!({ "direct_rms_na": fit.fit.rms });
        if let Some(artifact) = context.optional("over-vt") {
            let device = super::artifact::device_table(artifact)?;
            let (_, dose_max) = device.dose_axis().range();
            let mut square = (0.0, 0.0);
            for &(state, start) in &fit.starts {
                // The cell as programmed: its own start, not the target.
                let own = (start / device.current_max_na()).clamp(0.0, 1.0);
                let queries: Vec<Query> = doses
                    .iter()
                    .map(|&dose| Query { state: own, time_s: 0.0, dose_krad_si: dose.min(dose_max) })
                    .collect();
                let (rows, _) = device.query(&queries, OutOfRange::Clamp).map_err(StageError::failed)?;
                let along: Vec<f64> = rows.iter().map(|row| row.mean_na).collect();
                let lo = rows.iter().map(|row| row.mean_na - row.sigma_na).collect();
                let hi = rows.iter().map(|row| row.mean_na + row.sigma_na).collect();
                curves
                    .append(&curve("over-vt", state, &doses, &along, lo, hi))
                    .map_err(StageError::failed)?;
                for mean in fit.means.iter().filter(|m| m.state == state && first_read(&fit.means, m)) {
                    let query =
                        Query { state: own, time_s: 0.0, dose_krad_si: mean.dose_krad_si.min(dose_max) };
                    let (rows, _) = device.query(&[query], OutOfRange::Clamp).map_err(StageError::failed)?;
                    square.0 += (rows[0].mean_na - mean.mean_na).powi(2);
                    square.1 += 1.0;
                }
            }
            let rms = (square.0 / f64::max(square.1, 1.0)).sqrt();
            comparison["over_vt_rms_na"] = json!(rms);
        }
        outputs = with_table(outputs, "curves", &curves)?;
        outputs = with_table(outputs, "points", &currents.table)?;
        outputs = outputs.with("origin", "origin.txt", currents.sidecar.origin.label());
        let document = json!({ "fit": fit.fit, "comparison": comparison });
        let bytes = serde_json::to_vec(&document).map_err(StageError::failed)?;
        Ok(outputs.with("fit", "fit.json", bytes))
    }
}

/// Whether a mean is the earliest of its state and dose: later reads belong to storage, not to dose.
fn first_read(means: &[MeanCurrent], mean: &MeanCurrent) -> bool {
    let same = |other: &&MeanCurrent| other.state == mean.state && other.dose_krad_si == mean.dose_krad_si;
    means.iter().filter(same).all(|other| other.time_s >= mean.time_s)
}

fn curve(way: &str, state: f64, doses: &[f64], current: &[f64], lo: Vec<f64>, hi: Vec<f64>) -> Table {
    let n = doses.len();
    Table::new()
        .with_text("way", vec![way.to_owned(); n])
        .with_float("state", vec![state; n])
        .with_float("dose_krad_si", doses.to_vec())
        .with_float("current_na", current.to_vec())
        .with_float("lo_na", lo)
        .with_float("hi_na", hi)
}
