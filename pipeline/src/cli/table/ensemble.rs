//! Ensembles: one table for the best estimate, for each sample of the parameters, and for each choice of model.

use super::super::{Answer, CliError, Globals};
use super::build::{BuildArgs, card, met};
use super::kinds::{ensemble_document, ensemble_page};
use crate::stages::tables::{Device, Named};
use crate::store::replace_file;
use mho_data::InputError;
use mho_lut::{CellSource, CompileOptions, Ensemble, MemberKind, compile_ensemble};
use std::path::{Path, PathBuf};

/// Most samples of an ensemble: its file holds a table for each.
pub(super) const MOST_SAMPLES: u64 = 10_000;

/// Name of a sample.
pub(super) fn sample(index: u64) -> String {
    format!("sample-{index:02}")
}

/// Tables of a device, of samples of its cards, and of it with rival cards.
pub(super) fn build(
    args: &BuildArgs,
    device: &Device,
    best: &dyn CellSource,
    options: &CompileOptions,
    globals: &Globals,
) -> Answer {
    few(args.samples)?;
    if args.samples > 0 && !device.is_uncertain() {
        let expected = "a card with a covariance, or standard deviations, of which samples are drawn";
        let found = "cards that do not say how well their parameters are known";
        return Err(InputError::new(args.cards.join(", "), found, expected).into());
    }
    let mut sources: Vec<(String, MemberKind, Box<dyn CellSource>)> = Vec::new();
    for index in 0..args.samples {
        let label = sample(index);
        let source = device.sampled(globals.seed.unwrap_or(0), index).source(&label)?;
        sources.push((label, MemberKind::Parameters, source));
    }
    for rival in rivals(&args.rivals)? {
        let mut label = format!("law {}", rival.card.model);
        if sources.iter().any(|(known, ..)| *known == label) {
            label = format!("{label} of {}", rival.file);
        }
        let source = device.with(rival)?.source(&label)?;
        sources.push((label, MemberKind::Model, source));
    }
    let others: Vec<(String, MemberKind, &dyn CellSource)> =
        sources.iter().map(|(label, kind, source)| (label.clone(), *kind, source.as_ref())).collect();
    let ensemble = compile_ensemble(best, &others, options)?;
    met(ensemble.worst())?;
    written(args, &ensemble, globals)
}

/// That this many samples are asked for in earnest.
pub(super) fn few(samples: u64) -> Result<(), CliError> {
    if samples <= MOST_SAMPLES {
        return Ok(());
    }
    Err(CliError::Usage(format!("--samples {samples}: at most {MOST_SAMPLES}")))
}

pub(super) fn written(args: &BuildArgs, ensemble: &Ensemble, globals: &Globals) -> Answer {
    replace_file(&args.out, &ensemble.to_bytes()?)?;
    if globals.json {
        return Ok(ensemble_document(ensemble));
    }
    Ok(format!("{}table: {}\n", ensemble_page(ensemble), args.out.display()))
}

/// The cards of files and folders, those of a folder by their names.
fn rivals(paths: &[PathBuf]) -> Result<Vec<Named>, CliError> {
    let mut cards = Vec::new();
    for path in paths {
        if !path.is_dir() {
            cards.push(card(&path.display().to_string())?);
            continue;
        }
        let shown = path.display().to_string();
        let wrong = |error: std::io::Error| InputError::new(&shown, error.to_string(), "a folder of cards");
        let entries = std::fs::read_dir(path).map_err(wrong)?;
        let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        files.retain(|file| file.extension() == Some(Path::new("toml").as_os_str()));
        files.sort();
        if files.is_empty() {
            return Err(InputError::new(&shown, "no cards (.toml)", "a folder of cards").into());
        }
        for file in files {
            cards.push(card(&file.display().to_string())?);
        }
    }
    Ok(cards)
}
