//! `summary`: what is read off the evaluations, and the lines that a person can quote.

use super::artifact::{table, with_table};
mod headline;
mod losses;
mod trials;

use crate::analysis::band::Band;
use crate::stage::{Context, Outputs, ParamError, Role, Stage, StageError, resolve_as};
use headline::{About, Headline};
use losses::{accuracy_parts, loss_table};
use mho_data::table::Table;
use mho_network::effects::Effects;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use trials::{Along, Row, Trials};

pub(super) struct Summary;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Accuracy (fraction) whose loss is looked for.
    loss: f64,
}

impl Default for Params {
    fn default() -> Self {
        Self { loss: 0.01 }
    }
}

impl Stage for Summary {
    fn name(&self) -> &'static str {
        "summary"
    }

    fn version(&self) -> u32 {
        3
    }

    fn about(&self) -> &'static str {
        "bands over trials, the dose at which accuracy is lost, what dominates the loss"
    }

    fn roles(&self) -> &'static [Role] {
        const {
            &[
                Role::required("networks"),
                Role::optional("dose"),
                Role::optional("time"),
                Role::optional("ablation"),
                Role::optional("samples"),
                Role::optional("choices"),
                Role::optional("tables"),
            ]
        }
    }

    fn resolve(&self, given: &Value) -> Result<Value, ParamError> {
        resolve_as::<Params>(given)
    }

    fn run(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        let params: Params = context.params()?;
        let digital = digital(context)?;
        let read = |role: &str| -> Result<Vec<Trials>, StageError> {
            let wanted = context.inputs(role).into_iter().filter(|artifact| artifact.output() == "trials");
            wanted.map(Trials::read).collect()
        };
        let along = |role: &str, along: Along| -> Result<Vec<Trials>, StageError> {
            let all = read(role)?;
            for one in &all {
                if let Some(left_out) = one.others(along) {
                    context.warn(format!("{role} of {}: {left_out}", one.network));
                }
            }
            Ok(all.into_iter().map(|one| one.only(along)).collect())
        };
        let (dose, time, ablation) =
            (along("dose", Along::Dose)?, along("time", Along::Time)?, read("ablation")?);
        let main = if dose.is_empty() { Along::Time } else { Along::Dose };
        let (samples, choices) = (along("samples", main)?, along("choices", main)?);
        let by_dose = curves(&dose, "dose_krad_si", |r| r.dose_krad_si, &digital);
        let by_time = curves(&time, "time_s", |r| r.time_s, &digital);
        let steps = ablation_table(&ablation);
        let draws = if main == Along::Time { &time } else { &dose };
        let losses = loss_table(main, draws, &samples, &choices, params.loss);
        let parts = accuracy_parts(main, draws, &samples, &choices);
        let abouts = context.inputs("tables").into_iter().filter(|artifact| artifact.output() == "about");
        let abouts = abouts.map(About::read).collect::<Result<Vec<_>, _>>()?;
        let headline = Headline {
            digital: &digital,
            dose: &dose,
            time: &time,
            ablation: &ablation,
            samples: &samples,
            tables: &abouts,
        }
        .lines(main, &losses, params.loss)
        .map_err(StageError::failed)?;
        let mut histogram = Table::new();
        for artifact in context.inputs("networks").into_iter().filter(|a| a.output() == "histogram") {
            let own = table(artifact)?;
            let rows = own.len();
            let name = artifact.target().trim_start_matches("train-").to_owned();
            let mut named = Table::new().with_text("network", vec![name; rows]);
            for column in ["layer", "current_na_lo", "current_na_hi", "cells"] {
                named.push_float(column, own.floats(column).map_err(StageError::failed)?.to_vec());
            }
            histogram.append(&named).map_err(StageError::failed)?;
        }
        let mut outputs = Outputs::new().exported("headline", "", "headline.txt", headline);
        outputs = outputs.exported("accuracy", "", "accuracy.csv", parts.to_csv());
        for (role, table) in [
            ("accuracy-dose", &by_dose),
            ("accuracy-time", &by_time),
            ("ablation", &steps),
            (if main == Along::Dose { "loss-dose" } else { "loss-time" }, &losses),
            ("accuracy-parts", &parts),
            ("weight-histogram", &histogram),
        ] {
            outputs = with_table(outputs, role, table)?;
        }
        Ok(outputs)
    }
}

/// Accuracy of every network without any array, by its name.
fn digital(context: &Context<'_>) -> Result<BTreeMap<String, f64>, StageError> {
    let mut found = BTreeMap::new();
    for artifact in context.inputs("networks").into_iter().filter(|a| a.output() == "about") {
        let about: Value = serde_json::from_slice(&artifact.bytes).map_err(StageError::failed)?;
        let name = artifact.target().trim_start_matches("train-").to_owned();
        found.insert(name, about.get("float_top1").and_then(Value::as_f64).unwrap_or(f64::NAN));
    }
    Ok(found)
}

/// Median and band against a quantity.
fn curves(all: &[Trials], column: &str, of: fn(&Row) -> f64, digital: &BTreeMap<String, f64>) -> Table {
    let mut names = Vec::new();
    let mut numbers: [Vec<f64>; 6] = Default::default();
    for one in all {
        let places = crate::figures::levels(&one.rows.iter().map(of).collect::<Vec<_>>());
        for place in places {
            let values = one.top1(|row| of(row) == place);
            let band = Band::of(&values);
            names.push(one.network.clone());
            let baseline = digital.get(&one.network).copied().unwrap_or(f64::NAN);
            for (list, value) in
                numbers.iter_mut().zip([place, band.median, band.lo, band.hi, values.len() as f64, baseline])
            {
                list.push(value);
            }
        }
    }
    let mut table = Table::new().with_text("network", names);
    for (name, list) in [column, "median", "lo", "hi", "trials", "baseline"].into_iter().zip(numbers) {
        table.push_float(name, list);
    }
    table
}

fn ablation_table(all: &[Trials]) -> Table {
    let (mut names, mut labels) = (Vec::new(), Vec::new());
    let mut numbers: [Vec<f64>; 5] = Default::default();
    for one in all {
        for (step, (label, effects)) in Effects::ABLATION.iter().enumerate() {
            let wanted = effects.to_string();
            let values = one.top1(|row| row.effects == wanted);
            if values.is_empty() {
                continue;
            }
            let band = Band::of(&values);
            names.push(one.network.clone());
            labels.push((*label).to_owned());
            let row = [step as f64, band.median, band.lo, band.hi, values.len() as f64];
            numbers.iter_mut().zip(row).for_each(|(list, value)| list.push(value));
        }
    }
    let mut table = Table::new().with_text("network", names).with_text("label", labels);
    for (name, list) in ["step", "median", "lo", "hi", "trials"].into_iter().zip(numbers) {
        table.push_float(name, list);
    }
    table
}
