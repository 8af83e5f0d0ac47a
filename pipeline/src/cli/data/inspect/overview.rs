//! Many files in one table.

use super::Looked;
use mho_data::survey::Survey;
use std::fmt::Write as _;

/// A number in a table: four digits behind the point, whole numbers in full.
pub(super) fn brief(value: f64) -> String {
    let size = value.abs();
    if size == size.trunc() && size < 1e7 {
        return format!("{value:.0}");
    }
    if size == 0.0 || (1e-2..1e4).contains(&size) {
        let text = format!("{value:.4}");
        let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        text.to_owned()
    } else {
        format!("{value:.2e}")
    }
}

fn optional(value: Option<f64>) -> String {
    value.map_or_else(|| "-".into(), brief)
}

/// `vd 0.1, 1.8; vb -1.8 to 0 (3)`; what is zero throughout is left out.
fn biases(survey: &Survey) -> String {
    let parts: Vec<String> = survey
        .biases
        .iter()
        .filter(|(_, values)| !values.is_empty() && values.as_slice() != [0.0])
        .filter(|(name, values)| *name != "temperature_k" || values.as_slice() != [300.0])
        .map(|(name, values)| {
            let name = name.trim_end_matches("_v");
            match values.as_slice() {
                [one] => format!("{name} {}", brief(*one)),
                [first, second] => format!("{name} {}, {}", brief(*first), brief(*second)),
                [first, .., last] => {
                    format!("{name} {} to {} ({})", brief(*first), brief(*last), values.len())
                }
                [] => String::new(),
            }
        })
        .collect();
    if parts.is_empty() { "-".into() } else { parts.join("; ") }
}

pub(super) fn directions(survey: &Survey) -> String {
    let [up, down, both] = survey.directions;
    let parts: Vec<String> = [(up, "up"), (down, "down"), (both, "both")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(_, name)| name.to_owned())
        .collect();
    if parts.is_empty() { "-".into() } else { parts.join("+") }
}

/// One line a file; what could not be read at the end, with the reason.
pub(super) fn table(looked: &[Looked], skipped: usize) -> String {
    let folder = common_folder(&looked.iter().map(|looked| looked.file.as_str()).collect::<Vec<_>>());
    let mut rows: Vec<[String; 14]> = vec![
        [
            "device", "W/um", "L/um", "m", "axis", "from", "to", "sweeps", "points", "min", "max", "noise",
            "limit", "dir",
        ]
        .map(str::to_owned),
    ];
    let mut tails = vec!["biases | file".to_owned()];
    let (mut points, mut sweeps, mut dropped, mut incomplete, mut hits) = (0, 0, 0, 0, 0);
    for looked in looked {
        let Ok((measurement, survey)) = &looked.measurement else { continue };
        let span = |pick: fn((f64, f64)) -> f64| optional(survey.span.map(pick));
        let range = |pick: fn((f64, f64)) -> f64| optional(survey.range.map(pick));
        rows.push([
            survey.device.to_owned(),
            optional(survey.width_um),
            optional(survey.length_um),
            optional(survey.multiplicity),
            survey.axis.trim_end_matches("_v").to_owned(),
            span(|s| s.0),
            span(|s| s.1),
            survey.sweeps.to_string(),
            survey.points.to_string(),
            range(|s| s.0),
            range(|s| s.1),
            optional(survey.noise_floor),
            survey.compliance_hits.map_or_else(|| "-".into(), |hits| hits.to_string()),
            directions(survey),
        ]);
        let sidecar = &measurement.sidecar;
        let mut tail = format!("{} | {}", biases(survey), &looked.file[folder..]);
        if !sidecar.dropped.is_empty() {
            let _ = write!(tail, " | {} rows dropped", sidecar.dropped.len());
        }
        for reason in &sidecar.incomplete {
            let _ = write!(tail, " | incomplete: {reason}");
        }
        tails.push(tail);
        points += survey.points;
        sweeps += survey.sweeps;
        dropped += sidecar.dropped.len();
        incomplete += usize::from(!sidecar.incomplete.is_empty());
        hits += survey.compliance_hits.unwrap_or(0);
    }
    let mut widths = [0; 14];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for (row, tail) in rows.iter().zip(&tails) {
        for (index, (cell, width)) in row.iter().zip(widths).enumerate() {
            let _ =
                if index == 0 { write!(text, "{cell:<width$}  ") } else { write!(text, "{cell:>width$}  ") };
        }
        let _ = writeln!(text, "{tail}");
    }
    let read = rows.len() - 1;
    let _ = writeln!(
        text,
        "\n{read} of {} files read, {} whole; {sweeps} sweeps, {points} points, {dropped} rows dropped, {hits} at compliance",
        looked.len(),
        read - incomplete,
    );
    if skipped > 0 {
        let _ = writeln!(text, "{skipped} other files in the folder passed over");
    }
    let mut assumed: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for looked in looked {
        match &looked.measurement {
            Ok((measurement, _)) => {
                for line in &measurement.sidecar.assumptions {
                    let what = line
                        .strip_prefix(looked.file.as_str())
                        .map_or(line.as_str(), |rest| rest.trim_start_matches(": "));
                    *assumed.entry(what).or_default() += 1;
                }
            }
            Err(error) => {
                let _ = writeln!(text, "not read: {error}");
            }
        }
    }
    for (what, count) in assumed {
        let _ = writeln!(text, "assumed for {count} files: {what}");
    }
    text
}

/// Length of the folder that all names share, with its slash.
fn common_folder(names: &[&str]) -> usize {
    let Some(first) = names.first() else { return 0 };
    let shared = names.iter().fold(first.len(), |length, name| {
        let same = first.bytes().zip(name.bytes()).take(length).take_while(|(a, b)| a == b).count();
        length.min(same)
    });
    first.get(..shared).and_then(|part| part.rfind('/')).map_or(0, |slash| slash + 1)
}
