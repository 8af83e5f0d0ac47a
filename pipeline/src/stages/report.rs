//! `report`: the page that tells the whole story, with what is measured, synthetic and assumed.

mod device;
mod honesty;

use super::artifact::table;
use crate::report::Page;
use crate::stage::{Context, Outputs, ParamError, Role, Stage, StageError, resolve_as};
use mho_data::measurement::Measurement;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(super) struct ReportPage;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Title of the page.
    title: String,
}

impl Default for Params {
    fn default() -> Self {
        Self { title: "From measurements to accuracy under dose and drift".into() }
    }
}

impl Stage for ReportPage {
    fn name(&self) -> &'static str {
        "report"
    }

    fn version(&self) -> u32 {
        7
    }

    fn about(&self) -> &'static str {
        "one self-contained page with figures, fits, tables, assumptions and provenance"
    }

    fn roles(&self) -> &'static [Role] {
        const {
            &[
                Role::required("figures"),
                Role::required("summary"),
                Role::optional("measurements"),
                Role::optional("cards"),
                Role::optional("retention"),
                Role::optional("programming"),
                Role::optional("currents"),
                Role::optional("tables"),
            ]
        }
    }

    fn resolve(&self, given: &Value) -> Result<Value, ParamError> {
        resolve_as::<Params>(given)
    }

    fn run(&self, context: &Context<'_>) -> Result<Outputs, StageError> {
        let params: Params = context.params()?;
        let mut page = Page::new(&params.title);
        let headline = context.named("summary", "headline")?;
        let text = String::from_utf8_lossy(&headline.bytes);
        page.lines(&text.lines().collect::<Vec<_>>());
        let measurements = measurements(context)?;
        // Tables of a device that came as cards or cells name their origin.
        let own = context.inputs("tables").iter().any(|artifact| artifact.output() == "origin");
        if own {
            honesty::of_own_device(&mut page, context);
        } else {
            honesty::honesty(&mut page, &measurements);
        }
        honesty::what_was_read(&mut page, &measurements);
        if own {
            device::own(&mut page, context)?;
        } else {
            device::device(&mut page, context)?;
            device::published(&mut page, context)?;
            device::currents(&mut page, context)?;
        }
        device::tables(&mut page, context)?;
        networks(&mut page, context)?;
        uncertainty(&mut page, context)?;
        if !own {
            honesty::assumptions(&mut page);
        }
        provenance(&mut page, context);
        Ok(Outputs::new().exported("page", "", "report.html", page.html()))
    }
}

fn figure(page: &mut Page, context: &Context<'_>, name: &str, caption: &str) {
    if let Ok(artifact) = context.named("figures", name) {
        page.figure(&String::from_utf8_lossy(&artifact.bytes), caption);
    }
}

fn measurements(context: &Context<'_>) -> Result<Vec<(String, Measurement)>, StageError> {
    let inputs = context.inputs("measurements");
    let mut found = Vec::new();
    for sidecar in inputs.iter().filter(|artifact| artifact.output() == "sidecar") {
        let data = inputs.iter().find(|a| a.output() == "table" && a.target() == sidecar.target());
        if let Some(data) = data {
            let name = sidecar.target().to_owned();
            found.push((name, Measurement::from_parts(&data.bytes, &sidecar.bytes, &data.name)?));
        }
    }
    Ok(found)
}

fn networks(page: &mut Page, context: &Context<'_>) -> Result<(), StageError> {
    page.section("Networks on the array");
    figure(
        page,
        context,
        "weights",
        "Target currents of all cells: differential pairs, seven bits and sign.",
    );
    figure(
        page,
        context,
        "accuracy-dose",
        "Accuracy against dose, read right after irradiation: median and 10 to 90 % of trials; all doses of a trial \
         share its cells.",
    );
    figure(page, context, "accuracy-time", "Accuracy against time without dose.");
    figure(page, context, "ablation", "One effect after the other. Bars: 10 to 90 % of trials.");
    figure(
        page,
        context,
        "accuracy-parts",
        "Accuracy with its uncertainties apart. Draw of devices: 10 to 90 % of trials. Fitted parameters: 10 to 90 % of \
         the means over samples of the cards' covariances. Choice of model: all of its means.",
    );
    let steps = table(context.named("summary", "ablation")?)?;
    if steps.is_empty() {
        return Ok(());
    }
    let wrong = |error: mho_data::table::TableError| StageError::failed(error);
    let (networks, labels) = (steps.texts("network").map_err(wrong)?, steps.texts("label").map_err(wrong)?);
    let (median, lo, hi) = (
        steps.floats("median").map_err(wrong)?,
        steps.floats("lo").map_err(wrong)?,
        steps.floats("hi").map_err(wrong)?,
    );
    let rows: Vec<Vec<String>> = (0..steps.len())
        .map(|i| {
            let band = format!("{:.2} ({:.2} to {:.2})", 100.0 * median[i], 100.0 * lo[i], 100.0 * hi[i]);
            vec![networks[i].clone(), labels[i].clone(), band]
        })
        .collect();
    page.table(&["network", "effects", "accuracy (%)"], &rows);
    Ok(())
}

fn uncertainty(page: &mut Page, context: &Context<'_>) -> Result<(), StageError> {
    let (name, what) = match context.named("summary", "loss-dose") {
        Ok(_) => ("loss-dose", "dose"),
        Err(_) => ("loss-time", "time"),
    };
    page.section(&format!("The {what} at which a point is lost, and what it is uncertain by"));
    figure(
        page,
        context,
        name,
        "Three parts that are not to be mixed: the draw of devices (trials), the fitted parameters (samples of the \
         cards' covariances), and the choice of model (one choice changed at a time). At the right edge: not reached.",
    );
    let losses = table(context.named("summary", name)?)?;
    let wrong = |error: mho_data::table::TableError| StageError::failed(error);
    let (parts, variants) = (losses.texts("part").map_err(wrong)?, losses.texts("variant").map_err(wrong)?);
    let (lo, mid, hi) = (
        losses.floats("lo").map_err(wrong)?,
        losses.floats("mid").map_err(wrong)?,
        losses.floats("hi").map_err(wrong)?,
    );
    let shown = |v: f64| if v.is_finite() { format!("{v:.0}") } else { "not reached".into() };
    let rows: Vec<Vec<String>> = (0..losses.len())
        .map(|i| vec![parts[i].clone(), variants[i].clone(), shown(lo[i]), shown(mid[i]), shown(hi[i])])
        .collect();
    let unit = if what == "dose" { "10 % (krad(Si))" } else { "10 % (s)" };
    page.table(&["part", "variant", unit, "middle", "90 %"], &rows);
    Ok(())
}

fn provenance(page: &mut Page, context: &Context<'_>) {
    page.section("Provenance");
    page.text(
        "What this page was made from. `mho whence FILE` follows any of it back to the measured files.",
    );
    let rows: Vec<Vec<String>> = context
        .artifacts
        .iter()
        .map(|artifact| vec![artifact.name.clone(), artifact.digest.get(..16).unwrap_or_default().to_owned()])
        .collect();
    page.table(&["artifact", "digest (BLAKE3)"], &rows);
    page.text(&format!("Made by {} with seed {}.", context.stage, context.seed));
}
