//! An evaluation in words, and as a JSON document.

use super::{Ablation, Found};
use mho_data::table::Table;
use mho_network::analog::WireStatistics;
use mho_network::estimate::Estimate;
use mho_network::evaluate::{Spent, TrialResult};
use mho_network::summary::{ConditionSummary, Uncertainty, cost, summarise};
use serde_json::{Map, Value, json};

/// Results of one condition, one after the other.
fn by_condition(results: &[TrialResult]) -> impl Iterator<Item = &[TrialResult]> {
    results.chunk_by(|a, b| a.condition == b.condition && a.trial < b.trial)
}

/// A mean in percent with the half width of its band, if it has one.
fn percent(estimate: &Estimate) -> String {
    let mean = 100.0 * estimate.mean;
    if estimate.half_width.is_nan() {
        return format!("{mean:.2} %");
    }
    format!("{mean:.2} ± {:.2} %", 100.0 * estimate.half_width)
}

/// The digital network, every condition, and what effects cost.
pub(super) fn headline(found: &Found, ablation: Option<Ablation>) -> String {
    let digital = &found.digital;
    let mut text = format!(
        "digital: {:.2} % (first choice), {:.2} % (among five), loss {:.4}, {} images\n",
        100.0 * digital.top1(),
        100.0 * digital.top5(),
        digital.loss(),
        digital.images
    );
    let summaries = summarise(&found.results);
    let steps = found.steps.len().max(1);
    for (place, conditions) in summaries.chunks(steps).enumerate() {
        let Some(first) = conditions.first() else { continue };
        text.push_str(&format!("{} s, {} krad(Si):\n", first.condition.time_s, first.condition.dose_krad_si));
        for (step, (label, summary)) in found.steps.iter().zip(conditions).enumerate() {
            text.push_str(&line(label, summary));
            if let Some(cost) = cost_of(found, ablation, place * steps, step) {
                text.push_str(&format!(", costs {:.2}", 100.0 * cost.mean));
                // One trial has no spread.
                if cost.half_width.is_finite() {
                    text.push_str(&format!(" ± {:.2}", 100.0 * cost.half_width));
                }
                text.push_str(" points");
            }
            text.push('\n');
            if let Some(uncertainty) = found.uncertainties.get(place * steps + step) {
                text.push_str(&apart(uncertainty));
            }
        }
    }
    if let Some(wires) = wires(found) {
        if wires.corrected + wires.solved > 0 {
            text.push_str(&format!(
                "wires: {} arrays corrected from a neighbour's solution (largest error {:.1e} of the current, {:e} \
                 allowed), {} solved\n",
                wires.corrected, wires.largest_error, found.wire_tolerance, wires.solved
            ));
        }
        if wires.circuits > 0 {
            text.push_str(&format!(
                "wires: {} arrays solved for each of their inputs, {} in all, in {:.2} turns; {} by themselves, {} not to \
                 {:e} of the current\n",
                wires.circuits,
                wires.vectors,
                wires.turns as f64 / wires.vectors.max(1) as f64,
                wires.alone,
                wires.unconverged,
                found.wire_tolerance
            ));
        }
        if wires.noise_corrected + wires.noise_solved > 0 {
            text.push_str(&format!(
                "  noise behind wires: {} arrays corrected, {} solved\n",
                wires.noise_corrected, wires.noise_solved
            ));
        }
    }
    text.push_str(&spent(&found.spent));
    for note in &found.notes {
        text.push_str(&format!("note: {note}\n"));
    }
    text
}

/// Conditions at which the most trials left a band of the mean accuracy that is wider than asked for (points).
pub(super) fn too_wide(results: &[TrialResult], points: f64, most: u64) -> Option<String> {
    let summaries = summarise(results);
    let wide = |summary: &&ConditionSummary| {
        let width = 200.0 * summary.top1.half_width;
        width.is_nan() || width > points
    };
    let count = summaries.iter().filter(wide).count();
    (count > 0).then(|| {
        format!(
            "the band of {count} of {} conditions is wider than {points} points after {most} trials (--most-trials)",
            summaries.len()
        )
    })
}

/// How the wires of all trials were taken into account; none without wires.
fn wires(found: &Found) -> Option<WireStatistics> {
    let mut sum = WireStatistics::default();
    found.results.iter().for_each(|result| sum += result.wires());
    (sum.corrected + sum.solved + sum.circuits > 0).then_some(sum)
}

/// Cost of a trial at a condition.
fn spent(spent: &Spent) -> String {
    if spent.trials == 0 {
        return String::new();
    }
    let each = |seconds: f64| 1e3 * seconds / spent.trials as f64;
    let (programming, behind) = (each(spent.arrays.programming_s), each(spent.arrays.wires_s));
    let multiplying = each(spent.multiplying_s);
    format!(
        "cost of a trial at a condition, time of threads: {:.1} ms (programming {programming:.1}, wires {behind:.1}, \
         multiplying {multiplying:.1})\n",
        programming + behind + multiplying
    )
}

/// One condition.
fn line(label: &str, summary: &ConditionSummary) -> String {
    let (low, high) = summary.images_band;
    let mut line = format!("  {label}: {} over {} trials", percent(&summary.top1), summary.top1.count);
    if summary.top1.deviation > 0.0 {
        line.push_str(&format!(" (deviation of one {:.2})", 100.0 * summary.top1.deviation));
    }
    line.push_str(&format!(
        ", other images {:.2} to {:.2} %, loss {:.4}",
        100.0 * low,
        100.0 * high,
        summary.loss.mean
    ));
    line
}

/// What the effect of a step costs: compared with the step before it, or, when effects are left out, with
/// all of them.
fn cost_of(found: &Found, ablation: Option<Ablation>, first: usize, step: usize) -> Option<Estimate> {
    let trials = |index: usize| by_condition(&found.results).nth(first + index);
    match ablation? {
        _ if step == 0 => None,
        Ablation::Added => Some(cost(trials(step - 1)?, trials(step)?)),
        Ablation::LeftOut => Some(cost(trials(step)?, trials(0)?)),
    }
}

/// The uncertainties of an ensemble.
fn apart(uncertainty: &Uncertainty) -> String {
    let devices = uncertainty.devices.deviation;
    let mut text = format!("    draw of devices: deviation {:.2} points", 100.0 * devices);
    if let Some(parameters) = uncertainty.parameters {
        text.push_str(&format!("; uncertain parameters: {:.2} points", 100.0 * parameters));
    }
    if let Some((low, high)) = uncertainty.model {
        text.push_str(&format!("; choice of model: {:.2} to {:.2} %", 100.0 * low, 100.0 * high));
    }
    text + "\n"
}

/// Everything as a JSON document.
pub(super) fn document(found: &Found) -> Value {
    let digital = &found.digital;
    let summaries = summarise(&found.results);
    let steps = found.steps.len().max(1);
    let summary = |(index, s): (usize, &ConditionSummary)| {
        let uncertainty = found.uncertainties.get(index);
        json!({
            "time_s": s.condition.time_s,
            "dose_krad_si": s.condition.dose_krad_si,
            "effects": s.condition.effects.to_string(),
            "step": found.steps.get(index % steps),
            "trials": s.top1.count,
            "top1": estimate(&s.top1),
            "top5": estimate(&s.top5),
            "loss": estimate(&s.loss),
            "images_interval95": [s.images_band.0, s.images_band.1],
            "parameters_deviation": uncertainty.and_then(|u| u.parameters),
            "model_interval": uncertainty.and_then(|u| u.model).map(|(low, high)| [low, high]),
        })
    };
    json!({
        "schema": 1,
        "digital": { "top1": digital.top1(), "top5": digital.top5(), "loss": digital.loss(), "images": digital.images },
        "summary": summaries.iter().enumerate().map(summary).collect::<Vec<Value>>(),
        "wires": wires(found).map(|wires| json!({
            "tolerance": found.wire_tolerance,
            "largest_error": wires.largest_error,
            "corrected": wires.corrected,
            "solved": wires.solved,
            "circuits": wires.circuits,
            "vectors": wires.vectors,
            "turns": wires.turns,
            "alone": wires.alone,
            "unconverged": wires.unconverged,
            "noise_corrected": wires.noise_corrected,
            "noise_solved": wires.noise_solved,
        })),
        "notes": found.notes,
        "columns": columns(&found.trials),
    })
}

/// A mean with its band; what one trial does not tell is null.
fn estimate(estimate: &Estimate) -> Value {
    json!({ "mean": estimate.mean, "half_width95": estimate.half_width, "deviation": estimate.deviation })
}

fn columns(table: &Table) -> Map<String, Value> {
    let column = |name: &str| {
        let values = table.floats(name).map(|v| json!(v));
        values.or_else(|_| table.texts(name).map(|v| json!(v))).unwrap_or_default()
    };
    table.names().map(|name| (name.to_owned(), column(name))).collect()
}
