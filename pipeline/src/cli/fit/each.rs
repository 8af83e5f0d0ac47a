//! Fits of readings with a law: one for all files together, or one a file.

use super::sources::Sources;
use super::words::{document, words};
use super::{FitArgs, card, page, ranking, resistive, tables, write_card, written};
use crate::cli::data::{inspect, plot};
use crate::cli::{Answer, CliError, Globals};
use crate::store::replace_file;
use mho_compact::fit::{
    Bootstrap, BootstrapOptions, FitResult, Hierarchy, HoldOut, ProfileInterval, Regression, bootstrap,
    hierarchy,
};
use mho_compact::model::Entry;
use mho_compact::transistor::extraction::{self, Extracted};
use mho_compact::transistor::{self, readings::Readings};
use mho_compact::update::Traces;
use mho_compact::{idvg, inference, tid};
use mho_data::measurement::{Kind, Measurement};
use mho_data::provenance::Origin;
use mho_data::{InputError, reader};
use rayon::prelude::*;
use std::fmt::Write as _;

/// A fit with everything that was asked for.
pub(super) struct Fitted {
    /// Files.
    pub source: String,
    /// Name of the device or file.
    pub name: String,
    /// Where the data come from.
    pub origin: Origin,
    /// Readings with their law.
    pub regression: Regression<'static>,
    /// Best values.
    pub fit: FitResult,
    /// What the fit without the largest dose or longest time predicts there.
    pub hold_out: Option<HoldOut>,
    /// Likelihood intervals by parameter.
    pub profiles: Vec<(String, ProfileInterval)>,
    /// Intervals over devices.
    pub bootstrap: Option<Bootstrap>,
    /// Rival laws.
    pub ranking: ranking::Ranking,
    /// Means and spreads of parameters that differ from device to device.
    pub population: Option<Hierarchy>,
    /// Figures of a transistor's gate sweeps, read off without its law.
    pub extracted: Vec<Extracted>,
    /// The files with their bytes.
    pub sources: Sources,
    /// What was read of them; nothing of ramps without a header.
    pub measurement: Option<Measurement>,
}

pub(super) fn run(entry: &Entry, args: &FitArgs, globals: &Globals) -> Answer {
    let (files, passed_over, searched) = inspect::collect(&args.files)?;
    let apart = args.each || entry.info.name == transistor::INFO.name;
    // Sidecars are found beside their files.
    let alone = apart && files.iter().any(|file| !file.ends_with(".toml"));
    let files: Vec<String> = files.into_iter().filter(|file| !alone || !file.ends_with(".toml")).collect();
    let groups: Vec<&[String]> = if apart { files.chunks(1).collect() } else { vec![&files[..]] };
    if groups.len() > 1 && names_a_card(args) {
        return Err(CliError::Usage(format!(
            "--out {}: {} files are fitted one by one, expected a folder for their cards",
            args.out.display(),
            groups.len()
        )));
    }
    let results: Vec<(String, Result<Fitted, CliError>)> =
        groups.par_iter().flat_map(|group| fits(entry, args, group)).collect();
    if groups.len() == 1 && results.len() > 1 && names_a_card(args) {
        let of = |label: &String| label.rsplit(": ").next().unwrap_or_default().to_owned();
        let devices: Vec<String> = results.iter().map(|(label, _)| of(label)).collect();
        return Err(CliError::Usage(format!(
            "--out {}: {} holds {} devices ({}), expected a folder for their cards, or --device {} for one of them",
            args.out.display(),
            files.join(", "),
            devices.len(),
            crate::cli::fit::words::some(&devices),
            devices.first().map_or("", String::as_str)
        )));
    }
    if let [(_, _)] = results.as_slice()
        && !searched
    {
        let Some((_, result)) = results.into_iter().next() else { return Ok(String::new()) };
        return one(entry, args, globals, &result?);
    }
    many(entry, args, globals, results, passed_over)
}

/// One fit: its card, its page, its tables.
fn one(entry: &Entry, args: &FitArgs, globals: &Globals, fitted: &Fitted) -> Answer {
    write_card(&card::of(entry.info, fitted), &args.out)?;
    let mut rivals = Vec::new();
    if let Some(folder) = &args.rivals {
        for rival in &fitted.ranking.cards {
            let file = folder.join(format!("{}.toml", rival.model));
            write_card(rival, &file)?;
            rivals.push(file);
        }
    }
    let kept = fitted.sources.archive(&args.out, globals)?;
    if let Some(file) = &args.pictures {
        replace_file(file, page::svg(fitted)?.as_bytes())?;
    }
    if let Some(folder) = &args.tables {
        tables::write(folder, entry, std::slice::from_ref(fitted))?;
    }
    if globals.json {
        return serde_json::to_string_pretty(&document(entry, fitted))
            .map(|text| text + "\n")
            .map_err(CliError::failed);
    }
    let mut text = words(entry, fitted);
    text.push_str(&written(&args.out, &rivals, kept.as_deref()));
    if let Some(file) = &args.pictures {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "pictures: {}", file.display());
    }
    if let Some(folder) = &args.tables {
        let _ = writeln!(text, "tables: {}", folder.display());
    }
    Ok(text)
}

/// Many fits: a card each, one summary.
fn many(
    entry: &Entry,
    args: &FitArgs,
    globals: &Globals,
    results: Vec<(String, Result<Fitted, CliError>)>,
    passed_over: usize,
) -> Answer {
    let names: Vec<String> = {
        let files: Vec<String> = results.iter().map(|(label, _)| label.replace(": ", "-")).collect();
        plot::names(&files.iter().map(String::as_str).collect::<Vec<_>>())
            .into_iter()
            .map(|name| name.trim_end_matches(".svg").to_owned())
            .collect()
    };
    let (mut fits, mut refused) = (Vec::new(), Vec::new());
    for ((file, result), name) in results.into_iter().zip(names) {
        match result {
            Ok(fitted) => fits.push(Fitted { name, ..fitted }),
            Err(error) => refused.push((file, error.to_string())),
        }
    }
    if fits.is_empty() {
        let first = refused.first().map_or_else(String::new, |(_, why)| format!(": {why}"));
        return Err(CliError::Failed(format!("none of {} files could be fitted{first}", refused.len())));
    }
    for fitted in &fits {
        write_card(&card::of(entry.info, fitted), &args.out.join(format!("{}.toml", fitted.name)))?;
        fitted.sources.archive(&args.out.join("."), globals)?;
    }
    if let Some(folder) = &args.pictures {
        let pages: Vec<(String, String)> = fits
            .par_iter()
            .map(|fitted| Ok((format!("{}.svg", fitted.name), page::svg(fitted)?)))
            .collect::<Result<_, CliError>>()?;
        for (name, svg) in pages {
            replace_file(&folder.join(name), svg.as_bytes())?;
        }
        replace_file(&folder.join("distributions.svg"), page::distributions(&fits)?.as_bytes())?;
    }
    if let Some(folder) = &args.tables {
        tables::write(folder, entry, &fits)?;
    }
    if globals.json {
        let value = serde_json::json!({
            "schema": 1,
            "model": entry.info.name,
            "fits": fits.iter().map(|fitted| document(entry, fitted)).collect::<Vec<_>>(),
            "refused": refused.iter().map(|(file, why)| serde_json::json!({ "file": file, "why": why })).collect::<Vec<_>>(),
            "passed_over": passed_over,
        });
        return serde_json::to_string_pretty(&value).map(|text| text + "\n").map_err(CliError::failed);
    }
    let mut text = tables::summary(&fits);
    for (file, why) in &refused {
        // The reason may name the file itself.
        let _ = writeln!(
            text,
            "not fitted: {}",
            if why.starts_with(file.as_str()) { why.clone() } else { format!("{file}: {why}") }
        );
    }
    let _ = writeln!(
        text,
        "{} fitted, {} not, {passed_over} passed over; cards: {}",
        fits.len(),
        refused.len(),
        args.out.display()
    );
    Ok(text)
}

/// Whether `--out` is a card and no folder.
fn names_a_card(args: &FitArgs) -> bool {
    args.out.extension().is_some_and(|ending| ending == "toml") && !args.out.is_dir()
}

/// The fit of a group of files; of a transistor one for each device that they hold.
fn fits(entry: &Entry, args: &FitArgs, files: &[String]) -> Vec<(String, Result<Fitted, CliError>)> {
    let label = files.join(", ");
    let read = || -> Result<(Sources, Option<Measurement>), CliError> {
        let sources = Sources::read(files, args.map.as_deref())?;
        if entry.kinds.contains(&Kind::Ramp) && two_columns(&sources.files()).is_some() {
            return Ok((sources, None));
        }
        let mut measurement = read(entry, &sources.files())?;
        if !args.device.is_empty() {
            let known = measurement.devices();
            if let Some(absent) = args.device.iter().find(|device| !known.contains(device)) {
                let known = crate::cli::fit::words::some(&known);
                return Err(InputError::new(&label, format!("no device `{absent}`"), known).into());
            }
            measurement = measurement.of_devices(&args.device);
        }
        Ok((sources, Some(measurement)))
    };
    let (sources, measurement) = match read() {
        Ok(found) => found,
        Err(error) => return vec![(label, Err(error))],
    };
    let devices = measurement.as_ref().map(Measurement::devices).unwrap_or_default();
    match measurement {
        Some(whole) if entry.info.name == transistor::INFO.name && devices.len() > 1 => devices
            .into_par_iter()
            .map(|device| {
                let own = whole.of_devices(std::slice::from_ref(&device));
                (format!("{label}: {device}"), fit(entry, args, sources.clone(), Some(own)))
            })
            .collect(),
        measurement => vec![(label, fit(entry, args, sources, measurement))],
    }
}

/// The fit of a measurement, or of two columns of responses to pulses.
fn fit(
    entry: &Entry,
    args: &FitArgs,
    sources: Sources,
    measurement: Option<Measurement>,
) -> Result<Fitted, CliError> {
    let named = sources.files();
    let is_update = entry.kinds.contains(&Kind::Ramp);
    let Some(measurement) = measurement else {
        let traces = two_columns(&named).unwrap_or_else(|| {
            Err(CliError::Failed(format!("{} files without a measurement", named.len())))
        })?;
        let regression = mho_compact::update::update_regression(&traces, entry.info.name)
            .ok_or_else(|| CliError::Usage(format!("{} is no law of pulses", entry.info.name)))?;
        let mut fit = regression.fit().map_err(CliError::failed)?;
        fit.warnings
            .push("assumed: no header; the first column is up, the second down, both measured".into());
        let rivals =
            if args.compares() { ranking::of_updates(&traces)? } else { ranking::Ranking::default() };
        return finish(args, sources, regression, fit, Origin::Measured, rivals);
    };
    let mut extracted = Vec::new();
    let (regression, mut fit, rivals);
    if entry.info.name == transistor::INFO.name {
        let readings = Readings::of(&measurement)?;
        let found = transistor::fitting::fit(&readings).map_err(CliError::failed)?;
        rivals = if args.compares() { ranking::of_transistor(&found) } else { ranking::Ranking::default() };
        extracted = extraction::extracted(&readings);
        (regression, fit) = (found.regression, found.fit);
    } else {
        let fitting = entry
            .fitting
            .ok_or_else(|| CliError::Usage(format!("{} is not fitted from files", entry.info.name)))?;
        regression = match inference::find(entry.info.name) {
            Some(model) => resistive::regression(model, args, &measurement)?,
            None if args.hold.is_empty() => fitting(&measurement)?,
            None => {
                return Err(CliError::Usage(format!(
                    "--hold goes with resistive cells, not {}",
                    entry.info.name
                )));
            }
        };
        fit = regression.fit().map_err(CliError::failed)?;
        rivals = match (args.compares(), is_update) {
            (false, _) => ranking::Ranking::default(),
            (true, true) => ranking::of_updates(&Traces::from_measurement(&measurement)?)?,
            (true, false) => {
                let lines = sources.lines();
                let data = card::Data {
                    source: &sources.measured(),
                    lines: &lines,
                    origin: measurement.sidecar.origin,
                    measurement: Some(&measurement),
                };
                ranking::of_entries(entry, data, &measurement, &fit)
            }
        };
    }
    fit.dropped += measurement.sidecar.dropped.len();
    fit.warnings.extend(super::of_reading(&measurement));
    let origin = measurement.sidecar.origin;
    let fitted = finish(args, sources, regression, fit, origin, rivals)?;
    Ok(Fitted { extracted, measurement: Some(measurement), ..fitted })
}

/// Profile intervals of the parameters that have one, by name, and what is to be said of the others.
fn profiled(regression: &Regression<'_>, fit: &FitResult) -> (Vec<(String, ProfileInterval)>, Vec<String>) {
    let (mut found, mut notes) = (Vec::new(), Vec::new());
    let name = |index: usize| fit.parameters[index].name.clone();
    match regression.profiles(fit) {
        Err(error) => notes.push(format!("no profile likelihood: {error}")),
        Ok(profiles) => {
            for &index in profiles.shared() {
                match profiles.interval(index) {
                    Ok(interval) => found.push((name(index), interval)),
                    Err(error) => notes.push(format!("no profile likelihood of {}: {error}", name(index))),
                }
            }
            let others = (0..fit.parameters.len()).filter(|index| !profiles.shared().contains(index));
            let (bound, own): (Vec<usize>, Vec<usize>) =
                others.partition(|&index| !fit.parameters[index].std.is_finite());
            if !bound.is_empty() {
                let names: Vec<String> = bound.into_iter().map(name).collect();
                notes.push(format!("no profile likelihood of {}: at a bound", names.join(", ")));
            }
            if !own.is_empty() {
                notes.push(format!("no profile likelihood of {} parameters of single devices", own.len()));
            }
        }
    }
    (found, notes)
}

fn finish(
    args: &FitArgs,
    sources: Sources,
    regression: Regression<'static>,
    mut fit: FitResult,
    origin: Origin,
    ranking: ranking::Ranking,
) -> Result<Fitted, CliError> {
    let hold_out = regression.hold_out().unwrap_or_else(|error| {
        fit.warnings.push(format!("nothing could be held out: {error}"));
        None
    });
    let mut profiles = Vec::new();
    if args.profile {
        let (found, notes) = profiled(&regression, &fit);
        profiles = found;
        fit.warnings.extend(notes);
    }
    let bootstrap = args
        .bootstrap
        .map(|replicates| {
            let options = BootstrapOptions { replicates: replicates as usize, ..BootstrapOptions::default() };
            bootstrap(&regression, &fit, &options).map_err(CliError::failed)
        })
        .transpose()?;
    let population = if args.population.is_empty() {
        None
    } else {
        let names: Vec<&str> = args.population.iter().map(String::as_str).collect();
        Some(hierarchy(&regression, &names).map_err(CliError::failed)?)
    };
    let name = regression.devices.first().map_or_else(String::new, |device| device.name.clone());
    Ok(Fitted {
        source: sources.measured(),
        name,
        origin,
        regression,
        fit,
        hold_out,
        profiles,
        bootstrap,
        ranking,
        population,
        extracted: Vec::new(),
        sources,
        measurement: None,
    })
}

/// The measurement that the model takes. Laws of thresholds take sweeps too: their thresholds are read first.
fn read(entry: &Entry, files: &[reader::File<'_>]) -> Result<Measurement, CliError> {
    let sweeps =
        files.first().is_some_and(|(name, bytes)| reader::recognise(name, bytes) == Some(Kind::IdVg));
    if sweeps && entry.kinds.contains(&Kind::Threshold) {
        let mut measurement = reader::read(files, Kind::IdVg)?;
        measurement.check_for_fit()?;
        let fits =
            idvg::fit_measurement(&measurement, &idvg::SweepOptions::default()).map_err(CliError::failed)?;
        measurement.table = fits.results();
        measurement.sidecar.kind = Kind::Threshold;
        measurement.places.clear();
        // What the law asks of a table of thresholds, it says better than this could.
        let points = tid::points(&measurement.table).map_err(CliError::failed)?;
        if entry.info.name.starts_with("tid-") {
            super::doses_of(&points, files)?;
        }
        return Ok(measurement);
    }
    let measurement = reader::read_as(files, None, None)?;
    if entry.kinds.contains(&measurement.sidecar.kind) {
        return Ok(measurement);
    }
    let kind = entry.kinds.first().copied().unwrap_or(Kind::IdVg);
    let file = files.first().map_or("", |(name, _)| *name);
    // Read again as what is wanted: the complaint then says what is missing.
    let found = measurement.sidecar.kind.title();
    match reader::read(files, kind) {
        Ok(measurement) if measurement.sidecar.kind == kind => Ok(measurement),
        _ => Err(InputError::new(
            file,
            found,
            format!("{}, which {} is fitted to", kind.title(), entry.info.name),
        )
        .into()),
    }
}

/// A file of two columns without a header: responses to pulses up and down.
fn two_columns(files: &[reader::File<'_>]) -> Option<Result<Traces, CliError>> {
    let [(name, bytes)] = files else { return None };
    let text = std::str::from_utf8(bytes).ok()?;
    let mut columns = [Vec::new(), Vec::new()];
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let mut cells = line.split([',', ';', '\t']).map(|cell| cell.trim().parse::<f64>());
        let (Some(Ok(up)), Some(Ok(down)), None) = (cells.next(), cells.next(), cells.next()) else {
            return None;
        };
        columns[0].push(up);
        columns[1].push(down);
    }
    let [up, down] = columns;
    Some(Traces::from_columns(name, &up, &down, None).map_err(CliError::from))
}
