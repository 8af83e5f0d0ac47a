//! `mho data inspect`: what is in files of measurements.

use super::plot;
use crate::cli::{Answer, CliError, Globals};
use clap::Args;
use mho_data::InputError;
use mho_data::measurement::Measurement;
use mho_data::reader::{self, Format};
use mho_data::survey::{Survey, range};
use mho_data::table::number;
use rayon::prelude::*;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone, Default, Args)]
pub(super) struct InspectArgs {
    /// Files as the instrument left them, or folders of them
    #[arg(required = true, value_name = "FILE|DIR")]
    files: Vec<String>,
    /// How the files are written (`mho data formats`); `auto` finds out
    #[arg(long, value_name = "NAME", default_value = "auto")]
    format: String,
    /// What the files do not say, in TOML: quantities, columns, what their names mean
    #[arg(long, value_name = "FILE")]
    map: Option<String>,
    /// Draw a quick plot of each file into a folder (SVG)
    #[arg(long, value_name = "DIR")]
    plot: Option<PathBuf>,
}

/// Most files that are shown with a page each; more give a table.
const MOST_PAGES: usize = 3;

/// Extensions that a folder is searched for.
const EXTENSIONS: [&str; 6] = ["mdm", "csv", "tsv", "txt", "dat", "parquet"];

/// Folders within folders that are entered.
const DEEPEST: usize = 32;

/// A file that was looked at.
struct Looked {
    file: String,
    measurement: Result<(Measurement, Survey), InputError>,
}

pub(super) fn run(args: &InspectArgs, globals: &Globals) -> Answer {
    let format = match args.format.as_str() {
        "auto" => None,
        name => Some(
            Format::named(name)
                .ok_or_else(|| CliError::Usage(format!("no format `{name}`: auto, {}", Format::names())))?,
        ),
    };
    let map = args.map.as_deref().map(|file| Ok::<_, InputError>((file, bytes_of(file)?))).transpose()?;
    if let Some((file, bytes)) = &map {
        reader::Description::parse(file, bytes)?;
    }
    let (files, skipped, searched) = collect(&args.files)?;
    let looked: Vec<Looked> = files
        .par_iter()
        .map(|file| Looked { file: file.clone(), measurement: look(file, format, map.as_ref()) })
        .collect();
    let read = looked.iter().filter(|looked| looked.measurement.is_ok()).count();
    // A file that was named must be readable; in a folder, others may stand beside it.
    let refused = looked.iter().find_map(|looked| looked.measurement.as_ref().err());
    if let Some(error) = refused.filter(|_| !searched || read == 0) {
        return Err(error.clone().into());
    }
    let pictures = match &args.plot {
        Some(folder) => Some(draw(&looked, folder)?),
        None => None,
    };
    if globals.json {
        let documents: Vec<Value> = looked.iter().map(document).collect();
        let mut whole = json!({ "schema": 1, "files": documents });
        if let Some(pictures) = pictures {
            whole["pictures"] = pictures.into();
        }
        return Ok(format!("{whole:#}\n"));
    }
    let mut text = String::new();
    if !searched && looked.len() <= MOST_PAGES {
        for looked in &looked {
            if let Ok((measurement, survey)) = &looked.measurement {
                text.push_str(&page(&looked.file, measurement, survey));
            }
        }
    } else {
        text.push_str(&table(&looked, skipped));
    }
    if let Some(pictures) = pictures {
        let folder = args.plot.as_deref().unwrap_or(Path::new(".")).display();
        let _ = writeln!(text, "{} pictures in {folder}", pictures.len());
    }
    Ok(text)
}

fn bytes_of(file: &str) -> Result<Vec<u8>, InputError> {
    std::fs::read(file).map_err(|error| InputError::new(file, error.to_string(), "a readable file"))
}

/// The files of the list and of its folders, how many in folders were passed over, and whether there is
/// a folder.
pub(in crate::cli) fn collect(given: &[String]) -> Result<(Vec<String>, usize, bool), InputError> {
    let mut files = Vec::new();
    let (mut skipped, mut searched) = (0, false);
    for name in given {
        if !Path::new(name).is_dir() {
            files.push(name.clone());
            continue;
        }
        searched = true;
        let before = files.len();
        let mut folders = vec![(PathBuf::from(name), 0)];
        while let Some((folder, depth)) = folders.pop() {
            let unreadable = |error: std::io::Error| {
                InputError::new(folder.display().to_string(), error.to_string(), "a readable folder")
            };
            for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
                let path = entry.map_err(unreadable)?.path();
                let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
                // Links to folders could lead round in circles.
                if path.is_dir() && !path.is_symlink() && depth < DEEPEST {
                    folders.push((path, depth + 1));
                } else if path.is_file() && EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str()) {
                    files.push(path.display().to_string());
                } else {
                    skipped += 1;
                }
            }
        }
        if files.len() == before {
            return Err(InputError::new(
                name,
                "no file of measurements",
                format!("*.{}", EXTENSIONS.join(", *.")),
            ));
        }
        files[before..].sort();
    }
    Ok((files, skipped, searched))
}

fn look(
    file: &str,
    format: Option<Format>,
    map: Option<&(&str, Vec<u8>)>,
) -> Result<(Measurement, Survey), InputError> {
    let bytes = bytes_of(file)?;
    let mut beside = Vec::new();
    let path = Path::new(file);
    let mut own = path.as_os_str().to_owned();
    own.push(".toml");
    for candidate in [PathBuf::from(own), path.with_extension("toml")] {
        if candidate.is_file() {
            let name = candidate.display().to_string();
            let bytes = bytes_of(&name)?;
            beside.push((name, bytes));
        }
    }
    let mut files: Vec<reader::File<'_>> = vec![(file, &bytes)];
    files.extend(beside.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())));
    let measurement = match map {
        Some((name, bytes)) => reader::read_described(&files, format, None, (name, bytes)),
        None => reader::read_as(&files, format, None),
    }?;
    let survey = Survey::of(&measurement);
    Ok((measurement, survey))
}

fn draw(looked: &[Looked], folder: &Path) -> Result<Vec<String>, CliError> {
    std::fs::create_dir_all(folder)
        .map_err(|error| CliError::failed(format!("{}: {error}", folder.display())))?;
    let names = plot::names(&looked.iter().map(|looked| looked.file.as_str()).collect::<Vec<_>>());
    let mut pictures = Vec::new();
    for (looked, name) in looked.iter().zip(names) {
        let Ok((measurement, survey)) = &looked.measurement else { continue };
        let picture =
            plot::figure(&looked.file, measurement, survey).svg(&looked.file).map_err(CliError::failed)?;
        let path = folder.join(name);
        std::fs::write(&path, picture)
            .map_err(|error| CliError::failed(format!("{}: {error}", path.display())))?;
        pictures.push(path.display().to_string());
    }
    Ok(pictures)
}

/// A number in a table: four digits.
fn brief(value: f64) -> String {
    let size = value.abs();
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

fn directions(survey: &Survey) -> String {
    let [up, down, both] = survey.directions;
    let parts: Vec<String> = [(up, "up"), (down, "down"), (both, "both")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(_, name)| name.to_owned())
        .collect();
    if parts.is_empty() { "-".into() } else { parts.join("+") }
}

/// One line a file; what could not be read at the end, with the reason.
fn table(looked: &[Looked], skipped: usize) -> String {
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

/// The different entries of a column of text, in order of appearance.
fn distinct(values: &[String]) -> Vec<&str> {
    let mut seen = std::collections::BTreeSet::new();
    values.iter().map(String::as_str).filter(|value| seen.insert(*value)).collect()
}

fn document(looked: &Looked) -> Value {
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

fn page(file: &str, measurement: &Measurement, survey: &Survey) -> String {
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
                |(low, high)| format!("{} to {}", number(low), number(high)),
            ),
            (_, Ok(values)) => distinct(values).join(", "),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sweep.csv");
        std::fs::write(&path, text).unwrap();
        let name = path.display().to_string();
        (folder, name)
    }

    fn inspect(files: &[String], globals: &Globals) -> Answer {
        run(&InspectArgs { files: files.to_vec(), format: "auto".into(), ..InspectArgs::default() }, globals)
    }

    #[test]
    fn what_was_read_and_dropped_is_shown() {
        let (_folder, name) =
            file("# origin: synthetic\ndevice,VG (V),ID (A)\nS1,0,1e-12\nS1,1,OVERFLOW\nS1,2,1e-6\n");
        let text = inspect(std::slice::from_ref(&name), &Globals::default()).unwrap();
        for wanted in [
            "synthetic data",
            "2 rows in 1 sweeps, 0 at compliance, 1 dropped",
            ":4: `OVERFLOW`",
            "S1",
            "0 to 2",
        ] {
            assert!(text.contains(wanted), "{wanted}: {text}");
        }
        assert!(text.contains("refused for fitting") && text.contains("300 K assumed"), "{text}");
        let json = inspect(&[name], &Globals { json: true, ..Globals::default() }).unwrap();
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["files"][0]["dropped"][0]["line"], 4);
        assert_eq!(json["files"][0]["origin"], "synthetic");
    }

    #[test]
    fn bad_files_are_bad_input() {
        let (_folder, name) = file("VG,ID (A)\n0,1\n");
        let error = inspect(&[name], &Globals::default()).unwrap_err();
        assert_eq!(error.code(), 3);
        assert!(error.to_string().contains("sweep.csv:1, column `VG`: found no unit"), "{error}");
        let absent = inspect(&["absent.csv".into()], &Globals::default()).unwrap_err();
        assert_eq!(absent.code(), 3);
    }
}
