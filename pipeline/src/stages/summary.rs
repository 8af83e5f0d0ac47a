//! `summary`: what is read off the evaluations, and the lines that a person can quote.

use super::artifact::{table, with_table};
use crate::analysis::band::Band;
use crate::analysis::loss::dose_at_loss;
use crate::stage::{Artifact, Context, Outputs, ParamError, Role, Stage, StageError, resolve_as};
use mho_data::table::{Table, TableError};
use mho_network::effects::Effects;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

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
        1
    }

    fn about(&self) -> &'static str {
        "bands over trials, the dose at which accuracy is lost, what dominates the loss"
    }

    fn roles(&self) -> &'static [Role] {
        const {
            &[
                Role::required("networks"),
                Role::required("dose"),
                Role::required("time"),
                Role::required("ablation"),
                Role::optional("samples"),
                Role::optional("choices"),
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
        let (dose, time, ablation) = (read("dose")?, read("time")?, read("ablation")?);
        let (samples, choices) = (read("samples")?, read("choices")?);
        let by_dose = curves(&dose, "dose_krad_si", |r| r.dose_krad_si, &digital);
        let by_time = curves(&time, "time_s", |r| r.time_s, &digital);
        let steps = ablation_table(&ablation);
        let losses = loss_table(&dose, &samples, &choices, params.loss);
        let headline =
            Headline { digital: &digital, dose: &dose, time: &time, ablation: &ablation, samples: &samples }
                .lines(&losses, params.loss)
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
        for (role, table) in [
            ("accuracy-dose", &by_dose),
            ("accuracy-time", &by_time),
            ("ablation", &steps),
            ("loss-dose", &losses),
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

/// One trial at one condition.
struct Row {
    table: String,
    effects: String,
    time_s: f64,
    dose_krad_si: f64,
    trial: f64,
    top1: f64,
}

/// The trials of one network.
struct Trials {
    network: String,
    images: f64,
    rows: Vec<Row>,
}

impl Trials {
    fn read(artifact: &Artifact) -> Result<Self, StageError> {
        let table = table(artifact)?;
        Self::of(&table).map_err(StageError::failed)
    }

    fn of(table: &Table) -> Result<Self, TableError> {
        let (names, tables, effects) =
            (table.texts("network")?, table.texts("table")?, table.texts("effects")?);
        let (time, dose) = (table.floats("time_s")?, table.floats("dose_krad_si")?);
        let (trial, top1, images) = (table.floats("trial")?, table.floats("top1")?, table.floats("images")?);
        let rows = (0..table.len()).map(|i| Row {
            table: tables[i].clone(),
            effects: effects[i].clone(),
            time_s: time[i],
            dose_krad_si: dose[i],
            trial: trial[i],
            top1: top1[i],
        });
        Ok(Self {
            network: names.first().cloned().unwrap_or_default(),
            images: images.first().copied().unwrap_or(0.0),
            rows: rows.collect(),
        })
    }

    /// Accuracies where `keep` holds.
    fn top1(&self, keep: impl Fn(&Row) -> bool) -> Vec<f64> {
        self.rows.iter().filter(|row| keep(row)).map(|row| row.top1).collect()
    }

    fn doses(&self) -> Vec<f64> {
        crate::figures::levels(&self.rows.iter().map(|row| row.dose_krad_si).collect::<Vec<_>>())
    }

    fn trials(&self) -> Vec<f64> {
        crate::figures::levels(&self.rows.iter().map(|row| row.trial).collect::<Vec<_>>())
    }

    fn tables(&self) -> Vec<String> {
        crate::figures::distinct(&self.rows.iter().map(|row| row.table.clone()).collect::<Vec<_>>())
    }

    /// Dose at which the mean over trials, on one table, has lost `loss`.
    fn mean_loss_dose(&self, table: &str, loss: f64) -> f64 {
        let doses = self.doses();
        let mean = |dose: f64| {
            let all = self.top1(|row| row.table == table && row.dose_krad_si == dose);
            all.iter().sum::<f64>() / all.len() as f64
        };
        let start = doses.first().map_or(0.0, |dose| mean(*dose));
        let lost: Vec<f64> = doses.iter().map(|dose| start - mean(*dose)).collect();
        dose_at_loss(&doses, &lost, loss)
    }

    /// The same for every trial on its own: the draw of devices.
    fn loss_dose_of_trials(&self, loss: f64) -> Vec<f64> {
        let doses = self.doses();
        self.trials()
            .into_iter()
            .map(|trial| {
                let at = |dose: f64| {
                    self.top1(|row| row.trial == trial && row.dose_krad_si == dose)
                        .first()
                        .copied()
                        .unwrap_or(f64::NAN)
                };
                let start = doses.first().map_or(0.0, |dose| at(*dose));
                let lost: Vec<f64> = doses.iter().map(|dose| start - at(*dose)).collect();
                dose_at_loss(&doses, &lost, loss)
            })
            .collect()
    }
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

/// The parts of the uncertainty.
const DRAW: &str = "device draw";
const FITTED: &str = "fitted parameters";
const CHOICE: &str = "choice of model";

fn loss_table(dose: &[Trials], samples: &[Trials], choices: &[Trials], loss: f64) -> Table {
    let (mut networks, mut parts, mut variants) = (Vec::new(), Vec::new(), Vec::new());
    let mut numbers: [Vec<f64>; 4] = Default::default();
    let mut push = |network: &str, part: &str, variant: String, band: Band, reached: f64| {
        networks.push(network.to_owned());
        parts.push(part.to_owned());
        variants.push(variant);
        numbers.iter_mut().zip([band.lo, band.median, band.hi, reached]).for_each(|(list, v)| list.push(v));
    };
    let share =
        |values: &[f64]| values.iter().filter(|v| v.is_finite()).count() as f64 / values.len().max(1) as f64;
    for one in dose {
        let values = one.loss_dose_of_trials(loss);
        // The middle is where the mean over trials crosses, as for the other parts.
        let middle = one.tables().first().map_or(f64::NAN, |table| one.mean_loss_dose(table, loss));
        let band = Band { median: middle, ..Band::of(&values) };
        push(&one.network, DRAW, format!("{}, {} trials", one.network, values.len()), band, share(&values));
    }
    for one in samples {
        let values: Vec<f64> = one.tables().iter().map(|table| one.mean_loss_dose(table, loss)).collect();
        let name = format!("{}, {} samples", one.network, values.len());
        push(&one.network, FITTED, name, Band::of(&values), share(&values));
    }
    for one in choices {
        for table in one.tables() {
            let value = one.mean_loss_dose(&table, loss);
            push(&one.network, CHOICE, table, Band { lo: value, median: value, hi: value }, share(&[value]));
        }
    }
    let mut table =
        Table::new().with_text("network", networks).with_text("part", parts).with_text("variant", variants);
    for (name, list) in ["lo", "mid", "hi", "reached"].into_iter().zip(numbers) {
        table.push_float(name, list);
    }
    table
}

struct Headline<'a> {
    digital: &'a BTreeMap<String, f64>,
    dose: &'a [Trials],
    time: &'a [Trials],
    ablation: &'a [Trials],
    samples: &'a [Trials],
}

impl Headline<'_> {
    /// Four lines; the place of the report is the fifth. They speak of the network whose uncertainty was
    /// looked into, else of the first.
    fn lines(&self, losses: &Table, loss: f64) -> Result<String, TableError> {
        let chosen =
            self.samples.first().or(self.dose.first()).map(|one| one.network.as_str()).unwrap_or_default();
        let of = |all: &'_ [Trials]| all.iter().position(|one| one.network == chosen);
        let percent = |values: &[f64]| {
            let band = Band::of(values);
            format!("{:.1} % ({:.1} to {:.1})", 100.0 * band.median, 100.0 * band.lo, 100.0 * band.hi)
        };
        let mut lines = Vec::new();
        if let Some(dose) = of(self.dose).map(|i| &self.dose[i]) {
            let digital = self.digital.get(chosen).copied().unwrap_or(f64::NAN);
            lines.push(format!(
                "Baseline: {chosen} reaches {:.1} % digitally, {} on the programmed array (median and 10 to 90 % of trials, {} images)",
                100.0 * digital,
                percent(&dose.top1(|row| row.dose_krad_si == 0.0)),
                dose.images
            ));
        }
        if let Some(time) = of(self.time).map(|i| &self.time[i]) {
            let at = |seconds: f64| percent(&time.top1(|row| row.time_s == seconds));
            lines.push(format!("After a day: {}; after five days: {}", at(86_400.0), at(432_000.0)));
        }
        let (networks, parts) = (losses.texts("network")?, losses.texts("part")?);
        let (lo, mid, hi) = (losses.floats("lo")?, losses.floats("mid")?, losses.floats("hi")?);
        let rows = |part: &str| -> Vec<usize> {
            (0..losses.len()).filter(|&row| networks[row] == chosen && parts[row] == part).collect()
        };
        let dose = |value: f64| {
            if value.is_finite() { format!("{value:.0}") } else { "beyond the largest dose".into() }
        };
        let band = |rows: &[usize]| {
            let least = rows.iter().map(|&row| lo[row]).fold(f64::INFINITY, f64::min);
            let most = rows.iter().map(|&row| hi[row]).fold(0.0, f64::max);
            format!("{} to {}", dose(least), dose(most))
        };
        let points = 100.0 * loss;
        if let Some(&row) = rows(DRAW).first() {
            let mut line = format!(
                "{points} point lost at {} krad(Si): {} by the draw of devices",
                dose(mid[row]),
                band(&[row])
            );
            for (part, words) in [(FITTED, "by the fitted parameters"), (CHOICE, "by the choice of model")] {
                let rows = rows(part);
                if !rows.is_empty() {
                    line.push_str(&format!(", {} {words}", band(&rows)));
                }
            }
            lines.push(line);
        }
        if let Some(one) = of(self.ablation).map(|i| &self.ablation[i]) {
            let means: Vec<(&str, f64)> = Effects::ABLATION
                .iter()
                .map(|(label, effects)| {
                    let wanted = effects.to_string();
                    let values = one.top1(|row| row.effects == wanted);
                    (*label, values.iter().sum::<f64>() / values.len().max(1) as f64)
                })
                .collect();
            let worst = means.windows(2).max_by(|a, b| (a[0].1 - a[1].1).total_cmp(&(b[0].1 - b[1].1)));
            if let (Some(pair), Some(row)) = (worst, one.rows.first()) {
                lines.push(format!(
                    "What dominates: {} costs {:.1} of {:.1} points at {} krad(Si) and {:.0} d",
                    pair[1].0.trim_start_matches("+ "),
                    100.0 * (pair[0].1 - pair[1].1),
                    100.0 * (means[0].1 - means[means.len() - 1].1),
                    row.dose_krad_si,
                    row.time_s / 86_400.0
                ));
            }
        }
        Ok(lines.into_iter().map(|line| line + "\n").collect())
    }
}
