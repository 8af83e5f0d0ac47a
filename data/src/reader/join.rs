//! Measurements of several files as one.

use crate::error::InputError;
use crate::measurement::Measurement;
use crate::table::{Table, Values};

/// One measurement behind the other: sweeps are numbered on, columns that only some have are filled.
pub(super) fn join(mut parts: Vec<Measurement>) -> Result<Measurement, InputError> {
    let mut whole = match parts.len() {
        0 => return Err(InputError::new("", "no files", "files of measurements")),
        1 => parts.remove(0),
        _ => several(parts)?,
    };
    let mut seen = std::collections::BTreeSet::new();
    whole.sidecar.preamble.retain(|line| seen.insert(line.clone()));
    Ok(whole)
}

fn several(parts: Vec<Measurement>) -> Result<Measurement, InputError> {
    let mut sidecar = parts[0].sidecar.clone();
    let mut names: Vec<String> = Vec::new();
    for part in &parts {
        if part.sidecar.kind != sidecar.kind {
            let name = part.sidecar.raw.first().map(|raw| raw.file.clone()).unwrap_or_default();
            return Err(InputError::new(
                name,
                part.sidecar.kind.title(),
                format!("{} as in the files before", sidecar.kind.title()),
            ));
        }
        let new: Vec<String> =
            part.table.names().filter(|name| !names.iter().any(|n| n == name)).map(str::to_owned).collect();
        names.extend(new);
    }
    // The number of the sweep stays the last column.
    names.sort_by_key(|name| name == "sweep");
    let rows = parts.iter().map(|part| part.table.len()).sum();
    let mut table = Table::new();
    for name in &names {
        let first = parts.iter().find_map(|part| part.table.values(name).ok());
        if matches!(first, Some(Values::Text(_))) {
            let texts = parts.iter().flat_map(|part| part.table.texts(name).unwrap_or_default());
            table.push_text(name.clone(), texts.cloned().collect());
            continue;
        }
        let mut column = Vec::with_capacity(rows);
        for part in &parts {
            let offset = match column.last() {
                Some(last) if name == "sweep" => last + 1.0,
                _ => 0.0,
            };
            match part.table.floats(name) {
                Ok(values) => column.extend(values.iter().map(|value| value + offset)),
                Err(_) => column.resize(column.len() + part.table.len(), absent(name)),
            }
        }
        table.push_float(name.clone(), column);
    }
    let mut places = parts[0].places.clone();
    for part in parts.into_iter().skip(1) {
        let other = part.sidecar;
        sidecar.origin = sidecar.origin.and(other.origin);
        sidecar.dropped.extend(other.dropped);
        sidecar.incomplete.extend(other.incomplete);
        sidecar.assumptions.extend(other.assumptions);
        sidecar.notes.extend(other.notes);
        sidecar.preamble.extend(other.preamble);
        sidecar.raw.extend(other.raw);
        places.extend(part.places);
    }
    Ok(Measurement { table, sidecar, places })
}

/// The value of a column in files that have it not.
fn absent(column: &str) -> f64 {
    match column {
        "vb_v" | "vs_v" => 0.0,
        _ => f64::NAN,
    }
}
