//! `mho data`: what was read from a file of measurements, and which data sets there are.

use super::{Answer, CliError, Globals};
use clap::{Args, Subcommand, ValueEnum};
use mho_data::InputError;
use mho_data::dataset::{self, About};
use mho_data::measurement::{Kind, Measurement};
use mho_data::published::{PublishedSonos, SETS};
use mho_data::reader;
use mho_data::table::number;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Look into files of measurements; list and install data sets.
///
/// Example: mho data inspect sweeps.csv
#[derive(Debug, Args)]
pub(super) struct DataArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// What was read: columns, units, sweeps, dropped rows and why
    #[command(after_help = "Examples:\n  mho data inspect sweeps.csv\n  mho --json data inspect a.csv b.csv")]
    Inspect {
        /// Files as the instrument left them
        #[arg(required = true, value_name = "FILE")]
        files: Vec<String>,
        /// How the files are written; `auto` finds out
        #[arg(long, value_enum, default_value_t = Format::Auto)]
        format: Format,
    },
    /// Which data sets are built in, which are found, and how to obtain the others
    #[command(after_help = "Example:\n  mho data list")]
    List,
    /// Check a data set's files and install them; nothing is ever downloaded
    #[command(after_help = "Example:\n  mho data get mnist --from downloads/mnist")]
    Get {
        /// Name of the data set (`mho data list`)
        name: String,
        /// Folder with its four IDX files, plain or .gz, or one of these files
        #[arg(long, value_name = "FILE|DIR")]
        from: Option<PathBuf>,
    },
}

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// By its content.
    Auto,
    /// Preamble, header, rows.
    Csv,
}

pub(super) fn run(args: &DataArgs, globals: &Globals) -> Answer {
    match &args.what {
        // One reader serves both formats so far; the option is there for those with readers of their own.
        What::Inspect { files, format: Format::Auto | Format::Csv } => inspect(files, globals),
        What::List => list(globals),
        What::Get { name, from } => get(name, from.as_deref(), globals),
    }
}

fn inspect(files: &[String], globals: &Globals) -> Answer {
    let mut documents = Vec::new();
    let mut text = String::new();
    for file in files {
        let bytes = std::fs::read(file)
            .map_err(|error| InputError::new(file, error.to_string(), "a readable file"))?;
        // A file of no known kind is read as sweeps, which says what a header needs.
        let kind = reader::recognise(file, &bytes).unwrap_or(Kind::IdVg);
        let measurement = reader::read(&[(file, &bytes)], kind)?;
        documents.push(document(file, &measurement));
        text.push_str(&page(file, &measurement));
    }
    Ok(if globals.json { format!("{:#}\n", json!({ "schema": 1, "files": documents })) } else { text })
}

/// Smallest and largest value of a column of numbers.
fn range(values: &[f64]) -> Option<(f64, f64)> {
    let finite = values.iter().copied().filter(|value| value.is_finite());
    finite.fold(None, |range, value| {
        Some(range.map_or((value, value), |(low, high): (f64, f64)| (low.min(value), high.max(value))))
    })
}

/// The different entries of a column of text, in order of appearance.
fn distinct(values: &[String]) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for value in values {
        if !found.contains(&value.as_str()) {
            found.push(value);
        }
    }
    found
}

/// Number of sweeps, where the kind has any.
fn sweeps(measurement: &Measurement) -> Option<usize> {
    let ids = measurement.table.floats("sweep").ok()?;
    Some(ids.chunk_by(|a, b| a == b).count())
}

/// Rows at which the instrument held the current, where it says so.
fn compliance_hits(measurement: &Measurement) -> Option<usize> {
    let hits = measurement.table.floats("compliance").ok()?;
    Some(hits.iter().filter(|&&hit| hit > 0.0).count())
}

fn document(file: &str, measurement: &Measurement) -> Value {
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
    json!({
        "file": file,
        "kind": sidecar.kind,
        "origin": sidecar.origin,
        "rows": table.len(),
        "sweeps": sweeps(measurement),
        "compliance_hits": compliance_hits(measurement),
        "columns": columns,
        "dropped": sidecar.dropped,
        "assumptions": sidecar.assumptions,
        "notes": sidecar.notes,
        "preamble": sidecar.preamble,
        "refused_for_fitting": measurement.check_for_fit().err().map(|error| error.to_string()),
    })
}

fn page(file: &str, measurement: &Measurement) -> String {
    let (table, sidecar) = (&measurement.table, &measurement.sidecar);
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{file}: {}, {}", sidecar.kind.title(), sidecar.origin.label());
    let _ = write!(text, "  {} rows", table.len());
    if let Some(count) = sweeps(measurement) {
        let _ = write!(text, " in {count} sweeps");
    }
    if let Some(count) = compliance_hits(measurement) {
        let _ = write!(text, ", {count} at compliance");
    }
    let _ = writeln!(text, ", {} dropped", sidecar.dropped.len());
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
    let labelled =
        [("assumed", &sidecar.assumptions), ("note", &sidecar.notes), ("preamble", &sidecar.preamble)];
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

/// Where a data set stands.
fn standing(about: &About) -> (&'static str, Option<PathBuf>) {
    if about.built_in {
        return ("built in", None);
    }
    match dataset::location(about.name) {
        Some(folder) => ("found", Some(folder)),
        None => ("absent", None),
    }
}

fn list(globals: &Globals) -> Answer {
    let published: Vec<PublishedSonos> =
        SETS.iter().map(|(name, _)| PublishedSonos::named(name)).collect::<Result<_, InputError>>()?;
    if globals.json {
        let sets: Vec<Value> = dataset::KNOWN
            .iter()
            .map(|about| {
                let (standing, folder) = standing(about);
                json!({
                    "name": about.name, "standing": standing, "folder": folder,
                    "train": about.sizes.0, "test": about.sizes.1,
                    "citation": about.citation, "licence": about.licence,
                })
            })
            .collect();
        let published: Vec<Value> = published
            .iter()
            .map(|set| json!({ "name": set.name, "title": set.title, "citation": set.citation }))
            .collect();
        return Ok(format!("{:#}\n", json!({ "schema": 1, "datasets": sets, "published": published })));
    }
    let mut text = String::new();
    let mut absent = false;
    for about in &dataset::KNOWN {
        let (standing, folder) = standing(about);
        absent |= standing == "absent";
        let place = folder.map_or_else(String::new, |folder| format!(" in {}", folder.display()));
        let _ = writeln!(
            text,
            "{:<14} {:>6} + {:>5} images  {standing}{place}\n    {}\n    licence: {}",
            about.name, about.sizes.0, about.sizes.1, about.citation, about.licence
        );
    }
    text.push_str("\nPublished statistics of devices, built in:\n");
    for set in &published {
        let _ = writeln!(text, "{:<14} {}\n    {}", set.name, set.title, set.citation);
    }
    if absent {
        text.push_str(&how_to_obtain("NAME"));
    }
    Ok(text)
}

/// What a person does to have a data set that does not come with mho.
fn how_to_obtain(name: &str) -> String {
    format!(
        "\nTo have one that is absent, put its four IDX files (plain or .gz: {}) into a folder, then either\n  \
         mho data get {name} --from FOLDER\nor set MHO_DATA to the folder that holds the folder `{name}`.\n",
        dataset::FILES.join(", ")
    )
}

fn get(name: &str, from: Option<&Path>, globals: &Globals) -> Answer {
    let Some(about) = dataset::about(name) else {
        let known = dataset::KNOWN.map(|about| about.name).join(", ");
        return Err(CliError::Usage(format!("no data set `{name}`: one of {known}")));
    };
    if about.built_in {
        return Err(CliError::Usage(format!("{name} is built in: there is nothing to install")));
    }
    let Some(from) = from else {
        return Err(CliError::Usage(format!("nothing is downloaded.{}", how_to_obtain(name))));
    };
    let into = dataset::install_folder()
        .ok_or_else(|| CliError::failed("no folder to install into: set XDG_DATA_HOME or HOME"))?;
    let folder = match from.parent() {
        Some(parent) if from.is_file() => parent,
        _ => from,
    };
    let place = dataset::install(name, folder, &into)?;
    if globals.json {
        let document = json!({ "schema": 1, "name": name, "folder": place, "citation": about.citation });
        return Ok(format!("{document:#}\n"));
    }
    Ok(format!(
        "{name}: {} + {} images, content as known, in {}\n",
        about.sizes.0,
        about.sizes.1,
        place.display()
    ))
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

    #[test]
    fn data_sets_are_listed_and_never_downloaded() {
        let json: Value =
            serde_json::from_str(&list(&Globals { json: true, ..Globals::default() }).unwrap()).unwrap();
        assert_eq!(json["datasets"][0]["standing"], "built in");
        assert_eq!(json["published"].as_array().unwrap().len(), SETS.len());
        for name in ["mnist", "digits", "imagenet"] {
            assert_eq!(get(name, None, &Globals::default()).unwrap_err().code(), 2);
        }
        let empty = tempfile::tempdir().unwrap();
        assert_eq!(get("mnist", Some(empty.path()), &Globals::default()).unwrap_err().code(), 3);
    }
}
