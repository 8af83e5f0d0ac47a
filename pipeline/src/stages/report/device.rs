//! The sections on the device: its fits, its cards, its tables.

use super::super::artifact::card;
use super::figure;
use crate::figures::axis::superscript;
use crate::report::Page;
use crate::stage::{Context, StageError};
use mho_compact::card::DeviceCard;
use mho_data::provenance::Kind;
use serde_json::Value;

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
                // A number that was not fitted does not come from the data of its card.
                if entry.kind == Kind::Fitted {
                    card.provenance.origin.clone()
                } else {
                    entry.source.clone()
                },
            ]
        })
        .collect()
}

pub(super) fn device(page: &mut Page, context: &Context<'_>) -> Result<(), StageError> {
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
    cards(page, context)
}

/// The cards of a device that the project has not made itself.
pub(super) fn own(page: &mut Page, context: &Context<'_>) -> Result<(), StageError> {
    page.section("The device");
    cards(page, context)
}

/// Parameters of all cards, and what their fits said.
fn cards(page: &mut Page, context: &Context<'_>) -> Result<(), StageError> {
    let mut rows = Vec::new();
    let mut notes = Vec::new();
    for artifact in context.inputs("cards").into_iter().filter(|artifact| artifact.file.ends_with(".toml")) {
        let card = card(artifact)?;
        rows.extend(card_rows(artifact.output(), &card));
        for (quantity, range) in card.validity.iter().filter(|(quantity, _)| quantity.as_str() != "law") {
            notes.push(format!("{}: {quantity} {range}", artifact.output()));
        }
        notes.extend(
            card.provenance.data.iter().map(|data| format!("{}: fitted to {data}", artifact.output())),
        );
        if !card.provenance.misfit.is_empty() {
            notes.push(format!("{}: misfit {}", artifact.output(), card.provenance.misfit));
        }
        notes.extend(card.provenance.notes.iter().map(|note| format!("{}: {note}", artifact.output())));
    }
    page.table(&["card (model)", "parameter", "value", "unit", "kind", "data or source"], &rows);
    if !notes.is_empty() {
        page.list(&notes);
    }
    Ok(())
}

pub(super) fn published(page: &mut Page, context: &Context<'_>) -> Result<(), StageError> {
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

pub(super) fn currents(page: &mut Page, context: &Context<'_>) -> Result<(), StageError> {
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

pub(super) fn tables(page: &mut Page, context: &Context<'_>) -> Result<(), StageError> {
    let about: Vec<_> = context.inputs("tables").into_iter().filter(|a| a.output() == "about").collect();
    if about.is_empty() {
        return Ok(());
    }
    page.section("Device tables");
    page.text(
        "Mean, spread and quantiles of the cell current over state, time and dose. The largest interpolation error was \
         measured against the source at points between the nodes.",
    );
    let (mut rows, mut notes) = (Vec::new(), Vec::new());
    for artifact in about {
        let value: Value = serde_json::from_slice(&artifact.bytes).map_err(StageError::failed)?;
        let text = |key: &str| {
            value.get(key).map_or(String::new(), |v| v.as_str().map_or(v.to_string(), str::to_owned))
        };
        let of =
            |key: &str| value.get("certificate").and_then(|c| c.get(key)).cloned().unwrap_or(Value::Null);
        let percent = |key: &str| of(key).as_f64().map_or(String::new(), |v| format!("{:.3} %", 100.0 * v));
        let said =
            value.get("notes").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        notes.extend(said.map(|note| format!("{}: {note}", text("name"))));
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
    if !notes.is_empty() {
        page.list(&notes);
    }
    Ok(())
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
