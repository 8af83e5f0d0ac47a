//! A fit of readings with a law, in words and as JSON.

use super::each::Fitted;
use super::uncertain;
use mho_compact::fit::{FitResult, Regression};
use mho_compact::model::Entry;
use std::fmt::Write as _;

/// The misfit with its unit.
pub(super) fn misfit(fitted: &Fitted) -> String {
    misfit_of(&fitted.regression, &fitted.fit)
}

pub(super) fn misfit_of(regression: &Regression<'_>, fit: &FitResult) -> String {
    match fit.rms_log {
        Some(rms) => format!("{rms:.4} in ln I above ten noise floors"),
        None if regression.y.unit == "1" => format!("{:.4}", fit.rms),
        None => format!("{:.4e} {}", fit.rms, regression.y.unit),
    }
}

pub(super) fn document(entry: &Entry, fitted: &Fitted) -> serde_json::Value {
    let mut value = serde_json::to_value(&fitted.fit).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.insert("schema".into(), 1.into());
        object.insert("model".into(), entry.info.name.into());
        object.insert("name".into(), fitted.name.clone().into());
        object.insert("source".into(), fitted.source.clone().into());
        object.insert("origin".into(), fitted.origin.label().into());
        let fixed =
            fitted.regression.fixed.iter().map(
                |fixed| serde_json::json!({ "name": fixed.name, "value": fixed.value, "why": fixed.why }),
            );
        object.insert("fixed".into(), fixed.collect());
        object.insert("hold_out".into(), serde_json::to_value(fitted.hold_out).unwrap_or_default());
        let profiles = fitted.profiles.iter().map(|(name, interval)| {
            serde_json::json!({ "name": name, "interval95": [interval.lower, interval.upper], "open": [interval.lower_open, interval.upper_open] })
        });
        object.insert("profiles".into(), profiles.collect());
        object.insert("bootstrap".into(), serde_json::to_value(&fitted.bootstrap).unwrap_or_default());
        object.insert("ranking".into(), fitted.ranking.document());
        object.insert("population".into(), serde_json::to_value(&fitted.population).unwrap_or_default());
        object.insert("extracted".into(), serde_json::to_value(&fitted.extracted).unwrap_or_default());
    }
    value
}

/// The first of many names, and how many there are.
pub(super) fn some(names: &[String]) -> String {
    const SHOWN: usize = 6;
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{shown}, … of {}", names.len()) } else { shown }
}

/// Sweeps of which the figures are told; the JSON document has all.
const MOST_SWEEPS: usize = 8;

/// A fit for people.
pub(super) fn words(entry: &Entry, fitted: &Fitted) -> String {
    let Fitted { fit, regression, .. } = fitted;
    let mut text = String::new();
    let fixed = regression.fixed.iter().map(|fixed| fixed.name.len());
    let width = fit.parameters.iter().map(|parameter| parameter.name.len()).chain(fixed).max().unwrap_or(0);
    for parameter in &fit.parameters {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {:width$}  {}", parameter.name, uncertain(parameter));
    }
    for fixed in &regression.fixed {
        let _ = writeln!(text, "  {:width$}  {} (fixed: {})", fixed.name, fixed.value, fixed.why);
    }
    let _ = writeln!(
        text,
        "{}: {} readings of {} device(s), {} left out, rms {}, AICc {:.1}, BIC {:.1}, condition {:.1e}; {}",
        entry.info.name,
        fit.points,
        regression.devices.len(),
        fit.dropped,
        misfit(fitted),
        fit.aicc,
        fit.bic,
        fit.condition,
        fitted.origin.label()
    );
    for (name, interval) in &fitted.profiles {
        let open = |open: bool| if open { " (open)" } else { "" };
        let _ = writeln!(
            text,
            "  profile likelihood, 95 %: {name} {:.4e}{} to {:.4e}{}",
            interval.lower,
            open(interval.lower_open),
            interval.upper,
            open(interval.upper_open)
        );
    }
    if let Some(bootstrap) = &fitted.bootstrap {
        let method = format!("{:?}", bootstrap.method).to_lowercase();
        for parameter in &bootstrap.parameters {
            let [low, high] = parameter.interval95;
            let _ =
                writeln!(text, "  bootstrap ({method}), 95 %: {} {low:.4e} to {high:.4e}", parameter.name);
        }
        let _ = writeln!(
            text,
            "  bootstrap: {} refits to {} devices, {} failed, {} with a parameter at a bound",
            bootstrap.replicates, bootstrap.devices, bootstrap.failed, bootstrap.at_bound
        );
        for warning in &bootstrap.warnings {
            let _ = writeln!(text, "  note: {warning}");
        }
    }
    for line in fitted.population.iter().flat_map(|population| &population.words) {
        let _ = writeln!(text, "  over devices: {line}");
    }
    if let Some(out) = &fitted.hold_out {
        let _ = writeln!(
            text,
            "  held out: {} readings at the largest {} ({:.4e}) are predicted with {:.2} times the scatter of those fitted",
            out.readings,
            regression.x.title,
            out.order,
            out.rms_weighted / out.rms_kept
        );
    }
    for found in fitted.extracted.iter().take(MOST_SWEEPS) {
        let figure = |value: Option<f64>, digits: usize| {
            value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
        };
        let _ = writeln!(
            text,
            "  read off {}: V_T {} V at 100 nA W/L, {} V from the largest g_m, {} V by the Y-function; swing {} \
             mV/decade; g_m {} A/V",
            found.sweep,
            figure(found.constant_current_v, 4),
            figure(found.largest_transconductance_v, 4),
            figure(found.y_function_v, 4),
            figure(found.swing_v.map(|swing| 1e3 * swing), 1),
            found.transconductance_s.map_or_else(|| "-".to_owned(), |value| format!("{value:.3e}")),
        );
    }
    if let Some(more) = fitted.extracted.len().checked_sub(MOST_SWEEPS).filter(|more| *more > 0) {
        let _ = writeln!(text, "  read off {more} more sweeps: --json tells them");
    }
    text.push_str(&fitted.ranking.words());
    for warning in &fit.warnings {
        let _ = writeln!(text, "  note: {warning}");
    }
    text
}
