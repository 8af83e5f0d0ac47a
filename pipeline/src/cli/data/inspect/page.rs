//! One file in words and as JSON.

use super::Looked;
use super::overview::{brief, directions};
use mho_data::measurement::Measurement;
use mho_data::survey::{Survey, range};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The different entries of a column of text, in order of appearance.
fn distinct(values: &[String]) -> Vec<&str> {
    let mut seen = std::collections::BTreeSet::new();
    values.iter().map(String::as_str).filter(|value| seen.insert(*value)).collect()
}

/// What is in a file, as JSON.
pub(super) fn document(looked: &Looked) -> Value {
    let (measurement, survey) = match &looked.measurement {
        Ok(found) => found,
        Err(error) => return json!({ "file": looked.file, "error": error.to_string() }),
    };
    let (table, sidecar) = (&measurement.table, &measurement.sidecar);
    let columns: Vec<Value> = table
        .names()
        .map(|name| match table.floats(name) {
            Ok(values) => {
                let (low, high) = range(values).unzip();
                json!({ "name": name, "min": low, "max": high })
            }
            Err(_) => json!({ "name": name, "values": table.texts(name).map(distinct).unwrap_or_default() }),
        })
        .collect();
    let has_sweeps = table.has("sweep");
    json!({
        "file": looked.file,
        "kind": sidecar.kind,
        "origin": sidecar.origin,
        "rows": table.len(),
        "sweeps": has_sweeps.then_some(survey.sweeps),
        "compliance_hits": survey.compliance_hits,
        "survey": survey,
        "columns": columns,
        "dropped": sidecar.dropped,
        "incomplete": sidecar.incomplete,
        "assumptions": sidecar.assumptions,
        "notes": sidecar.notes,
        "preamble": sidecar.preamble,
        "raw": sidecar.raw,
        "refused_for_fitting": measurement.check_for_fit().err().map(|error| error.to_string()),
    })
}

/// What is in a file, in words.
pub(super) fn page(file: &str, measurement: &Measurement, survey: &Survey) -> String {
    let (table, sidecar) = (&measurement.table, &measurement.sidecar);
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{file}: {}, {}", sidecar.kind.title(), sidecar.origin.label());
    let _ = write!(text, "  {} rows", table.len());
    if table.has("sweep") {
        let _ = write!(text, " in {} sweeps", survey.sweeps);
    }
    if let Some(count) = survey.compliance_hits {
        let _ = write!(text, ", {count} at compliance");
    }
    let _ = writeln!(text, ", {} dropped", sidecar.dropped.len());
    for raw in &sidecar.raw {
        let _ =
            writeln!(text, "  {:<14} {}, {} bytes, BLAKE3 {}", "format", raw.format, raw.bytes, raw.blake3);
    }
    if table.has("sweep") {
        let _ = writeln!(
            text,
            "  {:<14} {} along {}, {}; noise floor {}",
            "sweeps",
            survey.device,
            survey.axis,
            directions(survey),
            survey.noise_floor.map_or_else(|| "not seen".into(), brief)
        );
    }
    for name in table.names() {
        let content = match (table.floats(name), table.texts(name)) {
            (Ok(values), _) => range(values).map_or_else(
                || "no values".into(),
                |(low, high)| {
                    if low == high { brief(low) } else { format!("{} to {}", brief(low), brief(high)) }
                },
            ),
            // A column that says nothing.
            (_, Ok(values)) if values.iter().all(String::is_empty) => continue,
            (_, Ok(values)) => some(&distinct(values)),
            _ => String::new(),
        };
        let _ = writeln!(text, "  {name:<14} {content}");
    }
    for row in &sidecar.dropped {
        let _ = writeln!(text, "  dropped  {}:{}: {}", row.file, row.line, row.reason);
    }
    let labelled = [
        ("missing", &sidecar.incomplete),
        ("assumed", &sidecar.assumptions),
        ("note", &sidecar.notes),
        ("preamble", &sidecar.preamble),
    ];
    for (label, lines) in labelled {
        for line in lines {
            let _ = writeln!(text, "  {label:<8} {line}");
        }
    }
    if let Err(error) = measurement.check_for_fit() {
        let _ = writeln!(text, "  refused for fitting: {error}");
    }
    text
}

/// Names that are shown before the rest is counted.
const SHOWN: usize = 8;

/// All of a few names; of many the first, the last, and how many.
fn some(names: &[&str]) -> String {
    match names {
        [first @ .., last] if names.len() > SHOWN => {
            format!("{}, …, {last} ({})", first[..SHOWN - 2].join(", "), names.len())
        }
        _ => names.join(", "),
    }
}
