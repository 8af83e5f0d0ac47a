//! `mho data inspect`: what is in files of measurements.

mod overview;
mod page;

use super::plot;
use crate::cli::{Answer, CliError, Globals};
use clap::Args;
use mho_data::InputError;
use mho_data::measurement::Measurement;
use mho_data::reader::{self, Format};
use mho_data::survey::Survey;
use overview::table;
use page::{document, page};
use rayon::prelude::*;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone, Default, Args)]
pub(super) struct InspectArgs {
    /// Files as the instrument left them, or folders of them; `sweep.toml` beside `sweep.csv` says what it does not
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

/// The sidecars that stand beside a file (`sweep.csv.toml`, `sweep.toml`) with their bytes; a device card of that name is
/// none.
pub(in crate::cli) fn sidecars_of(file: &str) -> Result<Vec<(String, Vec<u8>)>, InputError> {
    let path = Path::new(file);
    let mut own = path.as_os_str().to_owned();
    own.push(".toml");
    let mut beside = Vec::new();
    for candidate in [PathBuf::from(own), path.with_extension("toml")] {
        let name = candidate.display().to_string();
        if name != file && candidate.is_file() {
            let bytes = bytes_of(&name)?;
            if !is_card(&bytes) {
                beside.push((name, bytes));
            }
        }
    }
    Ok(beside)
}

fn is_card(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    toml::from_str::<toml::Table>(&text)
        .is_ok_and(|table| table.contains_key("model") && table.contains_key("parameters"))
}

fn look(
    file: &str,
    format: Option<Format>,
    map: Option<&(&str, Vec<u8>)>,
) -> Result<(Measurement, Survey), InputError> {
    let bytes = bytes_of(file)?;
    let beside = sidecars_of(file)?;
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
