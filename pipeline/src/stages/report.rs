//! `report`: the page that tells the whole story, with what is measured, synthetic and assumed.

use super::artifact::{card, table};
use crate::figures::axis::superscript;
use crate::report::Page;
use crate::stage::{Context, Outputs, ParamError, Role, Stage, StageError, resolve_as};
use mho_compact::card::DeviceCard;
use mho_data::measurement::Measurement;
use mho_data::provenance::{Kind, Origin};
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
        4
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
        honesty(&mut page, &measurements);
        what_was_read(&mut page, &measurements);
        device(&mut page, context)?;
        published(&mut page, context)?;
        currents(&mut page, context)?;
        tables(&mut page, context)?;
        networks(&mut page, context)?;
        uncertainty(&mut page, context)?;
        assumptions(&mut page);
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

fn honesty(page: &mut Page, measurements: &[(String, Measurement)]) {
    page.section("What this is, and what it is not");
    page.text(
        "Programming spread, drift and read noise come from published measurements of 40 nm SONOS arrays. The networks \
         were trained here, and every accuracy was computed on test images that training never saw.",
    );
    let synthetic: Vec<&str> = measurements
        .iter()
        .filter(|(_, m)| m.sidecar.origin == Origin::Synthetic)
        .map(|(_, m)| m.sidecar.kind.title())
        .collect();
    if !synthetic.is_empty() {
        page.text(&format!(
            "SYNTHETIC, not measured: {}. No measured ones are public. A generator made them from device physics with a \
             charge profile, a self-consistent surface potential and a spread from cell to cell that the fitted forms do \
             not have, plus instrument noise. A dose curve that rests on them is a model prediction from textbook \
             constants, not a validation. Give your own files with --set idvg.files=… and --set currents.files=….",
            synthetic.join("; ")
        ));
    }
}

fn what_was_read(page: &mut Page, measurements: &[(String, Measurement)]) {
    if measurements.is_empty() {
        return;
    }
    page.section("Measurements");
    let rows: Vec<Vec<String>> = measurements
        .iter()
        .map(|(name, m)| {
            vec![
                name.clone(),
                m.sidecar.kind.title().into(),
                m.sidecar.origin.label().into(),
                m.table.len().to_string(),
                m.sidecar.dropped.len().to_string(),
            ]
        })
        .collect();
    page.table(&["target", "what", "origin", "rows", "dropped rows"], &rows);
    let mut notes = Vec::new();
    for (name, m) in measurements {
        notes.extend(
            m.sidecar.dropped.iter().map(|d| format!("{name}: {}:{} dropped: {}", d.file, d.line, d.reason)),
        );
        notes.extend(
            m.sidecar.assumptions.iter().chain(&m.sidecar.notes).map(|text| format!("{name}: {text}")),
        );
    }
    if !notes.is_empty() {
        page.list(&notes);
    }
}

/// A number with its uncertainty, in the digits that the uncertainty allows; very large and very small
/// ones with a power of ten for both.
fn with_std(value: f64, std: Option<f64>) -> String {
    let size = value.abs();
    let power = if size == 0.0 || (1e-3..1e5).contains(&size) { 0 } else { size.log10().floor() as i32 };
    let scaled = |v: f64| v / 10f64.powi(power);
    let tens = if power == 0 { String::new() } else { format!(" × 10{}", superscript(power)) };
    // A spread of rounding errors says that the number was given, not found.
    match std.filter(|s| *s > 1e-9 * size) {
        Some(std) => {
            let (value, std) = (scaled(value), scaled(std));
            let digits = (1.0 - std.log10().floor()).clamp(0.0, 9.0) as usize;
            let both = format!("{value:.digits$} ± {std:.digits$}");
            if power == 0 { both } else { format!("({both}){tens}") }
        }
        None => {
            let text = format!("{:.6}", scaled(value));
            format!("{}{tens}", text.trim_end_matches('0').trim_end_matches('.'))
        }
    }
}

fn card_rows(name: &str, card: &DeviceCard) -> Vec<Vec<String>> {
    let kind = |kind| {
        serde_json::to_value(kind).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
    };
    card.parameters
        .iter()
        .map(|(parameter, entry)| {
            vec![
                format!("{name} ({})", card.model),
                parameter.clone(),
                with_std(entry.value, entry.std),
                entry.unit.clone(),
                if entry.kind == Kind::Fitted && entry.std.is_none() {
                    "held (fixed, or at a bound)".into()
                } else {
                    kind(entry.kind)
                },
                // An assumed number does not come from the data of its card.
                if entry.kind == Kind::Assumed {
                    entry.source.clone()
                } else {
                    card.provenance.origin.clone()
                },
            ]
        })
        .collect()
}

fn device(page: &mut Page, context: &Context<'_>) -> Result<(), StageError> {
    page.section("The transistor and its threshold under dose");
    figure(
        page,
        context,
        "idvg",
        "I_{D}(V_{G}) of one device a state (markers) with the fitted EKV transistor (lines), and the residuals of all \
         sweeps in ln I. What is systematic in the residuals is the misfit of the form, which has one slope factor.",
    );
    figure(
        page,
        context,
        "vt-dose",
        "Threshold voltage against dose for each programmed state, every device on its own. Lines: through the mean start of \
         a state; bands: its devices.",
    );
    let mut rows = Vec::new();
    let mut notes = Vec::new();
    for artifact in context.inputs("cards").into_iter().filter(|artifact| artifact.file.ends_with(".toml")) {
        let card = card(artifact)?;
        rows.extend(card_rows(artifact.output(), &card));
        if !card.provenance.misfit.is_empty() {
            notes.push(format!("{}: {}", artifact.output(), card.provenance.misfit));
        }
        notes.extend(card.provenance.notes.iter().map(|note| format!("{}: {note}", artifact.output())));
    }
    page.table(&["card (model)", "parameter", "value", "unit", "kind", "data or source"], &rows);
    if !notes.is_empty() {
        page.list(&notes);
    }
    Ok(())
}

fn published(page: &mut Page, context: &Context<'_>) -> Result<(), StageError> {
    page.section("Programming spread and drift, beside the published points");
    figure(
        page,
        context,
        "spread",
        "Spread over cells after programming and later: published statistics (markers), fit (lines).",
    );
    figure(
        page,
        context,
        "drift",
        "Mean shift of the published states: every state relaxes towards a neutral current. What the form misses is \
         systematic: the neutral point itself moves.",
    );
    if let Ok(artifact) = context.named("retention", "fits") {
        let fits: Vec<Value> = serde_json::from_slice(&artifact.bytes).map_err(StageError::failed)?;
        let mut rows = Vec::new();
        for fit in &fits {
            let text = |key: &str| fit.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            let result = fit.get("fit").cloned().unwrap_or(Value::Null);
            let number = |value: Option<&Value>| value.and_then(Value::as_f64);
            let mut row = vec![text("set"), text("weighting")];
            for name in ["neutral_current_na", "r_per_decade", "t_0_s"] {
                let found = result
                    .get("parameters")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .find(|p| p.get("name").and_then(Value::as_str) == Some(name));
                let value = number(found.and_then(|p| p.get("value"))).unwrap_or(f64::NAN);
                row.push(if name == "t_0_s" {
                    let ends: Vec<f64> = fit
                        .get("t_0_interval_s")
                        .and_then(Value::as_array)
                        .into_iter()
                        .flatten()
                        .filter_map(Value::as_f64)
                        .collect();
                    match ends[..] {
                        [low, high] => format!("{value:.3e} ({low:.1e} to {high:.1e})"),
                        _ => format!("{value:.3e}"),
                    }
                } else {
                    with_std(value, number(found.and_then(|p| p.get("std"))))
                });
            }
            row.push(format!("{:.2}", number(result.get("rms")).unwrap_or(f64::NAN)));
            row.push(if fit.get("used") == Some(&Value::Bool(true)) { "used".into() } else { String::new() });
            rows.push(row);
        }
        page.table(
            &[
                "set",
                "weighting",
                "I_{N} (nA)",
                "r (per decade)",
                "t_{0} (s), 95 % profile interval",
                "rms (nA)",
                "",
            ],
            &rows,
        );
    }
    Ok(())
}

fn currents(page: &mut Page, context: &Context<'_>) -> Result<(), StageError> {
    let Ok(artifact) = context.named("currents", "fit") else { return Ok(()) };
    page.section("Current shift with dose: directly, and over the threshold");
    figure(
        page,
        context,
        "currents",
        "State currents under dose, cell by cell, with the shift fitted to them directly and as predicted over the \
         threshold law of the sweeps.",
    );
    let document: Value = serde_json::from_slice(&artifact.bytes).map_err(StageError::failed)?;
    let rms = |key: &str| document.get("comparison").and_then(|c| c.get(key)).and_then(Value::as_f64);
    if let (Some(direct), Some(over)) = (rms("direct_rms_na"), rms("over_vt_rms_na")) {
        page.text(&format!(
            "Rms distance to the mean currents: {direct:.0} nA for the direct fit, {over:.0} nA for the way over the \
             threshold, which had no current under dose to learn from."
        ));
    }
    Ok(())
}

fn tables(page: &mut Page, context: &Context<'_>) -> Result<(), StageError> {
    let about: Vec<_> = context.inputs("tables").into_iter().filter(|a| a.output() == "about").collect();
    if about.is_empty() {
        return Ok(());
    }
    page.section("Device tables");
    page.text(
        "Mean, spread and quantiles of the cell current over state, time and dose. The largest interpolation error was \
         measured against the source at points between the nodes.",
    );
    let mut rows = Vec::new();
    for artifact in about {
        let value: Value = serde_json::from_slice(&artifact.bytes).map_err(StageError::failed)?;
        let text = |key: &str| {
            value.get(key).map_or(String::new(), |v| v.as_str().map_or(v.to_string(), str::to_owned))
        };
        let of =
            |key: &str| value.get("certificate").and_then(|c| c.get(key)).cloned().unwrap_or(Value::Null);
        let percent = |key: &str| of(key).as_f64().map_or(String::new(), |v| format!("{:.3} %", 100.0 * v));
        rows.push(vec![
            text("name"),
            text("origin"),
            format!("{} x {} x {}", text("states"), text("times"), text("doses")),
            percent("max_error_fraction"),
            percent("tolerance_fraction"),
            of("checked_points").to_string(),
            text("extrapolated_nodes"),
        ]);
    }
    page.table(
        &[
            "table",
            "data",
            "states x times x doses",
            "largest error (of I_{max})",
            "asked",
            "points checked",
            "nodes beyond the fitted data",
        ],
        &rows,
    );
    Ok(())
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
    let steps = table(context.named("summary", "ablation")?)?;
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
    page.section("The dose at which a point is lost, and what it is uncertain by");
    figure(
        page,
        context,
        "loss-dose",
        "Three parts that are not to be mixed: the draw of devices (trials), the fitted parameters (samples of the \
         cards' covariances), and the choice of model (one choice changed at a time). At the right edge: not reached.",
    );
    let losses = table(context.named("summary", "loss-dose")?)?;
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
    page.table(&["part", "variant", "10 % (krad(Si))", "middle", "90 %"], &rows);
    Ok(())
}

fn assumptions(page: &mut Page) {
    page.section("What is assumed");
    page.list(
        &[
            "No measured threshold voltages against dose of 40 nm SONOS cells are public. Pair generation (8.1e12 per cm³ \
             and rad), escape yield and capture come from textbooks; layer thicknesses, gate work function and capture \
             efficiency are assumed.",
            "The sign of V_{inf} is open: with another gate or a counter-doped channel the fixed point lies on the other \
             side of neutral. It is varied under \"choice of model\".",
            "The random part is a counting estimate on an assumed gate area. The published growth of the spread bounds \
             the area to at least 0.04 µm²; it is varied under \"choice of model\".",
            "An in-situ experiment (Xiao et al., IEEE TNS 72(4) 1243, 2025, abstract) blames the loss almost entirely on \
             state-dependent current shifts. Mean and random parts are separate switches here, and neither is claimed \
             to dominate in real arrays.",
            "A published test (Xiao et al., IEEE TNS 68(5) 762, 2021, abstract) tolerated between 10 and 100 krad(Si) on \
             CIFAR-10 and ImageNet, deeper networks less. These networks and data are other ones: nothing here \
             validates or refutes that.",
            "Dose comes first, then time. Reads are at 300 K. Wires have no resistance. The read noise of the IEDM 2022 set stands \
             in for the TCAS-I 2022 set.",
            "The IEDM 2022 points are samples of published polynomials, not independent measurements: the intervals \
             of their fits are too narrow.",
            "Cell-to-cell spread of D_{c}: ln D_{c} has a standard deviation of 0.1 unless the study says otherwise (assumed).",
        ]
        .map(str::to_owned),
    );
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

#[cfg(test)]
mod tests {
    use super::with_std;

    #[test]
    fn numbers_carry_the_digits_that_their_uncertainty_allows() {
        assert_eq!(with_std(655.616, Some(23.3)), "656 ± 23");
        assert_eq!(with_std(1.664e-6, Some(4.955e-8)), "(1.664 ± 0.050) × 10⁻⁶");
        assert_eq!(with_std(39.5656, Some(1e-14)), "39.5656");
        assert_eq!(with_std(0.0, None), "0");
        assert_eq!(with_std(174_500.0, Some(8988.0)), "(1.745 ± 0.090) × 10⁵");
    }
}
